//! Programs: crawlers, assistants, previews, monitors, libraries.

use super::agent::Agent;
use super::words::{BROWSERS, position};

/// Whether a program speaks and no person: it says so, or it says nothing that a browser says. `hinted`: client hints
/// tell of a browser.
#[inline(never)]
pub(super) fn is_bot(text: &str, agent: &Agent, hinted: bool) -> bool {
    const OTHER: u8 = position(BROWSERS, "other");
    const CLASSIC_OPERA: u8 = position(BROWSERS, "opera") + 1;
    const IE: u8 = position(BROWSERS, "ie");
    if agent.bot {
        return true;
    }
    // What a person holds or sits at; browsers that never called themselves Mozilla, or compatible with it.
    if agent.kind.name.is_some() || matches!(agent.browser.name, Some(OTHER | CLASSIC_OPERA)) {
        return false;
    }
    if !text.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("mozilla/")) {
        return !hinted;
    }
    let nothing = agent.system.name.is_none() && agent.browser.name.is_none();
    (agent.compatible && agent.browser.name != Some(IE)) || (nothing && !hinted)
}
