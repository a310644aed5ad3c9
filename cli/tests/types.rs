//! `idoine types`: a site's names as a declaration for TypeScript. That TypeScript reads it so is `tests/scripts/types.test.ts`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use support::{demo, idoine, root};

/// With a name of each kind that TypeScript would not take without quotes, and values of every shape.
const SITE: &str = "tests/spec/types/site.jsonc";

#[test]
fn the_declaration_is_the_one_that_is_kept() {
    let run = idoine(&["types", &root(SITE)], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let kept = root("tests/spec/types/declaration.txt");
    if std::env::var_os("IDOINE_BLESS").is_some() {
        std::fs::write(&kept, &run.out).unwrap();
    }
    assert_eq!(run.out, std::fs::read_to_string(kept).unwrap());
}

#[test]
fn it_is_written_to_standard_output_or_a_file_the_same_each_time() {
    let run = idoine(&["types", &demo()], b"");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(run.out.contains("\n        shipping: { readonly zone: string;"), "{}", run.out);
    let path = std::env::temp_dir().join(format!("idoine-types-{}.d.ts", std::process::id())).display().to_string();
    let source = std::fs::read(demo()).unwrap();
    for _ in 0..2 {
        let written = idoine(&["types", "-", "-o", &path], &source);
        assert_eq!((written.code, written.out.as_str(), written.err.as_str()), (0, "", ""));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), run.out);
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    let path = std::env::temp_dir().join(format!("idoine-no-types-{}.d.ts", std::process::id()));
    let run = idoine(&["types", "-", "-o", &path.display().to_string()], br#"{ "site": { "id": "x" }, "slot": {} }"#);
    assert_eq!((run.code, run.out.as_str(), path.exists()), (1, "", false));
    assert!(run.err.contains("unknown field `slot`") && run.err.contains("did you mean `slots`?"), "{}", run.err);
    let run = idoine(&["types", &demo(), "-o", "/no/such/folder/x.d.ts"], b"");
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("/no/such/folder/x.d.ts can't be written"), "{}", run.err);
    assert_eq!(idoine(&["types"], b"").code, 2);
    let help = idoine(&["types", "--help"], b"").out;
    assert!(help.contains("idoine types site.jsonc -o src/idoine.d.ts"), "{help}");
}

#[test]
fn a_site_without_anything_has_the_events_of_any_shop() {
    let run = idoine(&["types", "-"], br#"{ "site": { "id": "x" } }"#);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("slots: {};") && run.out.contains("traits: {};") && run.out.contains("goals: {};"), "{}", run.out);
    assert!(run.out.contains("\"Order Completed\": { readonly [property: string]: unknown };"), "{}", run.out);
}
