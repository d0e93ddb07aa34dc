//! The real relay as a real process, on a free port.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built;
use crate::process::Process;

pub struct Relay {
    process: Process,
    address: SocketAddr,
    site: PathBuf,
    upstream: Option<String>,
    args: Vec<String>,
    env: Vec<(&'static str, &'static str)>,
}

impl Relay {
    /// Starts it with this site; with an upstream, that is the provider, else only the embedded demo is there.
    #[must_use]
    pub fn start(
        site: &Path,
        upstream: Option<&str>,
        args: &[String],
        env: &[(&'static str, &'static str)],
    ) -> Relay {
        let (process, address) = launch(0, site, upstream, args, env);
        let (site, upstream) = (site.to_owned(), upstream.map(str::to_owned));
        Relay { process, address, site, upstream, args: args.to_vec(), env: env.to_vec() }
    }

    /// Kills it with SIGKILL and starts it again at the same address, with the same settings.
    pub fn kill_and_restart(&mut self) {
        self.process.kill();
        let port = self.address.port();
        (self.process, _) = launch(port, &self.site, self.upstream.as_deref(), &self.args, &self.env);
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

fn launch(
    port: u16,
    site: &Path,
    upstream: Option<&str>,
    args: &[String],
    env: &[(&str, &str)],
) -> (Process, SocketAddr) {
    let mut command = Command::new(built::relay());
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]).arg("--site").arg(site).args(args);
    // Nothing of the developer's own settings, and certainly no real key.
    for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "OPENAI_RESPONSES"] {
        command.env_remove(name);
    }
    // Each its own, gone with the process; a `--store` among the arguments goes before it.
    command.env("RIACHO_STORE", ":memory:");
    // A failure is to be seen at once.
    command.env("RIACHO_RETRIES", "0");
    if let Some(base_url) = upstream {
        command.env("OPENAI_BASE_URL", base_url).env("OPENAI_API_KEY", "key-of-the-tests");
    }
    command.envs(env.iter().copied());
    Process::start(&mut command, |line| {
        line.strip_prefix("riacho-relay listening on http://")?.trim_end_matches('/').parse().ok()
    })
    .unwrap_or_else(|said| panic!("{said}"))
}
