//! Every setting of the relay, with its default. Nothing else reads the environment.

use std::path::PathBuf;
use std::time::Duration;

use riacho_protocol::Limits;

use crate::auth::AuthSettings;
use crate::commands::CommandsSettings;
use crate::failover::Patience;
use crate::log::Place;
use crate::providers::{DemoSettings, RemoteSettings, Timeouts};
use crate::quota::QuotaSettings;

/// What a relay is started with. `Settings::default()` is a relay that needs no key and no network.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A folder of static files that is served at `/`.
    pub site: Option<PathBuf>,
    /// Where conversations are kept.
    pub store: Place,
    /// Names, besides the loopback ones, under which this relay may be addressed (`Host`).
    pub allow_hosts: Vec<String>,
    /// Origins that may open a socket though they are not the relay's own, such as `https://app.example`.
    pub allow_origins: Vec<String>,
    /// Whose tokens are good. Without a key everyone is the one local user.
    pub auth: AuthSettings,
    /// How much a user may, and all together.
    pub quota: QuotaSettings,
    /// How long answers that are alive may go on once the relay is told to end.
    pub grace: Duration,
    /// The sizes on the wire; `welcome` says them.
    pub limits: Limits,
    /// Goes before the turns in each request.
    pub system_prompt: Option<String>,
    /// How much of a conversation goes into one request, in bytes; the oldest turns are dropped first.
    pub context_bytes: usize,
    /// The longest answer that is kept; beyond it the run fails.
    pub max_answer_bytes: usize,
    /// So many events of provider streams are kept as they came, the newest ones, for debugging.
    pub stream_events: usize,
    pub timeouts: Timeouts,
    /// How often a provider that fails is asked again.
    pub patience: Patience,
    /// The names of those that are asked, in this order, when the one before has failed.
    pub fallbacks: Vec<String>,
    /// A run that nobody has read for so long is ended. A paused reader is one. Off by default: a closed tab is no stop.
    pub unread_after: Option<Duration>,
    pub demo: DemoSettings,
    pub commands: CommandsSettings,
    /// Providers over HTTP. The first is the default; without any, the embedded one is.
    pub remotes: Vec<RemoteSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site: None,
            store: Place::Memory,
            allow_hosts: Vec::new(),
            allow_origins: Vec::new(),
            auth: AuthSettings::default(),
            quota: QuotaSettings::default(),
            grace: Duration::from_secs(5),
            limits: Limits::default(),
            system_prompt: None,
            context_bytes: 256 * 1024,
            max_answer_bytes: 16 * 1024 * 1024,
            stream_events: 0,
            timeouts: Timeouts::default(),
            patience: Patience::default(),
            fallbacks: Vec::new(),
            unread_after: None,
            demo: DemoSettings::default(),
            commands: CommandsSettings::default(),
            remotes: Vec::new(),
        }
    }
}

impl Settings {
    /// What can't be as it is set, a line each, with the setting's name. What only shows when it is used, such as a taken port
    /// or a wrong key of a provider, is not here.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(site) = self.site.as_ref().filter(|site| !site.is_dir()) {
            faults.push(format!("--site {} is no folder", site.display()));
        }
        for origin in &self.allow_origins {
            let (scheme, rest) = origin.split_once("://").unwrap_or_default();
            if scheme.is_empty() || rest.is_empty() || rest.contains('/') {
                faults.push(format!(
                    "--allow-origin {origin:?} is no origin; one looks like https://app.example"
                ));
            }
        }
        let known: Vec<&str> =
            self.remotes.iter().map(|remote| remote.name.as_str()).chain(["demo"]).collect();
        for name in self.fallbacks.iter().filter(|name| !known.contains(&name.as_str())) {
            faults.push(format!(
                "--fallback {name:?}: no such provider is set up; there are {}",
                known.join(", ")
            ));
        }
        if self.limits.max_content_bytes > self.limits.max_frame_bytes {
            let (content, frame) = (self.limits.max_content_bytes, self.limits.max_frame_bytes);
            faults.push(format!("--max-content-bytes {content} does not fit into a frame of {frame} bytes"));
        }
        if let Err(error) = crate::auth::Authenticator::new(&self.auth) {
            faults.push(error.to_string());
        }
        faults
    }
}
