//! The index of `openssl ca`, which easy-rsa keeps too: a line for each certificate, its fields parted by tabs.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::ca::Revocation;
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;

/// The revocations in an index: status, end, revocation with its reason, serial number. Lines that are none are left out.
pub(super) fn revocations(text: &str) -> Vec<(SerialNumber, Revocation)> {
    text.lines().filter_map(revocation).collect()
}

fn revocation(line: &str) -> Option<(SerialNumber, Revocation)> {
    let mut fields = line.split('\t');
    let ("R", Some(_), Some(revoked), Some(serial)) = (fields.next()?, fields.next(), fields.next(), fields.next())
    else {
        return None;
    };
    let (at, reason) = revoked.split_once(',').unwrap_or((revoked, ""));
    let reason = match reason.split(',').next().unwrap_or_default() {
        "keyTime" => CrlReason::KeyCompromise,
        "CAkeyTime" => CrlReason::CaCompromise,
        "holdInstruction" => CrlReason::CertificateHold,
        name => CrlReason::from_name(name).unwrap_or(CrlReason::Unspecified),
    };
    Some((SerialNumber::from_hex(serial)?, Revocation::new(moment(at)?, reason)))
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
    fn revocations_are_read_and_the_rest_is_left_out() {
        let text = "V\t270101000000Z\t\t01\tunknown\t/CN=a\n\
                    R\t270101000000Z\t260102030405Z,keyCompromise\t0A\tunknown\t/CN=b\n\
                    R\t20500101000000Z\t20260102030405Z\t0B\tunknown\t/CN=c\n\
                    E\t200101000000Z\t\t0C\tunknown\t/CN=d\nR\tx\n\nR\t1\tnever\t0D\tunknown\t/CN=e\n";
        let found = revocations(text);
        let said: Vec<String> = found.iter().map(|(serial, it)| format!("{serial} {}", it.reason.name())).collect();
        assert_eq!(said, ["0a keyCompromise", "0b unspecified"]);
        assert!(found.iter().all(|(_, it)| it.at == datetime!(2026-01-02 03:04:05 UTC)));
    }
}
