//! The core stays pure: no clock, randomness, I/O or binding gets into it, and no runtime gets a parser.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::process::Command;

/// What a package is built from, without what its tests are: a line for each crate.
fn lines(arguments: &[&str], format: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--format", format])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The crates that a package is built from, without those of its tests.
fn dependencies(arguments: &[&str]) -> Vec<String> {
    let lines = lines(arguments, "{p}");
    let mut names: Vec<String> = lines.iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_core_alone_depends_on_mathematics_at_most() {
    assert_eq!(dependencies(&["-p", "idoine", "--no-default-features"]), ["idoine"]);
}

#[test]
fn the_core_knows_no_host() {
    let all = dependencies(&["-p", "idoine", "--all-features"]);
    for forbidden in
        ["wasm-bindgen", "js-sys", "web-sys", "worker", "getrandom", "rand", "libc", "chrono", "jiff", "regex", "url"]
    {
        assert!(!all.iter().any(|name| name == forbidden), "the core depends on {forbidden}: {all:?}");
    }
}

/// The features with which a face has the core.
fn features_of_the_core(package: &str) -> Vec<String> {
    let all = lines(&["-p", package, "--target", "wasm32-unknown-unknown"], "{p} features {f}");
    let core = all.iter().find(|line| line.starts_with("idoine v")).unwrap();
    core.rsplit(' ').next().unwrap().split(',').map(str::to_owned).collect()
}

#[test]
fn runtimes_hold_no_parser() {
    let target = ["--target", "wasm32-unknown-unknown"];
    for package in ["idoine-engine", "idoine-tools", "idoine-worker"] {
        let all = dependencies(&[&["-p", package], &target[..]].concat());
        for forbidden in ["jsonc-parser", "strsim", "jiff", "regex"] {
            assert!(!all.iter().any(|name| name == forbidden), "{package} depends on {forbidden}");
        }
        assert!(!features_of_the_core(package).iter().any(|feature| feature == "author"), "{package}");
    }
}

/// Only who looks at decisions has what explains them.
#[test]
fn the_engine_explains_nothing() {
    for (package, explains) in
        [("idoine-engine", false), ("idoine-author", false), ("idoine-worker", true), ("idoine-tools", true)]
    {
        assert_eq!(features_of_the_core(package).iter().any(|feature| feature == "explain"), explains, "{package}");
    }
}

#[test]
fn one_artefact_has_one_codec() {
    let target = ["--target", "wasm32-unknown-unknown"];
    for (package, forbidden) in [("idoine-engine", "serde"), ("idoine-author", "serde_json"), ("idoine-tools", "serde_json")] {
        let all = dependencies(&[&["-p", package], &target[..]].concat());
        assert!(!all.iter().any(|name| name == forbidden), "{package} depends on {forbidden}");
    }
}

/// The dependency's arrow points to the core: `worker` and `www` never see each other.
#[test]
fn the_faces_do_not_know_each_other() {
    let faces = ["idoine-worker", "idoine-engine", "idoine-author", "idoine-tools", "idoine-cli"];
    for package in faces {
        let all = dependencies(&["-p", package]);
        for other in faces.iter().filter(|other| **other != package) {
            assert!(!all.iter().any(|name| name == other), "{package} depends on {other}");
        }
    }
}
