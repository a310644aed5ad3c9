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
    }
}
