//! A frame on its way to readers. What many of them get at once is written as JSON once, and shared.

use std::sync::{Arc, OnceLock};

use axum::extract::ws::Utf8Bytes;
use riacho_protocol::ServerFrame;

/// One frame for one reader.
#[derive(Debug, Clone)]
pub enum Frame {
    Own(ServerFrame),
    Shared(Arc<Shared>),
}

/// One frame for all that stand at the same place.
#[derive(Debug)]
pub struct Shared {
    frame: ServerFrame,
    text: OnceLock<Utf8Bytes>,
}

impl Shared {
    pub fn new(frame: ServerFrame) -> Arc<Self> {
        Arc::new(Self { frame, text: OnceLock::new() })
    }
}

impl Frame {
    /// Its JSON.
    pub fn text(&self) -> Utf8Bytes {
        match self {
            Frame::Own(frame) => frame.encode().into(),
            Frame::Shared(shared) => shared.text.get_or_init(|| shared.frame.encode().into()).clone(),
        }
    }

    pub fn into_inner(self) -> ServerFrame {
        match self {
            Frame::Own(frame) => frame,
            Frame::Shared(shared) => {
                Arc::try_unwrap(shared).map_or_else(|shared| shared.frame.clone(), |own| own.frame)
            }
        }
    }
}

impl<F: Into<ServerFrame>> From<F> for Frame {
    fn from(frame: F) -> Self {
        Frame::Own(frame.into())
    }
}
