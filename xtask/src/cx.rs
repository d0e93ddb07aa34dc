//! Where things are: the tree, cargo's target folder, the tool cache, and what cargo knows of the workspace.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::proc;

pub struct Cx {
    pub root: PathBuf,
    /// Cargo's own answer, so CARGO_TARGET_DIR and `build.target-dir` are both respected.
    pub target: PathBuf,
    /// Outside `target`: `cargo clean` must not cost minutes of tool builds.
    pub cache: PathBuf,
    metadata: Value,
}

impl Cx {
    pub fn new() -> Result<Cx> {
        // As cargo says it now: a folder may have moved since this was built, and its target folder with it.
        let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&xtask).parent().context("xtask has no parent folder")?.to_owned();
        let json = proc::stdout(
            Command::new(cargo()).args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(&root),
        )?;
        let metadata: Value = serde_json::from_str(&json).context("`cargo metadata` gave no JSON")?;
        let target = metadata["target_directory"].as_str().context("cargo named no target folder")?.into();
        Ok(Cx { root, target, cache: cache()?, metadata })
    }

    /// A cargo command in the tree.
    pub fn cargo(&self) -> Command {
        self.command(cargo())
    }

    /// Another program, run in the tree.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The built site: what the relay's `--site` takes.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The built package: what npm gets.
    pub fn package(&self) -> PathBuf {
        self.target.join("package")
    }

    /// The workspace's packages.
    pub fn packages(&self) -> impl Iterator<Item = Package<'_>> {
        self.metadata["packages"].as_array().into_iter().flatten().map(Package)
    }
}

/// One package of the workspace, as `cargo metadata` describes it.
pub struct Package<'a>(&'a Value);

impl<'a> Package<'a> {
    pub fn name(&self) -> &'a str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// Its targets: kind (`lib`, `test`, …), name and the root source file.
    pub fn targets(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a Path)> {
        self.0["targets"].as_array().into_iter().flatten().filter_map(|target| {
            let kind = match target["kind"].as_array()?.first()?.as_str()? {
                "cdylib" | "rlib" | "lib" => "lib",
                other => other,
            };
            Some((kind, target["name"].as_str()?, Path::new(target["src_path"].as_str()?)))
        })
    }

    /// Names of the test targets that this feature gates.
    pub fn gated_by(&self, feature: &str) -> impl Iterator<Item = &'a str> {
        self.0["targets"].as_array().into_iter().flatten().filter_map(move |target| {
            let mut required = target["required-features"].as_array()?.iter();
            required.find(|name| name.as_str() == Some(feature))?;
            target["name"].as_str()
        })
    }
}

fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

fn cache() -> Result<PathBuf> {
    if let Some(dir) = non_empty("RIACHO_CACHE") {
        return Ok(std::path::absolute(dir)?);
    }
    if let Some(dir) = non_empty("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(dir).join("riacho"));
    }
    match non_empty("HOME") {
        Some(home) => Ok(PathBuf::from(home).join(".cache/riacho")),
        None => bail!("no folder for tools: set RIACHO_CACHE (neither XDG_CACHE_HOME nor HOME is set)"),
    }
}

fn non_empty(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
