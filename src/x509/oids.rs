//! Object identifiers of X.509 and PKIX, with the names their standards give them.

use crate::encoding::Oid;

// Attribute types of distinguished names (X.520, RFC 4519, RFC 2985).
/// commonName, 2.5.4.3.
pub const COMMON_NAME: Oid = Oid::from_static(&[0x55, 0x04, 0x03]);
/// surname, 2.5.4.4.
pub const SURNAME: Oid = Oid::from_static(&[0x55, 0x04, 0x04]);
/// serialNumber, 2.5.4.5.
pub const SERIAL_NUMBER: Oid = Oid::from_static(&[0x55, 0x04, 0x05]);
/// countryName, 2.5.4.6.
pub const COUNTRY: Oid = Oid::from_static(&[0x55, 0x04, 0x06]);
/// localityName, 2.5.4.7.
pub const LOCALITY: Oid = Oid::from_static(&[0x55, 0x04, 0x07]);
/// stateOrProvinceName, 2.5.4.8.
pub const STATE: Oid = Oid::from_static(&[0x55, 0x04, 0x08]);
/// streetAddress, 2.5.4.9.
pub const STREET: Oid = Oid::from_static(&[0x55, 0x04, 0x09]);
/// organizationName, 2.5.4.10.
pub const ORGANIZATION: Oid = Oid::from_static(&[0x55, 0x04, 0x0a]);
/// organizationalUnitName, 2.5.4.11.
pub const ORGANIZATIONAL_UNIT: Oid = Oid::from_static(&[0x55, 0x04, 0x0b]);
/// title, 2.5.4.12.
pub const TITLE: Oid = Oid::from_static(&[0x55, 0x04, 0x0c]);
/// description, 2.5.4.13.
pub const DESCRIPTION: Oid = Oid::from_static(&[0x55, 0x04, 0x0d]);
/// businessCategory, 2.5.4.15.
pub const BUSINESS_CATEGORY: Oid = Oid::from_static(&[0x55, 0x04, 0x0f]);
/// postalCode, 2.5.4.17.
pub const POSTAL_CODE: Oid = Oid::from_static(&[0x55, 0x04, 0x11]);
/// givenName, 2.5.4.42.
pub const GIVEN_NAME: Oid = Oid::from_static(&[0x55, 0x04, 0x2a]);
/// initials, 2.5.4.43.
pub const INITIALS: Oid = Oid::from_static(&[0x55, 0x04, 0x2b]);
/// generationQualifier, 2.5.4.44.
pub const GENERATION_QUALIFIER: Oid = Oid::from_static(&[0x55, 0x04, 0x2c]);
/// dnQualifier, 2.5.4.46.
pub const DN_QUALIFIER: Oid = Oid::from_static(&[0x55, 0x04, 0x2e]);
/// pseudonym, 2.5.4.65.
pub const PSEUDONYM: Oid = Oid::from_static(&[0x55, 0x04, 0x41]);
/// organizationIdentifier, 2.5.4.97.
pub const ORGANIZATION_IDENTIFIER: Oid = Oid::from_static(&[0x55, 0x04, 0x61]);
/// userId, 0.9.2342.19200300.100.1.1.
pub const USER_ID: Oid = Oid::from_static(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01]);
/// domainComponent, 0.9.2342.19200300.100.1.25.
pub const DOMAIN_COMPONENT: Oid = Oid::from_static(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19]);
/// emailAddress, 1.2.840.113549.1.9.1.
pub const EMAIL_ADDRESS: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01]);
/// jurisdictionLocalityName, 1.3.6.1.4.1.311.60.2.1.1.
pub const JURISDICTION_LOCALITY: Oid =
    Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x01]);
/// jurisdictionStateOrProvinceName, 1.3.6.1.4.1.311.60.2.1.2.
pub const JURISDICTION_STATE: Oid =
    Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x02]);
/// jurisdictionCountryName, 1.3.6.1.4.1.311.60.2.1.3.
pub const JURISDICTION_COUNTRY: Oid =
    Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x03]);

// Certificate, request and revocation list extensions (RFC 5280 §4.2, §5.2, §5.3; RFC 6962; RFC 7633; RFC 6960).
/// subjectDirectoryAttributes, 2.5.29.9.
pub const SUBJECT_DIRECTORY_ATTRIBUTES: Oid = Oid::from_static(&[0x55, 0x1d, 0x09]);
/// subjectKeyIdentifier, 2.5.29.14.
pub const SUBJECT_KEY_IDENTIFIER: Oid = Oid::from_static(&[0x55, 0x1d, 0x0e]);
/// keyUsage, 2.5.29.15.
pub const KEY_USAGE: Oid = Oid::from_static(&[0x55, 0x1d, 0x0f]);
/// privateKeyUsagePeriod, 2.5.29.16.
pub const PRIVATE_KEY_USAGE_PERIOD: Oid = Oid::from_static(&[0x55, 0x1d, 0x10]);
/// subjectAltName, 2.5.29.17.
pub const SUBJECT_ALT_NAME: Oid = Oid::from_static(&[0x55, 0x1d, 0x11]);
/// issuerAltName, 2.5.29.18.
pub const ISSUER_ALT_NAME: Oid = Oid::from_static(&[0x55, 0x1d, 0x12]);
/// basicConstraints, 2.5.29.19.
pub const BASIC_CONSTRAINTS: Oid = Oid::from_static(&[0x55, 0x1d, 0x13]);
/// cRLNumber, 2.5.29.20.
pub const CRL_NUMBER: Oid = Oid::from_static(&[0x55, 0x1d, 0x14]);
/// reasonCode, 2.5.29.21.
pub const REASON_CODE: Oid = Oid::from_static(&[0x55, 0x1d, 0x15]);
/// holdInstructionCode, 2.5.29.23.
pub const HOLD_INSTRUCTION_CODE: Oid = Oid::from_static(&[0x55, 0x1d, 0x17]);
/// invalidityDate, 2.5.29.24.
pub const INVALIDITY_DATE: Oid = Oid::from_static(&[0x55, 0x1d, 0x18]);
/// deltaCRLIndicator, 2.5.29.27.
pub const DELTA_CRL_INDICATOR: Oid = Oid::from_static(&[0x55, 0x1d, 0x1b]);
/// issuingDistributionPoint, 2.5.29.28.
pub const ISSUING_DISTRIBUTION_POINT: Oid = Oid::from_static(&[0x55, 0x1d, 0x1c]);
/// certificateIssuer, 2.5.29.29.
pub const CERTIFICATE_ISSUER: Oid = Oid::from_static(&[0x55, 0x1d, 0x1d]);
/// nameConstraints, 2.5.29.30.
pub const NAME_CONSTRAINTS: Oid = Oid::from_static(&[0x55, 0x1d, 0x1e]);
/// cRLDistributionPoints, 2.5.29.31.
pub const CRL_DISTRIBUTION_POINTS: Oid = Oid::from_static(&[0x55, 0x1d, 0x1f]);
/// certificatePolicies, 2.5.29.32.
pub const CERTIFICATE_POLICIES: Oid = Oid::from_static(&[0x55, 0x1d, 0x20]);
/// anyPolicy, 2.5.29.32.0.
pub const ANY_POLICY: Oid = Oid::from_static(&[0x55, 0x1d, 0x20, 0x00]);
/// policyMappings, 2.5.29.33.
pub const POLICY_MAPPINGS: Oid = Oid::from_static(&[0x55, 0x1d, 0x21]);
/// authorityKeyIdentifier, 2.5.29.35.
pub const AUTHORITY_KEY_IDENTIFIER: Oid = Oid::from_static(&[0x55, 0x1d, 0x23]);
/// policyConstraints, 2.5.29.36.
pub const POLICY_CONSTRAINTS: Oid = Oid::from_static(&[0x55, 0x1d, 0x24]);
/// extKeyUsage, 2.5.29.37.
pub const EXTENDED_KEY_USAGE: Oid = Oid::from_static(&[0x55, 0x1d, 0x25]);
/// freshestCRL, 2.5.29.46.
pub const FRESHEST_CRL: Oid = Oid::from_static(&[0x55, 0x1d, 0x2e]);
/// inhibitAnyPolicy, 2.5.29.54.
pub const INHIBIT_ANY_POLICY: Oid = Oid::from_static(&[0x55, 0x1d, 0x36]);
/// authorityInfoAccess, 1.3.6.1.5.5.7.1.1.
pub const AUTHORITY_INFO_ACCESS: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01]);
/// qcStatements, 1.3.6.1.5.5.7.1.3.
pub const QC_STATEMENTS: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x03]);
/// subjectInfoAccess, 1.3.6.1.5.5.7.1.11.
pub const SUBJECT_INFO_ACCESS: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0b]);
/// tlsfeature, 1.3.6.1.5.5.7.1.24.
pub const TLS_FEATURE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x18]);
/// id-pkix-ocsp-nocheck, 1.3.6.1.5.5.7.48.1.5.
pub const OCSP_NO_CHECK: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05]);
/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
pub const OCSP_BASIC: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01]);
/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2.
pub const OCSP_NONCE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02]);
/// signedCertificateTimestampList, 1.3.6.1.4.1.11129.2.4.2.
pub const SCT_LIST: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02]);
/// precertificatePoison, 1.3.6.1.4.1.11129.2.4.3.
pub const CT_POISON: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03]);
/// netscapeCertType, 2.16.840.1.113730.1.1.
pub const NETSCAPE_CERT_TYPE: Oid = Oid::from_static(&[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01]);
/// netscapeComment, 2.16.840.1.113730.1.13.
pub const NETSCAPE_COMMENT: Oid = Oid::from_static(&[0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x0d]);
/// microsoftCertificateTemplate, 1.3.6.1.4.1.311.21.7.
pub const MS_CERTIFICATE_TEMPLATE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x15, 0x07]);
/// microsoftCAVersion, 1.3.6.1.4.1.311.21.1.
pub const MS_CA_VERSION: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x15, 0x01]);
/// microsoftEnrollCertType, 1.3.6.1.4.1.311.20.2.
pub const MS_ENROLL_CERTTYPE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02]);

// Key purposes (RFC 5280 §4.2.1.12 and registered later).
/// anyExtendedKeyUsage, 2.5.29.37.0.
pub const ANY_EXTENDED_KEY_USAGE: Oid = Oid::from_static(&[0x55, 0x1d, 0x25, 0x00]);
/// serverAuth, 1.3.6.1.5.5.7.3.1.
pub const SERVER_AUTH: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);
/// clientAuth, 1.3.6.1.5.5.7.3.2.
pub const CLIENT_AUTH: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]);
/// codeSigning, 1.3.6.1.5.5.7.3.3.
pub const CODE_SIGNING: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03]);
/// emailProtection, 1.3.6.1.5.5.7.3.4.
pub const EMAIL_PROTECTION: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04]);
/// timeStamping, 1.3.6.1.5.5.7.3.8.
pub const TIME_STAMPING: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08]);
/// OCSPSigning, 1.3.6.1.5.5.7.3.9.
pub const OCSP_SIGNING: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09]);
/// ipsecIKE, 1.3.6.1.5.5.7.3.17.
pub const IPSEC_IKE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x11]);
/// pkInitKDC, 1.3.6.1.5.2.3.5.
pub const KDC: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x02, 0x03, 0x05]);
/// smartcardLogon, 1.3.6.1.4.1.311.20.2.2.
pub const SMARTCARD_LOGON: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x02]);
/// documentSigning, 1.3.6.1.5.5.7.3.36.
pub const DOCUMENT_SIGNING: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x24]);

// Hash algorithms (RFC 8017 appendix B.1), by which OCSP names issuers.
/// SHA-1, 1.3.14.3.2.26.
pub const SHA1: Oid = Oid::from_static(&[0x2b, 0x0e, 0x03, 0x02, 0x1a]);
/// SHA-256, 2.16.840.1.101.3.4.2.1.
pub const SHA256: Oid = Oid::from_static(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);
/// SHA-384, 2.16.840.1.101.3.4.2.2.
pub const SHA384: Oid = Oid::from_static(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02]);
/// SHA-512, 2.16.840.1.101.3.4.2.3.
pub const SHA512: Oid = Oid::from_static(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]);

// Access methods (RFC 5280 §4.2.2) and policy qualifiers (§4.2.1.4).
/// OCSP, 1.3.6.1.5.5.7.48.1.
pub const OCSP: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01]);
/// caIssuers, 1.3.6.1.5.5.7.48.2.
pub const CA_ISSUERS: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02]);
/// timeStampingService, 1.3.6.1.5.5.7.48.3.
pub const TIME_STAMPING_SERVICE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x03]);
/// caRepository, 1.3.6.1.5.5.7.48.5.
pub const CA_REPOSITORY: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x05]);
/// CPS, 1.3.6.1.5.5.7.2.1.
pub const QUALIFIER_CPS: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x01]);
/// userNotice, 1.3.6.1.5.5.7.2.2.
pub const QUALIFIER_USER_NOTICE: Oid = Oid::from_static(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x02, 0x02]);

// Certificate policies of the CA/Browser Forum.
/// CA/B Forum extended validation, 2.23.140.1.1.
pub const CABF_EV: Oid = Oid::from_static(&[0x67, 0x81, 0x0c, 0x01, 0x01]);
/// CA/B Forum domain validated, 2.23.140.1.2.1.
pub const CABF_DV: Oid = Oid::from_static(&[0x67, 0x81, 0x0c, 0x01, 0x02, 0x01]);
/// CA/B Forum organization validated, 2.23.140.1.2.2.
pub const CABF_OV: Oid = Oid::from_static(&[0x67, 0x81, 0x0c, 0x01, 0x02, 0x02]);
/// CA/B Forum individual validated, 2.23.140.1.2.3.
pub const CABF_IV: Oid = Oid::from_static(&[0x67, 0x81, 0x0c, 0x01, 0x02, 0x03]);

// PKCS #9 attributes of certification requests (RFC 2985).
/// extensionRequest, 1.2.840.113549.1.9.14.
pub const EXTENSION_REQUEST: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e]);
/// challengePassword, 1.2.840.113549.1.9.7.
pub const CHALLENGE_PASSWORD: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07]);
/// unstructuredName, 1.2.840.113549.1.9.2.
pub const UNSTRUCTURED_NAME: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x02]);

/// The standard's name of `oid`, where it is one of those above.
pub fn name(oid: &Oid) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| known == oid).map(|(_, name)| *name)
}

/// The name of `oid`, or its dotted form.
pub fn name_or_dotted(oid: &Oid) -> String {
    name(oid).map_or_else(|| oid.to_string(), str::to_owned)
}

/// The attribute type with this long name (`commonName`), case aside. Attribute types stand first in the table.
pub fn attribute_by_name(text: &str) -> Option<Oid> {
    NAMES.iter().take(ATTRIBUTE_TYPES).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(oid, _)| oid.clone())
}

/// How many of the names below are attribute types.
const ATTRIBUTE_TYPES: usize = 25;

static NAMES: &[(Oid, &str)] = &[
    (COMMON_NAME, "commonName"),
    (SURNAME, "surname"),
    (SERIAL_NUMBER, "serialNumber"),
    (COUNTRY, "countryName"),
    (LOCALITY, "localityName"),
    (STATE, "stateOrProvinceName"),
    (STREET, "streetAddress"),
    (ORGANIZATION, "organizationName"),
    (ORGANIZATIONAL_UNIT, "organizationalUnitName"),
    (TITLE, "title"),
    (DESCRIPTION, "description"),
    (BUSINESS_CATEGORY, "businessCategory"),
    (POSTAL_CODE, "postalCode"),
    (GIVEN_NAME, "givenName"),
    (INITIALS, "initials"),
    (GENERATION_QUALIFIER, "generationQualifier"),
    (DN_QUALIFIER, "dnQualifier"),
    (PSEUDONYM, "pseudonym"),
    (ORGANIZATION_IDENTIFIER, "organizationIdentifier"),
    (USER_ID, "userId"),
    (DOMAIN_COMPONENT, "domainComponent"),
    (EMAIL_ADDRESS, "emailAddress"),
    (JURISDICTION_LOCALITY, "jurisdictionLocalityName"),
    (JURISDICTION_STATE, "jurisdictionStateOrProvinceName"),
    (JURISDICTION_COUNTRY, "jurisdictionCountryName"),
    (SUBJECT_DIRECTORY_ATTRIBUTES, "subjectDirectoryAttributes"),
    (SUBJECT_KEY_IDENTIFIER, "subjectKeyIdentifier"),
    (KEY_USAGE, "keyUsage"),
    (PRIVATE_KEY_USAGE_PERIOD, "privateKeyUsagePeriod"),
    (SUBJECT_ALT_NAME, "subjectAltName"),
    (ISSUER_ALT_NAME, "issuerAltName"),
    (BASIC_CONSTRAINTS, "basicConstraints"),
    (CRL_NUMBER, "cRLNumber"),
    (REASON_CODE, "reasonCode"),
    (HOLD_INSTRUCTION_CODE, "holdInstructionCode"),
    (INVALIDITY_DATE, "invalidityDate"),
    (DELTA_CRL_INDICATOR, "deltaCRLIndicator"),
    (ISSUING_DISTRIBUTION_POINT, "issuingDistributionPoint"),
    (CERTIFICATE_ISSUER, "certificateIssuer"),
    (NAME_CONSTRAINTS, "nameConstraints"),
    (CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
    (CERTIFICATE_POLICIES, "certificatePolicies"),
    (ANY_POLICY, "anyPolicy"),
    (POLICY_MAPPINGS, "policyMappings"),
    (AUTHORITY_KEY_IDENTIFIER, "authorityKeyIdentifier"),
    (POLICY_CONSTRAINTS, "policyConstraints"),
    (EXTENDED_KEY_USAGE, "extKeyUsage"),
    (FRESHEST_CRL, "freshestCRL"),
    (INHIBIT_ANY_POLICY, "inhibitAnyPolicy"),
    (AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    (QC_STATEMENTS, "qcStatements"),
    (SUBJECT_INFO_ACCESS, "subjectInfoAccess"),
    (TLS_FEATURE, "tlsfeature"),
    (OCSP_NO_CHECK, "id-pkix-ocsp-nocheck"),
    (OCSP_BASIC, "id-pkix-ocsp-basic"),
    (OCSP_NONCE, "id-pkix-ocsp-nonce"),
    (SHA1, "SHA-1"),
    (SHA256, "SHA-256"),
    (SHA384, "SHA-384"),
    (SHA512, "SHA-512"),
    (SCT_LIST, "signedCertificateTimestampList"),
    (CT_POISON, "precertificatePoison"),
    (NETSCAPE_CERT_TYPE, "netscapeCertType"),
    (NETSCAPE_COMMENT, "netscapeComment"),
    (MS_CERTIFICATE_TEMPLATE, "microsoftCertificateTemplate"),
    (MS_CA_VERSION, "microsoftCAVersion"),
    (MS_ENROLL_CERTTYPE, "microsoftEnrollCertType"),
    (ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
    (SERVER_AUTH, "serverAuth"),
    (CLIENT_AUTH, "clientAuth"),
    (CODE_SIGNING, "codeSigning"),
    (EMAIL_PROTECTION, "emailProtection"),
    (TIME_STAMPING, "timeStamping"),
    (OCSP_SIGNING, "OCSPSigning"),
    (IPSEC_IKE, "ipsecIKE"),
    (KDC, "pkInitKDC"),
    (SMARTCARD_LOGON, "smartcardLogon"),
    (DOCUMENT_SIGNING, "documentSigning"),
    (OCSP, "OCSP"),
    (CA_ISSUERS, "caIssuers"),
    (TIME_STAMPING_SERVICE, "timeStampingService"),
    (CA_REPOSITORY, "caRepository"),
    (QUALIFIER_CPS, "CPS"),
    (QUALIFIER_USER_NOTICE, "userNotice"),
    (CABF_EV, "CA/B Forum extended validation"),
    (CABF_DV, "CA/B Forum domain validated"),
    (CABF_OV, "CA/B Forum organization validated"),
    (CABF_IV, "CA/B Forum individual validated"),
    (EXTENSION_REQUEST, "extensionRequest"),
    (CHALLENGE_PASSWORD, "challengePassword"),
    (UNSTRUCTURED_NAME, "unstructuredName"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_well_formed_and_named_once() {
        for (at, (oid, name)) in NAMES.iter().enumerate() {
            assert_eq!(Oid::from_content(oid.content()).as_ref(), Ok(oid), "{name}");
            assert!(!NAMES.iter().skip(at + 1).any(|(other, _)| other == oid), "{name} stands twice");
        }
    }
}
