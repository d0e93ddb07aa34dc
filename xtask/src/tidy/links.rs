//! Where the pages lead: every link and anchor between them, and every path of the tree that they name, must be there.

use std::collections::BTreeSet;

use super::{Source, Tree};

/// Made by a build, and in no commit.
const BUILT: [&str; 2] = ["pkg/dist", "target"];

pub fn links_lead_somewhere(tree: &Tree) -> Vec<String> {
    let mut breaches = Vec::new();
    for page in pages(tree) {
        for (line, target) in links(&page.text) {
            if let Some(fault) = fault(tree, page, &target) {
                breaches.push(format!("{}:{line}: {target}: {fault}", page.path));
            }
        }
    }
    breaches
}

pub fn named_paths_are_there(tree: &Tree) -> Vec<String> {
    let folders: BTreeSet<&str> =
        tree.files.iter().filter_map(|file| Some(file.path.split_once('/')?.0)).collect();
    let mut breaches = Vec::new();
    for page in pages(tree) {
        for (line, path) in code_spans(&page.text).filter(|(_, span)| is_path(span, &folders)) {
            if !is_built(path) && !exists(tree, path.trim_end_matches('/')) {
                breaches.push(format!("{}:{line}: {path} is not there", page.path));
            }
        }
    }
    breaches
}

fn pages(tree: &Tree) -> impl Iterator<Item = &Source> {
    tree.files.iter().filter(|file| file.ends_with(&[".md"]) && is_ours(&file.path))
}

/// Not what was written elsewhere, and not what a test or the demo shows as an answer.
fn is_ours(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    path.starts_with("docs/")
        || ["README", "CONTRIBUTING", "CHANGELOG"].iter().any(|name| file.starts_with(name))
            && !path.starts_with("vendor/")
}

fn is_built(path: &str) -> bool {
    BUILT
        .iter()
        .any(|built| path.strip_prefix(built).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A file, or a folder that has one.
fn exists(tree: &Tree, path: &str) -> bool {
    let texts = tree.files.iter().map(|file| file.path.as_str());
    texts
        .chain(tree.others.iter().map(String::as_str))
        .any(|file| file == path || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
}

/// Two steps at least, of which the first is a folder of the tree.
fn is_path(span: &str, folders: &BTreeSet<&str>) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    span.chars().all(plain) && span.split_once('/').is_some_and(|(first, _)| folders.contains(first))
}

/// What is wrong with where a link leads.
fn fault(tree: &Tree, page: &Source, target: &str) -> Option<&'static str> {
    if let Some(rest) = target.strip_prefix("https://").or_else(|| target.strip_prefix("http://")) {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let good = host.split('.').filter(|label| !label.is_empty()).count() >= 2
            && !target.contains(char::is_whitespace);
        return (!good).then_some("this is no address");
    }
    if target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { Some(page.path.clone()) } else { joined(&page.path, path) };
    let Some(path) = path.filter(|path| exists(tree, path)) else { return Some("nothing is there") };
    let missing =
        !anchor.is_empty() && !tree.find(&path).is_some_and(|page| anchors(&page.text).contains(anchor));
    missing.then_some("that page has no such heading")
}

/// A relative path, from the folder of a page.
fn joined(page: &str, path: &str) -> Option<String> {
    let mut steps: Vec<&str> = page.split('/').collect();
    steps.pop();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

/// The ids that GitHub gives to headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for (_, line) in prose(text) {
        let Some(heading) = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#')) else { continue };
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let id: String =
            heading.trim().chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-");
        let again = (1..).map(|n| format!("{id}-{n}")).find(|id| !seen.contains(id));
        if !seen.insert(id) {
            seen.extend(again);
        }
    }
    seen
}

/// The targets of `[text](target)` and `![text](target)`, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_spans(line);
        for (at, open) in line.match_indices("](") {
            let target = line[at + open.len()..].split(')').next().unwrap_or_default();
            // A title may follow.
            let target = target.split(" \"").next().unwrap_or_default().trim();
            found.push((number, target.trim_start_matches('<').trim_end_matches('>').to_owned()));
        }
    }
    found
}

/// Lines outside of fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((at + 1, line))
    })
}

fn code_spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(text).flat_map(|(number, line)| line.split('`').skip(1).step_by(2).map(move |span| (number, span)))
}

/// A link within code is none.
fn without_spans(line: &str) -> String {
    let blank =
        |(n, piece): (usize, &str)| if n % 2 == 1 { "x".repeat(piece.len()) } else { piece.to_owned() };
    line.split('`').enumerate().map(blank).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: (&str, &str) =
        ("docs/OTHER.md", "# Other\n\n## What `it` is, and why\n\n## Same\n\n## Same\n");

    #[test]
    fn a_link_leads_to_a_file_or_a_heading() {
        let page = "[a](OTHER.md) [b](OTHER.md#what-it-is-and-why) [c](../relay/src) [d](#here) ![e](OTHER.md#same-1)\n\n# Here\n\
                    [f](https://example.org/x) `[g](nowhere)` [h](mailto:x@example.org)\n```\n[i](nowhere)\n```\n";
        let tree = Tree::of(&[("docs/A.md", page), OTHER, ("relay/src/lib.rs", "")]);
        assert_eq!(links_lead_somewhere(&tree), [""; 0]);
        let page =
            "[a](NO.md)\n[b](OTHER.md#no)\n[c](../../x)\n[d](https://nowhere)\n![e](no.png)\n[f](#same)";
        let breaches =
            links_lead_somewhere(&Tree::of(&[("docs/A.md", page), OTHER, ("vendor/x/README.md", "[a](no)")]));
        let lines: Vec<_> = breaches.iter().map(|breach| breach.split(": ").next().unwrap()).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 6].map(|n| format!("docs/A.md:{n}")));
    }

    #[test]
    fn a_path_in_code_is_there() {
        let page = "`relay/src/lib.rs`, `relay/src/`, `relay`, `application/json`, `a/b`, `pkg/dist/x.js`, `/relay/x`, `relay/{a}`\n`relay/gone.rs`";
        let tree = Tree::of(&[("README.md", page), ("relay/src/lib.rs", ""), ("pkg/index.js", "")]);
        assert_eq!(named_paths_are_there(&tree), ["README.md:2: relay/gone.rs is not there"]);
    }
}
