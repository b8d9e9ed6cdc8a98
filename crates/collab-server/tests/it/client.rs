//! A client over a real socket: a replica of the document and what the server said.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileId, Offer, StateVector};
use collab_core::ids::{Offset, ReplicaId};
use collab_core::protocol::{Control, Message, SUBPROTOCOL, Status, Welcome, awareness, codec};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message as Ws};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::PATIENCE;

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One client in one room.
pub struct Client {
    pub socket: Socket,
    pub document: Document,
    /// Whose edits it makes.
    pub replica: ReplicaId,
    pub welcome: Option<Welcome>,
    /// Highest count heard in `Saved`.
    pub saved: u64,
    /// State-changing messages sent.
    pub sent: u64,
    pub statuses: Vec<Status>,
    pub controls: Vec<Control>,
    pub denied: Vec<String>,
    pub presence: Vec<awareness::Entry>,
    /// Sync frames received.
    pub syncs: u64,
    pub synced: bool,
    pub closed: Option<(u16, String)>,
}

/// A request for a WebSocket in a room, with these headers.
pub fn request(address: SocketAddr, room: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = format!("ws://{address}/yjs/{room}")
        .into_client_request()
        .expect("an address");
    for (name, value) in headers {
        request.headers_mut().insert(
            name.parse::<HeaderName>().expect("a header's name"),
            HeaderValue::from_str(value).expect("a header's value"),
        );
    }
    request
}

impl Client {
    /// As our own page connects.
    pub async fn collab(address: SocketAddr, room: &str) -> Client {
        Client::open(request(
            address,
            room,
            &[("sec-websocket-protocol", SUBPROTOCOL)],
        ))
        .await
    }

    /// As y-websocket connects.
    pub async fn plain(address: SocketAddr, room: &str) -> Client {
        Client::open(request(address, room, &[])).await
    }

    pub async fn open(request: Request) -> Client {
        let (socket, _) = connect_async(request).await.expect("the server takes us");
        static NEXT: AtomicU32 = AtomicU32::new(1000);
        let replica = ReplicaId::ours(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut client = Client {
            socket,
            document: Document::new(replica),
            replica,
            welcome: None,
            saved: 0,
            sent: 0,
            statuses: Vec::new(),
            controls: Vec::new(),
            denied: Vec::new(),
            presence: Vec::new(),
            syncs: 0,
            synced: false,
            closed: None,
        };
        let question = client.document.state_vector().encode();
        client.send(&Message::SyncStep1(question.into())).await;
        client
    }

    pub async fn send(&mut self, message: &Message) {
        if matches!(message, Message::SyncStep2(_) | Message::Update(_)) {
            self.sent += 1;
        }
        self.raw(codec::encode(message)).await;
    }

    /// Sends a frame as it is. A server that has hung up already is found out by reading.
    pub async fn raw(&mut self, frame: Bytes) {
        let _: Result<(), tungstenite::Error> = self.socket.send(Ws::Binary(frame)).await;
    }

    /// Types at the end of the main file.
    pub async fn type_text(&mut self, text: &str) {
        let file = FileId::main();
        let edit = Edit {
            at: Offset(self.document.text_len(&file)),
            delete: 0,
            insert: text.to_owned(),
        };
        let update = self.document.edit(&file, &[edit]).expect("at the end");
        self.send(&Message::Update(update)).await;
    }

    /// Deletes the whole text of the main file.
    pub async fn delete_all(&mut self) {
        let file = FileId::main();
        let edit = Edit {
            at: Offset(0),
            delete: self.document.text_len(&file),
            insert: String::new(),
        };
        let update = self.document.edit(&file, &[edit]).expect("the whole text");
        self.send(&Message::Update(update)).await;
    }

    pub fn text(&self) -> String {
        self.document.text(&FileId::main())
    }

    /// Reads until this holds.
    pub async fn until(&mut self, what: &str, mut holds: impl FnMut(&Client) -> bool) {
        let wait = async {
            while !holds(self) {
                assert!(
                    self.closed.is_none(),
                    "closed {:?} instead of: {what}",
                    self.closed
                );
                self.read().await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!(
                "waited too long for: {what}; text {:?}, saved {}",
                self.text(),
                self.saved
            );
        }
    }

    /// Reads until the text is this.
    pub async fn until_text(&mut self, text: &str) {
        self.until(text, |client| client.text() == text).await;
    }

    /// Reads until everything sent is acknowledged.
    pub async fn until_saved(&mut self) {
        self.until("Saved", |client| client.saved == client.sent)
            .await;
    }

    pub async fn until_synced(&mut self) {
        self.until("SyncStep2", |client| client.synced).await;
    }

    /// Reads until the server closes; its code and reason.
    pub async fn until_closed(&mut self) -> (u16, String) {
        let wait = async {
            while self.closed.is_none() {
                self.read().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the server closes");
        self.closed.clone().expect("closed")
    }

    /// One WebSocket message.
    pub async fn read(&mut self) {
        match self.socket.next().await {
            Some(Ok(Ws::Binary(frame))) => self.frame(frame).await,
            Some(Ok(Ws::Close(frame))) => {
                self.closed = Some(frame.map_or((1005, String::new()), |frame| {
                    (frame.code.into(), frame.reason.to_string())
                }));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => self.closed = Some((1006, error.to_string())),
            None => self.closed = Some((1006, String::new())),
        }
    }

    async fn frame(&mut self, frame: Bytes) {
        let messages = codec::decode(frame).expect("the server speaks its protocol");
        assert_eq!(messages.len(), 1, "one message per frame towards clients");
        for message in messages {
            match message {
                Message::SyncStep1(state_vector) => {
                    let theirs = StateVector::decode(&state_vector).expect("a state vector");
                    let diff = self.document.diff(&theirs).expect("a healthy replica");
                    self.send(&Message::SyncStep2(diff)).await;
                }
                Message::SyncStep2(update) => {
                    self.synced = true;
                    self.apply(&update);
                }
                Message::Update(update) => self.apply(&update),
                Message::Awareness(body) => {
                    self.presence
                        .extend(awareness::decode(body).expect("entries"));
                }
                Message::Denied(reason) => self.denied.push(reason),
                Message::Control(control) => {
                    match &control {
                        Control::Welcome(welcome) => self.welcome = Some(welcome.clone()),
                        Control::Saved { frames, .. } => {
                            assert!(*frames >= self.saved, "counts never go back");
                            assert!(*frames <= self.sent, "nothing is saved that was not sent");
                            self.saved = *frames;
                        }
                        Control::Status(status) => self.statuses.push(*status),
                        Control::Rejected { .. } | Control::Closing { .. } => {}
                    }
                    self.controls.push(control);
                }
                Message::QueryAwareness | Message::Unknown(_) => panic!("{message:?}"),
            }
        }
    }

    fn apply(&mut self, update: &[u8]) {
        self.syncs += 1;
        let offer = Offer {
            update,
            new_replicas: u32::MAX,
        };
        let turn = self.document.apply(&[offer]).expect("a healthy update");
        // Before the answer to our own question others' edits may rest on what we do not have yet.
        assert!(
            !self.synced
                || matches!(
                    turn.outcomes[..],
                    [collab_core::document::Outcome::Applied { .. }]
                ),
            "no update is skipped on the way: {:?}",
            turn.outcomes
        );
    }
}

/// Offers a connection and says with which status it was refused, and the body.
pub async fn refused(request: Request) -> (u16, serde_json::Value) {
    match connect_async(request).await {
        Ok(_) => panic!("the server took us"),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            (response.status().as_u16(), body)
        }
        Err(error) => panic!("{error}"),
    }
}
