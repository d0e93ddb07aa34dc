//! Which URLs may be followed. Stricter than the URL standard where that costs nobody: what is let through here is let
//! through by any URL parser, so a second look elsewhere never disagrees.

use std::borrow::Cow;

use super::number::{is_address, is_number};
use super::text;
use crate::core::pattern::{any_of, find, first_char, is_word, last_char, until};

/// A host in other letters is in no URL parser's way up to here; in ASCII it may have 253 characters.
const MOST_UNICODE: usize = 253;

/// What ends a host.
pub const PATH: &str = "/\\?#";

/// Whether `url` is relative or of one of these schemes, and well formed.
pub fn allowed(url: &str, schemes: &[&str]) -> bool {
    let mut ends = [first_char(url), last_char(url)].into_iter();
    let blank = ends.any(|end| matches!(end, Some(' ' | '\u{a0}' | '\u{feff}')));
    if blank || url.bytes().any(|b| b.is_ascii_control()) {
        return false;
    }
    match scheme(url) {
        None => true,
        Some((scheme, rest)) => {
            let known = schemes.iter().any(|s| s.eq_ignore_ascii_case(scheme));
            let special = is_special(scheme);
            known
                && authority(rest)
                    .map_or(!special, |named| if special { is_host(named) } else { is_place(named) })
        }
    }
}

/// `scheme://host[:port]`, lower case, of an absolute URL.
pub fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = scheme(url)?;
    let host = authority(rest)?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let origin = [scheme, "://", host].concat().to_ascii_lowercase();
    let default = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    Some(origin.strip_suffix(default).map_or(origin.clone(), str::to_owned))
}

/// Whether a URL without a scheme names a host all the same. A browser reads `\` as `/`.
pub fn has_host(url: &str) -> bool {
    let mut chars = url.chars();
    matches!((chars.next(), chars.next()), (Some('/' | '\\'), Some('/' | '\\')))
}

/// Whether it begins with the name of a page, which may look like a host.
pub fn is_bare(url: &str) -> bool {
    scheme(url).is_none() && !url.starts_with(any_of("/\\?."))
}

/// Who a link talks to.
pub struct Destination {
    pub host: String,
    /// The URL has a user's name before the host, where a reader may take it for the host.
    pub credentials: bool,
}

/// The host that a URL which was [allowed](allowed) names: an absolute one, one that begins with `//`, or an address.
pub fn destination(url: &str) -> Option<Destination> {
    let named = match scheme(url) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") => {
            // With a second address in it the mail goes to more than one host.
            if rest.matches('@').count() > 1 || find(rest, "%40").is_some() {
                return None;
            }
            let (_, host) = until(rest, "?").rsplit_once('@')?;
            return Some(Destination { host: decode(host)?.into_owned(), credentials: false });
        }
        Some((_, rest)) => authority(rest)?,
        None if has_host(url) => until(url.trim_start_matches(any_of("/\\")), PATH),
        None => return None,
    };
    let (user, host) = named.rsplit_once('@').map_or((None, named), |(user, host)| (Some(user), host));
    let host = until(host, ":");
    Some(Destination {
        host: decode(host).map_or_else(|| host.to_owned(), Cow::into_owned),
        credentials: user.is_some(),
    })
}

fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let mut chars = scheme.chars();
    let good = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    good.then_some((scheme, rest))
}

fn is_special(scheme: &str) -> bool {
    ["http", "https", "ftp"].iter().any(|s| s.eq_ignore_ascii_case(scheme))
}

fn authority(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("//")?;
    Some(until(rest, PATH))
}

/// The host, and whether what is behind it is a port.
fn parts(authority: &str) -> (&str, bool) {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    (host, port.is_empty() || is_number(port, 65535))
}

/// Of a scheme whose hosts no URL parser knows the form of: `tel://+1900`.
fn is_place(authority: &str) -> bool {
    let (host, good) = parts(authority);
    good && !host.is_empty() && !host.contains(any_of("<>[]^| "))
}

fn is_host(authority: &str) -> bool {
    let (host, true) = parts(authority) else { return false };
    let Some(host) = decode(host) else { return false };
    let numeric = host.rsplit('.').find(|label| !label.is_empty()).is_some_and(|label| {
        label.bytes().all(|b| b.is_ascii_digit()) || label.starts_with("0x") || label.starts_with("0X")
    });
    let good = |c: char| (is_word(c) && text::is_honest(c) && !is_double(c)) || matches!(c, '.' | '-' | '_');
    !host.is_empty()
        && (host.is_ascii() || host.len() <= MOST_UNICODE)
        && !host.split('.').any(|label| label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--")))
        && host.chars().all(good)
        && host.trim_end_matches('.').split('.').all(|label| !label.is_empty())
        && (!numeric || is_address(&host))
}

/// Letters and figures that a browser replaces by plain ones: a host with one in it is not the host that is read.
fn is_double(c: char) -> bool {
    matches!(c, 'ª' | '²' | '³' | '¹' | 'º' | 'ſ' | '\u{2070}'..='\u{24ff}' | '\u{fb00}'..='\u{ffef}'
        | '\u{1d400}'..='\u{1d7ff}' | '\u{1fbf0}'..='\u{1fbf9}')
}

fn decode(host: &str) -> Option<Cow<'_, str>> {
    if !host.contains('%') {
        return Some(Cow::Borrowed(host));
    }
    let mut bytes = Vec::with_capacity(host.len());
    let mut rest = host.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |b: u8| char::from(b).to_digit(16);
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in
            ["https://a.example", "http://localhost:8080/x", "https://u:p@a.b/c", "https://m%C3%BCnchen.de/"]
        {
            assert!(allowed(good, &["http", "https"]), "{good}");
        }
        for bad in [
            "http://",
            "http:x",
            "https://a b/",
            "https://a%20b/",
            "http://a:99999/",
            "http://1.2.3.4.5/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.0.0.１/",
            "https://аррӏе.ⅽoⅿ/",
            "https://bank.ｅxample/",
            "https://a。example/",
            "https://a∕b.example/",
            "https://xn--a.example/",
            "https://[::1]/",
        ] {
            assert!(!allowed(bad, &["http", "https"]), "{bad}");
        }
    }

    #[test]
    fn places() {
        for good in
            ["mailto:a@b.example", "tel:+1900", "tel://+1900", "irc://a.example:6667/x", "mailto:a:b|c"]
        {
            assert!(allowed(good, &["mailto", "tel", "irc"]), "{good}");
        }
        for bad in
            ["mailto://_:801a/", "mailto://%7C:,", "mailto://:80é", "irc://a|b/", "tel://", "irc://u@/x"]
        {
            assert!(!allowed(bad, &["mailto", "tel", "irc"]), "{bad}");
        }
    }

    #[test]
    fn origins() {
        assert_eq!(origin("HTTPS://A.example:443/x").as_deref(), Some("https://a.example"));
        assert_eq!(origin("http://u@a:81?x").as_deref(), Some("http://a:81"));
        assert_eq!(origin("/x"), None);
        assert!(has_host("//a/x") && has_host("/\\a") && !has_host("/a"));
    }
}
