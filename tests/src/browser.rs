//! A real Chromium, through chromedriver, or another browser in its place: one of each a test, both gone with it.

use std::process::Command;

use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{Capabilities, WebDriver};

use crate::built;
use crate::process::Process;
use crate::wild::{Kind, Motion, Wild};
use crate::witness::{Files, Witness};

const FLAGS: [&str; 9] = [
    "--headless=new",
    // Tests run as root in containers; the page is our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Shared memory is small in containers.
    "--disable-dev-shm-usage",
];

pub(crate) fn flags(motion: Motion) -> Vec<&'static str> {
    let wish = (motion == Motion::Less).then_some("--force-prefers-reduced-motion");
    FLAGS.into_iter().chain(wish).collect()
}

pub struct Browser {
    pub driver: WebDriver,
    // After the session: the driver's process must outlive it.
    process: Keeper,
}

#[allow(dead_code, reason = "they end when they are dropped")]
enum Keeper {
    Chromedriver(Process),
    /// Another browser, and what stands for the hosts that it may not reach.
    Other(Box<Wild>, Witness),
}

impl Browser {
    pub async fn start() -> Browser {
        Browser::start_on(Motion::Any).await
    }

    async fn start_on(motion: Motion) -> Browser {
        insist(async || Browser::try_start(motion).await).await
    }

    async fn try_start(motion: Motion) -> Result<Browser, String> {
        let (process, port) = chromedriver();
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags(motion), "binary": built::chromium()},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let driver = session(port, capabilities).await;
        let driver = driver.map_err(|error| format!("no Chromium: {error}\n{}", process.said()))?;
        Ok(Browser { driver, process: Keeper::Chromedriver(process) })
    }

    /// The same in each of the three, on a system that wishes this.
    pub async fn of(kind: Kind, motion: Motion) -> Browser {
        if kind == Kind::Chromium {
            return Browser::start_on(motion).await;
        }
        let outside = Witness::start(Files::default()).await;
        let wild = kind.start_on(motion, outside.address()).await;
        Browser { driver: wild.driver.clone(), process: Keeper::Other(Box::new(wild), outside) }
    }

    /// What the console says since it was last asked: errors of scripts, of the network, of the policy. Only Chromium's
    /// driver has it.
    pub async fn log(&self) -> Vec<LogLine> {
        if let Keeper::Other(..) = self.process {
            return Vec::new();
        }
        let entries = self.driver.browser_log().await.expect("chromedriver has the log");
        entries.into_iter().map(|entry| LogLine { level: entry.level, message: entry.message }).collect()
    }

    /// Hides the tab as a minimised window does: `document.visibilityState` says so and no frames are drawn.
    pub async fn hide(&self) {
        self.driver.minimize_window().await.expect("the window can be minimised");
    }

    pub async fn show(&self) {
        self.driver.set_window_rect(0, 0, 1000, 800).await.expect("the window can be restored");
    }

    /// Ends the session, then the processes.
    pub async fn quit(self) {
        let _ = self.driver.quit().await;
        drop(self.process);
    }
}

/// A driver gives its browser a time of its own to start, which a busy machine overruns; and a port that was free may be taken
/// a moment later. Nothing of a test has happened yet: it may be tried again, with another driver.
pub(crate) async fn insist<T>(start: impl AsyncFn() -> Result<T, String>) -> T {
    for tries in 1.. {
        match start().await {
            Ok(started) => return started,
            Err(error) if tries < 3 => eprintln!("{error}\nonce more"),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it ends by itself")
}

pub(crate) async fn session(port: u16, capabilities: Value) -> WebDriverResult<WebDriver> {
    let Value::Object(capabilities) = capabilities else { unreachable!("it is written as an object") };
    WebDriver::new(format!("http://127.0.0.1:{port}"), Capabilities::from(capabilities)).await
}

/// It takes a free port for IPv4 and needs the same one for IPv6: where another test has that one it gives up, and the
/// next try takes another.
pub(crate) fn chromedriver() -> (Process, u16) {
    let mut said = String::new();
    for _ in 0..3 {
        let started = Process::start(Command::new(built::chromedriver()).arg("--port=0"), |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        match started {
            Ok(started) => return started,
            Err(error) => said = error,
        }
    }
    panic!("{said}");
}

#[derive(Debug, Clone)]
pub struct LogLine {
    pub level: String,
    pub message: String,
}

impl LogLine {
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == "SEVERE"
    }
}
