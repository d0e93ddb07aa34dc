//! Routes: what is where, under which headers, and who asks.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, State, WebSocketUpgrade};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::map_response_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tower_http::cors::CorsLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::auth::Caller;
use crate::context::Context;
use crate::refusal::{Refusal, Refused};
use crate::settings::Settings;
use crate::{doors, operator, origin, socket};

/// What the pages of the site may do: run our script and our wasm, talk to us, and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

pub fn router(relay: Context) -> Router {
    let site = relay.settings.site.clone();
    let router = Router::new()
        .route("/ws", any(open_socket))
        .merge(doors::routes(&relay.settings.limits).layer(cors(&relay.settings)))
        .merge(operator::routes())
        .layer(map_response_with_state(relay.clone(), count))
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

/// Each refusal, by its code.
async fn count(State(relay): State<Context>, response: Response) -> Response {
    if let Some(Refused(code)) = response.extensions().get() {
        relay.metrics.refused(*code);
    }
    response
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
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, relay: &Context) -> Result<Self, Refusal> {
        origin::may_ask(&parts.uri, &parts.headers, &relay.settings)?;
        match relay.auth.by_header(&parts.headers)? {
            Some(caller) => Ok(caller),
            None => Ok(relay.auth.caller(None)?),
        }
    }
}

async fn open_socket(
    State(relay): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    origin::may_open(&uri, &headers, &relay.settings)
        .inspect_err(|refused| tracing::warn!(reason = %refused, "a socket was refused"))?;
    let caller = relay.auth.by_header(&headers)?;
    match upgrade {
        Ok(upgrade) => Ok(socket::accept(upgrade, relay, caller)),
        Err(rejection) => Ok(rejection.into_response()),
    }
}
