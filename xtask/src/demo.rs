//! Builds, then becomes the relay that serves the demo page.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::{self, Shrink};
use crate::cx::Cx;
use crate::proc;

const DEFAULT_PORT: u16 = 8787;

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    port: u16,
    /// What follows `--` is the relay's.
    relay: Vec<String>,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Options> {
        let mut options = Options { port: DEFAULT_PORT, relay: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let port = match arg.as_str() {
                "--" => {
                    options.relay = args.cloned().collect();
                    break;
                }
                "--port" => args.next().context("--port takes a number")?,
                other => other.strip_prefix("--port=").with_context(|| {
                    format!("demo takes --port N and, after --, options of the relay; not {other:?}")
                })?,
            };
            options.port = port.parse().with_context(|| format!("{port:?} is no port"))?;
        }
        Ok(options)
    }
}

pub fn run(options: &Options) -> Result<()> {
    // Before the build: nobody should wait minutes to hear that the port is taken.
    port_is_free(options.port)?;
    let cx = Cx::new()?;
    build::build(&cx, &build::Options { shrink: Shrink::WasmOpt })?;
    println!("building the relay (a minute or two the first time)");
    proc::run_long(cx.cargo().args(["build", "--quiet", "--package", "riacho-relay"]))?;
    let mut relay = Command::new(cx.target.join("debug").join(relay_file()));
    relay.args(["--host", "127.0.0.1", "--port", &options.port.to_string()]);
    // Conversations of the demo stay in the build folder, one file a port: a store belongs to one relay at a time.
    if std::env::var_os("RIACHO_STORE").is_none() {
        relay.env("RIACHO_STORE", cx.target.join("demo").join(format!("{}.db", options.port)));
    }
    relay.arg("--site").arg(cx.site()).args(&options.relay);
    println!("open http://127.0.0.1:{}/ in a browser; stop the demo with Ctrl-C", options.port);
    become_it(relay)
}

fn port_is_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!("port {port} is taken: choose another with --port N")
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port}")),
    }
}

fn relay_file() -> String {
    format!("riacho-relay{}", std::env::consts::EXE_SUFFIX)
}

/// On Unix this process turns into the relay, so every signal goes where it is meant to go.
#[cfg(unix)]
fn become_it(mut relay: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(relay.exec()).context("cannot start the relay")
}

#[cfg(not(unix))]
fn become_it(mut relay: Command) -> Result<()> {
    let status = relay.status().context("cannot start the relay")?;
    if status.success() { Ok(()) } else { bail!("the relay ended with {status}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        Options::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_port_is_8787_unless_another_is_asked_for() {
        assert_eq!(parse(&[]).unwrap(), Options { port: 8787, relay: vec![] });
        assert_eq!(parse(&["--port", "9000"]).unwrap().port, 9000);
        assert_eq!(parse(&["--port=9000"]).unwrap().port, 9000);
        assert_eq!(parse(&["--", "--demo-pace", "5"]).unwrap().relay, ["--demo-pace", "5"]);
    }

    #[test]
    fn what_is_no_option_is_said() {
        assert!(parse(&["--prot", "1"]).unwrap_err().to_string().contains("--prot"));
        assert!(parse(&["--port"]).unwrap_err().to_string().contains("number"));
        assert!(parse(&["--port", "99999"]).unwrap_err().to_string().contains("99999"));
    }

    #[test]
    fn a_taken_port_is_a_clear_error() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = port_is_free(port).unwrap_err().to_string();
        assert_eq!(error, format!("port {port} is taken: choose another with --port N"));
    }
}
