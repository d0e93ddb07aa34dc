//! Which containers on the page go, which are taken in, which are left alone. It sees facts, never a DOM.

use riacho_protocol::{MessageId, Status};

use super::Millis;

/// How often the page is looked over, and how long an empty completed container may stay.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    pub interval: Millis,
    pub grace: Millis,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { interval: 5_000, grace: 5_000 }
    }
}

/// A container as it was found on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub message_id: MessageId,
    /// `data-role`, where it says one.
    pub role: Option<riacho_protocol::Role>,
    pub has_text: bool,
}

/// What the registry knows of the message of a container.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub status: Status,
    pub paused: bool,
    pub has_text: bool,
    pub ended_at: Option<Millis>,
}

/// What becomes of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Keep,
    /// Nobody knew it and it has text: a server rendered it, or it was left from before.
    Adopt,
    /// It is empty and nothing will fill it.
    Sweep,
}

/// The rule, whole. What is pending, streaming, paused, failed or interrupted is never swept.
#[must_use]
pub fn verdict(sweep: Sweep, container: &Container, known: Option<Known>, now: Millis) -> Verdict {
    let Some(known) = known else {
        return if container.has_text { Verdict::Adopt } else { Verdict::Sweep };
    };
    if container.has_text || known.has_text || known.paused {
        return Verdict::Keep;
    }
    match known.status {
        Status::Pending | Status::Streaming | Status::Interrupted | Status::Error => Verdict::Keep,
        Status::Completed => match known.ended_at {
            Some(ended) if now.saturating_sub(ended) >= sweep.grace => Verdict::Sweep,
            _ => Verdict::Keep,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(has_text: bool) -> Container {
        Container { message_id: MessageId::new("m").unwrap(), role: None, has_text }
    }

    fn known(status: Status) -> Known {
        Known { status, paused: false, has_text: false, ended_at: Some(1_000) }
    }

    #[test]
    fn an_unknown_container_is_adopted_with_text_and_swept_without() {
        let sweep = Sweep::default();
        assert_eq!(verdict(sweep, &container(true), None, 0), Verdict::Adopt);
        assert_eq!(verdict(sweep, &container(false), None, 0), Verdict::Sweep);
    }

    #[test]
    fn only_an_empty_completed_one_is_swept_and_only_after_its_grace() {
        let sweep = Sweep { interval: 5_000, grace: 500 };
        let verdict = |container, known, now| verdict(sweep, &container, Some(known), now);
        assert_eq!(verdict(container(false), known(Status::Completed), 1_499), Verdict::Keep);
        assert_eq!(verdict(container(false), known(Status::Completed), 1_500), Verdict::Sweep);
        assert_eq!(verdict(container(true), known(Status::Completed), 9_000), Verdict::Keep);
        let with_text = Known { has_text: true, ..known(Status::Completed) };
        assert_eq!(verdict(container(false), with_text, 9_000), Verdict::Keep);
        let paused = Known { paused: true, ..known(Status::Completed) };
        assert_eq!(verdict(container(false), paused, 9_000), Verdict::Keep);
        for status in [Status::Pending, Status::Streaming, Status::Interrupted, Status::Error] {
            assert_eq!(verdict(container(false), known(status), u64::MAX), Verdict::Keep, "{status:?}");
        }
    }
}
