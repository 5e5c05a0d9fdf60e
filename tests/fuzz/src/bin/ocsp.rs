//! An OCSP response of any octets is read or refused; what is read can be told.

#![no_main]

use certkit::encoding::der::{self, tag};
use certkit::key::{HashAlgorithm, SignatureAlgorithm};
use certkit::x509::OcspResponse;
use certkit_fuzz::{plant, target};

target!(init: plant([response(), der::sequence(&[&der::tlv(tag::ENUMERATED, &[1])])]), |data: &[u8]| {
    let Ok(OcspResponse::Successful(response)) = OcspResponse::from_der(data) else { return };
    let _ = (response.der().len(), response.responder(), response.produced_at(), response.nonce());
    let _ = response.signature_algorithm();
    for certificate in response.certificates() {
        let _ = (certificate.display_name(), response.responder().is(certificate));
        if let Ok(key) = certificate.public_key() {
            let _ = response.verify_signature(&key);
        }
    }
    for single in response.responses() {
        let _ = (single.certificate.serial.to_string(), single.this_update, single.next_update);
        for extension in single.extensions.iter() {
            let _ = extension.decode();
        }
    }
    for extension in response.extensions().iter() {
        let _ = extension.decode();
    }
});

/// A response that says good of one certificate, with a signature of zeros.
fn response() -> Vec<u8> {
    let oid = |text: &str| der::oid(&text.parse().expect("an identifier"));
    let time = |digits: &str| der::tlv(tag::GENERALIZED_TIME, digits.as_bytes());
    let sha1 = der::sequence(&[&oid("1.3.14.3.2.26"), &der::null()]);
    let digest = der::octet_string(&[7; 20]);
    let certificate = der::sequence(&[&sha1, &digest, &digest, &der::unsigned(&[5])]);
    let until = der::tlv(tag::context_constructed(0), &time("20261124120000Z"));
    let single = der::sequence(&[&certificate, &der::tlv(tag::context(0), &[]), &time("20261123120000Z"), &until]);
    let responder = der::tlv(tag::context_constructed(2), &digest);
    let data = der::sequence(&[&responder, &time("20261123120000Z"), &der::sequence(&[&single])]);
    let algorithm = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256).to_algorithm_identifier();
    let basic = der::sequence(&[&data, &algorithm, &der::bit_string(&[0; 64])]);
    let bytes = der::sequence(&[&oid("1.3.6.1.5.5.7.48.1.1"), &der::octet_string(&basic)]);
    let response = der::sequence(&[&der::tlv(tag::ENUMERATED, &[0]), &der::tlv(tag::context_constructed(0), &bytes)]);
    assert!(OcspResponse::from_der(&response).is_ok(), "the seed is no response");
    response
}
