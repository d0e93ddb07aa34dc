//! Commands: each ends as a message does, also when its program hangs, floods, or fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{Act, Held, Relay, Upstream, delta, fast, finish, id, sse_head};
use riacho_relay::{CommandsSettings, Settings, Wire};
use serde_json::{Value, json};

fn programs(json: &Value) -> Settings {
    let programs = CommandsSettings::read(&json.to_string()).expect("commands");
    Settings { commands: CommandsSettings { programs, ..CommandsSettings::default() }, ..fast() }
}

async fn ask(settings: Settings, message: &str) -> (Value, Held) {
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, message).await;
    (client.until_end(&reply).await, client.held(&reply))
}

#[tokio::test]
async fn a_configured_program_prints_its_answer() {
    let commands = json!({"say": {"program": ["printf", "%s|", "--", "{input}"]}, "each": {"program": ["printf", "%s|", "{words}"]}});
    let (end, held) = ask(programs(&commands), "/say olá; $(id) `x` 🌊").await;
    assert_eq!((&end["status"], held.text.as_str()), (&json!("completed"), "--|olá; $(id) `x` 🌊|"));
    assert_eq!(ask(programs(&commands), "/each a  b").await.1.text, "a|b|");
    let (end, held) = ask(programs(&commands), "/each -x").await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_rejected"), ""));
    let (_, held) = ask(programs(&commands), "/unknown thing").await;
    assert!(held.text.contains("You said `/unknown thing`"), "what is no command goes to the provider");
}

#[tokio::test]
async fn one_that_hangs_is_ended_with_all_it_started() {
    let mark = std::env::temp_dir().join(format!("riacho-mark-{}", id()));
    let script = format!("echo so far; (sleep 3; touch {}) & wait", mark.display());
    let commands = json!({"hang": {"program": ["sh", "-c", script], "timeout_seconds": 1}});
    let (end, held) = ask(programs(&commands), "/hang").await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_timeout"), "so far\n"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!mark.exists(), "its child went on");
}

#[tokio::test]
async fn one_that_floods_is_cut_off() {
    for program in [json!(["yes", "água"]), json!(["sh", "-c", "yes água >&2 & yes água"])] {
        let commands = json!({"flood": {"program": program, "max_output_bytes": 100_000}});
        let (end, held) = ask(programs(&commands), "/flood").await;
        assert_eq!(end["code"], "provider_malformed");
        assert!(held.text.len() <= 100_000 && held.text.len() > 99_000, "{}", held.text.len());
        assert!(held.text.starts_with("água\nágua\n"));
    }
}

#[tokio::test]
async fn one_that_fails_says_why_and_keeps_what_it_printed() {
    let commands = json!({"fail": {"program": ["sh", "-c", "printf half; echo 'no such river' >&2; exit 3"]},
        "missing": {"program": ["/nowhere/at/all"]}});
    let (end, held) = ask(programs(&commands), "/fail").await;
    let message = end["message"].as_str().expect("words");
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_failed"), "half"));
    assert!(message.starts_with("/fail failed") && message.contains("no such river"), "{message}");
    let (end, _) = ask(programs(&commands), "/missing").await;
    assert_eq!(end["code"], "provider_unreachable");
}

#[tokio::test]
async fn a_stop_ends_the_program() {
    let mark = std::env::temp_dir().join(format!("riacho-mark-{}", id()));
    let script = format!("echo here; sleep 2; touch {}", mark.display());
    let relay = Relay::start(programs(&json!({"long": {"program": ["sh", "-c", script]}}))).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "/long").await;
    while client.text(&reply).is_empty() {
        client.next().await;
    }
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.until_end(&reply).await["reason"], "stopped");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!mark.exists());
    // And it can be tried again, as any answer.
    client.send(json!({"type": "retry", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    assert!(mark.exists());
    std::fs::remove_file(mark).expect("removed");
}

#[tokio::test]
async fn no_program_is_told_a_key() {
    let (_, held) = ask(programs(&json!({"env": {"program": ["env"]}})), "/env").await;
    let names: Vec<&str> =
        held.text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PWD", "SHLVL", "_"];
    assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
}

/// The real `yt-dlp`: the one that RIACHO_YT_DLP names (`cargo xtask test` installs it), or one on the PATH.
fn yt_dlp() -> Option<PathBuf> {
    let named = std::env::var_os("RIACHO_YT_DLP").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places =
        named.into_iter().chain(std::env::split_paths(&path).map(|folder| folder.join("yt-dlp")));
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        eprintln!("skipped: yt-dlp is not installed (RIACHO_YT_DLP names it)");
    }
    found
}

/// A page with a video that has subtitles.
async fn video_page() -> std::net::SocketAddr {
    use axum::http::header::CONTENT_TYPE;
    let page = r#"<!doctype html><title>Um vídeo &lt;b&gt;</title>
        <video src="/video.mp4"><track kind="subtitles" src="/legenda.vtt" srclang="pt" label="Português"></video>"#;
    let vtt = "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nA água <c>corre</c>\n\n00:00:02.000 --> 00:00:04.000\nA água corre\ne chega ao *mar*.\n";
    let app = axum::Router::new()
        .route(
            "/page",
            axum::routing::get(move || async move { ([(CONTENT_TYPE, "text/html; charset=utf-8")], page) }),
        )
        .route(
            "/legenda.vtt",
            axum::routing::get(move || async move { ([(CONTENT_TYPE, "text/vtt; charset=utf-8")], vtt) }),
        )
        .route(
            "/video.mp4",
            axum::routing::get(|| async { ([(CONTENT_TYPE, "video/mp4")], vec![0_u8; 64]) }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn youtube_tells_what_is_said() {
    let Some(yt_dlp) = yt_dlp() else { return };
    let address = video_page().await;
    let commands =
        CommandsSettings { yt_dlp, youtube_hosts: vec![address.to_string()], ..CommandsSettings::default() };
    let settings = Settings { commands, ..fast() };
    let (end, held) = ask(settings.clone(), &format!("/youtube http://{address}/page")).await;
    assert_eq!(end["status"], "completed", "{end}");
    assert!(held.text.starts_with("# Um vídeo"), "{}", held.text);
    assert!(
        held.text.ends_with("## Transcript\n\n> A água corre\n> e chega ao \\*mar\\*\\.\n"),
        "{}",
        held.text
    );
    let (end, _) = ask(settings.clone(), "/youtube https://elsewhere.example/page").await;
    assert_eq!(end["code"], "provider_rejected");
    let (end, _) = ask(settings, &format!("/youtube http://{address}/nothing")).await;
    assert_eq!(end["code"], "provider_failed", "{end}");
}

#[tokio::test]
async fn youtube_is_summed_up_by_the_provider_as_it_streams() {
    let Some(yt_dlp) = yt_dlp() else { return };
    let address = video_page().await;
    let acts = [sse_head(), delta("O rio "), delta("chega."), finish()].into_iter().map(Act::Write).collect();
    let mut upstream = Upstream::start(vec![acts]).await;
    let commands =
        CommandsSettings { yt_dlp, youtube_hosts: vec![address.to_string()], ..CommandsSettings::default() };
    let settings = Settings { commands, remotes: vec![upstream.remote("openai", Wire::Chat)], ..fast() };
    let (end, held) = ask(settings, &format!("/youtube_resumo http://{address}/page")).await;
    assert_eq!(end["status"], "completed", "{end}");
    assert_eq!(held.parts.len(), 2, "{:?}", held.parts);
    assert!(
        held.parts[0].1.starts_with("# Um vídeo") && held.parts[1].1 == "O rio chega.",
        "{:?}",
        held.parts
    );
    let request = upstream.requests.recv().await.expect("a request");
    assert!(request.contains("e chega ao *mar*."), "{request}");
}
