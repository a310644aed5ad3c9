//! What the owner's commands ask of a site's Worker, here a server of the test's own, and what they make of its answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use support::Run;

fn run(to: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idoine"));
    command.args(arguments).args(["--to", to]).env("IDOINE_TOKEN", "a-token-of-the-tests-own").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Answers each request as told, in their order: status, a header line, body. What was asked is noted: method, path and body.
fn site(answers: Vec<(u16, &'static str, String)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = asked.clone();
    std::thread::spawn(move || {
        for (status, header, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&mut stream);
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut sent = vec![0; length];
            reader.read_exact(&mut sent).unwrap();
            let path = first.trim_end().trim_end_matches(" HTTP/1.1").replace("/_idoine/api/", "");
            noted.lock().unwrap().push(format!("{path} {}", String::from_utf8(sent).unwrap()).trim_end().to_owned());
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{header}connection: close\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).unwrap();
        }
    });
    (to, asked)
}

fn ok(body: Value) -> (u16, &'static str, String) {
    (200, "", body.to_string())
}

#[test]
fn dead_letters_are_sent_again_until_none_is_left() {
    let answers = [(500, 240), (240, 0)].map(|(resent, left)| ok(json!({ "resent": resent, "left": left })));
    let (to, asked) = site(answers.to_vec());
    let done = run(&to, &["dead-letters", "--resend", "--sink", "r2"]);
    assert_eq!((done.code, done.out.as_str()), (0, "740 letters on their way again\n"), "{}", done.err);
    assert_eq!(*asked.lock().unwrap(), [r#"POST dead-letters {"sink":"r2"}"#; 2]);
    // Those of a sink that is not wanted any more stay: nobody asks for ever.
    let (to, asked) = site(vec![ok(json!({ "resent": 1, "left": 3 })), ok(json!({ "resent": 0, "left": 3 }))]);
    let done = run(&to, &["dead-letters", "--resend", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap(), json!({ "resent": 1, "left": 3 }));
    assert_eq!(*asked.lock().unwrap(), ["POST dead-letters {}"; 2]);
}

#[test]
fn dead_letters_and_violations_are_tables() {
    let letter = json!({ "id": "7-41", "sink": "r2", "at": "2026-11-20T12:00:00Z", "died": "2026-11-23T12:00:00Z", "tries": 10, "error": "full", "message": { "event": "x" } });
    let listed = json!({ "counts": [{ "sink": "r2", "letters": 1 }], "sinks": [{ "sink": "r2", "waiting": 4, "failing": 1 }], "letters": [letter], "cursor": null });
    let (to, asked) = site(vec![ok(listed), ok(json!({ "counts": [], "sinks": [], "letters": [] }))]);
    let done = run(&to, &["dead-letters", "--sink", "webhook:a b"]);
    assert!(done.out.contains("r2    7-41") || done.out.contains("7-41"), "{}", done.out);
    assert!(done.out.contains("full") && !done.out.contains("message"), "{}", done.out);
    assert_eq!(run(&to, &["dead-letters"]).out, "no dead letters: nothing was given up\n");
    assert_eq!(*asked.lock().unwrap(), ["GET dead-letters?sink=webhook%3Aa%20b", "GET dead-letters"]);

    let found = json!({ "violations": [{ "event": "Order Completed", "code": "missing_property", "path": "revenue", "source": "import:erp", "expected": "double", "count": 3, "last": 1_719_835_200_000_i64 }] });
    let (to, asked) = site(vec![ok(found), ok(json!({ "violations": [] }))]);
    let done = run(&to, &["violations", "--days", "7"]);
    assert!(done.out.contains("Order Completed") && done.out.contains("2024-07-01 12:00:00 UTC"), "{}", done.out);
    assert_eq!(run(&to, &["violations"]).out, "no violations: every event was as planned\n");
    assert_eq!(*asked.lock().unwrap(), ["GET violations?days=7", "GET violations?days=30"]);
}

#[test]
fn members_are_asked_for_list_by_list() {
    let list = |ids: &[&str]| {
        ids.iter().map(|id| json!({ "key": format!("u:{id}"), "userId": id }).to_string() + "\n").collect::<String>()
    };
    let two = || vec![(200, "x-idoine-cursor: 3-u%3Ab\r\n", list(&["a", "b"])), (200, "", list(&["c"]))];
    let (to, asked) = site(two());
    let done = run(&to, &["audiences", "export", "big spenders", "--format", "csv"]);
    assert_eq!((done.code, done.out.as_str()), (0, "key,userId,anonymousId\nu:a,a,\nu:b,b,\nu:c,c,\n"), "{}", done.err);
    assert_eq!(*asked.lock().unwrap(), ["GET audiences/big%20spenders", "GET audiences/big%20spenders?cursor=3-u%3Ab"]);
    // A list that breaks off in the middle takes the place of no whole one.
    let folder = std::env::temp_dir().join(format!("idoine-owner-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("vip.ndjson");
    std::fs::write(&file, "before").unwrap();
    let failing = vec![two().remove(0), (503, "", json!({ "error": { "message": "Not now." } }).to_string())];
    let done = run(&site(failing).0, &["audiences", "export", "vip", "-o", &file.display().to_string()]);
    assert_eq!((done.code, done.err.as_str()), (1, "error: Not now.\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
    let done = run(&site(two()).0, &["audiences", "export", "vip", "-o", &file.display().to_string()]);
    assert_eq!((done.code, std::fs::read_to_string(&file).unwrap()), (0, list(&["a", "b", "c"])), "{}", done.err);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn every_command_has_an_example() {
    for arguments in [
        &["import", "--help"][..],
        &["import", "events", "--help"],
        &["import", "traits", "--help"],
        &["profile", "--help"],
        &["profile", "show", "--help"],
        &["profile", "note", "--help"],
        &["profile", "notes", "--help"],
        &["profile", "tag", "--help"],
        &["audiences", "--help"],
        &["audiences", "export", "--help"],
        &["violations", "--help"],
        &["dead-letters", "--help"],
    ] {
        let done = support::idoine(arguments, b"");
        assert!(done.code == 0 && done.out.contains("Example"), "{arguments:?}\n{}", done.out);
    }
}
