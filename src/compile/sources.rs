//! Where visits come from: the project's own table of sites and click ids, merged with what the manifest says.
//!
//! `sources/*.txt` has a line for each site, sorted: the site, and what it is called where that is not its own label
//! (`t.co twitter`). A site with a dot is a host and all below it; without one, the name that it has under any public suffix
//! and in `utm_source`; behind a colon, a name in `utm_source` alone.

use super::Compiler;
use crate::context::{Class, of_source, registrable};
use crate::manifest::{SessionSettings, Sources, Spanned};
use crate::program::layout::{NONE, Section};
use crate::session::SessionRules;
use crate::sorted::ByName;
use crate::text::{Cut, cut_at};
use crate::time::DAY_MS;
use std::collections::HashMap;
use std::sync::LazyLock;

const SITES: [(Class, &str); 8] = [
    (Class::None, include_str!("sources/none.txt")),
    (Class::Search, include_str!("sources/search.txt")),
    (Class::Social, include_str!("sources/social.txt")),
    (Class::Video, include_str!("sources/video.txt")),
    (Class::Shopping, include_str!("sources/shopping.txt")),
    (Class::Assistant, include_str!("sources/assistant.txt")),
    (Class::Email, include_str!("sources/email.txt")),
    (Class::Payment, include_str!("sources/payment.txt")),
];

/// Click ids: the URL's parameter, the source that it tells, and the medium; empty where unpaid links have it too. The first
/// that is there counts: those of one platform before Google's, which Search Ads 360 adds to other engines' links as well;
/// those that say that somebody paid before those that don't.
const CLICK_IDS: &[(&str, &str, &str)] = &[
    ("msclkid", "bing", "cpc"),
    ("yclid", "yandex", "cpc"),
    ("ttclid", "tiktok", "cpc"),
    ("twclid", "twitter", "cpc"),
    ("li_fat_id", "linkedin", "cpc"),
    ("rdt_cid", "reddit", "cpc"),
    ("epik", "pinterest", "cpc"),
    ("sccid", "snapchat", "cpc"),
    ("qclid", "quora", "cpc"),
    ("bd_vid", "baidu", "cpc"),
    ("qz_gdt", "tencent", "cpc"),
    ("tblci", "taboola", "cpc"),
    ("dicbo", "outbrain", "cpc"),
    ("gclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("gclsrc", "google", "cpc"),
    // Campaign Manager 360 and Display & Video 360.
    ("dclid", "google", "display"),
    ("gad_source", "google", "cpc"),
    ("irclickid", "impact", "affiliate"),
    ("cjevent", "cj", "affiliate"),
    ("awc", "awin", "affiliate"),
    ("tduid", "tradedoubler", "affiliate"),
    ("sscid", "shareasale", "affiliate"),
    ("ransiteid", "rakuten-advertising", "affiliate"),
    ("mc_cid", "mailchimp", "email"),
    ("_hsmi", "hubspot", "email"),
    ("mkt_tok", "marketo", "email"),
    ("_kx", "klaviyo", "email"),
    ("dm_i", "dotdigital", "email"),
    // Yandex and Google Merchant Center add these to results that nobody paid for.
    ("ysclid", "yandex", ""),
    ("srsltid", "google", ""),
    ("fbclid", "facebook", ""),
    ("igshid", "instagram", ""),
    ("igsh", "instagram", ""),
];

/// Minutes without an event after which a session is over, as in Google Analytics 4.
const TIMEOUT_MINUTES: i32 = 30;
/// Days for which a source counts, as in Google Analytics 4.
const ATTRIBUTION_DAYS: i32 = 90;

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    class: Class,
    /// Empty: the key's own label.
    name: String,
    /// Whether it is known as a `utm_source` alone.
    source_only: bool,
}

/// Key and entry of a line of `sources/*.txt`.
fn built_in(class: Class, line: &str) -> (String, Entry) {
    let (key, name) = line.split_once(' ').unwrap_or((line, ""));
    let source_only = key.starts_with(':');
    (key.trim_start_matches(':').to_owned(), Entry { class, name: name.to_owned(), source_only })
}

fn built_in_sites() -> ByName<Entry> {
    ByName::new(SITES.iter().flat_map(|(class, lines)| lines.lines().map(|line| built_in(*class, line))).collect())
}

/// The built-in table's text, made once.
static TABLE: LazyLock<String> = LazyLock::new(|| table(built_in_sites()));

/// The table's text (see `context/source/sites.rs`). What a host is called is known as a `utm_source` too.
fn table(mut sites: ByName<Entry>) -> String {
    let named = sites.iter().filter(|(key, entry)| {
        key.has(b'.') && !matches!(entry.class, Class::None | Class::Payment) && !called(key, entry).has(b'.')
    });
    let names: Vec<_> = named.map(|(key, entry)| (called(key, entry).to_ascii_lowercase(), entry.class)).collect();
    let without = text(&sites);
    for (name, class) in names {
        if of_source(without.as_bytes(), &name).is_none() && sites.get(&name).is_none() {
            sites.insert(name, Entry { class, name: String::new(), source_only: true });
        }
    }
    text(&sites)
}

fn text(sites: &ByName<Entry>) -> String {
    let lines = sites.iter().map(|(key, entry)| {
        let letter = entry.class.letter();
        let letter = if entry.source_only { letter.to_ascii_uppercase() } else { letter.to_owned() };
        format!("{key}\t{letter}{}", entry.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What the site of an entry is called.
fn called<'e>(key: &'e str, entry: &'e Entry) -> &'e str {
    match entry.name.as_str() {
        "" if key.has(b'.') => registrable(key).0,
        "" => key,
        name => name,
    }
}

/// What is wrong with a site's host or name, and what to write, if anything.
fn wrong_site(text: &str) -> Option<(&'static str, Option<String>)> {
    let host = cut_at(text, "://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host).trim_matches(['.', ' ']);
    let plain = |text: &str| {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        text.split('.').all(part)
    };
    if !text.is_ascii() {
        return Some(("browsers send hosts in ASCII: write the host in its xn-- form (Punycode)", None));
    }
    (text != host || !plain(text)).then(|| {
        let message = "expected a host such as find.example, or a name such as find, in lower case, without www., port or path";
        (message, plain(host).then(|| format!("write `{host}`")))
    })
}

impl Compiler<'_, '_, '_> {
    pub(super) fn sources(&mut self) {
        self.channels();
        let mut own_table = None;
        let mut clicks = Vec::new();
        let (mut timeout, mut new_campaign, mut attribution) = (TIMEOUT_MINUTES, false, ATTRIBUTION_DAYS);
        if let Some(sources) = &self.manifest.sources {
            own_table = self.own_sites(sources).map(table);
            self.internal_hosts(&sources.internal.0);
            clicks = self.own_clicks(sources);
            if let Some(SessionSettings { timeout: minutes, new_campaign: starts, attribution: days }) = &sources.session {
                timeout = self.within(minutes.as_ref(), 1, 1440, TIMEOUT_MINUTES, "minutes");
                new_campaign = starts.unwrap_or(false);
                attribution = self.within(days.as_ref(), 1, 400, ATTRIBUTION_DAYS, "days");
            }
        }
        let built_in = CLICK_IDS.iter().map(|(name, source, medium)| [*name, *source, *medium].map(str::to_owned));
        for [name, source, medium] in clicks.into_iter().chain(built_in) {
            let medium = if medium.is_empty() { NONE } else { self.builder.text(&medium) };
            let record = [self.builder.text(&name), self.builder.text(&source), medium];
            self.builder.push(Section::ClickIds, &record);
        }
        self.sessions = (SessionRules { timeout: i64::from(timeout) * 60_000, new_campaign }, i64::from(attribution) * DAY_MS);
        let table = self.builder.text(own_table.as_deref().unwrap_or(&TABLE));
        self.builder.push(Section::Sources, &[table, timeout as u32, u32::from(new_campaign), attribution as u32]);
    }

    /// The built-in sites with the manifest's; `None` where it has none.
    fn own_sites(&mut self, sources: &Sources) -> Option<ByName<Entry>> {
        let lists = [
            (Class::Search, "search", &sources.search),
            (Class::Social, "social", &sources.social),
            (Class::Video, "video", &sources.video),
            (Class::Shopping, "shopping", &sources.shopping),
            (Class::Assistant, "assistant", &sources.assistant),
            (Class::Email, "email", &sources.email),
            (Class::Payment, "payment", &sources.payment),
            (Class::None, "none", &sources.none),
        ];
        if sources.names.is_empty() && lists.iter().all(|(.., sites)| sites.0.is_empty()) {
            return None;
        }
        let mut sites = built_in_sites();
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (class, list, site) in
            lists.iter().flat_map(|(class, list, sites)| sites.0.iter().map(move |site| (class, list, site)))
        {
            self.check_site(site);
            if let Some(other) = seen.insert(&site.value, list) {
                self.error(site, format!("`{}` is in `{other}` already; a site is of one class", site.value));
            }
            let known = sites.remove(&site.value).filter(|_| *class != Class::None);
            let name = known.map(|entry| entry.name).unwrap_or_default();
            sites.insert(site.value.clone(), Entry { class: *class, name, source_only: false });
        }
        for (site, name) in &sources.names {
            self.check_site(site);
            let text = &name.value;
            if text.trim() != text || text.is_empty() || text.chars().count() > 100 || text.contains(char::is_control) {
                self.error(name, "expected a name of at most 100 characters, without spaces around it");
            }
            let entry = Entry { class: Class::None, name: String::new(), source_only: false };
            match sites.get_mut(&site.value) {
                Some(known) => known.name = text.clone(),
                None => sites.insert(site.value.clone(), Entry { name: text.clone(), ..entry }),
            }
        }
        Some(sites)
    }

    fn check_site(&mut self, site: &Spanned<String>) {
        if let Some((message, help)) = wrong_site(&site.value) {
            self.error_with_help(site, message, help);
        }
    }

    fn internal_hosts(&mut self, hosts: &[Spanned<String>]) {
        for host in hosts {
            self.check_site(host);
            let text = self.builder.text(&host.value);
            self.builder.push(Section::InternalHosts, &[text]);
        }
    }

    /// The manifest's click ids: parameter, source and medium.
    fn own_clicks(&mut self, sources: &Sources) -> Vec<[String; 3]> {
        let mut clicks: Vec<[String; 3]> = Vec::with_capacity(sources.click_ids.len());
        for (name, click) in &sources.click_ids {
            let text = &name.value;
            if text.is_empty() || text.len() > 64 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
                self.error(
                    name,
                    "expected the name of a URL's parameter: letters, digits, dashes, underscores and dots, at most 64",
                );
            }
            if text.to_ascii_lowercase().starts_with("utm_") {
                self.error(name, "UTM parameters are no click ids; they are read as they are");
            }
            if clicks.iter().any(|[other, ..]| other.eq_ignore_ascii_case(text)) {
                self.error(name, format!("`{text}` stands here twice: upper and lower case are the same"));
            }
            for part in [Some(&click.source), click.medium.as_ref()].into_iter().flatten() {
                if part.value.trim() != part.value || part.value.is_empty() {
                    self.error(part, "expected a text such as google or cpc, without spaces around it");
                }
            }
            let medium = click.medium.as_ref().map(|medium| medium.value.clone()).unwrap_or_default();
            clicks.push([text.clone(), click.source.value.clone(), medium]);
        }
        clicks
    }

    fn within(&mut self, number: Option<&Spanned<i32>>, least: i32, most: i32, default: i32, unit: &str) -> i32 {
        let Some(number) = number else { return default };
        if !(least..=most).contains(&number.value) {
            self.error(number, format!("expected {least} to {most} {unit}, found {}", number.value));
        }
        number.value
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn the_built_in_sites_are_sorted_well_formed_and_of_one_class() {
        let mut seen = BTreeSet::new();
        for (class, lines) in SITES {
            assert!(lines.lines().is_sorted(), "{class:?} is not sorted");
            assert!(lines.ends_with('\n') && !lines.contains("\n\n"), "{class:?}");
            for line in lines.lines() {
                let (key, entry) = built_in(class, line);
                assert_eq!(wrong_site(&key), None, "{line}");
                assert!(!key.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{line}: a number is no site");
                assert!(!entry.source_only || !key.contains('.'), "{line}: a name has no dot");
                assert_eq!(entry.name, entry.name.to_ascii_lowercase().trim(), "{line}");
                assert_ne!(
                    line,
                    format!("{key} {}", called(&key, &Entry { name: String::new(), ..entry.clone() })),
                    "{line}: the name is its own"
                );
                assert!(seen.insert(key), "{line} stands twice");
            }
        }
        let hosts = seen.iter().filter(|key| key.contains('.')).count();
        assert!(seen.len() >= 1100 && hosts >= 900, "{} sites, {hosts} of them hosts", seen.len());
    }

    #[test]
    fn a_name_is_of_one_class() {
        let sites = built_in_sites();
        let mut classes: BTreeMap<&str, Class> = BTreeMap::new();
        for (key, entry) in sites.iter() {
            let name = called(key, entry);
            if matches!(entry.class, Class::None | Class::Payment) || sites.get(name).is_some() {
                continue;
            }
            assert_eq!(*classes.entry(name).or_insert(entry.class), entry.class, "{key} is called {name}, as is another class");
        }
        // What a known host is called is what its own entry is, where that has one.
        for (key, entry) in sites.iter() {
            if let Some(own) = sites.get(called(key, entry)).filter(|_| !matches!(entry.class, Class::None | Class::Payment)) {
                assert_eq!(own.class, entry.class, "{key} is called {}", called(key, entry));
            }
        }
    }

    #[test]
    fn click_ids_stand_once_and_name_their_source() {
        let sites = built_in_sites();
        for (index, (name, source, medium)) in CLICK_IDS.iter().enumerate() {
            assert!(CLICK_IDS.iter().skip(index + 1).all(|(other, ..)| other != name), "{name}");
            assert_eq!(*name, name.to_ascii_lowercase());
            let own = sites.get(source).map(|entry| entry.class);
            assert_eq!(
                *medium == "cpc" && !["tencent", "taboola", "outbrain"].contains(source),
                own.is_some() && *medium == "cpc",
                "{name}"
            );
        }
    }

    #[test]
    fn the_documentation_lists_the_click_ids_in_their_order() {
        let rows = include_str!("../../docs/sources.md").lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix('|'));
        let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
        let listed = rows.iter().filter(|row| matches!(row.as_slice(), [_, source, _] if !source.contains(' ')));
        let listed = listed.flat_map(|row| {
            let [names, source, medium] = row.as_slice() else { return Vec::new() };
            names.split(',').map(|name| (name.trim_matches(['`', ' ']), *source, *medium)).collect()
        });
        assert_eq!(listed.collect::<Vec<_>>(), CLICK_IDS);
    }

    #[test]
    fn the_table_is_small() {
        let table = table(built_in_sites());
        assert!(table.len() < 24 << 10, "{} bytes", table.len());
    }
}
