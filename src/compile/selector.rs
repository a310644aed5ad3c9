//! CSS selectors that the edge's rewriter knows: it sees each element once, as the page streams by, and nothing behind it.
//!
//! Known: type, `*`, `#id`, `.class`, `[attribute]` with every operator and flag, descendants, `>`, lists with commas,
//! `:first-child`, `:first-of-type`, `:nth-child()`, `:nth-of-type()` and `:not()`. A test holds this against lol_html,
//! which workerd's HTMLRewriter is.

use crate::diagnostic::nearest;
use crate::expr::ExprError;
use crate::text::cut_at;

/// Says what is wrong with a selector, if the rewriter could not use it.
pub(super) fn check(selector: &str) -> Result<(), ExprError> {
    types(selector).map(|_| ())
}

/// Says what is wrong with a selector, if a browser could not use it in a document.
pub(super) fn check_of_document(selector: &str) -> Result<(), ExprError> {
    read(selector, true).map(|_| ())
}

/// The types (tags) of the elements that a selector finds, lower case, as far as it names them.
pub(super) fn types(selector: &str) -> Result<Vec<String>, ExprError> {
    read(selector, false)
}

fn read(selector: &str, in_document: bool) -> Result<Vec<String>, ExprError> {
    let mut parser = Parser { text: selector, at: 0, last: "", types: Vec::new(), in_document, in_has: false };
    parser.list(0, false)?;
    if parser.at < selector.len() {
        return Err(parser.error("this is not the end of a selector"));
    }
    Ok(parser.types)
}

/// The selectors of a list, each in one spelling: however it is spaced, quoted or capitalised where that means nothing.
pub(super) fn parts(selector: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quote, mut bracket, mut depth) = (None, false, 0);
    let mut spaced = false;
    let mut chars = selector.trim().chars().peekable();
    while let Some(c) = chars.next() {
        let Some(part) = parts.last_mut() else { break };
        if quote.is_some() {
            quote = quote.filter(|quote| *quote != c);
            part.push(if quote.is_none() { '"' } else { c });
            continue;
        }
        if c.is_ascii_whitespace() {
            spaced = true;
            continue;
        }
        // Within brackets, and around signs, space means nothing.
        let sign = |c: char| matches!(c, '>' | ',' | '(' | ')' | '+');
        if spaced && !part.is_empty() && !bracket && !sign(c) && !part.ends_with(|c| sign(c) && c != ')') {
            part.push(' ');
        }
        spaced = false;
        match c {
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '"' | '\'' => {
                quote = Some(c);
                part.push('"');
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            '[' | ']' => bracket = c == '[',
            _ => {}
        }
        part.push(c);
        // A value without quotes gets them.
        if c == '=' && bracket {
            while chars.next_if(char::is_ascii_whitespace).is_some() {}
            if chars.peek().is_some_and(|next| !matches!(next, '"' | '\'')) {
                part.push('"');
                while let Some(next) = chars.next_if(|next| *next != ']' && !next.is_ascii_whitespace()) {
                    part.push(next);
                }
                part.push('"');
            }
        }
    }
    parts
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The type of the compound that was read last.
    last: &'a str,
    types: Vec<String>,
    /// Whether it is for a browser, which has the whole document; not for the edge.
    in_document: bool,
    /// Within `:has()`.
    in_has: bool,
}

/// The deepest nesting of `:not()`.
const MAX_DEPTH: usize = 8;

/// What browsers know of elements without more words. Those that say what a mouse does are no places.
const STATES: &[&str] = &[
    "any-link",
    "checked",
    "default",
    "defined",
    "disabled",
    "empty",
    "enabled",
    "first-child",
    "first-of-type",
    "last-child",
    "last-of-type",
    "link",
    "only-child",
    "only-of-type",
    "optional",
    "read-only",
    "read-write",
    "required",
    "root",
    "target",
];

type Outcome = Result<(), ExprError>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.at += if found { expected.len_utf8() } else { 0 };
        found
    }

    fn space(&mut self) -> bool {
        let start = self.at;
        while let Some(c @ (' ' | '\t' | '\n' | '\r' | '\u{c}')) = self.peek() {
            self.at += c.len_utf8();
        }
        self.at > start
    }

    fn error(&self, message: &str) -> ExprError {
        let end = self.at + self.peek().map_or(1, char::len_utf8);
        ExprError::new(self.at..end, format!("in the selector: {message}"))
    }

    fn unsupported(&self, start: usize, what: &str) -> ExprError {
        let span = start..self.at.max(start + 1);
        if self.in_document {
            return ExprError::new(span, format!("in the selector: {what} can't be used to find elements"));
        }
        ExprError::new(span, format!("the edge can't use {what}: it sees a page's elements once, as they stream by"))
            .with_help(Some("give the element an id or a class, or use :nth-child(), :first-child, :not() and >".to_owned()))
    }

    /// `relative`: whether each may begin with how it stands to the element, as in `:has(> img)`.
    fn list(&mut self, depth: usize, relative: bool) -> Outcome {
        loop {
            self.space();
            if relative && (self.take('>') || self.take('+') || self.take('~')) {
                self.space();
            }
            self.complex(depth)?;
            if depth == 0 && !self.last.is_empty() {
                self.types.push(self.last.to_ascii_lowercase());
            }
            self.space();
            if !self.take(',') {
                return Ok(());
            }
        }
    }

    fn complex(&mut self, depth: usize) -> Outcome {
        loop {
            self.compound(depth)?;
            let spaced = self.space();
            match self.peek() {
                None | Some(',' | ')') => return Ok(()),
                Some('>') => {
                    self.at += 1;
                    self.space();
                }
                Some(c @ ('+' | '~')) => {
                    let start = self.at;
                    self.at += 1;
                    if self.in_document {
                        self.space();
                        continue;
                    }
                    return Err(self.unsupported(start, &format!("the combinator {c}")));
                }
                Some(_) if spaced => {}
                Some(_) => return Err(self.error("unexpected character")),
            }
        }
    }

    /// A name: not beginning with a digit, nor with a dash and a digit.
    fn name(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut chars = rest.chars();
        let first = chars.next();
        let may_escape = self.in_document;
        let is_start = |c: char| is_name_start(c) || may_escape && c == '\\';
        let starts = match first {
            Some('-') => chars.next().is_some_and(|c| c == '-' || is_start(c)),
            Some(c) => is_start(c),
            None => false,
        };
        if !starts {
            return false;
        }
        let mut escaped = false;
        let ends = |c: char| {
            let goes_on = if escaped { c != '\n' } else { is_start(c) || c.is_ascii_digit() || c == '-' };
            escaped = !escaped && c == '\\';
            !goes_on
        };
        let len = rest.find(ends).unwrap_or(rest.len());
        // Nothing is escaped by what ends there.
        self.at += if escaped { 0 } else { len };
        !escaped
    }

    fn compound(&mut self, depth: usize) -> Outcome {
        let start = self.at;
        if !self.take('*') {
            self.name();
        }
        let text: &'a str = self.text;
        let own = text.get(start..self.at).unwrap_or_default();
        loop {
            let part = self.at;
            match self.peek() {
                Some('#' | '.') => {
                    self.at += 1;
                    if !self.name() {
                        return Err(self.error("expected a name"));
                    }
                }
                Some('[') => self.attribute()?,
                Some(':') => self.pseudo(part, depth)?,
                Some('\\') => return Err(self.unsupported(part, "escapes in names")),
                Some('|') => return Err(self.unsupported(part, "namespaces")),
                _ => break,
            }
        }
        // Behind the parts: a `:not()` among them has compounds of its own.
        self.last = own;
        if self.at == start { Err(self.error("expected a tag, #id, .class or [attribute]")) } else { Ok(()) }
    }

    fn attribute(&mut self) -> Outcome {
        self.at += 1;
        self.space();
        if !self.name() {
            return Err(self.error("expected the name of an attribute"));
        }
        self.space();
        if self.take(']') {
            return Ok(());
        }
        if let Some('~' | '|' | '^' | '$' | '*') = self.peek() {
            self.at += 1;
        }
        if !self.take('=') {
            return Err(self.error("expected = or ]"));
        }
        self.space();
        match self.peek() {
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                let rest = self.text.get(self.at..).unwrap_or_default();
                match rest.find([quote, '\\', '\n']) {
                    Some(end) if rest.get(end..).is_some_and(|rest| rest.starts_with(quote)) => self.at += end + 1,
                    _ => return Err(self.error("expected a closing quote, and no escapes before it")),
                }
            }
            _ if self.name() => {}
            _ => return Err(self.error("expected a value; put it in quotes")),
        }
        self.space();
        if let Some('i' | 'I' | 's' | 'S') = self.peek() {
            self.at += 1;
            self.space();
        }
        if self.take(']') { Ok(()) } else { Err(self.error("expected ]")) }
    }

    fn pseudo(&mut self, start: usize, depth: usize) -> Outcome {
        self.at += 1;
        if self.take(':') {
            self.name();
            return Err(self.unsupported(start, "pseudo-elements"));
        }
        let name_start = self.at;
        self.name();
        let name = self.text.get(name_start..self.at).unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "first-child" | "first-of-type" => Ok(()),
            state if self.in_document && STATES.contains(&state) => Ok(()),
            "nth-last-child" | "nth-last-of-type" | "is" | "where" | "has" if !self.in_document => {
                Err(self.unsupported(start, &format!("`:{name}`")))
            }
            "has" if self.in_has => Err(self.error(":has() can't stand in :has()")),
            "nth-child" | "nth-of-type" | "nth-last-child" | "nth-last-of-type" | "not" | "is" | "where" | "has"
                if self.take('(') =>
            {
                if !name.starts_with("nth") {
                    if depth > MAX_DEPTH {
                        return Err(self.error(&format!(":{name}() is nested too deep")));
                    }
                    let outer = self.in_has;
                    self.in_has |= name == "has";
                    self.list(depth + 1, name == "has")?;
                    self.in_has = outer;
                } else {
                    self.nth()?;
                }
                self.space();
                if self.take(')') { Ok(()) } else { Err(self.error("expected )")) }
            }
            _ => {
                let error = self.unsupported(start, &format!("`:{name}`"));
                let hint = if self.in_document { nearest(&name, STATES.iter().copied()) } else { None };
                Err(if hint.is_some() { error.with_help(hint) } else { error })
            }
        }
    }

    /// `odd`, `even`, `3`, `2n`, `-n+3`, `2n + 1`.
    fn nth(&mut self) -> Outcome {
        self.space();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let inner: String = rest.split(')').next().unwrap_or_default().trim().to_ascii_lowercase();
        // One space on each side of a sign says nothing.
        let sign = |sign: &str| cut_at(&inner, sign).map(|(step, offset)| [step, sign.trim(), offset].concat());
        let compact = sign(" + ").or_else(|| sign(" - ")).unwrap_or(inner);
        let is_int = |text: &str| {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        let good = match compact.split_once('n') {
            _ if matches!(compact.as_str(), "odd" | "even") => true,
            None => is_int(&compact),
            Some((a, b)) => {
                (matches!(a, "" | "+" | "-") || is_int(a)) && (b.is_empty() || (b.starts_with(['+', '-']) && is_int(b)))
            }
        };
        if !good {
            return Err(self.error("expected odd, even, a number, or a pattern such as 2n+1"));
        }
        self.at += rest.find(')').unwrap_or(rest.len());
        Ok(())
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::{check, check_of_document, parts, types};

    /// What lol_html, the rewriter inside workerd, says of a selector.
    fn rewriter_knows(selector: &str) -> bool {
        selector.parse::<lol_html::Selector>().is_ok()
    }

    #[test]
    fn one_selector_has_one_spelling() {
        for (one, other) in [
            (" header   h1 ", "header h1"),
            ("nav > ul>li", "nav>ul > li"),
            ("a[ href = '/x' ]", "a[href=\"/x\"]"),
            ("a[href=x]", "a[href='x']"),
            ("a[ href = x i ]", "a[href='x'i]"),
            ("a[href^='/a  b'] b", "a[href^=\"/a  b\"]  b"),
            ("li:nth-child( 2n + 1 ) a", "li:nth-child(2n+1) a"),
            ("p:not( .a , .b ), q", "p:not(.a,.b),q"),
        ] {
            assert_eq!(parts(one), parts(other), "{one} and {other}");
        }
        for (one, other) in [
            ("header h1", "header > h1"),
            ("a[x='a b']", "a[x='ab']"),
            ("a[x='a  b']", "a[x='a b']"),
            ("p .a", "p.a"),
            ("p:not(.a) b", "p:not(.a)b"),
            ("p[x] [y]", "p[x][y]"),
            ("p :not(q)", "p:not(q)"),
        ] {
            assert_ne!(parts(one), parts(other), "{one} and {other}");
        }
        assert_eq!(parts("a, b > c ,p:not(d, e)"), ["a", "b>c", "p:not(d,e)"]);
    }

    #[test]
    fn a_browser_has_the_whole_document() {
        for selector in [
            "h1 + p",
            "h1 ~ p > a",
            "ul > li:last-child",
            "li:nth-last-child(2n + 1)",
            ":is(h1, h2) a",
            "main:where(.a, .b)",
            "section:has(> img)",
            "section:has(+ section, .x > b):not(:has(a))",
            "input:checked",
            ":root",
            ".md\\:flex",
            "#\\31 a",
        ] {
            assert_eq!(check_of_document(selector), Ok(()), "{selector}");
            assert!(check(selector).is_err(), "{selector}");
        }
        for selector in [
            "",
            "p >",
            "p + + a",
            "+ p",
            "p::before",
            "p:hoover",
            "p:hover",
            "svg|a",
            "p:has()",
            "p:has(a:has(b))",
            "p:is(> a)",
            "p:has(:is(> a))",
            "p:nth-last-child(x)",
            ".a\\",
            "{{ geo.country }}",
        ] {
            assert!(check_of_document(selector).is_err(), "{selector}");
        }
    }

    #[test]
    fn names_the_elements_that_it_finds() {
        assert_eq!(types("head > SCRIPT.x:not(p), #y, a style , *"), Ok(vec!["script".into(), "style".into(), "*".into()]));
    }

    #[test]
    fn agrees_with_the_rewriter() {
        let known = [
            "*",
            "p",
            "header h1",
            "nav > ul>li",
            "#main",
            ".a.b#c",
            "p.lead",
            "[hidden]",
            "a[href='/x']",
            "a[ href = x i ]",
            "a[href^=\"/\"]",
            "a[x~='y']",
            "a[x|='y']",
            "a[x$='y' s]",
            "a[x*='y']",
            "li:nth-child(2)",
            "li:nth-child(2n + 1)",
            "li:nth-child(-n+3)",
            "li:nth-of-type(odd)",
            "p:first-child",
            "p:first-of-type",
            "p:not(.x)",
            "p:not(.x):not(#y)",
            "h1, h2 , .x > b",
            "my-tag.été",
            "  p  ",
            ".-x",
            "p:not(.a, .b)",
            "p:not([x='y'])",
            ":not(:not(p))",
        ];
        for selector in known {
            assert!(rewriter_knows(selector), "the rewriter refuses {selector}");
            assert_eq!(check(selector), Ok(()), "{selector}");
        }
        let refused = [
            "",
            " ",
            ">",
            "p >",
            "p > > a",
            ",",
            "p,",
            ",p",
            "p + a",
            "p ~ a",
            "p:last-child",
            "p:hover",
            "p::before",
            ":is(p)",
            "p:has(a)",
            "p:nth-last-child(1)",
            "p:empty",
            "p:only-child",
            "p:nth-child()",
            "p:nth-child(x)",
            "p:not()",
            "p:not(",
            "[",
            "[]",
            "[x",
            "[x=]",
            "[x='y]",
            "#",
            ".",
            ".1",
            "#1a",
            "1p",
            "p!",
            "p{",
            "a|b",
            "p)",
            "p:nth-child(2",
            "a[x?='y']",
            "p[x=1]",
        ];
        let mut stricter = Vec::new();
        for selector in refused {
            assert!(check(selector).is_err(), "{selector}");
            if rewriter_knows(selector) {
                stricter.push(selector);
            }
        }
        // CSS closes what is open at the end; a person has more likely forgotten something.
        assert_eq!(stricter, ["[x", "[x='y]", "p:nth-child(2"]);
    }
}
