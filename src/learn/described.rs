//! Rules in words, so that two programs can be held against each other.

use super::event::ONE;
use super::rules::{Expected, Matching, Rules, Settle, What};
use crate::manifest::Duration;
use crate::program::{Properties, Things};
use crate::text::{Quoted, join};

/// A number of millionths.
fn number(millionths: i64) -> String {
    (millionths as f64 / ONE as f64).to_string()
}

fn length(milliseconds: i64) -> String {
    Duration(milliseconds).text()
}

fn all(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.collect();
    join(texts.iter().map(String::as_str), ", ")
}

/// Which events are meant, in words.
pub(crate) fn matching(matching: &Matching) -> String {
    let properties = matching.properties.iter().map(|(path, value)| match value {
        Expected::Bool(value) => format!("{path} {value}"),
        Expected::Number(value) => format!("{path} {}", number(*value)),
        Expected::Text(text) => format!("{path} {}", Quoted(text)),
    });
    match all(properties) {
        none if none.is_empty() => matching.event.clone(),
        properties => format!("{} where {properties}", matching.event),
    }
}

fn weights(weights: &[(Matching, i64)]) -> String {
    all(weights.iter().map(|(event, weight)| format!("{} {}", matching(event), number(*weight))))
}

fn properties<const N: usize>(known: [(&str, String); N]) -> Properties {
    known.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text)).collect()
}

fn flag(is: bool) -> String {
    if is { "true".to_owned() } else { String::new() }
}

/// All of them by kind. What experiences and expressions read is told with those.
pub(crate) fn described(rules: &Rules) -> Vec<(&'static str, Things)> {
    vec![
        ("events", events(rules)),
        ("traits", traits(rules)),
        ("learning", learning(rules)),
        ("affinities", affinities(rules)),
        (
            "intents",
            rules.intent.signals.iter().map(|(name, of)| (name.clone(), properties([("signals", weights(of))]))).collect(),
        ),
        ("propensities", propensities(rules)),
        ("features", features(rules)),
        ("milestones", milestones(rules)),
        ("webhooks", webhooks(rules)),
    ]
}

fn events(rules: &Rules) -> Things {
    let events = rules.events.iter().map(|event| {
        let mut known = properties([("purpose", event.purpose.0.clone()), ("trusted", flag(event.trusted))]);
        for property in &event.properties {
            let mut text = property.kind.clone();
            for (is, word) in [(property.required, "required"), (property.personal, "personal")] {
                text.push_str(if is { ", " } else { "" });
                text.push_str(if is { word } else { "" });
            }
            if !property.values.is_empty() {
                text.push_str(": ");
                text.push_str(&all(property.values.iter().cloned()));
            }
            known.insert(format!("property {}", property.path), text);
        }
        (event.name.clone(), known)
    });
    events.collect()
}

/// How they are settled and what they may be; their types stand among the fields.
fn traits(rules: &Rules) -> Things {
    let traits = rules.traits.iter().map(|rule| {
        let settle = match rule.settle {
            Settle::Latest => "",
            Settle::First => "first",
            Settle::Source => "source",
            Settle::Largest => "largest",
        };
        let known = properties([
            ("settle", settle.to_owned()),
            ("sources", all(rule.sources.iter().cloned())),
            ("values", all(rule.values.iter().cloned())),
            ("personal", flag(rule.personal)),
        ]);
        (rule.name.clone(), known)
    });
    traits.filter(|(_, known)| !known.is_empty()).collect()
}

fn learning(rules: &Rules) -> Things {
    let Rules { lifecycle, engagement, cart, intent, .. } = rules;
    let [medium, high] = engagement.levels;
    let mut known = vec![
        (
            "lifecycle",
            properties([
                ("new", length(lifecycle.new)),
                ("at_risk", length(lifecycle.at_risk)),
                ("dormant", length(lifecycle.dormant)),
                ("won_back", length(lifecycle.won_back)),
            ]),
        ),
        (
            "engagement",
            properties([
                ("half_life", length(engagement.half_life)),
                ("weights", weights(&engagement.weights)),
                ("medium", number(medium)),
                ("high", number(high)),
            ]),
        ),
        ("intents", properties([("half_life", length(intent.half_life)), ("least", number(intent.least))])),
        (
            "cart",
            properties([
                ("added", cart.added.clone()),
                ("removed", cart.removed.clone()),
                ("viewed", cart.viewed.clone()),
                ("ordered", cart.ordered.clone()),
            ]),
        ),
    ];
    let rfm = rules.rfm.as_ref();
    known.extend(rfm.map(|rfm| {
        let of = [("event", rfm.event.clone()), ("value", rfm.value.clone()), ("trusted", flag(rfm.trusted))];
        ("rfm", properties(of))
    }));
    known.into_iter().map(|(name, known)| (name.to_owned(), known)).collect()
}

fn affinities(rules: &Rules) -> Things {
    let affinities = rules.affinities.iter().map(|affinity| {
        let known = properties([
            ("property", affinity.property.clone()),
            ("half_life", length(affinity.half_life)),
            ("weights", weights(&affinity.weights)),
            ("cap", number(affinity.cap)),
            ("keep", affinity.keep.to_string()),
            ("least", number(affinity.least)),
        ]);
        (affinity.dimension.clone(), known)
    });
    affinities.collect()
}

fn propensities(rules: &Rules) -> Things {
    let propensities = rules.propensities.iter().map(|propensity| {
        let mut known = properties([("intercept", number(propensity.intercept))]);
        for (what, coefficient) in &propensity.coefficients {
            known.insert(format!("coefficient of {}", read(rules, what)), number(*coefficient));
        }
        (propensity.name.clone(), known)
    });
    propensities.collect()
}

/// What a coefficient is of.
fn read(rules: &Rules, what: &What) -> String {
    let (called, id, window) = match what {
        What::Count(id, window) => ("count", id, *window),
        What::Sum(id, window) => ("sum", id, *window),
        What::First(id) => ("first", id, 0),
        What::Last(id) => ("last", id, 0),
        other => return format!("{other:?}"),
    };
    let counter = rules.counters.iter().find(|counter| counter.id == *id);
    let of = counter.map(|counter| matching(&counter.matching)).unwrap_or_default();
    let sum = counter.and_then(|counter| counter.sum.as_ref()).map(|path| format!("{path} of ")).unwrap_or_default();
    let within = if window == 0 { String::new() } else { format!(" within {}", length(window)) };
    format!("{called} of {sum}{of}{within}")
}

fn features(rules: &Rules) -> Things {
    let features = rules.features.iter().map(|feature| {
        let known = properties([
            ("event", matching(&feature.matching)),
            ("adopted", feature.adopted.to_string()),
            ("left", length(feature.left)),
        ]);
        (feature.name.clone(), known)
    });
    features.collect()
}

fn milestones(rules: &Rules) -> Things {
    let milestones = rules.milestones.iter().map(|milestone| {
        let of = milestone.matching.as_ref().map_or_else(|| "years".to_owned(), matching);
        let known = properties([("of", of), ("count", milestone.count.to_string()), ("lasts", length(milestone.lasts))]);
        (milestone.name.clone(), known)
    });
    milestones.collect()
}

fn webhooks(rules: &Rules) -> Things {
    let webhooks = rules.webhooks.iter().map(|webhook| {
        let known = properties([
            ("url", webhook.url.clone()),
            ("events", all(webhook.events.iter().cloned())),
            ("audiences", all(webhook.audiences.iter().cloned())),
            ("purpose", webhook.purpose.0.clone()),
        ]);
        (webhook.name.clone(), known)
    });
    webhooks.collect()
}
