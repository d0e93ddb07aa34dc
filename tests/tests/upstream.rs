//! The fake provider is what it says it is: exact bytes, when the test wants them, and it sees a peer hang up.

use std::time::{Duration, Instant};

use riacho_tests::upstream::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ask(upstream: &Upstream, content: &str) -> TcpStream {
    let base = upstream.base_url();
    let address = base.trim_start_matches("http://").trim_end_matches("/v1");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = format!(r#"{{"stream":true,"messages":[{{"role":"user","content":"{content}"}}]}}"#);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer k\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // The head and the body in two writes, as a client may.
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn it_shows_the_request_and_streams_chat_completions() {
    let mut upstream = Upstream::start().await;
    let mut client = ask(&upstream, "Olá").await;
    let mut exchange = upstream.next().await;
    assert_eq!(exchange.path, "/v1/chat/completions");
    assert_eq!(exchange.header("authorization"), Some("Bearer k"));
    assert_eq!(exchange.asked(), "Olá");
    exchange.stream(["a", "b"], Duration::ZERO).await;
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let events: Vec<&str> = answer.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(events.len(), 5);
    assert!(events[0].contains(r#""content":"a""#));
    assert!(events[2].contains(r#""finish_reason":"stop""#));
    assert!(events[3].contains(r#""choices":[]"#) && events[3].contains("completion_tokens"));
    assert_eq!(events[4], "[DONE]");
    assert!(answer.ends_with("0\r\n\r\n"));
    assert!(upstream.is_idle());
}

#[tokio::test]
async fn a_piece_is_sent_when_the_test_sends_it_and_not_before() {
    let mut upstream = Upstream::start().await;
    let mut client = ask(&upstream, "x").await;
    let mut exchange = upstream.next().await;
    exchange.begin().await;
    let mut bytes = vec![0; 4096];
    let n = client.read(&mut bytes).await.unwrap();
    assert!(bytes[..n].ends_with(b"\r\n\r\n"));
    let early = tokio::time::timeout(Duration::from_millis(100), client.read(&mut bytes)).await;
    assert!(early.is_err(), "nothing was sent yet");
    // A character cut in two comes in two reads.
    exchange.raw(b"\xc3").await;
    let n = client.read(&mut bytes).await.unwrap();
    assert_eq!(&bytes[..n], b"1\r\n\xc3\r\n");
    exchange.raw(b"\xa1").await;
    let n = client.read(&mut bytes).await.unwrap();
    assert_eq!(&bytes[..n], b"1\r\n\xa1\r\n");
}

#[tokio::test]
async fn it_refuses_with_status_headers_and_an_error_object() {
    let mut upstream = Upstream::start().await;
    let mut client = ask(&upstream, "x").await;
    upstream.next().await.refuse(429, &[("retry-after", "3")], "slow down").await;
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{answer}");
    assert!(answer.contains("retry-after: 3\r\n") && answer.contains("slow down"), "{answer}");
}

#[tokio::test]
async fn a_cut_connection_ends_without_the_last_chunk() {
    let mut upstream = Upstream::start().await;
    let mut client = ask(&upstream, "x").await;
    let mut exchange = upstream.next().await;
    exchange.begin().await;
    exchange.delta("half").await;
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains("half") {
        client.read_buf(&mut bytes).await.unwrap();
    }
    exchange.cut();
    let end = client.read_to_end(&mut bytes).await;
    assert!(end.is_err(), "a reset, not an end");
    assert!(!bytes.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn it_sees_when_the_peer_hangs_up() {
    let mut upstream = Upstream::start().await;
    let client = ask(&upstream, "x").await;
    let mut exchange = upstream.next().await;
    exchange.begin().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!exchange.is_dropped());
    let before = Instant::now();
    drop(client);
    assert!(exchange.dropped().await >= before);
    assert!(exchange.is_dropped());
    // What it still says goes nowhere, and harms nobody.
    exchange.delta("too late").await;
    exchange.finish().await;
}
