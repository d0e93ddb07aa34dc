//! Three real browsers, each behind a proxy of the test's: none can reach a host without the test seeing it.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::WebDriver;

use crate::pack::Folder;
use crate::process::Process;
use crate::{PATIENCE, browser, built};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Chromium,
    Firefox,
    WebKit,
}

/// What the system asks pages for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Motion {
    #[default]
    Any,
    /// `prefers-reduced-motion: reduce`.
    Less,
}

pub struct Wild {
    pub driver: WebDriver,
    // After the session, in this order: the driver, then the screen.
    _driver: Process,
    _screen: Option<Process>,
    _settings: Option<Folder>,
}

impl Kind {
    /// What the browser asks for of its own accord, whatever page is open.
    #[must_use]
    pub fn asks_by_itself(self, request: &str) -> bool {
        let hosts: &[&str] = match self {
            Kind::Chromium => &["google.com", "googleapis.com", "gvt1.com", "gstatic.com"],
            Kind::Firefox => &["mozilla.com", "mozilla.net", "mozilla.org", "firefox.com"],
            Kind::WebKit => &[],
        };
        let target = request.split_once(' ').map_or(request, |(_, target)| target);
        let host = target.split_once("://").map_or(target, |(_, rest)| rest);
        let host = host.split(['/', ':', '?']).next().unwrap_or_default();
        hosts.iter().any(|known| host == *known || host.ends_with(&format!(".{known}")))
    }

    /// Starts it. All that does not go to 127.0.0.1 goes to `proxy`.
    pub async fn start(self, proxy: SocketAddr) -> Wild {
        self.start_on(Motion::Any, proxy).await
    }

    /// The same, on a system that wishes this.
    pub async fn start_on(self, motion: Motion, proxy: SocketAddr) -> Wild {
        browser::insist(async || self.try_start(motion, proxy).await).await
    }

    async fn try_start(self, motion: Motion, proxy: SocketAddr) -> Result<Wild, String> {
        let less = motion == Motion::Less;
        let mut settings = None;
        let proxy = json!({
            "proxyType": "manual",
            "httpProxy": proxy.to_string(),
            "sslProxy": proxy.to_string(),
            "noProxy": ["127.0.0.1"],
        });
        let (driver, screen, port, mut capabilities) = match self {
            Kind::Chromium => {
                let (driver, port) = browser::chromedriver();
                let options = json!({"args": browser::flags(motion), "binary": built::chromium()});
                let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options});
                (driver, None, port, capabilities)
            }
            Kind::Firefox => {
                let mut command = Command::new(built::geckodriver());
                // A test may change what the system wishes while the page is open.
                command.args(["--port", "0", "--websocket-port", "0", "--allow-system-access"]);
                let (driver, port) = started(&mut command, |line| {
                    line.split_once("Listening on 127.0.0.1:")?.1.trim().parse().ok()
                });
                let options = json!({"binary": built::firefox(), "args": ["-headless"], "prefs": {
                    "network.captive-portal-service.enabled": false,
                    "network.connectivity-service.enabled": false,
                    "network.dns.disablePrefetch": false,
                    "network.proxy.allow_hijacking_localhost": false,
                    "app.normandy.enabled": false,
                    "datareporting.policy.dataSubmissionEnabled": false,
                    "toolkit.telemetry.enabled": false,
                    "browser.safebrowsing.malware.enabled": false,
                    "browser.safebrowsing.phishing.enabled": false,
                    "ui.prefersReducedMotion": i32::from(less),
                }});
                let capabilities = json!({"browserName": "firefox", "moz:firefoxOptions": options});
                (driver, None, port, capabilities)
            }
            Kind::WebKit => {
                // It draws on a screen, and can't do without.
                let (screen, display) = started(
                    Command::new("Xvfb").args([
                        "-displayfd",
                        "1",
                        "-screen",
                        "0",
                        "1000x800x24",
                        "-nolisten",
                        "tcp",
                    ]),
                    |line| line.trim().parse::<u32>().ok(),
                );
                // Where GTK reads what a desktop would tell it.
                let folder = Folder::make("desktop");
                let gtk = folder.0.join("gtk-3.0");
                let wish = format!("[Settings]\ngtk-enable-animations={}\n", i32::from(!less));
                fs::create_dir(&gtk)
                    .and_then(|()| fs::write(gtk.join("settings.ini"), wish))
                    .expect("a settings file");
                let port = free_port();
                // The driver says nothing when it is there.
                let (driver, ()) = started(
                    Command::new("sh")
                        .args(["-c", "echo up; exec \"$0\" \"$@\""])
                        .arg(built::webkit_driver())
                        .arg(format!("--port={port}"))
                        .env("DISPLAY", format!(":{display}"))
                        .env("NO_AT_BRIDGE", "1")
                        .env("XDG_CONFIG_HOME", &folder.0)
                        // Tests run as root in containers, where its sandbox has no namespaces to make.
                        .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
                        .env("LIBGL_ALWAYS_SOFTWARE", "1")
                        .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
                    |line| (line == "up").then_some(()),
                );
                settings = Some(folder);
                listening(port, &driver).await?;
                let options = json!({"binary": built::webkit(), "args": ["--automation"]});
                let capabilities = json!({"browserName": "MiniBrowser", "webkitgtk:browserOptions": options});
                (driver, Some(screen), port, capabilities)
            }
        };
        capabilities["proxy"] = proxy;
        capabilities["timeouts"] = json!({"script": 300_000});
        let session = browser::session(port, capabilities).await;
        let session = session.map_err(|error| format!("no {self:?}: {error}\n{}", driver.said()))?;
        session.set_script_timeout(Duration::from_secs(300)).await.expect("a script may take its time");
        Ok(Wild { driver: session, _driver: driver, _screen: screen, _settings: settings })
    }
}

impl Wild {
    pub async fn quit(self) {
        let _ = self.driver.clone().quit().await;
    }
}

fn started<T>(command: &mut Command, find: impl Fn(&str) -> Option<T>) -> (Process, T) {
    Process::start(command, find).unwrap_or_else(|said| panic!("{command:?} did not start: {said}"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The port was free a moment ago: somebody else may be there now, and then the driver has ended.
async fn listening(port: u16, driver: &Process) -> Result<(), String> {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if began.elapsed() > PATIENCE {
            return Err(format!("nothing listens on port {port}:\n{}", driver.said()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
