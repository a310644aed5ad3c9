//! `idoine profile`: what is known of one visitor, and what the owner's teams note of them.

use crate::remote::{Live, Remote, To, encoded};
use crate::{Outcome, input, page};
use idoine::report::membership_text;
use idoine::{Context, Membership, Program, Truth, memberships};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Show all that is known of a visitor on one page, the audiences that they belong to, and why
    #[command(
        after_help = "Examples:\n  idoine profile show u:42 --to https://shop.example\n  idoine profile show a:0190b7c2f3e17a4c --to https://shop.example --json"
    )]
    Show(ShowArgs),
    /// Add a note that all of the owner's teams see
    #[command(
        after_help = "Example:\n  idoine profile note u:42 'Called: wants the blue one in size M' --to https://shop.example\n\nThe token needs the role publish."
    )]
    Note(NoteArgs),
    /// Show the notes, or take one away
    #[command(
        after_help = "Examples:\n  idoine profile notes u:42 --to https://shop.example\n  idoine profile notes u:42 --remove 0190b7c2f3e17a4c --to https://shop.example"
    )]
    Notes(NotesArgs),
    /// Put a tag on a profile, or take it off
    #[command(
        after_help = "Examples:\n  idoine profile tag u:42 press --to https://shop.example\n  idoine profile tag u:42 press --remove --to https://shop.example\n\nThe token needs the role publish."
    )]
    Tag(TagArgs),
    /// Erase all that is stored of a visitor, in all shards, sinks and exports
    #[command(
        after_help = "Examples:\n  idoine profile erase u:42 --to https://shop.example\n  idoine profile erase a:0190b7c2f3e17a4c --yes --to https://shop.example\n\nWith a user go all of their browsers. Nothing brings it back; what is printed is the receipt. The token needs the role publish."
    )]
    Erase(EraseArgs),
    /// Show what became of an erasure, or of a withdrawal
    #[command(
        after_help = "Example:\n  idoine profile receipt 0190b7c2-f3e1-7a4c-9d2e-5b6f7a8c9d0e --to https://shop.example\n\nA receipt says nothing of whose it was. It is kept for five years."
    )]
    Receipt(ReceiptArgs),
    /// Write all that is held of a visitor as JSON: for who asks what is known of them
    #[command(
        after_help = "Examples:\n  idoine profile export u:42 --to https://shop.example -o ada.json\n  idoine profile export a:0190b7c2f3e17a4c --to https://shop.example | jq .traits\n\nWho exported it is in the audit trail, and in the export itself."
    )]
    Export(ExportArgs),
    /// Show who of the owner's teams read or exported a profile
    #[command(after_help = "Example:\n  idoine profile accesses u:42 --to https://shop.example")]
    Accesses(ShowArgs),
}

/// Which profile, and where.
#[derive(clap::Args)]
struct Which {
    /// u:<userId>, or a:<anonymousId> of a browser
    #[arg(value_parser = key)]
    key: String,
    #[command(flatten)]
    to: To,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct NoteArgs {
    #[command(flatten)]
    which: Which,
    /// What is noted
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    text: String,
}

#[derive(clap::Args)]
struct NotesArgs {
    #[command(flatten)]
    which: Which,
    /// Take the note with this id away
    #[arg(long, value_name = "ID")]
    remove: Option<String>,
}

#[derive(clap::Args)]
struct TagArgs {
    #[command(flatten)]
    which: Which,
    /// The tag
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    tag: String,
    /// Take it off
    #[arg(long)]
    remove: bool,
}

#[derive(clap::Args)]
struct EraseArgs {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
struct ReceiptArgs {
    /// The receipt
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    id: String,
    #[command(flatten)]
    to: To,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct ExportArgs {
    /// u:<userId>, or a:<anonymousId> of a browser
    #[arg(value_parser = key)]
    key: String,
    #[command(flatten)]
    to: To,
    /// The file to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn key(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some(("u" | "a", id)) if !id.is_empty() => Ok(text.to_owned()),
        _ => Err("expected u:<userId> or a:<anonymousId>".to_owned()),
    }
}

impl Which {
    /// The address of the profile, or of something of it.
    fn path(&self, more: &[&str]) -> String {
        let mut path = format!("profile/{}", encoded(&self.key));
        for part in more {
            let _ = write!(path, "/{}", encoded(part));
        }
        path
    }

    /// Prints what was answered as it is, or a list of it for people.
    fn print(&self, answer: &Value, list: &str, none: &str) -> Outcome {
        if self.json {
            return input::print_line(&format!("{answer:#}"));
        }
        let rows = answer.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() { input::print_line(none) } else { input::print(&page::table(rows)) }
    }
}

/// Erases a profile, once that is confirmed.
fn erase(which: &Which, yes: bool) -> Outcome {
    let remote = which.to.open()?;
    let question = format!("Erase all that is stored of {}? Nothing brings it back.", which.key);
    if !yes && !input::agreed(&question, "add --yes to erase")? {
        return Ok(ExitCode::FAILURE);
    }
    let answer = remote.post(&format!("profiles/{}/erase", encoded(&which.key)), "application/json", b"{}")?;
    match answer.get("receipt").and_then(Value::as_str) {
        Some(receipt) if !which.json => input::print_line(&format!("is being erased wherever it is; the receipt is {receipt}")),
        _ => input::print_line(&format!("{answer:#}")),
    }
}

/// What became of an erasure.
fn receipt(ReceiptArgs { id, to, json }: &ReceiptArgs) -> Outcome {
    let answer = to.open()?.get(&format!("receipts/{}", encoded(id)))?;
    if *json {
        return input::print_line(&format!("{answer:#}"));
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let done = text("done").map_or_else(|| "not done everywhere yet".to_owned(), |at| format!("done everywhere {at}"));
    let said = |name: &str| text(name).unwrap_or_default();
    input::print_line(&format!("{}, asked for {}, {done}", said("what"), said("at")))
}

pub(crate) fn run(args: &Args) -> Outcome {
    match &args.what {
        What::Erase(EraseArgs { which, yes }) => erase(which, *yes),
        What::Show(args) => show(&args.which),
        What::Note(NoteArgs { which, text }) => {
            let body = json!({ "text": text }).to_string();
            let answer = which.to.open()?.post(&which.path(&["notes"]), "application/json", body.as_bytes())?;
            which.print(&answer, "notes", "no notes")
        }
        What::Notes(NotesArgs { which, remove }) => {
            let remote = which.to.open()?;
            let answer = match remove {
                Some(id) => remote.delete(&which.path(&["notes", id]))?,
                None => remote.get(&which.path(&["notes"]))?,
            };
            which.print(&answer, "notes", "no notes")
        }
        What::Tag(TagArgs { which, tag, remove }) => {
            let remote = which.to.open()?;
            let answer = match remove {
                true => remote.delete(&which.path(&["tags", tag]))?,
                false => remote.put(&which.path(&["tags"]), &json!({ "tags": [tag] }))?,
            };
            which.print(&answer, "tags", "no tags")
        }
        What::Receipt(args) => receipt(args),
        What::Export(args) => export(args),
        What::Accesses(ShowArgs { which }) => {
            let answer = which.to.open()?.get(&format!("profiles/{}/accesses", encoded(&which.key)))?;
            which.print(&answer, "accesses", "nobody read it")
        }
    }
}

/// All that is held, as one document. A file is there when all of it came.
fn export(ExportArgs { key, to, output }: &ExportArgs) -> Outcome {
    let path = format!("profiles/{}/export", encoded(key));
    let remote = to.open()?;
    let Some(file) = output else {
        return match write_held(&remote, &path, &mut std::io::stdout().lock()) {
            Err(Broken::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(why) => Err(why.of("the output")),
            Ok(()) => Ok(ExitCode::SUCCESS),
        };
    };
    let named = file.display().to_string();
    let part = file.with_extension("part");
    let written = File::create(&part).map_err(Broken::Output).and_then(|to| {
        let mut to = BufWriter::new(to);
        write_held(&remote, &path, &mut to)?;
        let bytes = to.get_ref().metadata().map_err(Broken::Output)?.len();
        std::fs::rename(&part, file).map_err(Broken::Output)?;
        Ok(bytes)
    });
    match written {
        Ok(bytes) => input::print_line(&format!("{} of {key} in {named}", input::count(bytes, "byte"))),
        Err(why) => {
            // It may never have been there.
            let _ = std::fs::remove_file(&part);
            Err(why.of(&named))
        }
    }
}

/// Why an export is not whole.
enum Broken {
    /// The site did not tell all of it.
    Site(String),
    /// It can't be written.
    Output(std::io::Error),
}

impl Broken {
    fn of(self, output: &str) -> String {
        match self {
            Broken::Site(why) => why,
            Broken::Output(error) => format!("{output} can't be written: {error}"),
        }
    }
}

/// Writes all that is held. The lines of the bucket come in pages, of which there may be more than fit into memory: they are written last, page by
/// page.
fn write_held(remote: &Remote, path: &str, to: &mut impl Write) -> Result<(), Broken> {
    let unlike = || Broken::Site("the answer is none of this version's Idoine Worker".to_owned());
    let mut progress = input::Progress::new();
    let mut page = remote.ask(path, &json!({})).map_err(Broken::Site)?;
    let first = page.as_object_mut().ok_or_else(unlike)?;
    let mut lines = first.shift_remove("exported").ok_or_else(unlike)?;
    let mut next = first.shift_remove("next").ok_or_else(unlike)?;
    let head = page.to_string();
    let head = head.strip_suffix('}').ok_or_else(unlike)?;
    write!(to, "{head},\n\"exported\":[").map_err(Broken::Output)?;
    let mut written = 0;
    loop {
        for line in lines.as_array().ok_or_else(unlike)? {
            write!(to, "{}\n{line}", if written == 0 { "" } else { "," }).map_err(Broken::Output)?;
            written += 1;
        }
        let Some(after) = next.as_str() else { break };
        progress.at(written, "event");
        let mut page = remote.ask(path, &json!({ "after": after })).map_err(Broken::Site)?;
        lines = page.get_mut("exported").ok_or_else(unlike)?.take();
        next = page.get_mut("next").ok_or_else(unlike)?.take();
    }
    writeln!(to, "]}}").and_then(|()| to.flush()).map_err(Broken::Output)
}

/// The page of facts. The audiences are worked out here, by the live program: so each is told with its reason.
fn show(which: &Which) -> Outcome {
    let remote = which.to.open()?;
    let mut facts = remote.get(&which.path(&[]))?;
    let state = remote.state()?;
    let live = remote.live(&state)?;
    let program = match &live {
        Live::Program(program) => Some(&**program),
        Live::Nothing => None,
        Live::Unreadable(why) => {
            eprintln!("why the profile is in its audiences can't be told: {why}");
            None
        }
    };
    let readings = facts.as_object_mut().and_then(|facts| facts.remove("readings"));
    let context =
        program.map(|program| Context::of_profile(program, &pairs(readings.as_ref()), jiff::Timestamp::now().as_millisecond()));
    let found = match (program, &context) {
        (Some(program), Some(context)) => memberships(program, context),
        _ => Vec::new(),
    };
    if which.json {
        let audiences: Vec<_> = found
            .iter()
            .map(|one| json!({ "audience": one.audience, "member": one.clause.value, "why": one.clause }))
            .collect();
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("readings".to_owned(), readings.unwrap_or_default());
            facts.insert("audiences".to_owned(), audiences.into());
        }
        return input::print_line(&format!("{facts:#}"));
    }
    let mut text = page::of(&facts);
    text.push_str(&audiences_text(program, &found));
    input::print(&text)
}

/// Paths and values of the program's fields, as texts.
fn pairs(readings: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let readings = readings.and_then(Value::as_object).into_iter().flatten();
    readings.map(|(path, value)| (path.clone(), text(value))).collect()
}

/// The audiences that somebody is in, then those that a request decides, and the others, each with why.
fn audiences_text(program: Option<&Program>, found: &[Membership<'_>]) -> String {
    let mut text = String::new();
    for (title, truth) in [
        ("In these audiences", Truth::True),
        ("In these audiences or not, as a request or a value that is missing would tell", Truth::Unknown),
        ("In none of these", Truth::False),
    ] {
        let these = found.iter().filter(|one| one.clause.value == truth).collect::<Vec<_>>();
        if these.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for one in these {
            let _ = writeln!(text, "  {}", one.audience);
            for line in membership_text(one).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    if program.is_some() && found.is_empty() {
        text.push_str("\nThe manifest names no audiences\n");
    }
    text
}
