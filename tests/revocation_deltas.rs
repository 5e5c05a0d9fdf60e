//! Lists of changes (RFC 5280 §5.2.4, §6.3.3 (a), (c), (h) to (k)), in the order of NIST PKITS section 4.15; openssl is
//! asked about the same files.

use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::verify::Check;
use certkit::x509::extension::{
    AuthorityKeyIdentifier, CrlReason, DistributionPoint, FreshestCrl, IssuingDistributionPoint,
};

use crate::support::forge::Hierarchy;
use crate::support::forge_crl::ForgeCrl;
use crate::support::scene::{Scene, place};

/// The complete list, number 7, that says where its changes are to be had.
fn complete(hierarchy: &Hierarchy) -> ForgeCrl {
    let mut list = ForgeCrl::of(&hierarchy.intermediate);
    let point = DistributionPoint { name: Some(place("changes.test")), ..DistributionPoint::default() };
    list.set(&FreshestCrl(vec![point]), false);
    list
}

/// Changes since list number 5 up to number 9.
fn changes(hierarchy: &Hierarchy) -> ForgeCrl {
    ForgeCrl::of(&hierarchy.intermediate).numbered(9).since(5)
}

fn scene(hierarchy: &Hierarchy, lists: &[&ForgeCrl]) -> Scene {
    let signed = lists.iter().map(|list| list.sign(&hierarchy.intermediate.key));
    signed.fold(Scene::sound(hierarchy), Scene::with)
}

#[test]
fn changes_without_their_base_settle_nothing() {
    let hierarchy = Hierarchy::new();
    scene(&hierarchy, &[&changes(&hierarchy)]).is_rejected("has only changes since list number 0x05");
}

#[test]
fn changes_revoke_put_on_hold_and_take_off_the_list() {
    use CrlReason::{CertificateHold, KeyCompromise, RemoveFromCrl};
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy).leaf;
    let mut table = vec![
        (None, None, None),
        (Some(KeyCompromise), None, Some("revoked")),
        (None, Some(KeyCompromise), Some("revoked")),
        (Some(CertificateHold), Some(RemoveFromCrl), None),
        (Some(CertificateHold), Some(KeyCompromise), Some("(keyCompromise)")),
        (None, Some(RemoveFromCrl), None),
        (None, Some(CertificateHold), Some("on hold")),
    ];
    for (base, change, told) in table.drain(..) {
        let mut lists = [complete(&hierarchy), changes(&hierarchy)];
        for (list, reason) in lists.iter_mut().zip([base, change]) {
            if reason.is_some() {
                *list = list.clone().revoking(&leaf, reason);
            }
        }
        let mut scene = scene(&hierarchy, &[&lists[0], &lists[1]]);
        scene.leaf = leaf.clone();
        told.map_or_else(|| scene.is_accepted(), |why| scene.is_rejected(why));
    }
}

#[test]
fn changes_are_for_bases_from_the_one_they_count_from_to_the_one_before_them() {
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy).leaf;
    for (number, applies) in [(4, false), (5, true), (8, true), (9, false), (10, false)] {
        let base = complete(&hierarchy).numbered(number);
        let mut scene = scene(&hierarchy, &[&base, &changes(&hierarchy).revoking(&leaf, None)]);
        scene.leaf = leaf.clone();
        assert_eq!(!scene.judge().is_accepted(), applies, "base {number}");
    }
}

#[test]
fn a_base_that_is_out_of_date_will_do_with_changes_that_are_not() {
    let hierarchy = Hierarchy::new();
    let old = complete(&hierarchy).dated(-9, -1);
    scene(&hierarchy, &[&old]).is_rejected("is out of date");
    let fresh = scene(&hierarchy, &[&old, &changes(&hierarchy)]);
    fresh.is_accepted();
    let source = fresh.judge().attempts()[0].revocation[0].source.clone().unwrap();
    assert_eq!(source.kind, "delta CRL");
    scene(&hierarchy, &[&old, &changes(&hierarchy).dated(-5, -1)]).is_rejected("is out of date");
    // Changes that do not fit do not help.
    scene(&hierarchy, &[&old, &changes(&hierarchy).since(8)]).is_rejected("is out of date");
}

#[test]
fn changes_that_are_out_of_date_are_named_and_left_aside() {
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy).leaf;
    let stale = changes(&hierarchy).dated(-5, -1).revoking(&leaf, None);
    let mut scene = scene(&hierarchy, &[&complete(&hierarchy), &stale]);
    scene.leaf = leaf;
    let verdict = scene.judge();
    let told = verdict.attempts()[0].findings.iter().find(|finding| finding.check == Check::RevocationList);
    assert!(told.unwrap().reason().unwrap().to_string().contains("is out of date"));
    assert!(verdict.is_accepted() && !told.unwrap().is_failure());
}

#[test]
fn changes_have_the_scope_and_the_key_of_their_base() {
    let hierarchy = Hierarchy::new();
    let leaf = Scene::sound(&hierarchy).leaf;
    let users = IssuingDistributionPoint { only_user_certs: true, ..IssuingDistributionPoint::default() };
    let revoking = changes(&hierarchy).revoking(&leaf, None);
    let judged = |base: &ForgeCrl, change: &ForgeCrl| {
        let mut scene = scene(&hierarchy, &[base, change]);
        scene.leaf = leaf.clone();
        scene.judge().is_accepted()
    };
    let (base, scoped) = (complete(&hierarchy), complete(&hierarchy).scoped(&users));
    assert!(!judged(&base, &revoking));
    assert!(!judged(&scoped, &revoking.clone().scoped(&users)));
    assert!(judged(&scoped, &revoking));
    assert!(judged(&base, &revoking.clone().scoped(&users)));
    let mut other_key = revoking.clone();
    other_key.set(&AuthorityKeyIdentifier { key_identifier: Some(vec![1; 20]), ..Default::default() }, false);
    assert!(judged(&base, &other_key));
}

#[test]
fn changes_signed_with_another_key_are_refused() {
    let hierarchy = Hierarchy::new();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let scene = scene(&hierarchy, &[&complete(&hierarchy)]).with(changes(&hierarchy).sign(&key));
    let verdict = scene.judge();
    let told = verdict.attempts()[0].findings.iter().find(|finding| finding.check == Check::RevocationList);
    assert!(told.unwrap().reason().unwrap().to_string().contains("was not signed by any key"));
    assert!(verdict.is_accepted() && !told.unwrap().is_failure());
}
