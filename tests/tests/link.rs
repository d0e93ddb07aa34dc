//! The link carries what it should, cuts where it is told, and remembers the frames.

use std::net::SocketAddr;
use std::time::Duration;

use riacho_tests::frames::text;
use riacho_tests::link::{From, Link};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// A server that answers any head with `SWITCHED`, then echoes.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                stream.write_all(SWITCHED).await.unwrap();
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
        }
    });
    address
}

async fn connect(link: &Link) -> TcpStream {
    let address = link.url();
    TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).await.unwrap()
}

async fn open(link: &Link) -> TcpStream {
    let mut stream = connect(link).await;
    stream.write_all(UPGRADE).await.unwrap();
    let mut head = vec![0; SWITCHED.len()];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, SWITCHED);
    stream
}

#[tokio::test]
async fn frames_pass_unchanged_and_are_remembered_for_both_directions() {
    let link = Link::start(echo().await).await;
    let mut stream = open(&link).await;
    let sent = text(r#"{"type":"ping"}"#);
    stream.write_all(&sent).await.unwrap();
    let mut back = vec![0; sent.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, sent);
    let seen = link.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|seen| seen.is("ping") && seen.socket == 0));
    assert_eq!([seen[0].from, seen[1].from], [From::Page, From::Relay]);
}

#[tokio::test]
async fn a_cut_after_n_bytes_lets_exactly_n_through() {
    let link = Link::start(echo().await).await;
    let mut stream = open(&link).await;
    link.cut_after(10);
    stream.write_all(&[7; 4]).await.unwrap();
    let mut bytes = vec![0; 4];
    stream.read_exact(&mut bytes).await.unwrap();
    stream.write_all(&[7; 20]).await.unwrap();
    // A reset may overtake what was on its way: at most six more.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.len() <= 6, "{}", rest.len());
    assert_eq!(link.cuts(), 1);
    // The next one is not touched.
    open(&link).await;
    assert_eq!(link.opened(), 2);
}

#[tokio::test]
async fn a_cut_ends_open_sockets_and_no_others() {
    let link = Link::start(echo().await).await;
    let mut socket = open(&link).await;
    let mut file = connect(&link).await;
    file.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut head = vec![0; SWITCHED.len()];
    file.read_exact(&mut head).await.unwrap();
    link.cut();
    assert!(socket.read_u8().await.is_err());
    file.write_all(b"x").await.unwrap();
    assert_eq!(file.read_u8().await.unwrap(), b'x');
    assert_eq!(link.opened(), 1);
}

#[tokio::test]
async fn while_it_refuses_no_socket_opens() {
    let link = Link::start(echo().await).await;
    link.refuse(true);
    let mut stream = connect(&link).await;
    stream.write_all(UPGRADE).await.unwrap();
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(bytes.is_empty());
    assert_eq!((link.opened(), link.refused()), (0, 1));
    link.refuse(false);
    open(&link).await;
    assert_eq!(link.opened(), 1);
}

#[tokio::test]
async fn what_the_link_says_itself_comes_between_frames() {
    let link = Link::start(echo().await).await;
    let mut stream = open(&link).await;
    let frame = text(r#"{"type":"pong"}"#);
    let (first, second) = frame.split_at(5);
    stream.write_all(first).await.unwrap();
    let mut bytes = vec![0; 5];
    stream.read_exact(&mut bytes).await.unwrap();
    link.say(&serde_json::json!({"type": "welcome"}));
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(second).await.unwrap();
    let said = text(r#"{"type":"welcome"}"#);
    let mut rest = vec![0; second.len() + said.len()];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(rest, [second, &said].concat());
}
