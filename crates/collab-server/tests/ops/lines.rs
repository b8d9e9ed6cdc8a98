//! What the program says when it cannot: one line that names what to do next.

use std::path::Path;

use collab_server::storage::{DatabaseUrl, open};

use crate::program::run;
use crate::stores::options;

/// Runs it and gives the code and the lines of standard error, without what differs every time.
async fn said(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(folder, arguments).await;
    let folder = folder.display().to_string();
    let mut err = ran.err.replace(&folder, "FOLDER");
    let process = std::process::id().to_string();
    err = err.replace(&process, "PROCESS");
    assert_eq!(err.lines().count(), 1, "one line: {err}");
    format!("{}: {}", ran.code.unwrap_or(-1), err.trim_end())
}

#[tokio::test]
async fn every_refusal_is_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let url = DatabaseUrl::Sqlite(here.join("data/collab.db"));
    let store = open(&url, &options()).await.expect("opens");
    let mut room = crate::rooms::Written::new(&*store, "notes").await;
    room.write(&*store, 1).await;
    run(here, &["backup", "saved"]).await.ended(0);
    std::fs::write(here.join("noise"), "not a backup").expect("written");
    let mut bytes = std::fs::read(here.join("saved")).expect("a file");
    bytes[8] += 1;
    std::fs::write(here.join("newer"), bytes).expect("written");
    rusqlite::Connection::open(here.join("foreign.db"))
        .and_then(|foreign| foreign.execute_batch("create table t (x)"))
        .expect("made");
    let mut lines = Vec::new();
    for arguments in [
        &["fsck", "--data-dir", "nowhere"][..],
        &["fsck", "--database-url", "sqlite:foreign.db"],
        &["fsck", "--database-url", "postgres://nobody@127.0.0.1:1/x"],
        &["backup", "saved"],
        &["backup", "nowhere/saved"],
        &["backup", "x", "--data-dir", "nowhere"],
        &["restore", "nothing", "--data-dir", "other"],
        &["restore", "noise", "--data-dir", "other"],
        &["restore", "newer", "--data-dir", "other"],
        &["restore", "saved"],
        &["restore", "saved", "--database-url", "sqlite:foreign.db"],
    ] {
        lines.push(format!("collab {}", arguments.join(" ")));
        lines.push(format!("  {}", said(here, arguments).await));
    }
    store.close().await;
    lines.push("collab restore saved (no server)".to_owned());
    lines.push(format!("  {}", said(here, &["restore", "saved"]).await));
    insta::assert_snapshot!(lines.join("\n"), @r"
    collab fsck --data-dir nowhere
      1: collab: cannot use nowhere/collab.db: there is no such file; name the database with --database-url or --data-dir
    collab fsck --database-url sqlite:foreign.db
      1: collab: sqlite:foreign.db cannot be used: Collab has no tables in it; name the database that the server uses
    collab fsck --database-url postgres://nobody@127.0.0.1:1/x
      1: collab: cannot reach postgres://nobody@127.0.0.1:1/x: error connecting to server: Connection refused (os error 111); start the database, or name another one
    collab backup saved
      1: collab: saved exists already; choose another name, or overwrite it with --force
    collab backup nowhere/saved
      1: collab: cannot write into nowhere: there is no such folder; make it first
    collab backup x --data-dir nowhere
      1: collab: cannot use nowhere/collab.db: there is no such file; name the database with --database-url or --data-dir
    collab restore nothing --data-dir other
      1: collab: cannot read nothing: there is no such file; name what `collab backup` wrote
    collab restore noise --data-dir other
      1: collab: noise is not a backup made by `collab backup`
    collab restore newer --data-dir other
      1: collab: newer was made by a newer program (format 2); restore it with that one
    collab restore saved
      1: collab: another server (process PROCESS) is using the data folder data: stop it, or give this one another folder
    collab restore saved --database-url sqlite:foreign.db
      1: collab: sqlite:foreign.db cannot be used: Collab has no tables in it; name the database that the server uses
    collab restore saved (no server)
      1: collab: sqlite:data/collab.db holds rooms already; restore into an empty database
    ");
}
