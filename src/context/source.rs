//! Where a visit comes from: UTM parameters, else a click id, else the referrer; and the default channel group that Google
//! Analytics 4 would give it ("Default channel group", Analytics Help; the rules in their published order).

use super::{Context, Field, Request};
use crate::program::Program;
use crate::text::{contains, find, without_www};
use crate::url;

/// Advertising click ids: the URL's parameter, the source it tells, and the medium where it tells one.
const CLICK_IDS: &[(&str, &str, &str)] = &[
    ("gclid", "google", "cpc"),
    ("gclsrc", "google", "cpc"),
    ("dclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("msclkid", "bing", "cpc"),
    ("ttclid", "tiktok", "cpc"),
    ("twclid", "twitter", "cpc"),
    ("li_fat_id", "linkedin", "cpc"),
    ("rdt_cid", "reddit", "cpc"),
    ("epik", "pinterest", "cpc"),
    ("sccid", "snapchat", "cpc"),
    ("qclid", "quora", "cpc"),
    ("mc_cid", "mailchimp", "email"),
    // Facebook adds it to unpaid links too: it tells the source, not that it was paid.
    ("fbclid", "facebook", ""),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    Search,
    Social,
    Video,
    Shopping,
    Assistant,
    Email,
}

/// Known sites and what they are. Without a dot: the name that a site has under a public suffix (`google` in `www.google.fr`)
/// and in `utm_source`; with one: a host, or the end of hosts.
const SITES: &[(&str, Site)] = &[
    ("google", Site::Search),
    ("bing", Site::Search),
    ("duckduckgo", Site::Search),
    ("ecosia", Site::Search),
    ("qwant", Site::Search),
    ("yahoo", Site::Search),
    ("baidu", Site::Search),
    ("yandex", Site::Search),
    ("startpage", Site::Search),
    ("brave", Site::Search),
    ("naver", Site::Search),
    ("seznam", Site::Search),
    ("facebook", Site::Social),
    ("fb", Site::Social),
    ("instagram", Site::Social),
    ("ig", Site::Social),
    ("linkedin", Site::Social),
    ("lnkd", Site::Social),
    ("pinterest", Site::Social),
    ("reddit", Site::Social),
    ("snapchat", Site::Social),
    ("threads", Site::Social),
    ("tiktok", Site::Social),
    ("twitter", Site::Social),
    ("t.co", Site::Social),
    ("x.com", Site::Social),
    ("bsky", Site::Social),
    ("mastodon", Site::Social),
    ("tumblr", Site::Social),
    ("quora", Site::Social),
    ("vk", Site::Social),
    ("youtube", Site::Video),
    ("youtu.be", Site::Video),
    ("vimeo", Site::Video),
    ("dailymotion", Site::Video),
    ("twitch", Site::Video),
    ("netflix", Site::Video),
    ("amazon", Site::Shopping),
    ("ebay", Site::Shopping),
    ("etsy", Site::Shopping),
    ("aliexpress", Site::Shopping),
    ("cdiscount", Site::Shopping),
    ("idealo", Site::Shopping),
    ("shopzilla", Site::Shopping),
    ("walmart", Site::Shopping),
    ("chatgpt", Site::Assistant),
    ("chat.openai.com", Site::Assistant),
    ("claude", Site::Assistant),
    ("gemini.google.com", Site::Assistant),
    ("copilot", Site::Assistant),
    ("copilot.microsoft.com", Site::Assistant),
    ("perplexity", Site::Assistant),
    ("chat.mistral.ai", Site::Assistant),
    ("chat.deepseek.com", Site::Assistant),
    ("grok", Site::Assistant),
    ("meta.ai", Site::Assistant),
    ("you.com", Site::Assistant),
    ("duck.ai", Site::Assistant),
    ("mail.google.com", Site::Email),
    ("mail.yahoo.com", Site::Email),
    ("outlook", Site::Email),
    ("outlook.live.com", Site::Email),
    ("outlook.office.com", Site::Email),
];

/// The most specific known site of a host, or of a `utm_source`; both lower case.
fn site(name: &str) -> Option<(&'static str, Site)> {
    let label = name.contains('.').then(|| registrable(name));
    let known = |(entry, kind): &&(&str, Site)| match label {
        _ if entry.contains('.') => name == *entry || name.strip_suffix(entry).is_some_and(|before| before.ends_with('.')),
        None => name == *entry,
        // A search engine has other services on hosts of their own: docs.google.com is no search.
        Some((label, before)) => {
            let searches = || before.split('.').all(|part| part.len() <= 2 || matches!(part, "www" | "search"));
            label == *entry && (*kind != Site::Search || searches())
        }
    };
    SITES.iter().filter(known).max_by_key(|(entry, _)| entry.len()).copied()
}

/// The label that a host has under its public suffix, and what stands before it. The suffix is the last label, with one
/// before it that says no more than "company" where the last is a country's (`google` in `www.google.co.uk`).
fn registrable(host: &str) -> (&str, &str) {
    let (rest, top) = host.rsplit_once('.').unwrap_or((host, ""));
    let rest = match rest.rsplit_once('.') {
        Some((rest, "co" | "com" | "org" | "net" | "ac" | "gov" | "edu")) if top.len() == 2 => rest,
        _ => rest,
    };
    rest.rsplit_once('.').map_or((rest, ""), |(before, label)| (label, before))
}

pub(super) fn derive(context: &mut Context, request: &Request, program: &Program, host: &str) {
    let parameter = |name: &str| {
        let value = context.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let referrer = url::split(request.header("referer").unwrap_or_default()).host.to_ascii_lowercase();
    let referrer = without_www(&referrer).to_owned();
    let own = |candidate: &str| candidate == without_www(host) || program.hosts().any(|h| without_www(h) == candidate);
    let referrer = Some(referrer).filter(|referrer| !referrer.is_empty() && !own(referrer));
    let click = CLICK_IDS.iter().find(|(name, _, _)| parameter(name).is_some());

    let (mut name, mut medium) = (parameter("utm_source"), parameter("utm_medium"));
    if name.is_none() && medium.is_none() {
        if let Some((_, source, told)) = click {
            name = Some((*source).to_owned());
            medium = Some(if told.is_empty() { "referral" } else { told }.to_owned());
        } else if let Some(referrer) = &referrer {
            let known = site(referrer);
            name = Some(known.map_or(referrer.as_str(), |(entry, _)| entry).to_owned());
            medium = Some(
                match known {
                    Some((_, Site::Search)) => "organic",
                    Some((_, Site::Assistant)) => "ai-assistant",
                    Some((_, Site::Email)) => "email",
                    _ => "referral",
                }
                .to_owned(),
            );
        } else {
            name = Some("(direct)".to_owned());
            medium = Some("(none)".to_owned());
        }
    }
    let campaign = parameter("utm_campaign");
    let visit = Visit {
        source: name.as_deref().unwrap_or_default().to_ascii_lowercase(),
        medium: medium.as_deref().unwrap_or_default().to_ascii_lowercase(),
        campaign: campaign.as_deref().unwrap_or_default().to_ascii_lowercase(),
    };
    let texts = [
        (Field::SourceName, name),
        (Field::SourceMedium, medium),
        (Field::SourceCampaign, campaign),
        (Field::SourceTerm, parameter("utm_term")),
        (Field::SourceContent, parameter("utm_content")),
        (Field::SourceReferrerHost, referrer),
        (Field::SourceClickId, click.map(|(name, _, _)| (*name).to_owned())),
    ];
    for (field, text) in texts {
        context.set_text(field, text.as_deref().unwrap_or_default());
    }
    context.set_text(Field::SourceChannel, visit.channel());
}

/// Source, medium and campaign in lower case.
struct Visit {
    source: String,
    medium: String,
    campaign: String,
}

impl Visit {
    /// The default channel group: the first rule that matches.
    fn channel(&self) -> &'static str {
        let kind = site(&self.source).map(|(_, kind)| kind);
        let medium = self.medium.as_str();
        let is = |list: &[&str]| list.contains(&medium);
        // ^(.*cp.*|ppc|retargeting|paid.*)$
        let paid = contains(medium, "cp") || is(&["ppc", "retargeting"]) || medium.starts_with("paid");
        let shopping = kind == Some(Site::Shopping) || shopping_campaign(&self.campaign);
        let mail = ["email", "e-mail", "e_mail", "e mail"];
        match () {
            () if self.source == "(direct)" && is(&["(not set)", "(none)"]) => "Direct",
            () if contains(&self.campaign, "cross-network") => "Cross-network",
            () if shopping && paid => "Paid Shopping",
            () if kind == Some(Site::Search) && paid => "Paid Search",
            () if kind == Some(Site::Social) && paid => "Paid Social",
            () if kind == Some(Site::Video) && paid => "Paid Video",
            () if is(&["display", "banner", "expandable", "interstitial", "cpm"]) => "Display",
            () if paid => "Paid Other",
            () if shopping => "Organic Shopping",
            () if kind == Some(Site::Social)
                || is(&["social", "social-network", "social-media", "sm", "social network", "social media"]) =>
            {
                "Organic Social"
            }
            () if kind == Some(Site::Video) || contains(medium, "video") => "Organic Video",
            () if kind == Some(Site::Search) || medium == "organic" => "Organic Search",
            () if kind == Some(Site::Assistant) || medium == "ai-assistant" => "AI Assistant",
            () if is(&["referral", "app", "link"]) => "Referral",
            () if mail.contains(&self.source.as_str()) || is(&mail) => "Email",
            () if medium == "affiliate" => "Affiliates",
            () if medium == "audio" => "Audio",
            () if self.source == "sms" || medium == "sms" => "SMS",
            () if medium.ends_with("push")
                || contains(medium, "mobile")
                || contains(medium, "notification")
                || self.source == "firebase" =>
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
        for yes in
            ["shop", "my-shop", "eshop", "e-shop-fr", "9shop", "googleshopping", "workshop-shop", "bishopshopping", "shopshop"]
        {
            assert!(shopping_campaign(yes), "{yes}");
        }
        for no in ["", "workshop", "bishop", "sho", "photoshop-workshop"] {
            assert!(!shopping_campaign(no), "{no}");
        }
    }
}
