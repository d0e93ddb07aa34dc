//! The examples in deploy/, as they are: behind the real nginx and the real Caddy a socket opens, text comes as it is written, and
//! what is for the operator is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Client, Relay, gated, id, until_text};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    std::fs::read_to_string(path).expect("the example")
}

/// A program, where it is; a machine without it skips, and says so.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let found = path.split(':').map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed; on Debian: apt-get install {name}");
    }
    found
}

/// Replaced in an example; it must have been there.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in the example");
        text.replace(from, to)
    })
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port()
}

struct Proxy {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx has workers; asked like this it takes them with it.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Proxy {
    async fn start(mut command: Command, port: u16, folder: tempfile::TempDir) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let child = command.stdout(Stdio::null()).spawn().expect("it starts");
        let proxy = Self { child, address, _folder: folder };
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(common::HANG, listening).await.expect("it listens");
        proxy
    }

    async fn nginx(program: PathBuf, relay: SocketAddr) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let listen = format!("listen 127.0.0.1:{port};");
        let ours =
            with(&example("nginx.conf"), &[("listen 80;", &listen), ("127.0.0.1:8787", &relay.to_string())]);
        let here = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {here}/{name};\n"))
            .concat();
        let whole = format!(
            "daemon off;\nworker_processes 1;\npid {here}/pid;\nerror_log stderr warn;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}\n{ours}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, whole).expect("written");
        let mut command = Command::new(program);
        command.arg("-e").arg("stderr").arg("-p").arg(folder.path()).arg("-c").arg(file);
        Self::start(command, port, folder).await
    }

    async fn caddy(program: PathBuf, relay: SocketAddr) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        // Without a certificate, which nobody would give us here, and without Caddy's own door.
        let site = format!("{{\n\tadmin off\n\tauto_https off\n}}\n\nhttp://chat.example:{port} {{");
        let ours =
            with(&example("Caddyfile"), &[("chat.example {", &site), ("127.0.0.1:8787", &relay.to_string())]);
        let file = folder.path().join("Caddyfile");
        std::fs::write(&file, ours).expect("written");
        let mut command = Command::new(program);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file).stderr(Stdio::null());
        command
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path());
        Self::start(command, port, folder).await
    }
}

/// A page at http://chat.example, behind the proxy.
async fn page(proxy: &Proxy, origin: &str) -> Result<Client, u16> {
    let host = format!("chat.example:{}", proxy.address.port());
    let mut request = format!("ws://{host}/ws").into_client_request().expect("a request");
    request.headers_mut().insert("origin", origin.parse().expect("a header"));
    let stream = MaybeTlsStream::Plain(TcpStream::connect(proxy.address).await.expect("it connects"));
    match tokio_tungstenite::client_async(request, stream).await {
        Ok((socket, _)) => Ok(Client { socket, log: HashMap::new() }),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn serves(start: impl AsyncFnOnce(SocketAddr) -> Proxy) {
    let upstream = gated(2).await;
    let mut settings = upstream.settings();
    settings.allow_hosts = vec!["chat.example".into()];
    // The relay's own pings keep the line open.
    settings.limits.idle_timeout_seconds = 3;
    let relay = Relay::start(settings).await;
    let proxy = start(relay.address).await;
    let host = format!("chat.example:{}", proxy.address.port());
    let own = format!("http://{host}");

    assert_eq!(page(&proxy, "https://evil.example").await.err(), Some(403));
    let mut client = page(&proxy, &own).await.expect("a socket");
    client.send(json!({"type": "hello", "protocol": 1})).await;
    assert_eq!(client.next().await["type"], "welcome");
    let room = id();
    client.join(&room).await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    // The same answer as events: its first piece is there while the provider waits.
    let events = reqwest::Client::new()
        .get(format!("http://{}/api/messages/{reply}/stream", proxy.address))
        .header("host", &host)
        .header("origin", &own);
    let mut events = events.send().await.expect("a stream");
    assert_eq!(events.status(), 200);
    let mut body = String::new();
    while !body.contains("\"one \"") {
        let chunk =
            tokio::time::timeout(common::HANG, events.chunk()).await.expect("in time").expect("a chunk");
        body += std::str::from_utf8(&chunk.expect("no end")).expect("UTF-8");
    }
    upstream.gate.add_permits(1);
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    while let Some(chunk) = events.chunk().await.expect("a chunk or the end") {
        body += std::str::from_utf8(&chunk).expect("UTF-8");
    }
    assert!(body.contains("\"two\"") && body.contains("event: response_complete"), "{body}");
    for path in ["/metrics", "/admin/revocations", "/admin"] {
        let url = format!("http://{}{path}", proxy.address);
        let asked = reqwest::Client::new().get(url).header("host", &host).send().await.expect("an answer");
        assert_eq!(asked.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn nginx_passes_sockets_and_streams_on() {
    let Some(nginx) = program("nginx") else { return };
    serves(async |relay| Proxy::nginx(nginx, relay).await).await;
}

#[tokio::test]
async fn caddy_passes_sockets_and_streams_on() {
    let Some(caddy) = program("caddy") else { return };
    serves(async |relay| Proxy::caddy(caddy, relay).await).await;
}

#[test]
fn the_container_sets_what_there_is_to_set() {
    let file = example("Containerfile");
    let variables: Vec<(&str, &str)> = file
        .lines()
        .filter_map(|line| line.strip_prefix("ENV "))
        .flat_map(|line| line.split(' '))
        .filter_map(|pair| pair.split_once('='))
        .collect();
    assert!(variables.len() >= 4, "{variables:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_riacho-relay"));
    let help = command.arg("--help").output().expect("it runs").stdout;
    let help = String::from_utf8(help).expect("UTF-8");
    for (name, _) in &variables {
        assert!(help.contains(&format!("[env: {name}=")), "{name} is no variable of the relay");
    }
    let checked =
        Command::new(env!("CARGO_BIN_EXE_riacho-relay")).arg("--check").env_clear().envs(variables).status();
    assert!(checked.expect("it runs").success());
}

/// It can't be built without a registry; what it asks of the repository can be held.
#[test]
fn the_container_copies_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a file of the repository");
    let workspace: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let members = workspace["workspace"]["members"].as_array().expect("a list");
    let patched = workspace["patch"]["crates-io"].as_table().expect("a table");
    let patched = patched.values().filter_map(|patch| patch["path"].as_str());
    let ignored = read(".dockerignore");
    let ignored: Vec<&str> =
        ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for needed in members.iter().filter_map(toml::Value::as_str).chain(patched) {
        assert!(root.join(needed).join("Cargo.toml").is_file(), "{needed}");
        assert!(
            ignored.iter().all(|ignored| !needed.starts_with(ignored)),
            "{needed} is not sent to the builder"
        );
    }
    let file = example("Containerfile");
    let package = file.lines().find_map(|line| line.strip_prefix("RUN cargo build --release --package "));
    let package = package.expect("it builds");
    let built = file.lines().find_map(|line| line.strip_prefix("COPY --from=build /src/target/release/"));
    assert_eq!(built, Some(format!("{package} /usr/local/bin/{package}").as_str()));
    assert!(file.contains(&format!("ENTRYPOINT [\"{package}\"]")));
    let ours = env!("CARGO_PKG_RUST_VERSION");
    assert!(file.contains(&format!("rust:{ours}-")), "it builds with Rust {ours}");
}
