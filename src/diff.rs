//! What one program says otherwise than another: before it is published, so that whoever does it sees what is going to change.
//!
//! Every property is compared as a text that people read. What a program does not hold is no difference: how the manifest is
//! written, its comments, goals, and priorities that change no order.

use crate::program::{Program, Properties, Things};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The longest text of a property that is shown to people.
const LONGEST: usize = 160;

/// So many characters are shown before the first that differs.
const CONTEXT: usize = 40;

/// What a program says otherwise than another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The version of the one.
    pub from: String,
    /// The version of the other.
    pub to: String,
    /// What of the site itself is otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub site: Vec<Change>,
    /// Of each kind (`audiences`, `slots`, `experiences` ...) that differs, what.
    #[serde(flatten)]
    pub kinds: BTreeMap<&'static str, Kind>,
    /// The versions differ though nothing that is named here does: the same in another order, or tables of another compiler.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only_order: bool,
}

/// What differs of the things of a kind, each by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Those that only the other program has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Those that only the one has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Those that both have, and what they say otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<String, Vec<Change>>,
}

/// A property that is otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its name.
    pub property: String,
    /// What the one says; nothing where that goes without saying.
    pub from: Option<String>,
    /// What the other says.
    pub to: Option<String>,
}

impl Diff {
    /// What `to` says otherwise than `from`.
    pub fn of(from: &Program, to: &Program) -> Diff {
        let site = changes(&from.described_site(), &to.described_site());
        let mut kinds = BTreeMap::new();
        for ((kind, old), (_, new)) in from.described().into_iter().zip(to.described()) {
            let mut found = Kind::of(&old, &new);
            if kind == "experiences" {
                found.moved(from, to);
            }
            if found != Kind::default() {
                kinds.insert(kind, found);
            }
        }
        let (from, to) = (from.version(), to.version());
        let only_order = from != to && site.is_empty() && kinds.is_empty();
        Diff { from, to, site, kinds, only_order }
    }

    /// Whether both say the same.
    pub fn is_empty(&self) -> bool {
        self.site.is_empty() && self.kinds.is_empty() && !self.only_order
    }

    /// The difference for people, a line for each.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for change in &self.site {
            let _ = writeln!(out, "~ site: {}", change.text());
        }
        for (kind, found) in &self.kinds {
            let one = kind.strip_suffix('s').unwrap_or(kind);
            for name in &found.removed {
                let _ = writeln!(out, "- {one} {name}");
            }
            for name in &found.added {
                let _ = writeln!(out, "+ {one} {name}");
            }
            for (name, changes) in &found.changed {
                let _ = writeln!(out, "~ {one} {name}");
                for change in changes {
                    let _ = writeln!(out, "    {}", change.text());
                }
            }
        }
        if self.only_order {
            out.push_str("the same in another order, or with tables of another compiler\n");
        }
        if self.is_empty() {
            out.push_str("nothing\n");
        }
        out
    }
}

impl Kind {
    fn of(old: &Things, new: &Things) -> Kind {
        let missing = |of: &Things, other: &Things| of.keys().filter(|name| !other.contains_key(*name)).cloned().collect();
        let both = old.iter().filter_map(|(name, old)| Some((name, changes(old, new.get(name)?))));
        Kind {
            added: missing(new, old),
            removed: missing(old, new),
            changed: both.filter(|(_, changes)| !changes.is_empty()).map(|(name, changes)| (name.clone(), changes)).collect(),
        }
    }

    /// Adds the experiences that come earlier or later in arbitration among those that both programs have. The fewest that have
    /// to move are named.
    fn moved(&mut self, from: &Program, to: &Program) {
        let ids = |program: &Program, other: &Program| -> Vec<String> {
            let known: BTreeSet<&str> = (0..other.experience_count() as u32).map(|one| other.experience_id(one)).collect();
            let all = (0..program.experience_count() as u32).map(|one| program.experience_id(one));
            all.filter(|id| known.contains(id)).map(str::to_owned).collect()
        };
        let (old, new) = (ids(from, to), ids(to, from));
        let place: BTreeMap<&str, usize> = old.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
        let places: Vec<usize> = new.iter().filter_map(|id| place.get(id.as_str()).copied()).collect();
        let kept = longest_rising(&places);
        let behind = |ids: &[String], at: usize| match at.checked_sub(1).and_then(|before| ids.get(before)) {
            Some(before) => format!("behind {before}"),
            None => "first".to_owned(),
        };
        for (at, (id, was)) in new.iter().zip(&places).enumerate() {
            if !kept.contains(was) {
                let change =
                    Change { property: "priority".to_owned(), from: Some(behind(&old, *was)), to: Some(behind(&new, at)) };
                self.changed.entry(id.clone()).or_default().push(change);
            }
        }
    }
}

impl Change {
    fn text(&self) -> String {
        let (from, to) = (self.from.as_deref().unwrap_or("-"), self.to.as_deref().unwrap_or("-"));
        // Of long texts what both begin with tells nothing.
        let same = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
        let skip = if from.chars().count().max(to.chars().count()) > LONGEST { same.saturating_sub(CONTEXT) } else { 0 };
        format!("{}: {} -> {}", self.property, excerpt(from, skip), excerpt(to, skip))
    }
}

/// A part of a text, with dots where something is left out.
fn excerpt(text: &str, skip: usize) -> String {
    let mut shown: String = if skip > 0 { "...".to_owned() } else { String::new() };
    shown.extend(text.chars().skip(skip).take(LONGEST));
    if text.chars().count() > skip + LONGEST {
        shown.push_str("...");
    }
    shown
}

fn changes(old: &Properties, new: &Properties) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| {
        let (from, to) = (old.get(name), new.get(name));
        (from != to).then(|| Change { property: name.clone(), from: from.cloned(), to: to.cloned() })
    };
    names.into_iter().filter_map(change).collect()
}

/// The members of a longest run of numbers that rises, skipping others (patience sorting).
fn longest_rising(numbers: &[usize]) -> BTreeSet<usize> {
    // Of the runs of each length the least last number, and where each number's run goes on backwards.
    let (mut ends, mut before): (Vec<usize>, BTreeMap<usize, usize>) = (Vec::new(), BTreeMap::new());
    for number in numbers {
        let length = ends.partition_point(|end| end < number);
        if let Some(end) = length.checked_sub(1).and_then(|at| ends.get(at)) {
            before.insert(*number, *end);
        }
        match ends.get_mut(length) {
            Some(end) => *end = *number,
            None => ends.push(*number),
        }
    }
    let mut found = BTreeSet::new();
    let mut next = ends.last().copied();
    while let Some(number) = next {
        found.insert(number);
        next = before.get(&number).copied();
    }
    found
}
