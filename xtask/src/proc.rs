//! Running other programs: loud when they fail, and never waiting for a terminal.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const TELL_EVERY: Duration = Duration::from_secs(30);

/// Runs it with its output on ours. A failure is an error that says the command.
pub fn run(command: &mut Command) -> Result<()> {
    if succeeds(command)? { Ok(()) } else { bail!("this command failed: {}", shown(command)) }
}

/// The same for what takes minutes and says nothing meanwhile: who waits is told that it goes on.
pub fn run_long(command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let (done, waiting) = mpsc::channel::<()>();
    let teller = thread::spawn(move || {
        while waiting.recv_timeout(TELL_EVERY) == Err(RecvTimeoutError::Timeout) {
            println!("  still at it ({})", took(started));
        }
    });
    let result = run(command);
    drop(done);
    let _ = teller.join();
    result
}

/// Runs it with its output on ours; whether it ended well.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.stdin(Stdio::null()).status().with_context(|| cannot_start(command))?;
    Ok(status.success())
}

/// Runs it, hands each line of its stdout to `line` and prints it; whether it ended well.
pub fn each_line(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    let mut stdout = BufReader::new(child.stdout.take().context("a pipe was asked for")?);
    let mut bytes = Vec::new();
    while stdout.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        println!("{text}");
        line(text);
        bytes.clear();
    }
    Ok(child.wait()?.success())
}

/// Runs it quietly and gives back its stdout; its stderr is part of the error.
pub fn stdout(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("this command failed: {}\n{}", shown(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("no UTF-8 from: {}", shown(command)))
}

/// The program's file, if one of that name is on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .flat_map(|dir| [dir.join(program), dir.join(format!("{program}.exe"))])
        .find(|file| file.is_file())
}

/// Seconds or minutes, as a person would say it.
pub fn took(since: Instant) -> String {
    said(since.elapsed())
}

fn said(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 100.. => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{:.1} s", duration.as_secs_f32()),
    }
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy()));
    words.join(" ")
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("riacho-no-such-program")).unwrap_err();
        assert!(error.to_string().contains("riacho-no-such-program"), "{error}");
    }

    #[test]
    fn a_failure_says_the_command_and_what_it_printed() {
        let error = stdout(Command::new("cargo").args(["no-such-subcommand"])).unwrap_err().to_string();
        assert!(error.contains("cargo no-such-subcommand"), "{error}");
        assert!(error.contains("no such command"), "{error}");
    }

    #[test]
    fn times_read_well() {
        assert_eq!(said(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(said(Duration::from_secs(192)), "3 min 12 s");
    }
}
