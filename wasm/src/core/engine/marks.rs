//! Marks that may come to be something else than they look like: what can be said of them without what stands around them.

use crate::core::pattern::{any_of, behind_digits};

/// Rules, underlines, markers of lists and headings: a line that has no content yet.
pub fn is_marker(line: &str) -> bool {
    let line = line.trim_matches(any_of(" \t"));
    if line.chars().all(|c| c == '#') {
        return true;
    }
    let digits = behind_digits(line);
    line.chars().all(|c| matches!(c, '-' | '=' | '+' | '*' | '_' | '`' | '~' | ':' | '|' | ' '))
        || digits.len() < line.len() && matches!(digits, "" | "." | ")")
}

/// Whether this may be what `*` and `**` introduce in Python. `open` says that the name may go on.
pub fn is_arguments(name: &str, open: bool) -> bool {
    ["args", "kwargs"]
        .iter()
        .any(|known| *known == name || open && !name.is_empty() && known.starts_with(name))
}
