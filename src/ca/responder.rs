//! Answers OCSP requests from a ledger (RFC 6960, RFC 5019).
//!
//! The ledger is asked for each answer, so a revocation shows at once. A signed response is given again until half its
//! time is over or the status has changed; one with a nonce is always new.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::authority::{Authority, AuthorityError};
use crate::issue::{Reply, Responder, ocsp};
use crate::x509::ocsp::{OcspDecline, OcspStatus};
use crate::x509::ocsp_request::AskedCertificate;
use crate::x509::{Certificate, OcspRequest, SerialNumber, Validity};
use time::{Duration, OffsetDateTime};

/// Answers for one or several authorities.
#[derive(Debug)]
pub struct OcspResponder {
    voices: Vec<Voice>,
    /// How long an answer holds.
    validity: Duration,
    /// Why an answer was `internalError`, the first time since it was asked for.
    trouble: Mutex<Option<AuthorityError>>,
}

/// An answer to a request.
#[derive(Debug, Clone)]
pub struct OcspAnswer {
    /// The encoding of the OCSPResponse.
    pub der: Arc<[u8]>,
    /// What it says: of each certificate in order, or why it says nothing.
    pub said: Result<Vec<OcspSaid>, OcspDecline>,
    /// Why it says nothing, for whoever asked where that is the same person: an answer has no room for it.
    pub because: Option<String>,
    /// Until when it holds; `None` where it says nothing.
    pub next_update: Option<OffsetDateTime>,
    /// The serial numbers of which it says `unknown` because another authority of these has issued them, each with that one:
    /// an answer is signed for one issuer (RFC 6960 §2.2), so they are to be asked about in a request of their own.
    pub of_others: Vec<(SerialNumber, Certificate)>,
    /// thisUpdate and nextUpdate, where the answer may be kept and given to others: one certificate, no nonce.
    pub held: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// What is said of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspSaid {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Its status.
    pub status: OcspStatus,
}

/// An authority, who speaks for it, and what was said of late.
#[derive(Debug)]
struct Voice {
    issuer: Certificate,
    authority: Mutex<Authority>,
    /// None where it may speak no longer, and no other does yet.
    responder: RwLock<Option<Arc<Responder>>>,
    said: Mutex<HashMap<Vec<u8>, Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    status: OcspStatus,
    this_update: OffsetDateTime,
    der: Arc<[u8]>,
}

impl OcspResponder {
    /// Answers for these authorities, each by its responder, with answers that hold for `validity`.
    ///
    /// # Errors
    /// [`AuthorityError::NotItsResponder`] where a responder does not speak for its authority.
    pub fn new(voices: Vec<(Authority, Responder)>, validity: Duration) -> Result<Self, AuthorityError> {
        let voices = voices.into_iter().map(|(authority, responder)| {
            let issuer = authority.certificate().clone();
            let responder = RwLock::new(Some(Arc::new(speaking_for(&issuer, responder)?)));
            Ok(Voice { issuer, authority: Mutex::new(authority), responder, said: Mutex::default() })
        });
        Ok(Self { voices: voices.collect::<Result<_, AuthorityError>>()?, validity, trouble: Mutex::default() })
    }

    /// Knows of these authorities too, for whom nobody speaks yet: the answer is `tryLater` until somebody does.
    pub fn with_silent(mut self, authorities: impl IntoIterator<Item = Authority>) -> Self {
        self.voices.extend(authorities.into_iter().map(|authority| Voice {
            issuer: authority.certificate().clone(),
            authority: Mutex::new(authority),
            responder: RwLock::new(None),
            said: Mutex::default(),
        }));
        self
    }

    /// The authorities whose responder is a delegate, each with the delegate's validity; without one where nobody speaks at
    /// present.
    pub fn delegations(&self) -> Vec<(Certificate, Option<Validity>)> {
        let delegated = |voice: &Voice| match voice.responder() {
            None => Some((voice.issuer.clone(), None)),
            Some(responder) if responder.is_delegate() => {
                Some((voice.issuer.clone(), Some(*responder.certificate().validity())))
            }
            Some(_) => None,
        };
        self.voices.iter().filter_map(delegated).collect()
    }

    /// Has every delegate whose certificate is revoked, or unknown to the ledger, sign nothing more: until another speaks,
    /// its authority's answer is `tryLater`, and what it said before is forgotten. Gives the authorities of those that are
    /// silent only now. Where the ledger fails [`Self::trouble`] says so.
    pub fn silence_revoked(&self) -> Vec<Certificate> {
        let mut silenced = Vec::new();
        // The ledgers of all are asked, whichever fails, so that each comes back as soon as it can.
        for voice in &self.voices {
            let delegate = voice.responder().filter(|responder| responder.is_delegate());
            let signs = delegate.as_ref().map_or(&voice.issuer, |delegate| delegate.certificate());
            let status = lock(&voice.authority).status(signs.serial());
            match status {
                Ok(status) if delegate.is_some() && status != OcspStatus::Good => {
                    voice.speak_by(None);
                    silenced.push(voice.issuer.clone());
                }
                Ok(_) => {}
                Err(error) => self.note(error),
            }
        }
        silenced
    }

    fn note(&self, error: AuthorityError) {
        lock(&self.trouble).get_or_insert(error);
    }

    /// Why an answer was `internalError`, or a ledger could not be asked: the first reason since this was asked last.
    pub fn trouble(&self) -> Option<AuthorityError> {
        lock(&self.trouble).take()
    }

    /// Has another responder speak for an authority from now on.
    ///
    /// # Errors
    /// [`AuthorityError::NotItsResponder`].
    pub fn replace(&self, issuer: &Certificate, responder: Responder) -> Result<(), AuthorityError> {
        let responder = Arc::new(speaking_for(issuer, responder)?);
        for voice in self.voices.iter().filter(|voice| voice.issuer == *issuer) {
            voice.speak_by(Some(Arc::clone(&responder)));
        }
        Ok(())
    }

    /// The answer to these octets; whatever they are, there is one.
    ///
    /// - They are no request, or have a critical extension that is not known: `malformedRequest`.
    /// - No certificate asked about is one of these authorities': `unauthorized` (RFC 5019 §2.2.3).
    /// - Otherwise the authority of the first that is speaks; of what it has not signed it says `unknown`, also where another
    ///   one of these has: a response has one signer, and only the issuer's counts (RFC 6960 §2.2).
    /// - Nobody may speak for it at present: `tryLater`.
    /// - The ledger or the key fails: `internalError`.
    pub fn answer(&self, request: &[u8], now: OffsetDateTime) -> OcspAnswer {
        let request = match OcspRequest::from_der(request) {
            Ok(request) => request,
            Err(error) => return declined(OcspDecline::MalformedRequest, error.to_string()),
        };
        if let Some(unknown) = request.unknown_critical() {
            let because = format!("its critical extension {unknown} is not known (RFC 6960 §4.4)");
            return declined(OcspDecline::MalformedRequest, because);
        }
        let ours = |asked: &AskedCertificate| self.voices.iter().find(|voice| voice.issued(asked));
        let Some(voice) = request.certificates().iter().find_map(ours) else {
            let because = "it asks about no certificate of this CA: their issuers have other names or keys".to_owned();
            return declined(OcspDecline::Unauthorized, because);
        };
        let Some(responder) = voice.responder() else {
            return declined(OcspDecline::TryLater, "nobody may speak for the authority at present".to_owned());
        };
        let answered = match (request.certificates(), request.nonce()) {
            ([asked], None) => self.answer_one(voice, &responder, asked, now),
            (several, nonce) => self.answer_all(voice, &responder, several, nonce, now),
        };
        answered.unwrap_or_else(|error| {
            let because = error.to_string();
            self.note(error);
            declined(OcspDecline::InternalError, because)
        })
    }

    /// As it was said before, if that still holds.
    fn answer_one(
        &self,
        voice: &Voice,
        responder: &Arc<Responder>,
        asked: &AskedCertificate,
        now: OffsetDateTime,
    ) -> Result<OcspAnswer, AuthorityError> {
        let status = voice.status(asked)?;
        let said = Ok(vec![OcspSaid { serial: asked.id.serial.clone(), status }]);
        let answer = |der, this_update: OffsetDateTime| {
            let next_update = self.next_update(responder, this_update);
            let held = Some((this_update, next_update));
            OcspAnswer { der, said, because: None, next_update: Some(next_update), of_others: Vec::new(), held }
        };
        let known = lock(&voice.said).get(&asked.encoding).cloned();
        let half =
            |kept: &Kept| kept.this_update + (self.next_update(responder, kept.this_update) - kept.this_update) / 2;
        let fresh = |kept: &Kept| kept.this_update <= now && now < half(kept);
        if let Some(kept) = known.filter(|kept| kept.status == status && fresh(kept)) {
            return Ok(answer(kept.der, kept.this_update));
        }
        let der: Arc<[u8]> = self.signed(responder, &[(asked, status)], None, now)?.into();
        // Of what is not ours there is no end, and a client could fill the memory with it.
        if status != OcspStatus::Unknown {
            let mut kept = lock(&voice.said);
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            // It may have been silenced meanwhile, and what it said forgotten.
            if voice.responder().is_some_and(|speaks| Arc::ptr_eq(&speaks, responder)) {
                kept.insert(asked.encoding.clone(), Kept { status, this_update: now, der: Arc::clone(&der) });
            }
        }
        Ok(answer(der, now))
    }

    fn answer_all(
        &self,
        voice: &Voice,
        responder: &Responder,
        asked: &[AskedCertificate],
        nonce: Option<&[u8]>,
        now: OffsetDateTime,
    ) -> Result<OcspAnswer, AuthorityError> {
        let mut statuses = Vec::with_capacity(asked.len());
        let mut of_others = Vec::new();
        for one in asked {
            statuses.push((one, if voice.issued(one) { voice.status(one)? } else { OcspStatus::Unknown }));
            if let Some(other) = self.voices.iter().find(|other| other.issued(one)).filter(|_| !voice.issued(one)) {
                of_others.push((one.id.serial.clone(), other.issuer.clone()));
            }
        }
        let der = self.signed(responder, &statuses, nonce, now)?.into();
        let said = statuses.iter().map(|(one, status)| OcspSaid { serial: one.id.serial.clone(), status: *status });
        Ok(OcspAnswer {
            der,
            said: Ok(said.collect()),
            because: None,
            next_update: Some(self.next_update(responder, now)),
            of_others,
            held: None,
        })
    }

    /// An answer holds no longer than the certificate of whoever signed it.
    fn next_update(&self, responder: &Responder, this_update: OffsetDateTime) -> OffsetDateTime {
        let end = responder.certificate().validity().not_after;
        (this_update + self.validity).min(end).max(this_update)
    }

    fn signed(
        &self,
        responder: &Responder,
        statuses: &[(&AskedCertificate, OcspStatus)],
        nonce: Option<&[u8]>,
        now: OffsetDateTime,
    ) -> Result<Vec<u8>, AuthorityError> {
        let next_update = self.next_update(responder, now);
        let replies: Vec<Reply<'_>> = statuses
            .iter()
            .map(|(asked, status)| Reply {
                certificate: &asked.encoding,
                status: *status,
                this_update: now,
                next_update: Some(next_update),
            })
            .collect();
        Ok(responder.respond(&replies, now, nonce)?)
    }
}

impl Voice {
    /// Whether the CertID names this authority as the issuer.
    fn issued(&self, asked: &AskedCertificate) -> bool {
        asked.id.is_issued_by(&self.issuer) == Some(true)
    }

    fn status(&self, asked: &AskedCertificate) -> Result<OcspStatus, AuthorityError> {
        lock(&self.authority).status(&asked.id.serial)
    }

    fn responder(&self) -> Option<Arc<Responder>> {
        self.responder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has this one speak from now on, or none; what was said before is forgotten.
    fn speak_by(&self, responder: Option<Arc<Responder>>) {
        *self.responder.write().unwrap_or_else(PoisonError::into_inner) = responder;
        lock(&self.said).clear();
    }
}

fn speaking_for(issuer: &Certificate, responder: Responder) -> Result<Responder, AuthorityError> {
    if responder.speaks_for(issuer) {
        return Ok(responder);
    }
    let (responder, issuer) = (responder.certificate().display_name(), issuer.display_name());
    Err(AuthorityError::NotItsResponder { responder, issuer })
}

fn declined(why: OcspDecline, because: String) -> OcspAnswer {
    OcspAnswer {
        der: ocsp::decline(why).into(),
        said: Err(why),
        because: Some(because),
        next_update: None,
        of_others: Vec::new(),
        held: None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers kept for each authority: about a kilobyte each.
const MOST_KEPT: usize = 20_000;

#[cfg(test)]
mod tests;
