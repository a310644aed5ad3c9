//! What the script in the page does by itself: what it captures, and when a slot counts as seen.

use super::Compiler;
use crate::bucket::MILLION;
use crate::program::layout::{NONE, Section};

/// When a slot counts as seen where nothing is said of it: the share in parts per million, and milliseconds.
const SEEN: (u32, i32) = (500_000, 1000);
/// The longest that a slot is to be in view, in milliseconds.
const LONGEST: i32 = 60_000;

impl Compiler<'_, '_, '_> {
    /// Writes both as the loader reads them, as far as they are not what it does anyway.
    pub(super) fn script(&mut self) {
        let names: Vec<&str> = self.manifest.capture.0.iter().map(|kind| kind.value.name()).collect();
        for (at, kind) in self.manifest.capture.0.iter().enumerate() {
            if names.iter().take(at).any(|name| *name == kind.value.name()) {
                self.error(kind, format!("`{}` stands here twice", kind.value.name()));
            }
        }
        let exposure = self.manifest.exposure.as_ref();
        let share = exposure.and_then(|exposure| exposure.visible.as_ref());
        if let Some(share) = share.filter(|share| share.value.0 == 0) {
            self.error(share, "expected a share above 0 and up to 1: a slot that is not in view is not seen");
        }
        let after = exposure.and_then(|exposure| exposure.after.as_ref());
        if let Some(after) = after.filter(|after| !(0..=LONGEST).contains(&after.value)) {
            self.error(after, format!("expected milliseconds from 0 to {LONGEST}, found {}", after.value));
        }
        let seen = (share.map_or(SEEN.0, |share| share.value.0), after.map_or(SEEN.1, |after| after.value));
        if names.is_empty() && seen == SEEN {
            return;
        }
        let capture = if names.is_empty() { NONE } else { self.builder.text(&names.join(" ")) };
        let exposure = if seen == SEEN { NONE } else { self.builder.text(&format!("{} {}", decimal(seen.0), seen.1)) };
        self.builder.push(Section::Script, &[capture, exposure]);
    }
}

/// A share as people write it.
fn decimal(share: u32) -> String {
    match share {
        MILLION.. => "1".to_owned(),
        share => format!("0.{share:06}").trim_end_matches('0').to_owned(),
    }
}
