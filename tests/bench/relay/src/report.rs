//! Writes the bench's section of docs/BENCHMARKS.md from what was measured, and nothing else.

use std::path::Path;

use anyhow::{Context, Result};

use crate::compression::Saving;
use crate::load::{Idle, Load, Shape};

const START: &str = "<!-- bench relay: written by the bench, do not edit -->";
const END: &str = "<!-- end of bench relay -->";

/// One server.
pub struct Row {
    pub name: &'static str,
    /// One for each shape; none where it was not through in time.
    pub loads: Vec<Option<Load>>,
    pub idle: Idle,
    /// Milliseconds.
    pub resumed: Option<f64>,
}

pub fn write(out: &Path, shapes: &[Shape], rows: &[Row], savings: &[Saving], quick: bool) -> Result<()> {
    let text = match std::fs::read_to_string(out) {
        Ok(text) => text,
        Err(_) => {
            "# Benchmarks\n\nEvery figure here is written by the program that measured it.\n".to_owned()
        }
    };
    let section = format!("{START}\n{}{END}", body(shapes, rows, savings, quick));
    let next = match (text.find(START), text.find(END)) {
        (Some(start), Some(end)) => {
            let before = text.get(..start).context("a marker")?;
            format!("{before}{section}{}", text.get(end + END.len()..).unwrap_or_default())
        }
        _ => format!("{}\n\n{section}\n", text.trim_end()),
    };
    Ok(std::fs::write(out, next)?)
}

fn body(shapes: &[Shape], rows: &[Row], savings: &[Saving], quick: bool) -> String {
    let flag = if quick { " --quick" } else { "" };
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let mut out = format!(
        "## The relay\n\n`cargo xtask bench relay{flag}`, one run: {count} × {model}. Provider and readers are in another process than the server, on the same \
         machine and the same clock. A shape is runs × readers of each. `floor` is the least that brings the same bytes: axum and a \
         broadcast channel, a read buffer of 4 KiB, no store and no resume. riacho stores each piece in SQLite before anyone sees it. \
         Pieces that a server merges count as the tokens in them.\n"
    );
    for (at, shape) in shapes.iter().enumerate() {
        out += &format!(
            "\n### {shape}, {} s\n\n| server | CPU seconds a million tokens | against the floor | p50, ms | p99, ms | bytes a token | most memory a reader, KiB | lost |\n|---|--:|--:|--:|--:|--:|--:|--:|\n",
            shape.seconds
        );
        let floor = rows
            .iter()
            .find(|row| row.name == "floor")
            .and_then(|row| row.loads.get(at)?.as_ref())
            .map(|load| load.cpu);
        for row in rows {
            let Some(Some(load)) = row.loads.get(at) else {
                out += &format!(
                    "| {} | was not through in time |
",
                    row.name
                );
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
    out += "\n### Idle, and coming back\n\n| server | idle connections | KiB each | 100 KB resumed, ms |\n|---|--:|--:|--:|\n";
    for row in rows {
        let resumed = row.resumed.map_or("keeps nothing".to_owned(), |ms| format!("{ms:.1}"));
        out += &format!(
            "| {} | {} | {:.1} | {resumed} |\n",
            row.name,
            row.idle.connections,
            row.idle.memory / 1024.0
        );
    }
    out += "\n### Compression\n\nBytes on the wire for each byte of text, of the relay's own frames of one answer.\n\n| characters a frame | plain | permessage-deflate | its CPU, µs a frame |\n|--:|--:|--:|--:|\n";
    for saving in savings {
        out += &format!(
            "| {} | {:.2} | {:.2} | {:.1} |\n",
            saving.characters, saving.plain, saving.deflated, saving.cost
        );
    }
    out + "\n"
}
