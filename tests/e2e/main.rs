//! The whole path in real Chromium: the relay a real process, the provider a real HTTP server, the page the real page.

mod accessible;
mod bare;
mod browsers;
mod demo;
mod drops;
mod element;
mod failures;
mod fallback;
mod hidden;
mod kills;
mod kinds;
mod long;
mod motion;
mod once;
mod orphans;
mod pictures;
mod policy;
mod preferences;
mod reading;
mod recorded;
mod reload;
mod runtime;
mod stop;
mod switching;
mod text;
mod transports;
