//! All that is kept of a profile, on one page: for who wants to know what the site knows of a visitor, and why it counts.

use super::event::{Scalar, millionths_text};
use super::read::{Reader, double, read, text};
use super::rules::{Expected, Matching, Rules, Settle, TraitRule, What};
use super::sessions::UNCAPPED;
use super::site::Site;
use super::state::State;
use super::traits;
use crate::touch::Touch;
use serde::Serialize;

/// The page. Instants are epoch milliseconds, money and scores plain numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// The instant at which it holds.
    pub now: i64,
    /// When the visitor was first there.
    pub first_seen: Option<i64>,
    /// When last.
    pub last_seen: Option<i64>,
    /// `new`, `active`, `at_risk`, `dormant`, `won_back`.
    pub lifecycle: Option<&'static str>,
    /// How much they do.
    pub engagement: Level,
    /// How many sessions there were, and the last.
    pub sessions: SessionFacts,
    /// The first touch.
    pub first_touch: Option<Touch>,
    /// The last.
    pub last_touch: Option<Touch>,
    /// Every source's value of every declared trait.
    pub traits: Vec<TraitFact>,
    /// What was counted.
    pub counters: Vec<CounterFact>,
    /// What they like.
    pub affinities: Vec<AffinityFact>,
    /// What they bought; nothing where the site does not ask.
    pub purchases: Option<PurchaseFacts>,
    /// How likely they are to do what.
    pub propensities: Vec<(String, f64)>,
    /// The last Net Promoter Score.
    pub nps: Option<NpsFact>,
    /// The last answer to each question.
    pub answers: Vec<AnswerFact>,
    /// The features of the application.
    pub features: Vec<FeatureFact>,
    /// The cart.
    pub cart: CartFacts,
    /// What was, or will be, reached.
    pub milestones: Vec<MilestoneFact>,
    /// What they were shown.
    pub experiences: Vec<ExperienceFact>,
    /// Everything that expressions read of the profile.
    pub readings: Vec<ReadingFact>,
}

/// A score and its level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Level {
    /// `none`, `low`, `medium`, `high`.
    pub level: &'static str,
    /// The score.
    pub score: f64,
}

/// The sessions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionFacts {
    /// How many there were.
    pub count: u32,
    /// When the last began.
    pub started: Option<i64>,
    /// When its last event was.
    pub last_event: Option<i64>,
    /// Its page views.
    pub page_count: u32,
    /// Whether it is not over.
    pub is_open: bool,
    /// Where it came from.
    pub touch: Option<Touch>,
    /// The strongest intent, while it is not over.
    pub intent: Option<String>,
    /// The strength of every intent that was signalled in it.
    pub intents: Vec<(String, f64)>,
}

/// What a source says of a trait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraitFact {
    /// The trait.
    pub name: String,
    /// The value, as text.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// When.
    pub at: i64,
    /// Whether this value counts.
    pub counts: bool,
    /// Why one of several counts: `latest`, `first`, `source`, `largest`; `only` where there is one, `visitor` where they said themselves what
    /// it is, or that there is to be none.
    pub why: &'static str,
    /// Whether it tells who the visitor is.
    pub personal: bool,
}

/// What was counted by one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CounterFact {
    /// The rule's number.
    pub id: u32,
    /// The event, and the properties that it must have.
    pub event: String,
    /// The property that is added up.
    pub sum_of: Option<String>,
    /// How many events.
    pub count: i64,
    /// The sum.
    pub sum: f64,
    /// What senders said who are not trusted, where the plan wants trusted ones.
    pub untrusted: f64,
    /// When first.
    pub first: i64,
    /// When last.
    pub last: i64,
    /// Each window in milliseconds, and how many, or how much, is in it.
    pub windows: Vec<(i64, f64)>,
}

/// A dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AffinityFact {
    /// Its name.
    pub dimension: String,
    /// Its values, the strongest first.
    pub values: Vec<ScoreFact>,
}

/// A value of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreFact {
    /// The value.
    pub value: String,
    /// Its score now.
    pub score: f64,
    /// Its share of all scores, in hundredths.
    pub share: i64,
    /// Whether it is strong enough to be told.
    pub told: bool,
}

/// What was bought.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PurchaseFacts {
    /// When last.
    pub last: Option<i64>,
    /// How often.
    pub count: u32,
    /// For how much.
    pub sum: f64,
    /// How often, as senders said who are not trusted.
    pub untrusted_count: u32,
    /// For how much, as they said.
    pub untrusted_sum: f64,
    /// Recency, frequency, monetary value: 1 to 5 each.
    pub scores: Option<[i64; 3]>,
    /// The name that marketers use.
    pub segment: Option<&'static str>,
}

/// A Net Promoter Score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NpsFact {
    /// 0 to 10.
    pub score: u8,
    /// `promoter`, `passive`, `detractor`.
    pub category: Option<&'static str>,
    /// When it was given.
    pub at: i64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerFact {
    /// The question.
    pub question: String,
    /// What was answered.
    pub answer: String,
    /// When.
    pub at: i64,
}

/// A feature of the application.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureFact {
    /// Its name.
    pub name: String,
    /// `unused`, `tried`, `adopted`, `left`.
    pub adoption: &'static str,
    /// How often it was used.
    pub count: u32,
    /// When first.
    pub first: Option<i64>,
    /// When last.
    pub last: Option<i64>,
}

/// The cart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CartFacts {
    /// Pieces.
    pub quantity: i64,
    /// What they cost.
    pub value: f64,
    /// When it last changed.
    pub updated: Option<i64>,
    /// What is in it.
    pub products: Vec<ProductFact>,
}

/// A product of the cart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProductFact {
    /// Its id.
    pub id: String,
    /// Pieces.
    pub quantity: i64,
    /// Of one piece.
    pub price: f64,
    /// When it last changed.
    pub at: i64,
}

/// A milestone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MilestoneFact {
    /// Its name.
    pub name: String,
    /// When it was, or will be, reached.
    pub reached: Option<i64>,
    /// Whether it is told now.
    pub told: bool,
}

/// What was shown of an experience.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperienceFact {
    /// Its id.
    pub id: String,
    /// The variant that stays theirs, or the level of each factor.
    pub variant: Option<String>,
    /// Since when.
    pub since: Option<i64>,
    /// How often it was seen.
    pub seen: u32,
    /// When last.
    pub last: i64,
}

/// What expressions read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadingFact {
    /// The field's path.
    pub path: String,
    /// Its value as text; nothing where it is unknown.
    pub value: Option<String>,
    /// When time alone may make it another.
    pub changes: Option<i64>,
}

/// All that is kept of a profile, as it is at an instant.
pub fn facts(rules: &Rules, state: &State, site: &Site, now: i64) -> Facts {
    let reader = Reader::at(rules, state, site, now);
    let now = super::read::second(now);
    let State { presence, visits, answers, basket, .. } = state;
    let engagement = &rules.engagement;
    Facts {
        now,
        first_seen: presence.first,
        last_seen: presence.last(),
        lifecycle: presence.lifecycle(&rules.lifecycle, now),
        engagement: Level {
            level: state.engagement.level(engagement, now),
            score: double(state.engagement.score(engagement, now)),
        },
        sessions: sessions(rules, state, now),
        first_touch: visits.first.clone(),
        last_touch: visits.last(rules.attribution),
        traits: rules.traits.iter().flat_map(|rule| trait_facts(rules, state, rule)).collect(),
        counters: counters(rules, state, now),
        affinities: affinities(rules, state, now),
        purchases: rules.rfm.as_ref().map(|_| purchases(state, site)),
        propensities: (rules.propensities.iter())
            .filter_map(|rule| Some((rule.name.clone(), double(reader.number(&What::Propensity(rule.name.clone()))?))))
            .collect(),
        nps: answers.nps.map(|(at, score)| NpsFact { score, category: answers.category(), at }),
        answers: (answers.questions.iter())
            .map(|(question, at, answer)| AnswerFact { question: question.clone(), answer: answer.clone(), at: *at })
            .collect(),
        features: features(rules, state, now),
        cart: CartFacts {
            quantity: basket.quantity(),
            value: double(basket.value()),
            updated: basket.updated,
            products: basket
                .lines()
                .map(|line| ProductFact {
                    id: line.id.clone(),
                    quantity: line.quantity,
                    price: double(line.price),
                    at: line.at,
                })
                .collect(),
        },
        milestones: (rules.kept_milestones())
            .map(|milestone| {
                let reached = state.milestones.reached(milestone, presence);
                let told = reached.is_some_and(|reached| milestone.is_told(reached, now));
                MilestoneFact { name: milestone.name.clone(), reached, told }
            })
            .collect(),
        experiences: (state.exposures.all(rules))
            .map(|(rule, exposed)| ExperienceFact {
                id: rule.id.clone(),
                variant: exposed.variant.as_ref().map(|(_, levels)| levels.clone()),
                since: exposed.variant.as_ref().map(|(at, _)| *at),
                seen: exposed.shown.total,
                last: exposed.shown.last,
            })
            .collect(),
        readings: (rules.readings.iter())
            .map(|reading| ReadingFact {
                path: reading.path.clone(),
                value: read(rules, state, site, now, &reading.what).map(|value| text(&value)),
                changes: reader.next_second(&reading.what),
            })
            .collect(),
    }
}

fn sessions(rules: &Rules, state: &State, now: i64) -> SessionFacts {
    let sessions = &state.sessions;
    let last = sessions.last.as_ref();
    let strength = |score: &super::decay::Decayed| double(score.at(rules.intent.half_life, UNCAPPED, now));
    SessionFacts {
        count: sessions.count,
        started: last.map(|session| session.started),
        last_event: last.map(|session| session.last_event),
        page_count: last.map_or(0, |session| session.page_count),
        is_open: sessions.current(rules, now).is_some(),
        touch: last.and_then(|session| session.touch.clone()),
        intent: sessions.intent(rules, now).map(str::to_owned),
        intents: sessions.intents.iter().map(|(name, score)| (name.clone(), strength(score))).collect(),
    }
}

fn trait_facts(rules: &Rules, state: &State, rule: &TraitRule) -> Vec<TraitFact> {
    let settled = state.traits.settled(rule).map(|told| told.source.clone());
    let kind = super::read::kind(rules, &What::Trait(rule.name.clone()));
    let all: Vec<&traits::Told> = state.traits.all(&rule.name).collect();
    let why = match rule.settle {
        _ if state.traits.is_corrected(&rule.name) => "visitor",
        _ if all.len() < 2 => "only",
        Settle::Latest => "latest",
        Settle::First => "first",
        Settle::Source => "source",
        Settle::Largest => "largest",
    };
    let fact = |told: &traits::Told| TraitFact {
        name: told.name.clone(),
        value: traits::value(kind, &told.value).map_or_else(|| scalar_text(&told.value), |value| text(&value)),
        source: told.source.clone(),
        at: told.at,
        counts: settled.as_ref() == Some(&told.source),
        why,
        personal: rule.personal,
    };
    all.into_iter().map(fact).collect()
}

fn scalar_text(value: &Scalar) -> String {
    value.text().into_owned()
}

/// An event's name, and the properties that it must have.
fn matching_text(matching: &Matching) -> String {
    let mut text = matching.event.clone();
    for (path, expected) in &matching.properties {
        let value = match expected {
            Expected::Bool(flag) => flag.to_string(),
            Expected::Number(number) => millionths_text(*number),
            Expected::Text(text) => text.clone(),
        };
        text.push_str(&format!(", {path} = {value}"));
    }
    text
}

fn counters(rules: &Rules, state: &State, now: i64) -> Vec<CounterFact> {
    let known = rules.kept_counters().filter_map(|rule| Some((rule, state.counters.get(rule.id)?)));
    let facts = known.map(|(rule, counted)| {
        let number = |value: i64| if rule.sum.is_some() { double(value) } else { value as f64 };
        let windows = rule.windows.iter().filter(|window| **window > 0);
        CounterFact {
            id: rule.id,
            event: matching_text(&rule.matching),
            sum_of: rule.sum.clone(),
            count: counted.count,
            sum: double(counted.sum),
            untrusted: double(counted.untrusted),
            first: counted.first,
            last: counted.last,
            windows: windows.map(|window| (*window, number(counted.within(*window, now)))).collect(),
        }
    });
    facts.collect()
}

fn affinities(rules: &Rules, state: &State, now: i64) -> Vec<AffinityFact> {
    let known = rules.kept_affinities().filter_map(|(rule, _)| Some((rule, state.affinities.get(&rule.dimension)?)));
    let facts = known.map(|(rule, dimension)| {
        let values = dimension.strongest(rule).into_iter().map(|(value, score)| {
            let score = score.at(rule.half_life, rule.cap, now);
            let told = score >= rule.least.max(1);
            ScoreFact { value: value.clone(), score: double(score), share: dimension.share(value), told }
        });
        AffinityFact { dimension: rule.dimension.clone(), values: values.collect() }
    });
    facts.collect()
}

fn purchases(state: &State, site: &Site) -> PurchaseFacts {
    let purchases = &state.purchases;
    PurchaseFacts {
        last: purchases.last,
        count: purchases.count,
        sum: double(purchases.sum),
        untrusted_count: purchases.untrusted_count,
        untrusted_sum: double(purchases.untrusted_sum),
        scores: purchases.scores(site),
        segment: purchases.segment(site),
    }
}

fn features(rules: &Rules, state: &State, now: i64) -> Vec<FeatureFact> {
    let facts = rules.kept_features().map(|feature| {
        let used = state.features.get(&feature.name);
        FeatureFact {
            name: feature.name.clone(),
            adoption: state.features.adoption(feature, now),
            count: used.map_or(0, |used| used.count),
            first: used.map(|used| used.first),
            last: used.map(|used| used.last),
        }
    });
    facts.collect()
}
