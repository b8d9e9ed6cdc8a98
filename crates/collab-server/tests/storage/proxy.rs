//! A wire between the server and its Postgres that can be cut, in each direction. Must not know
//! the protocol on it.

use collab_server::storage::DatabaseUrl;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;

/// What happens to bytes from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Whole,
    /// The connection breaks when the server asks something, before the database hears it.
    CutQuestions,
    /// The connection breaks when the database answers, before the server hears it.
    CutAnswers,
    /// Connections that exist now carry nothing any more, without a word. New ones work.
    Silent,
}

/// A running proxy.
pub struct Proxy {
    wire: watch::Sender<Wire>,
    /// The same database, through the proxy.
    pub url: DatabaseUrl,
}

impl Proxy {
    pub async fn start(database: &DatabaseUrl) -> Proxy {
        let DatabaseUrl::Postgres(config) = database else {
            panic!("only Postgres has a wire");
        };
        let Some(Host::Tcp(host)) = config.get_hosts().first() else {
            panic!("COLLAB_TEST_POSTGRES_URL must name a host");
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let target = (host.clone(), port);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let here = listener.local_addr().expect("bound").port();
        let wire = watch::Sender::new(Wire::Whole);
        tokio::spawn({
            let wire = wire.clone();
            async move {
                while let Ok((server, _)) = listener.accept().await {
                    let database = TcpStream::connect(&target).await.expect("the database");
                    let (questions, to_server) = server.into_split();
                    let (answers, to_database) = database.into_split();
                    let wire = wire.subscribe();
                    tokio::spawn(carry(
                        questions,
                        to_database,
                        wire.clone(),
                        Wire::CutQuestions,
                    ));
                    tokio::spawn(carry(answers, to_server, wire, Wire::CutAnswers));
                }
            }
        });
        // A fresh config: hosts and ports can only be added to.
        let name = config.get_dbname().expect("a test database has a name");
        let user = config.get_user().expect("checked by the URL's parser");
        let url = format!("postgres://{user}@127.0.0.1:{here}/{name}");
        Proxy {
            wire,
            url: url.parse().expect("a URL"),
        }
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

/// Carries one direction until it is cut. Dropping a half does not close its connection while the
/// other direction lives, hence the shutdown; the other side then ends in turn.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut wire: watch::Receiver<Wire>,
    cut: Wire,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            biased;
            silent = async { wire.wait_for(|wire| *wire == Wire::Silent).await.is_ok() } => {
                if silent {
                    // Keeps both sockets open and says nothing for as long as the test runs.
                    std::future::pending::<()>().await;
                }
                0
            }
            read = from.read(&mut buffer) => read.unwrap_or(0),
        };
        let whole = *wire.borrow_and_update() != cut;
        if read == 0 || !whole || to.write_all(&buffer[..read]).await.is_err() {
            let _ = to.shutdown().await;
            return;
        }
    }
}
