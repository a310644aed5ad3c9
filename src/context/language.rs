//! Languages from `Accept-Language` (RFC 9110, section 12.5.4).

use super::{Context, Field, Value};

/// More languages than anyone speaks: a longer header is cut.
const MOST: usize = 32;

pub(super) fn derive(context: &mut Context, header: Option<&str>) {
    let mut accepted: Vec<(u16, String)> = Vec::new();
    for item in header.unwrap_or_default().split(',').take(MOST) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1000), thousandths);
        if let Some(quality) = quality.filter(|quality| *quality > 0 && is_tag(tag)) {
            // Behind its equals, which keep the header's order.
            let place = accepted.iter().take_while(|(other, _)| *other >= quality).count();
            accepted.insert(place, (quality, canonical(tag)));
        }
    }
    let tags: Vec<String> = accepted.into_iter().map(|(_, tag)| tag).collect();
    if let Some(first) = tags.first() {
        let primary = first.split('-').next().unwrap_or_default().to_owned();
        context.set_text(Field::LanguageTag, &first.clone());
        context.set_text(Field::LanguagePrimary, &primary);
        context.set(Field::LanguageAccepted, Value::Strings(tags));
    }
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

fn is_tag(tag: &str) -> bool {
    tag.len() <= 35
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
