//! All groups of commands in the order of a release.

use bson::{Document, doc};
use serde_json::Value;

use crate::Program;

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
