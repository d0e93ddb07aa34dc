//! Providers: who answers. Each takes a request and gives events; none knows a socket or the log.

pub mod anthropic;
mod body;
pub mod chat;
mod demo;
mod event;
mod events;
mod failures;
pub mod gemini;
mod http;
mod parts;
mod provider;
mod remote;
pub mod responses;
mod settings;
pub mod sse;

pub(crate) use self::demo::Demo;
pub use self::event::Event;
pub use self::events::{Events, Heard, Times};
pub(crate) use self::failures::{failure, quote};
pub(crate) use self::http::client;
pub use self::http::{Decoder, decode};
pub use self::parts::Parts;
pub use self::provider::Provider;
pub use self::remote::Remote;
pub use self::settings::{DemoSettings, RemoteSettings, Timeouts, Wire};
pub use crate::request::{Request, Thread, Turn};
