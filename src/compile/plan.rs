//! The tracking plan, and what is asked of events: where there is a plan, only what it has.

use crate::context::Kind;
use crate::diagnostic::nearest;
use crate::learn::rules::Expected;
use crate::manifest::{EventPlan, Manifest, PropertyPlan};
use crate::text::Quoted;

/// What page views are called. They are in every plan.
pub(super) const PAGE: &str = "page";
/// Characters of an event's name and of a property's path.
pub(super) const LONGEST_EVENT: usize = 200;
pub(super) const LONGEST_PATH: usize = 100;

/// What is wrong, and what to do.
pub(super) type Wrong = (String, Option<String>);

/// What the plan says of an event; `None` where there is no plan, or nothing to say.
pub(super) fn event<'m>(manifest: &'m Manifest, name: &str) -> Result<Option<&'m EventPlan>, Wrong> {
    if name.is_empty() || name.chars().count() > LONGEST_EVENT {
        return Err((format!("expected an event's name of 1 to {LONGEST_EVENT} characters"), None));
    }
    let found = manifest.events.iter().find(|(known, _)| known.value == name);
    if found.is_none() && !manifest.events.is_empty() && name != PAGE {
        let names = manifest.events.iter().map(|(known, _)| known.value.as_str()).chain([PAGE]);
        let declare = || format!("declare it in the tracking plan: \"events\": {{ {}: {{}} }}", Quoted(name));
        let help = nearest(name, names).unwrap_or_else(declare);
        return Err((format!("the tracking plan has no event `{name}`"), Some(help)));
    }
    Ok(found.map(|(_, plan)| plan))
}

/// A path of a property, as it is asked for: of the event, else of one of its products.
pub(super) fn path(text: &str) -> Result<(), Wrong> {
    if let Some(rest) = text.strip_prefix("properties.").or_else(|| text.strip_prefix("products.")) {
        let message = "paths begin below properties, and below each product";
        return Err((message.to_owned(), Some(format!("write {rest}"))));
    }
    if text.split('.').any(str::is_empty) || text.split('.').count() > 2 || text.len() > LONGEST_PATH {
        let message =
            format!("expected the path of a property such as revenue or search.term, of at most {LONGEST_PATH} characters");
        return Err((message, None));
    }
    Ok(())
}

/// A property's path below each product, or below the event.
pub(super) fn below(path: &str) -> &str {
    path.strip_prefix("products.").unwrap_or(path)
}

/// What the plan says of a property of an event, or of its products; `None` where it says nothing of properties.
pub(super) fn property<'m>(plan: Option<&'m EventPlan>, event: &str, asked: &str) -> Result<Option<&'m PropertyPlan>, Wrong> {
    path(asked)?;
    let Some(plan) = plan.filter(|plan| !plan.properties.is_empty()) else { return Ok(None) };
    if let Some((_, found)) = plan.properties.iter().find(|(known, _)| below(&known.value) == asked) {
        return Ok(Some(found));
    }
    let names: Vec<&str> = plan.properties.iter().map(|(known, _)| below(&known.value)).collect();
    let help = nearest(asked, names.iter().copied()).unwrap_or_else(|| format!("its properties: {}", names.join(", ")));
    Err((format!("the tracking plan has no property `{asked}` of `{event}`"), Some(help)))
}

/// Whether a property of an event may have a value.
pub(super) fn value(plan: Option<&EventPlan>, event: &str, asked: &str, value: &Expected) -> Result<(), Wrong> {
    let Some(found) = property(plan, event, asked)? else { return Ok(()) };
    let fits = match value {
        Expected::Bool(_) => found.kind == Kind::Bool,
        Expected::Number(_) => matches!(found.kind, Kind::Int | Kind::Double),
        Expected::Text(_) => !matches!(found.kind, Kind::Bool | Kind::Int | Kind::Double),
    };
    if !fits {
        return Err((format!("the tracking plan says that `{asked}` of `{event}` is of type {}", found.kind.name()), None));
    }
    if let (Expected::Text(text), Some(values)) = (value, &found.values)
        && !values.0.iter().any(|known| known.value == *text)
    {
        let values: Vec<&str> = values.0.iter().map(|known| known.value.as_str()).collect();
        let help = nearest(text, values.iter().copied()).unwrap_or_else(|| format!("its values: {}", values.join(", ")));
        return Err((format!("`{text}` is no value of `{asked}` of `{event}`"), Some(help)));
    }
    Ok(())
}

/// Whether a property of an event can be added up.
pub(super) fn number(plan: Option<&EventPlan>, event: &str, asked: &str) -> Result<(), Wrong> {
    match property(plan, event, asked)? {
        Some(found) if !matches!(found.kind, Kind::Int | Kind::Double) => Err((
            format!("the tracking plan says that `{asked}` of `{event}` is of type {}, no number", found.kind.name()),
            None,
        )),
        _ => Ok(()),
    }
}
