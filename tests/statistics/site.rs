//! A compiled site, and what is decided there for visitors who differ in their id alone.

use crate::support::Iana;
use crate::units::Kind;
use idoine::compile::compile;
use idoine::{Context, Loss, Program, Reason, Request, Trace, decide, decide_traced};
use serde_json::{Value, json};

/// The instant of every visit, unless it is said otherwise: 2026-11-22T12:00:00Z.
pub const NOW: i64 = 1_795_348_800_000;

/// What became of one experience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Won(u32, Reason),
    Lost(Loss),
}

impl Outcome {
    /// The variant, of those who are in the experiment.
    pub fn variant(self) -> Option<u32> {
        match self {
            Outcome::Won(variant, Reason::Split) => Some(variant),
            _ => None,
        }
    }
}

pub struct Site(Program);

#[derive(Default)]
struct Losses(Vec<(u32, Loss)>);

impl Trace for Losses {
    fn lost(&mut self, experience: u32, loss: Loss, _: Option<u32>) {
        self.0.push((experience, loss));
    }
}

impl Site {
    /// A site of these experiments, each with a slot of its name and so many `variants`, or a slot for each of its `factors` with so many levels; `more` of the manifest is laid over it.
    pub fn new(more: Value, experiments: &[Value]) -> Site {
        let mut manifest = json!({ "site": { "id": "shop" }, "slots": {}, "experiences": [] });
        for (key, value) in more.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        for experiment in experiments {
            let id = experiment["id"].as_str().unwrap();
            let mut whole = json!({ "type": "experiment" });
            for (key, value) in
                experiment.as_object().unwrap().iter().filter(|(key, _)| *key != "variants" && *key != "factors")
            {
                whole[key] = value.clone();
            }
            let mut slot = |name: &str, levels: &Value| {
                manifest["slots"][name] = json!({ "selector": format!("#{name}") });
                let level = |index| if index == 0 { json!({ "baseline": true }) } else { json!({ "text": "The same" }) };
                json!({ name: (0..levels.as_u64().unwrap_or(2)).map(level).collect::<Value>() })
            };
            match experiment["factors"].as_object() {
                None => whole["slots"] = slot(id, &experiment["variants"]),
                Some(factors) => {
                    for (name, levels) in factors {
                        whole["factors"][name] = json!({ "slots": slot(name, levels) });
                    }
                }
            }
            manifest["experiences"].as_array_mut().unwrap().push(whole);
        }
        Site(compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}")))
    }

    /// The visitor with this id of a kind, who agreed to personalization: in a cookie, and as a user's.
    pub fn visitor(&self, kind: &Kind, id: &str) -> Context {
        let known = if kind.in_cookies { format!("; idoine_id={id}") } else { String::new() };
        let request = Request {
            url: "https://shop.example/".to_owned(),
            headers: vec![("cookie".to_owned(), format!("idoine_consent=v1.personalization{known}"))],
            profile: vec![("visitor.user_id".to_owned(), id.to_owned())],
            now: NOW,
            ..Request::default()
        };
        Context::derive(&self.0, &request)
    }

    /// The variant in each slot, in the order of their names, all of them by assignment.
    pub fn shown(&self, context: &Context) -> Vec<u32> {
        let decisions = decide(&self.0, context).slots;
        assert!(decisions.iter().all(|decision| decision.reason == Reason::Split));
        let mut shown: Vec<_> = decisions.iter().map(|decision| (self.0.slot_id(decision.slot), decision.variant)).collect();
        shown.sort_unstable();
        shown.into_iter().map(|(_, variant)| variant).collect()
    }

    /// What becomes of every experience, in the order of their ids.
    pub fn decide(&self, context: &Context) -> Vec<Outcome> {
        let mut losses = Losses::default();
        let decisions = decide_traced(&self.0, context, &mut losses);
        let mut outcomes: Vec<(u32, Outcome)> =
            losses.0.into_iter().map(|(index, loss)| (index, Outcome::Lost(loss))).collect();
        for decision in decisions.slots {
            if let Some(experience) = decision.experience {
                outcomes.push((experience, Outcome::Won(decision.variant, decision.reason)));
            }
        }
        outcomes.sort_by_key(|(experience, _)| *experience);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}
