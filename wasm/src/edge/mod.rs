//! The only place that knows JavaScript: the DOM, sockets, timers, storage, and what is exported. It decides nothing.

mod clock;
mod death;
mod drawing;
mod driver;
mod error;
mod exports;
mod frames;
mod images;
mod page;
mod render;
mod sanitizer;
mod socket;
mod storage;
mod stream;
mod utf16;
mod world;

#[cfg(test)]
mod dom_tests;
/// What the native tests hold the engine to, as it stands.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../../../tests/src/oracle.rs"]
mod oracle;
#[cfg(test)]
mod tests;
