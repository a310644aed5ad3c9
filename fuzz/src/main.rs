//! The fuzzer. `IDOINE_FUZZ_TARGET` names what is fuzzed. With the feature `libfuzzer` it is libFuzzer and takes its arguments;
//! without it, inputs of a folder are changed at random: `fuzz --seconds N --artifacts FOLDER SEEDS...`.
#![cfg_attr(feature = "libfuzzer", no_main)]

mod targets;

use targets::{TARGETS, Target};

fn target() -> Target {
    let name = std::env::var("IDOINE_FUZZ_TARGET").unwrap_or_default();
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("IDOINE_FUZZ_TARGET is {name:?}; expected one of {}", names.join(", "))).1
}

#[cfg(feature = "libfuzzer")]
mod coverage {
    use super::{Target, target};
    use std::sync::LazyLock;

    static TARGET: LazyLock<Target> = LazyLock::new(target);

    libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (TARGET)(bytes));
}

#[cfg(not(feature = "libfuzzer"))]
fn main() -> std::process::ExitCode {
    random::run(target())
}

#[cfg(not(feature = "libfuzzer"))]
#[allow(clippy::disallowed_methods)] // A run is over by the clock; the core's own time stays an argument.
mod random {
    use super::Target;
    use std::panic::catch_unwind;
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    /// No longer inputs than libFuzzer would make of such seeds.
    const LONGEST: usize = 64 << 10;

    /// SplitMix64: nothing here needs to be unpredictable.
    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, end: usize) -> usize {
            (self.next() % end.max(1) as u64) as usize
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
        let pick = |dice: &mut Dice| seeds.get(dice.below(seeds.len())).cloned().unwrap_or_default();
        let mut bytes = pick(dice);
        for _ in 0..=dice.below(8) {
            let at = dice.below(bytes.len() + 1);
            let end = (at + 1 + dice.below(16)).min(bytes.len());
            let random = dice.next();
            match dice.below(6) {
                0 => bytes.insert(at, random as u8),
                1 => drop(bytes.drain(at.min(end)..end)),
                2 => bytes.extend_from_within(at.min(end)..end),
                3 => {
                    let other = pick(dice);
                    let from = dice.below(other.len() + 1);
                    let to = (from + dice.below(32)).min(other.len());
                    drop(bytes.splice(at..at, other.get(from..to).unwrap_or_default().iter().copied()));
                }
                4 => bytes.get_mut(at..end).unwrap_or_default().fill(random as u8),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << (random % 8);
                    }
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    pub(super) fn run(target: Target) -> ExitCode {
        let mut arguments = std::env::args().skip(1);
        let (mut seconds, mut artifacts, mut seeds) = (60, PathBuf::from("."), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seconds" => seconds = arguments.next().and_then(|text| text.parse().ok()).expect("--seconds N"),
                "--artifacts" => artifacts = arguments.next().expect("--artifacts FOLDER").into(),
                folder => seeds.extend(files(Path::new(folder)).iter().filter_map(|path| std::fs::read(path).ok())),
            }
        }
        let begun = Instant::now();
        let mut dice = Dice(begun.elapsed().as_nanos() as u64 ^ u64::from(std::process::id()));
        let mut shown = Duration::ZERO;
        let mut executions = 0u64;
        let first = seeds.clone();
        let mut untried = first.into_iter();
        while begun.elapsed() < Duration::from_secs(seconds) {
            let bytes = untried.next().unwrap_or_else(|| changed(&seeds, &mut dice));
            executions += 1;
            if catch_unwind(|| target(&bytes)).is_err() {
                let path = artifacts.join(format!(
                    "crash-{:016x}",
                    bytes.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(*byte))
                ));
                std::fs::write(&path, &bytes).expect("the crasher is written");
                eprintln!("#{executions} CRASH {}", path.display());
                return ExitCode::FAILURE;
            }
            if begun.elapsed() - shown > Duration::from_secs(5) {
                shown = begun.elapsed();
                eprintln!("#{executions} pulse");
            }
        }
        eprintln!("#{executions} DONE");
        ExitCode::SUCCESS
    }
}
