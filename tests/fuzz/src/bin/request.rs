//! A certification request of any octets is read or refused; what is read can be told.

#![no_main]

use certkit::x509::CertificationRequest;
use certkit_fuzz::{hierarchy, plant, target};

target!(init: plant([hierarchy::request()]), |data: &[u8]| {
    let Ok(request) = CertificationRequest::from_der(data) else { return };
    assert_eq!(request.der(), data);
    let _ = (request.subject().to_string(), request.attributes().len(), format!("{request:?}"));
    let _ = (request.public_key(), request.signature_algorithm(), request.verify_possession());
    let _ = request.subject_alt_names();
    for extension in request.extensions().iter() {
        let _ = extension.decode();
    }
});
