//! Certificates as a ledger takes them and gives them back.

use super::{AuthorityId, RecordId, Revocation};
use crate::x509::{Certificate, SerialNumber, Validity};
use time::OffsetDateTime;

/// A certificate to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// The profile it was made by.
    pub profile: &'a str,
}

/// Which certificates are wanted. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Those with this serial number.
    pub serial: Option<SerialNumber>,
    /// Those whose serial numbers lie between these two, by their octets from the first on; both count.
    pub serials: Option<(SerialNumber, SerialNumber)>,
    /// Those with this name among their subjectAltNames or as commonName, case aside.
    pub name: Option<String>,
    /// Those whose notAfter comes before this.
    pub expiring_before: Option<OffsetDateTime>,
    /// Those that are revoked, or those that are not.
    pub revoked: Option<bool>,
    /// The one whose encoding has this SHA-256.
    pub fingerprint: Option<Vec<u8>>,
    /// The newest first.
    pub newest_first: bool,
    /// Those that come after this one in the order asked for.
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A recorded certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is in the ledger.
    pub id: RecordId,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The SHA-256 of its encoding.
    pub fingerprint: Vec<u8>,
    /// Its subject in the form of RFC 4514.
    pub subject: String,
    /// Its subjectAltNames, each with its form: `dns:a.test`.
    pub names: Vec<String>,
    /// The period in which it may be used.
    pub validity: Validity,
    /// The profile it was made by.
    pub profile: String,
    /// When it was recorded.
    pub issued_at: OffsetDateTime,
    /// Its revocation, if it is revoked.
    pub revocation: Option<Revocation>,
}

/// A recorded authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRecord {
    /// Which one.
    pub id: AuthorityId,
    /// The DER encoding of its certificate.
    pub certificate: Vec<u8>,
    /// Its subject, as its row has it.
    pub subject: String,
    /// When it was recorded.
    pub created_at: OffsetDateTime,
    /// The last `cRLNumber` handed out; 0 before the first.
    pub crl_number: u64,
}
