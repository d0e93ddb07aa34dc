//! The wasm modules into pkg/dist, the package as npm gets it, and the site: www as it is, plus that package.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::cx::Cx;
pub use crate::package::Shrink;
use crate::{files, glue, imports, package, proc, tools, vendor};

/// A crate that becomes a module of the package: its name, and the name of its files in pkg/dist.
const MODULES: [(&str, &str); 3] =
    [("riacho-wasm", "riacho"), ("riacho-client", "riacho_client"), ("riacho-sanitizer", "riacho_sanitizer")];

/// What rustc emits for wasm32-unknown-unknown. All of it is in every browser since 2022.
const WASM_OPT: [&str; 12] = [
    // A function that is called once stays one: brotli makes more of many short ones (docs/SIZE.md).
    "--one-caller-inline-max-function-size",
    "1",
    "-Oz",
    // What is computed twice is written twice: fewer bytes after brotli, too.
    "--skip-pass=local-cse",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-producers",
];

/// The standard library is built with the modules, so that it too knows that a panic only traps: its messages and places,
/// which no page sees, are a tenth of the download (docs/SIZE.md). Cargo calls this unstable, so it takes `RUSTC_BOOTSTRAP`; it
/// decides how the modules are built, and not what they may be written in.
const BUILD_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
const PANIC: [&str; 3] = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"];
/// Functions that run for every chunk ask for speed under this cfg; the rest is small.
const HOT: &str = "--cfg=riacho_module";

pub struct Options {
    pub shrink: Shrink,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Options> {
        let mut options = Options { shrink: Shrink::WasmOpt };
        for arg in args {
            match arg.as_str() {
                "--dev" => options.shrink = Shrink::No,
                other => bail!("build takes --dev, not {other:?}"),
            }
        }
        Ok(options)
    }
}

/// Builds everything and gives back the site's folder.
pub fn run(options: &Options) -> Result<PathBuf> {
    let cx = Cx::new()?;
    build(&cx, options)?;
    Ok(cx.site())
}

pub fn build(cx: &Cx, options: &Options) -> Result<()> {
    tools::wasm_target(cx)?;
    tools::rust_src(cx)?;
    let bindgen = tools::wasm_bindgen(cx)?;
    let started = Instant::now();
    println!("building the wasm modules (a few minutes the first time, then seconds)");
    let mut cargo = cx.cargo();
    cargo.args(["build", "--quiet", "--profile", "wasm", "--target", "wasm32-unknown-unknown"]);
    for (package, _) in MODULES {
        cargo.args(["--package", package]);
    }
    cargo.args(BUILD_STD).env("RUSTC_BOOTSTRAP", "1");
    // What is left of paths is in the home of whoever built it: no page needs to know.
    let sources = cargo_home().join("registry/src");
    let remap = format!("--remap-path-prefix={}=", sources.display());
    let flags: Vec<&str> = PANIC.into_iter().chain([HOT, remap.as_str()]).collect();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    proc::run_long(&mut cargo)?;
    let mut dist = BTreeMap::new();
    for (package, out_name) in MODULES {
        let out = module(cx, &bindgen, package, out_name, options.shrink)?;
        for file in files::below(&out)? {
            dist.insert(file.clone(), out.join(file));
        }
    }
    // Nothing of an older build stays: npm would publish it.
    files::sync(&cx.root.join("pkg/dist"), &dist)?;
    site(cx, options.shrink)?;
    println!("the site is in {} ({})", cx.site().display(), proc::took(started));
    Ok(())
}

fn cargo_home() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// One module through wasm-bindgen and wasm-opt, unless what it is made of is the same as last time; the folder of its
/// files.
fn module(cx: &Cx, bindgen: &Path, package: &str, out_name: &str, shrink: Shrink) -> Result<PathBuf> {
    let crate_file = format!("{}.wasm", package.replace('-', "_"));
    let input = cx.target.join("wasm32-unknown-unknown/wasm").join(crate_file);
    let out = cx.target.join("bindgen").join(out_name);
    let stamp = cx.target.join("bindgen").join(format!("{out_name}.stamp"));
    let wasm_opt = match shrink {
        Shrink::WasmOpt => Some(tools::wasm_opt(cx)?),
        Shrink::No => None,
    };
    // The tools' paths hold their versions.
    let recipe = format!(
        "{} {wasm_opt:?} {WASM_OPT:?} {} {}",
        bindgen.display(),
        include_str!("imports.rs"),
        include_str!("glue.rs")
    );
    let wanted = files::fingerprint(&[recipe.as_bytes(), &files::read(&input)?]);
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        let _ = fs::remove_file(&stamp);
        let _ = fs::remove_dir_all(&out);
        proc::run(
            Command::new(bindgen.join("wasm-bindgen"))
                .args(["--target", "web", "--out-name", out_name, "--out-dir"])
                .args([&out, &input]),
        )?;
        if let Some(wasm_opt) = wasm_opt {
            let wasm = out.join(format!("{out_name}_bg.wasm"));
            let script = out.join(format!("{out_name}.js"));
            imports::shorten(&wasm, &script)?;
            glue::trim(&script)?;
            let before = fs::metadata(&wasm)?.len();
            let shrinking = Instant::now();
            proc::run(Command::new(wasm_opt).args(WASM_OPT).arg(&wasm).arg("-o").arg(&wasm))?;
            let after = fs::metadata(&wasm)?.len();
            println!("wasm-opt: {out_name} {before} -> {after} bytes ({})", proc::took(shrinking));
        }
        fs::write(&stamp, wanted)?;
    }
    Ok(out)
}

/// The site: www, under `riacho/` the package, and under `vendor/` what is from npm.
fn site(cx: &Cx, shrink: Shrink) -> Result<()> {
    let www = cx.root.join("www");
    let pkg = package::stage(cx, shrink)?;
    let mut wanted = BTreeMap::new();
    for file in files::below(&www)? {
        wanted.insert(file.clone(), www.join(file));
    }
    for file in files::below(&pkg)? {
        wanted.insert(Path::new("riacho").join(&file), pkg.join(&file));
    }
    wanted.extend(vendor::files(cx)?);
    files::sync(&cx.site(), &wanted)
}
