//! What is fuzzed: each target takes any bytes, and fails by a panic alone. `tests/crashers.rs` runs the same on what was found.

use idoine::compile::{Zones, compile};
use idoine::manifest::format;
use idoine::{Context, Offsets, Program, Request, decide, edits, explain, wire};
use std::sync::LazyLock;

/// A target takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("expression", expression),
    ("manifest", manifest),
    ("format", formatted),
    ("request", request),
    ("program", program),
    ("wire", wire_bytes),
];

/// The demo's manifest: what requests are decided with.
const DEMO: &str = include_str!("../../www/demo/site.jsonc");

/// Two zones, one with summer time. No table, which would be what is fuzzed most.
struct TwoZones;

impl Zones for TwoZones {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        let day = instant.div_euclid(86_400_000).rem_euclid(365);
        match zone {
            "UTC" => Some(0),
            "Europe/Paris" => Some(if (85..300).contains(&day) { 7200 } else { 3600 }),
            _ => None,
        }
    }
}

fn demo() -> &'static Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| compile(DEMO, &TwoZones).expect("the demo compiles"));
    &PROGRAM
}

/// A whole pass over whatever a program and a request are.
fn pass(program: &Program, request: &Request) {
    let context = Context::derive(program, request);
    let decisions = decide(program, &context);
    assert_eq!(explain(program, &context).decisions, decisions);
    let edits = edits(program, &context, &decisions);
    wire::write_edits(&edits);
    wire::write_decisions(&decisions);
    program.concerns(&context);
    program.personas().count();
    program.hosts().count();
}

/// Requests that know much, something, and nothing.
fn requests() -> &'static [Request] {
    static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(|| {
        let much = "uhttps://shop.example/collections/all?utm_source=ig&gift=1#top\nn1796000000000\nz3600\n\
            huser-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1\n\
            haccept-language: fr-FR,fr;q=0.9,en;q=0.5\nhreferer: https://www.google.com/\n\
            hcookie: idoine_consent=v1.personalization.analytics; idoine_id=00112233445566778899aabb\n\
            ccountry: FR\nccity: Paris\nctimezone: Europe/Paris\nclatitude: 48.85\nclongitude: 2.35\ncasn: 3215\ncisEUCountry: 1\n\
            oprofile.text: a\noprofile.number: 7\noprofile.share: 0.5\noprofile.flag: true\noprofile.list: a,b\noprofile.time: 2026-11-20T12:30:00Z";
        [much, "uhttps://shop.example/\nn0", ""].iter().map(|text| read_request(text.as_bytes())).collect()
    });
    &REQUESTS
}

/// An expression in a manifest: checked, compiled, decided with.
fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let types = ["text:string", "number:int", "share:double", "flag:bool", "list:strings", "time:timestamp"];
    let traits: serde_json::Map<_, _> = (types.iter().filter_map(|pair| pair.split_once(':')))
        .map(|(name, kind)| (name.to_owned(), serde_json::json!({ "type": kind, "purpose": "personalization" })))
        .collect();
    let source = serde_json::json!({
        "site": { "id": "x", "timezone": "Europe/Paris" }, "traits": traits, "audiences": { "other": "device.type == 'mobile'", "a": text },
        "slots": { "s": { "selector": "p" } },
        "experiences": [{ "id": "e", "type": "personalization", "audience": "a", "slots": { "s": { "text": "x" } } },
            { "id": "f", "type": "personalization", "audience": "!(a) || other", "slots": { "s": { "text": "y" } } }],
    });
    compiled(&source.to_string());
}

/// A manifest: refused with places, or compiled to a program that loads again and decides.
fn manifest(bytes: &[u8]) {
    compiled(&String::from_utf8_lossy(bytes));
}

fn compiled(source: &str) {
    match compile(source, &TwoZones) {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in &errors {
                assert!(error.line > 0 && error.column > 0 && error.end_column > error.column);
                error.render("x", source);
            }
        }
        Ok(program) => {
            let again = Program::load(program.bytes().to_vec()).expect("what the compiler writes loads");
            assert_eq!(again.version(), program.version());
            for request in requests() {
                pass(&again, request);
            }
        }
    }
}

/// Formatting: refused, or formatted once and for all, and saying the same.
fn formatted(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let Ok(once) = format(&source) else { return };
    assert_eq!(format(&once).as_deref(), Ok(once.as_str()));
    let version = |text: &str| compile(text, &TwoZones).map(|program| program.version()).map_err(|errors| errors.len());
    assert_eq!(version(&source), version(&once));
}

/// A request, a line for each of its parts, by their first letter: `u` URL, `n` now, `z` zone's offset, `h` header, `c` cf, `o` override.
fn read_request(bytes: &[u8]) -> Request {
    let mut request = Request::default();
    for line in String::from_utf8_lossy(bytes).split('\n') {
        let mut rest = line.chars();
        let kind = rest.next();
        let text = rest.as_str();
        let pair = || text.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        match kind {
            Some('u') => text.clone_into(&mut request.url),
            Some('n') => request.now = text.parse().unwrap_or(0),
            Some('z') => {
                let seconds = text.parse().ok();
                request.offsets = Offsets::around(request.now, |_| seconds);
            }
            Some('h') => request.headers.extend(pair()),
            Some('c') => request.cf.extend(pair()),
            Some('o') => request.overrides.extend(pair()),
            _ => {}
        }
    }
    request
}

/// What a visitor sends: URL, headers, what the network tells, overrides.
fn request(bytes: &[u8]) {
    pass(demo(), &read_request(bytes));
}

/// A program's bytes, its head made right as a forger would.
fn program(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    bytes.truncate(bytes.len() / 4 * 4);
    // Load compares the head before the checksum: there is nothing to find behind a wrong one.
    if let (Some(head), Some(good)) = (bytes.get_mut(..8), demo().bytes().get(..8)) {
        head.copy_from_slice(good);
    }
    if let (Some(fingerprint), Some(good)) = (bytes.get_mut(24..28), demo().bytes().get(24..28)) {
        fingerprint.copy_from_slice(good);
    }
    let length = (bytes.len() as u32).to_le_bytes();
    if let Some(place) = bytes.get_mut(12..16) {
        place.copy_from_slice(&length);
    }
    let checksum = idoine::bucket::murmur3_32(bytes.get(12..).unwrap_or_default(), 0).to_le_bytes();
    if let Some(place) = bytes.get_mut(8..12) {
        place.copy_from_slice(&checksum);
    }
    if let Ok(program) = Program::load(bytes) {
        for request in requests() {
            pass(&program, request);
        }
    }
}

/// The engine's request bytes.
fn wire_bytes(bytes: &[u8]) {
    if let Some(request) = wire::read_request(bytes) {
        pass(demo(), &request);
    }
}
