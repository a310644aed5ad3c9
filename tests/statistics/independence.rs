//! Every draw is even and says nothing of any other: chi-square tests of a million ids of each kind.

use crate::distributions::{fits_evenly, independent};
use crate::site::{Outcome, Site};
use crate::units::{Dice, KINDS, Kind};
use crate::{ALPHA, on_all_processors};
use idoine::bucket::{Draw, bucket};
use idoine::{Loss, Reason};
use serde_json::{Value, json};

const IDS: u64 = 1_000_000;
/// Ids are surveyed in so many pieces.
const PIECES: u64 = 50;

/// Counts of several things that can be so or so of each id, alone and in pairs.
struct Survey {
    names: Vec<String>,
    counts: Vec<Vec<u64>>,
    /// One table for each pair, the first one's values down, the second one's across.
    tables: Vec<(usize, usize, Vec<Vec<u64>>)>,
}

impl Survey {
    /// Nothing is counted yet: what is asked, and how many answers there are.
    fn new(questions: &[(String, usize)]) -> Survey {
        let pairs = (0..questions.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
        let table = |(first, second): (usize, usize)| (first, second, vec![vec![0; questions[second].1]; questions[first].1]);
        Survey {
            names: questions.iter().map(|(name, _)| name.clone()).collect(),
            counts: questions.iter().map(|(_, answers)| vec![0; *answers]).collect(),
            tables: pairs.map(table).collect(),
        }
    }

    fn add(&mut self, answers: &[usize]) {
        for (counts, answer) in self.counts.iter_mut().zip(answers) {
            counts[*answer] += 1;
        }
        for (first, second, table) in &mut self.tables {
            table[answers[*first]][answers[*second]] += 1;
        }
    }

    fn add_all(mut self, other: Survey) -> Survey {
        let ours = self.counts.iter_mut().chain(self.tables.iter_mut().flat_map(|(_, _, table)| table));
        let theirs = other.counts.iter().chain(other.tables.iter().flat_map(|(_, _, table)| table));
        for (ours, theirs) in ours.zip(theirs) {
            ours.iter_mut().zip(theirs).for_each(|(our, their)| *our += their);
        }
        self
    }

    /// Each test's name and its p.
    fn tests(&self) -> Vec<(String, f64)> {
        let even = self.names.iter().zip(&self.counts).map(|(name, counts)| (name.clone(), fits_evenly(counts)));
        let pairs = self
            .tables
            .iter()
            .map(|(first, second, table)| (format!("{} and {}", self.names[*first], self.names[*second]), independent(table)));
        even.chain(pairs).collect()
    }
}

/// Surveys a million ids of a kind. `answers` fills in the answers of one of them.
fn survey(kind: &Kind, questions: &[(String, usize)], answers: impl Fn(&str, &mut Vec<usize>) + Sync) -> Survey {
    let pieces = on_all_processors(PIECES, |piece| {
        let mut survey = Survey::new(questions);
        let mut found = Vec::new();
        for n in piece * (IDS / PIECES)..(piece + 1) * (IDS / PIECES) {
            found.clear();
            answers(&(kind.id)(n), &mut found);
            survey.add(&found);
        }
        survey
    });
    pieces.into_iter().reduce(Survey::add_all).unwrap()
}

/// Fails unless all of the tests of all of these surveys pass, by a family's chance of a false alarm.
fn assert_independent(surveys: &[(&str, Survey)]) {
    let tests: Vec<(String, f64)> = surveys
        .iter()
        .flat_map(|(kind, survey)| survey.tests().into_iter().map(move |(name, p)| (format!("{kind}: {name}"), p)))
        .collect();
    let least = tests.iter().min_by(|one, other| one.1.total_cmp(&other.1)).unwrap();
    println!("{} tests, the smallest p is that of {least:?}", tests.len());
    let bad: Vec<_> = tests.iter().filter(|(_, p)| *p < ALPHA / tests.len() as f64).collect();
    assert!(bad.is_empty(), "of {} tests: {bad:?}", tests.len());
}

/// Everything that is drawn for a visitor at a site whose names are as alike as can be.
fn draws() -> Vec<(Draw, &'static str)> {
    let of = |id| [Draw::Holdout, Draw::Layer, Draw::Traffic, Draw::Variant].map(|draw| (draw, id));
    let factors = ["test-1/1", "test-1/2", "test-2/1"].map(|factor| (Draw::Variant, factor));
    [&[(Draw::SiteHoldout, "shop")][..], &of("test-1"), &of("test-2"), &factors].concat()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn draws_are_even_and_independent() {
    let draws = draws();
    let questions: Vec<_> = draws.iter().map(|(draw, id)| (format!("{draw:?} of {id}"), 10)).collect();
    let surveys = KINDS.map(|kind| {
        let answers = |unit: &str, answers: &mut Vec<usize>| {
            answers.extend(draws.iter().map(|(draw, id)| bucket(*draw, id, unit, 10) as usize));
        };
        (kind.name, survey(&kind, &questions, answers))
    });
    assert_independent(&surveys);
}

/// What one kind of draw does to visitors at a site where nothing else is drawn.
struct Look {
    site: Site,
    /// The step at which half of the visitors are lost; without one all of them see a variant.
    loss: Option<Loss>,
    /// What is asked, and how many answers there are.
    questions: Vec<(String, usize)>,
}

/// The same two experiments at several sites, with one kind of share each; and the two factors of a third one.
fn looks(unit: &str) -> Vec<Look> {
    let look = |loss: Option<Loss>, more: Value, experiments: &[Value], questions: &[(&str, usize)]| {
        let whole = experiments.iter().map(|experiment| {
            let mut experiment = experiment.clone();
            experiment["unit"] = json!(unit);
            experiment
        });
        let questions = questions.iter().map(|(name, answers)| ((*name).to_owned(), *answers)).collect();
        Look { site: Site::new(more, &whole.collect::<Vec<_>>()), loss, questions }
    };
    let two = |share: Value| {
        [("test-1", 3), ("test-2", 2)].map(|(id, variants)| {
            let mut experiment = share.clone();
            experiment["id"] = json!(id);
            experiment["variants"] = json!(variants);
            experiment
        })
    };
    let layers = json!({ "layers": { "layer-1": { "unit": unit }, "layer-2": { "unit": unit } } });
    let [mut one, mut other] = two(json!({}));
    one["layer"] = json!({ "name": "layer-1", "from": 0.25, "to": 0.75 });
    other["layer"] = json!({ "name": "layer-2", "from": 0.25, "to": 0.75 });
    let factors = json!({ "id": "test-3", "factors": { "factor-1": 2, "factor-2": 3 } });
    vec![
        look(Some(Loss::Holdout), json!({ "holdout": 0.5 }), &two(json!({}))[..1], &[("site holdout", 2)]),
        look(Some(Loss::ExperienceHoldout), json!({}), &two(json!({ "holdout": 0.5 })), &[("holdout 1", 2), ("holdout 2", 2)]),
        look(Some(Loss::Layer), layers, &[one, other], &[("layer 1", 2), ("layer 2", 2)]),
        look(Some(Loss::Traffic), json!({}), &two(json!({ "traffic": 0.5 })), &[("traffic 1", 2), ("traffic 2", 2)]),
        look(None, json!({}), &two(json!({})), &[("variant 1", 3), ("variant 2", 2)]),
        look(None, json!({}), &[factors], &[("factor 1", 2), ("factor 2", 3)]),
    ]
}

/// The answers that decisions give for a visitor.
fn answers(looks: &[Look], kind: &Kind, id: &str, answers: &mut Vec<usize>) {
    let Some(first) = looks.first() else { return };
    // The sites differ in shares, of which contexts know nothing.
    let context = first.site.visitor(kind, id);
    for Look { site, loss, .. } in looks {
        match loss {
            None => answers.extend(site.shown(&context).into_iter().map(|variant| variant as usize)),
            Some(loss) => answers.extend(site.decide(&context).into_iter().map(|outcome| match outcome {
                Outcome::Won(_, Reason::Split) => 0,
                Outcome::Lost(lost) if lost == *loss => 1,
                other => panic!("{other:?} where {loss:?} was drawn"),
            })),
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn holdouts_layers_traffic_and_variants_are_independent() {
    let surveys = KINDS.map(|kind| {
        let mut looks = looks(if kind.in_cookies { "visitor" } else { "user" });
        if !kind.in_cookies {
            // The site's holdout is always drawn for the visitor.
            looks.retain(|look| look.loss != Some(Loss::Holdout));
        }
        let questions: Vec<_> = looks.iter().flat_map(|look| look.questions.clone()).collect();
        (kind.name, survey(&kind, &questions, |id, found| answers(&looks, &kind, id, found)))
    });
    assert_independent(&surveys);
}

/// The tests can fail: two draws that agree for one id in a hundred, and one that is uneven by one in a hundred.
#[test]
#[cfg_attr(debug_assertions, ignore = "a matter of minutes without optimization: `npm test -- statistics`")]
fn a_little_dependence_is_found() {
    let questions = ["one", "two", "three"].map(|name| (name.to_owned(), 10));
    let survey = survey(&KINDS[0], &questions, |id, answers| {
        let drawn = |draw, experiment| bucket(draw, experiment, id, 10) as usize;
        let mut dice = Dice::new(id.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31) ^ u64::from(byte)));
        let one = drawn(Draw::Traffic, "test-1");
        let two = if dice.with_share(0.01) { one } else { drawn(Draw::Variant, "test-1") };
        let three = if dice.with_share(0.01) { 0 } else { drawn(Draw::Variant, "test-2") };
        answers.extend([one, two, three]);
    });
    let found: Vec<String> = survey.tests().into_iter().filter(|(_, p)| *p < ALPHA / 6.0).map(|(name, _)| name).collect();
    assert_eq!(found, ["three", "one and two"]);
}
