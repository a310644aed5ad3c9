//! The core's steps in Wasm, each by itself, for `npm run bench`: the engine that pages load has one call for all of them. Built as
//! the engine is. An instance holds a program and visitors, each with what every step begins from; a step is run for many visitors
//! in one call, so that crossing the boundary is not what is measured.

#[path = "../../workload/learn.rs"]
mod learn;

use idoine::{Context, Decisions, Program, Request, decide, decide_by_scan, edits, wire};
use std::cell::RefCell;
use std::hint::black_box;
use std::mem::ManuallyDrop;
use wasm_bindgen::prelude::wasm_bindgen;

/// The engine's.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// A visitor, and what is known of one after each step.
struct Visitor {
    bytes: &'static [u8],
    request: Request<&'static str>,
    context: Context,
    decisions: Decisions,
}

/// What this instance holds.
struct Instance {
    program: Option<Program>,
    visitors: Vec<Visitor>,
    /// Written by the page.
    input: Vec<u8>,
    /// Read by the page.
    output: Vec<u8>,
}

thread_local! {
    // Never dropped, as in the engine.
    static INSTANCE: RefCell<ManuallyDrop<Instance>> = const {
        RefCell::new(ManuallyDrop::new(Instance { program: None, visitors: Vec::new(), input: Vec::new(), output: Vec::new() }))
    };
}

/// Makes room for so many bytes of input, and says where.
#[wasm_bindgen]
pub fn input(bytes: usize) -> *const u8 {
    INSTANCE.with_borrow_mut(|instance| {
        instance.input = vec![0; bytes];
        instance.input.as_ptr()
    })
}

/// Where the output of the last call lies.
#[wasm_bindgen]
pub fn output() -> *const u8 {
    INSTANCE.with_borrow(|instance| instance.output.as_ptr())
}

/// Takes the input as the program, and forgets all visitors. The output is why it is refused; empty where it is not.
#[wasm_bindgen]
pub fn load() -> usize {
    INSTANCE.with_borrow_mut(|instance| {
        instance.visitors.clear();
        instance.output.clear();
        match Program::load(std::mem::take(&mut instance.input)) {
            Ok(program) => instance.program = Some(program),
            Err(error) => instance.output = error.message().into_bytes(),
        }
        instance.output.len()
    })
}

/// Takes the input as one more visitor's request. The output are the decisions, twice: by `decide`, and by a plain scan; empty when
/// the request is cut off, or without a program.
#[wasm_bindgen]
pub fn keep() -> usize {
    INSTANCE.with_borrow_mut(|instance| {
        // Kept for as long as the instance: requests are read where they lie.
        let bytes: &[u8] = Box::leak(std::mem::take(&mut instance.input).into_boxed_slice());
        let Instance { program: Some(program), visitors, output, .. } = &mut **instance else { return 0 };
        let Some(request) = wire::read_request(bytes) else { return 0 };
        let context = Context::derive(program, &request);
        let decisions = decide(program, &context);
        *output = bytes_of(&decisions);
        output.extend(bytes_of(&decide_by_scan(program, &context)));
        visitors.push(Visitor { bytes, request, context, decisions });
        output.len()
    })
}

fn bytes_of(decisions: &Decisions) -> Vec<u8> {
    wire::write_decisions(decisions).into_iter().flat_map(u32::to_le_bytes).collect()
}

/// As the engine's `decide`: decides for the request in the input. The output are the decisions.
#[wasm_bindgen]
pub fn decide_input() -> usize {
    answer(decide)
}

/// As it, by a plain scan.
#[wasm_bindgen]
pub fn scan_input() -> usize {
    answer(decide_by_scan)
}

fn answer(decides: fn(&Program, &Context) -> Decisions) -> usize {
    INSTANCE.with_borrow_mut(|instance| {
        let Instance { program: Some(program), input, output, .. } = &mut **instance else { return 0 };
        let Some(request) = wire::read_request(input) else { return 0 };
        let context = Context::derive(program, &request);
        let decisions = decides(program, &context);
        *output = bytes_of(&decisions);
        output.len()
    })
}

/// Does nothing, with input before it and output behind it as in a decision: the crossing alone.
#[wasm_bindgen]
pub fn cross(bytes: usize) -> usize {
    INSTANCE.with_borrow_mut(|instance| {
        instance.output = vec![0; bytes];
        bytes
    })
}

/// Every so many visitors from the first that is told: a step, and a number that depends on each of its results.
fn each(first: usize, every: usize, step: impl Fn(&Program, &Visitor) -> usize) -> usize {
    INSTANCE.with_borrow(|instance| {
        let Some(program) = &instance.program else { return 0 };
        let visitors = instance.visitors.iter().skip(first).step_by(every.max(1));
        visitors.fold(0_usize, |sum, visitor| sum.wrapping_add(step(program, black_box(visitor))))
    })
}

/// Reads the requests' bytes.
#[wasm_bindgen]
pub fn read(first: usize, every: usize) -> usize {
    each(first, every, |_, visitor| black_box(wire::read_request(visitor.bytes)).map_or(0, |request| request.headers.len()))
}

/// Derives the contexts from requests that are read.
#[wasm_bindgen]
pub fn derive(first: usize, every: usize) -> usize {
    each(first, every, |program, visitor| black_box(Context::derive(program, &visitor.request)).path().len())
}

/// Decides for contexts that are derived.
#[wasm_bindgen(js_name = decide)]
pub fn decide_contexts(first: usize, every: usize) -> usize {
    each(first, every, |program, visitor| black_box(decide(program, &visitor.context)).slots.len())
}

/// Decides for them by a plain scan.
#[wasm_bindgen]
pub fn scan(first: usize, every: usize) -> usize {
    each(first, every, |program, visitor| black_box(decide_by_scan(program, &visitor.context)).slots.len())
}

/// Makes the edits of decisions that are made, and writes both as bytes.
#[wasm_bindgen]
pub fn write(first: usize, every: usize) -> usize {
    each(first, every, |program, visitor| {
        let edits = black_box(wire::write_edits(&edits(program, &visitor.context, &visitor.decisions)));
        edits.len().wrapping_add(black_box(wire::write_decisions(&visitor.decisions)).len())
    })
}

thread_local! {
    static EVENTS: (idoine::learn::Rules, Vec<Vec<idoine::learn::Event<'static>>>) = (learn::rules(), learn::events());
}

/// Folds the events of a shop's visitors; how many they are.
#[wasm_bindgen]
pub fn fold() -> usize {
    EVENTS.with(|(rules, visitors)| {
        black_box(learn::fold(black_box(rules), black_box(visitors)));
        learn::VISITORS.wrapping_mul(learn::EVENTS)
    })
}
