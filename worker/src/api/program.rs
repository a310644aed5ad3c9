//! `GET /_idoine/program[?v=]`: the program, for the preview bar. It holds what has not begun yet, so nobody else gets it.

use super::{no_program, not_found, parameter};
use crate::answer::Answer;
use crate::program as store;
use crate::visit::Visit;
use idoine::Program;

pub async fn get(visit: &Visit, current: Option<&Program>) -> Answer {
    let wanted = parameter(visit, "v");
    let version = match (&wanted, current) {
        (Some(wanted), _) if !store::is_version(wanted) => return not_found(),
        (Some(wanted), _) => wanted.clone(),
        (None, Some(program)) => program.version(),
        (None, None) => return no_program(),
    };
    let tag = format!("\"{version}\"");
    // A version never changes; which one is current does.
    let keep = if wanted.is_some() { "private, max-age=31536000, immutable" } else { "private, no-cache" };
    let known = visit.knows(&tag);
    let bytes = match current.filter(|program| program.version() == version) {
        Some(_) if known => return Answer::empty(304).with("etag", tag).with("cache-control", keep),
        Some(program) => program.bytes().to_vec(),
        None => match store::other(visit, &version).await {
            Some(program) => program.bytes().to_vec(),
            None => return not_found(),
        },
    };
    Answer::bytes("application/octet-stream", bytes).with("etag", tag).with("cache-control", keep)
}
