//! The embedded provider: needs no key and no network, and says the same to the same question.
//!
//! The first word of the question chooses the script: `error` fails in mid-text, `slow` takes ten times the time, `long` is a
//! long text; anything else is a tour of markdown.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{ErrorCode, Failure};

use super::failures::failure;
use super::{Event, Events, Provider, Request};
use crate::settings::DemoSettings;

const TOUR: &str = include_str!("tour.md");
/// Sections of the `long` script.
const LONG: usize = 120;
/// What comes before `error` fails.
const BEFORE_ERROR: &str = "This answer breaks off **in the middle of a sen";

pub struct Demo {
    settings: DemoSettings,
}

impl Demo {
    pub fn new(settings: DemoSettings) -> Self {
        Self { settings }
    }
}

/// What is said, how fast, and how it ends.
struct Script {
    text: String,
    slower: u32,
    ending: Result<&'static str, Failure>,
}

impl Provider for Demo {
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let DemoSettings { pace, chunk_chars } = self.settings;
        let Script { text, slower, ending } = script(&request.question);
        async move {
            let mut clock = tokio::time::interval(pace.max(std::time::Duration::from_micros(1)) * slower);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut rest = text.as_str();
            while !rest.is_empty() {
                clock.tick().await;
                let end = rest.char_indices().nth(chunk_chars).map_or(rest.len(), |(at, _)| at);
                let (chunk, after) = rest.split_at(end);
                events.emit(vec![Event::Text { part: 0, text: chunk.to_owned() }]).await;
                rest = after;
            }
            let reason = ending?;
            events.emit(vec![Event::Finish(reason.to_owned())]).await;
            Ok(())
        }
        .boxed()
    }
}

fn script(question: &str) -> Script {
    let first =
        question.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    let greeting = greeting(question);
    match first.to_lowercase().as_str() {
        "error" => Script {
            text: BEFORE_ERROR.to_owned(),
            slower: 1,
            ending: Err(failure(ErrorCode::ProviderFailed, "demo: this failure was asked for.")),
        },
        "slow" => Script { text: greeting + TOUR, slower: 10, ending: Ok("stop") },
        "long" => Script { text: greeting + &long(), slower: 1, ending: Ok("stop") },
        _ => Script { text: greeting + TOUR, slower: 1, ending: Ok("stop") },
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

fn long() -> String {
    use std::fmt::Write;
    (1..=LONG).fold(String::new(), |mut text, n| {
        let _ = write!(
            text,
            "## Section {n}\n\nA brook is *small* and **steady**; this is paragraph {n} of {LONG}. \
             Água mole em pedra dura, tanto bate até que fura.\n\n- one\n- two, with `code {n}`\n\n\
             ```rust\nfn section_{n}() -> u32 {{\n    {n}\n}}\n```\n\n"
        );
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_chooses_the_script() {
        assert!(script("Error, please").ending.is_err());
        assert_eq!(script("slow").slower, 10);
        assert!(script("long one").text.len() > 20_000);
        assert!(script("What is an error?").ending.is_ok());
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
