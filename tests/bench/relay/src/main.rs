//! Drives the relay and its peers, each a process of its own, with the same streams and the same readers, and writes what it
//! measured into docs/BENCHMARKS.md.
//!
//!   riacho-bench-relay --relay PROGRAM --out FILE [--socketio FOLDER] [--flask PYTHON] [--quick]
//!   riacho-bench-relay floor PORT SOURCE
//!
//! The provider is in here (`source`), and so are the readers (`load`): one clock times both ends. Each token is the time at
//! which it was written.

mod compression;
mod dialect;
mod floor;
mod load;
mod process;
mod report;
mod source;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::dialect::Dialect;
use crate::load::Shape;
use crate::process::{Peer, Server};
use crate::report::Row;
use crate::source::Source;

/// How many idle connections are weighed: the peers in less, since theirs weigh more.
const IDLE: usize = 5_000;
const IDLE_QUICK: usize = 500;
/// Flask's threads of greenlets take long to accept.
const IDLE_FLASK: usize = 1_000;

struct Options {
    relay: PathBuf,
    socketio: Option<PathBuf>,
    flask: Option<PathBuf>,
    out: PathBuf,
    quick: bool,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let of = |name: &str| -> Option<PathBuf> {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1).map(PathBuf::from)
        };
        Ok(Self {
            relay: of("--relay").context("--relay PROGRAM is missing")?,
            socketio: of("--socketio"),
            flask: of("--flask"),
            out: of("--out").context("--out FILE is missing")?,
            quick: args.iter().any(|arg| arg == "--quick"),
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["floor", port, source] => floor::serve(port.parse()?, source).await,
        [] => bail!("--relay PROGRAM --out FILE [--socketio FOLDER] [--flask PYTHON] [--quick]"),
        _ => measure(&Options::parse(&args)?).await,
    }
}

async fn measure(options: &Options) -> Result<()> {
    let source = Source::start().await?;
    let mut peers = vec![Peer::Riacho(options.relay.clone()), Peer::Floor(std::env::current_exe()?)];
    peers.extend(options.socketio.clone().map(Peer::SocketIo));
    peers.extend(options.flask.clone().map(Peer::Flask));
    let seconds = if options.quick { 2 } else { 10 };
    let shapes = [
        Shape { runs: 50, readers: 1, tokens_a_second: 50, seconds },
        Shape { runs: 10, readers: 20, tokens_a_second: 50, seconds },
        Shape { runs: 10, readers: 20, tokens_a_second: 2_000, seconds: seconds.min(5) },
    ];
    let mut rows = Vec::new();
    for peer in &peers {
        let mut loads = Vec::new();
        for shape in shapes {
            eprintln!("{}: {shape}", peer.name());
            let server = Server::start(peer, &source).await?;
            loads.push(load::run(&server, &source, shape).await?);
        }
        let idle = match peer {
            _ if options.quick => IDLE_QUICK,
            Peer::Flask(_) => IDLE_FLASK,
            _ => IDLE,
        };
        eprintln!("{}: {idle} idle connections", peer.name());
        let server = Server::start(peer, &source).await?;
        let idle = load::idle(&server, idle).await?;
        let resumed = match peer.dialect() {
            Dialect::Riacho => Some(load::resume(&server, &source, 100_000, 20).await?),
            // They keep nothing: whoever comes back has missed it.
            Dialect::Floor | Dialect::SocketIo => None,
        };
        rows.push(Row { name: peer.name(), loads, idle, resumed });
    }
    report::write(&options.out, &shapes, &rows, &compression::measure()?, options.quick)
}
