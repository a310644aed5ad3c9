//! The operating system and its version.

use super::Reading;
use super::agent::{number, version};
use super::words::{BROWSERS, KINDS, SYSTEMS, name, position, told};

use crate::number::parse_uint;
use crate::text::{Cut, is_one_of};

impl Reading<'_> {
    /// Systems that disguise themselves as another one come first, then what the hints say.
    #[inline(never)]
    pub(super) fn system(&self) -> &'static str {
        const DISGUISED: u8 = position(SYSTEMS, "harmonyos");
        const SILK: u8 = position(BROWSERS, "silk");
        let said = self.agent.system.name;
        if self.desktop_ipad() {
            return "ios";
        }
        if said.is_none_or(|said| said > DISGUISED) {
            // Amazon's tablets say Mac OS X or Linux when they ask for desktop pages.
            if self.agent.browser.name == Some(SILK) {
                return "android";
            }
            const TOLD: &str =
                "Windows windows|macOS macos|Android android|Linux linux|Chrome OS chromeos|Chromium OS chromeos";
            if let Some(system) = told(TOLD, self.hints.platform) {
                return system;
            }
        }
        said.map_or("other", |said| name(SYSTEMS, said))
    }

    /// No Mac says `Mobile`: it's an app on an iPad that shows desktop pages. (Safari there says nothing that a Mac does not.)
    pub(super) fn desktop_ipad(&self) -> bool {
        const MACOS: u8 = position(SYSTEMS, "macos");
        const MOBILE: u8 = position(KINDS, "mobile");
        self.agent.system.name == Some(MACOS) && self.agent.kind.name == Some(MOBILE)
    }

    /// Empty where it isn't told, or where what is told is frozen.
    #[inline(never)]
    pub(super) fn system_version(&self, system: &str) -> String {
        const IOS: u8 = position(SYSTEMS, "ios");
        let hinted = version(self.hints.platform_version.as_bytes(), 0);
        let end = self.agent.system.end;
        let said = version(self.text, end);
        // The numbers of some are models (Nintendo 3DS), or kernels.
        if is_one_of(system, "xbox|nintendo|webos|other") || self.desktop_ipad() {
            return String::new();
        }
        if system == "windows" {
            return self.windows(&hinted, &said).to_owned();
        }
        if !hinted.is_empty() {
            return hinted;
        }
        let name = self.agent.system.name;
        let frozen = match () {
            () if system == "linux" => true,
            // Safari since 11 and Firefox since 87 say so on every later system.
            () if system == "macos" => is_one_of(&said, "10.15|10.15.7"),
            // Chrome since 110 says so of every Android and ChromeOS ("User-Agent Reduction"). Desktop pages on Amazon's
            // tablets: it's the number of another system.
            () if system == "android" => {
                number(self.text, end).is_some_and(|rest| rest.starts_with(b"10; K)")) || !self.behind(b"android")
            }
            () if system == "chromeos" => said == "14541",
            () if system == "ios" => name == Some(IOS + 2),
            () => false,
        };
        if frozen {
            return String::new();
        }
        // Every later iOS says so too, but there Safari has the number of the system.
        if system == "ios" && name == Some(IOS + 1) && is_one_of(&said, "18.6|18.7") {
            return self.agent.version.map(|end| version(self.text, end)).unwrap_or_default();
        }
        said
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
            let major = hinted.parts(b'.').next().unwrap_or_default();
            return match parse_uint(major).unwrap_or(0) {
                13.. => "11",
                1.. => "10",
                _ => told("0.3 8.1|0.2 8|0.1 7", hinted).unwrap_or_default(),
            };
        }
        if self.behind(b"phone") || self.behind(b"phone os") {
            return said;
        }
        if !self.behind(b"nt") {
            return "";
        }
        told("10 |6.3 8.1|6.2 8|6.1 7", said).unwrap_or(said)
    }
}
