//! The real relay as a real process, on a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::built;
use crate::process::Process;

pub struct Relay {
    process: Process,
    address: SocketAddr,
}

impl Relay {
    /// Starts it with this site; with an upstream, that is the provider, else only the embedded demo is there.
    #[must_use]
    pub fn start(site: &Path, upstream: Option<&str>, args: &[String]) -> Relay {
        let mut command = Command::new(built::relay());
        command.args(["--host", "127.0.0.1", "--port", "0"]).arg("--site").arg(site).args(args);
        // Nothing of the developer's own settings, and certainly no real key.
        for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"] {
            command.env_remove(name);
        }
        // Each its own, gone with the process; a `--store` among the arguments goes before it.
        command.env("RIACHO_STORE", ":memory:");
        // A failure is to be seen at once.
        command.env("RIACHO_RETRIES", "0");
        if let Some(base_url) = upstream {
            command.env("OPENAI_BASE_URL", base_url).env("OPENAI_API_KEY", "key-of-the-tests");
        }
        let (process, address) = Process::start(&mut command, |line| {
            line.strip_prefix("riacho-relay listening on http://")?.trim_end_matches('/').parse().ok()
        })
        .unwrap_or_else(|said| panic!("{said}"));
        Relay { process, address }
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it logged so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.said()
    }
}
