//! What checking a manifest found, as JSON, for the command line and for the tools.

use super::{Compiled, Degree};
use crate::diagnostic::Diagnostic;
use serde::Serialize;
use serde::Serializer;

/// `{ version, errors, warnings, degrees }`. A manifest with errors has no version, and nothing else is known of it.
#[derive(Debug, Default, Serialize)]
pub struct CheckReport<'a> {
    /// The version of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What is wrong with it.
    pub errors: &'a [Diagnostic],
    /// What of it has no effect.
    pub warnings: &'a [Diagnostic],
    /// How far each experience is fitted to its visitors, by id.
    #[serde(serialize_with = "by_name")]
    pub degrees: Vec<(&'a str, &'static str)>,
}

impl<'a> CheckReport<'a> {
    /// The report of what was compiled, or of why it was not.
    pub fn new(checked: &'a Result<Compiled, Vec<Diagnostic>>) -> CheckReport<'a> {
        match checked {
            Err(errors) => CheckReport { errors, ..CheckReport::default() },
            Ok(compiled) => CheckReport {
                version: Some(compiled.program.version()),
                errors: &[],
                warnings: &compiled.warnings,
                degrees: compiled.degrees.iter().map(|(id, degree)| (id.as_str(), Degree::name(*degree))).collect(),
            },
        }
    }
}

/// Pairs as an object.
fn by_name<S: Serializer>(pairs: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
