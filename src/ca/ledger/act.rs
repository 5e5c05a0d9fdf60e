//! Who changes a ledger, and the log of it.

use super::{AuthorityId, SignedList, detail};
use crate::x509::{Certificate, SerialNumber};
use time::OffsetDateTime;

/// Who does what and when: every change of the ledger has one, and leaves it in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: OffsetDateTime,
    /// The user of the operating system.
    pub who: String,
    /// What is done.
    pub what: Action,
}

/// What is done to a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An authority is made.
    Init,
    /// An authority below another is made.
    Intermediate,
    /// An authority made elsewhere is taken over.
    Import,
    /// An authority of another's is certified.
    CrossSign,
    /// A key pair is made and its certificate issued.
    Issue,
    /// A certification request is answered with a certificate.
    Sign,
    /// A certificate is issued in the place of another.
    Renew,
    /// A certificate is revoked or put on hold.
    Revoke,
    /// A certificate's hold is lifted.
    Release,
    /// A certificate revocation list is signed.
    Crl,
    /// The passphrase of an authority's key is set, changed or taken away.
    Passphrase,
    /// The ledger is rebuilt from what was exported.
    Repair,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 12] = [
        Self::Init,
        Self::Intermediate,
        Self::Import,
        Self::CrossSign,
        Self::Issue,
        Self::Sign,
        Self::Renew,
        Self::Revoke,
        Self::Release,
        Self::Crl,
        Self::Passphrase,
        Self::Repair,
    ];

    /// The word that stands for it in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Intermediate => "intermediate",
            Self::Import => "import",
            Self::CrossSign => "cross-sign",
            Self::Issue => "issue",
            Self::Sign => "sign",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
            Self::Release => "release",
            Self::Crl => "crl",
            Self::Passphrase => "passphrase",
            Self::Repair => "repair",
        }
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number, from 1 on.
    pub number: u64,
    /// When.
    pub at: OffsetDateTime,
    /// The user of the operating system.
    pub who: String,
    /// What was done: an [`Action`]'s name.
    pub what: String,
    /// The authority in whose name; `None` in lines that are older than this column.
    pub authority: Option<AuthorityId>,
    /// The SHA-256 of the certificate or list it was done to.
    pub fingerprint: Vec<u8>,
    /// The serial number of that certificate; `None` for a list, and in lines that are older than this column.
    pub serial: Option<SerialNumber>,
    /// What else there is to say: a certificate's profile, all of a revocation, all of a list. See [`super::Told`].
    pub detail: String,
    /// Its hash, which covers all of this and the hash of the line before (see [`super::Auditor`]).
    pub hash: [u8; 32],
}

impl AuditLine {
    /// Makes it tell that this certificate is recorded. For many certificates one line is filled again and again.
    pub(super) fn tell_recorded(&mut self, certificate: &Certificate, profile: &str) {
        self.fingerprint.clear();
        self.fingerprint.extend(certificate.fingerprint_sha256());
        self.serial = Some(certificate.serial().clone());
        self.detail.clear();
        detail::push_record(&mut self.detail, profile);
    }
}

/// What an act was done to.
pub(super) struct Done<'a> {
    /// The SHA-256 of the certificate or list.
    pub(super) fingerprint: Vec<u8>,
    /// The certificate's serial number.
    pub(super) serial: Option<&'a SerialNumber>,
    /// What else there is to say.
    pub(super) detail: String,
}

impl<'a> Done<'a> {
    /// A certificate is recorded.
    pub(super) fn recorded(certificate: &'a Certificate, profile: &str) -> Self {
        Self::to(certificate, detail::of_record(profile))
    }

    /// Something is done to a certificate, and this is to be said of it.
    pub(super) fn to(certificate: &'a Certificate, detail: String) -> Self {
        let fingerprint = certificate.fingerprint_sha256().to_vec();
        Self { fingerprint, serial: Some(certificate.serial()), detail }
    }

    /// A list that was signed went nowhere.
    pub(super) fn undelivered(list: &SignedList) -> Self {
        Self { fingerprint: list.fingerprint.clone(), serial: None, detail: detail::of_undelivered(list) }
    }

    /// The line that tells of it, without its number and hash.
    pub(super) fn line(self, by: AuthorityId, act: &Act) -> AuditLine {
        let Self { fingerprint, serial, detail } = self;
        AuditLine {
            number: 0,
            at: act.at,
            who: act.who.clone(),
            what: act.what.name().to_owned(),
            authority: Some(by),
            fingerprint,
            serial: serial.cloned(),
            detail,
            hash: [0; 32],
        }
    }
}
