//! Enrichments: their URLs, and where in the answers their fields are.

use super::Compiler;
use super::template::Template;
use crate::context::{FIELDS, Kind};
use crate::expr::ExprError;
use crate::manifest::{Enrichment, EnrichmentField, Spanned};
use crate::program::build::Part;
use crate::program::layout::Section;
use crate::text::cut_at;
use std::ops::RangeInclusive;

/// A Worker has six connections at a time, one of which is the page's own.
const MOST: usize = 5;
const MOST_FIELDS: usize = 32;
/// Characters of a URL as it is written.
const LONGEST_URL: usize = 1000;
/// Characters and steps of a path in an answer.
const LONGEST_PATH: usize = 200;
const DEEPEST_PATH: usize = 16;
const CACHE_SECONDS: RangeInclusive<i32> = 10..=86_400;
const TIMEOUT_MS: RangeInclusive<i32> = 1..=50;
const PRECISION: RangeInclusive<i32> = 0..=6;

impl Compiler<'_, '_, '_> {
    pub(super) fn enrichments(&mut self) {
        let manifest = self.manifest;
        let enrichments = &manifest.enrichments;
        if let Some((name, _)) = enrichments.get(MOST) {
            self.error(name, format!("a site has at most {MOST} enrichments: a page can't ask more at the same time"));
        }
        let count: usize = enrichments.iter().map(|(_, enrichment)| enrichment.fields.len()).sum();
        let mut field = FIELDS.len() + self.names.declared.len() - count;
        for (name, enrichment) in enrichments {
            self.check_identifier(name);
            let url = self.enrichment_url(&enrichment.url);
            let url = self.builder.parts(&url);
            let first_field = self.builder.next(Section::EnrichmentFields);
            self.enrichment_fields(enrichment, field);
            field += enrichment.fields.len();
            let record = [
                self.builder.text(&name.value),
                url,
                first_field,
                enrichment.fields.len() as u32,
                self.number_within(enrichment.cache_seconds.as_ref(), CACHE_SECONDS, "seconds", 600),
                self.number_within(enrichment.timeout_ms.as_ref(), TIMEOUT_MS, "milliseconds", 50),
                self.number_within(enrichment.precision.as_ref(), PRECISION, "decimals", 2),
            ];
            self.builder.push(Section::Enrichments, &record);
        }
    }

    fn number_within(&mut self, written: Option<&Spanned<i32>>, range: RangeInclusive<i32>, unit: &str, default: u32) -> u32 {
        let Some(number) = written else { return default };
        if !range.contains(&number.value) {
            let (least, most) = range.into_inner();
            self.error(number, format!("expected {least} to {most} {unit}, found {}", number.value));
        }
        number.value.max(0) as u32
    }

    fn enrichment_fields(&mut self, enrichment: &Enrichment, first: usize) {
        if let Some((field, _)) = enrichment.fields.get(MOST_FIELDS) {
            self.error(field, format!("an enrichment has at most {MOST_FIELDS} fields"));
        }
        for (index, (name, field)) in enrichment.fields.iter().enumerate() {
            self.check_identifier(name);
            self.enrichment_path(&field.path);
            let [first_value, values] = self.enrichment_values(field);
            let path = self.builder.text(&field.path.value);
            self.builder.push(Section::EnrichmentFields, &[(first + index) as u32, path, first_value, values]);
        }
    }

    fn enrichment_path(&mut self, path: &Spanned<String>) {
        let text = &path.value;
        let steps = text.split('.').count();
        if text.split('.').any(str::is_empty) || text.len() > LONGEST_PATH || steps > DEEPEST_PATH {
            self.error(
                path,
                format!(
                    "expected a path such as current.condition.text or list.0.name, of at most {DEEPEST_PATH} steps and {LONGEST_PATH} characters"
                ),
            );
        } else if text.contains(['[', ']']) {
            let dotted = text.replace('[', ".").replace(']', "");
            self.error_with_help(path, "positions in lists are steps like names", Some(format!("write {dotted}")));
        }
    }

    fn enrichment_values(&mut self, field: &EnrichmentField) -> [u32; 2] {
        let first = self.builder.next(Section::EnrichmentValues);
        let Some(values) = &field.values else { return [first, 0] };
        if !matches!(field.kind, Kind::String | Kind::Strings)
            && let Some(first) = values.0.first()
        {
            self.error(first, "only a field of type string or strings has an enum");
        }
        for value in &values.0 {
            let text = self.builder.text(&value.value);
            self.builder.push(Section::EnrichmentValues, &[text]);
        }
        [first, values.0.len() as u32]
    }

    /// The parts of an endpoint's URL.
    fn enrichment_url(&mut self, url: &Spanned<String>) -> Vec<Part> {
        let parts = Template::parse_url(&url.value, &self.names).and_then(|template| {
            let errors = check(&url.value, &template);
            if errors.is_empty() { Ok(template.url()) } else { Err(errors) }
        });
        parts.unwrap_or_else(|errors| {
            for error in errors {
                self.error_inside(url, error);
            }
            Vec::new()
        })
    }
}

/// What is wrong with a URL that is a template.
fn check(text: &str, template: &Template) -> Vec<ExprError> {
    let mut errors = Vec::new();
    let whole = 0..text.len();
    let start = cut_at(text, "{{").map_or(text, |(start, _)| start);
    if let Err((message, help)) = check_origin(start, start.len() == text.len()) {
        errors.push(ExprError::new(whole.clone(), message).with_help(help));
    }
    if text.len() > LONGEST_URL {
        errors.push(ExprError::new(whole, format!("the URL has {} characters; at most {LONGEST_URL} are allowed", text.len())));
    }
    for (literal, start) in template.literals() {
        if let Some((at, c)) = literal.char_indices().find(|(_, c)| !c.is_ascii_graphic() || "\\#\"<>^`{|}".contains(*c)) {
            let at = start + at;
            let mut encoded = String::new();
            crate::url::encode(c.encode_utf8(&mut [0; 4]), &mut encoded);
            let error = ExprError::new(at..at + c.len_utf8(), "this character does not stand in an endpoint's URL as it is");
            errors.push(error.with_help(Some(format!("write {encoded}"))));
        }
    }
    let before_query = text.split('?').next().unwrap_or_default();
    if before_query.split('/').any(|step| matches!(step, "." | "..")) {
        let error = ExprError::new(0..text.len(), "a path with steps of `.` or `..` is another path; write that one");
        errors.push(error);
    }
    for (path, span) in template.fields() {
        let why = if path.starts_with("profile.") || path.starts_with("visitor.") {
            "it leaves the site, and nothing of a profile does"
        } else if path == "network.ip" {
            "it leaves the site, and an address tells who the visitor is"
        } else if path.starts_with("enrichment.") {
            "enrichments are asked at the same time"
        } else {
            continue;
        };
        let error = ExprError::new(span, format!("an enrichment's URL can't say `{path}`: {why}"));
        errors.push(error.with_help(Some("use what the request tells, such as geo.country or geo.latitude".to_owned())));
    }
    errors
}

/// Checks that a URL's scheme and host are written out, and safe to ask.
pub(super) fn check_origin(start: &str, is_whole: bool) -> Result<(), (String, Option<String>)> {
    let (scheme, rest) = cut_at(start, "://").unwrap_or_default();
    let end = rest.find(['/', '?']);
    if scheme.is_empty() || (end.is_none() && !is_whole) {
        let message =
            "expected scheme and host before the first `{{`, such as https://weather.example/v1?lat={{ geo.latitude }}";
        return Err((message.to_owned(), None));
    }
    let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let good_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let good_host = host == "[::1]"
        || !host.is_empty() && host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b));
    if !good_host || !good_port {
        return Err((format!("`{authority}` is no host in lower case, such as weather.example or localhost:8080"), None));
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err((
            "an endpoint is asked by https; http is for this machine alone".to_owned(),
            Some(format!("write https://{authority}")),
        )),
        _ => Err((format!("expected https://, found {scheme}://"), None)),
    }
}

fn is_loopback(host: &str) -> bool {
    let is_address = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.strip_prefix("127.").is_some_and(is_address)
}

#[cfg(test)]
mod tests {
    use crate::compile::{Zones, compile};

    struct Utc;

    impl Zones for Utc {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            Some(0)
        }
    }

    fn errors(url: &str, fields: usize, path: &str) -> Vec<String> {
        let fields: serde_json::Map<_, _> =
            (0..fields).map(|n| (format!("f{n}"), serde_json::json!({ "type": "int", "path": path }))).collect();
        let manifest = serde_json::json!({ "site": { "id": "x" }, "enrichments": { "a": { "url": url, "fields": fields } } });
        let found = compile(&manifest.to_string(), &Utc).err().unwrap_or_default();
        found.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn sizes_are_limited() {
        let url = |length: usize| format!("https://a.example/{}", "x".repeat(length - "https://a.example/".len()));
        let steps = |count: usize| vec!["a"; count].join(".");
        assert_eq!(errors(&url(1000), 32, &steps(16)), [""; 0]);
        assert_eq!(errors(&url(1000), 1, &"a".repeat(200)), [""; 0]);
        for (found, expected) in [
            (errors(&url(1001), 1, "a"), "the URL has 1001 characters"),
            (errors(&url(100), 33, "a"), "at most 32 fields"),
            (errors(&url(100), 1, &steps(17)), "at most 16 steps"),
            (errors(&url(100), 1, &"a".repeat(201)), "200 characters"),
        ] {
            assert!(found.len() == 1 && found.iter().all(|message| message.contains(expected)), "{expected}: {found:?}");
        }
    }

    #[test]
    fn schemes_and_hosts() {
        for good in [
            "https://a.example",
            "https://a.example?x=1",
            "https://a.example:8443/x",
            "http://localhost:8080/",
            "http://api.localhost/",
            "http://127.0.0.1:1/{{ geo.city }}",
            "http://[::1]:8080/?{{ geo.city }}",
            "https://[::1]/",
        ] {
            assert_eq!(errors(good, 1, "a"), [""; 0], "{good}");
        }
        for bad in [
            "",
            "/weather",
            "//a.example/",
            "https:///x",
            "https://a.example:0/",
            "https://a.example:99999/",
            "https://a.example:{{ geo.city }}/",
            "https://a.example@b.example/",
            "https://a.example\\@b.example/",
            "http://127.0.0.1.a.example/",
            "http://localhost.a.example/",
            "http://a.example/",
            "file:///etc/passwd",
            "javascript://a.example/",
            "HTTPS://a.example/",
            "https://a.example{{ geo.city }}/",
            " https://a.example/",
        ] {
            assert!(!errors(bad, 1, "a").is_empty(), "{bad}");
        }
    }
}
