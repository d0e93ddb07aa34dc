//! What all providers over HTTP share: the client, the timeouts, reading the body, and what a failure is called.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use riacho_protocol::{ErrorCode, Failure};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::sse::{SseEvent, SseParser};
use super::{Event, Events};
use crate::settings::{Secret, Timeouts};

/// The largest event of a stream. Images come whole in one.
const MAX_EVENT: usize = 8 * 1024 * 1024;
/// The largest body that is read whole.
const MAX_WHOLE: usize = 16 * 1024 * 1024;
/// So much of the body of a refusal is read.
const MAX_REFUSAL: usize = 64 * 1024;
/// So much of what a provider said is quoted.
const MAX_QUOTE: usize = 400;
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
    let mut body = Body::new();
    let mut bytes = response.bytes_stream();
    let (mut deadline, mut patience) = (first_token, timeouts.first_token);
    loop {
        let piece = match timeout_at(deadline, bytes.next()).await {
            Ok(Some(Ok(piece))) => piece,
            Ok(None) => break,
            // It had all been said; also, that it failed.
            Err(_) | Ok(Some(Err(_))) if decoder.is_whole() => break,
            Err(_) => return Err(silent(name, patience)),
            Ok(Some(Err(error))) => return Err(broken(name, &error, true)),
        };
        let mut out = Vec::new();
        let taken = body.take(&piece, decoder, &mut out);
        if taken.progress {
            patience = if decoder.is_whole() { LAST_WORDS } else { timeouts.between_tokens };
            deadline = Instant::now() + patience;
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
    if body.is_whole() {
        as_if_streamed(out, events).await;
    } else {
        events.emit(out).await;
    }
    ended.map_err(|failure| named(name, failure))?;
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
        Self { seen: Vec::new(), kind: Kind::Unknown }
    }

    fn take(&mut self, piece: &[u8], decoder: &mut impl Decoder, out: &mut Vec<Event>) -> Taken {
        match &mut self.kind {
            Kind::Stream(parser) => Self::feed(parser, piece, decoder, out),
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
                        let taken = Self::feed(&mut parser, &std::mem::take(&mut self.seen), decoder, out);
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
                decoder.whole(body.trim_start_matches('\u{feff}'), out)?;
            }
            Kind::Stream(parser) => {
                let mut last = Vec::new();
                parser.end(&mut last);
                Self::decode(&last, decoder, out)?;
            }
        }
        decoder.end(out)
    }

    fn is_whole(&self) -> bool {
        matches!(self.kind, Kind::Whole)
    }

    fn feed(parser: &mut SseParser, piece: &[u8], decoder: &mut impl Decoder, out: &mut Vec<Event>) -> Taken {
        let mut complete = Vec::new();
        let parsed = parser.push(piece, &mut complete);
        let decoded = Self::decode(&complete, decoder, out);
        let parsed = parsed.map_err(|too_large| failure(ErrorCode::ProviderMalformed, too_large.to_string()));
        Taken { progress: !complete.is_empty(), result: decoded.and(parsed) }
    }

    fn decode(events: &[SseEvent], decoder: &mut impl Decoder, out: &mut Vec<Event>) -> Result<(), Failure> {
        for event in events {
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

pub fn failure(code: ErrorCode, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into(), retry_after: None }
}

fn too_large(limit: usize) -> Failure {
    failure(ErrorCode::ProviderMalformed, format!("an answer of one piece is larger than {limit} bytes"))
}

/// What a decoder says does not name the provider; what the reader sees does.
fn named(name: &str, failure: Failure) -> Failure {
    Failure { message: format!("{name}: {}", failure.message), ..failure }
}

fn silent(name: &str, patience: Duration) -> Failure {
    failure(
        ErrorCode::ProviderTimeout,
        format!("{name} said nothing for {} seconds. Try again.", patience.as_secs_f32()),
    )
}

fn broken(name: &str, error: &reqwest::Error, in_answer: bool) -> Failure {
    // The address stays out of it: a base URL may hold credentials.
    if in_answer {
        failure(
            ErrorCode::ProviderTruncated,
            format!("The connection to {name} broke in the middle of the answer. Try again."),
        )
    } else if error.is_timeout() {
        failure(
            ErrorCode::ProviderTimeout,
            format!("{name} did not accept the connection in time. Try again."),
        )
    } else if error.is_builder() {
        failure(ErrorCode::ProviderRejected, format!("The address set up for {name} is no valid URL."))
    } else {
        failure(
            ErrorCode::ProviderUnreachable,
            format!("{name} can't be reached: {}. Check its address and that it is running.", root(error)),
        )
    }
}

/// The innermost cause: "connection refused" rather than "error sending request".
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    quote(&cause.to_string())
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

fn refused(name: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> Failure {
    let said = said(body);
    let quoted = if said.is_empty() { String::new() } else { format!(" It said: {said}") };
    let number = status.as_u16();
    let (code, message) = match number {
        401 | 403 => (
            ErrorCode::ProviderAuth,
            format!(
                "{name} refused the API key (HTTP {number}). Check the key that the relay was started with.{quoted}"
            ),
        ),
        429 => (
            ErrorCode::ProviderRateLimited,
            format!(
                "{name} takes no more requests for now (HTTP 429): too many, or the quota is used up.{quoted}"
            ),
        ),
        300..400 => {
            let to = headers.contains_key(LOCATION);
            let hint = if to { "; set its base URL to the address it moved to" } else { "" };
            (ErrorCode::ProviderRejected, format!("{name} answered with a redirect (HTTP {number}){hint}."))
        }
        404 => (
            ErrorCode::ProviderRejected,
            format!("{name} does not know the model or the address (HTTP 404). Check both.{quoted}"),
        ),
        400..500 => {
            (ErrorCode::ProviderRejected, format!("{name} refused the request (HTTP {number}).{quoted}"))
        }
        _ => (ErrorCode::ProviderFailed, format!("{name} failed (HTTP {number}). Try again.{quoted}")),
    };
    Failure { code, message, retry_after: retry_after(headers) }
}

/// Seconds, as `Retry-After` (or the milliseconds that some send beside it) says. A date is not read.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number(RETRY_AFTER.as_str()))?;
    (seconds.is_finite() && seconds >= 0.0).then(|| seconds.ceil().min(86_400.0) as u64)
}

/// The provider's own message, from whatever it put around it.
fn said(body: &str) -> String {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    // Some wrap it in a list.
    let value = value.get(0).unwrap_or(&value);
    let message = ["/error/message", "/error", "/message", "/detail", "/errors/0/message"]
        .iter()
        .find_map(|path| value.pointer(path).and_then(Value::as_str));
    match message {
        Some(message) => quote(message),
        // A page of HTML helps nobody.
        None if value.is_null() && !body.trim_start().starts_with('<') => quote(body),
        None => String::new(),
    }
}

/// An error that came in the stream, or as a body under 200.
pub fn said_error(error: &Value) -> Failure {
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let message = match error.as_str().unwrap_or_else(|| text("message")) {
        "" => quote(&error.to_string()),
        message => quote(message),
    };
    let number = error.get("code").and_then(Value::as_u64).or(error.get("status").and_then(Value::as_u64));
    let words = format!("{} {}", text("type"), text("code")).to_lowercase();
    let code = match number {
        Some(401 | 403) => ErrorCode::ProviderAuth,
        Some(429) => ErrorCode::ProviderRateLimited,
        Some(400..500) => ErrorCode::ProviderRejected,
        _ if words.contains("api_key")
            || words.contains("authentication")
            || words.contains("permission") =>
        {
            ErrorCode::ProviderAuth
        }
        _ if words.contains("rate_limit") || words.contains("quota") => ErrorCode::ProviderRateLimited,
        _ if words.contains("invalid_request")
            || words.contains("context_length")
            || words.contains("not_found") =>
        {
            ErrorCode::ProviderRejected
        }
        _ => ErrorCode::ProviderFailed,
    };
    failure(code, message)
}

/// On one line, bounded, and without anything that looks like a key.
pub fn quote(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        let looks_like_key = word.len() >= 16
            && ["sk-", "sk_", "AIza", "gsk_", "xai-", "Bearer"].iter().any(|prefix| word.contains(prefix));
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(if looks_like_key { "…" } else { word });
        if out.len() > MAX_QUOTE {
            out.truncate(out.floor_char_boundary(MAX_QUOTE));
            out.push('…');
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_with(status: u16, header: Option<(&'static str, &'static str)>, body: &str) -> Failure {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().expect("a header"));
        }
        refused("openai", StatusCode::from_u16(status).expect("a status"), &headers, body)
    }

    #[test]
    fn each_status_has_its_code() {
        let table = [
            (301, ErrorCode::ProviderRejected),
            (400, ErrorCode::ProviderRejected),
            (401, ErrorCode::ProviderAuth),
            (403, ErrorCode::ProviderAuth),
            (404, ErrorCode::ProviderRejected),
            (422, ErrorCode::ProviderRejected),
            (429, ErrorCode::ProviderRateLimited),
            (500, ErrorCode::ProviderFailed),
            (503, ErrorCode::ProviderFailed),
            (529, ErrorCode::ProviderFailed),
        ];
        for (status, code) in table {
            assert_eq!(refused_with(status, None, "").code, code, "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(refused_with(429, Some(("retry-after", "7")), "").retry_after, Some(7));
        assert_eq!(refused_with(429, Some(("retry-after-ms", "1500")), "").retry_after, Some(2));
        assert_eq!(refused_with(429, Some(("retry-after", "-1")), "").retry_after, None);
        assert_eq!(
            refused_with(429, Some(("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")), "").retry_after,
            None
        );
    }

    #[test]
    fn the_provider_is_quoted_and_the_key_is_not() {
        let body =
            r#"{"error":{"message":"Incorrect API key provided: sk-proj-0123456789abcdef. Find yours.\n"}}"#;
        let message = refused_with(401, None, body).message;
        assert!(message.contains("Incorrect API key provided: … Find yours."), "{message}");
        assert!(!message.contains("0123456789abcdef"));
        assert!(refused_with(500, None, &"é".repeat(10_000)).message.len() < 600);
        assert!(!refused_with(502, None, "<html><h1>Bad gateway</h1>").message.contains('<'));
        assert!(refused_with(400, None, r#"[{"error":{"message":"no"}}]"#).message.contains("It said: no"));
    }
}
