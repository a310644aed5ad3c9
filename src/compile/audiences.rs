//! Named audiences and the expressions of experiences.

use super::Compiler;
use super::reads::Reads;
use crate::expr::{Checked, check, parse};
use crate::manifest::Spanned;
use crate::program::layout::{NONE, Section};

/// The deepest tree with named audiences written out. The evaluator's own limit is higher.
const MAX_DEPTH: usize = 160;

impl Compiler<'_, '_, '_> {
    /// Parses and checks an expression, reporting what is wrong at its place in the document.
    pub(super) fn expression(&mut self, text: &Spanned<String>) -> Option<Checked> {
        let node = match parse(&text.value) {
            Ok(node) => node,
            Err(error) => {
                self.error_inside(text, error);
                return None;
            }
        };
        match check(&node, &self.names) {
            Ok(checked) => Some(checked),
            Err(errors) => {
                for error in errors {
                    self.error_inside(text, error);
                }
                None
            }
        }
    }

    pub(super) fn audiences(&mut self) {
        let manifest = self.manifest;
        for (name, _) in &manifest.audiences {
            self.check_identifier(name);
        }
        let checked: Vec<Option<Checked>> = manifest.audiences.iter().map(|(_, text)| self.expression(text)).collect();
        self.check_cycles(&checked);
        self.audience_reads = checked.iter().map(|checked| checked.as_ref().map_or_else(Reads::default, Reads::of)).collect();
        for ((name, _), checked) in manifest.audiences.iter().zip(&checked) {
            let root = checked.as_ref().map_or(NONE, |checked| self.builder.expression(checked));
            let name = self.builder.text(&name.value);
            self.builder.push(Section::Audiences, &[name, root]);
        }
    }

    /// Refuses audiences that need themselves, and ones that nest too deep. Keeps the depth of each.
    fn check_cycles(&mut self, checked: &[Option<Checked>]) {
        let mut walk =
            Walk { audiences: checked, states: vec![State::New; checked.len()], path: Vec::new(), cycles: Vec::new() };
        let depths: Vec<usize> = (0..checked.len()).map(|audience| walk.depth(audience)).collect();
        let cycles = walk.cycles;
        let manifest = self.manifest;
        for cycle in &cycles {
            let names: Vec<&str> =
                cycle.iter().filter_map(|index| Some(manifest.audiences.get(*index)?.0.value.as_str())).collect();
            if let Some((_, text)) = cycle.first().and_then(|first| manifest.audiences.get(*first)) {
                self.error(text, format!("this audience needs itself: {}", names.join(" -> ")));
            }
        }
        if cycles.is_empty() {
            for ((_, text), depth) in manifest.audiences.iter().zip(&depths) {
                self.check_depth(text, *depth);
            }
        }
        self.audience_depths = depths;
    }

    fn check_depth(&mut self, text: &Spanned<String>, depth: usize) {
        if depth > MAX_DEPTH {
            self.error(text, format!("audiences within audiences are {depth} levels deep; at most {MAX_DEPTH} are allowed"));
        }
    }

    /// An experience's own expression; named audiences were read before.
    pub(super) fn experience_audience(&mut self, text: &Spanned<String>) -> Option<Checked> {
        let checked = self.expression(text)?;
        let depths = std::mem::take(&mut self.audience_depths);
        let depth = depth_of(&checked, &mut |audience| depths.get(audience).copied().unwrap_or(0));
        self.audience_depths = depths;
        self.check_depth(text, depth);
        Some(checked)
    }
}

/// The depth of a tree in which named audiences are written out.
fn depth_of(expression: &Checked, audience: &mut dyn FnMut(usize) -> usize) -> usize {
    1 + match expression {
        Checked::Audience(index) => audience(*index as usize),
        Checked::Not(operand) => depth_of(operand, audience),
        Checked::Binary(_, left, right) => depth_of(left, audience).max(depth_of(right, audience)),
        Checked::List(items) => items.iter().map(|item| depth_of(item, audience)).max().unwrap_or(0),
        _ => 0,
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    Open,
    Done(usize),
}

/// A depth-first walk over the audiences that audiences name.
struct Walk<'a> {
    audiences: &'a [Option<Checked>],
    states: Vec<State>,
    path: Vec<usize>,
    cycles: Vec<Vec<usize>>,
}

impl Walk<'_> {
    fn depth(&mut self, audience: usize) -> usize {
        match self.states.get(audience) {
            Some(State::New) => {}
            Some(State::Open) => {
                let cycle = self.path.iter().skip_while(|index| **index != audience).copied();
                self.cycles.push(cycle.chain([audience]).collect());
                return 0;
            }
            Some(State::Done(depth)) => return *depth,
            None => return 0,
        }
        self.set(audience, State::Open);
        self.path.push(audience);
        let audiences = self.audiences;
        // Deeper chains than the limit are refused anyway: do not follow them down the stack.
        let depth = match audiences.get(audience).and_then(Option::as_ref) {
            Some(checked) if self.path.len() <= MAX_DEPTH + 1 => depth_of(checked, &mut |audience| self.depth(audience)),
            Some(_) => MAX_DEPTH + 1,
            None => 0,
        };
        self.path.pop();
        self.set(audience, State::Done(depth));
        depth
    }

    fn set(&mut self, audience: usize, state: State) {
        if let Some(place) = self.states.get_mut(audience) {
            *place = state;
        }
    }
}
