//! The end of a text that is still being written, as it will most likely go on.
//!
//! Open emphasis, code and links are closed; what may be the beginning of a delimiter is held back; a URL that is not
//! whole is not used. A guess only ever changes the last line, and adds nothing but what a parser reads as syntax, so it
//! can't reach further than the leaf at the end. It is gone when the text is whole.

use std::borrow::Cow;

use riacho_flat::words;

use super::marks::{is_arguments, is_marker};
use crate::core::pattern::{
    any_of, behind_digits, first_char, head_of, is_word, last_char, last_line, part_of, such, tail_of, trim,
    trim_end,
};

/// In the place of a URL that is not whole: no policy allows it.
pub const PENDING: &str = "riacho-pending:";
/// A leaf longer than this is not looked at from its beginning.
const FAR: usize = 4096;
/// A link's text, or a tag, that is longer than this is none.
const MOST: usize = 300;

/// What is open where a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// The rows of a table: a bar begins no other one.
    Table,
    /// Code, of which the fence's own line is whole.
    Fence,
    Other,
}

/// `text` ends where the writing has come to.
pub fn guess(text: &str, inside: Inside) -> Cow<'_, str> {
    let line_at = last_line(text);
    let line = tail_of(text, line_at);
    if inside == Inside::Fence {
        let held = may_close(line.trim_start_matches(any_of(" >")));
        return Cow::Borrowed(if held { head_of(text, line_at) } else { text });
    }
    if inside == Inside::Other
        && let Some(table) = table(text, line_at)
    {
        return Cow::Owned(table);
    }
    if inside == Inside::Other && defines(text) {
        // Its address is not used before it is whole.
        return Cow::Borrowed(head_of(text, line_at));
    }
    let content = line.trim_start_matches(any_of(" >"));
    if content.starts_with("```") || content.starts_with("~~~") || line.starts_with("    ") && line_at == 0 {
        return Cow::Borrowed(text);
    }
    if !content.is_empty() && is_marker(trim_end(content)) {
        // Nothing but what begins or ends a block: which one is not known yet.
        return Cow::Borrowed(head_of(text, line_at));
    }
    let from = region(text, line_at);
    let leaf = tail_of(text, from);
    if leaf.starts_with("```") || leaf.starts_with("~~~") {
        return Cow::Borrowed(text);
    }
    let (keep, close) = scan(leaf);
    if keep == leaf.len() && close.is_empty() {
        return Cow::Borrowed(text);
    }
    let kept = text.get(..from + keep).unwrap_or(text);
    // A line of its own is never taken away, nor what is before it.
    let kept = if kept.len() < line_at { head_of(text, line_at) } else { kept };
    let line = tail_of(kept, line_at).trim_start_matches(any_of(" >"));
    if !line.is_empty() && is_marker(trim_end(line)) {
        // Without what is held back it would be a rule, an underline or a table's second line.
        return Cow::Borrowed(head_of(text, line_at));
    }
    if close.is_empty() {
        return Cow::Borrowed(kept);
    }
    Cow::Owned([kept.trim_end_matches(any_of(" \n")), &close].concat())
}

/// Whether a line of code may become the end of its fence.
pub fn may_close(line: &str) -> bool {
    let line = trim(line);
    !line.is_empty() && line.chars().all(|c| matches!(c, '`' | '~'))
}

/// A head of a table that arrives: shown as one when its line begins with a bar.
fn table(text: &str, line_at: usize) -> Option<String> {
    let line = text.get(line_at..)?;
    let (head_at, head) = if line.starts_with('|') && !is_marker(trim_end(line)) {
        (line_at, line)
    } else if line.chars().all(|c| matches!(c, '-' | ':' | '|' | ' ')) {
        let at = text.get(..line_at.checked_sub(1)?)?.rfind('\n').map_or(0, |at| at + 1);
        (at, text.get(at..line_at - 1)?)
    } else {
        return None;
    };
    let first = head_at == 0 || text.get(..head_at)?.ends_with("\n\n");
    let cells = cells_of(head);
    if !first || !head.starts_with('|') || cells > 64 || head.contains(any_of("`\\")) {
        return None;
    }
    // A second line that is whole and says what this is.
    if head_at < line_at && trim_end(line).ends_with('|') && cells_of(line) >= cells {
        return Some(text.to_owned());
    }
    let head = trim_end(text.get(..head_at + head.len())?).trim_end_matches('|');
    Some([head, "|\n", &"|-".repeat(cells), "|"].concat())
}

/// How many cells a line has that is a row.
fn cells_of(line: &str) -> usize {
    trim_end(line).trim_matches(any_of("|")).split('|').count()
}

/// Whether the last line will most likely be the definition of a link.
fn defines(text: &str) -> bool {
    let line_at = last_line(text);
    let (above, line) = text.split_at(line_at);
    if !line.starts_with('[') || line.len() > MOST {
        return false;
    }
    let above = above.strip_suffix('\n').unwrap_or(above);
    let above = above.rsplit('\n').next().unwrap_or_default();
    // What stands behind another one is one from its first character on.
    let more = definition(above) == Some(true);
    (above.is_empty() || more) && (definition(line).is_some_and(|labelled| labelled || more))
}

/// Whether a line that is whole looks like the definition of a link.
pub fn is_definition(line: &str) -> bool {
    definition(line) == Some(true)
}

/// Whether a line is what a definition of a link begins with, and that shows by its label. `None` if it is none.
fn definition(line: &str) -> Option<bool> {
    let rest = line.strip_prefix('[').filter(|rest| !rest.starts_with('^'))?;
    let (label, rest) = rest.split_once(']').unwrap_or((rest, ""));
    if label.contains(any_of("[\\`")) {
        return None;
    }
    if rest.is_empty() {
        return Some(false);
    }
    let rest = rest.strip_prefix(':').filter(|_| !trim(label).is_empty())?.trim_start_matches(' ');
    let end = if rest.starts_with('<') { rest.find('>').map(|at| at + 1) } else { rest.find(' ') };
    let title = trim(end.map_or("", |end| tail_of(rest, end)));
    let close = match first_char(title) {
        None => return Some(true),
        Some(quote @ ('"' | '\'')) => quote,
        Some('(') => ')',
        Some(_) => return None,
    };
    let closed = title.get(1..)?.split_once(close);
    closed.is_none_or(|(_, rest)| rest.is_empty()).then_some(true)
}

/// Where the leaf begins that the last line belongs to, as far as its lines show it.
fn region(text: &str, line_at: usize) -> usize {
    let mut from = line_at;
    loop {
        let line = text.get(from..).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
        let bare = line.trim_start_matches(any_of(" >"));
        let skipped = line.len() - bare.len();
        let marker = marker(bare);
        if marker > 0 {
            return from + skipped + marker;
        }
        let Some(before) = from.checked_sub(1).and_then(|end| text.get(..end)) else { return from };
        let at = last_line(before);
        let above = tail_of(before, at).trim_matches(any_of(" >"));
        let ends = above.is_empty()
            || above.starts_with(any_of("#|"))
            || above.starts_with("```")
            || is_marker(above);
        if ends || text.len() - at > FAR {
            return from;
        }
        from = at;
    }
}

/// How long a list marker or heading marker at the start of a line is, with its spaces.
fn marker(line: &str) -> usize {
    let rest = line.trim_start_matches('#');
    let digits = behind_digits(line);
    let rest = if rest.len() < line.len() {
        rest
    } else if digits.len() < line.len() && digits.starts_with(any_of(".)")) {
        tail_of(digits, 1)
    } else if line.starts_with(any_of("-*+")) {
        tail_of(line, 1)
    } else if line.starts_with('|') {
        return line.rfind('|').map_or(0, |at| at + 1);
    } else {
        return 0;
    };
    if rest.is_empty() || rest.starts_with(' ') { line.len() - rest.trim_start_matches(' ').len() } else { 0 }
}

/// The end of a link whose URL is not whole.
fn pending() -> String {
    ["](", PENDING, ")"].concat()
}

/// Something that is open in a leaf.
struct Open {
    mark: char,
    count: usize,
    /// Behind it.
    at: usize,
}

/// How much of a leaf to keep, and what closes what is open in it.
fn scan(leaf: &str) -> (usize, String) {
    let mut open = Vec::new();
    let (keep, first) = follow(leaf, &mut open);
    finish(leaf, keep, &open, first)
}

/// Collects what is open in a leaf, up to where nothing more is kept of it. Gives back that place, and what closes the
/// innermost thing there.
fn follow(leaf: &str, open: &mut Vec<Open>) -> (usize, String) {
    let mut at = 0;
    let end = leaf.len();
    // Where the run ends that we are in: each is measured once.
    let mut after = 0;
    let mut tags = false;
    while let Some(c) = first_char(tail_of(leaf, at)) {
        if at >= after {
            after = at + run(leaf, at, c);
        }
        let run = after - at;
        match c {
            '\\' if at + 1 == end => return (at, String::new()),
            '\\' => {
                let escaped = first_char(tail_of(leaf, at + 1)).map_or(1, char::len_utf8);
                at += 1 + escaped;
                continue;
            }
            '`' => match closing(leaf, after, '`', run) {
                Some(behind) => {
                    at = behind;
                    continue;
                }
                None if after == end => return (at, String::new()),
                None => {
                    // What closes it must stand by itself.
                    let kept = leaf.trim_end_matches(any_of("` \n")).len();
                    if kept <= after {
                        return (at, String::new());
                    }
                    return (kept, "`".repeat(run));
                }
            },
            '$' if run == 2 => match closing(leaf, after, '$', 2) {
                Some(behind) => {
                    at = behind;
                    continue;
                }
                None if after == end => return (at, String::new()),
                None => return (leaf.trim_end_matches('$').len(), "$$".to_owned()),
            },
            '$' if run == 1 && after == end && !before_is_word(leaf, at) => {
                return (at, String::new());
            }
            // Behind a word it is a sign, unless there are tags already, or it is the end of one.
            '<' if run == 1
                && (tags || !before_is_word(leaf, at) || leaf.as_bytes().get(after) == Some(&b'/'))
                && is_tag_begun(tail_of(leaf, after)) =>
            {
                match leaf.get(after..).and_then(|rest| rest.find('>')) {
                    Some(len) => {
                        tags |= leaf.get(after..after + len).is_some_and(is_html);
                        at = after + len + 1;
                        continue;
                    }
                    None => return (at, String::new()),
                }
            }
            '[' if after == end => return (image(leaf, at), String::new()),
            '[' if leaf.get(after..).is_some_and(|rest| rest.starts_with('^')) => {
                match leaf.get(after..).and_then(|rest| rest.find(']')) {
                    Some(len) => {
                        at = after + len + 1;
                        continue;
                    }
                    None => return (at, String::new()),
                }
            }
            '[' => open.push(Open { mark: '[', count: 1, at: after }),
            ']' => {
                if let Some(place) = open.iter().rposition(|open| open.mark == '[') {
                    let begun = open.get(place).map_or(0, |open| open.at);
                    open.truncate(place);
                    let text = part_of(leaf, begun..at);
                    let rest = tail_of(leaf, at + 1);
                    if rest.starts_with('(') {
                        match rest.find(')') {
                            Some(len) => {
                                at += 1 + len + 1;
                                continue;
                            }
                            None if rest.len() < MOST * 8 => {
                                return (at, pending());
                            }
                            None => {}
                        }
                    } else if let Some(label) = rest.strip_prefix('[') {
                        // Whatever it refers to: that shows when the label is whole.
                        match label.find(any_of("][\\\n")) {
                            Some(len) if label.as_bytes().get(len) == Some(&b']') => {
                                at += 1 + 1 + len + 1;
                                continue;
                            }
                            None if label.len() < MOST && !text.is_empty() => {
                                return (at, pending());
                            }
                            _ => {}
                        }
                    } else if rest.is_empty() && !matches!(text, "" | " " | "x" | "X") {
                        return (at, pending());
                    }
                }
            }
            '*' | '_' | '~' => {
                if after == end {
                    return (at, String::new());
                }
                let rest = tail_of(leaf, after);
                if c != '~' && rest.len() < 6 && rest.chars().all(is_word) && is_arguments(rest, true) {
                    return (at, String::new());
                }
                delimiters(leaf, at, run, c, open);
                at = after;
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    (end, String::new())
}

/// A run of delimiters in the middle opens or closes, by what is on its sides.
fn delimiters(leaf: &str, at: usize, run: usize, c: char, open: &mut Vec<Open>) {
    let before = last_char(head_of(leaf, at)).unwrap_or(' ');
    let rest = tail_of(leaf, at + run);
    let after = first_char(rest).unwrap_or(' ');
    let punctuation = |c: char| c.is_ascii_punctuation();
    let left =
        !after.is_whitespace() && (!punctuation(after) || before.is_whitespace() || punctuation(before));
    let right =
        !before.is_whitespace() && (!punctuation(before) || after.is_whitespace() || punctuation(after));
    let (opens, closes) = match c {
        '_' => (left && !is_word(before), right && !is_word(after)),
        '~' => (left && run <= 2, right && run <= 2),
        _ => (left, right),
    };
    if closes {
        let mut left = run;
        while left > 0
            && let Some(place) = open.iter().rposition(|open| open.mark == c)
        {
            open.truncate(place + 1);
            let Some(top) = open.last_mut() else { return };
            let closed = top.count.min(left);
            (top.count, left) = (top.count - closed, left - closed);
            if top.count == 0 {
                open.pop();
            }
        }
        if left < run {
            return;
        }
    }
    let name = head_of(rest, rest.len() - rest.trim_start_matches(such(is_word)).len());
    if opens && run <= 3 && !is_arguments(name, false) {
        open.push(Open { mark: c, count: run, at: at + run });
    }
}

/// Keeps `len` of a leaf and closes what is open there.
fn finish(leaf: &str, len: usize, open: &[Open], first: String) -> (usize, String) {
    let kept = head_of(leaf, len).trim_end_matches(' ');
    let mut close = first;
    let mut len = len;
    for open in open.iter().rev() {
        let inside = tail_of(kept, open.at);
        match open.mark {
            '[' if inside.len() > MOST || inside.contains('\n') => {}
            '[' if inside.is_empty() => len = len.min(image(leaf, open.at - 1)),
            '[' => close.push_str(&pending()),
            _ if inside.is_empty() && close.is_empty() => len = len.min(open.at - open.count),
            mark => (0..open.count).for_each(|_| close.push(mark)),
        }
    }
    (len, close)
}

/// Where `![` begins, if the bracket is one of those.
fn image(leaf: &str, bracket: usize) -> usize {
    let bang = bracket.checked_sub(1).filter(|&at| leaf.as_bytes().get(at) == Some(&b'!'));
    bang.unwrap_or(bracket)
}

fn run(leaf: &str, at: usize, c: char) -> usize {
    let rest = tail_of(leaf, at);
    rest.len() - rest.trim_start_matches(c).len()
}

/// What is behind the next run of exactly this length.
fn closing(leaf: &str, from: usize, c: char, count: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = leaf.get(at..)?.find(c) {
        let begin = at + found;
        let len = run(leaf, begin, c);
        if len == count {
            return Some(begin + len);
        }
        at = begin + len;
    }
    None
}

fn before_is_word(leaf: &str, at: usize) -> bool {
    last_char(head_of(leaf, at)).is_some_and(is_word)
}

/// How long the name is that a tag begins with.
fn letters(tag: &str) -> usize {
    tag.bytes().take_while(u8::is_ascii_alphanumeric).count()
}

/// Whether this, between `<` and `>`, is a tag of HTML.
fn is_html(tag: &str) -> bool {
    let name = tag.strip_prefix('/').unwrap_or(tag);
    let name = head_of(name, letters(name));
    name.len() < 16 && words::is_html(&name.to_ascii_lowercase())
}

/// Whether this, behind a `<`, may be a tag or an autolink.
fn is_tag_begun(rest: &str) -> bool {
    // No more of it than is looked at.
    let near = (MOST + 1..MOST + 5).find_map(|most| rest.get(..most)).unwrap_or(rest);
    let rest = near.split('>').next().unwrap_or_default();
    if rest.len() > MOST {
        return false;
    }
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let (name, behind) = name.split_at(letters(name));
    let name = name.to_ascii_lowercase();
    rest.is_empty()
        || rest.starts_with("!-")
        || behind.starts_with(':')
        || behind.is_empty() && words::ELEMENTS.split(' ').any(|element| element.starts_with(&name))
        || words::is_html(&name)
}

#[cfg(test)]
mod tests {
    use super::{Inside, guess};

    #[test]
    fn what_is_open_is_closed() {
        for (text, expected) in [
            ("a **bo", "a **bo**"),
            ("a **bo*", "a **bo**"),
            ("a *b **c", "a *b **c***"),
            ("a `co", "a `co`"),
            ("a ~~b", "a ~~b~~"),
            ("a **", "a "),
            ("a `", "a "),
            ("see [te", "see [te](riacho-pending:)"),
            ("see [te](http://a", "see [te](riacho-pending:)"),
            ("see [te](http://a)", "see [te](http://a)"),
            ("see [te][la", "see [te](riacho-pending:)"),
            ("see [te][la]", "see [te][la]"),
            ("[a]: http", ""),
            ("a\n\n[a]: <b c> \"d", "a\n\n"),
            ("[a]: /b\n[c", "[a]: /b\n"),
            ("[a]: b c", "[a]: b c"),
            ("an ![al", "an ![al](riacho-pending:)"),
            ("a <b", "a "),
            ("<b>a<", "<b>a"),
            ("a</b", "a"),
            ("text\n-", "text\n"),
            ("text\n1.", "text\n"),
            ("- *b", "- *b*"),
            ("- *a", ""),
            ("- *a\n- b", "- *a\n- b"),
            ("| a | b", "| a | b|\n|-|-|"),
            ("| a | b |\n|--", "| a | b |\n|-|-|"),
            ("a \\", "a "),
            ("*\"\n*\t\n", "*\"\n*\t\n"),
        ] {
            assert_eq!(guess(text, Inside::Other), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_text_is_left_alone() {
        for text in [
            "use **kwargs and *args in",
            "the a * b of",
            "when 2 < 3 it",
            "a snake_case_name is",
            "costs $5 and $6 or",
            "i<n",
            "a [x] b",
            "It is",
            "x",
        ] {
            assert_eq!(guess(text, Inside::Other), text);
        }
    }
}
