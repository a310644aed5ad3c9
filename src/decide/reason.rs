//! The closed lists of what decisions come from, and why.

macro_rules! named {
    ($(#[$attribute:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident $text:literal),* $(,)? }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $enum { $($(#[$doc])* $name),* }

        impl $enum {
            /// All of them, in the order of their codes.
            pub const ALL: &[$enum] = &[$($enum::$name),*];

            /// Their names, in the same order.
            #[allow(dead_code)] // Not every list is part of a program.
            pub(crate) const NAMES: &[&str] = &[$($text),*];

            /// The name in JSON.
            pub fn name(self) -> &'static str {
                match self { $($enum::$name => $text),* }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What a slot's decision comes from.
    Source {
        /// What the origin sent.
        Baseline "baseline",
        /// A personalization's content.
        Personalization "personalization",
        /// A variant of an experiment, its baseline included.
        Experiment "experiment",
    }
}

named! {
    /// Why a slot shows what it shows. The list is closed.
    Reason {
        /// The visitor is in the personalization's audience.
        Match "match",
        /// The visitor was assigned to this variant of the experiment.
        Split "split",
        /// The visitor keeps the variant that was assigned before.
        Sticky "sticky",
        /// A preview asks for this variant.
        Forced "forced",
        /// The experiment is over, and this variant won it.
        Winner "winner",
        /// The experience won, but needs a unit to draw a bucket for and there is none: it serves its baseline.
        NoUnit "no_unit",
        /// No experience won this slot.
        NoCandidate "no_candidate",
    }
}

named! {
    /// Why a candidate lost: the first step that it did not pass. The list is closed.
    Loss {
        /// Its page rules do not match, or none of its slots is on this page.
        Page "page",
        /// It is a draft.
        Draft "draft",
        /// It is paused.
        Paused "paused",
        /// It has not begun, or is over.
        Schedule "schedule",
        /// The audience is false.
        Audience "audience",
        /// The audience, or a value that its content needs, is unknown.
        Unknown "unknown",
        /// As `unknown`, because a purpose is not agreed to.
        NoConsent "no_consent",
        /// The visitor is not assigned to an experience that it requires.
        Prerequisite "prerequisite",
        /// The visitor is in the site's holdout.
        Holdout "holdout",
        /// The visitor is in the experience's own holdout.
        ExperienceHoldout "experience_holdout",
        /// The visitor's place in the layer is another experience's, or nobody's.
        Layer "layer",
        /// The visitor is outside the experience's traffic.
        Traffic "traffic",
        /// The visitor has seen it, its group or the site's experiences as often as may be.
        Cap "cap",
        /// The last time is not long enough ago.
        Cooldown "cooldown",
        /// Another experience suppresses one of its groups.
        Suppressed "suppressed",
        /// Other experiences used one of its groups up.
        GroupTaken "group_taken",
        /// Another experience took one of its slots.
        SlotTaken "slot_taken",
    }
}
