//! Languages from `Accept-Language` (RFC 9110, section 12.5.4), and which of the site's own suits them (RFC 4647).

use super::{Context, Field, Value};
use crate::program::Program;

/// More languages than anyone speaks: a longer header is cut.
const MOST: usize = 32;

#[inline(never)]
pub(super) fn derive(context: &mut Context, program: &Program, header: Option<&str>) {
    let ranges = read(header.unwrap_or_default());
    let tags = ranges.iter().filter(|(quality, tag)| *quality > 0 && tag != "*");
    let tags: Vec<String> = tags.map(|(_, tag)| tag.clone()).collect();
    if let Some(first) = tags.first() {
        context.set_text(Field::LanguageTag, first);
        context.set_text(Field::LanguagePrimary, primary(first));
        context.set_text(Field::LanguageRegion, region(first).unwrap_or_default());
        context.set(Field::LanguageAccepted, Value::Strings(tags));
    }
    let site = negotiate(&ranges, program.languages());
    context.set_text(Field::LanguageSite, site.unwrap_or_default());
}

/// The header's language ranges (tags or `*`) in their usual case, each with its quality in thousandths: best first, those
/// that are as good in the header's order. Items that can't be read are left out.
fn read(header: &str) -> Vec<(u16, String)> {
    let mut ranges: Vec<(u16, String)> = Vec::new();
    for item in header.split(',').take(MOST) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let mut weights = parts.map(str::trim).filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = weights.next().map_or(Some(1000), thousandths);
        if let Some(quality) = quality.filter(|_| tag == "*" || is_language(tag)) {
            let place = ranges.iter().take_while(|(other, _)| *other >= quality).count();
            ranges.insert(place, (quality, canonical(tag)));
        }
    }
    ranges
}

/// A q-value (`0`, `0.8`, `1.000`) in thousandths; `None` when it is none.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = whole.bytes().chain(fraction.bytes()).chain(*b"000").take(4);
    Some(digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))).filter(|quality| *quality <= 1000)
}

/// Whether a text looks like a language tag (BCP 47): subtags of at most eight letters and digits, the first of letters.
pub(crate) fn is_language(tag: &str) -> bool {
    tag.len() <= 35
        && primary(tag).bytes().all(|b| b.is_ascii_alphabetic())
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The usual case of each part (BCP 47, section 2.1.1): `fr`, `zh-Hant`, `en-US`.
fn canonical(tag: &str) -> String {
    let mut canonical = String::with_capacity(tag.len());
    for (position, part) in tag.split('-').enumerate() {
        if position > 0 {
            canonical.push('-');
        }
        for (letter, c) in part.chars().enumerate() {
            let upper = position > 0 && (part.len() == 2 || (part.len() == 4 && letter == 0));
            canonical.push(if upper { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
        }
    }
    canonical
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// The subtags behind the language, up to the first extension or private use (`-u-`, `-x-`).
fn subtags(tag: &str) -> impl Iterator<Item = &str> {
    tag.split('-').skip(1).take_while(|part| part.len() > 1)
}

/// Two letters (ISO 3166-1), or three digits (UN M.49).
fn region(tag: &str) -> Option<&str> {
    subtags(tag).find(|part| part.len() == 2 || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit())))
}

/// Four letters (ISO 15924); of Chinese the one that is usual in its region.
fn script(tag: &str) -> Option<&str> {
    let written = subtags(tag).find(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let usual = || match region(tag)? {
        region if ["TW", "HK", "MO"].iter().any(|other| region.eq_ignore_ascii_case(other)) => Some("Hant"),
        _ => Some("Hans"),
    };
    written.or_else(|| if primary(tag).eq_ignore_ascii_case("zh") { usual() } else { None })
}

/// Whether a language falls under a range (basic filtering, RFC 4647, section 3.3.1).
fn falls_under(language: &str, range: &str) -> bool {
    let head = language.as_bytes().get(..range.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(range.as_bytes()) && matches!(language.as_bytes().get(range.len()), None | Some(b'-'))
}

/// The site's language for a visitor. For each range, best first: the language it names, or names with less (`fr` for `fr-CA`:
/// lookup, RFC 4647, section 3.4); else one that only differs in its region (`fr-FR` for `fr` or `fr-CA`), of several one that
/// the visitor names elsewhere. Never one that is refused by `q=0`, nor another script. The first language where none suits.
fn negotiate<'p>(ranges: &[(u16, String)], mut all: impl Iterator<Item = &'p str> + Clone) -> Option<&'p str> {
    let first = all.next()?;
    let all = std::iter::once(first).chain(all);
    // Of the ranges that a language falls under the longest counts.
    let under = |language: &str| ranges.iter().filter(|(_, range)| falls_under(language, range)).max_by_key(|(_, r)| r.len());
    let site = || all.clone().filter(|language| under(language).is_none_or(|(quality, _)| *quality > 0));
    let lookup = |range: &str| {
        let mut rest = range;
        loop {
            if let Some(found) = site().find(|language| language.eq_ignore_ascii_case(rest)) {
                return Some(found);
            }
            rest = rest.rsplit_once('-')?.0;
        }
    };
    let wanted = || ranges.iter().filter(|(quality, _)| *quality > 0).map(|(_, range)| range.as_str());
    for range in wanted() {
        if range == "*" {
            // Any that no other range speaks of.
            if let Some(found) = site().find(|language| under(language).is_none()) {
                return Some(found);
            }
            continue;
        }
        if let Some(found) = lookup(range) {
            return Some(found);
        }
        let own = script(range);
        // Chinese of no place is the simplified one first.
        let any_chinese = own.is_none() && range == "zh";
        for own in [own.or(any_chinese.then_some("Hans")), None].into_iter().take(1 + usize::from(any_chinese)) {
            let alike = |language: &&str| {
                let same = |own: &str, other: &str| own.eq_ignore_ascii_case(other);
                same(primary(language), primary(range)) && own.zip(script(language)).is_none_or(|(own, other)| same(own, other))
            };
            let named = wanted().filter_map(lookup).find(alike);
            if let Some(found) = named.or_else(|| site().find(alike)) {
                return Some(found);
            }
        }
    }
    site().next().or(Some(first))
}
