//! What is told of requests.

use std::io;
use std::sync::{Arc, Mutex};

use meta_ads::client::Client;
use serde_json::json;
use tracing::subscriber::set_default;

use super::embedded;

/// What was written, for the test to read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn spans_have_routes_and_no_values() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let _guard = set_default(subscriber.finish());
    let running = embedded().await;
    let anybody = Client::new(running.address);
    let ada = anybody
        .sign_in("ada@acme.example", "correct horse")
        .await
        .unwrap();
    let new = json!({ "adAccountId": "act_4242", "accessToken": "EAAB4242" });
    let made = ada.post("/connections", &new).await.unwrap();
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(ada.get(&format!("/connections/{id}")).await.unwrap().status, 200);
    let listed = ada.get("/users?email=grace%40acme.example").await.unwrap();
    assert_eq!(listed.status, 200, "{}", listed.body);
    assert_eq!(ada.get("/nowhere/else").await.unwrap().status, 404);
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for fact in [
        "request{method=POST route=\"/login\"}",
        "request{method=GET route=\"/connections/{id}\"}",
        "request{method=GET route=\"none\"}",
        "status=201",
        "status=404",
        "milliseconds=",
    ] {
        assert!(told.contains(fact), "{fact} is not told:\n{told}");
    }
    for value in ["acme", "grace", "horse", "4242", id, "nowhere"] {
        assert!(!told.contains(value), "{value} is told:\n{told}");
    }
}
