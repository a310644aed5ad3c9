//! What a site learns of its visitors, and how: what the manifest says of it, compiled. A program carries it as one run of bytes
//! (postcard), which those read who learn; who only decides has no part in it.
//!
//! Times are milliseconds, weights and thresholds millionths ([`super::event::ONE`]).

use super::index::Indexed;
use crate::consent::Purpose;
use crate::context::Kind;
use crate::session::SessionRules;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rules {
    /// When a session is over.
    pub session: SessionRules,
    /// For how long a source stays the last touch.
    pub attribution: i64,
    /// The tracking plan, by the event's name; empty where the site has none.
    pub events: Vec<EventRule>,
    /// The traits that are kept.
    pub traits: Vec<TraitRule>,
    /// What is counted of which events.
    pub counters: Vec<Counter>,
    /// Affinities, by dimension.
    pub affinities: Vec<Affinity>,
    /// Recency, frequency, monetary value.
    pub rfm: Option<Rfm>,
    /// New, active, at risk, dormant, won back.
    pub lifecycle: Lifecycle,
    /// How much a visitor does.
    pub engagement: Engagement,
    /// What a visitor is about to do, within the session.
    pub intent: Intent,
    /// How likely a visitor is to do something.
    pub propensities: Vec<Propensity>,
    /// The features of an application.
    pub features: Vec<Feature>,
    /// What is celebrated once.
    pub milestones: Vec<Milestone>,
    /// Which events make the cart.
    pub cart: Cart,
    /// What expressions and contents read, in the order of their fields.
    pub readings: Vec<Reading>,
    /// The numbers of the slots whose running experiences are drawn by user, or require some that are.
    pub by_user: Vec<u32>,
    /// Audiences whose entries and exits are told.
    pub watched: Vec<String>,
    /// Who is told of events, entries and exits.
    pub webhooks: Vec<Webhook>,
    /// Experiences whose exposures a page has to know: those with an assignment that stays, caps, cooldowns, or a group that has some.
    pub experiences: Vec<ExperienceRule>,
    /// What an event changes, by its name; made at first use.
    #[serde(skip)]
    pub index: Indexed,
}

/// What is kept of the exposures of an experience.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ExperienceRule {
    /// Its id.
    pub id: String,
    /// Whether its assignment is projected.
    pub sticky: bool,
    /// Whether it has a cap or a cooldown itself.
    pub capped: bool,
    /// Groups that it is in and that have a cap or a cooldown.
    pub groups: Vec<String>,
    /// Whether the site's cap counts it.
    pub site: bool,
}

/// An event of the tracking plan.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EventRule {
    /// Its name.
    pub name: String,
    /// Without whose consent it is not kept.
    pub purpose: PurposeName,
    /// Whether its money counts only where the sender is trusted.
    pub trusted: bool,
    /// What its properties are.
    pub properties: Vec<PropertyRule>,
}

/// A property of an event.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PropertyRule {
    /// Its path below `properties`; of each product behind `products.`.
    pub path: String,
    /// `bool`, `int`, `double`, `string`, `strings` or `timestamp`.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// The only values it may have; all where it names none.
    pub values: Vec<String>,
    /// Whether it tells who the visitor is.
    pub personal: bool,
}

/// A purpose by its name; `analytics` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PurposeName(pub String);

impl Default for PurposeName {
    fn default() -> PurposeName {
        PurposeName(Purpose::Analytics.name().to_owned())
    }
}

/// How a trait is settled that several sources tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Settle {
    /// The newest value counts.
    #[default]
    Latest,
    /// The oldest value counts.
    First,
    /// The value of the source that stands first in `sources` counts; of one source's the newest; sources that are not named come last.
    Source,
    /// The largest number counts.
    Largest,
}

/// A trait that is kept.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TraitRule {
    /// Its name.
    pub name: String,
    /// [`Kind`], by name.
    pub kind: String,
    /// Without whose consent it is not kept.
    pub purpose: PurposeName,
    /// Whether it tells who the visitor is.
    pub personal: bool,
    /// The only values it may have; all where it names none.
    pub values: Vec<String>,
    /// Which of several values counts.
    pub settle: Settle,
    /// Sources, the most believed first, for [`Settle::Source`].
    pub sources: Vec<String>,
}

/// A value that a property must have.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Expected {
    /// `true` or `false`.
    Bool(bool),
    /// A number, in millionths.
    Number(i64),
    /// A text.
    Text(String),
}

/// Which events: their name, and properties that must have these values.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Matching {
    /// The event's name; of page views `page`.
    pub event: String,
    /// Paths of properties (of the event, else of one of its products) and the value that each must have.
    pub properties: Vec<(String, Expected)>,
}

/// What is counted of which events.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Counter {
    /// Names it for ever: a hash of what it counts. A profile keeps its counts by it.
    pub id: u32,
    /// Which events.
    pub matching: Matching,
    /// The path of a number that is added up; `None` where events are counted.
    pub sum: Option<String>,
    /// The windows that are asked for; 0 stands for all time.
    pub windows: Vec<i64>,
}

/// What makes a visitor like something.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Affinity {
    /// The dimension's name, such as `category`.
    pub dimension: String,
    /// The path of the value, in the event's properties, else in each of its products.
    pub property: String,
    /// After so long a score is half of what it was.
    pub half_life: i64,
    /// What each event adds.
    pub weights: Vec<(Matching, i64)>,
    /// The most that a value's score can be.
    pub cap: i64,
    /// How many values are kept: the strongest.
    pub keep: u32,
    /// A value below it is not told.
    pub least: i64,
}

/// Recency, frequency and monetary value, each as the site's own fifths.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rfm {
    /// The event of a purchase.
    pub event: String,
    /// The path of its value.
    pub value: String,
    /// Whether only trusted events count.
    pub trusted: bool,
}

/// When a visitor is what. A visitor is `new` at first, `active` while they come, `at_risk` and `dormant` when they stay away for so
/// long, and `won_back` for a while when they come again after having been dormant.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Lifecycle {
    /// How long one is new.
    pub new: i64,
    /// Away for so long: at risk.
    pub at_risk: i64,
    /// Away for so long: dormant.
    pub dormant: i64,
    /// How long one is won back.
    pub won_back: i64,
}

impl Default for Lifecycle {
    fn default() -> Lifecycle {
        let days = |days: i64| days * crate::time::DAY_MS;
        Lifecycle { new: days(14), at_risk: days(30), dormant: days(90), won_back: days(30) }
    }
}

/// How much a visitor does: a decaying score, in levels.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Engagement {
    /// After so long the score is half of what it was.
    pub half_life: i64,
    /// What each event adds.
    pub weights: Vec<(Matching, i64)>,
    /// From which score on it is medium, and high; below it is low, and at nothing none.
    pub levels: [i64; 2],
}

/// What a visitor is about to do: declared signals within the session.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Intent {
    /// After so long a signal is half as strong.
    pub half_life: i64,
    /// From which strength on it is told.
    pub least: i64,
    /// By name, such as `bargain_hunter`: which events are signals, and how strong.
    pub signals: Vec<(String, Vec<(Matching, i64)>)>,
}

/// How likely a visitor is to do something: 1 / (1 + exp(-(intercept + sum of coefficients times features))).
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Propensity {
    /// Its name: `buy`, `leave`.
    pub name: String,
    /// In millionths.
    pub intercept: i64,
    /// What is read (a number, or true for 1), and its coefficient in millionths.
    pub coefficients: Vec<(What, i64)>,
}

/// A feature of an application: unused, tried, adopted, or left.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What using it is.
    pub matching: Matching,
    /// How many uses make it adopted.
    pub adopted: u32,
    /// Unused for so long after a use: left.
    pub left: i64,
}

/// What is celebrated once.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Milestone {
    /// Its name.
    pub name: String,
    /// Reached at the n-th of these events; `None` for an anniversary.
    pub matching: Option<Matching>,
    /// Which of them; of an anniversary how many years after the first visit.
    pub count: u32,
    /// For how long it is told.
    pub lasts: i64,
}

/// Which events make the cart. Segment's Ecommerce names, unless the manifest says otherwise.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cart {
    /// Adds a product.
    pub added: String,
    /// Removes one.
    pub removed: String,
    /// Says all that is in it.
    pub viewed: String,
    /// Empties it.
    pub ordered: String,
}

impl Default for Cart {
    fn default() -> Cart {
        let [added, removed, viewed, ordered] =
            ["Product Added", "Product Removed", "Cart Viewed", "Order Completed"].map(str::to_owned);
        Cart { added, removed, viewed, ordered }
    }
}

/// Who is told.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Webhook {
    /// Its name: the secret that signs is `IDOINE_WEBHOOK_SECRET`, or `IDOINE_WEBHOOK_SECRET_<NAME>`.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Names of events; `*` for all.
    pub events: Vec<String>,
    /// Audiences whose entries and exits it is told.
    pub audiences: Vec<String>,
    /// Only what was done with this consent is told.
    pub purpose: PurposeName,
}

/// A field of the program that is read of a profile.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Reading {
    /// The field's path, such as `profile.count('Product Viewed', '7d')`.
    pub path: String,
    /// What it is.
    pub what: What,
    /// Whether some experience reads it, so that pages have to know it: it is projected.
    pub on_pages: bool,
    /// The numbers of the slots whose running experiences read it, or require some that do.
    pub slots: Vec<u32>,
}

/// What can be read of a profile.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum What {
    /// A trait, by name.
    Trait(String),
    /// How many, of a counter within a window (0: ever).
    Count(u32, i64),
    /// The sum of a counter within a window (0: ever).
    Sum(u32, i64),
    /// When first, of a counter.
    First(u32),
    /// When last, of a counter.
    Last(u32),
    /// When the visitor was first seen.
    FirstSeen,
    /// When the visitor was last seen.
    LastSeen,
    /// Which session it is, from 1.
    Sessions,
    /// Page views in the session.
    SessionPages,
    /// When the session began.
    SessionStarted,
    /// A part (`channel`, `source`, `medium`, `campaign`) of the first touch.
    FirstTouch(String),
    /// The same of the last touch.
    LastTouch(String),
    /// The strongest value of a dimension.
    Affinity(String),
    /// The strongest values of a dimension, at most five.
    Affinities(String),
    /// A value's share of a dimension's scores, 0 to 100.
    AffinityShare(String, String),
    /// The name that marketers use.
    RfmSegment,
    /// 1 to 5; 5 is the most recent.
    RfmRecency,
    /// 1 to 5.
    RfmFrequency,
    /// 1 to 5.
    RfmMonetary,
    /// `new`, `active`, `at_risk`, `dormant`, `won_back`.
    Lifecycle,
    /// `none`, `low`, `medium`, `high`.
    Engagement,
    /// The strongest intent of the session.
    Intent,
    /// 0 to 1, by name.
    Propensity(String),
    /// The last Net Promoter Score that was given, 0 to 10.
    NpsScore,
    /// `promoter`, `passive`, `detractor`.
    NpsCategory,
    /// The last answer to a question.
    Answer(String),
    /// `unused`, `tried`, `adopted`, `left`.
    Feature(String),
    /// How often a feature was used.
    FeatureCount(String),
    /// Pieces in the cart.
    CartQuantity,
    /// What they cost.
    CartValue,
    /// When it last changed.
    CartUpdated,
    /// Whether a milestone was reached and is still told.
    Milestone(String),
    /// When it was reached.
    MilestoneReached(String),
}

impl Rules {
    /// The bytes that a program carries.
    pub fn to_bytes(&self) -> Vec<u8> {
        // It fails for types alone that are not among these.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads them. `None` when they are no rules of this version.
    pub fn from_bytes(bytes: &[u8]) -> Option<Rules> {
        postcard::from_bytes(bytes).ok()
    }
}

impl What {
    /// The words that its text is one of; empty where it may be another. A projection says them by their place here, so that new ones go to
    /// the end.
    pub fn words(&self) -> &'static [&'static str] {
        match self {
            What::RfmSegment => &super::purchases::SEGMENTS,
            What::Lifecycle => &["new", "active", "at_risk", "dormant", "won_back"],
            What::Engagement => &["none", "low", "medium", "high"],
            What::NpsCategory => &["promoter", "passive", "detractor"],
            What::Feature(_) => &["unused", "tried", "adopted", "left"],
            _ => &[],
        }
    }

    /// The type of its value; of a trait as it is declared.
    pub fn kind(&self) -> Kind {
        match self {
            What::Count(..)
            | What::Sessions
            | What::SessionPages
            | What::AffinityShare(..)
            | What::RfmRecency
            | What::RfmFrequency
            | What::RfmMonetary
            | What::NpsScore
            | What::FeatureCount(_)
            | What::CartQuantity => Kind::Int,
            What::Sum(..) | What::Propensity(_) | What::CartValue => Kind::Double,
            What::First(_)
            | What::Last(_)
            | What::FirstSeen
            | What::LastSeen
            | What::SessionStarted
            | What::CartUpdated
            | What::MilestoneReached(_) => Kind::Timestamp,
            What::Milestone(_) => Kind::Bool,
            What::Affinities(_) => Kind::Strings,
            What::Trait(_)
            | What::FirstTouch(_)
            | What::LastTouch(_)
            | What::Affinity(_)
            | What::RfmSegment
            | What::Lifecycle
            | What::Engagement
            | What::Intent
            | What::NpsCategory
            | What::Answer(_)
            | What::Feature(_) => Kind::String,
        }
    }
}
