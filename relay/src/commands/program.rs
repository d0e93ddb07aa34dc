//! A local program that prints text: started without a shell, bounded in time and output, and ended with all it started.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{ErrorCode, Failure};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use super::CommandSettings;
use crate::providers::{Event, Events, Provider, Request, failure, quote};

/// What of its complaints is kept.
const MAX_STDERR: usize = 16 * 1024;
/// What a program is told of the relay's environment. Keys are not among it.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];

pub struct Program {
    name: String,
    settings: CommandSettings,
}

impl Program {
    pub fn new(name: String, settings: CommandSettings) -> Self {
        Self { name, settings }
    }
}

/// The arguments for an input.
fn arguments(template: &[String], input: &str) -> Result<Vec<String>, Failure> {
    let mut guarded = false;
    let mut arguments = Vec::new();
    for part in template {
        let given: Vec<String> = match part.as_str() {
            "{input}" => vec![input.to_owned()],
            "{words}" => input.split_whitespace().map(str::to_owned).collect(),
            fixed => {
                guarded |= fixed == "--";
                arguments.push(fixed.to_owned());
                continue;
            }
        };
        // What a message says must not become an option of the program.
        if !guarded && given.iter().any(|word| word.starts_with('-')) {
            return Err(failure(
                ErrorCode::ProviderRejected,
                "What follows the command may not start with “-”.",
            ));
        }
        arguments.extend(given);
    }
    Ok(arguments)
}

impl Provider for Program {
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let (name, settings) = (format!("/{}", self.name), self.settings.clone());
        let input = super::parse(&request.question).map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        async move {
            let (program, template) = settings.program.split_first().ok_or_else(|| not_found(&name))?;
            let arguments = arguments(template, &input)?;
            let time = Duration::from_secs(settings.timeout_seconds);
            let mut running = Running::start(&name, Path::new(program), &arguments, None, time)?;
            running.print(settings.max_output_bytes, &events).await?;
            running.finish().await
        }
        .boxed()
    }
}

fn not_found(name: &str) -> Failure {
    failure(
        ErrorCode::ProviderUnreachable,
        format!("{name}: its program can't be started. The operator finds the reason in the relay's log."),
    )
}

/// A program that runs. Dropped, it is killed with everything it started.
pub struct Running {
    name: String,
    child: Child,
    group: Option<Pid>,
    stdout: Option<ChildStdout>,
    /// Read all the while: a program that complains much must not be held up by it.
    complaints: Option<JoinHandle<Vec<u8>>>,
    deadline: Instant,
    time: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_group();
    }
}

impl Running {
    pub fn start(
        name: &str,
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        folder: Option<&Path>,
        time: Duration,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().kill_on_drop(true).process_group(0);
        command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|error| {
            tracing::warn!(command = name, program = %program.display(), %error, "a program can't be started");
            not_found(name)
        })?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let stdout = child.stdout.take();
        let complaints = child.stderr.take().map(|stderr| tokio::spawn(upto(stderr, MAX_STDERR)));
        Ok(Self {
            name: name.to_owned(),
            child,
            group,
            stdout,
            complaints,
            deadline: Instant::now() + time,
            time,
        })
    }

    fn end_group(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Hands over what it prints, as it prints it.
    pub async fn print(&mut self, max_output: usize, events: &Events) -> Result<(), Failure> {
        let Some(mut stdout) = self.stdout.take() else { return Ok(()) };
        let (mut buffer, mut rest, mut printed) = (vec![0; 16 * 1024], Vec::new(), 0);
        loop {
            let read =
                timeout_at(self.deadline, stdout.read(&mut buffer)).await.map_err(|_| self.too_slow())?;
            let bytes = buffer.get(..read.unwrap_or(0)).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            let room = max_output.saturating_sub(printed);
            printed += bytes.len();
            rest.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            let text = whole_characters(&mut rest);
            if !text.is_empty() {
                events.emit(vec![Event::Text { part: 0, text }]).await;
            }
            if printed > max_output {
                return Err(failure(
                    ErrorCode::ProviderMalformed,
                    format!("{} printed more than {max_output} bytes, and was ended.", self.name),
                ));
            }
        }
        if !rest.is_empty() {
            events
                .emit(vec![Event::Text { part: 0, text: String::from_utf8_lossy(&rest).into_owned() }])
                .await;
        }
        Ok(())
    }

    /// All that it prints.
    pub async fn output(&mut self, max_output: usize) -> Result<Vec<u8>, Failure> {
        let Some(stdout) = self.stdout.take() else { return Ok(Vec::new()) };
        let output = timeout_at(self.deadline, upto(stdout, max_output)).await;
        output.map_err(|_| self.too_slow())
    }

    /// Waits for its end: a failure, unless it says that all is well.
    pub async fn finish(mut self) -> Result<(), Failure> {
        let status = timeout_at(self.deadline, self.child.wait()).await;
        let status = status.map_err(|_| self.too_slow())?;
        self.end_group(); // What it left behind would keep its stderr open.
        let complaints = match self.complaints.take() {
            Some(complaints) => complaints.await.unwrap_or_default(),
            None => Vec::new(),
        };
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let complaints = String::from_utf8_lossy(&complaints).into_owned();
                let last = complaints.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let message = format!("{} failed ({status}). {}", self.name, quote(last));
                Err(failure(ErrorCode::ProviderFailed, message.trim_end()))
            }
            Err(_) => Err(not_found(&self.name)),
        }
    }

    fn too_slow(&self) -> Failure {
        let seconds = self.time.as_secs();
        failure(
            ErrorCode::ProviderTimeout,
            format!("{} took longer than {seconds} s, and was ended.", self.name),
        )
    }
}

/// So much of a stream; the rest is read and let go, so that the writer is not held up.
async fn upto(mut stream: impl AsyncRead + Unpin, max: usize) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let room = max.saturating_sub(all.len());
        all.extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
    }
    all
}

/// Takes the text from bytes of which the last character may be half there.
fn whole_characters(bytes: &mut Vec<u8>) -> String {
    let end = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        // Only the end is incomplete; anything else is no UTF-8, and is shown as such.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len().saturating_sub(3).max(1).min(bytes.len()),
    };
    let rest = bytes.split_off(end);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says_is_no_option() {
        let template = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(arguments(&template(&["-n", "{input}"]), "a b; rm"), Ok(template(&["-n", "a b; rm"])));
        assert_eq!(arguments(&template(&["{words}"]), "a b"), Ok(template(&["a", "b"])));
        assert!(arguments(&template(&["{input}"]), "-rf").is_err());
        assert!(arguments(&template(&["{words}"]), "a -rf").is_err());
        assert_eq!(arguments(&template(&["--", "{input}"]), "-rf"), Ok(template(&["--", "-rf"])));
    }

    #[test]
    fn a_character_cut_in_two_waits_for_its_end() {
        let mut bytes = "aé".as_bytes()[..2].to_vec();
        assert_eq!(whole_characters(&mut bytes), "a");
        bytes.push("é".as_bytes()[1]);
        assert_eq!((whole_characters(&mut bytes).as_str(), bytes.len()), ("é", 0));
    }
}
