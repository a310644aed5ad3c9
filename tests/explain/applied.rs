//! Whoever does all that why-not asks for sees the experience win, or was told what can't be known.

use super::{of_visitor, program, visitor};
use idoine::{Context, decide};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::Cell;

use super::derived;

fn audience() -> impl Strategy<Value = String> {
    let clause = prop::sample::select(vec![
        "profile.org == 'acme'",
        "profile.org != 'acme'",
        "profile.plan == 'gold'",
        "has(profile.plan)",
        "profile.vip",
        "!profile.vip",
        "consent.personalization",
        "consent.analytics",
        "geo.country == 'FR'",
        "geo.country != 'FR'",
        "time.hour > 12",
        "geo.timezone == 'Asia/Tokyo'",
        "time.hour > 25",
    ]);
    let joined = |by: &'static str| {
        let clause = clause.clone();
        prop::collection::vec(clause, 1..4).prop_map(move |parts| format!("({})", parts.join(by)))
    };
    // More ways than are kept, all but one of them excluded.
    let many = (33..36usize).prop_map(|count| {
        let any = (0..count).map(|n| format!("network.asn == {n}")).collect::<Vec<_>>().join(" || ");
        let none = (0..count - 1).map(|n| format!("network.asn != {n}")).collect::<Vec<_>>().join(" && ");
        format!("({any}) && {none}")
    });
    prop_oneof![4 => joined(" && "), 4 => joined(" || "), 1 => Just("true".to_owned()), 1 => many]
}

fn experience(number: usize) -> impl Strategy<Value = Value> {
    let unit = prop::sample::select(vec!["visitor", "profile.org"]);
    let slots = prop::sample::select(vec![vec!["hero"], vec!["side"], vec!["hero", "side"]]);
    let share = prop::sample::select(vec![1.0, 1.0, 0.5]);
    let pages = prop::sample::select(vec![json!([]), json!([]), json!([]), json!(["/b"])]);
    let text = prop::sample::select(vec!["x", "x", "{{ profile.plan }}", "{{ geo.country }}"]);
    let requires = prop::option::weighted(0.2, 0..number.max(1));
    (audience(), unit, slots, share, pages, text, requires, -2..3).prop_map(
        move |(audience, unit, slots, traffic, pages, text, requires, priority)| {
            let shown: serde_json::Map<_, _> =
                slots.into_iter().map(|slot| (slot.to_owned(), json!({ "text": text }))).collect();
            let mut one = json!({ "id": format!("e{number}"), "type": "personalization", "audience": audience, "unit": unit,
                "slots": shown, "traffic": traffic, "priority": priority });
            if pages != json!([]) {
                one["pages"] = pages;
            }
            if let Some(other) = requires.filter(|other| *other < number) {
                one["requires"] = json!([{ "experience": format!("e{other}") }]);
            }
            one
        },
    )
}

fn values() -> impl Strategy<Value = Value> {
    let any = any::<bool>;
    let text = |one: &'static str| prop::option::of(prop::sample::select(vec![one, "other"]));
    (any(), any(), text("acme"), text("gold"), prop::option::of(any()), text("FR"), any()).prop_map(
        |(personal, analytics, org, plan, vip, country, id)| {
            let country = country.map(|country| if country == "other" { "DE" } else { country });
            let mut values = json!({ "consent.personalization": personal, "consent.analytics": analytics, "profile.org": org,
                "profile.plan": plan, "profile.vip": vip, "geo.country": country, "geo.timezone": "Europe/Paris" });
            if id {
                values["visitor.id"] = json!("visitor-0001");
            }
            values
        },
    )
}

/// Whether the experience wins with the overrides that are named, and with these consents.
fn wins_with(program: &idoine::Program, values: &Value, found: &Value, consents: &[(String, String)]) -> bool {
    let named = found["overrides"].as_object().into_iter().flatten();
    let named = named.map(|(path, text)| (path.clone(), text.as_str().unwrap().to_owned()));
    let overrides: Vec<(String, String)> = named.chain(consents.iter().cloned()).collect();
    let context: Context = derived(program, visitor(values), &overrides);
    let id = found["experience"].as_str().unwrap();
    decide(program, &context).slots.iter().any(|slot| slot.experience.is_some_and(|one| program.experience_id(one) == id))
}

/// Does what a change asks of the manifest; returns the consent that it asks for.
fn apply(change: &Value, experience: &mut Value) -> Option<(String, String)> {
    let text = change["text"].as_str().unwrap();
    match change["step"].as_str().unwrap() {
        _ if change["clause"].is_string() => {}
        "traffic" => experience["traffic"] = json!(1),
        "prerequisite" => experience["requires"] = json!([]),
        "slot_taken" => experience["priority"] = json!(100),
        "unknown" | "no_consent" => {
            if text.contains("not known") {
                experience["slots"].as_object_mut().unwrap().values_mut().for_each(|slot| *slot = json!({ "text": "x" }));
            }
            let purpose = text.split("needs consent for ").nth(1)?.split([';', ',']).next()?;
            return Some((format!("consent.{purpose}"), "true".to_owned()));
        }
        step => panic!("{step}: {text}"),
    }
    None
}

#[test]
fn what_why_not_asks_for_makes_the_experience_win() {
    let seen = [(); 5].map(|()| Cell::new(0));
    let count = |index: usize| seen[index].set(seen[index].get() + 1);
    let config = ProptestConfig {
        cases: ProptestConfig::default().cases.max(400),
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let manifests = (experience(0), experience(1), experience(2), values());
    let run = TestRunner::new(config).run(&manifests, |(first, second, third, values)| {
        let manifest = json!({
            "site": { "id": "applied" },
            "traits": {
                "org": { "type": "string", "purpose": "personalization" }, "plan": { "type": "string", "purpose": "analytics" },
                "vip": { "type": "bool", "purpose": "personalization" },
            },
            "slots": { "hero": { "selector": "h1" }, "side": { "selector": "aside" } },
            "experiences": [first, second, third],
        });
        // What can never win is refused.
        if idoine::compile::compile(&manifest.to_string(), &super::support::Iana).is_err() {
            count(0);
            return Ok(());
        }
        let program = program(&manifest);
        for number in 0..3 {
            let (found, text) = of_visitor(&program, &visitor(&values), number).unwrap();
            let changes = found["changes"].as_array().unwrap();
            if found["won"] == true {
                continue;
            }
            prop_assert!(!changes.is_empty() || found["unsure"].is_array(), "{manifest:#} {values} {text}");
            for change in changes {
                // Those that are excluded are excluded all but one; or nobody is, as two clauses exclude each other.
                let nobody = change["text"].as_str().unwrap().ends_with("is true for nobody");
                prop_assert!(!nobody || !change["text"].as_str().unwrap().contains("network.asn"), "{text}");
            }
            let audience_alone = changes.iter().all(|change| change["clause"].is_string());
            let wins = wins_with(&program, &values, &found, &[]);
            let others = "who else wins with what makes the prerequisite hold";
            let all_unsure = || found["unsure"].as_array().into_iter().flatten();
            let mut unsure = all_unsure().filter(|what| *what != others);
            let nobody = changes.iter().any(|change| change["text"].as_str().unwrap().ends_with("for nobody"));
            if unsure.next().is_some() || nobody {
                count(1);
            } else if audience_alone {
                count(2);
                prop_assert!(wins, "{manifest:#} {values} {text}");
            } else {
                count(3);
                prop_assert!(!wins, "more is asked for than is needed: {manifest:#} {values} {text}");
                let mut manifest = manifest.clone();
                let experiences = manifest["experiences"].as_array_mut().unwrap();
                let own = experiences.iter_mut().find(|one| one["id"] == found["experience"]).unwrap();
                let consents: Vec<_> = changes.iter().filter_map(|change| apply(change, own)).collect();
                let program = super::program(&manifest);
                let wins = wins_with(&program, &values, &found, &consents);
                // What is required is left out here, and not made to hold: another one may win that the required one would
                // have kept out, as was told.
                if !wins && all_unsure().any(|what| what == others) {
                    count(4);
                } else {
                    prop_assert!(wins, "{manifest:#} {values} {text}");
                }
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    let [refused, unsure, alone, more, others] = seen.map(|count| count.get());
    assert!(
        alone > 100 && more > 100 && others < more / 20,
        "{others} kept out by others; refused {refused}; unsure {unsure}; by its audience {alone}, by more {more}"
    );
}
