//! Facts as a page for people: what is in a group stands below its name, what is alike in a table.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// In which order fields are told; those that are not named come behind, in the order in which they came.
const ORDER: &str = "key user now first_seen last_seen lifecycle \
    engagement sessions first_touch last_touch intents traits counters affinities purchases propensities nps answers features cart \
    milestones experiences parts notes tags \
    name event code path question dimension tag of sink value quantity price level score category segment scores share answer \
    expected adoption source count variant started last_event page_count is_open intent at counts sinks letters died by text reached told \
    sum sum_of first last updated windows products id";

fn place(name: &str) -> usize {
    ORDER.split_whitespace().position(|known| known == name).unwrap_or(usize::MAX)
}

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
    let mut said: Vec<(&String, &Value)> = fields.iter().filter(|(_, value)| !is_nothing(value)).collect();
    // What stands on a line first, then what has lines of its own.
    said.sort_by_key(|(name, value)| (!is_plain(value), place(name)));
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
            Value::Array(rows) => list(rows, depth.saturating_add(1), text),
            _ => {}
        }
    }
}

/// A list of what is alike: a table, unless there are tables in it.
fn list(rows: &[Value], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let has_rows = |value: &Value| value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
    if rows.iter().all(Value::is_array) {
        for pair in rows {
            let _ = writeln!(text, "{indent}{}", plain(pair));
        }
    } else if rows.iter().filter_map(Value::as_object).any(|row| row.values().any(has_rows)) {
        for row in rows.iter().filter_map(Value::as_object) {
            let of_its_own: Vec<String> = row.values().filter(|value| is_plain(value)).map(plain).collect();
            let _ = writeln!(text, "{indent}{}", of_its_own.join("  "));
            for rows in row.values().filter_map(Value::as_array) {
                rows_of(rows, depth.saturating_add(1), text);
            }
        }
    } else {
        rows_of(rows, depth, text);
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
    columns.sort_by_key(|name| place(name));
    // What nothing is said in says nothing.
    columns.retain(|name| rows.iter().any(|row| row.get(name.as_str()).is_some_and(|value| !is_nothing(value))));
    if columns.is_empty() {
        return;
    }
    let cell = |row: &Value, name: &String| match row.get(name.as_str()) {
        Some(Value::Array(pairs)) if name == "windows" => windows(pairs),
        Some(value) => plain(value),
        None => "-".to_owned(),
    };
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
        // A name and what it has.
        Value::Array(items) if matches!(items.as_slice(), [Value::String(_), Value::Number(_)]) => {
            items.iter().map(plain).collect::<Vec<_>>().join(" ")
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => {
            let text = number.to_string();
            number.as_i64().and_then(time).unwrap_or_else(|| text.strip_suffix(".0").map_or(text.clone(), str::to_owned))
        }
        other => other.to_string(),
    }
}

/// Windows in milliseconds, and what is in each: `7d: 3, ever: 12`.
fn windows(pairs: &[Value]) -> String {
    let one = |pair: &Value| {
        let window = pair.get(0)?.as_i64()?;
        let length = match (window, window.checked_rem(86_400_000)?) {
            (0, _) => "ever".to_owned(),
            (_, 0) => format!("{}d", window.checked_div(86_400_000)?),
            _ => format!("{}h", window.checked_div(3_600_000)?),
        };
        Some(format!("{length}: {}", plain(pair.get(1)?)))
    };
    pairs.iter().filter_map(one).collect::<Vec<_>>().join(", ")
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
            "counters": [{ "event": "Order Completed", "count": 3, "windows": [[0, 3.0], [604_800_000_i64, 1], [3_600_000, 0]] }],
            "affinities": [{ "dimension": "category", "values": [{ "value": "shoes", "score": 4.5 }] }],
            "propensities": [["buy", 0.25]],
            "notes": [],
        });
        let expected = "\
key         u:42
first seen  2024-07-01 12:00:00 UTC

traits
  name  value  source      at                       counts
  plan  pro    import:crm  2024-07-01 12:00:00 UTC  true
  plan  free   browser     2024-07-01 11:58:20 UTC  -

counters
  event            count  windows
  Order Completed  3      ever: 3, 7d: 1, 1h: 0

affinities
  category
    value  score
    shoes  4.5

propensities
  buy 0.25

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
