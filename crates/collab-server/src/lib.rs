//! Collab's server: sockets, HTTP, storage and tasks around `collab-core`, which makes every
//! decision. [`Server`] is what the program and the tests start. Must not know flags and
//! environment; `config` alone does.

pub mod backup;
pub mod config;
pub mod fsck;
pub mod history;
pub mod http;
pub mod import;
pub mod listener;
pub mod rooms;
pub mod shutdown;
pub mod storage;
pub mod telemetry;
pub mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::config::Limits;
use self::history::housekeeper::{self, Housekeeper};
use self::history::past::History;
use self::http::{App, Inner, Origins, PageSource, Root};
use self::listener::{Listener, Serving};
use self::rooms::Rooms;
use self::shutdown::Drained;
use self::storage::{Store, Writer};
use self::telemetry::Metrics;
use self::transport::{Doorway, Timing};

/// How often histogram samples are sorted into buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// What a server is to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `host:port`.
    pub listen: String,
    pub public_url: Option<String>,
    /// What every path begins with, as `/collab`; empty for the root.
    pub base_path: String,
    pub allowed_origins: Vec<String>,
    pub page: PageSource,
    pub auto_create: bool,
    pub limits: Limits,
    pub timing: Timing,
    pub rooms: rooms::Settings,
    /// How long history is kept. The default keeps everything; the product's is `config`'s.
    pub history: housekeeper::Settings,
    /// From the order to stop to closing connections, at most.
    pub drain_within: Duration,
}

impl Settings {
    /// On a free port of this machine, with the product's defaults.
    pub fn local() -> Settings {
        Settings {
            listen: "127.0.0.1:0".to_owned(),
            public_url: None,
            base_path: String::new(),
            allowed_origins: Vec::new(),
            page: PageSource::default(),
            auto_create: true,
            limits: Limits::default(),
            timing: Timing::default(),
            rooms: rooms::Settings::default(),
            history: housekeeper::Settings::default(),
            drain_within: shutdown::DRAIN_WITHIN,
        }
    }

    /// As an operator configured it, for the program `collab` itself.
    pub fn new(config: &config::Config) -> Settings {
        let mut settings = Settings {
            listen: config.listen.clone(),
            public_url: config.public_url.clone(),
            base_path: config.base_path.clone(),
            allowed_origins: config.allowed_origins.clone(),
            page: config
                .page_dir
                .clone()
                .map_or(PageSource::Inside, PageSource::Folder),
            auto_create: config.auto_create,
            history: housekeeper::Settings {
                retention: config.retention,
                ..housekeeper::Settings::default()
            },
            ..Settings::local()
        }
        .with_limits(config.limits);
        settings.rooms.guard = rooms::trial::Guard::TryAlone;
        #[cfg(feature = "sabotage")]
        {
            settings.rooms.room.sabotage = config.sabotage.and_then(config::Bug::of_room);
            if config.sabotage == Some(config::Bug::NoGuard) {
                settings.rooms.guard = rooms::trial::Guard::Off;
            }
        }
        settings
    }

    /// With these limits, in every place where one applies.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Settings {
        self.limits = limits;
        self.rooms.outbox_bytes = limits.outbox_bytes;
        self.rooms.outbox_frames = limits.outbox_frames;
        let room = &mut self.rooms.room;
        room.max_frame_bytes = limits.max_message_bytes;
        room.max_document_bytes = limits.max_document_bytes;
        room.max_connections = limits.max_room_connections;
        room.unsaved_budget_bytes = limits.unsaved_bytes;
        room.idle_ms = limits.room_idle_ms;
        self
    }
}

/// A server that has its address and serves once it runs.
pub struct Server {
    listener: Listener,
    app: App,
    settings: Settings,
    store: Arc<dyn Store>,
    connections: TaskTracker,
    sockets: TaskTracker,
    draining: CancellationToken,
    housekeeper: Housekeeper,
    writer: JoinHandle<()>,
}

impl Server {
    /// Takes the address and starts what storage needs. Nothing is served yet.
    pub async fn bind(settings: Settings, store: Arc<dyn Store>) -> anyhow::Result<Server> {
        let listener = Listener::bind(&settings.listen).await?;
        let metrics = Metrics::get();
        let (writer, writing) = Writer::new(Arc::clone(&store));
        let drain_within_ms = u64::try_from(settings.drain_within.as_millis()).unwrap_or(u64::MAX);
        let rooms = Rooms::new(
            settings.rooms,
            Arc::clone(&store),
            writer.clone(),
            metrics.clone(),
            drain_within_ms,
        );
        let housekeeper = Housekeeper {
            settings: settings.history,
            store: Arc::clone(&store),
            writer,
            heavy: rooms.heavy(),
            metrics: metrics.clone(),
        };
        let doorway = Doorway {
            rooms: rooms.clone(),
            timing: settings.timing,
            max_message_bytes: settings.limits.max_message_bytes,
        };
        let draining = CancellationToken::new();
        let sockets = TaskTracker::new();
        let app = App {
            inner: Arc::new(Inner {
                rooms,
                store: Arc::clone(&store),
                history: History::new(Arc::clone(&store)),
                metrics,
                doorway,
                origins: Origins::new(&settings.allowed_origins),
                page: settings.page.clone(),
                auto_create: settings.auto_create,
                root: Root::new(&settings.base_path, settings.public_url.as_deref()),
                max_message_bytes: settings.limits.max_message_bytes,
                max_document_bytes: settings.limits.max_document_bytes,
                draining: draining.clone(),
                sockets: sockets.clone(),
            }),
        };
        Ok(Server {
            listener,
            app,
            settings,
            store,
            connections: TaskTracker::new(),
            sockets,
            draining,
            housekeeper,
            writer: tokio::spawn(writing),
        })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// What every path begins with; empty for the root.
    pub fn base_path(&self) -> &str {
        &self.app.inner.root.answers
    }

    /// Serves until `stop` is cancelled, then stops in order: see [`shutdown`].
    pub async fn run(self, stop: CancellationToken) -> Drained {
        let closing = CancellationToken::new();
        let max_connections = self.settings.limits.max_connections;
        let serving = Serving {
            routes: http::routes(self.app.clone()),
            full: Arc::new(move || http::full(max_connections)),
            max_connections,
            metrics: self.app.inner.metrics.clone(),
            tasks: self.connections.clone(),
            stop: closing.clone(),
        };
        let accepting = tokio::spawn(self.listener.serve(serving));
        let metrics = self.app.inner.metrics.clone();
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                metrics.upkeep();
            }
        });
        let housekeeping = tokio::spawn(self.housekeeper.run());
        stop.cancelled().await;
        // Whatever it is at: what it leaves undone is done by the next server.
        housekeeping.abort();
        let drained = shutdown::stop(shutdown::Parts {
            draining: self.draining,
            rooms: self.app.inner.rooms.clone(),
            closing,
            connections: self.connections,
            sockets: self.sockets,
        })
        .await;
        upkeep.abort();
        // Both end by themselves by now; a failure of either is the end of it too.
        let _: Result<(), _> = accepting.await;
        let _: Result<(), _> = housekeeping.await;
        drop(self.app);
        shutdown::close_store(self.writer, self.store).await;
        drained
    }
}
