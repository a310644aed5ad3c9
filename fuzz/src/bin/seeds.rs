//! Writes the first inputs of every target, from the cases of `tests/spec`: `seeds FOLDER`.

use idoine::compile::{Zones, compile};
use idoine::consent::{Consent, Purpose};
use idoine::learn::rules::What;
use idoine::learn::{self, Event, EventKind, Product, Rules, Scalar, Site, State};
use idoine::touch::Touch;
use serde_json::Value;
use std::path::{Path, PathBuf};

struct NoZones;

impl Zones for NoZones {
    fn offset(&self, zone: &str, _: i64) -> Option<i32> {
        (zone == "UTC" || zone == "Europe/Paris").then_some(3600)
    }
}

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: seeds FOLDER"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seeds = Seeds { folder, count: 0 };

    let demo = std::fs::read_to_string(root.join("www/demo/site.jsonc"))?;
    seeds.manifest(&demo)?;
    for folder in ["decide", "context", "expr", "manifest"] {
        let Ok(entries) = std::fs::read_dir(root.join("tests/spec").join(folder)) else { continue };
        for entry in entries {
            let text = std::fs::read_to_string(entry?.path())?;
            let document: Value = serde_json::from_str(&text).expect("cases are JSON");
            seeds.document(&document)?;
        }
    }
    for text in [
        "192.0.2.1",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "192.0.2.0/24",
        "2001:db8::/32",
        "2026-11-20T12:30:00.5+01:00",
        "-1h30m1.5s",
        "1.2.3-beta.1\n1.2.3",
    ] {
        seeds.write("texts", text.as_bytes())?;
    }
    let visit = |kind: u8, at: i64| [&[kind, 1][..], &at.to_le_bytes()].concat();
    seeds.write("visits", &[visit(0, 0), visit(1, 60_000), visit(66, 1 << 40), visit(2, -5)].concat())?;
    for bytes in profiles() {
        seeds.write("profile", &bytes)?;
    }
    let wire: Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("tests/spec/wire.json"))?).expect("wire.json is JSON");
    for request in wire["requests"].as_array().into_iter().flatten() {
        let hex = request["hex"].as_str().unwrap_or_default().as_bytes();
        let digit = |byte: &u8| (*byte as char).to_digit(16).unwrap_or(0) as u8;
        let bytes: Vec<u8> = hex.chunks_exact(2).map(|pair| pair.iter().fold(0, |sum, byte| sum * 16 + digit(byte))).collect();
        seeds.write("wire", &bytes)?;
    }
    eprintln!("{} seeds", seeds.count);
    Ok(())
}

/// A state of every part, rules, and a projection.
fn profiles() -> [Vec<u8>; 3] {
    let reading =
        |what: What| learn::rules::Reading { path: format!("profile.{what:?}"), what, on_pages: true, slots: Vec::new() };
    let rules =
        Rules { readings: [What::Lifecycle, What::SessionStarted, What::CartValue].map(reading).to_vec(), ..Rules::default() };
    let mut state = State::default();
    for (at, name) in ["", "Product Added", "Question Answered", "NPS Answered", "Order Completed"].into_iter().enumerate() {
        let kind = if name.is_empty() { EventKind::Page } else { EventKind::Track };
        let mut event = Event::new(at.to_string(), 1_790_000_000_000 + at as i64 * 1000, kind);
        event.name = name.into();
        event.consent = Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
        event.touch = name.is_empty().then(|| Touch { at: event.at, source: "google".to_owned(), ..Touch::default() });
        event.products.push(Product { id: "p1".into(), ..Product::default() });
        let text = |text: &'static str| Scalar::Text(text.into());
        event.properties =
            vec![("question".into(), text("q")), ("answer".into(), text("a")), ("score".into(), Scalar::Number(9_000_000))];
        state.fold(&rules, &event);
    }
    let projection = learn::projection::encode(&rules, &state, &Site::default(), 1_790_000_060_000, Some("u1"));
    [state.encode(), rules.to_bytes(), projection]
}

struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    fn write(&mut self, target: &str, bytes: &[u8]) -> std::io::Result<()> {
        let folder = self.folder.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{:05}", self.count)), bytes)?;
        self.count += 1;
        Ok(())
    }

    /// A manifest is also something to format, and a program.
    fn manifest(&mut self, source: &str) -> std::io::Result<()> {
        self.write("manifest", source.as_bytes())?;
        self.write("format", source.as_bytes())?;
        match compile(source, &NoZones) {
            Ok(program) => self.write("program", program.bytes()),
            Err(_) => Ok(()),
        }
    }

    fn expression(&mut self, text: &str) -> std::io::Result<()> {
        self.write("expression", text.as_bytes())?;
        self.write("evaluation", text.as_bytes())
    }

    fn document(&mut self, document: &Value) -> std::io::Result<()> {
        if document["manifest"].is_object() {
            self.manifest(&document["manifest"].to_string())?;
            for (_, expression) in document["manifest"]["audiences"].as_object().into_iter().flatten() {
                self.expression(expression.as_str().unwrap_or_default())?;
            }
        }
        for case in document["cases"].as_array().into_iter().flatten() {
            match &case["source"] {
                Value::String(text) if case["visitor"].is_null() => self.manifest(text)?,
                Value::Array(lines) => self.manifest(&lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"))?,
                _ => {}
            }
            if let Some(expression) = case["expr"].as_str() {
                self.expression(expression)?;
            }
            if case["visitor"].is_object() {
                self.write("request", request(&case["visitor"]).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// A visitor in the lines that the target `request` reads.
fn request(visitor: &Value) -> String {
    let mut lines =
        vec![format!("u{}", visitor["url"].as_str().unwrap_or_default()), "n1796000000000".to_owned(), "z3600".to_owned()];
    for (letter, key) in [("h", "headers"), ("c", "cf"), ("o", "context")] {
        for (name, value) in visitor[key].as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push(format!("{letter}{name}: {value}"));
        }
    }
    lines.join("\n")
}
