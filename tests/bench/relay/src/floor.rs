//! The floor: the least that brings the same bytes to the same readers. No store, no resume, no cursors; a reader that is slow
//! loses what does not fit into its channel.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Frames that a room holds for those behind: two seconds at 2,000 tokens a second.
const CHANNEL: usize = 4096;

#[derive(Clone)]
struct Floor {
    source: Arc<str>,
    client: reqwest::Client,
    rooms: Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>,
}

#[derive(Deserialize)]
struct Wish {
    #[serde(default)]
    room: String,
}

pub async fn serve(port: u16, source: &str) -> Result<()> {
    let floor = Floor { source: source.into(), client: reqwest::Client::new(), rooms: Arc::default() };
    let router = Router::new().route("/ws", any(open)).with_state(floor);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    // Else a small frame waits for the acknowledgement of the one before.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

async fn open(State(floor): State<Floor>, Query(wish): Query<Wish>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(4096).on_upgrade(move |socket| read(socket, floor, wish.room))
}

async fn read(mut socket: WebSocket, floor: Floor, room: String) {
    let sender = {
        let mut rooms = floor.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(room.clone()).or_insert_with(|| broadcast::channel(CHANNEL).0).clone()
    };
    let mut reader = sender.subscribe();
    if socket.send(Message::text("joined")).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            text = reader.recv() => match text {
                Ok(text) => {
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                // What did not fit is gone, and nobody is told.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            asked = socket.recv() => match asked {
                Some(Ok(Message::Text(_))) => {
                    tokio::spawn(answer(floor.clone(), room.clone(), sender.clone()));
                }
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

/// From the provider to the channel, a frame a token, in the relay's own JSON.
async fn answer(floor: Floor, room: String, sender: broadcast::Sender<Utf8Bytes>) -> Result<()> {
    let url = format!("{}/v1/chat/completions", floor.source);
    let mut body = floor.client.post(url).json(&json!({"stream": true})).send().await?.bytes_stream();
    let (message, mut pending, mut offset) = (uuid::Uuid::now_v7().to_string(), Vec::new(), 0);
    while let Some(bytes) = body.next().await {
        pending.extend_from_slice(&bytes?);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data: ").filter(|data| data.starts_with(b"{")) else {
                continue;
            };
            let event: Value = serde_json::from_slice(data)?;
            let Some(content) = event["choices"][0]["delta"]["content"].as_str() else { continue };
            let frame = json!({"type": "message_chunk", "conversation_id": room, "message_id": message, "epoch": 0,
                "offset": offset, "content": content});
            offset += content.len();
            let _ = sender.send(frame.to_string().into());
        }
    }
    let _ = sender.send(json!({"type": "response_complete"}).to_string().into());
    Ok(())
}
