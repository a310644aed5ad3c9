//! Results as JSON, which the host parses into plain objects: to make the objects one by one from here takes several kilobytes more.
//! Nothing fails but a key that is no text, and then the host refuses the JSON.

use idoine::report::Double;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};
use std::fmt::{self, Write};

/// The value as JSON. A number that is none (NaN, infinity) is `null`.
pub fn json(value: &impl Serialize) -> Result<String, fmt::Error> {
    let mut json = Json(String::new());
    value.serialize(&mut json)?;
    Ok(json.0)
}

struct Json(String);

/// An error says nothing: there is none of ours, and values have none of their own.
type Done = Result<(), fmt::Error>;

impl Json {
    #[inline(never)]
    fn text(&mut self, text: &str) -> Done {
        self.0.push('"');
        for char in text.chars() {
            match char {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\0'..' ' => write!(self.0, "\\u{:04x}", u32::from(char))?,
                _ => self.0.push(char),
            }
        }
        self.0.push('"');
        Ok(())
    }

    /// Between two items of a list, or two fields of an object.
    #[inline(never)]
    fn next(&mut self) {
        // A text ends with a quote, so this is where the list or the object begins.
        if !self.0.ends_with(['[', '{']) {
            self.0.push(',');
        }
    }

    #[inline(never)]
    fn key(&mut self, key: &str) -> Done {
        self.next();
        self.text(key)?;
        self.plain(":")
    }

    fn plain(&mut self, json: &str) -> Done {
        self.0.push_str(json);
        Ok(())
    }

    #[inline(never)]
    fn open(&mut self, bracket: &str, close: &'static str) -> Result<Within<'_>, fmt::Error> {
        self.0.push_str(bracket);
        Ok(Within { json: self, close })
    }

    fn variant(&mut self, name: &str) -> Result<&mut Json, fmt::Error> {
        self.0.push('{');
        self.key(name)?;
        Ok(self)
    }
}

/// A list or an object that is not over.
struct Within<'j> {
    json: &'j mut Json,
    close: &'static str,
}

impl Within<'_> {
    fn close(self) -> Done {
        self.json.plain(self.close)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.json.next();
        value.serialize(&mut *self.json)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Done {
        self.json.key(key)?;
        value.serialize(&mut *self.json)
    }
}

impl<'j> Serializer for &'j mut Json {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Within<'j>;
    type SerializeTuple = Within<'j>;
    type SerializeTupleStruct = Within<'j>;
    type SerializeTupleVariant = Within<'j>;
    type SerializeMap = Within<'j>;
    type SerializeStruct = Within<'j>;
    type SerializeStructVariant = Within<'j>;

    fn serialize_bool(self, value: bool) -> Done {
        self.plain(if value { "true" } else { "false" })
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Done {
        write!(self.0, "{value}")
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        write!(self.0, "{value}")
    }

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Done {
        match value {
            // Without its sign as the core writes it, and a value of an expression all the same.
            0.0 if value.is_sign_negative() => self.plain("-0"),
            _ if value.is_finite() => write!(self.0, "{}", Double(value)),
            _ => self.serialize_unit(),
        }
    }

    fn serialize_char(self, value: char) -> Done {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.plain("null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        value.serialize(&mut *self.variant(variant)?)?;
        self.plain("}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Within<'j>, fmt::Error> {
        self.open("[", "]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Within<'j>, fmt::Error> {
        self.open("[", "]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Within<'j>, fmt::Error> {
        self.open("[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Within<'j>, fmt::Error> {
        self.variant(variant)?.open("[", "]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Within<'j>, fmt::Error> {
        self.open("{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Within<'j>, fmt::Error> {
        self.open("{", "}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Within<'j>, fmt::Error> {
        self.variant(variant)?.open("{", "}}")
    }
}

/// The parts of lists and objects, under serde's names for them.
macro_rules! within {
    ($($kind:ident $method:ident ($($key:ident)?) $part:ident;)*) => {
        $(impl $kind for Within<'_> {
            type Ok = ();
            type Error = fmt::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Done {
                self.$part($($key,)? value)
            }

            fn end(self) -> Done {
                self.close()
            }
        })*
    };
}

within! {
    SerializeSeq serialize_element () item;
    SerializeTuple serialize_element () item;
    SerializeTupleStruct serialize_field () item;
    SerializeTupleVariant serialize_field () item;
    SerializeStruct serialize_field (key) field;
    SerializeStructVariant serialize_field (key) field;
}

impl SerializeMap for Within<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.item(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.json.plain(":")?;
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Done {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use super::json;
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    enum Kind {
        Plain,
        New(i8),
        Two(u8, f32),
        Fields { text: &'static str },
    }

    #[derive(Serialize)]
    struct Everything {
        kinds: Vec<Kind>,
        none: Option<()>,
        pair: (char, bool),
        map: BTreeMap<String, f64>,
        empty: [u64; 0],
        text: &'static str,
    }

    #[test]
    fn writes_what_serde_json_writes() {
        let map = [("", 1e21), ("half", 0.5), ("small", -1e-7), ("none", f64::NAN)];
        let value = Everything {
            kinds: vec![Kind::Plain, Kind::New(-1), Kind::Two(2, 0.25), Kind::Fields { text: "[" }],
            none: None,
            pair: ('"', true),
            map: map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            empty: [],
            text: "a \"b\" \\ \n \u{1f} \u{7f} é 💡{",
        };
        let ours: serde_json::Value = serde_json::from_str(&json(&value).unwrap()).unwrap();
        assert_eq!(ours, serde_json::to_value(&value).unwrap());
        assert_eq!(json(&[true, false]).unwrap(), "[true,false]");
        assert_eq!(json(&[0.0, -0.0]).unwrap(), "[0,-0]");
        assert_eq!(json(&BTreeMap::from([("a", vec![1, 2]), ("b", vec![])])).unwrap(), r#"{"a":[1,2],"b":[]}"#);
    }
}
