//! OCSP responses (RFC 6960): who may answer, for whom, and for how long; openssl is asked about the same files.

use certkit::encoding::der::{self, tag};
use certkit::encoding::pem;
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::{Check, CheckRevocation, Status, Verdict, Verifier};
use certkit::x509::extension::{CrlReason, ExtendedKeyUsage, OcspNoCheck, SubjectAltName};
use certkit::x509::{Certificate, DistinguishedName, Extension, OcspResponse, oids};
use time::Duration;

use crate::support::forge::{Forge, Hierarchy, Issuer, NOON};
use crate::support::forge_crl::ForgeCrl;
use crate::support::forge_ocsp::{ForgeOcsp, by_key, id, sha256_id};
use crate::support::scene::{HOST, reasons};
use crate::support::{Sandbox, peer};

struct Scene {
    hierarchy: Hierarchy,
    leaf: Certificate,
}

impl Scene {
    fn new() -> Self {
        let hierarchy = Hierarchy::new();
        let leaf = hierarchy.server(HOST).sign(&hierarchy.intermediate.key);
        Self { hierarchy, leaf }
    }

    fn good(&self) -> ForgeOcsp {
        ForgeOcsp::good(&self.leaf, &self.hierarchy.intermediate)
    }

    fn verifier(&self, responses: &[OcspResponse]) -> Verifier {
        let mut verifier = Verifier::new(vec![self.hierarchy.root.certificate.clone()], NOON);
        verifier.intermediates = vec![self.hierarchy.intermediate.certificate.clone()];
        verifier.ocsp_responses = responses.to_vec();
        verifier.check_revocation = CheckRevocation::Leaf;
        verifier
    }

    fn judge(&self, response: &OcspResponse) -> Verdict {
        self.verifier(std::slice::from_ref(response)).judge(&self.leaf)
    }

    /// The verdict on a response of the intermediate after `change`.
    fn said(&self, change: impl FnOnce(&mut ForgeOcsp)) -> Verdict {
        let mut forge = self.good();
        change(&mut forge);
        self.judge(&forge.sign(&self.hierarchy.intermediate.key))
    }

    /// Someone who answers for the intermediate, with a certificate from `issuer` after `change`.
    fn responder(&self, issuer: &Issuer, change: impl FnOnce(&mut Forge)) -> Issuer {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = Forge::server("ocsp.example.com", &key, issuer);
        forge.subject = DistinguishedName::common_name_only("Responder");
        forge.serial = vec![0x77; 8];
        forge.set(&ExtendedKeyUsage(vec![oids::OCSP_SIGNING]), false);
        forge.set(&OcspNoCheck, false);
        forge.remove::<SubjectAltName>();
        change(&mut forge);
        Issuer { certificate: forge.sign(&issuer.key), key }
    }

    /// What openssl says of a response: whether it believes it, and the status; `None` where there is no openssl.
    fn openssl(&self, response: &[u8]) -> Option<(bool, String)> {
        let openssl = peer("openssl")?;
        let sandbox = Sandbox::new();
        let text = |it: &Certificate| pem::write("CERTIFICATE", it.der()).to_string();
        sandbox.write("leaf.pem", text(&self.leaf));
        sandbox.write("ca.pem", text(&self.hierarchy.intermediate.certificate));
        sandbox.write("root.pem", text(&self.hierarchy.root.certificate));
        sandbox.write("response.der", response);
        let at = NOON.unix_timestamp().to_string();
        let ran = sandbox.peer(
            &openssl,
            &[
                "ocsp",
                "-respin",
                "response.der",
                "-issuer",
                "ca.pem",
                "-cert",
                "leaf.pem",
                "-CAfile",
                "root.pem",
                "-verify_other",
                "ca.pem",
                "-attime",
                &at,
                "-validity_period",
                "2000000000",
            ],
        );
        let status =
            ["good", "revoked", "unknown"].into_iter().find(|it| ran.stdout.contains(&format!("leaf.pem: {it}")));
        Some((ran.stderr.contains("Response verify OK"), status.unwrap_or("none").to_owned()))
    }

    #[track_caller]
    fn openssl_believes(&self, forge: &ForgeOcsp, key: &PrivateKey, status: &str) {
        if let Some(said) = self.openssl(&forge.sign_der(key)) {
            assert_eq!(said, (true, status.to_owned()), "openssl");
        }
    }

    #[track_caller]
    fn openssl_doubts(&self, forge: &ForgeOcsp, key: &PrivateKey) {
        if let Some((believed, _)) = self.openssl(&forge.sign_der(key)) {
            assert!(!believed, "openssl believes it");
        }
    }
}

#[track_caller]
fn rejected(verdict: &Verdict, why: &str) {
    assert!(!verdict.is_accepted(), "accepted");
    assert!(reasons(verdict).contains(why), "{}", reasons(verdict));
}

#[track_caller]
fn accepted(verdict: &Verdict) {
    assert!(verdict.is_accepted(), "{}", reasons(verdict));
}

#[test]
fn the_issuer_answers_for_its_certificates() {
    let scene = Scene::new();
    let issuer = &scene.hierarchy.intermediate;
    let verdict = scene.said(|_| ());
    accepted(&verdict);
    let status = &verdict.attempts()[0].revocation[0];
    assert_eq!((status.status, status.source.as_ref().unwrap().kind), (Status::Good, "OCSP response"));
    scene.openssl_believes(&scene.good(), &issuer.key, "good");

    let revoked = ForgeOcsp::revoked(&scene.leaf, issuer);
    let verdict = scene.judge(&revoked.sign(&issuer.key));
    rejected(&verdict, "revoked since 2026-11-21T12:00:00Z (keyCompromise), says the OCSP response of \"CN=Test Inter");
    scene.openssl_believes(&revoked, &issuer.key, "revoked");

    let unknown = ForgeOcsp::unknown(&scene.leaf, issuer);
    rejected(&scene.judge(&unknown.sign(&issuer.key)), "does not know the certificate");
    scene.openssl_believes(&unknown, &issuer.key, "unknown");
}

#[test]
fn a_certificate_is_named_by_digests_of_its_issuer_and_its_number() {
    let scene = Scene::new();
    let issuer = &scene.hierarchy.intermediate;
    accepted(&scene.said(|forge| forge.certificate = sha256_id(&scene.leaf, issuer)));
    let covers_nothing = "no list or response given covers the certificate";
    let other = Hierarchy::new();
    rejected(&scene.said(|forge| forge.certificate = sha256_id(&scene.leaf, &other.intermediate)), covers_nothing);
    let sibling = scene.hierarchy.intermediate.certificate.clone();
    let mut numbered = scene.hierarchy.server(HOST);
    numbered.serial = vec![0x46; 16];
    let numbered = numbered.sign(&issuer.key);
    rejected(&scene.said(|forge| forge.certificate = sha256_id(&numbered, issuer)), covers_nothing);
    rejected(&scene.said(|forge| forge.certificate = sha256_id(&sibling, &scene.hierarchy.root)), covers_nothing);
    let strange = id(&"1.2.3".parse().unwrap(), &scene.leaf, issuer, |_| vec![0; 20]);
    rejected(&scene.said(|forge| forge.certificate = strange), "digests of 1.2.3, which is not known");
}

#[test]
fn a_responder_is_named_by_its_name_or_its_key() {
    let scene = Scene::new();
    accepted(&scene.said(|forge| forge.responder = by_key(&scene.hierarchy.intermediate.certificate)));
    let root = &scene.hierarchy.root.certificate;
    rejected(&scene.said(|forge| forge.responder = by_key(root)), "neither the issuer nor any certificate given");
}

#[test]
fn a_response_that_was_not_signed_by_its_responder_is_not_believed() {
    let scene = Scene::new();
    let stranger = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    rejected(&scene.judge(&scene.good().sign(&stranger)), "was not signed by the responder's key");
    scene.openssl_doubts(&scene.good(), &stranger);
    let sha1 = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1);
    rejected(&scene.said(|forge| forge.claimed_algorithm = Some(sha1)), "is signed over SHA-1");
}

#[test]
fn an_authorised_responder_answers_for_the_issuer() {
    let scene = Scene::new();
    let issuer = &scene.hierarchy.intermediate;
    let responder = scene.responder(issuer, |_| ());
    let forge = scene.good().by(&responder);
    accepted(&scene.judge(&forge.sign(&responder.key)));
    scene.openssl_believes(&forge, &responder.key, "good");
    let by_key = ForgeOcsp { responder: by_key(&responder.certificate), ..forge.clone() };
    accepted(&scene.judge(&by_key.sign(&responder.key)));

    // Its certificate may be given elsewhere, too.
    let alone = ForgeOcsp { certificates: vec![], ..forge };
    rejected(&scene.judge(&alone.sign(&responder.key)), "neither the issuer nor any certificate given");
    let mut verifier = scene.verifier(&[alone.sign(&responder.key)]);
    verifier.intermediates.push(responder.certificate);
    accepted(&verifier.judge(&scene.leaf));
}

#[test]
fn a_responder_needs_a_certificate_for_it_from_the_issuer_itself() {
    let scene = Scene::new();
    let Hierarchy { root, intermediate, .. } = &scene.hierarchy;
    let expired = certkit::x509::time::encode(NOON - Duration::SECOND);
    let unknown = Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() };
    for (responder, why) in [
        (scene.responder(root, |_| ()), "whose certificate is not from the issuer of this one"),
        (scene.responder(intermediate, |it| it.remove::<ExtendedKeyUsage>()), "does not list OCSPSigning"),
        (
            scene.responder(intermediate, |it| it.set(&ExtendedKeyUsage(vec![oids::ANY_EXTENDED_KEY_USAGE]), false)),
            "does not list OCSPSigning",
        ),
        (scene.responder(intermediate, |it| it.validity[1] = expired), "no good: expired on"),
        (scene.responder(intermediate, |it| it.extensions.push(unknown)), "no good: the extension 1.2.3.4"),
    ] {
        let forge = scene.good().by(&responder);
        rejected(&scene.judge(&forge.sign(&responder.key)), why);
        scene.openssl_doubts(&forge, &responder.key);
    }
    // Anybody's certificate with the issuer's name in it.
    let stranger = Hierarchy::new();
    let responder = scene.responder(&stranger.intermediate, |_| ());
    let verdict = scene.judge(&scene.good().by(&responder).sign(&responder.key));
    rejected(&verdict, "whose certificate is not from the issuer of this one");
}

#[test]
fn a_responder_without_nocheck_has_a_status_of_its_own() {
    let scene = Scene::new();
    let issuer = &scene.hierarchy.intermediate;
    let responder = scene.responder(issuer, |it| it.remove::<OcspNoCheck>());
    let response = scene.good().by(&responder).sign(&responder.key);
    let warned =
        |verdict: &Verdict| verdict.attempts()[0].warnings().any(|finding| finding.check == Check::OcspResponderStatus);
    let verdict = scene.judge(&response);
    accepted(&verdict);
    assert!(warned(&verdict));

    let mut verifier = scene.verifier(std::slice::from_ref(&response));
    verifier.revocation_lists = vec![ForgeCrl::of(issuer).sign(&issuer.key)];
    let verdict = verifier.judge(&scene.leaf);
    assert!(verdict.is_accepted() && !warned(&verdict));
    verifier.revocation_lists = vec![ForgeCrl::of(issuer).revoking(&responder.certificate, None).sign(&issuer.key)];
    let verdict = verifier.judge(&scene.leaf);
    // The list settles the leaf's status; what the revoked responder says is worth no more than a word.
    accepted(&verdict);
    assert_eq!(verdict.attempts()[0].revocation[0].source.as_ref().unwrap().kind, "CRL");
    assert!(verdict.attempts()[0].warnings().any(|finding| finding.check == Check::OcspResponse));
}

#[test]
fn a_response_holds_from_this_update_to_next_update() {
    let scene = Scene::new();
    rejected(&scene.said(|it| it.next_update = Some(NOON - Duration::SECOND)), "is out of date since");
    rejected(&scene.said(|it| it.this_update = NOON + Duration::SECOND), "is from after the time of judgment");
    rejected(&scene.said(|it| it.produced_at = NOON + Duration::SECOND), "is from after the time of judgment");
    accepted(&scene.said(|it| (it.this_update, it.next_update) = (NOON, Some(NOON))));
    accepted(&scene.said(|it| it.next_update = None));
    let old = NOON - Duration::hours(25);
    rejected(&scene.said(|it| (it.this_update, it.next_update) = (old, None)), "does not say how long it holds");
}

#[test]
fn unknown_critical_extensions_make_a_response_useless_and_a_nonce_does_not() {
    let scene = Scene::new();
    let unknown = || Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() };
    rejected(&scene.said(|it| it.extensions.push(unknown())), "critical extension 1.2.3.4");
    rejected(&scene.said(|it| it.single_extensions.push(unknown())), "critical extension 1.2.3.4");
    let nonce = |value| Extension { oid: oids::OCSP_NONCE, critical: false, value };
    let verdict = scene.said(|it| it.extensions.push(nonce(der::octet_string(&[7; 32]))));
    accepted(&verdict);
    assert_eq!(verdict.attempts()[0].revocation[0].source.as_ref().unwrap().nonce, Some(vec![7; 32]));
    rejected(&scene.said(|it| it.extensions.push(nonce(der::null()))), "id-pkix-ocsp-nonce extension is malformed");
}

#[test]
fn a_responder_that_declines_settles_nothing() {
    let scene = Scene::new();
    for (code, name) in
        [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired"), (6, "unauthorized")]
    {
        rejected(&scene.said(|it| it.response_status = code), name);
    }
    let undefined = ForgeOcsp { response_status: 4, ..scene.good() };
    assert!(OcspResponse::from_der(&undefined.sign_der(&scene.hierarchy.leaf_key)).is_err());
}

#[test]
fn revoked_outweighs_good_whoever_says_it() {
    let scene = Scene::new();
    let issuer = &scene.hierarchy.intermediate;
    let good = scene.good().sign(&issuer.key);
    let revoked = ForgeOcsp::revoked(&scene.leaf, issuer).sign(&issuer.key);
    for responses in [[good.clone(), revoked.clone()], [revoked, good.clone()]] {
        rejected(&scene.verifier(&responses).judge(&scene.leaf), "the certificate is revoked");
    }
    let mut verifier = scene.verifier(std::slice::from_ref(&good));
    let list = ForgeCrl::of(issuer).revoking(&scene.leaf, Some(CrlReason::Superseded));
    verifier.revocation_lists = vec![list.sign(&issuer.key)];
    rejected(&verifier.judge(&scene.leaf), "(superseded), says the CRL");
    // A list that cannot be relied on does not outweigh a response that can.
    verifier.revocation_lists = vec![list.sign(&scene.hierarchy.leaf_key)];
    accepted(&verifier.judge(&scene.leaf));
}

#[test]
fn a_response_for_the_leaf_says_nothing_about_the_chain() {
    let scene = Scene::new();
    let mut verifier = scene.verifier(&[scene.good().sign(&scene.hierarchy.intermediate.key)]);
    verifier.check_revocation = CheckRevocation::Chain;
    rejected(&verifier.judge(&scene.leaf), "no list or response given covers the certificate");
    let root = &scene.hierarchy.root;
    verifier.ocsp_responses.push(ForgeOcsp::good(&scene.hierarchy.intermediate.certificate, root).sign(&root.key));
    accepted(&verifier.judge(&scene.leaf));
}

#[test]
fn malformed_responses_do_not_parse() {
    let scene = Scene::new();
    let encoding = scene.good().sign_der(&scene.hierarchy.intermediate.key);
    assert!(OcspResponse::from_der(&encoding).is_ok());
    for length in 0..encoding.len() {
        assert!(OcspResponse::from_der(&encoding[..length]).is_err(), "{length}");
    }
    assert!(OcspResponse::from_der(&[encoding, vec![0]].concat()).is_err());
    let success_without_bytes = der::sequence(&[&der::tlv(tag::ENUMERATED, &[0])]);
    assert!(OcspResponse::from_der(&success_without_bytes).is_err());
}

#[test]
fn no_changed_bit_of_a_response_leaves_a_status_known() {
    let scene = Scene::new();
    let encoding = scene.good().sign_der(&scene.hierarchy.intermediate.key);
    for at in 0..encoding.len() * 8 {
        let mut changed = encoding.clone();
        changed[at / 8] ^= 0x80 >> (at % 8);
        let Ok(response) = OcspResponse::from_der(&changed) else { continue };
        assert!(!scene.judge(&response).is_accepted(), "bit {at}");
    }
}
