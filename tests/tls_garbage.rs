//! The codecs of TLS on damaged octets: they read or refuse, and what they read they write again as it was.

use certkit::tls::code::{CipherSuite, ExtensionType, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme};
use certkit::tls::extension::{Extension, KeyShareEntry, Place};
use certkit::tls::fingerprint::{Transport, ja3, ja4};
use certkit::tls::handshake::{Handshake, Negotiated, Offer, Ssl2ClientHello};
use certkit::tls::keys::{KeyLog, MasterSecret, Prf, RecordDecrypter, Side, TrafficSecret};
use certkit::tls::record::{HandshakeReader, RawHandshake, Record, RecordEvent, RecordReader};

use crate::support::random::Random;

const ROUNDS: usize = 20_000;

/// A stream of records with a hello that has much in it.
fn hello() -> Vec<u8> {
    let versions = vec![ProtocolVersion::TLS1_3, ProtocolVersion::TLS1_2];
    let mut offer = Offer::new(versions, [7; 32], CipherSuite::all().take(5).collect());
    offer.groups = vec![NamedGroup::X25519];
    offer.signature_schemes = SignatureScheme::ALL[..4].to_vec();
    offer.server_name = Some("example.com".to_owned());
    offer.protocols = vec![b"h2".to_vec()];
    offer.key_shares = vec![KeyShareEntry { group: NamedGroup::X25519, key_exchange: vec![9; 8] }];
    offer.status_request = true;
    offer.records().unwrap()
}

/// Changes, cuts or doubles a few octets; small numbers and lengths most.
fn damaged(random: &mut Random, seed: &[u8]) -> Vec<u8> {
    let mut octets = seed.to_vec();
    for _ in 0..=random.below(4) {
        if octets.is_empty() {
            break;
        }
        let at = random.below(octets.len());
        match random.below(5) {
            0 => octets.truncate(at),
            1 => octets.insert(at, random.next() as u8),
            2 => octets[at] = octets[at].wrapping_add(random.below(5) as u8).wrapping_sub(2),
            3 => _ = octets.remove(at),
            _ => octets[at] = random.next() as u8,
        }
    }
    octets
}

#[test]
fn damaged_streams_are_read_or_refused_however_they_are_cut() {
    let (mut random, seed) = Random::seeded(1);
    let ssl2 = [0x80, 12, 1, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 5];
    let records = [22, 3, 3, 0, 2, 1, 0, 22, 3, 3, 0, 3, 0, 0, 0, 21, 3, 3, 0, 2, 2, 40];
    let seeds = [hello(), ssl2.to_vec(), records.to_vec()];
    for round in 0..ROUNDS {
        let pick = random.pick(&seeds).clone();
        let stream = damaged(&mut random, &pick);
        let read = |size: usize| {
            let mut reader = RecordReader::new();
            let (mut events, mut messages) = (Vec::new(), HandshakeReader::new(1000));
            for piece in stream.chunks(size) {
                reader.push(piece);
                while let Ok(Some(event)) = reader.next() {
                    if let RecordEvent::Record(record) = &event {
                        messages.push(&record.fragment);
                        while let Ok(Some(_)) = messages.next() {}
                    }
                    events.push(event);
                }
            }
            events
        };
        let whole = read(stream.len().max(1));
        assert_eq!(read(1 + random.below(9)), whole, "CERTKIT_SEED={seed}, round {round}");
        for event in whole {
            if let RecordEvent::Ssl2 { message } = event
                && let Ok(hello) = Ssl2ClientHello::decode(&message)
            {
                assert_eq!(hello.encode().unwrap()[2..], message[..]);
            }
        }
        let mut lossy = RecordReader::new();
        lossy.push(&stream[..stream.len() / 3]);
        while let Ok(Some(_)) = lossy.next() {}
        lossy.missing(1 + random.next() % 20);
        lossy.push(&stream[stream.len() / 3..]);
        while let Ok(Some(_)) = lossy.next() {}
        _ = KeyLog::parse(&stream);
    }
}

#[test]
fn damaged_messages_are_refused_or_written_again_as_they_were() {
    let (mut random, seed) = Random::seeded(2);
    let settled = [
        None,
        Some((0x0300, 0x0004)),
        Some((0x0301, 0x0003)),
        Some((0x0301, 0x0033)),
        Some((0x0303, 0xc02f)),
        Some((0x0303, 0xc035)),
        Some((0x0303, 0x0094)),
        Some((0x0303, 0xc01e)),
        Some((0x0304, 0x1301)),
    ];
    let hello = hello();
    let bodies = [
        &hello[9..],
        &[
            3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0,
            19, 1, 0,
        ],
        &[3, 0, 29, 2, 1, 2, 4, 1, 0, 2, 9, 9],
        &[0, 1, 23, 0, 1, 2, 0, 1, 5, 4, 1, 0, 2, 9, 9],
        &[0, 0, 6, 0, 0, 3, 1, 2, 3],
        &[0, 0, 0, 8, 0, 0, 3, 1, 2, 3, 0, 0],
        &[1, 64, 0, 2, 4, 3, 0, 4, 0, 2, 48, 0],
        &[0, 0, 1, 0, 0, 0, 0, 9, 1, 0, 0, 1, 7, 0, 0],
        &[0, 2, 0, 1, 0, 0, 0, 1, 9],
        &[],
    ];
    let mut read = 0;
    for round in 0..ROUNDS {
        let body = damaged(&mut random, random_body(&mut Random(round as u64), &bodies));
        let raw = RawHandshake::new(*random.pick(HandshakeType::ALL), &body);
        let negotiated = random
            .pick(&settled)
            .map(|(version, suite)| Negotiated { version: ProtocolVersion(version), cipher_suite: CipherSuite(suite) });
        match Handshake::decode(&raw, negotiated.as_ref()) {
            Err(error) => assert!(error.offset <= body.len(), "CERTKIT_SEED={seed}, round {round}: {error}"),
            Ok(message) => {
                read += 1;
                assert_eq!(message.encode().unwrap(), raw.encoding, "CERTKIT_SEED={seed}, round {round}");
                if let Handshake::ClientHello(hello) = message {
                    _ = (ja3(&hello), ja4(&hello, Transport::Tcp), hello.extensions.duplicate());
                }
            }
        }
    }
    assert!(read > ROUNDS / 20, "{read}");
}

fn random_body<'a>(random: &mut Random, bodies: &[&'a [u8]]) -> &'a [u8] {
    bodies[random.below(bodies.len())]
}

#[test]
fn damaged_extensions_are_refused_or_written_again_as_they_were() {
    const PLACES: [Place; 7] = [
        Place::ClientHello,
        Place::ServerHello,
        Place::HelloRetryRequest,
        Place::EncryptedExtensions,
        Place::Certificate,
        Place::CertificateRequest,
        Place::NewSessionTicket,
    ];
    let (mut random, seed) = Random::seeded(3);
    let contents: [&[u8]; 10] = [
        &[],
        &[0, 4, 0, 29, 0, 23],
        &[2, 3, 4],
        &[0, 14, 0, 0, 11, 101, 120, 97, 109, 112, 108, 101, 46, 99, 111, 109],
        &[1, 0, 3, 0, 1, 9, 0, 0],
        &[0, 7, 2, 0, 4, 0, 0, 0, 0],
        &[0, 9, 0, 29, 0, 5, 1, 2, 3, 4, 5],
        &[0, 0, 1, 0, 1, 5, 0, 1, 7, 0, 1, 8],
        &[1, 0, 0, 2, 48, 0],
        &[0, 3, 2, 104, 50],
    ];
    for round in 0..ROUNDS {
        let content = *random.pick(&contents);
        let data = damaged(&mut random, content);
        let extension_type = *random.pick(ExtensionType::ALL);
        let extension = Extension { extension_type, data };
        match extension.decode(*random.pick(&PLACES)) {
            Ok(value) => {
                let again = Extension::new(extension_type, &value).unwrap();
                assert_eq!(again, extension, "CERTKIT_SEED={seed}, round {round}");
            }
            Err(error) => assert!(error.offset <= extension.data.len(), "CERTKIT_SEED={seed}, round {round}: {error}"),
        }
    }
}

#[test]
fn damaged_records_are_never_decrypted() {
    let (mut random, seed) = Random::seeded(4);
    let suites = [0x0002, 0x0005, 0x000a, 0x002f, 0x003d, 0x0041, 0x009c, 0xc09d, 0xcca8, 0x0009, 0x1301];
    for round in 0..ROUNDS / 10 {
        let suite = CipherSuite(*random.pick(&suites));
        let version = ProtocolVersion(0x0300 + random.below(4) as u16);
        let mut decrypter = match suite.is_tls13() {
            true => RecordDecrypter::tls13(suite, TrafficSecret::new(suite, &[3; 32]).unwrap()).unwrap(),
            false => {
                let negotiated = Negotiated { version, cipher_suite: suite };
                let master = MasterSecret::new(Prf::of(&negotiated).unwrap(), &[7; 48]).unwrap();
                let etm = random.one_in(2);
                RecordDecrypter::old(&negotiated, &master, &[1; 32], &[2; 32], Side::Client, etm).unwrap()
            }
        };
        for _ in 0..4 {
            let content_type = certkit::tls::code::ContentType::APPLICATION_DATA;
            let fragment = vec![random.next() as u8; random.below(130)];
            let record = Record { offset: 0, content_type, version, fragment };
            assert!(decrypter.decrypt(&record).is_err(), "CERTKIT_SEED={seed}, round {round}: {suite}");
            if random.one_in(3) {
                decrypter.skip(record.fragment.len());
            }
        }
    }
}
