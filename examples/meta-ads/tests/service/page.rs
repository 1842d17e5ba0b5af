//! The page to browse the API, in a real browser without a network.

use std::env;
use std::path::PathBuf;

use meta_ads::client::Client;
use serde_json::Value;
use tokio::process::Command;

use super::embedded;

/// The browser: what `CHROMIUM` names, or the first of the usual names on the `PATH`.
fn chromium() -> PathBuf {
    if let Some(named) = env::var_os("CHROMIUM") {
        return named.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
        .expect("Chromium opens the page: `apt-get install chromium`, or name it in CHROMIUM")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "opens Chromium, which not every machine has; `.ci/run` does"]
async fn a_browser_shows_every_operation() {
    let running = embedded().await;
    let profile = env::temp_dir().join(format!("meta-ads-chromium-{}", std::process::id()));
    let mut browser = Command::new(chromium());
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        // Nothing but this service is to be had.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg("--virtual-time-budget=60000")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{}/docs", running.address));
    let shown = browser.output().await.unwrap();
    std::fs::remove_dir_all(&profile).unwrap();
    let page = String::from_utf8_lossy(&shown.stdout);
    assert!(
        shown.status.success(),
        "{}",
        String::from_utf8_lossy(&shown.stderr)
    );
    for (method, path) in [
        ("post", "/login"),
        ("get", "/campaigns"),
        ("post", "/campaigns"),
        ("patch", "/campaigns/{id}"),
        ("delete", "/connections/{id}"),
        ("get", "/snapshots/{id}"),
        ("get", "/campaigns/{id}/days"),
    ] {
        let shown = page.split("class=\"opblock ").any(|block| {
            block.contains(&format!("opblock-{method}")) && block.contains(&format!("data-path=\"{path}\""))
        });
        assert!(shown, "{method} {path} is not on the page:\n{page}");
    }
    for schema in ["NewCampaign", "CampaignPatch", "Problem"] {
        assert!(page.contains(schema), "{schema} is not on the page");
    }
    assert!(
        !page.contains("errors-wrapper"),
        "the page tells of errors:\n{page}"
    );
}

/// The targets of all `$ref`s.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let running = embedded().await;
    let description = Client::new(running.address)
        .get("/openapi.json")
        .await
        .unwrap()
        .body;
    let mut found = Vec::new();
    references(&description, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let target = description.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference} leads nowhere");
    }
    let asked = &description["paths"]["/campaigns"]["get"]["parameters"];
    for name in [
        "budget.daily",
        "status",
        "status[not_in]",
        "name[starts_with]",
        "after",
    ] {
        let told = asked
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == name);
        assert!(told, "{name} is not told: {asked}");
    }
}
