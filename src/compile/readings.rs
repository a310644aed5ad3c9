//! What expressions and contents read of what is learned: `profile.count('Product Viewed', '7d')`, `profile.rfm.segment`. Each is a
//! field of the program, whose path is the reading's text in the one way of writing it.

#[cfg(feature = "schema")]
mod described;

#[cfg(feature = "schema")]
pub use self::described::readings;
use super::plan::{self, Wrong};
use super::{lookup, written};
use crate::bucket::murmur3_32;
use crate::diagnostic::nearest;
use crate::expr::{ExprError, Name, Node, NodeKind, parse, print};
use crate::learn::event::ONE;
use crate::learn::rules::{Counter, Expected, Matching, What};
use crate::manifest::{Duration, Manifest, Named, Spanned};
use crate::time::{DAY_MS, HOUR_MS};
use std::collections::HashSet;
use std::ops::Range;

/// The most properties that must have a value.
pub(super) const MOST_PROPERTIES: usize = 4;
/// The longest window.
const LONGEST: i64 = 400 * DAY_MS;

/// What is read by a path alone.
const PATHS: [&str; 25] = [
    "first_seen",
    "last_seen",
    "session.number",
    "session.page_count",
    "session.started",
    "first_touch.channel",
    "first_touch.source",
    "first_touch.medium",
    "first_touch.campaign",
    "last_touch.channel",
    "last_touch.source",
    "last_touch.medium",
    "last_touch.campaign",
    "rfm.segment",
    "rfm.recency",
    "rfm.frequency",
    "rfm.monetary",
    "lifecycle",
    "engagement",
    "intent",
    "nps.score",
    "nps.category",
    "cart.quantity",
    "cart.value",
    "cart.updated",
];

/// What is read by a call: its name, and how it is written.
const CALLS: [(&str, &str); 13] = [
    ("count", "profile.count('Product Viewed', '7d', {'category': 'shoes'})"),
    ("sum", "profile.sum('Order Completed', 'revenue', '90d')"),
    ("first", "profile.first('Order Completed')"),
    ("last", "profile.last('Order Completed')"),
    ("affinity", "profile.affinity('category')"),
    ("affinities", "profile.affinities('category')"),
    ("affinity_share", "profile.affinity_share('category', 'shoes')"),
    ("propensity", "profile.propensity('buy')"),
    ("answer", "profile.answer('question')"),
    ("feature", "profile.feature('export')"),
    ("feature_count", "profile.feature_count('export')"),
    ("milestone", "profile.milestone('third_order')"),
    ("milestone_reached", "profile.milestone_reached('third_order')"),
];

/// What is read of a profile.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The field's path: the reading in the one way of writing it.
    pub(super) path: String,
    pub(super) what: What,
    /// What is counted for it.
    pub(super) counter: Option<Counter>,
}

/// The paths of what is read without a call.
pub(super) fn paths() -> impl Iterator<Item = String> {
    PATHS.iter().map(|path| format!("profile.{path}"))
}

/// Whether a trait can't have that name, as something else is read by it.
pub(super) fn is_taken(name: &str) -> bool {
    PATHS.iter().any(|path| path.split('.').next() == Some(name)) || CALLS.iter().any(|(call, _)| *call == name)
}

/// All that a manifest reads, each once, with where it first does; also what an expression of its own reads.
pub(super) fn all(manifest: &Manifest, own: Option<&Node>) -> Vec<(Asked, Spanned<()>)> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |node: &Node, at: &dyn Fn() -> Spanned<()>| {
        node.walk(&mut |node| {
            if let Some(Ok(asked)) = read(node, manifest)
                && seen.insert(asked.path.clone())
            {
                found.push((asked, at()));
            }
        });
    };
    written::expressions(manifest, &mut |text, at| {
        // Most read nothing of a profile: those are not parsed twice.
        if text.contains("profile")
            && let Ok(node) = parse(text)
        {
            add(&node, at);
        }
    });
    let nowhere = Spanned { value: (), span: 0..1, path: String::new() };
    own.into_iter().for_each(|node| add(node, &|| nowhere.clone()));
    found
}

/// What a node reads, or what is wrong with it; `None` where it reads nothing but a trait.
pub(super) fn read(node: &Node, manifest: &Manifest) -> Option<Result<Asked, ExprError>> {
    if let NodeKind::Call { name, receiver: Some(receiver), arguments } = &node.kind {
        let of_profile = matches!(&receiver.kind, NodeKind::Name(first) if first == "profile");
        return of_profile.then(|| Call { manifest, span: node.span.clone(), name, arguments }.read());
    }
    let path = node.path()?;
    let (first, rest) = path.split_first()?;
    if *first != "profile" {
        return None;
    }
    let path = rest.join(".");
    if let Some((_, example)) = CALLS.iter().find(|(call, _)| *call == path) {
        let error = ExprError::new(node.span.clone(), format!("`profile.{path}` asks for something"));
        return Some(Err(error.with_help(Some(format!("write {example}")))));
    }
    let what = plain(&path)?;
    let missing = match what {
        What::RfmSegment | What::RfmRecency | What::RfmFrequency | What::RfmMonetary if manifest.rfm.is_none() => {
            Some("\"rfm\": {}")
        }
        What::Intent if manifest.intents.is_none() => {
            Some("\"intents\": { \"signals\": { \"ready_to_buy\": { \"Checkout Started\": 3 } } }")
        }
        _ => None,
    };
    Some(match missing {
        Some(section) => {
            let error = ExprError::new(node.span.clone(), format!("the manifest does not say what `profile.{path}` is"));
            Err(error.with_help(Some(format!("declare it: {section}"))))
        }
        None => Ok(Asked { path: format!("profile.{path}"), what, counter: None }),
    })
}

fn plain(path: &str) -> Option<What> {
    if !PATHS.contains(&path) {
        return None;
    }
    Some(match path {
        "first_seen" => What::FirstSeen,
        "last_seen" => What::LastSeen,
        "session.number" => What::Sessions,
        "session.page_count" => What::SessionPages,
        "session.started" => What::SessionStarted,
        "rfm.segment" => What::RfmSegment,
        "rfm.recency" => What::RfmRecency,
        "rfm.frequency" => What::RfmFrequency,
        "rfm.monetary" => What::RfmMonetary,
        "lifecycle" => What::Lifecycle,
        "engagement" => What::Engagement,
        "intent" => What::Intent,
        "nps.score" => What::NpsScore,
        "nps.category" => What::NpsCategory,
        "cart.quantity" => What::CartQuantity,
        "cart.value" => What::CartValue,
        "cart.updated" => What::CartUpdated,
        other => match other.split_once('.')? {
            ("first_touch", part) => What::FirstTouch(part.to_owned()),
            (_, part) => What::LastTouch(part.to_owned()),
        },
    })
}

/// The number that names a counter for ever: other counters of the manifest have no part in it.
pub(super) fn counter_id(matching: &Matching, sum: Option<&str>) -> u32 {
    let mut bytes = Vec::new();
    let mut text = |text: &str| {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    text(&matching.event);
    text(sum.unwrap_or_default());
    for (path, value) in &matching.properties {
        text(path);
        text(&match value {
            Expected::Bool(value) => format!("b{value}"),
            Expected::Number(value) => format!("n{value}"),
            Expected::Text(value) => format!("t{value}"),
        });
    }
    murmur3_32(&bytes, 0)
}

struct Call<'c> {
    manifest: &'c Manifest,
    span: Range<usize>,
    name: &'c Name,
    arguments: &'c [Node],
}

type Read<T> = Result<T, ExprError>;

impl Call<'_> {
    fn read(&self) -> Read<Asked> {
        let names = CALLS.iter().map(|(call, _)| *call);
        match self.name.text.as_str() {
            "count" | "sum" | "first" | "last" => self.counter(),
            "affinity" => self.of_one(&self.manifest.affinities, "affinities", "{}", What::Affinity),
            "affinities" => self.of_one(&self.manifest.affinities, "affinities", "{}", What::Affinities),
            "affinity_share" => {
                let [dimension, value] = self.arguments else { return Err(self.usage()) };
                let name = self.declared(dimension, &self.manifest.affinities, "affinities", "{}")?;
                let value = self.text(value)?;
                let arguments = vec![string(&name), string(&value)];
                Ok(self.asked(arguments, What::AffinityShare(name, value), None))
            }
            "propensity" => {
                let example = "{ \"intercept\": ..., \"coefficients\": { ... } }";
                self.of_one(&self.manifest.propensities, "propensities", example, What::Propensity)
            }
            "feature" => self.of_one(&self.manifest.features, "features", "{ \"event\": ... }", What::Feature),
            "feature_count" => self.of_one(&self.manifest.features, "features", "{ \"event\": ... }", What::FeatureCount),
            "milestone" => self.of_one(&self.manifest.milestones, "milestones", "{ \"event\": ... }", What::Milestone),
            "milestone_reached" => {
                self.of_one(&self.manifest.milestones, "milestones", "{ \"event\": ... }", What::MilestoneReached)
            }
            "answer" => {
                let [question] = self.arguments else { return Err(self.usage()) };
                let name = self.text(question)?;
                Ok(self.asked(vec![string(&name)], What::Answer(name), None))
            }
            other => {
                let known = || format!("known: {}", names.clone().collect::<Vec<_>>().join(", "));
                let path = PATHS.contains(&other).then(|| format!("write profile.{other}"));
                let help = path.or_else(|| nearest(other, names.clone())).unwrap_or_else(known);
                let error = ExprError::new(self.name.span.clone(), format!("nothing is read of a profile by `{other}`"));
                Err(error.with_help(Some(help)))
            }
        }
    }

    /// What is wrong with the arguments as a whole.
    fn usage(&self) -> ExprError {
        let example = CALLS.iter().find(|(call, _)| *call == self.name.text).map_or("", |(_, example)| *example);
        let count = self.arguments.len();
        let message =
            format!("`profile.{}` does not take {count} argument{}", self.name.text, if count == 1 { "" } else { "s" });
        ExprError::new(self.span.clone(), message).with_help(Some(format!("write {example}")))
    }

    fn asked(&self, arguments: Vec<Node>, what: What, counter: Option<Counter>) -> Asked {
        let receiver = Some(Box::new(made(NodeKind::Name("profile".to_owned()))));
        let call = made(NodeKind::Call { name: Name { text: self.name.text.clone(), span: 0..0 }, receiver, arguments });
        Asked { path: print(&call), what, counter }
    }

    /// A text that is written out.
    fn text(&self, node: &Node) -> Read<String> {
        let NodeKind::String(text) = &node.kind else {
            let error = ExprError::new(node.span.clone(), "expected a text that is written out, in quotes");
            return Err(error.with_help(Some("what is kept of a visitor is laid down beforehand".to_owned())));
        };
        if text.is_empty() || text.chars().count() > plan::LONGEST_EVENT {
            let message = format!("expected a text of 1 to {} characters", plan::LONGEST_EVENT);
            return Err(ExprError::new(node.span.clone(), message));
        }
        Ok(text.clone())
    }

    /// A name that a section of the manifest declares.
    fn declared<T>(&self, node: &Node, named: &Named<T>, section: &str, example: &str) -> Read<String> {
        let name = self.text(node)?;
        lookup(named, &name).map_err(|near| {
            let help = near.unwrap_or_else(|| format!("declare it: \"{section}\": {{ \"{name}\": {example} }}"));
            ExprError::new(node.span.clone(), format!("`{name}` is not among the manifest's {section}")).with_help(Some(help))
        })?;
        Ok(name)
    }

    fn of_one<T>(&self, named: &Named<T>, section: &str, example: &str, what: fn(String) -> What) -> Read<Asked> {
        let [node] = self.arguments else { return Err(self.usage()) };
        let name = self.declared(node, named, section, example)?;
        Ok(self.asked(vec![string(&name)], what(name), None))
    }

    fn counter(&self) -> Read<Asked> {
        let called = self.name.text.as_str();
        let mut arguments = self.arguments.iter().peekable();
        let event = arguments.next().ok_or_else(|| self.usage())?;
        let name = self.text(event)?;
        let plan = plan::event(self.manifest, &name).map_err(|wrong| placed(event, wrong))?;
        let mut written = vec![string(&name)];
        let mut sum = None;
        if called == "sum" {
            let node = arguments.next().ok_or_else(|| self.usage())?;
            let path = self.text(node)?;
            plan::number(plan, &name, &path).map_err(|wrong| placed(node, wrong))?;
            written.push(string(&path));
            sum = Some(path);
        }
        let mut window = 0;
        let takes_window = matches!(called, "count" | "sum");
        if let Some(node) = arguments.next_if(|node| takes_window && !matches!(node.kind, NodeKind::Map(_))) {
            window = self.window(node)?;
            written.push(string(&Duration(window).text()));
        }
        let mut properties = Vec::new();
        if let Some(node) = arguments.next() {
            let NodeKind::Map(entries) = &node.kind else { return Err(self.usage()) };
            if entries.is_empty() || entries.len() > MOST_PROPERTIES {
                let message = format!("expected 1 to {MOST_PROPERTIES} properties, found {}", entries.len());
                return Err(ExprError::new(node.span.clone(), message));
            }
            for (key, value) in entries {
                let path = self.text(key)?;
                let expected = self.value(value)?;
                plan::value(plan, &name, &path, &expected).map_err(|wrong| placed(key, wrong))?;
                if properties.iter().any(|(known, _)| *known == path) {
                    return Err(ExprError::new(key.span.clone(), format!("`{path}` stands here twice")));
                }
                properties.push((path, expected));
            }
            properties.sort_by(|(one, _), (other, _)| one.cmp(other));
            let entries = properties.iter().map(|(path, value)| (string(path), constant(value)));
            written.push(made(NodeKind::Map(entries.collect())));
        }
        if arguments.next().is_some() {
            return Err(self.usage());
        }
        let matching = Matching { event: name, properties };
        let id = counter_id(&matching, sum.as_deref());
        let windows = if takes_window { vec![window] } else { Vec::new() };
        let what = match called {
            "count" => What::Count(id, window),
            "sum" => What::Sum(id, window),
            "first" => What::First(id),
            _ => What::Last(id),
        };
        Ok(self.asked(written, what, Some(Counter { id, matching, sum, windows })))
    }

    fn window(&self, node: &Node) -> Read<i64> {
        let text = match &node.kind {
            NodeKind::String(text) => text.as_str(),
            _ => "",
        };
        match Duration::parse(text) {
            Some(Duration(length)) if (HOUR_MS..=LONGEST).contains(&length) && length % HOUR_MS == 0 => Ok(length),
            _ => {
                let error = ExprError::new(node.span.clone(), "expected a window of whole hours or days from '1h' to '400d'");
                Err(error.with_help(Some("leave it out for all time".to_owned())))
            }
        }
    }

    /// What a property must be.
    fn value(&self, node: &Node) -> Read<Expected> {
        let number = match &node.kind {
            NodeKind::Bool(value) => return Ok(Expected::Bool(*value)),
            NodeKind::String(_) => return self.text(node).map(Expected::Text),
            NodeKind::Int(number) => number.checked_mul(ONE),
            NodeKind::Double(number) => {
                Some(number * ONE as f64).filter(|number| number.abs() < 1e15).map(|number| number.round() as i64)
            }
            _ => None,
        };
        let wrong = || ExprError::new(node.span.clone(), "expected a text, a number, true or false, written out");
        number.map(Expected::Number).ok_or_else(wrong)
    }
}

fn placed(node: &Node, (message, help): Wrong) -> ExprError {
    ExprError::new(node.span.clone(), message).with_help(help)
}

fn made(kind: NodeKind) -> Node {
    Node::new(kind, 0..0)
}

fn string(text: &str) -> Node {
    made(NodeKind::String(text.to_owned()))
}

/// A value as it is written: whole numbers without a fraction.
fn constant(value: &Expected) -> Node {
    made(match value {
        Expected::Bool(value) => NodeKind::Bool(*value),
        Expected::Number(number) if number % ONE == 0 => NodeKind::Int(number / ONE),
        Expected::Number(number) => NodeKind::Double(*number as f64 / ONE as f64),
        Expected::Text(text) => return string(text),
    })
}
