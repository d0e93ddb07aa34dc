//! The only place that knows JavaScript: the DOM, sockets, timers, storage, and what is exported. It decides nothing.

mod clock;
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

#[cfg(test)]
mod tests;
