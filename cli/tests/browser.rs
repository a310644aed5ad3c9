//! `idoine compile --browser`: the program that everybody may read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use support::{Run, demo, idoine};

/// Files of one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("idoine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn compile(manifest: &str, output: &str, more: &[&str], input: &[u8]) -> (Run, Value) {
    let run = idoine(&[&["compile", manifest, "-o", output, "--json"], more].concat(), input);
    let said = serde_json::from_str(&run.out).unwrap_or_default();
    (run, said)
}

/// A launch that is being written, and what is to follow it.
const MANIFEST: &str = r##"{
  "site": { "id": "shop" },
  "slots": { "hero": { "selector": "h1" }, "lead": { "selector": "p" }, "bar": { "selector": "#bar" } },
  "experiences": [
    { "id": "autumn-launch", "type": "personalization", "status": "draft", "priority": 9, "slots": { "hero": { "text": "Out now" }, "bar": { "text": "Out now" } } },
    { "id": "after-launch", "type": "personalization", "priority": 5, "requires": [{ "experience": "autumn-launch" }], "slots": { "lead": { "text": "And there is more" } } },
    { "id": "after-that", "type": "personalization", "priority": 5, "requires": [{ "experience": "after-launch" }], "slots": { "lead": { "text": "And more" } } },
    { "id": "kept", "type": "experiment", "sticky": true, "requires": [{ "experience": "autumn-launch" }], "slots": { "bar": [{ "baseline": true }, { "text": "Kept" }] } },
    { "id": "hello", "type": "personalization", "slots": { "hero": { "text": "Hello" }, "lead": { "text": "How are you?" } } }
  ]
}"##;

#[test]
fn compile_for_browsers_leaves_drafts_out_and_keeps_the_version() {
    let folder = Folder::new("browser");
    let (whole, whole_said) = compile("-", &folder.file("whole"), &[], MANIFEST.as_bytes());
    let (browser, said) = compile("-", &folder.file("browser"), &["--browser"], MANIFEST.as_bytes());
    assert_eq!((whole.code, browser.code), (0, 0));
    // What is warned of does not depend on who reads the program.
    assert!(browser.err.contains("`autumn-launch`, which it requires, is a draft"), "{}", browser.err);
    assert_eq!(browser.err, whole.err);
    assert_eq!(said["version"], whole_said["version"]);
    assert_eq!((&whole_said["experiences"], &said["experiences"], &said["slots"]), (&5.into(), &4.into(), &3.into()));
    let holds = |file: &str, text: &str| String::from_utf8_lossy(&std::fs::read(folder.file(file)).unwrap()).contains(text);
    for secret in ["autumn-launch", "Out now"] {
        assert!(holds("whole", secret) && !holds("browser", secret), "{secret}");
    }
    assert_eq!(std::fs::metadata(folder.file("browser")).unwrap().len(), said["bytes"].as_u64().unwrap());
}

/// Decisions by either program, compared by the command that compares them.
#[test]
fn who_requires_a_draft_does_not_win_in_browsers_either() {
    let folder = Folder::new("browser-requires");
    compile("-", &folder.file("whole"), &[], MANIFEST.as_bytes());
    compile("-", &folder.file("browser"), &["--browser"], MANIFEST.as_bytes());
    let visitors = [
        r#"{ "url": "https://shop.example/", "now": 0 }"#,
        // Who was assigned before is not asked for prerequisites.
        r#"{ "url": "https://shop.example/", "now": 0, "headers": { "cookie": "idoine_consent=v1.personalization; idoine_id=visitor-0001" }, "profile": { "assignment.kept": "1" } }"#,
        // To whom the draft is shown, what follows it is shown too: in previews, which have the whole program.
        r#"{ "url": "https://shop.example/", "now": 0, "context": { "variant.autumn-launch": "1" } }"#,
    ];
    let replay = |visitors: &[&str]| {
        let files = [folder.file("whole"), folder.file("browser")];
        let run = idoine(
            &["replay", &files[0], &files[1], "--visitors", "-", "--json", "--exit-code"],
            visitors.join("\n").as_bytes(),
        );
        let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.err));
        let wins = |side: &str| -> Vec<(String, u64)> {
            let found = report["experiences"].as_array().unwrap().iter();
            let wins = found
                .filter_map(|one| Some((one["experience"].as_str()?.to_owned(), one[side].as_u64().filter(|wins| *wins > 0)?)));
            wins.collect()
        };
        (run.code, wins("before"), wins("after"))
    };
    let won = |wins: &[(&str, u64)]| wins.iter().map(|(id, wins)| ((*id).to_owned(), *wins)).collect::<Vec<_>>();
    let both = won(&[("hello", 2), ("kept", 1)]);
    assert_eq!(replay(&visitors[..2]), (0, both.clone(), both));
    let (code, before, after) = replay(&visitors[2..]);
    assert_eq!((code, after), (1, won(&[("hello", 1)])));
    assert!(
        before.contains(&("autumn-launch".to_owned(), 1)) && before.contains(&("after-launch".to_owned(), 1)),
        "{before:?}"
    );
}

#[test]
fn a_manifest_with_an_error_in_a_draft_is_refused() {
    let folder = Folder::new("browser-refused");
    let wrong = MANIFEST.replacen("\"status\": \"draft\"", "\"status\": \"draft\", \"audience\": \"geo.contry == 'FR'\"", 1);
    let (run, _) = compile("-", &folder.file("browser"), &["--browser"], wrong.as_bytes());
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("did you mean `geo.country`?"), "{}", run.err);
    assert!(!PathBuf::from(folder.file("browser")).exists());
}

#[test]
fn the_demos_program_for_browsers_is_of_the_same_version() {
    let folder = Folder::new("browser-demo");
    let (_, whole) = compile(&demo(), &folder.file("whole"), &[], b"");
    let (run, browser) = compile(&demo(), &folder.file("browser"), &["--browser"], b"");
    assert_eq!((run.code, &browser["version"]), (0, &whole["version"]));
}

/// What visitors of a site without a Worker are told: what `GET /_idoine/consent` tells elsewhere.
#[test]
fn the_notice_is_a_file_of_its_own() {
    let folder = Folder::new("notice");
    let both = |word: &str| json!({ "en": word, "fr": format!("{word} (fr)") });
    let manifest = json!({
        "site": { "id": "shop" },
        "consent": { "mode": "opt-out", "version": 4, "policy": "/privacy", "ask": "banner", "platforms": ["google"] },
        "purposes": { "marketing": { "title": both("Letters"), "text": both("We write to you"), "keep": "30d" } },
        "traits": { "often": {
            "type": "string", "enum": ["daily", "weekly"], "labels": { "daily": both("Every day") }, "purpose": "marketing",
        } },
        "preferences": { "frequency": "often" },
    });
    let run = idoine(&["notice", "-"], manifest.to_string().as_bytes());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let notice: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        notice,
        json!({
            "mode": "opt-out", "version": 4, "policy": "/privacy", "ask": "banner", "platforms": ["google"],
            "purposes": [{ "name": "marketing", "title": both("Letters"), "text": both("We write to you"), "keep_days": 30 }],
            "traits": [{
                "name": "often", "type": "string", "values": ["daily", "weekly"], "labels": { "daily": both("Every day") },
                "purpose": "marketing", "editable": true, "personal": false, "changes": [],
            }],
            "readings": [],
            "preferences": { "frequency": "often" },
        })
    );

    let path = folder.file("notice.json");
    let written = idoine(&["notice", "-", "-o", &path], manifest.to_string().as_bytes());
    assert_eq!((written.code, written.out.as_str(), written.err.as_str()), (0, "", ""));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), run.out);

    // What is refused changes no file that is there.
    let run = idoine(&["notice", "-", "-o", &path], br#"{ "site": { "id": "x" }, "consent": { "version": 0 } }"#);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("expected a version from 1 on") && run.err.contains("1 error in -"), "{}", run.err);
    assert_eq!(serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()).unwrap(), notice);
}
