//! Which page rules match a page. Rules stand in the order of their beginnings (what is before the first star), and each knows
//! the one before it whose beginning its own begins with: of all that could match a path, the last is found by halving, and the
//! others are those that it leads back to.

use super::layout::{NONE, Section};
use super::{Program, run};
use crate::bits::Bits;
use crate::context::Context;
use crate::glob;
use std::ops::Range;

/// The set of page rules that has no rules, and so matches every page.
const EVERYWHERE: u32 = 0;

/// What of a program is on a page: its sets of page rules of which a rule matches.
#[derive(Debug)]
pub(crate) struct Page {
    sets: Bits,
}

impl Page {
    pub(crate) fn new(program: &Program, context: &Context) -> Page {
        let mut page = Page::everywhere(program);
        let path = context.path().as_bytes();
        let (mut low, mut high) = (0, program.count(Section::Rules));
        while low < high {
            let middle = low + (high - low) / 2;
            if beginning(program.raw(program.cell(Section::Rules, middle, 0))) <= path {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let mut next = low.wrapping_sub(1);
        while let Some(before) = page.add(program, context, next) {
            // A forged one that leads to itself ends here.
            if before >= next {
                break;
            }
            next = before;
        }
        page
    }

    /// As [`Page::new`], by a look at every rule.
    pub(crate) fn by_scan(program: &Program, context: &Context) -> Page {
        let mut page = Page::everywhere(program);
        for rule in 0..program.count(Section::Rules) {
            page.add(program, context, rule);
        }
        page
    }

    fn everywhere(program: &Program) -> Page {
        let mut sets = Bits::new(program.count(Section::Pages));
        sets.insert(EVERYWHERE);
        Page { sets }
    }

    /// Adds the sets of a rule, if it matches. Returns the rule that it leads back to; nothing where there is no such rule.
    fn add(&mut self, program: &Program, context: &Context, rule: usize) -> Option<usize> {
        let [glob, conditions, before, first] = program.record(Section::Rules, rule)?;
        if glob::matches(program.raw(glob), context.path().as_bytes()) && program.has_conditions(conditions, context) {
            let end = program.cell(Section::Rules, rule + 1, 3);
            program.column(Section::RulePages, first as usize..end as usize).for_each(|set| self.sets.insert(set));
        }
        Some(before as usize)
    }

    /// The sets that match.
    pub(crate) fn sets(&self) -> impl Iterator<Item = u32> {
        self.sets.iter()
    }

    pub(crate) fn has_slot(&self, program: &Program, slot: u32) -> bool {
        self.sets.has(program.slot_pages(slot))
    }

    /// The experiences whose page rules match.
    pub(crate) fn experiences(&self, program: &Program) -> Bits {
        let mut experiences = Bits::new(program.experience_count());
        for set in self.sets() {
            let first = |set: usize| program.cell(Section::Pages, set, 2);
            program.post(first(set as usize)..first(set as usize + 1), &mut experiences);
        }
        experiences
    }
}

/// What of a path stands before its first star.
pub(crate) fn beginning(glob: &[u8]) -> &[u8] {
    let end = glob.iter().position(|byte| *byte == b'*').unwrap_or(glob.len());
    glob.get(..end).unwrap_or_default()
}

impl Program {
    /// The set of page rules of a slot.
    pub(crate) fn slot_pages(&self, slot: u32) -> u32 {
        self.cell(Section::Slots, slot as usize, 2)
    }

    /// Puts the experiences of postings in.
    #[inline(never)]
    pub(super) fn post(&self, postings: Range<u32>, experiences: &mut Bits) {
        let postings = postings.start as usize..postings.end as usize;
        self.column(Section::Postings, postings).for_each(|experience| experiences.insert(experience));
    }

    /// Whether host and query of a page are as a rule wants them.
    fn has_conditions(&self, conditions: u32, context: &Context) -> bool {
        let Some([host, start, len]) = self.record(Section::RuleConditions, conditions as usize) else { return true };
        if host != NONE && !glob::matches(self.raw(host), context.host().as_bytes()) {
            return false;
        }
        for parameter in run(start, len) {
            let Some([name, pattern]) = self.record(Section::Queries, parameter) else { break };
            let value = context.query().iter().find(|(key, _)| key.as_bytes() == self.raw(name));
            if !value.is_some_and(|(_, value)| glob::matches(self.raw(pattern), value.as_bytes())) {
                return false;
            }
        }
        true
    }
}
