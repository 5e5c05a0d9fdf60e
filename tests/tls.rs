//! Recordings of versions that hardly any program speaks any more, read and decrypted.

use certkit::encoding::{hex, pem};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::tls::code::{CipherSuite, ContentType, ProtocolVersion};
use certkit::tls::handshake::{Handshake, Negotiated};
use certkit::tls::keys::{
    KeyLog, KeyLogLabel, MasterSecret, PreMasterSecret, Prf, RecordDecrypter, Side, SignedWith, key_log_line,
};
use certkit::tls::record::{HandshakeReader, Record, RecordEvent, RecordReader};

use crate::support::wiretap::{Recording, follow};

const RC4_MD5: &str = include_str!("data/tls/ssl3_rc4_md5.txt");
const AES128_SHA: &str = include_str!("data/tls/ssl3_aes128_sha.txt");
const DHE_AES256: &str = include_str!("data/tls/ssl3_dhe_aes256.txt");

fn server_key() -> PrivateKey {
    let blocks = pem::read(include_bytes!("../src/key/fixtures/rsa_2048.pkcs8.pem"));
    PrivateKey::from_pkcs8_der(&blocks[0].as_ref().unwrap().contents).unwrap()
}

/// What passed, and a key log of its master secret.
fn recording(text: &str) -> (Recording, KeyLog) {
    let mut passed = Vec::new();
    let mut master = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (word, digits) = line.split_once(' ').unwrap();
        let octets = hex::decode(digits).unwrap();
        match word {
            "client" => passed.push((Side::Client, octets)),
            "server" => passed.push((Side::Server, octets)),
            _ => master = octets,
        }
    }
    // Header of the record, header of the message, version, random.
    let random = &passed[0].1[11..43];
    let log = KeyLog::parse(key_log_line(KeyLogLabel::ClientRandom, random, &master).as_bytes());
    (passed, log)
}

#[test]
fn ssl_3_is_read_and_decrypted_with_the_rsa_key_or_a_key_log() {
    let key = server_key();
    for (text, suite, signed) in [
        (RC4_MD5, "TLS_RSA_WITH_RC4_128_MD5", None),
        (AES128_SHA, "TLS_RSA_WITH_AES_128_CBC_SHA", None),
        (DHE_AES256, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", Some(SignedWith::Tls10Rsa)),
    ] {
        let (passed, log) = recording(text);
        let with_log = follow(&passed, &log, None);
        let stories = match signed {
            None => vec![with_log, follow(&passed, &KeyLog::default(), Some(&key))],
            Some(_) => vec![with_log],
        };
        for story in stories {
            assert_eq!(story.settled(), (ProtocolVersion::SSL3, CipherSuite::from_name(suite).unwrap()));
            assert_eq!(story.key_exchange_signed, signed, "{suite}");
            assert_eq!(story.finished, [Side::Client, Side::Server]);
            assert_eq!(story.client_data, b"question", "{suite}");
            assert_eq!(story.server_data, b"answer", "{suite}");
        }
    }
}

/// The first record that the client protects, and what is needed to decrypt it.
fn first_protected(text: &str) -> (Record, Negotiated, [u8; 32], [u8; 32], Vec<u8>) {
    let (passed, log) = recording(text);
    let mut randoms = [[0; 32]; 2];
    let mut cipher_suite = CipherSuite(0);
    let mut changed = false;
    for (side, octets) in &passed {
        let mut reader = RecordReader::new();
        reader.push(octets);
        while let Some(RecordEvent::Record(record)) = reader.next().unwrap() {
            if *side == Side::Client && changed {
                let negotiated = Negotiated { version: ProtocolVersion::SSL3, cipher_suite };
                let master = log.secret(KeyLogLabel::ClientRandom, &randoms[0]).unwrap().to_vec();
                return (record, negotiated, randoms[0], randoms[1], master);
            }
            changed |= *side == Side::Client && record.content_type == ContentType::CHANGE_CIPHER_SPEC;
            let mut messages = HandshakeReader::default();
            messages.push(&record.fragment);
            if let Ok(Some(message)) = messages.next() {
                match Handshake::decode(&message, None) {
                    Ok(Handshake::ClientHello(hello)) => randoms[0] = hello.random,
                    Ok(Handshake::ServerHello(hello)) => {
                        randoms[1] = hello.random;
                        cipher_suite = hello.cipher_suite;
                    }
                    _ => {}
                }
            }
        }
    }
    panic!("nothing protected");
}

#[test]
fn a_changed_record_and_another_secret_are_refused() {
    for text in [RC4_MD5, AES128_SHA] {
        let (record, negotiated, client, server, secret) = first_protected(text);
        let decrypter = |secret: &[u8], sender| {
            let master = MasterSecret::new(Prf::of(&negotiated).unwrap(), secret).unwrap();
            RecordDecrypter::old(&negotiated, &master, &client, &server, sender, false).unwrap()
        };
        assert_eq!(decrypter(&secret, Side::Client).decrypt(&record).unwrap().content.len(), 4 + 36);
        decrypter(&secret, Side::Server).decrypt(&record).unwrap_err();
        decrypter(&[7; 48], Side::Client).decrypt(&record).unwrap_err();
        for at in 0..record.fragment.len() {
            let mut changed = record.clone();
            changed.fragment[at] ^= 0x10;
            let outcome = decrypter(&secret, Side::Client).decrypt(&changed);
            // SSL 3.0 leaves most of the padding unauthenticated: POODLE.
            let padding = text == AES128_SHA && at + 16 >= record.fragment.len();
            assert!(padding || outcome.is_err(), "octet {at}");
        }
        let mut late = decrypter(&secret, Side::Client);
        late.skip(record.fragment.len());
        late.decrypt(&record).unwrap_err();
    }
}

#[test]
fn a_pre_master_secret_is_opened_by_its_own_key_alone() {
    let ciphertext = [0x55; 256];
    let version = ProtocolVersion::TLS1_2;
    let open = |key: &PrivateKey, octets: &[u8]| PreMasterSecret::decrypt(key, octets, version, version).map(|_| ());
    assert!(open(&server_key(), &ciphertext).is_err());
    assert!(open(&server_key(), &[]).is_err());
    let p256 = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    assert_eq!(
        open(&p256, &ciphertext).unwrap_err().to_string(),
        "a P-256 key does not decrypt: that takes an RSA key"
    );
}
