//! What a program knows of sources: the table of sites, click ids, channel rules, and the rules of sessions.

use super::Program;
use super::layout::{NONE, Section};
use crate::context::Click;
use crate::glob;
use crate::session::SessionRules;
use crate::text::{Cut, is_digits};
use crate::time::DAY_MS;

impl Program {
    fn sources(&self) -> [u32; 4] {
        self.record(Section::Sources, 0).unwrap_or([NONE, 0, 0, 0])
    }

    /// The table of known sites (see `context/source/sites.rs`).
    pub(crate) fn sites(&self) -> &[u8] {
        self.raw(self.sources()[0])
    }

    /// When a session is over.
    pub fn session_rules(&self) -> SessionRules {
        let [_, minutes, new_campaign, _] = self.sources();
        SessionRules { timeout: i64::from(minutes) * 60_000, new_campaign: new_campaign == 1 }
    }

    /// How long a touch counts as the last one although the visits after it are direct, in milliseconds.
    pub fn attribution_window(&self) -> i64 {
        i64::from(self.sources()[3]) * DAY_MS
    }

    /// Whether that holds for one of the hosts that are no referrers, without their ports: the site's, and those that the
    /// manifest names beside them.
    pub(crate) fn is_own_host(&self, is: impl Fn(&str) -> bool) -> bool {
        for section in [Section::Hosts, Section::InternalHosts] {
            for index in 0..self.count(section) {
                let host = self.record(section, index).map_or("", |[host]| self.text(host));
                let name = host.cut_last(b':').filter(|(_, port)| is_digits(port));
                if is(name.map_or(host, |(name, _)| name)) {
                    return true;
                }
            }
        }
        false
    }

    /// The first of the click ids, in the order in which they count, whose parameter is given.
    pub(crate) fn click(&self, given: impl Fn(&[u8]) -> bool) -> Option<Click<'_>> {
        for index in 0..self.count(Section::ClickIds) {
            let [parameter] = self.record(Section::ClickIds, index)?;
            if given(self.raw(parameter)) {
                let [_, source, medium] = self.record(Section::ClickIds, index)?;
                return Some(Click { parameter: self.text(parameter), source: self.text(source), medium: self.text(medium) });
            }
        }
        None
    }

    /// The channel of the first rule that matches source, medium, campaign, referrer, all in lower case, and the letter of the
    /// source's class. An absent part (empty) matches no glob.
    #[inline(never)]
    pub(crate) fn channel(&self, parts: [&str; 5]) -> &str {
        let matches = |pattern, part: &str| {
            pattern == NONE
                || !part.is_empty()
                    && self.raw(pattern).split(|byte| *byte == b'\n').any(|glob| glob::matches(glob, part.as_bytes()))
        };
        for index in 0..self.count(Section::Channels) {
            let Some([name, globs @ ..]) = self.record::<6>(Section::Channels, index) else { break };
            if globs.into_iter().zip(parts).all(|(pattern, part)| matches(pattern, part)) {
                return self.text(name);
            }
        }
        ""
    }
}
