//! The package as npm gets it: what is listed in pkg, its scripts minified one by one. Nothing is bundled: who imports one of
//! them imports the same file as ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::build::Shrink;
use crate::cx::Cx;
use crate::{files, proc, tools, vendor};

/// Makes the folder and gives it back.
pub fn stage(cx: &Cx, shrink: Shrink) -> Result<PathBuf> {
    let pkg = cx.root.join("pkg");
    let listed = listed(&pkg)?;
    let mut wanted: BTreeMap<PathBuf, PathBuf> =
        listed.iter().map(|file| (file.clone(), pkg.join(file))).collect();
    if shrink == Shrink::WasmOpt {
        let scripts: Vec<_> =
            listed.iter().filter(|file| file.extension().is_some_and(|e| e == "js")).collect();
        let out = minified(cx, &pkg, &scripts)?;
        for script in scripts {
            wanted.insert(script.clone(), out.join(script));
        }
    }
    files::sync(&cx.package(), &wanted)?;
    Ok(cx.package())
}

/// The files that `npm pack` would take.
fn listed(pkg: &Path) -> Result<Vec<PathBuf>> {
    if !pkg.join("package.json").is_file() {
        bail!("{} has no package.json", pkg.display());
    }
    let npm = tools::npm()?;
    let json = proc::stdout(
        Command::new(npm).args(["pack", "--dry-run", "--json", "--ignore-scripts"]).current_dir(pkg),
    )?;
    let json: Value = serde_json::from_str(&json).context("`npm pack --json` gave no JSON")?;
    let listed = json[0]["files"].as_array().context("`npm pack --json` listed no files")?;
    Ok(listed.iter().filter_map(|file| file["path"].as_str()).map(PathBuf::from).collect())
}

/// The folder with the scripts as they are published.
fn minified(cx: &Cx, pkg: &Path, scripts: &[&PathBuf]) -> Result<PathBuf> {
    let out = cx.target.join("minified");
    let _ = fs::remove_dir_all(&out);
    proc::run(
        Command::new(vendor::modules(cx)?.join(".bin/esbuild"))
            .args(scripts)
            .args([
                "--minify",
                "--format=esm",
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
            ])
            .arg("--outbase=.")
            .arg(format!("--outdir={}", out.display()))
            .current_dir(pkg),
    )?;
    Ok(out)
}
