//! Which mutant is alive: put into the copy that `npm run mutate` builds.
#![allow(missing_docs)]

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

const UNKNOWN: u32 = u32::MAX;
static ALIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

/// Whether the mutant is the one of `IDOINE_MUTANT`. With none, writes down in the file `IDOINE_REACHED` that it was asked for.
pub fn is(mutant: u32) -> bool {
    let mut alive = ALIVE.load(Relaxed);
    if alive == UNKNOWN {
        alive = std::env::var("IDOINE_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0);
        ALIVE.store(alive, Relaxed);
    }
    if alive == 0 && REACHED.get(mutant as usize).is_some_and(|reached| !reached.swap(true, Relaxed)) {
        if let Ok(path) = std::env::var("IDOINE_REACHED") {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            let _ = file.and_then(|mut file| file.write_all(format!("{mutant}\n").as_bytes()));
        }
    }
    alive == mutant
}
