//! What a provider is asked: the system prompt and the turns before an answer, within a budget. Pure.

use riacho_protocol::{Options, Role};

use crate::log::Said;

/// One request, as every provider understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub system: Option<String>,
    /// Starts and ends with a user's turn; the roles alternate.
    pub turns: Vec<Turn>,
    /// The last message, as it was sent.
    pub question: String,
    /// As the client named it; without one the provider takes its own default.
    pub model: Option<String>,
    pub options: Options,
    /// What the provider keeps of the conversation, where it keeps threads.
    pub thread: Option<Thread>,
}

/// A thread that the provider keeps: what it is called there, and what it does not hold yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The provider's id of the answer at its end.
    pub after: String,
    /// Starts and ends with a user's turn.
    pub turns: Vec<Turn>,
}

impl Thread {
    /// Behind the newest of these answers that `provider` keeps.
    #[must_use]
    pub fn behind(said: &[Said], provider: &str) -> Option<Self> {
        let (at, after) = said.iter().enumerate().rev().find_map(|(at, said)| match &said.kept {
            Some(kept) if kept.provider == provider => Some((at, &kept.id)),
            _ => None,
        })?;
        let turns = turns(said.iter().skip(at + 1).cloned());
        turns.last().filter(|last| last.role == Role::User)?;
        Some(Self { after: after.clone(), turns })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub role: Role,
    pub text: String,
}

impl Request {
    /// From what was said, oldest first. The oldest turns are dropped until the rest fits; the last one stays whatever its
    /// length. Answers that hold no text (they failed) are left out, and neighbours of one role become one turn: some
    /// servers refuse anything but alternation.
    pub fn new(
        system: Option<String>,
        said: Vec<Said>,
        budget: usize,
        model: Option<String>,
        options: Options,
    ) -> Self {
        let question = said.last().map(|said| said.text.clone()).unwrap_or_default();
        let mut turns = turns(said);
        let mut room = budget.saturating_sub(system.as_ref().map_or(0, String::len));
        let fits = turns
            .iter()
            .rev()
            .enumerate()
            .take_while(|(newer, turn)| {
                let fits = turn.text.len() <= room;
                room = room.saturating_sub(turn.text.len());
                fits || *newer == 0
            })
            .count();
        turns.drain(..turns.len() - fits);
        if turns.first().is_some_and(|first| first.role == Role::Assistant) {
            turns.remove(0);
        }
        Self { system, turns, question, model, options, thread: None }
    }

    /// Bytes of everything that is sent, for an estimate of its tokens.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.system.as_ref().map_or(0, String::len)
            + self.turns.iter().map(|turn| turn.text.len()).sum::<usize>()
    }
}

/// Answers that hold no text are left out, and neighbours of one role become one turn.
fn turns(said: impl IntoIterator<Item = Said>) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for Said { role, text, .. } in said.into_iter().filter(|said| !said.text.trim().is_empty()) {
        match turns.last_mut().filter(|last| last.role == role) {
            Some(last) => {
                last.text.push_str("\n\n");
                last.text.push_str(&text);
            }
            None => turns.push(Turn { role, text }),
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Kept;

    fn said(role: Role, text: &str) -> Said {
        Said { role, text: text.to_owned(), kept: None }
    }

    fn kept(text: &str, provider: &str, id: &str) -> Said {
        let kept = Kept { provider: provider.to_owned(), id: id.to_owned() };
        Said { kept: Some(kept), ..said(Role::Assistant, text) }
    }

    #[test]
    fn a_thread_is_gone_on_with_behind_the_newest_answer_that_is_kept_there() {
        use Role::{Assistant, User};
        let all = [
            said(User, "one"),
            kept("two", "openai", "resp_1"),
            said(User, "three"),
            kept("four", "openai", "resp_2"),
            said(User, "five"),
            kept("six", "elsewhere", "resp_1"),
            said(User, "seven"),
            said(Assistant, " "),
            said(User, "eight"),
        ];
        let turn = |role, text: &str| Turn { role, text: text.to_owned() };
        let turns = vec![turn(User, "five"), turn(Assistant, "six"), turn(User, "seven\n\neight")];
        assert_eq!(Thread::behind(&all, "openai"), Some(Thread { after: "resp_2".into(), turns }));
        assert_eq!(Thread::behind(&all, "nobody"), None);
        assert_eq!(Thread::behind(&all[..4], "openai"), None, "there is nothing to say");
    }

    fn request(said: &[(Role, &str)], budget: usize) -> Vec<(Role, String)> {
        let said = said.iter().map(|(role, text)| self::said(*role, text)).collect();
        let request = Request::new(None, said, budget, None, Options::default());
        request.turns.into_iter().map(|turn| (turn.role, turn.text)).collect()
    }

    #[test]
    fn the_oldest_turns_go_first_and_the_question_stays() {
        use Role::{Assistant, User};
        let said = [(User, "one"), (Assistant, "two"), (User, "three"), (Assistant, "four"), (User, "five!")];
        let last = |n: usize| -> Vec<(Role, String)> {
            said.iter().skip(said.len() - n).map(|(role, text)| (*role, (*text).to_owned())).collect()
        };
        assert_eq!(request(&said, 1000), last(5));
        assert_eq!(request(&said, 20), last(5));
        assert_eq!(request(&said, 19), last(3), "an answer without its question goes too");
        assert_eq!(request(&said, 14), last(3));
        assert_eq!(request(&said, 13), last(1));
        assert_eq!(request(&said, 0), last(1), "the question is longer than the budget");
    }

    #[test]
    fn failed_answers_leave_no_empty_turn() {
        use Role::{Assistant, User};
        assert_eq!(request(&[(User, "a"), (Assistant, ""), (User, "b")], 100), [(User, "a\n\nb".to_owned())]);
    }

    #[test]
    fn the_system_prompt_counts() {
        let said = vec![said(Role::User, "old"), said(Role::Assistant, "old"), said(Role::User, "new")];
        let request = Request::new(Some("short".into()), said, 12, None, Options::default());
        assert_eq!(request.turns.len(), 1);
        assert_eq!(request.bytes(), 8);
    }
}
