//! Commands: a message that starts with `/name` is answered by a program rather than by a model, with the same ritual.
//!
//! A command is a provider like any other: it gives events, ends once, and is stopped by being dropped. Nothing here knows a
//! socket or the log, and nothing goes through a shell.

mod program;
mod youtube;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::providers::Provider;

pub use program::Program;
pub use youtube::Youtube;

/// A command of the operator's own: a local program that prints text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// The program and its arguments. `{input}` stands for what follows the name in the message, as one argument; `{words}` for
    /// its words, each an argument. Neither may start with `-`, unless a `--` comes before.
    pub program: Vec<String>,
    /// Seconds until it is ended.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// What it may print, in bytes.
    #[serde(default = "default_output")]
    pub max_output_bytes: usize,
}

fn default_timeout() -> u64 {
    60
}

fn default_output() -> usize {
    1024 * 1024
}

/// The commands of a relay.
#[derive(Debug, Clone)]
pub struct CommandsSettings {
    pub programs: BTreeMap<String, CommandSettings>,
    /// The program `yt-dlp`, for `/youtube` and `/youtube_resumo`.
    pub yt_dlp: PathBuf,
    /// The hosts, with a port where it is not the usual one, whose pages may be asked for.
    pub youtube_hosts: Vec<String>,
    /// How long one page may take.
    pub youtube_timeout: Duration,
}

impl Default for CommandsSettings {
    fn default() -> Self {
        let hosts = ["youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be"];
        Self {
            programs: BTreeMap::new(),
            yt_dlp: PathBuf::from("yt-dlp"),
            youtube_hosts: hosts.map(str::to_owned).to_vec(),
            youtube_timeout: Duration::from_secs(60),
        }
    }
}

impl CommandsSettings {
    /// Reads commands of the operator's own: `{"name": {"program": ["…"]}}`.
    ///
    /// # Errors
    /// Says what is wrong with which.
    pub fn read(json: &str) -> Result<BTreeMap<String, CommandSettings>, String> {
        let programs: BTreeMap<String, CommandSettings> =
            serde_json::from_str(json).map_err(|error| error.to_string())?;
        for (name, command) in &programs {
            if !is_name(name) {
                return Err(format!("{name:?} is no name of a command: letters, digits and _"));
            }
            if command.program.first().is_none_or(String::is_empty) {
                return Err(format!("the command {name:?} names no program"));
            }
        }
        Ok(programs)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name and the rest of a message that is a command.
pub fn parse(message: &str) -> Option<(&str, &str)> {
    let message = message.trim();
    let rest = message.strip_prefix('/')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    is_name(name).then_some((name, rest.trim()))
}

/// Every command, as a provider under its name with the slash. `model` sums up what `/youtube_resumo` finds.
pub fn all(
    settings: &CommandsSettings,
    context_bytes: usize,
    model: &Arc<dyn Provider>,
) -> Vec<(String, Arc<dyn Provider>)> {
    let mut all: Vec<(String, Arc<dyn Provider>)> = Vec::new();
    for (name, command) in &settings.programs {
        all.push((format!("/{name}"), Arc::new(Program::new(name.clone(), command.clone()))));
    }
    let youtube = Youtube::new(settings);
    all.push((
        "/youtube_resumo".to_owned(),
        Arc::new(youtube.clone().summed_up(Arc::clone(model), context_bytes)),
    ));
    all.push(("/youtube".to_owned(), Arc::new(youtube)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_slash_and_a_name() {
        assert_eq!(parse("/youtube https://youtu.be/x"), Some(("youtube", "https://youtu.be/x")));
        assert_eq!(parse("  /a\n b c "), Some(("a", "b c")));
        assert_eq!(parse("/a"), Some(("a", "")));
        for text in ["", "/", "/etc/hosts", "a /b", "// x", "/ x", "/ação"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn wrong_settings_say_so() {
        assert!(
            CommandsSettings::read(r#"{"date": {"program": ["date", "-u"], "timeout_seconds": 1}}"#).is_ok()
        );
        for (json, word) in [
            ("[]", "map"),
            (r#"{"a b": {"program": ["x"]}}"#, "a b"),
            (r#"{"a": {"program": []}}"#, "no program"),
            (r#"{"a": {"program": "sh -c x"}}"#, "sequence"),
            (r#"{"a": {"program": ["x"], "shell": true}}"#, "shell"),
        ] {
            let error = CommandsSettings::read(json).expect_err(json);
            assert!(error.contains(word), "{error}");
        }
    }
}
