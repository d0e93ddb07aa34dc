//! Who there is to answer: providers and commands, by name.

use std::sync::Arc;

use crate::commands;
use crate::providers::{self, Demo, Provider, Remote};
use crate::settings::Settings;

/// The providers of a relay, by name; the first is the default.
#[derive(Clone)]
pub struct Providers {
    named: Vec<(String, Arc<dyn Provider>)>,
    /// By their names with the slash. They are not in the list that clients choose from.
    commands: Vec<(String, Arc<dyn Provider>)>,
}

impl Providers {
    /// Those that are set up.
    ///
    /// # Errors
    /// When the HTTP client can't be made.
    pub fn from_settings(settings: &Settings) -> Result<Self, reqwest::Error> {
        let mut named: Vec<(String, Arc<dyn Provider>)> = Vec::new();
        let client = providers::client(settings.timeouts)?;
        for remote in &settings.remotes {
            let provider = Remote::new(client.clone(), remote.clone(), settings.timeouts);
            named.push((remote.name.clone(), Arc::new(provider)));
        }
        let demo: Arc<dyn Provider> = Arc::new(Demo::new(settings.demo));
        let model = named.first().map_or_else(|| Arc::clone(&demo), |(_, first)| Arc::clone(first));
        named.push(("demo".to_owned(), demo));
        let commands = commands::all(&settings.commands, settings.context_bytes, &model);
        Ok(Self { named, commands })
    }

    /// One alone.
    #[cfg(test)]
    pub fn only(name: &str, provider: impl Provider + 'static) -> Self {
        Self { named: vec![(name.to_owned(), Arc::new(provider))], commands: Vec::new() }
    }

    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.named.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The command that a message is, if it is one.
    #[must_use]
    pub fn command(&self, message: &str) -> Option<String> {
        let (name, _) = commands::parse(message)?;
        self.commands
            .iter()
            .map(|(known, _)| known)
            .find(|known| known.strip_prefix('/') == Some(name))
            .cloned()
    }

    /// By name, or the default.
    #[must_use]
    pub fn get(&self, name: Option<&str>) -> Option<(String, Arc<dyn Provider>)> {
        match name {
            Some(name) => self.named.iter().chain(&self.commands).find(|(known, _)| known == name).cloned(),
            None => self.named.first().cloned(),
        }
    }
}
