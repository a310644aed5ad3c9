//! When time alone may change a page: nothing changes before it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use idoine::compile::{Zones, compile, compile_for_browsers};
use idoine::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use idoine::{Context, Offsets, Program, Request, decide, edits, until};
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;
use serde_json::{Value, json};

struct Iana;

impl Zones for Iana {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        offset(zone, instant)
    }
}

fn offset(zone: &str, instant: i64) -> Option<i32> {
    let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
    Some(zone.to_offset(Timestamp::from_millisecond(instant).ok()?).seconds())
}

const URL: &str = "https://shop.example/";

/// Zones whose clocks are changed by an hour and by half of one, at night and at midnight, and one that is a quarter of an hour beside the others.
const ZONES: [&str; 6] =
    ["Europe/Paris", "Australia/Lord_Howe", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns"];

fn context(program: &Program, zone: &str, now: i64, paths: &[(&str, &str)]) -> Context {
    let cf = if zone.is_empty() { Vec::new() } else { vec![("timezone".to_owned(), zone.to_owned())] };
    let offsets = if zone.is_empty() { Offsets::default() } else { Offsets::around(now, |instant| offset(zone, instant)) };
    let overrides = paths.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    Context::derive(program, &Request { url: URL.to_owned(), cf, now, offsets, overrides, ..Request::default() })
}

/// All that is decided, as text.
fn shown(program: &Program, context: &Context) -> String {
    let decisions = decide(program, context);
    format!("{decisions:?} {:?}", edits(program, context, &decisions))
}

fn program(experiences: &Value) -> Program {
    let manifest = json!({
        "site": { "id": "x", "timezone": "Europe/Paris" },
        "traits": { "seen": { "type": "timestamp", "purpose": "personalization" } },
        "holidays": { "off": ["2026-11-22", "12-25"] },
        "audiences": { "evening": "time.hour >= 18", "weekend": "time.weekday in [0, 6]", "busy": "!weekend && !evening" },
        "slots": { "a": {}, "b": {}, "c": {}, "elsewhere": { "pages": ["/elsewhere"] } },
        "experiences": experiences
    });
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}\n{manifest:#}"))
}

fn one(more: Value) -> Value {
    let mut experience = json!({ "id": "e", "type": "personalization", "slots": { "a": { "text": "x" } } });
    more.as_object().unwrap().iter().for_each(|(name, value)| experience[name] = value.clone());
    experience
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// What is told at an instant in Paris.
fn told(experiences: &Value, now: &str) -> Option<String> {
    let program = program(experiences);
    let instant = until(&program, &context(&program, "Europe/Paris", at(now), &[]));
    instant.map(|instant| Timestamp::from_millisecond(instant).unwrap().to_string())
}

#[test]
fn it_is_the_finest_part_of_a_clock_that_is_read() {
    let now = "2026-11-20T12:34:56.789Z";
    for (audience, expected) in [
        ("geo.country == 'FR'", None),
        ("profile.seen < timestamp('2026-01-01T00:00:00Z')", None),
        ("time.month == 12", Some("2026-11-20T23:00:00Z")),
        ("holidays.off", Some("2026-11-20T23:00:00Z")),
        ("weekend", Some("2026-11-20T23:00:00Z")),
        ("evening", Some("2026-11-20T13:00:00Z")),
        ("busy", Some("2026-11-20T13:00:00Z")),
        ("geo.country == 'FR' && (weekend || time.hour < 3)", Some("2026-11-20T13:00:00Z")),
        ("time.clock >= '12:40'", Some("2026-11-20T12:35:00Z")),
        ("time.minute < 30 && weekend", Some("2026-11-20T12:35:00Z")),
        ("time.now - profile.seen > duration('30m')", Some("2026-11-20T12:35:00Z")),
        ("time.now.getHours('Asia/Kolkata') > 9", Some("2026-11-20T12:35:00Z")),
    ] {
        assert_eq!(told(&json!([one(json!({ "audience": audience }))]), now).as_deref(), expected, "{audience}");
    }
    let content = one(json!({ "slots": { "a": { "text": "It is {{ time.hour | \"no\" }} h" } } }));
    assert_eq!(told(&json!([content]), now).as_deref(), Some("2026-11-20T13:00:00Z"));
}

#[test]
fn schedules_and_ramps_are_told_and_what_is_not_here_is_not() {
    let now = "2026-11-20T12:34:56.789Z";
    let evening = |more: Value| {
        let mut experience = one(more);
        experience["audience"] = json!("evening");
        json!([experience])
    };
    for (experiences, expected) in [
        (json!([one(json!({ "schedule": { "from": "2026-11-21" } }))]), Some("2026-11-20T23:00:00Z")),
        (
            json!([one(json!({ "schedule": { "from": "2026-11-01", "until": "2026-12-01T09:00:30" } }))]),
            Some("2026-12-01T08:00:30Z"),
        ),
        (json!([one(json!({ "schedule": { "until": "2026-11-01" } }))]), None),
        // What has not begun looks at no clock yet, what is over at none any more, what does not run at none at all.
        (evening(json!({ "schedule": { "from": "2026-11-21" } })), Some("2026-11-20T23:00:00Z")),
        (evening(json!({ "schedule": { "until": "2026-11-01" } })), None),
        (evening(json!({ "status": "paused" })), None),
        (evening(json!({ "status": "draft" })), None),
        (evening(json!({ "pages": ["/other"] })), None),
        (evening(json!({ "slots": { "elsewhere": { "text": "x" } } })), None),
        (
            json!([one(
                json!({ "traffic": { "ramp": "steps", "points": [{ "at": "2026-11-01", "share": 0.1 }, { "at": "2026-11-22", "share": 1 }] } })
            )]),
            Some("2026-11-21T23:00:00Z"),
        ),
        (
            json!([one(
                json!({ "traffic": { "ramp": "linear", "points": [{ "at": "2026-11-01", "share": 0.1 }, { "at": "2026-11-22", "share": 1 }] } })
            )]),
            Some("2026-11-20T12:35:00Z"),
        ),
        // Before its first point and behind its last one a ramp stands still.
        (
            json!([one(
                json!({ "traffic": { "ramp": "linear", "points": [{ "at": "2026-11-22", "share": 0.1 }, { "at": "2026-11-23", "share": 1 }] } })
            )]),
            Some("2026-11-21T23:00:00Z"),
        ),
        (
            json!([one(
                json!({ "traffic": { "ramp": "linear", "points": [{ "at": "2026-11-01", "share": 0.1 }, { "at": "2026-11-02", "share": 1 }] } })
            )]),
            None,
        ),
    ] {
        assert_eq!(told(&experiences, now).as_deref(), expected, "{experiences:#}");
    }
}

#[test]
fn who_requires_another_waits_for_that_ones_time() {
    let now = "2026-11-20T12:34:56.789Z";
    let required = |more: Value| {
        let mut experience = one(more);
        experience["id"] = json!("required");
        experience["slots"] = json!({ "elsewhere": { "text": "x" } });
        json!([one(json!({ "requires": [{ "experience": "required" }] })), experience])
    };
    assert_eq!(told(&required(json!({ "schedule": { "until": "2026-11-21" } })), now).as_deref(), Some("2026-11-20T23:00:00Z"));
    assert_eq!(told(&required(json!({ "audience": "evening" })), now).as_deref(), Some("2026-11-20T13:00:00Z"));
    assert_eq!(told(&required(json!({})), now), None);
}

#[test]
fn clocks_that_are_changed_are_waited_for() {
    let weekend = json!([one(json!({ "audience": "weekend" }))]);
    let program = program(&weekend);
    // In Havana midnight of 1 November 2026 comes twice... an hour after one in the morning it is midnight again.
    let told = |now: &str| until(&program, &context(&program, "America/Havana", at(now), &[])).unwrap();
    assert_eq!(told("2026-11-01T04:30:00Z"), at("2026-11-01T05:00:00Z"));
    assert_eq!(told("2026-11-01T05:30:00Z"), at("2026-11-02T05:00:00Z"));
    // Without a zone there is no local time, and so nothing that reads it is shown.
    assert!(until(&program, &context(&program, "", at("2026-11-01T05:30:00Z"), &[])).is_some());
}

#[test]
fn a_program_for_browsers_tells_the_same() {
    let source = json!({
        "site": { "id": "x" }, "slots": { "a": {} },
        "experiences": [one(json!({ "audience": "time.hour > 3" }))]
    });
    let program = compile_for_browsers(&source.to_string(), &Iana).unwrap().program;
    let now = at("2026-11-20T12:34:56Z");
    assert_eq!(until(&program, &context(&program, "Europe/Paris", now, &[])), Some(at("2026-11-20T13:00:00Z")));
}

fn audience() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..24).prop_map(|hour| format!("time.hour >= {hour}")),
        (0..60).prop_map(|minute| format!("time.minute < {minute}")),
        (0..24, 0..60).prop_map(|(hour, minute)| format!("time.clock >= '{hour:02}:{minute:02}'")),
        (0..7).prop_map(|day| format!("time.weekday == {day}")),
        (1..31).prop_map(|day| format!("time.day > {day}")),
        (40..53).prop_map(|week| format!("time.week == {week}")),
        (1..13).prop_map(|month| format!("time.month == {month}")),
        (0..24, 0..60).prop_map(|(hour, minute)| format!("time.now > timestamp('2026-11-01T{hour:02}:{minute:02}:00Z')")),
        (0..72).prop_map(|hours| format!("time.now - profile.seen < duration('{hours}h')")),
        (0..24).prop_map(|hour| format!("time.now.getHours('Asia/Kathmandu') > {hour}")),
        Just("weekend".to_owned()),
        Just("busy".to_owned()),
        Just("holidays.off".to_owned()),
        Just("consent.personalization".to_owned()),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} && {other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} || {other})")),
            inner.prop_map(|one| format!("!({one})")),
        ]
    })
}

/// Around a day on which the clocks of many zones are changed.
fn instant() -> impl Strategy<Value = i64> {
    (-3 * 24 * 60..3 * 24 * 60i64).prop_map(|minutes| at("2026-11-01T00:00:00Z") + minutes * MINUTE_MS)
}

fn experience(number: usize) -> impl Strategy<Value = Value> {
    let schedule = prop::option::of((instant(), 1..3000i64));
    let slot = prop::sample::select(vec!["a", "b", "c", "elsewhere"]);
    let ramp = prop::option::weighted(0.3, (instant(), instant(), any::<bool>()));
    (prop::option::weighted(0.8, audience()), schedule, slot, ramp, any::<bool>()).prop_map(
        move |(audience, schedule, slot, ramp, clock)| {
            let text = |instant: i64| Timestamp::from_millisecond(instant).unwrap().to_string();
            let content = if clock { "{{ time.clock | \"-\" }}" } else { "x" };
            let mut made = json!({ "id": format!("e{number}"), "type": "personalization", "slots": {} });
            made["slots"][slot] = json!({ "text": content });
            if let Some(audience) = audience {
                made["audience"] = json!(audience);
            }
            if let Some((from, minutes)) = schedule {
                made["schedule"] = json!({ "from": text(from), "until": text(from + minutes * MINUTE_MS) });
            }
            if let Some((one, other, linear)) = ramp.filter(|(one, other, _)| one != other) {
                let points = [one.min(other), one.max(other)].map(text);
                let points = json!([{ "at": points[0], "share": 0.2 }, { "at": points[1], "share": 0.9 }]);
                made["traffic"] = json!({ "ramp": if linear { "linear" } else { "steps" }, "points": points });
            }
            if number > 0 && number.is_multiple_of(2) {
                made["requires"] = json!([{ "experience": format!("e{}", number - 1) }]);
            }
            made
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 400 }))]

    #[test]
    fn before_it_nothing_changes(
        experiences in (experience(0), experience(1), experience(2), experience(3)),
        zone in prop::sample::select(ZONES.to_vec()),
        now in instant(),
        visitor in "[a-z]{10}",
        agreed in any::<bool>(),
    ) {
        let (one, two, three, four) = experiences;
        let program = program(&json!([one, two, three, four]));
        let paths = [("visitor.id", visitor.as_str()), ("consent.personalization", if agreed { "true" } else { "false" }), ("profile.seen", "2026-10-31T12:34:00Z")];
        let context = |now: i64| context(&program, zone, now, &paths);
        let first = context(now);
        let end = until(&program, &first);
        let expected = shown(&program, &first);
        // To the minute, and around each hour to the millisecond; further ahead by the hour.
        let minutes = (1..90).map(|minute| now + minute * MINUTE_MS);
        let edges = (1..60).flat_map(|hour| [now - now.rem_euclid(HOUR_MS) + hour * HOUR_MS].into_iter().flat_map(|at| [at - 1, at]));
        let days = (1..20).map(|day| now + day * DAY_MS);
        for at in minutes.chain(edges).chain(days).chain(end.map(|end| end - 1)) {
            if at > now && end.is_none_or(|end| at < end) {
                prop_assert_eq!(&shown(&program, &context(at)), &expected, "{} after {}, told {:?}", at, now, end);
            }
        }
        // It does not depend on who asks.
        let anybody = self::context(&program, zone, now, &[]);
        prop_assert_eq!(until(&program, &anybody), end);
        prop_assert!(end.is_none_or(|end| end > now));
    }
}
