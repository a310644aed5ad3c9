//! `idoine types`

use crate::zones::Bundled;
use crate::{Outcome, input};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// Where it goes (default standard output)
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let source = input::manifest(&args.manifest)?;
    let text = idoine::typescript::declaration(&source, &Bundled)
        .map_err(|errors| input::refused(&args.manifest, &source, &errors))?;
    let Some(path) = &args.output else { return input::print(&text) };
    std::fs::write(path, text).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
