//! Certificates of any shape, broken ones above all: what no issuer would make is laid out here octet by octet.

use certkit::encoding::der::{self, tag};
use certkit::key::{KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsageBit, SubjectAltName,
    SubjectKeyIdentifier,
};
use certkit::x509::{Certificate, DistinguishedName, Extension, ExtensionType, GeneralName, oids, time as x509_time};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::weak;

/// The moment at which forged certificates are judged unless a test says otherwise.
pub(crate) const NOON: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A certificate before it is signed. Every field can be set to what it should not be.
#[derive(Clone)]
pub(crate) struct Forge {
    pub(crate) version: u8,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: DistinguishedName,
    pub(crate) subject: DistinguishedName,
    /// The encodings of notBefore and notAfter.
    pub(crate) validity: [Vec<u8>; 2],
    pub(crate) public_key_info: Vec<u8>,
    /// Between the key and the extensions: unique identifiers.
    pub(crate) unique_identifiers: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
    /// The algorithm the signature is made with; the issuer's own where absent.
    pub(crate) algorithm: Option<SignatureAlgorithm>,
    /// An AlgorithmIdentifier to stand inside the signed part in place of the true one.
    pub(crate) inner_algorithm: Option<Vec<u8>>,
    /// An AlgorithmIdentifier for both places; the signature is then no true one.
    pub(crate) claimed_algorithm: Option<Vec<u8>>,
}

impl Forge {
    /// A sound certificate of this subject and key for 90 days around [`NOON`], without extensions.
    pub(crate) fn bare(subject: &str, key: &PrivateKey) -> Self {
        let subject = DistinguishedName::common_name_only(subject);
        Self {
            version: 3,
            serial: vec![0x45; 16],
            issuer: subject.clone(),
            subject,
            validity: [x509_time::encode(NOON - Duration::days(10)), x509_time::encode(NOON + Duration::days(80))],
            public_key_info: key.public_key().spki_der().to_vec(),
            unique_identifiers: Vec::new(),
            extensions: Vec::new(),
            algorithm: None,
            inner_algorithm: None,
            claimed_algorithm: None,
        }
    }

    /// A sound root.
    pub(crate) fn root(subject: &str, key: &PrivateKey) -> Self {
        let mut root = Self::bare(subject, key);
        root.set(&BasicConstraints { ca: true, path_len: None }, true);
        root.set(&KeyUsage::new(&[KeyUsageBit::KeyCertSign, KeyUsageBit::CrlSign]), true);
        root.set(&SubjectKeyIdentifier(key.public_key().key_identifier().to_vec()), false);
        root
    }

    /// A sound intermediate under `issuer`.
    pub(crate) fn intermediate(subject: &str, key: &PrivateKey, issuer: &Issuer) -> Self {
        let mut intermediate = Self::root(subject, key);
        intermediate.issuer = issuer.certificate.subject().clone();
        intermediate.set(&issuer.identifier(), false);
        intermediate.set(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), false);
        intermediate
    }

    /// A sound server certificate for `host` under `issuer`.
    pub(crate) fn server(host: &str, key: &PrivateKey, issuer: &Issuer) -> Self {
        let mut leaf = Self::bare(host, key);
        leaf.issuer = issuer.certificate.subject().clone();
        leaf.set(&BasicConstraints { ca: false, path_len: None }, true);
        leaf.set(&KeyUsage::new(&[KeyUsageBit::DigitalSignature]), true);
        leaf.set(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), false);
        leaf.set(&SubjectAltName(vec![GeneralName::Dns(host.to_owned())]), false);
        leaf.set(&SubjectKeyIdentifier(key.public_key().key_identifier().to_vec()), false);
        leaf.set(&issuer.identifier(), false);
        leaf
    }

    /// Adds the extension or puts it in the place of the one that is there.
    pub(crate) fn set<T: ExtensionType>(&mut self, value: &T, critical: bool) {
        self.set_raw(Extension::new(value, critical));
    }

    /// As [`Self::set`], with any octets.
    pub(crate) fn set_raw(&mut self, extension: Extension) {
        match self.extensions.iter_mut().find(|known| known.oid == extension.oid) {
            Some(known) => *known = extension,
            None => self.extensions.push(extension),
        }
    }

    /// Takes the extension out.
    pub(crate) fn remove<T: ExtensionType>(&mut self) {
        self.extensions.retain(|known| known.oid != T::OID);
    }

    /// The certificate, signed with `key`.
    pub(crate) fn sign(&self, key: &PrivateKey) -> Certificate {
        Certificate::from_der(&self.sign_der(key)).expect("a forged certificate that should parse")
    }

    /// Its encoding, signed with `key`, whether it parses or not.
    pub(crate) fn sign_der(&self, key: &PrivateKey) -> Vec<u8> {
        let algorithm = self.algorithm.unwrap_or_else(|| key.signature_algorithm());
        let outer = self.claimed_algorithm.clone().unwrap_or_else(|| algorithm.to_algorithm_identifier());
        let inner = self.inner_algorithm.clone().unwrap_or_else(|| outer.clone());
        let version = match self.version {
            1 => Vec::new(),
            version => der::tlv(tag::context_constructed(0), &[tag::INTEGER, 1, version - 1]),
        };
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::to_der).collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => der::tlv(tag::context_constructed(3), &der::tlv(tag::SEQUENCE, &extensions)),
        };
        let tbs = der::sequence(&[
            &version,
            &der::tlv(tag::INTEGER, &self.serial),
            &inner,
            self.issuer.der(),
            &der::sequence(&[&self.validity[0], &self.validity[1]]),
            self.subject.der(),
            &self.public_key_info,
            &self.unique_identifiers,
            &extensions,
        ]);
        let signature = weak::sign(key, algorithm, &tbs);
        der::sequence(&[&tbs, &outer, &der::bit_string(&signature)])
    }
}

/// A certificate with its key.
pub(crate) struct Issuer {
    pub(crate) key: PrivateKey,
    pub(crate) certificate: Certificate,
}

impl Issuer {
    fn identifier(&self) -> AuthorityKeyIdentifier {
        let own = self.certificate.subject_key_identifier().expect("a sound extension");
        AuthorityKeyIdentifier { key_identifier: own.map(<[u8]>::to_vec), ..AuthorityKeyIdentifier::default() }
    }
}

/// A root, an intermediate under it, and a server's key: where most tests begin.
pub(crate) struct Hierarchy {
    pub(crate) root: Issuer,
    pub(crate) intermediate: Issuer,
    pub(crate) leaf_key: PrivateKey,
}

impl Hierarchy {
    /// Fresh P-256 keys throughout.
    pub(crate) fn new() -> Self {
        let key = || PrivateKey::generate(KeyAlgorithm::P256).expect("a key");
        let root_key = key();
        let certificate = Forge::root("Test Root", &root_key).sign(&root_key);
        let root = Issuer { key: root_key, certificate };
        let intermediate_key = key();
        let certificate = Forge::intermediate("Test Intermediate", &intermediate_key, &root).sign(&root.key);
        Self { root, intermediate: Issuer { key: intermediate_key, certificate }, leaf_key: key() }
    }

    /// A sound server certificate for `host` under the intermediate, not yet signed.
    pub(crate) fn server(&self, host: &str) -> Forge {
        Forge::server(host, &self.leaf_key, &self.intermediate)
    }
}
