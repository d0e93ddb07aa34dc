//! Blocks of code in real browsers, under the demo's policy.

mod blocks;
mod colours;
mod header;

pub(crate) fn fenced(language: &str, code: &str) -> String {
    format!("Before.\n\n```{language}\n{}\n```\n\nAfter.\n", code.trim_end_matches('\n'))
}
