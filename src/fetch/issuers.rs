//! Missing issuers, up the chain (RFC 5280 §4.2.2.1).

use super::{FetchError, Fetcher, URLS, Wanted, lacks};
use crate::container::{Content, Document};
use crate::verify::{Attempt, Check, Place, Verdict, Verifier};
use crate::x509::extension::AuthorityInfoAccess;
use crate::x509::{Certificate, DistinguishedName, Extensions, oids};

/// How many certificates of one answer are taken.
const CERTIFICATES: usize = 32;

/// Fetches the next certificate that may help to a path; false where there is none.
pub(super) fn round(fetcher: &mut Fetcher<'_>, verifier: &mut Verifier, verdict: &Verdict) -> bool {
    if verdict.is_accepted() {
        return false;
    }
    for attempt in verdict.attempts().iter().filter(|attempt| another_path_may_help(attempt)) {
        // From the top: what is missing is usually the next one up.
        for certificate in attempt.path.iter().rev() {
            if certificate.is_self_issued() || verifier.anchors.contains(certificate) {
                continue;
            }
            for url in issuer_urls(certificate.extensions()) {
                if fetcher.is_new(&url, None) {
                    fetch(fetcher, verifier, &url, certificate, certificate.issuer());
                    return true;
                }
            }
        }
    }
    false
}

/// Fetches certificates at `url`, named by `certificate`, of which one is to have the name `wanted`.
pub(super) fn fetch(
    fetcher: &mut Fetcher<'_>,
    verifier: &mut Verifier,
    url: &str,
    certificate: &Certificate,
    wanted: &DistinguishedName,
) {
    let mut taken = Vec::new();
    let fetched = fetcher.fetch(Wanted::Issuer, url, None, certificate, |content| {
        let found = read(&content)?;
        if !found.iter().any(|it| it.subject().matches(wanted)) {
            let names: Vec<String> = found.iter().map(|it| format!("\"{}\"", it.subject())).collect();
            return Err(FetchError::Content(format!("it is {}, and not \"{wanted}\"", names.join(", "))));
        }
        let names: Vec<String> = found.iter().map(|it| format!("\"{}\"", it.display_name())).collect();
        taken = found;
        Ok(match names.as_slice() {
            [name] => format!("the certificate of {name}"),
            names => format!("the certificates of {}", names.join(", ")),
        })
    });
    match fetched {
        Ok(()) => {
            for certificate in taken {
                if !verifier.intermediates.contains(&certificate) {
                    verifier.intermediates.push(certificate);
                }
            }
        }
        Err(error) => lacks(verifier, certificate, url, &error),
    }
}

/// Where the certificates of who signed this are to be had.
pub(super) fn issuer_urls(extensions: &Extensions) -> Vec<String> {
    urls(extensions, &oids::CA_ISSUERS)
}

/// The URIs of this access method.
pub(super) fn urls(extensions: &Extensions, method: &crate::encoding::Oid) -> Vec<String> {
    let access = extensions.find::<AuthorityInfoAccess>().ok().flatten();
    let uris = access.iter().flat_map(|found| found.value.uris(method.clone()));
    uris.take(URLS).map(str::to_owned).collect()
}

/// A certificate in DER, or several in PKCS#7; PEM is taken, as some issuers give it.
fn read(content: &[u8]) -> Result<Vec<Certificate>, FetchError> {
    let document = Document::read(content).map_err(|error| FetchError::Content(error.to_string()))?;
    let damaged = document.items().iter().find_map(|item| match &item.content {
        Content::Malformed { what, why } => Some(format!("the {what} is damaged: {why}")),
        _ => None,
    });
    let found: Vec<Certificate> = document.items().iter().filter_map(|item| item.certificate().cloned()).collect();
    match (found.as_slice(), damaged) {
        (_, Some(damaged)) => Err(FetchError::Content(damaged)),
        ([], None) => Err(FetchError::Content("it holds no certificate".to_owned())),
        (found, None) if found.len() > CERTIFICATES => {
            Err(FetchError::Content(format!("it holds more than {CERTIFICATES} certificates")))
        }
        _ => Ok(found),
    }
}

/// Whether other issuers could mend what is wrong: the path ends too soon, or a fault is not the judged certificate's own.
fn another_path_may_help(attempt: &Attempt) -> bool {
    let elsewhere = |place: Place, check: Check| place != Place::Certificate(0) && !super::revocation::is_about(check);
    !attempt.anchored || attempt.failures().any(|finding| elsewhere(finding.place, finding.check))
}
