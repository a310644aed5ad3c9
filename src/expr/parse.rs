//! The tree of an expression.

use super::lex::{Token, TokenKind, tokens};
use super::{ExprError, MAX_DEPTH, MAX_LENGTH, MAX_NODES};
use std::ops::Range;

/// A node of the tree and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its bytes in the expression.
    pub span: Range<usize>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// A text.
    String(String),
    /// `[a, b]`
    List(Vec<Node>),
    /// `geo.country`, or the name of an audience.
    Path(Vec<String>),
    /// `has(a.b)`, or `a.startsWith(b)` with the receiver as the first argument.
    Call {
        /// The function's name.
        name: String,
        /// Where the name stands.
        name_span: Range<usize>,
        /// Whether it was written behind a receiver.
        method: bool,
        /// The arguments.
        arguments: Vec<Node>,
    },
    /// `!a`
    Not(Box<Node>),
    /// `a && b`, `a == b`, `a in b`
    Binary {
        /// The operator as it is written.
        operator: &'static str,
        /// The left operand.
        left: Box<Node>,
        /// The right operand.
        right: Box<Node>,
    },
}

/// Parses an expression.
pub fn parse(source: &str) -> Result<Node, ExprError> {
    if source.len() > MAX_LENGTH {
        return Err(ExprError::new(
            0..1,
            format!("the expression has {} bytes; at most {MAX_LENGTH} are allowed", source.len()),
        ));
    }
    let tokens = tokens(source)?;
    if tokens.len() > MAX_NODES {
        return Err(ExprError::new(
            0..1,
            format!("the expression has {} words; at most {MAX_NODES} are allowed", tokens.len()),
        ));
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let node = parser.or()?;
    match parser.peek().kind {
        TokenKind::End => Ok(node),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'t> {
    /// Never empty; the last is `End`.
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

static END: Token = Token { kind: TokenKind::End, span: 0..0 };

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).or_else(|| self.tokens.last()).unwrap_or(&END)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek().kind, TokenKind::Symbol(s) if s == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<usize, ExprError> {
        let end = self.peek().span.end;
        if self.take(symbol) { Ok(end) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, expected: &str) -> ExprError {
        let token = self.peek();
        let found = match &token.kind {
            TokenKind::Ident(name) => format!("`{name}`"),
            TokenKind::Int(number) => format!("`{number}`"),
            TokenKind::Double(number) => format!("`{number}`"),
            TokenKind::String(_) => "a text".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the expression".to_owned(),
        };
        ExprError::new(token.span.clone(), format!("expected {expected}, found {found}"))
    }

    /// Goes one level deeper for the length of `inner`.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, ExprError>) -> Result<T, ExprError> {
        if self.depth >= MAX_DEPTH {
            return Err(ExprError::new(self.peek().span.clone(), format!("nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn or(&mut self) -> Result<Node, ExprError> {
        self.chain("||", Self::and)
    }

    fn and(&mut self) -> Result<Node, ExprError> {
        self.chain("&&", Self::relation)
    }

    /// A chain of an associative operator, as a balanced tree: a thousand terms are ten levels deep.
    fn chain(&mut self, operator: &'static str, operand: fn(&mut Self) -> Result<Node, ExprError>) -> Result<Node, ExprError> {
        let mut operands = vec![operand(self)?];
        while self.take(operator) {
            operands.push(operand(self)?);
        }
        while operands.len() > 1 {
            let mut pairs = operands.into_iter();
            let mut joined = Vec::new();
            while let Some(left) = pairs.next() {
                joined.push(match pairs.next() {
                    Some(right) => binary(operator, left, right),
                    None => left,
                });
            }
            operands = joined;
        }
        operands.pop().ok_or_else(|| self.unexpected("a value"))
    }

    fn relation(&mut self) -> Result<Node, ExprError> {
        let left = self.unary()?;
        let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|operator| self.take(operator)).or_else(|| {
            let found = matches!(&self.peek().kind, TokenKind::Ident(name) if name == "in");
            self.at += usize::from(found);
            found.then_some("in")
        });
        match operator {
            None => Ok(left),
            Some(operator) => {
                let node = binary(operator, left, self.unary()?);
                let next = self.peek();
                match next.kind {
                    TokenKind::Symbol("==" | "!=" | "<=" | ">=" | "<" | ">") => {
                        Err(ExprError::new(next.span.clone(), "comparisons can't be chained")
                            .with_help(Some("join them with &&, or use parentheses".to_owned())))
                    }
                    _ => Ok(node),
                }
            }
        }
    }

    fn unary(&mut self) -> Result<Node, ExprError> {
        let start = self.peek().span.start;
        if self.take("!") {
            let operand = self.nested(Self::unary)?;
            let span = start..operand.span.end;
            return Ok(Node { kind: NodeKind::Not(Box::new(operand)), span });
        }
        if self.take("-") {
            let token = self.next();
            let kind = match token.kind {
                TokenKind::Int(number) => NodeKind::Int(-number),
                TokenKind::Double(number) => NodeKind::Double(-number),
                _ => {
                    self.at -= 1;
                    return Err(self.unexpected("a number after `-`"));
                }
            };
            return Ok(Node { kind, span: start..token.span.end });
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Node, ExprError> {
        let mut node = self.primary()?;
        while self.take(".") {
            let token = self.next();
            let TokenKind::Ident(name) = token.kind else {
                self.at -= 1;
                return Err(self.unexpected("a name after `.`"));
            };
            if self.take("(") {
                let (rest, end) = self.arguments(")")?;
                let span = node.span.start..end;
                let arguments = std::iter::once(node).chain(rest).collect();
                node = Node { kind: NodeKind::Call { name, name_span: token.span, method: true, arguments }, span };
            } else if let NodeKind::Path(parts) = &mut node.kind {
                parts.push(name);
                node.span.end = token.span.end;
            } else {
                return Err(ExprError::new(token.span, "only a field has parts")
                    .with_help(Some("call a function with `()`".to_owned())));
            }
        }
        Ok(node)
    }

    fn primary(&mut self) -> Result<Node, ExprError> {
        let token = self.next();
        let span = token.span.clone();
        let kind = match token.kind {
            TokenKind::Int(number) => NodeKind::Int(number),
            TokenKind::Double(number) => NodeKind::Double(number),
            TokenKind::String(text) => NodeKind::String(text),
            TokenKind::Ident(name) => match name.as_str() {
                "true" => NodeKind::Bool(true),
                "false" => NodeKind::Bool(false),
                _ if self.take("(") => {
                    let (arguments, end) = self.arguments(")")?;
                    let kind = NodeKind::Call { name, name_span: span.clone(), method: false, arguments };
                    return Ok(Node { kind, span: span.start..end });
                }
                _ => NodeKind::Path(vec![name]),
            },
            TokenKind::Symbol("(") => {
                let inner = self.nested(Self::or)?;
                let end = self.expect(")")?;
                return Ok(Node { kind: inner.kind, span: span.start..end });
            }
            TokenKind::Symbol("[") => {
                let (items, end) = self.arguments("]")?;
                return Ok(Node { kind: NodeKind::List(items), span: span.start..end });
            }
            TokenKind::Symbol(_) | TokenKind::End => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        Ok(Node { kind, span })
    }

    /// Expressions with commas between them, up to a closing bracket; and where that ends.
    fn arguments(&mut self, close: &str) -> Result<(Vec<Node>, usize), ExprError> {
        let mut arguments = Vec::new();
        loop {
            let end = self.peek().span.end;
            if self.take(close) {
                return Ok((arguments, end));
            }
            arguments.push(self.nested(Self::or)?);
            if !self.take(",") {
                let end = self.expect(close)?;
                return Ok((arguments, end));
            }
        }
    }
}

fn binary(operator: &'static str, left: Node, right: Node) -> Node {
    let span = left.span.start..right.span.end;
    Node { kind: NodeKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span }
}
