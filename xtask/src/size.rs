//! What a page downloads: brotli 11 of each part's wasm and JavaScript, against its budget.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::{self, Shrink};
use crate::bundle::Graph;
use crate::cx::Cx;
use crate::report::Counts;
use crate::{proc, tools};

/// A part of the package that arrives together: some scripts, all that these import by a statement, and some wasm.
struct Part {
    name: &'static str,
    scripts: &'static [&'static str],
    wasm: &'static [&'static str],
    /// Scripts that are there before it: what they import is not its own.
    after: &'static [&'static str],
    /// More bytes than this fail.
    budget: u64,
}

/// What a page imports that only renders, and that has a chat.
const RENDERS: &str = "markdown.js";
const CHATS: &str = "index.js";

/// A part that a page adds to a chat.
const fn beside_a_chat(name: &'static str, scripts: &'static [&'static str]) -> Part {
    Part { name, scripts, wasm: &[], after: &[CHATS], budget: 10_000 }
}

const CORE: Part =
    Part { name: "core", scripts: &[RENDERS], wasm: &["dist/riacho_bg.wasm"], after: &[], budget: 110_000 };

const CLIENT: Part = Part {
    name: "client",
    scripts: &[CHATS],
    wasm: &["dist/riacho_client_bg.wasm"],
    after: &[RENDERS],
    budget: 56_000,
};

const PARTS: [Part; 7] = [
    CORE,
    CLIENT,
    Part {
        name: "sanitizer",
        scripts: &["dist/riacho_sanitizer.js"],
        wasm: &["dist/riacho_sanitizer_bg.wasm"],
        after: &[],
        budget: 200_000,
    },
    // With what it keeps its window with, which comes when a page asks for that.
    beside_a_chat("element", &["element/index.js", "reading/window.js"]),
    beside_a_chat("react", &["react/index.js"]),
    // What is imported by who wants a bug report.
    beside_a_chat("debug", &["debug/index.js"]),
    // Fetched with the first block of code.
    beside_a_chat("code", &["code/team.js"]),
];

impl Part {
    /// Its own files, of the published ones.
    fn files(&self, graph: &Graph) -> BTreeSet<String> {
        let together = |scripts: &[&str]| -> BTreeSet<String> {
            scripts.iter().flat_map(|script| graph.together(script)).collect()
        };
        let mut files = &together(self.scripts) - &together(self.after);
        files.extend(self.wasm.iter().map(|wasm| (*wasm).to_owned()));
        files
    }
}

pub fn run() -> Result<Counts> {
    let cx = Cx::new()?;
    build::build(&cx, &build::Options { shrink: Shrink::WasmOpt })?;
    check(&cx)
}

pub fn check(cx: &Cx) -> Result<Counts> {
    tools::npm()?;
    let pkg = cx.package();
    let entries: Vec<&str> = PARTS.iter().flat_map(|part| part.scripts).copied().collect();
    let graph = Graph::read(cx, &pkg, &entries)?;
    let mut counts = Counts::default();
    let mut chat = 0;
    for part in PARTS {
        let files = part.files(&graph);
        let sizes = brotli(&pkg, &files)?;
        for (file, size) in files.iter().zip(&sizes) {
            println!("  {size:>8}  {file}");
        }
        let total: u64 = sizes.iter().sum();
        let fits = total <= part.budget;
        let verdict = if fits { "fits" } else { "is over" };
        println!("{}: {total} bytes of brotli; {verdict} its budget of {}", part.name, part.budget);
        if [CORE.name, CLIENT.name].contains(&part.name) {
            chat += total;
        }
        counts += Counts::one(fits);
    }
    println!("a page with a chat loads {chat} bytes: core and client");
    Ok(counts)
}

/// Node has brotli; every machine that builds the package has Node.
fn brotli(pkg: &Path, files: &BTreeSet<String>) -> Result<Vec<u64>> {
    const SCRIPT: &str = "
        const { readFileSync } = require('node:fs');
        const { brotliCompressSync, constants } = require('node:zlib');
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        for (const file of process.argv.slice(1)) console.log(brotliCompressSync(readFileSync(file), { params }).length);";
    let mut node = Command::new("node");
    node.args(["-e", SCRIPT, "--"]).args(files).current_dir(pkg);
    let printed = proc::stdout(&mut node)?;
    printed.lines().map(|line| line.parse().with_context(|| format!("no size: {line:?}"))).collect()
}
