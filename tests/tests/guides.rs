//! What the guides promise: the tests that they name are there, and the page about style is the style sheets'.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files below a folder with this ending.
fn below(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "node_modules" {
            below(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// What stands between single backticks, outside of fences.
fn spans(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_test_that_a_guide_names_is_there() {
    let mut sources = Vec::new();
    for folder in ["tests", "relay", "wasm", "protocol"] {
        below(&root().join(folder), ".rs", &mut sources);
    }
    let sources: Vec<String> = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut count = 0;
    for guide in ["docs/MESSAGE.md", "docs/FAQ.md", "docs/ACCESSIBILITY.md", "CONTRIBUTING.md"] {
        for span in spans(&read(guide)) {
            // Names of tests are sentences.
            let is_sentence =
                span.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
            if is_sentence && span.matches('_').count() >= 3 {
                count += 1;
                let there = sources.iter().any(|source| source.contains(&format!("fn {span}(")));
                assert!(there, "{guide} names {span}, and no test is called so");
            }
        }
    }
    assert!(count > 25, "{count} names");
}

/// Words that begin so, in a text.
fn words(text: &str, start: &str) -> BTreeSet<String> {
    let word = |at: usize| {
        let rest = &text[at + start.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        format!("{start}{}", &rest[..end])
    };
    text.match_indices(start).map(|(at, _)| word(at)).collect()
}

#[test]
fn the_page_about_style_is_the_style_sheets() {
    let page = read("docs/STYLE.md");
    let (sheet, element) = (read("pkg/riacho.css"), read("pkg/element/style.js"));
    let mut properties = words(&sheet, "--riacho-");
    properties.extend(words(&element, "--riacho-"));
    assert_eq!(words(&page, "--riacho-"), properties, "custom properties: said, and there");

    // What is for the page's author has a class of ours; a page may name more of them than the sheet styles.
    let mut scripts = Vec::new();
    for folder in ["pkg", "wasm/src", "wasm/client/src"] {
        for ending in [".js", ".rs", ".css"] {
            below(&root().join(folder), ending, &mut scripts);
        }
    }
    let made: String = scripts
        .iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "dist"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    for class in
        words(&page, ".riacho-").iter().chain(&words(&page, ".message")).chain(&words(&page, ".footnote-"))
    {
        let class = class.trim_start_matches('.');
        // The name of a file, and of the element.
        if class != "riacho-" && class != "message" {
            assert!(made.contains(class), "the page names .{class}, and nothing makes it");
        }
    }
    for class in words(&sheet, ".riacho-").union(&words(&sheet, ".message-")) {
        assert!(page.contains(&format!("`{class}`")), "the page does not name {class}");
    }

    let parts = |text: &str, start: &str| -> BTreeSet<String> {
        let rest = text.split(start).skip(1);
        rest.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let built = read("pkg/element/index.js");
    for part in parts(&element, "[part~=\"") {
        assert!(page.contains(&format!("`{part}`")), "the page does not name the part {part}");
    }
    for part in words(&page, "::part(") {
        let part = part.trim_start_matches("::part(");
        assert!(built.contains(part), "no part is called {part}");
    }
}

#[test]
fn every_code_that_the_package_throws_is_listed() {
    let page = read("docs/PAGE.md");
    let errors = page.split_once("\n## Errors\n").unwrap().1;
    let mut scripts = Vec::new();
    below(&root().join("pkg"), ".js", &mut scripts);
    scripts.retain(|file| !file.components().any(|part| part.as_os_str() == "dist"));
    let mut sources: Vec<String> = scripts.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    sources.extend(
        ["wasm/src/edge/exports.rs", "wasm/client/src/edge/error.rs", "wasm/client/src/core/client/page.rs"]
            .map(read),
    );
    let mut count = 0;
    for source in &sources {
        for start in ["coded(\"", "wrong(\"", " error(\"", "=> \""] {
            for rest in source.split(start).skip(1) {
                let code = rest.split('"').next().unwrap();
                if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !code.is_empty() {
                    count += 1;
                    assert!(errors.contains(&format!("`{code}`")), "docs/PAGE.md does not list {code}");
                }
            }
        }
    }
    assert!(count > 30, "{count} codes");
}
