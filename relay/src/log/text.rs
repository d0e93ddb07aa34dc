//! One append-only text: its bytes, and the stretches of parts it consists of.

use riacho_protocol::{PartInfo, PartKind};
use serde::{Deserialize, Serialize};

use super::Piece;

/// The text of one epoch of a message. Bytes are only ever added at its end.
#[derive(Debug, Default, Clone)]
pub struct Text {
    content: String,
    layout: Layout,
}

/// Which bytes belong to which part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Layout {
    parts: Vec<PartInfo>,
    stretches: Vec<Stretch>,
}

impl Layout {
    pub fn parts(&self) -> &[PartInfo] {
        &self.parts
    }

    /// The next part begins behind so many bytes.
    pub fn begin(&mut self, info: PartInfo, start: usize) {
        let part = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.parts.push(info);
        self.stretches.push(Stretch { start, part, first: true });
    }

    /// Text of a part comes behind so many bytes.
    pub fn go_on(&mut self, part: u32, start: usize) {
        while self.parts.len() <= part as usize {
            self.begin(PartInfo::default(), start);
        }
        if self.stretches.last().is_none_or(|last| last.part != part) {
            self.stretches.push(Stretch { start, part, first: false });
        }
    }
}

/// A run of bytes that belong to one part; it reaches to where the next begins.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stretch {
    start: usize,
    part: u32,
    /// Its part begins with it.
    first: bool,
}

/// A place in a text, between two chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    offset: usize,
    stretch: usize,
    /// The part that begins here was announced, with or without text.
    announced: bool,
}

/// The next piece for a reader: a stretch of one part, or as much of it as may be sent at once.
#[derive(Debug, PartialEq, Eq)]
pub struct Slice<'a> {
    pub offset: u64,
    pub part: u32,
    /// With the first piece of a part that is not part 0, text.
    pub begins: Option<&'a PartInfo>,
    pub content: &'a str,
}

impl Text {
    pub fn len(&self) -> u64 {
        self.content.len() as u64
    }

    pub fn content(&self) -> &str {
        &self.content
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub fn into_inner(self) -> (String, Layout) {
        (self.content, self.layout)
    }

    /// A text that was folded.
    pub fn new(content: String, layout: Layout) -> Self {
        Self { content, layout }
    }

    pub fn append(&mut self, piece: &Piece) {
        match piece {
            Piece::Part(info) => self.layout.begin(info.clone(), self.content.len()),
            Piece::Text { part, text } => {
                self.layout.go_on(*part, self.content.len());
                self.content.push_str(text);
            }
        }
    }

    /// The place of a reader that holds the first `have` bytes. More than there is, or half a character, is taken for
    /// less: a reader drops what it has.
    pub fn place(&self, have: u64) -> Place {
        let have = usize::try_from(have).unwrap_or(usize::MAX);
        if have > self.content.len() {
            return Place::default();
        }
        let offset = self.content.floor_char_boundary(have);
        let after = self.layout.stretches.partition_point(|stretch| stretch.start < offset);
        Place { offset, stretch: after.saturating_sub(1), announced: after > 0 }
    }

    /// What lies after a place, and the place after that.
    pub fn next(&self, mut place: Place, max_bytes: usize) -> Option<(Slice<'_>, Place)> {
        loop {
            let stretch = self.layout.stretches.get(place.stretch)?;
            let end =
                self.layout.stretches.get(place.stretch + 1).map_or(self.content.len(), |next| next.start);
            let info = self.layout.parts.get(stretch.part as usize);
            let begins = info
                .filter(|info| stretch.first && !place.announced && !(stretch.part == 0 && is_plain(info)));
            // A call without arguments has no text, and is said all the same.
            let empty_call = begins.is_some_and(|info| info.kind == PartKind::ToolCall);
            if place.offset < end || empty_call {
                let mut upto =
                    self.content.floor_char_boundary(end.min(place.offset.saturating_add(max_bytes)));
                if upto <= place.offset && place.offset < end {
                    upto = self.content.ceil_char_boundary(place.offset + 1); // A limit below one character.
                }
                let content = self.content.get(place.offset..upto)?;
                let slice = Slice { offset: place.offset as u64, part: stretch.part, begins, content };
                return Some((slice, Place { offset: upto, announced: true, ..place }));
            }
            if place.stretch + 1 >= self.layout.stretches.len() {
                return None;
            }
            place = Place { offset: end, stretch: place.stretch + 1, announced: false };
        }
    }

    /// What a provider reads of it, and what a reader would call the answer: its text parts, as paragraphs.
    pub fn plain(&self) -> String {
        let mut plain = String::new();
        let mut last = None;
        for (at, stretch) in self.layout.stretches.iter().enumerate() {
            let end = self.layout.stretches.get(at + 1).map_or(self.content.len(), |next| next.start);
            let is_text =
                self.layout.parts.get(stretch.part as usize).is_some_and(|info| info.kind == PartKind::Text);
            if let Some(text) =
                self.content.get(stretch.start..end).filter(|text| is_text && !text.is_empty())
            {
                if last.replace(stretch.part).is_some_and(|last| last != stretch.part) {
                    plain.push_str("\n\n");
                }
                plain.push_str(text);
            }
        }
        plain
    }
}

fn is_plain(info: &PartInfo) -> bool {
    info.kind == PartKind::Text && info.id.is_none() && info.name.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(part: u32, text: &str) -> Piece {
        Piece::Text { part, text: text.to_owned() }
    }

    fn part(kind: PartKind) -> Piece {
        Piece::Part(PartInfo { kind, ..PartInfo::default() })
    }

    /// Everything after a place, as (offset, part, kind announced, content).
    fn read(log: &Text, mut place: Place, max: usize) -> Vec<(u64, u32, Option<PartKind>, String)> {
        let mut out = Vec::new();
        while let Some((slice, next)) = log.next(place, max) {
            out.push((
                slice.offset,
                slice.part,
                slice.begins.map(|info| info.kind),
                slice.content.to_owned(),
            ));
            place = next;
        }
        out
    }

    #[test]
    fn a_plain_text_is_one_chunk_from_wherever_one_is() {
        let mut log = Text::default();
        log.append(&text(0, "Olá, "));
        log.append(&text(0, "riacho"));
        assert_eq!(read(&log, log.place(0), 100), [(0, 0, None, "Olá, riacho".into())]);
        assert_eq!(read(&log, log.place(6), 100), [(6, 0, None, "riacho".into())]);
        assert_eq!(read(&log, log.place(12), 100), []);
    }

    #[test]
    fn half_a_character_and_too_much_are_taken_for_less() {
        let mut log = Text::default();
        log.append(&text(0, "aé"));
        assert_eq!(read(&log, log.place(2), 100), [(1, 0, None, "é".into())]);
        assert_eq!(read(&log, log.place(4), 100), [(0, 0, None, "aé".into())]);
    }

    #[test]
    fn a_chunk_is_never_cut_inside_a_character() {
        let mut log = Text::default();
        log.append(&text(0, "a🌊b🌊"));
        for max in 1..12 {
            let chunks = read(&log, log.place(0), max);
            assert_eq!(chunks.iter().map(|c| c.3.as_str()).collect::<String>(), "a🌊b🌊", "limit {max}");
            assert!(chunks.iter().all(|c| c.3.len() <= max.max(4)), "limit {max}: {chunks:?}");
        }
    }

    #[test]
    fn each_stretch_of_a_part_is_a_chunk_and_the_first_says_its_kind() {
        let mut log = Text::default();
        log.append(&part(PartKind::Reasoning));
        log.append(&text(0, "hm"));
        log.append(&part(PartKind::Text));
        log.append(&text(1, "one"));
        log.append(&text(0, "hm"));
        log.append(&text(1, "two"));
        let all = read(&log, log.place(0), 100);
        assert_eq!(
            all,
            [
                (0, 0, Some(PartKind::Reasoning), "hm".into()),
                (2, 1, Some(PartKind::Text), "one".into()),
                (5, 0, None, "hm".into()),
                (7, 1, None, "two".into()),
            ]
        );
        assert_eq!(log.plain(), "onetwo");
        for have in 0..=log.len() {
            let rest: usize = read(&log, log.place(have), 2).iter().map(|c| c.3.len()).sum();
            assert_eq!(rest as u64, log.len() - have, "from {have}");
        }
    }

    #[test]
    fn a_call_without_arguments_is_said_once() {
        let mut log = Text::default();
        log.append(&text(0, "ok"));
        let place = log.next(log.place(0), 100).map(|(_, next)| next).unwrap_or_default();
        assert!(log.next(place, 100).is_none());
        log.append(&part(PartKind::ToolCall));
        log.append(&part(PartKind::ToolCall));
        let calls = read(&log, place, 100);
        assert_eq!(
            calls,
            [
                (2, 1, Some(PartKind::ToolCall), String::new()),
                (2, 2, Some(PartKind::ToolCall), String::new())
            ]
        );
    }
}
