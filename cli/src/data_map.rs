//! `idoine data-map`

use crate::zones::Bundled;
use crate::{Outcome, input};
use idoine::data_map::{DataMap, Lang, Row, columns, data_map, title};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A page for people
    Html,
    /// A table for spreadsheets
    Csv,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Language {
    /// English
    En,
    /// French
    Fr,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// The language that it is written in
    #[arg(long, value_enum, default_value_t = Language::En)]
    lang: Language,
    /// Where it goes (default standard output)
    #[arg(short, long)]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let lang = match args.lang {
        Language::En => Lang::En,
        Language::Fr => Lang::Fr,
    };
    let source = input::manifest(&args.manifest)?;
    let map = data_map(&source, &Bundled, lang).map_err(|errors| input::refused(&args.manifest, &source, &errors))?;
    let text = match args.format {
        Format::Html => html(&map, lang),
        Format::Csv => csv(&map, lang)?,
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&map).map_err(|error| error.to_string())?),
    };
    let Some(path) = &args.output else { return input::print(&text) };
    std::fs::write(path, text).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// RFC 4180. The note is the last line, as the first names the columns.
fn csv(map: &DataMap, lang: Lang) -> Result<String, String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut write = |cells: &[String]| writer.write_record(cells).map_err(|error| error.to_string());
    write(&columns(lang).map(str::to_owned))?;
    for row in &map.rows {
        write(&row.cells(lang).map(safe))?;
    }
    let empty = || String::new();
    let [kind, name, what] = ["note".to_owned(), safe(map.site.clone()), map.note.to_owned()];
    write(&[kind, name, what, empty(), empty(), empty(), empty(), empty(), empty(), empty()])?;
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// A cell that no spreadsheet takes for a formula.
fn safe(cell: String) -> String {
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let is_formula = begins(cell.trim_start()) || cell.starts_with(['\t', '\r', '\n']);
    if is_formula { format!("'{cell}") } else { cell }
}

const STYLE: &str = ":root{color-scheme:light dark;--ink:#1b1b1f;--paper:#fff;--line:#b9bac1;--head:#eceef3;--focus:#1a4fa3}\
    @media screen and (prefers-color-scheme:dark){:root{--ink:#e7e8ee;--paper:#1b1e26;--line:#555b6b;--head:#2b303c;--focus:#9db8ff}}\
    body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:var(--ink);background:var(--paper)}\
    h1{font-size:1.5rem;overflow-wrap:anywhere}.note{max-width:50rem}.table{overflow-x:auto}.table:focus-visible{outline:2px solid var(--focus)}\
    table{border-collapse:collapse;font-size:.875rem}caption{text-align:left;padding:.5rem 0}\
    th,td{border:1px solid var(--line);padding:.375rem .5rem;text-align:left;vertical-align:top;min-width:6rem}\
    thead th{background:var(--head)}tbody th{font-weight:600;overflow-wrap:anywhere}.yes{font-weight:600}\
    @media print{body{margin:0}.table{overflow:visible}}";

/// One page that needs nothing else.
fn html(map: &DataMap, lang: Lang) -> String {
    let [of, version] = title(lang);
    let (heading, made) = (format!("{of} {}", escaped(&map.site)), format!("{version} {}", escaped(&map.version)));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n<p class=\"note\">{}</p>\n\
         <div class=\"table\" role=\"region\" aria-labelledby=\"caption\" tabindex=\"0\">\n<table>\n<caption id=\"caption\">{made}</caption>\n<thead>\n<tr>",
        lang.tag(),
        escaped(map.note),
    );
    for column in columns(lang) {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(column));
    }
    page.push_str("</tr>\n</thead>\n");
    for rows in map.rows.chunk_by(|one, other| one.kind == other.kind) {
        page.push_str("<tbody>\n");
        rows.iter().for_each(|row| html_row(row, lang, &mut page));
        page.push_str("</tbody>\n");
    }
    page.push_str("</table>\n</div>\n</main>\n</body>\n</html>\n");
    page
}

fn html_row(row: &Row, lang: Lang, page: &mut String) {
    page.push_str("<tr>");
    for (column, cell) in row.cells(lang).iter().enumerate() {
        let (tag, is) = match column {
            1 => ("th", " scope=\"row\""),
            3 if row.personal => ("td", " class=\"yes\""),
            _ => ("td", ""),
        };
        let _ = write!(page, "<{tag}{is}>{}</{tag}>", escaped(cell));
    }
    page.push_str("</tr>\n");
}

/// A text in HTML, also between quotes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
