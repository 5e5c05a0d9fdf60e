//! Complete lists (RFC 5280 §6.3.3), in the order of NIST PKITS section 4.4; openssl is asked about the same files.

use certkit::encoding::der::{self, tag};
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::{Check, CheckRevocation, Outcome, Status};
use certkit::x509::extension::{
    CrlDistributionPoints, CrlNumber, CrlReason, DistributionPoint, IssuingDistributionPoint, KeyUsage, KeyUsageBit,
};
use certkit::x509::{CertificateRevocationList, DistinguishedName, Extension, GeneralName, oids};

use crate::support::clock::processor_time;
use crate::support::forge::{Forge, Hierarchy, Issuer, NOON};
use crate::support::forge_crl::{Entry, ForgeCrl};
use crate::support::scene::{HOST, Scene, list_signer, reasons};

fn unknown_extension() -> Extension {
    Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() }
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::P256).unwrap()
}

/// The sound chain, and the intermediate's list after `change`.
fn listed(hierarchy: &Hierarchy, change: impl FnOnce(&mut ForgeCrl)) -> Scene {
    let mut list = ForgeCrl::of(&hierarchy.intermediate);
    change(&mut list);
    Scene::sound(hierarchy).with(list.sign(&hierarchy.intermediate.key))
}

#[test]
fn a_list_without_the_certificate_makes_it_good() {
    let hierarchy = Hierarchy::new();
    let scene = listed(&hierarchy, |list| list.entries.push(Entry::new(&[1], None)));
    scene.is_accepted();
    let verdict = scene.judge();
    let statuses: Vec<Status> = verdict.attempts()[0].revocation.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Status::Good, Status::Good]);
}

#[test]
fn a_missing_list_leaves_the_status_unknown() {
    let hierarchy = Hierarchy::new();
    Scene::sound(&hierarchy).is_rejected("no list or response given covers the certificate");
}

#[test]
fn a_revoked_ca_takes_its_certificates_along() {
    let hierarchy = Hierarchy::new();
    let intermediate = &hierarchy.intermediate.certificate;
    let revoking = ForgeCrl::of(&hierarchy.root).revoking(intermediate, Some(CrlReason::CaCompromise));
    let mut scene = listed(&hierarchy, |_| ());
    scene.lists[0] = revoking.sign(&hierarchy.root.key);
    scene.is_rejected("revoked since 2026-11-21T12:00:00Z (cACompromise)");
    assert!(scene.asking(CheckRevocation::Leaf).judge().is_accepted());
}

#[test]
fn a_revoked_leaf_is_rejected_with_date_reason_and_source() {
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy).leaf;
    let mut scene = Scene::sound(&hierarchy);
    scene.leaf = leaf.clone();
    let list = ForgeCrl::of(&hierarchy.intermediate).revoking(&leaf, Some(CrlReason::KeyCompromise));
    let scene = scene.with(list.sign(&hierarchy.intermediate.key));
    scene.is_rejected("says the CRL of \"CN=Test Intermediate\" of 2026-11-22T12:00:00Z");
    for check in [CheckRevocation::Given, CheckRevocation::Leaf] {
        let status = scene.clone().asking(check).judge().attempts()[0].revocation[0].status;
        assert_eq!(status, Status::Revoked { since: Entry::date(), reason: Some(CrlReason::KeyCompromise) });
    }
    assert!(scene.asking(CheckRevocation::None).judge().is_accepted());
}

#[test]
fn a_list_with_a_bad_signature_settles_nothing() {
    let hierarchy = Hierarchy::new();
    let forged = ForgeCrl::of(&hierarchy.intermediate).sign(&key());
    let scene = Scene::sound(&hierarchy).with(forged);
    scene.is_rejected("was not signed by any key of that name");
    // What is given has to hold, even where nobody asked for a status.
    assert!(!scene.asking(CheckRevocation::Given).judge().is_accepted());
}

#[test]
fn a_list_of_another_name_settles_nothing() {
    let hierarchy = Hierarchy::new();
    let scene = listed(&hierarchy, |list| list.issuer = DistinguishedName::common_name_only("Somebody Else"));
    scene.is_rejected("no list or response given covers the certificate");
    let verdict = scene.asking(CheckRevocation::Given).judge();
    assert!(verdict.is_accepted(), "{}", reasons(&verdict));
    let warned = verdict.attempts()[0].warnings().any(|finding| finding.check == Check::RevocationKnown);
    assert!(warned);
}

#[test]
fn one_sound_list_of_two_is_enough() {
    let hierarchy = Hierarchy::new();
    let scene = listed(&hierarchy, |_| ());
    let forged = ForgeCrl::of(&hierarchy.intermediate).revoking(&scene.leaf, None).dated(0, 5).sign(&key());
    let scene = scene.with(forged);
    scene.is_accepted_here_only("CRL signature failure");
    let verdict = scene.judge();
    let warned = verdict.attempts()[0].warnings().any(|finding| finding.check == Check::RevocationList);
    assert!(warned, "the forged list is worth a word");
}

#[test]
fn unknown_critical_extensions_of_lists_and_of_any_entry_make_them_useless() {
    let hierarchy = Hierarchy::new();
    listed(&hierarchy, |list| list.extensions.push(unknown_extension())).is_rejected("critical extension 1.2.3.4");
    let strange = |serial: &[u8]| Entry { extensions: vec![unknown_extension()], ..Entry::new(serial, None) };
    listed(&hierarchy, |list| list.entries.push(strange(&[1]))).is_rejected("has an entry with the critical extension");
    let serial = Scene::sound(&hierarchy).leaf.serial().content().to_vec();
    listed(&hierarchy, |list| list.entries.push(strange(&serial))).is_rejected("has an entry with the critical");
}

#[test]
fn lists_hold_from_this_update_to_next_update() {
    let hierarchy = Hierarchy::new();
    listed(&hierarchy, |list| *list = list.clone().dated(-9, -1)).is_rejected("out of date");
    listed(&hierarchy, |list| *list = list.clone().dated(1, 9)).is_rejected("is from after the time of judgment");
    listed(&hierarchy, |list| list.next_update = der::tlv(tag::UTC_TIME, b"990101000000Z")).is_rejected("1999-01-01");
    listed(&hierarchy, |list| list.next_update = der::tlv(tag::GENERALIZED_TIME, b"20500101120100Z")).is_accepted();
    // Both ends belong to it.
    let now = certkit::x509::time::encode(NOON);
    listed(&hierarchy, |list| (list.this_update, list.next_update) = (now.clone(), now.clone()))
        .is_accepted_here_only("CRL has expired");
}

#[test]
fn serial_numbers_are_compared_sign_and_all() {
    let hierarchy = Hierarchy::new();
    let long = [0x7f; 20];
    let shorter = &long[..19];
    for (own, listed, revoked) in [
        (&[0xff][..], &[0x00, 0xff][..], false),
        (&[0xff], &[0xff], true),
        (&long, shorter, false),
        (&long, &long, true),
    ] {
        let mut leaf = hierarchy.server(HOST);
        leaf.serial = own.to_vec();
        let list = ForgeCrl::of(&hierarchy.intermediate).with(Entry::new(listed, None));
        let scene = Scene::of(&leaf, &hierarchy).with(list.sign(&hierarchy.intermediate.key));
        if revoked { scene.is_rejected("the certificate is revoked") } else { scene.is_accepted() }
    }
}

/// A CA with one certificate for a key that signs certificates and one for a key that signs lists.
fn separate_keys(hierarchy: &Hierarchy, usage: &[KeyUsageBit]) -> (Scene, Issuer) {
    let ca_key = key();
    let mut ca = Forge::intermediate("Separate", &ca_key, &hierarchy.root);
    ca.set(&KeyUsage::new(&[KeyUsageBit::KeyCertSign]), true);
    let ca = Issuer { certificate: ca.sign(&hierarchy.root.key), key: ca_key };
    let signer_key = key();
    let mut signer = list_signer("Separate", &signer_key, &hierarchy.root);
    signer.set(&KeyUsage::new(usage), true);
    let signer = Issuer { certificate: signer.sign(&hierarchy.root.key), key: signer_key };
    let leaf = Forge::server(HOST, &hierarchy.leaf_key, &ca).sign(&ca.key);
    let intermediates = vec![ca.certificate.clone(), signer.certificate.clone()];
    (Scene { leaf, intermediates, ..Scene::sound(hierarchy) }, signer)
}

#[test]
fn lists_may_be_signed_with_a_key_of_their_own() {
    let hierarchy = Hierarchy::new();
    let (scene, signer) = separate_keys(&hierarchy, &[KeyUsageBit::CrlSign]);
    scene.clone().with(ForgeCrl::of(&signer).sign(&signer.key)).is_accepted();
    let revoking = ForgeCrl::of(&signer).revoking(&scene.leaf, None);
    scene.with(revoking.sign(&signer.key)).is_rejected("the certificate is revoked");
}

#[test]
fn the_signer_of_a_list_must_not_be_revoked() {
    let hierarchy = Hierarchy::new();
    let (mut scene, signer) = separate_keys(&hierarchy, &[KeyUsageBit::CrlSign]);
    scene.lists[0] = ForgeCrl::of(&hierarchy.root).revoking(&signer.certificate, None).sign(&hierarchy.root.key);
    scene.with(ForgeCrl::of(&signer).sign(&signer.key)).is_rejected("a certificate that is revoked itself");
}

#[test]
fn the_signer_of_a_list_needs_crl_sign() {
    let hierarchy = Hierarchy::new();
    let (scene, signer) = separate_keys(&hierarchy, &[KeyUsageBit::DigitalSignature]);
    // OpenSSL 3.0 looks at the keyUsage of the issuer in the chain and not at that of a signer beside it.
    scene.with(ForgeCrl::of(&signer).sign(&signer.key)).is_rejected_here("keyUsage lacks cRLSign");
    let mut ca = Forge::intermediate("Test Intermediate", &hierarchy.intermediate.key, &hierarchy.root);
    ca.set(&KeyUsage::new(&[KeyUsageBit::KeyCertSign]), true);
    let mut scene = listed(&hierarchy, |_| ());
    scene.intermediates = vec![ca.sign(&hierarchy.root.key)];
    scene.is_rejected("keyUsage lacks cRLSign");
}

#[test]
fn the_signer_of_a_list_needs_a_path_to_the_same_root() {
    let hierarchy = Hierarchy::new();
    let stranger = Hierarchy::new();
    let signer_key = key();
    let signer = list_signer("Test Intermediate", &signer_key, &stranger.root).sign(&stranger.root.key);
    let signer = Issuer { certificate: signer, key: signer_key };
    let scene = Scene::sound(&hierarchy).beside(&signer.certificate).with(ForgeCrl::of(&signer).sign(&signer.key));
    scene.is_rejected("no path to the trusted root");
}

#[test]
fn both_algorithm_identifiers_of_a_list_agree_and_name_a_sound_hash() {
    let hierarchy = Hierarchy::new();
    let identifier = |hash| SignatureAlgorithm::Ecdsa(hash).to_algorithm_identifier();
    let other = listed(&hierarchy, |list| list.inner_algorithm = Some(identifier(HashAlgorithm::Sha384)));
    // OpenSSL 3.0 does not compare them in lists.
    other.is_rejected_here("another signature algorithm inside");
    let weak = listed(&hierarchy, |list| list.claimed_algorithm = Some(identifier(HashAlgorithm::Sha1)));
    weak.is_rejected("over SHA-1");
}

#[test]
fn a_list_has_a_number_and_next_update_and_still_revokes_without() {
    let hierarchy = Hierarchy::new();
    listed(&hierarchy, |list| list.remove::<CrlNumber>()).is_rejected_here_only("has no cRLNumber");
    listed(&hierarchy, |list| list.set(&CrlNumber(vec![1]), true)).is_rejected("has a critical cRLNumber");
    listed(&hierarchy, |list| list.set(&CrlNumber(vec![1; 21]), false)).is_rejected_here_only("over 20 octets");
    listed(&hierarchy, |list| list.next_update.clear()).is_rejected_here_only("has no nextUpdate");
    let first = |list: &mut ForgeCrl| (list.version, list.extensions) = (Vec::new(), Vec::new());
    listed(&hierarchy, first).is_rejected_here_only("has no cRLNumber");
    let sound = Scene::sound(&hierarchy);
    let mut list = ForgeCrl::of(&hierarchy.intermediate).revoking(&sound.leaf, None);
    first(&mut list);
    let entry = &mut list.entries[0];
    entry.extensions.clear();
    sound.with(list.sign(&hierarchy.intermediate.key)).is_rejected("the certificate is revoked");
}

#[test]
fn the_newest_list_decides() {
    let hierarchy = Hierarchy::new();
    let sound = Scene::sound(&hierarchy);
    let hold = ForgeCrl::of(&hierarchy.intermediate).revoking(&sound.leaf, Some(CrlReason::CertificateHold));
    let held = hold.clone().dated(-5, 5).sign(&hierarchy.intermediate.key);
    let lifted = ForgeCrl::of(&hierarchy.intermediate).numbered(8).dated(-1, 5).sign(&hierarchy.intermediate.key);
    for lists in [[held.clone(), lifted.clone()], [lifted, held.clone()]] {
        let scene = lists.into_iter().fold(sound.clone(), Scene::with);
        scene.is_accepted();
    }
    sound.with(held).is_rejected("the certificate is on hold");
}

#[test]
fn one_entry_of_a_hundred_thousand_is_found() {
    let hierarchy = Hierarchy::new();
    let mut list = ForgeCrl::of(&hierarchy.intermediate);
    let entry = Entry::new(&[], Some(CrlReason::Superseded));
    for number in 0..100_000_u32 {
        let scattered = number.wrapping_mul(2_654_435_761).to_be_bytes();
        list.entries.push(Entry { serial: [&[1], scattered.as_slice()].concat(), ..entry.clone() });
    }
    let mut leaf = hierarchy.server(HOST);
    leaf.serial = list.entries[77_777].serial.clone();
    let encoding = list.sign_der(&hierarchy.intermediate.key);

    // How few entries are looked at for one certificate is counted beside the index.
    let list = CertificateRevocationList::from_der(&encoding).unwrap();
    let scene = Scene::of(&leaf, &hierarchy).with(list);
    assert!(!scene.judge().is_accepted());
    let finding = scene.judge().attempts()[0]
        .findings
        .iter()
        .any(|it| it.check == Check::Revocation && matches!(it.outcome, Outcome::Failed(_)));
    assert!(finding);
}

#[test]
fn an_entry_revokes_whatever_its_reason_code() {
    let hierarchy = Hierarchy::new();
    let serial = Scene::sound(&hierarchy).leaf.serial().content().to_vec();
    let undefined = Extension { oid: oids::REASON_CODE, critical: false, value: der::tlv(tag::ENUMERATED, &[7]) };
    let entry = Entry { extensions: vec![undefined], ..Entry::new(&serial, None) };
    listed(&hierarchy, |list| list.entries.push(entry)).is_rejected("the certificate is revoked");
    let removed = Entry::new(&serial, Some(CrlReason::RemoveFromCrl));
    let revoked = Entry::new(&serial, Some(CrlReason::KeyCompromise));
    listed(&hierarchy, |list| list.entries.extend([removed, revoked])).is_rejected_here("(keyCompromise)");
}

#[test]
fn an_extension_that_stands_twice_makes_a_list_useless() {
    let hierarchy = Hierarchy::new();
    // OpenSSL 3.0 takes the first.
    let number = Extension::new(&CrlNumber(vec![8]), false);
    listed(&hierarchy, |list| list.extensions.push(number)).is_rejected_here("cRLNumber more than once");
}

#[test]
fn no_changed_bit_of_a_list_leaves_a_status_known() {
    let hierarchy = Hierarchy::new();
    let scene = Scene::sound(&hierarchy).asking(CheckRevocation::Leaf);
    let list = ForgeCrl::of(&hierarchy.intermediate).with(Entry::new(&[1], Some(CrlReason::Superseded)));
    let encoding = list.sign_der(&hierarchy.intermediate.key);
    for at in 0..encoding.len() * 8 {
        let mut changed = encoding.clone();
        changed[at / 8] ^= 0x80 >> (at % 8);
        let Ok(list) = CertificateRevocationList::from_der(&changed) else { continue };
        assert!(!scene.clone().with(list).judge().is_accepted(), "bit {at}");
    }
    for length in 0..encoding.len() {
        assert!(CertificateRevocationList::from_der(&encoding[..length]).is_err(), "{length}");
    }
}

#[test]
fn signers_that_vouch_for_each_other_end_in_time() {
    let hierarchy = Hierarchy::new();
    // Each list is signed by someone whose status is on the next one's list, round and round.
    let keys: Vec<PrivateKey> = (0..8).map(|_| key()).collect();
    let name = |number: usize| DistinguishedName::common_name_only(&format!("Lists {}", number % keys.len()));
    let points = |number| {
        let crl_issuer = Some(vec![GeneralName::Directory(name(number))]);
        CrlDistributionPoints(vec![DistributionPoint { name: None, reasons: None, crl_issuer }; 100])
    };
    let mut leaf = hierarchy.server(HOST);
    leaf.set(&points(0), false);
    let mut scene = Scene::of(&leaf, &hierarchy);
    let indirect = IssuingDistributionPoint { indirect: true, ..IssuingDistributionPoint::default() };
    for (number, key) in keys.iter().enumerate() {
        let mut signer = list_signer("", key, &hierarchy.root);
        signer.subject = name(number);
        signer.serial = vec![0x31, number as u8];
        signer.set(&points(number + 1), false);
        let signer = Issuer { certificate: signer.sign(&hierarchy.root.key), key: key.clone() };
        scene = scene.beside(&signer.certificate);
        scene = scene.with(ForgeCrl::of(&signer).scoped(&indirect).sign(key));
    }
    scene.lists.remove(0);
    let started = processor_time();
    assert!(!scene.judge().is_accepted());
    let taken = processor_time() - started;
    assert!(taken.as_secs() < 2, "{taken:?} of processor time");
}
