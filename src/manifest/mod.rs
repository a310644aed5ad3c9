//! The manifest as its authors write it: JSON with comments, read strictly.

mod consent;
mod content;
mod enrichment;
mod experience;
mod format;
mod learn;
mod place;
pub(crate) mod read;
mod script;
mod source;

pub use consent::{Ask, ConsentPlan, Platform, Preferences, PurposePlan, PurposePlans, SinkPlan, Sinks, Wording};
pub use content::{Classes, Content, Fragment, Image, Json, JsonPart, Move, PageRule, PersonaValue, Position, SlotContent};
pub use enrichment::{Enrichment, EnrichmentField};
pub use experience::{
    Cap, Experience, ExperienceKind, Factor, Group, Layer, LayerRange, Levels, Ramp, RampKind, RampPoint, Requirement,
    Schedule, Status, Traffic, Weight,
};
pub use format::format;
pub use learn::{
    AffinityPlan, CartPlan, Decimal, Duration, EngagementPlan, EventPlan, FeaturePlan, IntentsPlan, LifecyclePlan,
    MilestonePlan, OneOrMore, PropensityPlan, PropertyPlan, RfmPlan, Scalar, Signal, WebhookPlan,
};
pub use place::{Degrees, Holidays, Place, Places};
pub use read::{List, Named, Share, Spanned};
pub use script::{Capture, Exposure};
pub use source::{ChannelRule, ChannelWhen, ClickId, SessionSettings, Sources};

use crate::consent::Purpose;
use crate::context::Kind;
use crate::diagnostic::Diagnostics;
use crate::learn::rules::Settle;
use jsonc_parser::{CollectOptions, ParseOptions, ast::Value, parse_to_ast};
#[cfg(feature = "schema")]
use read::object_schema;
use read::{Read, Reader, choice, object};

/// The largest manifest that is read, in bytes.
pub const MAX_BYTES: usize = 32 << 20;

object! { "A site's configuration." Manifest {
    optional schema "$schema": String = "Where editors find the schema of this document.";
    required site "site": Site = "The site.";
    optional consent "consent": ConsentPlan = "How visitors are asked what they agree to.";
    optional purposes "purposes": PurposePlans = "What visitors are asked to agree to, by purpose. Where this stands, each trait, event, experience and sink says which of these it is for.";
    optional sources "sources": Sources = "Where visits come from: what is known beside the built-in sites, click ids and channels.";
    default traits "traits": Named<Trait> = "What may be known of a visitor, read in expressions as `profile.<name>`.";
    default holidays "holidays": Holidays = "Lists of days, read in expressions as `holidays.<name>`: whether the visitor's own date is one of them. A day is 2026-12-25, or 12-25 for every year.";
    default places "places": Places = "Lists of places, each by its id. In expressions `places.<name>.nearest` is the id of the one nearest to the visitor, `places.<name>.name` its name and `places.<name>.distance_km` the way to it.";
    default enrichments "enrichments": Named<Enrichment> = "What JSON endpoints tell of a request, such as the weather at its place.";
    default events "events": Named<EventPlan> = "The tracking plan: the events that the site sends, by their names. Where there is one, expressions that name another event are refused.";
    default affinities "affinities": Named<AffinityPlan> = "What visitors like, by dimension such as category or brand: `profile.affinity('category')`.";
    optional rfm "rfm": RfmPlan = "Recency, frequency and monetary value: `profile.rfm.segment`.";
    optional lifecycle "lifecycle": LifecyclePlan = "When a visitor is what: `profile.lifecycle`.";
    optional engagement "engagement": EngagementPlan = "How much a visitor does: `profile.engagement`.";
    optional intents "intents": IntentsPlan = "What a visitor is about to do in the session: `profile.intent`.";
    default propensities "propensities": Named<PropensityPlan> = "How likely a visitor is to do something, such as to buy or to leave: `profile.propensity('buy')`.";
    default features "features": Named<FeaturePlan> = "The features of an application: `profile.feature('export')`.";
    default milestones "milestones": Named<MilestonePlan> = "What is celebrated once: `profile.milestone('third_order')`.";
    optional cart "cart": CartPlan = "Which events make the cart: `profile.cart.quantity`.";
    optional sinks "sinks": Sinks = "For which purpose events go to the Worker's queue and bucket (default analytics).";
    default capture "capture": List<Spanned<Capture>> = "What visitors do that the script in the page tells by itself, as events (default nothing).";
    optional exposure "exposure": Exposure = "When a slot counts as seen (default half of it in view for a second).";
    optional preferences "preferences": Preferences = "Traits by which visitors say how they want to be addressed.";
    default webhooks "webhooks": Named<WebhookPlan> = "Who is told of events and audiences, by a name: letters, digits and underscores.";
    default audiences "audiences": Named<Spanned<String>> = "Named boolean expressions over context and profile. One may name another.";
    default slots "slots": Named<Slot> = "The places in the pages that experiences fill.";
    default goals "goals": Named<Goal> = "Conversions.";
    default layers "layers": Named<Layer> = "Layers: experiences that share one out never meet at the same visitor.";
    default groups "groups": Named<Group> = "Exclusion groups: of each at most so many experiences are shown on a page.";
    default experiences "experiences": List<Experience> = "Who sees what.";
    optional holdout "holdout": Share = "Share of visitors that never sees personalisation (default 0).";
    optional cap "cap": Spanned<Cap> = "How often anything may be shown to a visitor, over all experiences but those with global_cap false.";
    default personas "personas": Named<Named<Spanned<PersonaValue>>> = "Synthetic visitors for previews: field paths, `now` or `visitor.id`, and their values.";
} }

object! { "The site." Site {
    required id "id": Spanned<String> = "The site's id: letters, digits, dashes and underscores, at most 64.";
    default hosts "hosts": List<Spanned<String>> = "The site's own hosts. They are no referrers, and may call its API.";
    optional timezone "timezone": Spanned<String> = "The time zone (IANA) of the schedules' dates (default UTC).";
    optional languages "languages": Spanned<List<Spanned<String>>> = "The languages that the site is in, its main one first, such as fr, en or de-CH. `language.site` is the one of them that suits a visitor best.";
} }

object! { "A declared attribute of a profile." Trait {
    required kind "type": Kind = "The type of its value.";
    optional values "enum": List<Spanned<String>> = "The only values a string may have. Comparing with another is an error.";
    default labels "labels": Named<Wording> = "What visitors read for values of its enum, by value and language: { \"daily\": { \"en\": \"Every day\", \"fr\": \"Chaque jour\" } }.";
    optional personal "personal": bool = "Whether it tells who the visitor is (default false).";
    required purpose "purpose": Purpose = "The purpose it is kept for. Without that consent it is absent.";
    optional settle "settle": Spanned<Settle> = "Which of several values counts, where several sources tell one (default latest).";
    optional title "title": Wording = "Its name as visitors read it, by language.";
    optional why "why": Wording = "Why it is asked, by language.";
    optional editable "editable": Spanned<bool> = "Whether visitors may correct it themselves (default false).";
    default sources "sources": List<Spanned<String>> = "Sources, the most believed first: `browser`, or the name of a write key or an import.";
    optional sensitive "sensitive": Spanned<Sensitive> = "What it tells that the law protects specially. What is sensitive is personal too.";
} }

impl Trait {
    /// Whether it tells who the visitor is, or what is nobody's business.
    pub fn is_personal(&self) -> bool {
        self.personal == Some(true) || self.is_sensitive()
    }

    /// Whether it tells what the law protects specially.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive.as_ref().is_some_and(|said| said.value.is_some())
    }
}

choice! { "What a slot is." SlotKind {
    Element "element": "Elements of the page, found by a selector.";
    Data "data": "A JSON value for front-end code; no element.";
    Page "page": "The whole page: another one is shown in its place, or the visitor is sent there.";
} }

choice! { "Who shows the contents of a slot." Render {
    Edge "edge": "The edge, or Idoine's script in the page.";
    Client "client": "The page's own code: the elements are marked with data-idoine-slot, and the contents stand in the page's state.";
} }

object! { "A place in the pages." Slot {
    optional kind "type": SlotKind = "What it is (default element).";
    optional selector "selector": Spanned<String> = "The CSS selector of its elements, of those that the edge's rewriter knows (default those with the attribute data-idoine-slot and the slot's name).";
    optional render "render": Spanned<Render> = "Who shows its contents (default edge).";
    default pages "pages": List<PageRule> = "The pages it is on (default all).";
} }

impl Slot {
    /// The CSS selector of the elements of the slot of this name; nothing where it has no element.
    pub fn elements(&self, name: &str) -> Option<String> {
        match (&self.selector, self.kind) {
            (_, Some(SlotKind::Data | SlotKind::Page)) => None,
            (Some(selector), _) => Some(selector.value.clone()),
            (None, _) => Some(format!("[data-idoine-slot=\"{name}\"]")),
        }
    }

    /// Whether the page's own code shows its contents.
    pub fn is_handed_over(&self) -> bool {
        self.render.as_ref().is_some_and(|render| render.value == Render::Client)
    }
}

object! { "A conversion." Goal {
    required event "event": Spanned<String> = "The name of the event that reaches it.";
    optional value "value": String = "The path of its value in the event, such as properties.revenue.";
    optional currency "currency": String = "The path of its currency in the event, or an ISO 4217 code.";
} }

choice! { "What of a visitor the law protects specially (GDPR, articles 9 and 10)." Sensitive {
    Health "health": "Health.";
    Religion "religion": "Religious or philosophical beliefs.";
    Ethnicity "ethnicity": "Racial or ethnic origin.";
    Politics "politics": "Political opinions.";
    Union "union": "Trade union membership.";
    Sexuality "sexuality": "Sex life or sexual orientation.";
    Genetic "genetic": "Genetic data.";
    Biometric "biometric": "Biometric data that identify a person.";
    Criminal "criminal": "Criminal convictions and offences.";
    Children "children": "Somebody's children, or that somebody is a child.";
    None "none": "Nothing of the kind, although it may be called so.";
} }

impl Sensitive {
    /// Whether it is one of the categories.
    pub fn is_some(self) -> bool {
        self != Sensitive::None
    }
}

choice!(@read Kind
    ["bool" => Kind::Bool, "int" => Kind::Int, "double" => Kind::Double, "string" => Kind::String, "strings" => Kind::Strings,
     "timestamp" => Kind::Timestamp]
    ["bool", "true or false", "int", "A whole number", "double", "A number", "string", "A text", "strings", "A list of texts",
     "timestamp", "An instant, such as 2026-11-20T12:30:00Z"]
    "The type of a value.");

choice!(@read Purpose
    ["personalization" => Purpose::Personalization, "analytics" => Purpose::Analytics, "marketing" => Purpose::Marketing]
    ["personalization", "Content chosen by what is known of the visitor", "analytics", "Measuring what visitors do",
     "marketing", "Reaching the visitor elsewhere"]
    "What a consent is given for.");

/// Reads a manifest. `None` when something is wrong, all of which is in `diagnostics`.
pub fn read_manifest(diagnostics: &mut Diagnostics<'_>) -> Option<Manifest> {
    let value = parse(diagnostics)?;
    Manifest::read(&mut Reader { value: &value, path: String::new(), diagnostics })
}

/// The JSON of a document with comments. `None` when it is none, and why in `diagnostics`.
fn parse<'s>(diagnostics: &mut Diagnostics<'s>) -> Option<Value<'s>> {
    let source = diagnostics.source();
    if source.len() > MAX_BYTES {
        let message = format!("the manifest has {} bytes; at most {MAX_BYTES} are read", source.len());
        diagnostics.error("", 0..1, message);
        return None;
    }
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    match parse_to_ast(source, &CollectOptions::default(), &options) {
        Ok(parsed) => {
            if parsed.value.is_none() {
                let message = "the manifest is empty; expected an object with the fields `site`, `slots` and `experiences`";
                diagnostics.error("", 0..1, message);
            }
            parsed.value
        }
        Err(error) => {
            let range = error.range();
            let message = format!("this is not JSON with comments: {}", error.kind());
            diagnostics.error("", range.start..range.end.max(range.start + 1), message);
            None
        }
    }
}

/// The JSON Schema of the manifest (draft 2020-12).
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let keywords = [
        ("$schema", "https://json-schema.org/draft/2020-12/schema".into()),
        ("title", "Idoine site manifest".into()),
        // Editors: VS Code reads comments in the document only where the schema says so.
        ("allowComments", true.into()),
    ];
    keywords.into_iter().fold(Manifest::schema(), |schema, (key, value)| read::with(schema, key, value))
}
