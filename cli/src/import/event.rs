//! From a row to the event that the API takes: which column is what, and what a row lacks.

use super::rows::{Content, Row, uneven};
use super::values::{INSTANT, Kinds, instant, is_index, shown, value};
use csv::ByteRecord;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The most parts of a path.
const DEEPEST: usize = 6;

/// Before it nothing was measured: a time before it is a mistake. 2000-01-01, as the Worker has it.
const EARLIEST: i64 = 946_684_800_000;

/// The types of calls that a row may be. What a visitor was shown comes from pages alone.
const TYPES: [&str; 5] = ["track", "page", "identify", "group", "alias"];

/// What a column may be, beside paths below `properties`, `traits` and `context`.
const FIELDS: &str = "userId, anonymousId, event, timestamp, type, name, groupId, previousId, messageId or rowId";

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Things that happened; of a row that does not name its event this one.
    Events { event: Option<String> },
    /// What is known of users, since when where a row does not say.
    Traits { at: i64 },
}

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Left out.
    Nothing,
    Type,
    Event,
    Name,
    UserId,
    AnonymousId,
    PreviousId,
    GroupId,
    Timestamp,
    /// The event's id, as it is.
    MessageId,
    /// An id of the row among those of the same source and event, such as an order's number.
    RowId,
    Property(Vec<String>),
    Trait(Vec<String>),
    Context(Vec<String>),
}

impl Target {
    fn read(text: &str, subject: &Subject) -> Result<Target, String> {
        let below = |prefix: &str| -> Option<Vec<String>> {
            let path: Vec<String> = text.strip_prefix(prefix)?.strip_prefix('.')?.split('.').map(str::to_owned).collect();
            (path.len() <= DEEPEST && path.iter().all(|part| !part.is_empty())).then_some(path)
        };
        Ok(match text {
            "" => Target::Nothing,
            "type" => Target::Type,
            "event" => Target::Event,
            "name" if matches!(subject, Subject::Events { .. }) => Target::Name,
            "userId" => Target::UserId,
            "anonymousId" => Target::AnonymousId,
            "previousId" => Target::PreviousId,
            "groupId" => Target::GroupId,
            "timestamp" => Target::Timestamp,
            "messageId" => Target::MessageId,
            "rowId" => Target::RowId,
            _ => match (below("properties"), below("traits"), below("context")) {
                (Some(path), _, _) => Target::Property(path),
                (_, Some(path), _) => Target::Trait(path),
                (_, _, Some(path)) => Target::Context(path),
                _ => return Err(format!("expected {FIELDS}, or a path such as properties.revenue, found `{}`", shown(text))),
            },
        })
    }
}

/// `--map column=path`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rename {
    /// The column; of JSON the path of a field.
    pub(crate) column: String,
    /// What it is.
    pub(crate) path: String,
}

/// Reads one.
pub(crate) fn rename(text: &str) -> Result<Rename, String> {
    let (column, path) =
        text.rsplit_once('=').ok_or("expected column=path, such as total=properties.revenue; column= leaves it out")?;
    if column.is_empty() {
        Err("expected column=path: the column has no name".to_owned())
    } else {
        Ok(Rename { column: column.to_owned(), path: path.to_owned() })
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Wrong {
    /// The column; of JSON the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    pub(crate) message: String,
}

impl Wrong {
    fn whole(message: impl Into<String>) -> Wrong {
        Wrong { column: None, message: message.into() }
    }

    fn at(column: &str, message: impl Into<String>) -> Wrong {
        Wrong { column: Some(column.to_owned()), message: message.into() }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.column {
            Some(column) => write!(f, "`{column}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// How rows become events.
pub(crate) struct Mapping {
    subject: Subject,
    source: String,
    zone: TimeZone,
    kinds: Kinds,
    header: Vec<String>,
    /// What each column of the header is.
    columns: Vec<Target>,
    /// Of JSON, which fields are something else than their name says.
    moves: Vec<(String, Target)>,
    /// What is later than that has not happened yet.
    now: i64,
}

impl Mapping {
    /// Who maps, with everything that is wrong with it.
    pub(crate) fn new(
        subject: Subject,
        source: &str,
        zone: TimeZone,
        kinds: Kinds,
        header: &[String],
        renames: &[Rename],
        now: i64,
    ) -> Result<Mapping, String> {
        let mut wrong = Vec::new();
        let mut moves = Vec::new();
        for Rename { column, path } in renames {
            if !header.is_empty() && !header.contains(column) {
                wrong.push(format!("--map {column}={path}: the file has no column `{column}`; it has {}", header.join(", ")));
            }
            match Target::read(path, &subject) {
                Ok(target) => moves.push((column.clone(), target)),
                Err(message) => wrong.push(format!("--map {column}={path}: {message}")),
            }
        }
        let mut columns = Vec::new();
        for name in header {
            let moved = moves.iter().find(|(column, _)| column == name).map(|(_, target)| target.clone());
            match moved.map_or_else(|| own_name(name, &subject), Ok) {
                Ok(target) => columns.push(target),
                Err(message) => wrong.push(message),
            }
        }
        let mapping = Mapping { subject, source: source.to_owned(), zone, kinds, header: header.to_vec(), columns, moves, now };
        wrong.extend(mapping.undeclared());
        if !header.is_empty()
            && wrong.is_empty()
            && !mapping.columns.iter().any(|target| matches!(target, Target::UserId | Target::AnonymousId))
        {
            wrong.push("no column says whose a row is: name one userId or anonymousId, or say which it is, such as --map customer=userId".to_owned());
        }
        if wrong.is_empty() { Ok(mapping) } else { Err(wrong.join("\n       ")) }
    }

    /// Columns that would be traits which the site does not know: nothing of them would be kept.
    fn undeclared(&self) -> Vec<String> {
        let Some(declared) = self.kinds.traits() else { return Vec::new() };
        let named = self.columns.iter().chain(self.moves.iter().map(|(_, target)| target));
        let traits = named.filter_map(|target| match target {
            Target::Trait(path) => Some(path.join(".")),
            _ => None,
        });
        let mut unknown: Vec<String> = traits.filter(|name| !declared.contains(&name.as_str())).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let known = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
        let say = |name: String| {
            format!(
                "the site's live manifest declares no trait `{name}` (it declares {known}): declare it, or leave the column out by --map {name}="
            )
        };
        unknown.into_iter().map(say).collect()
    }

    /// The event of a row, as the API takes it.
    pub(crate) fn event(&self, row: &Row) -> Result<String, Wrong> {
        let draft = match &row.content {
            Content::Cells(cells) => self.of_cells(cells)?,
            Content::Line(line) => self.of_line(line)?,
            Content::TooLong(_) => return Err(Wrong::whole("the line is longer than 1 MiB")),
        };
        Ok(self.finished(draft, row)?.to_string())
    }

    fn of_cells(&self, cells: &ByteRecord) -> Result<Draft, Wrong> {
        if let Some(message) = uneven(cells, &self.header) {
            return Err(Wrong::whole(message));
        }
        let mut texts = Vec::new();
        for ((cell, column), target) in cells.iter().zip(&self.header).zip(&self.columns) {
            if *target == Target::Nothing {
                continue;
            }
            let text =
                std::str::from_utf8(cell).map_err(|_| Wrong::at(column, "expected UTF-8: save the file as that"))?.trim();
            if !text.is_empty() {
                texts.push((column, target, text));
            }
        }
        let mut draft = Draft::default();
        // The event says of which type its properties are.
        let named = texts.iter().find(|(_, target, _)| **target == Target::Event).map(|(_, _, text)| *text);
        let event = named.or(self.default_event()).unwrap_or_default();
        for (column, target, text) in texts {
            let kind = match target {
                Target::Property(path) => self.kinds.property(event, path),
                Target::Trait(path) => self.kinds.of_trait(&path.join(".")),
                // Ids and names are texts, whatever they look like.
                _ => Some("string"),
            };
            let value = value(text, kind, &self.zone).map_err(|message| Wrong::at(column, message))?;
            self.put(&mut draft, target, value).map_err(|message| Wrong::at(column, message))?;
        }
        Ok(draft)
    }

    fn of_line(&self, line: &[u8]) -> Result<Draft, Wrong> {
        let parsed: Value = serde_json::from_slice(line).map_err(|error| {
            Wrong::whole(format!(
                "expected a JSON object such as {{\"userId\": \"42\"}}, but at column {}: {}",
                error.column(),
                reason(&error)
            ))
        })?;
        let Value::Object(mut object) = parsed else {
            return Err(Wrong::whole("expected a JSON object such as {\"userId\": \"42\"}"));
        };
        let mut draft = Draft::default();
        for (field, target) in &self.moves {
            let Some(value) = take(&mut object, field) else { continue };
            self.put(&mut draft, target, value).map_err(|message| Wrong::at(field, message))?;
        }
        for (field, value) in object {
            if value.is_null() {
                continue;
            }
            let (into, name) = match field.as_str() {
                "properties" => (&mut draft.properties, "properties"),
                "traits" => (&mut draft.traits, "traits"),
                "context" => (&mut draft.context, "context"),
                _ => {
                    let target = own_name(&field, &self.subject).map_err(|message| Wrong::at(&field, message))?;
                    self.put(&mut draft, &target, value).map_err(|message| Wrong::at(&field, message))?;
                    continue;
                }
            };
            let Value::Object(told) = value else { return Err(Wrong::at(name, "expected an object")) };
            match into.as_object_mut() {
                // What --map put there counts.
                Some(there) => told.into_iter().for_each(|(key, value)| {
                    there.entry(key).or_insert(value);
                }),
                None => *into = Value::Object(told),
            }
        }
        Ok(draft)
    }

    fn default_event(&self) -> Option<&str> {
        match &self.subject {
            Subject::Events { event } => event.as_deref(),
            Subject::Traits { .. } => None,
        }
    }

    fn put(&self, draft: &mut Draft, target: &Target, value: Value) -> Result<(), String> {
        if value.is_null() {
            return Ok(());
        }
        let text = |value: Value| match value {
            Value::String(text) if !text.trim().is_empty() && text.chars().count() <= 200 => Ok(Some(text)),
            Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
            _ => Err("expected a text of 1 to 200 characters".to_owned()),
        };
        match target {
            Target::Nothing => {}
            Target::Type => draft.kind = text(value)?,
            Target::Event => draft.event = text(value)?,
            Target::Name => draft.name = text(value)?,
            Target::UserId => draft.user = text(value)?,
            Target::AnonymousId => draft.anonymous = text(value)?,
            Target::PreviousId => draft.previous = text(value)?,
            Target::GroupId => draft.group = text(value)?,
            Target::MessageId => draft.message = text(value)?,
            Target::RowId => draft.row = text(value)?,
            Target::Timestamp => {
                let found = match &value {
                    Value::String(text) => instant(text.trim(), &self.zone),
                    Value::Number(number) => instant(&number.to_string(), &self.zone),
                    _ => None,
                };
                let found = found.ok_or_else(|| {
                    format!("expected {INSTANT}, found `{}`", shown(value.as_str().unwrap_or(&value.to_string())))
                })?;
                if found < EARLIEST || found > self.now {
                    return Err(format!(
                        "expected a time since 2000 and in the past, found `{}`",
                        super::values::written(found)
                    ));
                }
                draft.at = Some(found);
            }
            Target::Property(path) => set(&mut draft.properties, path, value)?,
            Target::Trait(path) => set(&mut draft.traits, path, value)?,
            Target::Context(path) => set(&mut draft.context, path, value)?,
        }
        Ok(())
    }

    fn finished(&self, draft: Draft, row: &Row) -> Result<Value, Wrong> {
        let (kind, event, at) = match &self.subject {
            Subject::Events { event } => {
                let event = draft.event.or_else(|| event.clone());
                let kind = draft.kind.unwrap_or_else(|| "track".to_owned());
                if kind == "track" && event.is_none() {
                    return Err(Wrong::at(
                        "event",
                        "expected the event's name, such as Order Completed; --event says it for all rows",
                    ));
                }
                (kind, event, draft.at.ok_or_else(|| Wrong::at("timestamp", format!("expected {INSTANT}, found nothing")))?)
            }
            Subject::Traits { at } => {
                if draft.traits.is_null() {
                    return Err(Wrong::whole("expected a value of a trait, found none"));
                }
                ("identify".to_owned(), None, draft.at.unwrap_or(*at))
            }
        };
        if !TYPES.contains(&kind.as_str()) {
            return Err(Wrong::at("type", format!("expected one of {}, found `{}`", TYPES.join(", "), shown(&kind))));
        }
        if draft.user.is_none() && draft.anonymous.is_none() {
            return Err(Wrong::at("userId", "expected whose the row is: a userId or an anonymousId, found neither"));
        }
        let message = match (draft.message, &draft.row) {
            (Some(message), _) => message,
            (None, Some(id)) => {
                id_of(&[b"row", self.source.as_bytes(), event.as_deref().unwrap_or(&kind).as_bytes(), id.as_bytes()])
            }
            (None, None) => self.id_by_place(row),
        };
        let mut line = Map::new();
        let mut say = |name: &str, value: Option<Value>| {
            if let Some(value) = value.filter(|value| !value.is_null()) {
                line.insert(name.to_owned(), value);
            }
        };
        say("messageId", Some(message.into()));
        say("type", Some(kind.into()));
        say("event", event.map(Value::from));
        say("name", draft.name.map(Value::from));
        say("userId", draft.user.map(Value::from));
        say("anonymousId", draft.anonymous.map(Value::from));
        say("previousId", draft.previous.map(Value::from));
        say("groupId", draft.group.map(Value::from));
        say("timestamp", Some(at.into()));
        say("properties", Some(draft.properties));
        say("traits", Some(draft.traits));
        say("context", Some(draft.context));
        Ok(Value::Object(line))
    }

    /// An id that the same row of the same source always has: of what it says and which row it is.
    fn id_by_place(&self, row: &Row) -> String {
        let number = row.number.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"place", self.source.as_bytes(), &number];
        match &row.content {
            Content::Cells(cells) => parts.extend(cells.iter()),
            Content::Line(line) | Content::TooLong(line) => parts.push(line),
        }
        id_of(&parts)
    }
}

/// What a row says so far.
#[derive(Default)]
struct Draft {
    kind: Option<String>,
    event: Option<String>,
    name: Option<String>,
    user: Option<String>,
    anonymous: Option<String>,
    previous: Option<String>,
    group: Option<String>,
    at: Option<i64>,
    message: Option<String>,
    row: Option<String>,
    properties: Value,
    traits: Value,
    context: Value,
}

/// What a column is by its own name. A CRM's are traits.
fn own_name(name: &str, subject: &Subject) -> Result<Target, String> {
    match (Target::read(name, subject), subject) {
        (Ok(target), _) => Ok(target),
        (Err(_), Subject::Traits { .. }) => Ok(Target::Trait(name.split('.').map(str::to_owned).collect())),
        (Err(_), Subject::Events { .. }) => Err(format!(
            "`{name}` is none of an event's fields: --map {name}=properties.{name} makes it a property, --map {name}= leaves it out"
        )),
    }
}

/// Why JSON can't be read, without the place, which is counted from the line's beginning.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// 32 hex digits of parts that can't run into one another.
fn id_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Takes a field out of an object by its name, or by its path.
fn take(object: &mut Map<String, Value>, path: &str) -> Option<Value> {
    if let Some(value) = object.remove(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    take(object.get_mut(first)?.as_object_mut()?, rest)
}

/// Puts a value at a path: objects by name, lists by number.
fn set(into: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        *into = value;
        return Ok(());
    };
    if is_index(first) && !into.is_object() {
        if into.is_null() {
            *into = Value::Array(Vec::new());
        }
        let list =
            into.as_array_mut().ok_or_else(|| format!("`{first}` is in a list, and another column says there is none"))?;
        let index: usize = first.parse().map_err(|_| format!("`{first}` is no place in a list"))?;
        if index == list.len() {
            list.push(Value::Null);
        }
        let place =
            list.get_mut(index).ok_or_else(|| format!("expected a value of the one before {index} too: lists have no gaps"))?;
        return set(place, rest, value);
    }
    if into.is_null() {
        *into = Value::Object(Map::new());
    }
    let object = into
        .as_object_mut()
        .ok_or_else(|| format!("`{first}` is below a value that another column says is none to be below of"))?;
    set(object.entry(first.clone()).or_insert(Value::Null), rest, value)
}
