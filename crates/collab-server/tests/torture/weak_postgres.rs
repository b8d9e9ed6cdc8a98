//! A Postgres that would not keep what it commits is refused at start, with one line that names the
//! setting, before anything is made in it. Asked for by name, it is taken, and the log says so. A
//! standby is refused in any case.

use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::cluster::Cluster;
use crate::database::execute;

const OVERRIDE: &str = "--accept-unsafe-postgres";

#[tokio::test]
async fn fsync_off_is_refused_by_name() {
    refused_unless_asked_for("fsync", &["fsync=off"]).await;
}

#[tokio::test]
async fn full_page_writes_off_is_refused_by_name() {
    refused_unless_asked_for("full_page_writes", &["full_page_writes=off"]).await;
}

#[tokio::test]
async fn synchronous_commit_off_is_refused_by_name() {
    refused_unless_asked_for("synchronous_commit", &["synchronous_commit=off"]).await;
}

#[tokio::test]
async fn a_standby_is_refused_also_when_asked_for() {
    let mut cluster = Cluster::start().await;
    let url = cluster.url();
    // What a base backup of a primary is started as.
    cluster.stop_in_order().await;
    cluster.make_standby();
    cluster.start_again().await;
    for arguments in [&[][..], &[OVERRIDE]] {
        let said = migrate(&url, arguments).await;
        let line = format!(
            "collab: {url} cannot be used: it is a standby and takes no writes; name the primary\n"
        );
        assert_eq!(error_of(&said), (Some(1), line));
    }
}

#[tokio::test]
async fn a_postgres_as_it_comes_is_taken() {
    let cluster = Cluster::start().await;
    let said = migrate(&cluster.url(), &[]).await;
    assert!(said.status.success(), "{said:?}");
}

async fn refused_unless_asked_for(setting: &str, settings: &[&str]) {
    let cluster = Cluster::start_with(settings).await;
    let url = cluster.url();
    let said = migrate(&url, &[]).await;
    let line = format!(
        "collab: {url} may lose saved edits in a crash: {setting} is off; change its configuration, \
         or, for a throw-away database, accept the loss with {OVERRIDE}\n"
    );
    assert_eq!(error_of(&said), (Some(1), line));
    // Nothing was made: this would fail otherwise.
    execute(&url, "create table room (id int); drop table room").await;
    let said = migrate(&url, &[OVERRIDE]).await;
    assert!(said.status.success(), "{said:?}");
    let log = String::from_utf8_lossy(&said.stderr);
    assert!(
        log.contains("this database may lose saved edits in a crash")
            && log.contains(&format!("{setting} is off")),
        "{log}"
    );
}

/// Opens the database as `collab serve` does, and stops.
async fn migrate(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_collab"));
    command
        .args(["migrate", "--database-url", url])
        .args(arguments)
        .stdin(Stdio::null());
    command.output().await.expect("the program runs")
}

/// Exit code and everything on standard error.
fn error_of(said: &Output) -> (Option<i32>, String) {
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    (said.status.code(), error)
}
