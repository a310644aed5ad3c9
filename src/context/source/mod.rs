//! Where a visit comes from: UTM parameters, else a click id, else the referrer; and its channel.

mod channel;
mod sites;

#[cfg(feature = "author")]
pub(crate) use sites::registrable;
pub(crate) use sites::{Class, of_source};

use super::sent::{Header, Sent};
use super::{Context, Field};
use crate::program::Program;
use crate::text::{trim, without_www};
use crate::url;
use channel::Visit;
use sites::{Site, is_below, of_host, of_package};

/// What a visit without any other source is called.
const DIRECT: (&str, &str) = ("(direct)", "(none)");

/// Whether source and medium are those of a visit that nothing led to (the first of the channel rules).
pub(crate) fn is_direct(source: &str, medium: &str) -> bool {
    source.eq_ignore_ascii_case(DIRECT.0) && [DIRECT.1, "(not set)"].iter().any(|none| medium.eq_ignore_ascii_case(none))
}

/// An advertising click id: the URL's parameter, the source it tells, and the medium; empty where it doesn't tell one.
pub(crate) struct Click<'p> {
    pub(crate) parameter: &'p str,
    pub(crate) source: &'p str,
    pub(crate) medium: &'p str,
}

/// The referring page's host, if it is none of the site's own, and what is known of it.
struct Referrer<'p> {
    host: String,
    site: Option<Site<'p>>,
}

impl<'p> Referrer<'p> {
    #[inline(never)]
    fn of(sent: &Sent<'_>, program: &'p Program, page_host: &str) -> Option<Referrer<'p>> {
        let url = trim(sent.header(Header::Referer));
        let host = url::split(url).host.to_ascii_lowercase();
        let host = without_www(host.strip_suffix(".").unwrap_or(&host));
        let own = |other: &str| is_below(host, without_www(other));
        if host.is_empty() || own(page_host) || program.is_own_host(own) {
            return None;
        }
        // An app's package, as in android-app://com.google.android.gm/.
        let package = url.get(..12).is_some_and(|scheme| scheme.eq_ignore_ascii_case("android-app:"));
        let site = if package { of_package(program.sites(), host) } else { of_host(program.sites(), host) };
        Some(Referrer { host: host.to_owned(), site })
    }

    fn class(&self) -> Class {
        self.site.map_or(Class::None, |site| site.class)
    }

    fn name(&self) -> &str {
        self.site.map(|site| site.name).filter(|name| !name.is_empty()).unwrap_or(&self.host)
    }
}

/// The value of the first parameter of that name; empty where there is none.
#[inline(never)]
fn parameter<'a>(query: &'a [(String, String)], name: &str) -> &'a str {
    query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| trim(value))
}

#[inline(never)]
fn known<'p>(program: &'p Program, source: &str) -> Option<Site<'p>> {
    of_source(program.sites(), &source.to_ascii_lowercase())
}

#[inline(never)]
pub(super) fn derive(context: &mut Context, sent: &Sent<'_>, program: &Program, host: &str) {
    // Taken for a while, since fields are written from it.
    let query = std::mem::take(&mut context.query);
    let given =
        |name: &[u8]| query.iter().any(|(key, value)| key.as_bytes().eq_ignore_ascii_case(name) && !trim(value).is_empty());
    let referrer = Referrer::of(sent, program, host);
    let click = program.click(given);

    // What the visit's origin would be without UTM parameters. Where a visitor pays they only come back from. A click id that
    // doesn't say that the click was paid is copied with the links that it stands in, so that a known referrer tells more.
    let from = referrer.as_ref().filter(|referrer| referrer.class() != Class::Payment);
    let tells = |click: &&Click<'_>| !click.medium.is_empty() || from.is_none_or(|referrer| referrer.class() == Class::None);
    let (mut name, mut class, mut medium) = match (click.as_ref().filter(tells), from) {
        (Some(click), _) => {
            let class = known(program, click.source).map_or(Class::None, |site| site.class);
            (click.source, class, if click.medium.is_empty() { class.medium() } else { click.medium })
        }
        (None, Some(referrer)) => (referrer.name(), referrer.class(), referrer.class().medium()),
        (None, None) => (DIRECT.0, Class::None, DIRECT.1),
    };

    // A click id adds the half that the UTM parameters leave out, unless they name another source.
    let (utm_source, utm_medium) = (parameter(&query, "utm_source"), parameter(&query, "utm_medium"));
    if !utm_source.is_empty() || (!utm_medium.is_empty() && click.is_none()) {
        let site = known(program, utm_source);
        let same = |click: &&Click<'_>| {
            utm_source.eq_ignore_ascii_case(click.source) || site.is_some_and(|site| site.name == click.source)
        };
        name = utm_source;
        class = site.map_or(Class::None, |site| site.class);
        medium = click.as_ref().filter(same).map_or("", |click| click.medium);
    }
    if !utm_medium.is_empty() {
        medium = utm_medium;
    }
    let campaign = parameter(&query, "utm_campaign");
    let referrer_host = referrer.as_ref().map_or("", |referrer| &referrer.host);
    let (source_lower, medium_lower) = (name.to_ascii_lowercase(), medium.to_ascii_lowercase());
    let campaign_lower = campaign.to_ascii_lowercase();
    let visit =
        Visit { source: &source_lower, class, medium: &medium_lower, campaign: &campaign_lower, referrer: referrer_host };
    context.set_text(Field::SourceChannel, visit.channel(program));
    context.set_text(Field::SourceName, name);
    context.set_text(Field::SourceMedium, medium);
    context.set_text(Field::SourceCampaign, campaign);
    context.set_text(Field::SourceTerm, parameter(&query, "utm_term"));
    context.set_text(Field::SourceContent, parameter(&query, "utm_content"));
    context.set_text(Field::SourceReferrerHost, referrer_host);
    context.set_text(Field::SourceClickId, click.as_ref().map_or("", |click| click.parameter));
    context.query = query;
}
