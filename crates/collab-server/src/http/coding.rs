//! In which form a browser wants a file: what `Accept-Encoding` says about those that the page's
//! build leaves. Must not know files.

use axum::http::{HeaderMap, header};

/// A content coding that files are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// The smallest. Browsers take it over HTTPS and from localhost only.
    Brotli,
    /// For plain HTTP in a local network, and for programs.
    Gzip,
    /// As it is.
    Identity,
}

/// What we offer, best first: of equal wishes the earlier wins.
const OFFERED: [Coding; 3] = [Coding::Brotli, Coding::Gzip, Coding::Identity];

/// A quality of 1, in thousandths: RFC 9110 has three decimals.
const WHOLE: u16 = 1000;

impl Coding {
    /// The name on the wire; `None` where none is said.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Coding::Brotli => Some("br"),
            Coding::Gzip => Some("gzip"),
            Coding::Identity => None,
        }
    }

    /// How the build ends the name of a file in this form.
    pub fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Gzip => ".gz",
            Coding::Identity => "",
        }
    }

    /// Whether a path is that of a file in a form of its own, which has no address.
    pub fn is_form(path: &str) -> bool {
        OFFERED
            .iter()
            .map(|coding| coding.suffix())
            .any(|suffix| !suffix.is_empty() && path.ends_with(suffix))
    }

    /// Those that may be sent, the most wanted first. Ends with the file as it is, even where that
    /// is refused: an answer that somebody might not read is worth more than none.
    pub fn wanted(headers: &HeaderMap) -> Vec<Coding> {
        let mut wishes = Wishes::default();
        for value in headers.get_all(header::ACCEPT_ENCODING) {
            for wish in value.to_str().unwrap_or_default().split(',') {
                wishes.add(wish);
            }
        }
        let mut wanted: Vec<(u16, Coding)> = OFFERED
            .into_iter()
            .map(|coding| (wishes.of(coding), coding))
            .filter(|(quality, _)| *quality > 0)
            .collect();
        // Stable: the order in which we offer decides between equals.
        wanted.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
        let mut wanted: Vec<Coding> = wanted.into_iter().map(|(_, coding)| coding).collect();
        match wanted.iter().position(|coding| *coding == Coding::Identity) {
            Some(at) => wanted.truncate(at + 1),
            None => wanted.push(Coding::Identity),
        }
        wanted
    }
}

/// Qualities that were named, in thousandths.
#[derive(Debug, Default)]
struct Wishes {
    brotli: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    others: Option<u16>,
}

impl Wishes {
    fn add(&mut self, wish: &str) {
        let mut parts = wish.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
            .map_or(WHOLE, |(_, value)| thousandths(value.trim()));
        let place = match name.to_ascii_lowercase().as_str() {
            "br" => &mut self.brotli,
            "gzip" | "x-gzip" => &mut self.gzip,
            "identity" => &mut self.identity,
            "*" => &mut self.others,
            _ => return,
        };
        *place = Some(quality);
    }

    fn of(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Brotli => self.brotli.or(self.others).unwrap_or(0),
            Coding::Gzip => self.gzip.or(self.others).unwrap_or(0),
            // Acceptable unless refused, but asked for by nobody who does not name it.
            Coding::Identity => self
                .identity
                .or(self.others.filter(|quality| *quality == 0))
                .unwrap_or(1),
        }
    }
}

/// `0`, `0.5`, `1.000` in thousandths. What is no quality is taken for a refusal.
fn thousandths(quality: &str) -> u16 {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match (whole, format!("{decimals:0<3}").parse()) {
        ("0", Ok(thousandths)) => thousandths,
        ("1", Ok(0)) => WHOLE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::Coding::{self, Brotli, Gzip, Identity};
    use super::*;

    fn wanted(values: &[&str]) -> Vec<Coding> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a header");
            headers.append(header::ACCEPT_ENCODING, value);
        }
        Coding::wanted(&headers)
    }

    #[test]
    fn the_client_decides_and_equals_go_by_size() {
        for (values, expected) in [
            (&[][..], &[Identity][..]),
            (&[""], &[Identity]),
            (&["gzip, deflate, br, zstd"], &[Brotli, Gzip, Identity]),
            (&["gzip, deflate"], &[Gzip, Identity]),
            (&["GZIP", "BR;q=0.9"], &[Gzip, Brotli, Identity]),
            (&["br;q=0.5, gzip;q=0.501"], &[Gzip, Brotli, Identity]),
            (&["br;q=0, gzip"], &[Gzip, Identity]),
            (&["br; Q=0.0 , x-gzip ; q=1.0"], &[Gzip, Identity]),
            (&["*"], &[Brotli, Gzip, Identity]),
            (&["*;q=0"], &[Identity]),
            (&["*;q=0, gzip"], &[Gzip, Identity]),
            (&["br;q=0.2, identity;q=0.8, gzip;q=0.1"], &[Identity]),
            (&["identity;q=0, gzip;q=0.001"], &[Gzip, Identity]),
            (&["identity;q=0"], &[Identity]),
            (&["br;q=high, gzip;q=1.5.1"], &[Identity]),
            (&["brotli, gzipped"], &[Identity]),
        ] {
            assert_eq!(wanted(values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_quality_has_three_decimals() {
        for (text, thousand) in [
            ("1", 1000),
            ("1.000", 1000),
            ("0.5", 500),
            ("0.05", 50),
            ("0.001", 1),
            ("0", 0),
            ("0.0001", 0),
            ("1.001", 0),
            ("1.5.1", 0),
            ("2", 0),
            ("-1", 0),
            ("0.x", 0),
            ("", 0),
        ] {
            assert_eq!(thousandths(text), thousand, "{text}");
        }
    }
}
