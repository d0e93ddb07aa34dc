//! Texts to stream: every word is told apart, and every piece has characters of more than one byte.

/// `n` pieces of one paragraph, each word marked with whose it is: `alfa0·água `, `alfa1·água `, …
pub fn pieces(whose: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{whose}{i}·água ")).collect()
}

/// What the page shows of these pieces: one paragraph, without the blank at its end.
pub fn shown(pieces: &[String]) -> String {
    pieces.concat().trim_end().to_owned()
}
