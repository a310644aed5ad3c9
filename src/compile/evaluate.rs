//! An expression on its own: checked against a manifest's names, and evaluated with values that are given for them.

use super::{Compiler, Zones};
use crate::context::{Context, FIELDS, Field, Kind, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, nearest};
use crate::eval::{self, Arena, Error, Operand, OperandList, OperandMap, Why};
use crate::expr::{Constant, Env, ExprError, Node, Type, check_any, cost, parse};
use crate::manifest::read_manifest;
use crate::program::Program;
use crate::program::layout::Section;
use crate::sorted::sorted;
use std::collections::HashMap;
use std::ops::Range;

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Its value, if it has one.
    pub outcome: Outcome,
    /// The name of its type.
    pub type_name: String,
    /// The most steps it may take.
    pub cost: u64,
    /// The expression as an explanation shows it, read from what it was compiled to.
    #[cfg(feature = "explain")]
    pub text: String,
}

/// A value, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A value.
    Value(Constant),
    /// Something it needs is missing.
    Unknown {
        /// The part of the expression that has no value.
        span: Range<usize>,
    },
    /// It failed. In a decision that counts as unknown.
    Failed(ExprError),
}

/// Why an expression is not evaluated.
#[derive(Debug, Clone, PartialEq)]
pub enum EvaluateError {
    /// The manifest is wrong.
    Manifest(Vec<Diagnostic>),
    /// A given value is of another type than its field.
    Binding(String),
    /// The expression can't be parsed.
    Parse(ExprError),
    /// The expression's names or types are wrong.
    Check(Vec<ExprError>),
}

/// A manifest that says nothing.
const EMPTY: &str = r#"{ "site": { "id": "site" } }"#;

/// Evaluates an expression. `bindings` are values for names: paths of fields, or names of their own. Without a manifest there
/// are the fields that every site has, and no audiences.
pub fn evaluate(
    expression: &str,
    bindings: &[(String, Constant)],
    manifest: Option<&str>,
    zones: &dyn Zones,
) -> Result<Evaluation, EvaluateError> {
    let source = manifest.unwrap_or(EMPTY);
    let mut diagnostics = Diagnostics::new(source);
    let Some(manifest) = read_manifest(&mut diagnostics) else { return Err(EvaluateError::Manifest(diagnostics.finish())) };
    let tree = parse(expression);
    let mut compiler = Compiler::with_expression(&manifest, zones, &mut diagnostics, tree.as_ref().ok());
    compiler.site();
    compiler.fields();
    compiler.traits();
    compiler.audiences();
    let tree = tree.map_err(EvaluateError::Parse)?;
    let bindings = canonical(bindings, &compiler.names);
    let env = Given { names: &compiler.names, values: bindings.iter().map(|(name, value)| (name.as_str(), value)).collect() };
    let (checked, checked_type) = check_any(&tree, &env).map_err(EvaluateError::Check)?;
    for zone in super::audiences::zones(&checked) {
        compiler.zone(zone);
    }
    let mut values = Vec::new();
    for (path, constant) in &bindings {
        if let Some((field, kind)) = compiler.names.field(path) {
            let value = field_value(constant, kind).ok_or_else(|| {
                EvaluateError::Binding(format!(
                    "`{path}` is of type {}, the given value of type {}",
                    Type::from(kind).name(),
                    constant.type_of().name()
                ))
            })?;
            if let (Some(timezone), Value::String(zone)) = (FIELDS.get(Field::GeoTimezone as usize), &value)
                && timezone.path == path.as_str()
            {
                compiler.zone(zone);
            }
            values.push((field, value));
        }
    }
    let costs = compiler.audience_costs.clone();
    let steps = cost(&checked, &mut |audience| costs.get(audience as usize).copied().unwrap_or(0)).steps;
    let root = compiler.builder.expression(&checked);
    let spans: Vec<Range<usize>> =
        (0..compiler.builder.next(Section::Nodes)).map(|node| compiler.builder.node_span(node).unwrap_or_default()).collect();
    let bytes = std::mem::take(&mut compiler.builder).finish(None);
    if !diagnostics.is_empty() {
        return Err(EvaluateError::Manifest(diagnostics.finish()));
    }
    let program = Program::load(bytes).map_err(|error| EvaluateError::Binding(error.to_string()))?;
    let context = Context::of_values(&program, values);
    let arena = Arena::default();
    let value = eval::value(&program, &context, root, &arena);
    let span = |node: u32| spans.get(node as usize).cloned().unwrap_or_default();
    let outcome = match &value {
        Operand::Absent(absent) => match absent.why {
            Why::Error(error) => Outcome::Failed(failure(error, span(absent.node))),
            Why::Missing | Why::Denied => Outcome::Unknown { span: span(absent.node) },
        },
        value => Outcome::Value(constant(value)),
    };
    let type_name = match &outcome {
        // What is not known before is known now.
        Outcome::Value(constant) if checked_type == Type::Dyn => constant.type_of().name(),
        _ => checked_type.name(),
    };
    #[cfg(feature = "explain")]
    let text = crate::explain::text(&program, root);
    Ok(Evaluation {
        outcome,
        type_name,
        cost: steps,
        #[cfg(feature = "explain")]
        text,
    })
}

/// The errors of an expression in the order of their places, each with its place as people read it.
pub fn located<'e>(expression: &str, errors: &'e [ExprError]) -> Vec<(&'e ExprError, Diagnostic)> {
    let ordered: Vec<&ExprError> = errors.iter().collect();
    let ordered = sorted(ordered, &|one, other| one.span.start.cmp(&other.span.start));
    let placed = ordered.into_iter().flat_map(|error| {
        let mut diagnostics = Diagnostics::new(expression);
        match &error.help {
            Some(help) => diagnostics.error_with_help("", error.span.clone(), &error.message, help),
            None => diagnostics.error("", error.span.clone(), &error.message),
        }
        diagnostics.finish().into_iter().map(move |diagnostic| (error, diagnostic))
    });
    placed.collect()
}

/// What is wrong with the first of the names that are given values although neither the site nor the expression has them: a
/// misspelt one changes nothing, and nobody would notice. `None` where there is none, or the expression is wrong by itself.
pub fn misspelt(
    expression: &str,
    bindings: &[(String, Constant)],
    manifest: Option<&str>,
    zones: &dyn Zones,
) -> Option<String> {
    let mut diagnostics = Diagnostics::new(manifest.unwrap_or(EMPTY));
    let manifest = read_manifest(&mut diagnostics)?;
    let tree = parse(expression).ok()?;
    let compiler = Compiler::with_expression(&manifest, zones, &mut diagnostics, Some(&tree));
    let names = &compiler.names;
    let bindings = &canonical(bindings, names);
    let is_right_without = |name: &str| {
        let others = bindings.iter().filter(|(other, _)| other != name).map(|(other, value)| (other.as_str(), value));
        check_any(&tree, &Given { names, values: others.collect() }).is_ok()
    };
    let (name, _) = bindings.iter().find(|(name, _)| names.field(name).is_none() && is_right_without(name))?;
    let fields = names.names();
    let help = nearest(name, fields.iter().map(String::as_str)).map(|help| format!("; {help}")).unwrap_or_default();
    Some(format!("`{name}` is no field, and the expression does not read it{help}"))
}

/// Values by names in the one way of writing them: what is read of a profile may be written in several.
fn canonical(bindings: &[(String, Constant)], names: &dyn Env) -> Vec<(String, Constant)> {
    let written = |name: &str| names.reading(&parse(name).ok()?)?.ok();
    bindings.iter().map(|(name, value)| (written(name).unwrap_or_else(|| name.clone()), value.clone())).collect()
}

/// The names of a manifest, and values that are given for others.
struct Given<'n> {
    names: &'n dyn Env,
    values: HashMap<&'n str, &'n Constant>,
}

impl Env for Given<'_> {
    fn field(&self, path: &str) -> Option<(u32, Kind)> {
        self.names.field(path)
    }

    fn values(&self, field: u32) -> Option<Vec<&str>> {
        self.names.values(field)
    }

    fn audience(&self, name: &str) -> Option<u32> {
        self.names.audience(name)
    }

    fn given(&self, path: &str) -> Option<&Constant> {
        // A field keeps its place in the context, so that audiences see its value too.
        self.values.get(path).copied().filter(|_| self.names.field(path).is_none())
    }

    fn reading(&self, node: &Node) -> Option<Result<String, ExprError>> {
        // A value of that name stands for all below it.
        if self.values.contains_key("profile") { None } else { self.names.reading(node) }
    }

    fn has_zone(&self, name: &str) -> bool {
        self.names.has_zone(name)
    }

    fn names(&self) -> Vec<String> {
        self.names.names().into_iter().chain(self.values.keys().map(|name| (*name).to_owned())).collect()
    }
}

fn field_value(constant: &Constant, kind: Kind) -> Option<Value> {
    let text = |constant: &Constant| match constant {
        Constant::String(text) => Some(text.clone()),
        _ => None,
    };
    Some(match (kind, constant) {
        (Kind::Bool, Constant::Bool(value)) => Value::Bool(*value),
        (Kind::Int, Constant::Int(value)) => Value::Int(*value),
        (Kind::Double, Constant::Double(value)) => Value::Double(*value),
        (Kind::Double, Constant::Int(value)) => Value::Double(*value as f64),
        (Kind::String, Constant::String(value)) => Value::String(value.clone()),
        (Kind::Timestamp, Constant::Timestamp(at)) => Value::Timestamp(at.millis()),
        (Kind::Timestamp, Constant::String(value)) => Value::parse(Kind::Timestamp, value)?,
        (Kind::Strings, Constant::List(items)) => Value::Strings(items.iter().map(text).collect::<Option<_>>()?),
        (Kind::Map, Constant::Map(entries)) => {
            Value::Map(entries.iter().map(|(key, value)| Some((text(key)?, text(value)?))).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn constant(value: &Operand<'_>) -> Constant {
    let owned = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let written = |write: &dyn Fn(&mut String)| {
        let mut text = String::new();
        write(&mut text);
        text
    };
    match value {
        Operand::Bool(value) => Constant::Bool(*value),
        Operand::Int(value) => Constant::Int(*value),
        Operand::Uint(value) => Constant::Uint(*value),
        Operand::Double(value) => Constant::Double(*value),
        Operand::Text(text) => Constant::String(owned(text)),
        Operand::Timestamp(at) => Constant::Timestamp(at.seconds()),
        Operand::Duration(length) => Constant::Duration(length.seconds()),
        Operand::Version(text) => Constant::Version(owned(text)),
        Operand::Address(address) => {
            Constant::Ip(written(&|out| eval::address(address).into_iter().for_each(|address| address.write(out))))
        }
        Operand::Range(range) => {
            Constant::Cidr(written(&|out| eval::range(range).into_iter().for_each(|range| range.write(out))))
        }
        Operand::List(list) => Constant::List(list_items(list)),
        Operand::Map(map) => Constant::Map(map_entries(map)),
        // Lists and maps have no absent items.
        Operand::Absent(_) => Constant::List(Vec::new()),
    }
}

fn list_items(list: &OperandList<'_>) -> Vec<Constant> {
    list.iter().map(|item| constant(&item)).collect()
}

fn map_entries(map: &OperandMap<'_>) -> Vec<(Constant, Constant)> {
    map.iter().map(|(key, value)| (constant(&key), constant(&value))).collect()
}

/// What a failure means, and what to do.
fn failure(error: Error, span: Range<usize>) -> ExprError {
    let help = match error {
        Error::DivisionByZero => "test the divisor first: x != 0 && y / x > 2",
        Error::NoSuchItem => "the first is 0; ask size(list) first",
        Error::NoSuchKey => "ask has(map.key) or 'key' in map first",
        Error::UnknownZone => "write the zone's name out, or use geo.timezone",
        Error::Overflow | Error::TooLarge | Error::Conversion | Error::BadKey | Error::WrongType => "",
    };
    ExprError::new(span, error.message()).with_help(Some(help).filter(|help| !help.is_empty()).map(str::to_owned))
}
