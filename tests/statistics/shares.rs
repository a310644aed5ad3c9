//! Shares that change move nobody between variants. No statistics: it holds for everyone.

use crate::site::{Outcome, Site};
use crate::units::KINDS;
use idoine::{Context, Loss, Reason};
use serde_json::{Value, json};

/// Visitors of each kind.
const VISITORS: u64 = 5_000;

/// Visitors of every kind that cookies may hold. Contexts know nothing of shares: they are the same at all of these sites.
fn visitors() -> Vec<Context> {
    let any = site(json!({}), json!({}));
    let kinds = KINDS.iter().filter(|kind| kind.in_cookies);
    kinds.flat_map(|kind| (0..VISITORS).map(|n| any.visitor(&(kind.id)(n))).collect::<Vec<_>>()).collect()
}

/// What becomes of the experiment, for each of them.
fn outcomes(visitors: &[Context], site: &Site) -> Vec<Outcome> {
    visitors.iter().map(|visitor| site.decide(visitor)[0]).collect()
}

/// The site with an experiment of three variants, weighed as real ones are.
fn site(site: Value, experiment: Value) -> Site {
    let mut whole = json!({ "id": "test", "variants": 3, "weights": [2, 1, 1] });
    for (key, value) in experiment.as_object().unwrap() {
        whole[key] = value.clone();
    }
    Site::new(site, &[whole])
}

/// From 1 % to everybody.
fn steps() -> impl Iterator<Item = f64> {
    [0.01, 0.02].into_iter().chain((1..=20).map(|step| f64::from(step) / 20.0))
}

/// How many are in the experiment.
fn inside(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.variant().is_some()).count()
}

/// Fails if anybody who was in the experiment is not any more, or sees another variant.
fn assert_nobody_moved(before: &[Outcome], after: &[Outcome]) {
    for (index, (before, after)) in before.iter().zip(after).enumerate() {
        assert!(before.variant().is_none() || before == after, "visitor {index}: {before:?}, then {after:?}");
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn more_traffic_moves_nobody() {
    let visitors = visitors();
    let all = outcomes(&visitors, &site(json!({}), json!({})));
    let mut before = Vec::new();
    for share in steps() {
        let now = outcomes(&visitors, &site(json!({}), json!({ "traffic": share })));
        assert_nobody_moved(&before, &now);
        assert!(inside(&now) > inside(&before));
        // Who is in sees what they would see without a limit; all others are outside it.
        for (now, all) in now.iter().zip(&all) {
            assert!(now == all || *now == Outcome::Lost(Loss::Traffic));
        }
        before = now;
    }
    assert_eq!(before, all);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_smaller_holdout_moves_nobody() {
    let visitors = visitors();
    for (is_site, loss) in [(true, Loss::Holdout), (false, Loss::ExperienceHoldout)] {
        let with = |share: f64| {
            let holdout = json!({ "holdout": share });
            outcomes(&visitors, &if is_site { site(holdout, json!({})) } else { site(json!({}), holdout) })
        };
        let all = with(0.0);
        let mut before = Vec::new();
        for share in steps().map(|share| 1.0 - share) {
            let now = with(share);
            assert_nobody_moved(&before, &now);
            assert!(inside(&now) > inside(&before));
            for (now, all) in now.iter().zip(&all) {
                assert!(now == all || *now == Outcome::Lost(loss));
            }
            before = now;
        }
        assert_eq!(before, all);
        assert!(all.iter().all(|outcome| matches!(outcome, Outcome::Won(_, Reason::Split))));
    }
}
