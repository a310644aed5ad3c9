//! The core's steps from a manifest's text to a decision that is explained, natively:
//!
//! ```text
//! cargo bench --bench steps           times, by criterion
//! cargo bench --bench steps -- once   each step once for each visitor, for `npm run instructions` to count
//! ```
//!
//! Times differ from run to run; on a busy machine take the counts.

mod workload;

use criterion::Criterion;
use idoine::compile::{Zones, compile};
use idoine::diagnostic::Diagnostics;
use idoine::manifest::{Manifest, read_manifest};
use idoine::{Context, Decisions, Explanation, Program, Request};
use std::error::Error;
use std::hint::black_box;

const EXPERIENCES: usize = 400;
const VISITORS: usize = 100;

/// No zone but UTC: the steps ask for no other.
struct Utc;

impl Zones for Utc {
    fn offset(&self, zone: &str, _: i64) -> Option<i32> {
        (zone == "UTC").then_some(0)
    }
}

// Each step by itself: what runs in these functions is counted, by their names.

#[inline(never)]
fn step_parse(source: &str) -> Option<Manifest> {
    read_manifest(&mut Diagnostics::new(black_box(source)))
}

/// Parsing included.
#[inline(never)]
fn step_compile(source: &str) -> Option<Program> {
    compile(black_box(source), &Utc).ok()
}

#[inline(never)]
fn step_load(bytes: Vec<u8>) -> Option<Program> {
    Program::load(black_box(bytes)).ok()
}

#[inline(never)]
fn step_context(program: &Program, request: &Request) -> Context {
    Context::derive(program, black_box(request))
}

#[inline(never)]
fn step_decide(program: &Program, context: &Context) -> Decisions {
    idoine::decide(program, black_box(context))
}

#[inline(never)]
fn step_explain(program: &Program, context: &Context) -> Explanation {
    idoine::explain(program, black_box(context))
}

fn main() -> Result<(), Box<dyn Error>> {
    let source = workload::manifest(EXPERIENCES);
    let requests = workload::requests(VISITORS);
    let program = compile(&source, &Utc).map_err(|errors| format!("{errors:?}"))?;
    let contexts: Vec<Context> = requests.iter().map(|request| Context::derive(&program, request)).collect();
    let people = || contexts.iter().cycle();
    if std::env::args().any(|argument| argument == "once") {
        black_box((step_parse(&source), step_compile(&source), step_load(program.bytes().to_vec())));
        let mut decided = 0;
        for (request, context) in requests.iter().zip(&contexts) {
            black_box(step_context(&program, request));
            decided += step_decide(&program, context).slots.iter().filter(|slot| slot.experience.is_some()).count();
            black_box(step_explain(&program, context));
        }
        println!("{}", serde_json::json!({ "experiences": EXPERIENCES, "visitors": VISITORS, "decided": decided }));
        return Ok(());
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("parse", |bencher| bencher.iter(|| step_parse(&source)));
    criterion.bench_function("compile", |bencher| bencher.iter(|| step_compile(&source)));
    criterion.bench_function("load", |bencher| bencher.iter(|| step_load(program.bytes().to_vec())));
    let mut all = requests.iter().cycle();
    criterion.bench_function("context", |bencher| {
        bencher.iter(|| all.next().map(|request| step_context(&program, request)));
    });
    let mut all = people();
    criterion.bench_function("decide", |bencher| {
        bencher.iter(|| all.next().map(|context| step_decide(&program, context)));
    });
    let mut all = people();
    criterion.bench_function("explain", |bencher| {
        bencher.iter(|| all.next().map(|context| step_explain(&program, context)));
    });
    criterion.final_summary();
    Ok(())
}
