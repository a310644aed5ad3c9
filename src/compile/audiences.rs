//! Named audiences and the expressions of experiences.

use super::Compiler;
use super::reads::Reads;
use crate::expr::{Checked, CheckedKind, Constant, MAX_COST, check, cost, depth, parse};
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
            Ok(checked) => {
                for zone in zones(&checked) {
                    self.zone(zone);
                }
                Some(checked)
            }
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
        self.audience_costs(&checked);
        self.audience_reads = checked.iter().map(|checked| checked.as_ref().map_or_else(Reads::default, Reads::of)).collect();
        for ((name, _), checked) in manifest.audiences.iter().zip(&checked) {
            let root = checked.as_ref().map_or(NONE, |checked| self.builder.expression(checked));
            let name = self.builder.text(&name.value);
            self.builder.push(Section::Audiences, &[name, root]);
        }
        self.checked_audiences = checked;
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
        let depths = &self.audience_depths;
        let depth = depth(&checked, &mut |audience| depths.get(audience as usize).copied().unwrap_or(0));
        self.check_depth(text, depth);
        let costs = &self.audience_costs;
        let steps = cost(&checked, &mut |audience| costs.get(audience as usize).copied().unwrap_or(0)).steps;
        self.check_cost(text, steps);
        Some(checked)
    }

    /// Reckons the worst cost of each audience, those that it names included, and refuses what costs too much.
    fn audience_costs(&mut self, checked: &[Option<Checked>]) {
        let manifest = self.manifest;
        let mut costs: Vec<Option<u64>> = vec![None; checked.len()];
        for (audience, (_, text)) in manifest.audiences.iter().enumerate() {
            let steps = worst(audience, checked, &mut costs, 0);
            self.check_cost(text, steps);
        }
        self.audience_costs = costs.into_iter().map(Option::unwrap_or_default).collect();
    }

    fn check_cost(&mut self, text: &Spanned<String>, steps: u64) {
        self.costs.push((text.path.clone(), steps));
        if steps > MAX_COST {
            self.error_with_help(
                text,
                format!("evaluating this takes up to {steps} steps; at most {MAX_COST} are allowed"),
                Some("a macro within a macro multiplies; a list that is not written out counts as 256 items".to_owned()),
            );
        }
    }
}

/// The steps of an audience with those that it names; cycles, which are refused elsewhere, count nothing.
fn worst(audience: usize, checked: &[Option<Checked>], costs: &mut Vec<Option<u64>>, level: usize) -> u64 {
    if let Some(known) = costs.get(audience).copied().flatten() {
        return known;
    }
    if let Some(place) = costs.get_mut(audience) {
        *place = Some(0);
    }
    let Some(expression) = checked.get(audience).and_then(Option::as_ref).filter(|_| level <= MAX_DEPTH) else { return 0 };
    let steps = cost(expression, &mut |other| worst(other as usize, checked, costs, level + 1)).steps;
    if let Some(place) = costs.get_mut(audience) {
        *place = Some(steps);
    }
    steps
}

/// The time zones that are written out in an expression.
pub(super) fn zones(expression: &Checked) -> Vec<&str> {
    let mut zones = Vec::new();
    expression.walk(&mut |part| {
        if let CheckedKind::Apply(op, operands) = &part.kind
            && op.is_getter()
            && let Some(Checked { kind: CheckedKind::Constant(Constant::String(zone)), .. }) = operands.get(1)
        {
            zones.push(zone.as_str());
        }
    });
    zones
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
            Some(checked) if self.path.len() <= MAX_DEPTH + 1 => depth(checked, &mut |audience| self.depth(audience as usize)),
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
