//! An HTTP server that serves some files and remembers every request: whatever is asked of it beyond them was not to be
//! asked. It also takes what a browser sends to a proxy, so that it sees requests to any host.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The largest request head that is read.
const MAX_HEAD: usize = 64 * 1024;

pub struct Witness {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    server: AbortHandle,
}

/// What is served, by path.
#[derive(Default)]
pub struct Files {
    files: HashMap<String, Vec<u8>>,
    /// The content security policy of every answer.
    policy: Option<&'static str>,
}

impl Files {
    #[must_use]
    pub fn policy(mut self, policy: &'static str) -> Files {
        self.policy = Some(policy);
        self
    }

    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Files {
        self.files.insert(path.to_owned(), content.into());
        self
    }

    /// A folder and what is below it.
    #[must_use]
    pub fn folder(mut self, path: &str, folder: &Path) -> Files {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let entry = entry.expect("the folder can be listed").path();
            let name = entry.file_name().and_then(|name| name.to_str()).expect("a name of ours");
            let path = format!("{path}/{name}");
            self = match entry.is_dir() {
                true => self.folder(&path, &entry),
                false => self.file(&path, std::fs::read(&entry).expect("a file of ours")),
            };
        }
        self
    }
}

impl Witness {
    pub async fn start(files: Files) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (files, memory) = (Arc::new(files), Arc::clone(&seen));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&files), Arc::clone(&memory)));
            }
        });
        Witness { address, seen, server: server.abort_handle() }
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked since this was last called: method and target of each request.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.seen))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(seen: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request a connection: a browser then opens another.
async fn serve(mut stream: TcpStream, files: Arc<Files>, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut bytes = Vec::new();
    let (method, target) = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes.len() > MAX_HEAD {
            // Browsers open connections ahead of need; without a request nothing was said. Anything else counts.
            if !bytes.is_empty() {
                lock(&seen)
                    .push(format!("no HTTP: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(60)])));
            }
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&bytes) {
            Ok(httparse::Status::Complete(_)) => {
                break (request.method?.to_owned(), request.path?.to_owned());
            }
            Ok(httparse::Status::Partial) => {}
            Err(_) => {
                lock(&seen)
                    .push(format!("no HTTP: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(60)])));
                return None;
            }
        }
    };
    lock(&seen).push(format!("{method} {target}"));
    let policy =
        files.policy.map_or(String::new(), |policy| format!("content-security-policy: {policy}\r\n"));
    let path = target.split('?').next().unwrap_or_default();
    let (status, content) = match files.files.get(path) {
        Some(content) => ("200 OK", content.as_slice()),
        None => ("404 Not Found", [].as_slice()),
    };
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         access-control-allow-origin: *\r\n{policy}connection: close\r\n\r\n",
        content.len()
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(content).await.ok()?;
    stream.shutdown().await.ok()
}
