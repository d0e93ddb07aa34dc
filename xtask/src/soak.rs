//! Long campaigns, in full. Their short forms are tests.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::cx::Cx;
use crate::{files, proc, tools};

pub fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((what, rest)) if what == "fuzz" => fuzz(minutes(rest, 30)?),
        Some((what, [])) if what == "engine" => engine(),
        Some((what, rest)) if what == "relay" => relay(minutes(rest, 60)?),
        Some((what, _)) => bail!("no campaign is called {what:?}; there are: fuzz, engine, relay"),
        None => bail!("which campaign? There are: fuzz, engine, relay"),
    }
}

fn minutes(args: &[String], usual: u64) -> Result<u64> {
    match args {
        [] => Ok(usual),
        [flag, number] if flag == "--minutes" => number
            .parse()
            .ok()
            .filter(|&n| n > 0)
            .with_context(|| format!("{number:?} is no number of minutes")),
        _ => bail!("the only option is --minutes N"),
    }
}

/// Documents of up to 1 MB, and 20,000 generated ones: what the tests of a debug build do with less.
fn engine() -> Result<()> {
    println!("documents of up to 1 MB in each shape, then 20,000 generated ones (some minutes)");
    let mut cargo = Cx::new()?.cargo();
    cargo.args([
        "test",
        "--release",
        "--package",
        "riacho-tests",
        "--test",
        "engine_work",
        "--test",
        "engine_properties",
    ]);
    proc::run(cargo.args(["--", "--nocapture"]))
}

/// Pages that come and go, at a release build: its short form is `relay/tests/soak.rs`.
fn relay(minutes: u64) -> Result<()> {
    println!("pages come and go for {minutes} minutes");
    let mut cargo = Cx::new()?.cargo();
    cargo.args(["test", "--release", "--package", "riacho-relay", "--test", "soak", "--", "--nocapture"]);
    proc::run(cargo.env("RIACHO_SOAK_MINUTES", minutes.to_string()))
}

/// Starts from the kept seeds and what earlier runs on this machine found. What fails is written as a file of its own.
fn fuzz(minutes: u64) -> Result<()> {
    let cx = Cx::new()?;
    let program = tools::cargo_fuzz(&cx)?;
    let home = cx.root.join("tests/fuzz");
    let found = cx.target.join("fuzz/found");
    files::make_dir(&found)?;
    println!(
        "fuzzing for {minutes} minutes; a failing input is kept in {}",
        home.join("artifacts").display()
    );
    let args: [OsString; 14] = [
        "run".into(),
        "chunks".into(),
        "--fuzz-dir".into(),
        home.as_os_str().into(),
        "--target-dir".into(),
        cx.target.join("fuzz/build").into(),
        "--sanitizer".into(),
        "none".into(),
        found.into(),
        home.join("seeds/chunks").into(),
        "--".into(),
        format!("-max_total_time={}", minutes * 60).into(),
        // Most faults show in a short text, and the oracle's cost is quadratic by character.
        "-max_len=400".into(),
        "-timeout=20".into(),
    ];
    // `cargo-fuzz` is a subcommand: cargo would pass it its own name first.
    proc::run(cx.command(&program).arg("fuzz").args(args))
}
