//! A relay between provider streams and pages: one WebSocket a page, a log a message, a cursor a reader.
//!
//! Read it from the top: [`run`] serves, `http` routes, `socket` is one connection, `runs` takes a message to a provider, and
//! `log` keeps what was said. Nothing but `log` touches storage or assumes where a run lives; `providers` know neither
//! sockets nor the log; `socket` knows no provider.

mod http;
mod log;
pub mod providers;
mod request;
mod runs;
mod settings;
mod socket;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long open connections may take to end.
const LAST_CALL: Duration = Duration::from_secs(2);

pub use settings::{DemoSettings, OpenAiSettings, Secret, Settings, Timeouts};

/// Why a relay could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the HTTP client can't be set up: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the listener failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until `shutdown` completes. Sockets that are open then are closed with code 1001.
///
/// # Errors
/// [`Error`] when the relay can't be set up, or its listener fails.
pub async fn run(
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let settings = Arc::new(settings);
    let closing = CancellationToken::new();
    let log = log::Log::in_memory();
    let providers = providers::Providers::from_settings(&settings)?;
    let runs = runs::Runs::new(log.clone(), providers, Arc::clone(&settings));
    let sockets = TaskTracker::new();
    let relay = http::Relay { log, runs, settings, closing: closing.clone(), sockets: sockets.clone() };

    let told = closing.clone();
    tokio::spawn(async move {
        shutdown.await;
        told.cancel();
    });
    let graceful = closing.clone();
    let serving = axum::serve(listener, http::router(relay))
        .with_graceful_shutdown(async move { graceful.cancelled().await });
    let overdue = async {
        closing.cancelled().await;
        tokio::time::sleep(LAST_CALL).await;
    };
    tokio::select! {
        served = serving => served?,
        () = overdue => {}
    }
    sockets.close();
    let _ = tokio::time::timeout(LAST_CALL, sockets.wait()).await;
    Ok(())
}
