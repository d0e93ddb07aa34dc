//! What the demo says to which question: pieces of text in order, their pace, and how they end.

use std::fmt::Write;

use riacho_protocol::{ErrorCode, Failure, PartInfo, PartKind};

use crate::providers::failures::failure;

const TOUR: &str = include_str!("tour.md");
const HOSTILE: &str = include_str!("hostile.md");
const RTL: &str = include_str!("rtl.md");
/// Sections of `long`.
const LONG: usize = 120;
/// Bytes of `huge`, at least.
const HUGE: usize = 1 << 20;
/// Functions of `code`.
const FUNCTIONS: usize = 250;
/// What comes before `error` fails.
const BEFORE_ERROR: &str = "This answer breaks off **in the middle of a sen";

/// A part of an answer, and what it says.
pub struct Part {
    pub info: PartInfo,
    pub text: String,
}

/// How fast it is said, against the pace of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Usual,
    /// So many times the time between two pieces.
    Slower(u32),
    /// So many times the characters in a piece.
    Larger(usize),
}

/// What is said, how fast, and how it ends.
pub struct Script {
    pub parts: Vec<Part>,
    pub pace: Pace,
    pub ending: Result<&'static str, Failure>,
}

impl Script {
    fn text(text: String) -> Self {
        let parts = vec![Part { info: PartInfo::default(), text }];
        Self { parts, pace: Pace::Usual, ending: Ok("stop") }
    }

    fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

/// The first word of the question chooses.
pub fn script(question: &str) -> Script {
    let first =
        question.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    let greeting = greeting(question);
    match first.to_lowercase().as_str() {
        "error" => Script {
            ending: Err(failure(ErrorCode::ProviderFailed, "demo: this failure was asked for.")),
            ..Script::text(BEFORE_ERROR.to_owned())
        },
        "slow" => Script::text(greeting + TOUR).at(Pace::Slower(10)),
        "long" => Script::text(greeting + &long(LONG)),
        "huge" => Script::text(greeting + &long(HUGE / long(1).len().max(1) + 1)).at(Pace::Larger(600)),
        "code" => Script::text(greeting + &code()).at(Pace::Larger(8)),
        "hostile" => Script::text(greeting + HOSTILE),
        "rtl" => Script::text(RTL.to_owned()),
        "think" => Script { parts: think(greeting), pace: Pace::Usual, ending: Ok("stop") },
        _ => Script::text(greeting + TOUR),
    }
}

/// Quotes the start of the question, in a code span that nothing in it can close.
fn greeting(question: &str) -> String {
    let start: String = question
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control() && *c != '`')
        .take(60)
        .collect();
    let hello = match question.len() % 3 {
        0 => "Olá!",
        1 => "Oi!",
        _ => "Bom dia!",
    };
    let start = start.trim();
    if start.is_empty() { format!("{hello}\n\n") } else { format!("{hello} You said `{start}`.\n\n") }
}

fn long(sections: usize) -> String {
    (1..=sections).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "## Section {n}\n\nA brook is *small* and **steady**; this is paragraph {n} of {sections}. \
             Água mole em pedra dura, tanto bate até que fura.\n\n- one\n- two, with `code {n}`\n\n\
             ```rust\nfn section_{n}() -> u32 {{\n    {n}\n}}\n```\n\n"
        );
        text
    })
}

fn code() -> String {
    let mut text = String::from("One long block; each line is coloured once.\n\n```rust\n");
    for n in 1..=FUNCTIONS {
        let _ = write!(
            text,
            "/// Step {n} of the brook.\nfn step_{n}(log: &str, cursor: &mut usize) -> Option<String> {{\n    \
             let rest = log.get(*cursor..)?; // from where the reader is\n    *cursor = log.len();\n    \
             (!rest.is_empty()).then(|| format!(\"{n}: {{rest}}\"))\n}}\n\n"
        );
    }
    text + "```\n"
}

/// Reasoning, a tool that is called, and the answer.
fn think(greeting: String) -> Vec<Part> {
    let part = |kind, name: Option<&str>, text: String| Part {
        info: PartInfo { kind, id: name.map(|name| format!("demo-{name}")), name: name.map(str::to_owned) },
        text,
    };
    vec![
        part(
            PartKind::Reasoning,
            None,
            "The reader wants to see how reasoning looks. First I think, then I look something up, then I answer."
                .to_owned(),
        ),
        part(PartKind::ToolCall, Some("look_up"), "{\"river\": \"Amazonas\"}".to_owned()),
        part(PartKind::Text, None, greeting + "The Amazon is about **6 400 km** long.\n"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(question: &str) -> String {
        script(question).parts.into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn the_first_word_chooses_the_script() {
        assert!(script("Error, please").ending.is_err());
        assert_eq!(script("slow").pace, Pace::Slower(10));
        assert!(said("long one").len() > 20_000);
        assert!(said("huge").len() >= HUGE);
        assert!(said("code").lines().count() > 1_500);
        assert!(said("hostile").contains("<script>"));
        assert!(said("rtl").contains("سلام"));
        assert!(script("What is an error?").ending.is_ok());
    }

    #[test]
    fn thinking_has_its_parts_in_order() {
        let kinds: Vec<PartKind> = script("think").parts.iter().map(|part| part.info.kind).collect();
        assert_eq!(kinds, [PartKind::Reasoning, PartKind::ToolCall, PartKind::Text]);
    }

    #[test]
    fn the_question_can_not_leave_its_quotes() {
        let text = greeting("`<script>`\n\n# **x** ```");
        assert_eq!(text.matches('`').count(), 2);
        assert_eq!(text.trim_end().lines().count(), 1);
    }

    #[test]
    fn the_tour_holds_what_it_promises() {
        for piece in [
            "\n# ",
            "\n## ",
            "```rust",
            "```python",
            "```js",
            "| ---",
            "\n   - ",
            "- [x]",
            "[^1]",
            "[^1]:",
            "<details>",
            "<kbd>",
            "<sub>",
            "$$",
            "[late",
            "\n[late",
            "> ",
            "1. ",
        ] {
            assert!(format!("\n{TOUR}").contains(piece), "{piece:?} is missing");
        }
    }
}
