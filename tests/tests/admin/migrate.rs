//! `migrate`: steps and documents, and Ctrl-C.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bson::{Document, doc};

use crate::{Program, told};

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
