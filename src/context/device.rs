//! Device, system and browser: client hints where the browser sends them, else a small reading of the user agent.

use super::{Context, Field, Request, Value};
use crate::text::{contains, contains_any as has};

pub(super) fn derive(context: &mut Context, request: &Request) {
    let save_data = request.header("save-data").is_some_and(|value| value.eq_ignore_ascii_case("on"));
    context.set(Field::DeviceSaveData, Value::Bool(save_data));
    let agent = request.header("user-agent").unwrap_or_default();
    let hints = Hints {
        brands: request.header("sec-ch-ua").unwrap_or_default(),
        platform: request.header("sec-ch-ua-platform").unwrap_or_default().trim_matches('"'),
        mobile: request.header("sec-ch-ua-mobile").unwrap_or_default(),
    };
    context.set_text(Field::DeviceType, device_type(agent, &hints));
    if !agent.is_empty() || !hints.platform.is_empty() {
        context.set_text(Field::DeviceOs, system(agent, &hints));
        context.set_text(Field::DeviceBrowser, browser(agent, &hints));
    }
}

/// User-agent client hints (WICG UA-CH); empty where the browser sends none.
struct Hints<'a> {
    brands: &'a str,
    platform: &'a str,
    mobile: &'a str,
}

/// First match wins; what is narrower stands before what is wider.
fn device_type(agent: &str, hints: &Hints) -> &'static str {
    let lower = agent.to_ascii_lowercase();
    if agent.is_empty() && hints.mobile.is_empty() {
        "unknown"
    } else if is_bot(&lower) {
        "bot"
    } else if has(agent, &["PlayStation", "Xbox", "Nintendo"]) {
        "console"
    } else if has(
        &lower,
        &[
            "smart-tv",
            "smarttv",
            "googletv",
            "appletv",
            "apple tv",
            "hbbtv",
            "web0s",
            "webos.tv",
            "roku",
            "crkey",
            "bravia",
            "netcast",
            "; tv;",
            "tizen/tv",
            "android tv",
        ],
    ) || (contains(agent, "Tizen") && contains(agent, "TV"))
        // Fire TV's models (AFTSSS, AFTMM ...), not Minecraft.
        || contains(agent, "; AFT")
    {
        "tv"
    } else if has(agent, &["Watch OS", "watchOS", "Apple Watch", "Wear OS", "SM-R8", "SM-R9"]) {
        "wearable"
    } else if contains(agent, "iPad") || has(&lower, &["tablet", "kindle", "silk/", "playbook"]) {
        "tablet"
    } else if hints.mobile == "?1" || has(agent, &["iPhone", "iPod", "Windows Phone", "BlackBerry", "Opera Mini", "KAIOS"]) {
        "mobile"
    } else if contains(agent, "Android") || hints.platform == "Android" {
        // Android tablets leave out "Mobile" (developer.chrome.com, "User-Agent Reduction").
        if contains(agent, "Mobile") { "mobile" } else { "tablet" }
    } else if contains(agent, "Mobile") {
        "mobile"
    } else if has(agent, &["Windows", "Macintosh", "Linux", "CrOS", "X11", "BSD"]) || !hints.platform.is_empty() {
        "desktop"
    } else {
        "unknown"
    }
}

/// Whether a user agent (lower case) is a program's rather than a person's. Cubot is a maker of telephones.
fn is_bot(lower: &str) -> bool {
    const WORDS: &[&str] = &[
        "bot/",
        "bot;",
        "bot ",
        "bot-",
        "bot)",
        "crawl",
        "spider",
        "slurp",
        "headless",
        "facebookexternalhit",
        "facebookcatalog",
        "lighthouse",
        "python-requests",
        "curl/",
        "wget/",
        "http-client",
        "httpclient",
        "okhttp",
        "go-http",
        "axios/",
        "node-fetch",
        "google-inspectiontool",
        "apis-google",
        "mediapartners",
        "bingpreview",
        "whatsapp/",
        "chatgpt-user",
        "claude-user",
        "perplexity-user",
        "meta-externalagent",
    ];
    (has(lower, WORDS) || lower.ends_with("bot")) && !contains(lower, "cubot")
}

fn system(agent: &str, hints: &Hints) -> &'static str {
    match hints.platform {
        "Windows" => return "windows",
        "macOS" => return "macos",
        "Android" => return "android",
        "Linux" => return "linux",
        "Chrome OS" | "Chromium OS" => return "chromeos",
        "iOS" => return "ios",
        _ => {}
    }
    let table: &[(&str, &[&str])] = &[
        ("ios", &["iPhone", "iPad", "iPod"]),
        ("android", &["Android"]),
        ("windows", &["Windows"]),
        ("chromeos", &["CrOS"]),
        ("macos", &["Macintosh", "Mac OS X"]),
        ("linux", &["Linux", "X11"]),
    ];
    table.iter().find(|(_, words)| has(agent, words)).map_or("other", |(name, _)| name)
}

fn browser(agent: &str, hints: &Hints) -> &'static str {
    // Brands come in any order and with one of no meaning among them (GREASE): look for the ones that mean something.
    let brands: &[(&str, &str)] = &[
        ("Microsoft Edge", "edge"),
        ("Opera", "opera"),
        ("Samsung Internet", "samsung"),
        ("Google Chrome", "chrome"),
        ("Chromium", "chrome"),
    ];
    if let Some((_, name)) = brands.iter().find(|(brand, _)| contains(hints.brands, brand)) {
        return name;
    }
    let table: &[(&str, &[&str])] = &[
        ("edge", &["Edg/", "EdgA/", "EdgiOS/", "Edge/"]),
        ("opera", &["OPR/", "Opera", "OPT/"]),
        ("samsung", &["SamsungBrowser/"]),
        ("firefox", &["Firefox/", "FxiOS/"]),
        ("chrome", &["CriOS/", "Chrome/", "Chromium/"]),
        ("safari", &["Safari/"]),
    ];
    table.iter().find(|(_, words)| has(agent, words)).map_or("other", |(name, _)| name)
}
