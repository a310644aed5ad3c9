//! What can be read of profiles, as data: for editors and for the reference page.

use serde_json::{Value, json};

/// How each is written, its type, and what it says.
const READINGS: [(&str, &str, &str); 38] = [
    (
        "profile.count(event[, window][, properties])",
        "int",
        "How many such events there were within the window, which ends now; without one, ever. Windows of up to two days are counted by the hour, longer ones by the day (UTC): they reach back for their length, and for less than one more at most. `page` stands for page views. Properties: a map of at most 4 paths and the values that they must have, in the event or in one of its products",
    ),
    (
        "profile.sum(event, path[, window][, properties])",
        "double",
        "The sum of a number in such events; where the event does not have it, in its products",
    ),
    ("profile.first(event[, properties])", "timestamp", "When there was such an event for the first time"),
    ("profile.last(event[, properties])", "timestamp", "When there was such an event for the last time"),
    ("profile.first_seen", "timestamp", "When the visitor was first seen"),
    ("profile.last_seen", "timestamp", "When the visitor was last seen"),
    ("profile.session.number", "int", "Which session it is, from 1"),
    ("profile.session.page_count", "int", "Page views in the session"),
    ("profile.session.started", "timestamp", "When the session began"),
    ("profile.first_touch.channel", "string", "The channel of the first visit, as `source.channel`"),
    ("profile.first_touch.source", "string", "The source of the first visit, as `source.name`"),
    ("profile.first_touch.medium", "string", "The medium of the first visit, as `source.medium`"),
    ("profile.first_touch.campaign", "string", "The campaign of the first visit, as `source.campaign`"),
    ("profile.last_touch.channel", "string", "The channel of the last visit that something led to"),
    ("profile.last_touch.source", "string", "Its source"),
    ("profile.last_touch.medium", "string", "Its medium"),
    ("profile.last_touch.campaign", "string", "Its campaign"),
    ("profile.affinity(dimension)", "string", "The value that the visitor likes most"),
    (
        "profile.affinities(dimension)",
        "list(string)",
        "The values that the visitor likes most, at most five, the strongest first",
    ),
    ("profile.affinity_share(dimension, value)", "int", "The value's share of all that the visitor likes, 0 to 100"),
    (
        "profile.rfm.segment",
        "string",
        "The name that marketers use for recency, frequency and monetary value together, such as champions",
    ),
    ("profile.rfm.recency", "int", "How lately the visitor bought, 1 to 5, among all who bought"),
    ("profile.rfm.frequency", "int", "How often, 1 to 5"),
    ("profile.rfm.monetary", "int", "For how much, 1 to 5"),
    ("profile.lifecycle", "string", "new, active, at_risk, dormant or won_back"),
    ("profile.engagement", "string", "none, low, medium or high"),
    ("profile.intent", "string", "The strongest intent of the session"),
    ("profile.propensity(name)", "double", "How likely the visitor is to do it, 0 to 1"),
    ("profile.nps.score", "int", "The last Net Promoter Score that the visitor gave, 0 to 10"),
    ("profile.nps.category", "string", "promoter (9, 10), passive (7, 8) or detractor"),
    ("profile.answer(question)", "string", "The last answer to a question"),
    ("profile.feature(name)", "string", "unused, tried, adopted or left"),
    ("profile.feature_count(name)", "int", "How often the feature was used"),
    ("profile.cart.quantity", "int", "Pieces in the cart"),
    ("profile.cart.value", "double", "What they cost"),
    ("profile.cart.updated", "timestamp", "When the cart last changed"),
    ("profile.milestone(name)", "bool", "Whether it was reached, and is still told"),
    ("profile.milestone_reached(name)", "timestamp", "When it was reached"),
];

/// All of them, in the order of the reference.
pub fn readings() -> Value {
    let entry = |(signature, kind, doc): &(&str, &str, &str)| json!({ "signature": signature, "type": kind, "doc": doc });
    READINGS.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{CALLS, PATHS, plain};
    use super::READINGS;
    use crate::expr::Type;

    #[test]
    fn all_that_can_be_read_is_described_and_nothing_else() {
        let name = |signature: &str| signature.trim_start_matches("profile.").split('(').next().unwrap().to_owned();
        let mut described: Vec<String> = READINGS.iter().map(|(signature, ..)| name(signature)).collect();
        let mut known: Vec<String> =
            PATHS.iter().copied().chain(CALLS.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
        described.sort();
        known.sort();
        assert_eq!(described, known);
        for (signature, kind, _) in READINGS {
            if let Some(what) = plain(&name(signature)) {
                assert_eq!(Type::from(what.kind()).name(), kind, "{signature}");
            }
        }
    }
}
