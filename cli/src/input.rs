//! Reading what commands are given, and printing without dying of a closed pipe.

use crate::Outcome;
use crate::zones::Bundled;
use idoine::compile::{Compiled, Zones, compile};
use idoine::diagnostic::Diagnostic;
use idoine::{LoadError, Program};
use std::io::{BufRead, ErrorKind, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// More than any manifest or visitor has: a wrong file is refused before it fills the memory.
const MAX_BYTES: u64 = 64 << 20;

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    text(path, bytes(path)?)
}

/// The text of a manifest.
pub(crate) fn manifest(path: &Path) -> Result<String, String> {
    let bytes = bytes(path)?;
    if matches!(Program::load(bytes.clone()), Err(LoadError::NotAProgram | LoadError::TooLarge)) {
        return text(path, bytes);
    }
    Err(format!("{} is a compiled program; expected the manifest that it was compiled from", path.display()))
}

/// Some editors begin a file with a byte order mark, which is none of its text.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, String> {
    let name = path.display();
    let text =
        String::from_utf8(bytes).map_err(|error| format!("{name} is not UTF-8 (byte {})", error.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("{name} can't be read: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{name} is larger than {} MiB", MAX_BYTES >> 20));
    }
    Ok(bytes)
}

/// The program in a file: one that is compiled already, or a manifest's.
pub(crate) fn program_or_manifest(path: &Path) -> Result<Program, String> {
    let bytes = bytes(path)?;
    match Program::load(bytes.clone()) {
        Ok(program) => Ok(program),
        Err(LoadError::NotAProgram) => compiled(path, &text(path, bytes)?),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Compiles the manifest in a file. When it is refused, every error goes to stderr and the message sums up.
pub(crate) fn program(path: &Path) -> Result<Program, String> {
    compiled(path, &manifest(path)?)
}

fn compiled(path: &Path, source: &str) -> Result<Program, String> {
    compile(source, &Bundled).map_err(|errors| refused(path, source, &errors))
}

/// How a manifest is compiled with all that an author may want to know.
type Compile = fn(&str, &dyn Zones) -> Result<Compiled, Vec<Diagnostic>>;

/// As [`program`], with all that an author may want to know. Warnings go to stderr.
pub(crate) fn checked(path: &Path, compile: Compile) -> Result<Compiled, String> {
    let source = manifest(path)?;
    let compiled = compile(&source, &Bundled).map_err(|errors| refused(path, &source, &errors))?;
    show(path, &source, &compiled.warnings);
    Ok(compiled)
}

/// Prints what is wrong with a manifest to stderr; the message sums up.
pub(crate) fn refused(path: &Path, source: &str, errors: &[Diagnostic]) -> String {
    show(path, source, errors);
    format!("{} in {}", count(errors.len() as u64, "error"), path.display())
}

/// Prints what was found to stderr, each at its place.
fn show(path: &Path, source: &str, found: &[Diagnostic]) {
    for diagnostic in found {
        eprintln!("{}", diagnostic.render(&path.display().to_string(), source));
    }
}

/// A number of things: `1 visitor`, `2 visitors`.
pub(crate) fn count(number: u64, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// Prints a line. A reader that has gone away, such as `head`, is no error.
pub(crate) fn print_line(text: &str) -> Outcome {
    print(&format!("{text}\n"))
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) -> Outcome {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("the output can't be written: {error}")),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Lines between two looks at the clock.
const PROGRESS_EVERY: u64 = 10_000;

/// How far a long run is, told to a person every two seconds.
pub(crate) struct Progress {
    done: u64,
    told: jiff::Timestamp,
    to_a_person: bool,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress { done: 0, told: jiff::Timestamp::now(), to_a_person: std::io::stderr().is_terminal() }
    }

    /// One more visitor is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(PROGRESS_EVERY) {
            self.at(self.done, "visitor");
        }
    }

    /// So many things are done: for runs of which each step takes a while.
    pub(crate) fn at(&mut self, done: u64, of: &str) {
        let now = jiff::Timestamp::now();
        if self.to_a_person && self.told.duration_until(now).as_secs() >= 2 {
            self.told = now;
            eprintln!("{}", count(done, of));
        }
    }
}

/// Whether the person at the terminal agrees to a question; where there is nobody, what to do instead.
pub(crate) fn agreed(question: &str, otherwise: &str) -> Result<bool, String> {
    let (mut err, input) = (std::io::stderr(), std::io::stdin());
    if !input.is_terminal() {
        return Err(format!("nobody can be asked here: {otherwise}"));
    }
    let _ = write!(err, "{question} [y/N] ");
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(|error| format!("standard input can't be read: {error}"))?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
