//! The part of the manifest that says where visits come from.

#[cfg(feature = "schema")]
use super::read::object_schema;
use super::read::{List, Named, Read, Reader, Spanned, object};

object! { "Where visits come from: what is known beside the built-in sites, click ids and channels. A site with a dot is a host and everything below it; without one it is the name that the site has under any public suffix and in utm_source." Sources {
    default search "search": List<Spanned<String>> = "More search engines.";
    default social "social": List<Spanned<String>> = "More social networks, communities and messengers.";
    default video "video": List<Spanned<String>> = "More places to watch videos.";
    default shopping "shopping": List<Spanned<String>> = "More marketplaces and price comparisons.";
    default assistant "assistant": List<Spanned<String>> = "More AI assistants.";
    default email "email": List<Spanned<String>> = "More webmail hosts and mail apps.";
    default payment "payment": List<Spanned<String>> = "More hosts where visitors pay or sign in. Coming back from there is no new source.";
    default none "none": List<Spanned<String>> = "Sites that are none of these, although the built-in table says so.";
    default internal "internal": List<Spanned<String>> = "More hosts of the site, beside site.hosts: they and the hosts below them are no referrers.";
    default names "names": Named<Spanned<String>> = "What sites are called in source.name, such as { \"x.com\": \"x\" }.";
    default click_ids "click_ids": Named<ClickId> = "More click ids: parameters of the URL that tell the source. They count before the built-in ones.";
    default channels "channels": List<ChannelRule> = "Channels of the site's own. The first that matches counts; Google Analytics 4's rules follow.";
    optional session "session": SessionSettings = "When a session is over, and how long a source counts.";
} }

object! { "What a click id tells." ClickId {
    required source "source": Spanned<String> = "The source, such as google.";
    optional medium "medium": Spanned<String> = "The medium, such as cpc. Without one the click id doesn't say that the click was paid.";
} }

object! { "A channel of the site's own." ChannelRule {
    required name "name": Spanned<String> = "The channel's name.";
    required when "when": Spanned<ChannelWhen> = "What a visit must be like.";
} }

object! { "Globs for the parts of a visit, all of which must match. Upper and lower case are the same; * is any run of characters; a part that is absent matches none." ChannelWhen {
    optional source "source": Spanned<String> = "A glob for source.name.";
    optional medium "medium": Spanned<String> = "A glob for source.medium.";
    optional campaign "campaign": Spanned<String> = "A glob for source.campaign.";
    optional referrer "referrer": Spanned<String> = "A glob for source.referrer_host.";
} }

object! { "When a session is over, and how long a source counts." SessionSettings {
    optional timeout "timeout_minutes": Spanned<i32> = "Minutes without an event after which a session is over (default 30).";
    optional new_campaign "new_campaign": bool = "Whether another source, medium or campaign starts a session, as in Universal Analytics (default false, as in Google Analytics 4).";
    optional attribution "attribution_days": Spanned<i32> = "Days for which a source stays the last touch although the visits after it are direct (default 90).";
} }
