//! Trees of any shape, whatever their types, and several ways to write each.

use super::choices::Choices;

/// A tree as the grammar has it. Chains of `&&` and `||` are one node.
#[derive(Debug)]
pub enum Shape {
    Leaf(&'static str),
    Prefix(&'static str, Box<Shape>),
    Binary(&'static str, Box<[Shape; 2]>),
    Chain(&'static str, Vec<Shape>),
    Conditional(Box<[Shape; 3]>),
    Select(Box<Shape>, &'static str),
    Index(Box<[Shape; 2]>),
    List(Vec<Shape>),
    Map(Vec<(Shape, Shape)>),
    Call(&'static str, Vec<Shape>),
    Method(Box<Shape>, &'static str, Vec<Shape>),
}

const LEAVES: &[&str] = &[
    "a",
    "1",
    "true",
    "'x'",
    "geo",
    "-1",
    "2.5",
    "-0.5",
    "7u",
    "\"it's\"",
    "'''a'b'''",
    r"r'\d'",
    r"'\u00e9\n\x00'",
    "0x1F",
    "1e100",
    "-9223372036854775808",
    "18446744073709551615u",
    "'\u{301}\u{7f}🙂'",
    "_b2",
];
const NAMES: &[&str] = &["a", "country", "`a-b`", "`in`", "if", "size"];
const CALLS: &[&str] = &["size", "has", "f", "int"];
const METHODS: &[&str] = &["all", "size", "map", "startsWith", "f"];
/// By how tightly they bind, from the loosest.
const OPERATORS: &[&[&str]] = &[&["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

impl Shape {
    pub fn new(choices: &mut Choices, depth: usize) -> Shape {
        let Some(depth) = depth.checked_sub(1) else { return Shape::Leaf(choices.one_of(LEAVES)) };
        let one = |choices: &mut Choices| Box::new(Shape::new(choices, depth));
        match choices.below(13) {
            0 | 1 => Shape::Leaf(choices.one_of(LEAVES)),
            2 => Shape::Prefix(choices.one_of(&["!", "-"]), one(choices)),
            3..=5 => {
                let operator = choices.one_of(&OPERATORS.concat());
                Shape::Binary(operator, Box::new([Shape::new(choices, depth), Shape::new(choices, depth)]))
            }
            6 => Shape::Chain(choices.one_of(&["&&", "||"]), choices.several(2, 4, |choices| Shape::new(choices, depth))),
            7 => Shape::Conditional(Box::new([(); 3].map(|()| Shape::new(choices, depth)))),
            8 => Shape::Select(one(choices), choices.one_of(NAMES)),
            9 => Shape::Index(Box::new([(); 2].map(|()| Shape::new(choices, depth)))),
            10 => Shape::List(choices.several(0, 3, |choices| Shape::new(choices, depth))),
            11 => Shape::Map(choices.several(0, 2, |choices| (Shape::new(choices, depth), Shape::new(choices, depth)))),
            _ => {
                let arguments = choices.several(0, 3, |choices| Shape::new(choices, depth));
                match choices.below(2) {
                    0 => Shape::Call(choices.one_of(CALLS), arguments),
                    _ => Shape::Method(one(choices), choices.one_of(METHODS), arguments),
                }
            }
        }
    }

    /// How tightly it binds: from 0, a conditional, to 7, a value or a member.
    fn level(&self) -> usize {
        match self {
            Shape::Conditional(_) => 0,
            Shape::Chain("||", _) => 1,
            Shape::Chain(..) => 2,
            Shape::Binary(operator, _) => 3 + OPERATORS.iter().position(|level| level.contains(operator)).unwrap(),
            Shape::Prefix(..) => 6,
            Shape::Leaf(text) if text.starts_with('-') => 6,
            _ => 7,
        }
    }

    /// The text, with what stands between its words.
    pub fn write(&self, style: &mut Style) -> String {
        self.place(0, style)
    }

    /// The text where at least `level` is expected.
    fn place(&self, level: usize, style: &mut Style) -> String {
        let pairs = style.pairs(self.level() < level);
        let mut text = self.bare(style);
        for _ in 0..pairs {
            let (before, behind) = (style.space(), style.space());
            text = format!("({before}{text}{behind})");
        }
        text
    }

    fn bare(&self, style: &mut Style) -> String {
        match self {
            Shape::Leaf(text) => (*text).to_owned(),
            Shape::Prefix(sign, operand) => {
                let text = operand.place(6, style);
                // A number right behind a minus would be one number with it.
                let number = text.starts_with(|c: char| c.is_ascii_digit());
                if *sign == "-" && number { format!("-({text})") } else { format!("{sign}{}{text}", style.space()) }
            }
            Shape::Binary(operator, operands) => {
                let level = self.level();
                let [left, right] = operands.as_ref();
                let (left, right) = (left.place(level, style), right.place(level + 1, style));
                // A word needs spaces.
                let space = if *operator == "in" { " " } else { "" };
                format!("{left}{}{space}{operator}{space}{}{right}", style.space(), style.space())
            }
            Shape::Chain(operator, operands) => {
                let level = self.level() + 1;
                let operands: Vec<String> = operands.iter().map(|operand| operand.place(level, style)).collect();
                operands.join(&format!("{}{operator}{}", style.space(), style.space()))
            }
            Shape::Conditional(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                let parts = [condition.place(1, style), then.place(1, style), otherwise.place(0, style)];
                let [condition, then, otherwise] = parts;
                format!("{condition}{}?{}{then}{}:{otherwise}", style.space(), style.space(), style.space())
            }
            Shape::Select(operand, name) => format!("{}{}.{name}", style.member(operand), style.space()),
            Shape::Index(parts) => format!("{}[{}{}]", style.member(&parts[0]), style.space(), parts[1].place(0, style)),
            Shape::List(items) => format!("[{}{}]", style.list(items), style.space()),
            Shape::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        let (key, value) = (key.place(0, style), value.place(0, style));
                        format!("{key}{}:{}{value}", style.space(), style.space())
                    })
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
            Shape::Call(name, arguments) => format!("{name}{}({})", style.space(), style.list(arguments)),
            Shape::Method(receiver, name, arguments) => {
                format!("{}.{}{name}({})", style.member(receiver), style.space(), style.list(arguments))
            }
        }
    }
}

/// How much more than is needed stands in a text.
pub enum Style {
    /// The fewest parentheses.
    Bare,
    /// Parentheses around everything.
    Full,
    /// Some more parentheses, spaces and comments than are needed.
    Random(Choices),
}

impl Style {
    fn pairs(&mut self, needed: bool) -> usize {
        usize::from(needed)
            + match self {
                Style::Bare => 0,
                Style::Full => usize::from(!needed),
                Style::Random(choices) => choices.one_of(&[0, 0, 0, 0, 0, 1, 2]),
            }
    }

    fn space(&mut self) -> &'static str {
        match self {
            Style::Bare | Style::Full => " ",
            Style::Random(choices) => choices.one_of(&["", " ", "", "\t", "\n", "\r\n  ", " // a ' comment\n"]),
        }
    }

    /// What a member is taken of. A number and a dot need something between them.
    fn member(&mut self, operand: &Shape) -> String {
        let text = operand.place(7, self);
        if text.starts_with(|c: char| c.is_ascii_digit()) { format!("({text})") } else { text }
    }

    fn list(&mut self, items: &[Shape]) -> String {
        let items: Vec<String> = items.iter().map(|item| item.place(0, self)).collect();
        let comma = if items.is_empty() || !matches!(self, Style::Random(_)) { "" } else { "," };
        format!("{}{comma}", items.join(&format!("{},", self.space())))
    }
}
