//! A certificate's status by the lists given (RFC 5280 §6.3.3).

use ::time::OffsetDateTime;

use super::fault::{ListFault, SourceFault};
use super::scope::{self, ALL_REASONS, Point, Reasons};
use super::status::{CertificateStatus, RevocationSource, Status};
use super::{Answer, Inquiry, Target, delta, form};
use crate::key::PublicKey;
use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, CertificateRevocationList};

/// What a sound list says about a certificate.
struct Reading {
    status: Status,
    source: RevocationSource,
}

impl<'a> Inquiry<'a> {
    /// Goes through the distribution points and, for each, through the lists that cover it, until every reason for
    /// revocation is covered or the certificate is found revoked.
    pub(super) fn ask_lists(&mut self, target: Target<'_>) -> Answer {
        let mut answer = Answer::unknown();
        let mut reasons: Reasons = 0;
        let points = scope::points(target.certificate);
        // Lists that cannot be relied on are not asked again through another point.
        let mut failed = Vec::new();
        let places = 0..self.complete.len();
        for (point, place) in points.iter().flat_map(|point| places.clone().map(move |place| (point, place))) {
            let Some(&list) = self.complete.get(place).filter(|_| !failed.contains(&place)) else { continue };
            let reading = match scope::covered(list, point, target.certificate) {
                // RFC 5280 §6.3.3 (e): only what brings a new reason.
                Ok(Some(covered)) if covered & !reasons != 0 => {
                    self.read(list, target, &mut answer).map(|reading| (covered, reading))
                }
                Ok(_) => continue,
                Err(error) => Err(ListFault::Extension(error)),
            };
            match reading {
                Err(fault) => {
                    failed.push(place);
                    answer.object(of(list, fault));
                }
                Ok((covered, Reading { status, source })) => {
                    answer.remarks.extend(form::faults(list).into_iter().map(|fault| of(list, fault)));
                    if matches!(status, Status::Revoked { .. }) {
                        answer.status = CertificateStatus { status, source: Some(source), ..answer.status };
                        return answer;
                    }
                    reasons |= covered;
                    answer.status.source.get_or_insert(source);
                }
            }
        }
        if reasons == ALL_REASONS {
            answer.status.status = Status::Good;
            return answer;
        }
        answer.uncovered = scope::uncovered(reasons);
        answer.status = CertificateStatus::unknown();
        if answer.objections.is_empty() {
            self.object_to_lone_deltas(&points, reasons, target.certificate, &mut answer);
        }
        answer
    }

    /// What `list`, which covers the certificate, says about it.
    fn read(
        &mut self,
        list: &CertificateRevocationList,
        target: Target<'_>,
        answer: &mut Answer,
    ) -> Result<Reading, ListFault> {
        if let Some(obstacle) = form::obstacle(list) {
            return Err(obstacle);
        }
        let key = self.signer(list, target)?;
        let delta = self.delta(list, &key, answer);
        // RFC 5280 §6.3.3 (a): a complete list that is out of date will do with a delta list that is not.
        match currency(list, self.verifier.at) {
            Some(ListFault::Stale { .. }) if delta.is_some() => {}
            Some(fault) => return Err(fault),
            None => {}
        }
        // RFC 5280 §6.3.3 (i), (j), (k).
        let by_delta = delta.and_then(|delta| entry(delta, target.certificate));
        let status = match by_delta.or_else(|| entry(list, target.certificate)) {
            None | Some(Status::Revoked { reason: Some(CrlReason::RemoveFromCrl), .. }) => Status::Good,
            Some(revoked) => revoked,
        };
        let (kind, dated) = delta.map_or(("CRL", list), |delta| ("delta CRL", delta));
        let source = RevocationSource {
            kind,
            issuer: list.issuer().clone(),
            this_update: dated.this_update(),
            next_update: dated.next_update(),
            nonce: None,
        };
        Ok(Reading { status, source })
    }

    /// The newest delta list for `base` that can be relied on. To those that cannot, the answer objects.
    fn delta(
        &mut self,
        base: &CertificateRevocationList,
        key: &PublicKey,
        answer: &mut Answer,
    ) -> Option<&'a CertificateRevocationList> {
        let at = self.verifier.at;
        for delta in self.deltas.clone().into_iter().filter(|delta| delta::updates(delta, base)) {
            let fault = form::obstacle(delta).or_else(|| currency(delta, at));
            // RFC 5280 §6.3.3 (h): the same key as the complete list's.
            match fault.or_else(|| self.signatures.check(delta, key).err()) {
                None => return Some(delta),
                Some(fault) => answer.object(of(delta, fault)),
            }
        }
        None
    }

    /// Says of delta lists that would cover the certificate that they are nothing without their base.
    fn object_to_lone_deltas(
        &self,
        points: &[Point],
        reasons: Reasons,
        certificate: &Certificate,
        answer: &mut Answer,
    ) {
        for list in &self.deltas {
            let covers = |point| matches!(scope::covered(list, point, certificate), Ok(Some(covered)) if covered & !reasons != 0);
            if points.iter().any(covers)
                && let Ok(Some(base)) = list.base_number()
            {
                answer.object(of(list, ListFault::NoBase { base }));
            }
        }
    }
}

/// Whether the moment of judgment lies between thisUpdate and nextUpdate.
fn currency(list: &CertificateRevocationList, at: OffsetDateTime) -> Option<ListFault> {
    if at < list.this_update() {
        return Some(ListFault::NotYet { at });
    }
    let next_update = list.next_update().filter(|next_update| *next_update < at)?;
    Some(ListFault::Stale { next_update, at })
}

/// What the entry for this certificate says, if there is one; of several, the one that does not take it off the list.
fn entry(list: &CertificateRevocationList, certificate: &Certificate) -> Option<Status> {
    let entries = list.entries_of(certificate.serial());
    let own = entries.filter(|(_, issuers)| scope::is_for(*issuers, list, certificate.issuer()));
    let mut statuses = own.map(|(entry, _)| {
        // An entry revokes whatever its reasonCode.
        let reason = entry.reason().ok().flatten();
        (reason == Some(CrlReason::RemoveFromCrl), Status::Revoked { since: entry.revocation_date, reason })
    });
    let first = statuses.next()?;
    let chosen = if first.0 { statuses.find(|(removed, _)| !removed).unwrap_or(first) } else { first };
    Some(chosen.1)
}

fn of(list: &CertificateRevocationList, fault: ListFault) -> SourceFault {
    SourceFault::List {
        issuer: list.issuer().clone(),
        number: list.number().ok().flatten(),
        this_update: list.this_update(),
        fault,
    }
}
