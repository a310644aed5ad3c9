//! `idoine decide`

use crate::{Outcome, input, zones};
use idoine::report::{ContextReport, DecisionReport, EditReport, decisions, edits};
use idoine::visitor::Visitor;
use idoine::{Context, Program};
use serde::Serialize;
use std::io::{BufRead, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest
    manifest: PathBuf,
    /// Add the derived context to each line
    #[arg(long)]
    context: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ContextReport<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ignored: &'a [(String, String)],
    decisions: Vec<DecisionReport<'a>>,
    edits: Vec<EditReport<'a>>,
}

/// Lines between two looks at the clock for the progress shown to a person.
const PROGRESS_EVERY: u64 = 10_000;

pub(crate) fn run(args: &Args) -> Outcome {
    let program = input::program(&args.manifest)?;
    let now = jiff::Timestamp::now();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let show_progress = std::io::stderr().is_terminal();
    let (mut done, mut wrong, mut shown) = (0u64, 0u64, now);
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
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Visitor>(&line) {
            Ok(visitor) => decide(&program, &visitor, now.as_millisecond(), args.context)?,
            Err(error) => {
                wrong += 1;
                eprintln!("error: line {number}: {error}");
                // One line out for each line in: the reader's count stays right.
                serde_json::json!({ "error": error.to_string() }).to_string()
            }
        };
        match writeln!(out, "{answer}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            written => written.map_err(|error| format!("the output can't be written: {error}"))?,
        }
        done += 1;
        if show_progress && done.is_multiple_of(PROGRESS_EVERY) && shown.duration_until(jiff::Timestamp::now()).as_secs() >= 2 {
            shown = jiff::Timestamp::now();
            eprintln!("{done} visitors");
        }
    }
    out.flush().map_err(|error| format!("the output can't be written: {error}"))?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn decide(program: &Program, visitor: &Visitor, now: i64, with_context: bool) -> Result<String, String> {
    let context = Context::derive(program, &visitor.request(now, zones::offsets));
    let decided = idoine::decide(program, &context);
    let page_edits = idoine::edits(program, &context, &decided);
    let line = Line {
        context: with_context.then_some(ContextReport(program, &context)),
        ignored: &context.ignored,
        decisions: decisions(program, &decided),
        edits: edits(program, &page_edits),
    };
    serde_json::to_string(&line).map_err(|error| error.to_string())
}
