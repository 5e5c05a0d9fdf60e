//! OCSP responses that cannot be relied on, each for one reason.

use certkit::encoding::der;
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::x509::extension::ExtendedKeyUsage;
use certkit::x509::{Extension, oids, time as x509_time};
use time::Duration;

use super::ResponseKind;
use crate::support::case::{Case, namesakes, responder};
use crate::support::forge::{Forge, Hierarchy, NOON};
use crate::support::forge_ocsp::{ForgeOcsp, by_name, id};

/// A sound chain with a response that is refused for this.
pub(super) fn breaking(kind: ResponseKind, hierarchy: &Hierarchy) -> Case {
    let own = &hierarchy.intermediate;
    let sound = Case::sound(hierarchy);
    let good = || ForgeOcsp::good(&sound.leaf, own);
    let said = |change: &dyn Fn(&mut ForgeOcsp)| {
        let mut response = good();
        change(&mut response);
        Case { responses: vec![response.sign(&own.key)], ..sound.clone() }
    };
    let stranger = || PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let delegated = |change: &dyn Fn(&mut Forge)| Case::answered_by(hierarchy, &responder(own, change));
    let later = |hours| NOON + Duration::hours(hours);
    match kind {
        ResponseKind::Declined => said(&|response| response.response_status = 3),
        ResponseKind::UnknownCertificate => {
            let unknown = ForgeOcsp::unknown(&sound.leaf, own).sign(&own.key);
            Case { responses: vec![unknown], ..sound }
        }
        ResponseKind::NotYet => said(&|response| response.this_update = later(1)),
        ResponseKind::Stale => said(&|response| {
            (response.this_update, response.next_update) = (later(-9), Some(later(-1)));
        }),
        ResponseKind::Undated => said(&|response| (response.this_update, response.next_update) = (later(-30), None)),
        ResponseKind::UnknownHash => {
            // The serial number is all there is to go by, and the intermediate has another one.
            let case = Case::with_leaf(hierarchy, &|forge| forge.serial = vec![0x46; 16]);
            let mut response = ForgeOcsp::good(&case.leaf, own);
            response.certificate = id(&"1.2.3.4".parse().unwrap(), &case.leaf, own, |data| data.to_vec());
            Case { responses: vec![response.sign(&own.key)], ..case }
        }
        ResponseKind::ResponderNotFound => {
            let elsewhere = responder(own, &|_| ());
            said(&|response| response.responder = by_name(&elsewhere.certificate))
        }
        ResponseKind::Signature => Case { responses: vec![good().sign(&stranger())], ..sound },
        ResponseKind::WeakHash => {
            said(&|response| response.claimed_algorithm = Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1)))
        }
        ResponseKind::NotDelegated => Case::answered_by(hierarchy, &responder(&hierarchy.root, &|_| ())),
        ResponseKind::NoOcspSigning => delegated(&|forge| forge.remove::<ExtendedKeyUsage>()),
        ResponseKind::ResponderCertificate => {
            let past = x509_time::encode(NOON - Duration::DAY);
            delegated(&|forge| forge.validity[1] = past.clone())
        }
        ResponseKind::ResponderRevoked => {
            let responder = responder(own, &|_| ());
            let mut case = Case::answered_by(hierarchy, &responder);
            case.responses.push(ForgeOcsp::revoked(&responder.certificate, own).sign(&own.key));
            case
        }
        ResponseKind::ResponderUnknown => delegated(&|_| ()),
        ResponseKind::UnknownCritical => said(&|response| response.extensions.push(unknown())),
        ResponseKind::Extension => said(&|response| {
            response.extensions.push(Extension { oid: oids::OCSP_NONCE, critical: false, value: vec![0x04, 0x05] });
        }),
        // Many that may have signed it, and none did.
        ResponseKind::GaveUp => {
            let mut response = good();
            response.certificates = namesakes("Test Intermediate", hierarchy).collect();
            Case { responses: vec![response.sign(&stranger())], ..sound }
        }
    }
}

fn unknown() -> Extension {
    Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() }
}
