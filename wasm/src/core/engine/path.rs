//! The containers that were begun in finished text and may still go on, and how a parser is told of them.
//!
//! The text after the anchor is parsed behind a stub: one line that opens the same containers again, with a heading in
//! the place of what is finished. So the container rules stay the parser's own. What is computed here is only how wide a
//! container's prefix is, and only for prefixes without tabs; where that fails, nothing is finished inside of it.

use pulldown_cmark::Alignment;

use super::tree::Role;
use crate::core::pattern::{any_of, behind_digits};

/// A container on the way to the last block.
#[derive(Debug, Clone)]
pub struct Open {
    pub role: Role,
    pub id: u32,
    /// Its last finished kid; 0 if none.
    pub before: u32,
    /// How the container begins on a line.
    pub begin: String,
    /// How it goes on on the next.
    pub next: String,
    /// The element's name.
    pub name: &'static str,
    /// Where the line starts on which it was begun.
    pub line: usize,
    /// The finished tight paragraphs of a list, by their first and last node.
    pub runs: Vec<Run>,
    /// The nodes in a fence: its `code`, its text, and how long that is already.
    pub fence: Option<Fence>,
}

/// A finished tight paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    Nodes {
        first: u32,
        last: u32,
    },
    /// It waits for a definition.
    Waiting(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    pub code: u32,
    pub text: u32,
    pub gone: u32,
}

/// What to put before the text after the anchor, so that a parser has these containers open.
pub fn stub(path: &[Open]) -> String {
    let begin = begin_of(path);
    match path.last().map(|open| &open.role) {
        // The fence's own line is how it begins.
        Some(Role::Fence) => begin + "\n",
        Some(Role::Body) => begin,
        _ if begin.is_empty() => begin,
        _ => begin + "# x\n",
    }
}

/// How these containers begin, all on one line.
pub fn begin_of(path: &[Open]) -> String {
    let mut begin = String::new();
    path.iter().for_each(|open| begin.push_str(&open.begin));
    begin
}

/// The prefix of a line that goes on in these containers.
pub fn next(path: &[Open]) -> String {
    let mut next = String::new();
    path.iter().for_each(|open| next.push_str(&open.next));
    next
}

/// How a container begins that is on the line at `line`, behind those of `path`.
pub fn begin_on(text: &str, line: usize, role: &Role, path: &[Open]) -> Option<(String, String)> {
    let rest = text.get(line..)?;
    let mut rest = rest.split('\n').next()?;
    for open in path {
        if open.line < line {
            rest = strip(rest, std::slice::from_ref(open))?;
        } else if matches!(open.role, Role::Quote | Role::Item | Role::Note(_)) {
            rest = begin(&open.role, rest)?.2;
        }
    }
    let (begin, next, _) = begin(role, rest)?;
    Some((begin, next))
}

/// What opens a table: a head of the right width, and the line below.
pub fn table(alignments: &[Alignment], next: &str) -> String {
    let head = "|x".repeat(alignments.len());
    let mut line = String::new();
    for alignment in alignments {
        line.push_str(match alignment {
            Alignment::None => "|-",
            Alignment::Left => "|:-",
            Alignment::Center => "|:-:",
            Alignment::Right => "|-:",
        });
    }
    [&head, "|\n", next, &line, "|\n"].concat()
}

/// Reads the prefix of `line` for containers that were begun on lines before, and says what is left. `None` if there is
/// a tab in the way, or the prefix isn't there.
pub fn strip<'t>(line: &'t str, path: &[Open]) -> Option<&'t str> {
    let mut rest = line;
    for open in path {
        match &open.role {
            Role::Quote => {
                let (indent, after) = spaces(rest);
                let after = after.strip_prefix('>').filter(|_| indent <= 3)?;
                rest = after.strip_prefix(' ').unwrap_or(after);
                if after.starts_with('\t') {
                    return None;
                }
            }
            Role::Item | Role::Note(_) => {
                let (indent, after) = spaces(rest);
                let width = open.next.len();
                if indent < width {
                    // A blank line goes on in any item.
                    return if after.is_empty() { Some(after) } else { None };
                }
                rest = rest.get(width..)?;
            }
            _ => {}
        }
    }
    if spaces(rest).1.starts_with('\t') { None } else { Some(rest) }
}

/// The number of spaces at the start, and what is after them.
pub fn spaces(text: &str) -> (usize, &str) {
    let after = text.trim_start_matches(' ');
    (text.len() - after.len(), after)
}

/// How a quote, an item or a footnote begins, if `rest` begins with one: its begin, its next, and what comes after on the
/// line.
pub fn begin<'t>(role: &Role, rest: &'t str) -> Option<(String, String, &'t str)> {
    let (indent, after) = spaces(rest);
    if indent > 3 {
        return None;
    }
    match role {
        Role::Quote => {
            let after = after.strip_prefix('>')?;
            if after.starts_with('\t') {
                return None;
            }
            Some(("> ".to_owned(), "> ".to_owned(), after.strip_prefix(' ').unwrap_or(after)))
        }
        Role::Item => {
            let digits = after.len() - behind_digits(after).len();
            let marker = if digits == 0 { after.get(..1)? } else { after.get(..digits + 1)? };
            let good = if digits == 0 {
                matches!(marker, "-" | "*" | "+")
            } else {
                digits <= 9 && marker.ends_with(any_of(".)"))
            };
            if !good {
                return None;
            }
            let after = after.get(marker.len()..)?;
            let (pad, content) = spaces(after);
            if content.starts_with('\t') {
                return None;
            }
            // Five spaces are one, and code.
            let pad = if content.is_empty() || pad > 4 { 1 } else { pad };
            let width = indent + marker.len() + pad;
            let begin = [&" ".repeat(indent), marker, &" ".repeat(pad)].concat();
            Some((begin, " ".repeat(width), after.get(pad.min(after.len())..)?))
        }
        Role::Note(label) => {
            let head = ["[^", label, "]:"].concat();
            let content = after.strip_prefix(head.as_str())?;
            if content.contains('\t') {
                return None;
            }
            Some((head + " ", " ".repeat(4), content.trim_start_matches(' ')))
        }
        Role::Fence => {
            let tick = after.chars().next().filter(|c| matches!(c, '`' | '~'))?;
            let ticks = after.len() - after.trim_start_matches(tick).len();
            let fence = after.get(..ticks)?;
            Some((" ".repeat(indent) + fence, String::new(), ""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(role: Role, line: &str) -> Open {
        let (begin, next, _) = begin(&role, line).unwrap();
        Open { role, id: 0, before: 0, begin, next, name: "li", line: 0, runs: vec![], fence: None }
    }

    #[test]
    fn widths() {
        for (line, begin, width) in [
            ("- a", "- ", 2),
            ("  -   a", "  -   ", 6),
            ("10. a", "10. ", 4),
            ("-      code", "- ", 2),
            ("-", "- ", 2),
        ] {
            let open = open(Role::Item, line);
            assert_eq!((open.begin.as_str(), open.next.len()), (begin, width), "{line}");
        }
        assert!(super::begin(&Role::Item, "-\ta").is_none());
        assert!(super::begin(&Role::Item, "    - a").is_none());
    }

    #[test]
    fn prefixes() {
        let path = [open(Role::Quote, "> - a"), open(Role::Item, "- a")];
        assert_eq!(stub(&path), "> - # x\n");
        assert_eq!(strip(">   b", &path), Some("b"));
        assert_eq!(strip("> b", &path), None);
        assert_eq!(strip("b", &path), None);
    }
}
