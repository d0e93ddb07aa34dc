//! The scripts of the package as they are published: what always arrives together is one file. Entries, and what is fetched
//! when it is first needed, keep their paths; what several of them share is in `dist/`, under the name of its topmost source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cx::Cx;
use crate::{files, proc, vendor};

/// Who imports what in a folder of scripts, as esbuild has read it.
pub struct Graph(Value);

impl Graph {
    /// Of these entries and all that they reach.
    pub fn read(cx: &Cx, folder: &Path, entries: &[&str]) -> Result<Graph> {
        let out = cx.target.join("graph");
        Ok(Graph(esbuild(cx, folder, entries, &out, &[])?))
    }

    /// Every script that is reached.
    fn scripts(&self) -> impl Iterator<Item = &str> {
        self.0["inputs"].as_object().into_iter().flatten().map(|(path, _)| path.as_str())
    }

    fn imports(&self, script: &str, kind: &str) -> impl Iterator<Item = &str> {
        let imports = self.0["inputs"][script]["imports"].as_array().into_iter().flatten();
        imports
            .filter(move |import| import["kind"] == kind && import["external"] != true)
            .filter_map(|import| import["path"].as_str())
    }

    /// The script and all that arrives with it: what is imported by a statement, and by those.
    pub fn together(&self, script: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo = vec![script];
        while let Some(script) = todo.pop() {
            if found.insert(script.to_owned()) {
                todo.extend(self.imports(script, "import-statement"));
            }
        }
        found
    }

    /// What is imported by a call.
    fn later(&self) -> BTreeSet<&str> {
        self.scripts().flat_map(|script| self.imports(script, "dynamic-import")).collect()
    }
}

/// The published scripts: path in the package → file. `listed` are the sources.
pub fn scripts(cx: &Cx, pkg: &Path, listed: &[&PathBuf]) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let package: Value = serde_json::from_str(&files::read_text(&pkg.join("package.json"))?)?;
    let promised = promised(&package["exports"]);
    let promised: Vec<&str> = promised.iter().map(String::as_str).collect();
    let graph = Graph::read(cx, pkg, &promised)?;
    for script in listed {
        if !graph.scripts().any(|reached| Path::new(reached) == **script) {
            bail!("{} is reached from no entry of the package", script.display());
        }
    }
    let entries: BTreeSet<&str> = promised.into_iter().chain(graph.later()).collect();
    let entries: Vec<&str> = entries.into_iter().collect();
    let out = cx.target.join("minified");
    let _ = fs::remove_dir_all(&out);
    let built = esbuild(cx, pkg, &entries, &out, &["--splitting", "--chunk-names=dist/chunk-[hash]"])?;
    let names = shared(&graph, &built)?;
    let mut published = BTreeMap::new();
    for file in files::below(&out)? {
        let mut script = files::read_text(&out.join(&file))?;
        for (chunk, name) in &names {
            script = script.replace(&format!("/{chunk}.js"), &format!("/{name}.js"));
        }
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let path = names.get(stem).map_or(file.clone(), |name| file.with_file_name(format!("{name}.js")));
        fs::write(out.join(&file), script)?;
        if published.insert(path.clone(), out.join(file)).is_some() {
            bail!("two scripts would be published as {}", path.display());
        }
    }
    Ok(published)
}

/// The scripts that a part of package.json names.
fn promised(value: &Value) -> BTreeSet<String> {
    match value {
        Value::String(path) if path.ends_with(".js") => {
            BTreeSet::from([path.trim_start_matches("./").to_owned()])
        }
        Value::Object(object) => object.values().flat_map(promised).collect(),
        _ => BTreeSet::new(),
    }
}

/// What several entries share: esbuild's name of it → ours, that of the source which imports the others.
fn shared(graph: &Graph, built: &Value) -> Result<BTreeMap<String, String>> {
    let stem = |path: &str| Path::new(path).file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
    let mut names = BTreeMap::new();
    for (path, output) in built["outputs"].as_object().context("esbuild wrote nothing")? {
        let chunk = stem(path).context("esbuild's file has no name")?;
        if output["entryPoint"].is_null() && chunk.starts_with("chunk-") {
            let sources: Vec<&str> =
                output["inputs"].as_object().into_iter().flatten().map(|(path, _)| path.as_str()).collect();
            let imported: BTreeSet<&str> =
                sources.iter().flat_map(|source| graph.imports(source, "import-statement")).collect();
            let above = sources.iter().filter(|source| !imported.contains(**source));
            names.insert(chunk, above.filter_map(|source| stem(source)).collect::<Vec<_>>().join("-"));
        }
    }
    Ok(names)
}

/// Runs it in a folder; what it says of what it read and wrote.
fn esbuild(cx: &Cx, folder: &Path, entries: &[&str], out: &Path, more: &[&str]) -> Result<Value> {
    let report = cx.target.join("esbuild.json");
    proc::run(
        Command::new(vendor::modules(cx)?.join(".bin/esbuild"))
            .args(entries)
            .args([
                "--bundle",
                "--minify",
                "--format=esm",
                "--charset=utf8",
                "--legal-comments=none",
                "--log-level=warning",
                "--packages=external",
                // Else an entry that uses less of what is shared would split it.
                "--ignore-annotations",
                "--outbase=.",
            ])
            .args(more)
            .arg(format!("--outdir={}", out.display()))
            .arg(format!("--metafile={}", report.display()))
            .current_dir(folder),
    )?;
    serde_json::from_str(&files::read_text(&report)?).context("esbuild's report is no JSON")
}
