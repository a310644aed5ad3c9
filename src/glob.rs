//! Globs of page rules: `*` stands for any run of characters, `/` included; everything else for itself.

/// Whether the whole of `text` matches `pattern`. Linear in `pattern.len() * text.len()` at worst.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star took one character more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    retry = Some((after_star, from + 1));
                    p = after_star;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_takes_any_run_of_characters() {
        for (pattern, text, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("*", "", true),
            ("/collections/*", "/collections/shoes/red", true),
            ("/collections/*", "/collections", false),
            ("/*/red", "/shoes/red", true),
            ("/*/red", "/shoes/red/blue", false),
            ("*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("a*", "b", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
