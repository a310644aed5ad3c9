//! What the compiler looks at has limits: no manifest keeps it busy for long. Up to them it warns of all that it understands.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

#[path = "warnings/large.rs"]
mod large;
mod support;

use idoine::compile::check;
use serde_json::{Value, json};
use support::Iana;

/// The paths that a message is warned of at.
fn warned(manifest: &Value, part: &str) -> Vec<String> {
    let compiled = check(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"));
    compiled.warnings.into_iter().filter(|warning| warning.message.contains(part)).map(|warning| warning.path).collect()
}

/// Whether the audience of that number is said to be never true.
fn is_never(manifest: &Value, number: usize) -> bool {
    warned(manifest, "this audience can never be true").contains(&format!("audiences.a{number}"))
}

#[test]
fn an_expression_has_so_many_cases() {
    let both = |left: usize, right: usize| {
        format!("({}) && ({}) && time.minute > 59", large::choices("time.hour", left), large::choices("time.minute", right))
    };
    // Up to 256 are looked at; where there would be more, one of the parts stays as it is.
    assert!(is_never(&large::site(&[both(16, 16)]), 0));
    assert!(!is_never(&large::site(&[both(17, 16)]), 0));
    let above = |count: usize| format!("({}) && time.minute > 300", large::choices("time.minute", count));
    assert!(is_never(&large::site(&[above(256)]), 0));
    assert!(!is_never(&large::site(&[above(257)]), 0));
    // Such a part takes nothing from what else is known.
    let parts = [large::choices("time.hour", 20), large::choices("time.minute", 20)];
    assert!(is_never(&large::site(&[format!("({}) && ({}) && geo.is_eu && !geo.is_eu", parts[0], parts[1])]), 0));
}

#[test]
fn a_manifest_takes_so_many_steps() {
    let plain = "geo.is_eu && !geo.is_eu".to_owned();
    // Each of these has 256 cases of two facts and more.
    let heavy = |number: usize| {
        let parts = [large::choices("time.hour", 16), large::choices("time.minute", 16)];
        format!("({}) && ({}) && time.day != {number}", parts[0], parts[1])
    };
    let mut audiences: Vec<String> = (0..10).map(heavy).collect();
    audiences.push(plain.clone());
    assert!(is_never(&large::site(&audiences), 10));
    let mut audiences: Vec<String> = (0..2000).map(heavy).collect();
    audiences.push(plain);
    assert!(!is_never(&large::site(&audiences), 2000));
    // Comparing them takes steps too.
    let many = |count: usize| {
        large::rivals((0..count).map(heavy).chain(["geo.is_eu".to_owned(), "geo.is_eu && time.hour > 3".to_owned()]))
    };
    assert_eq!(warned(&many(2), "comes before it").len(), 1);
    assert_eq!(warned(&many(300), "comes before it").len(), 0);
}

#[test]
fn so_many_pairs_of_experiences_are_compared() {
    let countries = |count: usize| large::rivals((0..count).chain([0]).map(|number| format!("time.minute == {number}")));
    assert_eq!(warned(&countries(1000), "comes before it").len(), 1);
    assert_eq!(warned(&countries(1500), "comes before it").len(), 0);
}

#[test]
fn so_many_pairs_of_experiences_are_compared_even_where_pages_tell_them_apart() {
    let pages = |count: usize| {
        let mut manifest = large::rivals((0..count).chain([0]).map(|_| "geo.is_eu".to_owned()));
        for (number, experience) in manifest["experiences"].as_array_mut().unwrap().iter_mut().enumerate() {
            experience["pages"] = json!([format!("/{}", number % count)]);
        }
        manifest
    };
    assert_eq!(warned(&pages(1000), "comes before it").len(), 1);
    assert_eq!(warned(&pages(2100), "comes before it").len(), 0);
}

#[test]
fn so_many_slots_may_have_one_selector_on_pages_that_more_than_paths_say() {
    let slots = |count: usize| {
        let slots =
            (0..count).map(|number| (format!("s{number}"), json!({ "selector": "p", "pages": [format!("/{number}/*")] })));
        let manifest = json!({ "site": { "id": "x" }, "slots": slots.collect::<serde_json::Map<_, _>>() });
        check(&manifest.to_string(), &Iana).err().unwrap_or_default()
    };
    assert_eq!(slots(500), []);
    let errors = slots(502);
    assert_eq!(errors.len(), 2);
    assert_eq!((errors[0].path.as_str(), errors[1].path.as_str()), ("slots.s500.selector", "slots.s501.selector"));
    assert!(errors[0].message.contains("more than 500 slots find `p`"), "{}", errors[0].message);
}
