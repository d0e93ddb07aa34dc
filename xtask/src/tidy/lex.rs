//! Just enough lexing to tell code from comments, for Rust, JavaScript and TypeScript.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    /// JavaScript and TypeScript.
    Script,
}

impl Language {
    pub fn of(path: &str) -> Language {
        if path.ends_with(".rs") { Language::Rust } else { Language::Script }
    }
}

/// The text with every comment blanked, so that lines and columns stay what they were. Strings are kept.
pub fn without_comments(text: &str, language: Language) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let token = token_length(rest, language, out.chars().next_back());
        let (token, after) = rest.split_at(token.max(c.len_utf8()).min(rest.len()));
        if token.starts_with("//") || token.starts_with("/*") {
            out.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    out
}

/// The length in bytes of the comment or literal that begins here, or 0 if none does.
fn token_length(rest: &str, language: Language, before: Option<char>) -> usize {
    let to = |end: &str| rest.get(2..).and_then(|r| r.find(end)).map(|at| at + 2);
    if rest.starts_with("//") {
        return to("\n").unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return to("*/").map_or(rest.len(), |at| at + 2);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if language == Language::Rust && rest.starts_with('r') && !in_word {
        let hashes = rest.len() - 1 - rest[1..].trim_start_matches('#').len();
        if rest[1 + hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            return rest[body..].find(&close).map_or(rest.len(), |at| body + at + close.len());
        }
    }
    match rest.chars().next() {
        Some('`') if language == Language::Rust => 0,
        Some(quote @ ('"' | '`')) => quoted(rest, quote).unwrap_or(rest.len()),
        Some('\'') if language == Language::Rust => character(rest).unwrap_or(0),
        Some('\'') => quoted(rest, '\'').unwrap_or(0),
        _ => 0,
    }
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + c.len_utf8()),
            '\n' if quote == '\'' => return None,
            _ => {}
        }
    }
    None
}

/// A lifetime and a character literal both begin with an apostrophe: a literal is one character, or an escape.
fn character(rest: &str) -> Option<usize> {
    let end = quoted(rest, '\'')?;
    (rest.starts_with("'\\") || rest[..end].chars().count() == 3).then_some(end)
}

/// Identifiers, numbers and keywords, each with its line from 1.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(at, line)| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .map(move |word| (at + 1, word))
    })
}

/// Every path of a Rust file that begins with `crate` or `super`, `use` trees spelt out, each with its line.
pub fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let tokens = tokens(code);
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        if matches!(*token, "crate" | "super") && (at == 0 || tokens[at - 1].1 != "::") {
            at = tree(&tokens, at, *line, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// One `use` tree, or one path, from `at`; the index after it.
fn tree(
    tokens: &[(usize, &str)],
    mut at: usize,
    line: usize,
    prefix: &mut Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let depth = prefix.len();
    loop {
        match tokens.get(at).map(|(_, token)| *token) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|(_, token)| *token != "}") {
                    let before = at;
                    at = tree(tokens, at, line, prefix, found);
                    if tokens.get(at).is_some_and(|(_, token)| *token == ",") || at == before {
                        at += 1;
                    }
                }
                prefix.truncate(depth);
                return at + 1;
            }
            Some(word) if is_word(word) => {
                prefix.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
        if tokens.get(at).is_some_and(|(_, token)| *token == "::") {
            at += 1;
        } else {
            break;
        }
    }
    if prefix.len() > depth {
        found.push((line, prefix.clone()));
    }
    prefix.truncate(depth);
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and every other character by itself; blanks are left out.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let length = if c.is_alphanumeric() || c == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                c.len_utf8()
            };
            let (token, after) = rest.split_at(length);
            if !token.trim().is_empty() {
                found.push((number + 1, token));
            }
            rest = after;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        let code = "let a = \"http://x\"; // gone\nlet b = 'c'; /* gone\ngone */ let d = r#\"// stays \"#;\n";
        let kept = without_comments(code, Language::Rust);
        assert!(!kept.contains("gone"), "{kept}");
        assert!(kept.contains("http://x") && kept.contains("// stays"), "{kept}");
        assert_eq!(kept.lines().count(), code.lines().count());
    }

    #[test]
    fn lifetimes_open_no_string() {
        let kept = without_comments(
            "fn f<'a, 'b>(x: &'a str) -> &'a str { x } // gone\nfn g(c: char) -> bool { c == '\"' } // gone",
            Language::Rust,
        );
        assert!(!kept.contains("gone"), "{kept}");
        assert!(kept.contains("fn g"), "{kept}");
    }

    #[test]
    fn javascript_strings_hide_slashes() {
        let kept = without_comments(
            "const a = 'http://x', b = `//${a}`; // gone\n/** gone */ f();",
            Language::Script,
        );
        assert!(!kept.contains("gone") && kept.contains("f();") && kept.contains("http://x"), "{kept}");
    }

    #[test]
    fn use_trees_are_spelt_out() {
        let code =
            "use crate::core::{router::Router, registry::{self, Entry}};\nlet x = super::sweeper::now();";
        let found: Vec<String> = paths(code).into_iter().map(|(_, path)| path.join("::")).collect();
        assert_eq!(
            found,
            [
                "crate::core::router::Router",
                "crate::core::registry::self",
                "crate::core::registry::Entry",
                "super::sweeper::now",
            ]
        );
    }

    #[test]
    fn words_know_their_line() {
        let found: Vec<_> = words("a_b::c\n  D2").collect();
        assert_eq!(found, [(1, "a_b"), (1, "c"), (2, "D2")]);
    }
}
