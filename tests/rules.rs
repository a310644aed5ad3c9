//! What a manifest says of learning, as the program carries it: what goes without saying, equal readings, stable numbers, limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use idoine::Program;
use idoine::compile::{Zones, compile, compile_for_browsers};
use idoine::learn::Rules;
use idoine::learn::rules::{Expected, Matching, Settle, What};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

struct Utc;

impl Zones for Utc {
    fn offset(&self, _: &str, _: i64) -> Option<i32> {
        Some(0)
    }
}

const DAY: i64 = 86_400_000;
const ONE: i64 = 1_000_000;

fn with(sections: &[(&str, Value)]) -> Value {
    let mut manifest = json!({ "site": { "id": "x" } });
    for (name, section) in sections {
        manifest[*name] = section.clone();
    }
    manifest
}

fn program(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Utc).unwrap_or_else(|errors| panic!("{errors:#?}\n{manifest:#}"))
}

fn rules(manifest: &Value) -> Rules {
    Rules::from_bytes(program(manifest).rules_bytes()).expect("rules")
}

/// The rules of a site with this audience, which an experience reads.
fn reading(audience: &str) -> Rules {
    let experience = json!([{ "id": "e", "type": "personalization", "audience": audience, "slots": { "a": { "text": "x" } } }]);
    rules(&with(&[("slots", json!({ "a": {} })), ("experiences", experience)]))
}

fn plain(event: &str) -> Matching {
    Matching { event: event.to_owned(), properties: Vec::new() }
}

#[test]
fn what_goes_without_saying() {
    let rules = rules(&with(&[("affinities", json!({ "category": {} })), ("rfm", json!({}))]));
    assert_eq!((rules.session.timeout, rules.session.new_campaign, rules.attribution), (30 * 60_000, false, 90 * DAY));
    let category = &rules.affinities[0];
    assert_eq!(
        (category.dimension.as_str(), category.property.as_str(), category.half_life),
        ("category", "category", 30 * DAY)
    );
    assert_eq!((category.cap, category.keep, category.least), (100 * ONE, 20, ONE));
    assert!(category.weights.contains(&(plain("Product Viewed"), ONE)));
    assert!(category.weights.contains(&(plain("Order Completed"), 5 * ONE)));
    let rfm = rules.rfm.unwrap();
    assert_eq!((rfm.event.as_str(), rfm.value.as_str(), rfm.trusted), ("Order Completed", "revenue", false));
    let away = &rules.lifecycle;
    assert_eq!([away.new, away.at_risk, away.dormant, away.won_back], [14 * DAY, 30 * DAY, 90 * DAY, 30 * DAY]);
    assert_eq!((rules.engagement.half_life, rules.engagement.levels), (7 * DAY, [5 * ONE, 20 * ONE]));
    assert!(rules.engagement.weights.contains(&(plain("page"), ONE)));
    assert_eq!((rules.intent.half_life, rules.intent.least, rules.intent.signals.len()), (20 * 60_000, ONE, 0));
    assert_eq!(rules.cart.added, "Product Added");
    assert!(rules.counters.is_empty() && rules.readings.is_empty() && rules.watched.is_empty() && rules.events.is_empty());
}

#[test]
fn what_is_said_is_carried() {
    let manifest = with(&[
        ("sources", json!({ "session": { "timeout_minutes": 20, "new_campaign": true, "attribution_days": 7 } })),
        (
            "traits",
            json!({ "tier": { "type": "string", "enum": ["a"], "personal": true, "purpose": "marketing", "settle": "source", "sources": ["crm", "browser"] } }),
        ),
        (
            "events",
            json!({ "Sold": { "purpose": "marketing", "trusted": true, "properties": {
                "products.kind": { "type": "string", "enum": ["x"], "required": true }, "name": { "type": "string", "personal": true } } } }),
        ),
        ("affinities", json!({ "kind": { "weights": { "Sold": [{ "weight": 2.5, "properties": { "kind": "x" } }, 1] } } })),
        ("engagement", json!({ "weights": { "Sold": 3 }, "medium": 1.5 })),
        ("intents", json!({ "signals": { "ready": { "page": 0.001 } } })),
        (
            "propensities",
            json!({ "buy": { "intercept": -1.25, "coefficients": { "profile.count('Sold', '48h')": 0.5, "profile.cart.value": 1e-6 } } }),
        ),
        ("features", json!({ "f": { "event": "Sold", "properties": { "kind": "x" } } })),
        ("milestones", json!({ "third": { "event": "Sold", "count": 3 }, "year": { "years": 2, "lasts": "12h" } })),
        (
            "webhooks",
            json!({ "crm": { "url": "https://a.example/", "audiences": ["b", "a"] }, "dwh": { "url": "http://localhost:1/", "events": ["*"], "audiences": ["a"], "purpose": "marketing" } }),
        ),
        ("audiences", json!({ "a": "profile.lifecycle == 'new'", "b": "geo.is_eu" })),
    ]);
    let rules = rules(&manifest);
    assert_eq!((rules.session.timeout, rules.session.new_campaign, rules.attribution), (20 * 60_000, true, 7 * DAY));
    let tier = &rules.traits[0];
    assert_eq!(
        (tier.kind.as_str(), tier.purpose.0.as_str(), tier.personal, tier.settle),
        ("string", "marketing", true, Settle::Source)
    );
    assert_eq!(
        (tier.values.as_slice(), tier.sources.as_slice()),
        (&["a".to_owned()][..], &["crm".to_owned(), "browser".to_owned()][..])
    );
    let sold = &rules.events[0];
    assert_eq!((sold.purpose.0.as_str(), sold.trusted), ("marketing", true));
    assert_eq!(
        (sold.properties[0].path.as_str(), sold.properties[0].required, sold.properties[0].personal),
        ("products.kind", true, false)
    );
    assert!(sold.properties[1].personal && !sold.properties[1].required);
    let kind_x = Matching { event: "Sold".to_owned(), properties: vec![("kind".to_owned(), Expected::Text("x".to_owned()))] };
    assert_eq!(rules.affinities[0].weights, [(kind_x.clone(), 5 * ONE / 2), (plain("Sold"), ONE)]);
    assert_eq!(
        (rules.engagement.weights.as_slice(), rules.engagement.levels),
        (&[(plain("Sold"), 3 * ONE)][..], [3 * ONE / 2, 20 * ONE])
    );
    assert_eq!(rules.intent.signals, [("ready".to_owned(), vec![(plain("page"), 1000)])]);
    let buy = &rules.propensities[0];
    let [counter] = rules.counters.as_slice() else { panic!("{:?}", rules.counters) };
    assert_eq!((counter.matching.clone(), counter.windows.as_slice()), (plain("Sold"), &[2 * DAY][..]));
    assert_eq!(buy.intercept, -5 * ONE / 4);
    assert_eq!(buy.coefficients, [(What::Count(counter.id, 2 * DAY), ONE / 2), (What::CartValue, 1)]);
    assert_eq!((rules.features[0].matching.clone(), rules.features[0].adopted, rules.features[0].left), (kind_x, 3, 30 * DAY));
    assert_eq!((rules.milestones[0].matching.clone(), rules.milestones[0].count), (Some(plain("Sold")), 3));
    assert_eq!(
        (rules.milestones[1].matching.clone(), rules.milestones[1].count, rules.milestones[1].lasts),
        (None, 2, DAY / 2)
    );
    assert_eq!((rules.webhooks[0].purpose.0.as_str(), rules.webhooks[1].purpose.0.as_str()), ("analytics", "marketing"));
    assert_eq!(rules.watched, ["a", "b"]);
}

#[test]
fn readings_are_fields_and_pages_know_those_that_experiences_read() {
    let mut manifest = with(&[
        (
            "traits",
            json!({ "name": { "type": "string", "purpose": "marketing" }, "unread": { "type": "int", "purpose": "analytics" }, "team": { "type": "string", "purpose": "analytics" } }),
        ),
        ("audiences", json!({ "named": "profile.count('A', '7d') > 1", "alone": "profile.count('A', '30d') > 1" })),
        ("slots", json!({ "a": {} })),
        ("personas", json!({ "p": { "profile.engagement": "high" } })),
    ]);
    manifest["experiences"] = json!([
        { "id": "e", "type": "experiment", "unit": "profile.team", "audience": "named", "slots": { "a": [{ "baseline": true }, { "text": "{{ profile.name | \"you\" }} {{ profile.lifecycle | \"new\" }}" }] } },
        { "id": "d", "type": "personalization", "status": "draft", "audience": "profile.session.number > 1", "slots": { "a": { "text": "x" } } }
    ]);
    let whole = program(&manifest);
    let rules = Rules::from_bytes(whole.rules_bytes()).unwrap();
    let found: Vec<(&str, bool)> = rules.readings.iter().map(|reading| (reading.path.as_str(), reading.on_pages)).collect();
    let expected = [
        ("profile.name", true),
        ("profile.unread", false),
        ("profile.team", true),
        ("profile.count('A', '7d')", true),
        ("profile.count('A', '30d')", false),
        ("profile.session.number", true),
        ("profile.engagement", false),
        ("profile.lifecycle", true),
    ];
    assert_eq!(found, expected);
    for (path, _) in found {
        assert!(whole.field(path).is_some(), "{path}");
    }
    assert_eq!(rules.counters.len(), 1);
    assert_eq!(rules.counters[0].windows, [7 * DAY, 30 * DAY]);
    let experiences: Vec<&str> = rules.experiences.iter().map(|experience| experience.id.as_str()).collect();
    assert_eq!(experiences, [""; 0]);
    // Browsers have the fields, and learn nothing: neither what drafts read nor how anything is learned.
    let browser = compile_for_browsers(&manifest.to_string(), &Utc).unwrap().program;
    assert_eq!(browser.rules_bytes(), b"");
    let fields = [
        "profile.count('A', '7d')",
        "profile.lifecycle",
        "profile.session.number",
        "profile.count('A', '30d')",
        "profile.engagement",
    ];
    assert_eq!(fields.map(|path| browser.field(path).is_some()), [true, true, false, false, false]);
}

#[test]
fn pages_know_of_what_was_seen_where_it_matters() {
    let slot = json!({ "a": { "text": "x" } });
    let experience = |id: &str, more: Value| {
        let mut experience = json!({ "id": id, "type": "personalization", "slots": slot });
        experience.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        experience
    };
    let mut manifest = with(&[
        ("slots", json!({ "a": {} })),
        ("groups", json!({ "capped": { "cap": { "day": 1 } }, "free": {} })),
        (
            "experiences",
            json!([
                experience("plain", json!({ "groups": ["free"] })),
                experience("grouped", json!({ "groups": ["free", "capped"] })),
                experience("capped", json!({ "cap": { "total": 1 }, "global_cap": false })),
                { "id": "sticky", "type": "experiment", "sticky": true, "slots": { "a": [{ "baseline": true }, { "text": "x" }] } },
            ]),
        ),
    ]);
    let told = |manifest: &Value| -> Vec<String> {
        let told = rules(manifest).experiences.into_iter();
        told.map(|of| format!("{} {} {} {:?} {}", of.id, of.sticky, of.capped, of.groups, of.site)).collect()
    };
    assert_eq!(
        told(&manifest),
        ["grouped false false [\"capped\"] false", "capped false true [] false", "sticky true false [] false"]
    );
    manifest["cap"] = json!({ "week": 3 });
    let all = [
        "plain false false [] true",
        "grouped false false [\"capped\"] true",
        "capped false true [] false",
        "sticky true false [] true",
    ];
    assert_eq!(told(&manifest), all);
}

#[test]
fn the_number_of_a_counter_is_frozen() {
    // Profiles keep their counts by it: it never changes.
    let id = |audience: &str| reading(audience).counters[0].id;
    let frozen = [
        ("profile.count('Product Viewed', '7d') > 0", FROZEN[0]),
        ("profile.count('Product Viewed', '7d', {'category': 'shoes', 'sale': true, 'size': 42.5}) > 0", FROZEN[1]),
        ("profile.sum('Order Completed', 'revenue') > 0.0", FROZEN[2]),
    ];
    for (audience, number) in frozen {
        assert_eq!(id(audience), number, "{audience}");
    }
    // Windows and other counters have no part in it, nor whether it is a first time that is asked for.
    let other = id("profile.count('Product Viewed') > 0 || has(profile.first('Product Viewed'))");
    assert_eq!(other, FROZEN[0]);
    let both = reading("profile.sum('A', 'x') > 0.0 || profile.count('Product Viewed', '1h') > 0");
    assert!(both.counters.iter().any(|counter| counter.id == FROZEN[0]) && both.counters.len() == 2);
}

/// Programs with rules of another layout are refused by their fingerprint, which has `RULES` in it: where this fails, raise that
/// number, and say here what the bytes come to now.
#[test]
fn the_layout_of_rules_is_frozen() {
    use idoine::learn::rules::*;
    let text = |text: &str| text.to_owned();
    let matching = || Matching {
        event: text("e"),
        properties: vec![
            (text("b"), Expected::Bool(true)),
            (text("n"), Expected::Number(2)),
            (text("t"), Expected::Text(text("x"))),
        ],
    };
    let weights = || vec![(matching(), 3)];
    let whats = [
        What::Trait(text("t")),
        What::Count(1, 2),
        What::Sum(1, 2),
        What::First(1),
        What::Last(1),
        What::FirstSeen,
        What::LastSeen,
        What::Sessions,
        What::SessionPages,
        What::SessionStarted,
        What::FirstTouch(text("a")),
        What::LastTouch(text("a")),
        What::Affinity(text("a")),
        What::Affinities(text("a")),
        What::AffinityShare(text("a"), text("b")),
        What::RfmSegment,
        What::RfmRecency,
        What::RfmFrequency,
        What::RfmMonetary,
        What::Lifecycle,
        What::Engagement,
        What::Intent,
        What::Propensity(text("p")),
        What::NpsScore,
        What::NpsCategory,
        What::Answer(text("q")),
        What::Feature(text("f")),
        What::FeatureCount(text("f")),
        What::CartQuantity,
        What::CartValue,
        What::CartUpdated,
        What::Milestone(text("m")),
        What::MilestoneReached(text("m")),
    ];
    let property = PropertyRule { path: text("p"), kind: text("int"), required: true, values: vec![text("v")], personal: true };
    let rules = Rules {
        attribution: 5,
        events: vec![EventRule { name: text("e"), trusted: true, properties: vec![property], ..EventRule::default() }],
        traits: vec![TraitRule { name: text("t"), settle: Settle::Largest, sources: vec![text("s")], ..TraitRule::default() }],
        counters: vec![Counter { id: 1, matching: matching(), sum: Some(text("p")), windows: vec![0, 7] }],
        affinities: vec![Affinity {
            dimension: text("d"),
            weights: weights(),
            cap: 9,
            keep: 2,
            least: 1,
            ..Affinity::default()
        }],
        rfm: Some(Rfm { event: text("e"), value: text("v"), trusted: true }),
        engagement: Engagement { half_life: 4, weights: weights(), levels: [1, 2] },
        intent: Intent { half_life: 4, least: 1, signals: vec![(text("i"), weights())] },
        propensities: vec![Propensity { name: text("p"), intercept: -1, coefficients: vec![(What::CartValue, 2)] }],
        features: vec![Feature { name: text("f"), matching: matching(), adopted: 3, left: 4 }],
        milestones: vec![Milestone { name: text("m"), matching: Some(matching()), count: 3, lasts: 4 }],
        watched: vec![text("w")],
        webhooks: vec![Webhook {
            name: text("n"),
            url: text("u"),
            events: vec![text("*")],
            audiences: vec![text("a")],
            ..Webhook::default()
        }],
        experiences: vec![ExperienceRule { id: text("x"), sticky: true, capped: true, groups: vec![text("g")], site: true }],
        readings: whats.map(|what| Reading { path: text("r"), what, on_pages: true, slots: vec![1, 300] }).to_vec(),
        by_user: vec![2],
        ..Rules::default()
    };
    let bytes = rules.to_bytes();
    assert_eq!(Rules::from_bytes(&bytes).as_ref(), Some(&rules));
    assert_eq!((idoine::program::RULES, idoine::bucket::murmur3_32(&bytes, 0)), ("2", 3_385_993_907));
}

/// Computed by another implementation of MurmurHash3, from the texts with their lengths.
const FROZEN: [u32; 3] = [1_299_679_882, 4_104_304_240, 273_801_347];

#[test]
fn as_much_as_is_kept_and_no_more() {
    fn object(count: usize, value: &Value) -> Value {
        Value::Object((0..count).map(|n| (format!("n{n}"), value.clone())).collect::<Map<_, _>>())
    }
    fn audiences(count: usize, audience: impl Fn(usize) -> String) -> Value {
        Value::Object((0..count).map(|n| (format!("a{n}"), audience(n).into())).collect::<Map<_, _>>())
    }
    let event = json!({ "event": "A" });
    type Many<'a> = dyn Fn(usize) -> Value + 'a;
    let coefficients = |count: usize| {
        let each = (0..count).map(|n| (format!("profile.count('E{}', '{}d')", n / 8, n % 8 + 1), json!(1)));
        json!({ "p": { "intercept": 0, "coefficients": each.collect::<Map<_, _>>() } })
    };
    let cases: [(&str, usize, &Many<'_>, &str); 14] = [
        ("events", 500, &|count| object(count, &json!({})), "at most 500 events are kept, found 501"),
        (
            "events",
            100,
            &|count| json!({ "A": { "properties": object(count, &json!({ "type": "int" })) } }),
            "at most 100 properties of an event are kept, found 101",
        ),
        (
            "traits",
            200,
            &|count| object(count, &json!({ "type": "int", "purpose": "analytics" })),
            "at most 200 traits are kept, found 201",
        ),
        ("affinities", 16, &|count| object(count, &json!({})), "at most 16 affinities are kept, found 17"),
        (
            "affinities",
            32,
            &|count| json!({ "a": { "weights": object(count, &json!(1)) } }),
            "at most 32 weights are looked at",
        ),
        (
            "intents",
            16,
            &|count| json!({ "signals": object(count, &json!({ "A": 1 })) }),
            "at most 16 intents are kept, found 17",
        ),
        (
            "propensities",
            16,
            &|count| object(count, &json!({ "intercept": 0, "coefficients": {} })),
            "at most 16 propensities are kept, found 17",
        ),
        ("propensities", 32, &coefficients, "at most 32 coefficients of a propensity are kept, found 33"),
        ("features", 64, &|count| object(count, &event), "at most 64 features are kept, found 65"),
        ("milestones", 32, &|count| object(count, &event), "at most 32 milestones are kept, found 33"),
        (
            "webhooks",
            16,
            &|count| object(count, &json!({ "url": "https://a.example/", "events": ["*"] })),
            "at most 16 webhooks are kept, found 17",
        ),
        (
            "audiences",
            64,
            &|count| audiences(count, |n| format!("profile.count('E{n}') > 0")),
            "a site counts at most 64 things",
        ),
        (
            "audiences",
            8,
            &|count| audiences(count, |n| format!("profile.count('A', '{}d') > 0", n + 1)),
            "of the same at most 8 windows are kept",
        ),
        (
            "audiences",
            500,
            &|count| audiences(count, |n| format!("profile.answer('{n}') == 'x'")),
            "a site reads at most 500 things of profiles",
        ),
    ];
    for (section, most, many, message) in cases {
        let errors = |count: usize| compile(&with(&[(section, many(count))]).to_string(), &Utc).err().unwrap_or_default();
        assert!(errors(most).is_empty(), "{message}: {:#?}", errors(most));
        let found = errors(most + 1);
        assert!(found.len() == 1 && found[0].message.contains(message), "{message}: {found:#?}");
    }
}

/// A text as an author may write it, in one sort of quotes or the other.
fn quoted(text: &str, double: bool) -> String {
    let quote = if double { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However it is written, a reading is one field; and its text, read again, is the same field.
    #[test]
    fn equal_readings_share_a_field(
        event in "\\PC{1,12}|[a-z'\"\\\\|}{]{1,8}",
        properties in prop::collection::btree_map("[a-z]{1,4}(\\.[a-z]{1,3})?", prop_oneof![
            "[a-z'\"]{1,5}".prop_map(Value::from), any::<bool>().prop_map(Value::from), (-1000i64..1000).prop_map(Value::from),
        ], 0..4),
        days in 1u32..400, spaces in any::<bool>(), double in any::<bool>(),
    ) {
        prop_assume!(!properties.keys().any(|path| path.starts_with("properties.") || path.starts_with("products.")));
        let write = |double: bool, spaces: bool, hours: bool, backwards: bool| {
            let space = if spaces { " " } else { "" };
            let window = if hours { format!("{}h", days * 24) } else { format!("{days}d") };
            let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| quoted(text, double));
            let mut entries: Vec<String> =
                properties.iter().map(|(path, of)| format!("{}{space}:{space}{}", quoted(path, double), value(of))).collect();
            if backwards {
                entries.reverse();
            }
            let map = if entries.is_empty() { String::new() } else { format!(",{space}{{{}}}", entries.join(",")) };
            format!("profile.count({}{space},{}{map})", quoted(&event, double), quoted(&window, double))
        };
        let one = write(double, spaces, false, false);
        let rules = reading(&format!("{one} > 1 || {} > 2", write(!double, !spaces, true, true)));
        prop_assert_eq!(rules.readings.len(), 1, "{}", one);
        let path = rules.readings[0].path.clone();
        let again = reading(&format!("{path} > 1"));
        prop_assert_eq!(&again.readings[0].path, &path);
        prop_assert_eq!(&again.counters, &rules.counters);
        prop_assert_eq!(&rules.counters[0].matching.event, &event);
        prop_assert_eq!(rules.counters[0].matching.properties.len(), properties.len());
        // In contents and in personas too.
        let text = format!("{{{{ {one} | \"none\" }}}}");
        let content = !one.contains("}}");
        let manifest = with(&[
            ("slots", json!({ "a": {} })),
            ("personas", json!({ "p": { one.clone(): 3 } })),
            ("experiences", if content { json!([{ "id": "e", "type": "personalization", "slots": { "a": { "text": text } } }]) } else { json!([]) }),
        ]);
        let program = program(&manifest);
        prop_assert!(program.field(&path).is_some(), "{}", path);
        let (_, values) = program.personas().next().unwrap();
        prop_assert_eq!(values, vec![(path.as_str(), "3")]);
    }
}
