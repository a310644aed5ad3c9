//! The channel of a visit. The rules are data of the program: the manifest's own, then those of Google Analytics 4 (see
//! `compile/channels.rs`). Upper and lower case are the same.

use super::sites::Class;
use crate::program::Program;
use crate::text::find;

/// What channels are told by, in lower case; empty where it is absent.
pub(super) struct Visit<'a> {
    pub(super) source: &'a str,
    /// What the source is.
    pub(super) class: Class,
    pub(super) medium: &'a str,
    pub(super) campaign: &'a str,
    /// The host of the referring page.
    pub(super) referrer: &'a str,
}

impl Visit<'_> {
    /// The first rule that matches.
    pub(super) fn channel<'p>(&self, program: &'p Program) -> &'p str {
        // Every rule that asks for a class comes after those of shopping, or says the same of one that speaks of a shop.
        let class = if shopping_campaign(self.campaign) { Class::Shopping } else { self.class };
        program.channel([self.source, self.medium, self.campaign, self.referrer, class.letter()])
    }
}

/// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: "shop" at the start, or after anything but the letters a to d and f to z; or "shopping".
fn shopping_campaign(campaign: &str) -> bool {
    let mut rest = campaign.as_bytes();
    let mut before = None;
    while let Some(at) = find(rest, b"shop") {
        let (head, tail) = rest.split_at(at);
        before = head.last().copied().or(before);
        if tail.starts_with(b"shopping") || !matches!(before, Some(b'a'..=b'd' | b'f'..=b'z')) {
            return true;
        }
        before = Some(b'p');
        rest = tail.get(4..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Class, Visit, shopping_campaign};

    /// The default channels, written as code.
    fn expected(visit: &Visit<'_>) -> &'static str {
        let Visit { source, class, medium, campaign, .. } = *visit;
        let is = |list: &str| list.split('|').any(|word| word == medium);
        // ^(.*cp.*|ppc|retargeting|paid.*)$
        let paid = medium.contains("cp") || is("ppc|retargeting") || medium.starts_with("paid");
        let shopping = class == Class::Shopping || shopping_campaign(campaign);
        let mail = "email|e-mail|e_mail|e mail";
        match () {
            () if source == "(direct)" && is("(not set)|(none)") => "Direct",
            () if campaign.contains("cross-network") => "Cross-network",
            () if shopping && paid => "Paid Shopping",
            () if class == Class::Search && paid => "Paid Search",
            () if class == Class::Social && paid => "Paid Social",
            () if class == Class::Video && paid => "Paid Video",
            () if is("display|banner|expandable|interstitial|cpm") => "Display",
            () if paid => "Paid Other",
            () if shopping => "Organic Shopping",
            () if class == Class::Social || is("social|social-network|social-media|sm|social network|social media") => {
                "Organic Social"
            }
            () if class == Class::Video || medium.contains("video") => "Organic Video",
            () if class == Class::Search || medium == "organic" => "Organic Search",
            () if class == Class::Assistant || medium == "ai-assistant" => "AI Assistant",
            () if is("referral|app|link") => "Referral",
            () if mail.split('|').any(|word| word == source) || is(mail) => "Email",
            () if medium == "affiliate" => "Affiliates",
            () if medium == "audio" => "Audio",
            () if source == "sms" || medium == "sms" => "SMS",
            () if medium.ends_with("push")
                || medium.contains("mobile")
                || medium.contains("notification")
                || source == "firebase" =>
            {
                "Mobile Push Notifications"
            }
            () => "Unassigned",
        }
    }

    #[test]
    #[cfg(feature = "author")]
    fn the_rules_of_a_program_are_the_published_ones() {
        struct Utc;
        impl crate::compile::Zones for Utc {
            fn offset(&self, _: &str, _: i64) -> Option<i32> {
                Some(0)
            }
        }
        let program = crate::compile::compile(r#"{ "site": { "id": "x" } }"#, &Utc).unwrap();
        let mediums = "|(not set)|(none)|cpc|xcpx|cp|ppc|retargeting|paid|paidsocial|unpaid|display|banner|expandable|interstitial|cpm\
            |social|social-network|social-media|sm|social network|social media|video|myvideos|organic|ai-assistant|referral|app|link\
            |email|e-mail|e_mail|e mail|affiliate|audio|sms|push|webpush|pushed|mobile|a mobile b|notification|notifications|other";
        let sources = "|(direct)|email|e-mail|e_mail|e mail|sms|firebase|push|google|shop";
        let campaigns = "|shop|my-shop|workshop|googleshopping|cross-network|a cross-network shop|other";
        let mut seen = std::collections::BTreeSet::new();
        for class in Class::ALL {
            for medium in mediums.split('|') {
                for source in sources.split('|') {
                    for campaign in campaigns.split('|') {
                        let visit = Visit { source, class, medium, campaign, referrer: "" };
                        let channel = visit.channel(&program);
                        assert_eq!(channel, expected(&visit), "{class:?} {medium:?} {source:?} {campaign:?}");
                        seen.insert(channel.to_owned());
                    }
                }
            }
        }
        assert_eq!(seen.len(), 20, "{seen:?}");
    }

    #[test]
    fn a_shop_is_a_shop_and_a_workshop_is_none() {
        for yes in [
            "shop",
            "my-shop",
            "eshop",
            "e-shop-fr",
            "9shop",
            "googleshopping",
            "workshop-shop",
            "bishopshopping",
            "shopshopping",
        ] {
            assert!(shopping_campaign(yes), "{yes}");
        }
        for no in ["", "workshop", "bishop", "sho", "photoshop-workshop", "workshopshop"] {
            assert!(!shopping_campaign(no), "{no}");
        }
    }
}
