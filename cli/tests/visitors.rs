//! Lines that are no visitors, files that are no manifests, names that nothing reads: each is told what was expected instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::Value;
use support::{demo, idoine};

/// Lines that are wrong, and what is said of them behind the line's number.
const WRONG: [(&str, &str); 14] = [
    ("[\"https://shop.example/q\"]", ", column 1: invalid type: sequence, expected a visitor as an object, such as {\"url\""),
    ("[]", ", column 2: invalid type: sequence, expected a visitor as an object"),
    ("null", ", column 4: invalid type: null, expected a visitor as an object"),
    ("7", ", column 1: invalid type: integer `7`, expected a visitor as an object"),
    ("{\"url\": \"é\", \"x\": 1}", ", column 16: unknown field `x`, expected one of `url`"),
    ("{\"url\": \"a\", \"url\": \"b\"}", ", column 24: duplicate field `url`"),
    ("{\"headers\": []}", ", column 14: invalid type: sequence, expected an object with texts by name"),
    ("{\"url\":", ", column 7: EOF while parsing a value; expected one JSON object per line, such as {\"url\": \"https://"),
    ("{} {}", ", column 4: trailing characters; expected one JSON object per line"),
    ("nonsense", ", column 2: expected ident; expected one JSON object per line"),
    (
        "{\"now\": \"yesterday\"}",
        ": `now` is `yesterday`; expected an instant with its zone, such as 2026-11-20T12:30:00Z, or epoch",
    ),
    ("{\"now\": \"\"}", ": `now` is ``; expected an instant"),
    ("{\"now\": 1e300}", ": `now` is `1e+300`; expected an instant"),
    ("{\"now\": 0, \"context\": {\"now\": \"noon\\u001b\"}}", ": `now` is `noon\\u{1b}`; expected an instant"),
];

fn lines(more: &str) -> String {
    WRONG.iter().map(|(line, _)| format!("{line}\n")).chain([more.to_owned()]).collect()
}

#[test]
fn decide_says_of_each_wrong_line_what_was_expected() {
    let run = idoine(&["decide", &demo()], lines("{\"url\": \"https://shop.example/\", \"now\": null}").as_bytes());
    assert_eq!(run.code, 1);
    let (out, err): (Vec<&str>, Vec<&str>) = (run.out.lines().collect(), run.err.lines().collect());
    assert_eq!((out.len(), err.len()), (WRONG.len() + 1, WRONG.len()), "{}", run.err);
    for (index, (line, expected)) in WRONG.iter().enumerate() {
        let expected = format!("error: line {}{expected}", index + 1);
        assert!(err[index].starts_with(&expected), "{line}: {}", err[index]);
        let answer: Value = serde_json::from_str(out[index]).unwrap();
        assert!(err[index].ends_with(answer["error"].as_str().unwrap()), "{line}: {answer}");
        assert!(answer.get("receipt").is_none(), "{line}: {answer}");
    }
    assert!(out[WRONG.len()].contains("\"receipt\""));
}

#[test]
fn replay_says_the_same_of_lines_and_of_logged_visitors() {
    let replay = |lines: &str| idoine(&["replay", &demo(), &demo(), "--visitors", "-", "--examples", "0"], lines.as_bytes());
    for (line, expected) in WRONG {
        let run = replay(line);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{line}");
        assert!(run.err.starts_with(&format!("error: line 1{expected}")), "{line}: {}", run.err);
    }
    for (visitor, expected) in [
        ("[]", "error: line 1, column 14: invalid type: sequence, expected a visitor as an object"),
        ("{\"now\": \"then\"}", "error: line 1: `now` is `then`; expected an instant"),
    ] {
        let run = replay(&format!("{{\"visitor\": {visitor}}}"));
        assert!(run.code == 1 && run.err.starts_with(expected), "{}", run.err);
    }
    let run = replay(&lines("{}"));
    assert!(run.code == 0 && run.out.contains("14 lines of the input are no visitors"), "{}", run.out);
}

#[test]
fn explain_says_it_of_its_file() {
    for (text, expected) in [
        ("[]", "error: -: invalid type: sequence, expected a visitor as an object"),
        ("", "error: -: EOF while parsing a value at line 1 column 0; expected one JSON object, such as {\"url\""),
        ("{\n\"url\": 1 }", "error: -: invalid type: integer `1`, expected a string at line 2 column 8\n"),
        ("{\"now\": \"soon\"}", "error: -: `now` is `soon`; expected an instant"),
    ] {
        let run = idoine(&["explain", &demo(), "--visitor", "-"], text.as_bytes());
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{text}");
        assert!(run.err.starts_with(expected), "{text}: {}", run.err);
    }
}

#[test]
fn a_byte_order_mark_at_the_start_is_skipped() {
    assert_eq!(idoine(&["check", "-"], "\u{feff}{ \"site\": { \"id\": \"x\" } }".as_bytes()).code, 0);
    let visitor = "\u{feff}{\"url\": \"https://shop.example/\", \"now\": 0}";
    for arguments in
        [&["decide", &demo()][..], &["explain", &demo(), "--visitor", "-"], &["replay", &demo(), &demo(), "--visitors", "-"]]
    {
        let run = idoine(arguments, visitor.as_bytes());
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    }
    // Only there: between visitors it is nonsense.
    assert_eq!(idoine(&["decide", &demo()], format!("{{}}\n{visitor}").as_bytes()).code, 1);
}

#[test]
fn a_compiled_program_is_told_from_a_manifest() {
    let folder = std::env::temp_dir().join(format!("idoine-program-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("site.program").display().to_string();
    assert_eq!(idoine(&["compile", &demo(), "-o", &program], b"").code, 0);
    let expected = format!("error: {program} is a compiled program; expected the manifest that it was compiled from\n");
    for arguments in [
        &["check", &program][..],
        &["check", &program, "--json"],
        &["decide", &program],
        &["explain", &program, "--visitor", "-"],
        &["compile", &program, "-o", &program],
        &["eval", "true", "--manifest", &program],
        &["fmt", &program],
    ] {
        let run = idoine(arguments, b"{}");
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}");
        assert!(run.err.ends_with(&expected), "{arguments:?}: {}", run.err);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn eval_refuses_a_value_that_nothing_reads() {
    let eval = |expression: &str, bindings: &str| idoine(&["eval", expression, "--bindings", "-"], bindings.as_bytes());
    for (bindings, expected) in [
        (
            "{\"geo.contry\": \"FR\"}",
            "`geo.contry` is no field, and the expression does not read it; did you mean `geo.country`?",
        ),
        ("{\"geo.country\": \"FR\", \"qqqqqq\": 1}", "`qqqqqq` is no field, and the expression does not read it"),
    ] {
        let run = eval("geo.country == 'FR'", bindings);
        assert_eq!((run.code, run.out, run.err), (1, String::new(), format!("error: {expected}\n")));
        let run = idoine(&["eval", "geo.country == 'FR'", "--bindings", "-", "--json"], bindings.as_bytes());
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((run.code, &json["error"]["message"]), (1, &expected.into()));
    }
    // A field that it does not read may be known all the same, and what is wrong with the expression is said first.
    assert_eq!(eval("geo.country == 'FR'", "{\"geo.country\": \"FR\", \"geo.city\": \"Lyon\"}").out, "true (bool)\n");
    assert_eq!(eval("n + 1", "{\"n\": 1}").out, "2 (int)\n");
    assert!(eval("n + m", "{\"n\": 1, \"k\": 1}").err.starts_with("error: unknown field or audience `m`"));
}

/// A preview that asks for what there is not shows something else than was asked: that is said where it is shown and checked.
#[test]
fn previews_of_what_there_is_not_are_told() {
    let visitor =
        "{\"now\": 0, \"context\": {\"variant.frensh\": 1, \"variant.french\": 9}, \"profile\": {\"seen_site\": \"often\"}}";
    let run = idoine(&["decide", &demo()], visitor.as_bytes());
    let json: Value = serde_json::from_str(&run.out).unwrap();
    let ignored = serde_json::json!([
        ["seen_site", "session,day,week,total,last: four counts and an instant"],
        ["variant.french", "a variant of the experience, with factors a level of each"],
        ["variant.frensh", "an experience's id after the dot"],
    ]);
    assert_eq!((run.code, &json["ignored"]), (0, &ignored));
    let manifest = r#"{ "site": { "id": "x" }, "slots": { "a": { "selector": "a" } },
        "experiences": [{ "id": "hero", "type": "personalization", "slots": { "a": { "text": "x" } } }],
        "personas": { "P": { "variant.hera": 1 } } }"#;
    let run = idoine(&["check", "-"], manifest.as_bytes());
    assert_eq!(run.code, 1);
    let expected = ["error: unknown experience `hera`", "= help: did you mean `hero`?"];
    assert!(expected.iter().all(|part| run.err.contains(part)), "{}", run.err);
}
