#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::encoding::hex;
use crate::tls::code::{
    AlertDescription, CertificateCompression, CertificateStatusType, CompressionMethod, ExtensionType, NamedGroup,
    SignatureScheme, Ssl2Cipher, grease,
};
use crate::tls::extension::{EncryptedClientHello, Extension, ExtensionValue, KeyShareEntry, Place, host_name};
use crate::tls::record::{Alert, HandshakeReader, RecordEvent, RecordReader};
use crate::tls::rfc8448::{
    CERTIFICATE, CERTIFICATE_VERIFY, CLIENT_HELLO, ENCRYPTED_EXTENSIONS, SERVER_FINISHED, SERVER_HELLO,
};

const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;

fn raw(encoding: &str) -> RawHandshake {
    let mut reader = HandshakeReader::default();
    reader.push(&hex::decode(encoding).unwrap());
    reader.next().unwrap().unwrap()
}

fn negotiated(version: ProtocolVersion, suite: &str) -> Negotiated {
    Negotiated { version, cipher_suite: CipherSuite::from_name(suite).unwrap() }
}

/// Decodes, encodes to the same octets, and is refused or told otherwise at every other length.
fn round_trip(message: &RawHandshake, negotiated: Option<&Negotiated>) -> Handshake {
    let decoded = Handshake::decode(message, negotiated).unwrap();
    assert_eq!(decoded.encode().unwrap(), message.encoding, "{decoded:?}");
    assert_eq!(decoded.handshake_type(), message.handshake_type);
    for length in 0..message.body().len() {
        let cut = RawHandshake::new(message.handshake_type, &message.body()[..length]);
        assert_ne!(Handshake::decode(&cut, negotiated).ok().as_ref(), Some(&decoded));
    }
    let longer = RawHandshake::new(message.handshake_type, &[message.body(), &[0xff]].concat());
    assert_ne!(Handshake::decode(&longer, negotiated).ok().as_ref(), Some(&decoded));
    decoded
}

fn extensions_round_trip(extensions: &Extensions, place: Place) -> Vec<ExtensionValue> {
    let values = extensions.iter().map(|extension| {
        let value = extension.decode(place).unwrap();
        assert_eq!(&Extension::new(extension.extension_type, &value).unwrap(), extension);
        value
    });
    values.collect()
}

#[test]
fn the_hellos_of_rfc_8448_are_read_and_written() {
    let Handshake::ClientHello(client) = round_trip(&raw(CLIENT_HELLO), None) else { panic!() };
    assert_eq!(client.server_name().as_deref(), Some("server"));
    assert_eq!(client.versions(), [ProtocolVersion::TLS1_3]);
    assert_eq!(client.key_shares()[0].group, NamedGroup::X25519);
    assert_eq!(client.groups().len(), 9);
    assert_eq!(client.signature_schemes().len(), 15);
    let names: Vec<String> = client.cipher_suites.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"]);
    assert_eq!(client.extensions.duplicate(), None);
    let values = extensions_round_trip(&client.extensions, Place::ClientHello);
    assert!(values.contains(&ExtensionValue::RecordSizeLimit(16_385)), "{values:?}");

    let Handshake::ServerHello(server) = round_trip(&raw(SERVER_HELLO), None) else { panic!() };
    assert_eq!(server.negotiated(), negotiated(ProtocolVersion::TLS1_3, "TLS_AES_128_GCM_SHA256"));
    assert_eq!((server.is_hello_retry_request(), server.downgrade()), (false, None));
    assert_eq!(server.group(), Some(NamedGroup::X25519));
    extensions_round_trip(&server.extensions, Place::ServerHello);
}

#[test]
fn the_encrypted_flight_of_rfc_8448_is_read_and_written() {
    let tls13 = negotiated(ProtocolVersion::TLS1_3, "TLS_AES_128_GCM_SHA256");
    let Handshake::EncryptedExtensions(extensions) = round_trip(&raw(ENCRYPTED_EXTENSIONS), None) else { panic!() };
    assert_eq!(extensions_round_trip(&extensions, Place::EncryptedExtensions).len(), 3);
    let Handshake::Certificate(certificate) = round_trip(&raw(CERTIFICATE), Some(&tls13)) else { panic!() };
    let der = certificate.certificates().next().unwrap();
    assert_eq!(crate::x509::Certificate::from_der(der).unwrap().display_name(), "rsa");
    let Handshake::CertificateVerify(signed) = round_trip(&raw(CERTIFICATE_VERIFY), Some(&tls13)) else { panic!() };
    assert_eq!(signed.scheme, Some(SignatureScheme::RSA_PSS_RSAE_SHA256));
    let Handshake::Finished(verify_data) = round_trip(&raw(SERVER_FINISHED), None) else { panic!() };
    assert_eq!(verify_data.len(), 32);
    let unknown = Handshake::decode(&raw(CERTIFICATE), None).unwrap();
    assert!(matches!(unknown, Handshake::Other(HandshakeType::CERTIFICATE, _)));
}

#[test]
fn a_hello_retry_request_and_a_downgrade_are_recognised_by_the_random() {
    assert_eq!(HELLO_RETRY_REQUEST_RANDOM, crate::key::digest::sha256(b"HelloRetryRequest"));
    let mut hello = ServerHello {
        legacy_version: TLS12,
        random: HELLO_RETRY_REQUEST_RANDOM,
        session_id: vec![1; 32],
        cipher_suite: CipherSuite(0x1301),
        compression_method: CompressionMethod::NULL,
        extensions: Extensions::default(),
    };
    let retry = |value: &ExtensionValue| Extension::new(ExtensionType::KEY_SHARE, value).unwrap();
    hello.extensions = vec![retry(&ExtensionValue::RetryGroup(NamedGroup::SECP384R1))].into();
    assert!(hello.is_hello_retry_request());
    assert_eq!(hello.group(), Some(NamedGroup::SECP384R1));
    for (last, downgrade) in [(1, Some(Downgrade::ToTls12)), (0, Some(Downgrade::ToTls11OrOlder)), (2, None)] {
        hello.random = [7; 32];
        hello.random[24..31].copy_from_slice(b"DOWNGRD");
        hello.random[31] = last;
        assert_eq!(hello.downgrade(), downgrade);
    }
}

#[test]
fn an_offer_is_read_back_as_what_it_offers() {
    let suites = vec![CipherSuite(0x1301), CipherSuite(0xc02f), CipherSuite(0x000a)];
    let mut offer = Offer::new(vec![ProtocolVersion::TLS1_3, TLS12], [0x42; 32], suites.clone());
    offer.session_id = vec![9; 32];
    offer.groups = vec![NamedGroup::X25519MLKEM768, NamedGroup::X25519];
    offer.signature_schemes = vec![SignatureScheme::ED25519, SignatureScheme::RSA_PKCS1_SHA1];
    offer.server_name = Some("example.com".to_owned());
    offer.protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    offer.key_shares = vec![KeyShareEntry { group: NamedGroup::X25519, key_exchange: vec![3; 32] }];
    offer.status_request = true;
    offer.grease = true;
    offer.extra = vec![Extension { extension_type: ExtensionType::SESSION_TICKET, data: Vec::new() }];
    let mut records = RecordReader::new();
    records.push(&offer.records().unwrap());
    let Some(RecordEvent::Record(record)) = records.next().unwrap() else { panic!() };
    assert_eq!(record.version, ProtocolVersion::TLS1_0);
    let mut messages = HandshakeReader::default();
    messages.push(&record.fragment);
    let message = messages.next().unwrap().unwrap();
    let Handshake::ClientHello(hello) = round_trip(&message, None) else { panic!() };
    assert_eq!(hello.server_name(), offer.server_name);
    assert_eq!(hello.protocols(), offer.protocols);
    assert_eq!(hello.signature_schemes(), offer.signature_schemes);
    let nonsense = grease(0x42);
    assert_eq!(hello.cipher_suites, [&[CipherSuite(nonsense)][..], &suites].concat());
    assert!(hello.groups()[0].is_grease() && hello.versions()[0].is_grease());
    assert_eq!(hello.groups()[0], hello.key_shares()[0].group);
    assert_eq!((&hello.groups()[1..], &hello.versions()[1..]), (&offer.groups[..], &offer.versions[..]));
    assert_eq!(hello.extensions.iter().last(), offer.extra.last());
    assert_eq!(hello.extensions.duplicate(), None);
    extensions_round_trip(&hello.extensions, Place::ClientHello);
}

#[test]
fn an_offer_of_ssl_3_has_no_extensions_and_one_of_tls_1_no_signature_algorithms() {
    let mut offer = Offer::new(vec![ProtocolVersion::SSL3], [1; 32], vec![CipherSuite(5)]);
    offer.server_name = Some("example.com".to_owned());
    offer.signature_schemes = vec![SignatureScheme::RSA_PKCS1_SHA256];
    assert_eq!(offer.client_hello().unwrap().extensions, Extensions(None));
    assert_eq!(offer.records().unwrap()[1..3], [3, 0]);
    offer.versions = vec![ProtocolVersion::TLS1_0];
    let hello = offer.client_hello().unwrap();
    assert_eq!(hello.server_name(), offer.server_name);
    assert!(!hello.extensions.contains(ExtensionType::SIGNATURE_ALGORITHMS));
}

#[test]
fn a_hello_of_ssl_2_form_is_read_as_it_was_written() {
    let hello = Ssl2ClientHello {
        version: ProtocolVersion::TLS1_0,
        ciphers: vec![Ssl2Cipher(0x01_0080), Ssl2Cipher(0x00_0005)],
        session_id: Vec::new(),
        challenge: (1..=16).collect(),
    };
    let encoding = hello.encode().unwrap();
    let mut reader = RecordReader::new();
    reader.push(&encoding);
    let Some(RecordEvent::Ssl2 { message }) = reader.next().unwrap() else { panic!() };
    assert_eq!(Ssl2ClientHello::decode(&message), Ok(hello.clone()));
    assert_eq!(hello.ciphers[0].to_string(), "SSL_CK_RC4_128_WITH_MD5");
    assert_eq!(hello.cipher_suites(), [CipherSuite(5)]);
    assert_eq!(hello.random()[14..18], [0, 0, 1, 2]);
    for length in 0..message.len() {
        assert!(Ssl2ClientHello::decode(&message[..length]).is_err());
    }
}

#[test]
fn server_key_exchange_is_taken_apart_as_the_suite_says() {
    let signed = "040100020a0b";
    let cases = [
        (TLS12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", format!("03001d02abcd{signed}"), Some(255)),
        (TLS12, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", format!("00020b0100010200020304{signed}"), Some(12)),
        (ProtocolVersion::TLS1_0, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "000200ff00010300020a0b".to_owned(), Some(8)),
        (TLS12, "TLS_DH_anon_WITH_AES_128_GCM_SHA256", "00020b0100010200020304".to_owned(), Some(12)),
        (TLS12, "TLS_PSK_WITH_AES_128_GCM_SHA256", "0003616263".to_owned(), None),
        (TLS12, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", "000003001702abcd".to_owned(), Some(256)),
        (TLS12, "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", format!("00020b0100010202ffff00020304{signed}"), Some(12)),
    ];
    for (version, suite, body, bits) in cases {
        let message = RawHandshake::new(HandshakeType::SERVER_KEY_EXCHANGE, &hex::decode(&body).unwrap());
        let decoded = round_trip(&message, Some(&negotiated(version, suite)));
        let Handshake::ServerKeyExchange(exchange) = decoded else { panic!("{suite}: {decoded:?}") };
        assert_eq!(exchange.parameters.as_ref().and_then(KeyExchangeParameters::bits), bits, "{suite}");
        let expected = (version == TLS12).then_some(SignatureScheme::RSA_PKCS1_SHA256);
        if let Some(signature) = exchange.signature {
            assert_eq!((signature.scheme, signature.signature), (expected, vec![0x0a, 0x0b]), "{suite}");
        } else {
            assert!(suite.contains("anon") || suite.contains("PSK"), "{suite}");
        }
    }
    let gost = RawHandshake::new(HandshakeType::SERVER_KEY_EXCHANGE, &[1]);
    let suite = negotiated(TLS12, "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC");
    assert!(matches!(Handshake::decode(&gost, Some(&suite)), Ok(Handshake::Other(..))));
    let explicit = RawHandshake::new(HandshakeType::SERVER_KEY_EXCHANGE, &[1, 0]);
    let suite = negotiated(TLS12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(
        Handshake::decode(&explicit, Some(&suite)).unwrap_err().to_string(),
        "ServerKeyExchange: curve_type at octet 0: it is not named_curve (RFC 8422 §5.4)"
    );
}

#[test]
fn client_key_exchange_is_taken_apart_as_the_suite_says() {
    let cases = [
        (TLS12, "TLS_RSA_WITH_AES_128_GCM_SHA256", "0002aabb"),
        (ProtocolVersion::SSL3, "TLS_RSA_WITH_RC4_128_MD5", "aabb"),
        (TLS12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "02abcd"),
        (TLS12, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "0002abcd"),
        (TLS12, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", ""),
        (TLS12, "TLS_PSK_WITH_AES_128_CBC_SHA", "000161"),
        (TLS12, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", "0001610002aabb"),
        (TLS12, "TLS_SRP_SHA_WITH_AES_128_CBC_SHA", "0002aabb"),
    ];
    for (version, suite, body) in cases {
        let message = RawHandshake::new(HandshakeType::CLIENT_KEY_EXCHANGE, &hex::decode(body).unwrap());
        let decoded = round_trip(&message, Some(&negotiated(version, suite)));
        assert!(matches!(decoded, Handshake::ClientKeyExchange(_)), "{suite}");
    }
}

#[test]
fn the_smaller_messages_are_read_as_they_were_written() {
    let tls12 = negotiated(TLS12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    let tls13 = negotiated(ProtocolVersion::TLS1_3, "TLS_AES_128_GCM_SHA256");
    let tls10 = negotiated(ProtocolVersion::TLS1_0, "TLS_RSA_WITH_AES_128_CBC_SHA");
    let authorities = Extension::new(
        ExtensionType::CERTIFICATE_AUTHORITIES,
        &ExtensionValue::CertificateAuthorities(vec![vec![0x30, 0]]),
    );
    let entry = |extensions| CertificateEntry { data: vec![1, 2, 3], extensions };
    let old = |schemes| CertificateRequest::Old {
        certificate_types: vec![crate::tls::code::ClientCertificateType::ECDSA_SIGN],
        signature_schemes: schemes,
        authorities: vec![vec![0x30, 0]],
    };
    let status = |status_type, responses| Handshake::CertificateStatus(CertificateStatus { status_type, responses });
    let messages = [
        (None, Handshake::HelloRequest),
        (None, Handshake::ServerHelloDone),
        (None, Handshake::EndOfEarlyData),
        (None, Handshake::KeyUpdate(KeyUpdateRequest::UPDATE_REQUESTED)),
        (None, Handshake::Finished(vec![5; 12])),
        (None, Handshake::Other(HandshakeType::NEXT_PROTOCOL, vec![1, 2])),
        (None, status(CertificateStatusType::OCSP, vec![vec![0x30, 0]])),
        (None, status(CertificateStatusType::OCSP_MULTI, vec![vec![0x30, 0], vec![]])),
        (
            None,
            Handshake::CompressedCertificate(CompressedCertificate {
                algorithm: CertificateCompression::BROTLI,
                uncompressed_length: 4000,
                compressed: vec![1; 9],
            }),
        ),
        (Some(tls12), Handshake::CertificateRequest(old(Some(vec![SignatureScheme::ED25519])))),
        (Some(tls10), Handshake::CertificateRequest(old(None))),
        (
            Some(tls13),
            Handshake::CertificateRequest(CertificateRequest::Tls13 {
                context: vec![1],
                extensions: vec![authorities.unwrap()].into(),
            }),
        ),
        (
            Some(tls12),
            Handshake::Certificate(CertificateMessage {
                request_context: None,
                entries: vec![entry(Extensions(None)), entry(Extensions(None))],
            }),
        ),
        (
            Some(tls13),
            Handshake::Certificate(CertificateMessage {
                request_context: Some(vec![]),
                entries: vec![entry(vec![].into())],
            }),
        ),
        (Some(tls10), Handshake::CertificateVerify(DigitallySigned { scheme: None, signature: vec![1; 5] })),
        (Some(tls12), Handshake::NewSessionTicket(NewSessionTicket::Old { lifetime_hint: 7200, ticket: vec![3; 9] })),
        (
            Some(tls13),
            Handshake::NewSessionTicket(NewSessionTicket::Tls13 {
                lifetime: 604_800,
                age_add: 7,
                nonce: vec![0, 1],
                ticket: vec![3; 9],
                extensions: vec![
                    Extension::new(ExtensionType::EARLY_DATA, &ExtensionValue::MaxEarlyData(16_384)).unwrap(),
                ]
                .into(),
            }),
        ),
    ];
    for (negotiated, message) in messages {
        let encoding = message.encode().unwrap();
        let raw = RawHandshake::new(message.handshake_type(), &encoding[4..]);
        assert_eq!(round_trip(&raw, negotiated.as_ref()), message);
        if let Handshake::CertificateRequest(request) = message {
            assert_eq!(request.authorities(), [vec![0x30, 0]]);
        }
    }
}

#[test]
fn extensions_mean_what_their_message_makes_them_mean() {
    let decode = |extension_type, place, data: &str| {
        Extension { extension_type, data: hex::decode(data).unwrap() }.decode(place)
    };
    let share = ExtensionType::KEY_SHARE;
    assert_eq!(decode(share, Place::ClientHello, "0000"), Ok(ExtensionValue::KeyShares(vec![])));
    assert_eq!(decode(share, Place::HelloRetryRequest, "001d"), Ok(ExtensionValue::RetryGroup(NamedGroup::X25519)));
    assert!(matches!(decode(share, Place::ServerHello, "001d000109"), Ok(ExtensionValue::KeyShare(_))));
    assert_eq!(
        decode(ExtensionType::SUPPORTED_VERSIONS, Place::ServerHello, "0304"),
        Ok(ExtensionValue::SelectedVersion(ProtocolVersion::TLS1_3))
    );
    assert_eq!(decode(ExtensionType::SERVER_NAME, Place::EncryptedExtensions, ""), Ok(ExtensionValue::Empty));
    let ech = ExtensionType::ENCRYPTED_CLIENT_HELLO;
    assert_eq!(
        decode(ech, Place::ClientHello, "01"),
        Ok(ExtensionValue::EncryptedClientHello(EncryptedClientHello::Inner))
    );
    assert!(decode(ech, Place::ClientHello, "0000010001050001aa0002bbcc").is_ok());
    for (extension_type, place, data, what) in [
        (
            ExtensionType::SUPPORTED_GROUPS,
            Place::ClientHello,
            "0003001d00",
            "supported_groups: named_group_list at octet 2: 3 octets are not a whole number of elements of 2 \
             (RFC 8446 §4.2.7)",
        ),
        (
            ExtensionType::SERVER_NAME,
            Place::ClientHello,
            "0005000009aabb",
            "server_name: host_name at octet 5: 9 octets are due and 2 are left (RFC 6066 §3)",
        ),
        (
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
            Place::ServerHello,
            "0006026832026831",
            "application_layer_protocol_negotiation: protocol_name_list at octet 0: a server names exactly one protocol \
             (RFC 7301 §3.1)",
        ),
        (
            ExtensionType::EXTENDED_MASTER_SECRET,
            Place::ClientHello,
            "00",
            "extended_master_secret: end at octet 0: 1 octets are left over (RFC 7627 §5.1)",
        ),
    ] {
        assert_eq!(decode(extension_type, place, data).unwrap_err().to_string(), what);
    }
}

#[test]
fn what_is_too_long_is_not_written() {
    let name = Extension::new(ExtensionType::SERVER_NAME, &host_name(&"a".repeat(65_536)));
    assert_eq!(name.unwrap_err().most, 65_535);
    let mut offer = Offer::new(vec![TLS12], [0; 32], vec![CipherSuite(5)]);
    offer.session_id = vec![0; 256];
    assert!(offer.records().is_err());
}

#[test]
fn alerts_are_told_in_words() {
    let alerts = Alert::decode_all(&[2, 48, 1, 0]).unwrap();
    assert_eq!(alerts[0].to_string(), "fatal unknown_ca");
    assert_eq!(alerts[1].description, AlertDescription::CLOSE_NOTIFY);
    assert!(alerts[0].is_fatal() && !alerts[1].is_fatal());
    assert!(Alert::decode_all(&[2]).is_err() && Alert::decode_all(&[]).is_err());
}
