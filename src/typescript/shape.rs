//! What several JSON values have in common, as a type.

use serde_json::Value;

/// What a value may be.
#[derive(Default)]
pub(super) struct Shape {
    is_null: bool,
    is_bool: bool,
    is_number: bool,
    is_text: bool,
    items: Option<Box<Shape>>,
    /// Fields in the order in which they are first seen, and in how many of the objects each is.
    fields: Vec<(String, Shape, usize)>,
    objects: usize,
}

impl Shape {
    /// Takes a value in.
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Null => self.is_null = true,
            Value::Bool(_) => self.is_bool = true,
            Value::Number(_) => self.is_number = true,
            Value::String(_) => self.is_text = true,
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                items.iter().for_each(|item| shape.add(item));
            }
            Value::Object(object) => {
                self.objects += 1;
                for (name, value) in object {
                    let at = self.fields.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
                        self.fields.push((name.clone(), Shape::default(), 0));
                        self.fields.len() - 1
                    });
                    if let Some((_, shape, count)) = self.fields.get_mut(at) {
                        shape.add(value);
                        *count += 1;
                    }
                }
            }
        }
    }

    /// The type. Texts are any text: what a site shows changes more often than what it is made of.
    pub(super) fn text(&self) -> String {
        let mut types = Vec::new();
        for (is, name) in [(self.is_text, "string"), (self.is_number, "number"), (self.is_bool, "boolean")] {
            types.extend(is.then(|| name.to_owned()));
        }
        if let Some(items) = &self.items {
            types.push(list(&items.text()));
        }
        if self.objects > 0 {
            types.push(self.object());
        }
        types.extend(self.is_null.then(|| "null".to_owned()));
        // Of an empty list.
        if types.is_empty() { "unknown".to_owned() } else { types.join(" | ") }
    }

    fn object(&self) -> String {
        if self.fields.is_empty() {
            return "{}".to_owned();
        }
        let fields = self.fields.iter().map(|(name, shape, count)| {
            let may_miss = if *count < self.objects { "?" } else { "" };
            format!("readonly {}{may_miss}: {}", key(name), shape.text())
        });
        format!("{{ {} }}", fields.collect::<Vec<_>>().join("; "))
    }
}

/// A list of values of a type.
pub(super) fn list(item: &str) -> String {
    let is_one_word = !item.contains(' ');
    if is_one_word { format!("readonly {item}[]") } else { format!("readonly ({item})[]") }
}

/// A name as an object's key: in quotes unless it needs none.
pub(super) fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let plain = !name.is_empty() && name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { quoted(name) }
}

/// A text as TypeScript writes it.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
