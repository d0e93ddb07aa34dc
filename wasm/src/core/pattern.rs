//! What text is searched for, of one type whatever the characters are: each array of another length, and each closure, would be
//! a copy of the standard library's searches to download.

/// One of these ASCII characters, or one that the function says is.
pub fn any_of_or(set: &'static str, or: fn(char) -> bool) -> impl Fn(char) -> bool + Copy {
    move |c| set.bytes().any(|known| char::from(known) == c) || or(c)
}

/// One of these ASCII characters.
pub fn any_of(set: &'static str) -> impl Fn(char) -> bool + Copy {
    any_of_or(set, |_| false)
}

pub fn such(is: fn(char) -> bool) -> impl Fn(char) -> bool + Copy {
    any_of_or("", is)
}

/// The text up to the first of these characters, or all of it.
pub fn until<'t>(text: &'t str, set: &'static str) -> &'t str {
    text.split(any_of(set)).next().unwrap_or_default()
}

/// Where a text first stands in another.
pub fn find(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len().max(1)).position(|window| window == needle.as_bytes())
}
