//! The command line as its users see it: output, errors and exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::Value;
use std::io::Write;
use support::{demo, idoine, root, spawn};

#[test]
fn check_says_that_nothing_is_wrong() {
    let run = idoine(&["check", &demo()], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("no errors: "), "{}", run.out);
    assert!(run.out.contains("the costliest expression is ") && run.out.contains(" of 100000 steps"), "{}", run.out);
    assert!(run.out.contains(" experiences: ") && run.out.contains(" one to one\n"), "{}", run.out);
    let run = idoine(&["check", &demo(), "--json", "--strict"], b"");
    let json: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((run.code, &json["errors"], &json["warnings"]), (0, &Value::Array(vec![]), &Value::Array(vec![])));
    assert_eq!((&json["degrees"]["catalogue-links"], &json["degrees"]["french"]), (&"everyone".into(), &"many".into()));
    assert_eq!(json["version"].as_str().map(str::len), Some(16));
}

#[test]
fn check_shows_every_error_with_a_caret() {
    let manifest = "{\n  \"site\": { \"id\": \"x\" },\n  \"audiences\": { \"a\": \"geo.contry == 'FR'\" },\n  \"slots\": { \"s\": { \"selector\": \"p:hover\" } }\n}";
    let run = idoine(&["check", "-"], manifest.as_bytes());
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    let expected = "error: unknown field or audience `geo.contry`\n --> -:3:24\n  |  at audiences.a\n3 |   \"audiences\": { \"a\": \"geo.contry == 'FR'\" },\n  |                        ^^^^^^^^^^\n  = help: did you mean `geo.country`?\n";
    assert!(run.err.contains(expected), "{}", run.err);
    assert!(run.err.contains("the edge can't use `:hover`"), "{}", run.err);
    assert!(run.err.trim_end().ends_with("error: 2 errors in -"), "{}", run.err);
    let run = idoine(&["check", "-", "--json"], manifest.as_bytes());
    let json: Value = serde_json::from_str(&run.out).unwrap();
    let errors = &json["errors"];
    assert_eq!((&errors[0]["line"], &errors[0]["column"], &errors[1]["line"]), (&3.into(), &24.into(), &4.into()));
    assert_eq!((run.code, &errors[0]["severity"], json.get("version")), (1, &"error".into(), None));
}

#[test]
fn check_warns_of_what_has_no_effect() {
    let manifest = "{\n  \"site\": { \"id\": \"x\" },\n  \"audiences\": { \"a\": \"geo.is_eu && !geo.is_eu\" }\n}";
    let expected = "warning: this audience can never be true: `geo.is_eu` and `!geo.is_eu` contradict each other\n --> -:3:37\n  |  at audiences.a\n3 |   \"audiences\": { \"a\": \"geo.is_eu && !geo.is_eu\" }\n  |                                     ^^^^^^^^^^\n  = help: ";
    for (options, code) in [(&[][..], 0), (&["--strict"][..], 1)] {
        let run = idoine(&[&["check", "-"], options].concat(), manifest.as_bytes());
        assert_eq!(run.code, code, "{}", run.err);
        assert!(run.err.contains(expected), "{}", run.err);
        assert!(run.err.starts_with("warning: nothing uses the audience `a`\n"), "{}", run.err);
        assert!(run.out.starts_with("no errors, 2 warnings: 0 experiences, 0 slots, version "), "{}", run.out);
        let run = idoine(&[&["check", "-", "--json"], options].concat(), manifest.as_bytes());
        let json: Value = serde_json::from_str(&run.out).unwrap();
        assert_eq!((run.code, run.err.as_str()), (code, ""));
        assert_eq!((&json["warnings"][1]["severity"], &json["warnings"][1]["column"]), (&"warning".into(), &37.into()));
    }
}

#[test]
fn check_refuses_what_is_no_manifest() {
    for (input, message) in [
        (&b"not JSON"[..], "not JSON with comments"),
        (b"", "the manifest is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (&vec![b' '; 50 << 20], "at most 33554432 are read"),
        (&vec![b' '; 70 << 20], "larger than 64 MiB"),
        ("[".repeat(10_000).as_bytes(), "depth"),
    ] {
        let run = idoine(&["check", "-"], input);
        assert_eq!((run.code, run.out.as_str()), (1, ""));
        assert!(run.err.contains(message), "{}", run.err);
    }
    let run = idoine(&["check", "no-such-file.jsonc"], b"");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no-such-file.jsonc can't be read"), "{}", run.err);
}

#[test]
fn compile_writes_a_program_and_keeps_the_last_good_one() {
    let folder = std::env::temp_dir().join(format!("idoine-compile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let output = folder.join("site.program");
    let output_text = output.display().to_string();
    let run = idoine(&["compile", &demo(), "-o", &output_text, "--json"], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&run.out).unwrap();
    let bytes = std::fs::read(&output).unwrap();
    // Warnings keep nothing from being compiled.
    let unused = br#"{ "site": { "id": "x" }, "audiences": { "a": "geo.is_eu" } }"#;
    let warned = idoine(&["compile", "-", "-o", &folder.join("other.program").display().to_string()], unused);
    assert_eq!(warned.code, 0);
    assert!(warned.err.starts_with("warning: nothing uses the audience `a`\n --> -:1:41\n"), "{}", warned.err);
    assert_eq!((&printed["site"], &printed["bytes"]), (&"shop".into(), &bytes.len().into()));
    let version: String = bytes[16..24].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(printed["version"], version);
    assert_eq!(idoine(&["compile", "-", "-o", &output_text], b"{}").code, 1);
    assert_eq!(std::fs::read(&output).unwrap(), bytes, "a bad manifest replaced the program");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn explain_shows_a_table_of_every_experience_per_slot() {
    let visitor = br#"{ "url": "https://shop.example/", "now": "2026-06-10T10:00:00Z", "context": { "language.primary": "fr", "geo.county": "x" } }"#;
    let run = idoine(&["explain", &demo(), "--visitor", "-"], visitor);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.starts_with("ignored geo.county: expected the path of a field\nslot "), "{}", run.out);
    let french = run.out.lines().find(|line| line.contains(" french ")).unwrap();
    assert!(french.contains("match -> variant 1 (personalization)"), "{french}");
    assert!(run.out.lines().any(|line| line.contains("no_consent")), "{}", run.out);
    let json: Value = serde_json::from_str(&idoine(&["explain", &demo(), "--visitor", "-", "--json"], visitor).out).unwrap();
    assert_eq!(json["context"]["language.primary"], "fr");
    assert!(json["slots"].as_array().unwrap().iter().any(|slot| !slot["candidates"].as_array().unwrap().is_empty()));
    let run = idoine(&["explain", &demo(), "--visitor", "-"], b"{ \"ulr\": 1 }");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("unknown field `ulr`"), "{}", run.err);
}

/// What the explained visitor of these tests is.
const FRENCH: &[u8] =
    br#"{ "url": "https://shop.example/", "now": "2026-06-10T10:00:00Z", "context": { "language.primary": "fr" } }"#;

#[test]
fn explain_shows_each_clause_of_an_audience_with_what_it_read() {
    let run = idoine(&["explain", &demo(), "--visitor", "-"], FRENCH);
    let expected = "\nsearch-trail: audience\n  false    all of\n  false      source.channel == 'Paid Search'  (source.channel is 'Direct')\n  unknown    source.campaign == 'trail-shoes-en'  (source.campaign is not known)\n\n";
    assert!(run.out.contains(expected), "{}", run.out);
    let schedule =
        "\nblack-friday: schedule: from 2026-11-19T23:00:00Z until 2026-11-30T23:00:00Z (now it is 2026-06-10T10:00:00Z)\n";
    assert!(run.out.contains(schedule), "{}", run.out);
    let json: Value = serde_json::from_str(&idoine(&["explain", &demo(), "--visitor", "-", "--json"], FRENCH).out).unwrap();
    let found = json["experiences"].as_array().unwrap().iter().find(|one| one["experience"] == "search-trail").unwrap();
    assert_eq!(found["audience"]["parts"][0]["fields"][0]["value"], "Direct");
}

#[test]
fn explain_why_not_says_what_would_have_to_change() {
    let why_not = |experience: &str, more: &[&str]| {
        idoine(&[&["explain", &demo(), "--visitor", "-", "--why-not", experience], more].concat(), FRENCH)
    };
    let run = why_not("search-trail", &[]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let expected = [
        "search-trail lost: audience. For it to win, both of these would have to change:",
        "",
        "  audience  source.channel is 'Direct'; it would have to be 'Paid Search'",
        "  unknown   source.campaign is not known; it would have to be 'trail-shoes-en'",
        "",
        "Its audience is true with these values:",
        "",
        "  source.channel=Paid Search",
        "  source.campaign=trail-shoes-en",
    ];
    assert_eq!(run.out.lines().collect::<Vec<_>>(), expected);
    let json: Value = serde_json::from_str(&why_not("search-trail", &["--json"]).out).unwrap();
    assert_eq!((&json["won"], &json["reason"]), (&Value::Bool(false), &"audience".into()));
    assert_eq!(json["changes"][1]["must"]["values"][0], "'trail-shoes-en'");
    assert_eq!(json["overrides"]["source.channel"], "Paid Search");
    assert_eq!(why_not("french", &[]).out, "french won: match. Nothing would have to change.\n");
    for (name, message) in [
        ("frensh", "error: there is no experience `frensh`; did you mean `french`?\n"),
        ("qqqqqqqqqqqq", "error: there is no experience `qqqqqqqqqqqq`\n"),
    ] {
        let run = why_not(name, &[]);
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (1, "", message));
    }
}

#[test]
fn decide_answers_each_line_and_goes_on_after_a_bad_one() {
    let visitors = b"{\"url\": \"https://shop.example/\", \"now\": 0}\n\nnonsense\n{\"url\": \"https://shop.example/nothing\", \"now\": 0}\n\xff\n";
    let run = idoine(&["decide", &demo(), "--context"], visitors);
    let lines: Vec<Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((run.code, lines.len()), (1, 4));
    assert!(!lines[0]["decisions"].as_array().unwrap().is_empty());
    assert_eq!(lines[0]["context"]["page.path"], "/");
    assert!(lines[1]["error"].is_string());
    assert_eq!(lines[2]["decisions"], Value::Array(Vec::new()));
    assert!(run.err.contains("error: line 3, column 2: "), "{}", run.err);
}

#[test]
fn decide_answers_while_its_input_stays_open() {
    use std::io::BufRead;
    let mut child = spawn(&["decide", &demo()]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(b"{\"url\": \"https://shop.example/\", \"now\": 0}\n").unwrap();
        stdin.flush().unwrap();
        let mut answer = String::new();
        stdout.read_line(&mut answer).unwrap();
        assert!(answer.contains("decisions"), "{answer}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn check_counts_every_error() {
    let audiences: Vec<String> = (0..150).map(|number| format!("\"a{number}\": \"geo.nowhere == 1\"")).collect();
    let manifest = format!("{{ \"site\": {{ \"id\": \"x\" }}, \"audiences\": {{ {} }} }}", audiences.join(",\n"));
    let run = idoine(&["check", "-"], manifest.as_bytes());
    assert!(run.err.trim_end().ends_with("error: 150 errors in -"), "{}", run.err);
}

#[test]
fn decide_streams() {
    let mut child = spawn(&["decide", &demo()]);
    let line = br#"{"url": "https://shop.example/", "now": 0}"#;
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for _ in 0..5_000 {
            stdin.write_all(line).and_then(|()| stdin.write_all(b"\n")).unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 5_000);
    assert!(lines.iter().all(|line| *line == lines[0]));
}

#[test]
fn fmt_writes_what_changes_and_nothing_else() {
    let folder = std::env::temp_dir().join(format!("idoine-fmt-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let loose = "{\n // Why.\n \"a\":1 , }";
    let neat = "{\n  // Why.\n  \"a\": 1\n}\n";
    let [loose_path, neat_path, bad_path] =
        [file("loose.jsonc", loose), file("neat.jsonc", neat), file("bad.jsonc", "{ \"a\": }")];
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let all = [bad_path.as_str(), &loose_path, &neat_path];

    let run = idoine(&[&["fmt", "--check"], &all[..]].concat(), b"");
    assert_eq!((run.code, run.out), (1, format!("{loose_path}\n")));
    assert_eq!(read(&loose_path), loose, "--check wrote");
    assert_eq!(idoine(&["fmt", "--check", &neat_path], b"").code, 0);

    let untouched = std::fs::metadata(&neat_path).unwrap().modified().unwrap();
    let run = idoine(&[&["fmt"], &all[..]].concat(), b"");
    assert_eq!((run.code, run.out), (1, format!("{loose_path}\n")), "a bad manifest keeps others from being formatted");
    assert!(run.err.contains("bad.jsonc:1:8") && run.err.contains("bad.jsonc is left as it was"), "{}", run.err);
    assert_eq!((read(&loose_path).as_str(), read(&bad_path).as_str()), (neat, "{ \"a\": }"));
    assert_eq!(std::fs::metadata(&neat_path).unwrap().modified().unwrap(), untouched);
    assert_eq!(idoine(&["fmt", &loose_path, &neat_path], b"").code, 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3, "something is left behind");

    let run = idoine(&["fmt", "-"], loose.as_bytes());
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (0, neat, ""));
    assert_eq!(idoine(&["fmt", "--check", "-"], loose.as_bytes()).code, 1);
    assert!(idoine(&["fmt", "no-such-file.jsonc"], b"").err.contains("no-such-file.jsonc can't be read"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn fmt_keeps_links_and_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("idoine-fmt-link-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, link) = (folder.join("file.jsonc"), folder.join("link.jsonc"));
    std::fs::write(&file, "{  }").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("file.jsonc", &link).unwrap();
    assert_eq!(idoine(&["fmt", &link.display().to_string()], b"").code, 0);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_schema_in_the_repository_is_the_one_of_this_code() {
    let run = idoine(&["schema"], b"");
    let kept = std::fs::read_to_string(root("www/schema/site.schema.json")).unwrap();
    assert!(run.out == kept, "run: idoine schema > www/schema/site.schema.json");
}

#[test]
fn every_command_has_help_with_an_example_and_wrong_usage_is_exit_code_2() {
    for command in ["check", "compile", "explain", "decide", "replay", "fmt", "eval", "functions", "schema"] {
        let run = idoine(&[command, "--help"], b"");
        assert_eq!(run.code, 0);
        let example = run.out.contains("Example:\n  ") || run.out.contains("Examples:\n  ");
        assert!(example && run.out.contains("idoine "), "{}", run.out);
    }
    for wrong in [&["chek"][..], &["check"], &["check", "a", "--nope"], &[]] {
        let run = idoine(wrong, b"");
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{wrong:?}");
        assert!(!run.err.is_empty());
    }
}

#[test]
fn eval_prints_value_and_type_unknown_or_where_it_fails() {
    let eval = |arguments: &[&str], input: &[u8]| {
        let run = idoine(&[&["eval"], arguments].concat(), input);
        (run.code, run.out.trim().to_owned(), run.err)
    };
    let value = |expression| eval(&[expression], b"").1;
    assert_eq!(value("'fr-CA'.split('-')"), "['fr', 'CA'] (list(string))");
    assert_eq!(value("-5 - -6"), "1 (int)");
    assert_eq!(value("duration('90m')"), "duration('5400s') (duration)");
    assert_eq!(value("geo.country == 'FR'"), "unknown (bool): geo.country is missing");
    let bound = eval(&["geo.country == 'FR' && n > 4u", "--bindings", "-"], br#"{"geo.country": "FR", "n": {"uint": "5"}}"#);
    assert_eq!((bound.0, bound.1.as_str()), (0, "true (bool)"));
    let (code, out, err) = eval(&["1 + 2 / 0"], b"");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        err.contains(
            "error: division by zero
 --> expression:1:5
1 | 1 + 2 / 0
  |     ^^^^^"
        ),
        "{err}"
    );
    let (code, _, err) = eval(&["geo.contry == time.our"], b"");
    assert!(code == 1 && err.contains("did you mean `geo.country`?") && err.contains("did you mean `time.hour`?"), "{err}");
    let (_, json, _) = eval(&["geo.country in ['FR', 'BE']", "--json"], b"");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["unknown"], &json["type"], &json["missing"]), (&true.into(), &"bool".into(), &"geo.country".into()));
    assert!(json["cost"].as_u64().unwrap() > 0);
    let (code, json, _) = eval(&["'a' < 1", "--json"], b"");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["error"]["kind"], &json["error"]["column"]), (1, &"check".into(), &1.into()));
    let audience = eval(&["french_mobile_or_not", "--manifest", &demo()], b"");
    assert!(audience.0 == 1 && audience.2.contains("unknown field or audience"), "{}", audience.2);
    let (code, _, err) = eval(&["x", "--bindings", "-"], b"[1]");
    assert!(code == 1 && err.contains("expected an object with values by name"), "{err}");
    let (code, _, err) = eval(&["geo.city", "--bindings", "-"], br#"{"geo.city": 5}"#);
    assert!(code == 1 && err.contains("`geo.city` is of type string, the given value of type int"), "{err}");
}

#[test]
fn functions_and_expressions_are_data_for_editors() {
    let functions: serde_json::Value = serde_json::from_str(&idoine(&["functions", "--json"], b"").out).unwrap();
    let committed = include_str!("../../tests/spec/expr/functions.json");
    assert!(
        functions == serde_json::from_str::<serde_json::Value>(committed).unwrap(),
        "write functions.json anew: npm run docs"
    );
    let expressions: serde_json::Value = serde_json::from_str(&idoine(&["schema", "--expressions"], b"").out).unwrap();
    let committed = include_str!("../../www/schema/expressions.json");
    assert!(
        expressions == serde_json::from_str::<serde_json::Value>(committed).unwrap(),
        "write expressions.json anew: npm run docs"
    );
    assert!(idoine(&["functions"], b"").out.contains("string.startsWith(string)"));
}

#[test]
fn the_demo_is_formatted() {
    let run = idoine(&["fmt", "--check", &demo()], b"");
    assert_eq!((run.code, run.out.as_str()), (0, ""), "run: idoine fmt www/demo/site.jsonc");
}
