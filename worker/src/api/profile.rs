//! `GET /_idoine/profile`: what is stored of the visitor, as far as pages are decided with it. For decisions in the page: behind the Worker it
//! is not needed.

use crate::answer::Answer;
use crate::rules;
use crate::visit::{USER_ID, Visit};
use idoine::{Context, Program};
use serde::{Serialize, Serializer};

/// What is stored of the visitor, as far as pages are decided with it.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Profile"))]
pub struct Stored {
    /// The program's version.
    version: String,
    /// Whether the visitor is logged in by an identity token.
    verified: bool,
    /// Paths and texts, as a visitor's `profile` takes them.
    #[serde(serialize_with = "as_map")]
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "std::collections::BTreeMap<String, String>"))]
    profile: Vec<(String, String)>,
}

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(path, text)| (path, text)))
}

pub fn get(visit: &Visit, program: &Program) -> Answer {
    let facts = visit.facts(program, format!("{}/", visit.origin()), visit.overrides.clone().unwrap_or_default());
    let context = Context::derive(program, &facts);
    let rules = rules::of(program);
    let verified = facts.profile.iter().any(|(path, _)| path == USER_ID);
    let is_personal =
        |path: &str| rules.traits.iter().any(|rule| rule.personal && path.strip_prefix("profile.") == Some(&rule.name));
    let may_be_told = |path: &str| match program.field(path) {
        // Who holds the browser is not always who was known in it.
        Some(_) if is_personal(path) && !verified => false,
        Some((field, _)) => context.get(field).is_some(),
        None => path != USER_ID,
    };
    let mut profile = facts.profile.clone();
    profile.retain(|(path, _)| may_be_told(path));
    Answer::json(&Stored { version: program.version(), verified, profile })
}
