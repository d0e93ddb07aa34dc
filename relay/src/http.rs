//! Routes: the socket, the static site, and who may open a socket.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use riacho_protocol::ConversationId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::log::{Log, Refused, User};
use crate::runs::Runs;
use crate::settings::Settings;
use crate::socket;

/// What the pages of the site may do: run our script and our wasm, talk to us, and nothing else.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

/// What a request needs.
#[derive(Clone)]
pub struct Context {
    pub log: Log,
    pub runs: Runs,
    pub settings: Arc<Settings>,
    /// The relay is about to end.
    pub closing: CancellationToken,
    /// The sockets that are open.
    pub sockets: TaskTracker,
}

pub fn router(relay: Context) -> Router {
    let site = relay.settings.site.clone();
    let router = Router::new()
        .route("/ws", any(open_socket))
        .route("/conversations/{id}", get(export).delete(delete))
        .with_state(relay);
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
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

/// A conversation as JSON.
async fn export(
    State(relay): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if let Err(refused) = may_ask(&uri, &headers, &relay.settings) {
        return error(StatusCode::FORBIDDEN, "forbidden", &refused.to_string());
    }
    let Ok(id) = ConversationId::new(id) else { return answer(&Refused::UnknownConversation) };
    match relay.log.export(&User::local(), &id).await {
        Ok(value) => ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response(),
        Err(refused) => answer(&refused),
    }
}

/// Deletes a conversation.
async fn delete(
    State(relay): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    if let Err(refused) = may_ask(&uri, &headers, &relay.settings) {
        return error(StatusCode::FORBIDDEN, "forbidden", &refused.to_string());
    }
    let Ok(id) = ConversationId::new(id) else { return answer(&Refused::UnknownConversation) };
    match relay.log.delete(&User::local(), &id).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => answer(&refused),
    }
}

fn answer(refused: &Refused) -> Response {
    let status = match refused {
        Refused::UnknownConversation => StatusCode::NOT_FOUND,
        Refused::Forbidden => StatusCode::FORBIDDEN,
        Refused::BadStatus(_) => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    error(status, refused.code().as_str(), &refused.to_string())
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"code": code, "message": message});
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// As for a socket; and what another site's page asks for without an `Origin` is told by `Sec-Fetch-Site`.
fn may_ask(uri: &Uri, headers: &HeaderMap, settings: &Settings) -> Result<(), Forbidden> {
    may_open(uri, headers, settings)?;
    let site = headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if headers.contains_key(ORIGIN) => Ok(()), // It was on the list.
        Some(site) => Err(Forbidden::Origin(site.to_owned())),
    }
}

async fn open_socket(
    State(relay): State<Context>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    if let Err(refused) = may_open(&uri, &headers, &relay.settings) {
        tracing::warn!(reason = %refused, "a socket was refused");
        return error(StatusCode::FORBIDDEN, "forbidden", &refused.to_string());
    }
    match upgrade {
        Ok(upgrade) => socket::accept(upgrade, relay),
        Err(rejection) => rejection.into_response(),
    }
}

/// Why a socket is not opened. Any page of the web can reach a loopback port, and would spend the key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Forbidden {
    #[error("the Host header is missing or no host")]
    NoHost,
    #[error("{0:?} is no name of this relay; start it with --allow-host to add one")]
    Host(String),
    #[error("the origin {0:?} may not open a socket here; start the relay with --allow-origin to allow it")]
    Origin(String),
    #[error("a client without an Origin header may open a socket at a loopback address only")]
    NoOrigin,
}

/// The Host must be ours, else a name that an attacker points at us (DNS rebinding) would pass for the same origin.
fn may_open(uri: &Uri, headers: &HeaderMap, settings: &Settings) -> Result<(), Forbidden> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str)).ok_or(Forbidden::NoHost)?;
    let authority: Authority = host.parse().map_err(|_| Forbidden::NoHost)?;
    let loopback = is_loopback(authority.host());
    let listed = |list: &[String], value: &str| list.iter().any(|known| known.eq_ignore_ascii_case(value));
    let allowed = listed(&settings.allow_hosts, authority.host()) || listed(&settings.allow_hosts, host);
    if !loopback && !allowed {
        return Err(Forbidden::Host(host.to_owned()));
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return if loopback { Ok(()) } else { Err(Forbidden::NoOrigin) };
    };
    let origin = origin.to_str().map_err(|_| Forbidden::Origin(String::new()))?;
    let own = origin.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    if own.is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        || listed(&settings.allow_origins, origin)
    {
        return Ok(());
    }
    Err(Forbidden::Origin(origin.to_owned()))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(host: &str, origin: Option<&str>) -> Result<(), Forbidden> {
        let settings = Settings {
            allow_hosts: vec!["chat.example".into()],
            allow_origins: vec!["https://app.example".into()],
            ..Settings::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().expect("a header"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().expect("a header"));
        }
        may_open(&Uri::from_static("/ws"), &headers, &settings)
    }

    #[test]
    fn our_own_page_may() {
        assert_eq!(ask("127.0.0.1:8787", Some("http://127.0.0.1:8787")), Ok(()));
        assert_eq!(ask("localhost:8787", Some("http://localhost:8787")), Ok(()));
        assert_eq!(ask("[::1]:8787", Some("http://[::1]:8787")), Ok(()));
        assert_eq!(ask("chat.example", Some("https://chat.example")), Ok(()));
        assert_eq!(ask("127.0.0.1:8787", Some("https://app.example")), Ok(()));
        assert_eq!(ask("127.0.0.1:8787", None), Ok(()));
    }

    #[test]
    fn other_pages_may_not() {
        let origin = |origin: &str| Err(Forbidden::Origin(origin.to_owned()));
        for other in [
            "https://evil.example",
            "null",
            "http://127.0.0.1:9999",
            "http://localhost:8787",
            "file://127.0.0.1:8787",
        ] {
            assert_eq!(ask("127.0.0.1:8787", Some(other)), origin(other), "{other}");
        }
    }

    #[test]
    fn a_name_that_was_pointed_at_us_may_not() {
        let host = |host: &str| Err(Forbidden::Host(host.to_owned()));
        for rebound in ["evil.example:8787", "127.0.0.1.evil.example:8787", "localhost.evil.example"] {
            let origin = format!("http://{rebound}");
            assert_eq!(ask(rebound, Some(&origin)), host(rebound), "{rebound}");
            assert_eq!(ask(rebound, None), host(rebound), "{rebound}");
        }
        assert_eq!(ask("chat.example", None), Err(Forbidden::NoOrigin));
    }
}
