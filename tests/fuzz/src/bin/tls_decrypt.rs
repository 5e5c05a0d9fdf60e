//! Records of any octets are decrypted or refused, whatever the suite.

#![no_main]

use certkit::tls::code::{CipherSuite, ContentType, ProtocolVersion};
use certkit::tls::handshake::Negotiated;
use certkit::tls::keys::{MasterSecret, Prf, RecordDecrypter, Side, TrafficSecret};
use certkit::tls::record::Record;
use certkit_fuzz::{parts, plant, target};

const SUITES: [u16; 10] = [0x0001, 0x0005, 0x000a, 0x002f, 0x003d, 0x0041, 0x009c, 0xc09d, 0xcca8, 0x0009];

target!(init: plant((0..22).map(|suite| [&[suite, 1, 0, 32][..], &[9; 32], &[0, 48], &[8; 48]].concat())), |data: &[u8]| {
    let Some((&[suite, version], records)) = data.split_first_chunk::<2>() else { return };
    let mut decrypter = match SUITES.get(usize::from(suite % 11)) {
        Some(&suite) => {
            let version = ProtocolVersion(0x0300 + u16::from(version % 4));
            let negotiated = Negotiated { version, cipher_suite: CipherSuite(suite) };
            let master = MasterSecret::new(Prf::of(&negotiated).unwrap(), &[7; 48]).unwrap();
            RecordDecrypter::old(&negotiated, &master, &[1; 32], &[2; 32], Side::Client, data.len() % 2 == 0).unwrap()
        }
        None => RecordDecrypter::tls13(CipherSuite(0x1301), TrafficSecret::new(CipherSuite(0x1301), &[3; 32]).unwrap()).unwrap(),
    };
    for (number, fragment) in parts(records).into_iter().enumerate() {
        let version = ProtocolVersion::TLS1_2;
        let record = Record { offset: 0, content_type: ContentType::APPLICATION_DATA, version, fragment: fragment.to_vec() };
        if let Ok(plain) = decrypter.decrypt(&record) {
            assert!(plain.content.len() <= fragment.len());
        }
        if number % 3 == 2 {
            decrypter.skip(fragment.len());
        }
    }
});
