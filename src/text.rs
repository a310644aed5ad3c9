//! Looking for text in text, small: the standard library's own search weighs several kilobytes in the engine, and is made
//! for longer texts than headers.

/// Where `part` first stands in `text`, in bytes. An empty part stands at 0.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some(first) = part.first() else { return Some(0) };
    let last = text.len().checked_sub(part.len())?;
    let mut places = text.iter().take(last + 1).enumerate().filter(|(_, byte)| *byte == first);
    places.find(|(at, _)| text.get(*at..).is_some_and(|rest| rest.starts_with(part))).map(|(at, _)| at)
}

/// Whether `part` stands in `text`.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    find(text.as_bytes(), part.as_bytes()).is_some()
}

/// What is before and behind the first place where `part` stands.
#[cfg(feature = "author")]
pub(crate) fn cut_at<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text.as_bytes(), part.as_bytes())?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

/// Taking texts apart at an ASCII character: the standard library's patterns are each a kilobyte of search.
pub(crate) trait Cut {
    /// What is before and behind the first such character.
    fn cut(&self, sign: u8) -> Option<(&str, &str)>;
    /// What is before and behind the last such character.
    fn cut_last(&self, sign: u8) -> Option<(&str, &str)>;
    /// What is between such characters.
    fn parts(&self, sign: u8) -> Parts<'_>;
    /// Whether there is such a character.
    fn has(&self, sign: u8) -> bool;
}

/// Where such a character first stands. A loop of its own: where code is to be small, the standard library's calls a function for
/// each byte.
#[inline(never)]
pub(crate) fn place(text: &[u8], sign: u8) -> Option<usize> {
    for (at, byte) in text.iter().enumerate() {
        if *byte == sign {
            return Some(at);
        }
    }
    None
}

/// What is before and behind the first such character.
pub(crate) fn cut_bytes(text: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = place(text, sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

impl Cut for str {
    #[inline(never)]
    fn cut(&self, sign: u8) -> Option<(&str, &str)> {
        let at = place(self.as_bytes(), sign)?;
        Some((self.get(..at)?, self.get(at + 1..)?))
    }

    #[inline(never)]
    fn cut_last(&self, sign: u8) -> Option<(&str, &str)> {
        let mut at = self.len();
        loop {
            at = at.checked_sub(1)?;
            if self.as_bytes().get(at) == Some(&sign) {
                return Some((self.get(..at)?, self.get(at + 1..)?));
            }
        }
    }

    fn parts(&self, sign: u8) -> Parts<'_> {
        Parts { rest: Some(self), sign }
    }

    #[inline(never)]
    fn has(&self, sign: u8) -> bool {
        place(self.as_bytes(), sign).is_some()
    }
}

/// See [`Cut::parts`].
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a> {
    rest: Option<&'a str>,
    sign: u8,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    #[inline(never)]
    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let (part, behind) = rest.cut(self.sign).map_or((rest, None), |(part, behind)| (part, Some(behind)));
        self.rest = behind;
        Some(part)
    }
}

/// Appends an ASCII character; once, where the standard library's is there for each use, and for all characters.
#[inline(never)]
pub(crate) fn push(out: &mut String, ascii: u8) {
    out.push(char::from(ascii & 0x7f));
}

/// Appends the hexadecimal digit of the last four bits.
#[inline(never)]
pub(crate) fn push_hex(out: &mut String, digit: u8) {
    let digit = digit & 15;
    push(out, if digit < 10 { b'0' + digit } else { b'a' - 10 + digit });
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' | b'A'..=b'F' => Some((digit | 32) - b'a' + 10),
        _ => None,
    }
}

/// Whether a text is one of those that stand in a list, with `|` between them.
#[inline(never)]
pub(crate) fn is_one_of(text: &str, list: &str) -> bool {
    list.as_bytes().split(|byte| *byte == b'|').any(|one| one == text.as_bytes())
}

/// Whether there is nothing but digits.
#[inline(never)]
pub(crate) fn is_digits(text: &str) -> bool {
    text.as_bytes().iter().all(u8::is_ascii_digit)
}

/// Stands for what is no UTF-8. As a text: to append any character takes more code.
const REPLACEMENT: &str = "\u{fffd}";

/// A text in a message, in quotes and on one line.
#[cfg(feature = "author")]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

#[cfg(feature = "author")]
impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        display_text(self.0, f)
    }
}

/// In WebAssembly all texts are quoted so: the standard library's own code for that knows each of Unicode's characters that can't be
/// printed (see `scripts/lib/trim.mjs`, which knows it by this function's name).
#[cfg(feature = "author")]
#[inline(never)]
fn display_text(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    f.write_str("\"")?;
    for char in text.chars() {
        f.write_str(if char == '"' { "\\" } else { "" })?;
        write!(f, "{}", Visible(char))?;
    }
    f.write_str("\"")
}

/// A character in a message: escaped where it would not be seen, or would change how others are.
#[cfg(feature = "author")]
pub(crate) struct Visible(pub(crate) char);

#[cfg(feature = "author")]
impl std::fmt::Display for Visible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            ' ' => f.write_str(" "),
            '\\' => f.write_str("\\\\"),
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            // Soft hyphens, characters without width, and those that turn the direction of text.
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                escaped(self.0, f)
            }
            char if char.is_control() || char.is_whitespace() => escaped(char, f),
            char => std::fmt::Write::write_char(f, char),
        }
    }
}

#[cfg(feature = "author")]
fn escaped(char: char, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    write!(f, "\\u{{{:x}}}", u32::from(char))
}

/// The text that bytes are, with U+FFFD for what is no UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(good) => {
                text.push_str(good);
                return text;
            }
            Err(error) => error,
        };
        let (good, behind) = rest.split_at_checked(error.valid_up_to()).unwrap_or_default();
        text.push_str(std::str::from_utf8(good).unwrap_or_default());
        text.push_str(REPLACEMENT);
        rest = behind.get(error.error_len().unwrap_or(behind.len())..).unwrap_or_default();
    }
}

/// `text` without white space (Unicode's `White_Space`) at its ends.
#[inline(never)]
pub(crate) fn trim(text: &str) -> &str {
    let (mut start, mut end) = (0, text.len());
    let inside = |start: usize, end: usize| text.as_bytes().get(start..end).unwrap_or_default();
    while space(inside(start, end)) > 0 {
        start += space(inside(start, end));
    }
    // A character of white space has one to three bytes.
    while let Some(length) = (1..4).find(|length| end >= start + length && space(inside(end - length, end)) == *length) {
        end -= length;
    }
    text.get(start..end).unwrap_or_default()
}

/// The length of the white space that stands first, in bytes; 0 when there is none.
fn space(bytes: &[u8]) -> usize {
    match bytes {
        [b'\t'..=b'\r' | b' ', ..] => 1,
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

/// `text` without `www.` before it.
pub(crate) fn without_www(text: &str) -> &str {
    text.strip_prefix("www.").unwrap_or(text)
}

/// The texts with a separator between them.
pub(crate) fn join<'a>(texts: impl Iterator<Item = &'a str>, separator: &str) -> String {
    let mut joined = String::new();
    for (index, text) in texts.enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn trims_what_the_standard_library_trims(text in "[ \\t\\u{85}\\u{a0}\\u{1680}\\u{2000}-\\u{2030}\\u{205f}\\u{3000}\\u{feff}é]{0,5}[a ]{0,2}\\PC{0,3}\\s{0,4}") {
            prop_assert_eq!(trim(&text), text.trim());
        }

        #[test]
        fn finds_what_the_standard_library_finds(text in "[ab]{0,12}", part in "[ab]{0,4}") {
            prop_assert_eq!(find(text.as_bytes(), part.as_bytes()), text.find(&part));
        }

        #[test]
        fn cuts_as_the_standard_library_splits(text in "[abé]{0,8}") {
            prop_assert_eq!(text.cut(b'a'), text.split_once('a'));
            prop_assert_eq!(text.cut_last(b'a'), text.rsplit_once('a'));
            prop_assert_eq!(text.parts(b'a').collect::<Vec<_>>(), text.split('a').collect::<Vec<_>>());
            prop_assert_eq!(text.has(b'a'), text.contains('a'));
        }

        #[test]
        fn reads_bytes_as_the_standard_library_does(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\xe2\x82\xf0\x9f\xc3ab".to_vec())], 0..12)) {
            prop_assert_eq!(lossy(&bytes), String::from_utf8_lossy(&bytes));
        }
    }

    #[cfg(feature = "author")]
    #[test]
    fn shows_what_would_not_be_seen() {
        for text in
            ["", "plain", "a \"b\" 'c' \\ d", "\t\r\n\u{1b}\u{7f}\u{85}", "é💡", "\u{a0}\u{ad}\u{200b}\u{202e}\u{2028}\u{feff}"]
        {
            assert_eq!(Quoted(text).to_string(), format!("{text:?}"));
        }
        assert_eq!(format!("{} {}", Visible('"'), Visible('\u{200f}')), "\" \\u{200f}");
    }

    #[test]
    fn lists() {
        assert!(is_one_of("b", "a|b|c") && is_one_of("c", "a|b|c") && is_one_of("", "|a"));
        assert!(!is_one_of("", "a|b") && !is_one_of("a|b", "a|b") && !is_one_of("ab", "a|b"));
    }
}
