//! The engine: what a page loads when something must be decided in it. Requests come in as bytes, decisions go out as
//! small integers and edits as bytes (layout: `idoine::wire`); texts are fetched by number.

use idoine::{Context, LoadError, Program, Reason, decide, edits, wire};
use wasm_bindgen::prelude::*;
use wasm_bindgen::throw_str;

/// Smaller than the standard library's by 3 KB, gzipped; as fast.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// A program and the last decision made with it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    program: Program,
    edits: Vec<u8>,
}

#[wasm_bindgen]
impl Engine {
    /// Loads a program. Throws an `Error` that says why when the bytes are refused: by the plain import, since a `Result`
    /// brings a table of JavaScript's values, half a kilobyte.
    #[wasm_bindgen(constructor)]
    pub fn new(program: Vec<u8>) -> Engine {
        match Engine::load(program) {
            Ok(engine) => engine,
            Err(error) => throw_str(&error.message()),
        }
    }

    /// The manifest's version.
    pub fn version(&self) -> String {
        self.program.version()
    }

    /// Decides for a request; nothing when its bytes are cut off.
    pub fn decide(&mut self, request: &[u8]) -> Option<Vec<u32>> {
        let request = wire::read_request(request)?;
        let context = Context::derive(&self.program, &request);
        let decisions = decide(&self.program, &context);
        self.edits = wire::write_edits(&edits(&self.program, &context, &decisions));
        Some(wire::write_decisions(&decisions))
    }

    /// The edits of the last decision.
    pub fn edits(&self) -> Vec<u8> {
        self.edits.clone()
    }

    /// The id of a slot.
    pub fn slot(&self, slot: u32) -> String {
        self.program.slot_id(slot).to_owned()
    }

    /// The id of an experience.
    pub fn experience(&self, experience: u32) -> String {
        self.program.experience_id(experience).to_owned()
    }

    /// The name of a factor, by the number that decisions carry.
    pub fn factor(&self, text: u32) -> String {
        self.program.factor_name(text).to_owned()
    }

    /// The name of a reason.
    pub fn reason(&self, code: u32) -> String {
        Reason::ALL.get(code as usize).map_or("", |reason| reason.name()).to_owned()
    }
}

impl Engine {
    /// Loads a program.
    pub fn load(program: Vec<u8>) -> Result<Engine, LoadError> {
        Ok(Engine { program: Program::load(program)?, edits: Vec::new() })
    }
}
