//! What a page shows already: caps and cooldowns, exclusion groups, suppression.

use super::{Loss, Lost};
use crate::context::Context;
use crate::profile::Seen;
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
pub(crate) struct GroupShown {
    pub(crate) group: u32,
    winners: u32,
    /// The last of them.
    pub(crate) last: u32,
    /// The first that suppresses the group.
    pub(crate) suppressed_by: Option<u32>,
}

impl GroupShown {
    /// Whether the page shows as many of the group as may be.
    pub(crate) fn is_used_up(&self, program: &Program) -> bool {
        self.winners > 0 && program.group(self.group).is_some_and(|group| self.winners >= group.max)
    }
}

/// What a cap is a cap of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Experience,
    /// The number of the text that names the group.
    Group(#[cfg_attr(not(feature = "explain"), allow(dead_code))] u32),
    Site,
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
        self.each_cap(program, context, experience, details, &mut |_, cap, seen, on_page| check(cap, seen, on_page, context))
    }

    /// Calls `check` with every cap that holds for the experience, in their order: what it is a cap of, what was seen of that
    /// before, and how often this page shows it already.
    pub(crate) fn each_cap(
        &self,
        program: &Program,
        context: &Context,
        experience: &Experience,
        details: &Details,
        check: &mut impl FnMut(Scope, Option<Cap>, Option<Seen>, u32) -> Result<(), Lost>,
    ) -> Result<(), Lost> {
        let seen = |prefix, key| {
            if context.consent.has(experience.purpose) { context.profile.seen(prefix, key) } else { None }
        };
        check(Scope::Experience, program.cap(details.cap()), seen("seen.", program.raw(experience.id)), 0)?;
        for group in program.numbers(details.groups()) {
            let Some(declared) = program.group(group) else { continue };
            let winners = self.of(group).map_or(0, |shown| shown.winners);
            let seen = seen("seen_group.", program.raw(declared.name));
            check(Scope::Group(declared.name), program.cap(declared.cap), seen, winners)?;
        }
        if details.global_cap() {
            check(Scope::Site, program.site_cap(), seen("seen_site", b""), self.site)?;
        }
        Ok(())
    }

    /// Those of its groups that this page shows or suppresses already.
    pub(crate) fn groups(&self, program: &Program, details: &Details) -> impl Iterator<Item = &GroupShown> {
        program.numbers(details.groups()).filter_map(|group| self.of(group))
    }

    /// Whether its groups are open to it.
    #[inline(never)]
    pub(crate) fn check_groups(&self, program: &Program, details: &Details) -> Result<(), Lost> {
        if let Some(by) = self.groups(program, details).find_map(|shown| shown.suppressed_by) {
            return Err((Loss::Suppressed, Some(by)));
        }
        match self.groups(program, details).find(|shown| shown.is_used_up(program)) {
            Some(shown) => Err((Loss::GroupTaken, Some(shown.last))),
            None => Ok(()),
        }
    }

    /// Counts a winner.
    #[inline(never)]
    pub(crate) fn add(&mut self, program: &Program, experience: &Experience, details: &Details) {
        self.site += u32::from(details.global_cap());
        for group in program.numbers(details.groups()) {
            let shown = self.entry(group);
            shown.winners += 1;
            shown.last = experience.index;
        }
        for group in program.numbers(details.suppresses()) {
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
#[inline(never)]
fn check(cap: Option<Cap>, seen: Option<Seen>, on_page: u32, context: &Context) -> Result<(), Lost> {
    let Some(cap) = cap else { return Ok(()) };
    for (limit, count) in cap.limits.into_iter().zip(counts(seen, context)) {
        // Without a limit it is the largest number there is.
        if count.saturating_add(on_page) >= limit {
            return Err((Loss::Cap, None));
        }
    }
    // A last time in the future, by another clock, is not long enough ago either.
    let too_soon = cap.cooldown_minutes > 0 && seen.is_some_and(|seen| context.now < rests_until(&cap, seen));
    if too_soon { Err((Loss::Cooldown, None)) } else { Ok(()) }
}

/// How often it was seen in this session, on this day, in this week, and at all.
pub(crate) fn counts(seen: Option<Seen>, context: &Context) -> [u32; 4] {
    let offset = context.offsets.at(context.now.div_euclid(1000)).unwrap_or(0);
    seen.map_or([0; 4], |seen| seen.at(context.now, offset, context.profile.session_start()))
}

/// The end of the cooldown; of none the last time.
pub(crate) fn rests_until(cap: &Cap, seen: Seen) -> i64 {
    seen.last.saturating_add(i64::from(cap.cooldown_minutes) * 60_000)
}
