//! `idoine notice`

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
    let program = input::program(&args.manifest)?;
    let Some(path) = &args.output else { return input::print_line(program.notice()) };
    let text = format!("{}\n", program.notice());
    std::fs::write(path, text).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
