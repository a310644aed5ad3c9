//! `idoine replay`

mod markdown;
mod text;
mod words;

use crate::visitors::{self, Wrong};
use crate::{Outcome, input, zones};
use idoine::Receipt;
use idoine::log::{Logged, LoggedDecision};
use idoine::replay::Replay;
use idoine::time::{Moment, parse_moment};
use idoine::visitor::Visitor;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest as it is, or its program
    old: PathBuf,
    /// The manifest as it is to be, or its program
    new: PathBuf,
    /// The visitors, one JSON object per line, or lines of `idoine decide --log`; - for standard input
    #[arg(long, value_name = "FILE")]
    visitors: PathBuf,
    /// The instant of visitors without one, such as 2026-11-20T12:30:00Z; the clock's where it is not given
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    now: Option<i64>,
    /// Visitors shown with each change
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    examples: usize,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown, for a pull request
    #[arg(long)]
    markdown: bool,
    /// Exit with 1 when something changes
    #[arg(long)]
    exit_code: bool,
}

/// Bad lines that are named; the others are counted.
const MOST_NAMED: u64 = 10;

fn instant(text: &str) -> Result<i64, String> {
    match parse_moment(text) {
        Some(Moment::Instant(ms)) => Ok(ms),
        _ => Err("expected an instant with its zone, such as 2026-11-20T12:30:00Z".to_owned()),
    }
}

/// A logged line. It may hold more, which is not looked at.
#[derive(serde::Deserialize)]
struct Line {
    visitor: Option<Visitor>,
    receipt: Option<Receipt>,
    decisions: Option<Vec<LoggedDecision>>,
}

/// A visitor; with what was decided for them, where the line tells that.
fn parse(line: &[u8]) -> Result<(Visitor, Option<Logged>), Wrong> {
    // A list is no logged line, though serde would take its items for what the line has.
    if line.trim_ascii_start().starts_with(b"{") {
        let Line { visitor, receipt, decisions } = visitors::parse(line)?;
        if let Some(visitor) = visitor {
            return Ok((visitors::check(visitor)?, receipt.map(|receipt| Logged { receipt, decisions })));
        }
    }
    Ok((visitors::check(visitors::parse(line)?)?, None))
}

pub(crate) fn run(args: &Args) -> Outcome {
    let paths = [&args.old, &args.new, &args.visitors];
    if paths.iter().filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        return Err("standard input is one file: only one of the three can be -".to_owned());
    }
    let (old, new) = (input::program_or_manifest(&args.old)?, input::program_or_manifest(&args.new)?);
    let mut replay = Replay::new(&old, &new, args.examples);
    let visitors = args.visitors.display();
    let unread = |error: std::io::Error| format!("{visitors} can't be read: {error}");
    let mut input: Box<dyn BufRead> = if args.visitors == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin().lock()))
    } else {
        Box::new(BufReader::new(std::fs::File::open(&args.visitors).map_err(unread)?))
    };
    let now = args.now.unwrap_or_else(|| jiff::Timestamp::now().as_millisecond());
    let (mut read, mut wrong, mut progress) = (0u64, 0u64, input::Progress::new());
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(unread)? == 0 {
            break;
        }
        let Some(json) = visitors::json(&line, number) else { continue };
        match parse(json) {
            Ok((visitor, logged)) => {
                replay.visitor(number, &visitor.request(now, zones::offsets), logged.as_ref());
                read += 1;
            }
            Err(error) => {
                wrong += 1;
                replay.unread();
                if wrong <= MOST_NAMED {
                    eprintln!("error: {}", error.at(number));
                }
            }
        }
        progress.step();
    }
    if wrong > MOST_NAMED {
        eprintln!("error: and {} more lines", wrong - MOST_NAMED);
    }
    if read == 0 {
        return Err(format!("{visitors} holds no visitor"));
    }
    let summary = replay.finish();
    let names = [&args.old, &args.new].map(|path| path.display().to_string());
    let report = match (args.json, args.markdown) {
        (true, _) => serde_json::to_string_pretty(&summary).map_err(|error| error.to_string())?,
        (_, true) => markdown::render(names, &summary),
        _ => text::render(names, &summary),
    };
    input::print_line(report.trim_end())?;
    Ok(if args.exit_code && summary.is_changed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
