//! What only the environment says: the keys and addresses of providers, and where state belongs.

use std::path::PathBuf;

use riacho_relay::{Place, RemoteSettings, Secret, Wire};

/// An environment variable that is set and not empty.
pub fn env(name: &str) -> Option<String> {
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
        thread: of("THREAD").is_some_and(|value| value != "0"),
    })
}

/// Those that have variables of their own. The first one that is set up is the default.
pub fn known() -> impl Iterator<Item = RemoteSettings> {
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
pub fn compatible(text: &str) -> Result<RemoteSettings, String> {
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
        thread: false,
    })
}

/// Where state belongs by the XDG base directory specification; without a home, nowhere.
pub fn default_store() -> Place {
    let state = env("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| env("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    state.map_or(Place::Memory, |state| Place::File(state.join("riacho/relay.db")))
}
