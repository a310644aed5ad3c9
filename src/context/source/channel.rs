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
