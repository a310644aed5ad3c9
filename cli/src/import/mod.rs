//! `idoine import events`, `idoine import traits`: what a site knows already, from files of its other systems.

mod event;
mod ledger;
mod rows;
mod send;
mod values;

use crate::remote::{Live, Remote, To};
use crate::{Outcome, input, zones};
use event::{Mapping, Rename, Subject, Wrong};
use idoine::consent::Purpose;
use idoine::learn::Rules;
use ledger::{Counts, Ledger, Rejects, beside, digest};
use rows::{Content, Format, Place, Rows};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use values::Kinds;

/// The most rows in one request.
const MOST_ROWS: u32 = 1000;

/// A request has no more bytes, but for its last row.
const MOST_BYTES: usize = 1 << 20;

/// So many wrong rows are told on stderr; all of them are in the file of rejected rows.
const MOST_TOLD: u64 = 100;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Send past orders, store visits, calls: each row an event
    #[command(
        after_help = "Examples:\n  idoine import events orders.csv --to https://shop.example --event 'Order Completed' --map customer=userId --map date=timestamp --map order=rowId --map total=properties.revenue\n  idoine import events calls.ndjson --to https://shop.example --source telephone\n  idoine import events orders.csv --dry-run --event 'Order Completed' | head\n\nColumns are named userId, anonymousId, event, timestamp, type, name, groupId, messageId, rowId, or by a path such as properties.revenue,\nproperties.products.0.price, traits.plan or context.page.url; --map names those that are called otherwise.\nThe token is read from the variable IDOINE_TOKEN; it needs the role publish.\n\nExit codes: 0 all rows are taken, 1 something is wrong or some rows are, 2 wrong usage."
    )]
    Events(EventsArgs),
    /// Send what a CRM or CDP knows of users: each row a user, each column a trait
    #[command(
        after_help = "Example:\n  idoine import traits crm.csv --to https://shop.example --source crm --map customer_id=userId --map internal_note=\n\nThe source's name stands beside each value, and is what the manifest's `sources` of a trait list (as import:crm).\nThe token is read from the variable IDOINE_TOKEN; it needs the role publish.\n\nExit codes: 0 all rows are taken, 1 something is wrong or some rows are, 2 wrong usage."
    )]
    Traits(TraitsArgs),
}

#[derive(clap::Args)]
struct EventsArgs {
    #[command(flatten)]
    common: Common,
    /// The event of rows that do not name theirs
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
}

#[derive(clap::Args)]
struct TraitsArgs {
    #[command(flatten)]
    common: Common,
    /// Since when the values are known, of rows without a timestamp (default: now)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<i64>,
}

#[derive(clap::Args)]
struct Common {
    /// The file; how far its import is stands in FILE.progress, rows that are wrong in FILE.rejected
    file: PathBuf,
    /// The site, such as https://shop.example; its Worker knows the token in the variable IDOINE_TOKEN
    #[arg(long, value_name = "URL", value_parser = crate::remote::base, required_unless_present = "dry_run")]
    to: Option<String>,
    /// Where the rows come from, such as erp (default: the file's name)
    #[arg(long, value_name = "NAME", value_parser = source)]
    source: Option<String>,
    /// How the file says its rows (default: by its name)
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What a column is, such as total=properties.revenue; nothing behind the = leaves it out
    #[arg(long, value_name = "COLUMN=PATH", value_parser = event::rename)]
    map: Vec<Rename>,
    /// What the people of these rows agreed to, by whatever basis the site's owner has
    #[arg(long, value_name = "PURPOSES", default_value = "analytics+personalization", value_parser = purposes)]
    purposes: String,
    /// The time zone of times that name none
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    zone: String,
    /// Rows in one request
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_ROWS)))]
    batch: u32,
    /// Print the events instead of sending them
    #[arg(long)]
    dry_run: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

fn source(text: &str) -> Result<String, String> {
    let is_name = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if is_name { Ok(text.to_owned()) } else { Err("expected 1 to 64 letters, digits, `-`, `_` or `.`".to_owned()) }
}

fn purposes(text: &str) -> Result<String, String> {
    let known = |name: &str| Purpose::ALL.iter().any(|purpose| purpose.name() == name);
    let names: Vec<&str> = text.split(['+', ',']).map(str::trim).collect();
    match names.iter().find(|name| !known(name)) {
        None => Ok(names.join("+")),
        Some(name) => Err(format!("expected analytics, personalization, marketing, with + between, found `{name}`")),
    }
}

fn zone(text: &str) -> Result<String, String> {
    zones::zone(text).map(|_| text.to_owned()).ok_or_else(|| "expected a time zone such as Europe/Paris".to_owned())
}

fn instant(text: &str) -> Result<i64, String> {
    let now = jiff::Timestamp::now().as_millisecond();
    let found = values::instant(text, &jiff::tz::TimeZone::UTC).ok_or_else(|| format!("expected {}", values::INSTANT))?;
    if (0..=now).contains(&found) { Ok(found) } else { Err("expected a time in the past".to_owned()) }
}

pub(crate) fn run(args: &Args) -> Outcome {
    match &args.what {
        What::Events(args) => import(&args.common, "events", |_| Subject::Events { event: args.event.clone() }),
        What::Traits(args) => import(&args.common, "traits", |begun| Subject::Traits { at: args.at.unwrap_or(begun) }),
    }
}

fn import(args: &Common, what: &str, subject: impl Fn(i64) -> Subject) -> Outcome {
    let now = jiff::Timestamp::now().as_millisecond();
    // Rows that were mended are of the file that they were in.
    let named = if args.file.extension().is_some_and(|end| end == "rejected") {
        args.file.with_extension("")
    } else {
        args.file.clone()
    };
    let format = args.format.map_or_else(|| Format::of(&named), Ok)?;
    let source = args.source.clone().map_or_else(|| source_of(&named), Ok)?;
    let zone = zones::zone(&args.zone).ok_or("the time zone is not known")?;
    let (bytes, sha256) = digest(&args.file)?;
    let remote = match &args.to {
        Some(base) if !args.dry_run => Some(To::at(base).open()?),
        _ => None,
    };
    let kinds = remote.as_ref().map_or_else(|| Ok(Kinds::default()), kinds)?;
    let fresh = Ledger {
        bytes,
        sha256,
        options: options(args, what, &source, &subject(0), format),
        begun: now,
        place: None,
        counts: Counts::default(),
        rejected_bytes: 0,
        done: None,
    };
    let progress = beside(&args.file, ".progress");
    let left = if args.dry_run { None } else { Ledger::read(&progress)? };
    let ledger = going_on(left, fresh, &progress, args)?;
    let resumed = ledger.place;
    let mut rows = Rows::open(&args.file, format, ledger.place)?;
    let mapping = Mapping::new(subject(ledger.begun), &source, zone, kinds, rows.header(), &args.map, now)?;
    let mut run = Run {
        args,
        path: format!("import?source={source}&purposes={}", args.purposes.replace('+', "%2B")),
        errors: Vec::new(),
        told: 0,
        begun: jiff::Timestamp::now(),
        shown: jiff::Timestamp::now(),
        first: ledger.place.map_or(0, |place| place.rows),
        ledger,
        progress,
    };
    let is_over = match &remote {
        Some(_) if run.ledger.done.is_some() => {
            if !args.json {
                eprintln!("{} is imported already: delete {} to send it again", args.file.display(), run.progress.display());
            }
            Ok(())
        }
        Some(remote) => run.send_all(remote, &mut rows, &mapping),
        None => return run.print_all(&mut rows, &mapping),
    };
    if let Err(why) = is_over {
        let at = run.ledger.place.map_or(0, |place| place.rows);
        return Err(format!(
            "{why}\n{} of {} are sent: run the same command again to go on",
            input::count(at, "row"),
            args.file.display()
        ));
    }
    run.summary(&source, resumed)
}

/// The source of a file whose source nobody named.
fn source_of(file: &Path) -> Result<String, String> {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    source(name).map_err(|_| format!("`{name}` is no name of a source: say where the rows come from, such as --source erp"))
}

/// What the site says of types.
fn kinds(remote: &Remote) -> Result<Kinds, String> {
    let state = remote.state()?;
    Ok(match remote.live(&state)? {
        Live::Program(program) => {
            Rules::from_bytes(program.rules_bytes()).map_or_else(Kinds::default, |rules| Kinds::of(&rules))
        }
        Live::Nothing => {
            return Err(format!("nothing is published at {}: what is kept of a profile stands in the manifest", remote.base()));
        }
        Live::Unreadable(why) => {
            eprintln!("the site's live program can't be read ({why}): numbers are told by their look");
            Kinds::default()
        }
    })
}

/// A digest of what the rows become, and where they go. An import that goes on otherwise than it began would be neither.
fn options(args: &Common, what: &str, source: &str, subject: &Subject, format: Format) -> String {
    let to = args.to.as_deref().unwrap_or_default();
    let maps: Vec<String> = args.map.iter().map(|one| format!("{}={}", one.column, one.path)).collect();
    let said = format!("{to:?} {what:?} {source:?} {subject:?} {format:?} {maps:?} {:?} {:?}", args.purposes, args.zone);
    ledger::hex(&Sha256::digest(said.as_bytes()))
}

/// Where to go on, if an import before this one got somewhere.
fn going_on(left: Option<Ledger>, fresh: Ledger, progress: &Path, args: &Common) -> Result<Ledger, String> {
    let Some(left) = left else { return Ok(fresh) };
    let is_the_same = (left.bytes, &left.sha256, &left.options) == (fresh.bytes, &fresh.sha256, &fresh.options);
    // Nothing is half done: last night's file, or the same one for another site.
    if left.done.is_some() && !is_the_same {
        return Ok(fresh);
    }
    let (file, progress) = (args.file.display(), progress.display());
    if (left.bytes, &left.sha256) != (fresh.bytes, &fresh.sha256) {
        let rows = left.place.map_or(0, |place| place.rows);
        let so_far = input::count(rows, "row");
        return Err(format!(
            "{file} is not the file any more of which {so_far} are sent: bring that one back, or delete {progress} to import this one"
        ));
    }
    if left.options != fresh.options {
        return Err(format!(
            "{file} was begun with other options (--to, --source, --event, --map, --purposes, --zone or --at): use those, or delete {progress} to begin anew (what the site has taken within 7 days counts once)"
        ));
    }
    Ok(left)
}

/// One import.
struct Run<'a> {
    args: &'a Common,
    path: String,
    ledger: Ledger,
    progress: PathBuf,
    /// The first wrong rows of this run.
    errors: Vec<(u64, Wrong)>,
    told: u64,
    begun: jiff::Timestamp,
    shown: jiff::Timestamp,
    /// Rows that were done before.
    first: u64,
}

/// Rows that are sent together, and those between them that are wrong.
#[derive(Default)]
struct Batch {
    rows: Vec<(u64, Content)>,
    events: Vec<String>,
    /// Which row each event is.
    which: Vec<usize>,
    wrong: Vec<(usize, Wrong)>,
    bytes: usize,
}

impl Run<'_> {
    fn send_all(&mut self, remote: &Remote, rows: &mut Rows, mapping: &Mapping) -> Result<(), String> {
        let mut rejects = Rejects::open(beside(&self.args.file, ".rejected"), self.ledger.rejected_bytes)?;
        loop {
            let batch = self.batch(rows, mapping)?;
            if batch.rows.is_empty() {
                self.ledger.done = Some(jiff::Timestamp::now().as_millisecond());
                return self.ledger.write(&self.progress);
            }
            let mut counts = self.ledger.counts;
            let refused = send::send(remote, &self.path, &batch.events, &mut counts)?;
            let place_of = |event: usize| batch.which.get(event).copied();
            let mut wrong = batch.wrong;
            wrong.extend(refused.into_iter().filter_map(|(event, why)| Some((place_of(event)?, why))));
            wrong.sort_by_key(|(place, _)| *place);
            counts.rejected = counts.rejected.saturating_add(wrong.len() as u64);
            if !wrong.is_empty() {
                let written: Vec<&Content> =
                    wrong.iter().filter_map(|(place, _)| batch.rows.get(*place)).map(|(_, content)| content).collect();
                rejects.add(&rows.as_written(&written, rejects.bytes() == 0)?)?;
            }
            for (place, why) in wrong {
                let line = batch.rows.get(place).map_or(0, |(line, _)| *line);
                self.tell_wrong(line, why, rejects.path());
            }
            self.ledger.counts = counts;
            self.ledger.place = Some(rows.place());
            self.ledger.rejected_bytes = rejects.bytes();
            self.ledger.write(&self.progress)?;
            self.tell_progress();
        }
    }

    /// The next rows: as many as a request takes.
    fn batch(&self, rows: &mut Rows, mapping: &Mapping) -> Result<Batch, String> {
        let mut batch = Batch::default();
        while batch.rows.len() < self.args.batch as usize && batch.bytes < MOST_BYTES {
            let Some(row) = rows.next()? else { break };
            let at = batch.rows.len();
            match mapping.event(&row) {
                Ok(event) => {
                    batch.bytes = batch.bytes.saturating_add(event.len());
                    batch.events.push(event);
                    batch.which.push(at);
                }
                Err(why) => batch.wrong.push((at, why)),
            }
            batch.rows.push((row.line, row.content));
        }
        Ok(batch)
    }

    fn tell_wrong(&mut self, line: u64, why: Wrong, rejected: &Path) {
        if self.told < MOST_TOLD {
            eprintln!("{}:{line}: {why}", self.args.file.display());
            self.errors.push((line, why));
        } else if self.told == MOST_TOLD {
            eprintln!("and more rows are wrong: all of them are in {}", rejected.display());
        }
        self.told = self.told.saturating_add(1);
    }

    /// Every two seconds for a person, every half minute for a log.
    fn tell_progress(&mut self) {
        let now = jiff::Timestamp::now();
        let pause = if std::io::stderr().is_terminal() { 2 } else { 30 };
        if self.shown.duration_until(now).as_secs() < pause {
            return;
        }
        self.shown = now;
        let Some(place) = self.ledger.place else { return };
        let per_cent = place.offset.saturating_mul(100).checked_div(self.ledger.bytes).unwrap_or(100);
        let seconds = u64::try_from(self.begun.duration_until(now).as_secs()).unwrap_or(1).max(1);
        let each_second = place.rows.saturating_sub(self.first).checked_div(seconds).unwrap_or(0);
        eprintln!(
            "{} ({per_cent} %), {each_second} a second, {} rejected",
            input::count(place.rows, "row"),
            self.ledger.counts.rejected
        );
    }

    /// Prints the events, and what is wrong with rows; neither asks nor writes anything.
    fn print_all(&mut self, rows: &mut Rows, mapping: &Mapping) -> Outcome {
        let (mut good, mut bad) = (0_u64, 0_u64);
        while let Some(row) = rows.next()? {
            match mapping.event(&row) {
                Ok(event) => {
                    input::print_line(&event)?;
                    good = good.saturating_add(1);
                }
                Err(why) => {
                    eprintln!("{}:{}: {why}", self.args.file.display(), row.line);
                    bad = bad.saturating_add(1);
                }
            }
        }
        eprintln!("{} would be sent, {bad} rejected", input::count(good, "row"));
        Ok(ended(bad))
    }

    fn summary(&self, source: &str, resumed: Option<Place>) -> Outcome {
        let Ledger { counts, place, .. } = &self.ledger;
        let rows = place.map_or(0, |place| place.rows);
        let rejected = beside(&self.args.file, ".rejected");
        let file = self.args.file.display().to_string();
        if self.args.json {
            let errors: Vec<_> = self
                .errors
                .iter()
                .map(|(line, why)| json!({ "line": line, "column": why.column, "message": why.message }))
                .collect();
            let done = json!({
                "file": file,
                "source": format!("import:{source}"),
                "rows": rows,
                "accepted": counts.taken,
                "duplicates": counts.known,
                "dropped": counts.dropped,
                "rejected": counts.rejected,
                "rejectedFile": (counts.rejected > 0).then(|| rejected.display().to_string()),
                "wentOnAfter": resumed.map(|place| place.rows),
                "errors": errors,
            });
            input::print_line(&format!("{done:#}"))?;
            return Ok(ended(counts.rejected));
        }
        let mut parts = vec![format!("{} taken", counts.taken)];
        for (number, of) in [
            (counts.known, "were there already"),
            (counts.dropped, "left out for want of consent"),
            (counts.rejected, "rejected"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {of}"));
            }
        }
        input::print_line(&format!("{file}: {}: {}", input::count(rows, "row"), parts.join(", ")))?;
        if counts.rejected > 0 {
            eprintln!("the rejected rows are in {}: mend them there, and import that file", rejected.display());
        }
        Ok(ended(counts.rejected))
    }
}

fn ended(rejected: u64) -> ExitCode {
    if rejected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
