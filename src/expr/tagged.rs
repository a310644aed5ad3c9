//! Values as JSON. Written with their types, as `{"int": "42"}`, so that no number loses anything; read so, or plainly:
//! `true`, `5` (int), `1.5` (double), `"text"`, lists, and maps with texts as keys.

use super::constant::Constant;
use super::tree::{Node, NodeKind};
use crate::instant::Seconds;
use crate::number::{parse_double, push_double};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        match self {
            Constant::Bool(value) => object.serialize_entry("bool", value)?,
            Constant::Int(value) => object.serialize_entry("int", &value.to_string())?,
            Constant::Uint(value) => object.serialize_entry("uint", &value.to_string())?,
            Constant::Double(value) if value.is_finite() => object.serialize_entry("double", value)?,
            Constant::Double(value) => {
                let mut text = String::new();
                push_double(&mut text, *value);
                object.serialize_entry("double", &text)?;
            }
            Constant::String(value) => object.serialize_entry("string", value)?,
            Constant::Timestamp(at) => object.serialize_entry("timestamp", &written(|out| at.write_instant(out)))?,
            Constant::Duration(length) => object.serialize_entry("duration", &written(|out| length.write_length(out)))?,
            Constant::Version(value) => object.serialize_entry("version", value)?,
            Constant::Ip(value) => object.serialize_entry("ip", value)?,
            Constant::Cidr(value) => object.serialize_entry("cidr", value)?,
            Constant::List(items) => object.serialize_entry("list", items)?,
            Constant::Map(entries) => object.serialize_entry("map", entries)?,
        }
        object.end()
    }
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

impl Constant {
    /// The value as an expression.
    pub fn literal(&self) -> String {
        let call = |name: &str, text: &str| format!("{name}({})", super::print(&node(NodeKind::String(text.to_owned()))));
        match self {
            Constant::Bool(value) => value.to_string(),
            Constant::Int(value) => value.to_string(),
            Constant::Uint(value) => format!("{value}u"),
            Constant::Double(value) if value.is_finite() => super::print(&node(NodeKind::Double(*value))),
            Constant::Double(value) => call("double", &written(|out| push_double(out, *value))),
            Constant::String(text) => super::print(&node(NodeKind::String(text.clone()))),
            Constant::Timestamp(at) => call("timestamp", &written(|out| at.write_instant(out))),
            Constant::Duration(length) => call("duration", &written(|out| length.write_length(out))),
            Constant::Version(text) => call("version", text),
            Constant::Ip(text) => call("ip", text),
            Constant::Cidr(text) => call("cidr", text),
            Constant::List(items) => format!("[{}]", items.iter().map(Constant::literal).collect::<Vec<_>>().join(", ")),
            Constant::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{}: {}", key.literal(), value.literal()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn node(kind: NodeKind) -> Node {
    Node::new(kind, 0..0)
}

/// Values by name: paths of fields, or names of their own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings(pub Vec<(String, Constant)>);

impl<'de> Deserialize<'de> for Bindings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bindings, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Bindings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with values by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bindings, A::Error> {
                let mut bindings = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    bindings.push(entry);
                }
                Ok(Bindings(bindings))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

const TYPES: &[&str] =
    &["bool", "int", "uint", "double", "string", "timestamp", "duration", "version", "ip", "cidr", "list", "map"];

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Constant, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Constant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "true, false, a number, a text, a list, an object, or a value with its type such as {\"int\": \"42\"}",
                )
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Constant, E> {
                Ok(Constant::Bool(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Constant, E> {
                Ok(Constant::Int(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Constant, E> {
                Ok(i64::try_from(value).map_or(Constant::Uint(value), Constant::Int))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Constant, E> {
                Ok(Constant::Double(value))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Constant, E> {
                Ok(Constant::String(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Constant, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Constant::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Constant, A::Error> {
                let mut entries: Vec<(String, Constant)> = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                match entries.as_slice() {
                    [(name, value)] if TYPES.contains(&name.as_str()) => typed(name, value).map_err(A::Error::custom),
                    _ => Ok(Constant::Map(entries.into_iter().map(|(key, value)| (Constant::String(key), value)).collect())),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A value of the type that its name says.
fn typed(name: &str, value: &Constant) -> Result<Constant, String> {
    let wrong = || format!("{} is no {name}", value.literal());
    let text = match value {
        Constant::String(text) => Some(text.as_str()),
        _ => None,
    };
    Ok(match (name, value) {
        ("bool", Constant::Bool(_)) | ("string", Constant::String(_)) | ("list", Constant::List(_)) => value.clone(),
        ("int", Constant::Int(_)) | ("double", Constant::Double(_)) => value.clone(),
        ("uint", Constant::Int(number)) => Constant::Uint(u64::try_from(*number).map_err(|_| wrong())?),
        ("uint", Constant::Uint(_)) => value.clone(),
        ("double", Constant::Int(number)) => Constant::Double(*number as f64),
        ("int", _) => Constant::Int(text.and_then(|text| text.parse().ok()).ok_or_else(wrong)?),
        ("uint", _) => Constant::Uint(text.and_then(|text| text.parse().ok()).ok_or_else(wrong)?),
        ("double", _) => Constant::Double(match text.ok_or_else(wrong)? {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            text => parse_double(text).ok_or_else(wrong)?,
        }),
        ("timestamp", _) => Constant::Timestamp(text.and_then(Seconds::parse_instant).ok_or_else(wrong)?),
        ("duration", _) => Constant::Duration(text.and_then(Seconds::parse_length).ok_or_else(wrong)?),
        ("version", _) => Constant::Version(text.filter(|text| crate::version::is_version(text)).ok_or_else(wrong)?.to_owned()),
        ("ip", _) => {
            Constant::Ip(text.filter(|text| crate::address::Address::parse(text).is_some()).ok_or_else(wrong)?.to_owned())
        }
        ("cidr", _) => {
            Constant::Cidr(text.filter(|text| crate::address::Range::parse(text).is_some()).ok_or_else(wrong)?.to_owned())
        }
        ("map", Constant::Map(_)) => value.clone(),
        ("map", Constant::List(entries)) => Constant::Map(
            entries
                .iter()
                .map(|entry| match entry {
                    Constant::List(pair) => match pair.as_slice() {
                        [key, value] => Ok((key.clone(), value.clone())),
                        _ => Err(wrong()),
                    },
                    _ => Err(wrong()),
                })
                .collect::<Result<_, _>>()?,
        ),
        _ => return Err(wrong()),
    })
}
