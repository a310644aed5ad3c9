//! The rows of a file, one after the other: a million of them take the memory of one.

use crate::input::count;
use csv::{ByteRecord, Position, ReaderBuilder};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The longest row. A quotation mark that is never closed makes one row of all that follows.
const MOST_BYTES: u64 = 1 << 20;

/// How a file says its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Comma, semicolon or tab separated; the first line names the columns.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

impl Format {
    /// By the file's name.
    pub(crate) fn of(path: &Path) -> Result<Format, String> {
        match path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("csv" | "tsv") => Ok(Format::Csv),
            Some("ndjson" | "jsonl") => Ok(Format::Ndjson),
            _ => Err(format!("{} is named neither .csv nor .ndjson: say which it is by --format", path.display())),
        }
    }
}

/// Where in a file the next row begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes before it.
    pub(crate) offset: u64,
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Rows before it.
    pub(crate) rows: u64,
}

/// A row as it stands in the file.
pub(crate) struct Row {
    /// The line that it begins in.
    pub(crate) line: u64,
    /// Which row it is, from 0.
    pub(crate) number: u64,
    pub(crate) content: Content,
}

/// What a row says.
pub(crate) enum Content {
    /// A row of a table.
    Cells(ByteRecord),
    /// A line of JSON, without its end.
    Line(Vec<u8>),
    /// A line that is too long to be one; its beginning.
    TooLong(Vec<u8>),
}

/// The rows of a file.
pub(crate) enum Rows {
    Csv { reader: csv::Reader<Bounded>, header: Vec<String>, delimiter: u8, rows: u64 },
    Ndjson { reader: BufReader<File>, place: Place },
}

/// A file from which a row takes no more than [`MOST_BYTES`].
pub(crate) struct Bounded {
    file: File,
    taken: u64,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.taken > MOST_BYTES {
            return Err(std::io::Error::other(format!(
                "the row is longer than {} MiB: is a quotation mark open?",
                MOST_BYTES >> 20
            )));
        }
        let read = self.file.read(into)?;
        self.taken = self.taken.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl Rows {
    /// Opens a file, at its first row or where an import before this one stopped.
    pub(crate) fn open(path: &Path, format: Format, from: Option<Place>) -> Result<Rows, String> {
        let name = path.display();
        let trouble = |error: std::io::Error| format!("{name} can't be read: {error}");
        let mut file = File::open(path).map_err(trouble)?;
        if format == Format::Ndjson {
            let place = from.unwrap_or(Place { line: 1, ..Place::default() });
            file.seek(SeekFrom::Start(place.offset)).map_err(trouble)?;
            return Ok(Rows::Ndjson { reader: BufReader::new(file), place });
        }
        let delimiter = delimiter(&mut file).map_err(trouble)?;
        let bounded = Bounded { file, taken: 0 };
        let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bounded);
        let named = reader.byte_headers().map_err(|error| format!("{name} can't be read: {error}"))?;
        let header = header(named).map_err(|wrong| format!("{name}: {wrong}"))?;
        if let Some(place) = from {
            let mut position = Position::new();
            position.set_byte(place.offset).set_line(place.line).set_record(place.rows);
            reader.seek(position).map_err(|error| format!("{name} can't be read: {error}"))?;
        }
        Ok(Rows::Csv { reader, header, delimiter, rows: from.map_or(0, |place| place.rows) })
    }

    /// The names of the columns; none of a file that has none.
    pub(crate) fn header(&self) -> &[String] {
        match self {
            Rows::Csv { header, .. } => header,
            Rows::Ndjson { .. } => &[],
        }
    }

    /// Where the next row begins.
    pub(crate) fn place(&self) -> Place {
        match self {
            Rows::Csv { reader, rows, .. } => {
                Place { offset: reader.position().byte(), line: reader.position().line(), rows: *rows }
            }
            Rows::Ndjson { place, .. } => *place,
        }
    }

    /// The next row; `None` behind the last.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, String> {
        match self {
            Rows::Csv { reader, rows, .. } => {
                reader.get_mut().taken = 0;
                let mut cells = ByteRecord::new();
                let begins = reader.position().line();
                let more = reader.read_byte_record(&mut cells);
                if !more.map_err(|error| format!("the row at line {begins} can't be read: {error}"))? {
                    return Ok(None);
                }
                // Empty lines before it are none of its own.
                let line = cells.position().map_or(begins, Position::line);
                let number = *rows;
                *rows = number.saturating_add(1);
                Ok(Some(Row { line, number, content: Content::Cells(cells) }))
            }
            Rows::Ndjson { reader, place } => {
                next_line(reader, place).map_err(|error| format!("line {} can't be read: {error}", place.line))
            }
        }
    }

    /// A row as it stood in the file, to be mended and imported again; the header where one is needed.
    pub(crate) fn as_written(&self, rows: &[&Content], with_header: bool) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        if let Rows::Csv { header, delimiter, .. } = self {
            let mut writer = csv::WriterBuilder::new().delimiter(*delimiter).flexible(true).from_writer(&mut out);
            let written = (|| {
                if with_header {
                    writer.write_record(header)?;
                }
                for row in rows {
                    if let Content::Cells(cells) = row {
                        writer.write_byte_record(cells)?;
                    }
                }
                writer.flush().map_err(csv::Error::from)
            })();
            written.map_err(|error: csv::Error| error.to_string())?;
            drop(writer);
            return Ok(out);
        }
        for row in rows {
            if let Content::Line(line) | Content::TooLong(line) = row {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        Ok(out)
    }
}

/// The next line that says anything.
fn next_line(reader: &mut BufReader<File>, place: &mut Place) -> std::io::Result<Option<Row>> {
    loop {
        let mut bytes = Vec::new();
        let mut read = Read::take(&mut *reader, MOST_BYTES).read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        let is_whole = bytes.last() == Some(&b'\n') || read < MOST_BYTES;
        if !is_whole {
            read = read.saturating_add(skip_line(reader)?);
        }
        let line = place.line;
        place.offset = place.offset.saturating_add(read);
        place.line = line.saturating_add(1);
        let bytes = if line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes };
        let said = bytes.trim_ascii();
        if said.is_empty() {
            continue;
        }
        let number = place.rows;
        place.rows = number.saturating_add(1);
        let content = if is_whole { Content::Line(said.to_vec()) } else { Content::TooLong(said.to_vec()) };
        return Ok(Some(Row { line, number, content }));
    }
}

/// Reads to the end of a line; how many bytes that were.
fn skip_line(reader: &mut BufReader<File>) -> std::io::Result<u64> {
    let mut skipped = 0_u64;
    loop {
        let found = reader.fill_buf()?;
        let end = found.iter().position(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
        let length = end.unwrap_or(found.len());
        reader.consume(length);
        skipped = skipped.saturating_add(length as u64);
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

/// What stands between the columns: of comma, semicolon and tab the one that the first line has most of.
fn delimiter(file: &mut File) -> std::io::Result<u8> {
    let mut first = Vec::new();
    BufReader::new(Read::take(&mut *file, MOST_BYTES)).read_until(b'\n', &mut first)?;
    file.seek(SeekFrom::Start(0))?;
    let many = |delimiter: u8| first.iter().filter(|byte| **byte == delimiter).count();
    // Of as many the first.
    Ok([b'\t', b';', b','].into_iter().max_by_key(|delimiter| many(*delimiter)).unwrap_or(b','))
}

/// The names of the columns: each once.
fn header(named: &ByteRecord) -> Result<Vec<String>, String> {
    let mut header: Vec<String> = Vec::new();
    for (column, name) in (1_u64..).zip(named) {
        let name =
            std::str::from_utf8(name).map_err(|_| "the first line is not UTF-8: save the file as UTF-8".to_owned())?.trim();
        if name.is_empty() {
            return Err(format!("column {column} has no name: the first line names the columns"));
        }
        if header.iter().any(|before| before == name) {
            return Err(format!("two columns are named `{name}`"));
        }
        header.push(name.to_owned());
    }
    if header.is_empty() { Err("it is empty: expected a line that names the columns, and rows".to_owned()) } else { Ok(header) }
}

/// What is wrong with the number of a row's cells.
pub(crate) fn uneven(cells: &ByteRecord, header: &[String]) -> Option<String> {
    let (found, expected) = (cells.len() as u64, header.len() as u64);
    (found != expected).then(|| format!("expected {}, as the first line has, found {found}", count(expected, "cell")))
}
