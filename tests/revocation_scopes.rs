//! Distribution points, kinds of certificates, reasons and indirect lists (RFC 5280 §6.3.3 (b), (d), (f)), in the order of
//! NIST PKITS section 4.14; openssl is asked about the same files.

use certkit::encoding::der::{self, tag};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::verify::CheckRevocation;
use certkit::x509::extension::{
    BasicConstraints, CrlDistributionPoints, CrlReason, DistributionPoint, DistributionPointName,
    IssuingDistributionPoint, KeyUsage, KeyUsageBit,
};
use certkit::x509::{Certificate, DistinguishedName, ExtensionType, GeneralName, oids};

use crate::support::forge::{Forge, Hierarchy, Issuer};
use crate::support::forge_crl::{Entry, ForgeCrl};
use crate::support::scene::{HOST, Scene, at, list_signer, place, reasons};

/// Bits of ReasonFlags: keyCompromise; cACompromise; all others.
const KEY: u16 = 0x4000;
const CA: u16 = 0x2000;
const OTHERS: u16 = 0x1f80;

fn scope(name: DistributionPointName) -> IssuingDistributionPoint {
    IssuingDistributionPoint { name: Some(name), ..IssuingDistributionPoint::default() }
}

fn some_reasons(reasons: u16) -> IssuingDistributionPoint {
    IssuingDistributionPoint { only_some_reasons: Some(reasons), ..IssuingDistributionPoint::default() }
}

/// The content of a level with this organizationalUnitName.
fn level(unit: &str) -> Vec<u8> {
    let value = der::tlv(tag::UTF8_STRING, unit.as_bytes());
    der::sequence(&[&der::oid(&oids::ORGANIZATIONAL_UNIT), &value])
}

/// The name of the intermediate and below it this unit.
fn below_intermediate(unit: &str) -> DistributionPointName {
    let name = DistinguishedName::common_name_only("Test Intermediate");
    let levels = der::only(name.der()).unwrap().value.to_vec();
    let whole = der::tlv(tag::SEQUENCE, &[levels, der::tlv(tag::SET, &level(unit))].concat());
    DistributionPointName::Full(vec![GeneralName::Directory(DistinguishedName::from_der(&whole).unwrap())])
}

/// A leaf with these distribution points, and the intermediate's list of this scope.
fn pointed(hierarchy: &Hierarchy, points: Option<CrlDistributionPoints>, scope: &IssuingDistributionPoint) -> Scene {
    let mut leaf = hierarchy.server(HOST);
    points.iter().for_each(|points| leaf.set(points, false));
    let list = ForgeCrl::of(&hierarchy.intermediate).scoped(scope).sign(&hierarchy.intermediate.key);
    Scene::of(&leaf, hierarchy).with(list)
}

const UNKNOWN: &str = "no list or response given covers the certificate";

#[test]
fn a_list_of_a_distribution_point_covers_the_certificates_that_name_it() {
    let hierarchy = Hierarchy::new();
    let named = |host: &str| Some(at(place(host)));
    pointed(&hierarchy, named("a.test"), &scope(place("a.test"))).is_accepted();
    pointed(&hierarchy, named("a.test"), &scope(place("b.test"))).is_rejected(UNKNOWN);
    pointed(&hierarchy, None, &scope(place("a.test"))).is_rejected(UNKNOWN);
    pointed(&hierarchy, named("a.test"), &IssuingDistributionPoint { only_user_certs: true, ..Default::default() })
        .is_accepted();
    // Host names have no case; OpenSSL compares letter by letter.
    pointed(&hierarchy, named("A.test"), &scope(place("a.test"))).is_accepted_here_only("different CRL scope");
}

#[test]
fn a_revoked_certificate_is_found_through_its_distribution_point() {
    let hierarchy = Hierarchy::new();
    let mut leaf = hierarchy.server(HOST);
    leaf.set(&at(place("a.test")), false);
    let scene = Scene::of(&leaf, &hierarchy);
    let list = ForgeCrl::of(&hierarchy.intermediate).scoped(&scope(place("a.test"))).revoking(&scene.leaf, None);
    scene.with(list.sign(&hierarchy.intermediate.key)).is_rejected("the certificate is revoked");
}

#[test]
fn a_name_relative_to_the_issuer_stands_for_the_whole_name() {
    let hierarchy = Hierarchy::new();
    let relative = |unit: &str| DistributionPointName::RelativeToIssuer(level(unit));
    let whole = || below_intermediate("lists");
    pointed(&hierarchy, Some(at(relative("lists"))), &scope(relative("lists"))).is_accepted();
    pointed(&hierarchy, Some(at(relative("lists"))), &scope(whole())).is_accepted();
    pointed(&hierarchy, Some(at(whole())), &scope(relative("lists"))).is_accepted();
    pointed(&hierarchy, Some(at(relative("lists"))), &scope(relative("other"))).is_rejected(UNKNOWN);
    pointed(&hierarchy, Some(at(relative("lists"))), &scope(below_intermediate("other"))).is_rejected(UNKNOWN);
}

#[test]
fn a_list_without_a_distribution_point_covers_certificates_that_name_one() {
    let hierarchy = Hierarchy::new();
    let mut leaf = hierarchy.server(HOST);
    leaf.set(&at(place("a.test")), false);
    let list = ForgeCrl::of(&hierarchy.intermediate).sign(&hierarchy.intermediate.key);
    Scene::of(&leaf, &hierarchy).with(list).is_accepted();
}

#[test]
fn a_list_of_one_kind_of_certificates_says_nothing_about_another() {
    let hierarchy = Hierarchy::new();
    let users = IssuingDistributionPoint { only_user_certs: true, ..Default::default() };
    let cas = IssuingDistributionPoint { only_ca_certs: true, ..Default::default() };
    let attributes = IssuingDistributionPoint { only_attribute_certs: true, ..Default::default() };
    pointed(&hierarchy, None, &users).is_accepted();
    pointed(&hierarchy, None, &cas).is_rejected(UNKNOWN);
    pointed(&hierarchy, None, &attributes).is_rejected(UNKNOWN);
    // The same lists from the root, about the intermediate.
    for (kind, accepted) in [(users, false), (cas, true), (attributes, false)] {
        let mut scene = Scene::sound(&hierarchy);
        scene.lists[0] = ForgeCrl::of(&hierarchy.root).scoped(&kind).sign(&hierarchy.root.key);
        let scene = scene.with(ForgeCrl::of(&hierarchy.intermediate).sign(&hierarchy.intermediate.key));
        if accepted { scene.is_accepted() } else { scene.is_rejected(UNKNOWN) }
    }
}

#[test]
fn a_status_is_known_when_every_reason_is_covered() {
    let hierarchy = Hierarchy::new();
    let list = |reasons| {
        ForgeCrl::of(&hierarchy.intermediate).scoped(&some_reasons(reasons)).sign(&hierarchy.intermediate.key)
    };
    let sound = || Scene::sound(&hierarchy);
    sound().with(list(KEY)).with(list(CA)).with(list(OTHERS)).is_accepted();
    sound().with(list(KEY | CA)).with(list(OTHERS)).is_accepted();
    sound().with(list(KEY | CA)).with(list(OTHERS | CA)).is_accepted();
    let partial = sound().with(list(KEY)).with(list(OTHERS));
    partial.is_rejected("no list given covers revocation for cACompromise");
    let verdict = partial.asking(CheckRevocation::Given).judge();
    assert!(verdict.is_accepted(), "{}", reasons(&verdict));
}

#[test]
fn a_certificate_revoked_for_any_of_the_reasons_is_revoked() {
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy);
    for (first, second) in [(true, false), (false, true)] {
        let list = |reasons, reason, revokes: bool| {
            let list = ForgeCrl::of(&hierarchy.intermediate).scoped(&some_reasons(reasons));
            let list = if revokes { list.revoking(&leaf.leaf, Some(reason)) } else { list };
            list.sign(&hierarchy.intermediate.key)
        };
        leaf.clone()
            .with(list(KEY | CA, CrlReason::KeyCompromise, first))
            .with(list(OTHERS, CrlReason::Superseded, second))
            .is_rejected("the certificate is revoked");
    }
}

#[test]
fn reasons_of_distribution_points_count_with_those_of_the_lists() {
    let hierarchy = Hierarchy::new();
    let point =
        |host: &str, reasons| DistributionPoint { name: Some(place(host)), reasons: Some(reasons), crl_issuer: None };
    let mut leaf = hierarchy.server(HOST);
    leaf.set(&CrlDistributionPoints(vec![point("a.test", KEY | CA), point("b.test", OTHERS)]), false);
    let list = |host: &str, reasons| {
        let scope = IssuingDistributionPoint { only_some_reasons: Some(reasons), ..scope(place(host)) };
        ForgeCrl::of(&hierarchy.intermediate).scoped(&scope).sign(&hierarchy.intermediate.key)
    };
    let sound = || Scene::of(&leaf, &hierarchy);
    sound().with(list("a.test", KEY | CA)).with(list("b.test", OTHERS)).is_accepted();
    // The first list covers CA, too, but is not asked for it through its point.
    sound().with(list("a.test", KEY | OTHERS)).with(list("b.test", OTHERS)).is_rejected("cACompromise");
}

/// Someone who issues lists for others: a certificate under the root, and its key.
fn list_issuer(hierarchy: &Hierarchy, name: &str) -> Issuer {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    Issuer { certificate: list_signer(name, &key, &hierarchy.root).sign(&hierarchy.root.key), key }
}

fn indirect() -> IssuingDistributionPoint {
    IssuingDistributionPoint { indirect: true, ..IssuingDistributionPoint::default() }
}

fn directory(certificate: &Certificate) -> Option<Vec<GeneralName>> {
    Some(vec![GeneralName::Directory(certificate.subject().clone())])
}

/// A leaf whose lists are issued by `issuer`.
fn delegated(hierarchy: &Hierarchy, issuer: &Issuer, name: Option<DistributionPointName>) -> Forge {
    let mut leaf = hierarchy.server(HOST);
    let point = DistributionPoint { name, reasons: None, crl_issuer: directory(&issuer.certificate) };
    leaf.set(&CrlDistributionPoints(vec![point]), false);
    leaf
}

#[test]
fn an_indirect_list_answers_where_the_certificate_names_its_issuer() {
    let hierarchy = Hierarchy::new();
    let issuer = list_issuer(&hierarchy, "Lists");
    let leaf = delegated(&hierarchy, &issuer, None);
    let scene = Scene::of(&leaf, &hierarchy).beside(&issuer.certificate);
    let list = ForgeCrl::of(&issuer).scoped(&indirect());
    scene.clone().with(list.sign(&issuer.key)).is_accepted();

    let own = hierarchy.intermediate.certificate.subject();
    let entry = Entry::new(scene.leaf.serial().content(), None);
    let revoking = list.clone().with(entry.clone().issued_by(own));
    scene.clone().with(revoking.sign(&issuer.key)).is_rejected("the certificate is revoked");
    // The same serial number of the list's own issuer, or of another one.
    scene.clone().with(list.clone().with(entry.clone()).sign(&issuer.key)).is_accepted();
    let other = DistinguishedName::common_name_only("Another CA");
    scene.clone().with(list.clone().with(entry.clone().issued_by(&other)).sign(&issuer.key)).is_accepted();
    // An issuer holds for the entries after it.
    let after = list.with(Entry::new(&[1], None).issued_by(own)).with(entry);
    scene.with(after.sign(&issuer.key)).is_rejected("the certificate is revoked");
}

#[test]
fn a_list_of_another_issuer_that_does_not_say_it_is_indirect_answers_nothing() {
    let hierarchy = Hierarchy::new();
    let issuer = list_issuer(&hierarchy, "Lists");
    let scene = Scene::of(&delegated(&hierarchy, &issuer, None), &hierarchy).beside(&issuer.certificate);
    scene.with(ForgeCrl::of(&issuer).sign(&issuer.key)).is_rejected(UNKNOWN);
    // And one that does answers nothing for a certificate that does not name its issuer.
    let scene = Scene::sound(&hierarchy).beside(&issuer.certificate);
    scene.with(ForgeCrl::of(&issuer).scoped(&indirect()).sign(&issuer.key)).is_rejected(UNKNOWN);
}

#[test]
fn an_issuer_may_keep_the_revoked_of_others_in_its_own_list() {
    let hierarchy = Hierarchy::new();
    let scene = Scene::sound(&hierarchy);
    let entry = Entry::new(scene.leaf.serial().content(), None);
    let list = ForgeCrl::of(&hierarchy.intermediate).scoped(&indirect());
    let other = DistinguishedName::common_name_only("Another CA");
    let key = &hierarchy.intermediate.key;
    scene.clone().with(list.clone().with(entry.clone().issued_by(&other)).sign(key)).is_accepted();
    scene.with(list.with(entry).sign(key)).is_rejected("the certificate is revoked");
}

#[test]
fn the_distribution_point_of_an_indirect_list_is_matched_with_its_issuers_name() {
    let hierarchy = Hierarchy::new();
    let issuer = list_issuer(&hierarchy, "Lists");
    let own_name = DistributionPointName::Full(directory(&issuer.certificate).unwrap());
    let scoped = |name| IssuingDistributionPoint { name: Some(name), ..indirect() };
    let scene = |name| Scene::of(&delegated(&hierarchy, &issuer, name), &hierarchy).beside(&issuer.certificate);
    let list = |name| ForgeCrl::of(&issuer).scoped(&scoped(name)).sign(&issuer.key);
    scene(None).with(list(own_name)).is_accepted();
    let relative = || DistributionPointName::RelativeToIssuer(level("shard"));
    scene(Some(relative())).with(list(relative())).is_accepted();
    scene(Some(relative())).with(list(place("a.test"))).is_rejected(UNKNOWN);
    // To OpenSSL a point without a name matches every list.
    scene(None).with(list(place("a.test"))).is_rejected_here_only(UNKNOWN);
}

#[test]
fn the_issuer_of_an_indirect_list_must_have_a_certificate_that_leads_to_the_root() {
    let hierarchy = Hierarchy::new();
    let issuer = list_issuer(&hierarchy, "Lists");
    let list = ForgeCrl::of(&issuer).scoped(&indirect()).sign(&issuer.key);
    let scene = Scene::of(&delegated(&hierarchy, &issuer, None), &hierarchy).with(list);
    scene.is_rejected("no certificate has its issuer's name");
    let mut revoked = scene.beside(&issuer.certificate);
    revoked.lists[0] = ForgeCrl::of(&hierarchy.root).revoking(&issuer.certificate, None).sign(&hierarchy.root.key);
    // OpenSSL does not ask about the certificates of issuers of lists.
    revoked.is_rejected_here("a certificate that is revoked itself");
}

#[test]
fn an_issuer_of_lists_may_speak_for_itself() {
    let hierarchy = Hierarchy::new();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut signer = list_signer("Lists", &key, &hierarchy.intermediate);
    let own = Some(vec![GeneralName::Directory(signer.subject.clone())]);
    let points = CrlDistributionPoints(vec![DistributionPoint { name: None, reasons: None, crl_issuer: own }]);
    signer.set(&points, false);
    let issuer = Issuer { certificate: signer.sign(&hierarchy.intermediate.key), key };
    let list = ForgeCrl::of(&issuer).scoped(&indirect());
    let scene = Scene::of(&delegated(&hierarchy, &issuer, None), &hierarchy).beside(&issuer.certificate);
    // OpenSSL goes in circles here, and so rejects what PKITS 4.14.30 accepts.
    scene.clone().with(list.sign(&issuer.key)).is_accepted_here_only("CRL path validation error");
    let name = hierarchy.intermediate.certificate.subject();
    let entry = Entry::new(scene.leaf.serial().content(), None).issued_by(name);
    scene.with(list.with(entry).sign(&issuer.key)).is_rejected("the certificate is revoked");
}

#[test]
fn several_distribution_points_are_tried_in_turn() {
    let hierarchy = Hierarchy::new();
    let issuer = list_issuer(&hierarchy, "Lists");
    let mut leaf = hierarchy.server(HOST);
    let theirs = DistributionPoint { name: None, reasons: Some(KEY), crl_issuer: directory(&issuer.certificate) };
    let ours = DistributionPoint { name: Some(place("a.test")), reasons: None, crl_issuer: None };
    leaf.set(&CrlDistributionPoints(vec![theirs, ours]), false);
    let scene = Scene::of(&leaf, &hierarchy).beside(&issuer.certificate);
    let scene = scene.with(ForgeCrl::of(&issuer).scoped(&indirect()).sign(&issuer.key));
    scene.is_rejected("no list given covers revocation for cACompromise");
    let own = ForgeCrl::of(&hierarchy.intermediate).scoped(&scope(place("a.test")));
    scene.clone().with(own.sign(&hierarchy.intermediate.key)).is_accepted();
    let own = own.revoking(&scene.leaf, None);
    scene.with(own.sign(&hierarchy.intermediate.key)).is_rejected("the certificate is revoked");
}

#[test]
fn the_signer_of_lists_of_a_self_issued_certificate_is_found() {
    let hierarchy = Hierarchy::new();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    // The intermediate's name and a new key, certified with the old one.
    let mut rollover = Forge::intermediate("Test Intermediate", &key, &hierarchy.intermediate);
    rollover.set(&BasicConstraints { ca: true, path_len: None }, true);
    rollover.set(&KeyUsage::new(&[KeyUsageBit::CrlSign, KeyUsageBit::KeyCertSign]), true);
    rollover.serial = vec![0x21; 9];
    let rollover = Issuer { certificate: rollover.sign(&hierarchy.intermediate.key), key };
    let scene = Scene::sound(&hierarchy).beside(&rollover.certificate);
    // OpenSSL goes in circles here, too.
    let list = ForgeCrl::of(&rollover).sign(&rollover.key);
    scene.clone().with(list).is_accepted_here_only("CRL path validation error");
    let revoking = ForgeCrl::of(&rollover).revoking(&scene.leaf, None);
    scene.with(revoking.sign(&rollover.key)).is_rejected("the certificate is revoked");
}

#[test]
fn a_malformed_scope_makes_a_list_useless() {
    let hierarchy = Hierarchy::new();
    let mut list = ForgeCrl::of(&hierarchy.intermediate).scoped(&indirect());
    let broken = list.extensions.iter_mut().find(|it| it.oid == IssuingDistributionPoint::OID).unwrap();
    broken.value = vec![0x30, 0x03, 0x84, 0x01, 0x00];
    let scene = Scene::sound(&hierarchy).with(list.sign(&hierarchy.intermediate.key));
    scene.is_rejected_here("is damaged: the issuingDistributionPoint extension is malformed");
}

#[test]
fn distribution_points_may_be_critical() {
    let hierarchy = Hierarchy::new();
    let mut leaf = hierarchy.server(HOST);
    leaf.set(&at(place("a.test")), true);
    let list = ForgeCrl::of(&hierarchy.intermediate).scoped(&scope(place("a.test")));
    Scene::of(&leaf, &hierarchy).with(list.sign(&hierarchy.intermediate.key)).is_accepted();
}
