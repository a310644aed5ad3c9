//! `idoine preview`

use crate::remote::{To, read};
use crate::{Outcome, input};
use serde::Deserialize;
use serde_json::json;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The page to begin with; it may have preview parameters such as ?idoine.geo.country=FR
    page: String,
    #[command(flatten)]
    to: To,
    /// How long the link is good, 1 to 168 hours
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
    hours: u32,
    /// Print the link and when it expires as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Link {
    url: String,
    expires: String,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let asked = json!({ "url": args.page, "hours": args.hours });
    let answer = args.to.open()?.post("preview", "application/json", asked.to_string().as_bytes())?;
    if args.json {
        return input::print_line(&format!("{answer:#}"));
    }
    let Link { url, expires } = read(answer)?;
    eprintln!("good until {expires}, for whoever has it:");
    input::print_line(&url)
}
