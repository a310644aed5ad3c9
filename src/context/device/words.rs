//! What the words of a user agent mean: one table, which the compiler of manifests packs into the program, so that no runtime
//! carries it; there it is searched by a word's first letter.

use crate::text::Cut;

/// Every word begins a run of letters and digits, except the [`ANYWHERE`] ones. Letters match in either case, and
/// `#` a digit (at a word's end it's no part of it), `^` an upper-case letter, `~` a letter, `$` the end of the run. Where two
/// words fit, the first one counts.
/// A word without meaning is a false friend: what stands in it is not looked at.
#[cfg(feature = "author")]
const WORDS: &[(&str, Meaning, Meaning)] = &[
    // Devices.
    ("smarttv", kind("tv"), NONE),
    ("googletv", kind("tv"), NONE),
    ("hbbtv", kind("tv"), NONE),
    ("tv$", kind("tv"), NONE),
    ("netcast", kind("tv"), NONE),
    ("bravia", kind("tv"), NONE),
    ("crkey", kind("tv"), NONE),
    // Fire TV: AFTB, AFTMM, AFTSSS ...
    ("aft^", kind("tv"), NONE),
    ("valve ", browser("other"), NONE),
    ("steam deck", kind("console"), NONE),
    ("xbox", os("xbox"), kind("console")),
    ("playstation 3", os("playstation"), kind("console")),
    ("playstation 4", os("playstation"), kind("console")),
    ("playstation 5", os("playstation"), kind("console")),
    ("playstation vita", os("playstation"), kind("console")),
    ("playstation portable)", os("playstation"), kind("console")),
    ("playstation", os("playstation"), kind("console")),
    ("nintendo", os("nintendo"), kind("console")),
    ("dreamcast", kind("console"), NONE),
    ("watchos", os("watchos"), kind("wearable")),
    ("apple watch; u; cpu os", os("watchos"), kind("wearable")),
    ("watch$", kind("wearable"), NONE),
    ("quest$", kind("wearable"), NONE),
    // Samsung's model numbers of what is worn.
    ("sm-r#", kind("wearable"), NONE),
    ("tablet pc", NONE, NONE),
    ("tablet", kind("tablet"), NONE),
    ("kindle", kind("tablet"), NONE),
    ("mobile", kind("mobile"), NONE),
    ("midp", kind("mobile"), NONE),
    ("up.browser", kind("mobile"), NONE),
    ("netfront", browser("other"), kind("mobile")),
    ("bada", kind("mobile"), NONE),
    ("webos/", kind("mobile"), NONE),
    ("x11", kind("desktop"), NONE),
    // Systems.
    ("windows phone os", os("windows"), kind("mobile")),
    ("windows phone", os("windows"), kind("mobile")),
    ("windows nt", os("windows"), NONE),
    ("windows", os("windows"), NONE),
    ("ios #", os("ios"), NONE),
    ("iphone os", os("ios") + 1, kind("mobile")),
    ("cpu os", os("ios") + 1, NONE),
    ("iphone", os("ios") + 2, kind("mobile")),
    ("ipod", os("ios") + 2, kind("mobile")),
    ("ipad", os("ios") + 2, kind("tablet")),
    ("appletv#,#/", os("tvos"), kind("tv")),
    ("appletv##,#/", os("tvos"), kind("tv")),
    ("apple tv; u; cpu os", os("tvos"), kind("tv")),
    ("mac os x", os("macos"), NONE),
    ("mac", os("macos"), NONE),
    ("android webview", WEBVIEW, NONE),
    ("android", os("android"), NONE),
    ("pc; openharmony", os("harmonyos"), kind("desktop")),
    ("openharmony", os("harmonyos"), NONE),
    ("harmonyos", os("harmonyos"), NONE),
    ("tizen", os("tizen"), NONE),
    ("web0s", os("webos"), kind("tv")),
    ("webos.tv", os("webos"), kind("tv")),
    ("kaios", os("kaios"), kind("mobile")),
    ("roku####x/dvp", os("roku"), kind("tv")),
    ("roku/dvp", os("roku"), kind("tv")),
    ("cros i686", os("chromeos"), NONE),
    ("cros x86_64", os("chromeos"), NONE),
    ("linux", os("linux"), NONE),
    // Browsers, by what the user agent says or by their brand in Sec-CH-UA.
    ("edg/", browser("edge"), NONE),
    ("edga/", browser("edge"), NONE),
    ("edgios/", browser("edge"), NONE),
    ("edge/", browser("edge"), NONE),
    ("microsoft edge", browser("edge"), NONE),
    ("opr/", browser("opera"), NONE),
    ("opt/", browser("opera"), NONE),
    ("opios/", browser("opera"), NONE),
    ("coast/", browser("opera"), NONE),
    ("opera mini", browser("opera"), kind("mobile")),
    ("opera mobi", kind("mobile"), NONE),
    ("opera", browser("opera") + 1, NONE),
    ("samsungbrowser", browser("samsung"), NONE),
    ("samsung internet", browser("samsung"), NONE),
    ("vivaldi", browser("vivaldi"), NONE),
    ("yabrowser", browser("yandex"), NONE),
    ("duckduckgo", browser("duckduckgo"), NONE),
    ("ddg/", browser("duckduckgo"), NONE),
    ("brave", browser("brave"), NONE),
    ("ucbrowser", browser("uc"), kind("mobile")),
    ("uc browser", browser("uc"), kind("mobile")),
    ("ucweb", browser("uc"), kind("mobile")),
    ("silk/", browser("silk"), kind("tablet")),
    ("firefox", browser("firefox"), NONE),
    ("fxios/", browser("firefox"), NONE),
    ("focus/", browser("firefox"), NONE),
    ("klar/", browser("firefox"), NONE),
    ("iceweasel", browser("firefox"), NONE),
    ("msie", browser("ie"), NONE),
    ("trident/", TRIDENT, browser("ie")),
    ("crios/", browser("chrome"), NONE),
    ("crmo/", browser("chrome"), NONE),
    ("chrom", CHROMIUM, NONE),
    ("version/", VERSION, NONE),
    ("safari/", SAFARI, NONE),
    ("wv)", WEBVIEW, NONE),
    // Browsers of their own, whatever else they say.
    ("huaweibrowser", browser("other"), NONE),
    ("miuibrowser", browser("other"), NONE),
    ("heytapbrowser", browser("other"), NONE),
    ("vivobrowser", browser("other"), NONE),
    ("oculusbrowser", browser("other"), NONE),
    ("mqqbrowser", browser("other"), NONE),
    ("whale/", browser("other"), NONE),
    ("electron/", browser("other"), NONE),
    ("seamonkey/", browser("other"), NONE),
    ("sailfish", browser("other"), NONE),
    ("konqueror", browser("other"), NONE),
    // Apps whose built-in browser shows the page.
    ("instagram", app("instagram"), NONE),
    ("barcelona", app("threads"), NONE),
    ("fb_iab/messenger", app("messenger"), NONE),
    ("fban/messenger", app("messenger"), NONE),
    ("fb_iab/orca", app("messenger"), NONE),
    ("fban", app("facebook"), NONE),
    ("fbav", app("facebook"), NONE),
    ("metaiab facebook", app("facebook"), NONE),
    ("musical_ly", app("tiktok"), NONE),
    ("bytedancewebview", app("tiktok"), NONE),
    ("snapchat/", app("snapchat"), NONE),
    ("pinterest/", app("pinterest"), NONE),
    ("linkedin", app("linkedin"), NONE),
    ("twitter for", app("twitter"), NONE),
    ("line/", app("line"), NONE),
    ("micromessenger", app("wechat"), NONE),
    ("weibo", app("weibo"), NONE),
    ("alipayclient", app("alipay"), NONE),
    ("qq/", app("qq"), NONE),
    ("kakaotalk", app("kakaotalk"), NONE),
    ("naver(", app("naver"), NONE),
    ("telegram-android", app("telegram"), NONE),
    ("gsa/", app("google"), NONE),
    ("bingweb/", app("bing"), NONE),
    ("teams/", app("teams"), NONE),
    // Programs.
    ("compatible", COMPATIBLE, NONE),
    ("like ", LIKE, NONE),
    ("cubot", NONE, NONE),
    ("m bot ", NONE, NONE),
    ("google-", BOT, NONE),
    ("google favicon", BOT, NONE),
    ("ptst/", BOT, NONE),
    ("gtmetrix", BOT, NONE),
    ("pingdom", BOT, NONE),
    ("dareboost", BOT, NONE),
    ("datanyze", BOT, NONE),
    ("manus-user", BOT, NONE),
    ("phantomjs", BOT, NONE),
    ("playwright", BOT, NONE),
    ("selenium", BOT, NONE),
    ("nikto", BOT, NONE),
    ("openvas", BOT, NONE),
    ("splash$", BOT, NONE),
    ("rigor", BOT, NONE),
    ("hotjar", BOT, NONE),
    ("silktide", BOT, NONE),
    ("hardenize", BOT, NONE),
    ("securityheaders", BOT, NONE),
    ("readable/", BOT, NONE),
    ("newsai", BOT, NONE),
    ("newsnow", BOT, NONE),
    ("feed", BOT, NONE),
    ("collapsify", BOT, NONE),
    ("inspector", BOT, NONE),
    ("lighthouse", BOT, NONE),
    ("linktiger", BOT, NONE),
    ("w3c", BOT, NONE),
    ("abuse", BOT, NONE),
    ("foregenix", BOT, NONE),
    ("marketgoo", BOT, NONE),
    ("miniature.io", BOT, NONE),
    ("sindup", BOT, NONE),
    ("testlocally", BOT, NONE),
    ("watchtowr", BOT, NONE),
];

/// Words that mean a program wherever they stand, in the middle of a run too.
#[cfg(feature = "author")]
const ANYWHERE: &[&str] = &[
    ".com$",
    "bot$",
    "bots$",
    "crawl",
    "spider",
    "scrap",
    "headless",
    "://",
    "www.",
    "@~",
    "agent$",
    "fetch",
    "insights",
    "monitor",
    "preview",
    "scan$",
    "scanner",
    "synthetic",
    "verify/",
];

/// Names of the fields' values; the narrower stands before the wider, and of two that are found the first counts.
pub(super) const KINDS: &str = "console tv wearable tablet mobile desktop";
/// Up to and with `harmonyos` those that disguise themselves as one of the others. iOS stands there thrice: as an app tells
/// it, as the user agent does, and where only the device is named.
pub(super) const SYSTEMS: &str =
    "xbox playstation nintendo roku tvos watchos tizen webos kaios harmonyos windows chromeos android ios ios ios macos linux";
/// Opera stands there twice: the second one is what its browsers before Chromium called themselves.
pub(super) const BROWSERS: &str = "other edge opera opera samsung vivaldi yandex duckduckgo brave uc silk firefox ie chrome";
pub(super) const APPS: &str = "instagram threads messenger facebook tiktok snapchat pinterest linkedin twitter line wechat weibo alipay qq kakaotalk naver telegram google bing teams";

/// What a word means: one of the constants here, or a group and a position in its list of names.
pub(super) type Meaning = u8;
pub(super) const NONE: Meaning = 0;
pub(super) const BOT: Meaning = 1;
/// `(compatible; ...)`, once written by browsers that took themselves for another one.
pub(super) const COMPATIBLE: Meaning = 2;
/// What follows is not what it is: `like Mac OS X`, `like Android`.
pub(super) const LIKE: Meaning = 3;
pub(super) const VERSION: Meaning = 4;
pub(super) const SAFARI: Meaning = 5;
pub(super) const WEBVIEW: Meaning = 6;
pub(super) const TRIDENT: Meaning = 7;
pub(super) const CHROMIUM: Meaning = 8;
pub(super) const KIND: Meaning = 16;
pub(super) const SYSTEM: Meaning = 32;
pub(super) const BROWSER: Meaning = 64;
pub(super) const APP: Meaning = 96;

#[cfg(feature = "author")]
const fn kind(name: &str) -> Meaning {
    KIND + position(KINDS, name)
}

#[cfg(any(feature = "author", test))]
pub(super) const fn os(name: &str) -> Meaning {
    SYSTEM + position(SYSTEMS, name)
}

pub(super) const fn browser(name: &str) -> Meaning {
    BROWSER + position(BROWSERS, name)
}

#[cfg(feature = "author")]
const fn app(name: &str) -> Meaning {
    APP + position(APPS, name)
}

/// Which of the names it is; the compiler refuses a table with another name.
#[allow(clippy::indexing_slicing)] // Evaluated by the compiler, which refuses what is out of bounds.
pub(super) const fn position(names: &str, name: &str) -> u8 {
    let (names, name) = (names.as_bytes(), name.as_bytes());
    let (mut at, mut count) = (0, 0);
    loop {
        let mut same = 0;
        while same < name.len() && at + same < names.len() && names[at + same] == name[same] {
            same += 1;
        }
        if same == name.len() && (at + same == names.len() || names[at + same] == b' ') {
            return count;
        }
        while names[at] != b' ' {
            at += 1;
        }
        at += 1;
        count += 1;
    }
}

/// A place for each first byte (by its last five bits): those of the words that begin a run, then those that stand anywhere.
const PLACES: usize = 64;

/// The table as a program has it, in characters below 128: where each place begins and where the last one ends, each in two
/// digits to the base of 128; then the words by place, each as its length, its two meanings and its bytes.
#[cfg(feature = "author")]
pub(crate) fn packed() -> String {
    let words = WORDS.iter().copied().chain(ANYWHERE.iter().map(|word| (*word, BOT, NONE)));
    let places = words.enumerate().map(|(index, word)| {
        let first = usize::from(word.0.as_bytes().first().map_or(0, |byte| byte & 31));
        (if index < WORDS.len() { first } else { first + PLACES / 2 }, word)
    });
    let (mut starts, mut bytes) = (Vec::new(), Vec::new());
    for place in 0..=PLACES {
        starts.extend([(bytes.len() / 128) as u8, (bytes.len() % 128) as u8]);
        for (_, (word, first, second)) in places.clone().filter(|(own, _)| *own == place) {
            bytes.extend([word.len() as u8, first, second]);
            bytes.extend(word.bytes());
        }
    }
    starts.iter().chain(&bytes).map(|byte| char::from(*byte)).collect()
}

/// The first word of a packed table that `text` begins with: its length there and its meanings. `run`: a run of letters and
/// digits begins here.
pub(super) fn word(table: &[u8], text: &[u8], run: bool) -> Option<(usize, [Meaning; 2])> {
    let place = usize::from(text.first()? & 31);
    let found = if run { search(table, text, place) } else { None };
    found.or_else(|| search(table, text, place + PLACES / 2))
}

#[inline(never)]
fn search(table: &[u8], text: &[u8], place: usize) -> Option<(usize, [Meaning; 2])> {
    let [high, low, end_high, end_low] = table.get(place * 2..)?.first_chunk()?;
    let start = |high: &u8, low: &u8| (PLACES + 1) * 2 + usize::from(*high) * 128 + usize::from(*low);
    let mut rest = table.get(start(high, low)..start(end_high, end_low))?;
    while let Some(([length, first, second], more)) = rest.split_first_chunk() {
        let (word, more) = more.split_at_checked(usize::from(*length))?;
        if let Some(length) = fits(text, word) {
            return Some((length, [*first, *second]));
        }
        rest = more;
    }
    None
}

/// How much of `text` the word covers.
fn fits(text: &[u8], word: &[u8]) -> Option<usize> {
    for (at, sign) in word.iter().enumerate() {
        let byte = text.get(at).copied().unwrap_or(b' ');
        let fit = match sign {
            b'#' if at + 1 == word.len() => return byte.is_ascii_digit().then_some(at),
            b'#' => byte.is_ascii_digit(),
            b'^' => byte.is_ascii_uppercase(),
            b'~' => byte.is_ascii_alphabetic(),
            // Always the last one.
            b'$' => return (!byte.is_ascii_alphanumeric()).then_some(at),
            _ => byte.to_ascii_lowercase() == *sign,
        };
        if !fit {
            return None;
        }
    }
    (word.len() <= text.len()).then_some(word.len())
}

/// What a list (`key value|key value`) tells of a key. A value holds no space.
#[inline(never)]
pub(super) fn told(list: &'static str, key: &str) -> Option<&'static str> {
    list.parts(b'|').find_map(|entry| entry.strip_prefix(key)?.strip_prefix(" ").filter(|value| !value.has(b' ')))
}

/// The name at a position of a list.
#[inline(never)]
pub(super) fn name(names: &'static str, position: u8) -> &'static str {
    names.parts(b' ').nth(usize::from(position)).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_with_its_own_meaning() {
        let table = packed();
        assert!(table.is_ascii());
        let word = |text: &[u8], run| word(table.as_bytes(), text, run);
        for (pattern, first, second) in WORDS {
            let text = pattern.replace('#', "7").replace('^', "S").replace('~', "x").replace('$', " ");
            let (length, found) = word(text.as_bytes(), true).unwrap_or_else(|| panic!("{pattern} is never found"));
            assert_eq!(found, [*first, *second], "{pattern} is hidden by a word before it");
            assert!(length >= pattern.trim_end_matches('$').len().min(3), "{pattern}");
        }
        for pattern in ANYWHERE {
            let text = pattern.replace('~', "x").replace('$', " ");
            assert_eq!(word(text.as_bytes(), false).map(|(_, found)| found), Some([BOT, NONE]), "{pattern}");
        }
    }

    #[test]
    fn every_name_has_a_word() {
        let means = |meaning: Meaning| WORDS.iter().any(|(_, first, second)| *first == meaning || *second == meaning);
        for (names, group) in [(KINDS, KIND), (SYSTEMS, SYSTEM), (BROWSERS, BROWSER), (APPS, APP)] {
            for (position, name) in names.split(' ').enumerate() {
                assert!(means(group + position as u8) || name == "chrome", "{name}");
            }
        }
    }
}
