//! What a program knows of sources: the table of sites, click ids, channel rules, and the rules of sessions.

use super::Program;
use super::layout::{NONE, Section};
use crate::context::Click;
use crate::glob;
use crate::session::SessionRules;
use crate::text::Cut;
use crate::time::DAY_MS;

impl Program {
    fn sources(&self) -> [u32; 4] {
        self.record(Section::Sources, 0).unwrap_or([NONE, 0, 0, 0])
    }

    /// The table of known sites (see `context/source/sites.rs`).
    pub(crate) fn sites(&self) -> &str {
        self.text(self.sources()[0])
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
                let name = host.cut_last(b':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
                if is(name.map_or(host, |(name, _)| name)) {
                    return true;
                }
            }
        }
        false
    }

    /// The click ids that are looked for, in the order in which they count.
    pub(crate) fn clicks(&self) -> impl Iterator<Item = Click<'_>> {
        (0..self.count(Section::ClickIds)).filter_map(|index| {
            let [parameter, source, medium] = self.record(Section::ClickIds, index)?;
            Some(Click { parameter: self.text(parameter), source: self.text(source), medium: self.text(medium) })
        })
    }

    /// The channel that the manifest's own rules tell by source, medium, campaign and referrer, in lower case. An absent part
    /// (empty) matches no glob.
    pub(crate) fn own_channel(&self, parts: [&str; 4]) -> Option<&str> {
        let mut rules = (0..self.count(Section::Channels)).filter_map(|index| self.record::<5>(Section::Channels, index));
        let [name, ..] = rules.find(|[_, globs @ ..]| {
            globs.iter().zip(parts).all(|(pattern, part)| {
                *pattern == NONE || !part.is_empty() && glob::matches(self.raw(*pattern), part.as_bytes())
            })
        })?;
        Some(self.text(name))
    }
}
