//! An authority: its certificate, what it has signed, and with its key, what it signs.

mod bound;
mod bulk;
mod compromise;
mod known;
mod publish;
mod revocation;
mod standing;
mod taken_over;

pub use bulk::{Press, Task, Unrecorded};
pub use compromise::CompromisedKeys;
pub(super) use compromise::refuse_compromised;
pub use publish::{ListOrder, PublishedList};
pub use standing::{RevokedAuthority, StatusSignatory};

use self::known::Known;
use super::ledger::{Act, AuthorityId, Entry, Ledger, LedgerError, Query, Record, RecordId};
use super::petition::{Petition, Refusal};
use super::tiers;
use crate::issue::{self, IssueError, Issuer, Request};
use crate::key::{KeyError, PrivateKey};
use crate::profile::Profile;
use crate::x509::time::rfc3339;
use crate::x509::{Certificate, SerialNumber, Validity, X509Error};
use time::OffsetDateTime;

/// An authority without its key: what it is and what it has signed.
pub struct Authority {
    certificate: Certificate,
    /// The authorities above it, the next one first.
    above: Vec<Certificate>,
    id: AuthorityId,
    ledger: Box<dyn Ledger>,
    /// The authorities of the ledger, as they were read last.
    known: Known,
}

/// An authority with its key: it signs.
pub struct Signatory<'a> {
    authority: &'a mut Authority,
    key: &'a PrivateKey,
}

/// What is to be certified.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// What kind of certificate.
    pub profile: &'a Profile,
    /// For whom and what.
    pub request: &'a Request,
    /// The period asked for.
    pub validity: Validity,
}

/// A certificate that has been signed and recorded.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// The notAfter asked for, where an authority's above it comes before: a certificate never outlives its issuers.
    pub clamped: Option<OffsetDateTime>,
}

/// Where serial numbers come from: 128 random bits each (RFC 5280 §4.1.2.2 allows 20 octets; CA/B Forum BR 7.1 asks for 64
/// bits from a CSPRNG).
pub type Draw<'a> = dyn FnMut() -> Result<SerialNumber, KeyError> + 'a;

/// Why an authority cannot be made, opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The ledger is another authority's.
    #[error(
        "the ledger does not know the CA certificate of {subject} (serial number {serial}): certificate and ledger belong to different CAs"
    )]
    Unknown {
        /// Its subject.
        subject: String,
        /// Its serial number.
        serial: SerialNumber,
    },
    /// The profile makes no authorities.
    #[error("profile {profile} makes no CA: choose root-ca, or a file with `ca = true`")]
    NoAuthorityProfile {
        /// Its name.
        profile: String,
    },
    /// The profile makes authorities, and an end entity is wanted.
    #[error("profile {profile} makes a CA: it is not for what a CA signs here")]
    AuthorityProfile {
        /// Its name.
        profile: String,
    },
    /// Every serial number drawn was taken: the source of randomness is broken.
    #[error(
        "{draws} serial numbers of 128 random bits were all taken: the source of randomness of this machine is broken"
    )]
    NoSerial {
        /// How many were drawn.
        draws: usize,
    },
    /// A delta list needs a complete one to build upon.
    #[error("there is no complete list that a delta could build upon: sign one first")]
    NoCompleteList,
    /// A delta of use to nobody: clients no longer take the complete list it would build upon.
    #[error("complete list {number}, which the delta would build upon, lapsed at {}", rfc3339(*lapsed))]
    LapsedBase {
        /// The number of the complete list.
        number: u64,
        /// Its nextUpdate.
        lapsed: OffsetDateTime,
    },
    /// A list would be from before the one it comes after.
    #[error("by the clock it is {}, and list {number} was signed at {}: is the clock right?", rfc3339(*this_update), rfc3339(*last))]
    ListBefore {
        /// The number of the last list of its scope.
        number: u64,
        /// When that one was signed.
        last: OffsetDateTime,
        /// When this one would be.
        this_update: OffsetDateTime,
    },
    /// A key that is in somebody else's hands.
    #[error(
        "the key is that of the certificate with serial number {serial}, which was revoked because its key is compromised"
    )]
    CompromisedKey {
        /// The certificate's.
        serial: SerialNumber,
    },
    /// An authority's own key, for something else than that authority.
    #[error("the key is the CA's own, that of {authority}: that one signs certificates and nothing else")]
    OwnKey {
        /// The authority's subject.
        authority: String,
    },
    /// It certifies nothing while it, or one above it, is revoked or on hold.
    #[error("{0}: nothing is certified with it")]
    Revoked(RevokedAuthority),
    /// The profile is not for those who answer about revocation, and nothing else.
    #[error("profile {profile} is not for answering OCSP requests alone")]
    NoResponderProfile {
        /// Its name.
        profile: String,
    },
    /// A responder that answers for another authority.
    #[error("{responder} does not answer about revocation for {issuer}")]
    NotItsResponder {
        /// The responder's subject.
        responder: String,
        /// The authority's subject.
        issuer: String,
    },
    /// The certificate cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger fails.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A recorded certificate does not parse.
    #[error("a recorded certificate cannot be read")]
    Recorded(#[from] X509Error),
}

impl Authority {
    /// Makes an authority that vouches for itself, and records it. `ledger` may know other authorities.
    ///
    /// # Errors
    /// When `profile` makes no authorities, the certificate cannot be made, or the ledger fails.
    pub fn init(
        order: &Order<'_>,
        key: &PrivateKey,
        serials: &mut Draw<'_>,
        mut ledger: Box<dyn Ledger>,
        act: &Act,
    ) -> Result<Self, AuthorityError> {
        let Order { profile, request, validity } = order;
        if !profile.is_ca() {
            return Err(AuthorityError::NoAuthorityProfile { profile: profile.name.clone() });
        }
        let certificate = issue::issue(profile, request, &Issuer::SelfSigned(key), &serials()?, *validity)?;
        let id = ledger.add_authority(&certificate, &profile.name, act)?;
        Ok(Self { certificate, above: Vec::new(), id, ledger, known: Known::default() })
    }

    /// Opens an authority with the ledger that knows it.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`], and when the ledger fails.
    pub fn open(certificate: Certificate, mut ledger: Box<dyn Ledger>) -> Result<Self, AuthorityError> {
        let id = tiers::authority_of(&mut *ledger, &certificate)?.ok_or_else(|| AuthorityError::Unknown {
            subject: certificate.display_name(),
            serial: certificate.serial().clone(),
        })?;
        Ok(Self { certificate, above: Vec::new(), id, ledger, known: Known::default() })
    }

    /// The same below these authorities, the next one first, up to the root as far as is known. What they do not allow,
    /// it does not sign.
    #[must_use]
    pub fn below(self, above: Vec<Certificate>) -> Self {
        Self { above, ..self }
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The authority's certificate, then those above it.
    pub fn path(&self) -> Vec<&Certificate> {
        std::iter::once(&self.certificate).chain(&self.above).collect()
    }

    /// The last of its path: the root, as far as is known.
    pub fn root(&self) -> &Certificate {
        self.above.last().unwrap_or(&self.certificate)
    }

    /// What a server sends: its certificate, and the authorities between it and the root. The root itself is left out, for
    /// clients have it or do not trust it (RFC 8446 §4.4.2).
    pub fn full_chain<'a>(&'a self, certificate: &'a Certificate) -> Vec<&'a Certificate> {
        std::iter::once(certificate).chain(chain_below(self.path())).collect()
    }

    /// Makes a new certificate for an authority that vouches for itself, and records it among those that it has signed; also
    /// where the old one has expired.
    ///
    /// # Errors
    /// [`AuthorityError::Revoked`], when the key is not its own, the certificate cannot be made, or the ledger fails.
    pub fn renew_itself(
        &mut self,
        order: &Order<'_>,
        key: &PrivateKey,
        serials: &mut Draw<'_>,
        act: &Act,
    ) -> Result<Issued, AuthorityError> {
        let Order { profile, request, validity } = order;
        if !profile.is_ca() {
            return Err(AuthorityError::NoAuthorityProfile { profile: profile.name.clone() });
        }
        self.refuse_revoked()?;
        record_new(&mut *self.ledger, self.id, profile, act, || {
            let certificate = issue::issue(profile, request, &Issuer::SelfSigned(key), &serials()?, *validity)?;
            Ok(Issued { certificate, clamped: None })
        })
    }

    /// Makes ready to certify.
    ///
    /// # Errors
    /// When the certificate is no CA's, may not sign certificates, has expired or is not valid yet; when the key is
    /// another certificate's; [`AuthorityError::Revoked`] where the ledger says that it, or one above it, is revoked or on
    /// hold: what it signed would be worth nothing to a client that knows of it (RFC 5280 §6.1.3 (a) (3)).
    pub fn unlock<'a>(&'a mut self, key: &'a PrivateKey, now: OffsetDateTime) -> Result<Signatory<'a>, AuthorityError> {
        self.may_sign(key, now)?;
        self.refuse_revoked()?;
        Ok(Signatory { authority: self, key })
    }

    /// Refuses a key that is not its own, and to sign where it or one above it may not at this time.
    fn may_sign(&self, key: &PrivateKey, now: OffsetDateTime) -> Result<(), AuthorityError> {
        issue::check_issuer(&self.certificate, key, now)?;
        Ok(self.above.iter().try_for_each(|authority| issue::in_time(authority, now))?)
    }

    /// The certificates it has signed and that match, the oldest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn find(&mut self, query: &Query) -> Result<Vec<Record>, AuthorityError> {
        Ok(self.ledger.find(self.id, query)?)
    }

    /// Records certificates that it has signed.
    pub(super) fn record(&mut self, certificates: &[Entry<'_>], act: &Act) -> Result<(), LedgerError> {
        self.ledger.record(self.id, certificates, act)
    }

    /// The ledger that it is in.
    pub(super) fn ledger_mut(&mut self) -> &mut dyn Ledger {
        &mut *self.ledger
    }

    /// Notes in the audit log what is done to it and changes no record.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn note(&mut self, detail: &str, act: &Act) -> Result<(), AuthorityError> {
        Ok(self.ledger.note(self.id, &self.certificate, detail, act)?)
    }

    /// How many certificates it has signed.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn count(&mut self) -> Result<u64, AuthorityError> {
        Ok(self.ledger.count(self.id)?)
    }

    /// A recorded certificate.
    ///
    /// # Errors
    /// When the ledger fails or holds something else.
    pub fn recorded(&mut self, id: RecordId) -> Result<Certificate, AuthorityError> {
        Ok(Certificate::from_der(&self.ledger.certificate(id)?)?)
    }
}

impl Signatory<'_> {
    /// Signs a certificate and records it; when it returns, the record is on the disk.
    ///
    /// # Errors
    /// When the profile makes authorities, [`AuthorityError::OwnKey`], when the certificate cannot be made, or the ledger
    /// fails. Then the certificate is gone.
    pub fn issue(&mut self, order: &Order<'_>, serials: &mut Draw<'_>, act: &Act) -> Result<Issued, AuthorityError> {
        if order.profile.is_ca() {
            return Err(AuthorityError::AuthorityProfile { profile: order.profile.name.clone() });
        }
        self.authority.refuse_own_key(&order.request.public_key)?;
        self.make(order, serials, act)
    }

    /// Certifies an authority and records that. Its key is elsewhere, and so is its ledger.
    ///
    /// # Errors
    /// When the profile makes no authorities, an authority above allows no such one, or as [`Self::issue`].
    pub fn certify(&mut self, order: &Order<'_>, serials: &mut Draw<'_>, act: &Act) -> Result<Issued, AuthorityError> {
        if !order.profile.is_ca() {
            return Err(AuthorityError::NoAuthorityProfile { profile: order.profile.name.clone() });
        }
        self.make(order, serials, act)
    }

    /// Makes an authority below this one, whose certificates go into the same ledger.
    ///
    /// # Errors
    /// As [`Self::certify`], and where it would have this authority's own name.
    pub fn establish(
        &mut self,
        order: &Order<'_>,
        serials: &mut Draw<'_>,
        act: &Act,
    ) -> Result<Issued, AuthorityError> {
        if order.request.subject.matches(self.authority.certificate.subject()) {
            return Err(IssueError::SubjectIsIssuer(order.request.subject.to_string()).into());
        }
        let issued = self.certify(order, serials, act)?;
        self.authority.ledger.add_authority(&issued.certificate, &order.profile.name, act)?;
        Ok(issued)
    }

    /// Signs a certificate of any kind and records it.
    fn make(&mut self, order: &Order<'_>, serials: &mut Draw<'_>, act: &Act) -> Result<Issued, AuthorityError> {
        let press = self.press_with(None);
        let Authority { id, ledger, .. } = &mut *self.authority;
        record_new(&mut **ledger, *id, order.profile, act, || press.sign(order, serials))
    }

    /// Answers a certification request: a certificate, signed and recorded, or the reason why not.
    ///
    /// # Errors
    /// As [`Self::issue`], where the request is not to blame, and [`AuthorityError::Revoked`] where the authority was revoked
    /// since it was made ready: many requests take a while.
    pub fn sign(
        &mut self,
        petition: &Petition,
        validity: Validity,
        serials: &mut Draw<'_>,
        act: &Act,
    ) -> Result<Result<Issued, Refusal>, AuthorityError> {
        self.authority.refuse_revoked()?;
        match self.authority.refuse_compromised(&petition.request.public_key) {
            Err(AuthorityError::CompromisedKey { serial }) => return Ok(Err(Refusal::CompromisedKey { serial })),
            looked => looked?,
        }
        let order = Order { profile: &petition.profile, request: &petition.request, validity };
        match self.issue(&order, serials, act) {
            Err(AuthorityError::OwnKey { .. }) => Ok(Err(Refusal::AuthoritysOwnKey)),
            Err(AuthorityError::Issue(error)) if lies_in_the_request(&error) => Ok(Err(Refusal::Issue(error))),
            signed => signed.map(Ok),
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { certificate, above, id, ledger: _, known: _ } = self;
        let path = std::iter::once(certificate).chain(above).collect::<Vec<_>>();
        f.debug_struct("Authority").field("path", &path).field("id", id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Signatory<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { authority, key: _ } = self;
        f.debug_struct("Signatory").field("authority", authority).finish_non_exhaustive()
    }
}

/// The authorities of a path without its root.
fn chain_below<'a>(path: impl IntoIterator<Item = &'a Certificate>) -> Vec<&'a Certificate> {
    path.into_iter().filter(|authority| !authority.is_self_issued()).collect()
}

/// Whether another request might succeed where this one fails.
fn lies_in_the_request(error: &IssueError) -> bool {
    matches!(
        error,
        IssueError::NoName
            | IssueError::NoSubject
            | IssueError::MissingName { .. }
            | IssueError::NameForm { .. }
            | IssueError::Name(_)
            | IssueError::Attribute { .. }
            | IssueError::SubjectIsIssuer(_)
            | IssueError::WeakKey { .. }
            | IssueError::Constrained { .. }
            | IssueError::Limits { .. }
    )
}

/// Signs and records, under another serial number where that is taken: nobody has seen the certificate with it.
fn record_new(
    ledger: &mut dyn Ledger,
    id: AuthorityId,
    profile: &Profile,
    act: &Act,
    mut sign: impl FnMut() -> Result<Issued, AuthorityError>,
) -> Result<Issued, AuthorityError> {
    for _ in 0..DRAWS {
        let issued = sign()?;
        match ledger.record(id, &[Entry { certificate: &issued.certificate, profile: &profile.recorded_as }], act) {
            Err(LedgerError::SerialTaken { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(issued),
        }
    }
    Err(AuthorityError::NoSerial { draws: DRAWS })
}

/// Two draws of 128 random bits collide once in 2^64 certificates; eight that do are no accident.
const DRAWS: usize = 8;

#[cfg(test)]
pub(super) mod tests;
