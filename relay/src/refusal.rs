//! What a refusal is over HTTP: a status, and `{"success": false, "code": …, "message": …}`.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use riacho_protocol::ErrorCode;

use crate::auth::Denied;
use crate::log;
use crate::origin::Forbidden;
use crate::quota::Exceeded;
use crate::runs::NotSent;

/// Why a request is not done.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    retry_after: Option<u64>,
    /// With 401 (RFC 6750, section 3).
    challenge: Option<&'static str>,
}

/// Goes with the response, for whoever counts them.
#[derive(Debug, Clone, Copy)]
pub struct Refused(pub ErrorCode);

impl Refusal {
    /// With the status that the code has.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status: status(code), code, message: message.into(), retry_after: None, challenge: None }
    }

    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized | ErrorCode::TokenExpired | ErrorCode::TokenRevoked => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::UnknownConversation | ErrorCode::UnknownMessage => StatusCode::NOT_FOUND,
        ErrorCode::StaleEpoch | ErrorCode::BadStatus | ErrorCode::IdTaken | ErrorCode::ConversationClosed => {
            StatusCode::CONFLICT
        }
        ErrorCode::FrameTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl From<log::Refused> for Refusal {
    fn from(refused: log::Refused) -> Self {
        Self::new(refused.code(), refused.to_string())
    }
}

impl From<NotSent> for Refusal {
    fn from(not_sent: NotSent) -> Self {
        Self { retry_after: not_sent.retry_after(), ..Self::new(not_sent.code(), not_sent.to_string()) }
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        let retry_after = Some(exceeded.retry_after);
        Self { retry_after, ..Self::new(ErrorCode::RateLimited, exceeded.to_string()) }
    }
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::new(ErrorCode::Forbidden, forbidden.to_string())
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let challenge = match denied {
            Denied::Missing => "Bearer",
            Denied::Wrong(_) | Denied::Expired | Denied::Revoked => "Bearer error=\"invalid_token\"",
        };
        Self { challenge: Some(challenge), ..Self::new(denied.code(), denied.to_string()) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"success": false, "code": self.code, "message": self.message});
        let mut response =
            (self.status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response();
        response.extensions_mut().insert(Refused(self.code));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
