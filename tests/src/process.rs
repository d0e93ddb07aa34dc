//! A child process that ends with its holder, with everything that it started; what it says is kept for when a test fails.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::PATIENCE;

pub struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Process {
    /// Starts it, and waits for the line of its stdout in which `find` finds something. Without one, the error is what
    /// it said.
    pub fn start<T>(command: &mut Command, find: impl Fn(&str) -> Option<T>) -> Result<(Process, T), String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that all of it can be ended together.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            listen(stdout, Arc::clone(&said), Some(lines));
        }
        if let Some(stderr) = child.stderr.take() {
            listen(stderr, Arc::clone(&said), None);
        }
        let process = Process { child, said };
        loop {
            match heard.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(found) = find(&line) {
                        return Ok((process, found));
                    }
                }
                Err(_) => return Err(format!("{name} did not start:\n{}", process.said())),
            }
        }
    }

    /// Its stdout and stderr so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it at once, with everything that it started: SIGKILL, and no more of it when this returns.
    pub fn kill(&mut self) {
        // Once it has been waited for, its id may be somebody else's.
        if let Ok(None) = self.child.try_wait()
            && let Ok(id) = i32::try_from(self.child.id())
        {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen(pipe: impl Read + Send + 'static, said: Arc<Mutex<String>>, lines: Option<mpsc::Sender<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
            // Nobody listens any more once the line was found.
            let _ = lines.as_ref().map(|lines| lines.send(line));
        }
    });
}
