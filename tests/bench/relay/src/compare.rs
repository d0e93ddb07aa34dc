//! Builds of the relay beside the floor, in turns, in one shape: for work on the relay. It prints, and writes no file.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::load::{self, Load, Shape};
use crate::process::{Peer, Server};
use crate::source::Source;

/// `RUNSxREADERSxTOKENS`, such as `50x1x50`, for so many seconds; then how many rounds, and the programs.
pub async fn measure(shape: &str, seconds: &str, rounds: &str, programs: &[&str]) -> Result<()> {
    let parts: Vec<usize> = shape.split('x').map(str::parse).collect::<Result<_, _>>()?;
    let [runs, readers, tokens] = parts.as_slice() else {
        anyhow::bail!("a shape is RUNSxREADERSxTOKENS, such as 50x1x50");
    };
    let shape = Shape {
        runs: *runs,
        readers: *readers,
        tokens_a_second: u64::try_from(*tokens)?,
        seconds: seconds.parse()?,
    };
    let rounds: usize = rounds.parse()?;
    ensure!(rounds > 0, "at least one round");
    let source = Source::start().await?;
    let floor = Peer::Floor(std::env::current_exe()?);
    let peers: Vec<Peer> =
        programs.iter().map(|program| Peer::Riacho(PathBuf::from(program))).chain([floor]).collect();
    let mut loads: Vec<Vec<Load>> = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for (peer, loads) in peers.iter().zip(&mut loads) {
            let server = Server::start(peer, &source).await?;
            loads.extend(load::run(&server, &source, shape).await?);
        }
    }
    let medians: Vec<Load> = loads
        .iter()
        .map(|loads| Load::median(loads).context("not through in time"))
        .collect::<Result<_>>()?;
    let floor = medians.last().context("the floor")?;
    println!("{shape}, {} s, {rounds} rounds", shape.seconds);
    for (name, load) in programs.iter().chain(&["the floor"]).zip(&medians) {
        println!(
            "{name}: CPU {:.1} s a million tokens, {:.2} × the floor's; p50 {:.2} ms, p99 {:.2} ms ({:+.2}); {:.0} bytes a token",
            load.cpu,
            load.cpu / floor.cpu,
            load.p50,
            load.p99,
            load.p99 - floor.p99,
            load.bytes
        );
    }
    Ok(())
}
