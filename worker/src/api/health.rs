//! What `GET /_idoine/health` needs of this side: the version that decides. The host answers it (`worker/js/health.js`), so that
//! it is answered when there is no instance of this at all.

use crate::answer::Answer;
use idoine::Program;
use serde::Serialize;

#[derive(Serialize)]
struct Health {
    version: Option<String>,
}

pub fn get(program: Option<&Program>) -> Answer {
    Answer::json(&Health { version: program.map(Program::version) })
}
