//! Experiences that can never win, because another one does wherever they could.
//!
//! Where the second passes every step before arbitration, the first must too; and what keeps the first from winning then must
//! keep the second from it. Only what is certain counts: an experience that chance, caps or others may hold back shadows nothing.

use super::logic::{Cases, Logic};
use super::{Outline, lookup, pages};
use crate::bucket::MILLION;
use crate::consent::Purpose;
use crate::manifest::{Experience, Group, Manifest, PageRule, Slot, Spanned, Status, Traffic};
use crate::sorted::sorted;

/// An experience that can never win.
pub(super) struct Shadow<'m> {
    pub(super) of: &'m Experience,
    pub(super) by: &'m Experience,
    /// What the other does wherever this one could win.
    pub(super) how: How<'m>,
}

/// How one experience keeps another from winning.
#[derive(Clone, Copy)]
pub(super) enum How<'m> {
    /// It takes this slot.
    Slot(&'m str),
    /// It is the one of this group that is shown.
    Group(&'m str),
    /// It suppresses this group.
    Suppressed(&'m str),
}

/// An experience as arbitration sees it.
struct Candidate<'a, 'm> {
    outline: &'a Outline<'m>,
    /// The cases in which its audience is true and its contents have their values.
    cases: Cases<'a>,
    /// The numbers of its slots.
    slots: Vec<u32>,
}

/// What is known of a slot or a group, of the experiences so far.
#[derive(Clone, Default)]
struct Wanted {
    /// The first that has it.
    first: Option<u32>,
    /// Those that have it or suppress it, and surely win where their audience is, but for arbitration.
    by: Vec<u32>,
}

/// Finds the shadows among experiences in the order of arbitration, with the cases of their audiences.
pub(super) fn shadows<'a, 'm>(
    manifest: &'m Manifest,
    outlines: &'a [Outline<'m>],
    audiences: &[Cases<'a>],
    logic: &mut Logic<'a>,
) -> Vec<Shadow<'m>> {
    // Slots, and groups behind them.
    let mut wanted: Vec<Wanted> = vec![Wanted::default(); manifest.slots.len() + manifest.groups.len()];
    let mut earlier: Vec<Candidate<'a, 'm>> = Vec::new();
    let mut found = Vec::new();
    for (outline, audience) in outlines.iter().zip(audiences) {
        let cases = logic.with_values(audience, &outline.needs);
        let named = outline.experience.all_slots();
        let slots = named.filter_map(|name| Some(lookup(&manifest.slots, &name.value).ok()?.0)).collect();
        let candidate = Candidate { outline, cases, slots };
        let groups = |names: &[Spanned<String>]| -> Vec<u32> {
            let numbers = names.iter().filter_map(|name| Some(lookup(&manifest.groups, &name.value).ok()?.0));
            numbers.map(|number| number + manifest.slots.len() as u32).collect()
        };
        let own = [candidate.slots.clone(), groups(&outline.experience.groups.0)].concat();
        let mut tried: Vec<u32> = Vec::new();
        // Those who stay assigned are not asked whether they are in the audience.
        let sticky = outline.experience.is_sticky().then(|| logic.with_values(&Cases::always(), &outline.needs));
        let wins = sticky.as_ref().unwrap_or(&candidate.cases);
        if outline.experience.is_running() && !wins.is_never() && !logic.is_spent() {
            for place in &own {
                tried.extend(wanted.get(*place as usize).iter().flat_map(|wanted| &wanted.by));
            }
        }
        let mut tried = sorted(tried, &|one, other| one.cmp(other));
        tried.dedup();
        logic.spend(tried.len());
        for other in tried {
            let Some(before) = earlier.get(other as usize).filter(|_| !logic.is_spent()) else { break };
            let free = |slot: u32| wanted.get(slot as usize).is_some_and(|wanted| wanted.first == Some(other));
            if let Some(how) = keeps_out(manifest, before, &candidate, &free)
                && logic.implies(wins, &before.cases)
            {
                found.push(Shadow { of: outline.experience, by: before.outline.experience, how });
                break;
            }
        }
        let index = earlier.len() as u32;
        let certain = is_certain(outline.experience);
        for place in own.into_iter().chain(groups(&outline.experience.suppresses.0)) {
            let Some(wanted) = wanted.get_mut(place as usize) else { continue };
            wanted.first.get_or_insert(index);
            if certain {
                wanted.by.push(index);
            }
        }
        earlier.push(candidate);
    }
    found
}

/// Whether nothing but page, schedule, audience, contents and arbitration decides on an experience, and the holdout and caps that
/// the site and groups have.
fn is_certain(experience: &Experience) -> bool {
    let all = match &experience.traffic {
        None => true,
        Some(Traffic::Share(share)) => share.0 == MILLION,
        Some(Traffic::Ramp(_)) => false,
    };
    experience.is_running()
        && experience.requires.0.is_empty()
        && experience.cap.is_none()
        && experience.holdout.is_none_or(|share| share.0 == 0)
        // Everyone gets the winner of an experiment that is over.
        && (experience.winner.is_some() || (all && experience.layer.is_none()))
}

/// How the first experience keeps the second out wherever that passes every step before arbitration, if the first's audience is
/// there.
fn keeps_out<'m>(
    manifest: &'m Manifest,
    first: &Candidate<'_, 'm>,
    second: &Candidate<'_, 'm>,
    free: &dyn Fn(u32) -> bool,
) -> Option<How<'m>> {
    let (outline, of_second) = (first.outline, second.outline);
    let (one, other) = (outline.experience, of_second.experience);
    // Who is held out, and what was seen, is told apart by the same consent.
    let alike = one.purpose() == other.purpose();
    let has = |names: &[Spanned<String>], name: &str| names.iter().any(|other| other.value == name);
    let capped = |experience: &Experience| manifest.cap.is_some() && experience.has_global_cap();
    // Whatever keeps the first out keeps the second out too: the holdout, caps, its groups, and slots that are taken.
    let together = (alike || manifest.holdout.is_none_or(|share| share.0 == 0))
        && (!capped(one) || (alike && capped(other)))
        && one.groups.0.iter().all(|name| {
            let uncapped = group(manifest, &name.value).is_some_and(|group| group.cap.is_none());
            has(&other.groups.0, &name.value) && (alike || uncapped)
        })
        && first.slots.iter().all(|slot| second.slots.contains(slot) || free(*slot));
    if !together || outline.from > of_second.from || outline.until < of_second.until {
        return None;
    }
    let slot = |number: &u32| manifest.slots.get(*number as usize);
    let rules = |number: &u32| slot(number).map_or(&[][..], |(_, Slot { pages, .. })| pages.0.as_slice());
    // Wherever the second is: by its own rules, or by those of each slot that it may be there for.
    let everywhere = |outer: &dyn Fn(&[PageRule]) -> bool| {
        outer(&other.pages.0) || (!second.slots.is_empty() && second.slots.iter().all(|own| outer(rules(own))))
    };
    if !everywhere(&|inner| pages::hold(&one.pages.0, inner)) {
        return None;
    }
    let is_there = |slots: &[u32]| everywhere(&|inner| slots.iter().any(|slot| pages::hold(rules(slot), inner)));
    let shared: Vec<u32> = first.slots.iter().copied().filter(|slot| second.slots.contains(slot)).collect();
    if is_there(&shared) {
        let covering = shared.iter().find(|slot| pages::hold(rules(slot), &other.pages.0)).or(shared.first());
        return Some(How::Slot(&covering.and_then(slot)?.0.value));
    }
    if !first.slots.is_empty() && !is_there(&first.slots) {
        return None;
    }
    let suppressed = one.suppresses.0.iter().find(|name| has(&other.groups.0, &name.value));
    let full = |name: &&Spanned<String>| {
        group(manifest, &name.value).is_some_and(|group| group.max.as_ref().is_none_or(|max| max.value == 1))
    };
    match (suppressed, one.groups.0.iter().find(full)) {
        (Some(name), _) => Some(How::Suppressed(&name.value)),
        (None, name) => Some(How::Group(&name?.value)),
    }
}

fn group<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m Group> {
    lookup(&manifest.groups, name).ok().map(|(_, group)| group)
}

impl Experience {
    /// The names of its slots, those of its factors too.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = &Spanned<String>> {
        let of_factors = self.factors.iter().flat_map(|(_, factor)| &factor.slots);
        self.slots.iter().chain(of_factors).map(|(name, _)| name)
    }

    /// Whether it has slots, and none is on a page of its own.
    pub(super) fn is_nowhere(&self, manifest: &Manifest) -> bool {
        let apart = |name: &Spanned<String>| {
            lookup(&manifest.slots, &name.value).is_ok_and(|(_, slot)| !pages::meet(&self.pages.0, &slot.pages.0))
        };
        self.all_slots().next().is_some() && self.all_slots().all(apart)
    }

    /// Whether the site's cap holds for it and counts it: not what shows nothing.
    pub(super) fn has_global_cap(&self) -> bool {
        self.global_cap != Some(false) && self.all_slots().next().is_some()
    }

    /// The purpose whose consent it needs to tell visitors apart.
    pub(super) fn purpose(&self) -> Purpose {
        self.purpose.unwrap_or(Purpose::Personalization)
    }

    /// Whether it is neither a draft nor paused.
    pub(super) fn is_running(&self) -> bool {
        self.status.is_none_or(|status| status == Status::Running)
    }
}
