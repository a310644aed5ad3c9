//! The channel of a visit: the manifest's own rules, then those of Google Analytics 4 ("Default channel group", Analytics
//! Help), in their published order. Upper and lower case are the same.

use super::sites::Class;
use crate::program::Program;
use crate::text::{contains, find, is_one_of};

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
        let parts = [self.source, self.medium, self.campaign, self.referrer];
        program.own_channel(parts).unwrap_or_else(|| self.default_channel())
    }

    #[inline(never)]
    fn default_channel(&self) -> &'static str {
        let Visit { source, class, medium, campaign, .. } = *self;
        let is = |list| is_one_of(medium, list);
        // ^(.*cp.*|ppc|retargeting|paid.*)$
        let paid = contains(medium, "cp") || is("ppc|retargeting") || medium.starts_with("paid");
        let shopping = class == Class::Shopping || shopping_campaign(campaign);
        let mail = "email|e-mail|e_mail|e mail";
        match () {
            () if source == "(direct)" && is("(not set)|(none)") => "Direct",
            () if contains(campaign, "cross-network") => "Cross-network",
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
            () if class == Class::Video || contains(medium, "video") => "Organic Video",
            () if class == Class::Search || medium == "organic" => "Organic Search",
            // Since 2026-05-13; its place in the order is not published.
            () if class == Class::Assistant || medium == "ai-assistant" => "AI Assistant",
            () if is("referral|app|link") => "Referral",
            () if is_one_of(source, mail) || is(mail) => "Email",
            () if medium == "affiliate" => "Affiliates",
            () if medium == "audio" => "Audio",
            () if source == "sms" || medium == "sms" => "SMS",
            () if medium.ends_with("push")
                || contains(medium, "mobile")
                || contains(medium, "notification")
                || source == "firebase" =>
            {
                "Mobile Push Notifications"
            }
            () => "Unassigned",
        }
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
    use super::shopping_campaign;

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
