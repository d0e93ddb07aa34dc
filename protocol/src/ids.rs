//! Ids: opaque strings, bounded in length, that can't be mistaken for one another.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::json::{Fault, FromJson, ToJson, Value, Writer};

/// The longest id that anyone accepts, in bytes. A UUID has 36.
pub const MAX_ID_BYTES: usize = 128;

/// Why a string is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    Empty,
    TooLong,
    Control,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl IdError {
    /// What `Display` says, without the machinery that formats.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            IdError::Empty => "an id must not be empty",
            IdError::TooLong => "an id has at most 128 bytes",
            IdError::Control => "an id has no control characters",
        }
    }
}

fn check(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        Err(IdError::Empty)
    } else if id.len() > MAX_ID_BYTES {
        Err(IdError::TooLong)
    } else if id.chars().any(char::is_control) {
        Err(IdError::Control)
    } else {
        Ok(())
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks length and characters; what is inside stays opaque.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, too long, or has control characters.
            pub fn new(id: impl AsRef<str>) -> Result<Self, IdError> {
                check(id.as_ref())?;
                Ok(Self(id.as_ref().into()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ToJson for $name {
            fn write(&self, out: &mut Writer) {
                out.string(&self.0);
            }
        }

        impl FromJson for $name {
            fn blank() -> Self {
                Self(Arc::default())
            }

            fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
                let id = value.text().and_then(|id| Self::new(id).ok());
                *self = id.ok_or(Fault::expected("an id of 1 to 128 bytes without control characters"))?;
                Ok(())
            }
        }

        crate::codec::serde_as_json!($name);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(id: String) -> Result<Self, IdError> {
                Self::new(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// One conversation. The relay asks for a UUID; to a client's core it is opaque.
    ConversationId
);
id!(
    /// One message, for ever: a retry starts a new epoch under the same id.
    MessageId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bounded_and_printable() {
        assert_eq!(MessageId::new(""), Err(IdError::Empty));
        assert_eq!(MessageId::new("x".repeat(129)), Err(IdError::TooLong));
        assert!(IdError::TooLong.words().contains(&MAX_ID_BYTES.to_string()));
        assert_eq!(MessageId::new("a\nb"), Err(IdError::Control));
        assert_eq!(MessageId::new("ação-1").map(String::from), Ok("ação-1".to_owned()));
        assert!(crate::json::from_text::<ConversationId>("\"\"").is_err());
    }
}
