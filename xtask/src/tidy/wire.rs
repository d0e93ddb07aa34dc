//! The wire's document against its sources: no frame and no code without a line in docs/PROTOCOL.md.

use super::Tree;
use super::lex::{self, Language};

const DOCUMENT: &str = "docs/PROTOCOL.md";

pub fn document_names_every_frame(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for (file, side) in [("protocol/src/client.rs", "client"), ("protocol/src/server.rs", "server")] {
        let frames = table(tree, file, "frames!");
        // The golden files are a second list of the frames: it tells whether this reader still reads the first.
        let folder = format!("protocol/golden/{side}/");
        for golden in tree.files.iter().filter_map(|f| f.path.strip_prefix(&folder)?.strip_suffix(".json")) {
            if !frames.iter().any(|frame| frame == golden) {
                breaches
                    .push(format!("{file}: {golden} has a golden file but is no frame that tidy can read"));
            }
        }
        breaches.extend(unnamed(tree, file, &frames));
    }
    breaches
}

pub fn document_names_every_code(tree: &Tree) -> Vec<String> {
    let file = "protocol/src/error.rs";
    unnamed(tree, file, &table(tree, file, "codes!"))
}

fn unnamed(tree: &Tree, file: &str, names: &[String]) -> Vec<String> {
    let Some(document) = tree.find(DOCUMENT) else {
        return vec![format!("{DOCUMENT}: not there")];
    };
    if names.is_empty() {
        return vec![format!("{file}: tidy finds no names in it any more")];
    }
    names
        .iter()
        .filter(|name| !document.text.contains(&format!("`{name}`")))
        .map(|name| format!("{DOCUMENT}: does not name `{name}`"))
        .collect()
}

/// The strings of the `Name = "string"` lines after the macro's call.
fn table(tree: &Tree, file: &str, call: &str) -> Vec<String> {
    let Some(source) = tree.find(file) else { return Vec::new() };
    let code = lex::without_comments(&source.text, Language::Rust);
    let Some((_, body)) = code.split_once(&format!("\n{call} {{")) else { return Vec::new() };
    // Up to the brace that closes the call, at the start of its line.
    let body = body.split("\n}").next().unwrap_or_default();
    body.lines()
        .filter_map(|line| line.trim().split_once(" = \"")?.1.strip_suffix("\",").map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: (&str, &str) =
        ("protocol/src/server.rs", "x\nframes! {\n    S {\n        Pong = \"pong\",\n    }\n}\n");
    const CLIENT: (&str, &str) = (
        "protocol/src/client.rs",
        "x\nframes! {\n    C {\n        // Old = \"old\",\n        Ping = \"ping\",\n        Stop = \"stop\",\n    }\n}\nconst X: &str = \"no\",\n",
    );

    #[test]
    fn a_frame_without_a_line_is_found() {
        let tree = Tree::of(&[CLIENT, SERVER, (DOCUMENT, "`ping` and `pong`, but stop only in prose")]);
        assert_eq!(document_names_every_frame(&tree), ["docs/PROTOCOL.md: does not name `stop`"]);
    }

    #[test]
    fn a_frame_that_tidy_cannot_read_is_found_by_its_golden_file() {
        let golden = ("protocol/golden/server/welcome.json", "{}");
        let tree = Tree::of(&[CLIENT, SERVER, golden, (DOCUMENT, "`ping` `pong` `stop`")]);
        let breaches = document_names_every_frame(&tree);
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].contains("welcome"), "{breaches:?}");
    }

    #[test]
    fn a_table_that_has_gone_is_found() {
        let tree = Tree::of(&[("protocol/src/error.rs", "enum ErrorCode {}"), (DOCUMENT, "")]);
        assert_eq!(document_names_every_code(&tree).len(), 1);
        let tree =
            Tree::of(&[("protocol/src/error.rs", "\ncodes! {\n    A = \"a_b\",\n}\n"), (DOCUMENT, "`a_b`")]);
        assert_eq!(document_names_every_code(&tree), Vec::<String>::new());
    }
}
