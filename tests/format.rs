//! Formatting changes how a manifest looks, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::compile;
use idoine::manifest::format;
use jsonc_parser::{Scanner, ScannerOptions, tokens::Token};
use proptest::prelude::*;
use serde_json::Value;
use support::Iana;

fn formatted(source: &str) -> String {
    format(source).unwrap_or_else(|errors| panic!("{errors:#?}\n{source}"))
}

/// What must survive: every token but the commas, with space inside of comments made one.
fn content(source: &str) -> Vec<String> {
    let mut scanner = Scanner::new(source, &ScannerOptions::default());
    let mut tokens = Vec::new();
    while let Some(token) = scanner.scan().unwrap() {
        let text = source.get(scanner.token_start()..scanner.token_end()).unwrap();
        match token {
            Token::Comma => {}
            Token::CommentLine(_) | Token::CommentBlock(_) => {
                tokens.push(text.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            _ => tokens.push(text.to_owned()),
        }
    }
    tokens
}

/// What the document says.
fn value(source: &str) -> Value {
    jsonc_parser::parse_to_value(source, &jsonc_parser::ParseOptions::default()).map(|value| plain(value.unwrap())).unwrap()
}

fn plain(value: jsonc_parser::JsonValue<'_>) -> Value {
    match value {
        jsonc_parser::JsonValue::Null => Value::Null,
        jsonc_parser::JsonValue::Boolean(value) => value.into(),
        // As written: 0.10 is not to become 0.1.
        jsonc_parser::JsonValue::Number(text) => format!("number {text}").into(),
        jsonc_parser::JsonValue::String(text) => text.into_owned().into(),
        jsonc_parser::JsonValue::Array(values) => values.into_iter().map(plain).collect(),
        jsonc_parser::JsonValue::Object(entries) => entries.into_iter().map(|(key, value)| (key, plain(value))).collect(),
    }
}

fn check(source: &str) {
    let once = formatted(source);
    assert_eq!(formatted(&once), once, "formatting again changes something:\n{source}");
    assert_eq!(value(&once), value(source), "{source}\n{once}");
    // Comments between a key and its colon go behind the colon; beside that the order stays.
    let sorted = |text: &str| {
        let mut tokens = content(text);
        tokens.sort();
        tokens
    };
    assert_eq!(sorted(&once), sorted(source), "{source}\n{once}");
    assert!(once.ends_with('\n') && !once.ends_with("\n\n"), "{once}");
    // Comments may hold anything, and so may texts (the reader takes line breaks in them).
    let inside = |token: &String| token.contains('\n') || token.starts_with("/*");
    if !content(source).iter().any(inside) {
        assert!(!once.contains("\n\n\n"), "{once}");
        assert!(once.lines().all(|line| line == line.trim_end()), "{once:?}");
    }
}

#[test]
fn cases() {
    let document: Value = serde_json::from_str(include_str!("spec/manifest/format.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let source = support::source(&case["source"]);
        let Some(error) = case["error"].as_object() else {
            assert_eq!(formatted(&source), support::source(&case["formatted"]) + "\n", "{name}");
            check(&source);
            continue;
        };
        let found = serde_json::to_value(format(&source).unwrap_err()).unwrap();
        assert_eq!(found.as_array().unwrap().len(), 1, "{name}");
        assert_eq!((&found[0]["line"], &found[0]["column"]), (&error["line"], &error["column"]), "{name}: {found}");
        assert!(found[0]["message"].as_str().unwrap().contains(error["message"].as_str().unwrap()), "{name}: {found}");
    }
}

#[test]
fn manifests_of_this_repository() {
    for path in ["www/demo/site.jsonc", "tests/e2e/fixtures/static.jsonc", "tests/e2e/fixtures/consent.jsonc"] {
        let source = std::fs::read_to_string(path).unwrap();
        check(&source);
        let version = |text: &str| compile(text, &Iana).map(|program| program.version()).ok();
        assert_eq!(version(&formatted(&source)), version(&source), "{path}");
    }
}

/// Any JSON with comments, in any look.
fn document() -> impl Strategy<Value = String> {
    let space = prop_oneof![
        6 => Just(String::new()),
        3 => Just(" ".to_owned()),
        3 => Just("\n".to_owned()),
        1 => Just(" \n\n\n\t ".to_owned()),
        1 => "[ \n]{0,2}// ?[a-z\",{é]{0,9}[ ]{0,2}\n",
        1 => "[ \n]{0,2}/\\*[a-z ,\n]{0,9}\\*/[ \n]{0,2}",
        1 => "/\\*\\*\n  \\* [a-z]{0,9}\n\\*/\n?",
    ]
    .boxed();
    let scalar = prop_oneof![
        "\"[a-zé/* ]{0,12}\"",
        "\"[a-z]{60,130}\"",
        "-?[1-9][0-9]{0,4}(\\.[0-9]{1,2})?",
        Just("null".to_owned()),
        Just("true".to_owned())
    ];
    let around = (space.clone(), space.clone());
    let value = scalar.prop_recursive(5, 60, 6, move |inner| {
        let item = (space.clone(), inner.clone(), space.clone()).prop_map(|(before, value, after)| before + &value + &after);
        let key = (space.clone(), "\"[a-z.]{1,20}\"", space.clone(), space.clone(), inner, space.clone())
            .prop_map(|(before, key, behind, front, value, after)| format!("{before}{key}{behind}:{front}{value}{after}"));
        let list = |entries: Vec<String>, trailing: bool, space: String| {
            let comma = if trailing && !entries.is_empty() { "," } else { "" };
            entries.join(",") + comma + &space
        };
        prop_oneof![
            (prop::collection::vec(item, 0..6), any::<bool>(), space.clone())
                .prop_map(move |(entries, trailing, space)| format!("[{}]", list(entries, trailing, space))),
            (prop::collection::vec(key, 0..6), any::<bool>(), space.clone())
                .prop_map(move |(entries, trailing, space)| format!("{{{}}}", list(entries, trailing, space))),
        ]
    });
    (around, value).prop_map(|((before, after), value)| before + &value + &after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn formatting_is_idempotent_and_keeps_every_value_and_comment(source in document()) {
        check(&source);
    }

    #[test]
    fn any_text_is_formatted_or_refused(text in prop_oneof![any::<String>(), "[{}\\[\\]\":, a-z0-9/*\\\\\n]{0,80}"]) {
        if let Err(errors) = format(&text) {
            prop_assert_eq!(errors.len(), 1);
        } else {
            check(&text);
        }
    }
}
