//! The input, read ahead.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, ready};
use std::thread;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use tokio::io::{AsyncRead, ReadBuf};

/// What is read at a time, as a pipe gives it.
const SIZE: usize = 64 * 1024;
/// As many are read ahead, so that a thread is woken only where it has nothing to do: that costs more than the read.
const BUFFERS: usize = 8;

/// Reads in a thread of its own, which a read that never ends holds up alone.
pub(crate) struct Ahead {
    full: UnboundedReceiver<io::Result<Vec<u8>>>,
    empty: mpsc::Sender<Vec<u8>>,
    current: Vec<u8>,
    taken: usize,
}

impl Ahead {
    pub(crate) fn new(mut input: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, full) = unbounded();
        let (empty, buffers) = mpsc::channel();
        for _ in 0..BUFFERS {
            // The thread that takes them begins below.
            let _ = empty.send(Vec::new());
        }
        thread::Builder::new().name("input".into()).spawn(move || {
            for mut buffer in buffers {
                let read = read(&mut input, &mut buffer);
                let is_last = !matches!(read, Ok(1..));
                let sent = sender.unbounded_send(read.map(|size| {
                    buffer.truncate(size);
                    buffer
                }));
                if is_last || sent.is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { full, empty, current: Vec::new(), taken: 0 })
    }
}

fn read(input: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.resize(SIZE, 0);
    loop {
        match input.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

impl AsyncRead for Ahead {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.taken == self.current.len() {
            // The thread has ended after the last of them.
            let Some(next) = ready!(self.full.poll_next_unpin(task)) else { return Poll::Ready(Ok(())) };
            let used = std::mem::replace(&mut self.current, next?);
            self.taken = 0;
            let _ = self.empty.send(used);
        }
        let rest = &self.current[self.taken..];
        let size = rest.len().min(out.remaining());
        out.put_slice(&rest[..size]);
        self.taken += size;
        Poll::Ready(Ok(()))
    }
}
