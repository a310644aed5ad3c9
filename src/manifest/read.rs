//! Strict reading of a JSONC document into the manifest's types: every error at once, each with its place.

use crate::diagnostic::{Diagnostics, nearest};
use crate::number::parse_double;
use crate::text::Quoted;
use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use std::ops::Range;

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the document, quotes included.
    pub span: Range<usize>,
    /// Its place in the document's tree.
    pub path: String,
}

/// An object whose keys are names that the author chose; in the document's order, without repetitions.
pub type Named<T> = Vec<(Spanned<String>, T)>;

/// A place in the document's tree, a value, and where errors go.
pub struct Reader<'r, 's> {
    /// The value.
    pub value: &'r Value<'r>,
    /// Its place, such as `slots.hero`.
    pub path: String,
    /// Where errors go.
    pub diagnostics: &'r mut Diagnostics<'s>,
}

/// A type of the manifest.
pub trait Read: Sized {
    /// Reads it; `None` after an error was reported.
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self>;

    /// Its JSON Schema (draft 2020-12).
    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value;
}

impl<'r, 's> Reader<'r, 's> {
    /// The value's bytes in the document.
    pub fn span(&self) -> Range<usize> {
        let range = self.value.range();
        range.start..range.end
    }

    /// Reports that something else was expected here.
    pub fn expected<T>(&mut self, what: &str) -> Option<T> {
        self.refuse(what);
        None
    }

    fn refuse(&mut self, what: &str) {
        let found = match self.value {
            Value::StringLit(_) => "a string",
            Value::NumberLit(number) => number.value,
            Value::BooleanLit(_) => "true or false",
            Value::Object(_) => "an object",
            Value::Array(_) => "a list",
            Value::NullKeyword(_) => "null",
        };
        self.diagnostics.error(&self.path, self.span(), format!("expected {what}, found {found}"));
    }

    /// A number as it is written; nothing where the value is none.
    pub fn number(&self) -> &'r str {
        if let Value::NumberLit(number) = self.value { number.value } else { "" }
    }

    /// Reports an error about the whole value.
    pub fn error<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.diagnostics.error(&self.path, self.span(), message);
        None
    }

    /// The value as an object, with its keys checked: known ones only, none twice.
    pub fn object(&mut self, known: &[&str]) -> Option<&'r Object<'r>> {
        let Value::Object(object) = self.value else {
            return match known.first().filter(|_| !self.path.is_empty()) {
                Some(first) => self.expected(&format!("an object such as {{ \"{first}\": ... }}")),
                None => self.expected("an object"),
            };
        };
        for property in &object.properties {
            let name = property.name.as_str();
            if !known.is_empty() && !known.contains(&name) {
                let help =
                    nearest(name, known.iter().copied()).unwrap_or_else(|| format!("known fields: {}", known.join(", ")));
                let range = property.name.range();
                self.diagnostics.error_with_help(
                    &child(&self.path, name),
                    range.start..range.end,
                    format!("unknown field `{name}`"),
                    help,
                );
            }
        }
        self.check_repetitions(object);
        Some(object)
    }

    fn check_repetitions(&mut self, object: &Object<'_>) {
        let mut seen = std::collections::HashSet::new();
        for property in &object.properties {
            let name = property.name.as_str();
            if !seen.insert(name) {
                let range = property.name.range();
                self.diagnostics.error(&child(&self.path, name), range.start..range.end, format!("`{name}` stands here twice"));
            }
        }
    }

    /// Reads a field of an object; `None` when it is missing or wrong.
    pub fn field<T: Read>(&mut self, object: &'r Object<'r>, key: &str) -> Option<T> {
        let property = object.properties.iter().find(|property| property.name.as_str() == key)?;
        self.read_at(&property.value, child(&self.path, key))
    }

    /// Reads a field of an object that must be there.
    pub fn required<T: Read>(&mut self, object: &'r Object<'r>, key: &str) -> Option<T> {
        self.check_there(object, key);
        self.field(object, key)
    }

    fn check_there(&mut self, object: &Object<'_>, key: &str) {
        if object.properties.iter().all(|property| property.name.as_str() != key) {
            let start = object.range.start;
            self.diagnostics.error(&self.path, start..start + 1, format!("missing field `{key}`"));
        }
    }

    /// Reads a value below this one.
    pub fn read_at<T: Read>(&mut self, value: &'r Value<'r>, path: String) -> Option<T> {
        T::read(&mut Reader { value, path, diagnostics: self.diagnostics })
    }

    /// The items of a list and their places.
    fn items(&mut self) -> Option<Vec<(&'r Value<'r>, String)>> {
        let Value::Array(array) = self.value else {
            return self.expected("a list");
        };
        let items = array.elements.iter().enumerate();
        Some(items.map(|(index, value)| (value, format!("{}[{index}]", self.path))).collect())
    }

    /// The keys of an object and their values, each at its place.
    pub fn entries<T: Read>(&mut self) -> Option<Named<T>> {
        let mut entries = Vec::new();
        for (key, value) in self.keys()? {
            if let Some(value) = self.read_at(value, key.path.clone()) {
                entries.push((key, value));
            }
        }
        Some(entries)
    }

    /// Written once, not for each type of value.
    #[inline(never)]
    fn keys(&mut self) -> Option<Vec<(Spanned<String>, &'r Value<'r>)>> {
        let object = self.object(&[])?;
        let key = |property: &'r ObjectProp<'r>| {
            let name = property.name.as_str();
            let range = property.name.range();
            (Spanned { value: name.to_owned(), span: range.start..range.end, path: child(&self.path, name) }, &property.value)
        };
        Some(object.properties.iter().map(key).collect())
    }

    /// Which of these words the value is.
    #[inline(never)]
    pub(crate) fn one_of(&mut self, words: &[&str]) -> Option<usize> {
        let Value::StringLit(text) = self.value else {
            return self.expected(&format!("one of {}", words.join(", ")));
        };
        let found = text.value.as_ref();
        if let Some(position) = words.iter().position(|word| *word == found) {
            return Some(position);
        }
        let message = format!("expected one of {}, found `{found}`", words.join(", "));
        match nearest(found, words.iter().copied()) {
            Some(hint) => self.diagnostics.error_with_help(&self.path, self.span(), message, hint),
            None => self.diagnostics.error(&self.path, self.span(), message),
        }
        None
    }
}

/// The path of a key below a path.
pub fn child(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    match (path, plain) {
        ("", true) => key.to_owned(),
        (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", Quoted(key)),
    }
}

impl<T: Read> Read for Spanned<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let value = T::read(reader)?;
        Some(Spanned { value, span: reader.span(), path: reader.path.clone() })
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        T::schema()
    }
}

impl<T: Read> Read for Named<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        reader.entries()
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "object", "additionalProperties": T::schema() })
    }
}

/// A list of values.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

impl<T: Read> Read for List<T> {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut list = List::default();
        for (value, path) in reader.items()? {
            list.0.extend(reader.read_at(value, path));
        }
        Some(list)
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "array", "items": T::schema() })
    }
}

impl Read for String {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::StringLit(text) => Some(text.value.clone().into_owned()),
            _ => reader.expected("a string"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }
}

impl Read for bool {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::BooleanLit(literal) => Some(literal.value),
            _ => reader.expected("true or false"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "boolean" })
    }
}

impl Read for i32 {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.number().parse() {
            Ok(number) => Some(number),
            Err(_) => reader.expected("a whole number from -2147483648 to 2147483647"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX })
    }
}

/// A share from 0 to 1, kept in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub u32);

impl Read for Share {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match parse_double(reader.number()) {
            Some(share) if share > 0.0 && share * f64::from(crate::bucket::MILLION) < 1.0 => {
                reader.expected("0, or a share of at least 0.000001")
            }
            Some(share) if (0.0..=1.0).contains(&share) => {
                Some(Share((share * f64::from(crate::bucket::MILLION)).round() as u32))
            }
            _ => reader.expected("a share from 0 to 1"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

/// The schema of an object, from its fields: whether they must be there, key, schema and description.
#[cfg(feature = "schema")]
pub(crate) fn object_schema<const N: usize>(
    doc: &str,
    fields: [(bool, &str, serde_json::Value, &str); N],
) -> serde_json::Value {
    let required: Vec<String> =
        fields.iter().filter(|(required, ..)| *required).map(|(_, key, ..)| (*key).to_owned()).collect();
    let properties = fields.into_iter().map(|(_, key, schema, doc)| (key.to_owned(), with(schema, "description", doc.into())));
    let schema = serde_json::json!({
        "type": "object", "description": doc, "additionalProperties": false,
        "properties": properties.collect::<serde_json::Map<_, _>>(),
    });
    if required.is_empty() { schema } else { with(schema, "required", required.into()) }
}

/// A schema with one more keyword.
#[cfg(feature = "schema")]
pub(crate) fn with(mut schema: serde_json::Value, key: &str, value: serde_json::Value) -> serde_json::Value {
    if let Some(keywords) = schema.as_object_mut() {
        keywords.insert(key.to_owned(), value);
    }
    schema
}

/// Declares a type of the manifest that is an object: its struct, its strict reading and its JSON Schema, from one list.
macro_rules! object {
    ($doc:literal $name:ident {
        $($presence:ident $field:ident $key:literal: $type:ty = $field_doc:literal;)*
    }) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[doc = $field_doc] pub $field: object!(@type $presence $type),)*
        }

        impl Read for $name {
            fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
                let object = reader.object(&[$($key),*])?;
                // All fields are read before any is missed, so that every error is reported.
                $(let $field = object!(@read $presence reader object $key $type);)*
                Some($name { $($field: object!(@take $presence $field),)* })
            }

            #[cfg(feature = "schema")]
            fn schema() -> serde_json::Value {
                let fields = [$((stringify!($presence) == "required", $key, <$type as Read>::schema(), $field_doc)),*];
                object_schema($doc, fields)
            }
        }
    };
    (@type required $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@type default $type:ty) => { $type };
    (@read required $reader:ident $object:ident $key:literal $type:ty) => { $reader.required::<$type>($object, $key) };
    (@read optional $reader:ident $object:ident $key:literal $type:ty) => { $reader.field::<$type>($object, $key) };
    (@read default $reader:ident $object:ident $key:literal $type:ty) => { $reader.field::<$type>($object, $key).unwrap_or_default() };
    (@take required $field:ident) => { $field? };
    (@take optional $field:ident) => { $field };
    (@take default $field:ident) => { $field };
}
pub(crate) use object;

/// Declares a type of the manifest that is one of a few words.
macro_rules! choice {
    ($doc:literal $name:ident { $($variant:ident $word:literal: $variant_doc:literal;)* }) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $(#[doc = $variant_doc] $variant),* }
        choice!(@read $name [$($word => $name::$variant),*] [$($word, $variant_doc),*] $doc);
    };
    (@read $name:ty [$($word:literal => $value:expr),*] [$($text:expr, $text_doc:expr),*] $doc:expr) => {
        impl Read for $name {
            fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
                let position = reader.one_of(&[$($word),*])?;
                [$($value),*].get(position).copied()
            }

            #[cfg(feature = "schema")]
            fn schema() -> serde_json::Value {
                serde_json::json!({
                    "description": $doc,
                    "oneOf": [$({ "const": $text, "description": $text_doc }),*],
                })
            }
        }
    };
}
pub(crate) use choice;
