//! What a request needs: everything that one relay has.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Authenticator;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::quota::Quota;
use crate::runs::Runs;
use crate::settings::Settings;

#[derive(Clone)]
pub struct Context {
    pub log: Log,
    pub runs: Runs,
    pub settings: Arc<Settings>,
    pub auth: Arc<Authenticator>,
    pub quota: Quota,
    pub metrics: Arc<Metrics>,
    /// The relay is about to end.
    pub closing: CancellationToken,
    /// The sockets that are open.
    pub sockets: TaskTracker,
}
