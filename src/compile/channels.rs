//! The channels of visits: the manifest's own rules, then those of Google Analytics 4 ("Default channel group", Analytics Help),
//! in their published order. A runtime takes the first that matches.

use super::Compiler;
use crate::context::Class;
use crate::manifest::Sources;
use crate::program::layout::{NONE, Section};

/// A condition on each part of a visit in lower case: globs, one of which has to match; none where the part does not matter.
#[derive(Default)]
struct When {
    source: &'static [&'static str],
    medium: &'static [&'static str],
    campaign: &'static [&'static str],
    /// What the source is. A campaign that speaks of a shop is one to a runtime (see `context/source/channel.rs`).
    class: Option<Class>,
}

/// `^(.*cp.*|ppc|retargeting|paid.*)$`.
const PAID: &[&str] = &["*cp*", "ppc", "retargeting", "paid*"];
const MAIL: &[&str] = &["email", "e-mail", "e_mail", "e mail"];

const fn class(class: Class) -> When {
    When { class: Some(class), medium: &[], source: &[], campaign: &[] }
}

const fn medium(medium: &'static [&'static str]) -> When {
    When { medium, source: &[], campaign: &[], class: None }
}

const fn source(source: &'static [&'static str]) -> When {
    When { source, medium: &[], campaign: &[], class: None }
}

const fn paid(class: Class) -> When {
    When { class: Some(class), medium: PAID, source: &[], campaign: &[] }
}

const RULES: &[(&str, When)] = &[
    ("Direct", When { source: &["(direct)"], medium: &["(not set)", "(none)"], campaign: &[], class: None }),
    ("Cross-network", When { campaign: &["*cross-network*"], source: &[], medium: &[], class: None }),
    ("Paid Shopping", paid(Class::Shopping)),
    ("Paid Search", paid(Class::Search)),
    ("Paid Social", paid(Class::Social)),
    ("Paid Video", paid(Class::Video)),
    ("Display", medium(&["display", "banner", "expandable", "interstitial", "cpm"])),
    ("Paid Other", medium(PAID)),
    ("Organic Shopping", class(Class::Shopping)),
    ("Organic Social", class(Class::Social)),
    ("Organic Social", medium(&["social", "social-network", "social-media", "sm", "social network", "social media"])),
    ("Organic Video", class(Class::Video)),
    ("Organic Video", medium(&["*video*"])),
    ("Organic Search", class(Class::Search)),
    ("Organic Search", medium(&["organic"])),
    // Since 2026-05-13; its place in the order is not published.
    ("AI Assistant", class(Class::Assistant)),
    ("AI Assistant", medium(&["ai-assistant"])),
    ("Referral", medium(&["referral", "app", "link"])),
    ("Email", source(MAIL)),
    ("Email", medium(MAIL)),
    ("Affiliates", medium(&["affiliate"])),
    ("Audio", medium(&["audio"])),
    ("SMS", source(&["sms"])),
    ("SMS", medium(&["sms"])),
    ("Mobile Push Notifications", medium(&["*push", "*mobile*", "*notification*"])),
    ("Mobile Push Notifications", source(&["firebase"])),
    ("Unassigned", When { source: &[], medium: &[], campaign: &[], class: None }),
];

impl Compiler<'_, '_, '_> {
    pub(super) fn channels(&mut self) {
        if let Some(sources) = &self.manifest.sources {
            self.own_channels(sources);
        }
        for (name, When { source, medium, campaign, class }) in RULES {
            let name = self.builder.text(name);
            let mut globs = |globs: &[&str]| if globs.is_empty() { NONE } else { self.builder.text(&globs.join("\n")) };
            let (source, medium, campaign) = (globs(source), globs(medium), globs(campaign));
            let class = class.map_or(NONE, |class| self.builder.text(class.letter()));
            self.builder.push(Section::Channels, &[name, source, medium, campaign, NONE, class]);
        }
    }

    fn own_channels(&mut self, sources: &Sources) {
        for rule in &sources.channels.0 {
            self.check_title(&rule.name);
            let when = &rule.when.value;
            let parts = [&when.source, &when.medium, &when.campaign, &when.referrer];
            if parts.iter().all(|part| part.is_none()) {
                let help = "say at least one of source, medium, campaign and referrer, such as { \"medium\": \"partner*\" }";
                self.error_with_help(&rule.when, "a rule without a condition would match every visit", Some(help.to_owned()));
            }
            let mut record = [NONE; 6];
            let texts = std::iter::once(Some(&rule.name)).chain(parts.map(Option::as_ref));
            for (index, (word, text)) in record.iter_mut().zip(texts).enumerate() {
                let Some(text) = text else { continue };
                // A line break would make two globs of one.
                if index > 0 && (text.value.is_empty() || text.value.contains(char::is_control)) {
                    self.error(
                        text,
                        "expected a glob such as news*, without control characters; a part that is absent matches none",
                    );
                }
                let pattern = if index == 0 { text.value.clone() } else { text.value.to_ascii_lowercase() };
                *word = self.builder.text(&pattern);
            }
            self.builder.push(Section::Channels, &record);
        }
    }
}
