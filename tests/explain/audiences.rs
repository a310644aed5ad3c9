//! Audiences of a visitor who is not there: by what is stored of them alone.

use super::with_audiences;
use idoine::report::membership_text;
use idoine::{Context, Truth, audiences, memberships};
use serde_json::json;

#[test]
fn who_is_not_there_belongs_to_audiences_by_what_is_stored() {
    let named = json!({
        "pro": "profile.plan == 'pro'",
        "french_pro": "pro && geo.country == 'FR'",
        "free_in_paris": "profile.plan == 'free' && geo.city == 'Paris'",
        "recent": "time.now - profile.since < duration('48h')",
    });
    let program = with_audiences("pro", &named);
    let stored =
        [("profile.plan", "pro"), ("profile.since", "2026-11-19T12:00:00Z"), ("profile.score", "none"), ("geo.country", "FR")];
    let at = |now: i64| Context::of_profile(&program, &stored, now);
    let now = 1_795_176_000_000; // 2026-11-20T12:00:00Z
    let expected =
        [("pro", Truth::True), ("french_pro", Truth::Unknown), ("free_in_paris", Truth::False), ("recent", Truth::True)];
    let mut found = audiences(&program, &at(now));
    found.sort_by_key(|(name, _)| expected.iter().position(|(known, _)| known == name));
    assert_eq!(found, expected);
    let later = audiences(&program, &at(now + 86_400_000));
    assert!(later.contains(&("recent", Truth::False)), "{later:?}");

    let why = memberships(&program, &at(now));
    let truths: Vec<_> = why.iter().map(|one| (one.audience, one.clause.value)).collect();
    assert_eq!(truths, audiences(&program, &at(now)));
    let told = |name: &str| membership_text(why.iter().find(|one| one.audience == name).unwrap());
    assert_eq!(told("pro"), "  true     profile.plan == 'pro'  (profile.plan is 'pro')\n");
    assert!(told("french_pro").contains("geo.country is not known"), "{}", told("french_pro"));
}
