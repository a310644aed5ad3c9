//! The language-neutral cases through the engine's binary boundary, in a real browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../../../../tests/cases/mod.rs"]
mod cases;
#[path = "../../../../tests/cases/intl.rs"]
mod intl;

use idoine::compile::compile;
use idoine::visitor::Visitor;
use idoine::{EditOp, Request, Source};
use idoine_engine::Engine;
use intl::Intl;
use serde_json::{Value, json};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// The bytes of a request, as www/src/wire.ts writes them.
fn bytes(request: &Request) -> Vec<u8> {
    let mut bytes = (request.now as f64).to_le_bytes().to_vec();
    bytes.extend((request.offsets.entries().len() as u32 * 2).to_le_bytes());
    for (from, seconds) in request.offsets.entries() {
        bytes.extend((*from as f64).to_le_bytes());
        bytes.extend(seconds.map_or(f64::NAN, f64::from).to_le_bytes());
    }
    let mut push = |tag: u8, key: &str, value: &str| {
        bytes.push(tag);
        for text in [key, value] {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
    };
    push(1, "", &request.url);
    let groups = [&request.headers, &request.cf, &request.overrides, &request.enrichments, &request.profile];
    for (tag, pairs) in (2..).zip(groups) {
        pairs.iter().for_each(|(key, value)| push(tag, key, value));
    }
    bytes
}

// The kinds of names (`wire::name`).
const SLOT: u32 = 0;
const EXPERIENCE: u32 = 1;
const FACTOR: u32 = 2;
const REASON: u32 = 3;
const VERSION: u32 = 4;

struct Reader(Vec<u8>, usize);

impl Reader {
    fn word(&mut self) -> u32 {
        self.1 += 4;
        u32::from_le_bytes(self.0[self.1 - 4..self.1].try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = self.word() as usize;
        self.1 += length;
        String::from_utf8(self.0[self.1 - length..self.1].to_vec()).unwrap()
    }
}

#[wasm_bindgen_test]
fn decisions() {
    let zones = Intl(intl::function());
    let count = cases::each(cases::DECIDE, |name, manifest, case| {
        let program = compile(&manifest.to_string(), &zones).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let mut engine = Engine::load(program.bytes().to_vec()).unwrap_or_else(|_| panic!("{name}: refused"));
        assert_eq!(engine.name(VERSION, 0), program.version());
        let visitor: Visitor = serde_json::from_value(case["visitor"].clone()).unwrap();
        let request = visitor.request(0, |zone, instant| zones.offsets(zone, instant));
        let answer = engine.decide(&bytes(&request)).unwrap_or_else(|| panic!("{name}: no decision"));
        let (count, words) = answer.split_first().unwrap();
        assert_eq!(words.len(), *count as usize * 6, "{name}");
        let decisions: Vec<Value> = words
            .as_chunks()
            .0
            .iter()
            .map(|[slot, experience, variant, source, reason, factor]| {
                let (slot, experience, variant, source, reason, factor) = (*slot, *experience, *variant, *source, *reason, *factor);
                let known = |kind, number| (number != u32::MAX).then(|| engine.name(kind, number));
                json!({ "slot": engine.name(SLOT, slot), "experience": known(EXPERIENCE, experience), "variant": variant,
                    "factor": known(FACTOR, factor), "source": Source::ALL[source as usize].name(), "reason": engine.name(REASON, reason) })
            })
            .collect();
        let mut reader = Reader(engine.edits(), 0);
        let edits: Vec<Value> = (0..reader.word())
            .map(|_| {
                let slot = engine.name(SLOT, reader.word());
                let op = EditOp::ALL[reader.word() as usize - 1].name();
                json!({ "slot": slot, "op": op, "selector": reader.text(), "name": reader.text(), "value": reader.text() })
            })
            .collect();
        cases::check_decisions(name, case, &Value::Array(decisions), &Value::Array(edits));
    });
    assert!(count >= 800, "{count} cases");
}

#[wasm_bindgen_test]
fn refuses_what_is_no_program_and_goes_on() {
    for bad in [Vec::new(), b"IDOI".to_vec(), vec![0; 10_000]] {
        assert!(Engine::load(bad).is_err());
    }
    let manifest = r##"{ "site": { "id": "x" }, "slots": { "a": { "selector": "#a" } }, "experiences": [] }"##;
    let program = compile(manifest, &Intl(intl::function())).unwrap();
    let mut damaged = program.bytes().to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert!(Engine::load(damaged).is_err());
    let mut engine = Engine::load(program.bytes().to_vec()).unwrap_or_else(|_| panic!("refused"));
    assert!(engine.decide(&[1, 2, 3]).is_none());
    assert!(engine.decide(&bytes(&Request::default())).is_some());
}
