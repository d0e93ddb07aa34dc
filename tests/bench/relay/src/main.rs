//! Drives the relay and its peers, each a process of its own, with the same streams and the same readers, and writes what it
//! measured into docs/BENCHMARKS.md.
//!
//!   riacho-bench-relay --relay PROGRAM --out FILE [--socketio FOLDER] [--flask PYTHON] [--quick] [--rounds N]
//!   riacho-bench-relay floor PORT SOURCE
//!   riacho-bench-relay compare RUNSxREADERSxTOKENS SECONDS ROUNDS PROGRAM…
//!
//! The provider is in here (`source`), and so are the readers (`load`): one clock times both ends. Each token is the time at
//! which it was written.

mod aims;
mod compare;
mod compression;
mod dialect;
mod floor;
mod load;
mod process;
mod report;
mod source;
mod stall;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::load::{Load, Shape};
use crate::process::{Peer, Server};
use crate::report::{Measured, Row};
use crate::source::Source;

/// How many idle connections are weighed.
const IDLE: usize = 5_000;
const IDLE_QUICK: usize = 500;
/// How often riacho and the floor are measured, in turns; of each figure the one in the middle counts.
const ROUNDS: usize = 3;
/// Readers that stop, and for how many seconds.
const STOPPED: usize = 20;
const STOPPED_FOR: u64 = 8;
const STOPPED_FOR_QUICK: u64 = 4;
/// The text that one comes back to, in bytes.
const MISSED: usize = 100_000;

struct Options {
    relay: PathBuf,
    socketio: Option<PathBuf>,
    flask: Option<PathBuf>,
    out: PathBuf,
    quick: bool,
    rounds: usize,
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
            rounds: match of("--rounds") {
                Some(rounds) => rounds.to_string_lossy().parse().context("--rounds takes a number")?,
                None => ROUNDS,
            },
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["compare", shape, seconds, rounds, programs @ ..] => {
            compare::measure(shape, seconds, rounds, programs).await
        }
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
    let began = Instant::now();
    let seconds = if options.quick { 2 } else { 6 };
    let shapes = [
        Shape { runs: 50, readers: 1, tokens_a_second: 50, seconds },
        Shape { runs: 10, readers: 20, tokens_a_second: 50, seconds },
        Shape { runs: 1, readers: 20, tokens_a_second: 2_000, seconds },
    ];
    let mut rows: Vec<Row> = peers.iter().map(|peer| Row::new(peer.name())).collect();
    for shape in shapes {
        let mut rounds: Vec<Vec<Load>> = vec![Vec::new(); peers.len()];
        for round in 0..options.rounds {
            for (peer, loads) in peers.iter().zip(&mut rounds) {
                // The aims are a comparison of these two.
                if round > 0 && !matches!(peer, Peer::Riacho(_) | Peer::Floor(_)) {
                    continue;
                }
                eprintln!("{}: {shape}, round {}", peer.name(), round + 1);
                let server = Server::start(peer, &source).await?;
                loads.extend(load::run(&server, &source, shape).await?);
            }
        }
        for (row, loads) in rows.iter_mut().zip(rounds) {
            row.loads.push(Load::median(&loads));
        }
    }
    let idle = if options.quick { IDLE_QUICK } else { IDLE };
    let stopped_for = if options.quick { STOPPED_FOR_QUICK } else { STOPPED_FOR };
    for (peer, row) in peers.iter().zip(&mut rows) {
        eprintln!("{}: {idle} idle connections", peer.name());
        let server = Server::start(peer, &source).await?;
        row.idle = load::idle(&server, idle).await?;
        drop(server);
        eprintln!("{}: coming back", peer.name());
        row.resumed = Some(load::resume(peer, &source, MISSED, 20).await?);
        eprintln!("{}: {STOPPED} readers that stop", peer.name());
        row.stall = stall::measure(peer, &source, STOPPED, stopped_for).await?;
    }
    let measured =
        Measured { shapes: &shapes, rows: &rows, savings: &compression::measure()?, quick: options.quick };
    report::write(&options.out, &measured, began.elapsed())
}
