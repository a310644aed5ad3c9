//! Device, system, browser and app: client hints where the browser sends them, else what its user agent says.
//!
//! Nothing is made up. What browsers froze in their user agents (`Windows NT 10.0`, `Mac OS X 10_15_7`, `Android 10; K`,
//! `iPhone OS 18_6`) tells no version; without client hints it is absent. Of a program (`bot`) only that is told: the rest
//! of its user agent is a costume.

mod agent;
mod bot;
mod browser;
mod hints;
mod system;
mod words;

use super::sent::{Header, Sent};
use super::{Context, Field};
use crate::text::{contains, is_one_of};
use agent::Agent;
use hints::{Branded, Hints};
use words::{APPS, BROWSERS, KINDS, SYSTEMS, name, told};

#[cfg(feature = "author")]
pub(crate) use words::packed;

/// What the numbers of a packed table of words stand for.
pub(crate) const NAMES: &[&str] = &[KINDS, SYSTEMS, BROWSERS, APPS];

#[inline(never)]
pub(super) fn derive(context: &mut Context, sent: &Sent<'_>, table: &[u8]) {
    let save_data = sent.header(Header::SaveData).eq_ignore_ascii_case("on");
    context.set_bool(Field::DeviceSaveData, save_data);
    let text = sent.header(Header::UserAgent);
    let hints = Hints::of(sent);
    let branded = hints.branded(table);
    let agent = agent::read(table, text);
    let model = agent::read(table, hints.model).kind.name;
    let hinted = branded.browser.is_some() || !hints.platform.is_empty();
    if text.is_empty() && !hinted {
        context.set_text(Field::DeviceType, if hints.mobile { "mobile" } else { "unknown" });
        return;
    }
    if branded.bot || bot::is_bot(text, &agent, hinted) {
        context.set_text(Field::DeviceType, "bot");
        context.set_text(Field::DeviceOs, "other");
        context.set_text(Field::DeviceBrowser, "other");
        return;
    }
    let reading = Reading { text: text.as_bytes(), agent, hints, branded, model };
    let system = reading.system();
    let browser = reading.browser(system);
    context.set_text(Field::DeviceType, reading.kind(system));
    context.set_text(Field::DeviceOs, system);
    context.set_text(Field::DeviceOsVersion, &reading.system_version(system));
    context.set_text(Field::DeviceBrowser, browser);
    context.set_text(Field::DeviceBrowserVersion, &reading.browser_version(browser));
    if let Some(app) = reading.agent.app.name {
        context.set_text(Field::DeviceApp, name(APPS, app));
    }
}

/// What a request says of a person's device.
struct Reading<'a> {
    text: &'a [u8],
    agent: Agent,
    hints: Hints<'a>,
    branded: Branded,
    /// What kind of device the hinted model is.
    model: Option<u8>,
}

impl Reading<'_> {
    #[inline(never)]
    fn kind(&self, system: &str) -> &'static str {
        let said = first(self.agent.kind.name, self.model).map_or("", |found| name(KINDS, found));
        let factor = |word| contains(self.hints.form_factors, word);
        match () {
            () if is_one_of(said, "console|tv|wearable") => said,
            () if factor("\"Watch\"") || factor("\"XR\"") => "wearable",
            () if said == "tablet" => said,
            () if self.desktop_ipad() => "tablet",
            () if said == "mobile" => said,
            () if self.hints.mobile => "mobile",
            () if factor("\"Tablet\"") => "tablet",
            () if said == "desktop" => said,
            // Their tablets leave out `Mobile`.
            () => told("android tablet|other unknown", system).unwrap_or("desktop"),
        }
    }
}

/// The position that comes first.
fn first(one: Option<u8>, other: Option<u8>) -> Option<u8> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        _ => one.or(other),
    }
}
