//! What is said under an answer that waits or did not end well, in the page's own words where it has given some.

use riacho_protocol::json::{cut, decimal};
use riacho_protocol::{InterruptReason, Map, Role, Status};

use super::{Appearance, Client};
use crate::core::message::{Ending, Message};

/// Sentences by the code of what they are about. What has none is said in English.
#[derive(Debug, Default)]
pub(super) struct Words(Map<String, String>);

impl Words {
    fn of<'a>(&'a self, code: &str, english: &'a str) -> &'a str {
        // Looked for by its characters: a `String` is not made for each look.
        self.0.iter().find(|(known, _)| *known == code).map_or(english, |(_, words)| words)
    }
}

/// Words with a value wherever its name stands in braces; `name` ends with the closing one.
fn filled(words: &str, name: &str, value: &str) -> String {
    let (mut said, mut rest) = (String::new(), words);
    while let Some((before, behind)) = cut(rest, b'{') {
        said.push_str(before);
        let named = behind.strip_prefix(name);
        said.push_str(if named.is_some() { value } else { "{" });
        rest = named.unwrap_or(behind);
    }
    said.push_str(rest);
    said
}

impl Client {
    /// What is said from now on, by the code of an error or of a `message_status`, or as `stopped`, `restart`, `unread`,
    /// `retry` (the button) and `retry_after`. `{seconds}` stands for a number, `{provider}` for a name.
    pub fn set_words(&mut self, words: Map<String, String>) {
        self.words = Words(words);
        let mut shown = Vec::new();
        for id in self.views.keys() {
            shown.push(id.clone());
        }
        for id in shown {
            self.show_status(&id);
        }
    }

    pub(super) fn appearance(&self, message: &Message) -> Appearance {
        let ending = message.ending.as_ref().filter(|_| message.status.is_terminal());
        let can_retry =
            message.role == Role::Assistant && matches!(message.status, Status::Interrupted | Status::Error);
        Appearance {
            status: message.status,
            paused: message.paused,
            notice: self.notice(ending).or_else(|| self.detail(message)),
            retry: can_retry.then(|| self.words.of("retry", "Retry").to_owned()),
        }
    }

    /// What happens while no text comes.
    pub(super) fn detail(&self, message: &Message) -> Option<String> {
        let status = message.detail.as_ref().filter(|_| message.is_live())?;
        let english = status.detail.as_deref().unwrap_or_default();
        let words = status.code.as_deref().map_or(english, |code| self.words.of(code, english));
        let seconds = status.retry_after.map(decimal).unwrap_or_default();
        let provider = status.provider.as_deref().unwrap_or_default();
        Some(filled(&filled(words, "seconds}", &seconds), "provider}", provider))
            .filter(|said| !said.is_empty())
    }

    fn notice(&self, ending: Option<&Ending>) -> Option<String> {
        let (ending, words) = (ending?, &self.words);
        if let Some(failure) = &ending.error {
            let mut notice = words.of(failure.code.as_str(), &failure.message).to_owned();
            if let Some(seconds) = failure.retry_after {
                let later = words.of("retry_after", "Try again in {seconds} s.");
                notice.push(' ');
                notice.push_str(&filled(later, "seconds}", &decimal(seconds)));
            }
            return Some(notice);
        }
        let (code, english) = match ending.reason? {
            InterruptReason::Stopped => ("stopped", "Stopped."),
            InterruptReason::Restart => {
                ("restart", "The connection to the model was lost when the relay restarted.")
            }
            InterruptReason::Unread => ("unread", "Ended because nobody was reading."),
        };
        Some(words.of(code, english).to_owned())
    }
}
