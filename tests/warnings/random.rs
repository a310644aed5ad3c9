//! Random audiences over a few fields, and random visitors whose values lie where those audiences look.

use crate::choices::Choices;
use serde_json::{Map, Value, json};

/// Comparisons and the like. Some say the same in other words, some are computed, some are about no number.
const ATOMS: &[&str] = &[
    "geo.country == 'FR'",
    "geo.country == 'DE'",
    "'FR' != geo.country",
    "geo.country in ['FR', 'DE']",
    "!(geo.country in ['DE', 'US'])",
    "geo.country in []",
    "geo.country < 'F'",
    "geo.country >= 'FR'",
    "has(geo.country)",
    "geo.country.contains('R')",
    "geo.country.lowerAscii() == 'fr'",
    "geo.is_eu",
    "geo.is_eu == false",
    "geo.is_eu != false",
    "has(geo.is_eu)",
    "time.hour < 3",
    "time.hour > 2",
    "time.hour >= 3.5",
    "time.hour <= 2.5",
    "3u <= time.hour",
    "time.hour == 3",
    "time.hour == 3.0",
    "time.hour in [1, 2, 3]",
    "time.hour != 2 && time.hour != 3",
    "time.hour % 2 == 0",
    "geo.latitude < 1",
    "geo.latitude > 0.5",
    "geo.latitude >= 1",
    "geo.latitude == 1.0",
    "geo.latitude / geo.latitude < 1.0",
    "geo.latitude / geo.latitude >= 1.0",
    "geo.latitude * 2.0 > 1.0",
    "geo.latitude * 2.0 <= 1.0",
    "has(geo.latitude)",
    "profile.plan == 'free'",
    "profile.plan != 'pro'",
    "profile.plan in ['pro', 'team']",
    "profile.plan.startsWith('p')",
    "has(profile.plan)",
    "profile.score > 9007199254740992",
    "profile.score <= 9007199254740993",
    "profile.score == 9007199254740992.0",
    "profile.score > -1",
    "profile.member",
    "profile.since < timestamp('2026-01-01T00:00:00Z')",
    "profile.since >= timestamp('2025-06-01T02:00:00+02:00')",
    "profile.since.getFullYear() == 2025",
    "profile.since.getFullYear() > 2025",
    "time.now - profile.since < duration('24h')",
    "time.now - profile.since >= duration('1h')",
    "version(device.os_version) < version('17')",
    "version(device.os_version) >= version('17.0')",
    "version(device.os_version) == version('17.0.0')",
    "has(device.os_version)",
    "source.campaign.startsWith('sale')",
    "source.campaign.startsWith('sale-eu')",
    "source.campaign.startsWith('news')",
    "source.campaign.endsWith('eu')",
    "source.campaign.endsWith('u')",
    "source.campaign.endsWith('us')",
    "source.campaign.contains('eu')",
    "source.campaign.contains('-')",
    "source.campaign.glob('sale*')",
    "source.campaign.glob('sale*eu')",
    "source.campaign == 'sale-eu'",
    "source.campaign in ['sale-eu', 'news']",
    "source.campaign == geo.country",
    "source.campaign != geo.country",
    "'fr' in language.accepted",
    "language.accepted.exists(tag, tag.startsWith('fr'))",
    "size(language.accepted) > 1",
    "size(language.accepted) == 1",
    "has(page.query.a)",
    "page.query.a == 'x'",
    "page.query['a'] in ['x', 'y']",
    "'a' in page.query",
    "consent.personalization",
    "!consent.marketing",
    "visitor.returning",
    "has(visitor.returning)",
    "dyn(geo.country) == 1",
    "dyn(geo.country) < 1",
    "!(dyn(geo.country) < 1)",
    "time.hour / 0 == 1",
    "geo.distance_km(1.0, 1.0) < 100.0",
    "true",
    "1 == 2",
];

/// An expression, and those before it that it may name as `a0`, `a1` ...
pub fn expression(choices: &mut Choices, depth: usize, named: usize) -> String {
    let below = |choices: &mut Choices| expression(choices, depth.saturating_sub(1), named);
    match choices.below(if depth == 0 { 4 } else { 12 }) {
        0..3 => choices.one_of(ATOMS).to_owned(),
        3 if named > 0 => format!("a{}", choices.below(named)),
        3 => choices.one_of(ATOMS).to_owned(),
        4..8 => format!("({})", choices.several(2, 4, below).join(" && ")),
        8 | 9 => format!("({})", choices.several(2, 3, below).join(" || ")),
        10 => format!("!({})", below(choices)),
        _ => format!("({} ? {} : {})", below(choices), below(choices), below(choices)),
    }
}

/// Values of each field, at and around the constants of [`ATOMS`].
const VALUES: &[(&str, &[&str])] = &[
    ("geo.country", &["FR", "DE", "US", "F"]),
    ("geo.is_eu", &["true", "false"]),
    ("time.hour", &["1", "2", "3", "4"]),
    ("geo.latitude", &["0", "0.5", "0.75", "1", "2"]),
    ("geo.longitude", &["1", "50"]),
    ("profile.plan", &["free", "pro", "team"]),
    ("profile.score", &["-1", "0", "9007199254740991", "9007199254740992", "9007199254740993"]),
    ("profile.member", &["true", "false"]),
    ("profile.since", &["2025-05-31T23:59:59Z", "2025-06-01T00:00:00Z", "2025-12-31T23:30:00Z", "2026-01-01T00:00:00Z"]),
    ("device.os_version", &["16.9", "17", "17.0.1", "18", "x"]),
    ("source.campaign", &["sale", "sale-eu", "sale-us", "news", "news-eu", "eu", "FR", ""]),
    ("language.accepted", &["fr", "fr-CA,en", "en", "fr,en,de"]),
    ("page.query", &["a=x", "a=y&b=1", "b=1", "a=z"]),
    ("consent.personalization", &["true", "false"]),
    ("consent.analytics", &["true", "false"]),
    ("consent.marketing", &["true", "false"]),
    ("visitor.returning", &["true", "false"]),
];

/// The traits that [`ATOMS`] name.
pub fn traits() -> Value {
    let of = |kind: &str, purpose: &str| json!({ "type": kind, "purpose": purpose });
    json!({
        "plan": { "type": "string", "enum": ["free", "pro", "team"], "purpose": "personalization" },
        "score": of("int", "analytics"),
        "member": of("bool", "marketing"),
        "since": of("timestamp", "personalization"),
    })
}

/// A visitor: most fields have values, all purposes are agreed to half of the time.
pub fn visitor(choices: &mut Choices) -> Map<String, Value> {
    let agreed = choices.below(2) == 0;
    let mut context = Map::new();
    for (path, values) in VALUES {
        let value = match choices.below(6) {
            0 => "",
            _ => choices.one_of(values),
        };
        let value = if agreed && path.starts_with("consent.") { "true" } else { value };
        context.insert((*path).to_owned(), json!(value));
    }
    context
}
