//! What all providers over HTTP share: the client, the timeouts, reading the body, and what is made of each way it ends.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder, Response};
use riacho_protocol::{ErrorCode, Failure};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::event::Event;
use super::events::Events;
use super::failures::{broken, failure, named, refused, silent, too_large};
use super::settings::Timeouts;
use super::sse::{SseEvent, SseParser};
use crate::secret::Secret;

/// The largest event of a stream. Images come whole in one.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The largest body that is read whole.
const MAX_WHOLE: usize = 16 * 1024 * 1024;
/// So much of the body of a refusal is read.
const MAX_REFUSAL: usize = 64 * 1024;
/// An answer that is whole may still be followed by its usage, for so long.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A whole answer is handed on in pieces of so many bytes, in no more than so many, so long apart: two seconds at most.
const MIN_PIECE: usize = 24;
const MAX_PIECES: usize = 200;
const PIECE_PACE: Duration = Duration::from_millis(10);

/// One wire format: events of a stream become events of an answer. No I/O.
pub trait Decoder: Send {
    /// One event of the stream.
    ///
    /// # Errors
    /// When the provider says that it failed, or can't be understood. What came before stands.
    fn event(&mut self, event: &SseEvent, out: &mut Vec<Event>) -> Result<(), Failure>;

    /// A whole JSON body, where a stream was asked for.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    fn whole(&mut self, body: &str, out: &mut Vec<Event>) -> Result<(), Failure>;

    /// The stream is over.
    ///
    /// # Errors
    /// When the provider had said that it failed, and something might have followed.
    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Failure> {
        let _ = out;
        Ok(())
    }

    /// With what the answer could be taken up again behind the last event, if it could.
    fn state(&self) -> Option<String> {
        None
    }

    /// The answer is whole: nothing but its usage may follow.
    fn is_whole(&self) -> bool;

    /// The provider has said that nothing follows.
    fn is_over(&self) -> bool;
}

/// A client for all requests. It follows no redirect: a key goes to the address that was set, and no other.
pub fn client(timeouts: Timeouts) -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("riacho-relay/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeouts.connect)
        .build()
}

/// Whom a call goes to.
pub struct Callee<'a> {
    /// What messages call the provider.
    pub name: &'a str,
    pub timeouts: Timeouts,
    /// What no message may quote.
    pub secret: Option<&'a Secret>,
}

/// Sends a request, and hands over its answer as it comes.
pub async fn stream(
    callee: Callee<'_>,
    request: RequestBuilder,
    decoder: impl Decoder,
    events: &Events,
) -> Result<(), Failure> {
    let answered = ask(callee.name, request, decoder, callee.timeouts, events).await;
    answered.map_err(|failure| match callee.secret.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) => Failure { message: failure.message.replace(key, "…"), ..failure },
        None => failure,
    })
}

async fn ask(
    name: &str,
    request: RequestBuilder,
    mut decoder: impl Decoder,
    timeouts: Timeouts,
    events: &Events,
) -> Result<(), Failure> {
    let first_token = Instant::now() + timeouts.first_token;
    let sent = timeout_at(first_token, request.send());
    let response = sent.await.map_err(|_| silent(name, timeouts.first_token))?;
    let response = response.map_err(|error| broken(name, &error, false))?;
    if !response.status().is_success() {
        return Err(refusal(name, response).await);
    }
    read(name, response, &mut decoder, timeouts, first_token, events).await
}

async fn read(
    name: &str,
    response: Response,
    decoder: &mut impl Decoder,
    timeouts: Timeouts,
    first_token: Instant,
    events: &Events,
) -> Result<(), Failure> {
    let mut body = Body { raw: events.wants_raw(), ..Body::new() };
    let mut bytes = response.bytes_stream();
    let (mut deadline, mut patience) = (first_token, timeouts.first_token);
    // One timer, which looks anew when it rings: to set it for each piece would cost more than to read the piece.
    let mut alarm = pin!(sleep_until(deadline));
    loop {
        let next = loop {
            tokio::select! {
                biased;
                next = bytes.next() => break Ok(next),
                () = alarm.as_mut() => {
                    if Instant::now() >= deadline {
                        break Err(());
                    }
                    alarm.as_mut().reset(deadline);
                }
            }
        };
        let piece = match next {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => break,
            // It had all been said; also, that it failed.
            Err(()) | Ok(Some(Err(_))) if decoder.is_whole() => break,
            Err(()) => return Err(silent(name, patience)),
            Ok(Some(Err(error))) => return Err(broken(name, &error, true)),
        };
        let mut out = Vec::new();
        let taken = body.take(&piece, decoder, &mut out);
        if taken.progress {
            patience = if decoder.is_whole() { LAST_WORDS } else { timeouts.between_tokens };
            deadline = Instant::now() + patience;
            if deadline < alarm.deadline() {
                alarm.as_mut().reset(deadline);
            }
        }
        if taken.progress {
            out.extend(decoder.state().map(Event::State));
        }
        events.emit(out).await;
        taken.result.map_err(|failure| named(name, failure))?;
        if decoder.is_over() {
            return Ok(());
        }
    }
    let mut out = Vec::new();
    let ended = body.end(decoder, &mut out);
    let state = decoder.state();
    let goes_on = state.is_some();
    out.extend(state.map(Event::State));
    if body.is_whole() {
        as_if_streamed(out, events).await;
    } else {
        events.emit(out).await;
    }
    // Half an event is what a broken connection leaves; where the answer goes on, the whole one can still be had.
    if !goes_on {
        ended.map_err(|failure| named(name, failure))?;
    }
    if decoder.is_whole() || decoder.is_over() {
        return Ok(());
    }
    Err(failure(
        ErrorCode::ProviderTruncated,
        format!("{name} ended the stream without saying that the answer is whole. Try again."),
    ))
}

/// Hands a whole answer on in pieces, so that a page sees it come.
async fn as_if_streamed(whole: Vec<Event>, events: &Events) {
    for event in whole {
        let Event::Text { part, text } = event else {
            events.emit(vec![event]).await;
            continue;
        };
        let size = MIN_PIECE.max(text.len() / MAX_PIECES);
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
            events.emit(vec![Event::Text { part, text: piece.to_owned() }]).await;
            rest = after;
            if !rest.is_empty() {
                tokio::time::sleep(PIECE_PACE).await;
            }
        }
    }
}

/// A body: a stream of events, or one JSON value. Its first bytes say which, since headers are often wrong.
pub struct Body {
    seen: Vec<u8>,
    kind: Kind,
    /// Its events are handed over as they are as well.
    raw: bool,
}

enum Kind {
    Unknown,
    Stream(SseParser),
    Whole,
}

struct Taken {
    /// An event came, and not only bytes that keep the line open.
    progress: bool,
    result: Result<(), Failure>,
}

impl Body {
    #[must_use]
    pub fn new() -> Self {
        Self { seen: Vec::new(), kind: Kind::Unknown, raw: false }
    }

    fn take(&mut self, piece: &[u8], decoder: &mut impl Decoder, out: &mut Vec<Event>) -> Taken {
        match &mut self.kind {
            Kind::Stream(parser) => Self::feed(parser, self.raw, piece, decoder, out),
            Kind::Whole => {
                self.seen.extend_from_slice(piece);
                let result = if self.seen.len() > MAX_WHOLE { Err(too_large(MAX_WHOLE)) } else { Ok(()) };
                Taken { progress: true, result }
            }
            Kind::Unknown => {
                self.seen.extend_from_slice(piece);
                let text = self.seen.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.seen);
                match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                    None if self.seen.len() > MAX_REFUSAL => {
                        Taken { progress: false, result: Err(too_large(MAX_REFUSAL)) }
                    }
                    // Less than a whole byte order mark, or only blanks.
                    None => Taken { progress: false, result: Ok(()) },
                    Some(0xEF) if self.seen.len() < 3 => Taken { progress: false, result: Ok(()) },
                    Some(b'{' | b'[') => {
                        self.kind = Kind::Whole;
                        Taken { progress: true, result: Ok(()) }
                    }
                    Some(_) => {
                        let mut parser = SseParser::new(MAX_EVENT);
                        let seen = std::mem::take(&mut self.seen);
                        let taken = Self::feed(&mut parser, self.raw, &seen, decoder, out);
                        self.kind = Kind::Stream(parser);
                        taken
                    }
                }
            }
        }
    }

    fn end(&mut self, decoder: &mut impl Decoder, out: &mut Vec<Event>) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::Unknown => {}
            Kind::Whole => {
                let body = String::from_utf8_lossy(&self.seen);
                if self.raw {
                    out.push(Event::Raw(SseEvent { name: String::new(), data: body.clone().into_owned() }));
                }
                decoder.whole(body.trim_start_matches('\u{feff}'), out)?;
            }
            Kind::Stream(parser) => {
                let mut last = Vec::new();
                parser.end(&mut last);
                Self::decode(&last, self.raw, decoder, out)?;
            }
        }
        decoder.end(out)
    }

    fn is_whole(&self) -> bool {
        matches!(self.kind, Kind::Whole)
    }

    fn feed(
        parser: &mut SseParser,
        raw: bool,
        piece: &[u8],
        decoder: &mut impl Decoder,
        out: &mut Vec<Event>,
    ) -> Taken {
        let mut complete = Vec::new();
        let parsed = parser.push(piece, &mut complete);
        let decoded = Self::decode(&complete, raw, decoder, out);
        let parsed = parsed.map_err(|too_large| failure(ErrorCode::ProviderMalformed, too_large.to_string()));
        Taken { progress: !complete.is_empty(), result: decoded.and(parsed) }
    }

    fn decode(
        events: &[SseEvent],
        raw: bool,
        decoder: &mut impl Decoder,
        out: &mut Vec<Event>,
    ) -> Result<(), Failure> {
        for event in events {
            if raw {
                out.push(Event::Raw(event.clone()));
            }
            if decoder.is_over() {
                break;
            }
            decoder.event(event, out)?;
        }
        Ok(())
    }
}

/// Decodes a body that is there already, cut as it is given. For tests of a decoder.
///
/// # Errors
/// As the decoder says, or `provider_truncated`.
pub fn decode<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    mut decoder: impl Decoder,
    out: &mut Vec<Event>,
) -> Result<(), Failure> {
    let mut body = Body::new();
    for piece in pieces {
        body.take(piece, &mut decoder, out).result?;
        if decoder.is_over() {
            return Ok(());
        }
    }
    body.end(&mut decoder, out)?;
    if decoder.is_whole() { Ok(()) } else { Err(failure(ErrorCode::ProviderTruncated, String::new())) }
}

/// The answer is an HTTP status other than 2xx.
async fn refusal(name: &str, response: Response) -> Failure {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    let mut bytes = response.bytes_stream();
    let deadline = Instant::now() + LAST_WORDS;
    while let Ok(Some(Ok(piece))) = timeout_at(deadline, bytes.next()).await {
        body.extend_from_slice(&piece);
        if body.len() > MAX_REFUSAL {
            break;
        }
    }
    refused(name, status, &headers, &String::from_utf8_lossy(&body))
}
