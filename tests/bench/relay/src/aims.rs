//! What the relay is to hold, whether it does, and where another server is better: computed from what was measured.

use crate::load::Load;
use crate::report::{Measured, Row};

/// CPU, as a multiple of the floor's, for each shape in their order.
const CPU: [f64; 3] = [2.0, 1.3, 1.0];
/// Milliseconds of the 99th percentile above the floor's.
const P99: f64 = 2.0;
/// KiB.
const IDLE: f64 = 8.0;
/// Milliseconds for 100 KB.
const RESUMED: f64 = 5.0;

pub fn table(measured: &Measured<'_>) -> String {
    let mut out = "\n### What it is to hold\n\n| aim | measured | |\n|---|--:|---|\n".to_owned();
    let mut line = |aim: String, found: String, held: bool| {
        out += &format!("| {aim} | {found} | {} |\n", if held { "held" } else { "**not held**" });
    };
    let (Some(ours), Some(floor)) = (measured.row("riacho"), measured.row("floor")) else { return out };
    for ((at, shape), most) in measured.shapes.iter().enumerate().zip(CPU) {
        let (Some(ours), Some(floor)) = (ours.load(at), floor.load(at)) else {
            line(format!("{shape}"), "not through in time".to_owned(), false);
            continue;
        };
        let times = ours.cpu / floor.cpu;
        line(format!("{shape}: CPU within {most} × the floor's"), format!("{times:.2} ×"), times <= most);
        let more = ours.p99 - floor.p99;
        line(format!("{shape}: p99 within {P99} ms of the floor's"), format!("{more:+.2} ms"), more <= P99);
        line(format!("{shape}: no token lost"), ours.lost.to_string(), ours.lost == 0);
    }
    if let Some(idle) = &ours.idle {
        let each = idle.memory / 1024.0;
        line(
            format!("{} idle connections: {IDLE} KiB each at most", idle.connections),
            format!("{each:.1} KiB"),
            each <= IDLE,
        );
    }
    if let Some(resumed) = ours.resumed_in() {
        let found = format!("{resumed:.1} ms");
        line(format!("100 KB resumed in {RESUMED} ms"), found, resumed <= RESUMED);
    }
    match &ours.stall {
        Some(stall) => line(
            format!(
                "{} readers that stop for {} s have the same text in the end",
                stall.readers, stall.seconds
            ),
            format!("{} of {}", stall.whole, stall.readers),
            stall.whole == stall.readers,
        ),
        None => line("readers that stop".to_owned(), "not through in time".to_owned(), false),
    }
    out
}

/// Each figure in which another server is better, by how much.
pub fn losses(measured: &Measured<'_>) -> String {
    let mut out = "\n### Where riacho is behind\n\n".to_owned();
    let before = out.len();
    let Some(ours) = measured.row("riacho") else { return out };
    for other in measured.rows.iter().filter(|row| row.name != ours.name) {
        let mut line = |what: String, unit: &str, of: &dyn Fn(&Row) -> Option<f64>| {
            if let (Some(mine), Some(theirs)) = (of(ours), of(other)) {
                // Less than a twentieth is no difference that one run can tell.
                if mine > theirs * 1.05 && mine > 0.0 {
                    out += &format!("- {what}: {} {theirs:.1}{unit}, riacho {mine:.1}{unit}\n", other.name);
                }
            }
        };
        type Figure = (&'static str, &'static str, fn(&Load) -> f64);
        let figures: [Figure; 5] = [
            ("CPU a million tokens", " s", |load| load.cpu),
            ("p50", " ms", |load| load.p50),
            ("p99", " ms", |load| load.p99),
            ("bytes a token", "", |load| load.bytes),
            ("most memory a reader", " KiB", |load| load.memory / 1024.0),
        ];
        for (at, shape) in measured.shapes.iter().enumerate() {
            for (what, unit, of) in figures {
                line(format!("{shape}, {what}"), unit, &|row| row.load(at).map(of));
            }
        }
        line("an idle connection".to_owned(), " KiB", &|row| Some(row.idle.as_ref()?.memory / 1024.0));
        line("100 KB resumed".to_owned(), " ms", &|row| row.resumed_in());
        line("a reader that stops".to_owned(), " KiB", &|row| Some(row.stall?.memory / 1024.0));
    }
    if out.len() == before {
        out += "Nowhere in this run.\n";
    }
    out
}
