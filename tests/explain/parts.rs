//! Audiences taken apart: what is told of a clause, and where that ends.

use super::{explained, site, with_audiences};
use serde_json::{Value, json};

/// The fields that a clause is said to read.
fn read(audience: &str, audiences: &Value) -> Vec<String> {
    let (json, _) = explained(&with_audiences(audience, audiences), &json!({}));
    let fields = json["experiences"][0]["audience"]["fields"].as_array().unwrap_or_else(|| panic!("{audience}: {json:#}"));
    fields.iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_clause_names_the_fields_that_it_reads_and_no_others() {
    let none = json!({});
    // Each stands beside other lists and fields of the program.
    assert_eq!(read("[geo.country].exists(x, x == {'a': geo.city}.a)", &none), ["geo.country", "geo.city"]);
    assert_eq!(
        read("[{'a': geo.city}.a, geo.is_eu ? geo.region : 'b', geo.country].exists(x, x == 'c')", &none),
        ["geo.city", "geo.is_eu", "geo.region", "geo.country"]
    );
    assert_eq!(
        read("[geo.is_eu ? 'a' : 'b', [geo.city][0], {geo.region: 'x'}['x']].exists(x, x == 'c')", &none),
        ["geo.is_eu", "geo.city", "geo.region"]
    );
    assert_eq!(
        read("[has({'geo.country': geo.city, 'b': 'c'}.b), privacy.gpc, privacy.dnt].exists(x, x == true)", &none),
        ["geo.city", "privacy.gpc", "privacy.dnt"]
    );
    // The text of a key has a number, as nodes have.
    let padded = (0..60).map(|number| format!("page.query.k{number} == 'a'")).collect::<Vec<_>>().join(" || ");
    assert_eq!(read("[has({'c': geo.city}.c)].exists(x, x)", &json!({ "padded": padded })), ["geo.city"]);
    let beside = site("(geo.is_eu ? 'a' : 'b') == 'a' && [geo.country, geo.region].exists(x, x == 'c')");
    let (json, _) = explained(&beside, &none);
    let first = &json["experiences"][0]["audience"]["parts"][0];
    assert_eq!(first["fields"], json!([{ "field": "geo.is_eu", "value": null }]));
    let audiences = json!({ "first": "geo.is_eu", "second": "privacy.gpc || privacy.dnt", "third": "geo.city == 'x'" });
    assert_eq!(read("(third ? 'a' : 'b') == 'a'", &audiences), ["geo.city"]);
    assert_eq!(read("(second ? 'a' : 'b') == 'a'", &audiences), ["privacy.gpc", "privacy.dnt"]);
}

#[test]
fn a_condition_has_three_parts() {
    let audience = "(geo.is_eu ? privacy.gpc : privacy.dnt) && (privacy.gpc ? geo.is_eu : privacy.dnt)";
    let (json, _) = explained(&site(audience), &json!({}));
    for (part, texts) in [(0, ["geo.is_eu", "privacy.gpc", "privacy.dnt"]), (1, ["privacy.gpc", "geo.is_eu", "privacy.dnt"])] {
        let parts = json["experiences"][0]["audience"]["parts"][part]["parts"].as_array().unwrap();
        assert_eq!(parts.iter().map(|part| part["text"].as_str().unwrap()).collect::<Vec<_>>(), texts);
    }
}

/// Of a long text the first thousand bytes are told, of a clause what stands among its first two thousand nodes.
#[test]
fn long_clauses_are_cut() {
    let text = |length: usize| {
        let (json, _) = explained(&site(&format!("geo.city == '{}'", "x".repeat(length))), &json!({}));
        json["experiences"][0]["audience"]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!((text(986).len(), text(987).len()), (1000, 1003));
    assert!(text(987).ends_with("x..."));
    let fields = |count: usize| {
        let others = (0..count).map(|number| format!("x == '{number}' || ")).collect::<String>();
        read(&format!("[geo.region].exists(x, {others}x == geo.city)"), &json!({}))
    };
    assert_eq!(fields(300), ["geo.region", "geo.city"]);
    assert_eq!(fields(900), ["geo.region"]);
}
