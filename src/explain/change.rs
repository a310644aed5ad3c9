//! What would have to change for an audience to be true: the smallest set of its clauses, with values that do it.

use super::clauses::{Join, Reading, readings, taken_apart};
use super::domain::Domain;
use super::must::{Asker, Must, reading_text};
use super::tree;
use crate::context::{Context, Value};
use crate::eval::{self, Truth};
use crate::program::Program;
use crate::program::layout::Op;
use crate::sorted::sorted;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The most ways that are kept while they are put together.
const MAX_WAYS: usize = 32;
/// The deepest that clauses within clauses are looked at.
const MAX_DEPTH: u32 = 200;
/// The most clauses that are looked at.
const MAX_CLAUSES: u32 = 20_000;
/// Nodes that may be visited.
const MAX_VISITS: u32 = 1 << 24;

/// A clause that is not what it would have to be.
#[derive(Debug, Clone, PartialEq)]
pub struct ClauseChange {
    /// The clause as an expression.
    pub text: String,
    /// What it is.
    pub value: Truth,
    /// Whether it would have to be true, or false.
    pub wanted: bool,
    /// What it asks for, where that is a plain question.
    pub must: Option<Must>,
    /// What it reads.
    pub fields: Vec<Reading>,
    /// Whether no value of its field does.
    pub never: bool,
}

impl ClauseChange {
    /// What it is, and what would have to be, in words.
    pub(super) fn words(&self) -> String {
        let lacking = || self.fields.iter().filter(|reading| reading.value.is_none()).map(reading_text).collect::<Vec<_>>();
        let Some(must) = &self.must else {
            let read = self.fields.iter().map(reading_text).collect::<Vec<_>>().join(", ");
            return format!("{} is {}; it would have to be {} ({read})", self.text, self.value.name(), self.wanted);
        };
        let it = match (&must.is, lacking()) {
            (Some(is), _) => format!("{} is {is}; it", must.subject),
            (None, lacking) if lacking.is_empty() => format!("{} has no value; it", must.subject),
            (None, lacking) if self.fields.iter().any(|reading| reading.path == must.subject) => {
                format!("{}; it", lacking.join(", "))
            }
            (None, lacking) => format!("{}; {}", lacking.join(", "), must.subject),
        };
        let never = if self.never { ", which it never is" } else { "" };
        format!("{it} would have to {}{never}", must.words())
    }
}

/// The changes that make an audience true.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AudienceChange {
    /// All of them are needed.
    pub clauses: Vec<ClauseChange>,
    /// How many other sets of changes would do.
    pub other_ways: usize,
    /// Values of fields with which the audience was seen to be true; empty where none were found.
    pub values: Values,
}

/// A clause that must be true, or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) node: u32,
    pub(super) wanted: bool,
    pub(super) holds: bool,
    /// Whether it asks that a field is absent, which is seldom what one would do.
    absence: bool,
}

impl Literal {
    /// Whether both say something of the same, and the opposite: of `a != b` as of `a == b`.
    fn opposes(&self, other: &Literal, program: &Program) -> bool {
        let (one, wanted) = without_not(program, self.node, self.wanted);
        let (two, other_wanted) = without_not(program, other.node, other.wanted);
        one == two && wanted != other_wanted
    }
}

/// The same asked without the `!` before it.
fn without_not(program: &Program, node: u32, wanted: bool) -> (u32, bool) {
    match program.node(node) {
        Some((Op::Not, inner, _)) => (inner, !wanted),
        _ => (node, wanted),
    }
}

/// Fields and what they would be.
pub(super) type Values = Vec<(u32, Option<Value>)>;

/// Clauses that together are enough.
pub(super) type Way = Vec<Literal>;

/// The number of changes, and how many of them are unlikely ones.
pub(super) fn cost(way: &Way) -> (usize, usize) {
    let changed = || way.iter().filter(|literal| !literal.holds);
    (changed().count(), changed().filter(|literal| literal.absence).count())
}

/// The changes that make an audience true; `None` where it is true already, and none where nothing would make it so.
pub(super) fn audience_change(program: &Program, context: &Context, root: u32) -> Option<AudienceChange> {
    let mut seeker = Seeker {
        program,
        context,
        known: BTreeMap::new(),
        clauses: MAX_CLAUSES,
        cut: false,
        visits: MAX_VISITS,
        domains: BTreeMap::new(),
    };
    if seeker.truth(context, root) == Truth::True {
        return None;
    }
    let mut ways = seeker.ways(root, true, 0);
    // Where ways were left out, one of those may do.
    if ways.is_empty() && seeker.cut {
        ways.extend(seeker.literal(root, true).map(|whole| vec![whole]));
    }
    let found = ways.iter().find_map(|way| Some((way, seeker.values(way, root)?)));
    let (way, values) = match (found, ways.first()) {
        (Some((way, values)), _) => (way, values),
        (None, Some(way)) => (way, Vec::new()),
        (None, None) => return Some(AudienceChange::default()),
    };
    let changed = way.iter().filter(|literal| !literal.holds).map(|literal| seeker.change(literal));
    Some(AudienceChange { clauses: changed.collect(), other_ways: ways.len() - 1, values })
}

pub(super) struct Seeker<'a> {
    pub(super) program: &'a Program,
    pub(super) context: &'a Context,
    /// The ways to make a node true or false, as one that is named often is looked at once.
    known: BTreeMap<(u32, bool), Vec<Way>>,
    /// Clauses that may still be looked at.
    clauses: u32,
    /// Whether some ways were left out: what is left may be none, though some way there is.
    cut: bool,
    visits: u32,
    /// What fields can be, as that is looked up for the whole program.
    pub(super) domains: BTreeMap<u32, Rc<Domain>>,
}

impl<'a> Seeker<'a> {
    pub(super) fn truth(&mut self, context: &Context, node: u32) -> Truth {
        eval::look(self.program, context, node, &mut self.visits).0
    }

    /// The ways to make a clause true or false, those with the fewest changes first.
    fn ways(&mut self, node: u32, wanted: bool, depth: u32) -> Vec<Way> {
        if let Some(known) = self.known.get(&(node, wanted)) {
            return known.clone();
        }
        self.clauses = self.clauses.saturating_sub(1);
        if self.clauses == 0 || depth >= MAX_DEPTH {
            self.cut = true;
            return Vec::new();
        }
        let mut ways = self.taken_apart(node, wanted, depth + 1);
        self.cheapest(&mut ways);
        self.known.insert((node, wanted), ways.clone());
        ways
    }

    fn taken_apart(&mut self, node: u32, wanted: bool, depth: u32) -> Vec<Way> {
        match taken_apart(self.program, node) {
            Some((Join::Not, parts)) => self.each(&parts, !wanted, depth).pop().unwrap_or_default(),
            Some((Join::Audience, parts)) => self.each(&parts, wanted, depth).pop().unwrap_or_default(),
            Some((join @ (Join::All | Join::Any), parts)) => {
                let each = self.each(&parts, wanted, depth);
                if (join == Join::All) == wanted { self.together(each) } else { each.into_iter().flatten().collect() }
            }
            Some((Join::If, parts)) => {
                let [condition, then, otherwise] = parts.as_slice() else { return Vec::new() };
                let mut ways = Vec::new();
                for (chosen, result) in [(true, *then), (false, *otherwise)] {
                    let conditions = self.ways(*condition, chosen, depth);
                    let results = self.ways(result, wanted, depth);
                    ways.extend(self.together(vec![conditions, results]));
                }
                ways
            }
            None => self.literal(node, wanted).into_iter().map(|literal| vec![literal]).collect(),
        }
    }

    fn each(&mut self, parts: &[u32], wanted: bool, depth: u32) -> Vec<Vec<Way>> {
        parts.iter().map(|part| self.ways(*part, wanted, depth)).collect()
    }

    /// The ways to have one way of each at once.
    fn together(&mut self, each: Vec<Vec<Way>>) -> Vec<Way> {
        let mut all: Vec<Way> = vec![Vec::new()];
        for ways in each {
            let mut joined = Vec::new();
            for known in &all {
                for way in &ways {
                    // What must be true and false at once is no way.
                    let opposed = |one: &Literal| known.iter().any(|other| one.opposes(other, self.program));
                    if way.iter().any(opposed) {
                        continue;
                    }
                    let mut both = known.clone();
                    both.extend(way.iter().filter(|literal| !known.contains(literal)));
                    joined.push(both);
                }
            }
            self.cheapest(&mut joined);
            all = joined;
        }
        all
    }

    /// Those with the fewest changes, in the order in which they were written.
    fn cheapest(&mut self, ways: &mut Vec<Way>) {
        self.cut |= ways.len() > MAX_WAYS;
        *ways = sorted(std::mem::take(ways), &|one, other| cost(one).cmp(&cost(other)));
        ways.truncate(MAX_WAYS);
    }

    /// A clause that can't be taken apart. One that says the same to everybody is what it is.
    fn literal(&mut self, node: u32, wanted: bool) -> Option<Literal> {
        let holds = self.truth(self.context, node) == if wanted { Truth::True } else { Truth::False };
        let changes = !readings(self.program, self.context, node).is_empty();
        let (plain, present) = without_not(self.program, node, wanted);
        let absence = !present && matches!(self.program.node(plain), Some((Op::Has | Op::HasKey, ..)));
        (holds || changes).then_some(Literal { node, wanted, holds, absence })
    }

    fn change(&mut self, literal: &Literal) -> ClauseChange {
        let Literal { node, wanted, .. } = *literal;
        let must = Asker { program: self.program, context: self.context }.must(node, wanted);
        ClauseChange {
            text: tree::text(self.program, node),
            value: self.truth(self.context, node),
            wanted,
            never: must.as_ref().and_then(|must| must.target.as_ref()).is_some_and(|target| self.never(literal, target)),
            must,
            fields: readings(self.program, self.context, node),
        }
    }
}
