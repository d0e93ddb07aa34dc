//! What a page downloads: brotli 11 of each module's wasm and JavaScript, against its budget.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::build::{self, Shrink};
use crate::cx::Cx;
use crate::report::Counts;
use crate::{files, proc, tools};

/// A part of the package that arrives together.
struct Part {
    name: &'static str,
    files: fn(&Path) -> Result<Vec<PathBuf>>,
    /// More bytes than this fail.
    budget: u64,
    /// Where it should get to; docs/SIZE.md says what stands between.
    aim: u64,
}

const PARTS: [Part; 7] = [
    Part { name: "core", files: core_files, budget: 150_000, aim: 110_000 },
    // What a page loads beside it that makes a `ChatClient`.
    Part { name: "client", files: client_files, budget: 80_000, aim: 80_000 },
    Part {
        name: "sanitizer",
        files: |pkg| {
            Ok(vec![pkg.join("dist/riacho_sanitizer.js"), pkg.join("dist/riacho_sanitizer_bg.wasm")])
        },
        budget: 200_000,
        aim: 200_000,
    },
    // Beside the core, what a page adds that imports them.
    Part { name: "element", files: element_files, budget: 10_000, aim: 10_000 },
    Part { name: "react", files: |pkg| below(pkg, "react"), budget: 10_000, aim: 10_000 },
    // What is imported by who wants a bug report.
    Part { name: "debug", files: |pkg| below(pkg, "debug"), budget: 10_000, aim: 10_000 },
    // Fetched with the first block of code.
    Part { name: "code", files: |pkg| below(pkg, "code"), budget: 10_000, aim: 10_000 },
];

/// The JavaScript of one folder of the package.
fn below(pkg: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    let folder = pkg.join(folder);
    let scripts =
        files::below(&folder)?.into_iter().filter(|file| file.extension().is_some_and(|e| e == "js"));
    Ok(scripts.map(|file| folder.join(file)).collect())
}

/// The element, and what it follows the end and keeps its window with.
fn element_files(pkg: &Path) -> Result<Vec<PathBuf>> {
    let mut files = below(pkg, "element")?;
    files.extend(["follow.js", "window.js"].map(|file| pkg.join("reading").join(file)));
    Ok(files)
}

/// The wrapper of the client, and what only that imports.
const CLIENT: [&str; 5] = ["chat.js", "measure.js", "takeover.js", "transport.js", "uuid.js"];

/// What every page loads: the entry, the wrappers, the glue and its snippets, and the wasm.
fn core_files(pkg: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![pkg.join("index.js"), pkg.join("dist/riacho.js"), pkg.join("dist/riacho_bg.wasm")];
    for folder in ["src", "dist/snippets"] {
        files.extend(below(pkg, folder)?);
    }
    files.retain(|file| !CLIENT.iter().any(|name| file.ends_with(Path::new("src").join(name))));
    Ok(files)
}

fn client_files(pkg: &Path) -> Result<Vec<PathBuf>> {
    let own = CLIENT.map(|name| pkg.join("src").join(name));
    Ok([pkg.join("dist/riacho_client.js"), pkg.join("dist/riacho_client_bg.wasm")]
        .into_iter()
        .chain(own)
        .collect())
}

pub fn run() -> Result<Counts> {
    let cx = Cx::new()?;
    build::build(&cx, &build::Options { shrink: Shrink::WasmOpt })?;
    check(&cx)
}

pub fn check(cx: &Cx) -> Result<Counts> {
    tools::npm()?;
    let pkg = cx.package();
    let mut counts = Counts::default();
    for part in PARTS {
        let files = (part.files)(&pkg)?;
        let sizes = brotli(&files)?;
        for (file, size) in files.iter().zip(&sizes) {
            println!("  {size:>8}  {}", file.strip_prefix(&pkg).unwrap_or(file).display());
        }
        let total: u64 = sizes.iter().sum();
        let fits = total <= part.budget;
        let verdict = if fits { "fits" } else { "is over" };
        println!("{}: {total} bytes of brotli; {verdict} its budget of {}", part.name, part.budget);
        if total > part.aim {
            println!("{}: the aim is {}; docs/SIZE.md says what stands between", part.name, part.aim);
        }
        counts += Counts::one(fits);
    }
    Ok(counts)
}

/// Node has brotli; every machine that builds the package has Node.
fn brotli(files: &[PathBuf]) -> Result<Vec<u64>> {
    const SCRIPT: &str = "
        const { readFileSync } = require('node:fs');
        const { brotliCompressSync, constants } = require('node:zlib');
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        for (const file of process.argv.slice(1)) console.log(brotliCompressSync(readFileSync(file), { params }).length);";
    let printed = proc::stdout(Command::new("node").args(["-e", SCRIPT, "--"]).args(files))?;
    printed.lines().map(|line| line.parse().with_context(|| format!("no size: {line:?}"))).collect()
}
