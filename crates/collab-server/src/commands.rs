//! What each subcommand does. Must not know how flags are read.

mod backup;
mod fsck;
mod import;
mod room;

use std::io::Write as _;

use anyhow::Context as _;
use collab_server::config::{Config, StoreFlags};
use collab_server::storage::{self, DatabaseUrl, OpenOptions};
use collab_server::{Server, Settings, telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use self::backup::{backup, restore};
pub use self::fsck::fsck;
pub use self::import::import;
pub use self::room::room;

/// Stopped a second time: as a shell says of a program that Ctrl+C ended.
const EXIT_STOPPED_TWICE: i32 = 130;

/// Serves until a signal says stop.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    telemetry::start_logging(&config.log, config.log_format)?;
    for line in config.describe().lines() {
        tracing::debug!("{line}");
    }
    let options = OpenOptions {
        #[cfg(feature = "sabotage")]
        sqlite_synchronous_normal: config.sabotage
            == Some(collab_server::config::Bug::SqliteSynchronousNormal),
        ..options(config.accept_unsafe_postgres)
    };
    let store = storage::open(&config.database, &options).await?;
    let server = Server::bind(Settings::new(&config), store).await?;
    let address = server.address();
    let base_path = server.base_path().to_owned();
    let stop = CancellationToken::new();
    watch_signals(stop.clone()).context("while listening for signals")?;
    let running = tokio::spawn(server.run(stop));
    // The one line that programs wait for; everything else goes to standard error.
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Collab is ready at http://{address}{base_path}/")
        .and_then(|()| stdout.flush())
        .context("while saying that the server is ready")?;
    drop(stdout);
    tracing::info!(%address, database = %config.database, "serving");
    let drained = running.await.context("the server failed")?;
    tracing::info!(?drained, "goodbye");
    Ok(())
}

/// The first signal stops in order, the second one at once.
fn watch_signals(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                tracing::warn!("stopped a second time: leaving at once");
                std::process::exit(EXIT_STOPPED_TWICE);
            }
            stop.cancel();
        }
    });
    Ok(())
}

/// Brings the database's tables up to date.
pub async fn migrate(database: &DatabaseUrl, flags: &StoreFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.log, flags.log_format)?;
    let migrated = storage::migrate(database, &options(flags.accept_unsafe_postgres)).await?;
    println!("{database}: {migrated}");
    Ok(())
}

fn options(accept_unsafe_postgres: bool) -> OpenOptions {
    OpenOptions {
        accept_unsafe_postgres,
        ..OpenOptions::default()
    }
}
