//! From a tree to text: one way to write each expression. Parsing it again gives the same tree.

use super::tree::{Node, NodeKind};
use crate::number::push_double;
use crate::text::Cut;
use std::fmt::Write as _;

/// The text of an expression.
pub fn print(node: &Node) -> String {
    let mut out = String::new();
    write(node, Level::Conditional, &mut out);
    out
}

/// How tightly a node binds, from the loosest (CEL specification, "Syntax").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Conditional,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Member,
}

fn level(kind: &NodeKind) -> Level {
    match kind {
        NodeKind::Conditional(_) => Level::Conditional,
        NodeKind::Or(_) => Level::Or,
        NodeKind::And(_) => Level::And,
        NodeKind::Binary { operator: "+" | "-", .. } => Level::Sum,
        NodeKind::Binary { operator: "*" | "/" | "%", .. } => Level::Product,
        NodeKind::Binary { .. } => Level::Relation,
        NodeKind::Not(_) | NodeKind::Negate(_) => Level::Unary,
        NodeKind::Int(number) if *number < 0 => Level::Unary,
        NodeKind::Double(number) if number.is_sign_negative() => Level::Unary,
        _ => Level::Member,
    }
}

/// One level tighter.
fn tighter(level: Level) -> Level {
    match level {
        Level::Conditional => Level::Or,
        Level::Or => Level::And,
        Level::And => Level::Relation,
        Level::Relation => Level::Sum,
        Level::Sum => Level::Product,
        Level::Product => Level::Unary,
        Level::Unary | Level::Member => Level::Member,
    }
}

/// Writes a node where at least `place` is expected, in parentheses if it binds looser.
fn write(node: &Node, place: Level, out: &mut String) {
    let own = level(&node.kind);
    if own < place {
        out.push('(');
        write(node, Level::Conditional, out);
        out.push(')');
        return;
    }
    match &node.kind {
        NodeKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        NodeKind::Int(number) => {
            let _ = write!(out, "{number}");
        }
        NodeKind::Uint(number) => {
            let _ = write!(out, "{number}u");
        }
        NodeKind::Double(number) => double(*number, out),
        NodeKind::String(text) => string(text, out),
        NodeKind::List(items) => {
            out.push('[');
            list(items, out);
            out.push(']');
        }
        NodeKind::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(key, Level::Conditional, out);
                out.push_str(": ");
                write(value, Level::Conditional, out);
            }
            out.push('}');
        }
        NodeKind::Name(name) => out.push_str(name),
        NodeKind::Select(operand, name) => {
            write(operand, Level::Member, out);
            let plain = name.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !name.text.starts_with(|c: char| c.is_ascii_digit())
                && !matches!(name.text.as_str(), "in" | "true" | "false" | "null");
            let _ = if plain { write!(out, ".{}", name.text) } else { write!(out, ".`{}`", name.text) };
        }
        NodeKind::Index(operand, index) => {
            write(operand, Level::Member, out);
            out.push('[');
            write(index, Level::Conditional, out);
            out.push(']');
        }
        NodeKind::Call { name, receiver, arguments } => {
            if let Some(receiver) = receiver {
                write(receiver, Level::Member, out);
                out.push('.');
            }
            out.push_str(&name.text);
            out.push('(');
            list(arguments, out);
            out.push(')');
        }
        NodeKind::Not(operand) => {
            out.push('!');
            write(operand, Level::Unary, out);
        }
        NodeKind::Negate(operand) => {
            out.push('-');
            // A number right behind a minus would be one number with it.
            if starts_with_number(operand) {
                out.push('(');
                write(operand, Level::Conditional, out);
                out.push(')');
            } else {
                write(operand, Level::Unary, out);
            }
        }
        NodeKind::Binary { operator, left, right } => {
            write(left, own, out);
            let _ = write!(out, " {operator} ");
            write(right, tighter(own), out);
        }
        NodeKind::And(items) | NodeKind::Or(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(if own == Level::And { " && " } else { " || " });
                }
                write(item, tighter(own), out);
            }
        }
        NodeKind::Conditional(parts) => {
            let [condition, then, otherwise] = parts.as_ref();
            write(condition, Level::Or, out);
            out.push_str(" ? ");
            write(then, Level::Or, out);
            out.push_str(" : ");
            write(otherwise, Level::Conditional, out);
        }
    }
}

fn list(items: &[Node], out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        write(item, Level::Conditional, out);
    }
}

/// Whether the text of a node that needs no parentheses begins with a digit.
fn starts_with_number(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Int(number) => *number >= 0,
        NodeKind::Double(number) => number.is_sign_positive(),
        NodeKind::Select(operand, _) | NodeKind::Index(operand, _) => starts_with_number(operand),
        NodeKind::Call { receiver: Some(receiver), .. } => starts_with_number(receiver),
        _ => false,
    }
}

/// A double with a point or an exponent, so that it is none of the whole numbers.
fn double(number: f64, out: &mut String) {
    let mut digits = String::new();
    push_double(&mut digits, number.abs());
    out.push_str(if number.is_sign_negative() { "-" } else { "" });
    out.push_str(&digits);
    out.push_str(if digits.contains(['.', 'e']) { "" } else { ".0" });
}

fn string(text: &str, out: &mut String) {
    let quote = if text.has(b'\'') && !text.has(b'"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::expr::parse;

    #[test]
    fn there_is_one_way_to_write_each() {
        for (text, expected) in [
            ("true", "true"),
            ("false", "false"),
            ("((1))", "1"),
            ("-1", "-1"),
            ("1.50", "1.5"),
            ("2.0", "2.0"),
            ("-0.0", "-0.0"),
            ("1e20", "100000000000000000000.0"),
            ("1E21", "1e+21"),
            ("0.00000015", "1.5e-7"),
            ("(-1)[0]", "(-1)[0]"),
            ("(-1.5).f()", "(-1.5).f()"),
            ("1[0]", "1[0]"),
            ("(0)[0]", "0[0]"),
            ("(1.5).f()", "1.5.f()"),
            ("-(1)", "-(1)"),
            ("-(0)", "-(0)"),
            ("-(1.5)", "-(1.5)"),
            ("-(1[0])", "-(1[0])"),
            ("-(1.f())", "-(1.f())"),
            ("-(a.f())", "-a.f()"),
            ("-(f(1))", "-f(1)"),
            ("-a", "-a"),
            ("--a", "--a"),
            ("- -1", "--1"),
            ("a.b_1", "a.b_1"),
            ("a.`b-c`", "a.`b-c`"),
            ("a.`1b`", "a.`1b`"),
            ("a.b1", "a.b1"),
            ("a.`in`", "a.`in`"),
            ("'a'", "'a'"),
            ("\"a\"", "'a'"),
            ("'it\\'s'", "\"it's\""),
            ("'\"'", "'\"'"),
            ("'\\'\"'", "'\\'\"'"),
            ("'\\\\ \\n \\r \\t \\u0001'", "'\\\\ \\n \\r \\t \\u0001'"),
        ] {
            assert_eq!(print(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn trees_differ_where_what_is_written_does() {
        let tree = |text: &str| parse(text).unwrap();
        assert_eq!(tree("a.b( 1)"), tree("a.b(1)"));
        for (one, other) in [("1", "2"), ("a.b", "a.c"), ("a.b()", "a.c()"), ("1", "1u")] {
            assert_ne!(tree(one), tree(other));
        }
    }

    #[test]
    fn depth_is_that_of_the_deepest_part() {
        for (text, depth) in [
            ("1", 1),
            ("[]", 1),
            ("{1: [[2]]}", 4),
            ("{f([1]): 2}", 4),
            ("a.b.c", 3),
            ("a || b || !c", 4),
            ("a[[1]]", 3),
            ("[[1]][0]", 4),
            ("a.f([[1]])", 4),
            ("[[1]].f(a)", 4),
            ("f()", 1),
            ("1 + [2]", 3),
            ("[1] + 2", 3),
            ("{}", 1),
            ("{[1]: 2}", 3),
        ] {
            assert_eq!(parse(text).unwrap().depth, depth, "{text}");
        }
    }
}
