//! `idoine replay`, and the logs that it reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::{Value, json};
use support::{Run, idoine_in, root};

/// Runs a command in the folder of the two manifests.
fn run(arguments: &[&str], input: &[u8]) -> Run {
    idoine_in(&root("cli/tests/replay"), arguments, input)
}

fn replay(arguments: &[&str], input: &[u8]) -> Run {
    run(&[&["replay", "old.jsonc", "new.jsonc", "--visitors"], arguments].concat(), input)
}

fn visitors() -> String {
    std::fs::read_to_string(root("cli/tests/replay/visitors.ndjson")).unwrap()
}

fn version(manifest: &str) -> String {
    let text = run(&["check", manifest], b"").out;
    text.split("version ").nth(1).unwrap().lines().next().unwrap().to_owned()
}

/// The same as in the file, but for the manifests' versions. `IDOINE_WRITE=1` writes the file anew.
fn is_as_kept(file: &str, found: &str) {
    let found = found.replace(&version("old.jsonc"), "OLD-VERSION").replace(&version("new.jsonc"), "NEW-VERSION");
    let path = root(&format!("cli/tests/replay/{file}"));
    if std::env::var_os("IDOINE_WRITE").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == kept,
        "{file} is otherwise; if it is right so: IDOINE_WRITE=1 cargo test -p idoine-cli --test replay\n{found}"
    );
}

#[test]
fn the_reports_say_what_changes_for_how_many_and_why() {
    for (file, arguments) in [("report.txt", &[][..]), ("report.json", &["--json"]), ("report.md", &["--markdown"])] {
        let run = replay(&[&["visitors.ndjson", "--examples", "1"], arguments].concat(), b"");
        assert_eq!(run.code, 0);
        assert!(
            run.err.starts_with("error: line 11, column 39: unknown field `nwo`") && run.err.lines().count() == 1,
            "{}",
            run.err
        );
        is_as_kept(file, &run.out);
    }
}

/// What the report counts is what is found by comparing the decisions of both manifests.
#[test]
fn the_numbers_are_those_of_the_decisions() {
    let decided = |manifest: &str| -> Vec<Value> {
        let run = run(&["decide", manifest], visitors().as_bytes());
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let slots = |line: &Value| -> std::collections::BTreeMap<String, Value> {
        let decisions = line["decisions"].as_array().into_iter().flatten();
        decisions.map(|decision| (decision["slot"].as_str().unwrap().to_owned(), decision["experience"].clone())).collect()
    };
    let (old, new) = (decided("old.jsonc"), decided("new.jsonc"));
    let changed = old.iter().zip(&new).filter(|(old, new)| {
        let (old, new) = (slots(old), slots(new));
        old.keys().chain(new.keys()).any(|slot| old.get(slot).unwrap_or(&Value::Null) != new.get(slot).unwrap_or(&Value::Null))
    });
    let report: Value = serde_json::from_str(&replay(&["visitors.ndjson", "--json"], b"").out).unwrap();
    assert_eq!(report["changed"], changed.count());
    assert_eq!((&report["visitors"], &report["unread"]), (&json!(12), &json!(1)));
    let per_slot = report["slots"].as_array().unwrap().iter().map(|slot| {
        let sum: u64 = slot["changes"].as_array().unwrap().iter().map(|change| change["visitors"].as_u64().unwrap()).sum();
        assert_eq!(slot["changed"], sum);
        sum
    });
    assert!(per_slot.sum::<u64>() > 0);
}

#[test]
fn a_log_comes_out_the_same() {
    let log = run(&["decide", "old.jsonc", "--log"], visitors().as_bytes());
    assert_eq!(log.code, 1, "one line is no visitor");
    let lines: Vec<Value> = log.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let plain = run(&["decide", "old.jsonc"], visitors().as_bytes());
    for (logged, plain) in lines.iter().zip(plain.out.lines()) {
        let plain: Value = serde_json::from_str(plain).unwrap();
        assert_eq!((&logged["receipt"], &logged["decisions"]), (&plain["receipt"], &plain["decisions"]));
    }
    assert_eq!(lines[0]["receipt"]["program"], version("old.jsonc").as_str());
    // Decided again from the log, and by the tools that people use: every visitor is whole.
    let again: String =
        lines.iter().filter(|line| line.get("visitor").is_some()).map(|line| format!("{}\n", line["visitor"])).collect();
    let again = run(&["decide", "old.jsonc"], again.as_bytes());
    let receipts = |out: &str| -> Vec<Value> {
        out.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["receipt"].clone())
            .filter(|receipt| !receipt.is_null())
            .collect()
    };
    assert_eq!(receipts(&again.out), receipts(&log.out));

    let same = run(&["replay", "old.jsonc", "old.jsonc", "--visitors", "-", "--exit-code", "--json"], log.out.as_bytes());
    assert_eq!(same.code, 0);
    let report: Value = serde_json::from_str(&same.out).unwrap();
    assert_eq!((&report["changed"], &report["content"], &report["edited"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(report["receipts"], json!({ "same": 12, "different": 0, "other_program": 0 }));

    // The same changes as for the visitors themselves, whose headers are gone.
    let changes = |run: Run| -> Value {
        let mut report: Value = serde_json::from_str(&run.out).unwrap();
        let mut changes = report["slots"].take();
        for slot in changes.as_array_mut().unwrap() {
            slot["content_examples"].take();
            slot["changes"].as_array_mut().unwrap().iter_mut().for_each(|change| drop(change["examples"].take()));
        }
        json!([changes, report["experiences"].take()])
    };
    let of_log = replay(&["-", "--json"], log.out.as_bytes());
    assert!(of_log.out.contains("\"same\": 12"), "{}", of_log.out);
    assert_eq!(changes(of_log), changes(replay(&["visitors.ndjson", "--json"], b"")));
}

#[test]
fn a_log_that_does_not_come_out_the_same_is_told() {
    let log = run(&["decide", "new.jsonc", "--log"], visitors().lines().next().unwrap().as_bytes());
    let line: Value = serde_json::from_str(&log.out).unwrap();
    let mut lines = [(); 5].map(|()| line.clone());
    lines[1]["decisions"][0]["variant"] = json!(7);
    lines[2]["visitor"]["url"] = json!("https://shop.example/?x");
    lines[3]["receipt"]["program"] = json!("0000000000000000");
    lines[4].as_object_mut().unwrap().remove("receipt");
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let report: Value = serde_json::from_str(&replay(&["-", "--json"], input.as_bytes()).out).unwrap();
    let examples = json!([
        { "line": 2, "context": false, "decisions": true },
        { "line": 3, "context": true, "decisions": false },
    ]);
    assert_eq!(report["receipts"], json!({ "same": 1, "different": 2, "other_program": 1, "examples": examples }));
    let text = replay(&["-"], input.as_bytes()).out;
    let expected = "replayed: 1 the same, 2 different, 1 made by another program; line 2: other decisions; line 3: the same decisions, but another context";
    assert!(text.contains(expected), "{text}");
}

/// A slot shows the level of its factor: decisions, logs and reports tell which factor that is.
#[test]
fn factors_are_part_of_a_decision() {
    let folder = std::env::temp_dir().join(format!("idoine-replay-factors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let manifest = |name: &str, factor: &str| {
        let levels = |slot: &str| json!({ "slots": { slot: [{ "baseline": true }, { "text": "x" }] } });
        let experience = json!({ "id": "e", "type": "experiment",
            "factors": { factor: levels("hero"), "button": levels("buy") } });
        let slots = json!({ "hero": { "selector": "h1" }, "buy": { "selector": "button" } });
        let manifest = json!({ "site": { "id": "x" }, "slots": slots, "experiences": [experience] });
        let path = folder.join(name);
        std::fs::write(&path, manifest.to_string()).unwrap();
        path.display().to_string()
    };
    let (old, new) = (manifest("old.jsonc", "title"), manifest("new.jsonc", "headline"));
    let visitor = json!({ "url": "https://x.example/", "now": 0, "context": { "variant.e": "1,0" } }).to_string();
    let log = run(&["decide", &old, "--log"], visitor.as_bytes());
    let line: Value = serde_json::from_str(&log.out).unwrap();
    let decisions = line["decisions"].as_array().unwrap();
    let of = |slot: &str| decisions.iter().find(|decision| decision["slot"] == slot).unwrap()["factor"].clone();
    assert_eq!((of("hero"), of("buy")), (json!("title"), json!("button")));

    // Logged with another factor, and with none, it is another decision.
    let mut lines = [(); 3].map(|()| line.clone());
    lines[1]["decisions"][0]["factor"] = json!("nowhere");
    lines[2]["decisions"][1].as_object_mut().unwrap().remove("factor");
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let report = |arguments: &[&str]| {
        let run = run(&[&["replay", &old, &new, "--visitors", "-"], arguments].concat(), input.as_bytes());
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        run.out
    };
    let found: Value = serde_json::from_str(&report(&["--json"])).unwrap();
    let unlike = |line: u64| json!({ "line": line, "context": false, "decisions": true });
    let receipts = json!({ "same": 1, "different": 2, "other_program": 0, "examples": [unlike(2), unlike(3)] });
    assert_eq!(found["receipts"], receipts);

    // The same level of another factor is a change; the other slot's stays what it was.
    assert_eq!(found["changed"], 3);
    let slots = found["slots"].as_array().unwrap();
    let changes = |slot: &str| slots.iter().find(|found| found["slot"] == slot).unwrap()["changes"].clone();
    assert_eq!(changes("buy"), json!([]));
    let shown =
        |factor: &str| json!({ "experience": "e", "variant": 1, "factor": factor, "source": "experiment", "reason": "forced" });
    assert_eq!((&changes("hero")[0]["from"], &changes("hero")[0]["to"]), (&shown("title"), &shown("headline")));
    let text = report(&[]);
    let expected = "e, variant 1 of title (forced) -> e, variant 1 of headline (forced), the page stays the same";
    assert!(text.contains(expected), "{text}");
    let markdown = report(&["--markdown"]);
    assert!(markdown.contains("| `e`, variant 1 of `title` (forced) |"), "{markdown}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn programs_stand_for_their_manifests() {
    let folder = std::env::temp_dir().join(format!("idoine-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("old.program").display().to_string();
    assert_eq!(run(&["compile", "old.jsonc", "-o", &program], b"").code, 0);
    let by_program = run(&["replay", &program, "new.jsonc", "--visitors", "visitors.ndjson", "--json"], b"");
    assert_eq!(by_program.out, replay(&["visitors.ndjson", "--json"], b"").out);
    let damaged = folder.join("damaged.program");
    std::fs::write(&damaged, &std::fs::read(&program).unwrap()[..100]).unwrap();
    let run = run(&["replay", &damaged.display().to_string(), "new.jsonc", "--visitors", "visitors.ndjson"], b"");
    assert!(run.code == 1 && run.err.contains("damaged.program: the program is damaged"), "{}", run.err);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn exit_codes_say_whether_something_changes_or_is_wrong() {
    assert_eq!(replay(&["visitors.ndjson", "--exit-code"], b"").code, 1);
    assert_eq!(replay(&["-", "--exit-code"], br#"{"url": "https://shop.example/", "now": 0}"#).code, 0);
    // Content alone is a change.
    let french = br#"{"url": "https://shop.example/", "now": 0, "headers": {"accept-language": "fr"}}"#;
    let run_french = replay(&["-", "--exit-code"], french);
    assert!(
        run_french.code == 1 && run_french.out.contains("1  100.0 %  get the same decisions with other content"),
        "{}",
        run_french.out
    );
    for (input, message) in [
        (&b""[..], "error: - holds no visitor"),
        (b"\n \n", "error: - holds no visitor"),
        (b"nonsense\n{}x\n", "error: line 2, column 3: trailing characters"),
        (b"\xff\n", "error: line 1, column 1: "),
        (br#"{"visitor": {"nwo": 1}}"#, "error: line 1, column 18: unknown field `nwo`"),
        (br#"{"visitor": {}, "receipt": 5}"#, "error: line 1, column 28: "),
    ] {
        let run = replay(&["-"], input);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{}", run.err);
        assert!(run.err.contains(message) && run.err.contains("holds no visitor"), "{}", run.err);
    }
    let many = "nonsense\n".repeat(200) + r#"{"now": 0}"#;
    let run_many = replay(&["-"], many.as_bytes());
    assert_eq!(run_many.code, 0);
    assert!(run_many.err.ends_with("error: and 190 more lines\n") && run_many.err.lines().count() == 11, "{}", run_many.err);
    assert!(run_many.out.contains("200 lines of the input are no visitors"), "{}", run_many.out);
    for wrong in
        [&["replay"][..], &["replay", "old.jsonc", "new.jsonc"], &["replay", "a", "b", "--visitors", "c", "--now", "noon"]]
    {
        assert_eq!(run(wrong, b"").code, 2, "{wrong:?}");
    }
    let two = run(&["replay", "-", "new.jsonc", "--visitors", "-"], b"");
    assert!(two.code == 1 && two.err.contains("only one of the three can be -"), "{}", two.err);
    assert!(run(&["replay", "nowhere.jsonc", "new.jsonc", "--visitors", "-"], b"").err.contains("nowhere.jsonc can't be read"));
    assert!(replay(&["nowhere.ndjson"], b"").err.contains("nowhere.ndjson can't be read"));
}

/// Visitors without an instant come at the one that is given.
#[test]
fn an_instant_can_be_given() {
    let visitor = br#"{"url": "https://shop.example/"}"#;
    let changed = |now: &str| {
        let run = replay(&["-", "--json", "--now", now], visitor);
        serde_json::from_str::<Value>(&run.out).unwrap()["changed"].clone()
    };
    assert_eq!([changed("2026-11-19T22:59:59Z"), changed("2026-11-20T00:00:00+01:00")], [json!(0), json!(1)]);
}

/// Whoever wrote a visitor leads neither a terminal nor a reader of Markdown astray.
#[test]
fn what_visitors_write_is_only_text() {
    let url = "https://shop.example/?utm_source=ig&utm_medium=social&x=\u{1b}[31m\u{202e}`|<img src=x>``\n# heading";
    let visitor = json!({ "url": url, "now": 0 }).to_string();
    let text = replay(&["-"], visitor.as_bytes()).out;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains("\n# heading"), "{text}");
    let markdown = replay(&["-", "--markdown"], visitor.as_bytes()).out;
    assert!(
        markdown.contains("```https://shop.example/") && markdown.contains("`|<img src=x>``\u{fffd}# heading```"),
        "{markdown}"
    );
    let long = json!({ "url": format!("{url}{}", "é".repeat(10_000)), "now": 0 }).to_string();
    assert!(replay(&["-"], long.as_bytes()).out.len() < 3_000);
}
