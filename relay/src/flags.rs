//! Every flag, with its variable and its default, and the settings that they make.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::environment::{compatible, default_store, env, known};
use clap::{Parser, ValueEnum};
use riacho_protocol::Limits;
use riacho_relay::{
    AuthSettings, CommandsSettings, DemoSettings, Patience, Place, QuotaSettings, RemoteSettings, Secret,
    Settings, Timeouts, TokenKey,
};

/// Forwards provider streams over one WebSocket a page, keeps what was said, and resumes it.
///
/// A provider is set up by its variables: OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL (with OPENAI_RESPONSES=1 also as
/// `openai-responses`), and the same three of ANTHROPIC, GEMINI and AZURE_OPENAI. The first one that is set up is the
/// default. The provider `demo` is always there; it needs no key and no network.
#[derive(Debug, Parser)]
#[command(name = "riacho-relay", version)]
pub struct Flags {
    /// A TOML file of settings: each flag below is a key there, without the dashes. A variable counts more than the file,
    /// and a flag more than a variable.
    #[arg(long, env = "RIACHO_CONFIG")]
    config: Option<PathBuf>,
    /// Says what is wrong with the settings and where, and does not start.
    #[arg(long)]
    pub check: bool,
    /// The address to listen at. Anything but a loopback address also needs --allow-host.
    #[arg(long, env = "RIACHO_HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen at; 0 takes any that is free.
    #[arg(long, env = "RIACHO_PORT", default_value_t = 8787)]
    pub port: u16,
    /// A folder of static files to serve at `/`.
    #[arg(long, env = "RIACHO_SITE")]
    site: Option<PathBuf>,
    /// The file that conversations are kept in; `:memory:` forgets them at the end. Its folder is made if it is missing.
    /// Without this flag: `riacho/relay.db` in $XDG_STATE_HOME, or else in ~/.local/state.
    #[arg(long, env = "RIACHO_STORE")]
    store: Option<PathBuf>,
    /// A name under which this relay may be addressed, besides the loopback ones. May be given several times.
    #[arg(long, env = "RIACHO_ALLOW_HOST", value_delimiter = ',')]
    allow_host: Vec<String>,
    /// An origin that may open a socket though it is not the relay's own. May be given several times.
    #[arg(long, env = "RIACHO_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<String>,
    /// The Ed25519 public key, as a PEM file, that tokens are signed for (EdDSA). With it, or with the variable
    /// RIACHO_JWT_SECRET (HS256), nobody comes in without a token; without both everyone is one user.
    #[arg(long, env = "RIACHO_JWT_PUBLIC_KEY")]
    jwt_public_key: Option<PathBuf>,
    /// What the `iss` of a token must be.
    #[arg(long, env = "RIACHO_JWT_ISSUER")]
    jwt_issuer: Option<String>,
    /// What the `aud` of a token must hold. Without this flag a token that has an `aud` is refused.
    #[arg(long, env = "RIACHO_JWT_AUDIENCE")]
    jwt_audience: Option<String>,
    /// How many seconds the clocks of the issuer and the relay may differ.
    #[arg(long, env = "RIACHO_JWT_LEEWAY", default_value_t = AuthSettings::default().leeway.as_secs())]
    jwt_leeway: u64,
    /// A file of tokens that are taken back, a JSON object a line: {"sub": …}, {"sub": …, "issued_before": seconds} or
    /// {"jti": …}. It is read again when it changes.
    #[arg(long, env = "RIACHO_REVOKED")]
    revoked: Option<PathBuf>,
    /// Sockets and streams that one user may have open. 0 is no limit. Without tokens everyone is one user, and there is none.
    #[arg(long, env = "RIACHO_SOCKETS_PER_USER")]
    sockets_per_user: Option<u32>,
    /// Answers that one user may have under way.
    #[arg(long, env = "RIACHO_RUNS_PER_USER")]
    runs_per_user: Option<u32>,
    /// Messages that one user may send in a minute.
    #[arg(long, env = "RIACHO_MESSAGES_PER_MINUTE")]
    messages_per_minute: Option<u32>,
    /// Sockets and streams of all users. 0 is no limit.
    #[arg(long, env = "RIACHO_MAX_SOCKETS", default_value_t = QuotaSettings::ANONYMOUS.max_sockets.unwrap_or(0))]
    max_sockets: u32,
    /// Answers of all users that may be under way. 0 is no limit.
    #[arg(long, env = "RIACHO_MAX_RUNS", default_value_t = QuotaSettings::ANONYMOUS.max_runs.unwrap_or(0))]
    max_runs: u32,
    /// Messages of all users in a minute. 0 is no limit.
    #[arg(long, env = "RIACHO_MAX_MESSAGES_PER_MINUTE", default_value_t = 0)]
    max_messages_per_minute: u32,
    /// The longest message that may be sent, in bytes.
    #[arg(long, env = "RIACHO_MAX_CONTENT_BYTES", default_value_t = Limits::default().max_content_bytes)]
    max_content_bytes: u64,
    /// Seconds of silence after which a socket is closed. A ping is silence only when nobody answers it.
    #[arg(long, env = "RIACHO_IDLE_TIMEOUT", default_value_t = Limits::default().idle_timeout_seconds,
        value_parser = clap::value_parser!(u32).range(3..))]
    idle_timeout: u32,
    /// Seconds that answers which are under way have to end once the relay is told to (SIGTERM, SIGINT).
    #[arg(long, env = "RIACHO_GRACE", default_value_t = Settings::default().grace.as_secs())]
    grace: u64,
    /// What is logged, as `tracing` filters read it: `info`, `debug`, `riacho_relay=debug,info`.
    #[arg(long, env = "RIACHO_LOG", default_value = "info", value_parser = filter)]
    pub log: String,
    /// How a line of the log looks.
    #[arg(long, env = "RIACHO_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// A server that speaks Chat Completions, as NAME=URL or NAME=URL#MODEL; its key is in NAME_API_KEY. May be given
    /// several times.
    #[arg(long, env = "RIACHO_COMPATIBLE", value_delimiter = ',', value_parser = compatible)]
    compatible: Vec<RemoteSettings>,
    /// The name of a provider that can't stream: it is asked for the whole answer. May be given several times.
    #[arg(long, env = "RIACHO_NO_STREAM", value_delimiter = ',')]
    no_stream: Vec<String>,
    /// The provider for messages that name none. Without this flag the first one that is set up.
    #[arg(long, env = "RIACHO_PROVIDER")]
    provider: Option<String>,
    /// A provider that is asked when the one before has failed, by name. May be given several times, in order.
    #[arg(long, env = "RIACHO_FALLBACK", value_delimiter = ',')]
    fallback: Vec<String>,
    /// How often a provider is asked again when it fails before the first piece of its answer.
    #[arg(long, env = "RIACHO_RETRIES", default_value_t = Patience::default().retries)]
    retries: u32,
    /// The longest wait, in seconds, that a provider may ask for (`Retry-After`) before the answer fails.
    #[arg(long, env = "RIACHO_MAX_WAIT", default_value_t = Patience::default().max_wait.as_secs())]
    max_wait: u64,
    /// Ends a run that nobody has read for so many seconds; 0 lets it run to its end.
    #[arg(long, env = "RIACHO_UNREAD_AFTER", default_value_t = 0)]
    unread_after: u64,
    /// A JSON file of commands: `{"name": {"program": ["fortune", "{input}"], "timeout_seconds": 60, "max_output_bytes": 1048576}}`.
    #[arg(long, env = "RIACHO_COMMANDS")]
    commands: Option<PathBuf>,
    /// The program that `/youtube` and `/youtube_resumo` use.
    #[arg(long, env = "RIACHO_YT_DLP", default_value = "yt-dlp")]
    yt_dlp: PathBuf,
    /// A host, besides YouTube's, whose pages those two may ask for. May be given several times.
    #[arg(long, env = "RIACHO_YOUTUBE_HOST", value_delimiter = ',')]
    youtube_host: Vec<String>,
    /// Goes before the turns in each request to a provider.
    #[arg(long, env = "RIACHO_SYSTEM_PROMPT")]
    system_prompt: Option<String>,
    /// How much of a conversation goes into one request, in bytes; the oldest turns are dropped first.
    #[arg(long, env = "RIACHO_CONTEXT_BYTES", default_value_t = Settings::default().context_bytes)]
    context_bytes: usize,
    /// The longest answer that is kept, in bytes.
    #[arg(long, env = "RIACHO_MAX_ANSWER_BYTES", default_value_t = Settings::default().max_answer_bytes)]
    max_answer_bytes: usize,
    /// Keeps so many events of provider streams as they came, the newest ones, for debugging; 0 keeps none.
    #[arg(long, env = "RIACHO_STREAM_EVENTS", default_value_t = Settings::default().stream_events)]
    stream_events: usize,
    /// Milliseconds between two chunks of the provider `demo`.
    #[arg(long, env = "RIACHO_DEMO_PACE", default_value_t = millis(DemoSettings::default().pace))]
    demo_pace: u64,
    /// Characters in a chunk of the provider `demo`.
    #[arg(long, env = "RIACHO_DEMO_CHUNK", default_value_t = DemoSettings::default().chunk_chars)]
    demo_chunk: usize,
    /// Milliseconds a provider has to accept a connection.
    #[arg(long, env = "RIACHO_CONNECT_TIMEOUT", default_value_t = millis(Timeouts::default().connect))]
    connect_timeout: u64,
    /// Milliseconds a provider has for the first event of an answer.
    #[arg(long, env = "RIACHO_FIRST_TOKEN_TIMEOUT", default_value_t = millis(Timeouts::default().first_token))]
    first_token_timeout: u64,
    /// Milliseconds a provider has from one event to the next.
    #[arg(long, env = "RIACHO_BETWEEN_TOKENS_TIMEOUT", default_value_t = millis(Timeouts::default().between_tokens))]
    between_tokens_timeout: u64,
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Flags {
    /// With tokens there are users, and limits for each of them.
    fn auth(&self) -> Result<AuthSettings, String> {
        let secret = env("RIACHO_JWT_SECRET").map(|secret| TokenKey::Secret(Secret::new(secret)));
        let key = match (&self.jwt_public_key, secret) {
            (Some(_), Some(_)) => {
                return Err(
                    "--jwt-public-key and RIACHO_JWT_SECRET exclude each other: tokens have one algorithm"
                        .into(),
                );
            }
            (Some(file), None) => Some(TokenKey::Ed25519Pem(
                std::fs::read_to_string(file)
                    .map_err(|error| format!("--jwt-public-key {}: {error}", file.display()))?,
            )),
            (None, secret) => secret,
        };
        if key.is_none()
            && (self.jwt_issuer.is_some() || self.jwt_audience.is_some() || self.revoked.is_some())
        {
            return Err(
                "--jwt-issuer, --jwt-audience and --revoked need --jwt-public-key or RIACHO_JWT_SECRET"
                    .into(),
            );
        }
        Ok(AuthSettings {
            key,
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
            leeway: Duration::from_secs(self.jwt_leeway),
            revoked: self.revoked.clone(),
        })
    }

    fn quota(&self, users_have_names: bool) -> QuotaSettings {
        let usual = if users_have_names { QuotaSettings::NAMED } else { QuotaSettings::ANONYMOUS };
        QuotaSettings {
            sockets_per_user: self.sockets_per_user.or(usual.sockets_per_user),
            runs_per_user: self.runs_per_user.or(usual.runs_per_user),
            messages_per_minute: self.messages_per_minute.or(usual.messages_per_minute),
            max_sockets: Some(self.max_sockets),
            max_runs: Some(self.max_runs),
            max_messages_per_minute: Some(self.max_messages_per_minute),
        }
    }

    fn store(&self) -> Place {
        match &self.store {
            None => default_store(),
            Some(path) if path.as_os_str() == ":memory:" => Place::Memory,
            Some(path) => Place::File(path.clone()),
        }
    }

    fn remotes(&self) -> Vec<RemoteSettings> {
        let mut remotes: Vec<RemoteSettings> = known().chain(self.compatible.iter().cloned()).collect();
        for remote in &mut remotes {
            remote.streams = !self.no_stream.contains(&remote.name);
        }
        // The one that was asked for goes first.
        let default = self.provider.as_ref();
        remotes.sort_by_key(|remote| Some(&remote.name) != default);
        remotes
    }

    fn commands(&self) -> Result<CommandsSettings, String> {
        let mut commands = CommandsSettings { yt_dlp: self.yt_dlp.clone(), ..CommandsSettings::default() };
        commands.youtube_hosts.extend(self.youtube_host.iter().cloned());
        if let Some(file) = &self.commands {
            let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
            let programs = read.and_then(|json| CommandsSettings::read(&json));
            commands.programs =
                programs.map_err(|error| format!("--commands {}: {error}", file.display()))?;
        }
        Ok(commands)
    }

    pub fn settings(&self) -> Result<Settings, String> {
        let auth = self.auth()?;
        Ok(Settings {
            quota: self.quota(auth.key.is_some()),
            auth,
            grace: Duration::from_secs(self.grace),
            limits: Limits {
                max_content_bytes: self.max_content_bytes,
                idle_timeout_seconds: self.idle_timeout,
                ..Limits::default()
            },
            commands: self.commands()?,
            store: self.store(),
            site: self.site.clone(),
            allow_hosts: self.allow_host.clone(),
            allow_origins: self.allow_origin.clone(),
            system_prompt: self.system_prompt.clone().filter(|prompt| !prompt.is_empty()),
            context_bytes: self.context_bytes,
            max_answer_bytes: self.max_answer_bytes,
            stream_events: self.stream_events,
            timeouts: Timeouts {
                connect: Duration::from_millis(self.connect_timeout),
                first_token: Duration::from_millis(self.first_token_timeout),
                between_tokens: Duration::from_millis(self.between_tokens_timeout),
            },
            patience: Patience {
                retries: self.retries,
                max_wait: Duration::from_secs(self.max_wait),
                ..Patience::default()
            },
            fallbacks: self.fallback.clone(),
            unread_after: (self.unread_after > 0).then(|| Duration::from_secs(self.unread_after)),
            demo: DemoSettings {
                pace: Duration::from_millis(self.demo_pace),
                chunk_chars: self.demo_chunk.max(1),
            },
            remotes: self.remotes(),
        })
    }
}
