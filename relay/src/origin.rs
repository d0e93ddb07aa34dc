//! Which pages may ask: the `Host` must be ours, and the `Origin` (RFC 6454) ours or on the list.

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use crate::settings::Settings;

/// Why a socket is not opened. Any page of the web can reach a loopback port, and would spend the key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("the Host header is missing or no host")]
    NoHost,
    #[error("{0:?} is no name of this relay; start it with --allow-host to add one")]
    Host(String),
    #[error("the origin {0:?} may not open a socket here; start the relay with --allow-origin to allow it")]
    Origin(String),
    #[error(
        "a client without an Origin header may come to a loopback address only, unless the relay asks for tokens"
    )]
    NoOrigin,
}

/// The Host must be ours, else a name that an attacker points at us (DNS rebinding) would pass for the same origin.
pub fn may_open(uri: &Uri, headers: &HeaderMap, settings: &Settings) -> Result<(), Forbidden> {
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
        // No page. A token is not sent by itself, as a cookie would be: who has one may come from anywhere.
        let may = loopback || settings.auth.key.is_some();
        return if may { Ok(()) } else { Err(Forbidden::NoOrigin) };
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

/// As for a socket; and what another site's page asks for without an `Origin` is told by `Sec-Fetch-Site`.
pub fn may_ask(uri: &Uri, headers: &HeaderMap, settings: &Settings) -> Result<(), Forbidden> {
    may_open(uri, headers, settings)?;
    let site = headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if headers.contains_key(ORIGIN) => Ok(()), // It was on the list.
        Some(site) => Err(Forbidden::Origin(site.to_owned())),
    }
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
