//! What `GET /_idoine/health` needs of this side: the version that decides. The host answers it (`worker/js/health.js`), so that
//! it is answered when there is no instance of this at all.

use crate::answer::Answer;
use idoine::Program;
use serde::Serialize;

/// What the host answers.
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
#[cfg(any(test, feature = "openapi"))]
#[allow(dead_code, reason = "it describes what JavaScript writes")]
pub struct Health {
    /// `ok`, or `unavailable` when one of the others is not `ok`.
    status: String,
    /// The site's id.
    site: String,
    /// The version of the program that decides.
    version: Option<String>,
    /// `ok` or `missing`.
    program: String,
    /// `ok` or `broken`: the Wasm instance.
    instance: String,
    /// `ok`, or `missing` when none is configured.
    origin: String,
    /// `ok`, or `unreadable`: the variable `SITES`.
    sites: String,
}

#[derive(Serialize)]
struct Known {
    version: Option<String>,
}

/// What is known on this side.
pub fn get(program: Option<&Program>) -> Answer {
    Answer::json(&Known { version: program.map(Program::version) })
}
