//! The binary: flags and environment become settings, a listener, and a signal to stop at.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use riacho_relay::{DemoSettings, OpenAiSettings, Place, Relay, Secret, Settings, Timeouts};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Forwards provider streams over one WebSocket a page, keeps what was said, and resumes it.
///
/// With OPENAI_BASE_URL or OPENAI_API_KEY in the environment the provider `openai` is set up and is the default
/// (OPENAI_MODEL names its model). The provider `demo` is always there; it needs no key and no network.
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

/// Keys are read from the environment only: a flag would show in the list of processes.
fn openai() -> Option<OpenAiSettings> {
    let (base_url, api_key) = (env("OPENAI_BASE_URL"), env("OPENAI_API_KEY"));
    if base_url.is_none() && api_key.is_none() {
        return None;
    }
    Some(OpenAiSettings {
        base_url: base_url.unwrap_or_else(|| OpenAiSettings::BASE_URL.to_owned()),
        api_key: api_key.map(Secret::new),
        model: env("OPENAI_MODEL").unwrap_or_else(|| OpenAiSettings::MODEL.to_owned()),
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

    fn settings(&self) -> Settings {
        Settings {
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
            demo: DemoSettings {
                pace: Duration::from_millis(self.demo_pace),
                chunk_chars: self.demo_chunk.max(1),
            },
            openai: openai(),
            ..Settings::default()
        }
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
    let relay = Relay::open(flags.settings()).map_err(|error| Stop::Start(error.to_string()))?;
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
