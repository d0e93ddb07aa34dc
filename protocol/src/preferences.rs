//! What a reader prefers, as it is counted: names and values from one table, and nothing else of anybody.

use crate::json::{Fault, FromJson, ToJson, Value, Writer, cut};

/// Every preference that is counted, and its values beside [`OTHER`].
pub const PREFERENCES: &[(&str, &[&str])] = &[
    ("theme", &["system", "light", "dark"]),
    ("motion", &["system", "reduced"]),
    (
        LANGUAGE,
        &[
            "ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it",
            "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
        ],
    ),
    ("answers", &["streamed", "whole"]),
    ("pace", &["free", "steady", "slow"]),
];

/// Stands for a value that the table does not have.
pub const OTHER: &str = "other";

const LANGUAGE: &str = "language";

/// The preferences of one page.
///
/// Invariant: each pair is of [`PREFERENCES`], and no name is there twice. So nothing that comes from outside is sent on
/// or becomes a label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences(Vec<(&'static str, &'static str)>);

impl Preferences {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied()
    }

    fn add(&mut self, name: &str, value: &str) {
        let Some((name, values)) = PREFERENCES.iter().find(|(known, _)| *known == name) else { return };
        if self.iter().any(|(had, _)| had == *name) {
            return;
        }
        // Of a language tag (RFC 5646) the first subtag: whole, it tells too much of who it is.
        let value =
            if *name == LANGUAGE { cut(value, b'-').map_or(value, |(first, _)| first) } else { value };
        let known = values.iter().find(|known| known.eq_ignore_ascii_case(value));
        self.0.push((name, known.unwrap_or(&OTHER)));
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Preferences {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut preferences = Self::default();
        for (name, value) in pairs {
            preferences.add(name, value);
        }
        preferences
    }
}

impl ToJson for Preferences {
    fn write(&self, out: &mut Writer) {
        out.open('{');
        for (name, value) in self.iter() {
            out.entry(name, &value);
        }
        out.close('}');
    }
}

impl FromJson for Preferences {
    fn blank() -> Self {
        Self::default()
    }

    /// What can't be counted is not: it is no reason to turn somebody away.
    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        if let Ok(members) = value.members() {
            members.iter().for_each(|(name, value)| {
                if let Some(value) = value.text() {
                    self.add(name, value);
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::json::{from_text, to_text};

    #[test]
    fn each_value_comes_back_as_it_went() {
        for (name, values) in PREFERENCES {
            for value in values.iter().chain([&OTHER]) {
                let one: Preferences = [(*name, *value)].into_iter().collect();
                assert_eq!(one.iter().collect::<Vec<_>>(), [(*name, *value)]);
                assert_eq!(from_text::<Preferences>(&to_text(&one)).unwrap(), one);
            }
        }
    }

    #[test]
    fn what_the_table_does_not_have_is_other_or_nothing() {
        for (text, read) in [
            (r#"{"theme":"dark","name":"Ana","language":"pt-BR"}"#, r#"{"theme":"dark","language":"pt"}"#),
            (
                r#"{"theme":"my own","language":"tlh","pace":""}"#,
                r#"{"theme":"other","language":"other","pace":"other"}"#,
            ),
            (r#"{"language":"EN","theme":"dark-ish"}"#, r#"{"language":"en","theme":"other"}"#),
            (r#"{"theme":"dark","theme":"light"}"#, r#"{"theme":"dark"}"#),
            (r#"{"theme":1,"motion":null,"pace":["slow"],"answers":{}}"#, "{}"),
            ("null", "{}"),
            ("[]", "{}"),
            (r#""dark""#, "{}"),
        ] {
            assert_eq!(to_text(&from_text::<Preferences>(text).unwrap()), read, "{text}");
        }
    }
}
