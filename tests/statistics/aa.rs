//! A/A tests: two variants that are the same. Whatever is measured, a difference between them is chance, so that the p-values of
//! many such tests are uniform; were assignments in any way related to who converts, they would not be.

use crate::distributions::{fits_evenly, same_share, uniform_by_distance};
use crate::{ALPHA, on_all_processors};

use crate::site::Site;
use crate::units::{Dice, KINDS};
use serde_json::json;

const SEEDS: u64 = 100;
const VISITORS: u64 = 100_000;
/// The share of visitors that convert.
const RATE: f64 = 0.05;

/// One test: who was assigned to each variant, and how many of them converted.
#[derive(Debug, Default, Clone, Copy)]
struct Test {
    visitors: [u64; 2],
    conversions: [u64; 2],
}

impl Test {
    fn p(&self) -> f64 {
        same_share(self.conversions, self.visitors)
    }
}

/// The test of a seed: its experiment, its visitors and their conversions. `lift`: how many times as many of the second variant
/// convert.
fn test(seed: u64, visitors: u64, lift: f64) -> Test {
    let site = Site::new(json!({}), &[json!({ "id": format!("aa-{seed}") })]);
    let mut ids = Dice::new(seed);
    let mut conversions = Dice::new(!seed);
    let mut test = Test::default();
    for _ in 0..visitors {
        let context = site.visitor(&KINDS[0], &ids.uuid());
        let variant = site.decide(&context)[0].variant().unwrap() as usize;
        test.visitors[variant] += 1;
        let rate = if variant == 1 { RATE * lift } else { RATE };
        test.conversions[variant] += u64::from(conversions.with_share(rate));
    }
    test
}

/// A test for each seed.
fn tests(visitors: u64, lift: f64) -> Vec<Test> {
    on_all_processors(SEEDS, |seed| test(seed, visitors, lift))
}

/// How probable p-values so far from uniform are: by their largest distance, and by their number in each tenth.
fn uniform(p_values: &[f64]) -> [f64; 2] {
    let mut tenths = [0; 10];
    for p in p_values {
        tenths[((p * 10.0) as usize).min(9)] += 1;
    }
    [uniform_by_distance(p_values), fits_evenly(&tenths)]
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_hundred_tests_of_nothing_find_nothing() {
    let tests = tests(VISITORS, 1.0);
    let differences: Vec<f64> = tests.iter().map(Test::p).collect();
    let by = uniform(&differences);
    println!("p of conversions: {by:?}, {} below 0.05", differences.iter().filter(|p| **p < 0.05).count());
    assert!(by.iter().all(|p| *p > ALPHA), "{by:?} {differences:?}");
    // So is how visitors are split: no seed is off, and their p-values are uniform too.
    let ratios: Vec<f64> = tests.iter().map(|test| fits_evenly(&test.visitors)).collect();
    let by = uniform(&ratios);
    println!("p of splits: {by:?}, {} below 0.05", ratios.iter().filter(|p| **p < 0.05).count());
    assert!(by.iter().all(|p| *p > ALPHA), "{by:?} {ratios:?}");
    assert!(ratios.iter().all(|p| *p > ALPHA / SEEDS as f64), "{ratios:?}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_hundred_tests_of_something_find_it() {
    // A tenth more conversions: hardly seen by one test of 10,000, seen by a hundred of them.
    let differences: Vec<f64> = tests(VISITORS / 10, 1.1).iter().map(Test::p).collect();
    let by = uniform(&differences);
    assert!(by.iter().all(|p| *p < ALPHA), "{by:?} {differences:?}");
}
