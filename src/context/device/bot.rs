//! Programs: crawlers, assistants, previews, monitors, libraries.

use super::agent::Agent;
use super::words::{BROWSERS, KINDS, position};

/// Whether a program speaks and no person: it says so, or it says nothing that a browser says. `hinted`: client hints
/// tell of a browser.
#[inline(never)]
pub(super) fn is_bot(text: &str, agent: &Agent, hinted: bool) -> bool {
    const DESKTOP: u8 = position(KINDS, "desktop");
    const OTHER: u8 = position(BROWSERS, "other");
    const OPERA: u8 = position(BROWSERS, "opera");
    const CLASSIC: u8 = OPERA + 1;
    const IE: u8 = position(BROWSERS, "ie");
    if agent.bot {
        return true;
    }
    if agent.app.name.is_some() || agent.kind.name.is_some_and(|kind| kind < DESKTOP) {
        return false;
    }
    // Those that never called themselves Mozilla, and those that called themselves compatible with it.
    if matches!(agent.browser.name, Some(OTHER | OPERA | CLASSIC)) {
        return false;
    }
    if !text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("mozilla/")) {
        return !hinted;
    }
    let nothing = agent.kind.name.is_none() && agent.system.name.is_none() && agent.browser.name.is_none();
    (agent.compatible && agent.browser.name != Some(IE)) || (nothing && !hinted)
}
