//! Which tokens are taken back: a file of JSON lines, and who waits for it to change.
//!
//! The file is the truth: an operator edits it, a line that comes through the admin door is appended to it, and a restart reads
//! it again. It is looked at four times a second, so that a socket whose token is taken back closes within one.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What a token is taken back by.
#[derive(Debug, Clone)]
pub struct TokenId {
    pub sub: String,
    pub jti: Option<String>,
    /// Seconds since 1970; a token that does not say it is taken for the oldest.
    pub issued_at: u64,
}

/// One line: all tokens of a user, or those issued before a moment; or one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    User(UserLine),
    Token(TokenLine),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserLine {
    pub sub: String,
    /// Seconds since 1970: tokens with a later `iat` are good. Without it none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLine {
    pub jti: String,
}

/// Why the file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the revocations {path} can't be read: {error}")]
    Io { path: String, error: std::io::Error },
    #[error(
        "{path}:{line}: not {{\"sub\": …}}, {{\"sub\": …, \"issued_before\": seconds}} or {{\"jti\": …}}"
    )]
    Line { path: String, line: usize },
}

#[derive(Debug, Default)]
struct Revoked {
    users: HashMap<String, u64>,
    tokens: HashSet<String>,
}

impl Revoked {
    fn add(&mut self, line: Line) {
        match line {
            Line::User(UserLine { sub, issued_before }) => {
                let before = self.users.entry(sub).or_default();
                *before = issued_before.unwrap_or(u64::MAX).max(*before);
            }
            Line::Token(TokenLine { jti }) => {
                self.tokens.insert(jti);
            }
        }
    }

    fn holds(&self, token: &TokenId) -> bool {
        self.users.get(&token.sub).is_some_and(|before| token.issued_at < *before)
            || token.jti.as_ref().is_some_and(|jti| self.tokens.contains(jti))
    }
}

/// What is taken back now; clones are the same.
#[derive(Clone)]
pub struct Revocations {
    file: Option<Arc<Path>>,
    current: watch::Sender<Arc<Revoked>>,
}

/// How the file looked when it was read.
type Look = Option<(SystemTime, u64)>;

impl Revocations {
    /// Reads the file. One that is not there yet is empty.
    pub fn open(file: Option<PathBuf>) -> Result<Self, FileError> {
        let mut revoked = Revoked::default();
        if let Some(path) = &file {
            read(path, |line| line.map(|line| revoked.add(line)))?;
        }
        Ok(Self { file: file.map(Arc::from), current: watch::channel(Arc::new(revoked)).0 })
    }

    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    pub fn holds(&self, token: &TokenId) -> bool {
        self.current.borrow().holds(token)
    }

    /// Completes at the next change after this call.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = self.current.subscribe();
        async move {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await; // The relay ends.
            }
        }
    }

    /// Takes back: in the file first, so that it holds after a restart.
    pub async fn add(&self, line: Line) -> Result<(), FileError> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        let text = serde_json::to_string(&line).unwrap_or_default();
        let append = move || {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        };
        let written = tokio::task::spawn_blocking(append).await.unwrap_or_else(|error| Err(error.into()));
        written.map_err(|error| FileError::Io { path: self.name(), error })?;
        self.read_again();
        Ok(())
    }

    /// Looks at the file until this is dropped.
    pub async fn keep_up(&self) {
        let Some(path) = self.file.clone() else { return std::future::pending().await };
        let look = || -> Look {
            let metadata = std::fs::metadata(&path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        let mut seen: Look = None;
        loop {
            let now = look();
            if now != seen {
                seen = now;
                self.read_again();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A line that can't be read is said, and the others hold: better than none of them.
    fn read_again(&self) {
        let Some(path) = &self.file else { return };
        let mut revoked = Revoked::default();
        let outcome = read(path, |line| {
            match line {
                Ok(line) => revoked.add(line),
                Err(error) => tracing::error!(%error, "a revocation can't be read"),
            }
            Ok(())
        });
        match outcome {
            Ok(()) => {
                self.current.send_replace(Arc::new(revoked));
            }
            Err(error) => tracing::error!(%error, "the revocations stay as they were"),
        }
    }

    fn name(&self) -> String {
        self.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }
}

fn read(
    path: &Path,
    mut take: impl FnMut(Result<Line, FileError>) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let name = || path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::Io { path: name(), error }),
    };
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        take(serde_json::from_str(line).map_err(|_| FileError::Line { path: name(), line: number + 1 }))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(sub: &str, jti: Option<&str>, issued_at: u64) -> TokenId {
        TokenId { sub: sub.into(), jti: jti.map(str::to_owned), issued_at }
    }

    #[test]
    fn a_user_is_shut_out_before_a_moment_or_for_good_and_a_token_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("revoked");
        std::fs::write(
            &file,
            "{\"sub\":\"a\",\"issued_before\":100}\n\n{\"sub\":\"b\"}\n{\"jti\":\"x\"}\n{\"sub\":\"a\",\"issued_before\":50}\n",
        )
        .expect("written");
        let revoked = Revocations::open(Some(file.clone())).expect("it reads");
        for (token, held) in [
            (token("a", None, 99), true),
            (token("a", None, 100), false),
            (token("a", None, 0), true),
            (token("b", None, u64::MAX - 1), true),
            (token("c", None, 0), false),
            (token("c", Some("x"), 7), true),
        ] {
            assert_eq!(revoked.holds(&token), held, "{token:?}");
        }
        std::fs::write(&file, "{\"sub\":\"a\"}\n{\"sab\":\"b\"}\n").expect("written");
        let refused = Revocations::open(Some(file)).err().expect("a bad line").to_string();
        assert!(refused.contains("revoked:2: not"), "{refused}");
    }
}
