//! The sizes that both sides keep to; the relay says its own in `welcome`.

use crate::codec::records;

records! {
    /// What the relay accepts and sends. A client that keeps to them never sees `frame_too_large` or `content_too_long`.
    #[derive(Copy, Eq)]
    Limits {
        /// The largest frame the relay reads, in bytes.
        max_frame_bytes: u64,
        /// The longest `content` of one `send_message`, in bytes of UTF-8.
        max_content_bytes: u64,
        /// The longest `content` of one `message_chunk`, in bytes of UTF-8.
        max_chunk_bytes: u64,
        /// How many conversations one socket may have joined at a time.
        max_joined: u32,
        /// How many messages one `history` or one `conversation_joined` describes at most.
        max_page: u32,
        /// Silence after which the relay closes a socket, in seconds; a client pings more often than this.
        idle_timeout_seconds: u32,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_bytes: 256 * 1024,
            max_content_bytes: 128 * 1024,
            max_chunk_bytes: 64 * 1024,
            max_joined: 256,
            max_page: 100,
            idle_timeout_seconds: 75,
        }
    }
}
