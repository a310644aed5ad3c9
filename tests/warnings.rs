//! Warnings against random manifests and visitors: what they say can never be is never seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

#[path = "expressions/choices.rs"]
mod choices;
#[path = "warnings/random.rs"]
mod random;
#[path = "warnings/site.rs"]
mod site;
mod support;

use choices::Choices;
use idoine::compile::{Compiled, check};
use idoine::visitor::Visitor;
use idoine::{Context, Loss, Program, Trace, decide_traced};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeSet;
use support::Iana;

/// Random bytes from a number (xorshift64*). Thousands of them would take proptest itself longer than the test.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// `None` where a manifest is refused: by chance something in it is too costly, or contradicts itself.
fn checked(manifest: &Value) -> Option<Compiled> {
    check(&manifest.to_string(), &Iana).ok()
}

/// Notes who lost.
#[derive(Default)]
struct Losers(BTreeSet<u32>);

impl Trace for Losers {
    fn lost(&mut self, experience: u32, _: Loss, _: Option<u32>) {
        self.0.insert(experience);
    }
}

/// The experiences that win for a visitor.
fn winners(program: &Program, visitor: Value) -> BTreeSet<String> {
    let visitor: Visitor = serde_json::from_value(visitor).unwrap();
    let context = Context::derive(program, &visitor.request(0, support::offsets));
    assert!(context.ignored.iter().all(|(path, _)| path == "geo.longitude"), "{:?}", context.ignored);
    let mut losers = Losers::default();
    decide_traced(program, &context, &mut losers);
    let all = (0..program.experience_count() as u32).filter(|index| !losers.0.contains(index));
    all.map(|index| program.experience_id(index).to_owned()).collect()
}

/// The paths that a message is warned of at.
fn warned(compiled: &Compiled, part: &str) -> BTreeSet<String> {
    compiled.warnings.iter().filter(|warning| warning.message.contains(part)).map(|warning| warning.path.clone()).collect()
}

fn run(cases: u32, count: usize, test: impl Fn(&mut Choices) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases, source_file: Some(file!()), ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&any::<u64>(), |seed| test(&mut Choices::new(bytes(seed, count))));
    run.unwrap_or_else(|error| panic!("{error}"));
}

/// An audience that is said to be never true is true for no visitor; and an experience behind one whose audience is true
/// wherever its own is wins nothing.
#[test]
fn what_is_said_of_audiences_is_true() {
    const AUDIENCES: usize = 8;
    let (never, shadowed, seen) = (Cell::new(0), Cell::new(0), Cell::new(0));
    run(250, 2600, |choices| {
        let mut manifest =
            json!({ "site": { "id": "x" }, "traits": random::traits(), "audiences": {}, "slots": {}, "experiences": [] });
        let mut add = |id: String, audience: String, slot: &str, priority: usize| {
            manifest["slots"][slot] = json!({ "selector": format!("#{slot}") });
            let experience = json!({ "id": id, "type": "personalization", "audience": audience, "priority": priority, "slots": { slot: { "text": "x" } } });
            manifest["experiences"].as_array_mut().unwrap().push(experience);
        };
        let audiences: Vec<String> = (0..AUDIENCES).map(|named| random::expression(choices, 3, named)).collect();
        for (number, audience) in audiences.iter().enumerate() {
            // Each alone; then behind another one, and behind one that says less or more.
            add(format!("alone{number}"), format!("a{number}"), &format!("alone{number}"), 0);
            let slot = format!("pair{number}");
            add(format!("first{number}"), audiences[(number + 1) % AUDIENCES].clone(), &slot, 2);
            add(format!("second{number}"), audience.clone(), &slot, 1);
            add(format!("third{number}"), format!("a{number} && ({})", random::expression(choices, 1, AUDIENCES)), &slot, 0);
        }
        for (number, audience) in audiences.iter().enumerate() {
            manifest["audiences"][format!("a{number}")] = json!(audience);
        }
        let Some(compiled) = checked(&manifest) else { return Ok(()) };
        let impossible = warned(&compiled, "this audience can never be true");
        let silent: BTreeSet<String> = compiled
            .warnings
            .iter()
            .filter(|warning| warning.message.contains("can never win"))
            .map(|warning| warning.message.split('`').nth(1).unwrap().to_owned())
            .collect();
        never.set(never.get() + impossible.len());
        shadowed.set(shadowed.get() + warned(&compiled, "comes before it").len());
        let mut won = BTreeSet::new();
        for _ in 0..60 {
            let context = random::visitor(choices);
            let visitor = json!({ "url": "https://x.example/", "now": "2026-01-01T00:30:00Z", "context": context });
            let winners = winners(&compiled.program, visitor.clone());
            for number in 0..AUDIENCES {
                let is_true = winners.contains(&format!("alone{number}"));
                prop_assert!(
                    !is_true || !impossible.contains(&format!("audiences.a{number}")),
                    "a{number} of {manifest:#} is true for {visitor}"
                );
            }
            let wrong: Vec<_> = winners.intersection(&silent).collect();
            prop_assert!(wrong.is_empty(), "{wrong:?} of {manifest:#} win for {visitor}");
            won.extend(winners);
        }
        seen.set(seen.get() + (0..AUDIENCES).filter(|number| !won.contains(&format!("alone{number}"))).count());
        Ok(())
    });
    println!("{} never true of {} that were not seen; {} shadowed", never.get(), seen.get(), shadowed.get());
    assert!(never.get() > 100 && shadowed.get() > 300, "{} {}", never.get(), shadowed.get());
}

/// An experience that is said to win never wins for no visitor, whatever pages, schedules, shares and priorities there are.
#[test]
fn what_is_said_of_experiences_is_true() {
    let (shadowed, experiences, unseen) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let ways = ["comes before it and takes", "comes before it in the group", "suppresses its group", "which it requires"];
    let seen = ways.map(|_| Cell::new(0));
    run(1000, 1800, |choices| {
        let manifest = site::manifest(choices);
        let Some(compiled) = checked(&manifest) else { return Ok(()) };
        let silent: BTreeSet<String> = compiled
            .warnings
            .iter()
            .filter(|warning| warning.message.contains("can never win"))
            .map(|warning| warning.message.split('`').nth(1).unwrap().to_owned())
            .collect();
        shadowed.set(shadowed.get() + silent.len());
        for (way, seen) in ways.iter().zip(&seen) {
            seen.set(seen.get() + warned(&compiled, way).len());
        }
        experiences.set(experiences.get() + compiled.degrees.len());
        let mut won = BTreeSet::new();
        for _ in 0..40 {
            let visitor = site::visitor(choices);
            let winners = winners(&compiled.program, visitor.clone());
            let wrong: Vec<_> = winners.intersection(&silent).collect();
            prop_assert!(wrong.is_empty(), "{wrong:?} of {manifest:#} win for {visitor}");
            won.extend(winners);
        }
        unseen.set(unseen.get() + compiled.degrees.iter().filter(|(id, _)| !won.contains(id)).count());
        Ok(())
    });
    println!("{seen:?}: {} of {} said to win never, {} not seen to win", shadowed.get(), experiences.get(), unseen.get());
    // Every way is worth something as a test.
    assert!(seen.iter().all(|count| count.get() >= 3), "{seen:?}");
    assert!(shadowed.get() > 100 && shadowed.get() * 2 < experiences.get(), "{} of {}", shadowed.get(), experiences.get());
}
