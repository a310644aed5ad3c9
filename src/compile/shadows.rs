//! Experiences that can never win, because another one does wherever they could.
//!
//! Where the second passes every step before arbitration, the first must too; and what keeps the first from its slots then
//! must keep the second from one of its own. Only what is certain counts: an experience that chance, caps or others may hold back
//! shadows nothing.

use super::logic::{Cases, Logic};
use super::{Outline, lookup, pages};
use crate::bucket::MILLION;
use crate::consent::Purpose;
use crate::manifest::{Experience, Manifest, PageRule, Slot};

/// An experience that can never win.
pub(super) struct Shadow<'m> {
    pub(super) of: &'m Experience,
    pub(super) by: &'m Experience,
    /// The slot that the other takes wherever this one could.
    pub(super) slot: &'m str,
}

/// An experience as arbitration sees it.
struct Candidate<'a, 'm> {
    outline: &'a Outline<'m>,
    /// The cases of its audience in which its contents have their values.
    cases: Cases<'a>,
    /// The numbers of its slots.
    slots: Vec<u32>,
}

/// What is known of a slot, of the experiences so far.
#[derive(Clone, Default)]
struct Taken {
    /// The first that has it.
    first: Option<u32>,
    /// Those that surely take it where their audience is.
    by: Vec<u32>,
}

/// Finds the shadows among experiences in the order of arbitration, with the cases of their audiences.
pub(super) fn shadows<'a, 'm>(
    manifest: &'m Manifest,
    outlines: &'a [Outline<'m>],
    audiences: Vec<Cases<'a>>,
    logic: &mut Logic<'a>,
) -> Vec<Shadow<'m>> {
    let mut taken: Vec<Taken> = vec![Taken::default(); manifest.slots.len()];
    let mut earlier: Vec<Candidate<'a, 'm>> = Vec::new();
    let mut found = Vec::new();
    for (outline, audience) in outlines.iter().zip(audiences) {
        let cases = logic.with_values(&audience, &outline.needs);
        let slots = outline.experience.slots.iter().filter_map(|(name, _)| Some(lookup(&manifest.slots, &name.value).ok()?.0));
        let candidate = Candidate { outline, cases, slots: slots.collect() };
        let mut tried: Vec<u32> = Vec::new();
        for slot in &candidate.slots {
            tried.extend(taken.get(*slot as usize).iter().flat_map(|taken| &taken.by));
        }
        tried.sort_unstable();
        tried.dedup();
        logic.spend(tried.len());
        for other in tried {
            let Some(before) = earlier.get(other as usize).filter(|_| !logic.is_spent() && !candidate.cases.is_never()) else {
                break;
            };
            let free = |slot: u32| taken.get(slot as usize).is_some_and(|taken| taken.first == Some(other));
            if let Some(slot) = takes(manifest, before, &candidate, &free)
                && logic.implies(&candidate.cases, &before.cases)
            {
                found.push(Shadow { of: outline.experience, by: before.outline.experience, slot });
                break;
            }
        }
        let index = earlier.len() as u32;
        for slot in &candidate.slots {
            let Some(taken) = taken.get_mut(*slot as usize) else { continue };
            taken.first.get_or_insert(index);
            if is_certain(outline.experience) {
                taken.by.push(index);
            }
        }
        earlier.push(candidate);
    }
    found
}

/// Whether nothing but page, schedule, audience, contents and arbitration decides on an experience, and the site's holdout.
fn is_certain(experience: &Experience) -> bool {
    experience.traffic.is_none_or(|share| share.0 == MILLION) && experience.holdout.is_none_or(|share| share.0 == 0)
}

/// A slot that the first experience takes, or that is taken before it, wherever the second passes page, schedule and draws, if
/// the first's audience is there.
fn takes<'m>(
    manifest: &'m Manifest,
    first: &Candidate<'_, 'm>,
    second: &Candidate<'_, 'm>,
    free: &dyn Fn(u32) -> bool,
) -> Option<&'m str> {
    let (one, other) = (first.outline, second.outline);
    let purpose = |outline: &Outline<'_>| outline.experience.purpose.unwrap_or(Purpose::Personalization);
    let same_holdout = manifest.holdout.is_none_or(|share| share.0 == 0) || purpose(one) == purpose(other);
    let slot = |number: &u32| manifest.slots.get(*number as usize);
    let rules = |number: &u32| slot(number).map_or(&[][..], |(_, Slot { pages, .. })| pages.0.as_slice());
    // Wherever the second is: by its own rules, or by those of each slot that it may be there for.
    let holds = |outer: &[PageRule]| {
        pages::hold(outer, &other.experience.pages.0) || second.slots.iter().all(|own| pages::hold(outer, rules(own)))
    };
    let shared = || first.slots.iter().filter(|slot| second.slots.contains(slot));
    let covering = shared().find(|slot| pages::hold(rules(slot), &other.experience.pages.0));
    let everywhere =
        covering.is_some() || second.slots.iter().all(|own| shared().any(|slot| pages::hold(rules(slot), rules(own))));
    let certain = same_holdout
        && one.from <= other.from
        && one.until >= other.until
        && holds(&one.experience.pages.0)
        && everywhere
        // What keeps the first from a slot of its own alone would leave the second the others.
        && first.slots.iter().all(|slot| second.slots.contains(slot) || free(*slot));
    let name = covering.or(shared().next()).and_then(slot).map(|(name, _)| name.value.as_str());
    name.filter(|_| certain)
}
