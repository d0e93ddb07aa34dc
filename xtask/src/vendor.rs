//! What the demo site takes from npm, bundled so that the site needs no network: Shiki's worker and KaTeX.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::cx::Cx;
use crate::{files, proc, tools};

/// The files of the site's folder `vendor/`: path in the site → source.
pub fn files(cx: &Cx) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let out = bundle(cx)?;
    let found = files::below(&out)?;
    Ok(found.into_iter().map(|file| (Path::new("vendor").join(&file), out.join(file))).collect())
}

/// Bundles again when what is bundled has changed.
fn bundle(cx: &Cx) -> Result<PathBuf> {
    let worker = cx.root.join("pkg/shiki/worker.js");
    let lock = files::read(&cx.root.join("xtask/site/package-lock.json"))?;
    let out = cx.target.join("vendor");
    let stamp = cx.target.join("vendor.stamp");
    let wanted = files::fingerprint(&[&lock, &files::read(&worker)?, include_bytes!("vendor.rs")]);
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(out);
    }
    let _ = fs::remove_file(&stamp);
    let _ = fs::remove_dir_all(&out);
    let modules = modules(cx)?;
    let esbuild = |entry: &Path, to: &str| {
        let mut esbuild = Command::new(modules.join(".bin/esbuild"));
        esbuild
            .arg(entry)
            .args(["--bundle", "--format=esm", "--minify", "--splitting", "--log-level=warning"])
            .arg(format!("--outdir={}", out.join(to).display()))
            // The worker stands in the package, which has no node_modules of its own.
            .env("NODE_PATH", &modules)
            .current_dir(&cx.root);
        proc::run(&mut esbuild)
    };
    esbuild(&worker, "shiki")?;
    esbuild(&modules.join("katex/dist/katex.mjs"), "katex")?;
    fs::write(&stamp, wanted)?;
    Ok(out)
}

/// The `node_modules` of it.
pub fn modules(cx: &Cx) -> Result<PathBuf> {
    let lock = files::read(&cx.root.join("xtask/site/package-lock.json"))?;
    let home = cx.cache.join(format!("site-{}", files::fingerprint(&[&lock])));
    if home.is_dir() {
        return Ok(home.join("node_modules"));
    }
    let npm = tools::npm()?;
    tools::install("what the demo site takes from npm", "about 20 seconds", &home, |fresh| {
        for file in ["package.json", "package-lock.json"] {
            files::copy(&cx.root.join("xtask/site").join(file), &fresh.join(file))?;
        }
        proc::run(
            Command::new(npm)
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(fresh),
        )
    })?;
    Ok(home.join("node_modules"))
}
