//! `idoine import`: what rows become, and what is sent, to a server of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use support::Run;

/// Files of one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("idoine-import-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_idoine"));
    let output = command
        .arg("import")
        .args(arguments)
        .env("IDOINE_TOKEN", "a-token-of-the-tests-own")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn events(run: &Run) -> Vec<Value> {
    run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A site that counts an event once, and answers as it is told to.
struct Site {
    to: String,
    /// Bodies that came.
    bodies: Arc<Mutex<Vec<String>>>,
    /// Ids that are counted.
    counted: Arc<Mutex<HashSet<String>>>,
    paths: Arc<Mutex<Vec<String>>>,
}

/// What the site does with the n-th import request (from 1): answer with a status, or break off before it answers.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Take,
    Fail(u16),
    TakeAndBreakOff,
}

impl Site {
    fn start(does: impl Fn(usize) -> Does + Send + 'static) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = format!("http://{}", listener.local_addr().unwrap());
        let site = Site { to, bodies: Arc::default(), counted: Arc::default(), paths: Arc::default() };
        let (bodies, counted, paths) = (site.bodies.clone(), site.counted.clone(), site.paths.clone());
        let program = program();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (path, body) = request(&mut stream);
                if path.starts_with("/_idoine/api/program/") {
                    answer(&mut stream, 200, &program);
                    continue;
                }
                if path == "/_idoine/api/program" {
                    answer(
                        &mut stream,
                        200,
                        json!({ "site": "shop", "live": "0123456789abcdef", "previous": null, "scheduled": [] })
                            .to_string()
                            .as_bytes(),
                    );
                    continue;
                }
                let number = {
                    let mut bodies = bodies.lock().unwrap();
                    bodies.push(body.clone());
                    paths.lock().unwrap().push(path);
                    bodies.len()
                };
                let does = does(number);
                if let Does::Fail(status) = does {
                    answer(
                        &mut stream,
                        status,
                        json!({ "error": { "code": "x", "message": "Not at the moment." } }).to_string().as_bytes(),
                    );
                    continue;
                }
                let results: Vec<Value> = body
                    .lines()
                    .map(|line| {
                        let event: Value = serde_json::from_str(line).unwrap();
                        if event["userId"] == "refused" {
                            return json!({ "status": "rejected", "error": { "code": "bad", "message": "expected another one", "path": "userId" } });
                        }
                        let is_new = counted.lock().unwrap().insert(event["messageId"].as_str().unwrap().to_owned());
                        json!({ "status": if is_new { "accepted" } else { "duplicate" } })
                    })
                    .collect();
                if does == Does::Take {
                    answer(&mut stream, 200, json!({ "results": results }).to_string().as_bytes());
                }
            }
        });
        site
    }

    fn batches(&self) -> Vec<usize> {
        self.bodies.lock().unwrap().iter().map(|body| body.lines().count()).collect()
    }

    fn counted(&self) -> usize {
        self.counted.lock().unwrap().len()
    }
}

fn request(stream: &mut std::net::TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (first.split(' ').nth(1).unwrap_or_default().to_owned(), String::from_utf8(body).unwrap())
}

fn answer(stream: &mut std::net::TcpStream, status: u16, body: &[u8]) {
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nretry-after: 0\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).unwrap();
}

/// The live program of that site.
fn program() -> Vec<u8> {
    let manifest = r#"{
      "site": { "id": "shop" },
      "traits": { "plan": { "type": "string", "purpose": "personalization" }, "score": { "type": "int", "purpose": "personalization" } },
      "events": { "Order Completed": { "properties": { "revenue": { "type": "double" }, "order_id": { "type": "string" } } } },
      "slots": {}, "experiences": []
    }"#;
    idoine::compile::compile(manifest, &NoZones).unwrap_or_else(|errors| panic!("{errors:?}")).bytes().to_vec()
}

struct NoZones;

impl idoine::compile::Zones for NoZones {
    fn offset(&self, _: &str, _: i64) -> Option<i32> {
        Some(0)
    }
}

const ORDERS: &str = "customer,date,total,order,products.0.sku\n\
    42,2024-07-01 12:00,99.90,A-1,007\n\
    43,2024-07-02T10:00:00+02:00,12,A-2,\n";
const MAPS: [&str; 10] = [
    "--map",
    "customer=userId",
    "--map",
    "date=timestamp",
    "--map",
    "total=properties.revenue",
    "--map",
    "order=properties.order_id",
    "--map",
    "products.0.sku=properties.products.0.sku",
];

#[test]
fn rows_become_events() {
    let folder = Folder::new("rows");
    let orders = folder.file("orders.csv", ORDERS);
    let arguments =
        [&["events", &orders, "--dry-run", "--event", "Order Completed", "--zone", "Europe/Paris"][..], &MAPS].concat();
    let done = run(&arguments);
    assert_eq!((done.code, done.err.as_str()), (0, "2 rows would be sent, 0 rejected\n"));
    let mut found = events(&done);
    let ids: HashSet<String> =
        found.iter_mut().map(|event| event.as_object_mut().unwrap().remove("messageId").unwrap().to_string()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(
        found,
        [
            json!({ "type": "track", "event": "Order Completed", "userId": "42", "timestamp": 1_719_828_000_000_i64,
                    "properties": { "revenue": 99.9, "order_id": "A-1", "products": [{ "sku": "007" }] } }),
            json!({ "type": "track", "event": "Order Completed", "userId": "43", "timestamp": 1_719_907_200_000_i64,
                    "properties": { "revenue": 12, "order_id": "A-2" } }),
        ]
    );
    // The same rows are the same events, with another separator and byte order mark too; of another source they are others.
    assert_eq!(events(&run(&arguments)).len(), 2);
    let again = |arguments: &[&str]| -> HashSet<String> {
        events(&run(arguments)).iter().map(|event| event["messageId"].to_string()).collect()
    };
    assert_eq!(again(&arguments), ids);
    let other = folder.file("other.csv", format!("\u{feff}{}", ORDERS.replace(',', ";")));
    let by_other = |source: &str| {
        again(&[&["events", &other, "--dry-run", "--event", "Order Completed", "--source", source][..], &MAPS].concat())
    };
    assert_eq!(by_other("orders"), ids);
    assert!(by_other("erp").is_disjoint(&ids));
    // Two that say the same happened twice.
    let twice = folder.file("twice.csv", "userId,timestamp\n42,2024-07-01\n42,2024-07-01\n");
    assert_eq!(again(&["events", &twice, "--dry-run", "--event", "Visited"]).len(), 2);
}

#[test]
fn an_orders_own_number_makes_its_id() {
    let folder = Folder::new("rowid");
    let ids = |text: &str, source: &str, event: &str| -> Vec<String> {
        let file = folder.file("o.csv", text);
        let done = run(&["events", &file, "--dry-run", "--source", source, "--event", event]);
        assert_eq!(done.code, 0, "{}", done.err);
        events(&done).iter().map(|event| event["messageId"].as_str().unwrap().to_owned()).collect()
    };
    let one = ids("rowId,userId,timestamp\n1,42,2024-07-01\n2,42,2024-07-02\n", "erp", "Order Completed");
    // Another export, in which a row stands elsewhere and says more.
    let two = ids("rowId,userId,timestamp,properties.a\n3,42,2024-07-03,x\n1,42,2024-07-01,y\n", "erp", "Order Completed");
    assert_eq!(one[0], two[1]);
    assert_ne!(one[1], two[0]);
    assert_ne!(ids("rowId,userId,timestamp\n1,42,2024-07-01\n", "shop", "Order Completed")[0], one[0]);
    assert_ne!(ids("rowId,userId,timestamp\n1,42,2024-07-01\n", "erp", "Order Refunded")[0], one[0]);
    assert_eq!(ids("messageId,userId,timestamp\nm-1,42,2024-07-01\n", "erp", "x"), ["m-1"]);
}

#[test]
fn lines_of_json_become_events() {
    let folder = Folder::new("ndjson");
    let lines = [
        json!({ "userId": 42, "event": "Called", "timestamp": "2024-07-01T12:00:00Z", "properties": { "minutes": 3, "topic": { "name": "size" } } }),
        json!({ "type": "page", "anonymousId": "abc", "name": "Store", "timestamp": 1_719_835_200_000_i64, "context": { "page": { "url": "https://shop.example/" } } }),
        json!({ "event": "Called", "who": { "id": "7" }, "timestamp": "2024-07-01", "minutes": 4, "note": "secret" }),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    let file = folder.file("calls.ndjson", text.join("\n\n"));
    let maps = ["--map", "who.id=userId", "--map", "minutes=properties.minutes", "--map", "note=", "--map", "who="];
    let done = run(&[&["events", &file, "--dry-run"][..], &maps].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let found: Vec<Value> = events(&done)
        .into_iter()
        .map(|mut event| {
            event.as_object_mut().unwrap().remove("messageId");
            event
        })
        .collect();
    assert_eq!(
        found,
        [
            json!({ "type": "track", "event": "Called", "userId": "42", "timestamp": 1_719_835_200_000_i64, "properties": { "minutes": 3, "topic": { "name": "size" } } }),
            json!({ "type": "page", "name": "Store", "anonymousId": "abc", "timestamp": 1_719_835_200_000_i64, "context": { "page": { "url": "https://shop.example/" } } }),
            json!({ "type": "track", "event": "Called", "userId": "7", "timestamp": 1_719_792_000_000_i64, "properties": { "minutes": 4 } }),
        ]
    );
}

#[test]
fn what_is_wrong_with_a_row_is_told_with_its_line() {
    let folder = Folder::new("wrong");
    let rows = "userId,event,timestamp,properties.note,type\n\
        42,Called,2024-07-01,\"two\nlines\",\n\
        ,Called,2024-07-01,,\n\
        42,,2024-07-01,,\n\
        42,Called,,,\n\
        42,Called,yesterday,,\n\
        42,Called,2999-01-01,,\n\
        42,Called\n\
        42,Called,2024-07-01,,exposure\n\
        \n\
        43,Called,2024-07-01,fine,\n";
    let file = folder.file("calls.csv", [rows.as_bytes(), b"42,Called,2024-07-01,\xff,\n"].concat());
    let done = run(&["events", &file, "--dry-run"]);
    assert_eq!((done.code, events(&done).len()), (1, 2), "{}", done.err);
    let expected = [
        "4: `userId`: expected whose the row is: a userId or an anonymousId, found neither",
        "5: `event`: expected the event's name, such as Order Completed; --event says it for all rows",
        "6: `timestamp`: expected a time such as 2026-11-20T12:30:00Z, 2026-11-20 12:30 or seconds since 1970, found nothing",
        "7: `timestamp`: expected a time such as 2026-11-20T12:30:00Z, 2026-11-20 12:30 or seconds since 1970, found `yesterday`",
        "8: `timestamp`: expected a time since 2000 and in the past, found `2999-01-01T00:00:00Z`",
        "9: expected 5 cells, as the first line has, found 2",
        "10: `type`: expected one of track, page, identify, group, alias, found `exposure`",
        "13: `properties.note`: expected UTF-8: save the file as that",
    ];
    let expected: Vec<String> = expected.iter().map(|line| format!("{file}:{line}")).collect();
    assert_eq!(
        done.err.lines().collect::<Vec<_>>(),
        [expected.iter().map(String::as_str).collect::<Vec<_>>(), vec!["2 rows would be sent, 8 rejected"]].concat()
    );

    let lines = "{\"userId\": \"42\"\n[]\n{\"userId\": \"42\", \"event\": \"a\", \"timestamp\": 1719835200, \"colour\": 1}\n{\"userId\": {}, \"event\": \"a\", \"timestamp\": 1719835200}\n";
    let file = folder.file("calls.ndjson", lines);
    let done = run(&["events", &file, "--dry-run"]);
    assert_eq!(
        done.err.lines().collect::<Vec<_>>(),
        [
            format!(
                "{file}:1: expected a JSON object such as {{\"userId\": \"42\"}}, but at column 15: EOF while parsing an object"
            )
            .as_str(),
            &format!("{file}:2: expected a JSON object such as {{\"userId\": \"42\"}}"),
            &format!(
                "{file}:3: `colour`: `colour` is none of an event's fields: --map colour=properties.colour makes it a property, --map colour= leaves it out"
            ),
            &format!("{file}:4: `userId`: expected a text of 1 to 200 characters"),
            "0 rows would be sent, 4 rejected",
        ]
    );
}

#[test]
fn columns_that_are_nothing_are_told_before_anything_is_sent() {
    let folder = Folder::new("columns");
    let file = folder.file("o.csv", "customer,total,userId.x\n1,2,3\n");
    let done = run(&["events", &file, "--dry-run", "--map", "nobody=userId", "--map", "customer=user"]);
    assert_eq!((done.code, done.out.as_str()), (1, ""));
    for said in [
        "--map nobody=userId: the file has no column `nobody`; it has customer, total, userId.x",
        "--map customer=user: expected userId, anonymousId, event",
        "`total` is none of an event's fields: --map total=properties.total makes it a property, --map total= leaves it out",
        "`userId.x` is none",
    ] {
        assert!(done.err.contains(said), "{said}\n{}", done.err);
    }
    for (text, said) in [
        ("a,a\n", "two columns are named `a`"),
        ("a,,b\n", "column 2 has no name"),
        ("", "it is empty"),
        ("properties.a\n1\n", "no column says whose a row is"),
    ] {
        let file = folder.file("o.csv", text);
        let done = run(&["events", &file, "--dry-run"]);
        assert!(done.code == 1 && done.err.contains(said), "{said}\n{}", done.err);
    }
    let nameless = folder.file("o.txt", "a\n");
    assert!(run(&["events", &nameless, "--dry-run"]).err.contains("say which it is by --format"));
    assert!(run(&["events", &file]).err.contains("--to <URL>"));
    assert_eq!(run(&["events", &file, "--dry-run", "--map", "x"]).code, 2);
    assert_eq!(run(&["events", &file, "--dry-run", "--purposes", "all"]).code, 2);
}

fn many(rows: usize) -> String {
    let rows: Vec<String> = (0..rows).map(|row| format!("u{},2024-07-01,{row}", row % 10)).collect();
    format!("userId,timestamp,properties.n\n{}\n", rows.join("\n"))
}

#[test]
fn an_import_that_was_stopped_goes_on_and_counts_once() {
    let folder = Folder::new("resume");
    let file = folder.file("o.csv", many(95));
    // The fourth batch is taken, but nobody hears of it; from then on the site is away for a while.
    let site = Site::start(|request| match request {
        1..=3 => Does::Take,
        4 => Does::TakeAndBreakOff,
        5..=10 => Does::Fail(503),
        _ => Does::Take,
    });
    let arguments = ["events", &file, "--to", &site.to, "--event", "Visited", "--batch", "10"];
    let stopped = run(&arguments);
    assert_eq!((stopped.code, stopped.out.as_str()), (1, ""));
    assert!(
        stopped.err.contains("Not at the moment.")
            && stopped.err.contains("30 rows of")
            && stopped.err.contains("run the same command again to go on"),
        "{}",
        stopped.err
    );
    assert_eq!((site.counted(), site.batches().len()), (40, 10));
    let done = run(&arguments);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{}", done.err);
    assert_eq!(done.out, format!("{file}: 95 rows: 85 taken, 10 were there already\n"));
    assert_eq!(site.counted(), 95);
    // Where it stopped, not from the beginning.
    assert_eq!(site.batches()[10..], [10, 10, 10, 10, 10, 10, 5]);
    assert_eq!(site.paths.lock().unwrap()[0], "/_idoine/api/import?source=o&purposes=analytics%2Bpersonalization");
    // It is over: nothing is sent once more, unless what is known of it is gone.
    let again = run(&arguments);
    assert_eq!((again.code, site.batches().len()), (0, 17));
    assert!(again.err.contains("is imported already: delete"), "{}", again.err);
    std::fs::remove_file(format!("{file}.progress")).unwrap();
    assert_eq!(run(&arguments).out, format!("{file}: 95 rows: 0 taken, 95 were there already\n"));
    assert_eq!(site.counted(), 95);
}

#[test]
fn an_import_of_a_file_that_changed_does_not_go_on() {
    let folder = Folder::new("changed");
    let file = folder.file("o.csv", many(20));
    let site = Site::start(|request| if request == 1 { Does::Take } else { Does::Fail(400) });
    let arguments = ["events", &file, "--to", &site.to, "--event", "Visited", "--batch", "10"];
    assert_eq!(run(&arguments).code, 1);
    let other = run(&[&arguments[..], &["--source", "other"]].concat());
    assert!(other.code == 1 && other.err.contains("begun with other options"), "{}", other.err);
    folder.file("o.csv", many(21));
    let changed = run(&arguments);
    assert!(changed.code == 1 && changed.err.contains("is not the file any more of which 10 rows are sent"), "{}", changed.err);
    assert_eq!(site.batches(), [10, 10]);
    folder.file("o.csv.progress", "{");
    assert!(run(&arguments).err.contains("is no progress of an import"));
}

#[test]
fn rejected_rows_are_kept_as_they_were() {
    let folder = Folder::new("rejected");
    let file = folder.file("o.csv", "userId;timestamp;properties.note\nu1;2024-07-01;a\nrefused;2024-07-01;\"b;c\"\n;2024-07-01;d\nu2;2024-07-01;e\nu3;now;f\n");
    let site = Site::start(|_| Does::Take);
    let done = run(&["events", &file, "--to", &site.to, "--event", "Visited", "--batch", "2", "--json"]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains(&format!("{file}:3: `userId`: expected another one\n")), "{}", done.err);
    let said: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&said["rows"], &said["accepted"], &said["rejected"], &said["source"]),
        (&json!(5), &json!(2), &json!(3), &json!("import:o"))
    );
    let lines: Vec<u64> = said["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 6]);
    assert_eq!(said["rejectedFile"], format!("{file}.rejected"));
    let rejected = folder.read("o.csv.rejected").unwrap();
    assert_eq!(rejected, "userId;timestamp;properties.note\nrefused;2024-07-01;\"b;c\"\n;2024-07-01;d\nu3;now;f\n");
    // Mended, they are imported as any file; other rows of it would be others.
    let mended =
        folder.file("o.csv.rejected", rejected.replace("refused", "u4").replace("\n;", "\nu5;").replace("now", "2024-07-02"));
    let done = run(&["events", &mended, "--to", &site.to, "--event", "Visited"]);
    assert_eq!((done.code, site.counted()), (0, 5), "{}", done.err);
    assert!(site.paths.lock().unwrap().iter().all(|path| path.contains("?source=o&")));

    let lines = folder.file("l.ndjson", "{}\n{\"userId\":\"u1\",\"event\":\"e\",\"timestamp\":1719835200}\n  nonsense\n");
    let done = run(&["events", &lines, "--to", &site.to]);
    assert_eq!((done.code, folder.read("l.ndjson.rejected").as_deref()), (1, Some("{}\nnonsense\n")), "{}", done.err);
}

#[test]
fn a_batch_is_tried_again_while_the_site_is_busy() {
    let folder = Folder::new("busy");
    let file = folder.file("o.csv", many(3));
    let site = Site::start(|request| match request {
        1 => Does::Fail(429),
        2 => Does::TakeAndBreakOff,
        _ => Does::Take,
    });
    let done = run(&["events", &file, "--to", &site.to, "--event", "Visited"]);
    assert_eq!((done.code, done.out), (0, format!("{file}: 3 rows: 0 taken, 3 were there already\n")), "{}", done.err);
    // What is not going to be taken is not tried again.
    let site = Site::start(|_| Does::Fail(403));
    let other = folder.file("p.csv", many(3));
    let done = run(&["events", &other, "--to", &site.to, "--event", "Visited"]);
    assert_eq!((done.code, site.batches()), (1, vec![3]));
    assert!(done.err.contains("Not at the moment."), "{}", done.err);
}

#[test]
fn types_are_those_of_the_sites_plan() {
    let folder = Folder::new("plan");
    let file = folder.file("o.csv", "userId,event,timestamp,properties.revenue,properties.order_id\n1,Order Completed,2024-07-01,12,34\n2,Order Completed,2024-07-01,twelve,35\n3,Other,2024-07-01,x,36\n");
    let site = Site::start(|_| Does::Take);
    let done = run(&["events", &file, "--to", &site.to]);
    assert!(
        done.code == 1 && done.err.contains(":3: `properties.revenue`: expected a number such as 12.50, found `twelve`"),
        "{}",
        done.err
    );
    let sent: Vec<Value> = site.bodies.lock().unwrap()[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(sent[0]["properties"], json!({ "revenue": 12, "order_id": "34" }));
    assert_eq!(sent[1]["properties"], json!({ "revenue": "x", "order_id": 36 }));
}

#[test]
fn a_crms_columns_are_traits() {
    let folder = Folder::new("traits");
    let file = folder.file("crm.csv", "id,plan,traits.score,note\n42,pro,7,x\n43,,,y\n44,free,,z\n");
    let site = Site::start(|_| Does::Take);
    let unknown = run(&["traits", &file, "--to", &site.to, "--map", "id=userId"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown
            .err
            .contains("declares no trait `note` (it declares plan, score): declare it, or leave the column out by --map note="),
        "{}",
        unknown.err
    );
    let arguments = [
        "traits",
        &file,
        "--to",
        &site.to,
        "--map",
        "id=userId",
        "--map",
        "note=",
        "--at",
        "2024-07-01T00:00:00Z",
        "--purposes",
        "personalization",
    ];
    let done = run(&arguments);
    assert!(done.code == 1 && done.err.contains(":3: expected a value of a trait, found none"), "{}", done.err);
    let sent: Vec<Value> = site.bodies.lock().unwrap()[0].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let without_id = |event: &Value| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().remove("messageId");
        event
    };
    assert_eq!(
        sent.iter().map(without_id).collect::<Vec<_>>(),
        [
            json!({ "type": "identify", "userId": "42", "timestamp": 1_719_792_000_000_i64, "traits": { "plan": "pro", "score": 7 } }),
            json!({ "type": "identify", "userId": "44", "timestamp": 1_719_792_000_000_i64, "traits": { "plan": "free" } }),
        ]
    );
    assert!(site.paths.lock().unwrap()[0].ends_with("source=crm&purposes=personalization"));
}

/// A million rows would take more than this where each stayed in memory.
#[test]
#[cfg(target_os = "linux")]
fn a_large_file_takes_little_memory() {
    let folder = Folder::new("memory");
    let row = |row: usize| format!("user{row},2024-07-01T00:00:00Z,{row},{}\n", "x".repeat(1800));
    let text: String = (0..20_000).map(row).collect();
    let file = folder.file("o.csv", format!("userId,timestamp,properties.n,properties.text\n{text}"));
    assert!(text.len() > 34 << 20);
    // In kilobytes of address space: the file alone would fill it.
    let script = format!("ulimit -v {}; exec \"$0\" import events \"$1\" --dry-run --event Visited > /dev/null", 60 << 10);
    let output = Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_idoine"), &file]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("20000 rows would be sent, 0 rejected"));
}

#[test]
fn an_open_quotation_mark_ends_the_import_where_it_is() {
    let folder = Folder::new("quote");
    let text = "1,2024-07-01,\"open\n".to_owned() + &"2,2024-07-01,fine\n".repeat(200_000);
    let file = folder.file("o.csv", format!("userId,timestamp,properties.a\n0,2024-07-01,x\n{text}"));
    let done = run(&["events", &file, "--dry-run", "--event", "Visited"]);
    assert_eq!(done.code, 1);
    assert!(
        done.err.contains("the row at line 3 can't be read: the row is longer than 1 MiB: is a quotation mark open?"),
        "{}",
        done.err
    );
}
