//! How far an import is: a file beside the imported one, replaced as a whole after each batch that the site has taken.

use super::rows::Place;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What was done with the rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Rows that the site counts, those among them that it knew already left out.
    pub(crate) taken: u64,
    /// Rows that it knew already.
    pub(crate) known: u64,
    /// Rows that it left out, as nobody agreed to them.
    pub(crate) dropped: u64,
    /// Rows that are wrong.
    pub(crate) rejected: u64,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Of the imported file.
    pub(crate) bytes: u64,
    /// Of the imported file, in hex.
    pub(crate) sha256: String,
    /// Of what the rows become, and where they go.
    pub(crate) options: String,
    /// When it began, in epoch milliseconds.
    pub(crate) begun: i64,
    /// Where it goes on.
    pub(crate) place: Option<Place>,
    /// What was done so far.
    pub(crate) counts: Counts,
    /// Bytes of the file of rejected rows: what stands behind them was written by a run that ended before it was noted here.
    pub(crate) rejected_bytes: u64,
    /// When it was over, in epoch milliseconds.
    pub(crate) done: Option<i64>,
}

/// The name of a file beside another one.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Length and digest of a file.
pub(crate) fn digest(path: &Path) -> Result<(u64, String), String> {
    let trouble = |error: std::io::Error| format!("{} can't be read: {error}", path.display());
    let mut file = File::open(path).map_err(trouble)?;
    if !file.metadata().map_err(trouble)?.is_file() {
        return Err(format!("{} is no file: an import that can go on needs one", path.display()));
    }
    let (mut hash, mut length, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(trouble)?;
        if read == 0 {
            return Ok((length, hex(&hash.finalize())));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        length = length.saturating_add(read as u64);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ledger {
    /// What an import before this one left; `None` where there was none.
    pub(crate) fn read(path: &Path) -> Result<Option<Ledger>, String> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{} can't be read: {error}", path.display())),
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| format!("{} is no progress of an import ({error}): delete it to begin anew", path.display())),
        }
    }

    /// Replaces the file: whoever ends in the middle leaves the one before.
    pub(crate) fn write(&self, path: &Path) -> Result<(), String> {
        let trouble = |error: std::io::Error| format!("{} can't be written: {error}", path.display());
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        let next = beside(path, ".next");
        let mut file = File::create(&next).map_err(trouble)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(trouble)?;
        std::fs::rename(&next, path).map_err(trouble)
    }
}

/// Rows that are wrong, as they stood in the imported file.
pub(crate) struct Rejects {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl Rejects {
    /// The file, with as much of it as was noted; none is made before there is something to write.
    pub(crate) fn open(path: PathBuf, bytes: u64) -> Result<Rejects, String> {
        let trouble = |error: std::io::Error| format!("{} can't be written: {error}", path.display());
        if bytes == 0 {
            // Of an import before this one.
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(trouble(error)),
                _ => return Ok(Rejects { path, file: None, bytes }),
            }
        }
        let file = OpenOptions::new().write(true).open(&path).map_err(trouble)?;
        file.set_len(bytes).map_err(trouble)?;
        drop(file);
        let file = OpenOptions::new().append(true).open(&path).map_err(trouble)?;
        Ok(Rejects { path, file: Some(file), bytes })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are in it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes rows behind those that are there.
    pub(crate) fn add(&mut self, rows: &[u8]) -> Result<(), String> {
        let trouble = |error: std::io::Error| format!("{} can't be written: {error}", self.path.display());
        let mut file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).open(&self.path).map_err(trouble)?,
        };
        file.write_all(rows).and_then(|()| file.sync_all()).map_err(trouble)?;
        self.bytes = self.bytes.saturating_add(rows.len() as u64);
        self.file = Some(file);
        Ok(())
    }
}
