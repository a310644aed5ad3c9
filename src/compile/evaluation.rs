//! An evaluation as JSON, for the command line and for the tools.

use super::evaluate::{EvaluateError, Evaluation, Outcome, located};
use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::{Constant, ExprError};
use serde::Serialize;

/// `{ value, type, cost }`, `{ unknown, missing, type, cost }`, or `{ error, errors }`.
#[derive(Debug, Default, Serialize)]
pub struct EvaluationReport<'a> {
    /// The value with its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<&'a Constant>,
    /// Whether something it needs is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// The part of the expression that has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<&'a str>,
    /// The name of its type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<&'a str>,
    /// The most steps it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// The first error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// All errors, in the order of their places.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorReport>,
}

/// An error of an expression.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// When it was found: `parse`, `check`, `evaluation`, or `bindings`, `manifest` for what the expression was given.
    pub kind: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The first byte that is meant.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

impl<'a> EvaluationReport<'a> {
    /// The report of an evaluation.
    pub fn new(expression: &'a str, result: &'a Result<Evaluation, EvaluateError>) -> EvaluationReport<'a> {
        let refused =
            |errors: Vec<ErrorReport>| EvaluationReport { error: errors.first().cloned(), errors, ..Default::default() };
        let inside = |kind, errors: &[ExprError]| {
            let errors = located(expression, errors).into_iter().map(|(error, at)| ErrorReport {
                kind,
                message: error.message.clone(),
                help: error.help.clone(),
                start: error.span.start,
                end: error.span.end,
                line: at.line,
                column: at.column,
            });
            refused(errors.collect())
        };
        let elsewhere = |kind, at: Diagnostic| ErrorReport {
            kind,
            message: at.message,
            help: at.help,
            start: 0,
            end: 0,
            line: at.line,
            column: at.column,
        };
        let evaluation = match result {
            Ok(evaluation) => evaluation,
            Err(EvaluateError::Parse(error)) => return inside("parse", std::slice::from_ref(error)),
            Err(EvaluateError::Check(errors)) => return inside("check", errors),
            Err(EvaluateError::Binding(message)) => {
                let at = Diagnostic {
                    severity: Severity::Error,
                    path: String::new(),
                    line: 1,
                    column: 1,
                    end_column: 1,
                    message: message.clone(),
                    help: None,
                };
                return refused(vec![elsewhere("bindings", at)]);
            }
            Err(EvaluateError::Manifest(diagnostics)) => {
                return refused(diagnostics.iter().map(|at| elsewhere("manifest", at.clone())).collect());
            }
        };
        let report =
            EvaluationReport { type_name: Some(&evaluation.type_name), cost: Some(evaluation.cost), ..Default::default() };
        match &evaluation.outcome {
            Outcome::Value(value) => EvaluationReport { value: Some(value), ..report },
            Outcome::Unknown { span } => EvaluationReport { unknown: true, missing: expression.get(span.clone()), ..report },
            Outcome::Failed(error) => inside("evaluation", std::slice::from_ref(error)),
        }
    }
}
