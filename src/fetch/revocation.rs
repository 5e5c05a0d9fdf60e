//! Revocation statuses: OCSP responses first, which are small, then lists with their changes.

use super::issuers::{self, issuer_urls, urls};
use super::{FetchError, Fetcher, URLS, Wanted, lacks};
use crate::container::Document;
use crate::encoding::base64;
use crate::verify::{Attempt, Check, CheckRevocation, Status, Verdict, Verifier};
use crate::x509::extension::{CrlDistributionPoints, DistributionPoint, FreshestCrl};
use crate::x509::time::rfc3339;
use crate::x509::{Certificate, CertificateRevocationList, Extensions, OcspRequest, OcspResponse, oids};

/// How many lists of one answer are taken.
const LISTS: usize = 8;

/// The longest OCSP request that is sent by GET (RFC 5019 §5), in octets of the encoded URL part.
const LONGEST_GET: usize = 255;

/// Fetches the next source about a certificate whose status is not known; false where there is none.
pub(super) fn round(fetcher: &mut Fetcher<'_>, verifier: &mut Verifier, verdict: &Verdict) -> bool {
    let attempts = verdict.attempts().iter().zip(0..);
    // Only what a trust anchor vouches for says where to ask; of paths beside the first, those that lack nothing else.
    for (attempt, _) in attempts.filter(|(attempt, at)| attempt.anchored && (*at == 0 || lacks_only_this(attempt))) {
        let asked = match verifier.check_revocation {
            CheckRevocation::None => 0,
            CheckRevocation::Leaf => 1,
            CheckRevocation::Given | CheckRevocation::Chain => usize::MAX,
        };
        for (at, pair) in attempt.path.windows(2).enumerate().take(asked) {
            let [certificate, issuer] = pair else { continue };
            let known = attempt.revocation.iter().find(|status| status.certificate == at);
            let known = known.is_some_and(|status| status.status != Status::Unknown);
            if !known && next_source(fetcher, verifier, certificate, issuer) {
                return true;
            }
        }
    }
    false
}

/// Whether this rule is about revocation.
pub(super) fn is_about(check: Check) -> bool {
    matches!(
        check,
        Check::Revocation
            | Check::RevocationKnown
            | Check::RevocationList
            | Check::RevocationListForm
            | Check::RevocationListProfile
            | Check::OcspResponse
            | Check::OcspResponderStatus
    )
}

fn lacks_only_this(attempt: &Attempt) -> bool {
    attempt.failures().all(|finding| is_about(finding.check) && finding.check != Check::Revocation)
}

fn next_source(
    fetcher: &mut Fetcher<'_>,
    verifier: &mut Verifier,
    certificate: &Certificate,
    issuer: &Certificate,
) -> bool {
    for url in urls(certificate.extensions(), &oids::OCSP) {
        if fetcher.is_new(&url, Some(certificate)) {
            fetch_response(fetcher, verifier, &url, certificate, issuer);
            return true;
        }
    }
    let points = certificate.extension::<CrlDistributionPoints>().ok().flatten();
    for url in points.map(|found| point_urls(&found.value.0)).unwrap_or_default() {
        if fetcher.is_new(&url, None) {
            fetch_list(fetcher, verifier, &url, certificate);
            return true;
        }
    }
    false
}

fn point_urls(points: &[DistributionPoint]) -> Vec<String> {
    points.iter().flat_map(DistributionPoint::uris).take(URLS).map(str::to_owned).collect()
}

/// Asks a responder: with a nonce by POST, and where it does not like that, by GET without (RFC 5019).
fn fetch_response(
    fetcher: &mut Fetcher<'_>,
    verifier: &mut Verifier,
    url: &str,
    certificate: &Certificate,
    issuer: &Certificate,
) {
    let nonce = (fetcher.nonce)();
    let Ok(request) = OcspRequest::about(certificate, issuer, nonce.as_deref()) else { return };
    let mut taken = None;
    let mut fetched = fetcher.fetch(Wanted::OcspResponse, url, Some(&request), certificate, |content| {
        let (response, what) = read_response(&content, certificate, issuer, nonce.as_deref())?;
        taken = Some(response);
        Ok(what)
    });
    let other_way = fetched.as_ref().is_err_and(FetchError::is_answer);
    if other_way && let Some(place) = get_url(url, certificate, issuer) {
        fetched = fetcher.fetch(Wanted::OcspResponse, &place, None, certificate, |content| {
            let (response, what) = read_response(&content, certificate, issuer, None)?;
            taken = Some(response);
            Ok(what)
        });
    }
    verifier.ocsp_responses.extend(taken);
    if let Err(error) = fetched {
        lacks(verifier, certificate, url, &error);
    }
}

/// RFC 6960 appendix A.1: the request in base64, URL-encoded, below the responder's URL.
fn get_url(url: &str, certificate: &Certificate, issuer: &Certificate) -> Option<String> {
    let request = OcspRequest::about(certificate, issuer, None).ok()?;
    let escape = |c: char| match c {
        '+' => "%2B".to_owned(),
        '/' => "%2F".to_owned(),
        '=' => "%3D".to_owned(),
        c => c.to_string(),
    };
    let encoded: String = base64::encode(&request).chars().map(escape).collect();
    (encoded.len() <= LONGEST_GET).then(|| format!("{}/{encoded}", url.trim_end_matches('/')))
}

/// The response, if it answers this question. Whether it can be relied on is for the verifier to say.
fn read_response(
    content: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    nonce: Option<&[u8]>,
) -> Result<(OcspResponse, String), FetchError> {
    let refused = FetchError::Content;
    let response =
        OcspResponse::from_der(content).map_err(|error| refused(format!("it is no OCSP response: {error}")))?;
    let answer = match &response {
        OcspResponse::Declined(decline) => {
            return Err(refused(format!("the responder declines: {}", decline.name())));
        }
        OcspResponse::Successful(answer) => answer,
    };
    let Some(single) = answer.responses().iter().find(|it| it.certificate.is(certificate, issuer) == Some(true)) else {
        return Err(refused("it says nothing about this certificate".to_owned()));
    };
    let echoed = answer.nonce().map_err(|error| refused(error.to_string()))?;
    // RFC 6960 §4.4.1: a responder may leave the nonce out, and then an old answer cannot be told from a new one but by its
    // times. Another nonce is the answer to another question.
    let note = match (nonce, echoed) {
        (Some(ours), Some(theirs)) if theirs != ours => return Err(FetchError::Nonce),
        (Some(_), Some(_)) => ", with our nonce",
        (Some(_), None) => ", without our nonce",
        (None, _) => "",
    };
    let what = format!("a response of {} of {}{note}", answer.responder(), rfc3339(single.this_update));
    Ok((response, what))
}

/// Fetches the list at `url` and those of its changes; with `--fetch-issuers` also the certificate of who signed it.
fn fetch_list(fetcher: &mut Fetcher<'_>, verifier: &mut Verifier, url: &str, certificate: &Certificate) {
    let lists = match fetch_lists(fetcher, Wanted::RevocationList, url, certificate) {
        Ok(lists) => lists,
        Err(error) => return lacks(verifier, certificate, url, &error),
    };
    let mut freshest = freshest_urls(certificate.extensions());
    for list in &lists {
        freshest.extend(freshest_urls(list.extensions()));
        // RFC 5280 §5.2.7.
        let known = verifier.intermediates.iter().chain(&verifier.anchors);
        let is_known = known.chain([certificate]).any(|it| it.subject().matches(list.issuer()));
        let signers = if fetcher.wants.issuers && !is_known { issuer_urls(list.extensions()) } else { Vec::new() };
        for url in signers {
            if fetcher.is_new(&url, None) {
                issuers::fetch(fetcher, verifier, &url, certificate, list.issuer());
            }
        }
    }
    verifier.revocation_lists.extend(lists);
    // A complete list that is current does without its changes (RFC 5280 §5.2.6), so these may be missing.
    for url in freshest.into_iter().take(URLS) {
        if fetcher.is_new(&url, None)
            && let Ok(deltas) = fetch_lists(fetcher, Wanted::DeltaList, &url, certificate)
        {
            verifier.revocation_lists.extend(deltas);
        }
    }
}

fn freshest_urls(extensions: &Extensions) -> Vec<String> {
    let freshest = extensions.find::<FreshestCrl>().ok().flatten();
    freshest.map(|found| point_urls(&found.value.0)).unwrap_or_default()
}

fn fetch_lists(
    fetcher: &mut Fetcher<'_>,
    wanted: Wanted,
    url: &str,
    certificate: &Certificate,
) -> Result<Vec<CertificateRevocationList>, FetchError> {
    let mut lists = Vec::new();
    fetcher.fetch(wanted, url, None, certificate, |content| {
        let refused = |error: crate::container::ContainerError| FetchError::Content(error.to_string());
        let document = Document::read(&content).map_err(refused)?;
        let found = document.revocation_lists().map_err(refused)?;
        if found.len() > LISTS {
            return Err(FetchError::Content(format!("it holds more than {LISTS} revocation lists")));
        }
        let told = found.iter().map(|list| {
            let kind = if list.is_delta() { "delta list" } else { "list" };
            format!("the {kind} of \"{}\" of {}", list.issuer(), rfc3339(list.this_update()))
        });
        let told = told.collect::<Vec<_>>().join(", ");
        lists = found.into_iter().cloned().collect();
        Ok(told)
    })?;
    Ok(lists)
}
