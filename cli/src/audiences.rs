//! `idoine audiences`: how many profiles are in which, and who.

use crate::remote::{Remote, To, encoded};
use crate::{Outcome, input};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Overlaps that are shown: the largest.
const MOST_OVERLAPS: usize = 20;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The site, such as https://shop.example; its Worker knows the token in the variable IDOINE_TOKEN
    #[arg(long, value_name = "URL", value_parser = crate::remote::base, required = true)]
    to: Option<String>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// Write the members of an audience: one profile in each line
    #[command(
        after_help = "Examples:\n  idoine audiences export vip --to https://shop.example -o vip.ndjson\n  idoine audiences export vip --to https://shop.example --format csv > vip.csv"
    )]
    Export(ExportArgs),
}

#[derive(clap::Args)]
struct ExportArgs {
    /// The audience's name in the manifest
    audience: String,
    #[command(flatten)]
    to: To,
    /// The file to write (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the file says them (default: by its name, else ndjson)
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    /// One JSON object per line: key, and userId or anonymousId
    Ndjson,
    /// The same as a table
    Csv,
}

/// How many profiles are in the audiences.
#[derive(Deserialize)]
struct Counted {
    profiles: u64,
    audiences: Vec<Audience>,
    overlaps: Vec<Overlap>,
}

#[derive(Deserialize)]
struct Audience {
    audience: String,
    members: u64,
    unknown: u64,
}

#[derive(Deserialize)]
struct Overlap {
    audiences: [String; 2],
    members: u64,
}

pub(crate) fn run(args: &Args) -> Outcome {
    if let Some(What::Export(args)) = &args.what {
        return export(args);
    }
    let answer = To::at(args.to.as_deref().unwrap_or_default()).open()?.get("audiences")?;
    if args.json {
        return input::print_line(&format!("{answer:#}"));
    }
    input::print(&text(&crate::remote::read(answer)?))
}

/// A share in whole percents.
fn per_cent(part: u64, whole: u64) -> String {
    let share = u128::from(part).saturating_mul(100).checked_div(u128::from(whole));
    share.map_or_else(|| "-".to_owned(), |share| format!("{share} %"))
}

fn text(counted: &Counted) -> String {
    let Counted { profiles, audiences, overlaps } = counted;
    let width = |names: &mut dyn Iterator<Item = usize>, least: usize| names.max().unwrap_or(0).max(least);
    let name_width = width(&mut audiences.iter().map(|one| one.audience.chars().count()), "audience".len());
    let mut lines = vec![format!("{}", input::count(*profiles, "profile")), String::new()];
    lines.push(format!("{:name_width$}  {:>9}  {:>6}  {:>9}", "audience", "members", "share", "unknown"));
    for Audience { audience, members, unknown } in audiences {
        lines.push(format!("{audience:name_width$}  {members:>9}  {:>6}  {unknown:>9}", per_cent(*members, *profiles)));
    }
    if audiences.iter().any(|one| one.unknown > 0) {
        lines.push(String::new());
        lines.push("unknown: a request would tell, or a value is missing".to_owned());
    }
    let mut overlaps: Vec<&Overlap> = overlaps.iter().filter(|one| one.members > 0).collect();
    overlaps.sort_by(|one, other| other.members.cmp(&one.members).then_with(|| one.audiences.cmp(&other.audiences)));
    if !overlaps.is_empty() {
        let both = |one: &Overlap| one.audiences.join(" and ");
        let both_width = width(&mut overlaps.iter().map(|one| both(one).chars().count()), "in both".len());
        lines.push(String::new());
        lines.push(format!("{:both_width$}  {:>9}  of the smaller one", "in both", "members"));
        for one in overlaps.iter().take(MOST_OVERLAPS) {
            let of = |name: &String| audiences.iter().find(|audience| audience.audience == *name).map(|found| found.members);
            let smaller = one.audiences.iter().filter_map(of).min().unwrap_or(0);
            lines.push(format!("{:both_width$}  {:>9}  {}", both(one), one.members, per_cent(one.members, smaller)));
        }
        if overlaps.len() > MOST_OVERLAPS {
            lines.push(format!("and {} more: --json has all of them", overlaps.len().saturating_sub(MOST_OVERLAPS)));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Whom a line of the list is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    key: String,
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    anonymous_id: Option<String>,
}

fn export(args: &ExportArgs) -> Outcome {
    let remote = args.to.open()?;
    let is_csv = |path: &PathBuf| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    let by_name = if args.output.as_ref().is_some_and(is_csv) { Format::Csv } else { Format::Ndjson };
    let format = args.format.unwrap_or(by_name);
    let Some(path) = &args.output else {
        let out = BufWriter::new(std::io::stdout());
        return match write_all(&remote, &args.audience, format, out) {
            // A reader that has gone away, such as `head`, is no error.
            Err(Trouble::Written(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            result => result.map(|_| ExitCode::SUCCESS).map_err(|trouble| trouble.told("the output")),
        };
    };
    // A list that breaks off in the middle does not take the place of a whole one.
    let mut next = path.as_os_str().to_owned();
    next.push(".part");
    let name = path.display().to_string();
    let file = File::create(&next).map_err(|error| format!("{name} can't be written: {error}"))?;
    let written = write_all(&remote, &args.audience, format, BufWriter::new(file));
    let done = written.map_err(|trouble| trouble.told(&name)).and_then(|members| {
        std::fs::rename(&next, path).map_err(|error| format!("{name} can't be written: {error}"))?;
        Ok(members)
    });
    let Ok(members) = done else {
        let _ = std::fs::remove_file(&next);
        return done.map(|_| ExitCode::SUCCESS);
    };
    input::print_line(&format!("{} of {} in {name}", input::count(members, "member"), args.audience))
}

enum Trouble {
    Said(String),
    Written(std::io::Error),
}

impl Trouble {
    fn told(self, name: &str) -> String {
        match self {
            Trouble::Said(message) => message,
            Trouble::Written(error) => format!("{name} can't be written: {error}"),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Written(error)
    }
}

/// Writes all members, list by list; how many they are.
fn write_all(remote: &Remote, audience: &str, format: Format, mut out: impl Write) -> Result<u64, Trouble> {
    let (mut members, mut cursor, mut told) = (0_u64, None, jiff::Timestamp::now());
    if format == Format::Csv {
        out.write_all(b"key,userId,anonymousId\n")?;
    }
    loop {
        let from = cursor.as_ref().map_or_else(String::new, |cursor: &String| format!("?cursor={cursor}"));
        let path = format!("audiences/{}{from}", encoded(audience));
        let (lines, next) = remote.lines(&path).map_err(Trouble::Said)?;
        for line in lines.lines().filter(|line| !line.is_empty()) {
            members = members.saturating_add(1);
            match format {
                Format::Ndjson => writeln!(out, "{line}")?,
                Format::Csv => out.write_all(&cells(line).map_err(Trouble::Said)?)?,
            }
        }
        let now = jiff::Timestamp::now();
        if std::io::stderr().is_terminal() && told.duration_until(now).as_secs() >= 2 {
            told = now;
            eprintln!("{}", input::count(members, "member"));
        }
        match next {
            Some(next) => cursor = Some(next),
            None => {
                out.flush()?;
                return Ok(members);
            }
        }
    }
}

/// A member as a row of a table.
fn cells(line: &str) -> Result<Vec<u8>, String> {
    let member: Value = serde_json::from_str(line).map_err(|_| "the answer is none of an Idoine Worker".to_owned())?;
    let Member { key, user_id, anonymous_id } = crate::remote::read(member)?;
    let mut row = Vec::new();
    let mut writer = csv::Writer::from_writer(&mut row);
    let written = writer.write_record([key, user_id.unwrap_or_default(), anonymous_id.unwrap_or_default()]);
    written.and_then(|()| writer.flush().map_err(csv::Error::from)).map_err(|error| error.to_string())?;
    drop(writer);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_and_overlaps_are_a_table() {
        let counted = json!({
            "profiles": 8,
            "audiences": [{ "audience": "vip", "members": 2, "unknown": 0 }, { "audience": "frequent_buyers", "members": 4, "unknown": 1 }],
            "overlaps": [{ "audiences": ["vip", "frequent_buyers"], "members": 1 }],
        });
        let expected = "\
8 profiles

audience           members   share    unknown
vip                      2    25 %          0
frequent_buyers          4    50 %          1

unknown: a request would tell, or a value is missing

in both                    members  of the smaller one
vip and frequent_buyers          1  50 %
";
        assert_eq!(text(&serde_json::from_value(counted).unwrap()), expected);
    }

    #[test]
    fn a_member_is_a_row() {
        assert_eq!(cells(r#"{"key":"u:a,b","userId":"a,b"}"#).unwrap(), b"\"u:a,b\",\"a,b\",\n");
        assert_eq!(cells(r#"{"key":"a:1","anonymousId":"1","more":1}"#).unwrap(), b"a:1,,1\n");
    }
}
