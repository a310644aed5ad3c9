//! Native times of one page's decision, over a program and visitors that `npm run bench` makes, checks and compares:
//!
//! ```text
//! cargo bench --bench decide -- decisions FOLDER           what is decided: a line for each visitor
//! cargo bench --bench decide -- times FOLDER MILLISECONDS  microseconds of each batch: a line for each thing measured
//! cargo bench --bench decide -- once FOLDER                decides once for each visitor, for `npm run instructions` to count
//! ```
//!
//! A folder holds `site.program` and `visitors.bin`: for each visitor the length of a request in 32 bits and the request in the
//! layout of `idoine::wire`, the same bytes that the Wasm engine is given. Lines are JSON.

use idoine::{Context, Decisions, Program, Request, decide, decide_by_scan, edits, wire};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// A name, work for some of the visitors, and the microseconds that its batches took for each.
type Measured<'a> = (&'static str, &'a dyn Fn(&[usize]), Vec<f64>);
type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str = "`npm run bench` runs this with `decisions FOLDER` or `times FOLDER MILLISECONDS` and makes the folder";
/// What a round is to take at most: with slow pages it takes fewer visitors.
const ROUND: Duration = Duration::from_millis(100);
/// Rounds that are run even if the time is over.
const LEAST: usize = 5;
/// Rounds that are enough even if there is time left.
const MOST: usize = 60;

fn main() -> Outcome<()> {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => println!("{USAGE}"),
        ["decisions", folder] => print_decisions(Path::new(folder))?,
        ["once", folder] => decide_once(Path::new(folder))?,
        ["times", folder, millis] => print_times(Path::new(folder), Duration::from_millis(millis.parse()?))?,
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn print_decisions(folder: &Path) -> Outcome<()> {
    let (program, requests) = read(folder)?;
    for request in &requests {
        let decisions = decide(&program, &Context::derive(&program, request));
        let words = wire::write_decisions(&decisions);
        println!("{}", serde_json::json!({ "words": words }));
    }
    Ok(())
}

fn decide_once(folder: &Path) -> Outcome<()> {
    let (program, requests) = read(folder)?;
    for request in &requests {
        black_box(counted(&program, &Context::derive(&program, request)));
    }
    println!("{}", requests.len());
    Ok(())
}

/// A decision and nothing else: what runs in here is counted, by this function's name.
#[inline(never)]
fn counted(program: &Program, context: &Context) -> Decisions {
    decide(program, black_box(context))
}

fn print_times(folder: &Path, time: Duration) -> Outcome<()> {
    let (program, requests) = read(folder)?;
    let contexts: Vec<Context> = requests.iter().map(|request| Context::derive(&program, request)).collect();
    let load = |_: &[usize]| drop(black_box(Program::load(black_box(program.bytes()).to_vec())));
    let context = |of: &[usize]| {
        for request in of.iter().filter_map(|visitor| requests.get(*visitor)) {
            black_box(Context::derive(&program, black_box(request)));
        }
    };
    let decision = |of: &[usize]| {
        for context in of.iter().filter_map(|visitor| contexts.get(*visitor)) {
            black_box(decide(&program, black_box(context)));
        }
    };
    let scan = |of: &[usize]| {
        for context in of.iter().filter_map(|visitor| contexts.get(*visitor)) {
            black_box(decide_by_scan(&program, black_box(context)));
        }
    };
    let page = |of: &[usize]| {
        for request in of.iter().filter_map(|visitor| requests.get(*visitor)) {
            let context = Context::derive(&program, black_box(request));
            let decisions = decide(&program, &context);
            black_box(edits(&program, &context, &decisions));
        }
    };
    let mut measured: [Measured<'_>; 5] = [
        ("load", &load, Vec::new()),
        ("context", &context, Vec::new()),
        ("decide", &decision, Vec::new()),
        ("scan", &scan, Vec::new()),
        ("page", &page, Vec::new()),
    ];
    // Everything once before it counts. Then some of the visitors in each round, all of them over the rounds, and what is
    // measured in turn, so that whatever disturbs the machine disturbs all of it.
    let all: Vec<usize> = (0..requests.len()).collect();
    let begun = now();
    measured.iter().for_each(|(_, work, _)| work(&all));
    let parts = (begun.elapsed().as_millis() / ROUND.as_millis()).clamp(1, requests.len() as u128 / 10 + 1) as usize;
    let begun = now();
    for round in 0..MOST {
        if round >= LEAST && begun.elapsed() > time {
            break;
        }
        let of: Vec<usize> = all.iter().copied().skip(round % parts).step_by(parts).collect();
        for (what, work, batches) in &mut measured {
            let start = now();
            work(&of);
            let times = if *what == "load" { 1 } else { of.len() };
            batches.push(start.elapsed().as_secs_f64() * 1e6 / times as f64);
        }
    }
    for (what, _, batches) in &measured {
        println!("{}", serde_json::json!({ "what": what, "us": batches }));
    }
    Ok(())
}

fn read(folder: &Path) -> Outcome<(Program, Vec<Request>)> {
    let program = Program::load(std::fs::read(folder.join("site.program"))?)?;
    let bytes = std::fs::read(folder.join("visitors.bin"))?;
    let mut rest = bytes.as_slice();
    let mut requests = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (request, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or("visitors.bin is cut off")?;
        requests.push(wire::read_request(request).ok_or("visitors.bin holds a request that can't be read")?.owned());
        rest = tail;
    }
    Ok((program, requests))
}

#[allow(clippy::disallowed_methods)] // A benchmark reads the clock; the core never does.
fn now() -> Instant {
    Instant::now()
}
