//! What is for whoever runs the relay: is it alive, does it take messages, its metrics, and taking tokens back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use riacho_protocol::ErrorCode;

use crate::auth::Caller;
use crate::context::Context;
use crate::metrics;
use crate::quota::Kind;
use crate::refusal::Refusal;
use crate::revocation::{Line, UserLine};

/// The store answers within this, or the relay is not ready.
const STORE_WITHIN: Duration = Duration::from_secs(2);
const MAX_BODY: usize = 4 * 1024;

pub fn routes() -> Router<Context> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .route("/admin/revocations", post(revoke))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// 200 while messages are taken; 503 once the relay is told to end, or when its store does not answer.
async fn ready(State(relay): State<Context>) -> Response {
    if relay.runs.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the relay is about to end\n").into_response();
    }
    match tokio::time::timeout(STORE_WITHIN, relay.log.is_there()).await {
        Ok(true) => "ready\n".into_response(),
        Ok(false) | Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}

/// For Prometheus. Where tokens are asked for, one with the scope for it.
async fn scrape(State(relay): State<Context>, caller: Caller) -> Result<Response, Refusal> {
    if relay.auth.asks_for_tokens() && !caller.may_scrape {
        return Err(Refusal::new(ErrorCode::Forbidden, "the token lacks the scope riacho:metrics"));
    }
    let text = relay.metrics.text(relay.quota.taken(Kind::Socket), relay.quota.taken(Kind::Run));
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

/// Takes tokens back: those of a user that were issued up to now, or as the line says.
async fn revoke(State(relay): State<Context>, caller: Caller, body: String) -> Result<StatusCode, Refusal> {
    if !caller.is_admin {
        return Err(Refusal::new(ErrorCode::Forbidden, "the token lacks the scope riacho:admin"));
    }
    if !relay.auth.revocations.has_file() {
        let message = "there is no file to keep it in; start the relay with --revoked";
        return Err(Refusal::new(ErrorCode::BadStatus, message));
    }
    let line = match serde_json::from_str(&body) {
        Ok(Line::User(UserLine { sub, issued_before: None })) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            // A token of this very second is one of those that are meant.
            Line::User(UserLine { sub, issued_before: Some(now + 1) })
        }
        Ok(line) => line,
        Err(_) => {
            let message =
                "the body is {\"sub\": …}, {\"sub\": …, \"issued_before\": seconds} or {\"jti\": …}";
            return Err(Refusal::new(ErrorCode::BadJson, message));
        }
    };
    relay.auth.revocations.add(line).await.map_err(|failed| {
        tracing::error!(error = %failed, "a revocation could not be kept");
        Refusal::new(ErrorCode::Internal, "it could not be kept")
    })?;
    Ok(StatusCode::NO_CONTENT)
}
