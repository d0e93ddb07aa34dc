//! What every file of the tree owes its reader.

use super::{Source, Tree};

const SOURCES: [&str; 5] = [".rs", ".js", ".mjs", ".ts", ".css"];

/// Past this, look for the second job.
const LONG: usize = 500;
const TOO_LONG: usize = 800;

/// Files of the vendored parser that are not its authors'.
const OURS: [&str; 2] = ["entities.rs", "queue.rs"];

pub fn first_line_says_the_job(tree: &Tree) -> Vec<String> {
    let opening = |file: &Source| {
        if file.ends_with(&[".rs"]) {
            "//! "
        } else if file.ends_with(&[".css"]) {
            "/* "
        } else {
            "// "
        }
    };
    sources(tree)
        .filter(|file| !file.text.strip_prefix(opening(file)).is_some_and(says_something))
        .map(|file| format!("{}: its first line must be `{}…`", file.path, opening(file)))
        .collect()
}

fn says_something(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    line.split_whitespace().count() >= 3 && !line.contains("skeleton")
}

pub struct Sizes {
    pub long: Vec<String>,
    pub too_long: Vec<String>,
}

pub fn sizes(tree: &Tree) -> Sizes {
    let mut sizes = Sizes { long: Vec::new(), too_long: Vec::new() };
    for file in sources(tree) {
        let lines = file.text.lines().count();
        let said = format!("{}: {lines} lines; look for its second job", file.path);
        match lines {
            _ if lines > TOO_LONG => sizes.too_long.push(said),
            _ if lines > LONG => sizes.long.push(said),
            _ => {}
        }
    }
    sizes
}

/// Ours. In the folder of the vendored parser only these are.
fn sources(tree: &Tree) -> impl Iterator<Item = &Source> {
    let theirs = |path: &str| {
        path.strip_prefix("vendor/pulldown-cmark/src/").is_some_and(|file| !OURS.contains(&file))
    };
    tree.files.iter().filter(move |file| file.ends_with(&SOURCES) && !theirs(&file.path))
}

/// Where packages come from is the choice of who builds: a lock file names packages and their hashes, not where they came from.
pub fn locks_record_no_addresses(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in &tree.files {
        let allowed = |line: &str| match file.path.rsplit('/').next() {
            Some("Cargo.lock") => {
                !line.starts_with("source = ") || line.contains("github.com/rust-lang/crates.io-index")
            }
            Some("package-lock.json" | "npm-shrinkwrap.json") => !line.contains("\"resolved\""),
            _ => true,
        };
        for (at, line) in file.text.lines().enumerate() {
            if !allowed(line) {
                breaches.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    breaches
}

pub fn no_machine_paths(tree: &Tree) -> Vec<String> {
    // In pieces, or this file would break its own rule.
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
    let mut breaches = Vec::new();
    for file in &tree.files {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(path) = paths.iter().find(|path| names_path(line, path)) {
                breaches.push(format!("{}:{}: {path}", file.path, at + 1));
            }
        }
    }
    breaches
}

/// The path from its root: `path/home/x` and `https://host/home/` are something else.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-})~$".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_job_first() {
        let tree = Tree::of(&[
            ("a.rs", "//! What it is for.\n"),
            ("b.rs", "use std::fmt;\n//! Too late, dear.\n"),
            ("c.js", "// What it is for.\n"),
            ("d.js", "import x from 'y';\n"),
            ("e.rs", "//! (skeleton)\n"),
            ("f.json", "{}\n"),
        ]);
        let breaches = first_line_says_the_job(&tree);
        let files: Vec<_> = breaches.iter().map(|breach| breach.split(':').next().unwrap()).collect();
        assert_eq!(files, ["b.rs", "d.js", "e.rs"]);
    }

    #[test]
    fn long_files_are_said_and_longer_ones_refused() {
        let (long, longer) = ("x\n".repeat(501), "x\n".repeat(801));
        let sizes =
            sizes(&Tree::of(&[("a.rs", "x\n"), ("b.rs", &long), ("c.ts", &longer), ("d.json", &longer)]));
        assert_eq!(sizes.long, ["b.rs: 501 lines; look for its second job"]);
        assert_eq!(sizes.too_long, ["c.ts: 801 lines; look for its second job"]);
    }

    #[test]
    fn an_address_in_a_lock_file_is_found() {
        let tree = Tree::of(&[
            (
                "Cargo.lock",
                "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"git+https://x\"\n",
            ),
            (
                "x/package-lock.json",
                "  \"resolved\": \"https://mirror/x.tgz\",\n  \"integrity\": \"sha512\"\n",
            ),
        ]);
        assert_eq!(
            locks_record_no_addresses(&tree),
            [
                "Cargo.lock:2: source = \"git+https://x\"",
                "x/package-lock.json:1: \"resolved\": \"https://mirror/x.tgz\","
            ]
        );
    }

    #[test]
    fn a_machines_path_is_found_from_its_root_only() {
        let tree = Tree::of(&[
            ("a.md", concat!("see /wo", "rk/main and ~/wo", "rk/")),
            ("b.md", concat!("https://example.org/ho", "me/ is no path, a/ro", "ot/ neither")),
            ("c.sh", concat!("cd /ro", "ot/x")),
        ]);
        assert_eq!(no_machine_paths(&tree), [concat!("a.md:1: /wo", "rk/"), concat!("c.sh:1: /ro", "ot/")]);
    }
}
