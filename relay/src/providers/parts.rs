//! The parts of an answer: which number each has.

use riacho_protocol::{PartInfo, PartKind};
use serde::{Deserialize, Serialize};

use super::event::Event;

/// Gives each part of an answer its number, in order of appearance.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Parts {
    parts: Vec<PartInfo>,
    /// The part that `go_on` goes on with.
    current: Option<u32>,
}

impl Parts {
    /// Begins a part of its own, such as a tool call.
    pub fn begin(&mut self, info: PartInfo, out: &mut Vec<Event>) -> u32 {
        let part = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.current = (info.kind != PartKind::ToolCall).then_some(part);
        self.parts.push(info.clone());
        out.push(Event::Part(info));
        part
    }

    /// Text of the part that was last, if it is of this kind; else a new part begins with it. For providers whose answers
    /// are made of blocks.
    pub fn go_on(&mut self, kind: PartKind, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let same =
            self.current.filter(|part| self.parts.get(*part as usize).is_some_and(|info| info.kind == kind));
        let part = same.unwrap_or_else(|| self.begin(PartInfo { kind, ..PartInfo::default() }, out));
        out.push(Event::Text { part, text: text.to_owned() });
    }

    /// What follows is a part of its own.
    pub fn close(&mut self) {
        self.current = None;
    }

    /// Text of the one part of its kind; the part begins with its first text. For providers that know kinds only.
    pub fn say(&mut self, kind: PartKind, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let known = self.parts.iter().position(|info| info.kind == kind);
        let part = match known.and_then(|part| u32::try_from(part).ok()) {
            Some(part) => part,
            None => self.begin(PartInfo { kind, ..PartInfo::default() }, out),
        };
        out.push(Event::Text { part, text: text.to_owned() });
    }
}
