//! Links whose text names another host than the one they lead to.

use riacho_flat::words;

use super::lower::lower;
use super::number::is_address;
use super::text;
use super::url;
use crate::core::pattern::{any_of, any_of_or, find, head_of, is_letter, is_word, put, such, tail_of, until};

/// Where a link really leads, if its text says something else. To be shown beside the link.
pub fn contradicted(href: &str, text: &str) -> Option<String> {
    let claimed = claims(text);
    let (first, rest) = claimed.split_first()?;
    if href.starts_with('#') {
        return None;
    }
    match url::destination(href) {
        Some(to) => {
            let honest =
                !to.credentials && rest.is_empty() && same(first, &to.host) && !looks_like_another(first);
            (!honest).then(|| ascii(&to.host))
        }
        // On the page's own site, or with no one host: a telephone number, a mail to more than one.
        None => {
            let here = if url::is_bare(href) { "./" } else { "" };
            let shown = href.char_indices().nth(60).map_or(href, |(at, _)| href.split_at(at).0);
            Some([here, shown].concat())
        }
    }
}

/// What says that a text is a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Alone,
    /// It stands behind `//` or `@`.
    Marked,
    /// It stands behind a scheme and `//`.
    Url,
}

/// The hosts that a text names, each once. It is known from two that one of them is not where the link leads.
fn claims(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // Each host has a dot in it, or a mark before it. Most links' texts have neither.
    if !text.contains(any_of_or(".@/\\", is_dot)) {
        return found;
    }
    let mut read = String::with_capacity(text.len());
    text.chars().filter(|&c| is_read(c)).for_each(|c| put(&mut read, c));
    for word in read.split(any_of_or("<>\"()[]{}|", char::is_whitespace)) {
        match find(word, "//").or_else(|| find(word, "\\\\")) {
            // Hosts in the path or the query of a URL are not where it leads.
            Some(at) => {
                let named = if head_of(word, at).ends_with(':') { Named::Url } else { Named::Marked };
                claim(tail_of(word, at), named, &mut found);
            }
            None => {
                let outside =
                    |c: char| !is_word(c) && !is_dot(c) && !matches!(c, '-' | '_' | '/' | '@' | '%');
                word.split(such(outside)).for_each(|part| claim(part, Named::Alone, &mut found));
            }
        }
        if found.len() > 1 {
            break;
        }
    }
    found
}

/// A full stop, or one that a browser takes for it.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}' | '。' | '．' | '｡')
}

/// Marks that put what is before them behind what follows, in a text from right to left. No host has one in it.
fn turns(c: char) -> bool {
    matches!(c, '\u{200f}' | '\u{61c}')
}

/// Read in a host, or between its letters: not what has no width, nor a space so narrow that nobody sees it.
fn is_read(c: char) -> bool {
    turns(c) || (text::is_honest(c) && !matches!(c, '\u{2006}'..='\u{200a}' | '\u{202f}'))
}

fn claim(rest: &str, named: Named, found: &mut Vec<String>) {
    let authority = until(rest.trim_start_matches(any_of("/\\")), url::PATH);
    let (user, host) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if let Some(user) = user.filter(|_| named == Named::Url) {
        // Who reads from the left takes it for the host.
        claim(user, Named::Alone, found);
    }
    let named = if user.is_some() && named == Named::Alone { Named::Marked } else { named };
    let mut dotted = String::new();
    for c in until(host, ":").chars() {
        put(&mut dotted, if is_dot(c) { '.' } else { c });
    }
    let host = lower(&dotted);
    let host = host.trim_matches(such(|c| !is_word(c) || turns(c)));
    if found.len() < 2 && is_claim(host, named) && !found.iter().any(|known| same(known, host)) {
        found.push(host.to_owned());
    }
}

/// Whether a reader takes this for a host. Behind `//` or `@` anything with a name is one, in a URL a number too; alone it
/// must end as hosts do.
fn is_claim(host: &str, named: Named) -> bool {
    if named == Named::Url {
        return host.chars().any(is_word);
    }
    let Some((name, end)) = host.rsplit_once('.') else {
        return named != Named::Alone && host.chars().any(is_letter);
    };
    let ends = end.starts_with("xn--") || end.chars().count() > 1 && end.chars().all(is_letter);
    let is_file = named == Named::Alone && words::has(FILE_ENDINGS, end);
    is_address(host) || (ends && name.chars().any(is_word) && !is_file)
}

/// Endings of file names that are no top-level domain: `package.json` names no host.
const FILE_ENDINGS: &str = "\
    bash bat cfg conf cpp cs css csv dll doc docx env exe gif go gz hpp htm html ini ipynb java jpeg jpg js json \
    jsx kt lock log lua mjs pdf php png pptx rb scss sql svg swift tar toml ts tsx txt vue wasm webp xls xlsx \
    xml yaml yml";

fn same(claimed: &str, host: &str) -> bool {
    let bare = |host: &str| {
        let host = lower(host);
        let host = host.trim_end_matches('.');
        ascii(host.strip_prefix("www.").unwrap_or(host))
    };
    bare(claimed) == bare(host)
}

/// A name in a Latin top-level domain with letters of a script that has doubles of Latin letters or goes from right to
/// left, or with other letters than Latin ones beside Latin ones: `bank.exampleノlogin.example` has no slash in it.
fn looks_like_another(host: &str) -> bool {
    let doubles = |c: char| {
        matches!(c, '\u{370}'..='\u{8ff}' | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dbf}'
            | '\u{1f00}'..='\u{1fff}' | '\u{2c80}'..='\u{2cff}' | '\u{2de0}'..='\u{2dff}' | '\u{a4d0}'..='\u{a4ff}'
            | '\u{a640}'..='\u{a69f}' | '\u{ab70}'..='\u{abbf}')
    };
    let other = |c: char| c > '\u{24f}' && !matches!(c, '\u{1e00}'..='\u{1eff}');
    let mixed = |label: &str| label.contains(other) && label.contains(|c: char| c.is_ascii_alphabetic());
    let end = host.rsplit('.').next().unwrap_or_default();
    !end.chars().all(|c| matches!(c, '\u{370}'..='\u{1cff}' | '\u{3040}'..='\u{d7a3}'))
        && (host.chars().any(doubles) || host.split('.').any(mixed))
}

/// The host as it goes over the wire, so that letters that only look like others are seen.
fn ascii(host: &str) -> String {
    let host = lower(host);
    let mut out = String::new();
    for label in host.split('.') {
        if !out.is_empty() || label.as_ptr() != host.as_ptr() {
            put(&mut out, '.');
        }
        match punycode(label).filter(|_| !label.is_ascii()) {
            Some(code) => out.push_str(&["xn--", &code].concat()),
            None => out.push_str(label),
        }
    }
    out
}

/// RFC 3492. `None` for a label longer than any host has.
fn punycode(label: &str) -> Option<String> {
    const BASE: u32 = 36;
    const LONGEST: usize = 63;
    let (mut input, mut out) = (Vec::new(), String::new());
    for c in label.chars() {
        input.push(u32::from(c));
        if c.is_ascii() {
            put(&mut out, c);
        }
    }
    if input.len() > LONGEST {
        return None;
    }
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        put(&mut out, '-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128u32, 0u32, 72u32, basic);
    while (handled as usize) < input.len() {
        let next = input.iter().copied().filter(|&c| c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for &c in &input {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c != n {
                continue;
            }
            let mut q = delta;
            let mut k = BASE;
            loop {
                let t = k.saturating_sub(bias).clamp(1, 26);
                if q < t {
                    break;
                }
                put(&mut out, digit(t + (q - t) % (BASE - t))?);
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            put(&mut out, digit(q)?);
            // Adapts the bias.
            delta = if handled == basic { delta / 700 } else { delta / 2 };
            delta += delta / (handled + 1);
            let mut steps = 0;
            while delta > 455 {
                delta /= BASE - 1;
                steps += BASE;
            }
            bias = steps + BASE * delta / (delta + 38);
            delta = 0;
            handled += 1;
        }
        delta = delta.checked_add(1)?;
        n = n.checked_add(1)?;
    }
    Some(out)
}

fn digit(value: u32) -> Option<char> {
    b"abcdefghijklmnopqrstuvwxyz0123456789".get(value as usize).copied().map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_links_have_no_note() {
        for (href, text) in [
            ("https://example.com/a", "https://example.com/a"),
            ("https://www.example.com/a", "example.com"),
            ("https://EXAMPLE.com", "Example.COM and more"),
            ("https://example.com:8080/", "http://example.com"),
            ("https://example.com", "the docs"),
            ("https://example.com", "v1.2.3, e.g. 3.14"),
            ("https://github.com/x", "package.json and index.ts"),
            ("https://a.example/?to=b.example", "https://a.example/?to=b.example"),
            ("https://a.example/x", "https://a.example/x?u=https://b.example#c.example"),
            ("mailto:me@example.com", "me@example.com"),
            ("#part", "example.com"),
            ("/local", "a/b/c"),
            ("https://münchen.de/", "münchen.de"),
            ("https://ノート.jp/", "ノート.jp"),
            ("https://президент.рф/", "https://президент.рф/"),
            ("https://a.example/", "عن \u{200f}a.example\u{200f} هنا"),
            ("mailto:me@example.com?subject=a.b", "me@example.com"),
            ("https://a.example/", "// 3 ways, 7//2"),
            ("https://example.com/", "Voir\u{202f}: example.com\u{202f}!"),
            ("", ""),
        ] {
            assert_eq!(contradicted(href, text), None, "{href} {text}");
        }
    }

    #[test]
    fn a_text_that_names_another_host_is_contradicted() {
        for (href, text, to) in [
            ("https://evil.example/x", "https://bank.example/login", "evil.example"),
            ("https://evil.example/x", "Log in at bank.example now", "evil.example"),
            ("https://evil.example/x", "WWW.BANK.EXAMPLE", "evil.example"),
            ("https://evil.example", "bank\u{200b}.example", "evil.example"),
            ("https://evil.example", "bank。example", "evil.example"),
            ("https://bank.example.evil.example", "bank.example", "bank.example.evil.example"),
            ("https://bank.example@evil.example", "https://bank.example", "evil.example"),
            ("https://bank.example@evil.example", "https://bank.example@evil.example", "evil.example"),
            ("https://evil.example", "evil.example is bank.example", "evil.example"),
            ("https://evil.example", "http://localhost/", "evil.example"),
            ("https://evil.example", "10.0.0.1", "evil.example"),
            ("//evil.example/x", "bank.example", "evil.example"),
            ("\\\\evil.example\\x", "bank.example", "evil.example"),
            ("/\\evil.example", "bank.example", "evil.example"),
            ("mailto:me@evil.example", "help@bank.example", "evil.example"),
            ("/logout", "https://bank.example", "/logout"),
            ("tel:+1900", "bank.example", "tel:+1900"),
            ("https://evil.example:8/", "//bank.example", "evil.example"),
            ("https://аррӏе.com/", "apple.com", "xn--80ak6aa92e.com"),
            ("https://аррӏе.com/", "аррӏе.com", "xn--80ak6aa92e.com"),
            // Dots that a browser takes for full stops.
            ("https://evil.example", "bank\u{2024}example", "evil.example"),
            ("https://evil.example", "bank｡example", "evil.example"),
            // What no one sees between the letters.
            ("https://evil.example", "bank\u{1}.\u{1}example", "evil.example"),
            ("https://evil.example", "bank\u{2028}.\u{2029}example", "evil.example"),
            ("https://evil.example", "bank\u{fffc}.\u{fffc}example", "evil.example"),
            ("https://evil.example", "bank\u{200a}.\u{200a}example", "evil.example"),
            // Top-level domains as they go over the wire, and hosts that are numbers.
            ("https://evil.example", "https://bank.xn--p1ai/login", "evil.example"),
            ("https://evil.example", "bank.xn--p1ai", "evil.example"),
            ("https://evil.example", "http://127.1/", "evil.example"),
            ("https://evil.example", "http://2130706433/", "evil.example"),
            // As a browser reads them.
            ("https://evil.example", "https:/bank.example", "evil.example"),
            ("https://evil.example", "https:///bank.example", "evil.example"),
            ("https://evil.example", "https:\\\\bank.example", "evil.example"),
            // A name before the host.
            ("https://evil.example", "https://bank.example@evil.example", "evil.example"),
            // From right to left this reads app.evil.bank.com.
            (
                "https://com.bank.evil.app",
                "\u{200f}com\u{200f}.\u{200f}bank\u{200f}.\u{200f}evil\u{200f}.\u{200f}app",
                "com.bank.evil.app",
            ),
            ("https://com.bank.app", "com\u{61c}.\u{61c}bank\u{61c}.\u{61c}app", "com.bank.app"),
            // A letter that looks like a slash.
            (
                "https://bank.exampleノlogin.evil.example/",
                "https://bank.exampleノlogin.evil.example/",
                "bank.xn--examplelogin-ki5k.evil.example",
            ),
            // More than one addressee.
            (
                "mailto:me@evil.example,help@bank.example",
                "help@bank.example",
                "mailto:me@evil.example,help@bank.example",
            ),
            (
                "mailto:help@bank.example?cc=a%40evil.example",
                "bank.example",
                "mailto:help@bank.example?cc=a%40evil.example",
            ),
            // Somewhere on the page's own site.
            ("bank.example/login", "https://bank.example", "./bank.example/login"),
            ("", "bank.example", "./"),
        ] {
            assert_eq!(contradicted(href, text).as_deref(), Some(to), "{href} {text}");
        }
    }

    /// Each host in a text was held against all before it: ten thousand of them took half a minute.
    #[test]
    fn two_hosts_are_enough() {
        let text: String = (0..50_000).map(|n| format!("h{n}.example ")).collect();
        assert_eq!(claims(&text).len(), 2);
        assert_eq!(contradicted("https://h0.example", &text).as_deref(), Some("h0.example"));
    }

    /// Of RFC 3492, section 7.1.
    #[test]
    fn names_as_they_go_over_the_wire() {
        for (label, code) in [
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("bücher", "bcher-kva"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("ü", "tda"),
        ] {
            assert_eq!(punycode(label).as_deref(), Some(code));
        }
        assert_eq!(punycode(&"ü".repeat(64)), None);
    }
}
