//! Whether it is well, and how it ends.

use std::time::Duration;

use meta_ads::client::Client;
use meta_ads::register;
use model_core::prelude::*;
use model_core::testing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{embedded, start};

#[tokio::test]
async fn without_a_store_it_is_not_well_and_says_no_more() {
    // Nothing listens there.
    let uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200&directConnection=true";
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let builder = register(Db::mongo(client.database("meta_ads"))).keys(testing::keyring().unwrap());
    let running = start(builder.build_lazy().unwrap()).await;
    let health = Client::new(running.address).get("/health").await.unwrap();
    assert_eq!(health.status, 503);
    assert_eq!(health.body["title"], "Service Unavailable");
    assert!(!health.body.to_string().contains("127.0.0.1"), "{}", health.body);
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end() {
    let running = embedded().await;
    let body = r#"{"email":"ada@acme.example","password":"correct horse"}"#;
    let (first, second) = body.split_at(20);
    let mut begun = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    );
    begun.write_all(head.as_bytes()).await.unwrap();
    // It is being served now: another one is, that came later.
    assert_eq!(
        Client::new(running.address).get("/health").await.unwrap().status,
        200
    );
    running.stop.send(()).unwrap();
    let mut service = running.service;
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut service).await;
    assert!(waited.is_err(), "it does not wait for the request");
    assert!(
        TcpStream::connect(running.address).await.is_err(),
        "it takes no other"
    );
    begun.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    service.await.unwrap().unwrap();
}
