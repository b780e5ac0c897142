//! A proxy in front of a server, for the faults of a network: connections that end in the middle, replies that stop,
//! silence, and a server that is away for a while.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// What happens to a connection, once a request of the kind that is meant passes through it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// The request passes, and the connection ends properly where the reply should be.
    EndForReply,
    /// The request passes, and the connection is reset where the reply should be.
    ResetForReply,
    /// The connection is reset after so many bytes of the request.
    ResetRequest(usize),
    /// Nothing passes any more, in either direction; the connection stays.
    Silence,
    /// The request passes, and its reply is held for ever.
    HoldReply,
    /// So many bytes of the reply pass, then the connection ends properly.
    EndReply(usize),
}

/// Which requests are cut, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutRule {
    /// What the request line begins with, and what it holds.
    pub(super) method: &'static str,
    pub(super) holds: &'static str,
    /// How many such requests pass first, and how many are cut then.
    pub(super) after: usize,
    pub(super) times: usize,
    pub(super) cut: Cut,
}

/// A listening proxy; dropping it ends all of its connections.
pub(super) struct Proxy {
    address: SocketAddr,
    up: watch::Sender<Line>,
    task: AbortHandle,
    cuts: Arc<Cuts>,
}

/// Whether the server can be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    Down,
    Up,
}

struct Cuts {
    rule: Option<CutRule>,
    /// At most so many bytes of requests pass a second, on each connection.
    rate: Option<u32>,
    /// How many requests came that the rule is for.
    came: AtomicUsize,
    /// How many of them have been cut.
    struck: AtomicUsize,
    /// The heads of the requests with a body, as they came.
    heads: Mutex<Vec<String>>,
}

impl Proxy {
    /// Listens before the server at `url`.
    pub(super) async fn start(url: &str, rule: Option<CutRule>) -> Self {
        Self::listen(url, rule, None).await
    }

    /// A slow line, on which so many bytes of a request pass a second.
    pub(super) async fn start_slow(url: &str, rate: u32) -> Self {
        Self::listen(url, None, Some(rate)).await
    }

    async fn listen(url: &str, rule: Option<CutRule>, rate: Option<u32>) -> Self {
        let server = url.strip_prefix("http://").expect("a server's URL").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (up, line) = watch::channel(Line::Up);
        let cuts = Arc::new(Cuts {
            rule,
            rate,
            came: AtomicUsize::new(0),
            struck: AtomicUsize::new(0),
            heads: Mutex::default(),
        });
        let task = tokio::spawn(serve(listener, server, line, Arc::clone(&cuts))).abort_handle();
        Self { address, up, task, cuts }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often the rule has struck.
    pub(super) fn struck(&self) -> usize {
        self.cuts.struck.load(Ordering::Relaxed)
    }

    /// The heads of all puts that have come, of parts too.
    pub(super) fn puts(&self) -> Vec<String> {
        self.cuts.heads.lock().unwrap().clone()
    }

    /// Ends all connections, as the death of the server would, and refuses new ones.
    pub(super) fn down(&self) {
        self.up.send_replace(Line::Down);
    }

    /// Takes connections again.
    pub(super) fn up(&self) {
        self.up.send_replace(Line::Up);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, server: String, mut line: watch::Receiver<Line>, cuts: Arc<Cuts>) {
    let address = listener.local_addr().expect("it listens");
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let Some(open) = &listener else {
            until(&mut line, Line::Up).await;
            listener = Some(TcpListener::bind(address).await.expect("the port is still ours"));
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                let (client, _) = accepted.expect("a connection");
                let (server, cuts) = (server.clone(), Arc::clone(&cuts));
                connections.spawn(async move {
                    // A client that has gone is none of our business.
                    let _ = pass(client, &server, &cuts).await;
                });
            }
            () = until(&mut line, Line::Down) => {
                listener = None;
                connections.shutdown().await;
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn until(line: &mut watch::Receiver<Line>, wanted: Line) {
    if line.wait_for(|line| *line == wanted).await.is_err() {
        // The proxy is being dropped, and this task with it.
        std::future::pending::<()>().await;
    }
}

/// Passes bytes in both directions until a side ends, or the rule strikes.
async fn pass(mut client: TcpStream, server: &str, cuts: &Cuts) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut request, mut reply) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut cut = None;
    let (mut sent, mut answered) = (0, 0);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let read = read?;
                if read == 0 {
                    return client.shutdown().await;
                }
                if cut.is_none() {
                    cut = cuts.strike(&request[..read]);
                    (sent, answered) = (0, 0);
                }
                sent += read;
                if let (true, Some((head, _))) =
                    (request.starts_with(b"PUT "), String::from_utf8_lossy(&request[..read]).split_once("\r\n\r\n"))
                {
                    cuts.heads.lock().unwrap().push(head.to_owned());
                }
                if let Some(rate) = cuts.rate {
                    tokio::time::sleep(Duration::from_secs(read as u64) / rate).await;
                }
                match cut {
                    Some(Cut::ResetRequest(most)) if sent >= most => return client.set_zero_linger(),
                    Some(Cut::Silence) => std::future::pending().await,
                    _ => server.write_all(&request[..read]).await?,
                }
            }
            read = server.read(&mut reply) => {
                let read = read?;
                let pass = match cut {
                    Some(Cut::EndForReply) => return client.shutdown().await,
                    Some(Cut::HoldReply) => {
                        cuts.done();
                        std::future::pending().await
                    }
                    Some(Cut::ResetForReply) => return client.set_zero_linger(),
                    Some(Cut::EndReply(most)) => read.min(most - answered),
                    _ => read,
                };
                client.write_all(&reply[..pass]).await?;
                answered += pass;
                if read == 0 || pass < read {
                    return client.shutdown().await;
                }
            }
        }
    }
}

impl Cuts {
    /// Whether a request that begins here is meant.
    fn strike(&self, bytes: &[u8]) -> Option<Cut> {
        let rule = self.rule?;
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = std::str::from_utf8(line).ok()?;
        let meant = line.starts_with(rule.method) && line.ends_with("HTTP/1.1") && line.contains(rule.holds);
        let strikes = meant && {
            let came = self.came.fetch_add(1, Ordering::Relaxed);
            (rule.after..rule.after + rule.times).contains(&came)
        };
        if strikes && rule.cut != Cut::HoldReply {
            self.done();
        }
        strikes.then_some(rule.cut)
    }

    fn done(&self) {
        self.struck.fetch_add(1, Ordering::Relaxed);
    }
}
