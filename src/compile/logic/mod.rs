//! When an expression is true: as cases, in each of which some facts hold together. With them go two questions: whether it can
//! be true at all, and whether it is true wherever another one is.
//!
//! An expression is true exactly when all facts of one of its cases hold, be values missing or not. What is not understood
//! is a fact of its own, that this very part is true, or false. So a contradiction that is found is one; others may stay unfound.

mod facts;

pub(super) use self::facts::{Fact, Key};
use self::facts::{Test, candidates, constant, constants, prove};
use super::Names;
use crate::consent::Purpose;
use crate::context::{FIELDS, Field, Kind};
use crate::eval::{Operand, compute};
use crate::expr::{Checked, CheckedKind, Env};
use crate::program::layout::Op;
use std::ops::Range;
use std::rc::Rc;

/// The most cases of one expression. A part that has more is a fact of its own.
const MOST_CASES: usize = 256;
/// As many contradictions are named at most.
const MOST_REFUTED: usize = 3;
/// The most steps for one manifest: each looks at a fact or copies one. What comes later stays as it is written.
const MOST_WORK: usize = 2_000_000;

/// A part of an expression, as a message names it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Clause<'c> {
    text: &'c str,
    negated: bool,
    /// The audience in whose own expression it stands.
    audience: Option<&'c str>,
    /// Its place in the expression that was asked about.
    pub(super) span: Range<usize>,
}

impl std::fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 100;
        let text: String = self.text.chars().take(SHOWN).collect();
        let rest = if text.len() < self.text.len() { "..." } else { "" };
        if self.negated {
            write!(f, "`!({text}{rest})`")?
        } else {
            write!(f, "`{text}{rest}`")?
        }
        self.audience.map_or(Ok(()), |name| write!(f, " of `{name}`"))
    }
}

#[derive(Debug, Clone)]
struct Literal<'c> {
    key: Key<'c>,
    fact: Fact<'c>,
    clause: Clause<'c>,
}

type Case<'c> = Vec<Literal<'c>>;

/// An expression that is to be true, or false.
type Part<'c> = (&'c Checked, bool);

/// The cases in which an expression is true.
#[derive(Debug, Clone, Default)]
pub(super) struct Cases<'c> {
    cases: Vec<Case<'c>>,
    /// The clauses that contradict each other, of the first cases that are none.
    pub(super) refuted: Vec<Vec<Clause<'c>>>,
}

impl<'c> Cases<'c> {
    /// Those of `true`.
    pub(super) fn always() -> Cases<'c> {
        Cases { cases: vec![Vec::new()], refuted: Vec::new() }
    }

    fn never(refuted: Clause<'c>) -> Cases<'c> {
        Cases { cases: Vec::new(), refuted: vec![vec![refuted]] }
    }

    fn refute(&mut self, refuted: Vec<Clause<'c>>) {
        let said = |clauses: &[Clause<'c>]| clauses.iter().map(Clause::to_string).collect::<String>();
        let new = said(&refuted);
        if self.refuted.len() < MOST_REFUTED && self.refuted.iter().all(|known| said(known) != new) {
            self.refuted.push(refuted);
        }
    }

    /// Whether the expression is never true.
    pub(super) fn is_never(&self) -> bool {
        self.cases.is_empty()
    }
}

/// A named audience: name, text, expression.
pub(super) type Audience<'c> = (&'c str, &'c str, Option<&'c Checked>);

/// Finds the cases of expressions.
pub(super) struct Logic<'c> {
    names: &'c Names<'c>,
    audiences: Vec<Audience<'c>>,
    /// The cases in which each audience is false, and those in which it is true.
    known: Vec<Option<Rc<Cases<'c>>>>,
    work: usize,
}

/// An expression's text, and the clause that stands for all of its parts where it is denied as a whole.
#[derive(Clone, Copy)]
struct Written<'c, 'w> {
    text: &'c str,
    denied: Option<&'w Clause<'c>>,
}

impl<'c> Written<'c, '_> {
    fn clause(&self, part: &Checked, holds: bool) -> Clause<'c> {
        let text = self.text.get(part.span.clone()).unwrap_or_default();
        let own = || Clause { text, negated: !holds, audience: None, span: part.span.clone() };
        self.denied.cloned().unwrap_or_else(own)
    }
}

impl<'c> Logic<'c> {
    pub(super) fn new(names: &'c Names<'c>, audiences: Vec<Audience<'c>>) -> Logic<'c> {
        let known = vec![None; audiences.len() * 2];
        Logic { names, audiences, known, work: 0 }
    }

    /// The cases in which an expression is true.
    pub(super) fn cases(&mut self, expression: &'c Checked, text: &'c str) -> Cases<'c> {
        self.truth(expression, true, Written { text, denied: None })
    }

    /// The cases in which a named audience is true, or false.
    pub(super) fn audience(&mut self, audience: u32, holds: bool) -> Rc<Cases<'c>> {
        let index = audience as usize;
        let place = index * 2 + usize::from(holds);
        if let Some(Some(known)) = self.known.get(place) {
            return known.clone();
        }
        let cases = match self.audiences.get(index) {
            Some((_, text, Some(expression))) => {
                let written = Written { text, denied: None };
                self.truth(expression, holds, written)
            }
            _ => Cases::always(),
        };
        let cases = Rc::new(cases);
        if let Some(known) = self.known.get_mut(place) {
            *known = Some(cases.clone());
        }
        cases
    }

    /// Adds that these fields have values.
    pub(super) fn with_values(&mut self, cases: &Cases<'c>, fields: &[u32]) -> Cases<'c> {
        let needed = fields.iter().fold(Cases::always(), |needed, field| {
            let literals = self.present(*field, &Clause::default());
            self.product(&needed, &Cases { cases: vec![literals], refuted: Vec::new() })
        });
        self.product(cases, &needed)
    }

    /// Whether the second is true wherever the first is.
    pub(super) fn implies(&mut self, first: &Cases<'c>, second: &Cases<'c>) -> bool {
        first.cases.iter().all(|known| {
            second.cases.iter().any(|goals| {
                self.spend(goals.len() + known.len());
                goals.iter().all(|goal| {
                    let facts = facts(known, goal.key);
                    prove(&facts, self.candidates(goal.key, &facts).as_deref(), &goal.fact)
                })
            })
        })
    }

    /// Counts steps.
    pub(super) fn spend(&mut self, steps: usize) {
        self.work = self.work.saturating_add(steps);
    }

    /// Whether so much was looked at that no more will be.
    pub(super) fn is_spent(&self) -> bool {
        self.work > MOST_WORK
    }

    fn truth(&mut self, expression: &'c Checked, holds: bool, written: Written<'c, '_>) -> Cases<'c> {
        match &expression.kind {
            CheckedKind::And(parts) | CheckedKind::Or(parts) => {
                let parts: Vec<Part<'c>> = parts.iter().map(|part| (part, holds)).collect();
                if matches!(expression.kind, CheckedKind::And(_)) == holds {
                    self.all(&parts, written)
                } else {
                    self.any(&parts.chunks(1).collect::<Vec<_>>(), written)
                }
                .unwrap_or_else(|| self.itself(expression, holds, written))
            }
            CheckedKind::Conditional(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let both = [&[(condition, true), (then, holds)][..], &[(condition, false), (otherwise, holds)][..]];
                self.any(&both, written).unwrap_or_else(|| self.itself(expression, holds, written))
            }
            CheckedKind::Apply(Op::Not, operands) => match operands.as_slice() {
                [denied] => {
                    let clause = written.clause(expression, holds);
                    // What is denied as a whole is named as a whole.
                    let written = Written { denied: Some(&clause), ..written };
                    self.truth(denied, !holds, written)
                }
                _ => self.itself(expression, holds, written),
            },
            CheckedKind::Audience(audience) => {
                let known = self.audience(*audience, holds);
                let clause = written.clause(expression, holds);
                if known.is_never() {
                    return Cases::never(clause);
                }
                let name = self.audiences.get(*audience as usize).map(|(name, ..)| *name);
                let mut cases = Cases::clone(&known);
                for literal in cases.cases.iter_mut().flatten() {
                    self.spend(1);
                    literal.clause = match written.denied {
                        Some(denied) => denied.clone(),
                        None => Clause { audience: name, span: expression.span.clone(), ..literal.clause.clone() },
                    };
                }
                cases
            }
            _ => self.atom(expression, holds, written),
        }
    }

    /// All of them together; `None` where there are too many cases.
    fn all(&mut self, parts: &[Part<'c>], written: Written<'c, '_>) -> Option<Cases<'c>> {
        let mut all = Cases::always();
        for (part, holds) in parts {
            let mut next = if self.is_spent() { return None } else { self.truth(part, *holds, written) };
            if all.cases.len() * next.cases.len() > MOST_CASES {
                next = self.itself(part, *holds, written);
            }
            all = self.product(&all, &next);
        }
        Some(all)
    }

    /// One of them, each of which is some parts together; `None` where there are too many cases.
    fn any(&mut self, choices: &[&[Part<'c>]], written: Written<'c, '_>) -> Option<Cases<'c>> {
        let mut any = Cases::default();
        for choice in choices {
            let next = self.all(choice, written)?;
            any.cases.extend(next.cases);
            next.refuted.into_iter().for_each(|refuted| any.refute(refuted));
            if any.cases.len() > MOST_CASES {
                return None;
            }
        }
        Some(any)
    }

    /// Both together.
    pub(super) fn product(&mut self, left: &Cases<'c>, right: &Cases<'c>) -> Cases<'c> {
        let mut product = Cases::default();
        for cases in [left, right] {
            if cases.is_never() {
                return cases.clone();
            }
            cases.refuted.iter().for_each(|refuted| product.refute(refuted.clone()));
        }
        for first in &left.cases {
            for second in &right.cases {
                let mut joined = first.clone();
                self.spend(first.len());
                match second.iter().try_for_each(|literal| self.add(&mut joined, literal)) {
                    Ok(()) => product.cases.push(joined),
                    Err(refuted) => product.refute(refuted),
                }
            }
        }
        product
    }

    /// Adds a fact to a case, unless it follows from those that are there; the clauses that contradict it where they do.
    fn add(&mut self, case: &mut Case<'c>, literal: &Literal<'c>) -> Result<(), Vec<Clause<'c>>> {
        self.spend(case.len());
        let same: Vec<&Literal<'c>> = case.iter().filter(|other| other.key == literal.key).collect();
        if let Some(other) = same.iter().find(|other| other.fact.excludes(&literal.fact)) {
            return Err(clauses([*other, literal]));
        }
        let mut facts: Vec<&Fact<'c>> = same.iter().map(|other| &other.fact).collect();
        if prove(&facts, self.candidates(literal.key, &facts).as_deref(), &literal.fact) {
            return Ok(());
        }
        let none_left = |facts: &[&Fact<'c>]| self.candidates(literal.key, facts).is_some_and(|values| values.is_empty());
        if let Some(other) = same.iter().find(|other| none_left(&[&other.fact, &literal.fact])) {
            return Err(clauses([*other, literal]));
        }
        facts.push(&literal.fact);
        if none_left(&facts) {
            return Err(clauses(same.iter().copied().chain([literal])));
        }
        case.push(literal.clone());
        Ok(())
    }

    /// See [`candidates`]. A field may have values of its own: the two of a truth value, those that an enum lists.
    fn candidates(&self, key: Key<'_>, facts: &[&Fact<'c>]) -> Option<Vec<Operand<'c>>> {
        let own = match key {
            Key::Field(field) if self.kind(field) == Some(Kind::Bool) => Some(vec![Operand::Bool(true), Operand::Bool(false)]),
            Key::Field(field) if self.kind(field) == Some(Kind::String) => {
                self.names.values(field).map(|texts| texts.into_iter().map(|text| Operand::Text(text.as_bytes())).collect())
            }
            _ => None,
        };
        // That there is no value leaves nothing to choose from, and contradicts nothing by that.
        if matches!(facts, [Fact::Absent, ..]) { None } else { candidates(facts, own) }
    }

    fn kind(&self, field: u32) -> Option<Kind> {
        let declared = || self.names.declared.get((field as usize).checked_sub(FIELDS.len())?).map(|field| field.kind);
        FIELDS.get(field as usize).map(|field| field.kind).or_else(declared)
    }

    fn purpose(&self, field: u32) -> Option<Purpose> {
        match FIELDS.get(field as usize) {
            Some(field) => field.purpose,
            None => self.names.declared.get((field as usize).checked_sub(FIELDS.len())?)?.purpose,
        }
    }

    /// That a field has a value, and that its purpose is agreed to.
    fn present(&self, field: u32, clause: &Clause<'c>) -> Vec<Literal<'c>> {
        let literal = |field: u32, fact| Literal { key: Key::Field(field), fact, clause: clause.clone() };
        let agreed = self.purpose(field).map(|purpose| {
            let field = match purpose {
                Purpose::Personalization => Field::ConsentPersonalization,
                Purpose::Analytics => Field::ConsentAnalytics,
                Purpose::Marketing => Field::ConsentMarketing,
            };
            literal(field as u32, Fact::Among(true, Rc::new([Operand::Bool(true)])))
        });
        std::iter::once(literal(field, Fact::Present)).chain(agreed).collect()
    }

    /// That this very part is true, or false.
    fn itself(&mut self, expression: &'c Checked, holds: bool, written: Written<'c, '_>) -> Cases<'c> {
        let fact = Fact::Among(true, Rc::new([Operand::Bool(holds)]));
        self.literal(expression, fact, written.clause(expression, holds), written)
    }

    fn literal(&mut self, term: &'c Checked, fact: Fact<'c>, clause: Clause<'c>, written: Written<'c, '_>) -> Cases<'c> {
        let key = match &term.kind {
            CheckedKind::Field(field, _) | CheckedKind::Has(field) => Key::Field(*field),
            kind => {
                let text = written.text.get(term.span.clone()).unwrap_or_default();
                // Parentheses around a whole say nothing.
                let text = text.trim_start_matches(['(', ' ']).trim_end_matches([')', ' ']);
                Key::Text(text, matches!(kind, CheckedKind::Apply(Op::Not, _)))
            }
        };
        let mut fields = Vec::new();
        match (&term.kind, &fact) {
            (CheckedKind::Has(field), Fact::Present) => fields.push(*field),
            _ => needed(term, &mut fields),
        }
        let mut literals = vec![Literal { key, fact, clause: clause.clone() }];
        literals.extend(fields.into_iter().flat_map(|field| self.present(field, &clause)));
        self.product(&Cases::always(), &Cases { cases: vec![literals], refuted: Vec::new() })
    }

    fn atom(&mut self, expression: &'c Checked, holds: bool, written: Written<'c, '_>) -> Cases<'c> {
        let clause = written.clause(expression, holds);
        let decided = |truth: bool, clause| if truth == holds { Cases::always() } else { Cases::never(clause) };
        let (term, fact) = match &expression.kind {
            CheckedKind::Constant(crate::expr::Constant::Bool(truth)) => return decided(*truth, clause),
            CheckedKind::Has(_) => (expression, if holds { Fact::Present } else { Fact::Absent }),
            CheckedKind::Apply(op, operands) => match (op, operands.as_slice()) {
                (Op::Eq | Op::Lt | Op::Le, [left, right]) => {
                    let (term, value, reversed) = match (constant(left), constant(right)) {
                        (Some(left), Some(right)) => match compute(*op, left, right) {
                            Some(truth) => return decided(truth, clause),
                            None => return self.itself(expression, holds, written),
                        },
                        (None, Some(value)) => (left, value, false),
                        (Some(value), None) => (right, value, true),
                        (None, None) => return self.itself(expression, holds, written),
                    };
                    let fact = match op {
                        Op::Eq => Fact::Among(holds, Rc::new([value])),
                        _ => {
                            let (whole, comparable) = self.numbers(term);
                            Fact::Test(Test { holds, op: *op, constant: value, reversed }.plain(whole, comparable))
                        }
                    };
                    (term, fact)
                }
                (Op::In, [term, list]) => match constants(list) {
                    Some(values) => (term, Fact::Among(holds, values)),
                    None => return self.itself(expression, holds, written),
                },
                (Op::StartsWith | Op::EndsWith | Op::Contains | Op::Glob, [term, value]) => match constant(value) {
                    Some(constant) => (term, Fact::Test(Test { holds, op: *op, constant, reversed: false })),
                    None => return self.itself(expression, holds, written),
                },
                _ => return self.itself(expression, holds, written),
            },
            _ => return self.itself(expression, holds, written),
        };
        self.literal(term, fact, clause, written)
    }

    /// Whether a term's numbers are whole, and whether each compares with every number: what is computed may be no number.
    fn numbers(&self, term: &Checked) -> (bool, bool) {
        match &term.kind {
            CheckedKind::Field(field, _) => (self.kind(*field) == Some(Kind::Int), true),
            CheckedKind::Apply(op, _) if *op == Op::Size || op.is_getter() => (true, true),
            _ => (false, false),
        }
    }
}

fn facts<'k, 'c>(case: &'k Case<'c>, key: Key<'c>) -> Vec<&'k Fact<'c>> {
    case.iter().filter(|literal| literal.key == key).map(|literal| &literal.fact).collect()
}

/// The clauses of some facts, each once.
fn clauses<'k, 'c: 'k>(literals: impl IntoIterator<Item = &'k Literal<'c>>) -> Vec<Clause<'c>> {
    let mut clauses: Vec<Clause<'c>> = Vec::new();
    for literal in literals {
        if !clauses.contains(&literal.clause) {
            clauses.push(literal.clause.clone());
        }
    }
    clauses
}

/// The fields without which an expression has no value.
fn needed(expression: &Checked, fields: &mut Vec<u32>) {
    let parts: &[Checked] = match &expression.kind {
        CheckedKind::Field(field, _) => return fields.push(*field),
        // Of a list that is written out one item may be there without the others.
        CheckedKind::Apply(_, operands) => operands,
        CheckedKind::Conditional(parts) => parts.get(..1).unwrap_or_default(),
        CheckedKind::HasKey(part, _) | CheckedKind::Fold(_, part, ..) => std::slice::from_ref(part),
        _ => return,
    };
    parts.iter().for_each(|part| needed(part, fields));
}
