//! The administration command as a program: in a pipe, with bad arguments, against both stores; its output is part of
//! what it promises.

#[path = "admin/kills.rs"]
mod kills;

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use bson::{Document, doc};
use model_tests::depot;
use model_tests::server;
use mongodb::Database;
use serde_json::Value;

/// A run of the program over what `depot::documents` begins with, on the embedded store or on a database.
struct Program {
    server: Option<(String, Database)>,
}

impl Program {
    fn embedded() -> Self {
        Self { server: None }
    }

    async fn over_mongodb() -> Self {
        let database = server::fresh_database().await;
        for (collection, document) in depot::documents() {
            database
                .collection::<Document>(collection)
                .insert_one(document)
                .await
                .unwrap();
        }
        Self {
            server: Some((server::server().await.uri().to_owned(), database)),
        }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_model-admin"));
        command
            .args(arguments.split_whitespace())
            .env_remove("MONGODB_URI");
        if let Some((uri, database)) = &self.server {
            command
                .env("MONGODB_URI", uri)
                .env("ADMIN_DATABASE", database.name());
        }
        command
    }

    /// The exit code, what was printed, what was told beside it.
    fn run(&self, arguments: &str) -> (i32, String, String) {
        told(self.command(arguments).output().unwrap())
    }

    fn json(&self, arguments: &str) -> (i32, Value) {
        let (code, out, err) = self.run(&format!("{arguments} --json"));
        let value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        (code, value)
    }
}

fn told(output: Output) -> (i32, String, String) {
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

const OLDER: &str = "\
Crate: version 2, 3 older
Shelf: version 1, 0 older
Switch: version 1, 0 older
";

const VERIFIED: &str = "\
Crate of acme: 2 documents, 2 older, 0 unreadable, 0 dangling; secrets: 1 in the clear, 0 malformed, 0 under older keys
Crate of globex: 1 documents, 1 older, 0 unreadable, 1 dangling; secrets: 0 in the clear, 0 malformed, 0 under older keys
  ! not found: the Shelf that it refers to [id crt_2] [field shelf]
Shelf of acme: 1 documents, 0 older, 0 unreadable, 0 dangling
Switch: 1 documents, 0 older, 1 unreadable, 0 dangling
  ! stored document does not decode: expected bool, found string [id swi_1] [field is_on]
";

const PREVIEW: &str = "\
Crate: 3 older
  crt_0 (version 1)
    size: \"0\" -> 0
  crt_1 (version 1)
    size: \"1\" -> 1
    code: secret, changed
  crt_2 (version 1)
    size: \"2\" -> 2
Shelf: 0 older
Switch: 0 older
";

fn looks_at_indexes(program: &Program) {
    let (code, plan, _) = program.run("indexes plan");
    assert_eq!(code, 0);
    assert!(
        plan.contains("+ create shelves: organization_1_label_1_unique"),
        "{plan}"
    );
    assert_eq!(program.run("indexes check"), (1, plan, String::new()));
}

fn looks(program: &Program) {
    assert_eq!(
        program.run("migrate status"),
        (1, OLDER.to_owned(), String::new())
    );
    assert_eq!(program.run("verify"), (1, VERIFIED.to_owned(), String::new()));
    assert_eq!(
        program.run("migrate dry-run"),
        (0, PREVIEW.to_owned(), String::new())
    );
    let (code, one) = program.json("migrate status --tenant globex");
    assert_eq!(
        (code, &one[0]["older"], one.as_array().unwrap().len()),
        (1, &Value::from(1), 2)
    );
    assert_eq!(program.run("migrate status --model Shelf").0, 0);
    assert_eq!(
        program.run("audit verify --tenant acme").1,
        "0 entries in order\n"
    );
}

#[test]
fn looks_change_nothing_on_the_embedded_store() {
    looks_at_indexes(&Program::embedded());
    looks(&Program::embedded());
    assert_eq!(
        Program::embedded().run("keys status --tenant acme").1,
        "no keys\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_change_nothing_on_mongodb() {
    let program = Program::over_mongodb().await;
    looks_at_indexes(&program);
    looks_at_indexes(&program);
    let (code, _, err) = program.run("verify");
    assert!(code == 3 && err.contains("unique indexes are missing"), "{err}");
    assert_eq!(program.run("indexes sync").0, 0);
    looks(&program);
    looks(&program);
}

/// A wrong argument is 2, a failure 3; both say why on the standard error, and print nothing else.
#[test]
fn bad_arguments_are_told() {
    let program = Program::embedded();
    for (arguments, text) in [
        ("frobnicate", "unrecognized subcommand 'frobnicate'"),
        ("indexes", "Usage: model-admin indexes [OPTIONS] <COMMAND>"),
        ("indexes snyc", "a similar subcommand exists: 'sync'"),
        (
            "migrate run --batch many",
            "invalid value 'many' for '--batch <BATCH>'",
        ),
        (
            "migrate run --model Crat",
            "there is no model `Crat`; there are Crate, Shelf, Switch",
        ),
        ("migrate run --tenant oid:7", "is no `ObjectId`"),
        ("keys rotate --promote 12", "32 hexadecimal digits"),
        ("keys rotate --purpose sign", "is none of `enc`, `bidx`, `pepper`"),
        ("keys shred --tenant acme", "--confirm <CONFIRM>"),
        (
            "keys shred --tenant acme --confirm acne",
            "is not the tenant whose keys are to be destroyed",
        ),
        ("keys reencrypt --resume s:crt_1", "goes with one `--model`"),
        ("audit history --id crt_1", "--model <NAME>"),
    ] {
        let (code, out, err) = program.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments}: {err}");
        assert!(err.contains(text), "{arguments}: {err}");
    }
    let (code, out, err) = program.run("schema check --manifest /nowhere.json");
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("cannot read /nowhere.json"), "{err}");
    let (code, error) = program.json("schema diff --manifest /nowhere.json");
    assert_eq!((code, &error["kind"]), (3, &Value::from("Configuration")));
    let (code, help, _) = program.run("--help");
    assert!(
        code == 0 && help.contains("Administers the database of this service"),
        "{help}"
    );
    let forgets = program
        .command("migrate status")
        .env("ADMIN_FORGETS", "1")
        .output()
        .unwrap();
    let (code, _, err) = told(forgets);
    assert!(code == 3 && err.contains("Switch"), "{err}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = Program::embedded()
        .command("schema print")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, err) = told(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn the_schema_is_checked_against_its_manifest() {
    let program = Program::embedded();
    let folder = std::env::temp_dir().join(format!("model-admin-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (now, before) = (folder.join("models.json"), folder.join("before.json"));
    let (code, manifest, _) = program.run("schema print");
    assert_eq!(code, 0);
    std::fs::write(&now, &manifest).unwrap();
    let check = format!("schema check --manifest {}", now.display());
    let (code, text, _) = program.run(&check);
    assert_eq!((code, text.as_str()), (0, "the models are as in the manifest\n"));
    // The manifest was written anew, and the version was not raised: only the release before tells.
    let older = manifest.replace(
        "\"Shelf.collection\": \"shelves\"",
        "\"Shelf.collection\": \"racks\"",
    );
    std::fs::write(&before, older).unwrap();
    let (code, text, _) = program.run(&format!("{check} --base {}", before.display()));
    assert_eq!(code, 1);
    assert!(
        text.contains("~ Shelf.collection: \"racks\" -> \"shelves\""),
        "{text}"
    );
    assert!(text.contains("a higher `version`"), "{text}");
    let (code, text, _) = program.run(&format!("schema check --manifest {}", before.display()));
    assert!(code == 1 && text.contains("the manifest is stale"), "{text}");
    let (code, diff) = program.json(&format!("schema diff --manifest {}", before.display()));
    assert_eq!((code, &diff[0]["fact"]), (0, &Value::from("Shelf.collection")));
    std::fs::remove_dir_all(folder).unwrap();
}

const GRAPH: &str = "\
classDiagram
    class Crate {
        <<crates, version 2>>
        _id: id crt_
        organization: tenant
        shelf: ref Shelf
        name: string
        size: uint32, since 2
        code: optional encrypted string
        lamp: optional id swi_
        index(organization, shelf, name)
    }
    class Shelf {
        <<shelves, version 1>>
        _id: id shf_
        organization: tenant
        label: string
        unique(organization, label)
    }
    class Switch {
        <<switches, version 1>>
        _id: id swi_
        is_on: bool
    }
    Crate --> Shelf : shelf, restrict
    Crate ..> Switch : lamp
";

#[test]
fn the_models_are_drawn() {
    let program = Program::embedded();
    assert_eq!(program.run("schema graph"), (0, GRAPH.to_owned(), String::new()));
    let (code, picture, _) = program.run("schema graph --format svg");
    assert!(
        code == 0 && picture.starts_with("<?xml") && picture.trim_end().ends_with("</svg>"),
        "{picture}"
    );
    for text in [
        "Crate (crates, version 2)",
        "unique(organization, label)",
        "marker-end",
        "shelf, restrict",
        "stroke-dasharray",
    ] {
        assert!(picture.contains(text), "{text} in {picture}");
    }
    // It is as large as what is drawn.
    let number = |name: &str| -> f64 {
        let (_, rest) = picture.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    assert!(number("height") < 400.0 && number("width") < 1_000.0, "{picture}");
}

/// From an empty server to a clean bill of health, in the order of a release.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_on_mongodb() {
    let program = Program::over_mongodb().await;
    let (_, database) = program.server.as_ref().unwrap();
    let (code, out, err) = program.run("indexes sync");
    assert_eq!((code, out.as_str()), (0, "6 done, 0 hidden\n"), "{err}");
    assert!(err.contains("1/6 + create crates"), "{err}");
    assert_eq!(program.run("indexes check").0, 0);
    let (code, out, err) = program.run("migrate run");
    let done = "Crate: 3 migrated, 0 raced, 0 failed: complete\nShelf: nothing to migrate\nSwitch: nothing to migrate\n";
    assert_eq!((code, out.as_str()), (0, done), "{err}");
    assert_eq!(err, "Crate: 3 of 3\n");
    assert_eq!(program.run("migrate status").0, 0);
    let (code, history) = program.json("audit history --tenant acme --model Crate --id crt_1");
    assert_eq!(
        (code, &history[0]["event"], &history[0]["actor"]),
        (0, &"crate.migrate".into(), &"operator".into())
    );
    assert_eq!(history[0]["reason"], "administration command: migrate run");
    assert!(!history.to_string().contains("canary"));
    assert_eq!(
        program.run("audit verify --tenant acme").1,
        "2 entries in order\n"
    );
    // A rotation in its two phases: too early is a failure that says so.
    let (_, staged) = program.json("keys rotate --tenant acme");
    let key = staged["staged"].as_str().unwrap();
    let (code, _, err) = program.run(&format!("keys rotate --promote {key}"));
    assert!(code == 3 && err.contains("refused"), "{code} {err}");
    let (_, keys) = program.json("keys status --tenant acme");
    let states: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["Primary", "DecryptOnly"]);
    let (code, reencrypted) = program.json("keys reencrypt --tenant acme");
    assert_eq!(
        (code, &reencrypted[0]["scanned"], &reencrypted[0]["resume"]),
        (0, &2.into(), &Value::Null)
    );
    let fixed = doc! { "$set": { "is_on": true } };
    database
        .collection::<Document>("switches")
        .update_one(doc! {}, fixed)
        .await
        .unwrap();
    let shelf = doc! { "_id": "shf_2", "organization": "globex", "label": "Right" };
    database
        .collection::<Document>("shelves")
        .insert_one(shelf)
        .await
        .unwrap();
    let (code, found) = program.json("verify --model Crate --tenant globex");
    assert_eq!((code, &found[0]["dangling"]), (1, &1.into()));
    let there = doc! { "$set": { "shelf": "shf_2" } };
    database
        .collection::<Document>("crates")
        .update_one(doc! { "_id": "crt_2" }, there)
        .await
        .unwrap();
    let (code, out, _) = program.run("verify");
    assert_eq!(code, 0, "{out}");
    // What others change in the log is found.
    let log = database.collection::<Document>("audit_log");
    log.update_one(
        doc! { "event": "crate.migrate", "tenant": "acme" },
        doc! { "$set": { "event": "crate.read" } },
    )
    .await
    .unwrap();
    let (code, out, _) = program.run("audit verify --tenant acme");
    assert!(code == 1 && out.contains("broken"), "{out}");
    let (code, out, _) = program.run("keys shred --tenant acme --confirm acme");
    assert_eq!((code, out.as_str()), (0, "2 keys destroyed\n"));
}

/// Steps come before documents, once.
#[tokio::test(flavor = "multi_thread")]
async fn steps_are_taken_first() {
    let program = Program::over_mongodb().await;
    let (_, database) = program.server.as_ref().unwrap();
    let boards = database.collection::<Document>("boards");
    boards
        .insert_one(doc! { "_id": "7", "label": "Right" })
        .await
        .unwrap();
    assert_eq!(program.run("indexes sync").0, 0);
    let run = |arguments| {
        told(
            program
                .command(arguments)
                .env("ADMIN_STEPS", "1")
                .output()
                .unwrap(),
        )
    };
    let (code, out, err) = run("migrate status");
    assert!(
        code == 1 && out.starts_with("step boards are shelves: due, 1 documents\nCrate: "),
        "{out}{err}"
    );
    let (code, out, _) = run("migrate dry-run");
    assert!(code == 0 && out.contains("\n  7: moves shelves\n"), "{out}");
    let (code, out, err) = run("migrate run");
    let done =
        "step boards are shelves: 1 documents, 0 with references, 0 failed: complete\nCrate: 3 migrated";
    assert!(code == 0 && out.starts_with(done), "{out}{err}");
    let moved = database
        .collection::<Document>("shelves")
        .find_one(doc! { "_id": "shf_7" })
        .await
        .unwrap();
    assert!(moved.is_some());
    let (code, out, _) = run("migrate status");
    assert!(
        code == 0 && out.starts_with("step boards are shelves: done, 0 documents\n"),
        "{out}"
    );
}

/// Ctrl-C stops a migration between two batches; the next run goes on there.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_migration_goes_on() {
    let program = Program::over_mongodb().await;
    let (_, database) = program.server.as_ref().unwrap();
    let crates = database.collection::<Document>("crates");
    let more = (10..510).map(|number| {
        doc! {
            "_id": format!("crt_{number:04}"), "organization": "acme", "shelf": "shf_1", "name": "Crate",
            "size": "1",
        }
    });
    crates.insert_many(more).await.unwrap();
    assert_eq!(program.run("indexes sync").0, 0);
    let mut child = program
        .command("migrate run --batch 20 --throttle 100")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    // The first line of progress: it is at work, and not soon done.
    assert!(told.next().unwrap().unwrap().starts_with("Crate: "));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<_> = told.map(Result::unwrap).collect();
    assert!(
        rest.iter()
            .any(|line| line.starts_with("stopping after this batch")),
        "{rest:?}"
    );
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(
        out.ends_with("not complete\nstopped; run it again, and it goes on here\n"),
        "{out}"
    );
    let older = crates
        .count_documents(doc! { "_sv": { "$ne": 2 } })
        .await
        .unwrap();
    assert!((1..503).contains(&older), "{older}");
    let (code, done) = program.json("migrate run");
    assert_eq!(
        (code, &done[0]["migrated"], &done[0]["resumed"]),
        (0, &older.into(), &true.into())
    );
    assert_eq!(crates.count_documents(doc! { "_sv": 2 }).await.unwrap(), 503);
}
