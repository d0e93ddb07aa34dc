//! What goes before a release of the npm package, and the release itself, with its provenance.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::build::{self, Shrink};
use crate::cx::Cx;
use crate::{files, proc, tools};

#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything but the release.
    Rehearse,
    /// From CI only: npm signs where and from what it was built.
    Release,
}

impl Mode {
    pub fn parse(args: &[String]) -> Result<Mode> {
        match args {
            [] => Ok(Mode::Rehearse),
            [flag] if flag == "--release" => Ok(Mode::Release),
            _ => bail!("publish takes --release, or nothing for a rehearsal"),
        }
    }
}

pub fn run(mode: &Mode) -> Result<()> {
    let cx = Cx::new()?;
    let pkg = cx.root.join("pkg");
    let package: Value = serde_json::from_str(&files::read_text(&pkg.join("package.json"))?)?;
    let version = package["version"].as_str().context("package.json has no version")?;
    let problems = problems(
        version,
        &files::read_text(&cx.root.join("Cargo.toml"))?,
        &files::read_text(&pkg.join("CHANGELOG.md"))?,
        &proc::stdout(Command::new("git").args(["status", "--porcelain"]).current_dir(&cx.root))?,
    );
    build::build(&cx, &build::Options { shrink: Shrink::WasmOpt })?;
    let npm = tools::npm()?;
    proc::run(Command::new(&npm).args(["pack", "--dry-run", "--ignore-scripts"]).current_dir(cx.package()))?;
    if *mode == Mode::Rehearse {
        for problem in &problems {
            println!("before a release: {problem}");
        }
        println!("a rehearsal of {version}: nothing was published");
        return Ok(());
    }
    if !problems.is_empty() {
        bail!("not published: {}", problems.join("; "));
    }
    proc::run(
        Command::new(&npm)
            .args(["publish", "--provenance", "--access", "public", "--ignore-scripts"])
            .current_dir(cx.package()),
    )
}

/// What stands in the way of a release.
fn problems(version: &str, workspace: &str, changelog: &str, status: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !workspace.contains(&format!("version = \"{version}\"")) {
        found.push(format!("the workspace's version is not {version}"));
    }
    if !changelog.lines().any(|line| line.starts_with(&format!("## {version} "))) {
        found.push(format!("CHANGELOG.md has no \"## {version} - DATE\""));
    }
    if !status.trim().is_empty() {
        found.push("the tree has changes that are not committed".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_wants_one_version_a_changelog_and_a_clean_tree() {
        let workspace = "[workspace.package]\nversion = \"1.2.3\"\n";
        let changelog = "# Changelog\n\n## 1.2.3 - 2026-11-21\n";
        assert_eq!(problems("1.2.3", workspace, changelog, ""), Vec::<String>::new());
        assert_eq!(problems("1.2.4", workspace, changelog, " M x\n").len(), 3);
        assert_eq!(problems("1.2.3", workspace, "## Unreleased\n", "").len(), 1);
    }

    #[test]
    fn nothing_is_published_unless_it_is_said() {
        assert_eq!(Mode::parse(&[]).unwrap(), Mode::Rehearse);
        assert_eq!(Mode::parse(&["--release".to_owned()]).unwrap(), Mode::Release);
        assert!(Mode::parse(&["--dry".to_owned()]).is_err());
    }
}
