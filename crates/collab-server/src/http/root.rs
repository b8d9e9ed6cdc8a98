//! Where the server lies: under which path it answers, and under which people see it. Must not know
//! routes.
//!
//! The two differ behind a proxy that takes a prefix away. `--base-path` is what this server answers
//! under; the path of `--public-url`, when it has one, is what stands in browsers.

/// Where the server lies. Paths begin with `/` and do not end with one; the root is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Every route stands below it.
    pub answers: String,
    /// The page, its links and its sockets stand below it.
    pub seen: String,
    /// Scheme and host of the public address, when that is known.
    origin: Option<String>,
}

impl Root {
    /// `base_path` and `public_url` as `config` checked them.
    pub fn new(base_path: &str, public_url: Option<&str>) -> Root {
        let (origin, path) = match public_url.and_then(|url| url.split_once("://")) {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(format!("{scheme}://{host}")), path)
            }
            None => (None, ""),
        };
        let path = Some(path.trim_end_matches('/')).filter(|path| is_path(path));
        Root {
            answers: base_path.to_owned(),
            // An address without a path says nothing about ours.
            seen: path.unwrap_or(base_path).to_owned(),
            origin,
        }
    }

    /// Where people reach the server, without a trailing slash: as the operator said, or as this
    /// `Host` does.
    pub fn address(&self, host: Option<&str>) -> String {
        let origin = match (&self.origin, host) {
            (Some(origin), _) => origin.clone(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => String::new(),
        };
        origin + &self.seen
    }
}

/// Whether this is a path below the root, without a trailing slash, that is safe to write into
/// HTML and into a route.
pub fn is_path(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else {
        return false;
    };
    path.split('/').all(|segment| {
        !matches!(segment, "" | "." | "..")
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_path_is_what_browsers_see() {
        let root = |base, public| Root::new(base, public);
        let plain = root("", None);
        assert_eq!((plain.answers.as_str(), plain.seen.as_str()), ("", ""));
        assert_eq!(plain.address(Some("here:1")), "http://here:1");
        let prefixed = root("/collab", None);
        assert_eq!(prefixed.address(Some("here:1")), "http://here:1/collab");
        let stripped = root("", Some("https://example.org/collab"));
        assert_eq!(
            (stripped.answers.as_str(), stripped.seen.as_str()),
            ("", "/collab")
        );
        assert_eq!(stripped.address(None), "https://example.org/collab");
        // The proxy leaves the prefix, and the operator named only the host.
        let both = root("/collab", Some("https://example.org"));
        assert_eq!(both.address(None), "https://example.org/collab");
        // The proxy puts one prefix in place of another.
        let moved = root("/inner", Some("https://example.org/outer"));
        assert_eq!(
            (moved.answers.as_str(), moved.seen.as_str()),
            ("/inner", "/outer")
        );
    }

    #[test]
    fn a_path_cannot_leave_its_place() {
        assert!(is_path("/collab") && is_path("/team-1/collab_2.0"));
        for bad in [
            "",
            "/",
            "collab",
            "/a/",
            "//a",
            "/a//b",
            "/..",
            "/a/./b",
            "/a b",
            "/{a}",
            "/*",
            "/%2e",
            "/\"><script>",
            "/a?b",
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }
}
