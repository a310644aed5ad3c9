//! The language of expressions against random input: printing, evaluation by another evaluator, and nonsense.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

#[path = "expressions/choices.rs"]
mod choices;
#[path = "expressions/shape.rs"]
mod shape;
mod support;
#[path = "expressions/typed.rs"]
mod typed;
#[path = "expressions/walk.rs"]
mod walk;

use choices::Choices;
use idoine::compile::{EvaluateError, EvaluationReport, Outcome, evaluate};
use idoine::expr::{Bindings, Constant, MAX_LENGTH, MAX_NODES, Node, NodeKind, parse, print};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shape::{Shape, Style};
use std::cell::Cell;
use support::Iana;
use typed::Kind;
use walk::{Lack, Scope, Value};

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

/// Visits a node and all below.
fn each<'n>(node: &'n Node, visit: &mut dyn FnMut(&'n Node)) {
    visit(node);
    match &node.kind {
        NodeKind::Bool(_) | NodeKind::Int(_) | NodeKind::Uint(_) | NodeKind::Double(_) => {}
        NodeKind::String(_) | NodeKind::Name(_) => {}
        NodeKind::List(items) | NodeKind::And(items) | NodeKind::Or(items) => items.iter().for_each(|item| each(item, visit)),
        NodeKind::Map(entries) => entries.iter().for_each(|(key, value)| {
            each(key, visit);
            each(value, visit);
        }),
        NodeKind::Select(operand, _) | NodeKind::Not(operand) | NodeKind::Negate(operand) => each(operand, visit),
        NodeKind::Index(left, right) | NodeKind::Binary { left, right, .. } => {
            each(left, visit);
            each(right, visit);
        }
        NodeKind::Call { receiver, arguments, .. } => {
            receiver.iter().for_each(|receiver| each(receiver, visit));
            arguments.iter().for_each(|argument| each(argument, visit));
        }
        NodeKind::Conditional(parts) => parts.iter().for_each(|part| each(part, visit)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Parentheses, spaces and comments that say nothing change nothing; what is printed is parsed as what was parsed.
    #[test]
    fn every_way_to_write_a_tree_is_one_tree(tree in bytes(150), style in bytes(300)) {
        let shape = Shape::new(&mut Choices::new(tree), 6);
        let full = shape.write(&mut Style::Full);
        let node = parse(&full).map_err(|error| TestCaseError::fail(format!("{error:?}: {full}")))?;
        let random = shape.write(&mut Style::Random(Choices::new(style)));
        for text in [shape.write(&mut Style::Bare), random, print(&node)] {
            let parsed = parse(&text);
            prop_assert_eq!(parsed.as_ref(), Ok(&node), "{} instead of {}", text, full);
            let parsed = parsed.unwrap();
            prop_assert_eq!(print(&parsed), print(&node), "{} and {}", text, full);
            // Each part stands where it says.
            each(&parsed, &mut |part| assert_eq!(parse(&text[part.span.clone()]).as_ref(), Ok(part), "{text}"));
        }
    }
}

/// What an expression comes to by the compiler's evaluator.
fn worth(outcome: &Outcome) -> walk::Worth {
    match outcome {
        Outcome::Value(value) => Ok(Value::of(value)),
        Outcome::Unknown { .. } => Err(Lack::Missing),
        Outcome::Failed(_) => Err(Lack::Failed),
    }
}

/// What is written of a value is worth that value: as an expression, and as JSON.
fn again(value: &Constant) -> Result<(), TestCaseError> {
    let literal = value.literal();
    let evaluation =
        evaluate(&literal, &[], None, &Iana).map_err(|error| TestCaseError::fail(format!("{literal}: {error:?}")))?;
    let json = serde_json::to_value(value).unwrap();
    let read: Constant = serde_json::from_value(json.clone()).unwrap();
    let same = |worth: walk::Worth| worth.is_ok_and(|found| found.is(&Value::of(value)));
    prop_assert!(same(worth(&evaluation.outcome)), "{value:?} is written as {literal}");
    prop_assert!(same(Ok(Value::of(&read))), "{value:?} is written as {json}");
    Ok(())
}

/// An expression of any type, and that.
fn typed(choices: &mut Choices) -> (String, Kind) {
    let kind = choices.one_of(typed::KINDS);
    (typed::expression(kind, 6, &[], choices), kind)
}

#[test]
fn programs_are_worth_what_their_trees_are() {
    let seen = [(); 3].map(|()| Cell::new(0));
    let config = ProptestConfig { cases: 2500, source_file: Some(file!()), ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&(bytes(60), bytes(500)), |(values, choices)| {
        let bindings = serde_json::Value::Object(typed::bindings(&mut Choices::new(values)));
        let bindings: Bindings = serde_json::from_value(bindings).unwrap();
        let (expression, kind) = typed(&mut Choices::new(choices));
        let names = bindings.0.iter().map(|(name, value): &(String, Constant)| (name.clone(), Value::of(value)));
        let mut scope = Scope::new(names.collect());
        let expected = scope.walk(&parse(&expression).unwrap());
        let evaluation = evaluate(&expression, &bindings.0, None, &Iana);
        let evaluation = evaluation.unwrap_or_else(|error| panic!("{expression}: {error:#?}"));
        prop_assert_eq!(&evaluation.type_name, kind.name(), "{}", expression);
        let (steps, cost) = (scope.steps, evaluation.cost);
        prop_assert!(steps <= cost, "{} takes {} steps, reckoned {}", expression, steps, cost);
        let found = worth(&evaluation.outcome);
        let same = match (&found, &expected) {
            (Ok(found), Ok(expected)) => found.is(expected),
            (Err(found), Err(expected)) => found == expected,
            _ => false,
        };
        prop_assert!(same, "{} is {:?}, expected {:?}, with {:?}", expression, found, expected, bindings);
        if let Outcome::Value(value) = &evaluation.outcome {
            again(value)?;
        }
        // What is read back from the program is worth the same.
        let text = &evaluation.text;
        let read = evaluate(text, &bindings.0, None, &Iana);
        let read = read.map_err(|error| TestCaseError::fail(format!("{expression} is read back as {text}: {error:#?}")))?;
        let same = match (&worth(&read.outcome), &found) {
            (Ok(read), Ok(found)) => read.is(found),
            (Err(read), Err(found)) => read == found,
            _ => false,
        };
        prop_assert!(same, "{} is read back as {}, which is {:?}", expression, text, read.outcome);
        let outcome = match expected {
            Ok(_) => 0,
            Err(Lack::Missing) => 1,
            Err(Lack::Failed) => 2,
        };
        seen[outcome].set(seen[outcome].get() + 1);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    // All three are worth something as a test.
    assert!(seen.iter().all(|count| count.get() >= 50), "{seen:?}");
}

/// Evaluates any text; whatever is wrong is somewhere in it.
fn answers(text: &str) -> Result<(), TestCaseError> {
    let result = evaluate(text, &[], None, &Iana);
    let errors = match &result {
        Ok(evaluation) => match &evaluation.outcome {
            Outcome::Value(_) => Vec::new(),
            Outcome::Unknown { span } => vec![span.clone()],
            Outcome::Failed(error) => vec![error.span.clone()],
        },
        Err(EvaluateError::Parse(error)) => vec![error.span.clone()],
        Err(EvaluateError::Check(errors)) => {
            prop_assert!(!errors.is_empty(), "refused without a reason: {}", text);
            errors.iter().map(|error| error.span.clone()).collect()
        }
        Err(error) => return Err(TestCaseError::fail(format!("{text}: {error:?}"))),
    };
    for span in errors {
        prop_assert!(text.get(span.clone()).is_some(), "{span:?} is no part of {text:?}");
    }
    let report = EvaluationReport::new(text, &result);
    prop_assert!(report.errors.iter().all(|error| error.line >= 1 && error.column >= 1));
    prop_assert!(report.value.is_some() || report.unknown || report.error.is_some());
    Ok(())
}

/// A word of the language, or something like one.
fn word() -> impl Strategy<Value = String> {
    let words = "a geo.country geo.is_eu page.query language.accepted time.now . .. , : ? ( ) [ ] { } () [] {} {1:2} + - * / % ! < <= == != && || & = \
        in true false null if x .all(x, .map(x, .exists(x, .filter(x, has( size( int( uint( double( string( timestamp( duration( version( \
        ip( cidr( dyn( .split( .startsWith( .getHours( geo.distance_km( 0 1 -1 1.5 7u 0x 1e 1e999 99999999999999999999 ' \" ''' r' \\ \\u \
        ` `a` // 'a' 'é🙂' \u{301} '2026-11-20T00:00:00Z' '1h' '1.0' '::1' '::/0' ‘";
    let words: Vec<&str> = words.split(' ').collect();
    prop_oneof![9 => prop::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_text_is_answered(text: String) {
        answers(&text)?;
    }

    #[test]
    fn any_words_are_answered(words in prop::collection::vec(word(), 0..24), space in prop::sample::select(vec!["", " ", "\n"])) {
        answers(&words.join(space))?;
    }

    /// Nearly right: a piece of a right expression is left out, or stands twice.
    #[test]
    fn damaged_expressions_are_answered(choices in bytes(150), from: prop::sample::Index, to: prop::sample::Index, twice: bool) {
        let text: Vec<char> = typed(&mut Choices::new(choices)).0.chars().collect();
        let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        let rest = if twice { from } else { to };
        let damaged: String = text[..if twice { to } else { from }].iter().chain(&text[rest..]).collect();
        answers(&damaged)?;
    }
}

/// Texts at the limits of length, which would be long cases in `tests/spec`.
#[test]
fn length_is_limited() {
    let message = |text: &str| parse(text).err().map(|error| error.message).unwrap_or_default();
    let text = |bytes: usize| format!("'{}'", "x".repeat(bytes - 2));
    assert_eq!(message(&text(MAX_LENGTH)), "");
    assert_eq!(message(&text(MAX_LENGTH + 1)), "the expression has 65537 bytes; at most 65536 are allowed");
    // Bytes, not characters.
    assert!(message(&format!("'{}'", "é".repeat(MAX_LENGTH / 2))).contains("65538 bytes"));
    let list = |items: usize| format!("[{}]", vec!["1"; items].join(","));
    assert_eq!(message(&list(MAX_NODES / 2 - 1)), "");
    assert!(message(&list(MAX_NODES / 2 + 1)).contains("words; at most 10000 are allowed"));
}
