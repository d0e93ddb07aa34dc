//! Chores: dispatch only. `cargo xtask help` says what there is.

mod bench;
mod build;
mod bundle;
mod cx;
mod demo;
mod failure;
mod files;
mod glue;
mod imports;
mod package;
mod pictures;
mod proc;
mod publish;
mod report;
mod setup;
mod size;
mod soak;
mod test;
mod tidy;
mod tools;
mod vendor;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask demo [--port N] [-- RELAY OPTIONS]   build, then serve the demo page on http://127.0.0.1:8787/
cargo xtask test [STEP [NAME]]                   every check; STEP is one of: format, clippy, native, wasm, e2e, pack, projects, size, tidy
cargo xtask build [--dev]                        the wasm modules into pkg/dist and the site into target/site; --dev skips wasm-opt
cargo xtask setup                                install every tool now that the others install when they need it
cargo xtask bench relay [--quick]                the relay beside a bare fan-out, Socket.IO and Flask-SocketIO, into docs/BENCHMARKS.md
cargo xtask bench render [--quick]               the renderer beside its peers in one real Chromium, into docs/BENCHMARKS.md
cargo xtask soak fuzz [--minutes N]              any bytes, cut anywhere, through the engine against the oracle (30 minutes)
cargo xtask soak engine                          its work on documents of up to 1 MB, and 20,000 generated ones against the oracle
cargo xtask soak relay [--minutes N]             pages that come and go at the real relay: nothing is left of them, its memory is flat (60 minutes)
cargo xtask pictures                             the demo in pictures, by a test; those that the docs show into docs/pictures
cargo xtask publish [--release]                  a rehearsal of an npm release; with --release, from CI, the release
cargo xtask size                                 what a page downloads, in brotli, against the budgets
cargo xtask tidy                                 the fences of the design, as code

Tools are kept in $RIACHO_CACHE, else in ~/.cache/riacho.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever reads only its beginning closes the pipe.
fn help() {
    let _ = writeln!(std::io::stdout(), "{HELP}");
}

/// `Ok(false)` is a chore that ran to its end and found something wrong; it has said what.
fn dispatch(args: &[String]) -> Result<bool> {
    let Some((chore, rest)) = args.split_first() else {
        help();
        return Ok(false);
    };
    match chore.as_str() {
        "help" | "--help" | "-h" => {
            help();
            Ok(true)
        }
        "demo" => demo::run(&demo::Options::parse(rest)?).map(|()| true),
        "test" => test::run(&test::Options::parse(rest)?),
        "build" => build::run(&build::Options::parse(rest)?).map(|_| true),
        "setup" => none_of(rest).and_then(|()| setup::run()).map(|()| true),
        "bench" => bench::run(rest).map(|()| true),
        "soak" => soak::run(rest).map(|()| true),
        "pictures" => none_of(rest).and_then(|()| pictures::run()).map(|()| true),
        "publish" => publish::run(&publish::Mode::parse(rest)?).map(|()| true),
        "size" => none_of(rest).and_then(|()| size::run()).map(|counts| counts.failed == 0),
        "tidy" => none_of(rest).and_then(|()| tidy::run()).map(|counts| counts.failed == 0),
        other => bail!("no chore is called {other:?}\n\n{HELP}"),
    }
}

fn none_of(args: &[String]) -> Result<()> {
    match args.first() {
        Some(arg) => bail!("unexpected argument {arg:?}\n\n{HELP}"),
        None => Ok(()),
    }
}
