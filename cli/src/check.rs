//! `idoine check`

use crate::zones::Bundled;
use crate::{Outcome, input};
use idoine::compile::compile;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// Print the errors as a JSON list on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    if !args.json {
        let program = input::program(&args.manifest)?;
        let (experiences, slots) = (program.experience_count(), program.slot_count());
        return input::print_line(&format!(
            "no errors: {experiences} experiences, {slots} slots, version {}",
            program.version()
        ));
    }
    let diagnostics = compile(&input::read(&args.manifest)?, &Bundled).err().unwrap_or_default();
    let text = serde_json::to_string_pretty(&diagnostics).map_err(|error| error.to_string())?;
    input::print_line(&text)?;
    Ok(if diagnostics.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
