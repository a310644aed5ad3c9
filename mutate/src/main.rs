//! Writes a copy of some sources with every mutant in it, each behind a question that is asked while the tests run: so one
//! build holds them all. `npm run mutate` makes the copy, builds it and asks.
//!
//! Usage: mutate FOLDER < plan.json. The plan is `{"functions": {"src/a.rs": ["f", "Type::g"]}, "without": [7]}`; the files
//! below the folder are rewritten in place, and what was done is printed as JSON.

mod find;
mod write;

use std::error::Error;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("Usage: mutate FOLDER < plan.json")?;
    let mut plan = String::new();
    std::io::stdin().read_to_string(&mut plan)?;
    let plan: Value = serde_json::from_str(&plan)?;
    let without: Vec<u64> =
        plan.get("without").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect();
    let mut number = 0;
    let (mut mutants, mut regions, mut unknown) = (Vec::new(), Map::new(), Vec::new());
    for (file, functions) in plan.get("functions").and_then(Value::as_object).ok_or("the plan has no functions")? {
        let path = Path::new(&folder).join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let wanted: Vec<&str> = functions.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let found = find::mutants(&text, &wanted).map_err(|error| format!("{file}: {error}"))?;
        unknown.extend(found.unknown.iter().map(|name| format!("{file}: {name}")));
        let kept: Vec<(u64, &find::Mutant)> = (number + 1..).zip(&found.mutants).collect();
        number += found.mutants.len() as u64;
        for (id, mutant) in &kept {
            let (line, column, source) = place(&text, mutant.shown.start);
            mutants.push(json!({
                "id": id, "file": file, "function": mutant.function, "line": line, "column": column, "source": source,
                "was": short(text.get(mutant.shown.clone()).unwrap_or_default()), "becomes": short(&mutant.becomes),
            }));
        }
        let kept: Vec<(u64, &find::Mutant)> = kept.into_iter().filter(|(id, _)| !without.contains(id)).collect();
        let written = write::written(&text, &kept);
        std::fs::write(&path, &written.text)?;
        regions.insert(file.clone(), json!(written.regions));
    }
    println!("{}", json!({ "mutants": mutants, "regions": regions, "unknown": unknown }));
    Ok(())
}

/// The line, the column (both from 1) and the text of the line.
fn place(text: &str, at: usize) -> (usize, usize, &str) {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = behind.find('\n').map_or(text.len(), |end| at + end);
    let line = before.matches('\n').count() + 1;
    (
        line,
        before.chars().count() - text.get(..start).unwrap_or_default().chars().count() + 1,
        text.get(start..end).unwrap_or_default().trim(),
    )
}

/// On one line.
fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
