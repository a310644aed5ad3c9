//! `idoine compile`

use crate::{Outcome, input};
use idoine::compile::{Compiled, check, compile_for_browsers};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// Compile the program for browsers, which anybody may read: without drafts and what nobody else uses
    #[arg(long)]
    browser: bool,
    /// Where the program goes
    #[arg(short, long)]
    output: PathBuf,
    /// Print site, version and sizes as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let compile = if args.browser { compile_for_browsers } else { check };
    let Compiled { program, .. } = input::checked(&args.manifest, compile)?;
    let output = args.output.display();
    std::fs::write(&args.output, program.bytes()).map_err(|error| format!("{output} can't be written: {error}"))?;
    let (bytes, experiences, slots) = (program.bytes().len(), program.experience_count(), program.slot_count());
    let version = program.version();
    input::print_line(&if args.json {
        let site = program.site_id();
        serde_json::json!({ "site": site, "version": version, "bytes": bytes, "experiences": experiences, "slots": slots })
            .to_string()
    } else {
        format!("{output}: version {version}, {bytes} bytes, {experiences} experiences, {slots} slots")
    })
}
