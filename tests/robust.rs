//! Nothing that can be reached from outside panics: random and damaged input always gets an answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::{check, compile};
use idoine::consent::Purpose;
use idoine::log::logged;
use idoine::replay::Replay;
use idoine::report::{self, explanation, explanation_text, why_not_text};
use idoine::{Context, LoadError, Offsets, Program, Receipt, Request, decide, edits, explain, why_not, wire};
use proptest::prelude::*;
use std::sync::LazyLock;
use support::Iana;

const DEMO: &str = include_str!("../www/demo/site.jsonc");

fn demo() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| compile(DEMO, &Iana).unwrap_or_else(|errors| panic!("{errors:#?}")));
    PROGRAM.clone()
}

/// What the demo has none of: lists that belong to the context.
fn lists() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
        let source = r#"{ "site": { "id": "x", "timezone": "Europe/Paris", "languages": ["fr", "zh-Hant", "de-CH"] },
            "holidays": { "fr": ["12-25", "2026-04-06"], "none": [] },
            "places": { "stores": { "a": { "latitude": 48.85, "longitude": 2.35 }, "b": { "latitude": -36, "longitude": 179, "name": "B" } } } }"#;
        compile(source, &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
    });
    PROGRAM.clone()
}

/// A site whose pages read an enrichment.
fn enriched() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
        let document: serde_json::Value = serde_json::from_str(include_str!("spec/enrichments.json")).unwrap();
        compile(&document["manifest"].to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
    });
    PROGRAM.clone()
}

fn again(program: &Program, request: &Request, more: &[(String, String)]) -> Context {
    let mut request = request.clone();
    request.overrides.extend_from_slice(more);
    Context::derive(program, &request)
}

/// A whole pass over whatever a program and a request are. Returns whether the explanation is of what was decided.
fn run(program: &Program, request: &Request) -> bool {
    let context = Context::derive(program, request);
    let decisions = decide(program, &context);
    let edits = edits(program, &context, &decisions);
    let explained = explain(program, &context);
    explanation_text(&explanation(program, &context, &explained, &edits));
    // One is enough of what is much work.
    if let Some(found) = why_not(program, &context, context.now as u32 % 4, &|more| again(program, request, more)) {
        why_not_text(&report::why_not(program, &found));
    }
    wire::write_edits(&edits);
    wire::write_decisions(&decisions);
    program.concerns(&context);
    program.personas().count();
    for enrichment in program.enrichments().chain(program.enrichments_for(&context)) {
        assert!(enrichment.url(&context).is_none_or(|url| url.len() <= 2048));
        enrichment.fields().count();
    }
    program.hosts().count();
    explained.decisions == decisions
}

/// What is kept of a decision, and what another program makes of it.
fn keep(program: &Program, request: &Request) {
    let context = Context::derive(program, request);
    Receipt::of(program, &context);
    logged(program, &context);
    let other = lists();
    for (old, new) in [(program, &other), (&other, program)] {
        let mut replay = Replay::new(old, new, 1);
        replay.visitor(1, request, None);
        replay.finish();
    }
}

/// The checksum of a program's bytes, made right again after they were changed.
fn repair(bytes: &mut [u8]) {
    let length = bytes.len() as u32;
    bytes[12..16].copy_from_slice(&length.to_le_bytes());
    let checksum = idoine::bucket::murmur3_32(&bytes[12..], 0);
    bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
}

/// Offsets of a zone, in order or not.
fn offsets() -> impl Strategy<Value = Offsets> {
    prop::collection::vec((any::<i64>(), any::<Option<i32>>()), 0..4).prop_map(Offsets::new)
}

/// A piece of a user agent or a client hint.
fn header_part() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "Mozilla/5.0 (",
        "Opera/9.80",
        "Windows NT 10.0",
        "Windows Phone",
        "Android 10; K)",
        "iPhone OS 18_7",
        "iOS 26_2",
        "Mac OS X 10_15_7",
        "Macintosh",
        "CrOS x86_64 14541.0.0",
        "like ",
        "Mobile",
        "Version/",
        "Safari/",
        "Chrome/",
        "Trident/7.0",
        "MSIE",
        "Roku/DVP-",
        "AppleTV5,3/",
        "PlayStation 4 ",
        "wv)",
        "compatible;",
        "bot",
        "Cubot",
        "\"",
        "\\",
        "\";v=\"",
        ";v=",
        ", ",
        "?1",
        "\"Watch\"",
        "é",
        "\u{202e}",
    ]);
    prop_oneof![words.prop_map(str::to_owned), "[0-9._]{0,30}", "[A-Za-z /;()]{0,6}"]
}

fn request() -> impl Strategy<Value = Request> {
    let header = prop_oneof![
        Just("cookie"),
        Just("user-agent"),
        Just("accept-language"),
        Just("referer"),
        Just("sec-ch-ua"),
        Just("sec-ch-ua-platform"),
        Just("sec-ch-ua-mobile"),
        Just("sec-ch-ua-platform-version"),
        Just("sec-ch-ua-full-version-list"),
        Just("sec-ch-ua-model"),
        Just("sec-ch-ua-form-factors"),
        Just("sec-gpc"),
        Just("save-data"),
        Just("sec-purpose"),
        Just("cf-connecting-ip"),
        Just("sec-ch-viewport-width"),
    ];
    let cf = prop_oneof![
        Just("country"),
        Just("latitude"),
        Just("longitude"),
        Just("asn"),
        Just("timezone"),
        Just("metroCode"),
        Just("botManagement.score"),
        Just("isEUCountry"),
        Just("city")
    ];
    let path = prop_oneof![
        Just("now"),
        Just("visitor.id"),
        Just("geo.latitude"),
        Just("time.hour"),
        Just("language.accepted"),
        Just("consent.personalization"),
        Just("profile.x"),
        Just("?"),
    ];
    // What is nearly a user agent or a client hint reaches further than any text does.
    let header_value =
        prop_oneof![any::<String>(), prop::collection::vec(header_part(), 0..12).prop_map(|parts| parts.concat())];
    let headers = prop::collection::vec((header.prop_map(str::to_owned), header_value), 0..6);
    let pairs = |key: BoxedStrategy<&'static str>| prop::collection::vec((key.prop_map(str::to_owned), any::<String>()), 0..6);
    let url = prop_oneof![any::<String>(), "https?://[a-z.:@]{0,12}/?[a-z/?&=%+#é]{0,40}"];
    let now = prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    let told =
        prop_oneof![Just("enrichment.weather.temperature"), Just("enrichment.weather.condition"), Just("geo.city"), Just("")];
    let stored = prop_oneof![
        Just("visitor.user_id"),
        Just("visitor.session_start"),
        Just("assignment.call-to-action"),
        Just("variant.call-to-action"),
        Just("seen.call-to-action"),
        Just("seen_site"),
        Just("assignment."),
    ];
    let stored = (stored.prop_map(str::to_owned), prop_oneof![any::<String>(), "[0-9]{1,3}(,[0-9]{1,12}){0,5}"]);
    let profile = prop::collection::vec(stored, 0..4);
    (url, headers, pairs(cf.boxed()), now, offsets(), pairs(path.boxed()), pairs(told.boxed()), profile).prop_map(
        |(url, headers, cf, now, offsets, overrides, enrichments, profile)| Request {
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
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_request_gets_a_decision(request in request()) {
        prop_assert!(run(&demo(), &request));
        prop_assert!(run(&lists(), &request));
    }

    #[test]
    fn any_source_is_told(
        query in "(utm_(source|medium|campaign)=[a-z.()%+-]{0,12}&|[gf]bclid=x&|own=1&|.){0,6}",
        referrer in prop_oneof![any::<String>(), "(https?|android-app)://[a-z.@:\\[\\]0-9%é-]{0,30}/?", "https://([a-z]{1,4}\\.)?(google|find|x)\\.[a-z.]{1,8}"],
    ) {
        let sources = serde_json::json!({ "search": ["find"], "none": ["x.com"], "names": { "a.b": "B" }, "internal": ["c.d"],
            "click_ids": { "own": { "source": "find" } }, "channels": [{ "name": "C", "when": { "source": "*a*", "referrer": "*" } }] });
        let source = serde_json::json!({ "site": { "id": "x", "hosts": ["x.example"] }, "sources": sources });
        let program = compile(&source.to_string(), &Iana).unwrap();
        let headers = vec![("referer".to_owned(), referrer)];
        let context = Context::derive(&program, &Request { url: format!("https://x.example/?{query}"), headers, ..Request::default() });
        let (channel, _) = program.field("source.channel").unwrap();
        prop_assert!(context.get(channel).is_some());
        idoine::touch::Touch::of(&context);
    }

    #[test]
    fn any_site_of_a_manifest_is_found_or_refused(site in prop_oneof![any::<String>(), "[a-zA-Z0-9._-]{1,12}", "[a-z]{1,6}\\.[a-z]{2,6}"]) {
        let source = serde_json::json!({ "site": { "id": "x" }, "sources": { "social": [site] } });
        match compile(&source.to_string(), &Iana) {
            Ok(program) => {
                let host = if site.contains('.') { site.clone() } else { format!("{site}.example") };
                let headers = vec![("referer".to_owned(), format!("https://{host}/"))];
                let context = Context::derive(&program, &Request { headers, ..Request::default() });
                let (channel, _) = program.field("source.channel").unwrap();
                prop_assert_eq!(context.get(channel), Some(&idoine::context::Value::String("Organic Social".to_owned())), "{}", site);
            }
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn any_request_gets_its_enrichments_urls(request in request()) {
        prop_assert!(run(&enriched(), &request));
    }

    #[test]
    fn any_bytes_are_a_request_or_none(bytes: Vec<u8>) {
        if let Some(request) = wire::read_request(&bytes) {
            prop_assert!(run(&demo(), &request.owned()));
        }
    }

    #[test]
    fn any_text_is_a_manifest_or_has_errors(text in prop_oneof![any::<String>(), "[{}\\[\\]\":, a-z0-9/*\\\\]{0,80}"]) {
        if let Err(errors) = compile(&text, &Iana) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                error.render("x", &text);
            }
        }
    }

    #[test]
    fn any_expression_is_checked_or_has_errors(text in prop_oneof![any::<String>(), "[a-z'\"()!=<>&|.,0-9 \\[\\]\\\\-]{0,60}"]) {
        let source = serde_json::json!({ "site": { "id": "x" }, "audiences": { "a": text } }).to_string();
        let found = check(&source, &Iana).map_or_else(|errors| errors, |compiled| compiled.warnings);
        // There is one always: nobody uses the audience.
        prop_assert!(!found.is_empty());
        for one in found {
            prop_assert!(one.column > 0 && one.end_column > one.column);
        }
    }

    #[test]
    fn any_template_and_html_is_checked_or_has_errors(text in "[a-z<>/='\" {}|!-]{0,60}") {
        let content = serde_json::json!({ "html": text, "attribute": { "href": text } });
        let source = serde_json::json!({ "site": { "id": "x" }, "slots": { "a": { "selector": "a" } },
            "experiences": [{ "id": "e", "type": "personalization", "slots": { "a": content } }] });
        if let Ok(program) = compile(&source.to_string(), &Iana) {
            prop_assert!(run(&program, &Request::default()));
        }
    }

    #[test]
    fn a_program_with_a_changed_word_is_refused_or_still_decides(
        good in prop_oneof![Just(demo()), Just(lists()), Just(enriched())], at: prop::sample::Index, word in prop_oneof![any::<u32>(), 0u32..200], request in request(),
    ) {
        let mut bytes = good.bytes().to_vec();
        let place = at.index(bytes.len() / 4) * 4;
        bytes[place..place + 4].copy_from_slice(&word.to_le_bytes());
        let unrepaired = Program::load(bytes.clone());
        prop_assert!(unrepaired.is_err() || bytes == good.bytes());
        // A forger would make the checksum right.
        repair(&mut bytes);
        if let Ok(program) = Program::load(bytes) {
            // Its index may leave out what an explanation looks at.
            run(&program, &request);
            keep(&program, &request);
            let _ = idoine::diff::Diff::of(&program, &good).text();
        }
    }

    /// Noninterference: what is not agreed to changes no decision and no byte of the page, whatever else is agreed to.
    #[test]
    fn denied_fields_change_nothing(
        granted in prop::sample::subsequence(vec!["personalization", "analytics", "marketing"], 0..=3),
        one in denied_values(), other in denied_values(), base in request(),
    ) {
        let program = private();
        let outcome = |values: &(String, Option<bool>, [String; 3])| {
            let mut request = base.clone();
            request.url = "https://x.example/".to_owned();
            request.overrides.clear();
            request.headers.retain(|(name, _)| name != "cookie" && name != "sec-gpc");
            let (id, returning, traits) = values;
            // An id is no secret to those who may tell visitors apart: it differs only where nobody may.
            let id = if granted.is_empty() { id.as_str() } else { "the-same-id" };
            let choice: String = granted.iter().map(|purpose| format!(".{purpose}")).collect();
            request.headers.push(("cookie".to_owned(), format!("idoine_consent=v1{choice}; idoine_id={id}")));
            for (index, purpose) in Purpose::ALL.into_iter().enumerate().filter(|(_, purpose)| !granted.contains(&purpose.name())) {
                request.overrides.push((format!("profile.{}", purpose.name()), traits[index].clone()));
            }
            if let Some(returning) = returning.filter(|_| !granted.contains(&"personalization")) {
                request.overrides.push(("visitor.returning".to_owned(), returning.to_string()));
            }
            let context = Context::derive(&program, &request);
            for purpose in Purpose::ALL {
                prop_assert_eq!(context.unit(purpose).is_some(), granted.contains(&purpose.name()));
            }
            let decisions = decide(&program, &context);
            let edits: Vec<String> = edits(&program, &context, &decisions).iter().map(|edit| format!("{edit:?}")).collect();
            Ok((explain(&program, &context), edits))
        };
        prop_assert_eq!(outcome(&one)?, outcome(&other)?);
    }
}

/// An id, whether the visitor returns, and a trait of each purpose.
fn denied_values() -> impl Strategy<Value = (String, Option<bool>, [String; 3])> {
    let value = || prop_oneof![Just(String::new()), Just("a".to_owned()), Just("b".to_owned())];
    ("[a-z0-9]{8,20}", any::<Option<bool>>(), [value(), value(), value()])
}

/// A site that reads a trait of each purpose wherever one can be read.
fn private() -> Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
        let mut manifest = serde_json::json!({ "site": { "id": "x" }, "traits": {}, "slots": {}, "experiences": [] });
        for purpose in Purpose::ALL.map(Purpose::name) {
            manifest["traits"][purpose] = serde_json::json!({ "type": "string", "purpose": purpose });
            let field = format!("profile.{purpose}");
            let audiences = [
                format!("{field} == 'a'"),
                format!("{field} != 'a'"),
                format!("!has({field})"),
                format!("!({field} in ['a', 'b']) || visitor.returning"),
                "true".to_owned(),
            ];
            for (index, audience) in audiences.into_iter().enumerate() {
                let id = format!("{purpose}-{index}");
                manifest["slots"][&id] = serde_json::json!({ "selector": format!("#{id}") });
                let text = format!("{{{{ {field}{} }}}}", if index == 4 { "" } else { " | \"-\"" });
                let content = if index == 2 {
                    serde_json::json!([{ "baseline": true }, { "text": text }])
                } else {
                    serde_json::json!({ "text": text })
                };
                let kind = if index == 2 { "experiment" } else { "personalization" };
                let experience = serde_json::json!({ "id": id, "type": kind, "audience": audience, "purpose": purpose, "slots": { &id: content } });
                manifest["experiences"].as_array_mut().unwrap().push(experience);
            }
        }
        compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
    });
    PROGRAM.clone()
}

#[test]
fn programs_of_others_are_refused_by_name() {
    let good = demo();
    let bytes = good.bytes();
    assert_eq!(Program::load(bytes.to_vec()).unwrap().version(), good.version());
    assert_eq!(Program::load(b"<html>".to_vec()).unwrap_err(), LoadError::NotAProgram);
    assert_eq!(Program::load(Vec::new()).unwrap_err(), LoadError::NotAProgram);
    for cut in [4, 8, 15, 40, bytes.len() / 2, bytes.len() - 1] {
        assert!(Program::load(bytes[..cut].to_vec()).is_err(), "{cut}");
    }
    let mut older = bytes.to_vec();
    older[4] = 0;
    assert_eq!(Program::load(older).unwrap_err(), LoadError::OtherVersion);
    let mut other_fields = bytes.to_vec();
    other_fields[24] ^= 1;
    repair(&mut other_fields);
    assert_eq!(Program::load(other_fields).unwrap_err(), LoadError::OtherVersion);
    let mut damaged = bytes.to_vec();
    damaged[100] ^= 0x40;
    assert_eq!(Program::load(damaged).unwrap_err(), LoadError::Damaged);
}

#[test]
fn the_version_follows_what_the_manifest_says_and_not_how() {
    let version = |source: &str| compile(source, &Iana).unwrap().version();
    let plain = r#"{ "site": { "id": "x" }, "holdout": 0.1 }"#;
    assert_eq!(version(plain), version("{ /* a comment */ \"holdout\": 0.10,\n \"site\": { \"id\": \"x\", }, }"));
    assert_ne!(version(plain), version(r#"{ "site": { "id": "x" }, "holdout": 0.2 }"#));
    assert_eq!(version(plain).len(), 16);
}

#[test]
fn depth_is_limited_everywhere() {
    let nested = |open: &str, close: &str, inner: &str, levels: usize| open.repeat(levels) + inner + &close.repeat(levels);
    let first = |source: &str| compile(source, &Iana).unwrap_err()[0].message.clone();
    assert!(first(&nested("[", "]", "", 10_000)).contains("depth"), "{}", first(&nested("[", "]", "", 10_000)));
    assert!(first(&nested("{\"a\":", "}", "1", 10_000)).contains("depth"));
    let audience =
        |expression: &str| serde_json::json!({ "site": { "id": "x" }, "audiences": { "a": expression } }).to_string();
    for (open, close) in [("(", ")"), ("!", ""), ("[", "]"), ("has(", ")")] {
        let message = |levels| first(&audience(&nested(open, close, "true", levels)));
        assert!(message(3_000).contains("64 levels"), "{open}: {}", message(3_000));
        assert!(
            message(10_000).contains("at most 10000") || message(10_000).contains("64 levels"),
            "{open}: {}",
            message(10_000)
        );
    }
    assert!(first(&audience(&"true && ".repeat(20_000))).contains("at most"));
    // A long chain of one operator is no depth: it is a balanced tree.
    assert!(check(&audience(&format!("{}true", "geo.city == 'x' || ".repeat(1_000))), &Iana).is_ok());
    let deepest: serde_json::Map<_, _> = (0..52).map(|n| (format!("a{n}"), format!("!(!a{})", n + 1).into())).collect();
    let mut deepest = deepest;
    deepest.insert("a52".to_owned(), "geo.is_eu && !geo.is_eu".into());
    let source = serde_json::json!({ "site": { "id": "x" }, "audiences": deepest }).to_string();
    let warnings = check(&source, &Iana).unwrap_or_else(|errors| panic!("{errors:#?}")).warnings;
    assert_eq!(warnings.iter().filter(|warning| warning.message.contains("never be true")).count(), 53);
    let chain: serde_json::Map<_, _> =
        (0..10_000).map(|n| (format!("a{n}"), serde_json::Value::from(format!("!a{}", n + 1)))).collect();
    let mut chain = chain;
    chain.insert("a10000".to_owned(), "true".into());
    let source = serde_json::json!({ "site": { "id": "x" }, "audiences": chain }).to_string();
    assert!(first(&source).contains("levels deep"));
    // Neither alone is too deep: an audience of some 120 levels, in an experience's expression of 60.
    let mut audiences: serde_json::Map<_, _> = (0..60).map(|n| (format!("a{n}"), format!("!a{}", n + 1).into())).collect();
    audiences.insert("a60".to_owned(), "true".into());
    let experience = serde_json::json!({ "id": "e", "type": "personalization", "audience": nested("(true == ", ")", "a0", 60), "slots": { "s": { "text": "x" } } });
    let source = serde_json::json!({ "site": { "id": "x" }, "audiences": audiences, "slots": { "s": { "selector": "p" } }, "experiences": [experience] });
    assert!(first(&source.to_string()).contains("levels deep"));
}

#[test]
fn a_manifest_of_50_megabytes_is_one_clear_error() {
    let errors = compile(&" ".repeat(50 << 20), &Iana).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.contains("at most"), "{errors:?}");
    let wrong = format!("[{}]", "{\"x\": 1},".repeat(1 << 18));
    let errors = compile(&format!("{{ \"site\": {{ \"id\": \"x\" }}, \"experiences\": {wrong} }}"), &Iana).unwrap_err();
    assert_eq!(errors.len(), 10_001);
    assert!(errors[10_000].message.starts_with("and ") && errors[10_000].message.ends_with(" more errors"), "{errors:?}");
}
