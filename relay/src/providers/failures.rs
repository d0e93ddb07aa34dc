//! What a failure is called, and in which words: a code, and a message that a page author can act on. No I/O.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use riacho_protocol::{ErrorCode, Failure};
use serde_json::Value;

/// So much of what a provider said is quoted.
const MAX_QUOTE: usize = 400;

pub fn failure(code: ErrorCode, message: impl Into<String>) -> Failure {
    Failure { code, message: message.into(), retry_after: None }
}

pub fn too_large(limit: usize) -> Failure {
    failure(ErrorCode::ProviderMalformed, format!("an answer of one piece is larger than {limit} bytes"))
}

/// What a decoder says does not name the provider; what the reader sees does.
pub fn named(name: &str, failure: Failure) -> Failure {
    Failure { message: format!("{name}: {}", failure.message), ..failure }
}

pub fn silent(name: &str, patience: Duration) -> Failure {
    failure(
        ErrorCode::ProviderTimeout,
        format!("{name} said nothing for {} seconds. Try again.", patience.as_secs_f32()),
    )
}

pub fn broken(name: &str, error: &reqwest::Error, in_answer: bool) -> Failure {
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

pub fn refused(name: &str, status: StatusCode, headers: &HeaderMap, body: &str) -> Failure {
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

/// Seconds, as `Retry-After` says: a number or a date; or the milliseconds that some send beside it.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let date = || {
        let date = httpdate::parse_http_date(headers.get(RETRY_AFTER)?.to_str().ok()?).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default().as_secs_f64())
    };
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0);
    let seconds = seconds.or_else(|| number(RETRY_AFTER.as_str())).or_else(date)?;
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

/// The JSON of one event of a stream.
pub fn event_json(data: &str) -> Result<Value, Failure> {
    json(data, "the stream holds what is no JSON")
}

/// The JSON of a whole answer.
pub fn whole_json(body: &str) -> Result<Value, Failure> {
    json(body, "the answer is no JSON")
}

fn json(text: &str, wrong: &str) -> Result<Value, Failure> {
    serde_json::from_str(text)
        .map_err(|_| failure(ErrorCode::ProviderMalformed, format!("{wrong}: {}", quote(text))))
}

/// The error that a value holds, or else is.
pub fn error_in(value: &Value) -> Failure {
    said_error(value.get("error").unwrap_or(value))
}

/// Fails where a value holds an error, beside whatever else.
pub fn no_error(value: &Value) -> Result<(), Failure> {
    match value.get("error").filter(|error| !error.is_null()) {
        Some(error) => Err(said_error(error)),
        None => Ok(()),
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
            refused_with(429, Some(("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")), "").retry_after,
            Some(0)
        );
        let later = refused_with(429, Some(("retry-after", "Tue, 31 Dec 2199 23:59:59 GMT")), "");
        assert_eq!(later.retry_after, Some(86_400), "a day at most");
        assert_eq!(refused_with(429, Some(("retry-after", "soon")), "").retry_after, None);
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
