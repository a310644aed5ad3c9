//! The data map as its readers see it: a page, a table, data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use lol_html::{HtmlRewriter, Settings, element, text};
use serde_json::{Value, json};
use std::cell::RefCell;
use support::{demo, idoine, root};

fn map(manifest: &str, options: &[&str]) -> String {
    let run = idoine(&[&["data-map", "-"], options].concat(), manifest.as_bytes());
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    run.out
}

/// The table of the demo is as it was: what changes in it is to be seen in review. `IDOINE_BLESS=1` writes it anew.
#[test]
fn the_demos_table_is_the_one_of_the_spec() {
    for lang in ["en", "fr"] {
        let run = idoine(&["data-map", &demo(), "--format", "csv", "--lang", lang], b"");
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        let path = root(&format!("tests/spec/data-map/demo.{lang}.csv"));
        if std::env::var_os("IDOINE_BLESS").is_some() {
            std::fs::write(&path, &run.out).unwrap();
        }
        assert_eq!(run.out, std::fs::read_to_string(&path).unwrap(), "{path}; IDOINE_BLESS=1 writes it anew");
    }
}

/// Names that would be markup in a page, and formulas in a table.
fn hostile() -> (Value, Vec<&'static str>) {
    let names = vec![
        "<script>alert(1)</script>",
        "</td></table><img src=x onerror=alert(1)>",
        "\"' onmouseover='alert(1)",
        "&lt;b&gt;",
        "=HYPERLINK(\"http://x\")",
        "+1+1",
        "-2",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "＝1",
        "a,\"b\"\r\nc;d",
    ];
    let events = names.iter().map(|name| ((*name).to_owned(), json!({ "properties": { "x": { "type": "int" } } })));
    (json!({ "site": { "id": "shop" }, "events": events.collect::<serde_json::Map<_, _>>() }), names)
}

#[test]
fn a_page_is_whole_and_what_stands_in_it_is_text() {
    let (manifest, names) = hostile();
    for lang in ["en", "fr"] {
        let page = map(&manifest.to_string(), &["--lang", lang]);
        let (open, cells, words) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()), RefCell::new(String::new()));
        let elements = element!("*", |element| {
            open.borrow_mut().push(element.tag_name());
            let allowed = ["scope", "class", "id", "role", "aria-labelledby", "tabindex", "lang", "charset", "name", "content"];
            for attribute in element.attributes() {
                assert!(allowed.contains(&attribute.name().as_str()), "{}", attribute.name());
            }
            Ok(())
        });
        let rows = element!("tbody th[scope=row]", |_| {
            cells.borrow_mut().push(String::new());
            Ok(())
        });
        let name = text!("tbody th[scope=row]", |chunk| {
            cells.borrow_mut().last_mut().unwrap().push_str(chunk.as_str());
            Ok(())
        });
        let all = text!("body", |chunk| {
            words.borrow_mut().push_str(chunk.as_str());
            Ok(())
        });
        let settings =
            [elements, rows, name, all].into_iter().fold(Settings::new(), |all, one| all.append_element_content_handler(one));
        let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
        rewriter.write(page.as_bytes()).unwrap();
        rewriter.end().unwrap();
        let known = [
            "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "div", "table", "caption", "thead", "tbody",
            "tr", "th", "td",
        ];
        for tag in open.borrow().iter() {
            assert!(known.contains(&tag.as_str()), "{tag}");
            let closed = page.matches(&format!("</{tag}>")).count();
            let count = open.borrow().iter().filter(|one| *one == tag).count();
            assert!(tag == "meta" || closed == count, "{tag}: {count} are opened, {closed} closed");
        }
        let decode = |text: &str| {
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
            text.replace("&amp;", "&")
        };
        let told: Vec<String> = cells.borrow().iter().map(|cell| decode(cell)).collect();
        for name in names.iter().filter(|name| !name.contains('\r')) {
            assert!(told.iter().any(|cell| cell == name), "{name}: {told:#?}");
        }
        assert!(words.borrow().contains(if lang == "en" { "not legal advice" } else { "pas un conseil juridique" }));
        assert!(page.contains(&format!("<html lang=\"{lang}\">")) && !page.contains("<script"));
    }
}

#[test]
fn no_cell_of_a_table_is_a_formula() {
    let (manifest, names) = hostile();
    let table = map(&manifest.to_string(), &["--format", "csv"]);
    assert!(table.split_terminator("\r\n").count() > 20 && table.ends_with("\r\n"));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 10);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for cell in rows.iter().flatten() {
        let first = cell.trim_start().chars().next();
        assert!(!first.is_some_and(|first| "=+-@＝＋－＠".contains(first)), "{cell:?}");
        assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
    }
    for name in names {
        assert!(rows.iter().any(|row| row[1].trim_start_matches('\'') == name.trim_start_matches('\'')), "{name:?}");
    }
    assert!(rows.last().unwrap()[2].contains("not legal advice"));
}

#[test]
fn it_says_what_it_is_why_how_long_where_and_who_reads_it() {
    let manifest = json!({
        "site": { "id": "shop" },
        "traits": {
            "email": { "type": "string", "personal": true, "purpose": "marketing" },
            "diet": { "type": "string", "sensitive": "health", "purpose": "personalization" },
        },
        "events": { "Order Completed": { "properties": { "email": { "type": "string", "personal": true }, "revenue": { "type": "double" } } } },
        "audiences": { "dieting": "profile.diet == 'low_salt'" },
        "slots": { "hero": { "selector": "h1" } },
        "goals": { "purchase": { "event": "Order Completed", "value": "properties.revenue" } },
        "experiences": [
            { "id": "soup", "type": "personalization", "audience": "dieting", "slots": { "hero": { "text": "Soup" } } },
            { "id": "big", "type": "personalization", "audience": "profile.sum('Order Completed', 'revenue', '90d') > 500.0", "slots": { "hero": { "text": "Big" } } },
        ],
        "webhooks": { "crm": { "url": "https://crm.example/in?x=1", "events": ["Order Completed"], "purpose": "marketing" } },
    });
    let found: Value = serde_json::from_str(&map(&manifest.to_string(), &["--format", "json"])).unwrap();
    let row = |kind: &str, name: &str| {
        let rows = found["rows"].as_array().unwrap();
        rows.iter().find(|row| row["kind"] == kind && row["name"] == name).unwrap_or_else(|| panic!("{kind} {name}")).clone()
    };
    let (email, diet) = (row("trait", "email"), row("trait", "diet"));
    assert_eq!([&email["personal"], &email["purpose"], &email["sensitive"]], [&json!(true), &json!("marketing"), &json!("")]);
    assert_eq!([&diet["personal"], &diet["sensitive"]], [&json!(true), &json!("health")]);
    assert_eq!(diet["read_by"], json!(["experience soup", "audience dieting"]));
    assert_eq!(diet["where"], json!(["profile (Durable Object)", "cookie idoine_p (sealed)"]));
    assert_eq!(email["read_by"], json!([]));
    assert_eq!(row("learned", "revenue: Order Completed")["read_by"], json!(["experience big"]));
    assert_eq!(row("property", "Order Completed: email")["personal"], true);
    assert_eq!(row("property", "Order Completed: revenue")["read_by"], json!(["goal purchase", "counters", "webhook crm"]));
    assert_eq!(row("webhook", "crm")["where"], json!(["Durable Object", "crm.example"]));
    for cookie in ["idoine_consent", "idoine_id", "idoine_p"] {
        assert_eq!(row("cookie", cookie)["keep"], "395 days");
    }
    for kind in ["sink", "record", "log"] {
        assert!(found["rows"].as_array().unwrap().iter().any(|row| row["kind"] == kind), "{kind}");
    }
}

/// What visitors are asked and told stands in it in their words, and what is bound otherwise goes elsewhere.
#[test]
fn it_has_the_sites_own_words_and_times() {
    let both = |word: &str| json!({ "en": word, "fr": format!("{word} (fr)") });
    let purpose = |title: &str, keep: &str| json!({ "title": both(title), "text": both("What is done"), "keep": keep });
    let manifest = json!({
        "site": { "id": "shop" },
        "consent": { "version": 2 },
        "purposes": { "personalization": purpose("Fitting", "90d"), "analytics": purpose("Counting", "30d"), "marketing": purpose("Writing", "60d") },
        "sinks": { "r2": { "purpose": "marketing" } },
        "traits": {
            "email": { "type": "string", "personal": true, "purpose": "marketing", "title": both("E-mail"), "why": both("To write to you"), "editable": true },
            "plan": { "type": "string", "purpose": "personalization" },
        },
        "events": { "Order Completed": { "purpose": "analytics", "properties": { "email": { "type": "string", "personal": true }, "revenue": { "type": "double" } } } },
        "webhooks": {
            "crm": { "url": "https://crm.example/in", "events": ["*"], "purpose": "marketing" },
            "stats": { "url": "https://stats.example/in", "events": ["*"], "purpose": "analytics" },
        },
    });
    let table = |lang: &str| -> Value {
        serde_json::from_str(&map(&manifest.to_string(), &["--format", "json", "--lang", lang])).unwrap()
    };
    let row = |found: &Value, kind: &str, name: &str| {
        let rows = found["rows"].as_array().unwrap();
        rows.iter().find(|row| row["kind"] == kind && row["name"] == name).unwrap_or_else(|| panic!("{kind} {name}")).clone()
    };
    let (en, fr) = (table("en"), table("fr"));
    let email = row(&en, "trait", "email");
    assert_eq!(email["what"], "E-mail");
    assert_eq!(email["why"], "To write to you (Writing: What is done)");
    assert_eq!(email["keep"], "60 days after the visitor was there last");
    assert_eq!(email["read_by"], json!(["preference centre"]));
    let email = row(&fr, "trait", "email");
    assert_eq!([&email["what"], &email["why"]], ["E-mail (fr)", "To write to you (fr) (Writing (fr): What is done (fr))"]);
    assert_eq!(
        [&email["keep"], &email["read_by"][0]],
        ["60 jours après la dernière venue du visiteur", "centre de préférences"]
    );
    assert_eq!(row(&en, "trait", "plan")["keep"], "90 days after the visitor was there last");
    let property = row(&en, "property", "Order Completed: email");
    assert_eq!(
        property["where"],
        json!(["profile's window (Durable Object)", "bucket EVENTS_BUCKET, where it is bound", "crm.example"])
    );
    assert_eq!(property["read_by"], json!(["webhook crm"]));
    assert_eq!(row(&en, "property", "Order Completed: revenue")["where"].as_array().unwrap().len(), 5);
    let sinks = ["queue", "r2"].map(|name| row(&en, "sink", name));
    assert_eq!(sinks.each_ref().map(|sink| sink["purpose"].as_str().unwrap()), ["analytics", "marketing"]);
    assert_eq!(sinks.each_ref().map(|sink| sink["personal"].as_bool().unwrap()), [false, true]);
    let webhooks = ["stats", "crm"].map(|name| row(&en, "webhook", name));
    assert_eq!(webhooks.each_ref().map(|webhook| webhook["personal"].as_bool().unwrap()), [false, true]);
}

#[test]
fn a_manifest_that_is_refused_has_none() {
    let run = idoine(
        &["data-map", "-"],
        br#"{ "site": { "id": "x" }, "traits": { "religion": { "type": "string", "purpose": "personalization" } } }"#,
    );
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("looks like data on religion") && run.err.contains("1 error in -"), "{}", run.err);
}
