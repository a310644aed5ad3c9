//! Languages from `Accept-Language` (RFC 9110, section 12.5.4), and which of the site's own suits them (RFC 4647).

use super::{Context, Field, Value};
use crate::program::Program;
use crate::text::{Cut, push, trim};

/// More languages than anyone speaks: a longer header is cut.
const MOST: usize = 32;

#[inline(never)]
pub(super) fn derive(context: &mut Context, program: &Program, header: &str) {
    let ranges = read(header);
    let mut tags = Vec::new();
    for (quality, tag) in &ranges {
        if *quality > 0 && tag != "*" {
            tags.push(tag.clone());
        }
    }
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
#[inline(never)]
fn read(header: &str) -> Vec<(u16, String)> {
    let mut ranges: Vec<(u16, String)> = Vec::new();
    for item in header.parts(b',').take(MOST) {
        let mut parts = item.parts(b';');
        let tag = trim(parts.next().unwrap_or_default());
        let mut quality = Some(1000);
        for part in parts {
            if let Some((_, weight)) = trim(part).cut(b'=').filter(|(name, _)| same(name, "q")) {
                quality = thousandths(trim(weight));
                break;
            }
        }
        if let Some(quality) = quality.filter(|_| tag == "*" || is_language(tag)) {
            let place = ranges.iter().take_while(|(other, _)| *other >= quality).count();
            ranges.insert(place, (quality, canonical(tag)));
        }
    }
    ranges
}

/// A q-value (`0`, `0.8`, `1.000`) in thousandths; `None` when it is none.
#[inline(never)]
fn thousandths(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    let mut number = 0;
    for place in 0..5 {
        if place == 1 {
            continue;
        }
        let digit = bytes.get(place).map_or(0, |byte| byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        number = number * 10 + u16::from(digit);
    }
    let right = (1..=5).contains(&bytes.len()) && matches!(bytes.get(1), None | Some(b'.')) && number <= 1000;
    right.then_some(number)
}

/// Whether a text looks like a language tag (BCP 47): subtags of at most eight letters and digits, the first of letters.
#[inline(never)]
pub(crate) fn is_language(tag: &str) -> bool {
    tag.len() <= 35
        && primary(tag).as_bytes().iter().all(u8::is_ascii_alphabetic)
        && tag.parts(b'-').all(|part| (1..=8).contains(&part.len()) && part.as_bytes().iter().all(u8::is_ascii_alphanumeric))
}

/// The usual case of each part (BCP 47, section 2.1.1): `fr`, `zh-Hant`, `en-US`.
#[inline(never)]
fn canonical(tag: &str) -> String {
    let mut canonical = String::new();
    for part in tag.parts(b'-') {
        let mut part = part.to_ascii_lowercase();
        if !canonical.is_empty() {
            push(&mut canonical, b'-');
            let upper = match part.len() {
                2 => 2,
                4 => 1,
                _ => 0,
            };
            part.get_mut(..upper).unwrap_or_default().make_ascii_uppercase();
        }
        canonical.push_str(&part);
    }
    canonical
}

#[inline(never)]
fn primary(tag: &str) -> &str {
    tag.parts(b'-').next().unwrap_or_default()
}

/// The first subtag of a kind behind the language, and before the first extension or private use (`-u-`, `-x-`).
fn subtag(tag: &str, kind: impl Fn(&[u8]) -> bool) -> Option<&str> {
    for part in tag.cut(b'-')?.1.parts(b'-') {
        if part.len() <= 1 {
            break;
        }
        if kind(part.as_bytes()) {
            return Some(part);
        }
    }
    None
}

/// Two letters (ISO 3166-1), or three digits (UN M.49).
#[inline(never)]
fn region(tag: &str) -> Option<&str> {
    subtag(tag, |part| part.len() == 2 || (part.len() == 3 && part.iter().all(u8::is_ascii_digit)))
}

/// Four letters (ISO 15924); of Chinese the one that is usual in its region.
#[inline(never)]
fn script(tag: &str) -> Option<&str> {
    let written = subtag(tag, |part| part.len() == 4 && part.iter().all(u8::is_ascii_alphabetic));
    if written.is_some() || !same(primary(tag), "zh") {
        return written;
    }
    let region = region(tag)?;
    Some(if same(region, "TW") || same(region, "HK") || same(region, "MO") { "Hant" } else { "Hans" })
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether a language falls under a range (basic filtering, RFC 4647, section 3.3.1).
#[inline(never)]
fn falls_under(language: &str, range: &str) -> bool {
    let head = language.as_bytes().get(..range.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(range.as_bytes()) && matches!(language.as_bytes().get(range.len()), None | Some(b'-'))
}

/// The site's language for a visitor. For each range, best first: the language it names, or names with less (`fr` for `fr-CA`:
/// lookup, RFC 4647, section 3.4); else one that only differs in its region (`fr-FR` for `fr` or `fr-CA`), of several one that
/// the visitor names elsewhere. Never one that is refused by `q=0`, nor another script. The first language where none suits.
#[inline(never)]
fn negotiate<'p>(ranges: &[(u16, String)], all: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    // Those that are not refused; of those the first that no range speaks of; and the first of all.
    let (mut site, mut unnamed, mut first) = (Vec::new(), None, None);
    for language in all {
        first = first.or(Some(language));
        // Of the ranges that a language falls under the longest counts.
        let mut under: Option<&(u16, String)> = None;
        for range in ranges {
            if falls_under(language, &range.1) && under.is_none_or(|other| range.1.len() >= other.1.len()) {
                under = Some(range);
            }
        }
        match under {
            None => unnamed = unnamed.or(Some(language)),
            Some((0, _)) => continue,
            Some(_) => {}
        }
        site.push(language);
    }
    for (_, range) in ranges.iter().filter(|(quality, _)| *quality > 0) {
        let own = script(range);
        // Chinese of no place is the simplified one first.
        let simplified = if own.is_none() && range == "zh" { alike(ranges, &site, range, Some("Hans")) } else { None };
        let found = if range == "*" {
            unnamed
        } else {
            lookup(&site, range).or(simplified).or_else(|| alike(ranges, &site, range, own))
        };
        if found.is_some() {
            return found;
        }
    }
    site.first().copied().or(first)
}

/// The language that a range names, or names with less.
#[inline(never)]
fn lookup<'p>(site: &[&'p str], range: &str) -> Option<&'p str> {
    let mut rest = range;
    loop {
        for language in site {
            if same(language, rest) {
                return Some(language);
            }
        }
        rest = rest.cut_last(b'-')?.0;
        // A single letter announces what was behind it.
        if let Some((before, last)) = rest.cut_last(b'-')
            && last.len() == 1
        {
            rest = before;
        }
    }
}

/// A language that only differs in its region, of several one that the visitor names elsewhere; of that script, if one is given.
#[inline(never)]
fn alike<'p>(ranges: &[(u16, String)], site: &[&'p str], range: &str, script_wanted: Option<&str>) -> Option<&'p str> {
    let suits = |language: &str| {
        let other = script(language);
        same(primary(language), primary(range)) && script_wanted.zip(other).is_none_or(|(own, other)| same(own, other))
    };
    for (quality, named) in ranges {
        if let Some(found) = lookup(site, named)
            && *quality > 0
            && suits(found)
        {
            return Some(found);
        }
    }
    site.iter().copied().find(|language| suits(language))
}
