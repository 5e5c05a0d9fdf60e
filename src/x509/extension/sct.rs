//! Signed certificate timestamps (RFC 6962 §3.2, §3.3), which public logs give for certificates they have seen.

use ::time::{Duration, OffsetDateTime};

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader};
use crate::x509::oids;

/// One timestamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCertificateTimestamp {
    /// The version; 0 is v1, the only one there is.
    pub version: u8,
    /// SHA-256 of the log's public key.
    pub log_id: Vec<u8>,
    /// When the log saw the certificate.
    pub timestamp: OffsetDateTime,
    /// The whole timestamp as the log gave it.
    pub raw: Vec<u8>,
}

/// The list in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SctList(pub Vec<SignedCertificateTimestamp>);

impl ExtensionType for SctList {
    const OID: Oid = oids::SCT_LIST;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let list = reader.octet_string()?;
        reader.finish()?;
        let mut rest = vector(list).filter(|(_, after)| after.is_empty()).ok_or(MALFORMED)?.0;
        let mut timestamps = Vec::new();
        while !rest.is_empty() {
            let (raw, after) = vector(rest).ok_or(MALFORMED)?;
            timestamps.push(timestamp(raw).ok_or(MALFORMED)?);
            rest = after;
        }
        Ok(Self(timestamps))
    }

    fn to_der(&self) -> Vec<u8> {
        let prefixed = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
        let list: Vec<u8> = self.0.iter().flat_map(|timestamp| prefixed(&timestamp.raw)).collect();
        der::octet_string(&prefixed(&list))
    }
}

const MALFORMED: DerError = DerError::Value("malformed SignedCertificateTimestampList (RFC 6962 §3.3)");

/// A vector with a length of two octets, and what follows it.
fn vector(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn timestamp(raw: &[u8]) -> Option<SignedCertificateTimestamp> {
    let (&version, rest) = raw.split_first()?;
    let (log_id, rest) = rest.split_at_checked(32)?;
    let (milliseconds, _) = rest.split_first_chunk::<8>()?;
    let since_epoch = Duration::milliseconds(i64::try_from(u64::from_be_bytes(*milliseconds)).ok()?);
    let timestamp = OffsetDateTime::UNIX_EPOCH.checked_add(since_epoch)?;
    Some(SignedCertificateTimestamp { version, log_id: log_id.to_vec(), timestamp, raw: raw.to_vec() })
}
