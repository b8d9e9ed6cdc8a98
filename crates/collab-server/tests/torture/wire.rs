//! A wire between the server and its Postgres that can hold back what is said about an append, in
//! either direction, and that knows which append never had its answer. It reads only as much of
//! the protocol as that takes. Must not know who is at its ends.

mod messages;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use messages::Places;
use messages::{Answers, Message, Questions, Said};

/// What happens from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Everything passes.
    Whole,
    /// The next append does not reach the database.
    HoldQuestions,
    /// The next append is committed, and its answer does not reach the server.
    HoldAnswers,
    /// This question, counted from the beginning, does not reach the database.
    HoldQuestion(u64),
    /// It is answered, and the answer does not reach the server.
    HoldAnswer(u64),
    /// Nobody gets through; those who are through stay until an end closes.
    Closed,
}

#[derive(Debug, Default)]
struct Seen {
    /// Appends asked and not answered, by connection.
    asked: BTreeMap<u64, Places>,
    /// Those whose connection broke.
    unanswered: Vec<Places>,
    /// Questions of all kinds so far, and the last one of each connection.
    questions: u64,
    last: BTreeMap<u64, u64>,
}

/// See the module.
pub struct Proxy {
    wire: watch::Sender<Wire>,
    held: watch::Receiver<u64>,
    standing: watch::Receiver<u64>,
    seen: Arc<Mutex<Seen>>,
    port: u16,
}

#[derive(Clone)]
struct Hands {
    wire: watch::Receiver<Wire>,
    held: watch::Sender<u64>,
    standing: watch::Sender<u64>,
    seen: Arc<Mutex<Seen>>,
    connection: u64,
}

impl Proxy {
    /// To the Postgres at this port.
    pub async fn start(target: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let wire = watch::Sender::new(Wire::Whole);
        let (tell, held) = watch::channel(0);
        let (count, standing) = watch::channel(0);
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let hands = Hands {
            wire: wire.subscribe(),
            held: tell,
            standing: count,
            seen: Arc::clone(&seen),
            connection: 0,
        };
        tokio::spawn(accept(listener, target, hands));
        Proxy {
            wire,
            held,
            standing,
            seen,
            port,
        }
    }

    /// This database, reached through the wire.
    pub fn through(&self, url: &str) -> String {
        let (_, name) = url.rsplit_once('/').expect("the URL names a database");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Holds the next append, or its answer, and waits until there is one.
    pub async fn hold(&mut self, wire: Wire) {
        self.held.borrow_and_update();
        self.set(wire);
        self.until_held().await;
    }

    /// Counts questions from 1 again and holds one of them, or its answer.
    pub fn hold_one(&mut self, wire: Wire) {
        self.seen
            .lock()
            .expect("nobody panics holding it")
            .questions = 0;
        self.held.borrow_and_update();
        self.set(wire);
    }

    /// Waits until something is held.
    pub async fn until_held(&mut self) {
        self.held.changed().await.expect("the wire is there");
    }

    /// Appends that were on their way when their connection broke, since the last call. All
    /// connections must have broken.
    pub fn take_unanswered(&self) -> Vec<Places> {
        let mut seen = self.seen.lock().expect("nobody panics holding it");
        std::mem::take(&mut seen.unanswered)
    }

    /// Waits until every connection through the wire has broken.
    pub async fn until_all_broken(&mut self) {
        self.standing
            .wait_for(|standing| *standing == 0)
            .await
            .expect("the wire is there");
    }
}

async fn accept(listener: TcpListener, target: u16, mut hands: Hands) {
    while let Ok((server, _)) = listener.accept().await {
        hands.connection += 1;
        if *hands.wire.borrow() == Wire::Closed {
            continue;
        }
        let Ok(database) = TcpStream::connect(("127.0.0.1", target)).await else {
            // The database is down; the server sees its connection closed.
            continue;
        };
        // Messages pass one by one; none may wait for the next.
        for end in [&server, &database] {
            end.set_nodelay(true).expect("a TCP connection");
        }
        let (from_server, to_server) = server.into_split();
        let (from_database, to_database) = database.into_split();
        let hands = hands.clone();
        hands.standing.send_modify(|standing| *standing += 1);
        tokio::spawn(async move {
            // The first end to close takes the other along.
            tokio::select! {
                () = questions(from_server, to_database, hands.clone()) => {}
                () = answers(from_database, to_server, hands.clone()) => {}
            }
            {
                let mut seen = hands.seen.lock().expect("nobody panics holding it");
                let unanswered = seen.asked.remove(&hands.connection);
                seen.unanswered.extend(unanswered);
            }
            hands.standing.send_modify(|standing| *standing -= 1);
        });
    }
}

async fn questions(from: OwnedReadHalf, mut to: OwnedWriteHalf, hands: Hands) {
    let mut messages = Questions::new(from);
    while let Some(Message { bytes, said }) = messages.next().await {
        let wire = *hands.wire.borrow();
        let hold = {
            let mut seen = hands.seen.lock().expect("nobody panics holding it");
            match said {
                Said::Append(places) => {
                    seen.asked.insert(hands.connection, places);
                    wire == Wire::HoldQuestions
                }
                Said::Ready => {
                    seen.questions += 1;
                    let number = seen.questions;
                    seen.last.insert(hands.connection, number);
                    wire == Wire::HoldQuestion(number)
                }
                Said::Other => false,
            }
        };
        if hold {
            hands.held.send_modify(|held| *held += 1);
            // Nothing more passes until an end closes.
            while messages.next().await.is_some() {}
            return;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn answers(from: OwnedReadHalf, mut to: OwnedWriteHalf, hands: Hands) {
    let mut messages = Answers::new(from);
    let mut holding = false;
    while let Some(Message { bytes, said }) = messages.next().await {
        let wire = *hands.wire.borrow();
        {
            let mut seen = hands.seen.lock().expect("nobody panics holding it");
            holding |= match wire {
                Wire::HoldAnswers => seen.asked.contains_key(&hands.connection),
                Wire::HoldAnswer(question) => seen.last.get(&hands.connection) == Some(&question),
                _ => false,
            };
            if matches!(said, Said::Ready) && !holding {
                seen.asked.remove(&hands.connection);
            }
        }
        if matches!(said, Said::Ready) && holding {
            // It is done. Nothing more passes until the other end closes.
            hands.held.send_modify(|held| *held += 1);
        }
        if !holding && to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
