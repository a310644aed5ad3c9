//! `idoine`: checks, formats, compiles and explains a site's manifest, decides for visitors, replays what was decided, and publishes.

mod audiences;
mod check;
mod compile;
mod data_map;
mod decide;
mod eval;
mod explain;
mod fmt;
mod import;
mod input;
mod notice;
mod page;
mod preview;
mod profile;
mod publish;
mod remote;
mod replay;
mod troubles;
mod types;
mod visitors;
mod zones;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "idoine",
    version,
    about = "The apt content, for this visitor, at this moment.",
    after_help = "Example:\n  idoine check site.jsonc\n\nExit codes: 0 done, 1 something is wrong with the input, 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print everything that is wrong with a manifest
    #[command(after_help = "Example:\n  idoine check site.jsonc")]
    Check(check::Args),
    /// Compile a manifest into a program
    #[command(
        after_help = "Examples:\n  idoine compile site.jsonc -o site.program\n  idoine compile site.jsonc --browser -o public/idoine/site.program"
    )]
    Compile(compile::Args),
    /// Show every experience per slot and why it won or lost, for one visitor; or what would have to change for one to win
    #[command(
        after_help = "Example:\n  echo '{\"url\": \"https://shop.example/\", \"context\": {\"geo.country\": \"FR\"}}' | idoine explain site.jsonc --visitor -\n  idoine explain site.jsonc --visitor visitor.json --why-not black-friday"
    )]
    Explain(explain::Args),
    /// Decide for a stream of visitors: one JSON object per line in, one per line out
    #[command(
        after_help = "Examples:\n  idoine decide site.jsonc < visitors.ndjson > decisions.ndjson\n  idoine decide site.jsonc --log < visitors.ndjson > log.ndjson"
    )]
    Decide(decide::Args),
    /// Show which decisions change from one manifest to another, for how many visitors, with examples
    #[command(
        after_help = "Examples:\n  idoine replay site.jsonc changed.jsonc --visitors log.ndjson\n  git show main:site.jsonc > before.jsonc && idoine replay before.jsonc site.jsonc --visitors log.ndjson --markdown > review.md\n  idoine decide site.jsonc --log < visitors.ndjson | idoine replay site.jsonc changed.jsonc --visitors - --exit-code\n\nExit codes: 0 done, 1 something is wrong with the input, or something changes and --exit-code is given; 2 wrong usage."
    )]
    Replay(replay::Args),
    /// Publish a manifest: show what changes on the site, put the program there, wait until the site decides with it
    #[command(
        after_help = "Examples:\n  IDOINE_TOKEN=... idoine publish site.jsonc --to https://shop.example\n  idoine publish site.jsonc --to https://shop.example --at 2026-11-27T00:00:00+01:00 --yes\n  idoine publish site.jsonc --to https://shop.example --dry-run --json\n\nThe token is read from the variable IDOINE_TOKEN; it needs the role publish."
    )]
    Publish(publish::Args),
    /// Go back to the version that was live before, or to another one
    #[command(
        after_help = "Examples:\n  idoine rollback --to https://shop.example\n  idoine rollback --to https://shop.example 0f3a5c1b2d4e6f70"
    )]
    Rollback(publish::RollbackArgs),
    /// Cancel a publish that is scheduled
    #[command(after_help = "Example:\n  idoine cancel --to https://shop.example 0f3a5c1b2d4e6f70")]
    Cancel(publish::CancelArgs),
    /// Show the versions that a site has: which is live, which are scheduled, who published them when
    #[command(after_help = "Example:\n  idoine versions --to https://shop.example")]
    Versions(publish::VersionsArgs),
    /// Make a link with which a browser may preview the site as anyone
    #[command(after_help = "Example:\n  idoine preview --to https://shop.example --hours 8 https://shop.example/sale")]
    Preview(preview::Args),
    /// Send what is known already: past events, and what other systems know of users
    #[command(after_help = "Example:\n  idoine import events orders.csv --to https://shop.example --event 'Order Completed'")]
    Import(import::Args),
    /// Show how many profiles are in which audience, and in two of them; or write an audience's members
    #[command(
        after_help = "Examples:\n  idoine audiences --to https://shop.example\n  idoine audiences export vip --to https://shop.example -o vip.csv"
    )]
    Audiences(audiences::Args),
    /// Show all that is known of a visitor, and share notes and tags
    #[command(after_help = "Example:\n  idoine profile show u:42 --to https://shop.example")]
    Profile(profile::Args),
    /// Show in what events are otherwise than the manifest plans, how often, and since when
    #[command(after_help = "Example:\n  idoine violations --to https://shop.example")]
    Violations(troubles::ViolationsArgs),
    /// Show how many visitors granted, refused and withdrew what, by day, wording and purpose
    #[command(after_help = "Example:\n  idoine consents --to https://shop.example --days 7")]
    Consents(troubles::CountedArgs),
    /// Show what was counted, of nobody, where a site measures without asking
    #[command(after_help = "Example:\n  idoine measured --to https://shop.example --days 7")]
    Measured(troubles::CountedArgs),
    /// Show what sinks did not take, or send it again
    #[command(
        after_help = "Examples:\n  idoine dead-letters --to https://shop.example\n  idoine dead-letters --to https://shop.example --resend --sink webhook:crm"
    )]
    DeadLetters(troubles::DeadLettersArgs),
    /// Write what a site keeps of its visitors: what, why, how long, where, and who reads it
    #[command(
        after_help = "Examples:\n  idoine data-map site.jsonc -o data-map.html\n  idoine data-map site.jsonc --format csv --lang fr > registre.csv\n\nIt is not legal advice."
    )]
    DataMap(data_map::Args),
    /// Write what visitors are told before they choose, as JSON: for sites without a Worker, beside the program for browsers
    #[command(after_help = "Example:\n  idoine notice site.jsonc -o public/idoine/notice.json")]
    Notice(notice::Args),
    /// Write the site's slots, traits, events and goals as types, so that code which names another one is an error
    #[command(after_help = "Example:\n  idoine types site.jsonc -o src/idoine.d.ts")]
    Types(types::Args),
    /// Format manifests: one look, every comment kept
    #[command(after_help = "Example:\n  idoine fmt site.jsonc\n  idoine fmt --check sites/*.jsonc")]
    Fmt(fmt::Args),
    /// Evaluate an expression and print its value and type, `unknown`, or the error and where it is
    #[command(
        after_help = "Examples:\n  idoine eval \"'fr-CA'.split('-')[0]\"\n  echo '{\"geo.country\": \"FR\"}' | idoine eval \"geo.country in ['FR', 'BE']\" --bindings -"
    )]
    Eval(eval::Args),
    /// Print every operator, function and macro of expressions
    #[command(after_help = "Example:\n  idoine functions --json > functions.json")]
    Functions {
        /// Print them as a JSON list, with types, documentation and examples
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the manifest
    #[command(after_help = "Example:\n  idoine schema > site.schema.json")]
    Schema {
        /// Print what editors need for expressions instead: fields, functions, reserved words, limits
        #[arg(long)]
        expressions: bool,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Check(args) => check::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Rollback(args) => publish::rollback(&args),
        Command::Cancel(args) => publish::cancel(&args),
        Command::Versions(args) => publish::versions(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Audiences(args) => audiences::run(&args),
        Command::Profile(args) => profile::run(&args),
        Command::Violations(args) => troubles::violations(&args),
        Command::Consents(args) => troubles::consents(&args),
        Command::Measured(args) => troubles::measured(&args),
        Command::DeadLetters(args) => troubles::dead_letters(&args),
        Command::DataMap(args) => data_map::run(&args),
        Command::Notice(args) => notice::run(&args),
        Command::Types(args) => types::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Functions { json: true } => input::print_line(&format!("{:#}", idoine::expr::functions())),
        Command::Functions { json: false } => input::print_line(&eval::table()),
        Command::Schema { expressions: true } => input::print_line(&format!("{:#}", idoine::expr::expressions())),
        Command::Schema { expressions: false } => input::print_line(&format!("{:#}", idoine::manifest::schema())),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What a command ends with: an exit code, or a message for stderr and exit code 1.
type Outcome = Result<ExitCode, String>;
