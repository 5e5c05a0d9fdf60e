//! One exchange over HTTP at a time, within limits. The only place that names `ureq`.

use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::{Response, Uri};

/// How much may be fetched for one judgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one fetch may take, redirects and all.
    pub each: Duration,
    /// How long all may take together.
    pub total: Duration,
    /// How many octets of content one answer may have. The largest public lists have some ten million.
    pub octets: u64,
    /// How many fetches there may be.
    pub fetches: usize,
    /// How many times a server may send us on in one fetch.
    pub redirects: usize,
}

impl Limits {
    /// So long for each fetch, and six times that for all.
    pub fn timed(each: Duration) -> Self {
        Self { each, total: each.saturating_mul(6), octets: 32 << 20, fetches: 32, redirects: 3 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::timed(Duration::from_secs(10))
    }
}

/// Why nothing usable came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL is of a scheme that is not spoken.
    #[error("only http is fetched, not {0}")]
    Scheme(String),
    /// The URL is none.
    #[error("the URL is malformed")]
    Url,
    /// A limit of all fetches together.
    #[error("the limit of {0} is reached")]
    Limit(String),
    /// The server's status is not 200.
    #[error("the server answers {status}{}", .reason.map(|it| format!(" {it}")).unwrap_or_default())]
    Status {
        /// The status code.
        status: u16,
        /// Its name.
        reason: Option<&'static str>,
    },
    /// The server sent us on too often.
    #[error("the server sends on more than {0} times")]
    Redirects(usize),
    /// The server sent us on to what is not fetched.
    #[error("the server sends on to {0}, which is not fetched: only http is")]
    RedirectedTo(String),
    /// The answer is too long.
    #[error("the answer is longer than {0} octets")]
    TooLong(u64),
    /// The time is over.
    #[error("there is no whole answer after {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// The host has no address.
    #[error("the host is not known")]
    Host,
    /// Nobody answers there.
    #[error("{0}")]
    Connection(String),
    /// An OCSP response has another nonce than its request (RFC 6960 §4.4.1).
    #[error("it answers another request: its nonce is not the one asked with")]
    Nonce,
    /// The answer is not what was asked for.
    #[error("{0}")]
    Content(String),
}

impl FetchError {
    /// Whether nobody was asked.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Scheme(_) | Self::Url | Self::Limit(_))
    }

    /// Whether a server answered, and did not like the question.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Self::Status { .. } | Self::Content(_))
    }
}

/// What came of one question.
pub(super) struct Exchange {
    pub(super) redirects: Vec<String>,
    pub(super) octets: u64,
    pub(super) took: Duration,
    pub(super) result: Result<Vec<u8>, FetchError>,
}

/// Asks within limits.
pub(super) struct Client {
    agent: Agent,
    limits: Limits,
    fetches: usize,
    /// The time of all fetches so far.
    spent: Duration,
}

impl Client {
    pub(super) fn new(limits: Limits) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("certkit/", env!("CARGO_PKG_VERSION")));
        Self { agent: config.build().into(), limits, fetches: 0, spent: Duration::ZERO }
    }

    /// Asks for `url`: with GET, or where there is a body, an OCSP request, with POST.
    pub(super) fn exchange(&mut self, url: &str, body: Option<&[u8]>) -> Exchange {
        let mut exchange =
            Exchange { redirects: Vec::new(), octets: 0, took: Duration::ZERO, result: Err(FetchError::Url) };
        let uri = match self.admit(url) {
            Ok(uri) => uri,
            Err(refusal) => return Exchange { result: Err(refusal), ..exchange },
        };
        self.fetches += 1;
        let begun = Instant::now();
        let allowed = self.limits.each.min(self.limits.total.saturating_sub(self.spent));
        exchange.result = self.follow(uri, body, begun, allowed, &mut exchange.redirects);
        exchange.took = begun.elapsed();
        exchange.octets = match &exchange.result {
            Ok(content) => content.len() as u64,
            Err(FetchError::TooLong(limit)) => *limit,
            Err(_) => 0,
        };
        self.spent += exchange.took;
        exchange
    }

    fn admit(&self, url: &str) -> Result<Uri, FetchError> {
        let uri = http_uri(url)?;
        if self.fetches >= self.limits.fetches {
            return Err(FetchError::Limit(format!("{} fetches", self.limits.fetches)));
        }
        if self.spent >= self.limits.total {
            return Err(FetchError::Limit(format!("{} s for all fetches", self.limits.total.as_secs())));
        }
        Ok(uri)
    }

    fn follow(
        &self,
        mut uri: Uri,
        body: Option<&[u8]>,
        begun: Instant,
        allowed: Duration,
        redirects: &mut Vec<String>,
    ) -> Result<Vec<u8>, FetchError> {
        loop {
            let left = allowed.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(FetchError::Timeout(allowed));
            }
            let told = |error| told(error, allowed, self.limits.octets);
            let mut response = self.ask(&uri, body, left).map_err(told)?;
            let status = response.status();
            if !status.is_redirection() {
                if status.as_u16() != 200 {
                    return Err(FetchError::Status { status: status.as_u16(), reason: status.canonical_reason() });
                }
                // One octet more than is allowed tells a long answer from one that is just short enough.
                let content = response.body_mut().with_config().limit(self.limits.octets).read_to_vec();
                return content.map_err(told);
            }
            let place = response.headers().get("location").and_then(|value| value.to_str().ok());
            let place =
                place.ok_or(FetchError::Status { status: status.as_u16(), reason: status.canonical_reason() })?;
            if redirects.len() >= self.limits.redirects {
                return Err(FetchError::Redirects(self.limits.redirects));
            }
            let next = resolve(&uri, place);
            uri = http_uri(&next).map_err(|_| FetchError::RedirectedTo(next.clone()))?;
            redirects.push(next);
        }
    }

    fn ask(&self, uri: &Uri, body: Option<&[u8]>, left: Duration) -> Result<Response<ureq::Body>, ureq::Error> {
        match body {
            None => self.agent.get(uri).config().timeout_global(Some(left)).build().call(),
            // RFC 6960 appendix A.1.
            Some(body) => {
                let request = self.agent.post(uri).content_type("application/ocsp-request");
                request.config().timeout_global(Some(left)).build().send(body)
            }
        }
    }
}

fn http_uri(url: &str) -> Result<Uri, FetchError> {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).ok_or(FetchError::Url)?;
    if scheme != "http" {
        return Err(FetchError::Scheme(scheme));
    }
    let uri: Uri = url.parse().map_err(|_| FetchError::Url)?;
    uri.host().filter(|host| !host.is_empty()).ok_or(FetchError::Url)?;
    Ok(uri)
}

/// The place that `Location` names, as seen from `base` (RFC 3986 §5.2, without dot segments: servers take them out).
fn resolve(base: &Uri, place: &str) -> String {
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let is_absolute = place.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if is_absolute {
        place.to_owned()
    } else if let Some(network) = place.strip_prefix("//") {
        format!("http://{network}")
    } else if place.starts_with('/') {
        format!("http://{authority}{place}")
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("http://{authority}{folder}/{place}")
    }
}

fn told(error: ureq::Error, allowed: Duration, octets: u64) -> FetchError {
    match error {
        ureq::Error::Timeout(_) => FetchError::Timeout(allowed),
        ureq::Error::BodyExceedsLimit(_) => FetchError::TooLong(octets),
        ureq::Error::HostNotFound => FetchError::Host,
        ureq::Error::Io(error) => FetchError::Connection(match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "the connection is refused".to_owned(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof => {
                "the server ends the connection before the answer".to_owned()
            }
            _ => format!("the connection fails: {error}"),
        }),
        error => FetchError::Connection(format!("the exchange fails: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_seen_from_the_one_before() {
        let base: Uri = "http://a.test:8080/x/y?z".parse().unwrap_or_default();
        for (place, whole) in [
            ("http://b.test/", "http://b.test/"),
            ("https://b.test/", "https://b.test/"),
            ("//b.test/c", "http://b.test/c"),
            ("/c", "http://a.test:8080/c"),
            ("c?d", "http://a.test:8080/x/c?d"),
            ("file:///etc/passwd", "file:///etc/passwd"),
        ] {
            assert_eq!(resolve(&base, place), whole);
        }
    }

    #[test]
    fn only_http_is_spoken() {
        assert!(http_uri("HTTP://a.test/x").is_ok());
        for url in ["https://a.test/", "ldap://a.test/cn=x", "file:///etc/passwd", "ftp://a.test/"] {
            assert!(matches!(http_uri(url), Err(FetchError::Scheme(_))), "{url}");
        }
        for url in ["", "a.test", "http://", "http:///x", "http://a b/", "http://a.test/\u{1}"] {
            assert_eq!(http_uri(url), Err(FetchError::Url), "{url}");
        }
    }
}
