//! Who may name whom: the absences that the design is made of.

use super::lex::{self, Language};
use super::{Source, Tree};

/// The pure part of each crate that has one.
const CORES: [&str; 2] = ["wasm/src/core", "wasm/client/src/core"];

/// The parts of the cores that do not know each other: one composing type puts them together.
const LEAVES: [&str; 7] = ["registry", "router", "sweeper", "reconnect", "fence", "engine", "policy"];

/// The one exception: the engine builds its tree through the policy.
const KNOWS: [(&str, &str); 1] = [("engine", "policy")];

pub fn core_names_no_javascript(tree: &Tree) -> Vec<String> {
    core_without(tree, &["js_sys", "web_sys", "wasm_bindgen", "gloo", "JsValue", "gloo_net", "gloo_timers"])
}

pub fn core_knows_no_clock(tree: &Tree) -> Vec<String> {
    core_without(tree, &["Instant", "SystemTime", "Date", "UNIX_EPOCH"])
}

pub fn core_knows_no_randomness(tree: &Tree) -> Vec<String> {
    core_without(tree, &["rand", "getrandom", "RandomState", "fastrand", "thread_rng"])
}

fn core_without(tree: &Tree, forbidden: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in cores(tree) {
        let code = code_of(file);
        for (line, word) in lex::words(&code) {
            if forbidden.contains(&word) {
                breaches.push(format!("{}:{line}: {word}", file.path));
            }
        }
    }
    breaches
}

pub fn leaves_do_not_know_each_other(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in cores(tree) {
        let module = module_of(&file.path);
        let Some(leaf) = LEAVES.into_iter().find(|leaf| module.get(2).is_some_and(|name| name == leaf))
        else {
            continue;
        };
        for (line, path) in lex::paths(&code_of(file)) {
            let path = absolute(&module, &path);
            let [_, core, named, ..] = path.as_slice() else { continue };
            let foreign = core == "core" && named != leaf && LEAVES.contains(&named.as_str());
            if foreign && !KNOWS.contains(&(leaf, named)) {
                breaches.push(format!("{}:{line}: {leaf} names {named}", file.path));
            }
        }
    }
    breaches
}

/// `wasm/src/core/engine/blocks.rs` → `crate::core::engine::blocks`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    std::iter::once("crate").chain(inside.split('/')).map(str::to_owned).collect()
}

/// A path as seen from the crate's root.
fn absolute(module: &[String], path: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    if ups == 0 {
        return path.to_vec();
    }
    let kept = module.len().saturating_sub(ups);
    module.iter().take(kept).chain(path.iter().skip(ups)).cloned().collect()
}

pub fn protocol_is_only_types(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust_below(tree, "protocol/src") {
        let code = code_of(file);
        for (line, word) in lex::words(&code) {
            if ["async", "await", "tokio", "futures", "reqwest", "Instant", "SystemTime"].contains(&word) {
                breaches.push(format!("{}:{line}: {word}", file.path));
            }
        }
        for (at, line) in code.lines().enumerate() {
            for io in ["std::fs", "std::io", "std::net", "std::env", "std::process", "std::thread"] {
                if line.contains(io) {
                    breaches.push(format!("{}:{}: {io}", file.path, at + 1));
                }
            }
        }
    }
    breaches
}

/// A crate, its manifest, and which of our own it may use in what it ships. `riacho-tests` may use anything.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("protocol/Cargo.toml", &[]),
    ("wasm/flat/Cargo.toml", &[]),
    ("wasm/index/Cargo.toml", &[]),
    ("wasm/sanitizer/Cargo.toml", &["riacho-flat"]),
    ("wasm/browser/Cargo.toml", &[]),
    // What renders text knows no chat, and the chat does not know what renders it.
    ("wasm/Cargo.toml", &["riacho-flat", "riacho-index", "riacho-browser"]),
    ("wasm/client/Cargo.toml", &["riacho-protocol", "riacho-browser"]),
    ("relay/Cargo.toml", &["riacho-protocol"]),
    ("xtask/Cargo.toml", &[]),
];

pub fn dependencies_point_one_way(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for (manifest, allowed) in MAY_USE {
        let Some(file) = tree.find(manifest) else {
            breaches.push(format!("{manifest}: not there; has the layout changed?"));
            continue;
        };
        let mut shipped = false;
        for (at, line) in file.text.lines().enumerate() {
            if let Some(section) = line.trim().strip_prefix('[') {
                shipped = section.contains("dependencies") && !section.contains("dev-dependencies");
            }
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default().trim_matches('"');
            if shipped && name.starts_with("riacho-") && !allowed.contains(&name) {
                breaches.push(format!("{manifest}:{}: {name}", at + 1));
            }
        }
    }
    breaches
}

/// What hands a string to the browser's HTML or script parser.
const SINKS: [&str; 14] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "createContextualFragment",
    "parseFromString",
    "setHTML",
    "setHTMLUnsafe",
    "srcdoc",
    "set_inner_html",
    "set_outer_html",
    "insert_adjacent_html",
    "create_contextual_fragment",
    "parse_from_string",
    "set_srcdoc",
];

pub fn no_html_strings(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for (file, code) in shipped(tree) {
        for (line, word) in lex::words(&code) {
            if SINKS.contains(&word) {
                breaches.push(format!("{}:{line}: {word}", file.path));
            }
        }
        for (at, line) in code.lines().enumerate() {
            for call in ["document.write", "eval(", "new Function("] {
                if line.contains(call) {
                    breaches.push(format!("{}:{}: {call}", file.path, at + 1));
                }
            }
        }
    }
    breaches
}

pub fn no_forgotten_closures(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for (file, code) in shipped(tree) {
        for (at, line) in code.lines().enumerate() {
            if line.contains(".forget()") || line.contains("mem::forget") {
                breaches.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    breaches
}

/// What reaches a browser, with its comments blanked. `#[cfg(test)]` code is not told apart: it has no need of these either.
fn shipped(tree: &Tree) -> impl Iterator<Item = (&Source, String)> {
    tree.files
        .iter()
        .filter(|file| {
            let folders = [
                "wasm/src",
                "wasm/client/src",
                "wasm/browser/src",
                "wasm/sanitizer/src",
                "wasm/flat/src",
                "pkg",
                "www",
            ];
            folders.iter().any(|folder| file.is_below(folder))
        })
        .filter(|file| file.ends_with(&[".rs", ".js", ".mjs", ".ts", ".html"]))
        .map(|file| (file, code_of(file)))
}

/// Its text with the comments blanked.
fn code_of(file: &Source) -> String {
    lex::without_comments(&file.text, Language::of(&file.path))
}

fn cores(tree: &Tree) -> impl Iterator<Item = &Source> {
    CORES.into_iter().flat_map(|folder| rust_below(tree, folder))
}

fn rust_below<'a>(tree: &'a Tree, folder: &'a str) -> impl Iterator<Item = &'a Source> {
    tree.files.iter().filter(move |file| file.is_below(folder) && file.ends_with(&[".rs"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_is_held_to_its_absences() {
        let tree = Tree::of(&[
            (
                "wasm/src/core/a.rs",
                "//! Instant in a comment.\nuse std::time::Duration;\nuse web_sys::Node;\n",
            ),
            ("wasm/src/core/b.rs", "fn f() { let t = std::time::Instant::now(); }\n"),
            ("wasm/src/core/c.rs", "fn f() { getrandom::fill(&mut b); }\n// rand\n"),
            ("wasm/src/edge/d.rs", "use js_sys::Date; use getrandom::fill;\n"),
        ]);
        assert_eq!(core_names_no_javascript(&tree), ["wasm/src/core/a.rs:3: web_sys"]);
        assert_eq!(core_knows_no_clock(&tree), ["wasm/src/core/b.rs:1: Instant"]);
        assert_eq!(core_knows_no_randomness(&tree), ["wasm/src/core/c.rs:1: getrandom"]);
    }

    #[test]
    fn a_leaf_that_names_another_is_found_however_it_names_it() {
        let tree = Tree::of(&[
            ("wasm/client/src/core/registry.rs", "use crate::core::{router::Route, text::Text};\n"),
            (
                "wasm/src/core/engine/blocks.rs",
                "use super::super::sweeper;\nuse crate::core::policy::Policy;\n",
            ),
            ("wasm/src/core/policy/mod.rs", "fn f() { super::engine::push() }\n"),
            ("wasm/src/core/client.rs", "use super::{registry, router};\n"),
            ("wasm/src/core/engine/mod.rs", "mod tests { use super::*; }\nuse self::router_like::X;\n"),
        ]);
        assert_eq!(
            leaves_do_not_know_each_other(&tree),
            [
                "wasm/src/core/engine/blocks.rs:1: engine names sweeper",
                "wasm/src/core/policy/mod.rs:1: policy names engine",
                "wasm/client/src/core/registry.rs:1: registry names router",
            ]
        );
    }

    #[test]
    fn the_wire_does_nothing() {
        let tree = Tree::of(&[
            ("protocol/src/a.rs", "use std::fmt;\n// std::fs\n"),
            ("protocol/src/b.rs", "use std::fs;\nasync fn f() {}\n"),
            ("protocol/tests/c.rs", "use std::fs;\n"),
        ]);
        assert_eq!(
            protocol_is_only_types(&tree),
            ["protocol/src/b.rs:2: async", "protocol/src/b.rs:1: std::fs"]
        );
    }

    #[test]
    fn the_relay_may_not_depend_on_the_page() {
        let fine = "[dependencies]\nriacho-protocol = { workspace = true }\n[dev-dependencies]\nriacho-wasm = \"1\"\n";
        let mut files: Vec<(&str, &str)> = MAY_USE.iter().map(|(manifest, _)| (*manifest, "")).collect();
        files.push(("tests/Cargo.toml", "[dependencies]\nriacho-wasm = \"1\"\n"));
        let with = |relay: &'static str| {
            let mut files = files.clone();
            let place = files.iter().position(|(path, _)| *path == "relay/Cargo.toml").unwrap();
            files[place].1 = relay;
            dependencies_point_one_way(&Tree::of(&files))
        };
        assert_eq!(with(fine), Vec::<String>::new());
        assert_eq!(
            with("[dependencies]\nriacho-wasm.workspace = true\n"),
            ["relay/Cargo.toml:2: riacho-wasm"]
        );
        assert_eq!(dependencies_point_one_way(&Tree::of(&[])).len(), MAY_USE.len());
    }

    #[test]
    fn html_strings_are_found_in_what_is_shipped_only() {
        let tree = Tree::of(&[
            ("www/app.js", "// innerHTML\nel.innerHTML = text;\n"),
            ("wasm/src/edge/dom.rs", "el.set_inner_html(text);\nclosure.forget();\n"),
            ("tests/pages/a.js", "el.innerHTML = '';\n"),
        ]);
        assert_eq!(
            no_html_strings(&tree),
            ["www/app.js:2: innerHTML", "wasm/src/edge/dom.rs:1: set_inner_html"]
        );
        assert_eq!(no_forgotten_closures(&tree), ["wasm/src/edge/dom.rs:2: closure.forget();"]);
    }
}
