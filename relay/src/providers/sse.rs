//! Server-sent events from bytes that may be cut anywhere. No I/O.
//!
//! Our own, because it needs three things that the parsers on crates.io (eventsource-stream, sseer, sse-stream) do not
//! have together: no panic on a byte order mark, a cap on one event, and the last event of a stream that just ends.

/// One event: its `event:` line, and its `data:` lines joined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// Empty where the stream names none.
    pub name: String,
    pub data: String,
}

/// One event is larger than the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {0} bytes")]
pub struct TooLarge(pub usize);

/// Takes bytes, gives events. A line ends with LF, CRLF or CR; bytes that are no UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct SseParser {
    max_event: usize,
    line: Vec<u8>,
    /// The byte before was a CR: an LF belongs to it.
    after_cr: bool,
    /// Nothing but the byte order mark may come before.
    at_start: bool,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
}

impl SseParser {
    #[must_use]
    pub fn new(max_event: usize) -> Self {
        Self {
            max_event,
            line: Vec::new(),
            after_cr: false,
            at_start: true,
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
        }
    }

    /// Takes the next bytes, and adds the events that they complete.
    ///
    /// # Errors
    /// [`TooLarge`]; the parser is of no use after it.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<SseEvent>) -> Result<(), TooLarge> {
        while let Some((&first, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = rest;
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.line.extend_from_slice(bytes);
                return self.check();
            };
            let (line, rest) = bytes.split_at(end);
            self.line.extend_from_slice(line);
            self.check()?;
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            self.end_line(out);
        }
        Ok(())
    }

    /// The stream is over. An event that no blank line has closed counts all the same.
    pub fn end(&mut self, out: &mut Vec<SseEvent>) {
        if !self.line.is_empty() {
            self.end_line(out);
        }
        self.dispatch(out);
    }

    fn check(&self) -> Result<(), TooLarge> {
        if self.line.len() + self.data.len() > self.max_event {
            Err(TooLarge(self.max_event))
        } else {
            Ok(())
        }
    }

    fn end_line(&mut self, out: &mut Vec<SseEvent>) {
        let line = std::mem::take(&mut self.line);
        let mut rest = line.as_slice();
        if std::mem::take(&mut self.at_start) {
            rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
        }
        if rest.is_empty() {
            self.dispatch(out);
        } else {
            let colon = rest.iter().position(|&byte| byte == b':');
            let (field, value) = colon.map_or((rest, &b""[..]), |at| {
                let (field, value) = rest.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            });
            match field {
                b"data" => {
                    if std::mem::replace(&mut self.has_data, true) {
                        self.data.push(b'\n');
                    }
                    self.data.extend_from_slice(value);
                }
                b"event" => self.name = value.to_vec(),
                _ => {} // `id`, `retry`, comments, and whatever else.
            }
        }
        // The allocation is used again for the next line.
        self.line = line;
        self.line.clear();
    }

    fn dispatch(&mut self, out: &mut Vec<SseEvent>) {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if std::mem::take(&mut self.has_data) {
            out.push(SseEvent {
                name: String::from_utf8_lossy(&name).into_owned(),
                data: String::from_utf8_lossy(&data).into_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = SseParser::new(1000);
        let mut out = Vec::new();
        for piece in pieces {
            parser.push(piece, &mut out).expect("small");
        }
        parser.end(&mut out);
        out.into_iter().map(|event| (event.name, event.data)).collect()
    }

    fn events(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect()
    }

    #[test]
    fn every_cut_reads_the_same() {
        let stream = "\u{feff}: hello\r\nevent: a\r\ndata: olá 🌊\r\n\r\n:ping\n\ndata:x\ndata: y\nid: 7\nretry: 5\n\rdata\n\nevent: none\n\ndata: last"
            .as_bytes();
        let want = events(&[("a", "olá 🌊"), ("", "x\ny"), ("", ""), ("", "last")]);
        assert_eq!(parse(&[stream]), want);
        for cut in 0..=stream.len() {
            let (a, b) = stream.split_at(cut);
            assert_eq!(parse(&[a, b]), want, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(parse(&bytes), want);
    }

    #[test]
    fn cr_alone_ends_a_line() {
        assert_eq!(parse(&[b"data: a\r\rdata: b\r", b"\r"]), events(&[("", "a"), ("", "b")]));
    }

    #[test]
    fn what_is_no_utf8_is_shown_as_such() {
        assert_eq!(parse(&[b"data: a\xFFb\n\n"]), events(&[("", "a\u{fffd}b")]));
    }

    #[test]
    fn one_event_has_a_cap_and_a_stream_has_none() {
        let mut parser = SseParser::new(64);
        let mut out = Vec::new();
        for _ in 0..100 {
            parser.push(b"data: 0123456789\n\n", &mut out).expect("small events");
        }
        assert_eq!(out.len(), 100);
        let mut line = SseParser::new(64);
        assert_eq!(line.push(&[b'x'; 65], &mut out), Err(TooLarge(64)));
        let mut lines = SseParser::new(64);
        let pushed: Result<(), TooLarge> =
            (0..100).try_for_each(|_| lines.push(b"data: 0123456789\n", &mut out));
        assert_eq!(pushed, Err(TooLarge(64)));
    }
}
