//! What text is searched for, of one type whatever the characters are: each array of another length would be a copy of the
//! standard library's searches to download.

/// One of these ASCII characters.
pub fn any_of(set: &'static str) -> impl Fn(char) -> bool + Copy {
    move |c| set.bytes().any(|known| char::from(known) == c)
}
