//! The program itself: its administration command, and its end when it is told to stop.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use meta_ads::client::Client;

/// The key of the database's keys, for this test.
const KEY: &str = "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89";

fn program(uri: &str, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_meta-ads"));
    program
        .args(arguments)
        .env("MONGODB_URI", uri)
        .env("META_ADS_KEY", KEY);
    program
}

fn run(uri: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = program(uri, arguments).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), text)
}

fn make_customer(uri: &str) {
    let mut child = program(uri, &["customer", "acme", "ada@acme.example"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut password = child.stdin.take().unwrap();
    writeln!(password, "correct horse").unwrap();
    drop(password);
    assert!(child.wait().unwrap().success());
}

/// The running service, and where it says that it is.
fn served(uri: &str) -> (Child, String) {
    let mut child = program(uri, &["serve", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches("/docs");
    (child, address.to_owned())
}

#[tokio::test]
async fn it_is_prepared_served_and_stopped_by_its_own_binary() {
    let database = model_tests::server::fresh_database().await;
    let server = model_tests::server::server().await.uri();
    let (before, options) = server.split_once("/?").unwrap();
    let uri = format!("{before}/{}?{options}", database.name());

    let (code, text) = run(&uri, &["admin", "indexes", "check"]);
    assert_eq!(code, Some(1), "{text}");
    let (code, text) = run(&uri, &["serve", "127.0.0.1:0"]);
    assert_eq!(code, Some(1), "it serves without its indexes: {text}");
    let (code, text) = run(&uri, &["admin", "indexes", "sync"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = run(&uri, &["admin", "indexes", "check"]);
    assert_eq!(code, Some(0), "{text}");

    make_customer(&uri);
    let (mut service, address) = served(&uri);
    let anybody = Client::new(address.parse().unwrap());
    let ada = anybody
        .sign_in("ada@acme.example", "correct horse")
        .await
        .unwrap();
    assert_eq!(ada.get("/campaigns").await.unwrap().status, 200);
    let terminated = Command::new("kill")
        .arg(service.id().to_string())
        .status()
        .unwrap();
    assert!(terminated.success() && service.wait().unwrap().success());

    let (code, text) = run(&uri, &["admin", "verify"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("User of") && text.contains("0 unreadable"),
        "{text}"
    );
    let (code, _) = run(&uri, &["admin", "indices"]);
    assert_eq!(code, Some(2));
    database.drop().await.unwrap();
}
