//! Reads the text frames out of one direction of a WebSocket, byte by byte if need be. It reads along: it is no peer.

/// What is left over until more bytes come.
pub struct Frames {
    bytes: Vec<u8>,
    in_head: bool,
    /// A text message that came in several frames.
    partial: Option<Vec<u8>>,
}

impl Frames {
    /// A direction that begins with the answer to the upgrade.
    #[must_use]
    pub fn before_head() -> Frames {
        Frames { bytes: Vec::new(), in_head: true, partial: None }
    }

    /// A direction whose HTTP head is already over.
    #[must_use]
    pub fn after_head_was_sent() -> Frames {
        Frames { in_head: false, ..Frames::before_head() }
    }

    /// Takes these bytes; gives back the text messages that are whole now.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<String> {
        self.bytes.extend_from_slice(bytes);
        if self.in_head {
            let Some(end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                return Vec::new();
            };
            self.bytes.drain(..end + 4);
            self.in_head = false;
        }
        let mut texts = Vec::new();
        while let Some(frame) = first(&self.bytes) {
            self.bytes.drain(..frame.length);
            texts.extend(self.message(frame));
        }
        texts
    }

    /// Nothing is half read: here another frame may be put in.
    #[must_use]
    pub fn is_between(&self) -> bool {
        !self.in_head && self.bytes.is_empty() && self.partial.is_none()
    }

    fn message(&mut self, frame: Frame) -> Option<String> {
        const CONTINUATION: u8 = 0;
        const TEXT: u8 = 1;
        let mut payload = match frame.opcode {
            TEXT => Vec::new(),
            CONTINUATION => self.partial.take()?,
            _ => return None,
        };
        payload.extend(frame.payload);
        if frame.last {
            return Some(String::from_utf8_lossy(&payload).into_owned());
        }
        self.partial = Some(payload);
        None
    }
}

/// A text frame as a server sends it.
#[must_use]
pub fn text(payload: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match payload.len() {
        length @ ..126 => bytes.push(length as u8),
        length @ ..65_536 => {
            bytes.push(126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(payload.as_bytes());
    bytes
}

struct Frame {
    length: usize,
    last: bool,
    opcode: u8,
    payload: Vec<u8>,
}

/// The frame at the start, if all of it is there (RFC 6455, section 5.2).
fn first(bytes: &[u8]) -> Option<Frame> {
    let [flags, sized, ..] = *bytes else { return None };
    let (masked, size) = (sized & 0x80 != 0, sized & 0x7f);
    let (size, mut at) = match size {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        size => (u64::from(size), 2),
    };
    let mut mask = [0; 4];
    if masked {
        mask = bytes.get(at..at + 4)?.try_into().ok()?;
        at += 4;
    }
    let length = at.checked_add(usize::try_from(size).ok()?)?;
    let payload =
        bytes.get(at..length)?.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some(Frame { length, last: flags & 0x80 != 0, opcode: flags & 0x0f, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = vec![first];
        let masked = if mask.is_some() { 0x80 } else { 0 };
        if payload.len() < 126 {
            bytes.push(masked | payload.len() as u8);
        } else {
            bytes.push(masked | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        bytes.extend(mask.into_iter().flatten());
        let mask = mask.unwrap_or_default();
        bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        bytes
    }

    #[test]
    fn a_frame_is_read_whatever_the_split() {
        let text = "olá ".repeat(60);
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        bytes.extend(frame(0x81, b"{}", None));
        bytes.extend(frame(0x89, b"ping", None));
        bytes.extend(frame(0x81, text.as_bytes(), Some([1, 2, 3, 4])));
        for step in [1, 7, bytes.len()] {
            let mut frames = Frames::before_head();
            let texts: Vec<String> = bytes.chunks(step).flat_map(|chunk| frames.read(chunk)).collect();
            assert_eq!(texts, ["{}", &text]);
        }
    }

    #[test]
    fn what_is_written_is_read_again_at_every_size() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = "x".repeat(length);
            let mut frames = Frames::after_head_was_sent();
            assert_eq!(frames.read(&text(&payload)), [payload]);
            assert!(frames.is_between());
        }
    }

    #[test]
    fn a_message_in_several_frames_is_one() {
        let mut frames = Frames::after_head_was_sent();
        let mut bytes = frame(0x01, b"{\"a\"", None);
        bytes.extend(frame(0x8a, b"pong", None));
        bytes.extend(frame(0x80, b":1}", None));
        assert_eq!(frames.read(&bytes), ["{\"a\":1}"]);
    }
}
