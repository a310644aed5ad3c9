//! What a field can be at all, so that no value is proposed that no visitor ever has.

use crate::context::{Field, Kind, Value};
use crate::program::Program;

const TYPES: &str = "desktop mobile tablet tv console wearable bot unknown";
const SYSTEMS: &str =
    "windows macos ios android linux chromeos tvos watchos tizen webos kaios harmonyos playstation xbox nintendo roku other";
const BROWSERS: &str =
    "chrome safari firefox edge samsung opera brave vivaldi yandex duckduckgo uc silk ie android webview other";
const APPS: &str = "instagram threads messenger facebook tiktok snapchat pinterest linkedin twitter line wechat weibo alipay qq kakaotalk naver telegram google bing teams";

/// What a field can be; of a list its items.
pub(super) struct Domain {
    /// Some of its values.
    pub(super) known: Vec<Value>,
    /// Whether those are the only ones that are known to be possible.
    only: bool,
    /// Whether there are no others.
    pub(super) all: bool,
    /// What a text, or the least and the most that a number has to be.
    fits: Fits,
}

enum Fits {
    Any,
    Number(f64, f64),
    /// `A` is any letter in upper case, `0` any digit; and it is at most the other text.
    Shape(&'static str, &'static str),
}

impl Domain {
    pub(super) fn of(program: &Program, field: u32) -> Domain {
        match Field::of(field) {
            Some(field) => Domain::of_field(program, field),
            None => Domain::of_declared(program, field),
        }
    }

    fn of_field(program: &Program, field: Field) -> Domain {
        match field {
            Field::DeviceType => Domain::all(texts(TYPES.split(' '))),
            Field::DeviceOs => Domain::all(texts(SYSTEMS.split(' '))),
            Field::DeviceBrowser => Domain::all(texts(BROWSERS.split(' '))),
            Field::DeviceApp => Domain::all(texts(APPS.split(' '))),
            Field::DeviceColorScheme => Domain::all(texts(["light", "dark"].into_iter())),
            Field::GeoContinent => Domain::all(texts("AF AN AS EU NA OC SA".split(' '))),
            Field::LanguageSite => Domain::all(texts(program.languages())),
            Field::SourceChannel => Domain::only(texts(program.compared_with(field as u32).into_iter())),
            Field::GeoCountry => Domain::shaped("AA", "ZZ", &["FR", "US"]),
            Field::TimeClock => Domain::shaped("00:00", "23:59", &["00:00", "12:00", "23:59"]),
            Field::TimeDate => Domain::shaped("0000-00-00", "9999-12-31", &["2026-01-01", "2027-01-01"]),
            Field::GeoLatitude => Domain::within(-90.0, 90.0),
            Field::GeoLongitude => Domain::within(-180.0, 180.0),
            Field::NetworkAsn => Domain::within(0.0, f64::from(u32::MAX)),
            Field::DeviceViewportWidth | Field::DeviceViewportHeight => Domain::within(1.0, 100_000.0),
            Field::TimeYear => Domain::within(1970.0, 9999.0),
            Field::NetworkBotScore => Domain::numbers(1, 99),
            Field::TimeHour => Domain::numbers(0, 23),
            Field::TimeMinute => Domain::numbers(0, 59),
            Field::TimeWeekday => Domain::numbers(0, 6),
            Field::TimeDay => Domain::numbers(1, 31),
            Field::TimeDayOfYear => Domain::numbers(1, 366),
            Field::TimeWeek => Domain::numbers(1, 53),
            Field::TimeMonth => Domain::numbers(1, 12),
            _ => Domain::open(),
        }
    }

    fn of_declared(program: &Program, field: u32) -> Domain {
        for (first, places) in program.place_lists() {
            match field.checked_sub(first) {
                Some(0) => return Domain::all(texts(program.place_ids(places))),
                Some(2) => return Domain::within(0.0, 20_100.0),
                _ => {}
            }
        }
        if let Some((_, _, values)) = program.enrichment_field(program.field_path(field)) {
            return if values.is_empty() { Domain::open() } else { Domain::all(texts(program.enrichment_values(values))) };
        }
        // A program does not say whether a trait has an enum: those values are in it with which it is compared.
        match program.field_kind(field) {
            Some(Kind::String | Kind::Strings) => Domain::only(texts(program.compared_with(field).into_iter())),
            _ => Domain::open(),
        }
    }

    fn open() -> Domain {
        Domain { known: Vec::new(), only: false, all: false, fits: Fits::Any }
    }

    fn only(known: Vec<Value>) -> Domain {
        Domain { known, only: true, all: false, fits: Fits::Any }
    }

    fn all(known: Vec<Value>) -> Domain {
        Domain { known, only: true, all: true, fits: Fits::Any }
    }

    fn numbers(least: i64, most: i64) -> Domain {
        Domain::all((least..=most).map(Value::Int).collect())
    }

    fn within(least: f64, most: f64) -> Domain {
        Domain { fits: Fits::Number(least, most), ..Domain::open() }
    }

    fn shaped(shape: &'static str, most: &'static str, known: &[&str]) -> Domain {
        Domain { known: texts(known.iter().copied()), fits: Fits::Shape(shape, most), ..Domain::open() }
    }

    /// Whether a value may be proposed.
    pub(super) fn has(&self, value: &Value) -> bool {
        let fits = match (&self.fits, value) {
            (Fits::Number(least, most), Value::Int(number)) => (*least..=*most).contains(&(*number as f64)),
            (Fits::Number(least, most), Value::Double(number)) => (*least..=*most).contains(number),
            (Fits::Shape(shape, most), Value::String(text)) => {
                let alike = |(found, shape): (u8, u8)| match shape {
                    b'A' => found.is_ascii_uppercase(),
                    b'0' => found.is_ascii_digit(),
                    _ => found == shape,
                };
                text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(alike) && text.as_str() <= *most
            }
            _ => true,
        };
        fits && (!self.only || self.known.contains(value))
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value> {
    texts.map(|text| Value::String(text.to_owned())).collect()
}
