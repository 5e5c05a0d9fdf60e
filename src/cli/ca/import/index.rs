//! The index of `openssl ca`, which easy-rsa keeps too: a line for each certificate, its fields parted by tabs.

use std::collections::HashMap;

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::ca::Revocation;
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;

/// A certificate that the index calls revoked.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    pub(super) serial: SerialNumber,
    pub(super) revocation: Revocation,
}

/// What an index tells.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The certificates that it calls revoked.
    pub(super) revoked: Vec<Revoked>,
    /// The certificates that it calls valid: serial number, end and subject.
    pub(super) valid: Vec<(SerialNumber, OffsetDateTime, String)>,
    /// The serial numbers of those whose end is known, and when that is, revoked or not.
    pub(super) ends: HashMap<SerialNumber, OffsetDateTime>,
    /// The numbers of the lines that tell of a revocation and cannot be read. Other lines that cannot be read are left out.
    pub(super) damaged: Vec<usize>,
}

impl Index {
    /// Reads it.
    pub(super) fn read(text: &str) -> Self {
        let mut index = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if let Some((serial, end)) = known(line) {
                if let Some(subject) = line.strip_prefix("V\t").map(|rest| rest.split('\t').nth(4).unwrap_or_default())
                {
                    index.valid.push((serial.clone(), end, subject.to_owned()));
                }
                index.ends.insert(serial, end);
            }
            if line.split('\t').next() == Some("R") {
                match revocation(line) {
                    Some(revoked) => index.revoked.push(revoked),
                    None => index.damaged.push(number),
                }
            }
        }
        index
    }
}

/// Status, end, revocation or nothing, serial number.
fn known(line: &str) -> Option<(SerialNumber, OffsetDateTime)> {
    let mut fields = line.split('\t').skip(1);
    let end = moment(fields.next()?)?;
    Some((SerialNumber::from_hex(fields.nth(1)?)?, end))
}

/// Status, end, revocation with its reason, serial number.
fn revocation(line: &str) -> Option<Revoked> {
    let mut fields = line.split('\t').skip(1);
    let (_end, revoked, serial) = (fields.next()?, fields.next()?, fields.next()?);
    let mut told = revoked.split(',');
    let (at, name, more) = (told.next()?, told.next().unwrap_or_default(), told.next());
    let (reason, invalid_since) = match name {
        "keyTime" => (CrlReason::KeyCompromise, more.and_then(moment)),
        "CAkeyTime" => (CrlReason::CaCompromise, more.and_then(moment)),
        "holdInstruction" => (CrlReason::CertificateHold, None),
        // It revokes nothing, and the line says that the certificate is revoked.
        "removeFromCRL" => (CrlReason::Unspecified, None),
        name => (CrlReason::from_name(name).unwrap_or(CrlReason::Unspecified), None),
    };
    let revocation = Revocation { at: moment(at)?, reason, invalid_since };
    Some(Revoked { serial: SerialNumber::from_hex(serial)?, revocation })
}

/// UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5).
fn moment(text: &str) -> Option<OffsetDateTime> {
    let century = match (text.len(), text.get(..2)) {
        (13, Some(year)) if year >= "50" => "19",
        (13, Some(_)) => "20",
        _ => "",
    };
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    PrimitiveDateTime::parse(&format!("{century}{text}"), &format).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use time::macros::datetime;

    #[test]
    fn revocations_are_read_and_damaged_ones_are_numbered() {
        let text = "V\t270101000000Z\t\t01\tunknown\t/CN=a\n\
                    R\t270101000000Z\t260102030405Z,keyCompromise\t0A\tunknown\t/CN=b\n\
                    V\tsoon\n\
                    R\t20500101000000Z\t20260102030405Z\t0B\tunknown\t/CN=c\n\
                    R\t?\t260102030405Z,removeFromCRL\t0C\tunknown\t/CN=c\n\
                    E\t200101000000Z\t\t0D\tunknown\t/CN=d\nR\tx\n\nR\t1\tnever\t0E\tunknown\t/CN=e\n";
        let Index { revoked, valid, ends, damaged } = Index::read(text);
        let valid: Vec<String> = valid.iter().map(|(serial, _, subject)| format!("{serial} {subject}")).collect();
        assert_eq!(valid, ["01 /CN=a"]);
        let said: Vec<String> =
            revoked.iter().map(|it| format!("{} {}", it.serial, it.revocation.reason.name())).collect();
        assert_eq!(said, ["0a keyCompromise", "0b unspecified", "0c unspecified"]);
        assert_eq!(damaged, [7, 9]);
        assert!(revoked.iter().all(|it| it.revocation.at == datetime!(2026-01-02 03:04:05 UTC)));
        let end = |serial: &str| ends.get(&SerialNumber::from_hex(serial).unwrap()).copied();
        assert_eq!(end("01"), Some(datetime!(2027-01-01 0:00 UTC)));
        assert_eq!(end("0B"), Some(datetime!(2050-01-01 0:00 UTC)));
        assert_eq!(end("0D"), Some(datetime!(2020-01-01 0:00 UTC)));
        assert_eq!((end("0C"), end("0E"), ends.len()), (None, None, 4));
    }

    #[test]
    fn openssl_notes_when_a_key_was_lost() {
        let text = "R\t270101000000Z\t260102030405Z,keyTime,20251224000000Z\t0A\tunknown\t/CN=a\n\
                    R\t270101000000Z\t260102030405Z,CAkeyTime,20251224000000Z\t0B\tunknown\t/CN=b\n\
                    R\t270101000000Z\t260102030405Z,holdInstruction,holdInstructionReject\t0C\tunknown\t/CN=c\n";
        let told: Vec<_> =
            Index::read(text).revoked.iter().map(|it| (it.revocation.reason, it.revocation.invalid_since)).collect();
        let lost = Some(datetime!(2025-12-24 0:00 UTC));
        let hold = CrlReason::CertificateHold;
        assert_eq!(told, [(CrlReason::KeyCompromise, lost), (CrlReason::CaCompromise, lost), (hold, None)]);
    }
}
