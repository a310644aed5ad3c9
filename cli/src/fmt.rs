//! `idoine fmt`

use crate::{Outcome, input};
use idoine::manifest::format;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifests, or - to format standard input to standard output
    #[arg(required = true)]
    manifests: Vec<PathBuf>,
    /// Write nothing; list the manifests that are not formatted, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut code = ExitCode::SUCCESS;
    for path in &args.manifests {
        // One bad manifest keeps none of the others from being formatted.
        match one(path, args.check) {
            Ok(true) => {}
            Ok(false) => code = ExitCode::FAILURE,
            Err(message) => {
                eprintln!("{message}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// Formats one manifest; `false` when it should have been formatted before.
fn one(path: &Path, check: bool) -> Result<bool, String> {
    let source = input::manifest(path).map_err(|message| format!("error: {message}"))?;
    let name = path.display();
    let formatted = format(&source).map_err(|diagnostics| {
        let rendered: String = diagnostics.iter().map(|diagnostic| diagnostic.render(&name.to_string(), &source)).collect();
        format!("{rendered}error: {name} is left as it was")
    })?;
    if check {
        if formatted != source {
            input::print_line(&name.to_string())?;
        }
        return Ok(formatted == source);
    }
    if path == Path::new("-") {
        input::print(&formatted)?;
    } else if formatted != source {
        replace(path, &formatted).map_err(|error| format!("error: {name} can't be written: {error}"))?;
        input::print_line(&name.to_string())?;
    }
    Ok(true)
}

/// Puts a new text in a file's place at once: whoever reads it meanwhile, and whoever pulls the plug, finds the old or the new.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A link stays one.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)
    };
    written().inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}
