//! A relay between provider streams and pages: one WebSocket a page, a log a message, a cursor a reader.
//!
//! Read it from the top: [`run`] serves, `http` routes, `socket` is one connection, `session` does what its frames ask for, `runs`
//! takes a message to a provider, and `log` keeps what was said. Beside the socket there are `doors` (HTTP) and `operator` (probes, metrics, revocations). Who asks is
//! `origin` and `auth`; what they may, `log::authorise`; how much, `quota`. Nothing but `log` touches storage or assumes where a run
//! lives; `providers` know neither sockets nor the log; `socket` knows no provider.

mod account;
mod auth;
mod commands;
mod context;
mod detail;
mod directory;
mod doors;
mod failover;
mod frame;
mod http;
mod listen;
mod log;
mod metrics;
mod operator;
mod origin;
pub mod providers;
mod quota;
mod refusal;
mod request;
mod revocation;
mod runs;
mod secret;
mod session;
mod settings;
mod socket;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::context::Context;

/// How long open connections may take to end.
const LAST_CALL: Duration = Duration::from_secs(2);

pub use auth::{AuthError, AuthSettings, TokenKey};
pub use commands::{CommandSettings, CommandsSettings};
pub use failover::Patience;
pub use log::{OpenError, Place};
pub use providers::{DemoSettings, RemoteSettings, Timeouts, Wire};
pub use quota::QuotaSettings;
pub use revocation::FileError;
pub use secret::Secret;
pub use settings::Settings;

/// Why a relay could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the HTTP client can't be set up: {0}")]
    Client(#[from] reqwest::Error),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Store(#[from] log::OpenError),
    #[error("the listener failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Opens a relay and serves until `shutdown` completes.
///
/// # Errors
/// As [`Relay::open`] and [`Relay::serve`].
pub async fn run(
    listener: TcpListener,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    Relay::open(settings)?.serve(listener, shutdown).await
}

/// A relay that has its log and its providers, and serves nobody yet.
pub struct Relay {
    context: Context,
}

impl Relay {
    /// Opens the log: what was alive when it was left is ended here.
    ///
    /// # Errors
    /// [`Error`] when the store or the HTTP client can't be had.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let auth = Arc::new(auth::Authenticator::new(&settings.auth)?);
        let quota = quota::Quota::new(settings.quota);
        let metrics = Arc::new(metrics::Metrics::default());
        let log = log::Log::open(&settings.store, settings.stream_events)?;
        let providers = directory::Providers::from_settings(&settings)?;
        let runs = runs::Runs::new(
            log.clone(),
            providers,
            Arc::clone(&settings),
            quota.clone(),
            Arc::clone(&metrics),
        );
        let (closing, sockets) = (CancellationToken::new(), TaskTracker::new());
        Ok(Self { context: Context { log, runs, settings, auth, quota, metrics, closing, sockets } })
    }

    /// Serves until `shutdown` completes. From then on no run is started, and those that are alive have the grace time of the
    /// settings to end; what lives still ends as `interrupted`, reason `restart`. Then sockets are closed with code 1001.
    ///
    /// # Errors
    /// [`Error`] when the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let Context { runs, auth, settings, closing, sockets, .. } = self.context.clone();
        if let Err(error) = runs.take_up().await {
            tracing::error!(%error, "what the last relay left can't be taken up");
        }
        let serving = tokio::spawn(listen::serve(listener, http::router(self.context), closing.clone()));
        tokio::select! {
            () = shutdown => {}
            () = auth.revocations.keep_up() => {}
        }
        // Revocations are kept up to the end.
        tokio::select! {
            () = runs.drain(settings.grace) => {}
            () = auth.revocations.keep_up() => {}
        }
        // The last words of a run go to whoever still reads it.
        let _ = tokio::time::timeout(LAST_CALL, runs.close()).await;
        closing.cancel();
        sockets.close();
        let ended = async { tokio::join!(sockets.wait(), serving) };
        let _ = tokio::time::timeout(LAST_CALL, ended).await;
        Ok(())
    }
}
