//! A certificate of any octets is read or refused; what is read is told and written again as it was.

#![no_main]

use certkit::x509::extension::ExtensionValue as Value;
use certkit::x509::{Certificate, DistinguishedName, Extension, ExtensionType, Extensions};
use certkit_fuzz::{hierarchy, plant, target};

target!(
    init: plant([hierarchy::with_everything(), hierarchy::Hierarchy::usual().leaf, hierarchy::Hierarchy::usual().root]),
    |data: &[u8]| {
        let Ok(certificate) = Certificate::from_der(data) else { return };
        assert_eq!(certificate.der(), data);
        for part in [
            certificate.tbs(),
            certificate.public_key_info(),
            certificate.signature_algorithm_der(),
            certificate.tbs_signature_algorithm_der(),
            certificate.validity_encoding(),
            certificate.signature(),
        ] {
            let here = data.as_ptr_range();
            assert!(part.len() <= data.len() && !here.contains(&part.as_ptr()), "parts are the certificate's own");
        }
        for name in [certificate.issuer(), certificate.subject()] {
            assert_eq!(&DistinguishedName::from_der(name.der()).unwrap(), name);
            assert!(name.matches(name) && name.is_within(name));
            let _ = (name.to_string(), name.common_names(), name.attributes());
        }
        let _ = (certificate.version(), certificate.serial().to_string(), certificate.has_unique_identifiers());
        let _ = (certificate.public_key(), certificate.signature_algorithm());
        let _ = (certificate.is_self_issued(), certificate.claims_ca(), certificate.display_name());
        let _ = (certificate.fingerprint_sha256(), certificate.subject_key_identifier());
        let _ = (certificate.key_usage().map(|usage| usage.map(|usage| usage.names())), format!("{certificate:?}"));
        let _ = (certificate.extended_key_usage(), certificate.authority_key_identifier());
        let _ = certificate.subject_alt_names().map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());

        let extensions = certificate.extensions();
        let _ = extensions.duplicate();
        for extension in extensions.iter() {
            written_again(extension);
        }
        if !extensions.is_empty() {
            let list: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
            let encoding = certkit::encoding::der::tlv(0x30, &list);
            assert_eq!(Extensions::from_der(&encoding).as_ref(), Ok(extensions));
        }
    }
);

/// What an extension is decoded to is encoded to what is decoded to the same.
fn written_again(extension: &Extension) {
    let _ = extension.name();
    let Ok(value) = extension.decode() else { return };
    let _ = format!("{value:?}");
    fn check<T: ExtensionType + PartialEq + std::fmt::Debug>(value: &T) {
        let encoding = value.to_der();
        assert_eq!(T::from_der(&encoding).as_ref(), Ok(value));
    }
    match &value {
        Value::BasicConstraints(value) => check(value),
        Value::KeyUsage(value) => check(value),
        Value::ExtendedKeyUsage(value) => check(value),
        Value::SubjectAltName(value) => check(value),
        Value::IssuerAltName(value) => check(value),
        Value::SubjectKeyIdentifier(value) => check(value),
        Value::AuthorityKeyIdentifier(value) => check(value),
        Value::NameConstraints(value) => check(value),
        Value::CertificatePolicies(value) => check(value),
        Value::PolicyMappings(value) => check(value),
        Value::PolicyConstraints(value) => check(value),
        Value::InhibitAnyPolicy(value) => check(value),
        Value::CrlDistributionPoints(value) => check(value),
        Value::FreshestCrl(value) => check(value),
        Value::AuthorityInfoAccess(value) => check(value),
        Value::SubjectInfoAccess(value) => check(value),
        Value::TlsFeature(value) => check(value),
        Value::OcspNoCheck(value) => check(value),
        Value::SctList(value) => check(value),
        Value::NetscapeCertType(value) => check(value),
        Value::CrlNumber(value) => check(value),
        Value::DeltaCrlIndicator(value) => check(value),
        Value::IssuingDistributionPoint(value) => check(value),
        Value::ReasonCode(value) => check(value),
        Value::InvalidityDate(value) => check(value),
        Value::CertificateIssuer(value) => check(value),
        Value::NetscapeComment(_) | Value::CtPoison | Value::Other(_) => {}
    }
}
