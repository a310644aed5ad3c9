//! Where in a piece of HTML a value would stand (HTML standard, section 13.2.5, reduced to what tells places apart).

use crate::text::{Cut, contains};

/// A place in HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HtmlPlace {
    /// Text between tags.
    Text,
    /// The quoted value of an attribute, up to here.
    Attribute { name: String, value: String },
    /// Somewhere a value could become code or markup.
    Forbidden(&'static str),
}

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttributeKind {
    Plain,
    Url,
    /// Code, markup, a list of URLs, a rule of security, or unknown.
    Code,
}

/// Attributes that are known to be words or numbers; of others nobody can say what a browser makes of them.
const PLAIN: [&str; 26] = [
    "abbr",
    "alt",
    "class",
    "colspan",
    "datetime",
    "dir",
    "headers",
    "height",
    "label",
    "lang",
    "max",
    "maxlength",
    "min",
    "minlength",
    "placeholder",
    "role",
    "rows",
    "rowspan",
    "span",
    "start",
    "step",
    "summary",
    "tabindex",
    "title",
    "value",
    "width",
];

/// Of those the ones that are shown or read out to people, and that no script takes for data of its own.
const READ_TO_PEOPLE: [&str; 5] = ["alt", "aria-label", "placeholder", "title", "value"];

const URLS: [&str; 12] = [
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "itemid",
    "longdesc",
    "manifest",
    "poster",
    "src",
    "xlink:href",
];

/// Elements whose content is code or shown as it is: no edit puts text or markup into them.
pub(super) const RAW: [&str; 8] = ["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"];

/// Elements that have no content (HTML standard, section 13.1.2).
pub(super) const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

pub(super) fn attribute(name: &str) -> AttributeKind {
    let name = name.to_ascii_lowercase();
    if PLAIN.contains(&name.as_str()) || name.starts_with("data-") || name.starts_with("aria-") {
        AttributeKind::Plain
    } else if URLS.contains(&name.as_str()) {
        AttributeKind::Url
    } else {
        AttributeKind::Code
    }
}

/// Whether an attribute is there for people alone.
pub(super) fn is_read_to_people(name: &str) -> bool {
    READ_TO_PEOPLE.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn is_attribute_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    first && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b))
}

/// Whether the start of a URL fixes where it leads, so that percent-encoded text behind it can't lead elsewhere.
pub(super) fn is_fixed_origin(before: &str) -> bool {
    // Browsers drop control characters and decode entities: neither may hide a scheme.
    if before.chars().any(char::is_control) || before.split('?').next().unwrap_or_default().has(b'&') {
        return false;
    }
    let start = before.trim_start();
    let ends_authority = |rest: &str| rest.find(['/', '?', '#']).is_some_and(|at| at > 0) && !rest.has(b'\\');
    let lower = start.to_ascii_lowercase();
    if let Some(rest) =
        lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).or_else(|| lower.strip_prefix("//"))
    {
        return ends_authority(rest);
    }
    // A relative URL: no scheme before its first separator, and no second slash at its start.
    let Some(separator) = start.find(['/', '?', '#', '\\']) else { return false };
    let head = start.get(..separator).unwrap_or_default();
    let tail = start.get(separator..).unwrap_or_default();
    let leaves = tail.starts_with('\\') || (head.is_empty() && tail.starts_with("/\\"));
    !leaves && !head.has(b':')
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Text,
    /// Behind `<`.
    TagOpen,
    TagName(String),
    InTag,
    AttributeName(String),
    AfterAttributeName(String),
    BeforeValue(String),
    Quoted {
        name: String,
        quote: char,
        value: String,
    },
    Unquoted,
    Comment,
    /// Inside an element whose text is code or is shown as it is.
    Raw(String),
}

/// Follows a piece of HTML and tells what stands at its end.
#[derive(Debug)]
pub(super) struct Scanner {
    state: State,
    tag: String,
    /// The text since the last markup, for the ends of comments and raw elements.
    recent: String,
}

impl Scanner {
    pub(super) fn new() -> Scanner {
        Scanner { state: State::Text, tag: String::new(), recent: String::new() }
    }

    pub(super) fn place(&self) -> HtmlPlace {
        match &self.state {
            State::Text => HtmlPlace::Text,
            State::Quoted { name, value, .. } => HtmlPlace::Attribute { name: name.clone(), value: value.clone() },
            State::TagOpen | State::TagName(_) => HtmlPlace::Forbidden("the name of a tag"),
            State::InTag | State::AttributeName(_) | State::AfterAttributeName(_) => {
                HtmlPlace::Forbidden("the name of an attribute")
            }
            State::BeforeValue(_) | State::Unquoted => HtmlPlace::Forbidden("an attribute's value without quotes"),
            State::Comment => HtmlPlace::Forbidden("a comment"),
            State::Raw(name) if name == "script" => HtmlPlace::Forbidden("a script"),
            State::Raw(name) if name == "style" => HtmlPlace::Forbidden("a style sheet"),
            State::Raw(_) => HtmlPlace::Forbidden("an element whose text is not markup"),
        }
    }

    pub(super) fn feed(&mut self, text: &str) {
        for c in text.chars() {
            let state = std::mem::replace(&mut self.state, State::Text);
            self.state = self.step(state, c);
        }
    }

    fn step(&mut self, state: State, c: char) -> State {
        match state {
            State::Text => {
                if c == '<' {
                    State::TagOpen
                } else {
                    State::Text
                }
            }
            State::TagOpen => match c {
                '!' | '?' => {
                    self.recent.clear();
                    State::Comment
                }
                '/' => State::TagName("/".to_owned()),
                c if c.is_ascii_alphabetic() => State::TagName(c.to_ascii_lowercase().to_string()),
                '<' => State::TagOpen,
                _ => State::Text,
            },
            State::TagName(mut name) => match c {
                '>' => {
                    self.tag = name;
                    self.end_of_tag()
                }
                '/' | ' ' | '\t' | '\n' | '\r' | '\u{c}' => {
                    self.tag = name;
                    State::InTag
                }
                c => {
                    name.push(c.to_ascii_lowercase());
                    State::TagName(name)
                }
            },
            State::InTag => match c {
                '>' => self.end_of_tag(),
                '/' => State::InTag,
                c if c.is_whitespace() => State::InTag,
                c => State::AttributeName(c.to_string()),
            },
            State::AttributeName(mut name) => match c {
                '>' => self.end_of_tag(),
                '/' => State::InTag,
                '=' => State::BeforeValue(name),
                c if c.is_whitespace() => State::AfterAttributeName(name),
                c => {
                    name.push(c);
                    State::AttributeName(name)
                }
            },
            State::AfterAttributeName(name) => match c {
                '>' => self.end_of_tag(),
                '/' => State::InTag,
                '=' => State::BeforeValue(name),
                c if c.is_whitespace() => State::AfterAttributeName(name),
                c => State::AttributeName(c.to_string()),
            },
            State::BeforeValue(name) => match c {
                '>' => self.end_of_tag(),
                '"' | '\'' => State::Quoted { name, quote: c, value: String::new() },
                c if c.is_whitespace() => State::BeforeValue(name),
                _ => State::Unquoted,
            },
            State::Quoted { name, quote, mut value } => {
                if c == quote {
                    return State::InTag;
                }
                value.push(c);
                State::Quoted { name, quote, value }
            }
            State::Unquoted => match c {
                '>' => self.end_of_tag(),
                c if c.is_whitespace() => State::InTag,
                _ => State::Unquoted,
            },
            State::Comment => {
                self.recent.push(c);
                // `<!-- ... -->`; other declarations end at the first `>`.
                let over =
                    if self.recent.starts_with("--") { self.recent.len() > 2 && self.recent.ends_with("->") } else { c == '>' };
                if over { State::Text } else { State::Comment }
            }
            State::Raw(name) => {
                let closes = self.recent.ends_with(&format!("</{name}"));
                // `<!--` in a script makes a later `<script>` hide the `</script>` behind it: nothing behind it is taken for
                // text again.
                let hidden = name == "script" && contains(&self.recent, "<!--");
                if closes && !hidden && matches!(c, '>' | '/' | ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                    self.tag = format!("/{name}");
                    return if c == '>' { self.end_of_tag() } else { State::InTag };
                }
                self.recent.push(c.to_ascii_lowercase());
                State::Raw(name)
            }
        }
    }

    fn end_of_tag(&mut self) -> State {
        self.recent.clear();
        let tag = std::mem::take(&mut self.tag);
        if RAW.contains(&tag.as_str()) { State::Raw(tag) } else { State::Text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(html: &str) -> HtmlPlace {
        let mut scanner = Scanner::new();
        scanner.feed(html);
        scanner.place()
    }

    #[test]
    fn tells_places_apart() {
        assert_eq!(place("<p class=x>Hello <b>"), HtmlPlace::Text);
        assert_eq!(place("a < b and "), HtmlPlace::Text);
        assert_eq!(place("<!-- x > --> "), HtmlPlace::Text);
        assert_eq!(place("<script>a</script>"), HtmlPlace::Text);
        assert_eq!(place("<STYLE>a</Style\n>"), HtmlPlace::Text);
        let attribute = |name: &str, value: &str| HtmlPlace::Attribute { name: name.into(), value: value.into() };
        assert_eq!(place("<a href='/x?q="), attribute("href", "/x?q="));
        assert_eq!(place("<a title = \"don't "), attribute("title", "don't "));
        for forbidden in [
            "<",
            "<a ",
            "<a href=",
            "<a href=x",
            "<script>",
            "<style>p{color:",
            "<!-- ",
            "<!-- x --",
            "</p ",
            "<noscript><p>",
            "<script></scrip",
            "<script></scriptfoo>",
            "<script>x</script",
            "<style></stylesheet>",
            "<script><!-- <script> </script> ",
        ] {
            assert!(matches!(place(forbidden), HtmlPlace::Forbidden(_)), "{forbidden}");
        }
    }

    #[test]
    fn urls_need_a_start_that_fixes_where_they_lead() {
        for good in
            ["/", "/search?q=", "https://shop.example/", "http://a?x=", "//cdn.example/x/", "images/", "?q=", "#", "/a&b?c&d="]
        {
            assert_eq!(is_fixed_origin(good), !good.contains("/a&b"), "{good}");
        }
        for bad in [
            "",
            "x",
            "//",
            "https://",
            "https://shop.example",
            "javascript:/",
            "java\tscript:/",
            "data:text/html,/",
            "\\/",
            "/\\",
            "//a\\b/",
            "javascript&colon;/",
        ] {
            assert!(!is_fixed_origin(bad), "{bad}");
        }
    }
}
