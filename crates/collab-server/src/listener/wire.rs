//! One accepted socket, with what its tasks need to judge it: how much came in, how much went out,
//! and when. Must not know what the bytes are.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::telemetry::ConnectionGuard;

/// Bytes thrown away at a time.
const SINK_BYTES: usize = 16 << 10;

/// The socket. Shared by HTTP's side, which reads and writes it, and by the WebSocket's task,
/// which watches it.
pub struct Wire {
    stream: TcpStream,
    begun: Instant,
    written: AtomicU64,
    /// When bytes last came in, in milliseconds since `begun`.
    heard_ms: AtomicU64,
    /// Held for as long as the socket is open.
    _place: (OwnedSemaphorePermit, ConnectionGuard),
}

impl Wire {
    pub(super) fn new(stream: TcpStream, place: (OwnedSemaphorePermit, ConnectionGuard)) -> Wire {
        Wire {
            stream,
            begun: Instant::now(),
            written: AtomicU64::new(0),
            heard_ms: AtomicU64::new(0),
            _place: place,
        }
    }

    /// Bytes that the system has taken for sending.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// When bytes last came in; at first, when the socket was accepted.
    pub fn heard(&self) -> Instant {
        self.begun + Duration::from_millis(self.heard_ms.load(Ordering::Relaxed))
    }

    /// Says that nothing more will be sent, then throws away what still comes in, until the peer
    /// hangs up or `limit` has passed. Closing a socket with unread bytes would reset it, and the
    /// peer might never read why.
    pub async fn linger(&self, limit: Duration) {
        if socket2::SockRef::from(&self.stream)
            .shutdown(std::net::Shutdown::Write)
            .is_err()
        {
            return;
        }
        let sink = async {
            let mut thrown_away = vec![0; SINK_BYTES];
            loop {
                if self.stream.readable().await.is_err() {
                    return;
                }
                match self.stream.try_read(&mut thrown_away) {
                    Ok(0) => return,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        };
        // Whoever does not hang up is hung up on.
        let _: Result<(), _> = tokio::time::timeout(limit, sink).await;
    }
}

/// The reading and writing end of a [`Wire`]. There is one.
pub(super) struct Stream(pub(super) Arc<Wire>);

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = &self.0;
        loop {
            ready!(wire.stream.poll_read_ready(cx))?;
            match wire.stream.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    let heard = wire.begun.elapsed().as_millis();
                    let heard = u64::try_from(heard).unwrap_or(u64::MAX);
                    wire.heard_ms.store(heard, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Stream {
    fn poll_with(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let wire = &self.0;
        loop {
            ready!(wire.stream.poll_write_ready(cx))?;
            match write(&wire.stream) {
                Ok(count) => {
                    let count_u64 = u64::try_from(count).unwrap_or(u64::MAX);
                    wire.written.fetch_add(count_u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(&self.0.stream).shutdown(std::net::Shutdown::Write))
    }
}
