//! What a page shows already: caps and cooldowns, exclusion groups, suppression.

use super::{Loss, Lost};
use crate::context::Context;
use crate::profile::{Profile, Seen};
use crate::program::{Cap, Details, Experience, Program};

/// The winners of a page so far.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// Winners that the site's cap counts.
    site: u32,
    groups: Vec<GroupShown>,
}

/// The winners of a group.
#[derive(Debug)]
struct GroupShown {
    group: u32,
    winners: u32,
    /// The last of them.
    last: u32,
    /// The first that suppresses the group.
    suppressed_by: Option<u32>,
}

impl Shown {
    fn of(&self, group: u32) -> Option<&GroupShown> {
        self.groups.iter().find(|known| known.group == group)
    }

    /// Caps and cooldowns of the experience, of its groups and of the site.
    #[inline(never)]
    pub(crate) fn check_caps(
        &self,
        program: &Program,
        context: &Context,
        experience: &Experience,
        details: &Details,
    ) -> Result<(), Lost> {
        let seen = |prefix, key| {
            let seen = Profile::find(&context.profile.seen, prefix, key);
            seen.filter(|_| context.consent.has(experience.purpose))
        };
        check(program.cap(details.cap), seen("seen.", program.raw(experience.id)), 0, context)?;
        for group in program.numbers(details.groups.clone()) {
            let Some(declared) = program.group(group) else { continue };
            let winners = self.of(group).map_or(0, |shown| shown.winners);
            check(program.cap(declared.cap), seen("seen_group.", program.raw(declared.name)), winners, context)?;
        }
        if details.global_cap {
            check(program.site_cap(), seen("seen_site", b""), self.site, context)?;
        }
        Ok(())
    }

    /// Whether its groups are open to it.
    #[inline(never)]
    pub(crate) fn check_groups(&self, program: &Program, details: &Details) -> Result<(), Lost> {
        let groups = || program.numbers(details.groups.clone()).filter_map(|group| self.of(group));
        if let Some(by) = groups().find_map(|shown| shown.suppressed_by) {
            return Err((Loss::Suppressed, Some(by)));
        }
        let used_up = |shown: &&GroupShown| program.group(shown.group).is_some_and(|group| shown.winners >= group.max);
        match groups().filter(|shown| shown.winners > 0).find(used_up) {
            Some(shown) => Err((Loss::GroupTaken, Some(shown.last))),
            None => Ok(()),
        }
    }

    /// Counts a winner.
    #[inline(never)]
    pub(crate) fn add(&mut self, program: &Program, experience: &Experience, details: &Details) {
        self.site += u32::from(details.global_cap);
        for group in program.numbers(details.groups.clone()) {
            let shown = self.entry(group);
            shown.winners += 1;
            shown.last = experience.index;
        }
        for group in program.numbers(details.suppresses.clone()) {
            self.entry(group).suppressed_by.get_or_insert(experience.index);
        }
    }

    fn entry(&mut self, group: u32) -> &mut GroupShown {
        let at = self.groups.iter().position(|known| known.group == group).unwrap_or(self.groups.len());
        if at == self.groups.len() {
            self.groups.push(GroupShown { group, winners: 0, last: 0, suppressed_by: None });
        }
        // It was found, or put there.
        #[allow(clippy::indexing_slicing)]
        &mut self.groups[at]
    }
}

/// A cap against what was seen before and what this page shows already.
fn check(cap: Option<Cap>, seen: Option<&Seen>, on_page: u32, context: &Context) -> Result<(), Lost> {
    let Some(cap) = cap else { return Ok(()) };
    let offset = context.offsets.at(context.now.div_euclid(1000)).unwrap_or(0);
    let counts = seen.map_or([0; 4], |seen| seen.at(context.now, offset, context.profile.session_start));
    for (limit, count) in cap.limits.into_iter().zip(counts) {
        // Without a limit it is the largest number there is.
        if count.saturating_add(on_page) >= limit {
            return Err((Loss::Cap, None));
        }
    }
    // A last time in the future, by another clock, is not long enough ago either.
    let too_soon = |seen: &Seen| context.now.saturating_sub(seen.last) < i64::from(cap.cooldown_minutes) * 60_000;
    if cap.cooldown_minutes > 0 && seen.is_some_and(too_soon) { Err((Loss::Cooldown, None)) } else { Ok(()) }
}
