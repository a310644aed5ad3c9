//! What was sent with a request, of all that a context is derived from: found in one pass, as text that is empty where it is absent.

use super::Request;
use crate::text::Cut;

macro_rules! headers {
    ($($name:ident $text:literal),* $(,)?) => {
        /// A header that a context is derived from.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Header { $($name),* }

        /// Their names, in the order of [`Header`], each with `|` behind it.
        const HEADERS: &str = concat!($($text, "|"),*);
        const HEADER_COUNT: usize = [$($text),*].len();
    };
}

headers! {
    Cookie "cookie",
    UserAgent "user-agent",
    AcceptLanguage "accept-language",
    Referer "referer",
    Brands "sec-ch-ua",
    Mobile "sec-ch-ua-mobile",
    Platform "sec-ch-ua-platform",
    PlatformVersion "sec-ch-ua-platform-version",
    FullVersions "sec-ch-ua-full-version-list",
    Model "sec-ch-ua-model",
    FormFactors "sec-ch-ua-form-factors",
    SaveData "save-data",
    // It counts less than the standard's name.
    OldViewportWidth "viewport-width",
    ViewportWidth "sec-ch-viewport-width",
    ViewportHeight "sec-ch-viewport-height",
    ColorScheme "sec-ch-prefers-color-scheme",
    SecFetchDest "sec-fetch-dest",
    SecGpc "sec-gpc",
    Dnt "dnt",
    // Chromium and the standard say Sec-Purpose, Safari Purpose, Firefox X-Moz.
    SecPurpose "sec-purpose",
    Purpose "purpose",
    XMoz "x-moz",
    ConnectingIp "cf-connecting-ip",
}

/// The names in `request.cf` of the fields from `GeoCountry` on, in their order; none where a field is not told there.
pub(super) const CF: &str = "country|continent|region|regionCode|city|postalCode|metroCode|latitude|longitude|timezone|isEUCountry|asn|asOrganization||colo|httpProtocol|tlsVersion|botManagement.verifiedBot|botManagement.score";
pub(super) const CF_COUNT: usize = 19;

/// See above.
pub(super) struct Sent<'a> {
    headers: [&'a str; HEADER_COUNT],
    /// In the order of [`CF`].
    pub(super) cf: [&'a str; CF_COUNT],
}

impl<'a> Sent<'a> {
    #[inline(never)]
    pub(super) fn new<T: AsRef<str>>(request: &'a Request<T>) -> Sent<'a> {
        let mut sent = Sent { headers: [""; HEADER_COUNT], cf: [""; CF_COUNT] };
        find(HEADERS, &request.headers, &mut sent.headers);
        find(CF, &request.cf, &mut sent.cf);
        sent
    }

    pub(super) fn header(&self, header: Header) -> &'a str {
        self.headers.get(header as usize).copied().unwrap_or_default()
    }
}

/// Of each name the last value.
#[inline(never)]
fn find<'a, T: AsRef<str>>(names: &str, pairs: &'a [(T, T)], values: &mut [&'a str]) {
    // A page in the browser often knows no field of `cf`.
    if pairs.is_empty() {
        return;
    }
    for (name, value) in names.parts(b'|').zip(values) {
        for (known, text) in pairs {
            let known = known.as_ref();
            // Few are as long: most are told apart without a look at them.
            if known.len() == name.len() && known == name {
                *value = text.as_ref();
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::super::{FIELDS, Field};
    use super::*;

    #[test]
    fn the_names_are_those_of_the_fields() {
        let of = |field: Field| CF.split('|').nth(field as usize - Field::GeoCountry as usize);
        assert_eq!(of(Field::GeoLongitude), Some("longitude"));
        assert_eq!(of(Field::NetworkIp), Some(""));
        assert_eq!(of(Field::NetworkBotScore), Some("botManagement.score"));
        assert_eq!(CF.split('|').count(), CF_COUNT);
        let last = Field::GeoCountry as usize + CF_COUNT;
        assert!(
            FIELDS[Field::GeoCountry as usize..last]
                .iter()
                .all(|field| field.path.starts_with("geo.") || field.path.starts_with("network."))
        );
        assert!(FIELDS[last].path.starts_with("source."));
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let pairs = |pairs: &[(&'static str, &'static str)]| pairs.to_vec();
        let request = Request {
            headers: pairs(&[("dnt", "0"), ("accept", "*/*"), ("dnt", "1"), ("referer", "x"), ("referer", "")]),
            cf: pairs(&[("city", "Nantes"), ("city", "Rennes"), ("cities", "none")]),
            ..Request::default()
        };
        let sent = Sent::new(&request);
        assert_eq!((sent.header(Header::Dnt), sent.header(Header::Referer), sent.header(Header::XMoz)), ("1", "", ""));
        assert_eq!(sent.cf.iter().filter(|text| !text.is_empty()).collect::<Vec<_>>(), [&"Rennes"]);
    }
}
