//! Which pages may connect and change things: the server's own, and those of origins that the
//! operator allows. Must not know what they would do.
//!
//! A browser tells in `Origin` whose page is asking. Programs send none, and there are no cookies
//! that a foreign page could ride on, so a missing `Origin` passes.

use axum::http::{HeaderMap, StatusCode, header};

use super::Problem;

/// Who may, beside the server's own page.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    all: bool,
    listed: Vec<String>,
}

/// An origin's parts, with a scheme's own port left out.
#[derive(Debug, PartialEq, Eq)]
struct Site<'a> {
    scheme: &'a str,
    authority: &'a str,
}

impl Origins {
    /// Lower-case origins, or `*`.
    pub fn new(allowed: &[String]) -> Origins {
        Origins {
            all: allowed.iter().any(|origin| origin == "*"),
            listed: allowed.to_vec(),
        }
    }

    /// Whether a request with these headers passes.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return true;
        };
        if origins.next().is_some() {
            return false;
        }
        if self.all {
            return true;
        }
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else {
            return false;
        };
        let Some(site) = Site::parse(&origin) else {
            return false;
        };
        let listed = self
            .listed
            .iter()
            .any(|listed| Site::parse(listed).is_some_and(|l| l == site));
        if listed {
            return true;
        }
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        host.is_some_and(|host| {
            // Behind a proxy we do not see which scheme the browser used: the host decides.
            without_port(&host.to_ascii_lowercase(), site.scheme) == site.authority
        })
    }
}

impl<'a> Site<'a> {
    fn parse(origin: &'a str) -> Option<Site<'a>> {
        let (scheme, authority) = origin.split_once("://")?;
        let plain = !authority.is_empty() && !authority.contains(['/', '?', '#', '@', ' ']);
        (matches!(scheme, "http" | "https") && plain).then(|| Site {
            scheme,
            authority: without_port(authority, scheme),
        })
    }
}

/// Without the port that the scheme has anyway.
fn without_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let own = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(own).unwrap_or(authority)
}

/// What a foreign page hears.
pub(super) fn refused() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "origin-not-allowed",
        "Not from this page",
        "pages of this origin may not connect here (--allowed-origins)",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(allowed: &[&str], origin: Option<&str>, host: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|it| (*it).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).expect("a host"));
        if let Some(origin) = origin {
            let origin = HeaderValue::from_str(origin).expect("a header");
            headers.insert(header::ORIGIN, origin);
        }
        Origins::new(&allowed).allow(&headers)
    }

    #[test]
    fn the_own_page_and_programs_pass() {
        for origin in [
            None,
            Some("http://good.example"),
            Some("http://good.example:80"),
            Some("https://good.example"),
            Some("HTTP://GOOD.example"),
        ] {
            assert!(allows(&[], origin, "good.example"), "{origin:?}");
        }
        assert!(allows(&[], Some("http://127.0.0.1:8000"), "127.0.0.1:8000"));
        assert!(allows(&[], Some("http://[::1]:8000"), "[::1]:8000"));
    }

    #[test]
    fn foreign_pages_do_not() {
        for origin in [
            "https://evil.example",
            "null",
            "https://good.example.evil",
            "https://good.example:8443",
            "ftp://good.example",
            "https://user@good.example",
            "https://good.example/path",
            "good.example",
            "",
        ] {
            assert!(!allows(&[], Some(origin), "good.example"), "{origin}");
        }
    }

    #[test]
    fn listed_origins_match_whole_with_scheme_and_port() {
        let listed = &["https://editor.example", "http://dev.example:3000"][..];
        assert!(allows(listed, Some("https://editor.example:443"), "h"));
        assert!(allows(listed, Some("http://dev.example:3000"), "h"));
        assert!(!allows(listed, Some("http://editor.example"), "h"));
        assert!(!allows(listed, Some("http://dev.example"), "h"));
        assert!(allows(&["*"], Some("null"), "h"));
    }
}
