//! What may be changed in a function, so that a test should fail.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, ReturnType, Stmt, Type, UnOp};

/// How a mutant is put in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The whole is an expression; another stands instead.
    Replace,
    /// The whole is a statement, which is left out.
    Delete,
    /// At the begin of a function: it returns at once.
    Early,
    /// The whole is the guard of an arm (empty where it has none), which never holds.
    Arm,
}

pub(crate) struct Mutant {
    pub(crate) function: String,
    pub(crate) how: How,
    pub(crate) whole: Range<usize>,
    /// The text that a report shows as what was changed.
    pub(crate) shown: Range<usize>,
    pub(crate) becomes: String,
}

pub(crate) struct Found {
    pub(crate) mutants: Vec<Mutant>,
    /// Names of functions that are not in the file.
    pub(crate) unknown: Vec<String>,
}

/// The mutants of the named functions: `function`, or `Type::function`.
pub(crate) fn mutants(text: &str, wanted: &[&str]) -> Result<Found, syn::Error> {
    let file = syn::parse_file(text)?;
    let mut finder = Finder { text, wanted, seen: Vec::new(), of: None, function: None, mutants: Vec::new() };
    finder.visit_file(&file);
    let unknown = wanted.iter().filter(|name| !finder.seen.iter().any(|seen| seen == *name)).map(|name| (*name).to_owned());
    Ok(Found { unknown: unknown.collect(), mutants: finder.mutants })
}

struct Finder<'a> {
    text: &'a str,
    wanted: &'a [&'a str],
    seen: Vec<String>,
    /// The type of the `impl` around.
    of: Option<String>,
    /// The named function around.
    function: Option<String>,
    mutants: Vec<Mutant>,
}

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

impl Finder<'_> {
    fn text(&self, node: &impl Spanned) -> &str {
        self.text.get(range(node)).unwrap_or_default()
    }

    fn add(&mut self, how: How, whole: Range<usize>, shown: Range<usize>, becomes: impl Into<String>) {
        if let Some(function) = &self.function {
            self.mutants.push(Mutant { function: function.clone(), how, whole, shown, becomes: becomes.into() });
        }
    }

    fn replace(&mut self, node: &impl Spanned, becomes: impl Into<String>) {
        self.add(How::Replace, range(node), range(node), becomes);
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if self.function.is_some() {
            return self.visit_block(body);
        }
        let name = match &self.of {
            Some(of) => format!("{of}::{}", signature.ident),
            None => signature.ident.to_string(),
        };
        // What is asked while it runs is nothing for the compiler.
        if signature.constness.is_some() || !self.wanted.contains(&name.as_str()) {
            return;
        }
        self.seen.push(name.clone());
        self.function = Some(name);
        if !body.stmts.is_empty() {
            let start = range(&body.brace_token.span.open()).end;
            let values = match &signature.output {
                ReturnType::Default => vec![String::new()],
                ReturnType::Type(_, of) => values(of),
            };
            for value in values {
                self.add(How::Early, start..start, range(&signature.ident), value);
            }
        }
        self.visit_block(body);
        self.function = None;
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let (left, right) = (self.text(&node.left).to_owned(), self.text(&node.right).to_owned());
        let instead: &[&str] = match node.op {
            BinOp::Lt(_) => &["<=", ">="],
            BinOp::Le(_) => &["<", ">"],
            BinOp::Gt(_) => &[">=", "<="],
            BinOp::Ge(_) => &[">", "<"],
            BinOp::Eq(_) => &["!="],
            BinOp::Ne(_) => &["=="],
            BinOp::Add(_) => &["-"],
            BinOp::Sub(_) => &["+"],
            BinOp::Mul(_) | BinOp::Rem(_) => &["/"],
            BinOp::Div(_) => &["*"],
            BinOp::BitAnd(_) => &["|"],
            BinOp::BitOr(_) | BinOp::BitXor(_) => &["&"],
            BinOp::Shl(_) => &[">>"],
            BinOp::Shr(_) => &["<<"],
            BinOp::AddAssign(_) => &["-="],
            BinOp::SubAssign(_) => &["+="],
            BinOp::MulAssign(_) | BinOp::RemAssign(_) => &["/="],
            BinOp::DivAssign(_) => &["*="],
            BinOp::BitOrAssign(_) => &["&="],
            BinOp::BitAndAssign(_) => &["|="],
            BinOp::And(_) | BinOp::Or(_) => {
                self.replace(node, left);
                self.replace(node, right);
                return;
            }
            _ => &[],
        };
        for operator in instead {
            self.replace(node, format!("{left} {operator} {right}"));
        }
    }

    fn literal(&mut self, node: &syn::ExprLit) {
        let text = self.text(node).to_owned();
        match &node.lit {
            Lit::Int(number) => {
                self.replace(node, format!("({text} + 1)"));
                if number.base10_parse::<u64>().is_ok_and(|number| number > 1) {
                    self.replace(node, format!("({text} - 1)"));
                }
            }
            Lit::Float(_) => self.replace(node, format!("({text} + 1.0)")),
            Lit::Bool(value) => self.replace(node, (!value.value).to_string()),
            Lit::Byte(_) => self.replace(node, format!("({text} ^ 1)")),
            Lit::Char(_) => self.replace(node, "'\\u{1}'"),
            // Not what people read.
            Lit::Str(value) if !value.value().contains(' ') && !value.value().is_empty() => self.replace(node, "\"\\u{1}\""),
            _ => {}
        }
    }

    fn call(&mut self, node: &syn::ExprMethodCall) {
        const OTHERS: [(&str, &str); 26] = [
            ("is_some", "is_none"),
            ("is_none", "is_some"),
            ("is_ok", "is_err"),
            ("is_err", "is_ok"),
            ("any", "all"),
            ("all", "any"),
            ("first", "last"),
            ("last", "first"),
            ("min", "max"),
            ("max", "min"),
            ("saturating_add", "saturating_sub"),
            ("saturating_sub", "saturating_add"),
            ("checked_add", "checked_sub"),
            ("checked_sub", "checked_add"),
            ("starts_with", "ends_with"),
            ("ends_with", "starts_with"),
            ("strip_prefix", "strip_suffix"),
            ("split_once", "rsplit_once"),
            ("rsplit_once", "split_once"),
            ("is_lt", "is_le"),
            ("is_le", "is_lt"),
            ("is_gt", "is_ge"),
            ("is_ge", "is_gt"),
            ("is_some_and", "is_none_or"),
            ("is_none_or", "is_some_and"),
            ("div_euclid", "rem_euclid"),
        ];
        let method = node.method.to_string();
        let receiver = self.text(&node.receiver).to_owned();
        let behind = self.text.get(range(&node.method).end..range(node).end).unwrap_or_default().to_owned();
        if let Some((_, other)) = OTHERS.iter().find(|(name, _)| *name == method) {
            self.replace(node, format!("{receiver}.{other}{behind}"));
        }
        if matches!(method.as_str(), "filter" | "or_else" | "or" | "abs" | "trim" | "max" | "min") {
            self.replace(node, receiver.clone());
        }
        if matches!(method.as_str(), "then" | "then_some") && !matches!(*node.receiver, Expr::Paren(_)) {
            self.replace(&node.receiver, format!("!({receiver})"));
        }
    }

    /// Arms that another would catch.
    fn arms(&mut self, node: &syn::ExprMatch) {
        let Some((last, arms)) = node.arms.split_last() else { return };
        if !catches_all(&last.pat) || last.guard.is_some() {
            return;
        }
        for arm in arms {
            match &arm.guard {
                None => {
                    let end = range(&arm.pat).end;
                    self.add(How::Arm, end..end, range(&arm.pat), "never");
                }
                Some((_, guard)) if !has_let(guard) => self.add(How::Arm, range(guard), range(&arm.pat), "never"),
                Some(_) => {}
            }
        }
    }
}

/// Other values that a function of the type could return.
fn values(of: &Type) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match of {
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return Vec::new() };
            let inner = match &last.arguments {
                syn::PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
                    syn::GenericArgument::Type(inner) => Some(values(inner)),
                    _ => None,
                }),
                _ => None,
            };
            let inner = inner.unwrap_or_default().into_iter();
            match last.ident.to_string().as_str() {
                "bool" => texts(&["true", "false"]),
                "u8" | "u16" | "u32" | "u64" | "usize" => texts(&["0", "1"]),
                "i32" | "i64" => texts(&["0", "1", "-1"]),
                "f64" => texts(&["0.0", "1.0"]),
                "String" => texts(&["String::new()", "\"xyzzy\".to_owned()"]),
                "Ordering" => texts(&["std::cmp::Ordering::Less", "std::cmp::Ordering::Equal", "std::cmp::Ordering::Greater"]),
                "Vec" => texts(&["Vec::new()"]),
                "Option" => std::iter::once("None".to_owned()).chain(inner.map(|value| format!("Some({value})"))).collect(),
                "Result" | "Parsed" => inner.map(|value| format!("Ok({value})")).collect(),
                _ => Vec::new(),
            }
        }
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => texts(&["\"\"", "\"xyzzy\""]),
            Type::Slice(_) => texts(&["&[]"]),
            _ => Vec::new(),
        },
        Type::Tuple(tuple) if tuple.elems.is_empty() => texts(&["()"]),
        _ => Vec::new(),
    }
}

fn catches_all(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        // Otherwise it is a constant, or `None`.
        syn::Pat::Ident(name) => {
            name.subpat.is_none() && name.ident.to_string().starts_with(|first: char| first.is_lowercase())
        }
        syn::Pat::Tuple(tuple) => tuple.elems.iter().all(catches_all),
        _ => false,
    }
}

/// Whether a condition has a pattern in it: it can stand nowhere else.
fn has_let(node: &Expr) -> bool {
    match node {
        Expr::Let(_) => true,
        Expr::Binary(node) => has_let(&node.left) || has_let(&node.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.function(&node.sig, &node.block);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.function(&node.sig, &node.block);
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        let name = match &*node.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let around = std::mem::replace(&mut self.of, name);
        visit::visit_item_impl(self, node);
        self.of = around;
    }

    // Known when it is compiled, or no value.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }

    fn visit_stmt(&mut self, node: &'ast Stmt) {
        if let Stmt::Expr(inner, Some(_)) = node {
            let is_effect = match inner {
                Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) | Expr::Try(_) | Expr::Continue(_) => true,
                Expr::Binary(inner) => !matches!(inner.op, BinOp::And(_) | BinOp::Or(_)),
                _ => false,
            };
            if is_effect {
                self.add(How::Delete, range(node), range(node), "");
            }
        }
        visit::visit_stmt(self, node);
    }

    fn visit_expr(&mut self, node: &'ast Expr) {
        match node {
            Expr::Binary(inner) if !has_let(node) => self.binary(inner),
            Expr::Unary(inner) if matches!(inner.op, UnOp::Not(_) | UnOp::Neg(_)) => {
                let operand = self.text(&inner.expr).to_owned();
                self.replace(node, operand);
            }
            Expr::Lit(inner) => self.literal(inner),
            Expr::MethodCall(inner) => self.call(inner),
            Expr::Match(inner) => self.arms(inner),
            Expr::If(inner) if !has_let(&inner.cond) => {
                self.replace(&*inner.cond, "true");
                self.replace(&*inner.cond, "false");
            }
            Expr::While(inner) if !has_let(&inner.cond) => self.replace(&*inner.cond, "false"),
            Expr::Macro(inner) if inner.mac.path.is_ident("matches") => {
                let text = self.text(node).to_owned();
                self.replace(node, format!("!{text}"));
            }
            // A limit.
            Expr::Path(inner) => {
                let text = self.text(inner).to_owned();
                if text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && text != "NONE" {
                    self.replace(node, format!("({text} + 1)"));
                    self.replace(node, format!("({text} - 1)"));
                }
            }
            _ => {}
        }
        visit::visit_expr(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        if let Some((_, guard)) = node.guard.as_ref().filter(|(_, guard)| !has_let(guard)) {
            self.replace(&**guard, "true");
        }
        visit::visit_arm(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, wanted: &[&str]) -> Vec<String> {
        let found = mutants(text, wanted).unwrap_or_else(|_| Found { mutants: Vec::new(), unknown: Vec::new() });
        found
            .mutants
            .iter()
            .map(|one| format!("{} => {}", text.get(one.shown.clone()).unwrap_or_default(), one.becomes))
            .collect()
    }

    #[test]
    fn every_kind_is_found() {
        let text = "fn f(a: i64) -> bool { g(); if a < 3 { return !h(); } match a { 1 if h() => k(), _ => a.is_some() } }";
        let expected = [
            "f => true",
            "f => false",
            "g(); => ",
            "a < 3 => true",
            "a < 3 => false",
            "a < 3 => a <= 3",
            "a < 3 => a >= 3",
            "3 => (3 + 1)",
            "3 => (3 - 1)",
            "!h() => h()",
            "1 => never",
            "h() => true",
            "a.is_some() => a.is_none()",
        ];
        assert_eq!(shown(text, &["f"]), expected);
    }

    #[test]
    fn only_the_named_functions_are_changed() {
        let text = "struct S; impl S { fn f() -> bool { true } } fn f() -> bool { false }";
        assert_eq!(shown(text, &["S::f"]), ["f => true", "f => false", "true => false"]);
        let found = mutants(text, &["f", "g"]).map(|found| found.unknown);
        assert_eq!(found.unwrap_or_default(), ["g"]);
    }

    #[test]
    fn one_text_holds_them_all() {
        let text = "fn f(a: u8) -> u8 { a + 1 }";
        let written = mutants(text, &["f"]).map(|found| {
            let kept: Vec<_> = (1..).zip(&found.mutants).collect();
            crate::write::written(text, &kept)
        });
        let written = written.unwrap_or(crate::write::Written { text: String::new(), regions: Vec::new() });
        let is = |id: u32| format!("crate::mutant::is({id})");
        assert_eq!(
            written.text,
            format!(
                "fn f(a: u8) -> u8 {{ if {} {{ return 0; }} if {} {{ return 1; }} (if {} {{ a - 1 }} else {{ a + (if {} {{ (1 + 1) }} else {{ 1 }}) }}) }}",
                is(1),
                is(2),
                is(3),
                is(4)
            )
        );
        let (id, start, end) = written.regions.get(3).copied().unwrap_or_default();
        assert_eq!((id, written.text.get(start..end)), (4, Some("if crate::mutant::is(4) { (1 + 1) }")));
    }
}
