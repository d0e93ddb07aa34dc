//! What npm would publish: exactly these files, and a tarball that can be imported where there is no DOM.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use riacho_tests::built;
use riacho_tests::pack::{Folder, pack, run};

/// Everything in the package, and nothing else.
const FILES: &[&str] = &[
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "adapters/ai-sdk.d.ts",
    "adapters/ai-sdk.js",
    "adapters/openai.d.ts",
    "adapters/openai.js",
    "adapters/socket-io.d.ts",
    "adapters/socket-io.js",
    "code/team.js",
    "debug/index.d.ts",
    "debug/index.js",
    "dist/chat.js",
    "dist/core.js",
    "dist/error.js",
    "dist/follow-readable.js",
    "dist/http.js",
    "dist/place.js",
    "dist/riacho_bg.wasm",
    "dist/riacho_client_bg.wasm",
    "dist/riacho_sanitizer.js",
    "dist/riacho_sanitizer_bg.wasm",
    "dist/uuid.js",
    "dist/window.js",
    "element/index.d.ts",
    "element/index.js",
    "index.d.ts",
    "index.js",
    "markdown.d.ts",
    "markdown.js",
    "package.json",
    "plain/index.js",
    "plain/whole.js",
    "react/index.d.ts",
    "react/index.js",
    "reading/index.d.ts",
    "reading/index.js",
    "reading/window.js",
    "riacho.css",
    "riacho.css.d.ts",
    "shiki/index.d.ts",
    "shiki/index.js",
    "shiki/worker.js",
];

#[test]
fn the_tarball_holds_exactly_what_it_should() {
    let folder = Folder::make("content");
    let tarball = pack(&folder.0);
    let listed = run(Command::new("tar").arg("-tzf").arg(&tarball), &folder.0);
    let listed: Vec<&str> = listed.lines().filter_map(|line| line.strip_prefix("package/")).collect();
    assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), FILES.iter().copied().collect());
    assert_eq!(listed.len(), FILES.len(), "each once: {listed:?}");
    run(Command::new("tar").arg("-xzf").arg(&tarball), &folder.0);
    for file in listed {
        let bytes = fs::read(folder.0.join("package").join(file)).unwrap();
        assert!(!bytes.is_empty(), "{file} is empty");
        if file.ends_with(".wasm") {
            assert!(bytes.starts_with(b"\0asm"), "{file} is no wasm");
        }
    }
}

#[test]
fn every_path_that_the_package_promises_is_in_it() {
    let package = fs::read_to_string(built::pkg().join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap();
    let mut promised = Vec::new();
    fn paths(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(path) => found.push(path.trim_start_matches("./").to_owned()),
            serde_json::Value::Object(object) => object.values().for_each(|value| paths(value, found)),
            _ => {}
        }
    }
    for field in ["exports", "main", "types"] {
        paths(&package[field], &mut promised);
    }
    assert!(promised.len() >= 4, "{promised:?}");
    for path in promised {
        assert!(FILES.contains(&path.as_str()), "package.json promises {path}");
    }
    assert_eq!(package["type"], "module");
    assert!(package.get("dependencies").is_none(), "the package needs no other");
}

#[test]
fn the_installed_tarball_is_imported_without_a_dom() {
    let folder = Folder::make("import");
    let tarball = pack(&folder.0);
    let project = folder.0.join("project");
    fs::create_dir_all(&project).unwrap();
    fs::write(project.join("package.json"), r#"{"name":"project","private":true,"type":"module"}"#).unwrap();
    let mut npm = Command::new(built::npm());
    npm.args(["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        .arg(&tarball);
    run(&mut npm, &project);
    fs::write(
        project.join("main.js"),
        r#"
import init, { ChatClient, MarkdownStream, init as named } from "riacho";
for (const entry of ["debug", "element", "markdown", "reading", "shiki", "adapters/openai", "adapters/ai-sdk", "adapters/socket-io"]) {
    await import(`riacho/${entry}`);
}
if (typeof document !== "undefined") throw new Error("there is a DOM after all");
const codes = [];
for (const make of [() => new ChatClient({}), () => new MarkdownStream({})]) {
    try { make(); } catch (error) { codes.push(error instanceof Error ? error.code : typeof error); }
}
console.log(JSON.stringify([typeof init, init === named, codes]));
"#,
    )
    .unwrap();
    let said = run(Command::new("node").arg("main.js"), &project);
    assert_eq!(said.trim(), r#"["function",true,["not_initialised","not_initialised"]]"#);
}
