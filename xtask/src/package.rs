//! The package as npm gets it: what is listed in pkg, and its scripts bundled and minified.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cx::Cx;
use crate::{bundle, files, proc, tools};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shrink {
    /// What is shipped.
    WasmOpt,
    /// For a quick look: a little larger, a few seconds earlier.
    No,
}

/// Makes the folder and gives it back.
pub fn stage(cx: &Cx, shrink: Shrink) -> Result<PathBuf> {
    let pkg = cx.root.join("pkg");
    let listed = listed(&pkg)?;
    let mut wanted: BTreeMap<PathBuf, PathBuf> =
        listed.iter().map(|file| (file.clone(), pkg.join(file))).collect();
    if shrink == Shrink::WasmOpt {
        let scripts: Vec<_> =
            listed.iter().filter(|file| file.extension().is_some_and(|e| e == "js")).collect();
        wanted.retain(|file, _| !scripts.contains(&file));
        wanted.extend(bundle::scripts(cx, &pkg, &scripts)?);
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
