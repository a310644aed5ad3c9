//! Whatever fuzzing found once (`npm run fuzz`) never happens again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use idoine::compile::compile;
use idoine::{Context, Program, Request, decide};
use std::sync::mpsc;
use std::time::Duration;
use support::Iana;
use targets::{TARGETS, Target};

/// What takes longer would have been reported by the fuzzer too. Only what hangs comes near it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether a target ends, in time and without a panic.
fn ends(target: Target, bytes: Vec<u8>) -> bool {
    let (sender, receiver) = mpsc::channel();
    // A panic drops the sender.
    std::thread::spawn(move || {
        target(&bytes);
        sender.send(())
    });
    receiver.recv_timeout(PATIENCE).is_ok()
}

/// Every file that is kept is run; a folder that no target has is a mistake.
#[test]
fn kept_crashers() {
    for folder in std::fs::read_dir("fuzz/crashers").unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = folder.file_name().into_string().unwrap();
        let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is no target"));
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            assert!(ends(*target, std::fs::read(&path).unwrap()), "{} crashes or hangs again", path.display());
        }
    }
}

/// The targets get to what they are about: each takes plain input of its kind, and nonsense.
#[test]
fn targets_take_anything() {
    let manifest = r#"{ "site": { "id": "x" }, "slots": { "s": { "selector": "p" } },
        "experiences": [{ "id": "e", "type": "personalization", "slots": { "s": { "text": "{{ geo.city | \"-\" }}" } } }] }"#;
    let inputs: [&[u8]; 6] = [
        b"geo.country == 'FR' && device.type != 'bot'",
        manifest.as_bytes(),
        b"uhttps://shop.example/\nhcookie: a\nz0",
        b"",
        b"\xff\xfe\0",
        &[7; 400],
    ];
    for (name, target) in TARGETS {
        for input in inputs {
            assert!(ends(*target, input.to_vec()), "{name}: {}", String::from_utf8_lossy(input));
        }
    }
}

/// Nodes that have themselves for operands, and a macro's variable of any number: evaluation has an end.
#[test]
fn a_forged_expression_ends() {
    let manifest = |audience: &str| {
        let experience = serde_json::json!({ "id": "e", "type": "personalization", "audience": audience, "slots": { "s": { "text": "x" } } });
        let site =
            serde_json::json!({ "site": { "id": "x" }, "slots": { "s": { "selector": "p" } }, "experiences": [experience] });
        compile(&site.to_string(), &Iana).unwrap().bytes().to_vec()
    };
    // Of a section: its first word and its number of records (header of 8 words, then two words for each section).
    let word = |bytes: &[u8], index: usize| u32::from_le_bytes(bytes[index * 4..index * 4 + 4].try_into().unwrap());
    let section = |bytes: &[u8], index: usize| (word(bytes, 8 + 2 * index) as usize, word(bytes, 9 + 2 * index));
    let set = |bytes: &mut [u8], index: usize, word: u32| bytes[index * 4..index * 4 + 4].copy_from_slice(&word.to_le_bytes());
    let decided = |mut bytes: Vec<u8>| {
        // A forger would make the checksum right.
        let checksum = idoine::bucket::murmur3_32(&bytes[12..], 0);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
        let mut request = Request { url: "https://x.example/".to_owned(), ..Request::default() };
        request.headers.push(("accept-language".to_owned(), "fr,en".to_owned()));
        let program = Program::load(bytes).unwrap();
        let context = Context::derive(&program, &request);
        assert!(decide(&program, &context).slots.iter().all(|decision| decision.experience.is_none()));
    };
    let mut cycle = manifest("has(geo.city) && geo.is_eu");
    let (nodes, count) = section(&cycle, 3);
    for node in 0..count {
        for operand in 1..3 {
            set(&mut cycle, nodes + node as usize * 3 + operand, node);
        }
    }
    decided(cycle);
    let mut variable = manifest("language.accepted.exists(tag, tag == 'fr')");
    let (lists, count) = section(&variable, 4);
    assert_eq!(count, 2);
    set(&mut variable, lists, u32::MAX);
    decided(variable);
}
