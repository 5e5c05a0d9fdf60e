//! Finding entries of a revocation list without a walk through all of them.

use super::crl::RevokedCertificate;
use super::extension::{CertificateIssuer, ExtensionError};
use super::{GeneralName, SerialNumber};
use crate::encoding::Oid;

/// What is gathered in one walk through the entries.
#[derive(Default)]
pub(super) struct Index {
    /// Places of entries, in the order of their serial numbers.
    by_serial: Vec<usize>,
    /// From which place on which issuers hold, in ascending order of places.
    issuers: Vec<(usize, Vec<GeneralName>)>,
    critical: Vec<Oid>,
    malformed: Option<ExtensionError>,
}

impl Index {
    pub(super) fn new(entries: &[RevokedCertificate]) -> Self {
        let mut index = Self { by_serial: (0..entries.len()).collect(), ..Self::default() };
        let serial = |&at: &usize| entries.get(at).map(|entry| entry.serial.content());
        index.by_serial.sort_by(|left, right| serial(left).cmp(&serial(right)));
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| !entry.extensions.is_empty()) {
            for extension in entry.extensions.iter().filter(|extension| extension.critical) {
                if !index.critical.contains(&extension.oid) {
                    index.critical.push(extension.oid.clone());
                }
            }
            match entry.extensions.find::<CertificateIssuer>() {
                Ok(Some(found)) => index.issuers.push((at, found.value.0)),
                Ok(None) => {}
                Err(malformed) => index.malformed = index.malformed.or(Some(malformed)),
            }
        }
        index
    }

    pub(super) fn find<'a>(
        &'a self,
        entries: &'a [RevokedCertificate],
        serial: &SerialNumber,
    ) -> impl Iterator<Item = (&'a RevokedCertificate, Option<&'a [GeneralName]>)> {
        let serial = serial.clone();
        let order = |at: &usize| entries.get(*at).map(|entry| entry.serial.content());
        let first = self.first(|at| order(at) < Some(serial.content()));
        let places = self.by_serial.iter().skip(first).map_while(move |&at| Some((at, entries.get(at)?)));
        places.take_while(move |(_, entry)| entry.serial == serial).map(|(at, entry)| (entry, self.issuers_at(at)))
    }

    /// Where in the order of serial numbers the entries begin that do not lie `below`, in one question more than their
    /// number has binary digits at most.
    fn first(&self, mut below: impl FnMut(&usize) -> bool) -> usize {
        self.by_serial.partition_point(|at| below(at))
    }

    pub(super) fn critical(&self) -> &[Oid] {
        &self.critical
    }

    pub(super) fn malformed(&self) -> Option<&ExtensionError> {
        self.malformed.as_ref()
    }

    fn issuers_at(&self, place: usize) -> Option<&[GeneralName]> {
        let after = self.issuers.partition_point(|(from, _)| *from <= place);
        let (_, names) = self.issuers.get(after.checked_sub(1)?)?;
        Some(names)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::x509::{DistinguishedName, Extension, Extensions, oids};
    use ::time::OffsetDateTime;

    fn entry(serial: u8, issuer: Option<&str>) -> RevokedCertificate {
        let names =
            |name: &str| CertificateIssuer(vec![GeneralName::Directory(DistinguishedName::common_name_only(name))]);
        let extensions = issuer.map(|name| Extension::new(&names(name), true)).into_iter().collect();
        RevokedCertificate {
            serial: SerialNumber::from_content(&[serial]),
            revocation_date: OffsetDateTime::UNIX_EPOCH,
            extensions: Extensions::new(extensions),
        }
    }

    #[test]
    fn an_entry_has_the_issuer_of_the_nearest_one_before_it() {
        let entries = [entry(9, None), entry(5, Some("A")), entry(7, None), entry(5, Some("B")), entry(1, None)];
        let index = Index::new(&entries);
        let found = |serial: u8| -> Vec<String> {
            let serial = SerialNumber::from_content(&[serial]);
            let issuers = index.find(&entries, &serial).map(|(_, names)| names.map_or("-".into(), |it| it[0].value()));
            issuers.collect()
        };
        assert_eq!(found(9), ["-"]);
        assert_eq!(found(5), ["CN=A", "CN=B"]);
        assert_eq!(found(7), ["CN=A"]);
        assert_eq!(found(1), ["CN=B"]);
        assert_eq!(found(2), [""; 0]);
        assert_eq!(index.critical(), [oids::CERTIFICATE_ISSUER]);
    }

    #[test]
    fn a_hundred_thousand_entries_take_eighteen_questions() {
        let serial = |number: u32| SerialNumber::from_content(&[&[1], &number.to_be_bytes()[..]].concat());
        let scattered = (0..100_000_u32).map(|number| number.wrapping_mul(2_654_435_761));
        let bare = |number| RevokedCertificate {
            serial: serial(number),
            revocation_date: OffsetDateTime::UNIX_EPOCH,
            extensions: Extensions::default(),
        };
        let entries: Vec<RevokedCertificate> = scattered.map(bare).collect();
        let index = Index::new(&entries);
        for place in [0, 1, 77_777, 99_999] {
            let wanted = &entries[place].serial;
            let mut questions = 0;
            let first = index.first(|&at| {
                questions += 1;
                entries[at].serial.content() < wanted.content()
            });
            assert_eq!(index.by_serial[first], place);
            assert!(questions <= 18, "{questions} questions about entry {place}");
            assert_eq!(index.find(&entries, wanted).count(), 1);
        }
    }

    #[test]
    fn a_certificate_issuer_that_does_not_parse_is_told() {
        let mut damaged = entry(1, None);
        let extension = Extension { oid: oids::CERTIFICATE_ISSUER, critical: true, value: vec![0x30, 5] };
        damaged.extensions = Extensions::new(vec![extension]);
        assert!(Index::new(&[damaged]).malformed().is_some());
    }
}
