//! Native times of one page's decision, over a program and visitors that `npm run bench` makes, checks and compares:
//!
//! ```text
//! cargo bench --bench decide -- decisions FOLDER...           what is decided: a line for each visitor
//! cargo bench --bench decide -- times MILLISECONDS FOLDER...  microseconds of each batch: a line for each thing measured
//! ```
//!
//! A folder holds `site.program` and `visitors.bin`: for each visitor the length of a request in 32 bits and the request in the
//! layout of `idoine::wire`, the same bytes that the Wasm engine is given. Lines are JSON.

use idoine::{Context, Program, Request, decide, edits, wire};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str =
    "`npm run bench` runs this with `decisions FOLDER...` or `times MILLISECONDS FOLDER...` and makes the folders";
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
        ["decisions", folders @ ..] => {
            for folder in folders {
                print_decisions(Path::new(folder))?;
            }
        }
        ["times", millis, folders @ ..] => {
            let time = Duration::from_millis(millis.parse()?);
            for folder in folders {
                print_times(Path::new(folder), time)?;
            }
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn print_decisions(folder: &Path) -> Outcome<()> {
    let (program, requests) = read(folder)?;
    for request in &requests {
        let decisions = decide(&program, &Context::derive(&program, request));
        println!("{}", serde_json::json!({ "folder": folder, "words": wire::write_decisions(&decisions) }));
    }
    Ok(())
}

fn print_times(folder: &Path, time: Duration) -> Outcome<()> {
    let (program, requests) = read(folder)?;
    let contexts: Vec<Context> = requests.iter().map(|request| Context::derive(&program, request)).collect();
    let load = || drop(black_box(Program::load(black_box(program.bytes()).to_vec())));
    let context = || requests.iter().for_each(|request| drop(black_box(Context::derive(&program, black_box(request)))));
    let decision = || contexts.iter().for_each(|context| drop(black_box(decide(&program, black_box(context)))));
    let page = || {
        for request in &requests {
            let context = Context::derive(&program, black_box(request));
            let decisions = decide(&program, &context);
            black_box(edits(&program, &context, &decisions));
        }
    };
    let pages = requests.len() as f64;
    let mut measured: [(&str, &dyn Fn(), f64, Vec<f64>); 4] = [
        ("load", &load, 1.0, Vec::new()),
        ("context", &context, pages, Vec::new()),
        ("decide", &decision, pages, Vec::new()),
        ("page", &page, pages, Vec::new()),
    ];
    // One round before the clock runs, then in turn, so that whatever disturbs the machine disturbs all of them.
    measured.iter().for_each(|(_, work, ..)| work());
    let begun = now();
    for round in 0..MOST {
        if round >= LEAST && begun.elapsed() > time {
            break;
        }
        for (_, work, count, batches) in &mut measured {
            let start = now();
            work();
            batches.push(start.elapsed().as_secs_f64() * 1e6 / *count);
        }
    }
    for (what, _, _, batches) in &measured {
        println!("{}", serde_json::json!({ "folder": folder, "what": what, "us": batches }));
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
        requests.push(wire::read_request(request).ok_or("visitors.bin holds a request that can't be read")?);
        rest = tail;
    }
    Ok((program, requests))
}

#[allow(clippy::disallowed_methods)] // A benchmark reads the clock; the core never does.
fn now() -> Instant {
    Instant::now()
}
