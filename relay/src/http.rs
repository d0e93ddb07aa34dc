//! Routes: what is where, under which headers, and what a refusal looks like over HTTP.

use std::sync::Arc;

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, State, WebSocketUpgrade};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use riacho_protocol::ErrorCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::auth::{Authenticator, Caller, Denied};
use crate::log::{Log, Refused};
use crate::quota::Quota;
use crate::runs::Runs;
use crate::settings::Settings;
use crate::{doors, operator, origin, socket};

/// What the pages of the site may do: run our script and our wasm, talk to us, and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

/// What a request needs.
#[derive(Clone)]
pub struct Context {
    pub log: Log,
    pub runs: Runs,
    pub settings: Arc<Settings>,
    pub auth: Arc<Authenticator>,
    pub quota: Quota,
    /// The relay is about to end.
    pub closing: CancellationToken,
    /// The sockets that are open.
    pub sockets: TaskTracker,
}

pub fn router(relay: Context) -> Router {
    let site = relay.settings.site.clone();
    let router = Router::new()
        .route("/ws", any(open_socket))
        .merge(doors::routes(&relay.settings.limits).layer(cors(&relay.settings)))
        .merge(operator::routes())
        .with_state(relay);
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let router = match site {
        Some(site) => router.fallback_service(ServeDir::new(site)),
        None => router,
    };
    router
        .layer(header(CONTENT_SECURITY_POLICY, CSP))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // Browsers look up the hosts of links in advance: a name is enough to tell somebody something.
        .layer(header(HeaderName::from_static("x-dns-prefetch-control"), "off"))
        .layer(header(CACHE_CONTROL, "no-cache"))
}

/// What pages of the listed origins may do (Fetch, section 3.2). Tokens are sent by hand, so credentials are not needed.
fn cors(settings: &Settings) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        settings.allow_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("last-event-id")])
        .expose_headers([RETRY_AFTER])
        .max_age(Duration::from_secs(600))
}

/// Who asks over HTTP: from a page that may, with a token that is good.
impl FromRequestParts<Context> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, relay: &Context) -> Result<Self, Response> {
        origin::may_ask(&parts.uri, &parts.headers, &relay.settings)
            .map_err(|refused| error(StatusCode::FORBIDDEN, ErrorCode::Forbidden, &refused.to_string()))?;
        let caller = match relay.auth.by_header(&parts.headers) {
            Ok(None) => relay.auth.caller(None),
            Ok(Some(caller)) => Ok(caller),
            Err(denied) => Err(denied),
        };
        caller.map_err(|denied| unauthorized(&denied))
    }
}

/// 401, as RFC 6750, section 3, has it.
fn unauthorized(denied: &Denied) -> Response {
    let challenge = match denied {
        Denied::Missing => "Bearer",
        Denied::Wrong(_) | Denied::Expired | Denied::Revoked => "Bearer error=\"invalid_token\"",
    };
    let mut response = error(StatusCode::UNAUTHORIZED, denied.code(), &denied.to_string());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

pub fn refused(refused: &Refused) -> Response {
    error(status(refused.code()), refused.code(), &refused.to_string())
}

/// What a code is in HTTP.
pub fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthorized | ErrorCode::TokenExpired | ErrorCode::TokenRevoked => {
            StatusCode::UNAUTHORIZED
        }
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::UnknownConversation | ErrorCode::UnknownMessage => StatusCode::NOT_FOUND,
        ErrorCode::StaleEpoch | ErrorCode::BadStatus | ErrorCode::IdTaken | ErrorCode::ConversationClosed => {
            StatusCode::CONFLICT
        }
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A refusal in the shape of every door here.
pub fn error(status: StatusCode, code: ErrorCode, message: &str) -> Response {
    let body = serde_json::json!({"success": false, "code": code, "message": message});
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn open_socket(
    State(relay): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    if let Err(refused) = origin::may_open(&uri, &headers, &relay.settings) {
        tracing::warn!(reason = %refused, "a socket was refused");
        return error(StatusCode::FORBIDDEN, ErrorCode::Forbidden, &refused.to_string());
    }
    let caller = match relay.auth.by_header(&headers) {
        Ok(caller) => caller,
        Err(denied) => return unauthorized(&denied),
    };
    match upgrade {
        Ok(upgrade) => socket::accept(upgrade, relay, caller),
        Err(rejection) => rejection.into_response(),
    }
}
