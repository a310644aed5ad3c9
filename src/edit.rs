//! Edits: what a decision does to a page, as plain data. The Worker's rewriter and the browser's DOM give it its effect.

use crate::context::{Context, Field, Value};
use crate::decide::{Decisions, named};
use crate::eval::utf8;
use crate::number::push_int;
use crate::program::layout::PartKind;
use crate::program::{Part, Program};
use crate::text::{Cut, join, push, push_hex};
use crate::url;

named! {
    /// What an edit does to every element of its slot.
    EditOp {
        /// Replaces the content by plain text.
        Text "text",
        /// Replaces the content by HTML, in which interpolated values are already escaped.
        Html "html",
        /// Sets the attribute `name`.
        Attribute "attribute",
        /// Removes the attribute `name`.
        RemoveAttribute "remove_attribute",
        /// Adds the class `value`.
        ClassAdd "class_add",
        /// Removes the class `value`.
        ClassRemove "class_remove",
        /// Hides the element: `hidden` and `display: none !important`.
        Hide "hide",
        /// Gives front-end code the JSON text `value`; touches no element.
        Json "json",
        /// Sends the visitor to the URL `value`; touches no element.
        Redirect "redirect",
        /// Shows the origin's page at the path `value` instead; touches no element.
        Page "page",
        /// Replaces the element itself by HTML.
        Replace "replace",
        /// Inserts HTML before the element.
        Before "before",
        /// Inserts HTML behind the element.
        After "after",
        /// Inserts HTML as the element's first content.
        First "first",
        /// Inserts HTML as the element's last content.
        Last "last",
        /// Removes the element.
        Remove "remove",
        /// Inserts the HTML that the origin has at the path `value`, in the place `name`: `content`, or as the operations are
        /// called that insert HTML.
        Fragment "fragment",
        /// Moves the element to the place `name` (`before`, `after`, `first` or `last`) of the first that the selector `value` finds.
        Move "move",
        /// Brings the element's children into an order: those that the selectors of the JSON list `value` find come first.
        Reorder "reorder",
    }
}

impl EditOp {
    pub(crate) fn from_code(code: u32) -> Option<EditOp> {
        EditOp::ALL.get(code as usize).copied()
    }

    /// Whether only the document can do it: the edge sees a page's elements once, as they stream by.
    pub fn is_of_document(self) -> bool {
        matches!(self, EditOp::Move | EditOp::Reorder)
    }
}

/// One change to the elements of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit<'a> {
    /// The slot's number in the program.
    pub slot: u32,
    /// The slot's CSS selector; empty where it has no element, or is handed to the page's own code.
    pub selector: &'a str,
    /// What it does.
    pub op: EditOp,
    /// The attribute's name, or the place of a fragment or a move; empty for other operations.
    pub name: &'a str,
    /// The value, interpolated.
    pub value: String,
}

/// The edits of a page's decisions, in the order of its slots.
pub fn edits<'a>(program: &'a Program, context: &Context, decisions: &Decisions) -> Vec<Edit<'a>> {
    let mut edits = Vec::new();
    for decision in &decisions.slots {
        let Some(content) = decision.content else { continue };
        for (op, name, parts) in program.content(content) {
            let mut value = String::new();
            for part in parts {
                match part {
                    Part::Literal(text) => value.push_str(text),
                    Part::Field { field, kind, default } => match context.get(field) {
                        Some(shown) => escape(kind, &display(shown), &mut value),
                        None => escape(kind, default.unwrap_or_default(), &mut value),
                    },
                }
            }
            if op == EditOp::Redirect && !lead_away(&mut value, context) {
                continue;
            }
            let selector = program.slot_selector(decision.slot).unwrap_or_default();
            edits.push(Edit { slot: decision.slot, selector, op, name, value });
        }
    }
    edits
}

/// Whether the contents that were decided show something of the visitor alone: a value that stands under a consent, or of a
/// profile, or the address that they come from. What does is kept by nobody, whatever its value turns out to be.
#[cfg(feature = "explain")]
pub fn shows_visitor(program: &Program, decisions: &Decisions) -> bool {
    let is_visitors = |field: u32| {
        let path = program.field_path(field);
        program.field_purpose(field).is_some()
            || ["profile.", "visitor.", "network.ip"].iter().any(|beginning| path.starts_with(beginning))
    };
    let contents = decisions.slots.iter().filter_map(|decision| decision.content);
    contents
        .flat_map(|content| program.content(content))
        .flat_map(|(_, _, parts)| parts)
        .any(|part| matches!(part, Part::Field { field, .. } if is_visitors(field)))
}

/// Lets a redirect's target take the page's query along, unless it has one; whether it leads to another page at all.
#[inline(never)]
fn lead_away(target: &mut String, context: &Context) -> bool {
    let url = context.text(Field::PageUrl).unwrap_or_default();
    let (address, query) = match url.cut(b'?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let whole = std::mem::take(target);
    let (path, fragment) = match whole.cut(b'#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (whole.as_str(), None),
    };
    target.push_str(path);
    if let Some(query) = query
        && !target.has(b'?')
    {
        push(target, b'?');
        target.push_str(query);
    }
    // The page itself: written out, or from its path on.
    let own = url.strip_suffix(target.as_str()).is_some_and(|before| {
        before.is_empty() || target.starts_with("/") && address.strip_suffix(context.path()) == Some(before)
    });
    if let Some(fragment) = fragment {
        push(target, b'#');
        target.push_str(fragment);
    }
    !own
}

/// A value as people read it. The compiler refuses doubles here: their text costs more code than it is worth.
#[inline(never)]
pub(crate) fn display(value: &Value) -> String {
    match value {
        Value::Bool(value) => (if *value { "true" } else { "false" }).to_owned(),
        Value::Int(value) => {
            let mut text = String::new();
            push_int(&mut text, *value);
            text
        }
        Value::Double(_) | Value::Timestamp(_) | Value::Map(_) => String::new(),
        Value::String(value) => value.clone(),
        Value::Strings(values) => join(values.iter().map(String::as_str), ", "),
    }
}

#[inline(never)]
fn escape(kind: PartKind, text: &str, out: &mut String) {
    match kind {
        PartKind::Literal | PartKind::Plain => out.push_str(text),
        PartKind::Html => {
            let mut html = Vec::new();
            for byte in text.bytes() {
                html.extend_from_slice(match byte {
                    b'&' => b"&amp;",
                    b'<' => b"&lt;",
                    b'>' => b"&gt;",
                    b'"' => b"&quot;",
                    b'\'' => b"&#39;",
                    _ => std::slice::from_ref(&byte),
                });
            }
            out.push_str(utf8(&html));
        }
        PartKind::Url => url::encode(text, out),
        PartKind::Json => json_string(text, out),
    }
}

/// Escapes text for the inside of a JSON string (RFC 8259, section 7), and `<` so that it can stand in a script element.
pub(crate) fn json_string(text: &str, out: &mut String) {
    let mut json = Vec::new();
    for byte in text.bytes() {
        let code = match byte {
            b'<' | 0..=0x1f => u32::from(byte),
            // U+2028 and U+2029, which end a line in JavaScript: their third byte.
            0xa8 | 0xa9 if json.ends_with(&[0xe2, 0x80]) => {
                json.truncate(json.len() - 2);
                0x2028 | u32::from(byte & 1)
            }
            _ => {
                if matches!(byte, b'"' | b'\\') {
                    json.push(b'\\');
                }
                json.push(byte);
                continue;
            }
        };
        let mut escaped = String::from("\\u");
        for shift in [12, 8, 4, 0] {
            push_hex(&mut escaped, (code >> shift) as u8);
        }
        json.extend_from_slice(escaped.as_bytes());
    }
    out.push_str(utf8(&json));
}
