//! What a judgment lacks, fetched where certificates say it is: issuers' certificates, revocation lists, OCSP responses.
//!
//! [`Fetcher::judge`] has the verifier judge, fetches what is missing, and has it judge again, until nothing is missing
//! or nothing more can be had. What comes is given to the verifier as files are: it is never trusted more. Only `http`
//! is spoken (RFC 5280 §8 warns of https: judging that server would take the same fetching), within [`Limits`].
//!
//! The URLs are those of certificates, and who wrote a certificate chooses them: a fetch may reach any host that this
//! machine reaches. Those about revocation are taken only from certificates that a trust anchor vouches for.

mod http;
mod issuers;
mod record;
mod revocation;

pub use http::{FetchError, Limits};
pub use record::{Fetch, Outcome, Wanted};

use std::collections::HashSet;

use self::http::Client;
use crate::verify::{Unavailable, Verdict, Verifier};
use crate::x509::Certificate;
use time::OffsetDateTime;

/// How many URLs of one extension are tried. Certificates have one or two.
const URLS: usize = 8;

/// What may be fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wants {
    /// Certificates of issuers, at the caIssuers URLs of authorityInfoAccess (RFC 5280 §4.2.2.1).
    pub issuers: bool,
    /// Revocation lists and OCSP responses.
    pub revocation: bool,
}

/// Fetches for one judgment.
pub struct Fetcher<'n> {
    wants: Wants,
    client: Client,
    /// Gives the nonce of a request; `None` for a request without one.
    nonce: Box<dyn FnMut() -> Option<Vec<u8>> + 'n>,
    /// What was tried, by URL and, for OCSP, by certificate. Nothing is tried twice.
    tried: HashSet<(String, Vec<u8>)>,
    fetches: Vec<Fetch>,
    /// A limit was reached.
    stopped: bool,
    now: Option<fn() -> OffsetDateTime>,
}

impl<'n> Fetcher<'n> {
    /// A fetcher that has fetched nothing yet. `nonce` is asked once for each OCSP request.
    pub fn new(wants: Wants, limits: Limits, nonce: impl FnMut() -> Option<Vec<u8>> + 'n) -> Self {
        Self {
            wants,
            client: Client::new(limits),
            nonce: Box::new(nonce),
            tried: HashSet::new(),
            fetches: Vec::new(),
            stopped: false,
            now: None,
        }
    }

    /// The same where what is judged is the present: an answer that is signed once it is asked for is later than the question, and
    /// it is judged as of when it has come.
    #[must_use]
    pub fn keeping_time(self, now: fn() -> OffsetDateTime) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Judges `leaf`, fetching what is missing. The verifier keeps what was fetched, so that it judges alike again.
    pub fn judge(&mut self, verifier: &mut Verifier, leaf: &Certificate) -> Verdict {
        let mut verdict = verifier.judge(leaf);
        // Each round tries a URL that was not tried before, and the count of fetches is bounded.
        while !self.stopped && self.round(verifier, &verdict) {
            if let Some(now) = self.now {
                verifier.at = verifier.at.max(now());
            }
            verdict = verifier.judge(leaf);
        }
        verdict
    }

    /// What was fetched so far, and what was not, in order.
    pub fn fetches(&self) -> &[Fetch] {
        &self.fetches
    }

    /// Tries to get the next thing that is missing; false where nothing is.
    fn round(&mut self, verifier: &mut Verifier, verdict: &Verdict) -> bool {
        (self.wants.issuers && issuers::round(self, verifier, verdict))
            || (self.wants.revocation && revocation::round(self, verifier, verdict))
    }

    /// Whether this was not tried before; it now was.
    fn is_new(&mut self, url: &str, certificate: Option<&Certificate>) -> bool {
        let fingerprint = certificate.map(|it| it.fingerprint_sha256().to_vec()).unwrap_or_default();
        self.tried.insert((url.to_owned(), fingerprint))
    }

    /// Asks at `url`, with `body` by POST, and has `take` make use of the answer. What came of it is recorded; the error
    /// where nothing did.
    fn fetch(
        &mut self,
        wanted: Wanted,
        url: &str,
        body: Option<&[u8]>,
        certificate: &Certificate,
        take: impl FnOnce(Vec<u8>) -> Result<String, FetchError>,
    ) -> Result<(), FetchError> {
        let exchange = self.client.exchange(url, body);
        let octets = exchange.octets;
        let taken = exchange.result.and_then(take);
        let (outcome, result) = match taken {
            Ok(what) => (Outcome::Used(what), Ok(())),
            Err(error) if error.is_refusal() => (Outcome::NotFetched(error.to_string()), Err(error)),
            Err(error) => (Outcome::Failed(error.to_string()), Err(error)),
        };
        self.stopped |= matches!(result, Err(FetchError::Limit(_)));
        self.fetches.push(Fetch {
            wanted,
            method: if body.is_some() { "POST" } else { "GET" },
            url: url.to_owned(),
            certificate: certificate.display_name(),
            redirects: exchange.redirects,
            octets,
            took: exchange.took,
            outcome,
        });
        result
    }
}

/// Tells the verifier that what `certificate` says is at `url` could not be had.
fn lacks(verifier: &mut Verifier, certificate: &Certificate, url: &str, error: &FetchError) {
    verifier.unavailable.push(Unavailable {
        issuer: certificate.issuer().clone(),
        serial: certificate.serial().clone(),
        url: url.to_owned(),
        why: error.to_string(),
    });
}
