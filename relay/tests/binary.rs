//! The binary: its one line of stdout, its exit codes, and the site it serves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn relay(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riacho-relay"));
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("RIACHO_") || name.starts_with("OPENAI_"))
    {
        command.env_remove(name);
    }
    command
}

/// Starts one, and reads its address from its first line.
fn start(flags: &[&str]) -> (Child, String) {
    let flags = [&["--store", ":memory:"], flags].concat();
    let mut child = relay(&flags).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
    let address =
        line.strip_prefix("riacho-relay listening on http://").and_then(|rest| rest.strip_suffix("/\n"));
    (child, address.expect("the line").to_owned())
}

fn get(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("a connection");
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("written");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer.to_lowercase()
}

fn end(mut child: Child, signal: &str) -> Option<i32> {
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    child.wait().expect("it ends").code()
}

#[test]
fn a_signal_ends_it_well() {
    for signal in ["-TERM", "-INT"] {
        let (child, address) = start(&["--port", "0"]);
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        assert_eq!(end(child, signal), Some(0));
    }
}

#[test]
fn a_taken_port_and_a_wrong_folder_are_one_clear_line() {
    let (child, address) = start(&["--port", "0"]);
    let port = address.rsplit(':').next().expect("a port");
    let second = relay(&["--port", port, "--store", ":memory:"]).output().expect("it runs");
    let said = String::from_utf8(second.stderr).expect("UTF-8");
    assert_eq!((second.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains(&format!("port {port} is taken")), "{said}");
    assert!(second.stdout.is_empty());
    end(child, "-TERM");
    let wrong = relay(&["--port", "0", "--site", "/nowhere/at/all"]).output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn the_site_comes_with_its_policy() {
    let site = std::env::temp_dir().join(format!("riacho-site-{}", std::process::id()));
    std::fs::create_dir_all(&site).expect("a folder");
    std::fs::write(site.join("index.html"), "<!doctype html><title>riacho</title>").expect("a file");
    std::fs::write(site.join("riacho.wasm"), b"\0asm").expect("a file");
    std::fs::write(site.join("page.js"), "export {}").expect("a file");
    let (child, address) = start(&["--port", "0", "--site", site.to_str().expect("UTF-8")]);
    let page = get(&address, "/");
    assert!(page.starts_with("http/1.1 200") && page.contains("<title>riacho"), "{page}");
    let policy = "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                  img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                  require-trusted-types-for 'script'\r\n";
    assert!(page.contains(policy), "{page}");
    assert!(
        page.contains("x-content-type-options: nosniff") && page.contains("cache-control: no-cache"),
        "{page}"
    );
    assert!(get(&address, "/riacho.wasm").contains("content-type: application/wasm"));
    assert!(get(&address, "/page.js").contains("content-type: text/javascript"));
    for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/nothing"] {
        assert!(get(&address, path).starts_with("http/1.1 404"), "{path}");
    }
    end(child, "-TERM");
    std::fs::remove_dir_all(site).expect("removed");
}
