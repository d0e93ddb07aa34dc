//! A page of tests/pages under the demo's policy, in a real browser: every request is seen, and so is every violation.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::wild::{Kind, Wild};
use crate::witness::{Files, Witness};
use crate::{PATIENCE, built};

/// The demo's.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                          connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

pub struct Stage {
    pub kind: Kind,
    pub browser: Wild,
    /// Serves the page.
    pub server: Witness,
    /// Stands for every other host.
    pub elsewhere: Witness,
}

/// Plays a test on the page `tests/pages/NAME`, opened with this query.
pub fn play(kind: Kind, page: &str, query: &str, test: impl AsyncFnOnce(&Stage)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages").join(page);
        let files = Files::default()
            .folder("", &folder)
            .folder("/riacho", &built::site().join("riacho"))
            .folder("/vendor", &built::site().join("vendor"))
            .policy(POLICY);
        let server = Witness::start(files).await;
        let elsewhere = Witness::start(Files::default()).await;
        let browser = kind.start(elsewhere.address()).await;
        let url = server.url(&format!("/index.html{query}"));
        browser.driver.goto(&url).await.expect("the page loads");
        let stage = Stage { kind, browser, server, elsewhere };
        stage.until("return globalThis.ready === true;").await;
        test(&stage).await;
        let complaints: Vec<String> = stage.run("return complaints;", vec![]).await;
        assert!(complaints.is_empty(), "the page complained: {complaints:#?}");
        stage.browser.quit().await;
    });
}

impl Stage {
    /// Runs a script; what it returns may be promised.
    pub async fn run<T: DeserializeOwned>(&self, script: &str, args: Vec<Value>) -> T {
        let body = format!("return (async (...args) => {{ {script} }})(...arguments);");
        let done = self.browser.driver.execute(body, args).await;
        let done = done.unwrap_or_else(|error| panic!("{:?}: a script failed: {error}\n{script}", self.kind));
        serde_json::from_value(done.json().clone()).unwrap_or_else(|error| {
            panic!("a script returned something else: {error}: {:?}\n{script}", done.json())
        })
    }

    /// Waits until a script returns true.
    pub async fn until(&self, script: &str) {
        let began = Instant::now();
        while self.run::<Value>(script, vec![]).await != json!(true) {
            assert!(began.elapsed() < PATIENCE, "{:?}: this never came true: {script}", self.kind);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// What was asked for since this was last called, here and elsewhere.
    pub fn asked(&self) -> Vec<String> {
        let seen = [&self.server, &self.elsewhere].into_iter().flat_map(Witness::take);
        seen.filter(|request| !self.kind.asks_by_itself(request)).collect()
    }
}
