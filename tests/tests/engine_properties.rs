//! Generated documents, cut anywhere: the finished page is the oracle's, and every page on the way can be drawn.

use proptest::prelude::*;
use riacho_tests::oracle::{oracle, streamed};
use riacho_wasm::core::policy::Policy;

/// What documents are made of: the beginnings and ends of everything, and what lies between.
const PARTS: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\n\n",
    " ",
    "  ",
    "    ",
    "\t",
    "a",
    "word ",
    "x y z",
    "- ",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "2) ",
    "10. ",
    "> ",
    "> ",
    ">",
    "# ",
    "## ",
    "```",
    "```rust",
    "~~~",
    "````",
    "| a | b |\n|---|:-:|\n",
    "| 1 | 2 |\n",
    "|",
    "---",
    "===",
    "***",
    "*",
    "**",
    "_",
    "__",
    "~~",
    "`",
    "``",
    "[",
    "]",
    "(",
    ")",
    "](/u)",
    "![",
    "[a]",
    "[b][a]",
    "[a]: /a",
    "[b]: /b 'title'",
    "[b]:",
    "'t",
    "\"t\"",
    "[^1]",
    "[^1]: ",
    "[^n]",
    "[^n]: note",
    "<b>",
    "</b>",
    "<i>",
    "<div>",
    "</div>",
    "<details>",
    "<summary>s</summary>",
    "</details>",
    "<!--",
    "-->",
    "<br>",
    "<T>",
    "Vec<String>",
    "<a href=\"/x\">",
    "</a>",
    "<p>",
    "</p>",
    "<table>",
    "<tr><td>",
    "</table>",
    "<ul>",
    "<li>",
    "</ul>",
    "<pre>",
    "</pre>",
    "<script>",
    "</script>",
    "&amp;",
    "&#13;",
    "&copy",
    "\\",
    "\\*",
    "$",
    "$$",
    "$x$",
    "$5",
    "- [ ] ",
    "- [x] ",
    "http://a.example",
    "<http://a.example>",
    "é",
    "漢",
    "🐟",
    "\r",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{a0}",
    ":",
    "!",
    "^",
];

fn document() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(prop::sample::select(PARTS), 0..40);
    lines.prop_map(|parts| parts.concat())
}

fn cut<'t>(text: &'t str, cuts: &[prop::sample::Index]) -> Vec<&'t str> {
    let mut places: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(text.len() + 1))
        .map(|at| (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0))
        .collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 400 } else { 20_000 }, ..ProptestConfig::default() })]

    #[test]
    fn every_chunking_ends_on_the_oracle(
        text in document(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let shown = streamed(cut(&text, &cuts)).page.shown();
        prop_assert_eq!(shown, oracle(&text, &Policy::default(), "m"));
    }

    #[test]
    fn by_character_too(text in document()) {
        let pieces = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
        prop_assert_eq!(streamed(pieces).page.shown(), oracle(&text, &Policy::default(), "m"));
    }
}
