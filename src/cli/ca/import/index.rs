//! The index of `openssl ca`, which easy-rsa keeps too: a line for each certificate, its fields parted by tabs.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::ca::Revocation;
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;

/// A certificate that the index calls revoked.
#[derive(Debug)]
pub(super) struct Revoked {
    pub(super) serial: SerialNumber,
    pub(super) revocation: Revocation,
    /// When it expires, where that can be read.
    pub(super) not_after: Option<OffsetDateTime>,
}

/// The revocations in an index, and the numbers of the lines that tell of one and cannot be read. Other lines are left out.
pub(super) fn revocations(text: &str) -> (Vec<Revoked>, Vec<usize>) {
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| line.split('\t').next() == Some("R")) {
        match revocation(line) {
            Some(revoked) => found.push(revoked),
            None => damaged.push(number),
        }
    }
    (found, damaged)
}

/// Status, end, revocation with its reason, serial number.
fn revocation(line: &str) -> Option<Revoked> {
    let mut fields = line.split('\t').skip(1);
    let (end, revoked, serial) = (fields.next()?, fields.next()?, fields.next()?);
    let (at, reason) = revoked.split_once(',').unwrap_or((revoked, ""));
    let reason = match reason.split(',').next().unwrap_or_default() {
        "keyTime" => CrlReason::KeyCompromise,
        "CAkeyTime" => CrlReason::CaCompromise,
        "holdInstruction" => CrlReason::CertificateHold,
        // It revokes nothing, and the line says that the certificate is revoked.
        "removeFromCRL" => CrlReason::Unspecified,
        name => CrlReason::from_name(name).unwrap_or(CrlReason::Unspecified),
    };
    Some(Revoked {
        serial: SerialNumber::from_hex(serial)?,
        revocation: Revocation::new(moment(at)?, reason),
        not_after: moment(end),
    })
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
                    R\t20500101000000Z\t20260102030405Z\t0B\tunknown\t/CN=c\n\
                    R\t?\t260102030405Z,removeFromCRL\t0C\tunknown\t/CN=c\n\
                    E\t200101000000Z\t\t0D\tunknown\t/CN=d\nR\tx\n\nR\t1\tnever\t0E\tunknown\t/CN=e\n";
        let (found, damaged) = revocations(text);
        let said: Vec<String> =
            found.iter().map(|it| format!("{} {}", it.serial, it.revocation.reason.name())).collect();
        assert_eq!(said, ["0a keyCompromise", "0b unspecified", "0c unspecified"]);
        assert_eq!(damaged, [6, 8]);
        assert!(found.iter().all(|it| it.revocation.at == datetime!(2026-01-02 03:04:05 UTC)));
        let ends: Vec<_> = found.iter().map(|it| it.not_after).collect();
        assert_eq!(ends, [Some(datetime!(2027-01-01 0:00 UTC)), Some(datetime!(2050-01-01 0:00 UTC)), None]);
    }
}
