//! A document and where it is cut, made of any bytes: what the fuzzer feeds the engine, and what its kept seeds are read as.

use riacho_wasm::core::policy::Policy;

use crate::oracle::{oracle, streamed};

/// What documents are made of: the beginnings and ends of everything, and what lies between.
pub const PARTS: &[&str] = &[
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

/// The text in these pieces: cut at each place, moved back to where a character begins.
pub fn pieces(text: &str, mut places: Vec<usize>) -> Vec<&str> {
    places.iter_mut().for_each(|at| *at = text.floor_char_boundary(*at));
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// As many cuts as fit the first byte's low bits, two bytes each, then the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunked {
    pub text: String,
    pub places: Vec<usize>,
}

const MOST_CUTS: usize = 15;

impl Chunked {
    /// Every input is one: what is no UTF-8 becomes U+FFFD, and a place past the end comes round again.
    pub fn from_bytes(bytes: &[u8]) -> Chunked {
        let (count, rest) =
            bytes.split_first().map_or((0, bytes), |(&first, rest)| (usize::from(first), rest));
        let count = (count & MOST_CUTS).min(rest.len() / 2);
        let (cuts, text) = rest.split_at(2 * count);
        let text = String::from_utf8_lossy(text).into_owned();
        let places = cuts
            .chunks_exact(2)
            .map(|pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])) % (text.len() + 1))
            .collect();
        Chunked { text, places }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let cuts = &self.places[..self.places.len().min(MOST_CUTS)];
        let mut bytes = vec![cuts.len() as u8];
        bytes.extend(cuts.iter().flat_map(|&at| (at as u16).to_le_bytes()));
        bytes.extend(self.text.as_bytes());
        bytes
    }

    /// Panics, with the input as one can paste it into a test, unless it ends on the oracle: cut here, and by character.
    pub fn check(&self) {
        let expected = oracle(&self.text, &Policy::default(), "m");
        let shown = streamed(pieces(&self.text, self.places.clone())).page.shown();
        assert_eq!(shown, expected, "{:?} cut at {:?}", self.text, self.places);
        let letters = self.text.char_indices().map(|(at, c)| &self.text[at..at + c.len_utf8()]);
        assert_eq!(streamed(letters).page.shown(), expected, "{:?} by character", self.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let input = Chunked { text: "a **b** é".into(), places: vec![3, 5] };
        assert_eq!(Chunked::from_bytes(&input.to_bytes()), input);
    }

    #[test]
    fn any_bytes_are_an_input() {
        assert_eq!(Chunked::from_bytes(&[]), Chunked { text: String::new(), places: vec![] });
        assert_eq!(Chunked::from_bytes(&[9, 1]), Chunked { text: "\u{1}".into(), places: vec![] });
        let cut = Chunked::from_bytes(&[1, 255, 255, b'a', 0xff]);
        assert_eq!((cut.text.as_str(), cut.places.as_slice()), ("a\u{fffd}", &[0][..]));
    }

    #[test]
    fn a_cut_inside_a_character_moves_to_its_beginning() {
        assert_eq!(pieces("aé", vec![2]), ["a", "é"]);
    }
}
