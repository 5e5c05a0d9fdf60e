//! Seeds for the codecs of TLS.

use certkit::tls::code::{
    CertificateStatusType, CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use certkit::tls::extension::{CertificateStatus, Extension, ExtensionValue, KeyShareEntry, Place};
use certkit::tls::handshake::{Negotiated, Offer};

/// A hello with much in it, in a record.
pub fn hello() -> Vec<u8> {
    let suites = CipherSuite::all().take(20).collect();
    let mut offer = Offer::new(vec![ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2], [7; 32], suites);
    offer.session_id = vec![1; 32];
    offer.groups = vec![NamedGroup::X25519, NamedGroup::FFDHE2048];
    offer.signature_schemes = SignatureScheme::ALL.to_vec();
    offer.server_name = Some("example.com".to_owned());
    offer.protocols = vec![b"h2".to_vec()];
    offer.key_shares = vec![KeyShareEntry { group: NamedGroup::X25519, key_exchange: vec![9; 32] }];
    offer.status_request = true;
    offer.grease = true;
    offer.records().unwrap()
}

/// Settlements on which the form of messages depends.
pub const SETTLED: [(u16, u16); 12] = [
    (0x0300, 0x0004),
    (0x0301, 0x0003),
    (0x0301, 0x0033),
    (0x0302, 0xc013),
    (0x0303, 0xc02f),
    (0x0303, 0x009e),
    (0x0303, 0x008c),
    (0x0303, 0xc035),
    (0x0303, 0x0094),
    (0x0303, 0xc01d),
    (0x0303, 0x0005),
    (0x0304, 0x1301),
];

/// One of [`SETTLED`].
pub fn settled(number: u8) -> Option<Negotiated> {
    let (version, suite) = *SETTLED.get(usize::from(number))?;
    Some(Negotiated { version: ProtocolVersion(version), cipher_suite: CipherSuite(suite) })
}

/// The messages an extension can stand in.
pub const PLACES: [Place; 7] = [
    Place::ClientHello,
    Place::ServerHello,
    Place::HelloRetryRequest,
    Place::EncryptedExtensions,
    Place::Certificate,
    Place::CertificateRequest,
    Place::NewSessionTicket,
];

/// Settlement, type and body of small messages.
pub fn messages() -> Vec<Vec<u8>> {
    let message = |settled: u8, kind: HandshakeType, body: &[u8]| [&[settled, kind.0], body].concat();
    let hello = hello();
    vec![
        message(99, HandshakeType::CLIENT_HELLO, &hello[9..]),
        message(
            99,
            HandshakeType::SERVER_HELLO,
            &[&[3, 3][..], &[5; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat(),
        ),
        message(4, HandshakeType::SERVER_KEY_EXCHANGE, &[3, 0, 29, 2, 1, 2, 4, 1, 0, 2, 9, 9]),
        message(5, HandshakeType::SERVER_KEY_EXCHANGE, &[0, 1, 23, 0, 1, 2, 0, 1, 5, 4, 1, 0, 2, 9, 9]),
        message(1, HandshakeType::SERVER_KEY_EXCHANGE, &[0, 1, 23, 0, 1, 3, 0, 2, 9, 9]),
        message(6, HandshakeType::SERVER_KEY_EXCHANGE, &[0, 1, 23]),
        message(9, HandshakeType::CLIENT_KEY_EXCHANGE, &[0, 1, 23]),
        message(8, HandshakeType::CLIENT_KEY_EXCHANGE, &[0, 1, 23, 0, 1, 7]),
        message(4, HandshakeType::CERTIFICATE, &[0, 0, 6, 0, 0, 3, 1, 2, 3]),
        message(11, HandshakeType::CERTIFICATE, &[0, 0, 0, 8, 0, 0, 3, 1, 2, 3, 0, 0]),
        message(4, HandshakeType::CERTIFICATE_REQUEST, &[1, 64, 0, 2, 4, 3, 0, 4, 0, 2, 48, 0]),
        message(11, HandshakeType::NEW_SESSION_TICKET, &[0, 0, 1, 0, 0, 0, 0, 9, 1, 0, 0, 1, 7, 0, 0]),
        message(4, HandshakeType::CERTIFICATE_STATUS, &[1, 0, 0, 2, 48, 0]),
        message(11, HandshakeType::COMPRESSED_CERTIFICATE, &[0, 2, 0, 1, 0, 0, 0, 1, 9]),
    ]
}

/// Place, type and content of extensions.
pub fn extensions() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut add = |place: u8, kind: ExtensionType, value: &ExtensionValue| {
        let extension = Extension::new(kind, value).unwrap();
        seeds.push([&[place][..], &kind.0.to_be_bytes(), &extension.data].concat());
    };
    add(0, ExtensionType::SERVER_NAME, &certkit::tls::extension::host_name("example.com"));
    add(0, ExtensionType::KEY_SHARE, &ExtensionValue::KeyShares(vec![share()]));
    add(1, ExtensionType::KEY_SHARE, &ExtensionValue::KeyShare(share()));
    add(0, ExtensionType::SUPPORTED_VERSIONS, &ExtensionValue::SupportedVersions(vec![ProtocolVersion::TLS1_3]));
    add(0, ExtensionType::COOKIE, &ExtensionValue::Cookie(vec![1, 2]));
    let response = CertificateStatus { status_type: CertificateStatusType::OCSP, responses: vec![vec![48, 0]] };
    add(4, ExtensionType::STATUS_REQUEST, &ExtensionValue::CertificateStatus(response));
    add(
        4,
        ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP,
        &ExtensionValue::SignedCertificateTimestamps(vec![vec![0; 40]]),
    );
    seeds.push([&[0, 0, 5][..], &[1, 0, 3, 0, 1, 9, 0, 0]].concat());
    seeds.push([&[0, 0, 17][..], &[0, 7, 2, 0, 4, 0, 0, 0, 0]].concat());
    seeds.push([&[0, 0, 41][..], &[0, 7, 0, 1, 7, 0, 0, 0, 1, 0, 33, 32], &[5; 32]].concat());
    seeds.push([&[0, 0xfe, 0x0d][..], &[0, 0, 1, 0, 1, 5, 0, 1, 7, 0, 1, 8]].concat());
    seeds
}

fn share() -> KeyShareEntry {
    KeyShareEntry { group: NamedGroup::X25519, key_exchange: vec![1; 32] }
}
