//! `collab-ceiling`: what a WebSocket broadcaster costs that does nothing else. No document, no
//! storage, no checks: each update goes to everybody else in its room, with one write per member and
//! turn. What a server needs beyond this is what its promises cost.
//!
//! Beside the load generator; never a server for anybody.

#[path = "../load/websocket.rs"]
#[expect(dead_code, reason = "the other side of the same frames")]
mod websocket;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::websocket::Opcode;

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

#[derive(Parser)]
#[command(name = "collab-ceiling")]
struct Cli {
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Who is in one room.
#[derive(Default)]
struct Room {
    members: Vec<Rc<Member>>,
    dirty: Rc<Notify>,
}

struct Member {
    stream: TcpStream,
    out: RefCell<Vec<u8>>,
}

type Rooms = Rc<RefCell<BTreeMap<String, Rc<RefCell<Room>>>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let listener = TcpListener::bind(cli.listen).await?;
    println!("Ceiling is ready at http://{}/", listener.local_addr()?);
    let rooms = Rooms::default();
    tokio::task::LocalSet::new()
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let rooms = Rc::clone(&rooms);
                tokio::task::spawn_local(async move {
                    // Whoever hangs up is simply gone.
                    let _: Result<()> = serve(stream, rooms).await;
                });
            }
        })
        .await
}

async fn serve(stream: TcpStream, rooms: Rooms) -> Result<()> {
    let mut bytes = Vec::with_capacity(1 << 10);
    let end = loop {
        if read(&stream, &mut bytes).await? == 0 {
            return Ok(());
        }
        if let Some(end) = websocket::head_end(&bytes) {
            break end;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let path = head.split(' ').nth(1).context("no path")?.to_owned();
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .context("no WebSocket")?;
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.trim().as_bytes())
    );
    drop(bytes.drain(..end));
    let member = Rc::new(Member {
        stream,
        out: RefCell::new(answer.into_bytes()),
    });
    let room = Rc::clone(rooms.borrow_mut().entry(path).or_insert_with(|| {
        let room = Rc::new(RefCell::new(Room::default()));
        tokio::task::spawn_local(flush(Rc::clone(&room)));
        room
    }));
    room.borrow_mut().members.push(Rc::clone(&member));
    let ended = relay(&member, &room, bytes).await;
    room.borrow_mut()
        .members
        .retain(|other| !Rc::ptr_eq(other, &member));
    ended
}

async fn read(stream: &TcpStream, bytes: &mut Vec<u8>) -> Result<usize> {
    loop {
        stream.readable().await?;
        bytes.reserve(READ_BYTES);
        match stream.try_read_buf(bytes) {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn relay(member: &Rc<Member>, room: &Rc<RefCell<Room>>, mut bytes: Vec<u8>) -> Result<()> {
    let mut frame = Vec::new();
    loop {
        let mut used = 0;
        while let Some(found) = websocket::find(&bytes[used..])? {
            let payload = &mut bytes[used + found.start..used + found.end];
            used += found.end;
            if let Some(mask) = found.mask {
                websocket::unmask(payload, mask);
            }
            match (found.opcode, &*payload) {
                // Whoever asks hears that there is nothing.
                (Opcode::Binary, [0, 0, ..]) => websocket::put_server(
                    &mut member.out.borrow_mut(),
                    Opcode::Binary,
                    &[0, 1, 2, 0, 0],
                ),
                (Opcode::Binary, [0, 2, ..] | [1, ..]) => {
                    frame.clear();
                    websocket::put_server(&mut frame, Opcode::Binary, payload);
                    for other in &room.borrow().members {
                        if !Rc::ptr_eq(other, member) {
                            other.out.borrow_mut().extend_from_slice(&frame);
                        }
                    }
                }
                (Opcode::Close, _) => return Ok(()),
                _ => {}
            }
        }
        drop(bytes.drain(..used));
        room.borrow().dirty.notify_one();
        if read(&member.stream, &mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

/// Writes what waits for the members of a room, once all who were ready have been read.
async fn flush(room: Rc<RefCell<Room>>) {
    let dirty = Rc::clone(&room.borrow().dirty);
    loop {
        dirty.notified().await;
        tokio::task::yield_now().await;
        let mut left = false;
        for member in &room.borrow().members {
            let mut out = member.out.borrow_mut();
            if out.is_empty() {
                continue;
            }
            match member.stream.try_write(&out) {
                Ok(count) => drop(out.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => out.clear(),
            }
            left |= !out.is_empty();
        }
        if left {
            dirty.notify_one();
        }
    }
}
