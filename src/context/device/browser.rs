//! The browser and its version.

use super::Reading;
use super::agent::version;
use super::words::{BROWSERS, name, position};
use crate::number::{parse_uint, push_int};

impl Reading<'_> {
    pub(super) fn browser(&self, system: &str) -> &'static str {
        let found = self.agent.browser.name.into_iter().chain(self.branded.browser).min();
        let versioned = self.agent.version.is_some();
        let webview = self.agent.webview || self.branded.webview;
        match (found.map_or("", |found| name(BROWSERS, found)), system) {
            _ if self.agent.app.name.is_some() => "webview",
            ("samsung", "tizen") => "samsung",
            // Televisions, consoles and watches name the browsers that theirs is made from.
            (
                "" | "chrome" | "firefox" | "silk" | "samsung",
                "xbox" | "playstation" | "nintendo" | "roku" | "tvos" | "watchos" | "tizen" | "webos" | "kaios" | "harmonyos",
            ) => "other",
            ("chrome", _) if webview => "webview",
            ("chrome", "android") if versioned => "webview",
            ("", "android") if versioned => "android",
            ("", "ios" | "macos") if self.agent.safari => "safari",
            ("", "ios" | "macos") => "webview",
            ("", "windows") if self.agent.safari && versioned => "safari",
            ("", _) => "other",
            (found, _) => found,
        }
    }

    /// As the best source tells it: the list of full versions, the user agent, the brands. Empty where none does.
    pub(super) fn browser_version(&self, browser: &str) -> String {
        const CHROME: u8 = position(BROWSERS, "chrome");
        const CLASSIC_OPERA: u8 = position(BROWSERS, "opera") + 1;
        let (found, versioned) = (self.agent.browser, self.agent.version);
        let end = match browser {
            "other" => return String::new(),
            "safari" | "android" => versioned,
            "opera" if found.name == Some(CLASSIC_OPERA) && versioned.is_some() => versioned,
            "webview" => found.name.filter(|found| *found == CHROME).map(|_| found.end),
            _ => found.name.filter(|found| name(BROWSERS, *found) == browser).map(|_| found.end),
        };
        let hinted = match self.branded.browser {
            Some(brand) if browser == "webview" || name(BROWSERS, brand) == browser => self.branded.version.as_str(),
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
