//! Experiences, and what arbitrates between them, as they are written.

use super::consent::Wording;
use super::content::{PageRule, SlotContent};
#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Share, Spanned, choice, object};
use crate::bucket::MILLION;
use crate::consent::Purpose;
use jsonc_parser::ast::Value;

choice! { "What an experience is." ExperienceKind {
    Personalization "personalization": "One content for those in the audience.";
    Experiment "experiment": "Several variants, to learn which is best.";
} }

choice! { "Whether an experience is live." Status {
    Running "running": "It runs, within its schedule.";
    Draft "draft": "It is being written: only a preview that forces one of its variants shows it, and no browser is given it.";
    Paused "paused": "It runs no more, or not for the moment. Who was assigned keeps their variant for when it goes on.";
} }

object! { "When an experience runs. A date without a time is midnight, a time without an offset is of the site's time zone." Schedule {
    optional from "from": Spanned<String> = "The first moment, such as 2026-11-20 or 2026-11-20T09:00 or 2026-11-20T09:00:00Z.";
    optional until "until": Spanned<String> = "The moment it is over.";
} }

object! { "Who sees what." Experience {
    required id "id": Spanned<String> = "The experience's id. Visitors are assigned by it: keep it.";
    required kind "type": ExperienceKind = "What it is.";
    optional status "status": Status = "Whether it is live (default running).";
    optional audience "audience": Spanned<String> = "Who may see it: an audience's name or an expression (default everyone).";
    optional priority "priority": i32 = "Of two experiences that want the same slot the higher priority wins, then the lesser id (default 0).";
    optional purpose "purpose": Purpose = "The purpose whose consent it needs to tell visitors apart (default personalization).";
    optional because "because": Wording = "What visitors are told of why they see it, by language, such as: because you look at shoes.";
    optional unit "unit": Spanned<String> = "What is assigned as one: visitor, user, or a trait such as profile.organisation (default visitor).";
    optional schedule "schedule": Schedule = "When it runs (default always).";
    optional traffic "traffic": Traffic = "Share of its audience that takes part (default 1), or a ramp of shares over time.";
    optional holdout "holdout": Share = "Share of its audience that is held out, beside the site's holdout (default 0).";
    optional layer "layer": LayerRange = "The part of a layer that it has: experiences with other parts of the layer get other visitors.";
    default requires "requires": List<Requirement> = "Other experiences that the visitor must be assigned to.";
    optional weights "weights": Spanned<List<Weight>> = "An experiment's weight of each variant, baseline first; with runs, of each run (default equal).";
    optional sticky "sticky": Spanned<bool> = "Whether who was assigned keeps their variant when weights, traffic or audience change (default false).";
    optional winner "winner": Spanned<Levels> = "The experiment is over: everyone in its audience gets this variant; with factors, one level for each.";
    default groups "groups": List<Spanned<String>> = "The exclusion groups that it belongs to.";
    default suppresses "suppresses": List<Spanned<String>> = "The groups of which nothing is shown where this experience wins.";
    optional cap "cap": Spanned<Cap> = "How often it may be shown to a visitor.";
    optional global_cap "global_cap": bool = "Whether the site's own cap holds for it and counts it (default true; one without slots shows nothing and is not counted).";
    optional goal "goal": Spanned<String> = "The goal it is measured by.";
    default pages "pages": List<PageRule> = "The pages it runs on, beside its slots' own (default all).";
    default slots "slots": Named<SlotContent> = "What it shows in each of its slots.";
    default factors "factors": Named<Factor> = "A multivariate experiment's factors, in place of slots. Each varies on its own.";
    optional runs "runs": Spanned<List<Spanned<Levels>>> = "The combinations of a fraction: for each one level of every factor (default all combinations).";
} }

object! { "A factor of a multivariate experiment: slots that vary together, and apart from those of other factors." Factor {
    optional weights "weights": Spanned<List<Weight>> = "The weight of each level, baseline first (default equal).";
    required slots "slots": Named<SlotContent> = "What it shows in each of its slots, a list of levels.";
} }

object! { "A part of a layer." LayerRange {
    required name "name": Spanned<String> = "The layer's name.";
    required from "from": Spanned<Share> = "Where its part begins, 0 to 1.";
    required to "to": Spanned<Share> = "Where its part ends.";
} }

object! { "A layer: each visitor has one place in it, so that experiences with other parts of it never meet." Layer {
    optional unit "unit": Spanned<String> = "What has one place in it: visitor, user or a trait (default visitor).";
} }

object! { "An experience that a visitor must be assigned to." Requirement {
    required experience "experience": Spanned<String> = "Its id.";
    optional factor "factor": Spanned<String> = "The factor whose level is meant, where it has factors.";
    optional variants "variants": Spanned<List<Spanned<i32>>> = "The variants of which the visitor must have one (default any).";
} }

object! { "An exclusion group." Group {
    optional max "max": Spanned<i32> = "How many of its experiences may be shown on a page at once (default 1).";
    optional cap "cap": Spanned<Cap> = "How often experiences of the group may be shown to a visitor, together.";
} }

object! { "How often something may be shown to a visitor." Cap {
    optional session "session": Spanned<i32> = "Times in a session.";
    optional day "day": Spanned<i32> = "Times on a day of the visitor's calendar.";
    optional week "week": Spanned<i32> = "Times in a week, which begins on Monday.";
    optional total "total": Spanned<i32> = "Times at all.";
    optional cooldown "cooldown_minutes": Spanned<i32> = "Minutes that pass before it is shown again.";
} }

choice! { "How a ramp goes from one point to the next." RampKind {
    Steps "steps": "The share changes at each point.";
    Linear "linear": "The share changes evenly between two points.";
} }

object! { "A share that changes over time." Ramp {
    required kind "ramp": RampKind = "How it goes from one point to the next.";
    required points "points": Spanned<List<Spanned<RampPoint>>> = "Its points, in the order of time. Before the first the share is 0, after the last it stays.";
} }

object! { "A point of a ramp." RampPoint {
    required at "at": Spanned<String> = "When, as in a schedule.";
    required share "share": Share = "The share at that moment, 0 to 1.";
} }

/// The share of an audience that takes part.
#[derive(Debug, Clone, PartialEq)]
pub enum Traffic {
    /// The same at all times.
    Share(Share),
    /// Changing.
    Ramp(Ramp),
}

impl Read for Traffic {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::NumberLit(_) => Some(Traffic::Share(Read::read(reader)?)),
            Value::Object(_) => Some(Traffic::Ramp(Read::read(reader)?)),
            _ => reader.expected("a share from 0 to 1, or { \"ramp\": ..., \"points\": [...] }"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [Share::schema(), Ramp::schema()] })
    }
}

/// How often a variant is drawn, beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight(pub u32);

impl Read for Weight {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.number().parse() {
            Ok(weight) if weight <= MILLION => Some(Weight(weight)),
            _ => reader.expected("a weight from 0 to 1000000, a whole number as in [1, 1]"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "integer", "minimum": 0, "maximum": MILLION })
    }
}

/// A variant: one number, or one level for each factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels(pub Vec<i32>);

impl Read for Levels {
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self> {
        match reader.value {
            Value::NumberLit(_) => Some(Levels(vec![i32::read(reader)?])),
            Value::Array(_) => Some(Levels(List::<i32>::read(reader)?.0)),
            _ => reader.expected("the number of a variant, or a list with one level for each factor"),
        }
    }

    #[cfg(feature = "schema")]
    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [i32::schema(), List::<i32>::schema()] })
    }
}
