//! The page to browse the API, in a real browser without a network.

use std::env;
use std::path::PathBuf;

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
