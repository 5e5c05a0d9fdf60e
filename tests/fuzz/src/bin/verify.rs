//! Any certificates whatever are judged, and soon: the first part of the input chooses the question, the second is the
//! judged certificate, the others are anchors and intermediates.

#![no_main]

use certkit::verify::{Identity, Policy, Purpose, Verifier};
use certkit::x509::Certificate;
use certkit_fuzz::hierarchy::{HOST, Hierarchy, NOW, with_everything};
use certkit_fuzz::{join, parts, plant, target};

target!(init: plant(seeds()), |data: &[u8]| {
    let parts = parts(data);
    let [question, leaf, others @ ..] = parts.as_slice() else { return };
    let Ok(leaf) = Certificate::from_der(leaf) else { return };
    let &[bits, anchors, ..] = *question else { return };
    let mut verifier = Verifier::new(Vec::new(), NOW);
    for (at, other) in others.iter().enumerate() {
        let Ok(certificate) = Certificate::from_der(other) else { continue };
        let anchor = anchors & 1 << (at % 8) != 0;
        let list = if anchor { &mut verifier.anchors } else { &mut verifier.intermediates };
        list.push(certificate);
    }
    verifier.policy = Policy::ALL[usize::from(bits) % 3];
    verifier.purpose = if bits & 0x10 == 0 { Purpose::Server } else { Purpose::Any };
    if bits & 0x20 == 0 {
        verifier.identities.push(Identity::Server(HOST.parse().unwrap()));
    }
    let verdict = verifier.judge(&leaf);
    assert!(!verdict.attempts().is_empty(), "a verdict tells of an attempt");
    match verdict.accepted_path() {
        Some(path) => {
            assert!(verdict.is_accepted() && verdict.reasons().is_empty());
            assert_eq!(path.first(), Some(&leaf));
            assert!(verifier.anchors.contains(path.last().unwrap()));
            for pair in path.windows(2) {
                assert!(pair[0].issuer().matches(pair[1].subject()), "names chain");
                pair[0].verify_signature(&pair[1].public_key().unwrap()).unwrap();
                assert!(pair[1].claims_ca(), "issuers are authorities");
            }
        }
        None => assert!(!verdict.reasons().is_empty(), "a refusal has a reason"),
    }
    for reason in verdict.attempts().iter().flat_map(|attempt| &attempt.findings).filter_map(|finding| finding.reason())
    {
        assert!(!reason.to_string().is_empty());
    }
});

fn seeds() -> Vec<Vec<u8>> {
    let Hierarchy { root, intermediate, leaf } = Hierarchy::usual();
    let everything = with_everything();
    vec![
        join([&[0, 0b10][..], &leaf, &intermediate, &root]),
        join([&[2, 0b01][..], &leaf, &root, &intermediate, &everything]),
        join([&[1, 0][..], &leaf, &intermediate, &intermediate, &root, &leaf]),
        join([&[0x31, 1][..], &everything, &everything]),
    ]
}
