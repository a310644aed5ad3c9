//! `idoine check`

use crate::zones::Bundled;
use crate::{Outcome, input};
use idoine::compile::{CheckReport, Compiled, Degree, check};
use idoine::expr::MAX_COST;
use idoine::learn::Rules;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// Print version, errors, warnings and degrees as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Exit with 1 when there are warnings
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let passed = |compiled: &Compiled| !args.strict || compiled.warnings.is_empty();
    let code = |passed: bool| if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if args.json {
        let checked = check(&input::manifest(&args.manifest)?, &Bundled);
        let report = CheckReport::new(&checked);
        input::print_line(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?)?;
        return Ok(code(checked.as_ref().is_ok_and(passed)));
    }
    let compiled = input::checked(&args.manifest, check)?;
    input::print_line(&summary(&compiled))?;
    Ok(code(passed(&compiled)))
}

fn summary(compiled: &Compiled) -> String {
    let Compiled { program, costs, warnings, degrees } = compiled;
    let found = match warnings.len() {
        0 => "no errors".to_owned(),
        number => format!("no errors, {}", input::count(number as u64, "warning")),
    };
    let experiences = input::count(degrees.len() as u64, "experience");
    let slots = input::count(program.slot_count() as u64, "slot");
    let mut text = format!("{found}: {experiences}, {slots}, version {}", program.version());
    if !degrees.is_empty() {
        let counted = Degree::ALL.map(|degree| (degree, degrees.iter().filter(|(_, found)| *found == degree).count()));
        let counted = counted.iter().filter(|(_, number)| *number > 0);
        let parts: Vec<String> = counted.map(|(degree, number)| format!("{number} {}", degree.words())).collect();
        text.push_str(&format!("\n{experiences}: {}", parts.join(", ")));
    }
    if let Some(learned) = Rules::from_bytes(program.rules_bytes()).and_then(|rules| learned(&rules)) {
        text.push_str(&format!("\nlearned of visitors: {learned}"));
    }
    if let Some((path, steps)) = costs.iter().max_by_key(|(_, steps)| *steps) {
        text.push_str(&format!("\nthe costliest expression is {path}: at most {steps} of {MAX_COST} steps"));
    }
    text
}

/// What is learned beside what goes without saying; `None` where that is nothing.
fn learned(rules: &Rules) -> Option<String> {
    let counted = [
        (rules.events.len(), "planned event"),
        (rules.counters.len(), "counter"),
        (rules.affinities.len(), "affinity"),
        (rules.intent.signals.len(), "intent"),
        (rules.propensities.len(), "propensity"),
        (rules.features.len(), "feature"),
        (rules.milestones.len(), "milestone"),
        (rules.webhooks.len(), "webhook"),
    ];
    let plural = |(number, what): (usize, &str)| match what.strip_suffix('y') {
        Some(stem) if number != 1 => format!("{number} {stem}ies"),
        _ => input::count(number as u64, what),
    };
    let mut parts: Vec<String> = counted.into_iter().filter(|(number, _)| *number > 0).map(plural).collect();
    parts.extend(rules.rfm.as_ref().map(|_| "RFM".to_owned()));
    let on_pages = rules.readings.iter().filter(|reading| reading.on_pages).count();
    if on_pages > 0 {
        parts.push(format!("{on_pages} read on pages"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
