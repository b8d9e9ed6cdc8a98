//! Somebody who types: our own `Session` over a real socket, and a ledger of what was typed and
//! what was called saved. Must not know what the campaign makes of it.
//!
//! Each edit inserts or deletes one whole token such as `[12.345]`, at a token's edge, so that a
//! token is in a text or it is not, whatever others type.

mod ledger;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use collab_core::document::{Edit, FileId};
use collab_core::ids::{Offset, ReplicaId};
use collab_core::session::{Effect, Input, SaveState, Session};
use collab_core::time::Millis;
use futures_util::{SinkExt, StreamExt};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Bytes of a text that is not to grow much longer.
const LONG_TEXT: usize = 8 << 10;

pub use ledger::Ledger;
use ledger::Made;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What everybody is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Connect and type.
    Type,
    /// Do not connect.
    StayAway,
    /// Connect, and type no more.
    Settle,
    /// Go.
    Leave,
}

/// How somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A key every few milliseconds.
    Fast,
    /// The next key when the one before is saved.
    OneByOne,
}

/// How somebody stands, for those who wait for it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    connected: bool,
    state: SaveState,
    /// Times that the server said it cannot save.
    troubles: u64,
    text: String,
}

/// What went out on one connection, in order: the frames that the server counts.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Our end.
    pub port: u16,
    pub frames: Vec<bytes::Bytes>,
}

/// A handle to somebody's task.
pub struct Person {
    room: String,
    seen: watch::Receiver<Seen>,
    ledger: Arc<Mutex<Ledger>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Person {
    /// Starts typing in a room.
    pub fn arrive(
        address: String,
        room: &str,
        number: usize,
        pace: Pace,
        seed: u64,
        word: watch::Receiver<Word>,
    ) -> Person {
        let (tell, seen) = watch::channel(Seen {
            connected: false,
            state: SaveState::Connecting,
            troubles: 0,
            text: String::new(),
        });
        let sent = Arc::default();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let mut chance = StdRng::seed_from_u64(seed);
        let mut session = Session::new(ReplicaId::ours(chance.random()), seed);
        session.open_file(&FileId::main());
        let stay = Stay {
            url: format!("ws://{address}/yjs/{room}"),
            number,
            pace,
            chance,
            session,
            troubled: false,
            troubles: 0,
            sent: Arc::clone(&sent),
            socket: None,
            wants_socket: false,
            word,
            tell,
            ledger: Arc::clone(&ledger),
        };
        tokio::spawn(stay.run());
        Person {
            room: room.to_owned(),
            seen,
            ledger,
            sent,
        }
    }

    /// Where.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// What was typed and saved so far.
    pub fn ledger(&self) -> Ledger {
        self.ledger
            .lock()
            .expect("nobody panics holding it")
            .clone()
    }

    /// What was sent on each connection; kept only by those who type one by one.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("nobody panics holding it").clone()
    }

    /// How often the server said that it cannot save.
    pub fn troubles(&self) -> u64 {
        self.seen.borrow().troubles
    }

    /// Waits until the server has said once more than so often that it cannot save.
    pub async fn until_troubled(&mut self, before: u64) {
        self.wait(|seen| seen.troubles > before).await;
    }

    /// Waits until the socket is gone and everything that was in it has been read.
    pub async fn until_away(&mut self) {
        self.wait(|seen| !seen.connected).await;
    }

    /// Waits until everything is called saved.
    pub async fn until_saved(&mut self) {
        self.wait(|seen| seen.connected && seen.state == SaveState::Saved)
            .await;
    }

    /// Waits until this is the text.
    pub async fn until_text(&self, text: &str) {
        let mut seen = self.seen.clone();
        seen.wait_for(|seen| seen.text == text)
            .await
            .expect("the person is still here");
    }

    async fn wait(&mut self, condition: impl FnMut(&Seen) -> bool) {
        self.seen
            .wait_for(condition)
            .await
            .expect("the person is still here");
    }
}

struct Stay {
    url: String,
    number: usize,
    pace: Pace,
    chance: StdRng,
    session: Session,
    socket: Option<Socket>,
    wants_socket: bool,
    troubled: bool,
    troubles: u64,
    word: watch::Receiver<Word>,
    tell: watch::Sender<Seen>,
    ledger: Arc<Mutex<Ledger>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Stay {
    async fn run(mut self) {
        self.give(Input::Start).await;
        loop {
            let word = *self.word.borrow_and_update();
            if word == Word::Leave {
                return;
            }
            if self.wants_socket && word != Word::StayAway {
                self.connect().await;
            }
            self.show(word);
            let pause = Duration::from_millis(self.chance.random_range(5..30));
            let ready = self.pace == Pace::Fast || self.session.unsaved() == 0;
            let keystroke = word == Word::Type && self.socket.is_some() && ready;
            tokio::select! {
                changed = self.word.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.give(Input::Retry).await;
                }
                message = receive(&mut self.socket) => match message {
                    Some(frame) => self.give(Input::Frame(frame)).await,
                    None => {
                        self.socket = None;
                        self.give(Input::Closed { code: 1006, reason: String::new() }).await;
                    }
                },
                () = tokio::time::sleep(pause), if keystroke => self.keystroke().await,
                () = until(self.session.next_deadline()) => self.give(Input::Tick).await,
            }
        }
    }

    /// Inserts a token at a token's edge, or deletes one of one's own.
    async fn keystroke(&mut self) {
        let text = self.session.document().text(&FileId::main());
        let mut edges: Vec<usize> = text.match_indices('[').map(|(at, _)| at).collect();
        edges.push(text.len());
        let count = self.ledger.lock().expect("nobody panics holding it").made();
        let own = format!("[{}.", self.number);
        let mine: Vec<usize> = text.match_indices(&own).map(|(at, _)| at).collect();
        // A text that is long enough is as often shortened, so that a long campaign does not spend
        // its time on reading.
        let odds = if text.len() > LONG_TEXT { 2 } else { 5 };
        let (edit, made) = if !mine.is_empty() && self.chance.random_ratio(1, odds) {
            let at = mine[self.chance.random_range(0..mine.len())];
            let length = text[at..].find(']').expect("a token ends") + 1;
            let token = text[at..at + length].to_owned();
            let edit = Edit {
                at: Offset(u32::try_from(at).expect("a small text")),
                delete: u32::try_from(length).expect("a short token"),
                insert: String::new(),
            };
            (edit, Made::Delete(token))
        } else {
            let at = edges[self.chance.random_range(0..edges.len())];
            let token = format!("[{}.{count}]", self.number);
            let edit = Edit {
                at: Offset(u32::try_from(at).expect("a small text")),
                delete: 0,
                insert: token.clone(),
            };
            (edit, Made::Insert(token))
        };
        {
            let mut ledger = self.ledger.lock().expect("nobody panics holding it");
            ledger.edits.push(made);
            ledger.unsaved += 1;
        }
        self.give(Input::Edit {
            file: FileId::main(),
            edits: vec![edit],
        })
        .await;
    }

    async fn give(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.session.handle(now(), input, &mut effects);
        self.ledger
            .lock()
            .expect("nobody panics holding it")
            .unsaved = usize::try_from(self.session.unsaved()).expect("a count fits");
        for effect in effects {
            match effect {
                Effect::Connect => self.wants_socket = true,
                Effect::Send(frame) => {
                    if let Some(socket) = &mut self.socket {
                        note(self.pace, &self.sent, &frame);
                        // A socket that fails here ends at its next read.
                        let _ = socket.send(Message::Binary(frame)).await;
                    }
                }
                Effect::Disconnect => self.socket = None,
                Effect::Reset { .. } => panic!("an edit of ours was not taken"),
                Effect::Keep(_)
                | Effect::Changed { .. }
                | Effect::Described
                | Effect::Refused { .. }
                | Effect::Peer { .. } => {}
                Effect::Status(state) => {
                    let troubled = matches!(state, SaveState::NotSaved { .. });
                    if troubled && !std::mem::replace(&mut self.troubled, troubled) {
                        self.troubles += 1;
                    }
                    self.troubled = troubled;
                }
            }
        }
    }

    async fn connect(&mut self) {
        self.wants_socket = false;
        let mut request = self
            .url
            .as_str()
            .into_client_request()
            .expect("a valid URL");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "collab.v1".parse().expect("a valid header"),
        );
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => {
                if let MaybeTlsStream::Plain(stream) = socket.get_ref()
                    && let Ok(here) = stream.local_addr()
                {
                    let mut sent = self.sent.lock().expect("nobody panics holding it");
                    sent.push(Sent {
                        port: here.port(),
                        frames: Vec::new(),
                    });
                }
                self.socket = Some(socket);
                Box::pin(self.give(Input::Opened)).await;
            }
            Err(_) => {
                Box::pin(self.give(Input::Closed {
                    code: 1006,
                    reason: String::new(),
                }))
                .await;
            }
        }
    }

    fn show(&self, word: Word) {
        // The text is only looked at in the end.
        let text = if word == Word::Settle {
            self.session.document().text(&FileId::main())
        } else {
            String::new()
        };
        self.tell.send_replace(Seen {
            connected: self.socket.is_some(),
            state: self.session.state(now()),
            troubles: self.troubles,
            text,
        });
    }
}

/// Writes a frame down if it is one that the server counts.
fn note(pace: Pace, sent: &Mutex<Vec<Sent>>, frame: &bytes::Bytes) {
    let counted = matches!(frame.first_chunk(), Some([0, 1 | 2]));
    if pace == Pace::OneByOne && counted {
        let mut sent = sent.lock().expect("nobody panics holding it");
        if let Some(connection) = sent.last_mut() {
            connection.frames.push(frame.clone());
        }
    }
}

/// The next binary message; `None` when the socket has ended. Waits for ever without a socket.
async fn receive(socket: &mut Option<Socket>) -> Option<bytes::Bytes> {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(frame))) => return Some(frame),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

async fn until(deadline: Option<Millis>) {
    match deadline {
        Some(at) => tokio::time::sleep(Duration::from_millis(at.since(now()))).await,
        None => std::future::pending().await,
    }
}

fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    Millis(u64::try_from(since.as_millis()).expect("milliseconds fit"))
}
