//! The binary: settings, a listener, and a signal to stop at.

mod config;
mod environment;
mod flags;

use std::io::Write;
use std::process::ExitCode;

use flags::{Flags, LogFormat};
use riacho_relay::{Relay, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A wrong setting and a taken port end with this code, as wrong flags do.
const BAD_START: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = match config::read(std::env::args_os()) {
        Ok(flags) => flags,
        Err(config::Stop::Said(code)) => return ExitCode::from(code),
        Err(config::Stop::Faults(faults)) => return faulty(&faults),
    };
    let settings = match flags.settings() {
        Ok(settings) => settings,
        Err(fault) => return faulty(&[fault]),
    };
    let faults = settings.faults();
    if !faults.is_empty() {
        return faulty(&faults);
    }
    if flags.check {
        println!("riacho-relay: the settings are good");
        return ExitCode::SUCCESS;
    }
    log_to_stderr(&flags);
    match serve(&flags, settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Start(message)) => faulty(&[message]),
        Err(Stop::Running(error)) => {
            eprintln!("riacho-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A line each.
fn faulty(faults: &[String]) -> ExitCode {
    faults.iter().for_each(|fault| eprintln!("riacho-relay: {fault}"));
    ExitCode::from(BAD_START)
}

fn log_to_stderr(flags: &Flags) {
    let filter = tracing_subscriber::EnvFilter::new(&flags.log);
    let lines =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter(filter);
    match flags.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

enum Stop {
    Start(String),
    Running(riacho_relay::Error),
}

async fn serve(flags: &Flags, settings: Settings) -> Result<(), Stop> {
    let listener = TcpListener::bind((flags.host, flags.port)).await.map_err(|error| {
        Stop::Start(match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("port {} is taken; choose another with --port", flags.port)
            }
            _ => format!("can't listen at {}:{}: {error}", flags.host, flags.port),
        })
    })?;
    let relay = Relay::open(settings).map_err(|error| Stop::Start(error.to_string()))?;
    // Before the line below: whoever reads it may send the signal at once.
    let failed = |error: std::io::Error| Stop::Running(error.into());
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let here = listener.local_addr().map_err(failed)?;
    // The one line of stdout: a program that started us with port 0 reads its address here.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "riacho-relay listening on http://{here}/").and_then(|()| stdout.flush());

    let (tell, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut tell = Some(tell);
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            match tell.take() {
                Some(tell) => {
                    tracing::info!("no new answers; those under way have the grace time to end");
                    let _ = tell.send(());
                }
                // A second one means it: what lives is ended by the next start.
                None => std::process::exit(0),
            }
        }
    });
    let shutdown = async {
        let _ = told.await;
    };
    relay.serve(listener, shutdown).await.map_err(Stop::Running)
}
