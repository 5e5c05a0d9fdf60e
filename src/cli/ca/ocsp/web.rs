//! `certkit ca ocsp --serve`: OCSP over HTTP (RFC 6960 appendix A, RFC 5019 §5 and §6).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use serde::Serialize;

use super::Args;
use super::delegate::{self, Found, Speaker};
use crate::ca::{OcspAnswer, OcspResponder};
use crate::cli::ca::outage::Outage;
use crate::cli::clock::{self, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::listening;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, good};
use crate::encoding::{base64, hex, percent};
use crate::key::digest;
use crate::serve::http::{Answer, Limits, Listener, Request, Service};
use crate::x509::ocsp::OcspStatus;
use crate::x509::{Certificate, OcspRequest, Validity};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

pub(super) fn run(args: &Args, address: &str, speaker: &Speaker<'_>, session: &mut Session) -> anyhow::Result<Exit> {
    let listener = listening::taken(Listener::bind(address), address, "--serve")?;
    let address = format!("http://{}", listener.address());
    let voices = speaker.voices(session)?;
    let silent = voices.silent();
    let responder = voices.responder(args.validity, session)?;
    let desk = Arc::new(Desk { responder, count: Count::default() });
    session.say(format_args!("{} {address}", good("answering")));
    let ledger = Outage::new("clients are told internalError", "the ledger answers", CALM);
    // What is due already was tried just now.
    let now = clock::now();
    let is_due =
        |(_, validity): &(_, Option<Validity>)| validity.as_ref().is_none_or(|it| delegate::renew_at(it) <= now);
    let again = match desk.responder.delegations().iter().any(is_due) {
        true => now + AGAIN,
        false => OffsetDateTime::UNIX_EPOCH,
    };
    let mut renewal = Renewal { standing: None, silent, again, ledger };
    let limits = Limits::for_requests_of(OcspRequest::LONGEST);
    let service = Arc::clone(&desk) as Arc<dyn Service>;
    let served = listener.serve_while(limits, service, STEP, || renewal.look(speaker, &desk.responder, session));
    served.context("cannot serve")?;
    for error in renewal.standing.into_iter().chain(renewal.ledger.into_standing()) {
        session.fail(&error);
    }
    session.answer(&desk.count.served(address))?;
    Ok(Exit::Yes)
}

/// Keeps delegates from expiring, and replaces those that are revoked.
struct Renewal {
    /// The last attempt failed.
    standing: Option<anyhow::Error>,
    /// Those for whom nobody could answer when it began: that was told, and it may be meant so.
    silent: Vec<Certificate>,
    /// No attempt before this.
    again: OffsetDateTime,
    /// The ledger or a key failed.
    ledger: Outage,
}

impl Renewal {
    /// Looks by the ledger and the wall clock whether a delegate has to be replaced, and does it.
    fn look(&mut self, speaker: &Speaker<'_>, responder: &OcspResponder, session: &mut Session) {
        for issuer in responder.silence_revoked() {
            let issuer = issuer.display_name();
            session.warn(format_args!(
                "the certificate of the OCSP responder of {issuer} is revoked: it signs nothing more"
            ));
            self.again = OffsetDateTime::UNIX_EPOCH;
        }
        if self.ledger.see(responder.trouble().map(Into::into), session) {
            self.again = OffsetDateTime::UNIX_EPOCH;
        }
        let now = clock::now();
        for (issuer, validity) in responder.delegations() {
            let due = validity.as_ref().map_or(OffsetDateTime::UNIX_EPOCH, delegate::renew_at);
            if now < due.max(self.again) {
                continue;
            }
            let renewed = renew(speaker, responder, &issuer, session);
            if self.silent.contains(&issuer) {
                match renewed {
                    Ok(()) => {
                        self.silent.retain(|silent| *silent != issuer);
                        let issuer = issuer.display_name();
                        session.say(format_args!("{} about certificates of {issuer} too", good("answering")));
                    }
                    Err(_) => self.again = now + AGAIN,
                }
                continue;
            }
            self.standing = renewed.err();
            if let Some(error) = &self.standing {
                // Answers stay good until the delegate's certificate ends; there is time to try again.
                let meanwhile = match validity {
                    Some(Validity { not_after, .. }) => {
                        format!("; the one that is there holds until {}", rfc3339(not_after))
                    }
                    None => "; until it is, clients are told to try later".to_owned(),
                };
                session.warn(format_args!("the OCSP responder's certificate cannot be renewed: {error:#}{meanwhile}"));
                self.again = now + AGAIN;
            }
        }
    }
}

fn renew(
    speaker: &Speaker<'_>,
    responder: &OcspResponder,
    issuer: &Certificate,
    session: &mut Session,
) -> anyhow::Result<()> {
    let mut authorities = speaker.chosen.open_all()?.into_iter().filter(|(_, it)| it.certificate() == issuer);
    let (name, mut authority) = authorities.next().context("the CA is gone from its folder")?;
    let Found { responder: new, overdue } = speaker.for_one(&name, &mut authority, session)?;
    responder.replace(issuer, new)?;
    overdue.map_or(Ok(()), Err)
}

/// Answers requests.
#[derive(Debug)]
struct Desk {
    responder: OcspResponder,
    count: Count,
}

impl Service for Desk {
    fn answer(&self, request: &Request<'_>) -> Answer {
        let now = clock::now();
        match request.method {
            "POST" => match request.content_type.map(|it| it.split(';').next().unwrap_or_default().trim()) {
                Some(kind) if kind.eq_ignore_ascii_case("application/ocsp-request") => {
                    self.count.and_render(self.responder.answer(request.body, now), request, now, false)
                }
                _ => Answer::refusal(415, "POST takes application/ocsp-request"),
            },
            "GET" => match in_path(request.path) {
                Some(encoding) => self.count.and_render(self.responder.answer(&encoding, now), request, now, true),
                None => {
                    Answer::refusal(404, "this answers OCSP requests: POST, or GET /BASE64 (RFC 6960 appendix A.1)")
                }
            },
            _ => Answer::method_not_allowed("GET, HEAD, POST"),
        }
    }
}

/// The request in the path of a GET: the base64 of its DER, percent signs or not, after any other segments. Base64 has
/// slashes of its own, so where it begins is found by trying.
fn in_path(path: &str) -> Option<Vec<u8>> {
    let path = percent::decode(path)?;
    let starts = path.match_indices('/').map(|(at, _)| at + 1).take(MOST_SEGMENTS);
    // DER of a SEQUENCE begins with 0x30, and that is M.
    let mut rests = starts.filter_map(|at| path.get(at..)).filter(|rest| rest.starts_with('M'));
    rests.find_map(|rest| base64::decode(rest).filter(|encoding| crate::encoding::der::only(encoding).is_ok()))
}

/// How often what was said.
#[derive(Debug, Default)]
struct Count {
    requests: AtomicU64,
    good: AtomicU64,
    revoked: AtomicU64,
    unknown: AtomicU64,
    declined: AtomicU64,
}

impl Count {
    /// Counts an answer and puts it into HTTP. Answers to GET may be kept on the way until there is a newer one
    /// (RFC 5019 §6.2); those to POST never are.
    fn and_render(&self, answer: OcspAnswer, request: &Request<'_>, now: OffsetDateTime, kept: bool) -> Answer {
        let add = |counter: &AtomicU64| _ = counter.fetch_add(1, Ordering::Relaxed);
        add(&self.requests);
        match &answer.said {
            Err(_) => add(&self.declined),
            Ok(said) => said.iter().for_each(|one| match one.status {
                OcspStatus::Good => add(&self.good),
                OcspStatus::Revoked { .. } => add(&self.revoked),
                OcspStatus::Unknown => add(&self.unknown),
            }),
        }
        let Some((this_update, next_update)) = answer.held.filter(|_| kept) else {
            return Answer::ok(RESPONSE, answer.der.to_vec()).with("cache-control", "no-store");
        };
        let tag = format!("\"{}\"", hex::encode(&digest::sha1(&answer.der)));
        let rendered = match request.if_none_match {
            Some(known) if known.contains(&tag) => Answer { status: 304, headers: Vec::new(), body: Vec::new().into() },
            _ => Answer::ok(RESPONSE, answer.der.to_vec()),
        };
        // A newer answer is there after half the time.
        let half: OffsetDateTime = this_update + (next_update - this_update) / 2;
        let age = time::Duration::whole_seconds(half - now).max(0);
        rendered
            .with("etag", tag)
            .with("last-modified", http_date(this_update))
            .with("expires", http_date(next_update))
            .with("cache-control", format!("max-age={age}, public, no-transform, must-revalidate"))
    }

    fn served(&self, address: String) -> Served {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Served {
            address,
            requests: count(&self.requests),
            good: count(&self.good),
            revoked: count(&self.revoked),
            unknown: count(&self.unknown),
            declined: count(&self.declined),
        }
    }
}

/// `Mon, 23 Nov 2026 12:00:00 GMT` (RFC 9110 §5.6.7).
fn http_date(moment: OffsetDateTime) -> String {
    moment.format(&Rfc2822).unwrap_or_default().replace("+0000", "GMT")
}

#[derive(Debug, Serialize)]
struct Served {
    address: String,
    requests: u64,
    good: u64,
    revoked: u64,
    unknown: u64,
    declined: u64,
}

impl Report for Served {
    fn text(&self, text: &mut Text) {
        let Self { address, requests, good, revoked, unknown, declined } = self;
        text.line(format_args!(
            "served {address}: {requests} requests; {good} good, {revoked} revoked, {unknown} unknown, {declined} declined"
        ));
    }
}

const RESPONSE: &str = "application/ocsp-response";

/// How often it is asked whether a delegate has to be renewed.
const STEP: std::time::Duration = std::time::Duration::from_millis(500);

/// How long after a renewal that failed the next one is tried.
const AGAIN: time::Duration = time::Duration::minutes(5);

/// How long no answer may have failed before the ledger is well again.
const CALM: std::time::Duration = std::time::Duration::from_secs(2);

/// Where in a path a request may begin.
const MOST_SEGMENTS: usize = 8;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::der;

    #[test]
    fn a_request_is_found_in_any_path() {
        // Its base64 has all of the alphabet's odd characters.
        let request = der::sequence(&[&[0xff; 31], &[0xfb, 0xef, 0xbe, 0x3f]]);
        let text = base64::encode(&request);
        assert!(text.contains('/') && text.contains('+'), "{text}");
        let escaped = text.replace('/', "%2F").replace('+', "%2b").replace('=', "%3D");
        for path in [format!("/{text}"), format!("/{escaped}"), format!("//{text}"), format!("/ocsp/Man/{escaped}")] {
            assert_eq!(in_path(&path), Some(request.clone()), "{path}");
        }
        for path in ["/", "/M", "/%", "/%zz", "/%4", "/TWFu", "*", "/%ff"] {
            assert_eq!(in_path(path), None, "{path}");
        }
    }

    #[test]
    fn times_are_those_of_http() {
        let moment = time::macros::datetime!(2026-11-03 09:05:07 UTC);
        assert_eq!(http_date(moment), "Tue, 03 Nov 2026 09:05:07 GMT");
    }
}
