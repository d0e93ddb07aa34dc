//! Measures beside the peers, in one run, and has what it measured written into docs/BENCHMARKS.md.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::build::{self, Shrink};
use crate::cx::Cx;
use crate::{files, proc, tools};

pub fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((which, rest)) if which == "render" => render(rest),
        Some((which, rest)) if which == "relay" => relay(rest),
        _ => bail!("bench takes: render [--quick] [--engines a,b] [--shapes a,b], or relay [--quick]"),
    }
}

/// The relay beside a bare fan-out, Socket.IO and Flask-SocketIO. The options after `relay` are the bench's own.
fn relay(args: &[String]) -> Result<()> {
    let cx = Cx::new()?;
    let socketio = cx.root.join("tests/bench/relay/peers/socketio");
    tools::node_modules(&cx, &socketio)?;
    let flask = tools::flask(&cx)?;
    let build = ["build", "--release", "--package", "riacho-relay", "--package", "riacho-bench-relay"];
    proc::run(cx.cargo().args(build))?;
    let built = cx.target.join("release");
    println!("measuring; the whole run takes about eight minutes, --quick three");
    proc::run(
        Command::new(built.join("riacho-bench-relay"))
            .arg("--relay")
            .arg(built.join("riacho-relay"))
            .arg("--socketio")
            .arg(&socketio)
            .arg("--flask")
            .arg(&flask)
            .arg("--out")
            .arg(cx.root.join("docs/BENCHMARKS.md"))
            .args(args),
    )
}

/// Every renderer in one real Chromium. The options after `render` are the bench's own.
fn render(args: &[String]) -> Result<()> {
    let cx = Cx::new()?;
    let browser = tools::browser()?;
    build::build(&cx, &build::Options { shrink: Shrink::WasmOpt })?;
    let bench = cx.root.join("tests/bench/render");
    node_modules(&bench)?;
    println!("measuring; the whole run takes about twelve minutes, --quick three");
    proc::run(
        Command::new("node")
            .arg("run.mjs")
            .arg("--pkg")
            .arg(cx.package())
            .arg("--browser")
            .arg(&browser.chromium)
            .arg("--out")
            .arg(cx.root.join("docs/BENCHMARKS.md"))
            .args(args)
            .current_dir(&bench),
    )
}

/// `npm ci`, unless what is there is what the lock file says.
fn node_modules(dir: &Path) -> Result<()> {
    let npm = tools::npm()?;
    let stamp = dir.join("node_modules/.locked");
    let wanted = files::fingerprint(&[&files::read(&dir.join("package-lock.json"))?]);
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    println!("installing the peers of the bench from npm (about 20 seconds)");
    proc::run(Command::new(npm).args(["ci", "--loglevel=error"]).current_dir(dir))?;
    Ok(std::fs::write(&stamp, wanted)?)
}
