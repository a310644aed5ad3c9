//! A compiled site, and what is decided there for visitors who differ in their id alone.

use crate::support::Iana;
use idoine::compile::compile;
use idoine::{Context, Loss, Program, Reason, Request, Trace, decide_traced};
use serde_json::{Value, json};

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
    /// A site of these experiments, each with its slot; `more` of the manifest is laid over it.
    pub fn new(more: Value, experiments: &[Value]) -> Site {
        let mut manifest = json!({ "site": { "id": "shop" }, "slots": {}, "experiences": [] });
        for (key, value) in more.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        for experiment in experiments {
            let id = experiment["id"].as_str().unwrap();
            manifest["slots"][id] = json!({ "selector": format!("#{id}") });
            let variants = experiment["variants"].as_u64().unwrap_or(2);
            let variant = |index| if index == 0 { json!({ "baseline": true }) } else { json!({ "text": "The same" }) };
            let mut whole = json!({ "type": "experiment", "slots": { id: (0..variants).map(variant).collect::<Value>() } });
            for (key, value) in experiment.as_object().unwrap().iter().filter(|(key, _)| *key != "variants") {
                whole[key] = value.clone();
            }
            manifest["experiences"].as_array_mut().unwrap().push(whole);
        }
        Site(compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}")))
    }

    /// The visitor with this anonymous id, who agreed to personalization.
    pub fn visitor(&self, id: &str) -> Context {
        let cookie = format!("idoine_consent=v1.personalization; idoine_id={id}");
        let request = Request {
            url: "https://shop.example/".to_owned(),
            headers: vec![("cookie".to_owned(), cookie)],
            now: 1_795_348_800_000,
            ..Request::default()
        };
        Context::derive(&self.0, &request)
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
