//! One message: its append-only text in parts, where it stands, and how it ended.

use riacho_protocol::{
    ConversationId, Failure, InterruptReason, MessageId, MessageStatus, Metrics, PartInfo, PartKind,
    Position, Role, Status, Usage,
};

use super::Millis;
use super::fence::FenceScanner;

/// The end of a run, as a terminal frame or a description says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    pub status: Status,
    /// The length of the whole text: until that much is here, the ending waits.
    pub length: u64,
    pub reason: Option<InterruptReason>,
    pub error: Option<Failure>,
    pub usage: Option<Usage>,
    pub metrics: Option<Metrics>,
}

riacho_protocol::to_json! { Ending { status, length, reason, error, usage, metrics } }
riacho_protocol::from_json! { Ending { status, length, reason, error, usage, metrics } }

impl Ending {
    /// An ending that no frame brought: everything that could come has come.
    #[must_use]
    pub fn interrupted(reason: InterruptReason, length: u64) -> Self {
        Self {
            status: Status::Interrupted,
            length,
            reason: Some(reason),
            error: None,
            usage: None,
            metrics: None,
        }
    }
}

/// Where what stands in a message's element came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the log of the message: the text here.
    Log,
    /// It was on the page before: a server rendered it. The raw text is not known.
    Page,
}

/// A stretch of the text that belongs to one part; it ends where the next one starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    part: u32,
    start: usize,
}

/// A message as this page knows it. The text is never changed, only appended to; a new epoch starts an empty one.
#[derive(Debug, Clone)]
pub struct Message {
    pub conversation: ConversationId,
    pub role: Role,
    pub epoch: u32,
    pub status: Status,
    pub parent_id: Option<MessageId>,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// The reader wants the display to stand still.
    pub paused: bool,
    /// The relay has confirmed that it knows this message.
    pub acknowledged: bool,
    /// How it ended; `Some` as soon as that is known, while `status` waits for the whole text.
    pub ending: Option<Ending>,
    /// When its status became terminal.
    pub ended_at: Option<Millis>,
    /// The highest `chunk_number` of a transport without offsets.
    pub last_chunk_number: Option<u64>,
    pub origin: Origin,
    /// What happens while no text comes: none since text has come.
    pub detail: Option<Box<MessageStatus>>,
    text: String,
    stretches: Vec<Stretch>,
    parts: Vec<PartInfo>,
    fence: FenceScanner,
}

impl Message {
    #[must_use]
    pub fn new(conversation: ConversationId, role: Role) -> Self {
        Self {
            conversation,
            role,
            epoch: 0,
            status: Status::Pending,
            parent_id: None,
            provider: None,
            model: None,
            paused: false,
            acknowledged: false,
            ending: None,
            ended_at: None,
            last_chunk_number: None,
            origin: Origin::Log,
            detail: None,
            text: String::new(),
            stretches: Vec::new(),
            parts: Vec::new(),
            fence: FenceScanner::default(),
        }
    }

    /// The raw text of all parts, in order of arrival.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn parts(&self) -> &[PartInfo] {
        &self.parts
    }

    /// Each part and its text, in order of appearance.
    #[must_use]
    pub fn texts(&self) -> Vec<(PartInfo, String)> {
        let mut texts: Vec<(PartInfo, String)> = Vec::new();
        for index in 0..self.stretches.len() {
            let Some((part, piece)) = self.piece(index) else { continue };
            let part = (part as usize).min(MAX_PARTS);
            while texts.len() <= part && texts.len() < MAX_PARTS {
                let info = self.parts.get(texts.len()).cloned().unwrap_or_default();
                texts.push((info, String::new()));
            }
            if let Some((_, text)) = texts.get_mut(part) {
                text.push_str(piece);
            }
        }
        texts
    }

    /// Where this message is, as `have` says it.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.text.len() as u64 }
    }

    /// Text may still come.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.status.is_terminal()
    }

    /// The next text under the same id, empty as yet.
    pub fn start_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.status = Status::Pending;
        self.ending = None;
        self.ended_at = None;
        self.last_chunk_number = None;
        self.detail = None;
        self.text.clear();
        self.stretches.clear();
        self.parts.clear();
        self.fence = FenceScanner::default();
    }

    /// Says what a part is. The first word on a part stands; indexes that were skipped are text.
    pub fn describe_part(&mut self, part: u32, info: PartInfo) {
        let index = part as usize;
        if index == self.parts.len() {
            self.parts.push(info);
        } else if index > self.parts.len() && index < MAX_PARTS {
            while self.parts.len() < index {
                self.parts.push(PartInfo::default());
            }
            self.parts.push(info);
        }
    }

    /// Appends text of one part, and returns what of it belongs on the screen.
    pub fn append(&mut self, part: u32, text: &str) -> Shown {
        let before = self.last_shown_part();
        if self.stretches.last().is_none_or(|last| last.part != part) {
            self.stretches.push(Stretch { part, start: self.text.len() });
        }
        self.text.push_str(text);
        self.detail = None;
        if self.status == Status::Pending {
            self.status = Status::Streaming;
        }
        if !self.is_shown(part) {
            return Shown::Nothing;
        }
        let shown = match before {
            Some(last) if last != part => Shown::NewBlock,
            _ => Shown::Continued,
        };
        if shown == Shown::NewBlock {
            self.fence.push(PART_SEPARATOR);
        }
        self.fence.push(text);
        shown
    }

    /// Whether the shown text so far ends in a block of code.
    #[must_use]
    pub fn fence(&self) -> &FenceScanner {
        &self.fence
    }

    /// The text that belongs on the screen, stretch by stretch, with what separates each from the one before.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let mut last_part = None;
        (0..self.stretches.len()).filter_map(move |index| {
            let (part, piece) = self.piece(index).filter(|(part, _)| self.is_shown(*part))?;
            let separator = if last_part.is_some_and(|last| last != part) { PART_SEPARATOR } else { "" };
            last_part = Some(part);
            Some((separator, piece))
        })
    }

    /// The part that each stretch of the text belongs to, and where it starts: what a snapshot keeps.
    #[must_use]
    pub fn stretches(&self) -> Vec<(u32, usize)> {
        let mut stretches = Vec::new();
        for stretch in &self.stretches {
            stretches.push((stretch.part, stretch.start));
        }
        stretches
    }

    /// A stretch by its number, as its part and its text.
    fn piece(&self, index: usize) -> Option<(u32, &str)> {
        let stretch = self.stretches.get(index)?;
        let end = self.stretches.get(index + 1).map_or(self.text.len(), |next| next.start);
        Some((stretch.part, self.text.get(stretch.start..end)?))
    }

    fn last_shown_part(&self) -> Option<u32> {
        self.stretches.iter().rev().map(|stretch| stretch.part).find(|&part| self.is_shown(part))
    }

    fn is_shown(&self, part: u32) -> bool {
        match self.parts.get(part as usize).map(|info| info.kind).unwrap_or_default() {
            PartKind::Text | PartKind::Refusal => true,
            PartKind::Reasoning | PartKind::ToolCall => false,
        }
    }
}

/// More parts than any provider sends; a hostile index must not become an allocation.
const MAX_PARTS: usize = 4096;

/// Two text parts are two blocks: a tool call stood between them.
pub const PART_SEPARATOR: &str = "\n\n";

/// What an append means for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It is reasoning or a tool call.
    Nothing,
    /// It goes on where the shown text ended.
    Continued,
    /// It is another part's: [`PART_SEPARATOR`] comes first.
    NewBlock,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message::new(ConversationId::new("c").unwrap(), Role::Assistant)
    }

    fn shown(message: &Message) -> String {
        message.shown().flat_map(|(separator, text)| [separator, text]).collect()
    }

    #[test]
    fn reasoning_and_tool_calls_stay_out_of_the_shown_text() {
        let mut m = message();
        m.describe_part(0, PartInfo { kind: PartKind::Reasoning, ..PartInfo::default() });
        assert_eq!(m.append(0, "hmm"), Shown::Nothing);
        assert_eq!(m.append(1, "Look"), Shown::Continued);
        assert_eq!(m.append(1, "ing"), Shown::Continued);
        m.describe_part(2, PartInfo { kind: PartKind::ToolCall, id: None, name: Some("search".into()) });
        assert_eq!(m.append(2, "{}"), Shown::Nothing);
        assert_eq!(m.append(1, "."), Shown::Continued);
        assert_eq!(m.append(3, "Found"), Shown::NewBlock);
        assert_eq!(shown(&m), "Looking.\n\nFound");
        assert_eq!(m.position().offset, "hmmLooking{}.Found".len() as u64);
        let texts: Vec<_> = m.texts().into_iter().map(|(info, text)| (info.kind, text)).collect();
        let of = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(
            texts,
            [
                of(PartKind::Reasoning, "hmm"),
                of(PartKind::Text, "Looking."),
                of(PartKind::ToolCall, "{}"),
                of(PartKind::Text, "Found"),
            ]
        );
    }

    #[test]
    fn a_part_index_from_nowhere_costs_nothing() {
        let mut m = message();
        m.describe_part(u32::MAX, PartInfo { kind: PartKind::Reasoning, ..PartInfo::default() });
        m.append(u32::MAX, "x");
        assert_eq!((m.parts().len(), shown(&m)), (0, "x".to_owned()));
    }
}
