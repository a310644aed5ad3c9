//! Writing page rules and the index: see `program/page.rs` and `program/index.rs`.

use super::{Builder, PageRecord};
use crate::program::index::NOT_LIVE;
use crate::program::layout::{NONE, SECTIONS, Section};
use crate::program::page::beginning;
use crate::sorted::{Numbers, sorted};
use std::cmp::Ordering;

/// A field and the hash of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) field: u32,
    pub(crate) hash: u32,
}

/// What an experience is found by.
pub(super) struct Posted {
    set: u32,
    experience: u32,
    live: bool,
    keys: Vec<Key>,
}

/// In a set with fewer experiences that have keys, looking at all of them costs no more than looking for the keys.
const WORTH_KEYS: usize = 16;

impl Builder {
    /// The number of a set of page rules. Equal ones are stored once.
    pub(crate) fn pages(&mut self, rules: &[PageRecord]) -> u32 {
        let mut set = vec![SECTIONS as u32];
        for rule in rules {
            let conditions = if rule.host == NONE && rule.queries.is_empty() {
                NONE
            } else {
                let queries = self.run(Section::Queries, &rule.queries);
                self.run(Section::RuleConditions, &[rule.host, queries, rule.queries.len() as u32 / 2])
            };
            // The other words follow when all are known.
            set.push(self.run(Section::Rules, &[rule.path, conditions, NONE, 0]));
        }
        if let Some(number) = self.runs.get(&set) {
            return *number;
        }
        let first = self.next(Section::PageRules);
        for rule in set.iter().skip(1) {
            self.push(Section::PageRules, &[*rule]);
        }
        let number = self.push(Section::Pages, &[first, 0, 0]);
        self.runs.insert(set, number);
        number
    }

    /// Has an experience found on the pages of a set of page rules; with keys only where the context has one of them.
    pub(crate) fn post(&mut self, experience: u32, set: u32, live: bool, keys: Vec<Key>) {
        self.posted.push(Posted { set, experience, live, keys });
    }

    /// Writes all that experiences are found by.
    pub(super) fn index(&mut self) {
        let sets = self.next(Section::Pages);
        // The end of the last set.
        self.push(Section::Pages, &[self.next(Section::PageRules), 0, 0]);
        self.rules(sets);
        let mut of_sets: Vec<Vec<Posted>> = (0..sets).map(|_| Vec::new()).collect();
        for posted in std::mem::take(&mut self.posted) {
            if let Some(list) = of_sets.get_mut(posted.set as usize) {
                list.push(posted);
            }
        }
        let mut fields = Numbers::default();
        for (set, posted) in of_sets.into_iter().enumerate() {
            self.postings(set, posted, &mut fields);
        }
        self.begin_set(sets as usize);
        for field in fields.all() {
            self.push(Section::KeyFields, &[*field]);
        }
    }

    /// Keys and postings of a set begin here.
    fn begin_set(&mut self, set: usize) {
        let (keys, postings) = (self.next(Section::Keys), self.next(Section::Postings));
        if let Some([_, key, posting]) = self.record(Section::Pages, set) {
            (*key, *posting) = (keys, postings);
        }
    }

    fn postings(&mut self, set: usize, posted: Vec<Posted>, fields: &mut Numbers) {
        let worth = posted.iter().filter(|one| one.live && !one.keys.is_empty()).count() >= WORTH_KEYS;
        let mut keyed = Vec::new();
        self.begin_set(set);
        for Posted { experience, live, keys, .. } in posted {
            if !live {
                keyed.push((NOT_LIVE, experience));
            } else if keys.is_empty() || !worth {
                self.push(Section::Postings, &[experience]);
            } else {
                for Key { field, hash } in keys {
                    fields.insert(field);
                    keyed.push((hash, experience));
                }
            }
        }
        let mut last = None;
        for (hash, experience) in sorted(keyed, &|one: &(u32, u32), other| one.cmp(other)) {
            if last != Some(hash) {
                let next = self.next(Section::Postings);
                self.push(Section::Keys, &[hash, next]);
                last = Some(hash);
            }
            self.push(Section::Postings, &[experience]);
        }
    }

    /// Puts the rules in the order of their beginnings, and writes which sets each is in.
    fn rules(&mut self, sets: u32) {
        let rules: Vec<[u32; 4]> = self.section(Section::Rules).as_chunks().0.to_vec();
        let order =
            sorted((0..rules.len()).collect(), &|one: &usize, other: &usize| match (rules.get(*one), rules.get(*other)) {
                (Some([one, conditions, ..]), Some([other, others, ..])) => {
                    let (one, other) = (self.bytes_of(*one), self.bytes_of(*other));
                    beginning(one).cmp(beginning(other)).then_with(|| one.cmp(other)).then(conditions.cmp(others))
                }
                _ => Ordering::Equal,
            });
        // Where each rule stands now.
        let mut places = vec![0; rules.len()];
        let mut before: Vec<(u32, Vec<u8>)> = Vec::new();
        let mut ordered = Vec::new();
        for (place, rule) in order.iter().enumerate() {
            let Some([path, conditions, ..]) = rules.get(*rule) else { continue };
            if let Some(slot) = places.get_mut(*rule) {
                *slot = place as u32;
            }
            let begins = beginning(self.bytes_of(*path)).to_vec();
            while before.last().is_some_and(|(_, other)| !begins.starts_with(other)) {
                before.pop();
            }
            ordered.push([*path, *conditions, before.last().map_or(NONE, |(other, _)| *other), 0]);
            before.push((place as u32, begins));
        }
        let mut sets_of: Vec<Vec<u32>> = vec![Vec::new(); rules.len()];
        for set in 0..sets as usize {
            let first = |set| self.section(Section::Pages).get(set * 3).map_or(0, |first| *first as usize);
            for rule in first(set)..first(set + 1) {
                let Some([rule]) = self.record(Section::PageRules, rule) else { continue };
                *rule = places.get(*rule as usize).copied().unwrap_or(NONE);
                if let Some(list) = sets_of.get_mut(*rule as usize) {
                    list.push(set as u32);
                }
            }
        }
        let mut words = Vec::new();
        for ([path, conditions, before, _], sets) in ordered.into_iter().zip(sets_of) {
            words.extend([path, conditions, before, self.next(Section::RulePages)]);
            for set in sets {
                self.push(Section::RulePages, &[set]);
            }
        }
        if let Some(section) = self.sections.get_mut(Section::Rules as usize) {
            *section = words;
        }
    }
}
