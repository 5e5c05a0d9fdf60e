//! Revocation lists of any shape, broken ones above all.

use certkit::encoding::der::{self, tag};
use certkit::key::{PrivateKey, SignatureAlgorithm};
use certkit::x509::extension::{
    AuthorityKeyIdentifier, CertificateIssuer, CrlNumber, CrlReason, DeltaCrlIndicator, IssuingDistributionPoint,
    ReasonCode,
};
use certkit::x509::{
    Certificate, CertificateRevocationList, DistinguishedName, Extension, ExtensionType, GeneralName, time as x509_time,
};
use time::{Duration, OffsetDateTime};

use super::forge::{Issuer, NOON};

/// A list before it is signed. Every field can be set to what it should not be.
#[derive(Clone)]
pub(crate) struct ForgeCrl {
    /// The encoding of version; empty for version 1.
    pub(crate) version: Vec<u8>,
    pub(crate) issuer: DistinguishedName,
    /// The encodings of thisUpdate and nextUpdate.
    pub(crate) this_update: Vec<u8>,
    pub(crate) next_update: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) extensions: Vec<Extension>,
    /// An AlgorithmIdentifier to stand inside the signed part in place of the true one.
    pub(crate) inner_algorithm: Option<Vec<u8>>,
    /// An AlgorithmIdentifier for both places; the signature is then no true one.
    pub(crate) claimed_algorithm: Option<Vec<u8>>,
    pub(crate) algorithm: Option<SignatureAlgorithm>,
}

/// An entry before it is encoded.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) serial: Vec<u8>,
    pub(crate) date: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
}

impl ForgeCrl {
    /// A sound list without entries, issued a day before [`NOON`] for ten days.
    pub(crate) fn of(issuer: &Issuer) -> Self {
        let mut list = Self {
            version: der::unsigned(&[1]),
            issuer: issuer.certificate.subject().clone(),
            this_update: x509_time::encode(NOON - Duration::DAY),
            next_update: x509_time::encode(NOON + Duration::days(9)),
            entries: Vec::new(),
            extensions: Vec::new(),
            inner_algorithm: None,
            claimed_algorithm: None,
            algorithm: None,
        };
        let key_identifier = Some(issuer.key.public_key().key_identifier().to_vec());
        list.set(&AuthorityKeyIdentifier { key_identifier, ..AuthorityKeyIdentifier::default() }, false);
        list.set(&CrlNumber(vec![7]), false);
        list
    }

    /// With this scope.
    pub(crate) fn scoped(mut self, scope: &IssuingDistributionPoint) -> Self {
        self.set(scope, true);
        self
    }

    /// With this number.
    pub(crate) fn numbered(mut self, number: u8) -> Self {
        self.set(&CrlNumber(vec![number]), false);
        self
    }

    /// As the changes since the list of this number.
    pub(crate) fn since(mut self, base: u8) -> Self {
        self.set(&DeltaCrlIndicator(vec![base]), true);
        self
    }

    /// With an entry for this certificate.
    pub(crate) fn revoking(self, certificate: &Certificate, reason: Option<CrlReason>) -> Self {
        self.with(Entry::new(certificate.serial().content(), reason))
    }

    /// With this entry.
    pub(crate) fn with(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    /// For these days, counted from [`NOON`].
    pub(crate) fn dated(mut self, from: i64, to: i64) -> Self {
        self.this_update = x509_time::encode(NOON + Duration::days(from));
        self.next_update = x509_time::encode(NOON + Duration::days(to));
        self
    }

    /// Adds the extension or puts it in the place of the one that is there.
    pub(crate) fn set<T: ExtensionType>(&mut self, value: &T, critical: bool) {
        let extension = Extension::new(value, critical);
        match self.extensions.iter_mut().find(|known| known.oid == extension.oid) {
            Some(known) => *known = extension,
            None => self.extensions.push(extension),
        }
    }

    /// Takes the extension out.
    pub(crate) fn remove<T: ExtensionType>(&mut self) {
        self.extensions.retain(|known| known.oid != T::OID);
    }

    /// The list, signed with `key`.
    pub(crate) fn sign(&self, key: &PrivateKey) -> CertificateRevocationList {
        CertificateRevocationList::from_der(&self.sign_der(key)).expect("a forged list that should parse")
    }

    /// Its encoding, signed with `key`, whether it parses or not.
    pub(crate) fn sign_der(&self, key: &PrivateKey) -> Vec<u8> {
        let algorithm = self.algorithm.unwrap_or_else(|| key.signature_algorithm());
        let outer = self.claimed_algorithm.clone().unwrap_or_else(|| algorithm.to_algorithm_identifier());
        let inner = self.inner_algorithm.clone().unwrap_or_else(|| outer.clone());
        let entries: Vec<u8> = self.entries.iter().flat_map(Entry::to_der).collect();
        let entries = if entries.is_empty() { entries } else { der::tlv(tag::SEQUENCE, &entries) };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::to_der).collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => der::tlv(tag::context_constructed(0), &der::tlv(tag::SEQUENCE, &extensions)),
        };
        let tbs = der::sequence(&[
            &self.version,
            &inner,
            self.issuer.der(),
            &self.this_update,
            &self.next_update,
            &entries,
            &extensions,
        ]);
        let signature = key.sign(algorithm, &tbs).expect("a signature");
        der::sequence(&[&tbs, &outer, &der::bit_string(&signature)])
    }
}

impl Entry {
    /// An entry for this serial number, revoked two days before [`NOON`].
    pub(crate) fn new(serial: &[u8], reason: Option<CrlReason>) -> Self {
        let extensions = reason.map(|reason| Extension::new(&ReasonCode(reason), false)).into_iter().collect();
        Self { serial: serial.to_vec(), date: x509_time::encode(Self::date()), extensions }
    }

    /// The day on which forged entries say that certificates were revoked.
    pub(crate) fn date() -> OffsetDateTime {
        NOON - Duration::days(2)
    }

    /// For a certificate of another issuer.
    pub(crate) fn issued_by(mut self, issuer: &DistinguishedName) -> Self {
        let names = CertificateIssuer(vec![GeneralName::Directory(issuer.clone())]);
        self.extensions.push(Extension::new(&names, true));
        self
    }

    fn to_der(&self) -> Vec<u8> {
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::to_der).collect();
        let extensions = if extensions.is_empty() { extensions } else { der::tlv(tag::SEQUENCE, &extensions) };
        der::sequence(&[&der::tlv(tag::INTEGER, &self.serial), &self.date, &extensions])
    }
}
