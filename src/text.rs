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

/// Whether one of the words stands in `text`: one pass, which looks closer only where a word could begin.
pub(crate) fn contains_any(text: &str, words: &[&str]) -> bool {
    // A bit for each letter, digit or sign that some word begins with.
    let mut firsts = [0u32; 8];
    let place = |byte: u8| (usize::from(byte >> 5), 1u32 << (byte & 31));
    for byte in words.iter().filter_map(|word| word.as_bytes().first()) {
        let (index, bit) = place(*byte);
        if let Some(bits) = firsts.get_mut(index) {
            *bits |= bit;
        }
    }
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let (index, bit) = place(*byte);
        let begins = firsts.get(index).is_some_and(|bits| bits & bit != 0);
        begins && {
            let rest = bytes.get(at..).unwrap_or_default();
            words.iter().any(|word| word.as_bytes().first() == Some(byte) && rest.starts_with(word.as_bytes()))
        }
    })
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
        fn finds_what_the_standard_library_finds(text in "[ab]{0,12}", part in "[ab]{0,4}") {
            prop_assert_eq!(find(text.as_bytes(), part.as_bytes()), text.find(&part));
        }

        #[test]
        fn finds_any_word_that_the_standard_library_finds(text in "[abc]{0,12}", one in "[abc]{1,4}", other in "[abc]{1,4}") {
            prop_assert_eq!(contains_any(&text, &[&one, &other]), text.contains(&one) || text.contains(&other));
        }
    }
}
