//! What a site learns of its visitors: the manifest's sections about it become [`Rules`]. What is not said goes without saying, by
//! the names of Segment's Ecommerce events.

mod limits;
mod matching;

use self::limits::*;
use super::readings::{self, Asked};
use super::{Compiler, enrichments, lookup, plan};
use crate::context::{FIELDS, Kind};
use crate::expr::{ExprError, parse};
use crate::learn::Rules;
use crate::learn::event::ONE;
use crate::learn::rules::{
    Affinity, Cart, Counter, Engagement, EventRule, ExperienceRule, Feature, Intent, Lifecycle, Matching, Milestone,
    Propensity, PropertyRule, PurposeName, Reading, Rfm, Settle, TraitRule, Webhook, What,
};
use crate::learn::{MOST_INSTANTS, MOST_PERIODS, MOST_VALUES};
use crate::manifest::{EventPlan, PropertyPlan, Spanned};
use crate::program::layout::Section;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// What events add to an affinity, where the manifest does not say.
const AFFINITY: [(&str, i64); 4] =
    [("Product Viewed", ONE), ("Product Added to Wishlist", 2 * ONE), ("Product Added", 3 * ONE), ("Order Completed", 5 * ONE)];
/// What events add to the engagement, where the manifest does not say.
const ENGAGEMENT: [(&str, i64); 4] =
    [(plan::PAGE, ONE), ("Product Viewed", ONE), ("Product Added", 3 * ONE), ("Order Completed", 10 * ONE)];

impl Compiler<'_, '_, '_> {
    /// Checks and writes the rules, for those who learn: a browser only decides, and the whole manifest was checked before.
    pub(super) fn learned(&mut self) {
        if self.for_browsers {
            return;
        }
        let rules = self.rules();
        let bytes = self.builder.bytes(&rules.to_bytes());
        self.builder.push(Section::Learned, &[bytes]);
    }

    fn rules(&mut self) -> Rules {
        let (session, attribution) = self.sessions;
        let mut counters: Vec<Counter> = Vec::new();
        let asked: Vec<(Option<Counter>, Spanned<()>)> =
            self.names.asked.iter().map(|(asked, at)| (asked.counter.clone(), at.clone())).collect();
        for (counter, at) in &asked {
            self.count(&mut counters, counter.clone(), at);
        }
        let propensities = self.propensities(&mut counters);
        // Their order in the document says nothing.
        counters.sort_by_key(|counter| counter.id);
        let webhooks = self.webhooks();
        let mut watched: Vec<String> = webhooks.iter().flat_map(|webhook| webhook.audiences.clone()).collect();
        watched.sort();
        watched.dedup();
        let rules = Rules {
            session,
            attribution,
            events: self.events(),
            traits: self.trait_rules(),
            counters,
            affinities: self.affinities(),
            rfm: self.rfm(),
            lifecycle: self.lifecycle(),
            engagement: self.engagement(),
            intent: self.intent(),
            propensities,
            features: self.features(),
            milestones: self.milestones(),
            cart: self.cart(),
            readings: self.readings(),
            by_user: self.slots_of(&self.by_user),
            watched,
            webhooks,
            experiences: self.seen_experiences(),
            ..Rules::default()
        };
        self.fits(&rules, &asked);
        rules
    }

    /// What does not fit into a profile would silently not be kept.
    fn fits(&mut self, rules: &Rules, asked: &[(Option<Counter>, Spanned<()>)]) {
        let manifest = self.manifest;
        let dropped = |id: u32| !rules.kept_counters().any(|kept| kept.id == id);
        if let Some((_, at)) = asked.iter().find(|(counter, _)| counter.as_ref().is_some_and(|counter| dropped(counter.id))) {
            let help = "count within shorter windows: one of 7 days takes 8 periods, one of 400 days takes 401";
            let message =
                format!("all windows together have more than {MOST_PERIODS} hours and days, which is what a profile keeps");
            self.error_with_help(at, message, Some(help.to_owned()));
        }
        if let Some((dimension, _)) = manifest.affinities.get(rules.kept_affinities().count())
            && manifest.affinities.len() <= AFFINITIES
        {
            let help = "lower \"keep\"";
            let message = format!("all affinities together keep more than {MOST_VALUES} values, with those that may grow");
            self.error_with_help(dimension, message, Some(help.to_owned()));
        }
        if let Some((name, _)) = manifest.milestones.get(rules.kept_milestones().count())
            && manifest.milestones.len() <= MILESTONES
        {
            let message =
                format!("the counts of all milestones come to more than {MOST_INSTANTS}, which is what a profile keeps");
            self.error(name, message);
        }
    }

    /// Adds what is counted; of the same twice the windows.
    fn count(&mut self, counters: &mut Vec<Counter>, counter: Option<Counter>, at: &Spanned<()>) {
        let Some(counter) = counter else { return };
        let Some(known) = counters.iter_mut().find(|known| known.id == counter.id) else {
            if counters.len() == COUNTERS {
                self.error(at, format!("a site counts at most {COUNTERS} things; windows of the same count once"));
            }
            counters.push(counter);
            return;
        };
        if known.matching != counter.matching || known.sum != counter.sum {
            let event = counter.matching.event;
            self.error(at, format!("two things that are counted have the same number; count something else of `{event}`"));
            return;
        }
        for window in counter.windows {
            if !known.windows.contains(&window) {
                known.windows.push(window);
            }
        }
        known.windows.sort_unstable();
        if known.windows.len() > WINDOWS {
            self.error(at, format!("of the same at most {WINDOWS} windows are kept"));
        }
    }

    fn events(&mut self) -> Vec<EventRule> {
        let manifest = self.manifest;
        self.at_most(&manifest.events, EVENTS, "events");
        let mut rules = Vec::with_capacity(manifest.events.len());
        for (name, event) in &manifest.events {
            if name.value.is_empty() || name.value.chars().count() > plan::LONGEST_EVENT {
                self.error(name, format!("expected an event's name of 1 to {} characters", plan::LONGEST_EVENT));
            }
            self.at_most(&event.properties, PROPERTIES, "properties of an event");
            let EventPlan { purpose, trusted, properties } = event;
            let properties = properties.iter().map(|(path, property)| self.property(path, property));
            rules.push(EventRule {
                name: name.value.clone(),
                purpose: purpose.map_or_else(PurposeName::default, |purpose| PurposeName(purpose.name().to_owned())),
                trusted: *trusted == Some(true),
                properties: properties.collect(),
            });
        }
        rules
    }

    fn property(&mut self, path: &Spanned<String>, property: &PropertyPlan) -> PropertyRule {
        if let Err((message, help)) = plan::path(plan::below(&path.value)) {
            self.error_with_help(path, message, help);
        }
        let PropertyPlan { kind, required, values, .. } = property;
        let values = values.iter().flat_map(|values| &values.0);
        if !matches!(kind, Kind::String | Kind::Strings)
            && let Some(first) = values.clone().next()
        {
            self.error(first, "only a property of type string or strings has an enum");
        }
        PropertyRule {
            path: path.value.clone(),
            kind: kind.name().to_owned(),
            required: *required == Some(true),
            values: values.map(|value| value.value.clone()).collect(),
            personal: property.is_personal(),
        }
    }

    fn trait_rules(&mut self) -> Vec<TraitRule> {
        let manifest = self.manifest;
        self.at_most(&manifest.traits, TRAITS, "traits");
        let mut rules = Vec::with_capacity(manifest.traits.len());
        for (name, declared) in &manifest.traits {
            if readings::is_taken(&name.value) {
                let message = format!("`profile.{}` is something that is learned; a trait needs another name", name.value);
                self.error_with_help(name, message, Some(format!("call it {}_trait", name.value)));
            }
            let settle = declared.settle.as_ref().map_or(Settle::default(), |settle| settle.value);
            if let Some(written) = &declared.settle {
                if settle == Settle::Source && declared.sources.0.is_empty() {
                    let help = "say \"sources\": [...], the most believed first, such as the name of an import";
                    self.error_with_help(written, "which source comes first is not said", Some(help.to_owned()));
                }
                if settle == Settle::Largest && !matches!(declared.kind, Kind::Int | Kind::Double | Kind::Timestamp) {
                    self.error(written, format!("a {} is not larger than another", declared.kind.name()));
                }
            }
            if let Some(first) = declared.sources.0.first().filter(|_| settle != Settle::Source) {
                self.error_with_help(
                    first,
                    "sources are for settling by source",
                    Some("say \"settle\": \"source\"".to_owned()),
                );
            }
            rules.push(TraitRule {
                name: name.value.clone(),
                kind: declared.kind.name().to_owned(),
                purpose: PurposeName(declared.purpose.name().to_owned()),
                personal: declared.is_personal(),
                values: declared.values.iter().flat_map(|values| &values.0).map(|value| value.value.clone()).collect(),
                settle,
                sources: declared.sources.0.iter().map(|source| source.value.clone()).collect(),
            });
        }
        rules
    }

    fn affinities(&mut self) -> Vec<Affinity> {
        let manifest = self.manifest;
        self.at_most(&manifest.affinities, AFFINITIES, "affinities");
        let mut rules = Vec::with_capacity(manifest.affinities.len());
        for (dimension, affinity) in &manifest.affinities {
            self.check_id(dimension);
            let property = affinity.property.as_ref().unwrap_or(dimension);
            self.check_path(property);
            self.check_affinity_property(property);
            let weights = self.signals(&affinity.weights);
            for (event, _) in &affinity.weights {
                self.check_property(event, property);
            }
            rules.push(Affinity {
                dimension: dimension.value.clone(),
                property: property.value.clone(),
                half_life: self.length(affinity.half_life.as_ref(), HALF_LIVES, 30 * DAY_MS),
                weights: if weights.is_empty() { defaults(&AFFINITY) } else { weights },
                cap: self.decimal(affinity.cap.as_ref(), WEIGHTS, 100 * ONE),
                keep: self.whole(affinity.keep.as_ref(), 1..=100, 20),
                least: self.decimal(affinity.least.as_ref(), WEIGHTS, ONE),
            });
        }
        rules
    }

    fn rfm(&mut self) -> Option<Rfm> {
        let rfm = self.manifest.rfm.as_ref()?;
        let event = self.event_name(rfm.event.as_ref(), "Order Completed");
        if let Some(path) = &rfm.value {
            self.check_path(path);
            self.check_sum(&event, path);
        }
        let value = rfm.value.as_ref().map_or_else(|| "revenue".to_owned(), |path| path.value.clone());
        Some(Rfm { event, value, trusted: rfm.trusted == Some(true) })
    }

    fn lifecycle(&mut self) -> Lifecycle {
        let usual = Lifecycle::default();
        let Some(written) = &self.manifest.lifecycle else { return usual };
        let at_risk = self.length(written.at_risk.as_ref(), LENGTHS, usual.at_risk);
        let dormant = self.length(written.dormant.as_ref(), LENGTHS, usual.dormant);
        if let Some(at) = written.dormant.as_ref().or(written.at_risk.as_ref())
            && at_risk >= dormant
        {
            self.error(at, "who is dormant was at risk before: at_risk is shorter than dormant");
        }
        Lifecycle {
            new: self.length(written.new.as_ref(), LENGTHS, usual.new),
            at_risk,
            dormant,
            won_back: self.length(written.won_back.as_ref(), LENGTHS, usual.won_back),
        }
    }

    fn engagement(&mut self) -> Engagement {
        let usual = [5 * ONE, 20 * ONE];
        let Some(written) = &self.manifest.engagement else {
            return Engagement { half_life: 7 * DAY_MS, weights: defaults(&ENGAGEMENT), levels: usual };
        };
        let weights = self.signals(&written.weights);
        let medium = self.decimal(written.medium.as_ref(), WEIGHTS, usual[0]);
        let high = self.decimal(written.high.as_ref(), WEIGHTS, usual[1]);
        if let Some(at) = written.high.as_ref().or(written.medium.as_ref())
            && medium >= high
        {
            self.error(at, "medium is below high");
        }
        Engagement {
            half_life: self.length(written.half_life.as_ref(), HALF_LIVES, 7 * DAY_MS),
            weights: if weights.is_empty() { defaults(&ENGAGEMENT) } else { weights },
            levels: [medium, high],
        }
    }

    fn intent(&mut self) -> Intent {
        let usual = Intent { half_life: 20 * MINUTE_MS, least: ONE, signals: Vec::new() };
        let Some(written) = &self.manifest.intents else { return usual };
        self.at_most(&written.signals, INTENTS, "intents");
        let mut signals = Vec::with_capacity(written.signals.len());
        for (name, weights) in &written.signals {
            self.check_id(name);
            if weights.is_empty() {
                self.error(name, "an intent needs a signal: an event, and how strong it is");
            }
            signals.push((name.value.clone(), self.signals(weights)));
        }
        Intent {
            half_life: self.length(written.half_life.as_ref(), MINUTE_MS..=DAY_MS, usual.half_life),
            least: self.decimal(written.least.as_ref(), WEIGHTS, usual.least),
            signals,
        }
    }

    fn propensities(&mut self, counters: &mut Vec<Counter>) -> Vec<Propensity> {
        let manifest = self.manifest;
        self.at_most(&manifest.propensities, PROPENSITIES, "propensities");
        let mut rules = Vec::with_capacity(manifest.propensities.len());
        for (name, propensity) in &manifest.propensities {
            self.check_id(name);
            self.at_most(&propensity.coefficients, COEFFICIENTS, "coefficients of a propensity");
            let mut coefficients = Vec::with_capacity(propensity.coefficients.len());
            for (read, coefficient) in &propensity.coefficients {
                let number = self.decimal(Some(coefficient), -MOST_COEFFICIENT..=MOST_COEFFICIENT, 0);
                match self.read_by_propensity(read) {
                    Ok(asked) => {
                        let at = Spanned { value: (), span: read.span.clone(), path: read.path.clone() };
                        self.count(counters, asked.counter, &at);
                        coefficients.push((asked.what, number));
                    }
                    Err(error) => self.error_inside(read, error),
                }
            }
            let intercept = self.decimal(Some(&propensity.intercept), -MOST_COEFFICIENT..=MOST_COEFFICIENT, 0);
            rules.push(Propensity { name: name.value.clone(), intercept, coefficients });
        }
        rules
    }

    /// What a coefficient is of: a trait or a reading, a number or true or false.
    fn read_by_propensity(&self, text: &Spanned<String>) -> Result<Asked, ExprError> {
        let node = parse(&text.value)?;
        let named = text.value.trim().strip_prefix("profile.");
        let declared = self.manifest.traits.iter().find(|(name, _)| Some(name.value.as_str()) == named);
        let (asked, kind) = match (declared, readings::read(&node, self.manifest)) {
            (Some((name, declared)), _) => {
                (Asked { path: text.value.clone(), what: What::Trait(name.value.clone()), counter: None }, declared.kind)
            }
            (None, Some(read)) => {
                let asked = read?;
                let kind = asked.what.kind();
                (asked, kind)
            }
            (None, None) => {
                let names = self.names.names_of_profile();
                let help = crate::diagnostic::nearest(&text.value, names.iter().map(String::as_str));
                let message = "expected a trait or something that is learned, such as profile.count('Product Viewed', '7d')";
                return Err(ExprError::new(node.span, message).with_help(help));
            }
        };
        if matches!(asked.what, What::Propensity(_)) {
            return Err(ExprError::new(node.span, "a propensity does not follow from a propensity"));
        }
        if !matches!(kind, Kind::Bool | Kind::Int | Kind::Double) {
            let message = format!("`{}` is a {}; a coefficient is of a number, or of true and false", asked.path, kind.name());
            return Err(ExprError::new(node.span, message));
        }
        Ok(asked)
    }

    fn features(&mut self) -> Vec<Feature> {
        let manifest = self.manifest;
        self.at_most(&manifest.features, FEATURES, "features");
        let mut rules = Vec::with_capacity(manifest.features.len());
        for (name, feature) in &manifest.features {
            self.check_id(name);
            rules.push(Feature {
                name: name.value.clone(),
                matching: self.matching(&feature.event, &feature.properties),
                adopted: self.whole(feature.adopted.as_ref(), 1..=1000, 3),
                left: self.length(feature.left.as_ref(), LENGTHS, 30 * DAY_MS),
            });
        }
        rules
    }

    fn milestones(&mut self) -> Vec<Milestone> {
        let manifest = self.manifest;
        self.at_most(&manifest.milestones, MILESTONES, "milestones");
        let mut rules = Vec::with_capacity(manifest.milestones.len());
        for (name, milestone) in &manifest.milestones {
            self.check_id(name);
            let count = self.whole(milestone.count.as_ref(), 1..=100_000, 1);
            let years = self.whole(milestone.years.as_ref(), 1..=100, 1);
            let of_event = milestone.count.is_some() || !milestone.properties.is_empty();
            if milestone.event.is_some() == milestone.years.is_some() || (of_event && milestone.event.is_none()) {
                let help = "write { \"event\": \"Order Completed\", \"count\": 3 } or { \"years\": 1 }";
                self.error_with_help(name, "a milestone is an event or years", Some(help.to_owned()));
            }
            rules.push(Milestone {
                name: name.value.clone(),
                matching: milestone.event.as_ref().map(|event| self.matching(event, &milestone.properties)),
                count: if milestone.event.is_some() { count } else { years },
                lasts: self.length(milestone.lasts.as_ref(), HOUR_MS..=400 * DAY_MS, 7 * DAY_MS),
            });
        }
        rules
    }

    fn cart(&mut self) -> Cart {
        let usual = Cart::default();
        let Some(written) = &self.manifest.cart else { return usual };
        Cart {
            added: self.event_name(written.added.as_ref(), &usual.added),
            removed: self.event_name(written.removed.as_ref(), &usual.removed),
            viewed: self.event_name(written.viewed.as_ref(), &usual.viewed),
            ordered: self.event_name(written.ordered.as_ref(), &usual.ordered),
        }
    }

    fn webhooks(&mut self) -> Vec<Webhook> {
        let manifest = self.manifest;
        self.at_most(&manifest.webhooks, WEBHOOKS, "webhooks");
        let mut rules = Vec::with_capacity(manifest.webhooks.len());
        for (name, webhook) in &manifest.webhooks {
            // A secret of the Worker is called after it.
            self.check_identifier(name);
            if let Err((message, help)) = enrichments::check_origin(&webhook.url.value, true) {
                self.error_with_help(&webhook.url, message, help);
            }
            for event in webhook.events.0.iter().filter(|event| event.value != "*") {
                self.check_event(event);
            }
            for audience in &webhook.audiences.0 {
                if let Err(help) = lookup(&manifest.audiences, &audience.value) {
                    self.unknown(audience, "audience", help, "\"...\"");
                }
            }
            if webhook.events.0.is_empty() && webhook.audiences.0.is_empty() {
                let help = "say \"events\": [\"*\"], or \"audiences\"";
                self.error_with_help(name, "a webhook is told of events or of audiences", Some(help.to_owned()));
            }
            let texts = |list: &[Spanned<String>]| list.iter().map(|text| text.value.clone()).collect();
            rules.push(Webhook {
                name: name.value.clone(),
                url: webhook.url.value.clone(),
                events: texts(&webhook.events.0),
                audiences: texts(&webhook.audiences.0),
                purpose: webhook.purpose.map_or_else(PurposeName::default, |purpose| PurposeName(purpose.name().to_owned())),
            });
        }
        rules
    }

    /// The experiences of which pages have to know that they were seen.
    fn seen_experiences(&self) -> Vec<ExperienceRule> {
        let manifest = self.manifest;
        let of_group =
            |name: &&Spanned<String>| lookup(&manifest.groups, &name.value).is_ok_and(|(_, group)| group.cap.is_some());
        let rules = manifest.experiences.0.iter().map(|experience| ExperienceRule {
            id: experience.id.value.clone(),
            sticky: experience.is_sticky(),
            capped: experience.cap.is_some(),
            groups: experience.groups.0.iter().filter(of_group).map(|name| name.value.clone()).collect(),
            site: manifest.cap.is_some() && experience.has_global_cap(),
        });
        rules.filter(|rule| rule.sticky || rule.capped || rule.site || !rule.groups.is_empty()).collect()
    }

    /// What is read of profiles, in the order of the fields.
    fn readings(&mut self) -> Vec<Reading> {
        if let Some((_, at)) = self.names.asked.get(READINGS) {
            let at = at.clone();
            self.error(&at, format!("a site reads at most {READINGS} things of profiles beside traits"));
        }
        let traits = self.manifest.traits.iter().map(|(name, _)| What::Trait(name.value.clone()));
        let asked = self.names.asked.iter().map(|(asked, _)| asked.what.clone());
        let fields = (FIELDS.len() as u32..).zip(&self.names.declared).zip(traits.chain(asked));
        let readings = fields.map(|((field, declared), what)| Reading {
            path: declared.path.clone(),
            what,
            on_pages: self.read_fields.contains(field),
            slots: self.readers.get(field as usize - FIELDS.len()).map_or_else(Vec::new, |readers| self.slots_of(readers)),
        });
        readings.collect()
    }
}

fn defaults(weights: &[(&str, i64)]) -> Vec<(Matching, i64)> {
    let matching = |event: &str| Matching { event: event.to_owned(), properties: Vec::new() };
    weights.iter().map(|(event, weight)| (matching(event), *weight)).collect()
}
