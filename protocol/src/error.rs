//! Every error code of the wire, in one table.

use std::fmt;
use std::str::FromStr;

use crate::json::{Fault, FromJson, ToJson, Value, Writer};

/// A string that is none of this version's codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code {0:?}")]
pub struct UnknownCode(pub String);

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal,)+) => {
        /// A stable code: programs compare it, people read the message beside it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorCode {
            /// Every code there is, for tables and tests.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)+];

            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$variant => $code,)+ }
            }

            fn named(code: &str) -> Option<Self> {
                ErrorCode::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }

        impl FromStr for ErrorCode {
            type Err = UnknownCode;
            fn from_str(code: &str) -> Result<Self, UnknownCode> {
                ErrorCode::named(code).ok_or_else(|| UnknownCode(code.to_owned()))
            }
        }
    };
}

codes! {
    // What a client said.
    /// The frame is no JSON object with a `type`.
    BadJson = "bad_json",
    /// The `type` is none that this relay knows.
    UnknownFrame = "unknown_frame",
    /// A field is missing or has the wrong shape.
    BadFrame = "bad_frame",
    /// A binary WebSocket frame: the wire is text.
    BinaryFrame = "binary_frame",
    /// Larger than `limits.max_frame_bytes`.
    FrameTooLarge = "frame_too_large",
    /// `content` is empty.
    ContentEmpty = "content_empty",
    /// `content` is longer than `limits.max_content_bytes`.
    ContentTooLong = "content_too_long",
    /// An id that is no UUID, where the relay asks for one.
    BadId = "bad_id",
    /// The id is taken by another message.
    IdTaken = "id_taken",
    /// The protocol version is none that this relay speaks.
    UnsupportedProtocol = "unsupported_protocol",
    /// The first frame must be `hello`.
    HelloExpected = "hello_expected",
    /// More conversations joined than `limits.max_joined`.
    TooManyJoined = "too_many_joined",
    /// No such conversation, or not joined by this socket.
    UnknownConversation = "unknown_conversation",
    /// The conversation is closed: nothing can be sent there.
    ConversationClosed = "conversation_closed",
    /// No such message.
    UnknownMessage = "unknown_message",
    /// The epoch is not the message's current one: somebody was faster.
    StaleEpoch = "stale_epoch",
    /// What was asked for makes no sense in this status, such as a retry of what still streams.
    BadStatus = "bad_status",
    /// The provider is not set up in this relay.
    UnknownProvider = "unknown_provider",
    // Who may, and how much.
    /// The token is missing or wrong.
    Unauthorized = "unauthorized",
    /// The token is no longer good: come again with a new one.
    TokenExpired = "token_expired",
    /// The token was taken back.
    TokenRevoked = "token_revoked",
    /// The token is good, the conversation is someone else's.
    Forbidden = "forbidden",
    /// Too much, too fast; `retry_after` says when.
    RateLimited = "rate_limited",
    // What a provider did.
    /// The provider refused the key (HTTP 401 or 403).
    ProviderAuth = "provider_auth",
    /// The provider wants us to slow down (HTTP 429).
    ProviderRateLimited = "provider_rate_limited",
    /// The provider refused the request itself (other HTTP 4xx): a wrong model name, a text too long.
    ProviderRejected = "provider_rejected",
    /// The provider failed (HTTP 5xx, or an error in the stream).
    ProviderFailed = "provider_failed",
    /// The provider could not be reached.
    ProviderUnreachable = "provider_unreachable",
    /// The provider said nothing for too long.
    ProviderTimeout = "provider_timeout",
    /// The provider's stream ended with no sign that the answer is whole.
    ProviderTruncated = "provider_truncated",
    /// The provider sent what can't be read.
    ProviderMalformed = "provider_malformed",
    // The relay itself.
    /// The relay is about to end, and takes nothing new; `retry_after` says when another may.
    ShuttingDown = "shutting_down",
    /// A fault of the relay.
    Internal = "internal",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ToJson for ErrorCode {
    fn write(&self, out: &mut Writer) {
        out.string(self.as_str());
    }
}

impl FromJson for ErrorCode {
    fn blank() -> Self {
        ErrorCode::Internal
    }

    /// A code of a newer relay reads as `internal`: the message beside it still says what happened.
    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        let code = value.text().ok_or(Fault::expected("an error code"))?;
        *self = ErrorCode::named(code).unwrap_or(ErrorCode::Internal);
        Ok(())
    }
}

crate::codec::serde_as_json!(ErrorCode);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_code_is_its_own_and_reads_back() {
        let mut seen = HashSet::new();
        for &code in ErrorCode::ALL {
            assert!(seen.insert(code.as_str()), "{code} stands twice");
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert_eq!("nonsense".parse::<ErrorCode>(), Err(UnknownCode("nonsense".into())));
        assert_eq!(crate::json::from_text("\"of_the_future\""), Ok(ErrorCode::Internal));
    }
}
