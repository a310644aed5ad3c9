//! What is known of a visitor at a request: derived from the raw request by the same code on every face.

mod calendar;
mod device;
mod enrichment;
mod fields;
mod language;
mod page;
mod places;
mod sent;
mod source;
#[cfg(feature = "explain")]
mod stored;
#[cfg(feature = "explain")]
mod supposed;
mod told;

#[cfg(feature = "author")]
pub(crate) use calendar::day_number;
pub(crate) use device::NAMES as DEVICE_NAMES;
#[cfg(feature = "author")]
pub(crate) use device::packed as device_words;
pub use fields::{FIELDS, Field, FieldDef, Kind};
pub(crate) use fields::{FINGERPRINT, fingerprint};
#[cfg(feature = "author")]
pub(crate) use language::is_language;
#[cfg(feature = "author")]
pub(crate) use source::{Class, of_source, registrable};
pub(crate) use source::{Click, is_direct};

use crate::consent::{Consent, Purpose, Signals};
use crate::edit::display;
use crate::profile::Profile;
use crate::program::Program;
use crate::text::{Cut, trim};
use crate::time::{Moment, parse_moment};
use crate::zone::Offsets;
use crate::{cookies, number, url};
use sent::{Header, Sent};
use std::borrow::Cow;

/// A raw request: what a host knows before anything is made of it. Its texts are its own, or lie in bytes that came from elsewhere
/// (see [`crate::wire`]).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request<T = String> {
    /// The page's absolute URL.
    pub url: T,
    /// Header names in lower case, and their values.
    pub headers: Vec<(T, T)>,
    /// Fields of Cloudflare's `request.cf` as text (`true` and numbers too).
    pub cf: Vec<(T, T)>,
    /// The instant of the request in epoch milliseconds.
    pub now: i64,
    /// How far the visitor's time zone is ahead of UTC around that instant; empty where the zone is unknown.
    pub offsets: Offsets,
    /// Values that replace derived ones (previews, personas): field paths, `now` or `visitor.id`, and text as
    /// [`Value::parse`] reads it. Empty text makes a field absent.
    pub overrides: Vec<(T, T)>,
    /// What enrichments told: field paths such as `enrichment.weather.temperature`, and text as [`Value::parse`] reads it.
    pub enrichments: Vec<(T, T)>,
    /// What is stored of the visitor: paths such as `assignment.<experience>`, and text (see [`crate::profile`]); and paths of
    /// fields that tell of the profile, such as `profile.first_name`, and text as [`Value::parse`] reads it.
    pub profile: Vec<(T, T)>,
}

impl<T: AsRef<str>> Request<T> {
    /// The visitor's time zone (IANA): an override of `geo.timezone`, else the request's. A host asks for it to find the offsets.
    pub fn timezone(&self) -> Option<&str> {
        let last = |pairs: &'_ [(T, T)], name: &str| pairs.iter().rposition(|(key, _)| key.as_ref() == name);
        match last(&self.overrides, "geo.timezone") {
            Some(at) => self.overrides.get(at).map(|(_, zone)| zone.as_ref()),
            None => self.cf.get(last(&self.cf, "timezone")?).map(|(_, zone)| zone.as_ref()).filter(|zone| !zone.is_empty()),
        }
    }

    /// The same, with texts of its own.
    pub fn owned(&self) -> Request {
        let pairs = |pairs: &[(T, T)]| {
            pairs.iter().map(|(key, text)| (key.as_ref().to_owned(), text.as_ref().to_owned())).collect::<Vec<_>>()
        };
        Request {
            url: self.url.as_ref().to_owned(),
            headers: pairs(&self.headers),
            cf: pairs(&self.cf),
            now: self.now,
            offsets: self.offsets.clone(),
            overrides: pairs(&self.overrides),
            enrichments: pairs(&self.enrichments),
            profile: pairs(&self.profile),
        }
    }

    /// The instant that decides: the last override of `now` that can be read, else the request's.
    pub fn instant(&self) -> i64 {
        let mut instant = self.now;
        for (path, text) in &self.overrides {
            if path.as_ref() == "now" {
                instant = parse_instant(text.as_ref()).unwrap_or(instant);
            }
        }
        instant
    }
}

/// Whether a field is one of some.
fn is_among(fields: &[u32], field: u32) -> bool {
    for other in fields {
        if *other == field {
            return true;
        }
    }
    false
}

/// An instant with an offset, or epoch milliseconds.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    match parse_moment(text) {
        Some(Moment::Instant(ms)) => Some(ms),
        _ => number::parse_int(text).filter(|ms| ms.unsigned_abs() < 1 << 53),
    }
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Int`].
    Int(i64),
    /// Of [`Kind::Double`].
    Double(f64),
    /// Of [`Kind::String`].
    String(String),
    /// Of [`Kind::Strings`].
    Strings(Vec<String>),
    /// Of [`Kind::Timestamp`]: epoch milliseconds.
    Timestamp(i64),
    /// Of [`Kind::Map`]: names and texts in their order, no name twice.
    Map(Vec<(String, String)>),
}

impl Value {
    /// Reads a value of a kind from text; lists are comma-separated, maps are written as queries (`a=1&b=2`). `None` when the text is no such value.
    pub fn parse(kind: Kind, text: &str) -> Option<Value> {
        Some(match kind {
            Kind::Bool => Value::Bool(match text {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return None,
            }),
            Kind::Int => Value::Int(number::parse_int(text)?),
            Kind::Double => Value::Double(number::parse_double(text)?),
            Kind::String => Value::String(text.to_owned()),
            Kind::Strings => {
                let mut items = Vec::new();
                for item in text.parts(b',') {
                    items.push(trim(item).to_owned());
                }
                Value::Strings(items)
            }
            Kind::Timestamp => Value::Timestamp(parse_instant(text)?),
            Kind::Map => Value::Map(url::firsts(&url::query_pairs(text))),
        })
    }
}

/// What visitors are assigned by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The browser.
    Visitor,
    /// The known user.
    User,
    /// What a trait says, such as the organisation: the number of its field.
    Trait(u32),
}

/// What a decision is made from.
///
/// Whoever explains compares contexts, by all that can be read of them; a runtime has no use for that.
#[derive(Debug, Clone)]
#[cfg_attr(any(feature = "author", feature = "explain"), derive(PartialEq))]
pub struct Context {
    values: Vec<Option<Value>>,
    /// Fields that are absent because their purpose is not agreed to.
    denied: Vec<bool>,
    /// What the visitor agreed to.
    pub consent: Consent,
    /// The instant of the request in epoch milliseconds.
    pub now: i64,
    /// How far the visitor's clock is ahead of UTC around that instant.
    pub(crate) offsets: Offsets,
    pub(crate) unit: Option<String>,
    /// What experiments draw for where nothing else may be used: it is of this page alone.
    pub(crate) page_unit: Option<String>,
    /// What is stored of the visitor. Whoever reads it asks for the consent first.
    pub(crate) profile: Profile,
    query: Vec<(String, String)>,
    /// Overrides that name nothing that there is, or whose text is no value of it, and what is stored but can't be read: each
    /// with what was expected, in the byte order of their paths. Empty where nobody explains.
    pub ignored: Vec<(String, String)>,
}

impl Context {
    /// Derives the context of a request. Never fails: what can't be read is absent.
    pub fn derive<T: AsRef<str>>(program: &Program, request: &Request<T>) -> Context {
        let now = request.instant();
        let sent = &Sent::new(request);
        let cookie = sent.header(Header::Cookie);
        let url = request.url.as_ref();
        let page_url = url.cut(b'#').map_or(url, |(before, _)| before);
        let page = &url::split(page_url);
        let mut context = Context::empty(program, now);
        let signals = Signals { gpc: sent.header(Header::SecGpc) == "1", dnt: sent.header(Header::Dnt) == "1" };
        context.consent = Consent::of_request(cookies::get(cookie, cookies::CONSENT), signals, program.terms());
        context.offsets = request.offsets.clone();
        context.unit = cookies::get(cookie, cookies::ID).and_then(cookies::split_id).map(|(id, _)| id.to_owned());
        context.query = url::query_pairs(page.query);
        let host = page.host.to_ascii_lowercase();
        context.set(Field::TimeNow, Value::Timestamp(now));
        device::derive(&mut context, sent, program.device_words());
        told::derive(&mut context, sent);
        source::derive(&mut context, sent, program, &host);
        language::derive(&mut context, program, sent.header(Header::AcceptLanguage));
        calendar::derive(&mut context);
        page::derive(&mut context, sent, url, page_url, page, &host);
        for (path, text) in &request.enrichments {
            enrichment::derive(&mut context, program, path.as_ref(), text.as_ref());
        }
        let mut overridden = Vec::new();
        for (path, text) in &request.profile {
            let (path, text) = (path.as_ref(), text.as_ref());
            // What was learned of the visitor stands in fields, as if it were overridden.
            if path.starts_with("profile.") {
                context.override_with(program, &mut overridden, path, text);
                continue;
            }
            // Which variant is shown is forced by previews alone.
            let forces = path.starts_with("variant.");
            if !forces {
                context.profile.put(path, text);
            }
            #[cfg(feature = "explain")]
            if let Some(expected) = match Profile::check(path, text) {
                Some(_) if forces => Some("an override"),
                Some(read) => read.err(),
                None => Some("a path of a profile"),
            } {
                context.ignore(path, expected);
            }
        }
        for (path, text) in &request.overrides {
            context.override_with(program, &mut overridden, path.as_ref(), text.as_ref());
        }
        // These follow from other fields as they are after that.
        calendar::holidays(&mut context, program, &overridden);
        places::derive(&mut context, program, &overridden);
        context.apply_consent(program);
        context
    }

    /// A context of which nothing is known but the instant.
    fn empty(program: &Program, now: i64) -> Context {
        let mut values = Vec::new();
        (0..program.field_count()).for_each(|_| values.push(None));
        Context {
            values,
            denied: Vec::new(),
            consent: Consent::default(),
            now,
            offsets: Offsets::default(),
            unit: None,
            page_unit: None,
            profile: Profile::default(),
            query: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// Whether a request comes from a program, as [`Context::is_bot`] says of its whole context.
    pub fn is_of_bot<T: AsRef<str>>(program: &Program, request: &Request<T>) -> bool {
        let sent = &Sent::new(request);
        let mut context = Context::empty(program, request.instant());
        device::derive(&mut context, sent, program.device_words());
        told::derive(&mut context, sent);
        context.is_bot()
    }

    /// A context in which these fields are known, and no other.
    #[cfg(feature = "author")]
    pub(crate) fn of_values(program: &Program, values: Vec<(u32, Value)>) -> Context {
        let mut context = Context::empty(program, 0);
        for (field, value) in values {
            context.put(field as usize, Some(value));
        }
        context
    }

    #[inline(never)]
    fn set(&mut self, field: Field, value: Value) {
        self.put(field as usize, Some(value));
    }

    #[inline(never)]
    fn set_int(&mut self, field: Field, number: i64) {
        self.set(field, Value::Int(number));
    }

    #[inline(never)]
    fn set_bool(&mut self, field: Field, is: bool) {
        self.set(field, Value::Bool(is));
    }

    #[inline(never)]
    fn set_text(&mut self, field: Field, text: &str) {
        if !text.is_empty() {
            self.set(field, Value::String(text.to_owned()));
        }
    }

    #[inline(never)]
    fn put(&mut self, field: usize, value: Option<Value>) {
        if let Some(place) = self.values.get_mut(field) {
            *place = value;
        }
    }

    #[inline(never)]
    pub(crate) fn text(&self, field: Field) -> Option<&str> {
        match self.values.get(field as usize) {
            Some(Some(Value::String(text))) => Some(text),
            _ => None,
        }
    }

    /// Notes what is ignored. Hosts hand over what they read in orders of their own: this one is the same everywhere.
    #[cfg(feature = "explain")]
    fn ignore(&mut self, path: &str, expected: &str) {
        let place = self.ignored.partition_point(|(known, _)| known.as_str() <= path);
        self.ignored.insert(place, (path.to_owned(), expected.to_owned()));
    }

    /// Puts a text in place of what is at a path. Notes the field in `overridden`, whether it is a value or nothing.
    #[inline(never)]
    fn override_with(&mut self, program: &Program, overridden: &mut Vec<u32>, path: &str, text: &str) {
        let expected = match path {
            "visitor.id" => {
                self.unit = cookies::split_id(text).map(|(id, _)| id.to_owned());
                (self.unit.is_none() && !text.is_empty()).then_some("8 to 64 letters, digits, - or _")
            }
            "now" => parse_instant(text).is_none().then_some("an instant such as 2026-11-20T12:30:00Z"),
            _ => match program.field(path) {
                None => {
                    self.profile.put(path, text);
                    #[cfg(feature = "explain")]
                    let wrong = match Profile::check(path, text) {
                        // Empty text stands for nothing.
                        Some(Ok(())) if text.is_empty() => None,
                        Some(Ok(())) => program.stored_of(self, path).and_then(Result::err),
                        Some(Err(expected)) => Some(expected),
                        None => Some("the path of a field"),
                    };
                    #[cfg(not(feature = "explain"))]
                    let wrong = None;
                    wrong
                }
                Some((field, kind)) => {
                    let value = Value::parse(kind, text);
                    let wrong = (value.is_none() && !text.is_empty()).then_some(kind.name());
                    overridden.push(field);
                    self.put(field as usize, if text.is_empty() { None } else { value });
                    wrong
                }
            },
        };
        // Who explains nothing tells nobody.
        #[cfg(feature = "explain")]
        if let Some(expected) = expected {
            self.ignore(path, expected);
        }
        #[cfg(not(feature = "explain"))]
        let _ = expected;
        if let Some(purpose) = path.strip_prefix("consent.").and_then(Purpose::from_name) {
            self.consent = self.consent.with(purpose, matches!(text, "true" | "1"));
        }
    }

    /// Makes what is not agreed to absent, after everything else was set. Of the fields that every site has `visitor.returning` is
    /// the first that needs a consent.
    #[inline(never)]
    fn apply_consent(&mut self, program: &Program) {
        self.set_bool(Field::ConsentPersonalization, self.consent.has(Purpose::Personalization));
        self.set_bool(Field::ConsentAnalytics, self.consent.has(Purpose::Analytics));
        self.set_bool(Field::ConsentMarketing, self.consent.has(Purpose::Marketing));
        if self.values.get(Field::VisitorReturning as usize) == Some(&None) {
            self.set_bool(Field::VisitorReturning, self.unit.is_some());
        }
        self.denied.resize(Field::VisitorReturning as usize, false);
        for field in self.denied.len()..self.values.len() {
            let denied = program.field_purpose(field as u32).is_some_and(|purpose| !self.consent.has(purpose));
            self.denied.push(denied);
            if denied {
                self.put(field, None);
            }
        }
        if self.consent == Consent::default() {
            self.unit = None;
        }
    }

    /// The value of a field; `None` when it is absent.
    pub fn get(&self, field: u32) -> Option<&Value> {
        self.values.get(field as usize)?.as_ref()
    }

    /// Whether the field is absent for want of consent.
    pub fn is_denied(&self, field: u32) -> bool {
        self.denied.get(field as usize) == Some(&true)
    }

    /// The id that buckets are drawn for, where the purpose is agreed to and there is one.
    pub fn unit(&self, purpose: Purpose) -> Option<&str> {
        self.unit.as_deref().filter(|_| self.consent.has(purpose))
    }

    /// The same context with a random text for which experiments draw a variant where there is no unit: for a site that measures without
    /// asking for consent ([`crate::consent::may_measure`]). It is to be another one for each page.
    #[must_use]
    pub fn on_page(self, unit: String) -> Context {
        Context { page_unit: Some(unit), ..self }
    }

    /// What an experience of that purpose and unit is assigned to as one, where it is known and may be used.
    pub(crate) fn unit_of(&self, unit: Unit, purpose: Purpose) -> Option<Cow<'_, str>> {
        match unit {
            Unit::Visitor => self.unit(purpose).map(Cow::Borrowed),
            _ if !self.consent.has(purpose) => None,
            Unit::User => self.profile.user_id().map(Cow::Borrowed),
            Unit::Trait(field) => match self.get(field)? {
                Value::String(text) => Some(Cow::Borrowed(text.as_str())).filter(|text| !text.is_empty()),
                value => Some(Cow::Owned(display(value))),
            },
        }
    }

    /// Whether the request comes from a program rather than from a person, by its user agent or as the network knows it.
    pub fn is_bot(&self) -> bool {
        let verified = Some(&Value::Bool(true));
        self.text(Field::DeviceType) == Some("bot") || self.get(Field::NetworkVerifiedBot as u32) == verified
    }

    /// The page's host, lower case.
    pub fn host(&self) -> &str {
        self.text(Field::PageHost).unwrap_or_default()
    }

    /// The page's path.
    pub fn path(&self) -> &str {
        self.text(Field::PagePath).unwrap_or("/")
    }

    /// The page's query parameters, decoded.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The fields that are present, by path, in the order of the table and then of the traits.
    pub fn present<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.values.iter().enumerate().filter_map(|(field, value)| Some((program.field_path(field as u32), value.as_ref()?)))
    }
}
