//! The test support itself: what it starts is a MongoDB that does what the tests need.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, net};

use bson::{Document, doc};
use model_tests::server::{ReplicaSet, drop_database, fresh_database, recorded_database, server, standalone};

#[tokio::test]
async fn reads_what_was_written() {
    let database = fresh_database().await;
    let notes = database.collection::<Document>("notes");
    notes
        .insert_one(doc! { "_id": 1, "text": "first" })
        .await
        .unwrap();
    let found = notes.find_one(doc! { "_id": 1 }).await.unwrap();
    assert_eq!(found, Some(doc! { "_id": 1, "text": "first" }));
}

#[tokio::test]
async fn commits_and_aborts_transactions() {
    let database = fresh_database().await;
    let notes = database.collection::<Document>("notes");
    let mut session = database.client().start_session().await.unwrap();

    session.start_transaction().await.unwrap();
    notes
        .insert_one(doc! { "_id": 1 })
        .session(&mut session)
        .await
        .unwrap();
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 0);
    session.commit_transaction().await.unwrap();
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 1);

    session.start_transaction().await.unwrap();
    notes
        .insert_one(doc! { "_id": 2 })
        .session(&mut session)
        .await
        .unwrap();
    session.abort_transaction().await.unwrap();
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test]
async fn fails_where_a_fail_point_says() {
    // Fail points hold for a whole server, so this one names a client that no other test has.
    let mut options = server().await.client_options().await;
    options.app_name = Some("fail point".to_owned());
    let client = mongodb::Client::with_options(options).unwrap();
    let fail_point = doc! {
        "configureFailPoint": "failCommand",
        "mode": { "times": 1 },
        "data": { "failCommands": ["ping"], "errorCode": 2, "appName": "fail point" },
    };
    client.database("admin").run_command(fail_point).await.unwrap();
    let ping = doc! { "ping": 1 };
    assert!(client.database("admin").run_command(ping.clone()).await.is_err());
    assert!(client.database("admin").run_command(ping).await.is_ok());
}

#[tokio::test]
async fn fresh_databases_are_distinct_and_empty() {
    let (first, second) = (fresh_database().await, fresh_database().await);
    assert!(first.name().starts_with("t_"));
    assert_ne!(first.name(), second.name());
    first
        .collection("notes")
        .insert_one(doc! { "_id": 1 })
        .await
        .unwrap();
    assert_eq!(
        second.list_collection_names().await.unwrap(),
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_dropped_database_is_gone() {
    let database = fresh_database().await;
    database
        .collection("notes")
        .insert_one(doc! { "_id": 1 })
        .await
        .unwrap();
    let (client, name) = (database.client().clone(), database.name().to_owned());
    drop_database(database).await;
    assert!(!client.list_database_names().await.unwrap().contains(&name));
}

#[tokio::test]
async fn the_log_has_the_commands_of_its_database() {
    let (database, log) = recorded_database().await;
    let notes = database.collection::<Document>("notes");
    notes.insert_one(doc! { "_id": 1 }).await.unwrap();
    database
        .client()
        .database("t_other")
        .run_command(doc! { "ping": 1 })
        .await
        .unwrap();

    let sent = log.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].name, "insert");
    assert_eq!(sent[0].body.get_str("insert").unwrap(), "notes");
    assert_eq!(
        sent[0].body.get_array("documents").unwrap(),
        &[doc! { "_id": 1 }.into()]
    );
    assert_eq!(log.take(), []);
}

#[tokio::test]
async fn the_log_has_the_ends_of_transactions() {
    let (database, log) = recorded_database().await;
    let mut session = database.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    database
        .collection("notes")
        .insert_one(doc! { "_id": 1 })
        .session(&mut session)
        .await
        .unwrap();
    session.commit_transaction().await.unwrap();
    assert_eq!(log.take_names(), ["insert", "commitTransaction"]);
}

#[tokio::test]
async fn a_standalone_server_has_no_transactions() {
    let database = standalone().await.fresh_database().await;
    let notes = database.collection::<Document>("notes");
    notes.insert_one(doc! { "_id": 1 }).await.unwrap();

    let mut session = database.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    let written = notes.insert_one(doc! { "_id": 2 }).session(&mut session).await;
    let error = written.unwrap_err().to_string();
    assert!(error.contains("IllegalOperation"), "{error}");
}

#[tokio::test]
async fn a_killed_member_comes_back_with_its_data() {
    let mut set = ReplicaSet::start(1).await;
    let uri = set.uri();
    let address = uri.trim_start_matches("mongodb://").split('/').next().unwrap();
    let notes = set.fresh_database().await.collection::<Document>("notes");
    notes.insert_one(doc! { "_id": 1 }).await.unwrap();
    set.kill(0);
    assert!(net::TcpStream::connect(address).is_err());
    set.restart(0).await;
    assert_eq!(set.primary().await, 0);
    assert_eq!(notes.find_one(doc! {}).await.unwrap(), Some(doc! { "_id": 1 }));
    drop(set);
    assert!(net::TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn with_mongod_ends_as_its_command_does() {
    let uri = server().await.uri();
    let with_mongod = |script: &str| {
        let arguments = ["sh", "-c", script];
        Command::new(env!("CARGO_BIN_EXE_with-mongod"))
            .args(arguments)
            .env("MONGODB_URI", uri)
            .output()
            .unwrap()
    };
    let output = with_mongod("echo $MONGODB_URI; exit 7");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), uri);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(with_mongod("kill -TERM $$").status.code(), Some(128 + 15));
}

#[test]
fn a_started_server_goes_with_the_process_that_started_it() {
    let ends = [
        ("it ends", "true"),
        ("it is terminated", "kill -TERM $PPID"),
        ("it is killed", "kill -KILL $PPID"),
    ];
    for (index, (end, script)) in ends.into_iter().enumerate() {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ends-{index}"));
        fs::create_dir_all(&folder).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_with-mongod"))
            .args(["sh", "-c", &format!("ls $TMPDIR; echo $MONGODB_URI; {script}")])
            .env_remove("MONGODB_URI")
            .env("TMPDIR", &folder)
            .output()
            .unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (data, uri) = output.trim_end().split_once('\n').unwrap();
        assert!(data.starts_with("model-tests-"), "{data}");
        let address = uri.trim_start_matches("mongodb://").split('/').next().unwrap();

        let deadline = Instant::now() + Duration::from_secs(10);
        while fs::read_dir(&folder).unwrap().next().is_some() {
            assert!(Instant::now() < deadline, "the data is still there after {end}");
            sleep(Duration::from_millis(10));
        }
        assert!(
            net::TcpStream::connect(address).is_err(),
            "the server still runs after {end}"
        );
    }
}
