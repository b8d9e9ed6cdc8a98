//! Accepts sockets and serves HTTP/1.1 on them, with the bounds that a server in the open needs.
//! Must not know routes.
//!
//! `axum::serve` has no header timeout and no bound on sockets, so this is hyper's own loop.

pub mod wire;

use std::convert::Infallible;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use self::wire::Wire;
use crate::telemetry::Metrics;

/// Sockets that the system holds for us before they are accepted. More are refused by it.
const BACKLOG: i32 = 4096;

/// From accept, or from the last answer, to the end of a request's head. A slower one is cut off.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// Largest request head, in bytes. A larger one hears 431.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Sockets above the limit that are served a 503 at the same time. Further ones wait in the
/// system's backlog.
const TURNSTILE: usize = 64;

/// How long a socket above the limit may take to hear its 503.
const TURNSTILE_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause after `accept` failed (the process has no file descriptors left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket in listening state.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// What serving needs beside the routes.
pub struct Serving {
    pub routes: Router,
    /// Answers a socket above the limit.
    pub full: Arc<dyn Fn() -> Response<Body> + Send + Sync>,
    pub max_connections: usize,
    pub metrics: Metrics,
    /// Connections are spawned here, so that whoever stops can wait for them.
    pub tasks: TaskTracker,
    /// No socket is accepted after this; open ones finish their request.
    pub stop: CancellationToken,
}

impl Listener {
    /// Takes the address, `host:port`; port 0 takes a free one.
    pub async fn bind(address: &str) -> anyhow::Result<Listener> {
        let lookup = address.to_owned();
        let addresses = tokio::task::spawn_blocking(move || {
            lookup.to_socket_addrs().map(Iterator::collect::<Vec<_>>)
        })
        .await
        .context("while looking the address up")?
        .with_context(|| format!("cannot listen on {address}: no such host"))?;
        let mut failure = None;
        for candidate in addresses {
            match Listener::take(candidate) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = Some(error),
            }
        }
        let failure = failure.unwrap_or_else(|| std::io::ErrorKind::AddrNotAvailable.into());
        Err(failure).with_context(|| format!("cannot listen on {address} (--listen)"))
    }

    fn take(address: SocketAddr) -> std::io::Result<Listener> {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
        // A server that is started again takes its port back at once.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from_std(socket.into())?;
        let address = socket.local_addr()?;
        Ok(Listener { socket, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until told to stop.
    pub async fn serve(self, serving: Serving) {
        let places = Arc::new(Semaphore::new(serving.max_connections));
        let turnstile = Arc::new(Semaphore::new(TURNSTILE));
        loop {
            let stream = tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a socket could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
                () = serving.stop.cancelled() => return,
            };
            // Small frames must not wait for an acknowledgement of the ones before.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a socket keeps Nagle's algorithm");
            }
            if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                let routes = serving.routes.clone();
                let stop = serving.stop.clone();
                let guard = serving.metrics.connection();
                serving.tasks.spawn(async move {
                    let wire = Arc::new(Wire::new(stream, (place, guard)));
                    serve_one(wire, routes, stop).await;
                });
            } else if let Ok(turn) = Arc::clone(&turnstile).acquire_owned().await {
                serving.metrics.connection_refused();
                let full = Arc::clone(&serving.full);
                serving.tasks.spawn(async move {
                    let _turn = turn;
                    // Whoever is slow even in being refused is simply cut off.
                    let _: Result<(), _> =
                        tokio::time::timeout(TURNSTILE_TIMEOUT, refuse(stream, full)).await;
                });
            }
        }
    }
}

fn http() -> hyper::server::conn::http1::Builder {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES);
    http
}

async fn serve_one(wire: Arc<Wire>, routes: Router, stop: CancellationToken) {
    let service = {
        let wire = Arc::clone(&wire);
        hyper::service::service_fn(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Arc::clone(&wire));
            let mut routes = routes.clone();
            async move { routes.call(request.map(Body::new)).await }
        })
    };
    let connection = http()
        .serve_connection(TokioIo::new(wire::Stream(wire)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn refuse(stream: TcpStream, full: Arc<dyn Fn() -> Response<Body> + Send + Sync>) {
    let service = hyper::service::service_fn(move |_: Request<hyper::body::Incoming>| {
        let answer = full();
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut http = http();
    http.keep_alive(false);
    // A client that hangs up instead of reading why is no news.
    let _: Result<(), hyper::Error> = http.serve_connection(TokioIo::new(stream), service).await;
}
