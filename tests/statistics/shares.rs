//! Shares that change move nobody between variants. No statistics: it holds for everyone.

use crate::site::{Outcome, Site};
use crate::units::KINDS;
use idoine::{Context, Loss, Reason};
use serde_json::{Value, json};

/// Visitors of each kind.
const VISITORS: u64 = 2_500;

/// Visitors of every kind. Contexts know nothing of shares: they are the same at all of these sites.
fn visitors() -> Vec<Context> {
    let any = site(json!({}), json!({}));
    KINDS.iter().flat_map(|kind| (0..VISITORS).map(|n| any.visitor(kind, &(kind.id)(n))).collect::<Vec<_>>()).collect()
}

/// What becomes of the experiment, for each of them.
fn outcomes(visitors: &[Context], site: &Site) -> Vec<Outcome> {
    visitors.iter().map(|visitor| site.decide(visitor)[0]).collect()
}

/// The site with an experiment of three variants among users, weighed as real ones are.
fn site(site: Value, experiment: Value) -> Site {
    let mut whole = json!({ "id": "test", "unit": "user", "variants": 3, "weights": [2, 1, 1] });
    for (key, value) in experiment.as_object().unwrap() {
        whole[key] = value.clone();
    }
    Site::new(site, &[whole])
}

/// Where the ramps begin: 2026-11-01T00:00:00Z.
const RAMP: i64 = 1_793_491_200_000;

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

/// Fails unless everybody who is in at one share is in at the next, with the same variant, and all are where the limit is gone. `at`
/// says what becomes of everyone at a share.
fn assert_grows(loss: Loss, mut at: impl FnMut(f64) -> Vec<Outcome>) {
    let all = at(1.0);
    assert!(all.iter().all(|outcome| matches!(outcome, Outcome::Won(_, Reason::Split))));
    let mut before: Vec<Outcome> = vec![Outcome::Lost(loss); all.len()];
    for share in steps() {
        let now = at(share);
        assert_nobody_moved(&before, &now);
        assert!(inside(&now) > inside(&before), "{share}");
        // Who is in sees what they would see without a limit; all others are outside it.
        for (now, all) in now.iter().zip(&all) {
            assert!(now == all || *now == Outcome::Lost(loss));
        }
        before = now;
    }
    assert_eq!(before, all);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn more_traffic_moves_nobody() {
    let visitors = visitors();
    assert_grows(Loss::Traffic, |share| outcomes(&visitors, &site(json!({}), json!({ "traffic": share }))));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_smaller_holdout_moves_nobody() {
    let mut visitors = visitors();
    let holdout = |share: f64| json!({ "holdout": 1.0 - share });
    assert_grows(Loss::ExperienceHoldout, |share| outcomes(&visitors, &site(json!({}), holdout(share))));
    // The site's is drawn for the visitor.
    visitors.truncate(KINDS.iter().take_while(|kind| kind.in_cookies).count() * VISITORS as usize);
    assert_grows(Loss::Holdout, |share| outcomes(&visitors, &site(holdout(share), json!({}))));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn more_of_a_layer_moves_nobody() {
    let visitors = visitors();
    let layers = json!({ "layers": { "main": { "unit": "user" } } });
    assert_grows(Loss::Layer, |share| {
        outcomes(&visitors, &site(layers.clone(), json!({ "layer": { "name": "main", "from": 0, "to": share } })))
    });
    // To both sides.
    assert_grows(Loss::Layer, |share| {
        let layer = json!({ "name": "main", "from": (1.0 - share) / 2.0, "to": (1.0 + share) / 2.0 });
        outcomes(&visitors, &site(layers.clone(), json!({ "layer": layer })))
    });
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_ramp_moves_nobody_as_time_goes_by() {
    let mut visitors = visitors();
    let day = |day: usize| format!("2026-11-{:02}T00:00:00Z", day + 1);
    let points: Vec<Value> = steps().enumerate().map(|(at, share)| json!({ "at": day(at), "share": share })).collect();
    for ramp in ["steps", "linear"] {
        let site = site(json!({}), json!({ "traffic": { "ramp": ramp, "points": points } }));
        let mut at = |ms: i64| {
            for visitor in &mut visitors {
                visitor.now = ms;
            }
            outcomes(&visitors, &site)
        };
        let mut before = at(RAMP - 1);
        assert_eq!(inside(&before), 0);
        for hour in 0..24 * steps().count() as i64 {
            // At some odd moment of it.
            let now = at(RAMP + hour * 3_600_000 + hour * 61_003 % 3_600_000);
            assert_nobody_moved(&before, &now);
            assert!(now.iter().all(|outcome| outcome.variant().is_some() || *outcome == Outcome::Lost(Loss::Traffic)));
            before = now;
        }
        assert_eq!(inside(&before), visitors.len());
    }
}
