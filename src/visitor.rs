//! A visitor as JSON: what the command line reads, the specification's cases say and the tools are given.

use crate::context::{Request, parse_instant};
use crate::report::Double;
use crate::url::push_parameter;
use crate::zone::Offsets;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor as Visit};
use std::fmt;

/// A raw request and what is to be overridden in its context. All of it may be missing.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// The page's absolute URL.
    pub url: String,
    /// Headers by name.
    pub headers: Texts<false>,
    /// Fields of Cloudflare's `request.cf`.
    pub cf: Texts<false>,
    /// The instant: `2026-11-20T12:30:00Z` or epoch milliseconds.
    pub now: Option<Text>,
    /// Overrides: field paths, `visitor.id`, and their values.
    pub context: Texts<true>,
    /// What enrichments told: field paths and their values.
    pub enrichments: Texts<false>,
    /// What is stored of the visitor: paths such as `assignment.<experience>` and their values.
    pub profile: Texts<false>,
    /// How far the visitor's time zone is ahead of UTC, told instead of asking the host: in turn the second since 1970 from
    /// which one holds and the seconds, `1761440400 3600, 1774746000 7200`; without those it is not known.
    pub offsets: Option<Text>,
}

/// What an object of a visitor may have.
const FIELDS: &[&str] = &["url", "headers", "cf", "now", "context", "enrichments", "profile", "offsets"];

/// Not derived: that would take a list for an object, and an empty one for a visitor of whom nothing is known.
impl<'de> Deserialize<'de> for Visitor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visit<'de> for Whole {
    type Value = Visitor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a visitor as an object, such as {\"url\": \"https://shop.example/\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Visitor, A::Error> {
        let mut visitor = Visitor::default();
        let mut read = [false; FIELDS.len()];
        while let Some(name) = map.next_key::<String>()? {
            let place = FIELDS.iter().position(|field| *field == name);
            match place {
                Some(0) => visitor.url = map.next_value()?,
                Some(1) => visitor.headers = map.next_value()?,
                Some(2) => visitor.cf = map.next_value()?,
                Some(3) => visitor.now = map.next_value()?,
                Some(4) => visitor.context = map.next_value()?,
                Some(5) => visitor.enrichments = map.next_value()?,
                Some(6) => visitor.profile = map.next_value()?,
                Some(7) => visitor.offsets = map.next_value()?,
                _ => return Err(A::Error::unknown_field(&name, FIELDS)),
            }
            if let Some(read) = place.and_then(|place| read.get_mut(place))
                && std::mem::replace(read, true)
            {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        Ok(visitor)
    }
}

impl Visitor {
    /// The text of an instant that can't be read, told as `now` or among the overrides: whoever decides at the clock's instead
    /// decides something else than was asked.
    pub fn wrong_instant(&self) -> Option<&str> {
        let overrides = self.context.0.iter().filter(|(path, _)| path == "now").map(|(_, text)| text);
        let mut told = self.now.iter().map(|Text(text)| text).chain(overrides);
        told.find(|text| parse_instant(text).is_none()).map(String::as_str)
    }

    /// The raw request. `now` is the host's clock, in epoch milliseconds; `offsets` tells how far a zone is ahead of
    /// UTC around an instant.
    pub fn request(&self, now: i64, offsets: impl FnOnce(&str, i64) -> Offsets) -> Request {
        let headers = self.headers.0.iter().map(|(name, text)| (name.to_ascii_lowercase(), text.clone()));
        let instant = self.now.iter().map(|text| ("now".to_owned(), text.0.clone()));
        let mut request = Request {
            url: self.url.clone(),
            headers: headers.collect(),
            cf: self.cf.0.clone(),
            now,
            offsets: Offsets::default(),
            overrides: instant.chain(self.context.0.iter().cloned()).collect(),
            enrichments: self.enrichments.0.clone(),
            profile: self.profile.0.clone(),
        };
        request.offsets = match &self.offsets {
            Some(text) => Offsets::parse(&text.0),
            None => request.timezone().map(|zone| offsets(zone, request.instant())).unwrap_or_default(),
        };
        request
    }
}

/// A text, number, truth value, null or list of texts, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(pub String);

/// Texts by name, each as [`Text`] is written; with `MAPS` also as texts by name, which become a query: the value of any field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts<const MAPS: bool>(pub Vec<(String, String)>);

impl<'de, const MAPS: bool> Deserialize<'de> for Texts<MAPS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ByName { maps: MAPS }).map(Texts)
    }
}

struct ByName {
    maps: bool,
}

impl<'de> Visit<'de> for ByName {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with texts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts: Vec<(String, String)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let Text(text) = map.next_value_seed(Any { maps: self.maps })?;
            texts.push((name, text));
        }
        Ok(texts)
    }
}

impl<'de> DeserializeSeed<'de> for Any {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_any(Any { maps: false })
    }
}

struct Any {
    maps: bool,
}

impl<'de> Visit<'de> for Any {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true, false, null or a list of texts")?;
        if self.maps { f.write_str(", or texts by name") } else { Ok(()) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Text, E> {
        if value.is_finite() {
            Ok(Text(Double(value).to_string()))
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &self))
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_none<E: Error>(self) -> Result<Text, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element::<String>()? {
            texts.push(text);
        }
        Ok(Text(texts.join(",")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        if !self.maps {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        let mut query = String::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            push_parameter(&mut query, &name, &value);
        }
        Ok(Text(query))
    }
}

/// Written out, as it is read: by hand.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Visitor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Visitor".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text =
            serde_json::json!({ "type": ["string", "number", "boolean", "null", "array"], "items": { "type": "string" } });
        let texts = |about: &str| serde_json::json!({ "description": about, "type": "object", "additionalProperties": text });
        schemars::json_schema!({
            "description": "A visitor: a raw request, and what is to be overridden in its context.",
            "type": "object",
            "additionalProperties": false,
            "required": ["url"],
            "properties": {
                "url": { "description": "The page's absolute URL.", "type": "string" },
                "headers": texts("Headers by name, in any case."),
                "cf": texts("Fields of Cloudflare's `request.cf`."),
                "now": { "description": "The instant: `2026-11-20T12:30:00Z` or epoch milliseconds.", "type": ["string", "number"] },
                "context": {
                    "description": "Overrides: field paths, `visitor.id` or `now`, and their values.",
                    "type": "object",
                    "additionalProperties": {
                        "type": ["string", "number", "boolean", "null", "array", "object"],
                        "items": { "type": "string" },
                        "additionalProperties": { "type": "string" },
                    },
                },
                "enrichments": texts("What enrichments told: field paths and their values."),
                "profile": texts("What is stored of the visitor: paths such as `assignment.<experience>` and their values."),
                "offsets": {
                    "description": "How far the visitor's time zone is ahead of UTC, where the host is not to find that itself: `1761440400 3600, 1774746000 7200`.",
                    "type": "string",
                },
            },
        })
    }
}
