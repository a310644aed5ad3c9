//! A site and its visitors, always the same: what the benchmark of the core's steps works on.

use idoine::{Offsets, Request};
use std::fmt::Write;

/// 2026-11-20T12:00:00Z in epoch milliseconds.
const NOW: i64 = 1_795_176_000_000;
const SLOTS: [&str; 8] =
    ["hero", "banner", "teaser", "offer", "recommendations", "call-to-action", "newsletter", "footer-note"];
const COUNTRIES: [&str; 8] = ["FR", "DE", "ES", "IT", "GB", "US", "CA", "JP"];
const SOURCES: [&str; 5] = ["google", "instagram", "newsletter", "partner", "bing"];
const CAMPAIGNS: [&str; 6] = ["summer-sale", "black-friday", "spring-shoes", "gift-guide", "launch", "outlet"];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0",
];

/// Numbers that look random (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % most as u64) as usize
    }

    fn of<'a>(&mut self, values: &[&'a str]) -> &'a str {
        values.get(self.below(values.len())).copied().unwrap_or_default()
    }
}

/// An expression, narrow or wide, of one of the kinds that sites are written with.
fn audience(dice: &mut Dice) -> String {
    let (country, source, campaign) = (dice.of(&COUNTRIES), dice.of(&SOURCES), dice.of(&CAMPAIGNS));
    match dice.below(8) {
        0..=2 => format!("geo.country == '{country}' && source.name == '{source}'"),
        3 => format!("source.campaign == '{campaign}' && device.type == 'mobile'"),
        4 => format!("geo.country in ['{country}', 'BE', 'CH'] || language.primary == 'fr'"),
        5 => format!("time.hour >= {} && time.hour < {}", dice.below(12), 12 + dice.below(12)),
        6 => {
            format!("source.campaign.startsWith('{}') && !(geo.country == '{country}')", &campaign.get(..4).unwrap_or_default())
        }
        _ => format!("geo.latitude > {}.5 && page.query.tag != '{source}'", dice.below(50)),
    }
}

/// A manifest with so many experiences.
pub fn manifest(experiences: usize) -> String {
    let mut dice = Dice(20_261_122);
    let mut text = String::from(
        "{\n  // Made by benches/workload.\n  \"site\": { \"id\": \"bench\", \"hosts\": [\"shop.example\"], \"timezone\": \"UTC\" },\n  \"slots\": {\n",
    );
    for slot in SLOTS {
        let _ = writeln!(text, "    \"{slot}\": {{ \"selector\": \"#{slot}\" }},");
    }
    text.push_str("  },\n  \"experiences\": [\n");
    for index in 0..experiences {
        let slot = SLOTS.get(index % SLOTS.len()).copied().unwrap_or_default();
        let (audience, priority) = (audience(&mut dice), dice.below(100));
        let pages = dice.of(&["", ", \"pages\": [\"/collections/*\"]", ", \"pages\": [\"/products/p-1\"]"]);
        let content = "{ \"text\": \"Hello, {{ geo.city | \\\"you\\\" }}\" }";
        let (kind, more, content) = match dice.below(4) {
            0 => ("experiment", ", \"traffic\": 0.8", format!("[{{ \"baseline\": true }}, {content}]")),
            1 => (
                "personalization",
                ", \"schedule\": { \"from\": \"2026-11-01\", \"until\": \"2026-12-01\" }",
                content.to_owned(),
            ),
            _ => ("personalization", "", content.to_owned()),
        };
        let _ = writeln!(
            text,
            "    {{ \"id\": \"e-{index:05}\", \"type\": \"{kind}\", \"audience\": \"{audience}\", \"priority\": {priority}{pages}{more}, \"slots\": {{ \"{slot}\": {content} }} }},"
        );
    }
    text.push_str("  ]\n}\n");
    text
}

/// So many requests for one page.
pub fn requests(count: usize) -> Vec<Request> {
    let mut dice = Dice(42);
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (0..count)
        .map(|index| Request {
            url: format!(
                "https://shop.example/collections/shoes?utm_source={}&utm_medium=cpc&utm_campaign={}",
                dice.of(&SOURCES),
                dice.of(&CAMPAIGNS)
            ),
            headers: pairs(&[
                ("user-agent", dice.of(&AGENTS)),
                ("accept-language", dice.of(&["fr-FR,fr;q=0.9,en;q=0.8", "en-US,en;q=0.9", "de"])),
                ("cookie", &format!("idoine_id={index:08}-visitor; idoine_consent=personalization")),
            ]),
            cf: pairs(&[
                ("country", dice.of(&COUNTRIES)),
                ("city", dice.of(&["Paris", "Berlin", ""])),
                ("latitude", "48.85"),
                ("longitude", "2.35"),
                ("timezone", "Europe/Paris"),
            ]),
            now: NOW + index as i64 * 60_000,
            offsets: Offsets::from_numbers(&[0.0, 3600.0]),
            ..Request::default()
        })
        .collect()
}
