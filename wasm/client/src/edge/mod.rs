//! The only place of the client that knows JavaScript: the elements of a chat, its socket, timers, storage, and what is
//! exported. It decides nothing.

mod drawing;
mod driver;
mod error;
mod exports;
mod page;
mod socket;
mod storage;

#[cfg(test)]
mod tests;
