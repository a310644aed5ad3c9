//! The language-neutral cases, natively.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

mod cases;
mod support;

use idoine::bucket::{Draw, bucket, murmur3_32};
use idoine::compile::{CheckReport, EvaluateError, EvaluationReport, Outcome, check, compile, evaluate};
use idoine::consent::{By, Choice, Consent, Mode, Purpose, Signals, Terms, may_measure};
use idoine::diagnostic::{Diagnostic, Severity};
use idoine::expr::{Bindings, FUNCTIONS, Node, NodeKind, parse, print};
use idoine::log::logged;
use idoine::report::{ContextReport, explanation};
use idoine::visitor::Visitor;
use idoine::{Context, Edit, EditOp, Offsets, Receipt, wire};
use serde_json::Value;
use support::Iana;

#[test]
fn decisions() {
    let count = cases::each(cases::DECIDE, |name, manifest, case| {
        let program = compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let visitor: Visitor =
            serde_json::from_value(case["visitor"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let context = Context::derive(&program, &visitor.request(0, support::offsets));
        let explained = idoine::explain(&program, &context);
        assert_eq!(explained.decisions, idoine::decide(&program, &context), "{name}: tracing changed a decision");
        if let Some(until) = case.get("until") {
            assert_eq!(idoine::until(&program, &context), until.as_i64(), "{name}: until");
        }
        let edits = idoine::edits(&program, &context, &explained.decisions);
        let report = serde_json::to_value(explanation(&program, &context, &explained, &edits)).unwrap();
        cases::check_explanation(name, case, &report);
    });
    assert!(count >= 800, "{count} cases");
}

/// Every case of `tests/spec/context`: the derived fields that it names have these values, `null` is absent.
#[test]
fn contexts() {
    let mut files: Vec<_> = std::fs::read_dir("tests/spec/context").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let manifest = match &document["manifest"] {
            Value::Null => serde_json::json!({ "site": { "id": "contexts", "hosts": ["shop.example"] } }),
            manifest => manifest.clone(),
        };
        let program = compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{file:?}: {errors:#?}"));
        for case in document["cases"].as_array().unwrap() {
            let name = format!("{}: {}", file.file_stem().unwrap().display(), case["name"].as_str().unwrap());
            let visitor: Visitor =
                serde_json::from_value(case["visitor"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let context = Context::derive(&program, &visitor.request(0, support::offsets));
            let found = serde_json::to_value(ContextReport(&program, &context)).unwrap();
            for (path, expected) in case["context"].as_object().unwrap_or_else(|| panic!("{name}: no context")) {
                assert!(program.field(path).is_some(), "{name}: {path} is no field");
                if &found[path] != expected {
                    wrong.push(format!("{name}: {path} is {}, expected {expected}", found[path]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the values are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every case of `tests/spec/expr`, with the name of its file before its own.
fn expression_cases() -> Vec<(String, Value)> {
    let mut files: Vec<_> = std::fs::read_dir("tests/spec/expr").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "json") && !file.ends_with("functions.json"));
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for case in document["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap_or_else(|| panic!("{file:?}: a case without a name"));
            cases.push((format!("{}: {name}", file.file_stem().unwrap().display()), case.clone()));
        }
    }
    cases
}

/// Equal, numbers by value: `1` is `1.0`.
fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => found.as_f64() == expected.as_f64(),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| same(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(key, value)| same(value, expected.get(key).unwrap_or(&Value::Null)))
        }
        _ => found == expected,
    }
}

/// What is otherwise than a case of an expression says.
fn expression_problem(case: &Value) -> Option<String> {
    const KEYS: &[&str] =
        &["name", "covers", "expr", "bindings", "manifest", "value", "unknown", "error", "help", "at", "type", "cost"];
    let keys = case.as_object().unwrap();
    if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Some(format!("a case has no `{key}`"));
    }
    if ["value", "unknown", "error"].iter().filter(|key| keys.contains_key(**key)).count() != 1 {
        return Some("expected exactly one of value, unknown and error".to_owned());
    }
    let bindings: Bindings = match &case["bindings"] {
        Value::Null => Bindings::default(),
        bindings => serde_json::from_value(bindings.clone()).unwrap(),
    };
    let manifest = keys.get("manifest").map(Value::to_string);
    let expression = case["expr"].as_str().unwrap();
    let result = evaluate(expression, &bindings.0, manifest.as_deref(), &Iana);
    let found = serde_json::to_value(EvaluationReport::new(expression, &result)).unwrap();
    let place = || format!("{}:{}", found["error"]["line"], found["error"]["column"]);
    let as_expected = match (&case["error"], &case["value"]) {
        (Value::String(part), _) => {
            found["error"]["message"].as_str().is_some_and(|message| message.contains(part.as_str()))
                && match keys.get("help") {
                    Some(Value::Null) => found["error"]["help"].is_null(),
                    help => help
                        .and_then(Value::as_str)
                        .is_none_or(|part| found["error"]["help"].as_str().unwrap_or_default().contains(part)),
                }
                && case["at"].as_str().is_none_or(|at| at == place())
        }
        (_, Value::Null) => found["unknown"] == true,
        (_, value) => same(&found["value"], value),
    };
    let of_type = case["type"].is_null() || case["type"] == found["type"];
    let costs = case["cost"].is_null() || case["cost"] == found["cost"];
    (!as_expected || !of_type || !costs).then(|| format!("{expression}\n    is {found}"))
}

/// Every case of `tests/spec/expr`: its value with its type, unknown, or its error with its place.
#[test]
fn expressions() {
    let cases = expression_cases();
    assert!(cases.len() >= 450, "{} cases", cases.len());
    let names: std::collections::HashSet<_> = cases.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), cases.len(), "two cases of a file have one name");
    let wrong: Vec<_> =
        cases.iter().filter_map(|(name, case)| Some(format!("{name}: {}", expression_problem(case)?))).collect();
    assert!(wrong.is_empty(), "{} of {} cases are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Whether a tree has something that the compiler makes something else of: what is read back from a program differs there.
fn is_lowered(node: &Node) -> bool {
    let any = |nodes: &[Node]| nodes.iter().any(is_lowered);
    match &node.kind {
        // `5 < a` is `a > 5`, `!(a == b)` is `a != b`, `a && (b && c)` one chain; constants are calculated.
        NodeKind::Binary { operator: "<" | "<=" | ">" | ">=" | "!=", .. } | NodeKind::Not(_) => true,
        NodeKind::And(items) if items.iter().any(|item| matches!(item.kind, NodeKind::And(_))) => true,
        NodeKind::Or(items) if items.iter().any(|item| matches!(item.kind, NodeKind::Or(_))) => true,
        NodeKind::Call { receiver: Some(_), name, .. }
            if ["all", "exists", "filter", "map", "size"].contains(&name.text.as_str()) =>
        {
            true
        }
        NodeKind::Call { name, arguments, .. } => {
            name.text == "dyn"
                || name.text.starts_with("exists")
                || (arguments.iter().any(|argument| matches!(argument.kind, NodeKind::String(_) | NodeKind::Int(_)))
                    && ["bool", "int", "uint", "double", "timestamp", "duration"].contains(&name.text.as_str()))
                || any(arguments)
                || matches!(&node.kind, NodeKind::Call { receiver: Some(receiver), .. } if is_lowered(receiver))
        }
        NodeKind::Index(operand, index) => {
            matches!(index.kind, NodeKind::String(_)) || is_lowered(operand) || is_lowered(index)
        }
        NodeKind::List(items) | NodeKind::And(items) | NodeKind::Or(items) => any(items),
        NodeKind::Map(entries) => entries.iter().any(|(key, value)| is_lowered(key) || is_lowered(value)),
        NodeKind::Select(operand, key) => {
            !key.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') || is_lowered(operand)
        }
        NodeKind::Negate(operand) => is_lowered(operand),
        NodeKind::Binary { left, right, .. } => is_lowered(left) || is_lowered(right),
        NodeKind::Conditional(parts) => any(parts.as_slice()),
        _ => false,
    }
}

/// What is read back from a program is worth what the expression is.
#[test]
fn expressions_are_read_back() {
    let mut same = 0;
    let mut read = 0;
    for (name, case) in expression_cases() {
        let bindings: Bindings = match &case["bindings"] {
            Value::Null => Bindings::default(),
            bindings => serde_json::from_value(bindings.clone()).unwrap(),
        };
        let manifest = case.get("manifest").map(Value::to_string);
        let expression = case["expr"].as_str().unwrap();
        let Ok(first) = evaluate(expression, &bindings.0, manifest.as_deref(), &Iana) else { continue };
        let tree = parse(&first.text)
            .unwrap_or_else(|error| panic!("{name}: {} is read back as {}: {error:?}", expression, first.text));
        assert_eq!(print(&tree), first.text, "{name}: {expression}");
        // Of what has no type before it is evaluated only the text is left, whose types may not go together.
        let again = match evaluate(&first.text, &bindings.0, manifest.as_deref(), &Iana) {
            Err(EvaluateError::Check(errors)) if expression.contains("dyn") => {
                assert!(!errors.is_empty(), "{name}");
                continue;
            }
            again => again.unwrap_or_else(|error| panic!("{name}: {expression} is read back as {}: {error:#?}", first.text)),
        };
        let outcome = |outcome: &Outcome| match outcome {
            Outcome::Value(value) => value.literal(),
            Outcome::Unknown { .. } => "unknown".to_owned(),
            Outcome::Failed(error) => error.message.clone(),
        };
        assert_eq!(outcome(&again.outcome), outcome(&first.outcome), "{name}: {expression} is read back as {}", first.text);
        assert_eq!(again.text, first.text, "{name}: {expression}");
        read += 1;
        let source = parse(expression).unwrap();
        if bindings.0.is_empty() && !is_lowered(&source) {
            assert_eq!(first.text, print(&source), "{name}");
            same += 1;
        }
    }
    assert!(read >= 1600 && same >= 700, "{read} are read back, {same} as they were written");
}

/// Every operator, function and macro has a case of its value, one of a missing operand, and one of its failure where it fails.
#[test]
fn every_function_is_covered() {
    let cases = expression_cases();
    let covers = |id: &str, outcome: &str| {
        cases.iter().any(|(_, case)| {
            let covered = case["covers"].as_array().is_some_and(|covers| covers.iter().any(|covered| covered == id));
            covered && !case[outcome].is_null()
        })
    };
    let table: Value = serde_json::from_str(include_str!("spec/expr/functions.json")).unwrap();
    let table = table.as_array().unwrap();
    assert_eq!(table.len(), FUNCTIONS.len(), "write functions.json anew: npm run docs");
    let mut bare = Vec::new();
    for (function, entry) in FUNCTIONS.iter().zip(table) {
        assert_eq!(entry["id"], function.signature, "write functions.json anew: npm run docs");
        let fails = entry.get("errors").map(|_| "error");
        let kinds = ["value", "unknown"].into_iter().chain(fails);
        bare.extend(
            kinds.filter(|kind| !covers(function.signature, kind)).map(|kind| format!("{}: {kind}", function.signature)),
        );
    }
    assert!(bare.is_empty(), "no case covers\n{}", bare.join("\n"));
    for (name, case) in &cases {
        for id in case["covers"].as_array().into_iter().flatten() {
            assert!(FUNCTIONS.iter().any(|function| id == function.signature), "{name} covers {id}, which is not there");
        }
    }
}

/// The enrichments that a page waits for, and what is asked of them.
#[test]
fn enrichments() {
    let document: Value = serde_json::from_str(include_str!("spec/enrichments.json")).unwrap();
    let program = compile(&document["manifest"].to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let found: Vec<_> = program.enrichments().map(|one| (one.name(), one.cache_seconds(), one.timeout_ms())).collect();
    assert_eq!(found, [("weather", 600, 40), ("stock", 600, 50), ("event", 60, 50), ("unread", 600, 50)]);
    let weather = program.enrichments().next().unwrap();
    let found: Vec<_> = weather.fields().map(|(path, kind, place)| format!("{path} {} {place}", kind.name())).collect();
    assert_eq!(found[1], "enrichment.weather.degrees int current.temp_c");
    assert_eq!(found[6], "enrichment.weather.station string stations.0.name");
    for case in document["cases"].as_array().unwrap() {
        let visitor: Visitor = serde_json::from_value(case["visitor"].clone()).unwrap();
        let context = Context::derive(&program, &visitor.request(0, support::offsets));
        let asked = program.enrichments_for(&context);
        let urls: serde_json::Map<_, _> = asked.iter().map(|one| (one.name().to_owned(), one.url(&context).into())).collect();
        assert_eq!(Value::Object(urls), case["urls"], "{}", case["name"]);
    }
}

/// Compares what was found with a case's list: all of it, in order.
fn check_found(name: &str, source: &str, found: &[Diagnostic], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{name}: {found:#?}");
    let values = serde_json::to_value(found).unwrap();
    for (found, expected) in values.as_array().unwrap().iter().zip(expected) {
        for (key, value) in expected.as_object().unwrap() {
            match key.as_str() {
                "message" | "help" => {
                    let text = found[key].as_str().unwrap_or_default();
                    assert!(text.contains(value.as_str().unwrap()), "{name}: {key} is {text:?}, expected {value}");
                }
                _ => assert_eq!(&found[key], value, "{name}: {key} of {found}"),
            }
        }
    }
    for one in found {
        let rendered = one.render("site.jsonc", source);
        assert!(rendered.starts_with(one.severity.name()), "{rendered}");
        assert!(rendered.contains(&format!("site.jsonc:{}:{}", one.line, one.column)), "{rendered}");
        assert!(rendered.lines().any(|line| line.trim_end().ends_with('^')), "{rendered}");
    }
}

#[test]
fn refused_manifests() {
    cases::each(cases::MANIFEST, |name, _, case| {
        let source = support::source(&case["source"]);
        let errors = compile(&source, &Iana).err().unwrap_or_default();
        check_found(name, &source, &errors, &case["errors"]);
        assert!(errors.iter().all(|error| error.severity == Severity::Error), "{name}");
        assert_eq!(check(&source, &Iana).err(), Some(errors), "{name}");
    });
}

#[test]
fn warnings() {
    cases::each(cases::WARNINGS, |name, _, case| {
        let source = support::source(&case["source"]);
        let checked = check(&source, &Iana);
        let compiled = checked.as_ref().unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        check_found(name, &source, &compiled.warnings, &case["warnings"]);
        assert!(compiled.warnings.iter().all(|warning| warning.severity == Severity::Warning), "{name}");
        let report = serde_json::to_value(CheckReport::new(&checked)).unwrap();
        assert_eq!(report["version"], compile(&source, &Iana).unwrap().version(), "{name}: warnings changed the program");
        for (id, degree) in case["degrees"].as_object().into_iter().flatten() {
            assert_eq!(&report["degrees"][id], degree, "{name}: {id}");
        }
    });
}

/// What is said of each audience: that it is never true, or that one before it is true wherever it is.
#[test]
fn audiences_are_compared() {
    let count = cases::each(cases::AUDIENCES, |name, manifest, case| {
        let mut manifest = manifest.clone();
        let experiences = manifest["experiences"].as_array_mut().unwrap();
        let mut add = |id: &str, audience: &Value| {
            let mut experience = serde_json::json!({ "id": id, "type": "personalization" });
            if audience != "" {
                experience["audience"] = audience.clone();
            }
            experience["slots"] = serde_json::json!({ "place": { "text": "x" } });
            experiences.push(experience);
        };
        if case["behind"].is_string() {
            add("a-first", &case["behind"]);
        }
        add("e", &case["audience"]);
        let source = manifest.to_string();
        let compiled = check(&source, &Iana).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let found = |part: &str| {
            let found = compiled.warnings.iter().find(|warning| warning.message.contains(part));
            found.map(|warning| (warning.column, warning.message.as_str()))
        };
        let never = found("experience `e` can never win: `").filter(|(_, message)| !message.contains("comes before it"));
        let shadowed = found("experience `e` can never win: wherever it could, `a-first` comes before it and takes `place`");
        match &case["never"] {
            Value::Bool(expected) => assert_eq!(never.is_some(), *expected, "{name}: {never:?}"),
            Value::Null => assert_eq!(Some(shadowed.is_some()), case["shadowed"].as_bool(), "{name}"),
            part => {
                let (column, message) = never.unwrap_or_else(|| panic!("{name}: no warning"));
                assert_eq!(message.split_once(": ").unwrap().1, part, "{name}");
                let start = source.rfind(&case["audience"].to_string()).unwrap();
                let at = case["at"].as_u64().map(|at| start + 1 + at as usize);
                assert!(at.is_none_or(|at| at == column), "{name}: at {}, expected {}", column - start - 1, case["at"]);
            }
        }
    });
    assert!(count >= 190, "{count} cases");
}

/// The experiences that another one shadows, and no other.
#[test]
fn shadows_are_found() {
    let document: Value = serde_json::from_str(cases::SHADOWS).unwrap();
    for case in document["cases"].as_array().unwrap() {
        let mut manifest =
            serde_json::json!({ "site": { "id": "x" }, "slots": document["slots"], "experiences": case["experiences"] });
        for (key, value) in case["manifest"].as_object().into_iter().flatten() {
            manifest[key] = value.clone();
        }
        let compiled = check(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{}: {errors:#?}", case["name"]));
        let shadows = compiled.warnings.iter().filter_map(|warning| {
            // experience `this` can never win: wherever it could, `by` comes before it and takes `slot`
            let (of, why) =
                warning.message.strip_prefix("experience `")?.split_once("` can never win: wherever it could, `")?;
            let text = why.replace("` comes before it and", "").replace('`', "");
            Some((of.to_owned(), Value::String(text)))
        });
        assert_eq!(Value::Object(shadows.collect()), case["shadowed"], "{}", case["name"]);
        let messages: std::collections::HashSet<_> = compiled.warnings.iter().map(|warning| &warning.message).collect();
        assert_eq!(messages.len(), compiled.warnings.len(), "{}: a warning stands there twice", case["name"]);
        let unmet = compiled.warnings.iter().filter_map(|warning| {
            // experience `this` can never win: `that`, which it requires, is ...
            let (of, why) = warning.message.strip_prefix("experience `")?.split_once("` can never win: `")?;
            let (by, why) = why.split_once("`, which it requires, ")?;
            Some((of.to_owned(), Value::String(format!("{by} {}", why.replace('`', "")))))
        });
        let none = Value::Object(Default::default());
        assert_eq!(&Value::Object(unmet.collect()), case.get("unmet").unwrap_or(&none), "{}", case["name"]);
    }
}

#[test]
fn consents() {
    let vectors: Value = serde_json::from_str(include_str!("spec/consent.json")).unwrap();
    let flag = |case: &Value, name: &str| case.get(name).is_some_and(|flag| flag.as_bool().unwrap());
    let cases = ["cases", "terms"].iter().flat_map(|list| vectors[list].as_array().unwrap());
    assert!(cases.clone().count() >= 80);
    for case in cases {
        let mode = case.get("mode").map_or("opt-in", |mode| mode.as_str().unwrap());
        let mode = Mode::ALL.into_iter().find(|known| known.name() == mode).unwrap();
        let terms = Terms { mode, version: case.get("version").map_or(1, |version| version.as_u64().unwrap() as u32) };
        let signals = Signals { gpc: flag(case, "gpc"), dnt: flag(case, "dnt") };
        let consent = Consent::of_request(case["value"].as_str(), signals, terms);
        let granted: Vec<&str> = consent.granted().map(Purpose::name).collect();
        assert_eq!(serde_json::json!(granted), case["granted"], "{case}");
        let choice = case["value"].as_str().and_then(Choice::read);
        assert_eq!(choice.is_some_and(|choice| choice.is_made(terms)), case["valid"].as_bool().unwrap(), "{case}");
    }
    assert!(vectors["measured"].as_array().unwrap().len() > 10);
    for case in vectors["measured"].as_array().unwrap() {
        let choice = case["value"].as_str().and_then(Choice::read);
        let signals = Signals { gpc: false, dnt: flag(case, "dnt") };
        let measured = Mode::ALL.map(|mode| may_measure(choice, signals, Terms { mode, version: 2 }));
        assert_eq!(measured, [false, false, flag(case, "measured")], "{case}");
    }
    for case in vectors["choices"].as_array().unwrap() {
        let granted =
            case["granted"].as_array().unwrap().iter().map(|name| Purpose::from_name(name.as_str().unwrap()).unwrap());
        let granted = granted.fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
        let by = if case["by"] == "platform" { By::Platform } else { By::Visitor };
        let (version, at) = (case["version"].as_u64().unwrap() as u32, case["at"].as_i64().unwrap());
        let said = Choice { granted, version, at, by, ..Choice::default() };
        let before = case["before"].as_str().and_then(Choice::read);
        let after = Choice::after(before, said, Signals { gpc: flag(case, "gpc"), dnt: false });
        assert_eq!(after.value(), case["after"].as_str().unwrap(), "{case}");
    }
}

#[test]
fn buckets_are_frozen() {
    let vectors: Value = serde_json::from_str(include_str!("spec/buckets.json")).unwrap();
    for vector in vectors["murmur3_32"].as_array().unwrap() {
        let text = vector["text"].as_str().unwrap();
        let seed = vector["seed"].as_u64().unwrap() as u32;
        assert_eq!(u64::from(murmur3_32(text.as_bytes(), seed)), vector["hash"].as_u64().unwrap(), "{vector}");
    }
    for vector in vectors["buckets"].as_array().unwrap() {
        let purpose = match vector["purpose"].as_str().unwrap() {
            "site-holdout" => Draw::SiteHoldout,
            "holdout" => Draw::Holdout,
            "layer" => Draw::Layer,
            "traffic" => Draw::Traffic,
            "variant" => Draw::Variant,
            other => panic!("{other}"),
        };
        let text = |key: &str| vector[key].as_str().unwrap().repeat(vector["repeat"].as_u64().unwrap_or(1) as usize);
        let found = bucket(purpose, vector["id"].as_str().unwrap(), &text("unit"), vector["total"].as_u64().unwrap() as u32);
        assert_eq!(u64::from(found), vector["bucket"].as_u64().unwrap(), "{vector}");
    }
}

#[test]
fn receipts_are_frozen() {
    let vectors: Value = serde_json::from_str(include_str!("spec/receipts.json")).unwrap();
    let program = compile(&vectors["manifest"].to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"));
    for case in vectors["cases"].as_array().unwrap() {
        let visitor: Visitor = serde_json::from_value(case["visitor"].clone()).unwrap();
        let context = Context::derive(&program, &visitor.request(0, support::offsets));
        let receipt = Receipt::of(&program, &context);
        assert_eq!(receipt.program, program.version());
        let found = serde_json::json!({ "context": receipt.context, "time": receipt.time });
        assert_eq!(found, case["receipt"], "{}", case["name"]);
        // What is logged of it has the same.
        let logged = serde_json::to_value(logged(&program, &context)).unwrap();
        let visitor: Visitor = serde_json::from_value(logged).unwrap();
        let again = Context::derive(&program, &visitor.request(0, support::offsets));
        assert_eq!(Receipt::of(&program, &again), receipt, "{}", case["name"]);
    }
}

#[test]
fn the_engines_bytes_are_frozen() {
    let vectors: Value = serde_json::from_str(include_str!("spec/wire.json")).unwrap();
    let requests = vectors["requests"].as_array().unwrap();
    for vector in requests {
        let hex = vector["hex"].as_str().unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let request = wire::read_request(&bytes).unwrap();
        let pairs = |key: &str| -> Vec<(&str, &str)> { serde::Deserialize::deserialize(&vector[key]).unwrap() };
        assert_eq!(request.now, vector["now"].as_f64().unwrap() as i64);
        let numbers = vector["offsets"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap_or(f64::NAN));
        assert_eq!(request.offsets, Offsets::from_numbers(&numbers.collect::<Vec<_>>()));
        assert_eq!(request.url, vector["url"].as_str().unwrap());
        assert_eq!((&request.headers, &request.cf), (&pairs("headers"), &pairs("cf")));
        assert_eq!(request.overrides, pairs("overrides"));
        let told = if vector["enrichments"].is_null() { Vec::new() } else { pairs("enrichments") };
        assert_eq!(request.enrichments, told);
        let stored = if vector["profile"].is_null() { Vec::new() } else { pairs("profile") };
        assert_eq!(request.profile, stored);
        for cut in 0..bytes.len() {
            let _ = wire::read_request(&bytes[..cut]);
        }
    }
    assert!(!requests.is_empty());
    for vector in vectors["edits"].as_array().unwrap() {
        let text = |edit: &Value, key: &str| edit[key].as_str().unwrap_or_default().to_owned();
        let written: Vec<[String; 5]> = (vector["edits"].as_array().unwrap().iter())
            .map(|edit| ["slot", "selector", "op", "name", "value"].map(|key| text(edit, key)))
            .collect();
        let edits = written.iter().map(|[slot, selector, op, name, value]| Edit {
            slot: vectors["names"]["slots"].as_array().unwrap().iter().position(|name| name == slot).unwrap() as u32,
            selector,
            op: *EditOp::ALL.iter().find(|known| known.name() == op).unwrap(),
            name,
            value: value.clone(),
        });
        let bytes = wire::write_edits(&edits.collect::<Vec<_>>());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, vector["hex"].as_str().unwrap(), "{}", vector["name"]);
    }
}
