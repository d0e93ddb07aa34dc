//! A relay that asks for tokens, and tokens for it, good and bad.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Method, StatusCode};
use riacho_relay::{AuthSettings, Secret, Settings, TokenKey};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Client, HANG, Relay, Upstream, gated, id, until_text};

pub const SECRET: &str = "a secret of the tests, long enough for HS256";
pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "riacho-tests";

pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()).expect("small")
}

pub fn claims(sub: &str) -> Value {
    json!({"sub": sub, "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "exp": now() + 600})
}

/// Claims with some of them changed; `null` takes one away.
pub fn with(sub: &str, changes: Value) -> Value {
    let mut claims = claims(sub);
    for (name, value) in changes.as_object().expect("an object") {
        match value.is_null() {
            true => claims.as_object_mut().expect("an object").remove(name),
            false => claims.as_object_mut().expect("an object").insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub fn sign(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("it signs")
}

pub fn token(sub: &str) -> String {
    sign(&claims(sub))
}

pub fn guarded(settings: Settings) -> Settings {
    let auth = AuthSettings {
        key: Some(TokenKey::Secret(Secret::new(SECRET))),
        issuer: Some(ISSUER.into()),
        audience: Some(AUDIENCE.into()),
        leeway: Duration::ZERO,
        revoked: None,
    };
    Settings { auth, ..settings }
}

/// A socket that has said hello with a token, or why there is none: the code and the close code.
pub async fn hello(relay: &Relay, token: Option<&str>) -> Result<Client, (Value, Option<u16>)> {
    let mut client = relay.connect_raw().await;
    let mut frame = json!({"type": "hello", "protocol": 1});
    if let Some(token) = token {
        frame["token"] = json!(token);
    }
    client.send(frame).await;
    let answer = client.next().await;
    match answer["type"].as_str() {
        Some("welcome") => Ok(client),
        _ => Err((answer["code"].clone(), closed(&mut client).await)),
    }
}

pub async fn closed(client: &mut Client) -> Option<u16> {
    loop {
        match timeout(HANG, client.next_or_close()).await.expect("it closes") {
            Ok(_) => {}
            Err(code) => return code,
        }
    }
}

pub async fn ask(
    relay: &Relay,
    door: &(Method, String, Option<Value>),
    headers: &[(&str, &str)],
) -> (StatusCode, Value) {
    let (method, path, body) = door;
    let mut request =
        reqwest::Client::new().request(method.clone(), format!("http://{}{path}", relay.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A relay that has a conversation of alice's in it, with an answer that has ended and one that has not.
pub struct Scene {
    pub relay: Relay,
    pub upstream: Upstream,
    pub alice: Client,
    pub room: String,
    pub said: String,
    pub ended: String,
    pub live: String,
    pub folder: tempfile::TempDir,
}

pub async fn scene() -> Scene {
    let upstream = gated(8).await;
    let folder = tempfile::tempdir().expect("a folder");
    let revoked = folder.path().join("revoked.jsonl");
    let lines = format!(
        "{{\"jti\":\"stolen\"}}\n{{\"sub\":\"mallory\"}}\n{{\"sub\":\"carol\",\"issued_before\":{}}}\n",
        now() - 50
    );
    std::fs::write(&revoked, lines).expect("written");
    let mut settings = guarded(upstream.settings());
    settings.auth.revoked = Some(revoked);
    settings.allow_origins = vec!["https://app.example".into()];
    settings.grace = Duration::ZERO;
    let relay = Relay::start(settings).await;
    let mut alice = hello(&relay, Some(&token("alice"))).await.expect("she is let in");
    let room = id();
    alice.join(&room).await;
    upstream.gate.add_permits(1);
    let (said, ended) = alice.say(&room, "a secret of alice's").await;
    alice.until_end(&ended).await;
    let (_, live) = alice.say(&room, "and another").await;
    until_text(&mut alice, &live, "one ").await;
    Scene { relay, upstream, alice, room, said, ended, live, folder }
}
