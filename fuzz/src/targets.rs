//! What is fuzzed: each target takes any bytes, and fails by a panic alone. `tests/crashers.rs` runs the same on what was found.

use idoine::address::{Address, Range};
use idoine::compile::{Compiled, EvaluateError, Evaluation, Outcome, Zones, check, compile, evaluate};
use idoine::consent::{Consent, Purpose};
use idoine::diagnostic::Diagnostic;
use idoine::expr::{Constant, parse, print};
use idoine::instant::Seconds;
use idoine::learn::site::Buyers;
use idoine::learn::{self, Event, EventKind, Rules, State, rules::What};
use idoine::log::logged;
use idoine::manifest::format;
use idoine::report::{self, explanation, explanation_text, why_not_text};
use idoine::session::{Session, SessionEvent, SessionRules};
use idoine::touch::{Touch, Touches};
use idoine::visitor::Visitor;
use idoine::{Context, Offsets, Program, Receipt, Request, decide, edits, explain, why_not, wire};
use std::sync::LazyLock;

/// A target takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("expression", expression),
    ("evaluation", evaluation),
    ("manifest", manifest),
    ("format", formatted),
    ("request", request),
    ("program", program),
    ("wire", wire_bytes),
    ("visits", visits),
    ("profile", profile),
    ("texts", texts),
];

/// The demo's manifest: what requests are decided with.
const DEMO: &str = include_str!("../../www/demo/site.jsonc");

/// Two zones, one with summer time. No table, which would be what is fuzzed most.
struct TwoZones;

impl Zones for TwoZones {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        let day = instant.div_euclid(86_400_000).rem_euclid(365);
        match zone {
            "UTC" => Some(0),
            "Europe/Paris" => Some(if (85..300).contains(&day) { 7200 } else { 3600 }),
            _ => None,
        }
    }
}

fn demo() -> &'static Program {
    static PROGRAM: LazyLock<Program> = LazyLock::new(|| compile(DEMO, &TwoZones).expect("the demo compiles"));
    &PROGRAM
}

/// A whole pass over whatever a program and a request are. Returns whether the explanation is of what was decided.
fn pass(program: &Program, request: &Request) -> bool {
    let context = Context::derive(program, request);
    let decisions = decide(program, &context);
    let edits = edits(program, &context, &decisions);
    let explained = explain(program, &context);
    explanation_text(&explanation(program, &context, &explained, &edits));
    // One is enough of what is much work.
    if let Some(found) = why_not(program, &context, context.now as u32 % 4, &|more| again(program, request, more)) {
        why_not_text(&report::why_not(program, &found));
    }
    wire::write_edits(&edits);
    wire::write_decisions(&decisions);
    program.concerns(&context);
    program.personas().count();
    program.hosts().count();
    explained.decisions == decisions
}

fn again(program: &Program, request: &Request, more: &[(String, String)]) -> Context {
    let mut request = request.clone();
    request.overrides.extend_from_slice(more);
    Context::derive(program, &request)
}

/// Requests that know much, something, and nothing.
fn requests() -> &'static [Request] {
    static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(|| {
        let much = "uhttps://shop.example/collections/all?utm_source=ig&gift=1#top\nn1796000000000\nz3600\n\
            huser-agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1\n\
            haccept-language: fr-FR,fr;q=0.9,en;q=0.5\nhreferer: https://www.google.com/\n\
            hcookie: idoine_consent=v1.personalization.analytics; idoine_id=00112233445566778899aabb\n\
            ccountry: FR\nccity: Paris\nctimezone: Europe/Paris\nclatitude: 48.85\nclongitude: 2.35\ncasn: 3215\ncisEUCountry: 1\n\
            oprofile.text: a\noprofile.number: 7\noprofile.share: 0.5\noprofile.flag: true\noprofile.list: a,b\noprofile.time: 2026-11-20T12:30:00Z";
        [much, "uhttps://shop.example/\nn0", ""].iter().map(|text| read_request(text.as_bytes())).collect()
    });
    &REQUESTS
}

/// An expression in a manifest: checked, compiled, decided with.
fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let types = ["text:string", "number:int", "share:double", "flag:bool", "list:strings", "time:timestamp"];
    let traits: serde_json::Map<_, _> = (types.iter().filter_map(|pair| pair.split_once(':')))
        .map(|(name, kind)| (name.to_owned(), serde_json::json!({ "type": kind, "purpose": "personalization" })))
        .collect();
    let source = serde_json::json!({
        "site": { "id": "x" }, "traits": traits, "audiences": { "other": "device.type == 'mobile'", "a": text },
        "slots": { "s": { "selector": "p" } },
        "experiences": [{ "id": "e", "type": "personalization", "audience": "a", "slots": { "s": { "text": "x" } } },
            { "id": "f", "type": "personalization", "audience": "!(a) || other", "slots": { "s": { "text": "y" } } }],
    });
    compiled(&source.to_string());
}

/// An expression on its own, with lists and maps given to it: refused, or worth the same however it is written.
fn evaluation(bytes: &[u8]) {
    static GIVEN: LazyLock<Vec<(String, Constant)>> = LazyLock::new(|| {
        let text = |text: &str| Constant::String(text.to_owned());
        let list = Constant::List(vec![text("a"), text("b"), text("é")]);
        let map = Constant::Map(vec![(text("k"), Constant::Int(7)), (text("l"), Constant::Int(i64::MIN))]);
        let values =
            [("x", Constant::Int(-3)), ("d", Constant::Double(0.5)), ("s", text("fr-CA")), ("list", list), ("map", map)];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    });
    let source = String::from_utf8_lossy(bytes);
    let run = |source: &str| evaluate(source, &GIVEN, None, &TwoZones);
    let (Ok(tree), Ok(found)) = (parse(&source), run(&source)) else { return };
    let printed = print(&tree);
    let again = parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error:?}"));
    assert_eq!(print(&again), printed);
    // Spaces and brackets may have been what kept it below a limit.
    let Ok(same) = run(&printed) else { return };
    assert_eq!(worth(&found), worth(&same), "{printed}");
    if let Outcome::Value(value) = &found.outcome {
        literal(value, run);
    }
}

/// What an evaluation comes to, without places, as text: NaN is to equal itself.
fn worth(Evaluation { outcome, type_name, .. }: &Evaluation) -> String {
    match outcome {
        Outcome::Value(value) => format!("{value:?}: {type_name}"),
        Outcome::Unknown { .. } => format!("unknown: {type_name}"),
        Outcome::Failed(error) => format!("{}: {type_name}", error.message),
    }
}

/// A value that is printed as an expression is that value.
fn literal(value: &Constant, run: impl Fn(&str) -> Result<Evaluation, EvaluateError>) {
    let text = value.literal();
    if let Ok(Evaluation { outcome, .. }) = run(&text) {
        assert_eq!(format!("{outcome:?}"), format!("{:?}", Outcome::Value(value.clone())), "{text}");
    }
}

/// A manifest: refused with places, or compiled to a program that loads again and decides.
fn manifest(bytes: &[u8]) {
    compiled(&String::from_utf8_lossy(bytes));
}

fn compiled(source: &str) {
    let place = |found: &[Diagnostic]| {
        for one in found {
            assert!(one.line > 0 && one.column > 0 && one.end_column > one.column);
            one.render("x", source);
        }
    };
    match check(source, &TwoZones) {
        Err(errors) => {
            assert!(!errors.is_empty());
            place(&errors);
        }
        Ok(Compiled { program, warnings, .. }) => {
            place(&warnings);
            let again = Program::load(program.bytes().to_vec()).expect("what the compiler writes loads");
            assert_eq!(again.version(), program.version());
            for request in requests() {
                assert!(pass(&again, request));
            }
        }
    }
}

/// Formatting: refused, or formatted once and for all, and saying the same.
fn formatted(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let Ok(once) = format(&source) else { return };
    assert_eq!(format(&once).as_deref(), Ok(once.as_str()));
    let version = |text: &str| compile(text, &TwoZones).map(|program| program.version()).map_err(|errors| errors.len());
    assert_eq!(version(&source), version(&once));
}

/// A request, a line for each of its parts, by their first letter: `u` URL, `n` now, `z` zone's offset, `h` header, `c` cf, `o` override.
fn read_request(bytes: &[u8]) -> Request {
    let mut request = Request::default();
    for line in String::from_utf8_lossy(bytes).split('\n') {
        let mut rest = line.chars();
        let kind = rest.next();
        let text = rest.as_str();
        let pair = || text.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        match kind {
            Some('u') => text.clone_into(&mut request.url),
            Some('n') => request.now = text.parse().unwrap_or(0),
            Some('z') => {
                let seconds = text.parse().ok();
                request.offsets = Offsets::around(request.now, |_| seconds);
            }
            Some('h') => request.headers.extend(pair()),
            Some('c') => request.cf.extend(pair()),
            Some('o') => request.overrides.extend(pair()),
            _ => {}
        }
    }
    request
}

/// What a visitor sends: URL, headers, what the network tells, overrides.
fn request(bytes: &[u8]) {
    let request = read_request(bytes);
    assert!(pass(demo(), &request));
    is_logged(demo(), &request);
}

/// What is logged of a visitor makes the same context again, through JSON.
fn is_logged(program: &Program, request: &Request) {
    let context = Context::derive(program, request);
    // JSON's instants end where JavaScript's whole numbers do.
    if context.now.unsigned_abs() >= 1 << 53 {
        return;
    }
    let json = serde_json::to_string(&logged(program, &context)).expect("a visitor is JSON");
    let visitor: Visitor = serde_json::from_str(&json).expect("what is logged is a visitor");
    let again = Context::derive(program, &visitor.request(0, |_, _| Offsets::default()));
    assert_eq!(Receipt::of(program, &again), Receipt::of(program, &context), "{json}");
}

/// A program's bytes, its head made right as a forger would.
fn program(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    bytes.truncate(bytes.len() / 4 * 4);
    // Load compares the head before the checksum: there is nothing to find behind a wrong one.
    if let (Some(head), Some(good)) = (bytes.get_mut(..8), demo().bytes().get(..8)) {
        head.copy_from_slice(good);
    }
    if let (Some(fingerprint), Some(good)) = (bytes.get_mut(24..28), demo().bytes().get(24..28)) {
        fingerprint.copy_from_slice(good);
    }
    let length = (bytes.len() as u32).to_le_bytes();
    if let Some(place) = bytes.get_mut(12..16) {
        place.copy_from_slice(&length);
    }
    let checksum = idoine::bucket::murmur3_32(bytes.get(12..).unwrap_or_default(), 0).to_le_bytes();
    if let Some(place) = bytes.get_mut(8..12) {
        place.copy_from_slice(&checksum);
    }
    if let Ok(program) = Program::load(bytes) {
        for request in requests() {
            // A forged index may leave out what an explanation looks at.
            pass(&program, request);
        }
    }
}

/// The engine's request bytes.
fn wire_bytes(bytes: &[u8]) {
    if let Some(request) = wire::read_request(bytes) {
        assert!(pass(demo(), &request.owned()));
    }
}

/// Visits and events: folded in the order they come in, and again.
fn visits(bytes: &[u8]) {
    let (mut touches, mut session) = (Touches::default(), None::<Session>);
    let mut first = i64::MAX;
    for record in bytes.chunks_exact(10) {
        let [kind, id, at @ ..] = record else { return };
        let at = i64::from_le_bytes(at.try_into().unwrap_or_default());
        let source = ["(direct)", "google", "news"].get(usize::from(kind % 4)).copied().unwrap_or_default();
        let medium = if source == "(direct)" { "(none)" } else { "organic" };
        let touch = Touch { at, source: source.to_owned(), medium: medium.to_owned(), ..Touch::default() };
        let page = kind & 16 == 0;
        let event = SessionEvent { id: id.to_string(), at, page, touch: page.then(|| touch.clone()) };
        let rules = SessionRules { timeout: i64::from(kind & 64) * 60_000, new_campaign: kind & 32 == 0 };
        let folded = Session::after(session.clone(), event.clone(), rules);
        assert_eq!(Session::after(Some(folded.clone()), event, rules).number, folded.number, "the same event again");
        assert!(folded.last_event >= folded.started || at < folded.started);
        session = Some(folded);
        touches = touches.with(touch.clone(), 90 * 86_400_000);
        assert_eq!(touches.clone().with(touch, 90 * 86_400_000), touches, "the same visit again");
        first = first.min(at);
        assert_eq!(touches.first.as_ref().map(|touch| touch.at), Some(first));
    }
}

/// A state, a projection, rules and histograms of others: each gets an answer, and goes on.
fn profile(bytes: &[u8]) {
    let asked = [What::Lifecycle, What::SessionStarted, What::CartValue, What::LastSeen];
    let readings = asked.into_iter().map(|what| learn::rules::Reading {
        path: format!("profile.{what:?}"),
        what,
        on_pages: true,
        slots: Vec::new(),
    });
    let usual = Rules { readings: readings.collect(), ..Rules::default() };
    let rules = Rules::from_bytes(bytes).unwrap_or(usual);
    learn::projection::open(&rules, bytes, 1_790_000_000_000);
    let site = Buyers::decode(bytes).unwrap_or_default().site();
    let Some(mut state) = State::decode(bytes) else { return };
    let whole = state.encode();
    assert_eq!(State::decode(&whole), Some(state.clone()), "what is written is read as the same");
    let mut event = Event::new("m", 1_790_000_000_000, EventKind::Page);
    event.consent = Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
    let other = state.clone();
    state.fold(&rules, &event);
    state.fold_late(&rules, &event);
    state.merge(&rules, &other);
    learn::facts(&rules, &state, &site, event.at);
    learn::projection::encode(&rules, &state, &site, event.at, None);
}

/// Texts that are read as something: what is written of it is read as the same.
fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (left, right) = text.split_once('\n').unwrap_or((&text, ""));
    if let Some(address) = Address::parse(left) {
        let mut out = String::new();
        address.write(&mut out);
        assert_eq!(Address::parse(&out), Some(address), "{out}");
    }
    if let Some(range) = Range::parse(left) {
        let mut out = String::new();
        range.write(&mut out);
        assert_eq!(Range::parse(&out), Some(range), "{out}");
    }
    if let Some(instant) = Seconds::parse_instant(left) {
        let mut out = String::new();
        instant.write_instant(&mut out);
        assert_eq!(Seconds::parse_instant(&out), Some(instant), "{out}");
    }
    if let Some(length) = Seconds::parse_length(left) {
        let mut out = String::new();
        length.write_length(&mut out);
        assert_eq!(Seconds::parse_length(&out), Some(length), "{out}");
    }
    if idoine::version::is_version(left) && idoine::version::is_version(right) {
        let compare = idoine::version::compare;
        assert_eq!(compare(left, right), compare(right, left).reverse(), "{left} and {right}");
    }
}
