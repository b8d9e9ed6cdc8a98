//! Many clients on one thread: connects them, carries their bytes, and hands each message to the
//! scenario. Must not know what is measured.
//!
//! One `epoll` loop without tasks, one read and one write per client and turn: what a client costs
//! here is a fraction of what it costs the server, so the generator is not what is measured.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::dialect::{Dialect, Incoming, Outgoing};
use crate::websocket::{self, Opcode};

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// Handshakes on their way at a time: below every server's backlog.
const CONNECTING: usize = 256;

/// From connecting to being answered.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// Where the clients go.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub host: String,
    /// Path before the room's name, without a slash at its end.
    pub path: String,
    pub dialect: Dialect,
}

impl Target {
    /// From `ws://host:port/path`.
    pub fn parse(url: &str, dialect: Dialect) -> Result<Target> {
        let rest = url
            .strip_prefix("ws://")
            .context("the URL begins with ws://")?;
        let (host, path) = match rest.split_once('/') {
            Some((host, path)) => (host, format!("/{path}")),
            None => (rest, String::new()),
        };
        let address = host
            .to_socket_addrs()
            .with_context(|| format!("no such host: {host}"))?
            .next()
            .with_context(|| format!("no address for {host}"))?;
        Ok(Target {
            address,
            host: host.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
            dialect,
        })
    }

    fn request(&self, room: &str) -> String {
        let path = match self.dialect {
            Dialect::Hocuspocus if self.path.is_empty() => "/".to_owned(),
            Dialect::Hocuspocus => self.path.clone(),
            Dialect::Yjs | Dialect::Collab => format!("{}/{room}", self.path),
        };
        let protocol = match self.dialect {
            Dialect::Collab => "Sec-WebSocket-Protocol: collab.v1\r\n",
            Dialect::Yjs | Dialect::Hocuspocus => "",
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y29sbGFiLWxvYWQtMDEyMw==\r\n{protocol}\r\n",
            self.host
        )
    }
}

/// How far a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its handshake is not answered yet.
    Knocking,
    /// Its question is not answered yet.
    Asking,
    In,
    Gone,
}

struct Link {
    stream: TcpStream,
    room: String,
    stage: Stage,
    /// Bytes of a message that is not all here.
    partial: Vec<u8>,
    out: Vec<u8>,
    dirty: bool,
    /// What it has when it asks: a state vector, and the update that it answers the server's
    /// question with.
    have: Vec<u8>,
    offers: Vec<u8>,
    begun: Instant,
    /// Whether it leaves what comes in the socket.
    stalled: bool,
}

/// See the module.
pub struct Swarm {
    target: Target,
    poll: Poll,
    links: Vec<Link>,
    dirty: Vec<usize>,
    buffer: Vec<u8>,
    payload: Vec<u8>,
    /// Bytes that came in.
    pub bytes_in: u64,
    /// Connections that ended.
    pub gone: usize,
    /// When the latest turn began to be read.
    pub now: Instant,
}

/// A client who is to come.
#[derive(Debug, Clone, Default)]
pub struct Newcomer {
    pub room: String,
    /// Its state vector; empty stands for that of an empty document.
    pub have: Vec<u8>,
    /// What it made while it was away, as one update; empty for nothing.
    pub offers: Vec<u8>,
}

/// Client and message; and the swarm, to send with.
pub type Listener<'a> = &'a mut dyn FnMut(&mut Swarm, usize, Incoming<'_>) -> Result<()>;

impl Swarm {
    pub fn new(target: Target) -> Result<Swarm> {
        Ok(Swarm {
            target,
            poll: Poll::new()?,
            links: Vec::new(),
            dirty: Vec::new(),
            buffer: vec![0; READ_BYTES],
            payload: Vec::new(),
            bytes_in: 0,
            gone: 0,
            now: Instant::now(),
        })
    }

    /// Brings clients in, some at a time, until each has been answered what it asked. Returns from
    /// connecting to that answer, for each.
    pub fn join(
        &mut self,
        newcomers: impl IntoIterator<Item = Newcomer>,
        on: Listener<'_>,
    ) -> Result<Vec<Duration>> {
        let mut newcomers = newcomers.into_iter();
        let first = self.links.len();
        let mut took = Vec::new();
        let until = Instant::now() + JOIN_LIMIT;
        let mut all_begun = false;
        loop {
            while !all_begun && self.links.len() - first - took.len() < CONNECTING {
                match newcomers.next() {
                    Some(newcomer) => self.knock(newcomer)?,
                    None => all_begun = true,
                }
            }
            let joined = took.len();
            if all_begun && joined == self.links.len() - first {
                return Ok(took);
            }
            if self.gone > 0 {
                bail!("{} connections ended while joining", self.gone);
            }
            if Instant::now() > until {
                bail!(
                    "{joined} clients of {} were answered",
                    self.links.len() - first
                );
            }
            self.turn(Duration::from_millis(100), &mut |swarm, who, message| {
                if let Incoming::Step2(_) = message
                    && let Some(link) = swarm.links.get_mut(who)
                    && link.stage == Stage::Asking
                {
                    link.stage = Stage::In;
                    took.push(link.begun.elapsed());
                }
                on(swarm, who, message)
            })?;
        }
    }

    fn knock(&mut self, newcomer: Newcomer) -> Result<()> {
        let begun = Instant::now();
        let stream = std::net::TcpStream::connect(self.target.address)
            .with_context(|| format!("while connecting to {}", self.target.address))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let index = self.links.len();
        self.poll.registry().register(
            &mut stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        let request = self.target.request(&newcomer.room);
        self.links.push(Link {
            stream,
            stage: Stage::Knocking,
            partial: Vec::new(),
            out: request.into_bytes(),
            dirty: false,
            have: if newcomer.have.is_empty() {
                vec![0]
            } else {
                newcomer.have
            },
            offers: newcomer.offers,
            room: newcomer.room,
            begun,
            stalled: false,
        });
        self.touch(index);
        self.flush()
    }

    /// Sends a message with the next flush.
    pub fn send(&mut self, who: usize, message: Outgoing<'_>) {
        let Some(link) = self.links.get_mut(who) else {
            return;
        };
        self.payload.clear();
        self.target
            .dialect
            .put(&mut self.payload, &link.room, message);
        websocket::put_client(&mut link.out, Opcode::Binary, &self.payload);
        self.touch(who);
    }

    fn touch(&mut self, who: usize) {
        if let Some(link) = self.links.get_mut(who)
            && !std::mem::replace(&mut link.dirty, true)
        {
            self.dirty.push(who);
        }
    }

    /// A client stops reading; the kernel, and then the server, keep what is for it.
    pub fn stall(&mut self, who: usize) {
        if let Some(link) = self.links.get_mut(who) {
            link.stalled = true;
        }
    }

    /// A client reads again, and first what it has left.
    pub fn resume(&mut self, who: usize, on: Listener<'_>) -> Result<()> {
        if let Some(link) = self.links.get_mut(who) {
            link.stalled = false;
        }
        self.read(who, on)
    }

    /// Bytes that wait to be written to the server.
    pub fn unwritten(&self, who: usize) -> usize {
        self.links.get(who).map_or(0, |link| link.out.len())
    }

    /// Hangs up.
    pub fn leave(&mut self, who: usize) {
        if let Some(link) = self.links.get_mut(who) {
            // A socket that is gone already is as good.
            let _: std::io::Result<()> = link.stream.shutdown(std::net::Shutdown::Both);
            link.stage = Stage::Gone;
        }
    }

    /// Writes what waits, then reads what has come or comes within `wait`.
    pub fn turn(&mut self, wait: Duration, on: Listener<'_>) -> Result<()> {
        self.flush()?;
        let mut events = Events::with_capacity(1_024);
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => other.context("while waiting for sockets")?,
        }
        self.now = Instant::now();
        for event in &events {
            let who = event.token().0;
            if event.is_writable() && self.links.get(who).is_some_and(|link| !link.out.is_empty()) {
                self.touch(who);
            }
            if event.is_readable() {
                self.read(who, on)?;
            }
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        for who in std::mem::take(&mut self.dirty) {
            let Some(link) = self.links.get_mut(who) else {
                continue;
            };
            link.dirty = false;
            match link.stream.write(&link.out) {
                Ok(count) => drop(link.out.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.lose(who),
            }
        }
        Ok(())
    }

    fn lose(&mut self, who: usize) {
        if let Some(link) = self.links.get_mut(who)
            && link.stage != Stage::Gone
        {
            link.stage = Stage::Gone;
            self.gone += 1;
        }
    }

    fn read(&mut self, who: usize, on: Listener<'_>) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.read_into(&mut buffer, who, on);
        self.buffer = buffer;
        result
    }

    fn read_into(&mut self, buffer: &mut [u8], who: usize, on: Listener<'_>) -> Result<()> {
        loop {
            let Some(link) = self.links.get_mut(who) else {
                return Ok(());
            };
            if link.stage == Stage::Gone || link.stalled {
                return Ok(());
            }
            let count = match link.stream.read(buffer) {
                Ok(0) => {
                    self.lose(who);
                    return Ok(());
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => {
                    self.lose(who);
                    return Ok(());
                }
            };
            self.bytes_in += count as u64;
            let fresh = buffer.get(..count).unwrap_or_default();
            if link.partial.is_empty() {
                let used = self.take(who, fresh, on)?;
                let rest = fresh.get(used..).unwrap_or_default();
                if let Some(link) = self.links.get_mut(who) {
                    link.partial.extend_from_slice(rest);
                }
            } else {
                let mut partial = std::mem::take(&mut link.partial);
                partial.extend_from_slice(fresh);
                let used = self.take(who, &partial, on)?;
                drop(partial.drain(..used));
                if let Some(link) = self.links.get_mut(who) {
                    link.partial = partial;
                }
            }
            // A short read has emptied the socket.
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Deals with every whole frame in `bytes`; returns how many bytes that were.
    fn take(&mut self, who: usize, bytes: &[u8], on: Listener<'_>) -> Result<usize> {
        let mut used = 0;
        if self
            .links
            .get(who)
            .is_some_and(|it| it.stage == Stage::Knocking)
        {
            let Some(end) = websocket::head_end(bytes) else {
                return Ok(0);
            };
            let head = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
            if !head.starts_with("HTTP/1.1 101") {
                bail!("no WebSocket: {}", head.lines().next().unwrap_or_default());
            }
            self.ask(who);
            used = end;
        }
        while let Some(frame) = websocket::find(bytes.get(used..).unwrap_or_default())? {
            let payload = bytes
                .get(used + frame.start..used + frame.end)
                .unwrap_or_default();
            used += frame.end;
            match frame.opcode {
                Opcode::Binary => {
                    let message = self.target.dialect.read(payload)?;
                    if let Incoming::Step1(_) = message {
                        self.offer(who);
                    }
                    on(self, who, message)?;
                }
                Opcode::Ping => {
                    if let Some(link) = self.links.get_mut(who) {
                        websocket::put_client(&mut link.out, Opcode::Pong, payload);
                        self.touch(who);
                    }
                }
                Opcode::Close => self.lose(who),
                Opcode::Text | Opcode::Pong => {}
            }
        }
        Ok(used)
    }

    fn ask(&mut self, who: usize) {
        if self.target.dialect.wants_token() {
            self.send(who, Outgoing::Token);
        }
        let Some(link) = self.links.get_mut(who) else {
            return;
        };
        link.stage = Stage::Asking;
        let have = std::mem::take(&mut link.have);
        self.send(who, Outgoing::Step1(&have));
    }

    fn offer(&mut self, who: usize) {
        let offers = self
            .links
            .get_mut(who)
            .map(|link| std::mem::take(&mut link.offers));
        match offers {
            Some(offers) if !offers.is_empty() => self.send(who, Outgoing::Step2(&offers)),
            _ => self.send(who, Outgoing::Step2(&[0, 0])),
        }
    }
}
