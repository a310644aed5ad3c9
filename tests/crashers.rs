//! Whatever fuzzing found once (`npm run fuzz`) never happens again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::sync::mpsc;
use std::time::Duration;
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
