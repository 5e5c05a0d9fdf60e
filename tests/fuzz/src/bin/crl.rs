//! A revocation list of any octets is read or refused; what is read can be told.

#![no_main]

use certkit::x509::CertificateRevocationList;
use certkit_fuzz::{hierarchy, plant, target};

target!(init: plant([hierarchy::revocation_list()]), |data: &[u8]| {
    let Ok(list) = CertificateRevocationList::from_der(data) else { return };
    assert_eq!(list.der(), data);
    let _ = (list.issuer().to_string(), list.this_update(), list.next_update(), list.number());
    let _ = (list.signature_algorithm(), format!("{list:?}"));
    for entry in list.entries() {
        let _ = (entry.serial.to_string(), entry.reason(), entry.revocation_date);
        for extension in entry.extensions.iter() {
            let _ = extension.decode();
        }
    }
    for extension in list.extensions().iter() {
        let _ = extension.decode();
    }
});
