//! Parts of the manifest that are written in more than one way.

use super::read::{List, Named, Read, Reader, Spanned, choice, object};
#[cfg(feature = "schema")]
use super::read::{object_schema, with};
use jsonc_parser::ast::{ObjectPropName, Value};

object! { "What a slot shows. A content may do several things at once." Content {
    optional text "text": Spanned<String> = "Replaces the elements' content by this text. `{{ path | \"default\" }}` stands for a value.";
    optional html "html": Spanned<String> = "Replaces the elements' content by this HTML.";
    default attribute "attribute": Named<Spanned<String>> = "Sets attributes.";
    optional class "class": Classes = "Adds and removes classes.";
    optional image "image": Image = "Shows another picture.";
    optional hide "hide": Spanned<bool> = "Hides the elements.";
    optional replace "replace": Spanned<String> = "Replaces the elements themselves by this HTML.";
    optional before "before": Spanned<String> = "Inserts this HTML before the elements.";
    optional after "after": Spanned<String> = "Inserts this HTML behind the elements.";
    optional first "first": Spanned<String> = "Inserts this HTML as the elements' first content.";
    optional last "last": Spanned<String> = "Inserts this HTML as the elements' last content.";
    optional remove "remove": Spanned<bool> = "Removes the elements.";
    optional fragment "fragment": Spanned<Fragment> = "Inserts HTML that the origin has at a path.";
    optional moved "move": Spanned<Move> = "Moves the elements beside or into another one, in the page.";
    optional reorder "reorder": Spanned<List<Spanned<String>>> = "Brings the elements' children into an order, in the page: those that the first of these CSS selectors finds, then those of the next; all others behind them.";
    optional json "json": Spanned<Json> = "A value for front-end code, in a data slot.";
    optional redirect "redirect": Spanned<String> = "The URL that the visitor is sent to, in a page slot.";
    optional page "page": Spanned<String> = "The path of the origin's page that is shown instead, in a page slot.";
} }

object! { "Classes to add and to remove." Classes {
    default add "add": List<Spanned<String>> = "Classes to add.";
    default remove "remove": List<Spanned<String>> = "Classes to remove.";
} }

object! { "A picture." Image {
    required src "src": Spanned<String> = "Its URL.";
    optional alt "alt": Spanned<String> = "What it shows, in words.";
} }

choice! { "Where HTML goes, seen from an element." Position {
    Content "content": "In place of the element's content.";
    Replace "replace": "In place of the element itself.";
    Before "before": "Before the element.";
    After "after": "Behind the element.";
    First "first": "As the element's first content.";
    Last "last": "As the element's last content.";
} }

object! { "HTML that the origin has, and where it goes." FragmentAt {
    required path "path": Spanned<String> = "The origin's path, which starts with /; a query is fine.";
    optional place "place": Position = "Where it goes, seen from the elements (default content).";
} }

object! { "Where elements are moved to: exactly one of these." MoveTo {
    optional before "before": Spanned<String> = "Before the first element that this CSS selector finds.";
    optional after "after": Spanned<String> = "Behind the first element that this CSS selector finds.";
    optional first "first": Spanned<String> = "Into the first element that this CSS selector finds, as its first content.";
    optional last "last": Spanned<String> = "Into the first element that this CSS selector finds, as its last content.";
} }

object! { "A page rule with more than a path." PageMatch {
    optional path "path": Spanned<String> = "A glob for the whole path; * is any run of characters (default any).";
    optional host "host": Spanned<String> = "A glob for the host (default any).";
    default query "query": Named<Spanned<String>> = "Query parameters that must be there, each with a glob for its value.";
} }

/// HTML that the origin has at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Fragment {
    /// The path, with a query or without.
    pub path: Spanned<String>,
    /// Where it goes.
    pub place: Position,
}

impl Read for Fragment {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::StringLit(_) => Some(Fragment { path: Read::read(reader)?, place: Position::Content }),
            Value::Object(_) => {
                let FragmentAt { path, place } = Read::read(reader)?;
                Some(Fragment { path, place: place.unwrap_or(Position::Content) })
            }
            _ => reader.expected("a path of the origin such as \"/fragments/hero\", or an object with path and place"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            { "type": "string", "description": "The origin's path, such as /fragments/hero" },
            FragmentAt::schema(),
        ] })
    }
}

/// Where elements are moved to.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// The CSS selector of the element that they go to.
    pub target: Spanned<String>,
    /// Where they go, seen from it: before or behind it, or first or last into it.
    pub place: Position,
}

impl Read for Move {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let Value::Object(object) = reader.value else {
            return reader.expected("an object such as { \"before\": \"#reviews\" }");
        };
        let MoveTo { before, after, first, last } = Read::read(reader)?;
        let places = [Position::Before, Position::After, Position::First, Position::Last];
        let mut found =
            [before, after, first, last].into_iter().zip(places).filter_map(|(target, place)| Some((target?, place)));
        match (found.next(), object.properties.len()) {
            (Some((target, place)), 1) => Some(Move { target, place }),
            // What is unknown, or no text, is an error already.
            (_, 1) => None,
            _ => reader.error("expected one of before, after, first and last, such as { \"before\": \"#reviews\" }"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        ["minProperties", "maxProperties"].into_iter().fold(MoveTo::schema(), |schema, key| with(schema, key, 1.into()))
    }
}

/// Which pages are meant.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRule {
    /// A glob for the whole path.
    pub path: Option<Spanned<String>>,
    /// A glob for the host.
    pub host: Option<Spanned<String>>,
    /// Query parameters and globs for their values.
    pub query: Named<Spanned<String>>,
}

impl Read for PageRule {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::StringLit(_) => Some(PageRule { path: Some(Read::read(reader)?), host: None, query: Vec::new() }),
            Value::Object(_) => {
                let PageMatch { path, host, query } = Read::read(reader)?;
                Some(PageRule { path, host, query })
            }
            _ => reader.expected("a path such as \"/collections/*\", or an object with path, host or query"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [
            { "type": "string", "description": "A glob for the whole path, such as /collections/*" },
            PageMatch::schema(),
        ] })
    }
}

/// What an experience shows in a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum SlotContent {
    /// A personalization's content.
    One(Box<Spanned<Content>>),
    /// An experiment's variants, in a list; `None` is the baseline.
    Variants(Spanned<List<Variant>>),
}

/// One variant of an experiment.
pub type Variant = Spanned<Option<Content>>;

impl Read for Option<Content> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        if let Value::Object(object) = reader.value
            && let Some(property) = object.properties.iter().find(|property| property.name.as_str() == "baseline")
        {
            return match (&property.value, object.properties.len()) {
                (Value::BooleanLit(literal), 1) if literal.value => Some(None),
                _ => reader.error("a baseline is written { \"baseline\": true }, with nothing beside it"),
            };
        }
        Some(Some(Content::read(reader)?))
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        let baseline = serde_json::json!({
            "type": "object", "description": "What the origin sent.", "additionalProperties": false,
            "required": ["baseline"], "properties": { "baseline": { "const": true } },
        });
        serde_json::json!({ "anyOf": [baseline, Content::schema()] })
    }
}

impl Read for SlotContent {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::Object(_) => Some(SlotContent::One(Box::new(Read::read(reader)?))),
            Value::Array(_) => Some(SlotContent::Variants(Read::read(reader)?)),
            _ => reader.expected("a content, or the list of an experiment's variants"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [Content::schema(), List::<Variant>::schema()] })
    }
}

/// Any JSON value, as its text without comments, and the strings in it that may interpolate.
#[derive(Debug, Clone, PartialEq)]
pub struct Json(pub Vec<JsonPart>);

/// A part of a JSON text.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonPart {
    /// JSON syntax, as it is.
    Syntax(String),
    /// The inside of a string that is a value; its quotes are syntax.
    Text(String),
}

impl Read for Json {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut json = Json(Vec::new());
        json.write(reader.value);
        Some(json)
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({})
    }
}

impl Json {
    fn syntax(&mut self, text: &str) {
        if let Some(JsonPart::Syntax(last)) = self.0.last_mut() {
            last.push_str(text);
        } else {
            self.0.push(JsonPart::Syntax(text.to_owned()));
        }
    }

    fn write(&mut self, value: &Value<'_>) {
        match value {
            Value::StringLit(text) => {
                self.syntax("\"");
                self.0.push(JsonPart::Text(text.value.clone().into_owned()));
                self.syntax("\"");
            }
            Value::NumberLit(number) => self.syntax(number.value),
            Value::BooleanLit(literal) => self.syntax(if literal.value { "true" } else { "false" }),
            Value::NullKeyword(_) => self.syntax("null"),
            Value::Array(array) => {
                self.syntax("[");
                for (index, element) in array.elements.iter().enumerate() {
                    self.syntax(if index > 0 { "," } else { "" });
                    self.write(element);
                }
                self.syntax("]");
            }
            Value::Object(object) => {
                self.syntax("{");
                for (index, property) in object.properties.iter().enumerate() {
                    let mut key = String::from(if index > 0 { ",\"" } else { "\"" });
                    let ObjectPropName::String(name) = &property.name else { continue };
                    crate::edit::json_string(&name.value, &mut key);
                    key.push_str("\":");
                    self.syntax(&key);
                    self.write(&property.value);
                }
                self.syntax("}");
            }
        }
    }
}

/// A persona's value: a scalar or a list of texts, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonaValue(pub String);

impl Read for PersonaValue {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        Some(PersonaValue(match reader.value {
            Value::StringLit(text) => text.value.clone().into_owned(),
            Value::NumberLit(number) => number.value.to_owned(),
            Value::BooleanLit(literal) => literal.value.to_string(),
            Value::Array(_) => List::<String>::read(reader)?.0.join(","),
            _ => return reader.expected("a string, a number, true or false, or a list of strings"),
        }))
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": ["string", "number", "boolean", "array"], "items": { "type": "string" } })
    }
}
