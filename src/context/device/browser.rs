//! The browser and its version.

use super::agent::version;
use super::words::{BROWSERS, name, position};
use super::{Reading, first};
use crate::number::{parse_uint, push_int};
use crate::text::is_one_of;

impl Reading<'_> {
    #[inline(never)]
    pub(super) fn browser(&self, system: &'static str) -> &'static str {
        let found = first(self.agent.browser.name, self.branded.browser).map_or("", |found| name(BROWSERS, found));
        let versioned = self.agent.version.is_some();
        let webview = self.agent.webview || self.branded.webview;
        let (chrome, nothing, android) = (found == "chrome", found.is_empty(), system == "android");
        // Televisions, consoles and watches name the browsers that theirs is made from.
        const MADE_FROM: &str = "|chrome|firefox|silk|samsung";
        const MAKERS: &str = "xbox|playstation|nintendo|roku|tvos|watchos|tizen|webos|kaios|harmonyos";
        match () {
            () if self.agent.app.name.is_some() => "webview",
            () if found == "samsung" && system == "tizen" => found,
            () if is_one_of(found, MADE_FROM) && is_one_of(system, MAKERS) => "other",
            () if chrome && (webview || (android && versioned)) => "webview",
            () if !nothing => found,
            () if android && versioned => system,
            () if is_one_of(system, "ios|macos") => {
                if self.agent.safari {
                    "safari"
                } else {
                    "webview"
                }
            }
            () if system == "windows" && self.agent.safari && versioned => "safari",
            () => "other",
        }
    }

    /// As the best source tells it: the list of full versions, the user agent, the brands. Empty where none does.
    #[inline(never)]
    pub(super) fn browser_version(&self, browser: &str) -> String {
        const CHROME: u8 = position(BROWSERS, "chrome");
        const CLASSIC_OPERA: u8 = position(BROWSERS, "opera") + 1;
        let (found, versioned) = (self.agent.browser, self.agent.version);
        if browser == "other" {
            return String::new();
        }
        let webview = browser == "webview";
        let classic = browser == "opera" && found.name == Some(CLASSIC_OPERA) && versioned.is_some();
        let end = if classic || is_one_of(browser, "safari|android") {
            versioned
        } else {
            let same = |found: &u8| if webview { *found == CHROME } else { name(BROWSERS, *found) == browser };
            found.name.filter(same).map(|_| found.end)
        };
        let hinted = match self.branded.browser {
            Some(brand) if webview || name(BROWSERS, brand) == browser => self.branded.version.as_str(),
            _ => "",
        };
        if !hinted.is_empty() && (end.is_none() || !self.hints.full_versions.is_empty()) {
            return hinted.to_owned();
        }
        // In its compatibility view Internet Explorer says an older `MSIE`; what it's made from tells.
        let engine = self.agent.trident.filter(|_| browser == "ie").map(|end| version(self.text, end));
        if let Some(engine) = engine.and_then(|engine| parse_uint(&engine)).filter(|engine| *engine < 256) {
            let mut number = String::new();
            push_int(&mut number, engine as i64 + 4);
            return number;
        }
        end.map(|end| version(self.text, end)).unwrap_or_default()
    }
}
