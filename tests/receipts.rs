//! Receipts and logged visitors: whatever a request is, its context is derived again from what was logged of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::compile;
use idoine::context::FIELDS;
use idoine::log::logged;
use idoine::visitor::Visitor;
use idoine::{Context, Offsets, Program, Receipt, Request, decide, edits};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use support::Iana;

/// A site that has everything a context may hold, and experiences that read it.
fn manifest() -> Value {
    let kinds = ["bool", "int", "double", "string", "strings", "timestamp"];
    let traits: serde_json::Map<_, _> = kinds
        .into_iter()
        .map(|kind| (format!("a_{kind}"), json!({ "type": kind, "purpose": "analytics" })))
        .chain([("marketing".to_owned(), json!({ "type": "string", "purpose": "marketing" }))])
        .collect();
    let audiences = [
        "device.type == 'mobile' || device.os == 'ios'",
        "source.channel == 'Organic Social' || source.name.contains('a')",
        "has(page.query.a) && page.query.a != ''",
        "geo.latitude > 0.0 && places.stores.distance_km < 5000.0",
        "holidays.fr || time.hour > 11",
        "language.site == 'de' || 'en' in language.accepted",
        "profile.a_double > 0.1 || profile.a_int > 3",
        "profile.a_strings.exists(item, item == '')",
        "profile.marketing != '' && visitor.returning",
        "enrichment.weather.words.size() == 0",
    ];
    let slots: serde_json::Map<_, _> =
        (0..audiences.len()).map(|index| (format!("s{index}"), json!({ "selector": format!("p{index}") }))).collect();
    let experiences: Vec<Value> = audiences
        .iter()
        .enumerate()
        .map(|(index, audience)| {
            let content = json!({ "text": "{{ geo.city | \"-\" }} {{ page.hash | \"-\" }} {{ profile.a_string | \"-\" }}" });
            let contents = if index % 2 == 0 { content } else { json!([{ "baseline": true }, content]) };
            let kind = if index % 2 == 0 { "personalization" } else { "experiment" };
            let purpose = if index == 9 { "analytics" } else { "personalization" };
            json!({ "id": format!("e{index}"), "type": kind, "purpose": purpose, "audience": audience, "slots": { format!("s{index}"): contents } })
        })
        .collect();
    json!({
        "site": { "id": "x", "hosts": ["x.example"], "timezone": "Europe/Paris", "languages": ["fr", "de", "en-GB"] },
        "traits": traits,
        "holidays": { "fr": ["12-25", "2026-04-06"] },
        "places": { "stores": { "a": { "latitude": 48.85, "longitude": 2.35 }, "b": { "latitude": -36, "longitude": 179, "name": "B" } } },
        "sources": { "click_ids": { "own": { "source": "find" } }, "channels": [{ "name": "C", "when": { "source": "*a*", "referrer": "*" } }] },
        "enrichments": { "weather": { "url": "https://weather.example/", "fields": {
            "words": { "type": "strings", "path": "words" },
            "sky": { "type": "string", "path": "sky", "enum": ["rain", "sun"] },
            "degrees": { "type": "double", "path": "degrees" } } } },
        "slots": slots,
        "experiences": experiences,
    })
}

fn program() -> &'static Program {
    static PROGRAM: LazyLock<Program> =
        LazyLock::new(|| compile(&manifest().to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}")));
    &PROGRAM
}

/// The context that is derived from what is logged, through its JSON.
fn again(program: &Program, context: &Context) -> Context {
    let json = serde_json::to_string(&logged(program, context)).unwrap();
    let visitor: Visitor = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    // The host's own clock and zones are other ones, and asked for nothing that was logged.
    let request = visitor.request(123, |_, _| Offsets::new(vec![(0, Some(7))]));
    let mut again = Context::derive(program, &request);
    assert!(again.ignored.is_empty(), "{:?}: {json}", again.ignored);
    again.ignored.clone_from(&context.ignored);
    again
}

/// What is not in a context's equality: which of the zeros a number is.
fn is_logged(request: &Request) {
    let program = program();
    let context = Context::derive(program, request);
    let again = self::again(program, &context);
    // What is stored and may not be read is in no log: everything else is the same, and of that the same again.
    for field in 0..program.field_count() as u32 {
        assert_eq!(again.get(field), context.get(field), "{}", program.field_path(field));
        assert_eq!(again.is_denied(field), context.is_denied(field), "{}", program.field_path(field));
    }
    assert_eq!((again.now, again.consent, again.query()), (context.now, context.consent, context.query()));
    assert_eq!(self::again(program, &again), again);
    assert_eq!(Receipt::of(program, &again), Receipt::of(program, &context));
    let decisions = decide(program, &context);
    assert_eq!(decide(program, &again), decisions);
    assert_eq!(edits(program, &again, &decisions), edits(program, &context, &decisions));
}

fn pairs(
    key: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((key, value), 0..6)
}

/// An instant that JSON can say.
fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![1_700_000_000_000i64..1_900_000_000_000, -(1i64 << 53) + 1..1 << 53]
}

fn offsets() -> impl Strategy<Value = Offsets> {
    let entry = (any::<i64>(), any::<Option<i32>>());
    prop_oneof![
        prop::collection::vec(entry, 0..4).prop_map(Offsets::new),
        Just(Offsets::new(vec![(0, Some(3600)), (2_000_000_000, None)])),
    ]
}

/// Texts that are values of some field, or nearly.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(true|false|0|1|-0|)",
        "-?[0-9]{1,20}(\\.[0-9]{1,20})?(e-?[0-9]{1,3})?",
        "[a ,]{0,6}",
        "[a&=%+ ]{0,6}",
        "[0-9]{4}-0[1-9]-1[0-9](T1[0-9]:00(:00(\\.[0-9]{1,4})?)?(Z|\\+02:00)?)?",
        "(fr|de|en-GB|rain|Europe/Paris|Organic Social|abcdefghij)",
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let program = program();
    let paths: Vec<String> = (0..program.field_count() as u32).map(|field| program.field_path(field).to_owned()).collect();
    let declared = paths[FIELDS.len()..].to_vec();
    let told = declared.iter().filter(|path| path.starts_with("enrichment.")).cloned().collect::<Vec<_>>();
    let some = |names: &[&str]| prop::sample::select(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let url = prop_oneof![
        any::<String>(),
        "https://X\\.example(:80)?/?[a-z/]{0,6}(\\?[a-zé&=%+0-9]{0,20})?(#[a#?]{0,4})?",
        "https://x\\.example/\\?(utm_(source|medium|campaign)=[a-z]{1,8}&|own=1&|a=[a-z]?&){0,4}",
    ];
    let header = prop_oneof![
        (
            Just("cookie".to_owned()),
            "(idoine_consent=v1(\\.personalization)?(\\.analytics)?(\\.marketing)?)?(; idoine_id=[a-z]{8,10})?"
        ),
        (
            Just("user-agent".to_owned()),
            "(Mozilla/5\\.0 \\((iPhone|Android 10; K|Windows NT 10\\.0)\\) (Chrome/[0-9]{2} )?(Mobile )?Safari/5)|[ -~]{0,20}"
        ),
        (Just("accept-language".to_owned()), "((fr|de|en-US|zh-hant-TW|\\*|x)(;q=(0|0\\.[1-9]))?,){0,5}|[ -~]{0,9}"),
        (
            Just("referer".to_owned()),
            "https://(www\\.)?(google\\.fr|instagram\\.com|a\\.example|x\\.example)/[a?#é ]{0,3}|[ -~é]{0,9}"
        ),
        (
            some(&["sec-gpc", "dnt", "save-data", "sec-ch-ua-mobile", "sec-ch-viewport-width"]),
            "(1|on|\\?1|320)".prop_map(|value| value)
        ),
        (
            some(&["cf-connecting-ip", "sec-purpose", "sec-fetch-dest"]),
            "(192\\.0\\.2\\.1|::1|prefetch|iframe)".prop_map(|value| value)
        ),
    ];
    let cf =
        some(&["country", "latitude", "longitude", "asn", "timezone", "city", "isEUCountry", "botManagement.score", "colo"]);
    let beside = some(&["now", "visitor.id", "consent.personalization", "consent.analytics", "consent.marketing", "nowhere"]);
    let stored = prop_oneof![
        "(assignment|seen|variant)\\.e[0-9x]",
        some(&["visitor.user_id", "visitor.session_start", "seen_site", "seen_group.x"])
    ];
    let stored = stored.boxed();
    let kept = prop_oneof![
        text(),
        "[0-9](,[0-9]){0,8}",
        "[0-9]{1,3}(,[0-9]{1,12}){3},2026-11-20T12:30:0[0-9]Z",
        "0,0,0,0,-?[0-9]{1,18}"
    ]
    .boxed();
    let path = prop_oneof![prop::sample::select(paths), prop::sample::select(declared), beside, stored.clone()];
    let parts = (url, prop::collection::vec(header, 0..6), pairs(cf, text()), instant(), offsets());
    let value = prop_oneof![text(), kept.clone()];
    (parts, pairs(path, value), pairs(prop::sample::select(told), text()), pairs(stored, kept)).prop_map(
        |((url, headers, cf, now, offsets), overrides, enrichments, profile)| Request {
            url,
            headers,
            cf,
            now,
            offsets,
            overrides,
            enrichments,
            profile,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_context_is_derived_again_from_what_is_logged(request in request()) {
        is_logged(&request);
    }

    #[test]
    fn contexts_that_differ_have_other_digests(request in request(), change in 0usize..9, text in text(), number: i32) {
        let mut other = request.clone();
        let (path, value) = match change {
            0 => ("geo.city", text.clone()),
            1 => ("profile.a_string", text.clone()),
            2 => ("profile.a_strings", text.clone()),
            3 => ("visitor.id", format!("other-{number}")),
            4 => ("consent.analytics", (number % 2 == 0).to_string()),
            5 => ("now", number.to_string()),
            _ => ("", String::new()),
        };
        other.overrides.push((path.to_owned(), value));
        match change {
            6 => other.url.push_str(&format!("&a={text}")),
            7 => other.offsets = Offsets::new(vec![(0, Some(number))]),
            8 => other.url.push('#'),
            _ => {}
        }
        let derive = |request: &Request| {
            let mut context = Context::derive(program(), request);
            context.ignored.clear();
            let receipt = Receipt::of(program(), &context);
            (context, receipt)
        };
        let (one, other) = (derive(&request), derive(&other));
        prop_assert_eq!(&derive(&request).1, &one.1);
        prop_assert!(one.0 == other.0 || one.1.context != other.1.context, "{:?}", one.0);
    }
}

/// What a text, comma-separated or as a query, does not say at first sight.
#[test]
fn what_is_known_to_be_empty_stays_so() {
    let agreed = ("consent.analytics".to_owned(), "true".to_owned());
    let plain = Request { url: "https://x.example/".to_owned(), ..Request::default() };
    for url in [
        "https://x.example/#",
        "https://x.example/?",
        "https://x.example/?=",
        "https://x.example/?a=1&a=2#b#c",
        "#",
        "",
        "?a",
        "/a?b",
    ] {
        is_logged(&Request { url: url.to_owned(), ..plain.clone() });
        // The page says otherwise than its URL.
        for (path, text) in [
            ("page.url", "https://y.example/?c=d#e"),
            ("page.url", ""),
            ("page.query", "&"),
            ("page.query", ""),
            ("page.path", ""),
        ] {
            is_logged(&Request { url: url.to_owned(), overrides: vec![(path.to_owned(), text.to_owned())], ..plain.clone() });
        }
    }
    for text in ["", " ", ",", "a,,b", " a , b "] {
        for enrichments in [vec![("enrichment.weather.words".to_owned(), text.to_owned())], Vec::new()] {
            let overrides = vec![agreed.clone(), ("profile.a_strings".to_owned(), text.to_owned())];
            is_logged(&Request { overrides, enrichments, ..plain.clone() });
        }
    }
    for (path, text) in [
        ("profile.a_double", "-0"),
        ("profile.a_double", "5e-324"),
        ("profile.a_double", "0.1"),
        ("profile.a_int", "-9223372036854775808"),
        ("profile.a_timestamp", "9999-12-31T23:59:59.999Z"),
        ("profile.a_timestamp", "-62135596800001"),
        ("profile.a_timestamp", "253402300800000"),
        ("geo.timezone", ""),
        ("geo.timezone", "Mars/Olympus_Mons"),
        ("time.date", "2026-12-25"),
        ("geo.latitude", "48.85"),
        ("enrichment.weather.sky", "snow"),
        ("places.stores.distance_km", "-0"),
    ] {
        let cf = [("longitude", "2.35"), ("latitude", "48.85")];
        let cf = cf.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        is_logged(&Request { cf, overrides: vec![agreed.clone(), (path.to_owned(), text.to_owned())], ..plain.clone() });
    }
}

#[test]
fn a_trait_that_is_not_known_changes_no_digest() {
    let mut other = manifest();
    // Another trait, and before those that are known.
    let mut traits = serde_json::Map::new();
    traits.insert("unknown".to_owned(), json!({ "type": "string", "purpose": "marketing" }));
    traits.extend(other["traits"].as_object().unwrap().clone().into_iter().rev());
    other["traits"] = Value::Object(traits);
    let other = compile(&other.to_string(), &Iana).unwrap();
    let told = [("consent.analytics", "true"), ("profile.a_string", "x"), ("profile.a_int", "5"), ("profile.marketing", "y")];
    let overrides = told.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
    let request = Request { url: "https://x.example/".to_owned(), overrides, ..Request::default() };
    let receipts = [program(), &other].map(|program| Receipt::of(program, &Context::derive(program, &request)));
    assert_eq!(receipts[0].context, receipts[1].context);
    assert_ne!(receipts[0].program, receipts[1].program);
}

/// Parts of which no field says anything, or not all.
#[test]
fn every_part_of_a_context_counts() {
    let overrides = [("page.url", "https://y.example/"), ("page.query", "&"), ("consent.analytics", "true")];
    let overrides = overrides.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
    let url = "https://x.example/?a=1&a=2".to_owned();
    let plain = Request { url, overrides, offsets: Offsets::new(vec![(9, Some(5))]), ..Request::default() };
    let with = |path: &str, text: &str| {
        let mut other = plain.clone();
        other.overrides.push((path.to_owned(), text.to_owned()));
        other
    };
    let requests = [
        Request { url: "https://x.example/?a=1".to_owned(), ..plain.clone() },
        Request { url: "https://x.example/?a=1&a=3".to_owned(), ..plain.clone() },
        Request { url: "https://x.example/?a=1&b=2".to_owned(), ..plain.clone() },
        Request { offsets: Offsets::new(vec![(8, Some(5))]), ..plain.clone() },
        Request { offsets: Offsets::new(vec![(9, None)]), ..plain.clone() },
        Request { offsets: Offsets::new(vec![(9, Some(5)), (10, Some(5))]), ..plain.clone() },
        Request { offsets: Offsets::default(), ..plain.clone() },
        with("visitor.id", "abcdefgh"),
        with("consent.marketing", "true"),
        with("now", "1"),
        with("time.now", "1"),
        with("profile.a_double", "0"),
        with("profile.a_double", "-0"),
        with("profile.a_int", "0"),
        with("profile.a_bool", "0"),
        with("profile.a_string", "0"),
        with("profile.a_string", "a,b"),
        with("profile.a_strings", "a,b"),
        with("profile.a_strings", "ab"),
        with("page.query", "a=b"),
        with("page.query", "b=a"),
        with("visitor.user_id", "user-1"),
        with("visitor.session_start", "2026-11-20T12:30:00Z"),
        with("assignment.e9", "1"),
        with("assignment.e9", "0"),
        with("seen.e9", "1,2,3,4,5"),
        with("seen.e9", "1,2,3,4,6"),
        with("seen_site", "1,2,3,4,5"),
        with("seen_group.x", "1,2,3,4,5"),
        with("variant.e0", "1"),
        plain.clone(),
    ];
    let digest = |request: &Request| Receipt::of(program(), &Context::derive(program(), request)).context;
    let digests: std::collections::BTreeSet<String> = requests.iter().map(digest).collect();
    assert_eq!(digests.len(), requests.len());
    requests.iter().for_each(is_logged);
}

/// A variant that an experience does not have is read by nobody: it is in no digest and in no log, and a preview that asks for it
/// is told.
#[test]
fn variants_that_there_are_not_count_for_nothing() {
    let slot = |name: &str| json!({ "slots": { name: [{ "baseline": true }, { "text": "x" }, { "text": "y" }] } });
    let manifest = json!({
        "site": { "id": "x" },
        "slots": { "a": { "selector": "a" }, "b": { "selector": "b" }, "c": { "selector": "i" }, "d": { "selector": "p" } },
        "experiences": [
            { "id": "one", "type": "experiment", "sticky": true, "slots": slot("a")["slots"] },
            { "id": "two", "type": "experiment", "sticky": true, "factors": { "f": slot("b"), "g": slot("c") } },
            { "id": "all", "type": "personalization", "slots": { "d": { "text": "x" } } },
        ],
    });
    let program = compile(&manifest.to_string(), &Iana).unwrap();
    let derive = |path: &str, text: &str| {
        let told = [("consent.personalization", "true"), (path, text)];
        let overrides = told.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
        let context =
            Context::derive(&program, &Request { url: "https://x.example/".to_owned(), overrides, ..Request::default() });
        let digest = Receipt::of(&program, &context).context;
        let expected = context.ignored.iter().map(|(path, expected)| format!("{path}: {expected}")).collect::<String>();
        (digest, expected, serde_json::to_string(&logged(&program, &context)).unwrap())
    };
    let (plain, ignored, log) = derive("geo.city", "");
    assert_eq!(ignored, "");
    let (id, variant) = ("an experience's id after the dot", "a variant of the experience, with factors a level of each");
    let levels = "a variant of the experience, with factors a level of each";
    for kind in ["variant", "assignment"] {
        for (experience, text, expected) in [
            ("nope", "1", id),
            ("one", "3", variant),
            ("one", "1,0", variant),
            ("two", "1", levels),
            ("two", "1,3", levels),
            ("two", "1,0,0", levels),
            ("all", "2", variant),
        ] {
            let path = format!("{kind}.{experience}");
            assert_eq!(derive(&path, text), (plain.clone(), format!("{path}: {expected}"), log.clone()), "{text}");
        }
        for (experience, text) in [("one", "2"), ("one", "0"), ("two", "2,1"), ("all", "0"), ("all", "1")] {
            let (digest, ignored, _) = derive(&format!("{kind}.{experience}"), text);
            assert!(digest != plain && ignored.is_empty(), "{kind}.{experience} {text}: {ignored}");
        }
        assert_eq!(derive(&format!("{kind}.one"), ""), (plain.clone(), String::new(), log.clone()));
    }
    assert_eq!(derive("seen.nope", "1,1,1,1,0"), (plain, format!("seen.nope: {id}"), log));
}

/// What is stored and can't be read is told too; what another manifest's experiences left behind is nothing wrong.
#[test]
fn what_is_stored_and_can_not_be_read_is_told() {
    let stored = [
        ("seen.e0", "1,2"),
        ("seen.e1", "1,1,1,1,0"),
        ("seen.nowhere", "1,1,1,1,0"),
        ("assignment.nowhere", "1"),
        ("visitor.user_id", ""),
        ("visitor.session_start", "soon"),
        ("variant.e0", "1"),
        ("profile.a_int", "many"),
        ("profile.a_bool", ""),
        ("profile.nothing", "1"),
    ];
    let profile = stored.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
    let context = Context::derive(program(), &Request { profile, ..Request::default() });
    let found: Vec<(&str, &str)> = context.ignored.iter().map(|(path, expected)| (path.as_str(), expected.as_str())).collect();
    let expected = [
        ("profile.a_int", "int"),
        ("profile.nothing", "the path of a field"),
        ("seen.e0", "session,day,week,total,last: four counts and an instant"),
        ("variant.e0", "an override"),
        ("visitor.session_start", "an instant such as 2026-11-20T12:30:00Z"),
    ];
    assert_eq!(found, expected);
}

/// What is not agreed to is in no log.
#[test]
fn a_log_holds_nothing_that_is_denied() {
    let told = [
        ("profile.marketing", "secret"),
        ("visitor.returning", "true"),
        ("visitor.user_id", "secret"),
        ("seen_site", "1,1,1,1,7"),
        ("seen.e0", "1,1,1,1,7"),
        ("assignment.e0", "1"),
        ("assignment.e9", "1"),
        ("assignment.nowhere", "1"),
    ];
    let overrides = told.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
    let headers = vec![("cookie".to_owned(), "idoine_id=secret-secret".to_owned())];
    let mut request = Request { url: "https://x.example/".to_owned(), headers, overrides, ..Request::default() };
    let json = |request: &Request| serde_json::to_value(logged(program(), &Context::derive(program(), request))).unwrap();
    assert_eq!(json(&request), json!({ "url": "https://x.example/", "now": "1970-01-01T00:00:00Z" }));
    // A program reads of an experience what its own purpose allows.
    request.overrides.push(("consent.analytics".to_owned(), "true".to_owned()));
    let found = json(&request);
    assert_eq!(found["context"], json!({ "consent.analytics": true, "visitor.id": "secret-secret" }));
    let profile = json!({ "assignment.e9": "1", "seen_site": "1,1,1,1,1970-01-01T00:00:00.007Z", "visitor.user_id": "secret" });
    assert_eq!(found["profile"], profile);
}

/// Lists that follow from the manifest are derived anew by another one.
#[test]
fn another_manifest_derives_by_its_own_lists() {
    let url = "https://x.example/?utm_source=radio&utm_medium=audio";
    let cf = [("timezone", "Europe/Paris"), ("latitude", "48.8"), ("longitude", "2.3")];
    let request = Request {
        url: url.to_owned(),
        headers: vec![("accept-language".to_owned(), "it,en;q=0.5".to_owned())],
        cf: cf.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        now: 1_795_177_800_000,
        offsets: Offsets::new(vec![(0, Some(3600))]),
        ..Request::default()
    };
    let json = serde_json::to_string(&logged(program(), &Context::derive(program(), &request))).unwrap();
    let mut other = manifest();
    other["holidays"]["fr"] = json!(["11-20"]);
    other["site"]["languages"] = json!(["en", "it"]);
    other["sources"]["channels"] = json!([{ "name": "Radio", "when": { "source": "radio" } }]);
    other["places"]["stores"]["b"] = json!({ "latitude": 48.8, "longitude": 2.3 });
    let other = compile(&other.to_string(), &Iana).unwrap();
    let visitor: Visitor = serde_json::from_str(&json).unwrap();
    let found = Context::derive(&other, &visitor.request(0, |_, _| Offsets::default()));
    let direct = Context::derive(&other, &request);
    assert_eq!(Receipt::of(&other, &found), Receipt::of(&other, &direct));
    let known = |path: &str| serde_json::to_value(found.get(other.field(path).unwrap().0)).unwrap();
    assert_eq!(
        [known("holidays.fr"), known("language.site"), known("source.channel"), known("places.stores.nearest")],
        [json!(true), json!("it"), json!("Radio"), json!("b")],
        "{json}"
    );
}
