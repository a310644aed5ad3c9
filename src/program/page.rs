//! Which page rules match a page. Rules stand in the order of their beginnings (what is before the first star), and each knows
//! the one before it whose beginning its own begins with: of all that could match a path, the last is found by halving, and the
//! others are those that it leads back to.

use super::layout::{NONE, Section};
use super::{Program, Run, run};
use crate::bits::Bits;
use crate::context::Context;
use crate::glob;

/// The set of page rules that has no rules, and so matches every page.
const EVERYWHERE: u32 = 0;

/// What of a program is on a page: its sets of page rules of which a rule matches.
#[derive(Debug)]
pub(crate) struct Page {
    sets: Bits,
}

impl Page {
    pub(crate) fn new(program: &Program, context: &Context) -> Page {
        let mut sets = Bits::new(program.count(Section::Pages));
        sets.insert(EVERYWHERE);
        let path = context.path().as_bytes();
        let (mut low, mut high) = (0, program.count(Section::Rules));
        while low < high {
            let middle = low + (high - low) / 2;
            let [rule] = program.record(Section::Rules, middle).unwrap_or([NONE]);
            if beginning(program.raw(rule)) <= path { low = middle + 1 } else { high = middle }
        }
        let mut next = low.wrapping_sub(1);
        while let Some([glob, conditions, before, first]) = program.record(Section::Rules, next) {
            if glob::matches(program.raw(glob), path) && program.has_conditions(conditions, context) {
                let end = program.record(Section::Rules, next + 1).map_or(NONE, |[_, _, _, end]: [u32; 4]| end);
                for page in first as usize..(end as usize).min(program.count(Section::RulePages)) {
                    if let Some([set]) = program.record(Section::RulePages, page) {
                        sets.insert(set);
                    }
                }
            }
            // A forged one that leads to itself ends here.
            if before as usize >= next {
                break;
            }
            next = before as usize;
        }
        Page { sets }
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
            program.post(program.postings(set), &mut experiences);
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
        self.record(Section::Slots, slot as usize).map_or(NONE, |[_, _, pages]| pages)
    }

    /// All postings of a set of page rules.
    pub(super) fn postings(&self, set: u32) -> Run {
        let first = |set: u32| self.record(Section::Pages, set as usize).map_or(0, |[_, _, posting]| posting as usize);
        first(set)..first(set.saturating_add(1))
    }

    /// Puts the experiences of postings in.
    #[inline(never)]
    pub(super) fn post(&self, postings: Run, experiences: &mut Bits) {
        for posting in postings {
            let Some([experience]) = self.record(Section::Postings, posting) else { break };
            experiences.insert(experience);
        }
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
