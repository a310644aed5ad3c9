//! `idoine decide`

use crate::{Outcome, input, visitors, zones};
use idoine::log::{LoggedVisitor, logged};
use idoine::report::{ContextReport, DecisionReport, EditReport, decisions, edits};
use idoine::visitor::Visitor;
use idoine::{Context, Program, Receipt};
use serde::Serialize;
use std::io::{BufRead, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest
    manifest: PathBuf,
    /// Add the derived context to each line
    #[arg(long)]
    context: bool,
    /// Print what `idoine replay` reads instead: a visitor who brings along all that is known of them, the receipt, the decisions
    #[arg(long, conflicts_with = "context")]
    log: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ContextReport<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ignored: &'a [(String, String)],
    decisions: Vec<DecisionReport<'a>>,
    edits: Vec<EditReport<'a>>,
    receipt: Receipt,
}

#[derive(Serialize)]
struct LogLine<'a> {
    visitor: LoggedVisitor,
    receipt: Receipt,
    decisions: Vec<DecisionReport<'a>>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let program = input::program(&args.manifest)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut wrong, mut progress) = (0u64, input::Progress::new());
    let mut input = std::io::BufReader::new(std::io::stdin().lock());
    let mut line = Vec::new();
    for number in 1u64.. {
        // Whoever writes a line and waits for its answer gets it.
        if !input.buffer().contains(&b'\n') {
            out.flush().map_err(|error| format!("the output can't be written: {error}"))?;
        }
        line.clear();
        let read = input.read_until(b'\n', &mut line).map_err(|error| format!("standard input can't be read: {error}"))?;
        if read == 0 {
            break;
        }
        let Some(json) = visitors::json(&line, number) else { continue };
        let answer = match visitors::parse(json).and_then(visitors::check) {
            Ok(visitor) => decide(&program, &visitor, now, args)?,
            Err(error) => {
                wrong += 1;
                eprintln!("error: {}", error.at(number));
                // One line out for each line in: the reader's count stays right.
                serde_json::json!({ "error": error.to_string() }).to_string()
            }
        };
        match writeln!(out, "{answer}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            written => written.map_err(|error| format!("the output can't be written: {error}"))?,
        }
        progress.step();
    }
    out.flush().map_err(|error| format!("the output can't be written: {error}"))?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn decide(program: &Program, visitor: &Visitor, now: i64, args: &Args) -> Result<String, String> {
    let context = Context::derive(program, &visitor.request(now, zones::offsets));
    let decided = idoine::decide(program, &context);
    let receipt = Receipt::of(program, &context);
    if args.log {
        let line = LogLine { visitor: logged(program, &context), receipt, decisions: decisions(program, &decided) };
        return serde_json::to_string(&line).map_err(|error| error.to_string());
    }
    let page_edits = idoine::edits(program, &context, &decided);
    let line = Line {
        context: args.context.then_some(ContextReport(program, &context)),
        ignored: &context.ignored,
        decisions: decisions(program, &decided),
        edits: edits(program, &page_edits),
        receipt,
    };
    serde_json::to_string(&line).map_err(|error| error.to_string())
}
