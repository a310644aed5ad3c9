//! Evaluation of a program's expressions: three-valued and total.
//!
//! A missing field is *unknown*. `&&`, `||`, `all` and `exists` absorb it as CEL's commutative operators absorb errors (CEL
//! specification, "Logical Operators"): `false && unknown` is false, `true || unknown` is true. Every other operation with an
//! unknown operand is unknown. An error counts as unknown, but a missing field outweighs it, and one that is denied both.

mod apply;
mod arena;
mod convert;
mod known;
mod operand;

pub(crate) use arena::Arena;
pub(crate) use operand::{Absent, Error, Operand, Why, number, utf8};
#[cfg(feature = "author")]
pub(crate) use operand::{List as OperandList, Map as OperandMap};
#[cfg(any(feature = "author", feature = "explain"))]
pub(crate) use operand::{address, range};

use crate::context::{Context, Value};
use crate::program::layout::{NONE, Op, wide};
use crate::program::{Node, Program};
use crate::{geo, instant, zone};
use known::{Known, Settled};
use operand::{List, Map, duration, equal, timestamp};

/// The compiler refuses expressions deeper than this, so only a forged program gets here.
const MAX_DEPTH: u32 = 200;
/// Nodes that one audience may visit. The compiler's limits stay far below.
const MAX_VISITS: u32 = 1 << 20;
/// The most items of a list that is not written out in the expression.
pub(crate) const MAX_ITEMS: usize = 256;
/// The longest text that an operation makes, in bytes.
pub(crate) const MAX_TEXT: usize = 64 << 10;

/// The most bytes of a text multiplied by those of another that is looked for in it.
pub(crate) const MAX_SEARCH: usize = 4 << 20;

/// The outcome of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The visitor is in it.
    True,
    /// The visitor is not.
    False,
    /// Some value was missing.
    Unknown,
    /// Some value was missing because its purpose is not agreed to.
    Denied,
}

impl Truth {
    /// The name in JSON.
    #[cfg(feature = "explain")]
    pub fn name(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
            Truth::Denied => "denied",
        }
    }

    fn of(value: Operand<'_>) -> Truth {
        match value {
            Operand::Bool(true) => Truth::True,
            Operand::Bool(false) => Truth::False,
            Operand::Absent(Absent { why: Why::Denied, .. }) => Truth::Denied,
            _ => Truth::Unknown,
        }
    }
}

/// Evaluates expressions for one context; what several of them share once.
pub(crate) struct Evaluator<'a> {
    program: &'a Program,
    context: &'a Context,
    known: Known,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(program: &'a Program, context: &'a Context) -> Evaluator<'a> {
        Evaluator { program, context, known: Known::new(program) }
    }

    /// The truth of a boolean expression.
    pub(crate) fn truth(&mut self, node: u32) -> Truth {
        let arena = Arena::default();
        Truth::of(Walk::new(self.program, self.context, &arena, &mut self.known).eval(node, 0))
    }
}

/// The value of an expression. What it is made of lives in the arena.
#[cfg(any(feature = "author", feature = "explain"))]
pub(crate) fn value<'w>(program: &'w Program, context: &'w Context, node: u32, arena: &'w Arena<'w>) -> Operand<'w> {
    Walk::new(program, context, arena, &mut Known::new(program)).eval(node, 0)
}

/// The truth of a part of an expression, and what failed where something did. The nodes that are visited are taken from
/// `visits`, as one audience has many parts.
#[cfg(feature = "explain")]
pub(crate) fn look(program: &Program, context: &Context, node: u32, visits: &mut u32) -> (Truth, Option<Error>) {
    let (arena, mut known) = (Arena::default(), Known::new(program));
    let mut walk = Walk::new(program, context, &arena, &mut known);
    walk.visits = walk.visits.min(*visits);
    *visits -= walk.visits;
    let value = walk.eval(node, 0);
    *visits += walk.visits;
    let error = match value {
        Operand::Absent(Absent { why: Why::Error(error), .. }) => Some(error),
        // Nothing that is true or false: after dyn() alone.
        Operand::Bool(_) | Operand::Absent(_) => None,
        _ => Some(Error::WrongType),
    };
    (Truth::of(value), error)
}

/// One walk over an expression's nodes.
struct Walk<'a, 'k> {
    program: &'a Program,
    context: &'a Context,
    arena: &'a Arena<'a>,
    known: &'k mut Known,
    /// The items that the macros around look at.
    variables: Vec<Operand<'a>>,
    visits: u32,
}

impl<'a, 'k> Walk<'a, 'k> {
    fn new(program: &'a Program, context: &'a Context, arena: &'a Arena<'a>, known: &'k mut Known) -> Walk<'a, 'k> {
        Walk { program, context, arena, known, variables: Vec::new(), visits: MAX_VISITS }
    }

    fn eval(&mut self, node: u32, depth: u32) -> Operand<'a> {
        let Some(what) = self.program.marked(node).filter(|_| depth < MAX_DEPTH && self.visits > 0) else {
            return failed(Error::TooLarge, node);
        };
        self.visits -= 1;
        if what.shared == 0 {
            return self.compute(what, node, depth + 1);
        }
        if let Some(known) = self.known.get(what.shared) {
            return known.into();
        }
        // What it makes counts for itself alone, so that what it comes to does not depend on who asks first.
        let counted = self.arena.count_from(0);
        let settled = Settled::of(self.compute(what, node, depth + 1), node);
        self.arena.count_from(counted);
        self.known.put(what.shared, settled);
        settled.into()
    }

    fn compute(&mut self, what: Node, node: u32, depth: u32) -> Operand<'a> {
        let Node { op, a, b, .. } = what;
        let applied = match op {
            Op::Bool => Ok(Operand::Bool(a != 0)),
            Op::Int => Ok(Operand::Int(wide(a, b) as i64)),
            Op::Uint => Ok(Operand::Uint(wide(a, b))),
            Op::Double => Ok(Operand::Double(f64::from_bits(wide(a, b)))),
            Op::String => Ok(Operand::Text(self.program.raw(a))),
            Op::Timestamp | Op::Duration => match self.program.node(a) {
                Some((Op::Int, low, high)) => {
                    let seconds = instant::Seconds { whole: wide(low, high) as i64, nanos: b.min(999_999_999) };
                    let valid = if op == Op::Timestamp { seconds.instant() } else { seconds.length() };
                    let made = if op == Op::Timestamp { timestamp } else { duration };
                    valid.map(made).ok_or(Error::Overflow)
                }
                _ => Err(Error::WrongType),
            },
            Op::List | Op::Constants | Op::Map => return self.collection(op, a, b, node, depth),
            Op::Field => return self.field(a, node),
            Op::Has => Ok(Operand::Bool(self.context.get(a).is_some())),
            Op::HasKey => match self.eval(a, depth) {
                Operand::Map(map) => Ok(Operand::Bool(map.get(Operand::Text(self.program.raw(b))).is_some())),
                absent @ Operand::Absent(_) => return absent,
                _ => Err(Error::WrongType),
            },
            Op::Audience => return self.audience(a, node, depth),
            Op::Variable => self.variables.get(a as usize).copied().ok_or(Error::TooLarge),
            Op::And | Op::Or => return self.logic(what, node, depth),
            Op::Conditional => {
                let [then, otherwise] = self.pair(b);
                match self.eval(a, depth) {
                    Operand::Bool(true) => return self.eval(then, depth),
                    Operand::Bool(false) => return self.eval(otherwise, depth),
                    absent @ Operand::Absent(_) => return absent,
                    _ => Err(Error::WrongType),
                }
            }
            Op::All | Op::Exists | Op::ExistsOne | Op::Filter | Op::MapItems => return self.fold(op, a, b, node, depth),
            Op::In if matches!(self.program.node(b), Some((Op::Constants | Op::List, ..))) => return self.is_in(a, b, depth),
            Op::SplitLimit | Op::Distance => {
                let operands = match self.operands(a, b, depth) {
                    Ok(operands) => operands,
                    Err(absent) => return Operand::Absent(absent),
                };
                self.several(op, &operands)
            }
            _ => {
                let left = self.eval(a, depth);
                if b == NONE {
                    if matches!(left, Operand::Absent(_)) {
                        return left;
                    }
                    apply::unary(op, left, self.arena)
                } else {
                    let right = self.eval(b, depth);
                    match (left, right) {
                        (Operand::Absent(left), Operand::Absent(right)) => return Operand::Absent(left.or(right)),
                        (absent @ Operand::Absent(_), _) | (_, absent @ Operand::Absent(_)) => return absent,
                        (Operand::Timestamp(at), Operand::Text(zone)) if op.is_getter() => self.zoned(op, at.seconds(), zone),
                        (left, right) => apply::binary(op, left, right, self.arena),
                    }
                }
            }
        };
        applied.unwrap_or_else(|error| failed(error, node))
    }

    fn field(&self, field: u32, node: u32) -> Operand<'a> {
        match self.context.get(field) {
            Some(Value::Bool(value)) => Operand::Bool(*value),
            Some(Value::Int(value)) => Operand::Int(*value),
            Some(Value::Double(value)) => Operand::Double(*value),
            Some(Value::String(value)) => Operand::Text(value.as_bytes()),
            Some(Value::Strings(values)) => Operand::List(List::Texts(values.get(..MAX_ITEMS).unwrap_or(values))),
            Some(Value::Timestamp(ms)) => match instant::Seconds::from_millis(*ms).instant() {
                Some(at) => timestamp(at),
                None => failed(Error::Overflow, node),
            },
            Some(Value::Map(pairs)) => Operand::Map(Map::Texts(pairs.get(..MAX_ITEMS).unwrap_or(pairs))),
            None => {
                let why = if self.context.is_denied(field) { Why::Denied } else { Why::Missing };
                Operand::Absent(Absent { why, node })
            }
        }
    }

    fn audience(&mut self, audience: u32, node: u32, depth: u32) -> Operand<'a> {
        let root = self.program.audience_node(audience).unwrap_or(NONE);
        match Truth::of(self.eval(root, depth)) {
            Truth::True => Operand::Bool(true),
            Truth::False => Operand::Bool(false),
            Truth::Unknown => Operand::Absent(Absent { why: Why::Missing, node }),
            Truth::Denied => Operand::Absent(Absent { why: Why::Denied, node }),
        }
    }

    /// `&&` and `||`: the operand that costs less comes first, and decides alone where it absorbs the other one.
    fn logic(&mut self, what: Node, node: u32, depth: u32) -> Operand<'a> {
        let absorbing = what.op == Op::Or;
        let (first, second) = if what.right_first { (what.b, what.a) } else { (what.a, what.b) };
        let first = self.eval(first, depth);
        if matches!(first, Operand::Bool(value) if value == absorbing) {
            return first;
        }
        let second = self.eval(second, depth);
        let (left, right) = if what.right_first { (second, first) } else { (first, second) };
        match (left, right) {
            (absorbs @ Operand::Bool(value), _) | (_, absorbs @ Operand::Bool(value)) if value == absorbing => absorbs,
            (Operand::Bool(_), right @ Operand::Bool(_)) => right,
            (Operand::Absent(left), Operand::Absent(right)) => Operand::Absent(left.or(right)),
            (absent @ Operand::Absent(_), _) | (_, absent @ Operand::Absent(_)) => absent,
            _ => failed(Error::WrongType, node),
        }
    }

    /// Whether a list that is written out has an item that equals a value: without making the list, and whatever else in it has
    /// no value, as `a == x || a == y` would be.
    fn is_in(&mut self, value: u32, list: u32, depth: u32) -> Operand<'a> {
        let value = self.eval(value, depth);
        let Some((_, start, len)) = self.program.node(list) else { return value };
        let mut answer = if matches!(value, Operand::Absent(_)) { value } else { Operand::Bool(false) };
        for item in self.program.list_items(start, len) {
            match (answer, self.eval(item, depth)) {
                (Operand::Absent(known), Operand::Absent(absent)) => answer = Operand::Absent(known.or(absent)),
                (_, absent @ Operand::Absent(_)) => answer = absent,
                (_, item) if equal(value, item) => return Operand::Bool(true),
                _ => {}
            }
        }
        answer
    }

    /// The values of entries of the lists, or the weightiest reason why one of them has none.
    fn operands(&mut self, start: u32, len: u32, depth: u32) -> Result<Vec<Operand<'a>>, Absent> {
        let mut operands = Vec::new();
        let mut absent: Option<Absent> = None;
        for node in self.program.list_items(start, len) {
            match self.eval(node, depth) {
                Operand::Absent(found) => absent = found.after(absent),
                value => operands.push(value),
            }
        }
        absent.map_or(Ok(operands), Err)
    }

    /// A list or map that is written out. Without a value of each item there is none of it.
    fn collection(&mut self, op: Op, start: u32, len: u32, node: u32, depth: u32) -> Operand<'a> {
        let count = if op == Op::Map { len.saturating_mul(2) } else { len };
        let items = match self.operands(start, count, depth) {
            Ok(items) => items,
            Err(absent) => return Operand::Absent(absent),
        };
        // One that is written out may be as long as the expression.
        let Some(items) = self.arena.list(items) else { return failed(Error::TooLarge, node) };
        if op != Op::Map {
            return Operand::List(List::Items(items));
        }
        for (index, (key, _)) in Map::Entries(items).iter().enumerate() {
            let is_key = matches!(key, Operand::Bool(_) | Operand::Int(_) | Operand::Uint(_) | Operand::Text(_));
            if !is_key || Map::Entries(items).iter().take(index).any(|(known, _)| equal(known, key)) {
                return failed(Error::BadKey, node);
            }
        }
        Operand::Map(Map::Entries(items))
    }

    /// Two entries of the lists.
    fn pair(&self, start: u32) -> [u32; 2] {
        let mut items = self.program.list_items(start, 2);
        [items.next().unwrap_or(NONE), items.next().unwrap_or(NONE)]
    }

    /// A macro over a list's items or a map's keys.
    fn fold(&mut self, op: Op, list: u32, pair: u32, node: u32, depth: u32) -> Operand<'a> {
        let list = match self.eval(list, depth) {
            Operand::List(list) => list,
            Operand::Map(map) => List::Keys(map),
            absent @ Operand::Absent(_) => return absent,
            _ => return failed(Error::WrongType, node),
        };
        let [variable, body] = self.pair(pair);
        let Some(variable) = usize::try_from(variable).ok().filter(|variable| *variable < MAX_DEPTH as usize) else {
            return failed(Error::TooLarge, node);
        };
        let mut absent: Option<Absent> = None;
        let mut kept = Vec::new();
        let mut count = 0;
        for item in list.iter() {
            while self.variables.len() <= variable {
                self.variables.push(Operand::Bool(false));
            }
            if let Some(place) = self.variables.get_mut(variable) {
                *place = item;
            }
            match (op, self.eval(body, depth)) {
                (_, Operand::Absent(found)) => absent = found.after(absent),
                (Op::MapItems, value) => kept.push(value),
                (Op::All, value @ Operand::Bool(false)) | (Op::Exists, value @ Operand::Bool(true)) => return value,
                (_, Operand::Bool(true)) => {
                    count += 1;
                    if op == Op::Filter {
                        kept.push(item);
                    }
                }
                (_, Operand::Bool(false)) => {}
                _ => absent = Absent { why: Why::Error(Error::WrongType), node: body }.after(absent),
            }
        }
        match (absent, op) {
            (Some(absent), _) => Operand::Absent(absent),
            (None, Op::All) => Operand::Bool(true),
            (None, Op::Exists) => Operand::Bool(false),
            (None, Op::ExistsOne) => Operand::Bool(count == 1),
            (None, _) => match self.arena.list(kept) {
                Some(items) => Operand::List(List::Items(items)),
                None => failed(Error::TooLarge, node),
            },
        }
    }

    /// A part of an instant on the clock of a time zone.
    fn zoned(&self, op: Op, at: instant::Seconds, zone: &[u8]) -> Result<Operand<'a>, Error> {
        let offset = zone::offset_in(self.program, self.context, utf8(zone), at.whole).ok_or(Error::UnknownZone)?;
        apply::getter(op, at, offset)
    }

    /// An operation on more than two values.
    fn several(&self, op: Op, operands: &[Operand<'a>]) -> Result<Operand<'a>, Error> {
        match (op, operands) {
            (Op::SplitLimit, [Operand::Text(text), Operand::Text(separator), Operand::Int(limit)]) => {
                apply::split(text, separator, *limit, self.arena)
            }
            // Latitudes and longitudes in turn.
            (Op::Distance, operands) => {
                let mut degrees = [0.0; 4];
                for ((place, operand), limit) in degrees.iter_mut().zip(operands).zip([90.0, 180.0, 90.0, 180.0]) {
                    *place = number(*operand).ok_or(Error::WrongType)?;
                    if !(-limit..=limit).contains(place) {
                        return Err(Error::Overflow);
                    }
                }
                let [latitude, longitude, other_latitude, other_longitude] = degrees;
                Ok(Operand::Double(geo::distance_km(latitude, longitude, other_latitude, other_longitude)))
            }
            _ => Err(Error::WrongType),
        }
    }
}

/// A conversion of a constant, when an expression is compiled.
#[cfg(feature = "author")]
pub(crate) fn convert_constant<'a>(op: Op, value: Operand<'a>, arena: &'a Arena<'a>) -> Result<Operand<'a>, Error> {
    convert::convert(op, value, arena)
}

/// The truth of an operation on two constants; `None` where it has none.
#[cfg(feature = "author")]
pub(crate) fn compute(op: Op, left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
    let arena = Arena::default();
    match apply::binary(op, left, right, &arena) {
        Ok(Operand::Bool(value)) => Some(value),
        _ => None,
    }
}

/// The want of a value where the evaluation of a node fails.
#[inline(never)]
fn failed<'a>(error: Error, node: u32) -> Operand<'a> {
    Operand::Absent(Absent { why: Why::Error(error), node })
}
