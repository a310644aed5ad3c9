//! The operating system and its version.

use super::Reading;
use super::agent::{number, version};
use super::words::{BROWSERS, KINDS, SYSTEMS, name, position};

use crate::number::parse_uint;

impl Reading<'_> {
    /// Systems that disguise themselves as another one come first, then what the hints say.
    pub(super) fn system(&self) -> &'static str {
        const DISGUISED: u8 = position(SYSTEMS, "harmonyos");
        const SILK: u8 = position(BROWSERS, "silk");
        let said = self.agent.system.name;
        if self.desktop_ipad() {
            return "ios";
        }
        match self.hints.platform {
            _ if said.is_some_and(|said| said <= DISGUISED) => {}
            // Amazon's tablets say Mac OS X or Linux when they ask for desktop pages.
            _ if self.agent.browser.name == Some(SILK) => return "android",
            "Windows" => return "windows",
            "macOS" => return "macos",
            "Android" => return "android",
            "Linux" => return "linux",
            "Chrome OS" | "Chromium OS" => return "chromeos",
            _ => {}
        }
        said.map_or("other", |said| name(SYSTEMS, said))
    }

    /// No Mac says `Mobile`: it's an app on an iPad that shows desktop pages. (Safari there says nothing that a Mac does not.)
    pub(super) fn desktop_ipad(&self) -> bool {
        self.agent.system.name == Some(position(SYSTEMS, "macos")) && self.agent.kind.name == Some(position(KINDS, "mobile"))
    }

    /// Empty where it isn't told, or where what is told is frozen.
    pub(super) fn system_version(&self, system: &str) -> String {
        const IOS: u8 = position(SYSTEMS, "ios");
        let hinted = version(self.hints.platform_version.as_bytes(), 0);
        let end = self.agent.system.end;
        let said = version(self.text, end);
        match system {
            // Their numbers are models (Nintendo 3DS), or kernels.
            "xbox" | "nintendo" | "webos" | "other" => String::new(),
            _ if self.desktop_ipad() => String::new(),
            "windows" => self.windows(&hinted, &said).to_owned(),
            _ if !hinted.is_empty() => hinted,
            "linux" => String::new(),
            // Safari since 11 and Firefox since 87 say so on every later system.
            "macos" if matches!(said.as_str(), "10.15" | "10.15.7") => String::new(),
            // Chrome since 110 says so of every Android and ChromeOS ("User-Agent Reduction").
            "android" if number(self.text, end).is_some_and(|rest| rest.starts_with(b"10; K)")) => String::new(),
            "chromeos" if said == "14541" => String::new(),
            "ios" if self.agent.system.name == Some(IOS + 2) => String::new(),
            // Every later iOS says so too, but there Safari has the number of the system.
            "ios" if self.agent.system.name == Some(IOS + 1) && matches!(said.as_str(), "18.6" | "18.7") => {
                self.agent.version.map(|end| version(self.text, end)).unwrap_or_default()
            }
            // Desktop pages on Amazon's tablets: it's the number of another system.
            "android" if !self.behind(b"android") => String::new(),
            _ => said,
        }
    }

    /// Whether that word was the one that named the system.
    fn behind(&self, word: &[u8]) -> bool {
        let before = self.text.get(..self.agent.system.end).unwrap_or_default();
        before.len().checked_sub(word.len()).and_then(|at| before.get(at..)).is_some_and(|last| last.eq_ignore_ascii_case(word))
    }

    /// The number that Windows is known by: of its hint (Microsoft, "Detect Windows 11"), of its telephones, or of NT, which
    /// stays at 10.0. Vista and before have that of NT.
    fn windows<'a>(&self, hinted: &'a str, said: &'a str) -> &'a str {
        if !hinted.is_empty() {
            let major = hinted.split('.').next().unwrap_or_default();
            return match (parse_uint(major).unwrap_or(0), hinted) {
                (13.., _) => "11",
                (1.., _) => "10",
                (_, "0.3") => "8.1",
                (_, "0.2") => "8",
                (_, "0.1") => "7",
                _ => "",
            };
        }
        match said {
            _ if self.behind(b"phone") || self.behind(b"phone os") => said,
            _ if !self.behind(b"nt") => "",
            "10" => "",
            "6.3" => "8.1",
            "6.2" => "8",
            "6.1" => "7",
            _ => said,
        }
    }
}
