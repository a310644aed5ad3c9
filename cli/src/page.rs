//! Facts as a page for people: what is in a group stands below its name, what is alike in a table.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The facts of a profile.
pub(crate) fn of(facts: &Value) -> String {
    let mut text = String::new();
    let Some(facts) = facts.as_object() else { return text };
    object(facts, 0, &mut text);
    text
}

/// Rows that are alike: a column for each field that one of them has.
pub(crate) fn table(rows: &[Value]) -> String {
    let mut text = String::new();
    rows_of(rows, 0, &mut text);
    text
}

fn object(fields: &Map<String, Value>, depth: usize, text: &mut String) {
    let said: Vec<(&String, &Value)> = fields.iter().filter(|(_, value)| !is_nothing(value)).collect();
    let width =
        said.iter().filter(|(_, value)| is_plain(value)).map(|(name, _)| words(name).chars().count()).max().unwrap_or(0);
    for (name, value) in said {
        let indent = "  ".repeat(depth);
        if is_plain(value) {
            let _ = writeln!(text, "{indent}{:width$}  {}", words(name), plain(value));
            continue;
        }
        let gap = if depth == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}{indent}{}", words(name));
        match value {
            Value::Object(fields) => object(fields, depth.saturating_add(1), text),
            Value::Array(rows) => rows_of(rows, depth.saturating_add(1), text),
            _ => {}
        }
    }
}

fn rows_of(rows: &[Value], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let mut columns: Vec<&String> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    // What nothing is said in says nothing.
    columns.retain(|name| rows.iter().any(|row| row.get(name.as_str()).is_some_and(|value| !is_nothing(value))));
    if columns.is_empty() {
        return;
    }
    let cell = |row: &Value, name: &String| row.get(name.as_str()).map_or_else(|| "-".to_owned(), plain);
    let widths: Vec<usize> = columns
        .iter()
        .map(|name| {
            rows.iter().map(|row| cell(row, name).chars().count()).chain([words(name).chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut line = |cells: Vec<String>| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{indent}{}", padded.join("  ").trim_end());
    };
    line(columns.iter().map(|name| words(name)).collect());
    for row in rows {
        line(columns.iter().map(|name| cell(row, name)).collect());
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(is_nothing),
        _ => false,
    }
}

/// Whether a value stands on its name's line.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => !items.iter().any(|item| item.is_object() || item.is_array()),
        _ => true,
    }
}

/// A value in one line.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.as_i64().and_then(time).unwrap_or_else(|| number.to_string()),
        other => other.to_string(),
    }
}

/// A field's name as words: `firstSeen` and `first_seen` are `first seen`.
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c == '_' {
            words.push(' ');
        } else if c.is_uppercase() && before.is_lowercase() {
            words.push(' ');
            words.extend(c.to_lowercase());
        } else {
            words.push(c);
        }
        before = c;
    }
    words
}

/// What looks like epoch milliseconds of this century, as a time.
fn time(number: i64) -> Option<String> {
    let is_time = (978_307_200_000..4_102_444_800_000).contains(&number);
    let at = jiff::Timestamp::from_millisecond(number).ok().filter(|_| is_time)?;
    Some(at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_are_a_page() {
        let facts = json!({
            "key": "u:42",
            "user": null,
            "firstSeen": 1_719_835_200_000_i64,
            "traits": [
                { "name": "plan", "value": "pro", "source": "import:crm", "at": 1_719_835_200_000_i64, "counts": true },
                { "name": "plan", "value": "free", "source": "browser", "at": 1_719_835_100_000_i64 },
            ],
            "rfm": { "segment": "champions", "recency": 5 },
            "cart": { "products": [] },
            "notes": [],
        });
        let expected = "\
key         u:42
first seen  2024-07-01 12:00:00 UTC

traits
  name  value  source      at                       counts
  plan  pro    import:crm  2024-07-01 12:00:00 UTC  true
  plan  free   browser     2024-07-01 11:58:20 UTC  -

rfm
  segment  champions
  recency  5
";
        assert_eq!(of(&facts), expected);
    }

    #[test]
    fn what_a_visitor_said_breaks_no_line() {
        assert_eq!(table(&[json!({ "text": "a\nb\u{1b}[31m" })]), "text\na b [31m\n");
        assert_eq!(table(&[]), "");
    }
}
