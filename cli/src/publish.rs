//! `idoine publish`, `idoine rollback`, `idoine cancel`, `idoine versions`

use crate::remote::{Live, Remote, State, To, read};
use crate::{Outcome, input};
use idoine::diff::Diff;
use idoine::time::{Moment, parse_moment};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// The largest value that KV takes.
const MAX_BYTES: usize = 25 << 20;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or its compiled program
    source: PathBuf,
    #[command(flatten)]
    to: To,
    /// Publish at an instant instead of now, such as 2026-11-27T00:00:00+01:00
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<String>,
    /// Publish only if this version is live (default: the one that the difference is shown to)
    #[arg(long, value_name = "VERSION", value_parser = version)]
    if_live: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask first
    #[arg(long)]
    yes: bool,
    /// Print the difference and the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct RollbackArgs {
    /// The version to go back to (default: the one that was live before)
    #[arg(value_parser = version)]
    version: Option<String>,
    #[command(flatten)]
    to: To,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct CancelArgs {
    /// The scheduled version
    #[arg(value_parser = version)]
    version: String,
    #[command(flatten)]
    to: To,
}

#[derive(clap::Args)]
pub(crate) struct VersionsArgs {
    #[command(flatten)]
    to: To,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

fn version(text: &str) -> Result<String, String> {
    let is_version = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_version { Ok(text.to_owned()) } else { Err("expected 16 hex digits, as `idoine versions` prints them".to_owned()) }
}

/// An instant with its zone, in UTC as the API takes it.
fn instant(text: &str) -> Result<String, String> {
    let Some(Moment::Instant(ms)) = parse_moment(text) else {
        return Err("expected an instant with its zone, such as 2026-11-27T00:00:00+01:00".to_owned());
    };
    jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Args) -> Outcome {
    let program = input::program_or_manifest(&args.source)?;
    if program.bytes().len() > MAX_BYTES {
        return Err(format!("the program has {} bytes; a Worker's store takes at most {MAX_BYTES}", program.bytes().len()));
    }
    let remote = args.to.open()?;
    let version = program.version();
    let state = remote.state()?;
    if program.site_id() != state.site {
        let (own, theirs) = (program.site_id(), &state.site);
        return Err(format!("this is the site `{own}`, and {} is the site `{theirs}`: check site.id and --to", remote.base()));
    }
    let diff = match remote.live(&state)? {
        Live::Program(live) => Ok(Diff::of(&live, &program)),
        Live::Nothing => Err(format!(
            "nothing is live yet; this has {} and {}",
            input::count(program.experience_count() as u64, "experience"),
            input::count(program.slot_count() as u64, "slot")
        )),
        Live::Unreadable(why) => Err(format!("what is live can't be compared: {why}")),
    };
    if !args.json {
        let live = state.live.as_deref().unwrap_or("nothing");
        input::print_line(&format!("{}: {live} -> {version}", state.site))?;
        input::print(&diff.as_ref().map_or_else(|none| format!("{none}\n"), Diff::text))?;
    }
    let diff = diff.ok();
    let is_live = state.live.as_deref() == Some(version.as_str());
    if is_live && args.at.is_none() && !args.dry_run {
        let done = done(&state, &version, diff.as_ref(), args, false, None);
        return if args.json { print(&done) } else { input::print_line(&format!("{version} is live already")) };
    }
    if !args.dry_run && !args.yes && !agreed(&args.at)? {
        return Err("nothing was published".to_owned());
    }
    let mut query = vec![];
    // What was compared with, so that nobody else's version is replaced unseen.
    query.extend(args.if_live.as_ref().or(state.live.as_ref()).map(|live| format!("if-live={live}")));
    query.extend(args.at.as_ref().map(|at| format!("at={at}")));
    query.extend(args.dry_run.then(|| "dry-run=1".to_owned()));
    let answer = remote.post(&format!("program?{}", query.join("&")), "application/octet-stream", program.bytes())?;
    let after: State = read(answer)?;
    let waits = args.at.is_none() && !args.dry_run;
    let taken = waits.then(|| remote.wait_for(&version));
    if args.json {
        print(&done(&after, &version, diff.as_ref(), args, !args.dry_run, taken))?;
    } else if args.dry_run {
        input::print_line("nothing was changed: this was a dry run")?;
    } else if let Some(at) = &args.at {
        input::print_line(&format!("{version} is going to be live at {at}"))?;
    } else if taken == Some(true) {
        input::print_line(&format!("{version} is live"))?;
    }
    outcome(&remote, &version, taken)
}

fn done(state: &State, version: &str, diff: Option<&Diff>, args: &Args, published: bool, taken: Option<bool>) -> Value {
    json!({
        "site": state.site,
        "version": version,
        "live": state.live,
        "previous": state.previous,
        "scheduled": scheduled(state),
        "diff": diff,
        "published": published,
        "at": args.at,
        "taken": taken,
    })
}

fn scheduled(state: &State) -> Vec<Value> {
    state.scheduled.iter().map(|one| json!({ "at": one.at, "version": one.version })).collect()
}

fn print(value: &Value) -> Outcome {
    input::print_line(&format!("{value:#}"))
}

/// Whether the person at the terminal agrees.
fn agreed(at: &Option<String>) -> Result<bool, String> {
    let when = at.as_ref().map_or(String::new(), |at| format!(" at {at}"));
    input::agreed(&format!("Publish{when}?"), "add --yes to publish, or --dry-run to look")
}

/// How a command ends that waited for a version.
fn outcome(remote: &Remote, version: &str, taken: Option<bool>) -> Outcome {
    if taken == Some(false) {
        return Err(format!(
            "{version} is published, but {} did not decide with it within a minute: look again, and at the Worker's log",
            remote.base()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn rollback(args: &RollbackArgs) -> Outcome {
    let remote = args.to.open()?;
    #[derive(Deserialize)]
    struct Done {
        version: String,
    }
    let asked = args.version.as_ref().map_or_else(|| json!({}), |version| json!({ "version": version }));
    let answer = remote.post("rollback", "application/json", asked.to_string().as_bytes())?;
    let Done { version } = read(answer.clone())?;
    let after: State = read(answer)?;
    let taken = remote.wait_for(&version);
    if args.json {
        let (previous, scheduled) = (&after.previous, scheduled(&after));
        let done = json!({ "site": after.site, "version": version, "live": after.live, "previous": previous, "scheduled": scheduled, "taken": taken });
        print(&done)?;
    } else if taken {
        input::print_line(&format!("{version} is live; before it was {}", after.previous.as_deref().unwrap_or("nothing")))?;
    }
    for one in after.scheduled.iter().filter(|_| !args.json) {
        input::print_line(&format!("still scheduled: {} at {}", one.version, one.at))?;
    }
    outcome(&remote, &version, Some(taken))
}

pub(crate) fn cancel(args: &CancelArgs) -> Outcome {
    let remote = args.to.open()?;
    remote.delete(&format!("program?scheduled={}", args.version))?;
    input::print_line(&format!("{} is not going to be published", args.version))
}

pub(crate) fn versions(args: &VersionsArgs) -> Outcome {
    #[derive(Deserialize)]
    struct Listed {
        versions: Vec<Version>,
        more: bool,
    }
    #[derive(Deserialize)]
    struct Version {
        version: String,
        at: Option<String>,
        by: Option<String>,
        bytes: Option<u64>,
    }
    let answer = args.to.open()?.get("program")?;
    if args.json {
        return print(&answer);
    }
    let state: State = read(answer.clone())?;
    let Listed { versions, more } = read(answer)?;
    let mut lines = vec![format!("{:16}  {:20}  {:>9}  by", "version", "published", "bytes")];
    for one in &versions {
        let mut notes = Vec::new();
        notes.extend((state.live.as_ref() == Some(&one.version)).then(|| "live".to_owned()));
        notes.extend((state.previous.as_ref() == Some(&one.version)).then(|| "before".to_owned()));
        let due = state.scheduled.iter().filter(|scheduled| scheduled.version == one.version);
        notes.extend(due.map(|scheduled| format!("from {}", scheduled.at)));
        let or_unknown = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
        let at: String = or_unknown(&one.at).chars().take(19).collect();
        let size = one.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        let line = format!("{:16}  {at:20}  {size:>9}  {:12}  {}", one.version, or_unknown(&one.by), notes.join(", "));
        lines.push(line.trim_end().to_owned());
    }
    if more {
        lines.push("and older ones".to_owned());
    }
    if versions.is_empty() {
        lines = vec!["nothing is published".to_owned()];
    }
    input::print_line(&lines.join("\n"))
}
