//! The servers: how each is started, and what it costs, as the kernel counts it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::dialect::Dialect;
use crate::source::Source;

/// Who is measured.
#[derive(Clone, PartialEq, Eq)]
pub enum Peer {
    Riacho(PathBuf),
    Floor(PathBuf),
    /// The folder of `server.mjs` and its packages.
    SocketIo(PathBuf),
    /// A Python that has Flask-SocketIO.
    Flask(PathBuf),
}

impl Peer {
    pub fn name(&self) -> &'static str {
        match self {
            Peer::Riacho(_) => "riacho",
            Peer::Floor(_) => "floor",
            Peer::SocketIo(_) => "Socket.IO",
            Peer::Flask(_) => "Flask-SocketIO",
        }
    }

    pub fn dialect(&self) -> Dialect {
        match self {
            Peer::Riacho(_) => Dialect::Riacho,
            Peer::Floor(_) => Dialect::Floor,
            Peer::SocketIo(_) | Peer::Flask(_) => Dialect::SocketIo,
        }
    }
}

pub struct Server {
    child: Child,
    pub address: String,
    pub dialect: Dialect,
    /// The store, where there is one.
    folder: Option<PathBuf>,
}

impl Server {
    /// Starts it, and waits for the line that says where it listens.
    pub async fn start(peer: &Peer, source: &Source) -> Result<Self> {
        Self::start_with(peer, source, None).await
    }

    /// As one can come back to it. None: it keeps nothing.
    pub async fn that_keeps(peer: &Peer, source: &Source) -> Result<Option<Self>> {
        Ok(match peer {
            Peer::Riacho(_) => Some(Self::start(peer, source).await?),
            Peer::SocketIo(_) => Some(Self::start_with(peer, source, Some("recover")).await?),
            Peer::Floor(_) | Peer::Flask(_) => None,
        })
    }

    async fn start_with(peer: &Peer, source: &Source, more: Option<&str>) -> Result<Self> {
        let source = format!("http://{}", source.address);
        let mut folder = None;
        let mut command = match peer {
            Peer::Riacho(program) => {
                let store = std::env::temp_dir().join(format!("riacho-bench-{}", uuid::Uuid::now_v7()));
                let mut command = Command::new(program);
                command.args([
                    "--log",
                    "warn",
                    "--port",
                    "0",
                    "--max-runs",
                    "0",
                    "--max-sockets",
                    "0",
                    "--store",
                ]);
                command.arg(store.join("relay.db"));
                command.env("OPENAI_BASE_URL", format!("{source}/v1")).env("OPENAI_API_KEY", "none");
                folder = Some(store);
                command
            }
            Peer::Floor(program) => {
                let mut command = Command::new(program);
                command.args(["floor", "0", &source]);
                command
            }
            Peer::SocketIo(folder) => {
                let mut command = Command::new("node");
                command.arg("server.mjs").arg(&source).args(more).current_dir(folder);
                command
            }
            Peer::Flask(python) => {
                let mut command = Command::new(python);
                let server = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/flask/server.py");
                command.arg(server).arg(&source);
                command
            }
        };
        let mut child =
            command.stdout(Stdio::piped()).kill_on_drop(true).spawn().context("a server can't be started")?;
        let lines = child.stdout.take().context("no stdout")?;
        let mut lines = BufReader::new(lines).lines();
        let first = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        let line = first.context("a server did not start")??.unwrap_or_default();
        let Some((_, address)) = line.rsplit_once(' ') else { bail!("{} said {line:?}", peer.name()) };
        let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Ok(Self { child, address, dialect: peer.dialect(), folder })
    }

    fn read(&self, file: &str) -> Result<String> {
        let id = self.child.id().context("the server has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// CPU seconds of all its threads, so far.
    pub fn cpu(&self) -> Result<f64> {
        // proc(5): after the name, fields 14 and 15 are user and system time in ticks of a hundredth of a second.
        let stat = self.read("stat")?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
        Ok((ticks(11) + ticks(12)) / 100.0)
    }

    /// `VmRSS`, what it holds, or `VmHWM`, the most it held; in bytes.
    pub fn memory(&self, figure: &str) -> Result<f64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).context("no such figure")?;
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        Ok(digits.parse::<f64>()? * 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
