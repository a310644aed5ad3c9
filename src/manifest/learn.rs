//! What is learned of visitors, as it is written: the tracking plan, and what is made of events.

use super::Sensitive;
#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Spanned, choice, object};
use crate::consent::Purpose;
use crate::context::Kind;
use crate::learn::event::ONE;
use crate::learn::rules::Settle;
use crate::number::parse_double;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use jsonc_parser::ast::Value;

choice!(@read Settle
    ["latest" => Settle::Latest, "first" => Settle::First, "source" => Settle::Source, "largest" => Settle::Largest]
    ["latest", "The newest value", "first", "The oldest value", "source", "The value of the source that stands first in `sources`",
     "largest", "The largest number, or the latest instant"]
    "Which of several values counts.");

object! { "An event of the tracking plan. What an event says otherwise is counted as a violation; the event is kept." EventPlan {
    optional purpose "purpose": Purpose = "The purpose without whose consent it is not kept (default analytics).";
    optional trusted "trusted": bool = "Whether its money counts only where the sender holds a server key of the site (default false).";
    default properties "properties": Named<PropertyPlan> = "Its properties by their paths, such as `revenue` or `search.term`; those of each product behind `products.`.";
} }

object! { "A property of an event." PropertyPlan {
    required kind "type": Kind = "The type of its value.";
    optional required "required": bool = "Whether it must be there (default false).";
    optional values "enum": List<Spanned<String>> = "The only values a string may have.";
    optional personal "personal": bool = "Whether it tells who the visitor is (default false).";
    optional sensitive "sensitive": Spanned<Sensitive> = "What it tells that the law protects specially. What is sensitive is personal too.";
} }

impl PropertyPlan {
    /// Whether it tells who the visitor is, or what is nobody's business.
    pub fn is_personal(&self) -> bool {
        self.personal == Some(true) || self.is_sensitive()
    }

    /// Whether it tells what the law protects specially.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive.as_ref().is_some_and(|said| said.value.is_some())
    }
}

object! { "What makes a visitor like a value of a dimension, such as a category: a score for each value, which halves with time." AffinityPlan {
    optional property "property": Spanned<String> = "The path of the value in the event's properties, else in each of its products (default the dimension's name).";
    optional half_life "half_life": Spanned<Duration> = "After so long a score is half of what it was (default 30d).";
    default weights "weights": Named<OneOrMore<Signal>> = "What each event adds, by its name (default Product Viewed 1, Product Added to Wishlist 2, Product Added 3 and Order Completed 5).";
    optional cap "cap": Spanned<Decimal> = "The most that a value's score can be (default 100).";
    optional keep "keep": Spanned<i32> = "How many values are kept, the strongest (default 20).";
    optional least "least": Spanned<Decimal> = "A value with a lower score is not told (default 1).";
    optional sensitive "sensitive": Spanned<Sensitive> = "What its values tell that the law protects specially.";
} }

object! { "Events of which some have a strength." Signal {
    required weight "weight": Spanned<Decimal> = "How much such an event adds.";
    default properties "properties": Named<Spanned<Scalar>> = "Properties that must have these values.";
} }

object! { "Recency, frequency and monetary value of a visitor's purchases, each as the site's own fifths." RfmPlan {
    optional event "event": Spanned<String> = "The event of a purchase (default Order Completed).";
    optional value "value": Spanned<String> = "The path of its value (default revenue).";
    optional trusted "trusted": bool = "Whether only events of a sender with a server key count (default false).";
} }

object! { "When a visitor is new, active, at risk, dormant or won back." LifecyclePlan {
    optional new "new": Spanned<Duration> = "How long one is new (default 14d).";
    optional at_risk "at_risk": Spanned<Duration> = "Away for so long: at risk (default 30d).";
    optional dormant "dormant": Spanned<Duration> = "Away for so long: dormant (default 90d).";
    optional won_back "won_back": Spanned<Duration> = "For how long one who came again after having been dormant is won back (default 30d).";
} }

object! { "How much a visitor does: a score, which halves with time, in levels." EngagementPlan {
    optional half_life "half_life": Spanned<Duration> = "After so long the score is half of what it was (default 7d).";
    default weights "weights": Named<OneOrMore<Signal>> = "What each event adds, by its name (default page 1, Product Viewed 1, Product Added 3 and Order Completed 10).";
    optional medium "medium": Spanned<Decimal> = "From which score on it is medium; below it is low, and at nothing none (default 5).";
    optional high "high": Spanned<Decimal> = "From which score on it is high (default 20).";
} }

object! { "What a visitor is about to do, within the session. The strongest is told." IntentsPlan {
    optional half_life "half_life": Spanned<Duration> = "After so long a signal is half as strong (default 20m).";
    optional least "least": Spanned<Decimal> = "From which strength on an intent is told (default 1).";
    required signals "signals": Named<Named<OneOrMore<Signal>>> = "By intent, such as bargain_hunter: the events that are signals of it, and how strong each is.";
} }

object! { "How likely a visitor is to do something: 1 / (1 + exp(-(intercept + sum of coefficients times what they are of)))." PropensityPlan {
    required intercept "intercept": Spanned<Decimal> = "What is added up from.";
    required coefficients "coefficients": Named<Spanned<Decimal>> = "By what is read of the profile, such as `profile.count('Product Viewed', '7d')`: a number, or true for 1. What is not known counts nothing.";
} }

object! { "A feature of an application: unused, tried, adopted, or left." FeaturePlan {
    required event "event": Spanned<String> = "The event that using it is.";
    default properties "properties": Named<Spanned<Scalar>> = "Properties that must have these values.";
    optional adopted "adopted": Spanned<i32> = "How many uses make it adopted (default 3).";
    optional left "left": Spanned<Duration> = "Unused for so long after a use: left (default 30d).";
} }

object! { "What is celebrated once: the n-th of some events, or an anniversary of the first visit." MilestonePlan {
    optional event "event": Spanned<String> = "The event that counts.";
    default properties "properties": Named<Spanned<Scalar>> = "Properties that must have these values.";
    optional count "count": Spanned<i32> = "Which of these events it is reached at (default 1).";
    optional years "years": Spanned<i32> = "In place of an event: so many years after the first visit.";
    optional lasts "lasts": Spanned<Duration> = "For how long it is told (default 7d).";
} }

object! { "Which events make the cart." CartPlan {
    optional added "added": Spanned<String> = "Adds a product (default Product Added).";
    optional removed "removed": Spanned<String> = "Removes one (default Product Removed).";
    optional viewed "viewed": Spanned<String> = "Says all that is in it (default Cart Viewed).";
    optional ordered "ordered": Spanned<String> = "Empties it (default Order Completed).";
} }

object! { "Who is told of events, and of audiences that visitors enter and leave. What is sent is signed (HMAC), and sent again until it is taken." WebhookPlan {
    required url "url": Spanned<String> = "The https URL that is sent to.";
    default events "events": List<Spanned<String>> = "Names of events; * for all.";
    default audiences "audiences": List<Spanned<String>> = "Audiences whose entries and exits are told.";
    optional purpose "purpose": Purpose = "Only what was done with this consent is told (default analytics).";
} }

/// A length of time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    /// Reads lengths such as `30m`, `12h` or `7d`.
    pub fn parse(text: &str) -> Option<Duration> {
        let unit = match text.as_bytes().last()? {
            b'm' => MINUTE_MS,
            b'h' => HOUR_MS,
            b'd' => DAY_MS,
            _ => return None,
        };
        let digits = text.get(..text.len() - 1)?;
        let number: i64 = Some(digits).filter(|digits| digits.len() < 8 && crate::text::is_digits(digits))?.parse().ok()?;
        Some(Duration(number.checked_mul(unit)?))
    }

    /// The length in the one way of writing it.
    pub fn text(self) -> String {
        let units = [(DAY_MS, 'd'), (HOUR_MS, 'h'), (MINUTE_MS, 'm')];
        let (unit, letter) = units.into_iter().find(|(unit, _)| self.0 % unit == 0).unwrap_or((MINUTE_MS, 'm'));
        format!("{}{letter}", self.0 / unit)
    }
}

impl Read for Duration {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let found = match reader.value {
            Value::StringLit(text) => Duration::parse(&text.value),
            _ => None,
        };
        if found.is_some() { found } else { reader.expected("a length of time such as \"30m\", \"12h\" or \"7d\"") }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[0-9]{1,7}[mhd]$" })
    }
}

/// A number, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub i64);

/// The largest number that is read as one.
const MOST: f64 = 1e9;

impl Decimal {
    /// A number, if it is not too large.
    fn of(number: f64) -> Option<Decimal> {
        (number.abs() <= MOST).then(|| Decimal((number * ONE as f64).round() as i64))
    }
}

impl Read for Decimal {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match parse_double(reader.number()).and_then(Decimal::of) {
            Some(number) => Some(number),
            None => reader.expected("a number from -1000000000 to 1000000000"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "number", "minimum": -MOST, "maximum": MOST })
    }
}

/// A value that a property is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
}

impl Read for Scalar {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::BooleanLit(literal) => Some(Scalar::Bool(literal.value)),
            Value::StringLit(text) => Some(Scalar::Text(text.value.clone().into_owned())),
            Value::NumberLit(_) => Some(Scalar::Number(Decimal::read(reader)?)),
            _ => reader.expected("a string, a number, true or false"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": ["string", "number", "boolean"] })
    }
}

/// How strong an event is as a signal: of all such events one number, or of some the one and of some another.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMore<T>(pub Vec<T>);

impl Read for OneOrMore<Signal> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        Some(OneOrMore(match reader.value {
            Value::Array(_) => List::<One>::read(reader)?.0.into_iter().map(|One(signal)| signal).collect(),
            _ => vec![One::read(reader)?.0],
        }))
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [Decimal::schema(), Signal::schema(), List::<One>::schema()] })
    }
}

/// A signal, of which a number is the weight alone.
struct One(Signal);

impl Read for One {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        Some(One(match reader.value {
            Value::NumberLit(_) => Signal { weight: Read::read(reader)?, properties: Vec::new() },
            Value::Object(_) => Signal::read(reader)?,
            _ => return reader.expected("a weight, or { \"weight\": ..., \"properties\": { ... } }"),
        }))
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [Decimal::schema(), Signal::schema()] })
    }
}
