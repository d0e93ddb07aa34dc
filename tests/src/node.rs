//! A page at a server of another's: a script of tests/servers under Node, a real Chromium, and no relay.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::Command;

use futures_util::FutureExt;

use crate::browser::Browser;
use crate::page::Page;
use crate::process::Process;
use crate::scene::{Site, assert_clean};

pub struct Stage {
    pub page: Page,
    pub browser: Browser,
    server: Process,
    url: String,
}

impl Stage {
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Plays one test with a page of tests/pages, served by this script of tests/servers.
pub fn play_at(script: &str, page: &'static str, expected: &[&str], test: impl AsyncFnOnce(&Stage)) {
    let site = Site::make(Some(page));
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(script)).arg(&site.folder);
    play_with(&mut command, "listening on ", expected, test);
}

/// Plays one test at the page of this server, which prints its address behind `before`. A test that passes must have left
/// a clean console, but for errors that it brings about on purpose.
pub fn play_with(command: &mut Command, before: &str, expected: &[&str], test: impl AsyncFnOnce(&Stage)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (server, url) = Process::start(command, |line| {
            let (_, url) = line.split_once(before)?;
            Some(url.trim().to_owned())
        })
        .unwrap_or_else(|said| panic!("{said}"));
        let browser = Browser::start().await;
        let page = Page::new(browser.driver.clone());
        let stage = Stage { page, browser, server, url };
        let outcome = AssertUnwindSafe(async {
            stage.page.goto(&stage.url).await;
            test(&stage).await;
        })
        .catch_unwind()
        .await;
        let log = AssertUnwindSafe(stage.browser.log()).catch_unwind().await.unwrap_or_default();
        let said = stage.server.said();
        stage.browser.quit().await;
        if let Err(panic) = outcome {
            println!("console: {log:#?}\nserver:\n{said}");
            resume_unwind(panic);
        }
        assert_clean(&log, expected);
    });
}
