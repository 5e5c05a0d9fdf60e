#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::encoding::Oid;
use crate::encoding::der::{self, tag};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::extension::{KeyUsageBit, SubjectAltName, SubjectKeyIdentifier, TlsFeature};
use crate::x509::{DistinguishedName, Extension, GeneralName};

/// A request as anybody could write it, signed with its key (RFC 2986 §4).
fn request(subject: &str, extensions: &[Extension]) -> CertificationRequest {
    CertificationRequest::from_der(&encoded(subject, extensions)).unwrap()
}

fn encoded(subject: &str, extensions: &[Extension]) -> Vec<u8> {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let subject: DistinguishedName = subject.parse().unwrap();
    let list: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let asked =
        der::sequence(&[&der::oid(&oids::EXTENSION_REQUEST), &der::tlv(tag::SET, &der::tlv(tag::SEQUENCE, &list))]);
    let challenge_password: Oid = "1.2.840.113549.1.9.7".parse().unwrap();
    let challenge =
        der::sequence(&[&der::oid(&challenge_password), &der::tlv(tag::SET, &der::tlv(tag::UTF8_STRING, b"sesame"))]);
    let attributes = if list.is_empty() { challenge } else { [asked, challenge].concat() };
    let info = der::sequence(&[
        &der::unsigned(&[0]),
        subject.der(),
        key.public_key().spki_der(),
        &der::tlv(tag::context_constructed(0), &attributes),
    ]);
    let algorithm = key.signature_algorithm();
    let signature = key.sign(algorithm, &info).unwrap();
    der::sequence(&[&info, &algorithm.to_algorithm_identifier(), &der::bit_string(&signature)])
}

fn names(list: &[GeneralName]) -> Extension {
    Extension::new(&SubjectAltName(list.to_vec()), false)
}

fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.into())
}

fn purposes(list: &[Oid]) -> Extension {
    Extension::new(&ExtendedKeyUsage(list.to_vec()), false)
}

fn judge(profile: &str, subject: &str, extensions: &[Extension]) -> Result<Petition, Refusal> {
    read(&request(subject, extensions), &Profile::built_in(profile).unwrap(), &[])
}

fn shown(petition: &Petition) -> Vec<String> {
    petition.request.names.iter().map(ToString::to_string).collect()
}

#[test]
fn names_the_profile_allows_are_taken_and_others_are_said() {
    let asked = names(&[dns("A.test"), GeneralName::Email("x@y.test".into()), GeneralName::Ip(vec![127, 0, 0, 1])]);
    let petition = judge("server", "CN=app.test,O=Acme", &[asked]).unwrap();
    assert_eq!(shown(&petition), ["dns:app.test", "dns:a.test", "ip:127.0.0.1"]);
    assert_eq!(petition.request.subject.to_string(), "CN=app.test");
    for left_out in ["name email:x@y.test", "subject organizationName=Acme", "attribute challengePassword"] {
        assert!(petition.left_out.iter().any(|said| said == left_out), "{left_out}: {:?}", petition.left_out);
    }
}

#[test]
fn what_the_profile_requires_of_a_subject_is_taken_and_nothing_else() {
    let mut profile = Profile::built_in("server").unwrap();
    profile.limits.required_subject = vec![oids::ORGANIZATION, oids::COUNTRY];
    let asked = request("CN=app.test,OU=Secret,O=Second,O=Acme,C=NO", &[]);
    let petition = read(&asked, &profile, &[]).unwrap();
    assert_eq!(petition.request.subject.to_string(), "CN=app.test,O=Acme,C=NO");
    for left_out in ["subject organizationalUnitName=Secret", "subject organizationName=Second"] {
        assert!(petition.left_out.iter().any(|said| said == left_out), "{left_out}: {:?}", petition.left_out);
    }
    assert_eq!(shown(&petition), ["dns:app.test"]);
}

#[test]
fn a_request_to_become_an_authority_is_refused() {
    let authority = Extension::new(&BasicConstraints { ca: true, path_len: None }, true);
    assert_eq!(judge("server", "CN=app.test", &[authority]).unwrap_err(), Refusal::Authority);
    let end_entity = Extension::new(&BasicConstraints { ca: false, path_len: None }, true);
    assert!(judge("server", "CN=app.test", &[end_entity]).is_ok());
}

#[test]
fn usages_beyond_the_profile_are_left_out() {
    let usage = Extension::new(&KeyUsage::new(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign]), true);
    let feature = Extension::new(&TlsFeature(vec![5]), false);
    let identifier = Extension::new(&SubjectKeyIdentifier(vec![1]), false);
    let unknown = Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() };
    let petition = judge("server", "CN=app.test", &[usage, feature, identifier, unknown]).unwrap();
    let left_out = ["keyUsage keyCertSign", "extension tlsfeature", "extension 1.2.3.4", "attribute challengePassword"];
    assert_eq!(
        petition.left_out.iter().map(|said| said.to_lowercase()).collect::<Vec<_>>(),
        left_out.map(str::to_lowercase)
    );
}

#[test]
fn purposes_narrow_the_profile_and_never_widen_it() {
    let taken = |profile: &str, asked: &[Oid]| {
        judge(profile, "CN=app.test", &[purposes(asked)]).map(|petition| petition.profile.extended_key_usage)
    };
    let (server, client, code) = (oids::SERVER_AUTH, oids::CLIENT_AUTH, oids::CODE_SIGNING);
    assert_eq!(taken("peer", std::slice::from_ref(&client)).unwrap(), std::slice::from_ref(&client));
    assert_eq!(taken("server", &[client.clone(), server.clone(), code.clone()]).unwrap(), [server]);
    for asked in [client, code, oids::ANY_EXTENDED_KEY_USAGE] {
        assert!(matches!(taken("server", &[asked]), Err(Refusal::Purposes { .. })));
    }
    let whole = judge("peer", "CN=app.test", &[]).unwrap().profile;
    assert_eq!(whole, Profile::built_in("peer").unwrap());
}

#[test]
fn a_changed_request_proves_nothing() {
    let whole = encoded("CN=app.test", &[names(&[dns("a.test")])]);
    let at = whole.windows(6).position(|window| window == b"a.test").unwrap();
    let mut changed = whole.clone();
    changed[at] = b'b';
    let server = Profile::built_in("server").unwrap();
    let judged = |encoding: &[u8]| read(&CertificationRequest::from_der(encoding).unwrap(), &server, &[]);
    assert!(judged(&whole).is_ok());
    assert!(matches!(judged(&changed), Err(Refusal::NoPossession(_))));
}

#[test]
fn malformed_names_are_refused() {
    for bad in [dns(""), dns("a..b"), dns(".."), dns("256.1.1.1"), dns("-x.test"), GeneralName::Ip(vec![1; 5])] {
        let judged = judge("server", "CN=app.test", &[names(std::slice::from_ref(&bad))]);
        assert!(matches!(judged, Err(Refusal::Naming(_))), "{bad}: {judged:?}");
    }
}

#[test]
fn an_extension_asked_for_twice_is_refused() {
    let twice = [names(&[dns("a.test")]), names(&[dns("b.test")])];
    assert_eq!(judge("server", "CN=app.test", &twice).unwrap_err(), Refusal::Duplicate("subjectAltName".into()));
}

#[test]
fn the_authority_may_add_names() {
    let server = Profile::built_in("server").unwrap();
    let bare = request("CN=Ann Example", &[]);
    assert!(read(&bare, &server, &[]).is_err(), "no server is called so");
    let petition = read(&bare, &server, &["ann.test".to_owned()]).unwrap();
    assert_eq!(shown(&petition), ["dns:ann.test"]);
}
