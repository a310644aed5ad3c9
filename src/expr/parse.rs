//! From text to a tree (CEL specification, "Syntax").

use super::lex::{Token, TokenKind, tokens};
use super::tree::{Name, Node, NodeKind};
use super::{ExprError, MAX_DEPTH, MAX_LENGTH, MAX_NODES, RESERVED};

/// Parses an expression.
pub fn parse(source: &str) -> Result<Node, ExprError> {
    if source.len() > MAX_LENGTH {
        return Err(ExprError::new(
            0..1,
            format!("the expression has {} bytes; at most {MAX_LENGTH} are allowed", source.len()),
        ));
    }
    let tokens = tokens(source)?;
    // The last one is the end.
    let words = tokens.len().saturating_sub(1);
    if words > MAX_NODES {
        return Err(ExprError::new(0..1, format!("the expression has {words} words; at most {MAX_NODES} are allowed")));
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let node = parser.expression()?;
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

type Parsed<T> = Result<T, ExprError>;

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

    /// Takes one of the operators.
    fn take_any(&mut self, symbols: &[&'static str]) -> Option<&'static str> {
        symbols.iter().copied().find(|symbol| self.take(symbol))
    }

    fn expect(&mut self, symbol: &str) -> Parsed<usize> {
        let end = self.peek().span.end;
        if self.take(symbol) { Ok(end) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, expected: &str) -> ExprError {
        let token = self.peek();
        let found = match &token.kind {
            TokenKind::Ident(name) | TokenKind::Quoted(name) => format!("`{name}`"),
            TokenKind::Int(number) | TokenKind::Uint(number) => format!("`{number}`"),
            TokenKind::Double(number) => format!("`{number}`"),
            TokenKind::String(_) => "a text".to_owned(),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end of the expression".to_owned(),
        };
        ExprError::new(token.span.clone(), format!("expected {expected}, found {found}"))
    }

    /// Goes one level deeper for the length of `inner`.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(self.peek().span.clone()));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// `or ? or : expression`
    fn expression(&mut self) -> Parsed<Node> {
        let condition = self.or()?;
        if !self.take("?") {
            return Ok(condition);
        }
        let then = self.nested(Self::or)?;
        self.expect(":")?;
        let otherwise = self.nested(Self::expression)?;
        let span = condition.span.start..otherwise.span.end;
        made(NodeKind::Conditional(Box::new([condition, then, otherwise])), span)
    }

    fn or(&mut self) -> Parsed<Node> {
        self.chain("||", NodeKind::Or, Self::and)
    }

    fn and(&mut self) -> Parsed<Node> {
        self.chain("&&", NodeKind::And, Self::relation)
    }

    fn chain(
        &mut self,
        operator: &'static str,
        kind: fn(Vec<Node>) -> NodeKind,
        operand: fn(&mut Self) -> Parsed<Node>,
    ) -> Parsed<Node> {
        let first = operand(self)?;
        if !matches!(self.peek().kind, TokenKind::Symbol(s) if s == operator) {
            return Ok(first);
        }
        let (start, mut end) = (first.span.start, first.span.end);
        let mut operands = vec![first];
        while self.take(operator) {
            let next = operand(self)?;
            end = next.span.end;
            operands.push(next);
        }
        made(kind(operands), start..end)
    }

    fn relation(&mut self) -> Parsed<Node> {
        let mut node = self.sum()?;
        loop {
            let operator = self.take_any(&["==", "!=", "<=", ">=", "<", ">"]).or_else(|| {
                let found = matches!(&self.peek().kind, TokenKind::Ident(name) if name == "in");
                self.at += usize::from(found);
                found.then_some("in")
            });
            let Some(operator) = operator else { return Ok(node) };
            node = binary(operator, node, self.sum()?)?;
        }
    }

    fn sum(&mut self) -> Parsed<Node> {
        let mut node = self.product()?;
        while let Some(operator) = self.take_any(&["+", "-"]) {
            node = binary(operator, node, self.product()?)?;
        }
        Ok(node)
    }

    fn product(&mut self) -> Parsed<Node> {
        let mut node = self.unary()?;
        while let Some(operator) = self.take_any(&["*", "/", "%"]) {
            node = binary(operator, node, self.unary()?)?;
        }
        Ok(node)
    }

    fn unary(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if self.take("!") {
            let operand = self.nested(Self::unary)?;
            let span = start..operand.span.end;
            return made(NodeKind::Not(Box::new(operand)), span);
        }
        if !self.take("-") {
            let primary = self.primary()?;
            return self.members(primary);
        }
        let token = self.peek().clone();
        let span = start..token.span.end;
        let kind = match token.kind {
            // The least of all has no positive counterpart.
            TokenKind::Int(number) => match 0i64.checked_sub_unsigned(number) {
                Some(number) => NodeKind::Int(number),
                None => return Err(ExprError::new(span, "this whole number does not fit 64 bits")),
            },
            TokenKind::Double(number) => NodeKind::Double(-number),
            _ => {
                let operand = self.nested(Self::unary)?;
                let span = start..operand.span.end;
                return made(NodeKind::Negate(Box::new(operand)), span);
            }
        };
        self.at += 1;
        let literal = made(kind, span)?;
        self.members(literal)
    }

    /// What stands behind a value: `.name`, `.name(...)`, `[index]`.
    fn members(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            let start = node.span.start;
            if self.take(".") {
                let token = self.next();
                let (text, quoted) = match token.kind {
                    TokenKind::Ident(name) => (name, false),
                    TokenKind::Quoted(name) => (name, true),
                    _ => {
                        self.at -= 1;
                        return Err(self.unexpected("a name after `.`"));
                    }
                };
                if matches!(text.as_str(), "in" | "true" | "false" | "null") && !quoted {
                    return Err(ExprError::new(token.span, format!("`{text}` is no name"))
                        .with_help(Some(format!("write .`{text}` for a key of that name"))));
                }
                let name = Name { text, span: token.span.clone() };
                node = if !quoted && self.take("(") {
                    let (arguments, end) = self.list(")", Self::expression)?;
                    made(NodeKind::Call { name, receiver: Some(Box::new(node)), arguments }, start..end)?
                } else {
                    made(NodeKind::Select(Box::new(node), name), start..token.span.end)?
                };
            } else if self.take("[") {
                let index = self.nested(Self::expression)?;
                let end = self.expect("]")?;
                node = made(NodeKind::Index(Box::new(node), Box::new(index)), start..end)?;
            } else if node.path().is_some() && matches!(self.peek().kind, TokenKind::Symbol("{")) {
                return Err(ExprError::new(node.span.start..self.peek().span.end, "messages can't be made here")
                    .with_help(Some("write a map: {'key': value}".to_owned())));
            } else {
                return Ok(node);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Node> {
        let token = self.next();
        let span = token.span.clone();
        let kind = match token.kind {
            TokenKind::Int(number) => match i64::try_from(number) {
                Ok(number) => NodeKind::Int(number),
                Err(_) => {
                    return Err(ExprError::new(span, "this whole number does not fit 64 bits with a sign")
                        .with_help(Some(format!("write {number}u for one without a sign"))));
                }
            },
            TokenKind::Uint(number) => NodeKind::Uint(number),
            TokenKind::Double(number) => NodeKind::Double(number),
            TokenKind::String(text) => NodeKind::String(text),
            TokenKind::Ident(name) => return self.name(name, span),
            TokenKind::Symbol("(") => {
                let inner = self.nested(Self::expression)?;
                let end = self.expect(")")?;
                return Ok(Node { span: span.start..end, ..inner });
            }
            TokenKind::Symbol("[") => {
                let (items, end) = self.list("]", Self::expression)?;
                return made(NodeKind::List(items), span.start..end);
            }
            TokenKind::Symbol("{") => {
                let (entries, end) = self.list("}", Self::entry)?;
                return made(NodeKind::Map(entries), span.start..end);
            }
            TokenKind::Symbol(_) | TokenKind::Quoted(_) | TokenKind::End => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        made(kind, span)
    }

    fn name(&mut self, text: String, span: std::ops::Range<usize>) -> Parsed<Node> {
        let behind = self.peek();
        // Of a text of bytes the lexer makes a name and a text.
        if matches!(behind.kind, TokenKind::String(_)) && behind.span.start == span.end {
            return Err(ExprError::new(span, format!("a text has no prefix `{text}`"))
                .with_help(Some("r'...' is a raw text; bytes are not part of this language".to_owned())));
        }
        match text.as_str() {
            "true" | "false" => return made(NodeKind::Bool(text == "true"), span),
            "null" => {
                return Err(ExprError::new(span, "there is no null: what is missing is unknown")
                    .with_help(Some("ask has(field) whether a field is present".to_owned())));
            }
            reserved if RESERVED.contains(&reserved) => {
                return Err(ExprError::new(span, format!("`{reserved}` is a reserved word, expected a value")));
            }
            _ => {}
        }
        if self.take("(") {
            let (arguments, end) = self.list(")", Self::expression)?;
            let whole = span.start..end;
            return made(NodeKind::Call { name: Name { text, span }, receiver: None, arguments }, whole);
        }
        made(NodeKind::Name(text), span)
    }

    fn entry(&mut self) -> Parsed<(Node, Node)> {
        let key = self.expression()?;
        self.expect(":")?;
        Ok((key, self.expression()?))
    }

    /// Items with commas between them, up to a closing bracket; and where that ends.
    fn list<T>(&mut self, close: &str, item: fn(&mut Self) -> Parsed<T>) -> Parsed<(Vec<T>, usize)> {
        let mut items = Vec::new();
        loop {
            let end = self.peek().span.end;
            if self.take(close) {
                return Ok((items, end));
            }
            items.push(self.nested(item)?);
            if !self.take(",") {
                let end = self.expect(close)?;
                return Ok((items, end));
            }
        }
    }
}

fn too_deep(span: std::ops::Range<usize>) -> ExprError {
    ExprError::new(span, format!("nested more than {MAX_DEPTH} levels deep"))
}

/// A node, unless its tree is too deep: whoever walks it would run out of stack.
fn made(kind: NodeKind, span: std::ops::Range<usize>) -> Parsed<Node> {
    let node = Node::new(kind, span);
    if node.depth > MAX_DEPTH { Err(too_deep(node.span)) } else { Ok(node) }
}

fn binary(operator: &'static str, left: Node, right: Node) -> Parsed<Node> {
    let span = left.span.start..right.span.end;
    made(NodeKind::Binary { operator, left: Box::new(left), right: Box::new(right) }, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_literals() {
        let parsed = |text: &str| parse(text).ok().map(|node| (node.span, node.kind));
        assert_eq!(parsed("a && b || c").map(|(span, _)| span), Some(0..11));
        // One number, not the negative of one.
        assert_eq!(parsed("-1.5").map(|(_, kind)| kind), Some(NodeKind::Double(-1.5)));
        let place = |text: &str| parse(text).err().map(|error| error.span);
        for code in ["x", "u", "U", "0"] {
            assert_eq!(place(&format!("'\\{code}zz'")), Some(1..3), "{code}");
        }
        assert_eq!(place("'\\q'"), Some(1..2));
        assert_eq!(place(&"x".repeat(MAX_LENGTH + 1)), Some(0..1));
        assert_eq!(place(&"1 ".repeat(MAX_NODES + 1)), Some(0..1));
    }

    #[test]
    fn words_are_limited() {
        // A list of n items has 2n + 1 words, and one more with a comma at its end.
        let message = |text: &str| parse(text).err().map(|error| error.message);
        let most = MAX_NODES / 2 - 1;
        assert_eq!(message(&format!("[{},]", vec!["1"; most].join(","))), None);
        let one_more = message(&format!("[{}]", vec!["1"; most + 1].join(",")));
        assert!(one_more.is_some_and(|message| message.contains("has 10001 words")));
    }
}
