//! The sites that are known as sources. The table is data of the program: the compiler merges the built-in one with what
//! the manifest says, and a runtime looks entries up in its text.
//!
//! A line for each entry, sorted by key: `key`, a tab, a letter for the class (upper case: known as a `utm_source`
//! alone, never as a host), and the site's name, where it is not the key's own (see [`Site::name`]).

use crate::text::{Cut, cut_bytes, is_one_of, push, without_www};

/// What a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Of no class: any other site.
    None,
    /// A search engine.
    Search,
    /// A social network, community or messenger.
    Social,
    /// A place to watch videos.
    Video,
    /// A marketplace, shop or price comparison.
    Shopping,
    /// An AI assistant.
    Assistant,
    /// E-mail on the web, or an app for it.
    Email,
    /// Where visitors pay and come back from: no source of visits.
    Payment,
}

impl Class {
    /// All classes.
    pub(crate) const ALL: [Class; 8] = [
        Class::None,
        Class::Search,
        Class::Social,
        Class::Video,
        Class::Shopping,
        Class::Assistant,
        Class::Email,
        Class::Payment,
    ];

    /// The class of a letter: `a` is the first.
    fn from_letter(letter: u8) -> Option<Class> {
        Class::ALL.get(usize::from(letter.to_ascii_lowercase().checked_sub(b'a')?)).copied()
    }

    /// The letter of the class.
    pub(crate) fn letter(self) -> &'static str {
        "abcdefgh".get(self as usize..self as usize + 1).unwrap_or_default()
    }

    /// The medium of a visit that a link on such a site leads to.
    pub(super) fn medium(self) -> &'static str {
        match self {
            Class::Search => "organic",
            Class::Assistant => "ai-assistant",
            Class::Email => "email",
            _ => "referral",
        }
    }
}

/// A known site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site<'a> {
    pub(crate) class: Class,
    /// What the site is called as a source; empty for a host without a name of its own.
    pub(crate) name: &'a str,
}

/// Key and value of the line that begins there.
fn line(table: &[u8], start: usize) -> Option<(&[u8], &[u8])> {
    let rest = table.get(start..)?;
    cut_bytes(cut_bytes(rest, b'\n').map_or(rest, |(line, _)| line), b'\t')
}

/// Key and value of the first line whose key is not before that one.
#[inline(never)]
fn first_from<'a>(table: &'a [u8], key: &str) -> Option<(&'a [u8], &'a [u8])> {
    // Both are where lines begin, or the end.
    let (mut low, mut high) = (0, table.len());
    while low < high {
        let before = table.get(low..low + (high - low) / 2)?;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
        let (found, value) = line(table, start)?;
        if found < key.as_bytes() {
            low = start + found.len() + value.len() + 2;
        } else {
            high = start;
        }
    }
    line(table, low)
}

/// What a line says.
#[inline(never)]
fn read<'a>((key, value): (&'a [u8], &'a [u8]), hosts_only: bool) -> Option<Site<'a>> {
    let (letter, name) = value.split_first()?;
    let class = Class::from_letter(*letter).filter(|_| !hosts_only || letter.is_ascii_lowercase())?;
    let own = name.is_empty() && class != Class::None;
    let name = std::str::from_utf8(if own { key } else { name }).unwrap_or_default();
    // Of a key that is no host that is the key itself.
    Some(Site { class, name: if own { registrable(name).0 } else { name } })
}

/// The entry of that key.
fn entry<'a>(table: &'a [u8], key: &str, hosts_only: bool) -> Option<Site<'a>> {
    first_from(table, key).filter(|(found, _)| *found == key.as_bytes()).and_then(|line| read(line, hosts_only))
}

/// The site of a host, lower case and without `www.`: the host itself, else the nearest host above it, else its label under
/// the public suffix.
pub(super) fn of_host<'a>(table: &'a [u8], host: &str) -> Option<Site<'a>> {
    let mut above = host;
    let (site, before) = loop {
        let (_, next) = above.cut(b'.')?;
        if let Some(site) = entry(table, above, true) {
            break (site, host.strip_suffix(above)?);
        }
        if !next.has(b'.') {
            let (label, before) = registrable(host);
            break (entry(table, label, true)?, before);
        }
        above = next;
    };
    // A search engine has other services on hosts of their own: docs.google.com is no search.
    let searches = || {
        let mut parts = before.parts(b'.');
        parts.clone().all(|part| part.len() <= 2) || parts.any(|part| part == "search")
    };
    Some(site).filter(|site| site.class != Class::Search || searches())
}

/// The site of an Android app's package.
pub(super) fn of_package<'a>(table: &'a [u8], package: &str) -> Option<Site<'a>> {
    entry(table, package, true)
}

/// The site of a `utm_source`, lower case: a host, or what a site is called. A site that is called as its host begins has no
/// entry of its own for that (`discord` is that of `discord.com`).
pub(crate) fn of_source<'a>(table: &'a [u8], source: &str) -> Option<Site<'a>> {
    if source.has(b'.') {
        return of_host(table, without_www(source));
    }
    entry(table, source, false).or_else(|| {
        let mut host = source.to_owned();
        push(&mut host, b'.');
        read(first_from(table, &host)?, false).filter(|site| site.name == source)
    })
}

/// The label that a host has under its public suffix, and what stands before it. The suffix is the last label, with one
/// before it that says no more than "company" where the last is a country's (`google` in `www.google.co.uk`).
pub(crate) fn registrable(host: &str) -> (&str, &str) {
    let (rest, top) = host.cut_last(b'.').unwrap_or((host, ""));
    let rest = match rest.cut_last(b'.') {
        Some((rest, second)) if top.len() == 2 && is_one_of(second, "co|com|org|net|ac|gov|edu|ne|or") => rest,
        _ => rest,
    };
    rest.cut_last(b'.').map_or((rest, ""), |(before, label)| (label, before))
}

/// Whether `host` is `parent` or below it.
pub(super) fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent).is_some_and(|before| before.is_empty() || before.ends_with("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const TABLE: &[u8] = b"com.google.android.gm\tggmail\ndocs.find.example\ta\nfind\tb\nmail.find.example\tghermes\nnet\tcfacebook\nx.com\tCtwitter\ny-net.com\tc\ny.com\tc\nz.com\tC";

    #[test]
    fn the_nearest_entry_above_a_host_counts() {
        let site = |class, name| Some(Site { class, name });
        for (host, expected) in [
            ("find.example", site(Class::Search, "find")),
            ("find.co.uk", site(Class::Search, "find")),
            ("fr.find.example", site(Class::Search, "find")),
            ("de.search.find.example", site(Class::Search, "find")),
            ("maps.find.example", None),
            ("docs.find.example", site(Class::None, "")),
            ("old.docs.find.example", site(Class::None, "")),
            ("a.mail.find.example", site(Class::Email, "hermes")),
            ("mail.find.example.org", None),
            ("y.com", site(Class::Social, "y")),
            ("my.com", None),
            ("x.com", None),
            ("find", None),
            ("", None),
            (".", None),
            ("..", None),
        ] {
            assert_eq!(of_host(TABLE, host), expected, "{host}");
        }
        assert_eq!(of_source(TABLE, "x.com"), None);
        assert_eq!(of_source(TABLE, "y"), site(Class::Social, "y"));
        assert_eq!(of_source(TABLE, "x"), None);
        assert_eq!(of_source(TABLE, "z"), site(Class::Social, "z"));
        assert_eq!(of_source(TABLE, "mail"), None);
        assert_eq!(of_source(TABLE, "www.y.com"), site(Class::Social, "y"));
        assert_eq!(of_package(TABLE, "com.google.android.gm"), site(Class::Email, "gmail"));
        assert_eq!(of_package(TABLE, "x.com"), None);
        assert_eq!(of_package(TABLE, "lite.com.google.android.gm"), None);
    }

    #[test]
    fn a_host_is_below_itself_and_its_parents() {
        for (host, parent, expected) in [
            ("shop.example", "shop.example", true),
            ("a.shop.example", "shop.example", true),
            ("myshop.example", "shop.example", false),
            ("example", "shop.example", false),
        ] {
            assert_eq!(is_below(host, parent), expected, "{host} {parent}");
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_map_finds(keys in prop::collection::btree_map("[ab.]{1,4}", "[bB]n?", 0..12), key in "[ab.]{0,4}") {
            let lines: Vec<String> = keys.iter().map(|(key, value)| format!("{key}\t{value}")).collect();
            let table = lines.join("\n");
            prop_assert_eq!(entry(table.as_bytes(), &key, false).is_some(), keys.contains_key(&key));
            let host = keys.get(&key).is_some_and(|value| value.starts_with('b'));
            prop_assert_eq!(entry(table.as_bytes(), &key, true).is_some(), host);
        }

        #[test]
        fn any_table_gives_an_answer(table: String, host: String) {
            of_host(table.as_bytes(), &host);
            of_source(table.as_bytes(), &host);
        }
    }

    #[test]
    fn letters_are_classes() {
        let all: BTreeMap<u8, Class> = (0..=255).filter_map(|letter| Some((letter, Class::from_letter(letter)?))).collect();
        assert_eq!(all.len(), 2 * Class::ALL.len());
        assert_eq!(all.get(&b'H'), Some(&Class::Payment));
    }
}
