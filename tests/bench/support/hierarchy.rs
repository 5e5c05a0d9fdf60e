//! Small hierarchies of certificates made from `certkit`'s own DER writers, with fixed keys and times: every run of a
//! bench or a fuzz target sees the same octets, and no random byte is drawn.

use ::time::OffsetDateTime;
use ::time::macros::datetime;
use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::key::PrivateKey;
use certkit::x509::extension::{
    AccessDescription, AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
    CrlDistributionPoints, CrlNumber, CrlReason, DistributionPoint, ExtendedKeyUsage, GeneralSubtree, KeyUsage,
    KeyUsageBit, NameConstraints, PolicyInformation, ReasonCode, SubjectAltName, SubjectKeyIdentifier, TlsFeature,
};
use certkit::x509::{DistinguishedName, Extension, GeneralName, oids, time};

/// When the certificates begin.
pub const NOT_BEFORE: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
/// A moment at which all of them are valid.
pub const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);
/// When they end.
pub const NOT_AFTER: OffsetDateTime = datetime!(2027-01-01 0:00 UTC);
/// The host the leaf is for.
pub const HOST: &str = "api.example.test";

const ISSUING: &str = "C=NO,O=Fjord Trust AS,CN=Fjord Issuing P1";

/// Root, intermediate and server certificate, all P-256.
pub struct Hierarchy {
    /// The trust anchor, in DER.
    pub root: Vec<u8>,
    /// Issued by the root.
    pub intermediate: Vec<u8>,
    /// Issued by the intermediate.
    pub leaf: Vec<u8>,
}

impl Hierarchy {
    /// The certificates a web server shows today: what public authorities put in, nothing else.
    pub fn usual() -> Self {
        let (root_key, intermediate_key) = (p256(1), p256(2));
        let root_name = name("C=NO,O=Fjord Trust AS,CN=Fjord Root P1");
        let intermediate_name = name(ISSUING);

        let root = Template {
            subject: &root_name,
            subject_key: &root_key,
            issuer: &root_name,
            issuer_key: &root_key,
            serial: 1,
            extensions: vec![authority(None), ca_usage(), own_identifier(&root_key)],
        };
        let intermediate = Template {
            subject: &intermediate_name,
            subject_key: &intermediate_key,
            issuer: &root_name,
            issuer_key: &root_key,
            serial: 2,
            extensions: vec![
                authority(Some(0)),
                ca_usage(),
                Extension::new(&ExtendedKeyUsage(vec![oids::SERVER_AUTH, oids::CLIENT_AUTH]), false),
                own_identifier(&intermediate_key),
                issuer_identifier(&root_key),
                access("http://root.fjord.test/root.cer", false),
                list("http://root.fjord.test/root.crl"),
                policies(),
            ],
        };
        Self {
            root: root.certificate(),
            intermediate: intermediate.certificate(),
            leaf: usual_leaves(3..4).collect::<Vec<_>>().concat(),
        }
    }
}

/// The leaf of [`Hierarchy::usual`] with each of these serial numbers.
pub fn usual_leaves(serials: impl Iterator<Item = u64>) -> impl Iterator<Item = Vec<u8>> {
    let (intermediate_key, leaf_key) = (p256(2), p256(3));
    let (subject, issuer) = (name(&format!("CN={HOST}")), name(ISSUING));
    serials.map(move |serial| {
        let leaf = Template {
            subject: &subject,
            subject_key: &leaf_key,
            issuer: &issuer,
            issuer_key: &intermediate_key,
            serial,
            extensions: leaf_extensions(&leaf_key, &intermediate_key),
        };
        leaf.certificate()
    })
}

/// A self-signed certificate with one extension of every kind a certificate can carry here.
pub fn with_everything() -> Vec<u8> {
    let key = p256(4);
    let subject = name("C=NO,O=Fjord Trust AS,OU=One+OU=Two,emailAddress=ca@fjord.test,CN=Everything");
    let mut extensions = leaf_extensions(&key, &key);
    extensions.push(Extension::new(&TlsFeature(vec![5, 17]), false));
    let subtree = |text: &str| GeneralSubtree { base: text.parse().unwrap(), minimum: 0, maximum: None };
    let constraints = NameConstraints {
        permitted: vec![subtree("dns:example.test"), subtree("dns:fjord.test")],
        excluded: vec![subtree("dns:evil.example.test")],
    };
    extensions.push(Extension::new(&constraints, true));
    let private = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x01]);
    extensions.push(Extension { oid: private, critical: false, value: der::null() });
    let template =
        Template { subject: &subject, subject_key: &key, issuer: &subject, issuer_key: &key, serial: 4, extensions };
    template.certificate()
}

/// A request for `HOST` with a subjectAltName.
pub fn request() -> Vec<u8> {
    let key = p256(5);
    let extension = Extension::new(&SubjectAltName(vec![GeneralName::Dns(HOST.to_owned())]), false);
    let extensions = der::sequence(&[&extension.to_der()]);
    let attribute = der::sequence(&[&der::oid(&oids::EXTENSION_REQUEST), &der::set_of(&[&extensions])]);
    let info = der::sequence(&[
        &der::unsigned(&[0]),
        name(&format!("CN={HOST}")).der(),
        key.public_key().spki_der(),
        &der::tlv(tag::context_constructed(0), &attribute),
    ]);
    sign(&info, &key)
}

/// A revocation list with two entries.
pub fn revocation_list() -> Vec<u8> {
    let key = p256(1);
    let entry = |serial: u8, reason: Option<CrlReason>| {
        let extensions = reason
            .map_or_else(Vec::new, |reason| der::sequence(&[&Extension::new(&ReasonCode(reason), false).to_der()]));
        der::sequence(&[&der::unsigned(&[serial]), &time::encode(NOT_BEFORE), &extensions])
    };
    let extensions =
        der::sequence(&[&issuer_identifier(&key).to_der(), &Extension::new(&CrlNumber(vec![7]), false).to_der()]);
    let tbs = der::sequence(&[
        &der::unsigned(&[1]),
        &key.signature_algorithm().to_algorithm_identifier(),
        name("C=NO,O=Fjord Trust AS,CN=Fjord Root P1").der(),
        &time::encode(NOT_BEFORE),
        &time::encode(NOT_AFTER),
        &der::sequence(&[&entry(9, None), &entry(10, Some(CrlReason::KeyCompromise))]),
        &der::tlv(tag::context_constructed(0), &extensions),
    ]);
    sign(&tbs, &key)
}

/// The P-256 key with this number as its scalar.
pub fn p256(scalar: u8) -> PrivateKey {
    let secret: Vec<u8> = std::iter::repeat_n(0, 31).chain([scalar]).collect();
    let curve = Oid::from_static(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    let named = der::tlv(tag::context_constructed(0), &der::oid(&curve));
    let sec1 = der::sequence(&[&der::unsigned(&[1]), &der::octet_string(&secret), &named]);
    PrivateKey::from_sec1_der(&sec1, None).unwrap()
}

struct Template<'a> {
    subject: &'a DistinguishedName,
    subject_key: &'a PrivateKey,
    issuer: &'a DistinguishedName,
    issuer_key: &'a PrivateKey,
    serial: u64,
    extensions: Vec<Extension>,
}

impl Template<'_> {
    fn certificate(&self) -> Vec<u8> {
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::to_der).collect();
        let serial = [&[0x40][..], &self.serial.to_be_bytes(), &[0x5a, 0x11, 0x90, 0x3c, 0xe2, 0x77, 0x08]].concat();
        let tbs = der::sequence(&[
            &der::tlv(tag::context_constructed(0), &der::unsigned(&[2])),
            &der::unsigned(&serial),
            &self.issuer_key.signature_algorithm().to_algorithm_identifier(),
            self.issuer.der(),
            &der::sequence(&[&time::encode(NOT_BEFORE), &time::encode(NOT_AFTER)]),
            self.subject.der(),
            self.subject_key.public_key().spki_der(),
            &der::tlv(tag::context_constructed(3), &der::tlv(tag::SEQUENCE, &extensions)),
        ]);
        sign(&tbs, self.issuer_key)
    }
}

fn sign(tbs: &[u8], key: &PrivateKey) -> Vec<u8> {
    let algorithm = key.signature_algorithm();
    let signature = key.sign(algorithm, tbs).unwrap();
    der::sequence(&[tbs, &algorithm.to_algorithm_identifier(), &der::bit_string(&signature)])
}

fn leaf_extensions(key: &PrivateKey, issuer_key: &PrivateKey) -> Vec<Extension> {
    let names = [HOST, "www.example.test", "*.apps.example.test"].map(|host| GeneralName::Dns(host.to_owned()));
    vec![
        Extension::new(&BasicConstraints { ca: false, path_len: None }, true),
        Extension::new(&KeyUsage::new(&[KeyUsageBit::DigitalSignature]), true),
        Extension::new(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), false),
        own_identifier(key),
        issuer_identifier(issuer_key),
        Extension::new(&SubjectAltName(names.to_vec()), false),
        access("http://fjord.test/issuing.cer", true),
        list("http://fjord.test/issuing.crl"),
        policies(),
    ]
}

fn name(text: &str) -> DistinguishedName {
    // RFC 4514 writes the most specific attribute first; here it reads better last.
    let turned: Vec<&str> = text.rsplit(',').collect();
    turned.join(",").parse().unwrap()
}

fn authority(path_len: Option<u64>) -> Extension {
    Extension::new(&BasicConstraints { ca: true, path_len }, true)
}

fn ca_usage() -> Extension {
    Extension::new(&KeyUsage::new(&[KeyUsageBit::KeyCertSign, KeyUsageBit::CrlSign]), true)
}

fn own_identifier(key: &PrivateKey) -> Extension {
    Extension::new(&SubjectKeyIdentifier(key.public_key().key_identifier().to_vec()), false)
}

fn issuer_identifier(key: &PrivateKey) -> Extension {
    let key_identifier = Some(key.public_key().key_identifier().to_vec());
    Extension::new(&AuthorityKeyIdentifier { key_identifier, ..Default::default() }, false)
}

fn access(issuers: &str, ocsp: bool) -> Extension {
    let describe = |method, uri: &str| AccessDescription { method, location: GeneralName::Uri(uri.to_owned()) };
    let mut list = vec![describe(oids::CA_ISSUERS, issuers)];
    if ocsp {
        list.push(describe(oids::OCSP, "http://ocsp.fjord.test"));
    }
    Extension::new(&AuthorityInfoAccess(list), false)
}

fn list(uri: &str) -> Extension {
    Extension::new(&CrlDistributionPoints(vec![DistributionPoint::at_uri(uri)]), false)
}

fn policies() -> Extension {
    let domain_validated = Oid::from_static(&[0x67, 0x81, 0x0c, 0x01, 0x02, 0x01]);
    Extension::new(
        &CertificatePolicies(vec![PolicyInformation { policy: domain_validated, qualifiers: Vec::new() }]),
        false,
    )
}
