//! Writes the bench's section of docs/BENCHMARKS.md from what was measured, and nothing else.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::aims;
use crate::compression::Saving;
use crate::load::{Idle, Load, Resumed, Shape};
use crate::stall::Stall;

const START: &str = "<!-- bench relay: written by the bench, do not edit -->";
const END: &str = "<!-- end of bench relay -->";

/// One server.
pub struct Row {
    pub name: &'static str,
    /// One for each shape; none where it was not through in time.
    pub loads: Vec<Option<Load>>,
    pub idle: Option<Idle>,
    pub resumed: Option<Resumed>,
    /// None where it was not through in time.
    pub stall: Option<Stall>,
}

impl Row {
    pub fn new(name: &'static str) -> Self {
        Self { name, loads: Vec::new(), idle: None, resumed: None, stall: None }
    }

    /// Milliseconds.
    pub fn resumed_in(&self) -> Option<f64> {
        match self.resumed {
            Some(Resumed::In(ms)) => Some(ms),
            _ => None,
        }
    }

    pub fn load(&self, shape: usize) -> Option<&Load> {
        self.loads.get(shape)?.as_ref()
    }
}

/// All of it.
pub struct Measured<'a> {
    pub shapes: &'a [Shape],
    pub rows: &'a [Row],
    pub savings: &'a [Saving],
    pub quick: bool,
}

impl Measured<'_> {
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

pub fn write(out: &Path, measured: &Measured<'_>, took: Duration) -> Result<()> {
    let text = match std::fs::read_to_string(out) {
        Ok(text) => text,
        Err(_) => {
            "# Benchmarks\n\nEvery figure here is written by the program that measured it.\n".to_owned()
        }
    };
    let section = format!("{START}\n{}{END}", body(measured, took));
    let next = match (text.find(START), text.find(END)) {
        (Some(start), Some(end)) => {
            let before = text.get(..start).context("a marker")?;
            format!("{before}{section}{}", text.get(end + END.len()..).unwrap_or_default())
        }
        _ => format!("{}\n\n{section}\n", text.trim_end()),
    };
    Ok(std::fs::write(out, next)?)
}

fn body(measured: &Measured<'_>, took: Duration) -> String {
    head(measured, took)
        + &aims::table(measured)
        + &loads(measured)
        + &idle(measured)
        + &stalls(measured)
        + &compression(measured.savings)
        + &aims::losses(measured)
        + "\n"
}

fn head(measured: &Measured<'_>, took: Duration) -> String {
    let flag = if measured.quick { " --quick" } else { "" };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    format!(
        "## The relay\n\n`cargo xtask bench relay{flag}`, one run of {} s: {count} × {model}. Provider and readers are in another \
         process than the server, on the same machine and the same clock. A shape is runs × readers of each. `floor` is the least \
         that brings the same bytes: axum and a broadcast channel, a read buffer of 4 KiB, no store and no resume. riacho stores \
         each piece in SQLite before anyone sees it. Pieces that a server merges count as the tokens in them. riacho and the floor \
         are measured several times, in turns, and of each figure the one in the middle counts.\n",
        took.as_secs()
    )
}

fn loads(measured: &Measured<'_>) -> String {
    let mut out = String::new();
    for (at, shape) in measured.shapes.iter().enumerate() {
        out += &format!(
            "\n### {shape}, {} s\n\n| server | CPU seconds a million tokens | against the floor | p50, ms | p99, ms | bytes a token | most memory a reader, KiB | lost |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
            shape.seconds
        );
        let floor = measured.row("floor").and_then(|row| row.load(at)).map(|load| load.cpu);
        for row in measured.rows {
            let Some(load) = row.load(at) else {
                out += &format!("| {} | not through in time | | | | | | |\n", row.name);
                continue;
            };
            let against = floor
                .filter(|floor| *floor > 0.0)
                .map_or("–".to_owned(), |floor| format!("{:.2} ×", load.cpu / floor));
            out += &format!(
                "| {} | {:.1} | {against} | {:.2} | {:.2} | {:.0} | {:.1} | {} |\n",
                row.name,
                load.cpu,
                load.p50,
                load.p99,
                load.bytes,
                load.memory / 1024.0,
                load.lost
            );
        }
    }
    out
}

fn idle(measured: &Measured<'_>) -> String {
    let mut out = "\n### Idle, and coming back\n\nWho comes back was there before, and has missed 100 KB in 6,250 pieces.\n\n\
                   | server | idle connections | KiB each | 100 KB resumed, ms |\n|---|--:|--:|--:|\n"
        .to_owned();
    for row in measured.rows {
        let resumed = match row.resumed {
            Some(Resumed::In(ms)) => format!("{ms:.1}"),
            Some(Resumed::KeepsNothing) => "keeps nothing".to_owned(),
            Some(Resumed::NotInTime) | None => "not through in time".to_owned(),
        };
        out += &match &row.idle {
            Some(idle) => {
                let each = idle.memory / 1024.0;
                format!("| {} | {} | {each:.1} | {resumed} |\n", row.name, idle.connections)
            }
            None => format!("| {} | could not be opened in time | | {resumed} |\n", row.name),
        };
    }
    out
}

fn stalls(measured: &Measured<'_>) -> String {
    let Some(any) = measured.rows.iter().find_map(|row| row.stall) else { return String::new() };
    let mut out = format!(
        "\n### {} readers that stop for {} s\n\nOne answer of {} KB at 2,000 tokens/s; one more reader reads it all the time. Memory is what a \
         reader that stops adds to that.\n\n| server | have the whole text in the end | tokens lost | memory a reader that stops, KiB |\n\
         |---|--:|--:|--:|\n",
        any.readers,
        any.seconds,
        any.text / 1000
    );
    for row in measured.rows {
        out += &match &row.stall {
            Some(stall) => format!(
                "| {} | {} of {} | {:.0} % | {:.0} |\n",
                row.name,
                stall.whole,
                stall.readers,
                stall.lost * 100.0,
                stall.memory / 1024.0
            ),
            None => format!("| {} | not through in time | | |\n", row.name),
        };
    }
    out
}

fn compression(savings: &[Saving]) -> String {
    let mut out = "\n### Compression\n\nBytes on the wire for each byte of text, of the relay's own frames of one answer.\n\n\
                   | characters a frame | plain | permessage-deflate | its CPU, µs a frame |\n|--:|--:|--:|--:|\n"
        .to_owned();
    for saving in savings {
        out += &format!(
            "| {} | {:.2} | {:.2} | {:.1} |\n",
            saving.characters, saving.plain, saving.deflated, saving.cost
        );
    }
    out
}
