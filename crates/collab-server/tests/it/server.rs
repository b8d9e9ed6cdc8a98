//! A server in this process, on a free port, over a store that the test may make misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use collab_core::ids::{Epoch, Lineage, RoomId};
use collab_core::room::Damage;
use collab_core::time::Millis;
use collab_server::shutdown::Drained;
use collab_server::storage::memory::{MemoryRoom, MemoryStore};
use collab_server::storage::{
    Append, Appended, Claim, Create, Folded, HistoryStore, Quarantined, RoomInfo, RoomKey,
    Snapshot, Store, StoreError, Stored, Whereabouts,
};
use collab_server::transport::Timing;
use collab_server::{Server, Settings};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for anything that should happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub struct Running {
    pub address: SocketAddr,
    pub store: Arc<Bench>,
    stop: CancellationToken,
    task: JoinHandle<Drained>,
}

/// The product's settings, with periods that a test can wait for.
pub fn settings() -> Settings {
    Settings {
        timing: Timing {
            farewell: Duration::from_millis(20),
            ..Timing::default()
        },
        ..Settings::local()
    }
}

impl Running {
    pub async fn start(settings: Settings) -> Running {
        Running::over(settings, Arc::new(Bench::default())).await
    }

    /// On a store that another server may have had before.
    pub async fn over(settings: Settings, store: Arc<Bench>) -> Running {
        let server = Server::bind(settings, Arc::clone(&store) as Arc<dyn Store>)
            .await
            .expect("a free port on this machine");
        let address = server.address();
        let stop = CancellationToken::new();
        let task = tokio::spawn(server.run(stop.clone()));
        Running {
            address,
            store,
            stop,
            task,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Begins to stop.
    pub fn order_to_stop(&self) {
        self.stop.cancel();
    }

    /// Stops and waits for the end.
    pub async fn stop(self) -> Drained {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(25), self.task)
            .await
            .expect("stops within 25 s")
            .expect("the server does not panic")
    }
}

/// A memory store whose commits and loads can be held up or fail.
#[derive(Debug)]
pub struct Bench {
    memory: MemoryStore,
    /// Commits wait while this is true.
    hold: watch::Sender<bool>,
    /// Deletions are done and not answered while this is true.
    hold_deletions: watch::Sender<bool>,
    /// Appends are found too large.
    pub appends_too_large: AtomicBool,
    /// Appends answer `Unavailable`.
    pub appends_fail: AtomicBool,
    /// Loads answer `Unavailable`.
    pub loads_fail: AtomicBool,
}

impl Default for Bench {
    fn default() -> Bench {
        Bench {
            memory: MemoryStore::new(),
            hold: watch::Sender::new(false),
            hold_deletions: watch::Sender::new(false),
            appends_too_large: AtomicBool::new(false),
            appends_fail: AtomicBool::new(false),
            loads_fail: AtomicBool::new(false),
        }
    }
}

impl Bench {
    /// Commits wait until [`Bench::release`].
    pub fn hold(&self) {
        self.hold.send_replace(true);
    }

    /// Changes a room's rows behind everybody's back.
    pub async fn tamper<T>(&self, room: &str, change: impl FnOnce(&mut MemoryRoom) -> T) -> T {
        let name = RoomId::parse(room).expect("a room name");
        let info = self.memory.describe(&name).await.expect("it answers");
        let key = info.expect("there is such a room").key;
        self.memory.tamper(key, change).expect("it is there")
    }

    /// The database goes back to before it heard of a room.
    pub fn forget(&self, room: &str) {
        let name = RoomId::parse(room).expect("a room name");
        self.memory.forget(&name);
    }

    /// A room's own row.
    pub async fn info(&self, room: &str) -> RoomInfo {
        let name = RoomId::parse(room).expect("a room name");
        let info = self.memory.describe(&name).await.expect("it answers");
        info.expect("there is such a room")
    }

    pub fn release(&self) {
        self.hold.send_replace(false);
    }

    /// Whoever deletes a room hears of it only after [`Bench::release_deletions`].
    pub fn hold_deletions(&self) {
        self.hold_deletions.send_replace(true);
    }

    pub fn release_deletions(&self) {
        self.hold_deletions.send_replace(false);
    }
}

#[async_trait]
impl Store for Bench {
    async fn claim(&self, room: &RoomId, create: Create, at: Millis) -> Result<Claim, StoreError> {
        self.memory.claim(room, create, at).await
    }

    async fn load(&self, key: RoomKey) -> Result<Stored, StoreError> {
        if self.loads_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("as the test wants".to_owned()));
        }
        self.memory.load(key).await
    }

    async fn load_ended(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.memory.load_ended(key, epoch).await
    }

    async fn quarantine(
        &self,
        key: RoomKey,
        epoch: Epoch,
        parts: &[Damage],
        at: Millis,
    ) -> Result<(), StoreError> {
        self.memory.quarantine(key, epoch, parts, at).await
    }

    async fn mend(&self, key: RoomKey, epoch: Epoch) -> Result<(), StoreError> {
        self.memory.mend(key, epoch).await
    }

    async fn quarantined(&self, key: RoomKey, after: i64) -> Result<Vec<Quarantined>, StoreError> {
        self.memory.quarantined(key, after).await
    }

    async fn renew(
        &self,
        room: &RoomId,
        lineage: Option<Lineage>,
        above: Epoch,
    ) -> Result<RoomInfo, StoreError> {
        self.memory.renew(room, lineage, above).await
    }

    async fn whereabouts(&self, room: &RoomId) -> Result<Whereabouts, StoreError> {
        self.memory.whereabouts(room).await
    }

    async fn append(&self, batch: &[Append]) -> Result<Vec<Appended>, StoreError> {
        let mut held = self.hold.subscribe();
        held.wait_for(|held| !held).await.expect("the store lives");
        if self.appends_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("as the test wants".to_owned()));
        }
        if self.appends_too_large.load(Ordering::SeqCst) {
            return Ok(vec![Appended::TooLarge; batch.len()]);
        }
        self.memory.append(batch).await
    }

    async fn put_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.memory.put_snapshot(snapshot).await
    }

    async fn fold(&self, key: RoomKey, epoch: Epoch) -> Result<Folded, StoreError> {
        self.memory.fold(key, epoch).await
    }

    async fn describe(&self, room: &RoomId) -> Result<Option<RoomInfo>, StoreError> {
        self.memory.describe(room).await
    }

    async fn list(
        &self,
        after: Option<&RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomInfo>, StoreError> {
        self.memory.list(after, limit).await
    }

    async fn delete(&self, room: &RoomId, at: Millis) -> Result<bool, StoreError> {
        let deleted = self.memory.delete(room, at).await;
        let mut held = self.hold_deletions.subscribe();
        held.wait_for(|held| !held).await.expect("the store lives");
        deleted
    }

    fn history(&self) -> &dyn HistoryStore {
        self.memory.history()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.memory.ping().await
    }

    /// Stays open: the next server of the test takes it over.
    async fn close(&self) {}
}
