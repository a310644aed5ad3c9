//! From a manifest to a program: every name resolved, every expression checked, all errors at once.

mod audiences;
mod browser;
mod channels;
mod combinations;
mod consent;
mod content;
mod declared;
mod degree;
mod enrichments;
mod evaluate;
#[cfg(feature = "serde")]
mod evaluation;
mod experiences;
mod groups;
mod html;
mod keys;
mod learn;
mod logic;
mod pages;
mod personal;
mod personas;
mod places;
mod plan;
mod prerequisites;
mod readings;
mod reads;
#[cfg(feature = "serde")]
mod report;
mod same_place;
mod schedule;
mod script;
mod selector;
mod sensitive;
mod shadows;
mod sources;
mod template;
#[cfg(all(feature = "explain", feature = "serde"))]
mod uses;
mod variants;
mod warnings;
mod written;
mod zones;

pub use self::browser::compile_for_browsers;
#[cfg(all(feature = "explain", feature = "serde"))]
pub(crate) use self::consent::{declared as declared_purposes, is_editable, keep};
use self::declared::Declared;
pub use self::degree::Degree;
pub use self::evaluate::{EvaluateError, Evaluation, Outcome, evaluate, located, misspelt};
#[cfg(feature = "serde")]
pub use self::evaluation::{ErrorReport, EvaluationReport};
use self::readings::Asked;
#[cfg(feature = "schema")]
pub use self::readings::readings;
use self::reads::Reads;
#[cfg(feature = "serde")]
pub use self::report::CheckReport;
#[cfg(all(feature = "explain", feature = "serde"))]
pub(crate) use self::uses::{Uses, uses};
use crate::bucket::MILLION;
use crate::context::{FIELDS, Kind, device_words};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::expr::{Checked, Env, ExprError, Node, RESERVED};
use crate::manifest::{Experience, Manifest, Named, PageRule, Share, Spanned, read_manifest};
use crate::program::Program;
use crate::program::build::{Builder, PageRecord};
use crate::program::layout::{NONE, Section};
use crate::session::SessionRules;
use crate::sorted::Numbers;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The most slots of a site: a page asks each whether it is on it.
const MOST_SLOTS: usize = 10_000;
/// The most experiences of a site. Their program stays below its own limit of 64 MiB.
const MOST_EXPERIENCES: usize = 200_000;

/// Knows the time zones of the world (IANA). The core has no such table: the command line brings one, JavaScript hosts ask
/// `Intl`.
pub trait Zones {
    /// Seconds that a zone is ahead of UTC at an instant in epoch milliseconds; `None` for a zone that does not exist.
    fn offset(&self, zone: &str, instant: i64) -> Option<i32>;
}

/// A program, and what evaluating its expressions costs.
#[derive(Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Each expression by its path in the document, and the most steps it may take, with the audiences that it names.
    pub costs: Vec<(String, u64)>,
    /// What the compiler takes although it has no effect, in the order of the document.
    pub warnings: Vec<Diagnostic>,
    /// The id of each experience, and how far it is fitted to its visitors; in the order of arbitration.
    pub degrees: Vec<(String, Degree)>,
}

/// Compiles a manifest. On failure everything that is wrong with it, in the order of the document.
pub fn compile(source: &str, zones: &dyn Zones) -> Result<Program, Vec<Diagnostic>> {
    run(source, zones, false).map(|compiled| compiled.program)
}

/// As [`compile`], with all that an author may want to know beside the program.
pub fn check(source: &str, zones: &dyn Zones) -> Result<Compiled, Vec<Diagnostic>> {
    run(source, zones, true)
}

fn run(source: &str, zones: &dyn Zones, look_closer: bool) -> Result<Compiled, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::new(source);
    let compiled = read_manifest(&mut diagnostics).map(|manifest| {
        let mut compiler = Compiler::new(&manifest, zones, &mut diagnostics);
        compiler.sections();
        let degrees = if look_closer && compiler.diagnostics.is_empty() { compiler.look_closer() } else { Vec::new() };
        (compiler.builder.finish(None), compiler.costs, degrees)
    });
    match compiled {
        Some((bytes, costs, degrees)) if diagnostics.is_empty() => match Program::load(bytes) {
            Ok(program) => Ok(Compiled { program, costs, warnings: diagnostics.warnings(), degrees }),
            Err(error) => {
                diagnostics.error("", 0..1, error.to_string());
                Err(diagnostics.finish())
            }
        },
        _ => Err(diagnostics.finish()),
    }
}

/// What of an experience is looked at once more, when all is known.
pub(crate) struct Outline<'m> {
    experience: &'m Experience,
    audience: Option<Checked>,
    /// The fields without which its contents are unknown.
    needs: Vec<u32>,
    /// All fields that its contents interpolate.
    read: Vec<u32>,
    /// When it begins and when it is over, in epoch milliseconds.
    from: i64,
    until: i64,
    /// The numbers of its slots.
    slots: Vec<u32>,
}

pub(crate) struct Compiler<'m, 'd, 's> {
    manifest: &'m Manifest,
    zones: &'m dyn Zones,
    names: Names<'m>,
    diagnostics: &'d mut Diagnostics<'s>,
    builder: Builder,
    /// The depth of each audience with those that it names written out.
    audience_depths: Vec<usize>,
    /// The worst cost of each audience, in steps.
    audience_costs: Vec<u64>,
    /// The worst cost of each expression, by its path.
    costs: Vec<(String, u64)>,
    /// The zones that the program has a table of.
    zone_names: Vec<String>,
    /// What each audience names by itself.
    audience_reads: Vec<Reads>,
    /// When a session is over, and for how long a source stays the last touch, in milliseconds.
    sessions: (SessionRules, i64),
    /// The fields that experiences read.
    read_fields: Numbers,
    /// For each field that the manifest declares the experiences that read it, in the order of arbitration.
    readers: Vec<Vec<u32>>,
    /// The experiences that are drawn by user, or require some that are.
    by_user: Vec<u32>,
    /// The expressions of named audiences.
    checked_audiences: Vec<Option<Checked>>,
    /// Experiences in the order of arbitration, and the set of page rules of each.
    outlines: Vec<Outline<'m>>,
    sets: Vec<u32>,
    /// Experiences that the program says nothing of, though others may require them: nobody is assigned to them.
    left_out: HashSet<&'m str>,
    /// Experiences that others require.
    required: HashSet<&'m str>,
    /// Whether the program is for those who only decide.
    for_browsers: bool,
}

/// The names that expressions and templates may use.
struct Names<'m> {
    manifest: &'m Manifest,
    zones: &'m dyn Zones,
    /// What is read of profiles beside traits, with where it first is: their fields follow the traits'.
    asked: Vec<(Asked, Spanned<()>)>,
    declared: Vec<Declared<'m>>,
    fields: HashMap<String, (u32, Kind)>,
    audiences: HashMap<&'m str, u32>,
}

impl<'m> Names<'m> {
    /// What the manifest declares, by the number of its field.
    fn declared(&self, field: u32) -> Option<&Declared<'m>> {
        self.declared.get((field as usize).checked_sub(FIELDS.len())?)
    }
}

impl Names<'_> {
    /// Whether a field is a trait: those are the first that the manifest declares.
    fn is_trait(&self, field: u32) -> bool {
        (field as usize).checked_sub(FIELDS.len()).is_some_and(|number| number < self.manifest.traits.len())
    }

    /// Whether a field tells who the visitor is, or what is sensitive.
    fn is_personal_field(&self, field: u32) -> bool {
        self.declared(field).is_some_and(|declared| declared.personal)
    }

    /// Paths of what is read of profiles.
    fn names_of_profile(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name.starts_with("profile.")).collect()
    }
}

impl Env for Names<'_> {
    fn field(&self, path: &str) -> Option<(u32, Kind)> {
        self.fields.get(path).copied()
    }

    fn values(&self, field: u32) -> Option<Vec<&str>> {
        self.declared(field)?.values.clone()
    }

    fn audience(&self, name: &str) -> Option<u32> {
        self.audiences.get(name).copied()
    }

    fn reading(&self, node: &Node) -> Option<Result<String, ExprError>> {
        readings::read(node, self.manifest).map(|read| read.map(|asked| asked.path))
    }

    fn is_personal(&self, field: u32) -> bool {
        self.is_personal_field(field)
    }

    fn has_zone(&self, name: &str) -> bool {
        is_zone_name(name) && self.zones.offset(name, 0).is_some()
    }

    fn names(&self) -> Vec<String> {
        let fields = FIELDS.iter().map(|field| field.path.to_owned());
        let declared = self.declared.iter().map(|field| field.path.clone());
        fields.chain(declared).chain(readings::paths()).chain(self.audiences.keys().map(|name| (*name).to_owned())).collect()
    }
}

impl<'m, 'd, 's> Compiler<'m, 'd, 's> {
    fn new(manifest: &'m Manifest, zones: &'m dyn Zones, diagnostics: &'d mut Diagnostics<'s>) -> Self {
        Compiler::with_expression(manifest, zones, diagnostics, None)
    }

    /// As [`Compiler::new`], with the fields that an expression beside the manifest reads.
    fn with_expression(
        manifest: &'m Manifest,
        zones: &'m dyn Zones,
        diagnostics: &'d mut Diagnostics<'s>,
        expression: Option<&Node>,
    ) -> Self {
        let asked = readings::all(manifest, expression);
        let declared = declared::declared(manifest, &asked);
        let fixed = FIELDS.iter().map(|field| (field.path.to_owned(), field.kind));
        let own = declared.iter().map(|field| (field.path.clone(), field.kind));
        let fields = fixed.chain(own).enumerate().map(|(index, (path, kind))| (path, (index as u32, kind))).collect();
        let audiences = manifest.audiences.iter().enumerate().map(|(index, (name, _))| (name.value.as_str(), index as u32));
        let declared_count = declared.len();
        let names = Names { manifest, zones, asked, declared, fields, audiences: audiences.collect() };
        Compiler {
            manifest,
            zones,
            names,
            diagnostics,
            builder: Builder::new(),
            audience_depths: Vec::new(),
            audience_costs: Vec::new(),
            costs: Vec::new(),
            zone_names: Vec::new(),
            audience_reads: Vec::new(),
            sessions: (SessionRules::default(), 0),
            read_fields: Numbers::default(),
            readers: vec![Vec::new(); declared_count],
            by_user: Vec::new(),
            checked_audiences: Vec::new(),
            outlines: Vec::new(),
            sets: Vec::new(),
            left_out: HashSet::new(),
            required: HashSet::new(),
            for_browsers: false,
        }
    }

    /// Writes and checks all of the manifest.
    fn sections(&mut self) {
        self.site();
        self.sources();
        self.fields();
        self.traits();
        self.holidays();
        self.places();
        self.enrichments();
        self.audiences();
        self.slots();
        self.groups();
        self.experiences();
        self.client_hints();
        self.goals();
        self.personas();
        self.learned();
        self.sensitive();
        self.consent();
        self.script();
    }

    /// Warns of what has no effect. Returns the experiences' degrees.
    fn look_closer(&mut self) -> Vec<(String, Degree)> {
        let (audiences, outlines) = (std::mem::take(&mut self.checked_audiences), std::mem::take(&mut self.outlines));
        self.warnings(&audiences, &outlines);
        outlines.iter().map(|outline| (outline.experience.id.value.clone(), self.degree(outline))).collect()
    }

    fn error<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.diagnostics.error(&at.path, at.span.clone(), message);
    }

    fn error_with_help<T>(&mut self, at: &Spanned<T>, message: impl Into<String>, help: Option<String>) {
        match help {
            Some(help) => self.diagnostics.error_with_help(&at.path, at.span.clone(), message, help),
            None => self.error(at, message),
        }
    }

    /// Reports an error of a value as a whole. Where a part of it was refused, what is left says nothing of what was written.
    fn error_of_whole<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        if self.diagnostics.is_clean(&at.path) {
            self.error(at, message);
        }
    }

    /// Reports a name that a section of the manifest does not declare, with the nearest that it does or how to declare it.
    fn unknown(&mut self, name: &Spanned<String>, what: &str, nearest: Option<String>, declaration: &str) {
        let own = name.value.strip_prefix("profile.").unwrap_or(&name.value);
        // What was refused there is declared.
        if self.diagnostics.is_clean(&format!("{what}s.{own}")) {
            let help = nearest.unwrap_or_else(|| format!("declare it: \"{what}s\": {{ \"{own}\": {declaration} }}"));
            self.error_with_help(name, format!("unknown {what} `{}`", name.value), Some(help));
        }
    }

    /// Reports an error of an expression or template at its place inside a JSON string.
    fn error_inside(&mut self, text: &Spanned<String>, error: ExprError) {
        let span = self.inside(text, error.span);
        match error.help {
            Some(help) => self.diagnostics.error_with_help(&text.path, span, error.message, help),
            None => self.diagnostics.error(&text.path, span, error.message),
        }
    }

    /// Where bytes of a decoded JSON string stand in the document.
    fn inside(&self, text: &Spanned<String>, span: Range<usize>) -> Range<usize> {
        let first = text.span.start + 1;
        let literal = self.diagnostics.source().get(first..text.span.end.saturating_sub(1)).unwrap_or_default();
        let place = |decoded: usize| {
            let mut chars = literal.char_indices();
            let mut seen = 0;
            while seen < decoded {
                let Some((at, c)) = chars.next() else { break };
                let escape = (c == '\\').then(|| literal.as_bytes().get(at + 1)).flatten();
                let Some(escape) = escape else {
                    seen += c.len_utf8();
                    continue;
                };
                chars.next();
                if *escape == b'u' {
                    let code = literal.get(at + 2..at + 6).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
                    chars.nth(3);
                    // Half of a surrogate pair stands for half of a character of four bytes.
                    seen += char::from_u32(code).map_or(2, char::len_utf8);
                } else {
                    seen += 1;
                }
            }
            first + chars.next().map_or(literal.len(), |(at, _)| at)
        };
        place(span.start)..place(span.end.max(span.start + 1))
    }

    /// Whether a name can stand in expressions.
    fn check_identifier(&mut self, name: &Spanned<String>) {
        let text = &name.value;
        let plain =
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !text.starts_with(|c: char| c.is_ascii_digit());
        if text.is_empty() || text.len() > 64 || !plain || text == "has" || RESERVED.contains(&text.as_str()) {
            self.error(
                name,
                "expected a name of letters, digits and underscores, at most 64, not a word of the expression language",
            );
        }
    }

    fn check_id(&mut self, id: &Spanned<String>) {
        let text = &id.value;
        if text.is_empty() || text.len() > 64 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
            self.error(id, "expected an id of letters, digits, dashes and underscores, at most 64");
        }
    }

    /// A name that only people read.
    fn check_title(&mut self, name: &Spanned<String>) {
        if name.value.trim().is_empty() || name.value.chars().count() > 100 {
            self.error(name, "expected a name of at most 100 characters");
        }
    }

    fn site(&mut self) {
        let site = &self.manifest.site;
        self.check_id(&site.id);
        if let Some(zone) = &site.timezone
            && !self.zone(&zone.value)
        {
            self.error(zone, format!("unknown time zone `{}`; expected an IANA name such as Europe/Paris", zone.value));
        }
        for host in &site.hosts.0 {
            let text = &host.value;
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-[]:".contains(&b)) {
                self.error(
                    host,
                    "expected a host in lower case, such as shop.example or localhost:8787, without scheme or path",
                );
            }
            let text = self.builder.text(text);
            self.builder.push(Section::Hosts, &[text]);
        }
        self.languages();
        let words = self.builder.text(&device_words());
        self.builder.push(Section::DeviceWords, &[words]);
        let cap = self.cap(self.manifest.cap.as_ref());
        let record = [self.builder.text(&site.id.value), self.manifest.holdout.map_or(0, |share| share.0), cap, 0];
        self.builder.push(Section::Site, &record);
    }

    fn traits(&mut self) {
        for (name, declared) in &self.manifest.traits {
            self.check_identifier(name);
            if let Some(values) = &declared.values
                && !matches!(declared.kind, Kind::String | Kind::Strings)
                && let Some(first) = values.0.first()
            {
                self.error(first, "only a trait of type string or strings has an enum");
            }
        }
    }

    fn slots(&mut self) {
        let count = self.manifest.slots.len();
        if let Some((name, _)) = self.manifest.slots.get(MOST_SLOTS) {
            self.error(name, format!("a site has at most {MOST_SLOTS} slots, found {count}"));
        }
        for (name, slot) in &self.manifest.slots {
            self.check_id(name);
            let selector = slot.elements(&name.value);
            if selector.is_none() {
                if let Some(selector) = &slot.selector {
                    self.error(selector, "a data slot or page slot has no element, so no selector");
                }
                if let Some(render) = &slot.render {
                    let help = Some("leave render out: front-end code reads a data slot's value anyway".into());
                    self.error_with_help(render, "a data slot or page slot has no element for anyone to render", help);
                }
            } else if let Some(selector) = &slot.selector
                && let Err(error) = selector::check(&selector.value)
            {
                self.error_inside(selector, error);
            }
            let pages = self.page_rules(&slot.pages.0);
            let selector = selector.map_or(NONE, |selector| self.builder.text(&selector));
            let (own, handed_over) = if slot.is_handed_over() { (NONE, selector) } else { (selector, NONE) };
            let id = self.builder.text(&name.value);
            self.builder.push(Section::Slots, &[id, own, pages, handed_over]);
        }
        self.same_places();
    }

    /// The position of a set of page rules. Equal sets are stored once.
    fn page_rules(&mut self, rules: &[PageRule]) -> u32 {
        let mut records = Vec::with_capacity(rules.len());
        for rule in rules {
            if let Some(path) = &rule.path
                && !path.value.starts_with(['/', '*'])
            {
                self.error(path, "expected a path that starts with / or *, such as /collections/*");
            }
            if let Some(path) = &rule.path {
                if !path.value.is_ascii() {
                    let encoded: String = path.value.chars().fold(String::new(), |mut encoded, c| {
                        if c.is_ascii() {
                            encoded.push(c)
                        } else {
                            crate::url::encode(c.encode_utf8(&mut [0; 4]), &mut encoded)
                        }
                        encoded
                    });
                    self.error_with_help(path, "the paths of pages are percent-encoded", Some(format!("write {encoded}")));
                } else if path.value.contains(['?', '#']) {
                    self.error(path, "expected a path without a query; write { \"path\": ..., \"query\": { name: glob } }");
                }
            }
            if let Some(host) = &rule.host
                && host.value.bytes().any(|byte| byte.is_ascii_uppercase())
            {
                self.error(host, "hosts are compared in lower case, so this never matches");
            }
            let host = rule.host.as_ref().map_or(NONE, |host| self.builder.text(&host.value));
            let path = self.builder.text(rule.path.as_ref().map_or("*", |path| path.value.as_str()));
            let mut queries = Vec::new();
            for (name, glob) in &rule.query {
                queries.extend([self.builder.text(&name.value), self.builder.text(&glob.value)]);
            }
            records.push(PageRecord { host, path, queries });
        }
        self.builder.pages(&records)
    }

    fn goals(&mut self) {
        for (name, goal) in &self.manifest.goals {
            self.check_id(name);
            self.check_event(&goal.event);
        }
    }
}

/// Whether a text may name a zone of the world. Some hosts take offsets such as `+0200` for zones, others do not.
fn is_zone_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The entry of that name, its position, or an error that suggests the nearest.
fn lookup<'n, T>(named: &'n Named<T>, name: &str) -> Result<(u32, &'n T), Option<String>> {
    let found = named.iter().position(|(key, _)| key.value == name);
    match found.and_then(|index| Some((index, named.get(index)?))) {
        Some((index, (_, value))) => Ok((index as u32, value)),
        None => Err(nearest(name, named.iter().map(|(key, _)| key.value.as_str()))),
    }
}

fn share(share: Option<Share>, default: u32) -> u32 {
    share.map_or(default, |share| share.0.min(MILLION))
}
