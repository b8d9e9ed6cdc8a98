//! Which database, as the operator names it. Must not know how to connect.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A checked `sqlite:PATH` or `postgres://…`. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The database file; its folder is made when missing and locked while in use.
    Sqlite(PathBuf),
    /// Where Postgres listens and as whom to connect.
    Postgres(Box<tokio_postgres::Config>),
}

/// Why a text is not a database URL. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDatabaseUrl {
    #[error(
        "a database URL starts with `sqlite:` or `postgres://`, e.g. sqlite:data/collab.db or postgres://user@host/collab"
    )]
    UnknownScheme,
    #[error("`sqlite:` must be followed by the path of the database file")]
    NoPath,
    #[error("not a Postgres URL: {0}")]
    BadPostgres(String),
    #[error("a Postgres URL must name a {0}")]
    Missing(&'static str),
    #[error(
        "`sslmode=require` is not supported yet: use a local socket, a tunnel or a private network"
    )]
    Tls,
}

impl FromStr for DatabaseUrl {
    type Err = BadDatabaseUrl;

    fn from_str(url: &str) -> Result<DatabaseUrl, BadDatabaseUrl> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            // `sqlite://data/x.db` and `sqlite:///var/x.db` are how other programs spell it.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path.ends_with('/') || Path::new(path).file_name().is_none() {
                return Err(BadDatabaseUrl::NoPath);
            }
            return Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        }
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(BadDatabaseUrl::UnknownScheme);
        }
        let config = url.parse::<tokio_postgres::Config>().map_err(|error| {
            let why = std::error::Error::source(&error);
            BadDatabaseUrl::BadPostgres(why.map_or(error.to_string(), ToString::to_string))
        })?;
        if config.get_hosts().is_empty() {
            return Err(BadDatabaseUrl::Missing("host"));
        }
        if config.get_user().is_none() {
            return Err(BadDatabaseUrl::Missing("user"));
        }
        if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
            return Err(BadDatabaseUrl::Tls);
        }
        Ok(DatabaseUrl::Postgres(Box::new(config)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use tokio_postgres::config::Host;
        let config = match self {
            DatabaseUrl::Sqlite(path) => return write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Postgres(config) => config,
        };
        let user = config.get_user().unwrap_or_default();
        let mask = config.get_password().map_or("", |_| ":***");
        write!(f, "postgres://{user}{mask}@")?;
        for (index, host) in config.get_hosts().iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(folder) => write!(f, "{comma}{}", folder.display())?,
            }
            let ports = config.get_ports();
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", config.get_dbname().unwrap_or(user))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |url: &str| match url.parse() {
            Ok(DatabaseUrl::Sqlite(path)) => Ok(path),
            Ok(other) => panic!("{other}"),
            Err(error) => Err(error),
        };
        assert_eq!(path("sqlite:data/collab.db"), Ok("data/collab.db".into()));
        assert_eq!(path("sqlite:///var/collab.db"), Ok("/var/collab.db".into()));
        for bad in ["sqlite:", "sqlite://", "sqlite:data/", "sqlite:.."] {
            assert_eq!(path(bad), Err(BadDatabaseUrl::NoPath), "{bad}");
        }
    }

    #[test]
    fn password_is_never_shown() {
        let url: DatabaseUrl = "postgresql://ann:hunter2@db.lan:5433/collab"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "postgres://ann:***@db.lan:5433/collab");
        assert_eq!(format!("{url:?}"), url.to_string());
        let bad = "postgres://ann:hunter2@db.lan:port/collab".parse::<DatabaseUrl>();
        assert!(!bad.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn refused() {
        let refused = |url: &str| url.parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(refused("mysql://x"), BadDatabaseUrl::UnknownScheme);
        assert_eq!(refused("postgres:///x"), BadDatabaseUrl::Missing("host"));
        assert_eq!(refused("postgres://h/x"), BadDatabaseUrl::Missing("user"));
        assert_eq!(
            refused("postgres://u@h/x?sslmode=require"),
            BadDatabaseUrl::Tls
        );
    }
}
