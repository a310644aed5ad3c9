//! What the tests of the command line share.
#![allow(dead_code)] // Not every test needs all of it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What a command did.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn root(path: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path).display().to_string()
}

pub fn demo() -> String {
    root("www/demo/site.jsonc")
}

pub fn spawn(arguments: &[&str]) -> Child {
    spawn_in(".", arguments)
}

/// Starts the command in a folder.
pub fn spawn_in(folder: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idoine"));
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub fn idoine(arguments: &[&str], input: &[u8]) -> Run {
    idoine_in(".", arguments, input)
}

/// Runs the command in a folder, with bytes on its standard input.
pub fn idoine_in(folder: &str, arguments: &[&str], input: &[u8]) -> Run {
    let mut child = spawn_in(folder, arguments);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
