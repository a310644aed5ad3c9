//! The reading of a user agent (or of a brand, or a model): one pass over its words.

use super::words::{
    APP, BOT, BROWSER, CHROMIUM, COMPATIBLE, KIND, LIKE, Meaning, NONE, SAFARI, SYSTEM, TRIDENT, VERSION, WEBVIEW, browser,
    word,
};
use crate::text::push;

/// What was found of a group: its first name (the position in the list), and where the text goes on after the word.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    pub name: Option<u8>,
    pub end: usize,
}

impl Found {
    /// Of two names the one that stands first in the list counts; of the same name twice the one that a number follows.
    fn add(&mut self, name: u8, end: usize, text: &[u8]) {
        let better = match self.name {
            None => true,
            Some(known) => name < known || (name == known && !numbered(text, self.end) && numbered(text, end)),
        };
        if better {
            *self = Found { name: Some(name), end };
        }
    }
}

/// What a user agent says, before anything is concluded from it.
#[derive(Default)]
pub(super) struct Agent {
    pub kind: Found,
    pub system: Found,
    pub browser: Found,
    pub app: Found,
    /// What follows `Version/`.
    pub version: Option<usize>,
    pub safari: bool,
    /// What follows `Trident/`.
    pub trident: Option<usize>,
    pub webview: bool,
    pub bot: bool,
    pub compatible: bool,
}

/// Reads a text by a packed table of words.
pub(super) fn read(table: &[u8], text: &str) -> Agent {
    let bytes = text.as_bytes();
    let mut agent = Agent::default();
    let (mut at, mut before) = (0, b' ');
    while let Some(byte) = bytes.get(at) {
        let Some((length, meanings)) = word(table, bytes.get(at..).unwrap_or_default(), !before.is_ascii_alphanumeric()) else {
            before = *byte;
            at += 1;
            continue;
        };
        at += length.max(1);
        for meaning in meanings {
            agent.add(meaning, at, bytes);
        }
        if meanings.first() == Some(&LIKE) {
            at += bytes.iter().skip(at).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        }
        before = at.checked_sub(1).and_then(|last| bytes.get(last)).copied().unwrap_or(b' ');
    }
    agent
}

impl Agent {
    fn add(&mut self, meaning: Meaning, end: usize, text: &[u8]) {
        match meaning {
            NONE | LIKE => {}
            BOT => self.bot = true,
            COMPATIBLE => self.compatible = true,
            VERSION => self.version = Some(end),
            SAFARI => self.safari = true,
            WEBVIEW => self.webview = true,
            TRIDENT => self.trident = Some(end),
            // `Chrome`, `Chromium`: behind the rest of the word.
            CHROMIUM => {
                let rest = text.iter().skip(end).take_while(|byte| byte.is_ascii_alphabetic()).count();
                const CHROME: u8 = browser("chrome") - BROWSER;
                self.browser.add(CHROME, end + rest, text);
            }
            APP.. => self.app.add(meaning - APP, end, text),
            BROWSER.. => self.browser.add(meaning - BROWSER, end, text),
            SYSTEM.. => self.system.add(meaning - SYSTEM, end, text),
            KIND.. => self.kind.add(meaning - KIND, end, text),
            _ => {}
        }
    }
}

/// Whether a number begins here, behind at most two signs.
fn numbered(text: &[u8], at: usize) -> bool {
    number(text, at).is_some()
}

/// Where the number behind a word begins: behind at most two signs (`Android-4.0.3`, `PLAYSTATION 3; 1.00`).
pub(super) fn number(text: &[u8], at: usize) -> Option<&[u8]> {
    let signs = text.iter().skip(at).take(2).take_while(|byte| b" /-_;:".contains(byte)).count();
    text.get(at + signs..).filter(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

/// The most characters and parts of a version that are kept.
const LONGEST: usize = 24;

/// The dotted number behind a word; parts of nothing but zeros at its end are left out, since reduced user agents fill up with
/// them (`126.0.0.0`) and browsers disagree on them (`17.0`, `17`). Empty where there is none, or where it's too long to be one.
pub(super) fn version(text: &[u8], at: usize) -> String {
    let mut dotted = String::new();
    let mut kept = 0;
    let mut zero = true;
    let mut last = b'.';
    for byte in number(text, at).unwrap_or_default().iter().chain(b" ") {
        let byte = if *byte == b'_' { b'.' } else { *byte };
        if byte.is_ascii_digit() {
            zero = zero && byte == b'0';
        } else {
            if !zero || kept == 0 {
                kept = dotted.len();
            }
            if byte != b'.' || last == b'.' {
                break;
            }
            zero = true;
        }
        if dotted.len() >= LONGEST {
            return String::new();
        }
        push(&mut dotted, byte);
        last = byte;
    }
    dotted.truncate(kept);
    dotted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dotted_numbers_without_zeros_at_their_end() {
        let cases = [
            ("/126.0.0.0 Safari", "126"),
            ("/126.0.6478.127", "126.0.6478.127"),
            (" 17_5_1 like", "17.5.1"),
            (" 10_0 like", "10"),
            ("/4.2a1pre", "4.2"),
            ("/7.0b)", "7"),
            ("-4.0.3;", "4.0.3"),
            ("; 1.00)", "1"),
            (" 10; K", "10"),
            ("/0.0.1", "0.0.1"),
            ("/0.0", "0"),
            ("/1..2", "1"),
            ("/1.", "1"),
            ("/5.02.99991", "5.02.99991"),
            ("", ""),
            (" x", ""),
            ("   4", ""),
            ("/.5", ""),
            ("/1234567890.1234567890.1234567890", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(version(text.as_bytes(), 0), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_user_agent_is_like_is_not_what_it_is() {
        let table = super::super::words::packed();
        let read = |text| read(table.as_bytes(), text);
        let agent = read("Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko)");
        assert_eq!(agent.system.name, Some(super::super::words::os("linux") - SYSTEM));
        assert!(!read("Mozilla/5.0 (like TwitterBot) (LIKE crawl)").bot);
    }
}
