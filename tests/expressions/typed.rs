//! Expressions whose types are right, of a part of the language, and values for the fields that they read.

use super::choices::Choices;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Ints,
    Texts,
    /// A map from texts to ints.
    Table,
}

use Kind::{Bool, Double, Int, Ints, Table, Text, Texts, Uint};

impl Kind {
    /// The name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            Int => "int",
            Uint => "uint",
            Double => "double",
            Text => "string",
            Ints => "list(int)",
            Texts => "list(string)",
            Table => "map(string, int)",
        }
    }
}

pub const KINDS: &[Kind] = &[Bool, Int, Uint, Double, Text, Ints, Texts, Table];
const INTS: &[&str] = &["0", "1", "2", "-1", "3", "7", "-9223372036854775808", "9223372036854775807", "4294967296"];
const UINTS: &[&str] = &["0u", "1u", "2u", "18446744073709551615u", "9223372036854775808u"];
const DOUBLES: &[&str] = &["0.0", "1.0", "-0.0", "0.5", "-2.5", "1e308", "9007199254740993.0", "1e19", "5e-324"];
const TEXTS: &[&str] = &["''", "'a'", "'b'", "'ab'", "' A-b '", "'a-b-a'", "'é🙂'", "'1'", "'true'", "'-'"];
/// Few names, so that one macro's variable often hides another's.
const VARIABLES: &[&str] = &["x", "y"];

/// An expression of a type, at most so deep, whose variables have these types.
pub fn expression(kind: Kind, depth: usize, variables: &[(&'static str, Kind)], choices: &mut Choices) -> String {
    let maker = Maker { depth, variables };
    match depth {
        0 => maker.leaf(kind, choices),
        _ => maker.node(kind, choices),
    }
}

struct Maker<'v> {
    depth: usize,
    variables: &'v [(&'static str, Kind)],
}

impl Maker<'_> {
    fn leaf(&self, kind: Kind, choices: &mut Choices) -> String {
        let hidden = |at: usize, name: &str| self.variables[at + 1..].iter().any(|(later, _)| *later == name);
        let variables = self.variables.iter().enumerate().filter(|(at, (name, of))| *of == kind && !hidden(*at, name));
        let variables: Vec<&str> = variables.map(|(_, (name, _))| *name).collect();
        if !variables.is_empty() && choices.below(2) == 1 {
            return choices.one_of(&variables).to_owned();
        }
        let (literals, fields): (&[&str], &[&str]) = match kind {
            Bool => (&["true", "false"], &["geo.is_eu", "privacy.gpc", "given.bool"]),
            Int => (INTS, &["time.hour", "network.asn", "given.int"]),
            Uint => (UINTS, &["given.uint"]),
            Double => (DOUBLES, &["geo.latitude", "geo.longitude", "given.double"]),
            Text => (TEXTS, &["geo.country", "geo.city", "given.text", "page.query.a"]),
            // An empty list that is written out has items of any type, and makes others of any type too.
            Ints => (&["[0].filter(i, false)", "[1]", "[2, 1, 2]"], &["given.ints"]),
            Texts => (&["''.split('')", "['a']", "['ab', '', 'b']"], &["language.accepted", "given.texts"]),
            Table => (&["{'a': 1}", "{'a': 1, 'b': 2}", "{'': -1}"], &["given.table"]),
        };
        if choices.below(3) == 2 { choices.one_of(fields).to_owned() } else { choices.one_of(literals).to_owned() }
    }

    fn of(&self, kind: Kind, choices: &mut Choices) -> String {
        expression(kind, self.depth - 1, self.variables, choices)
    }

    /// A part of it with parentheses, so that it may stand anywhere.
    fn part(&self, kind: Kind, choices: &mut Choices) -> String {
        format!("({})", self.of(kind, choices))
    }

    fn binary(&self, left: Kind, operators: &[&str], right: Kind, choices: &mut Choices) -> String {
        let operator = choices.one_of(operators);
        let left = self.part(left, choices);
        format!("{left} {operator} {}", self.part(right, choices))
    }

    fn call(&self, receiver: Kind, name: &str, arguments: &[Kind], choices: &mut Choices) -> String {
        let receiver = self.part(receiver, choices);
        let arguments: Vec<String> = arguments.iter().map(|kind| self.of(*kind, choices)).collect();
        format!("{receiver}.{name}({})", arguments.join(", "))
    }

    fn function(&self, name: &str, argument: Kind, choices: &mut Choices) -> String {
        let operand = self.part(argument, choices);
        match argument {
            // A constant that can't be converted would be refused before it fails.
            Text => format!("{name}('' + {operand})"),
            Int => format!("{name}(0 + {operand})"),
            _ => format!("{name}{operand}"),
        }
    }

    /// A position or key: mostly one that may be there.
    fn at(&self, usual: &'static str, kind: Kind, choices: &mut Choices) -> String {
        if choices.below(3) == 2 { self.of(kind, choices) } else { usual.to_owned() }
    }

    /// A list or map for a macro, and the type of its items or keys.
    fn items(&self, choices: &mut Choices) -> (String, Kind) {
        let (list, item) = choices.one_of(&[(Ints, Int), (Texts, Text), (Table, Text)]);
        match choices.below(5) {
            4 => ("page.query".to_owned(), Text),
            _ => (self.part(list, choices), item),
        }
    }

    fn quantified(&self, choices: &mut Choices) -> String {
        let name = choices.one_of(&["all", "exists", "exists_one"]);
        let (list, item) = self.items(choices);
        self.fold(name, &list, item, &[Bool], choices)
    }

    /// A macro: its bodies have one more variable.
    fn fold(&self, name: &str, list: &str, item: Kind, bodies: &[Kind], choices: &mut Choices) -> String {
        let variable = choices.one_of(VARIABLES);
        let variables: Vec<_> = self.variables.iter().copied().chain([(variable, item)]).collect();
        let within = Maker { depth: self.depth - 1, variables: &variables };
        let body = |kind: &Kind| {
            let text = expression(*kind, within.depth, within.variables, choices);
            if *kind != Bool || within.depth == 0 || choices.below(3) > 0 {
                return text;
            }
            format!("({text}) == ({})", within.quantified(choices))
        };
        let bodies: Vec<String> = bodies.iter().map(body).collect();
        format!("{list}.{name}({variable}, {})", bodies.join(", "))
    }

    fn conditional(&self, kind: Kind, choices: &mut Choices) -> String {
        let [condition, then, otherwise] = [Bool, kind, kind].map(|kind| self.part(kind, choices));
        format!("{condition} ? {then} : {otherwise}")
    }

    fn node(&self, kind: Kind, choices: &mut Choices) -> String {
        const RELATIONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
        // Narrow trees reach deeper with as many choices.
        match choices.below(8) {
            0..=2 => return self.leaf(kind, choices),
            3 => return self.conditional(kind, choices),
            _ => {}
        }
        match kind {
            Bool => match choices.below(18) {
                0 => format!("!{}", self.part(Bool, choices)),
                1..=3 => {
                    let operator = choices.one_of(&[" && ", " || "]);
                    choices.several(2, 4, |choices| self.part(Bool, choices)).join(operator)
                }
                4 | 5 => {
                    const NUMBERS: &[Kind] = &[Int, Uint, Double];
                    let (left, right) = (choices.one_of(NUMBERS), choices.one_of(NUMBERS));
                    self.binary(left, RELATIONS, right, choices)
                }
                6 => {
                    let kind = choices.one_of(&[Text, Bool]);
                    self.binary(kind, RELATIONS, kind, choices)
                }
                7 => {
                    let kind = choices.one_of(&[Ints, Texts, Table]);
                    self.binary(kind, &["==", "!="], kind, choices)
                }
                8 => {
                    let (item, list) =
                        choices.one_of(&[(Int, Ints), (Text, Texts), (Text, Table), (Double, Ints), (Uint, Ints)]);
                    self.binary(item, &["in"], list, choices)
                }
                9 => format!("{} in page.query", self.part(Text, choices)),
                10 | 11 | 15..=17 => self.quantified(choices),
                12 => match choices.below(3) {
                    0 => format!("has({})", choices.one_of(super::walk::FIELDS)),
                    1 => format!("has(page.query.{})", choices.one_of(&["a", "b"])),
                    _ => format!("has({}.a)", self.part(Table, choices)),
                },
                13 => self.function("bool", Text, choices),
                _ => {
                    let name = choices.one_of(&["startsWith", "endsWith", "contains"]);
                    self.call(Text, name, &[Text], choices)
                }
            },
            Int => match choices.below(8) {
                0..=2 => self.binary(Int, &["+", "-", "*", "/", "%"], Int, choices),
                3 => format!("-{}", self.part(Int, choices)),
                4 => {
                    let kind = choices.one_of(&[Text, Ints, Texts, Table]);
                    self.function("size", kind, choices)
                }
                5 => format!("{}[{}]", self.part(Ints, choices), self.at("0", Int, choices)),
                6 => match choices.below(2) {
                    0 => format!("{}.a", self.part(Table, choices)),
                    _ => format!("{}[{}]", self.part(Table, choices), self.at("'a'", Text, choices)),
                },
                _ => {
                    let kind = choices.one_of(&[Uint, Double, Text]);
                    self.function("int", kind, choices)
                }
            },
            Uint => match choices.below(4) {
                0 => self.function("uint", Int, choices),
                _ => self.binary(Uint, &["+", "-", "*", "/", "%"], Uint, choices),
            },
            Double => match choices.below(6) {
                0 => format!("-{}", self.part(Double, choices)),
                1 => {
                    let kind = choices.one_of(&[Int, Uint]);
                    self.function("double", kind, choices)
                }
                _ => self.binary(Double, &["+", "-", "*", "/"], Double, choices),
            },
            Text => match choices.below(6) {
                0 | 1 => self.binary(Text, &["+"], Text, choices),
                2 => {
                    let name = choices.one_of(&["lowerAscii", "upperAscii", "trim"]);
                    self.call(Text, name, &[], choices)
                }
                3 => {
                    let kind = choices.one_of(&[Int, Uint, Bool]);
                    self.function("string", kind, choices)
                }
                4 => format!("{}[{}]", self.part(Texts, choices), self.at("0", Int, choices)),
                _ => format!("page.query[{}]", self.at("'a'", Text, choices)),
            },
            Ints | Texts => match choices.below(6) {
                0 => {
                    let item = if kind == Ints { Int } else { Text };
                    format!("[{}]", choices.several(1, 3, |choices| self.of(item, choices)).join(", "))
                }
                1 => self.binary(kind, &["+"], kind, choices),
                2 | 3 => {
                    let (list, item) = self.items(choices);
                    let made = if kind == Ints { Int } else { Text };
                    match choices.below(3) {
                        0 if item == made => self.fold("filter", &list, item, &[Bool], choices),
                        1 => self.fold("map", &list, item, &[Bool, made], choices),
                        _ => self.fold("map", &list, item, &[made], choices),
                    }
                }
                4 | 5 if kind == Texts => {
                    let separator = choices.one_of(&["'-'", "''", "geo.city"]);
                    let limit = choices.one_of(&["", ", 2", ", 1", ", time.hour"]);
                    format!("{}.split({separator}{limit})", self.part(Text, choices))
                }
                _ => self.leaf(kind, choices),
            },
            Table => {
                let entry = |choices: &mut Choices| format!("{}: {}", self.part(Text, choices), self.of(Int, choices));
                format!("{{{}}}", choices.several(1, 3, entry).join(", "))
            }
        }
    }
}

/// A value for each given name, and for some of the fields, as JSON with types.
pub fn bindings(choices: &mut Choices) -> serde_json::Map<String, serde_json::Value> {
    use serde_json::{Value, json};
    let int = |choices: &mut Choices| json!({ "int": choices.one_of(INTS) });
    let plain = |text: &str| text.trim_matches('\'').to_owned();
    let text = |choices: &mut Choices| Value::String(plain(choices.one_of(TEXTS)));
    let double = |choices: &mut Choices| json!({ "double": choices.one_of(DOUBLES) });
    let mut found = serde_json::Map::new();
    let table = |value: Value| json!({ "map": [["a", value]] });
    found.insert("given.bool".into(), json!(choices.below(2) == 1));
    found.insert("given.int".into(), int(choices));
    found.insert("given.uint".into(), json!({ "uint": choices.one_of(UINTS).trim_end_matches('u') }));
    found.insert("given.double".into(), double(choices));
    found.insert("given.text".into(), text(choices));
    found.insert("given.ints".into(), Value::Array(choices.several(1, 4, int)));
    found.insert("given.texts".into(), Value::Array(choices.several(1, 4, text)));
    found.insert("given.table".into(), table(int(choices)));
    for field in super::walk::FIELDS {
        if choices.below(4) == 0 {
            continue;
        }
        let value = match *field {
            "geo.is_eu" | "privacy.gpc" => json!(choices.below(2) == 1),
            "time.hour" | "network.asn" => int(choices),
            "geo.latitude" | "geo.longitude" => double(choices),
            "language.accepted" => Value::Array(choices.several(0, 3, text)),
            "page.query" => {
                let value = text(choices);
                let entries = [json!([["a", value]]), json!([["a", value], ["b", "b"]]), json!([])];
                json!({ "map": entries[choices.below(3)] })
            }
            _ => text(choices),
        };
        found.insert((*field).into(), value);
    }
    found
}
