//! Raw flags → checked values. Must not know where a flag came from.

use std::fmt::Write as _;

use super::{BadConfig, ByteSize, Config, Limits, ServeFlags, StoreFlags, database_in};
use crate::history::keeping::Retention;
use crate::http::is_path;
use crate::storage::DatabaseUrl;

/// Where `serve` listens when nothing else is said.
const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: &str = "8000";

/// Variables that hosting services set, without our prefix.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// `DATABASE_URL`.
    pub database_url: Option<String>,
    /// `HOST`.
    pub host: Option<String>,
    /// `PORT`.
    pub port: Option<String>,
}

impl Checked {
    /// As this process was started with.
    pub fn from_environment() -> Checked {
        let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Checked {
            database_url: read("DATABASE_URL"),
            host: read("HOST"),
            port: read("PORT"),
        }
    }

    /// The database of any command.
    pub fn database(&self, flags: &StoreFlags) -> Result<DatabaseUrl, BadConfig> {
        let url = flags
            .database_url
            .clone()
            .filter(|url| !url.is_empty())
            .or_else(|| self.database_url.clone())
            .unwrap_or_else(|| database_in(&flags.data_dir));
        url.parse()
            .map_err(|error| BadConfig(format!("--database-url: {error}")))
    }

    /// Everything `serve` needs.
    pub fn serve(&self, flags: ServeFlags) -> Result<Config, BadConfig> {
        let listen = match flags.listen {
            Some(listen) => listen,
            None => {
                let host = self.host.as_deref().unwrap_or(DEFAULT_HOST);
                let port = self.port.as_deref().unwrap_or(DEFAULT_PORT);
                if host.contains(':') && !host.starts_with('[') {
                    format!("[{host}]:{port}")
                } else {
                    format!("{host}:{port}")
                }
            }
        };
        check_listen(&listen)?;
        let public_url = flags
            .public_url
            .map(|url| check_public_url(&url))
            .transpose()?;
        let allowed_origins = flags
            .allowed_origins
            .iter()
            .map(|origin| origin.trim())
            .filter(|origin| !origin.is_empty())
            .map(check_origin)
            .collect::<Result<Vec<_>, _>>()?;
        let limits = Limits {
            max_connections: at_least("--max-connections", flags.max_connections, 1)?,
            max_message_bytes: at_least(
                "--max-message-bytes",
                flags.max_message_bytes.0,
                MIN_MESSAGE_BYTES,
            )?,
            max_document_bytes: at_least(
                "--max-document-bytes",
                flags.max_document_bytes.0,
                MIN_MESSAGE_BYTES,
            )?,
            max_room_connections: at_least(
                "--max-room-connections",
                flags.max_room_connections,
                1,
            )?,
            outbox_bytes: at_least("--outbox-bytes", flags.outbox_bytes.0, 1)?,
            outbox_frames: at_least("--outbox-frames", flags.outbox_frames, 1)?,
            unsaved_bytes: at_least(
                "--max-unsaved-bytes",
                flags.max_unsaved_bytes.0,
                MIN_MESSAGE_BYTES,
            )?,
            room_idle_ms: u64::from(flags.room_idle_seconds) * 1000,
        };
        at_most("--max-message-bytes", flags.max_message_bytes, MAX_MESSAGE)?;
        at_most(
            "--max-document-bytes",
            flags.max_document_bytes,
            MAX_DOCUMENT,
        )?;
        Ok(Config {
            listen,
            public_url,
            base_path: check_base_path(&flags.base_path)?,
            // An empty variable is one that is not set.
            page_dir: flags.page_dir.filter(|dir| !dir.as_os_str().is_empty()),
            database: self.database(&flags.store)?,
            limits,
            retention: Retention {
                age_ms: (flags.history_days > 0).then(|| u64::from(flags.history_days) * DAY_MS),
                room_bytes: (flags.history_room_bytes.0 > 0)
                    .then(|| u64::try_from(flags.history_room_bytes.0).unwrap_or(u64::MAX)),
            },
            accept_unsafe_postgres: flags.store.accept_unsafe_postgres,
            auto_create: flags.auto_create,
            allowed_origins,
            log: flags.store.log,
            log_format: flags.store.log_format,
            #[cfg(feature = "sabotage")]
            sabotage: flags.sabotage.as_deref().map(sabotage).transpose()?,
        })
    }
}

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Less could not carry one ordinary handshake.
const MIN_MESSAGE_BYTES: usize = 1 << 10;
/// One log record holds a whole message; storage takes records up to 32 MiB.
const MAX_MESSAGE: ByteSize = ByteSize(16 << 20);
/// What storage takes as one snapshot.
const MAX_DOCUMENT: ByteSize = ByteSize(crate::storage::MAX_DOCUMENT_BYTES);

#[cfg(feature = "sabotage")]
pub fn sabotage(bug: &str) -> Result<super::Bug, BadConfig> {
    use collab_core::room::Sabotage;
    let bug = match bug {
        "sqlite-synchronous-normal" => return Ok(super::Bug::SqliteSynchronousNormal),
        "ack-before-commit" => Sabotage::AckBeforeCommit,
        "drop-pending" => Sabotage::DropPending,
        "forget-overflow" => Sabotage::ForgetOverflow,
        "empty-on-error" => Sabotage::EmptyOnError,
        "ack-by-state-vector" => Sabotage::AckByStateVector,
        "clear-dirty-after-await" => Sabotage::ClearDirtyAfterAwait,
        "ack-one-more" => Sabotage::AckOneMore,
        "snapshot-one-further" => Sabotage::SnapshotOneFurther,
        "version-too-early" => Sabotage::VersionTooEarly,
        "keep-refused" => Sabotage::KeepRefused,
        "die-of-deadly" => Sabotage::DieOfDeadly,
        "no-guard" => return Ok(super::Bug::NoGuard),
        _ => return Err(BadConfig(format!("--sabotage knows no {bug:?}"))),
    };
    Ok(super::Bug::Room(bug))
}

fn at_least(flag: &str, value: usize, least: usize) -> Result<usize, BadConfig> {
    if value < least {
        return Err(BadConfig(format!(
            "{flag} must be at least {least}, not {value}"
        )));
    }
    Ok(value)
}

fn at_most(flag: &str, value: ByteSize, most: ByteSize) -> Result<(), BadConfig> {
    if value.0 > most.0 {
        return Err(BadConfig(format!(
            "{flag} must be at most {most}, not {value}"
        )));
    }
    Ok(())
}

fn check_listen(listen: &str) -> Result<(), BadConfig> {
    let bad = || {
        BadConfig(format!(
            "--listen must be HOST:PORT, as in 127.0.0.1:8000, not {listen:?}"
        ))
    };
    let (host, port) = listen.rsplit_once(':').ok_or_else(bad)?;
    let bare_ipv6 = host.contains(':') && !host.starts_with('[');
    if host.is_empty() || bare_ipv6 || port.parse::<u16>().is_err() {
        return Err(bad());
    }
    Ok(())
}

fn check_public_url(url: &str) -> Result<String, BadConfig> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let possible = rest.is_some_and(|rest| {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = path.trim_end_matches('/');
        !host.is_empty() && !host.contains(['?', '#', ' ']) && (path.is_empty() || is_path(path))
    });
    if !possible {
        return Err(BadConfig(format!(
            "--public-url must look like https://collab.example or https://example.org/collab, \
             not {url:?}"
        )));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn check_base_path(path: &str) -> Result<String, BadConfig> {
    let trimmed = path.trim_end_matches('/');
    if !trimmed.is_empty() && !is_path(trimmed) {
        return Err(BadConfig(format!(
            "--base-path must look like /collab (letters, digits, - _ . ~), not {path:?}"
        )));
    }
    Ok(trimmed.to_owned())
}

fn check_origin(origin: &str) -> Result<String, BadConfig> {
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    if origin != "*" && host.is_none_or(|host| host.is_empty() || host.contains(['/', ' ', '?'])) {
        return Err(BadConfig(format!(
            "--allowed-origins takes origins such as https://editor.example (no path), not {origin:?}"
        )));
    }
    Ok(origin.to_ascii_lowercase())
}

impl Config {
    /// The effective values for `collab config` and the first log line, secrets masked.
    pub fn describe(&self) -> String {
        let limits = &self.limits;
        let mut out = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(out, "{name:<21} {value}").expect("writing to a string cannot fail");
        };
        let origins = self.allowed_origins.join(",");
        line("listen", &self.listen);
        line(
            "public-url",
            &self
                .public_url
                .as_deref()
                .unwrap_or("(as each request says)"),
        );
        line("base-path", &format!("{}/", self.base_path));
        line(
            "allowed-origins",
            &if origins.is_empty() {
                "(own page only)"
            } else {
                &origins
            },
        );
        match &self.page_dir {
            Some(dir) => line("page-dir", &dir.display()),
            None => line("page-dir", &"(inside the binary)"),
        }
        line("database-url", &self.database);
        line("auto-create", &self.auto_create);
        line("room-idle-seconds", &(limits.room_idle_ms / 1000));
        match self.retention.age_ms {
            Some(age_ms) => line("history-days", &(age_ms / DAY_MS)),
            None => line("history-days", &"0 (for ever)"),
        }
        match self.retention.room_bytes {
            Some(bytes) => {
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                line("history-room-bytes", &ByteSize(bytes));
            }
            None => line("history-room-bytes", &"0 (any size)"),
        }
        line("max-connections", &limits.max_connections);
        line("max-room-connections", &limits.max_room_connections);
        line("max-message-bytes", &ByteSize(limits.max_message_bytes));
        line("max-document-bytes", &ByteSize(limits.max_document_bytes));
        line("outbox-bytes", &ByteSize(limits.outbox_bytes));
        line("outbox-frames", &limits.outbox_frames);
        line("max-unsaved-bytes", &ByteSize(limits.unsaved_bytes));
        line("log", &self.log);
        line(
            "log-format",
            &format!("{:?}", self.log_format).to_lowercase(),
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn config(outside: &Checked, args: &[&str]) -> Result<Config, String> {
        let args = ["collab", "serve"].iter().chain(args);
        let cli = Cli::try_parse_from(args).map_err(|error| error.to_string())?;
        match cli.command {
            Command::Serve(flags) => outside.serve(flags).map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_beat_the_unprefixed_environment_which_beats_defaults() {
        let outside = Checked {
            database_url: Some("postgres://me@db/collab".to_owned()),
            host: Some("::1".to_owned()),
            port: Some("9000".to_owned()),
        };
        let config_of = |args: &[&str]| config(&outside, args).expect("possible values");
        assert_eq!(config_of(&[]).listen, "[::1]:9000");
        assert_eq!(
            config_of(&["--listen", "localhost:0"]).listen,
            "localhost:0"
        );
        assert_eq!(
            config_of(&[]).database.to_string(),
            "postgres://me@db:5432/collab"
        );
        let plain = config(&Checked::default(), &["--data-dir", "/srv/collab"]);
        let plain = plain.expect("possible values");
        assert_eq!(plain.listen, "127.0.0.1:8000");
        assert_eq!(plain.database.to_string(), "sqlite:/srv/collab/collab.db");
        assert_eq!(plain.limits, Limits::default());
        assert_eq!(plain.base_path, "");
        assert_eq!(config_of(&["--base-path", "/a/b/"]).base_path, "/a/b");
    }

    #[test]
    fn history_is_kept_for_a_while_or_for_ever() {
        let retention = |args: &[&str]| {
            let config = config(&Checked::default(), args).expect("possible values");
            (config.retention, config.describe())
        };
        let (default, described) = retention(&[]);
        assert_eq!(default.age_ms, Some(30 * DAY_MS));
        assert_eq!(default.room_bytes, Some(256 << 20));
        assert!(
            described.contains("history-days          30\n"),
            "{described}"
        );
        assert!(
            described.contains("history-room-bytes    256MiB\n"),
            "{described}"
        );
        let (for_ever, described) =
            retention(&["--history-days", "0", "--history-room-bytes", "0"]);
        assert_eq!(for_ever, Retention::default());
        assert!(
            described.contains("history-days          0 (for ever)"),
            "{described}"
        );
    }

    #[test]
    fn impossible_values_are_refused_by_name() {
        for (args, says) in [
            (&["--listen", "8000"][..], "--listen must be HOST:PORT"),
            (&["--listen", "::1:8000"], "--listen must be HOST:PORT"),
            (
                &["--max-connections", "0"],
                "--max-connections must be at least 1",
            ),
            (
                &["--max-message-bytes", "17MiB"],
                "--max-message-bytes must be at most 16MiB",
            ),
            (
                &["--max-message-bytes", "10"],
                "--max-message-bytes must be at least 1024",
            ),
            (
                &["--database-url", "mysql://x"],
                "--database-url: a database URL starts with",
            ),
            (
                &["--allowed-origins", "editor.example"],
                "--allowed-origins takes origins",
            ),
            (
                &["--public-url", "collab.example"],
                "--public-url must look like",
            ),
            (
                &["--public-url", "https://example.org/a b"],
                "--public-url must look like",
            ),
            (&["--base-path", "collab"], "--base-path must look like"),
            (&["--base-path", "/{room}"], "--base-path must look like"),
        ] {
            let refused = config(&Checked::default(), args).expect_err("impossible");
            assert!(refused.contains(says), "{args:?}: {refused}");
        }
    }

    #[test]
    fn a_description_holds_no_password() {
        let args = ["--database-url", "postgres://me:hunter2@db/collab"];
        let description = config(&Checked::default(), &args)
            .expect("possible")
            .describe();
        assert!(
            description.contains("postgres://me:***@db:5432/collab"),
            "{description}"
        );
        assert!(!description.contains("hunter2"));
    }
}
