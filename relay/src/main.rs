//! The binary: flags and environment become settings, a listener, and a signal to stop at.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use riacho_relay::{
    CommandsSettings, DemoSettings, Patience, Place, Relay, RemoteSettings, Secret, Settings, Timeouts, Wire,
};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Forwards provider streams over one WebSocket a page, keeps what was said, and resumes it.
///
/// A provider is set up by its variables: OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL (with OPENAI_RESPONSES=1 also as
/// `openai-responses`), and the same three of ANTHROPIC, GEMINI and AZURE_OPENAI. The first one that is set up is the
/// default. The provider `demo` is always there; it needs no key and no network.
#[derive(Debug, Parser)]
#[command(name = "riacho-relay", version)]
struct Flags {
    /// The address to listen at. Anything but a loopback address also needs --allow-host.
    #[arg(long, env = "RIACHO_HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen at; 0 takes any that is free.
    #[arg(long, env = "RIACHO_PORT", default_value_t = 8787)]
    port: u16,
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

/// An environment variable that is set and not empty.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// A provider that is set up by its own variables: `PREFIX_BASE_URL`, `PREFIX_API_KEY`, `PREFIX_MODEL`. Keys are read from
/// the environment only: a flag would show in the list of processes.
fn remote(name: &str, wire: Wire, prefix: &str) -> Option<RemoteSettings> {
    let of = |what: &str| env(&format!("{prefix}_{what}"));
    let (base_url, api_key) = (of("BASE_URL"), of("API_KEY"));
    if base_url.is_none() && api_key.is_none() {
        return None;
    }
    let model = of("MODEL").unwrap_or_else(|| wire.model().to_owned());
    let base_url = base_url.unwrap_or_else(|| wire.base_url().to_owned());
    Some(RemoteSettings {
        name: name.to_owned(),
        wire,
        base_url,
        api_key: api_key.map(Secret::new),
        model,
        streams: true,
        background: false,
    })
}

/// Those that have variables of their own. The first one that is set up is the default.
fn known() -> impl Iterator<Item = RemoteSettings> {
    let responses = env("OPENAI_RESPONSES").filter(|value| value != "0");
    let azure_responses = env("AZURE_OPENAI_RESPONSES").filter(|value| value != "0");
    let azure = match &azure_responses {
        Some(_) => Wire::AzureResponses,
        None => Wire::Azure { api_version: env("AZURE_OPENAI_API_VERSION") },
    };
    let azure = remote("azure", azure, "AZURE_OPENAI").filter(|azure| !azure.base_url.is_empty());
    let azure_background = azure_responses.as_deref() == Some("background");
    [
        remote("openai", Wire::Chat, "OPENAI"),
        responses.and_then(|value| {
            let remote = remote("openai-responses", Wire::Responses, "OPENAI")?;
            Some(RemoteSettings { background: value == "background", ..remote })
        }),
        remote("anthropic", Wire::Anthropic, "ANTHROPIC"),
        remote("gemini", Wire::Gemini, "GEMINI"),
        azure.map(|azure| RemoteSettings { background: azure_background, ..azure }),
    ]
    .into_iter()
    .flatten()
}

/// `NAME=URL` or `NAME=URL#MODEL`; the key is in `NAME_API_KEY`.
fn compatible(text: &str) -> Result<RemoteSettings, String> {
    let wrong = || format!("{text:?} is not NAME=URL or NAME=URL#MODEL");
    let (name, address) = text.split_once('=').ok_or_else(wrong)?;
    let (base_url, model) = address.split_once('#').unwrap_or((address, ""));
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !named || !(base_url.starts_with("http://") || base_url.starts_with("https://")) {
        return Err(wrong());
    }
    let key = env(&format!("{}_API_KEY", name.to_uppercase().replace('-', "_")));
    Ok(RemoteSettings {
        name: name.to_owned(),
        wire: Wire::Chat,
        base_url: base_url.to_owned(),
        api_key: key.map(Secret::new),
        model: model.to_owned(),
        streams: true,
        background: false,
    })
}

/// Where state belongs by the XDG base directory specification; without a home, nowhere.
fn default_store() -> Place {
    let state = env("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    state.map_or(Place::Memory, |state| Place::File(state.join("riacho/relay.db")))
}

impl Flags {
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

    fn settings(&self) -> Result<Settings, String> {
        Ok(Settings {
            commands: self.commands()?,
            store: self.store(),
            site: self.site.clone(),
            allow_hosts: self.allow_host.clone(),
            allow_origins: self.allow_origin.clone(),
            system_prompt: self.system_prompt.clone().filter(|prompt| !prompt.is_empty()),
            context_bytes: self.context_bytes,
            max_answer_bytes: self.max_answer_bytes,
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
            ..Settings::default()
        })
    }
}

/// A wrong setting and a taken port end with this code, as wrong flags do.
const BAD_START: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("RIACHO_LOG").unwrap_or_else(|_| "info".into()),
        )
        .init();
    match serve(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Start(message)) => {
            eprintln!("riacho-relay: {message}");
            ExitCode::from(BAD_START)
        }
        Err(Stop::Running(error)) => {
            eprintln!("riacho-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

enum Stop {
    Start(String),
    Running(riacho_relay::Error),
}

async fn serve(flags: Flags) -> Result<(), Stop> {
    let address = (flags.host, flags.port);
    if let Some(site) = flags.site.as_ref().filter(|site| !site.is_dir()) {
        return Err(Stop::Start(format!("--site {} is no folder", site.display())));
    }
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Stop::Start(match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("port {} is taken; choose another with --port", flags.port)
            }
            _ => format!("can't listen at {}:{}: {error}", flags.host, flags.port),
        })
    })?;
    let relay = Relay::open(flags.settings().map_err(Stop::Start)?)
        .map_err(|error| Stop::Start(error.to_string()))?;
    // Before the line below: whoever reads it may send the signal at once.
    let failed = |error: std::io::Error| Stop::Running(error.into());
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let here = listener.local_addr().map_err(failed)?;
    // The one line of stdout: a program that started us with port 0 reads its address here.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "riacho-relay listening on http://{here}/").and_then(|()| stdout.flush());

    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    relay.serve(listener, shutdown).await.map_err(Stop::Running)
}
