//! The fields of a context that every site has. Those that a manifest declares follow them: field `FIELDS.len() + n` is the
//! program's declared field `n`.

use crate::consent::Purpose;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// 64-bit signed integer.
    Int,
    /// IEEE 754 double; never NaN.
    Double,
    /// UTF-8 text.
    String,
    /// List of texts.
    Strings,
    /// An instant, to the millisecond.
    Timestamp,
    /// Texts by name.
    Map,
}

impl Kind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Kind; 7] = [Kind::Bool, Kind::Int, Kind::Double, Kind::String, Kind::Strings, Kind::Timestamp, Kind::Map];

    /// The kind's name in manifests and messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bool => "bool",
            Kind::Int => "int",
            Kind::Double => "double",
            Kind::String => "string",
            Kind::Strings => "strings",
            Kind::Timestamp => "timestamp",
            Kind::Map => "map",
        }
    }

    #[cfg(feature = "author")]
    pub(crate) fn code(self) -> u32 {
        self as u32
    }

    pub(crate) fn from_code(code: u32) -> Option<Kind> {
        Kind::ALL.get(code as usize).copied()
    }
}

/// A field that every site's context has.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    /// The path in expressions, such as `geo.country`.
    pub path: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The purpose without whose consent the field is absent.
    pub purpose: Option<Purpose>,
    /// What it says, for the reference and for editors. Runtimes do without it.
    #[cfg(feature = "schema")]
    pub doc: &'static str,
}

macro_rules! fields {
    ($($name:ident $path:literal $kind:ident $(needs $purpose:ident)? : $doc:literal;)*) => {
        /// The position of each field in [`FIELDS`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // Each is documented in FIELDS.
        pub enum Field { $($name),* }

        #[cfg(feature = "explain")]
        impl Field {
            /// The field of a position.
            pub(crate) fn of(field: u32) -> Option<Field> {
                [$(Field::$name),*].get(field as usize).copied()
            }
        }

        /// Every field, in the order of [`Field`]. Programs refer to fields by position: a program made with another table
        /// is of another version (see `Program::load`).
        pub const FIELDS: &[FieldDef] = &[$(FieldDef {
            path: $path,
            kind: Kind::$kind,
            purpose: fields!(@purpose $($purpose)?),
            #[cfg(feature = "schema")]
            doc: $doc,
        }),*];
    };
    (@purpose) => { None };
    (@purpose $purpose:ident) => { Some(Purpose::$purpose) };
}

fields! {
    DeviceType "device.type" String: "desktop, mobile, tablet, tv, console, wearable, bot or unknown";
    DeviceOs "device.os" String: "windows, macos, ios, android, linux, chromeos, tvos, watchos, tizen, webos, kaios, harmonyos, playstation, xbox, nintendo, roku or other";
    DeviceOsVersion "device.os_version" String: "Version of the operating system, such as 17.5.1, without zeros at its end; absent where the browser doesn't tell the real one; compare it by version(device.os_version)";
    DeviceBrowser "device.browser" String: "chrome, safari, firefox, edge, samsung, opera, brave, vivaldi, yandex, duckduckgo, uc, silk, ie, android (its own of old), webview (built into an app) or other";
    DeviceBrowserVersion "device.browser_version" String: "Version of the browser, such as 126 or 17.5.1, without zeros at its end; compare it by version(device.browser_version)";
    DeviceApp "device.app" String: "The app whose built-in browser shows the page: instagram, threads, messenger, facebook, tiktok, snapchat, pinterest, linkedin, twitter, line, wechat, weibo, alipay, qq, kakaotalk, naver, telegram, google, bing or teams";
    DeviceSaveData "device.save_data" Bool: "Whether the browser asks for less data (Save-Data: on)";
    DeviceViewportWidth "device.viewport_width" Int: "Width of the page's window in CSS pixels; known in the browser, at the edge where the browser sends the client hint, which the Worker asks for when an experience reads it";
    DeviceViewportHeight "device.viewport_height" Int: "Height of the page's window in CSS pixels; known as its width is";
    DeviceColorScheme "device.color_scheme" String: "light or dark, as the visitor prefers; known as the viewport is";
    GeoCountry "geo.country" String: "Country, ISO 3166-1 alpha-2, such as FR; T1 is Tor";
    GeoContinent "geo.continent" String: "Continent: AF, AN, AS, EU, NA, OC or SA";
    GeoRegion "geo.region" String: "Name of the first-level region, such as Île-de-France";
    GeoRegionCode "geo.region_code" String: "Code of the first-level region (ISO 3166-2 without the country), such as IDF";
    GeoCity "geo.city" String: "City";
    GeoPostalCode "geo.postal_code" String: "Postal code";
    GeoMetroCode "geo.metro_code" String: "Metro area (DMA) in the United States, such as 807";
    GeoLatitude "geo.latitude" Double: "Latitude in degrees, -90 to 90";
    GeoLongitude "geo.longitude" Double: "Longitude in degrees, -180 to 180";
    GeoTimezone "geo.timezone" String: "IANA time zone, such as Europe/Paris";
    GeoIsEu "geo.is_eu" Bool: "Whether the country is in the European Union";
    NetworkAsn "network.asn" Int: "Number of the autonomous system that the request came from";
    NetworkOrganization "network.organization" String: "Organisation of that autonomous system";
    NetworkIp "network.ip" String: "Address that the request came from; test it by cidr('10.0.0.0/8').containsIP(network.ip)";
    NetworkColo "network.colo" String: "The data centre that answers, such as CDG";
    NetworkProtocol "network.protocol" String: "HTTP version of the request, such as HTTP/2";
    NetworkTls "network.tls" String: "TLS version of the request, such as TLSv1.3";
    NetworkVerifiedBot "network.verified_bot" Bool: "Whether the network knows the visitor as a good bot (some plans only)";
    NetworkBotScore "network.bot_score" Int: "How sure the network is that a person asks, 1 (a bot) to 99 (some plans only)";
    SourceChannel "source.channel" String: "Default channel group as Google Analytics 4 defines them, such as Organic Social";
    SourceName "source.name" String: "Traffic source, such as instagram: utm_source, else told by a click id or the referrer";
    SourceMedium "source.medium" String: "Medium, such as cpc: utm_medium, else told by a click id or the referrer";
    SourceCampaign "source.campaign" String: "utm_campaign";
    SourceTerm "source.term" String: "utm_term";
    SourceContent "source.content" String: "utm_content";
    SourceReferrerHost "source.referrer_host" String: "Host of the referring page, lower case; absent for the site's own hosts";
    SourceClickId "source.click_id" String: "Name of the advertising click id in the URL, such as gclid";
    LanguageTag "language.tag" String: "The visitor's most preferred language, such as fr-CA";
    LanguagePrimary "language.primary" String: "Its primary language, lower case, such as fr";
    LanguageRegion "language.region" String: "Its region, upper case, such as CA";
    LanguageAccepted "language.accepted" Strings: "All accepted languages, most preferred first";
    LanguageSite "language.site" String: "Of the site's languages the one that suits the visitor best; the first of them where none does";
    TimeNow "time.now" Timestamp: "The instant of the request; time.now.getHours(geo.timezone) is the visitor's hour";
    TimeHour "time.hour" Int: "Hour in the visitor's time zone, 0 to 23";
    TimeMinute "time.minute" Int: "Minute in the visitor's time zone, 0 to 59";
    TimeClock "time.clock" String: "Time of day in the visitor's time zone, 00:00 to 23:59";
    TimeWeekday "time.weekday" Int: "Day of the week in the visitor's time zone, 0 = Sunday";
    TimeDay "time.day" Int: "Day of the month in the visitor's time zone, 1 to 31";
    TimeDayOfYear "time.day_of_year" Int: "Day of the year in the visitor's time zone, 1 to 366";
    TimeWeek "time.week" Int: "Week of the year (ISO 8601) in the visitor's time zone, 1 to 53";
    TimeMonth "time.month" Int: "Month in the visitor's time zone, 1 to 12";
    TimeYear "time.year" Int: "Year in the visitor's time zone";
    TimeDate "time.date" String: "Date in the visitor's time zone, such as 2026-11-20";
    PageHost "page.host" String: "Host of the page, lower case";
    PagePath "page.path" String: "Path of the page, such as /collections/shoes";
    PageUrl "page.url" String: "URL of the page, without its fragment";
    PageQuery "page.query" Map: "Query parameters by name, decoded, the first of each name: page.query.color";
    PageHash "page.hash" String: "Fragment of the URL without #; known in the browser alone";
    PageReferrer "page.referrer" String: "URL of the page that led here, as far as the browser tells it";
    PagePrefetch "page.prefetch" Bool: "Whether the page is fetched before the visitor asks for it";
    PageFramed "page.framed" Bool: "Whether the page is shown inside another";
    PrivacyGpc "privacy.gpc" Bool: "Whether the browser sends Global Privacy Control";
    PrivacyDnt "privacy.dnt" Bool: "Whether the browser sends Do Not Track";
    VisitorReturning "visitor.returning" Bool needs Personalization: "Whether the visitor came with an anonymousId";
    ConsentPersonalization "consent.personalization" Bool: "Whether personalization is agreed to";
    ConsentAnalytics "consent.analytics" Bool: "Whether analytics is agreed to";
    ConsentMarketing "consent.marketing" Bool: "Whether marketing is agreed to";
}

/// A number that differs between tables of fields: paths, types and purposes, in their order.
pub(crate) const FINGERPRINT: u32 = {
    let mut hash = FINGERPRINT_START;
    let mut index = 0;
    #[allow(clippy::indexing_slicing)] // Evaluated by the compiler, which refuses what is out of bounds.
    while index < FIELDS.len() {
        let field = &FIELDS[index];
        hash = fingerprint(hash, field.path.as_bytes());
        let purpose = match field.purpose {
            Some(purpose) => purpose as u8,
            None => u8::MAX,
        };
        hash = fingerprint(hash, &[field.kind as u8, purpose]);
        index += 1;
    }
    hash
};

/// Where a fingerprint starts (FNV-1a 32, offset basis).
pub(crate) const FINGERPRINT_START: u32 = 0x811c_9dc5;

/// Goes on with a fingerprint (FNV-1a 32), at compile time: what is described costs no bytes in any runtime.
#[allow(clippy::indexing_slicing)] // As above.
pub(crate) const fn fingerprint(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u32).wrapping_mul(0x0100_0193);
        index += 1;
    }
    // A separator, so that the ends of texts count.
    (hash ^ 0xff).wrapping_mul(0x0100_0193)
}
