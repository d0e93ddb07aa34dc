//! The whole path in real Chromium: the relay a real process, the provider a real HTTP server, the page the real page.

mod bare;
mod browsers;
mod demo;
mod drops;
mod element;
mod failures;
mod fallback;
mod hidden;
mod kills;
mod once;
mod orphans;
mod policy;
mod reading;
mod recorded;
mod reload;
mod runtime;
mod stop;
mod switching;
mod text;
mod transports;
