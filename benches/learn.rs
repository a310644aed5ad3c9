//! Learning, natively: events folded, states written and read, merged, projected.
//!
//! ```text
//! cargo bench --bench learn             times, by criterion
//! cargo bench --bench learn -- json     the same in short, as `node scripts/bench-learn.mjs` prints it beside Wasm
//! ```

#[path = "workload/learn.rs"]
mod workload;

use criterion::{Criterion, Throughput};
use idoine::learn::{Site, State, projection};
use std::hint::black_box;
use std::time::{Duration, Instant};
use workload::{EVENTS, VISITORS};

/// The time of a call: the least of as many as fit into two seconds, as whatever else the machine does only adds to it.
#[allow(clippy::disallowed_methods)]
fn least(mut call: impl FnMut()) -> Duration {
    let begun = Instant::now();
    let mut least = Duration::MAX;
    while begun.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        call();
        least = least.min(start.elapsed());
    }
    least
}

fn main() {
    let (rules, visitors) = (workload::rules(), workload::events());
    let states: Vec<State> = visitors.iter().map(|events| workload::state(&rules, events)).collect();
    let bytes: Vec<Vec<u8>> = states.iter().map(State::encode).collect();
    let now = visitors.iter().flatten().map(|event| event.at).max().unwrap_or(0);
    let fold = || {
        black_box(workload::fold(black_box(&rules), black_box(&visitors)));
    };
    let write = || states.iter().for_each(|state| drop(black_box(state.encode())));
    let read = || bytes.iter().for_each(|bytes| drop(black_box(State::decode(bytes))));
    let merge = || {
        for pair in states.chunks(2) {
            let mut whole = State::default();
            pair.iter().for_each(|state| whole.merge(&rules, state));
            black_box(whole);
        }
    };
    let project = || {
        for state in &states {
            black_box(projection::encode(&rules, state, &Site::default(), now, None));
        }
    };
    if std::env::args().any(|argument| argument == "json") {
        let events = (VISITORS * EVENTS) as f64 / least(fold).as_secs_f64();
        let each = |time: Duration| time.as_secs_f64() * 1e6 / VISITORS as f64;
        let size = bytes.iter().map(Vec::len).sum::<usize>() / VISITORS;
        let figures = serde_json::json!({
            "eventsPerSecond": events.round(), "stateBytes": size,
            "writeUs": each(least(write)), "readUs": each(least(read)), "mergeUs": each(least(merge)),
        });
        println!("{figures}");
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("learn");
    group.throughput(Throughput::Elements((VISITORS * EVENTS) as u64));
    group.bench_function("fold", |bencher| bencher.iter(fold));
    group.throughput(Throughput::Elements(VISITORS as u64));
    group.bench_function("write", |bencher| bencher.iter(write));
    group.bench_function("read", |bencher| bencher.iter(read));
    group.bench_function("merge", |bencher| bencher.iter(merge));
    group.bench_function("project", |bencher| bencher.iter(project));
    group.finish();
}
