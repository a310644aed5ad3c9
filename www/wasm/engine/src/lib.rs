//! The engine: what a page loads when something must be decided in it. A Wasm instance holds one program. Numbers cross its
//! boundary, and nothing else: bytes are written and read where the instance says that they lie (`../engine.js` does), so that
//! no code is spent on the types of JavaScript. What the bytes mean: `idoine::wire`.

use idoine::consent::Terms;
use idoine::{Context, Decisions, LoadError, Program, decide, edits, wire};
use std::sync::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// Smaller than the standard library's by 3 KB, gzipped; as fast.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// A program and the last decision made with it.
#[derive(Debug)]
pub struct Engine {
    program: Program,
    last: Option<(Context, Decisions)>,
}

impl Engine {
    /// Loads a program.
    pub fn load(program: Vec<u8>) -> Result<Engine, LoadError> {
        Ok(Engine { program: Program::load(program)?, last: None })
    }

    /// Decides for a request: see [`wire::write_decisions`]. Nothing when its bytes are cut off.
    pub fn decide(&mut self, request: &[u8]) -> Option<Vec<u32>> {
        let context = Context::derive(&self.program, &wire::read_request(request)?);
        let decisions = decide(&self.program, &context);
        let (_, decisions) = self.last.insert((context, decisions));
        Some(wire::write_decisions(decisions))
    }

    /// The edits of the last decision, made for who asks: see [`wire::write_edits`].
    pub fn edits(&self) -> Vec<u8> {
        let edits = self.last.as_ref().map(|(context, decisions)| edits(&self.program, context, decisions));
        wire::write_edits(&edits.unwrap_or_default())
    }

    /// On which terms the site asks: the mode's code in a byte, and the version of the wording.
    pub fn terms(&self) -> Vec<u8> {
        let Terms { mode, version } = self.program.terms();
        let [a, b, c, d] = version.to_le_bytes();
        vec![mode as u8, a, b, c, d]
    }

    /// What numbers in decisions stand for: see [`wire::name`].
    pub fn name(&self, kind: u32, number: u32) -> String {
        wire::name(&self.program, kind, number)
    }
}

/// What this instance holds.
struct Instance {
    engine: Option<Engine>,
    /// Written by the page. Once there is room, it stays.
    input: Vec<u8>,
    /// What the page reads: decisions, or a text.
    decisions: Vec<u32>,
    text: Vec<u8>,
    /// Where the output of the last call lies.
    output: usize,
}

impl Instance {
    fn give(&mut self, text: Vec<u8>) -> usize {
        self.text = text;
        self.output = self.text.as_ptr().addr();
        self.text.len()
    }
}

static INSTANCE: Mutex<Instance> =
    Mutex::new(Instance { engine: None, input: Vec::new(), decisions: Vec::new(), text: Vec::new(), output: 0 });

/// Runs with what this instance holds. Nothing else does meanwhile: a page calls one function after the other.
fn with(run: impl FnOnce(&mut Instance) -> usize) -> usize {
    INSTANCE.try_lock().map_or(0, |mut instance| run(&mut instance))
}

/// Makes room for so many bytes of input, and says where. What was written there before stays, as does the place where there is
/// room enough.
#[wasm_bindgen]
pub fn input(bytes: usize) -> usize {
    with(|instance| {
        if instance.input.len() < bytes {
            instance.input.resize(bytes, 0);
        }
        instance.input.as_ptr().addr()
    })
}

/// Where the output of the last call lies.
#[wasm_bindgen]
pub fn output() -> usize {
    with(|instance| instance.output)
}

/// Takes so many bytes of the input as the program. Returns the length of the output: why it is refused; 0 where it is not.
#[wasm_bindgen]
pub fn load(bytes: usize) -> usize {
    with(|instance| {
        let mut program = std::mem::take(&mut instance.input);
        program.truncate(bytes);
        match Engine::load(program) {
            Ok(engine) => {
                instance.engine = Some(engine);
                0
            }
            Err(error) => instance.give(error.message().into_bytes()),
        }
    })
}

/// Decides for the request in so many bytes of the input. Returns the length of the output, the decisions, in bytes; 0 where the
/// request is cut off, or there is no program.
#[wasm_bindgen(js_name = decide)]
pub fn decide_input(bytes: usize) -> usize {
    with(|instance| {
        let request = instance.input.get(..bytes);
        let decisions = instance.engine.as_mut().zip(request).and_then(|(engine, request)| engine.decide(request));
        instance.decisions = decisions.unwrap_or_default();
        instance.output = instance.decisions.as_ptr().addr();
        instance.decisions.len() * 4
    })
}

/// Returns the length of the output, a name: see [`wire::name`]. Of the kind 5 it is the edits of the last decision; of 6 the terms on which the
/// site asks for consent.
#[wasm_bindgen]
pub fn read(kind: u32, number: u32) -> usize {
    with(|instance| {
        let text = instance.engine.as_ref().map(|engine| match kind {
            5 => engine.edits(),
            6 => engine.terms(),
            _ => engine.name(kind, number).into_bytes(),
        });
        instance.give(text.unwrap_or_default())
    })
}
