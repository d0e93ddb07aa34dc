//! One test's world: a provider, a relay, a link and a browser of its own, and the check that the page never complained.

use std::fs;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt;

use crate::browser::{Browser, LogLine};
use crate::built;
use crate::link::Link;
use crate::page::Page;
use crate::relay::Relay;
use crate::upstream::Upstream;
use crate::wild::{Kind, Motion};

#[derive(Default, PartialEq, Eq)]
enum Provider {
    /// The scene's upstream server.
    #[default]
    Upstream,
    /// None in the environment: what is left is the one that is embedded in the relay.
    Embedded,
}

/// What a test asks for.
#[derive(Default)]
pub struct Setup {
    /// A page of tests/pages instead of the demo's.
    page: Option<&'static str>,
    /// A folder that is served as it is.
    site: Option<PathBuf>,
    provider: Provider,
    relay_args: Vec<String>,
    relay_env: Vec<(&'static str, &'static str)>,
    /// Console errors that this test brings about on purpose, by a part of their text.
    expected: Vec<&'static str>,
    motion: Motion,
}

impl Setup {
    #[must_use]
    pub fn page(mut self, name: &'static str) -> Setup {
        self.page = Some(name);
        self
    }

    /// A site that a test has built.
    #[must_use]
    pub fn site(mut self, folder: PathBuf) -> Setup {
        self.site = Some(folder);
        self
    }

    /// Nothing of a provider in the relay's environment.
    #[must_use]
    pub fn no_provider(mut self) -> Setup {
        self.provider = Provider::Embedded;
        self
    }

    #[must_use]
    pub fn relay_args(mut self, args: &[&str]) -> Setup {
        self.relay_args.extend(args.iter().map(ToString::to_string));
        self
    }

    #[must_use]
    pub fn relay_env(mut self, name: &'static str, value: &'static str) -> Setup {
        self.relay_env.push((name, value));
        self
    }

    /// The reader's system wishes less motion.
    #[must_use]
    pub fn less_motion(mut self) -> Setup {
        self.motion = Motion::Less;
        self
    }

    /// This test brings about errors on the console, which say this.
    #[must_use]
    pub fn console_says(mut self, part: &'static str) -> Setup {
        self.expected.push(part);
        self
    }

    /// The browser itself logs a WebSocket that could not be opened or was cut; no page can prevent that.
    #[must_use]
    pub fn sockets_are_lost(mut self) -> Setup {
        self.expected.push("WebSocket connection to");
        self
    }
}

pub struct Scene {
    pub upstream: Upstream,
    pub relay: Relay,
    pub link: Link,
    pub page: Page,
    pub browser: Browser,
}

/// Plays one test. Whatever happens, the browser is closed; and a test that passes must have left a clean console.
pub fn play(setup: Setup, test: impl AsyncFnOnce(&mut Scene)) {
    play_in(Kind::Chromium, setup, test);
}

/// The same in one of three browsers. Of the other two nobody knows what their console says.
pub fn play_in(kind: Kind, setup: Setup, test: impl AsyncFnOnce(&mut Scene)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let own = setup.page.is_some() || setup.site.is_some();
        let site = match setup.site.clone() {
            Some(folder) => Site { folder, temporary: false },
            None => Site::make(setup.page),
        };
        let upstream = Upstream::start().await;
        let base_url = (setup.provider == Provider::Upstream).then(|| upstream.base_url());
        let relay = Relay::start(&site.folder, base_url.as_deref(), &setup.relay_args, &setup.relay_env);
        let link = Link::start(relay.address()).await;
        let browser = Browser::of(kind, setup.motion).await;
        let page = Page::new(browser.driver.clone());
        let mut scene = Scene { upstream, relay, link, page, browser };
        let outcome = AssertUnwindSafe(async {
            scene.page.goto(&scene.link.url()).await;
            if !own {
                scene
                    .page
                    .until("a conversation", async |page| {
                        (!page.conversation().await.is_empty()).then_some(())
                    })
                    .await;
            }
            test(&mut scene).await;
        })
        .catch_unwind()
        .await;
        let log = AssertUnwindSafe(scene.browser.log()).catch_unwind().await.unwrap_or_default();
        let said = scene.relay.said();
        let frames = last_frames(&scene.link, 80);
        let Scene { browser, .. } = scene;
        browser.quit().await;

        if let Err(panic) = outcome {
            println!("console: {log:#?}\nrelay:\n{said}\nthe last frames:\n{frames}");
            resume_unwind(panic);
        }
        assert_clean(&log, &setup.expected);
        assert!(!said.contains("panicked at"), "the relay panicked:\n{said}");
    });
}

/// What went over the link last, a line a frame.
fn last_frames(link: &Link, n: usize) -> String {
    let seen = link.seen();
    let lines = seen.iter().skip(seen.len().saturating_sub(n)).map(|seen| {
        let frame: String = seen.frame.to_string().chars().take(300).collect();
        format!("{} {:?} {frame}", seen.socket, seen.from)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// No violation of the policy, no error of a script, no panic of the wasm: all of them are errors on the console.
pub(crate) fn assert_clean(log: &[LogLine], expected: &[&str]) {
    let errors: Vec<_> = log
        .iter()
        .filter(|line| line.is_error() || line.message.contains("panicked at"))
        .filter(|line| !expected.iter().any(|part| line.message.contains(part)))
        .collect();
    assert!(errors.is_empty(), "the page logged errors: {errors:#?}");
}

/// The folder that the relay serves: the built one, or a test's page with the package beside it.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    temporary: bool,
}

impl Site {
    pub(crate) fn make(page: Option<&str>) -> Site {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let built = built::site();
        let Some(page) = page else { return Site { folder: built, temporary: false } };
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("riacho-tests-{}-{n}", std::process::id()));
        copy(&built.join("riacho"), &folder.join("riacho"));
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pages").join(page), &folder);
        Site { folder, temporary: true }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder in the temporary one");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("the folder can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy in the temporary folder");
        }
    }
}
