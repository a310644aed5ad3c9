//! A site's names and the types of their values, as a declaration for TypeScript: it is merged into what the npm package declares, so
//! that a slot, a trait or an event that there is not is an error where it is written.

mod shape;

use self::shape::{Shape, key};
use crate::compile::{Uses, Zones, uses};
use crate::context::Kind;
use crate::diagnostic::Diagnostic;
use crate::learn::Rules;
use crate::learn::answers::{NPS_ANSWERED, QUESTION_ANSWERED};
use crate::manifest::{Content, EventPlan, Experience, Json, JsonPart, List, Manifest, SlotContent, SlotKind, Spanned};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

/// What is told by calls of its own, not by an event's name.
const CALLS: [&str; 4] = ["page", "identify", "group", "exposure"];

/// Segment's Ecommerce v2: events that any shop may send, whether its manifest reads them or not.
const ECOMMERCE: [&str; 28] = [
    "Products Searched",
    "Product List Viewed",
    "Product List Filtered",
    "Promotion Viewed",
    "Promotion Clicked",
    "Product Clicked",
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Checkout Step Viewed",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Order Completed",
    "Order Updated",
    "Order Refunded",
    "Order Cancelled",
    "Coupon Entered",
    "Coupon Applied",
    "Coupon Denied",
    "Coupon Removed",
    "Product Added to Wishlist",
    "Product Removed from Wishlist",
    "Wishlist Product Added to Cart",
    "Product Shared",
    "Cart Shared",
    "Product Reviewed",
];

/// What an event says of which nothing is planned.
const ANYTHING: &str = "{ readonly [property: string]: unknown }";

/// The declaration; all that is wrong with a manifest where it is refused.
pub fn declaration(source: &str, zones: &dyn Zones) -> Result<String, Vec<Diagnostic>> {
    let Uses { manifest, rules, .. } = uses(source, zones)?;
    let mut out = String::from("// Written by `idoine types` from the manifest of the site ");
    let _ = writeln!(out, "{}: write it anew when that changes.", manifest.site.id.value);
    out.push_str("import \"idoine\";\n\ndeclare module \"idoine\" {\n  interface Register {\n    site: {\n");
    let shapes = shapes(&manifest);
    let slots = manifest.slots.iter().map(|(name, slot)| {
        let value = match (slot.kind, shapes.get(name.value.as_str())) {
            (Some(SlotKind::Data), Some(shape)) => shape.text(),
            // Nothing shows anything there yet.
            (Some(SlotKind::Data), None) => "unknown".to_owned(),
            _ => "undefined".to_owned(),
        };
        (name.value.as_str(), value)
    });
    section(&mut out, "slots", slots);
    let traits = manifest.traits.iter().map(|(name, one)| (name.value.as_str(), scalar(one.kind, one.values.as_ref())));
    section(&mut out, "traits", traits);
    section(&mut out, "events", events(&manifest, &rules));
    let goals = manifest.goals.iter().map(|(name, goal)| {
        let value = if goal.value.is_some() { "number | undefined" } else { "undefined" };
        (name.value.as_str(), value.to_owned())
    });
    section(&mut out, "goals", goals);
    out.push_str("    };\n  }\n}\n");
    Ok(out)
}

/// Names and the types of their values, a line for each.
fn section<'a>(out: &mut String, name: &str, lines: impl IntoIterator<Item = (&'a str, String)>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        let _ = writeln!(out, "      {name}: {{}};");
        return;
    }
    let _ = writeln!(out, "      {name}: {{");
    for (name, value) in lines {
        let _ = writeln!(out, "        {}: {value};", key(name));
    }
    out.push_str("      };\n");
}

/// What is shown in data slots, by their names: of each the shape of all values that experiences show there.
fn shapes(manifest: &Manifest) -> HashMap<&str, Shape> {
    let mut shapes: HashMap<&str, Shape> = HashMap::new();
    for (slot, content) in manifest.experiences.0.iter().flat_map(contents) {
        if let Some(json) = &content.json
            && let Ok(value) = serde_json::from_str(&text(&json.value))
        {
            shapes.entry(slot).or_default().add(&value);
        }
    }
    shapes
}

/// What an experience shows in each of its slots: in all of its variants but the baseline.
fn contents(experience: &Experience) -> impl Iterator<Item = (&str, &Content)> {
    let of_factors = experience.factors.iter().flat_map(|(_, factor)| &factor.slots);
    experience.slots.iter().chain(of_factors).flat_map(|(name, content)| {
        let contents: Vec<&Content> = match content {
            SlotContent::One(content) => vec![&content.value],
            SlotContent::Variants(variants) => variants.value.0.iter().filter_map(|variant| variant.value.as_ref()).collect(),
        };
        contents.into_iter().map(|content| (name.value.as_str(), content))
    })
}

/// A JSON value as it is written, interpolations and all: those are within texts.
fn text(json: &Json) -> String {
    let mut text = String::new();
    for part in &json.0 {
        match part {
            JsonPart::Syntax(syntax) => text.push_str(syntax),
            JsonPart::Text(inside) => crate::edit::json_string(inside, &mut text),
        }
    }
    text
}

/// A value of a type of the manifest.
fn scalar(kind: Kind, values: Option<&List<Spanned<String>>>) -> String {
    let known = values.map(|values| values.0.iter().map(|value| shape::quoted(&value.value)).collect::<Vec<_>>());
    let words = known.filter(|known| !known.is_empty()).map(|known| known.join(" | "));
    match (kind, words) {
        (Kind::Bool, _) => "boolean".to_owned(),
        (Kind::Int | Kind::Double, _) => "number".to_owned(),
        (Kind::Timestamp, _) => "string | number".to_owned(),
        (Kind::String, words) => words.unwrap_or_else(|| "string".to_owned()),
        (Kind::Strings, Some(words)) => shape::list(&words),
        (Kind::Strings, None) => "readonly string[]".to_owned(),
        // No trait and no property is a map.
        (Kind::Map, _) => "unknown".to_owned(),
    }
}

/// The events: those of the tracking plan in its order, then all others that are real by their names.
fn events<'m>(manifest: &'m Manifest, rules: &'m Rules) -> Vec<(&'m str, String)> {
    let is_tracked = |name: &&str| !CALLS.contains(name);
    let planned = manifest.events.iter().filter(|(name, _)| is_tracked(&name.value.as_str()));
    let mut events: Vec<(&str, String)> = planned.map(|(name, plan)| (name.value.as_str(), properties(plan))).collect();
    let mut others: BTreeSet<&str> = ECOMMERCE.into_iter().chain([NPS_ANSWERED, QUESTION_ANSWERED]).collect();
    others.extend(manifest.goals.iter().map(|(_, goal)| goal.event.value.as_str()));
    others.extend(rules.counters.iter().map(|one| one.matching.event.as_str()));
    others.extend(rules.affinities.iter().flat_map(|one| &one.weights).map(|(matching, _)| matching.event.as_str()));
    others.extend(rules.engagement.weights.iter().map(|(matching, _)| matching.event.as_str()));
    others.extend(rules.intent.signals.iter().flat_map(|(_, of)| of).map(|(matching, _)| matching.event.as_str()));
    others.extend(rules.features.iter().map(|one| one.matching.event.as_str()));
    others.extend(rules.milestones.iter().filter_map(|one| one.matching.as_ref()).map(|matching| matching.event.as_str()));
    others.extend(rules.rfm.iter().map(|one| one.event.as_str()));
    others.extend([&rules.cart.added, &rules.cart.removed, &rules.cart.viewed, &rules.cart.ordered].map(String::as_str));
    others.extend(rules.webhooks.iter().flat_map(|one| &one.events).map(String::as_str).filter(|name| *name != "*"));
    others.retain(|name| is_tracked(name) && manifest.events.iter().all(|(known, _)| known.value != *name));
    events.extend(others.into_iter().map(|name| (name, ANYTHING.to_owned())));
    events
}

/// What an event says, as the tracking plan has it.
fn properties(plan: &EventPlan) -> String {
    if plan.properties.is_empty() {
        return ANYTHING.to_owned();
    }
    let mut all = Properties::default();
    for (path, property) in &plan.properties {
        let steps: Vec<&str> = path.value.split('.').collect();
        all.add(&steps, &scalar(property.kind, property.values.as_ref()), property.required == Some(true));
    }
    all.text()
}

/// Properties by their names: each is a value, or has properties itself.
#[derive(Default)]
struct Properties(Vec<(String, Property)>);

#[derive(Default)]
struct Property {
    value: String,
    required: bool,
    inside: Properties,
}

impl Properties {
    fn add(&mut self, path: &[&str], value: &str, required: bool) {
        let Some((name, rest)) = path.split_first() else { return };
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push(((*name).to_owned(), Property::default()));
            self.0.len() - 1
        });
        let Some((_, property)) = self.0.get_mut(at) else { return };
        property.required |= required;
        if rest.is_empty() {
            value.clone_into(&mut property.value);
        } else {
            property.inside.add(rest, value, required);
        }
    }

    fn text(&self) -> String {
        let properties = self.0.iter().map(|(name, property)| {
            let inside = match (property.inside.0.is_empty(), name.as_str()) {
                (true, _) => property.value.clone(),
                // Of each product.
                (false, "products") => format!("readonly {}[]", property.inside.text()),
                (false, _) => property.inside.text(),
            };
            format!("readonly {}{}: {inside}", key(name), if property.required { "" } else { "?" })
        });
        format!("{{ {} }}", properties.collect::<Vec<_>>().join("; "))
    }
}
