//! The rules: what is checked, under which clause, and how severe a failure is under each policy.

use std::fmt;
use std::str::FromStr;

/// By which rules a path is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// What the strict modern TLS clients (browsers, Go, rustls) all enforce.
    #[default]
    Tls,
    /// The letter of RFC 5280 and its updates.
    Rfc5280,
    /// The CA/Browser Forum's Baseline Requirements on top.
    WebPki,
}

impl Policy {
    /// All policies.
    pub const ALL: [Self; 3] = [Self::Tls, Self::Rfc5280, Self::WebPki];

    /// The name by which users choose it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Rfc5280 => "rfc5280",
            Self::WebPki => "webpki",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|policy| policy.name() == text);
        named.ok_or_else(|| format!("`{text}` is no policy; choose tls, rfc5280 or webpki"))
    }
}

/// What follows where a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing: the rule does not belong to the policy.
    Off,
    /// The deviation is named; the certificate is not rejected for it.
    Warning,
    /// The certificate is rejected.
    Error,
}

impl Severity {
    /// The name shown in the table of rules.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "-",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One row of the table of rules.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Which rule.
    pub check: Check,
    /// Its stable name, in JSON and in the README.
    pub name: &'static str,
    /// The clause it comes from.
    pub clause: &'static str,
    /// What must hold, in a few words.
    pub requirement: &'static str,
    /// Its severity under [`Policy::Tls`], [`Policy::Rfc5280`] and [`Policy::WebPki`].
    pub severities: [Severity; 3],
}

/// Declares the checks and their table in one place, so that neither can miss a row.
macro_rules! rules {
    ($($check:ident $name:literal $clause:literal $requirement:literal [$tls:ident $rfc:ident $webpki:ident];)+) => {
        /// A rule that a path or a certificate is judged by.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Check { $($check),+ }

        /// Every rule, in the order in which a reader meets them.
        pub static RULES: &[Rule] = &[$(Rule {
            check: Check::$check,
            name: $name,
            clause: $clause,
            requirement: $requirement,
            severities: [Severity::$tls, Severity::$rfc, Severity::$webpki],
        }),+];

        impl Check {
            /// The row of the table for this rule.
            pub fn rule(self) -> &'static Rule {
                // One row per variant, in the order of the variants.
                #[allow(clippy::indexing_slicing)]
                &RULES[self as usize]
            }
        }
    };
}

rules! {
    Path               "path"                "RFC 5280 §6.1"      "a chain of issuers leads to a trust anchor" [Error Error Error];
    Budget             "budget"              "RFC 4158 §7"        "the search ends within its limits" [Error Error Error];
    Depth              "depth"               "RFC 5280 §6.1.1"    "the path is not longer than allowed" [Error Error Error];
    Encoding           "encoding"            "X.690; RFC 5280 §4.1" "the certificate and its extensions are well-formed DER" [Error Error Error];
    Signature          "signature"           "RFC 5280 §6.1.3 (a)(1)" "the issuer's key made the signature" [Error Error Error];
    SignatureAlgorithm "signature-algorithm" "RFC 5280 §4.1.1.2"  "both algorithm identifiers agree" [Error Error Error];
    WeakSignature      "weak-signature"      "RFC 9155; BR 7.1.3.2" "the signature does not rest on MD5, SHA-1 or SHA-224" [Error Error Error];
    Key                "key"                 "RFC 5280 §4.1.2.7; BR 6.1.5" "the key is well-formed, of a known kind, and strong enough" [Error Error Error];
    Validity           "validity"            "RFC 5280 §6.1.3 (a)(2)" "the moment of judgment lies in the validity" [Error Error Error];
    NameChaining       "name-chaining"       "RFC 5280 §6.1.3 (a)(4)" "the issuer is the subject of the next certificate" [Error Error Error];
    IssuerIsCa         "issuer-is-ca"        "RFC 5280 §6.1.4 (k)" "an issuer's basicConstraints says CA:TRUE" [Error Error Error];
    KeyCertSign        "key-cert-sign"       "RFC 5280 §6.1.4 (n)" "an issuer's keyUsage has keyCertSign" [Error Error Error];
    PathLength         "path-length"         "RFC 5280 §6.1.4 (l), (m)" "pathLenConstraint is kept" [Error Error Error];
    NameConstraints    "name-constraints"    "RFC 5280 §6.1.3 (b), (c)" "names stay within the issuers' constraints" [Error Error Error];
    Policies           "policies"            "RFC 5280 §6.1.3 (f), §6.1.5 (g); RFC 9618" "a path is valid for a certificate policy where one is required" [Error Error Error];
    CriticalExtensions "critical-extensions" "RFC 5280 §6.1.4 (o), §6.1.5 (f)" "every critical extension is known" [Error Error Error];
    DuplicateExtension "duplicate-extension" "RFC 5280 §4.2"      "no extension stands twice" [Error Error Error];
    Purpose            "purpose"             "RFC 5280 §4.2.1.12" "extKeyUsage allows the purpose" [Error Error Error];
    IssuerPurpose      "issuer-purpose"      "Mozilla 5.3; RFC 5280 §4.2.1.12" "extKeyUsage of an intermediate allows the purpose" [Error Off Error];
    AnchorPurpose      "anchor-purpose"      "BR 7.1.2.1.2"       "a root has no extKeyUsage" [Warning Off Error];
    LeafKeyUsage       "leaf-key-usage"      "RFC 5280 §4.2.1.3"  "keyUsage allows what TLS does with the key" [Warning Warning Error];
    Identity           "identity"            "RFC 9525 §6"        "a subjectAltName is the name asked for" [Error Error Error];
    LeafIsCa           "leaf-is-ca"          "BR 7.1.2.7.8"       "a server's certificate is not a CA's" [Warning Off Error];
    Version            "version"             "RFC 5280 §4.1.2.1"  "extensions stand only in version 3" [Error Error Error];
    VersionThree       "version-3"           "BR 7.1.1"           "the version is 3" [Warning Off Error];
    Serial             "serial"              "RFC 5280 §4.1.2.2"  "the serial number is positive and at most 20 octets" [Warning Error Error];
    ValidityEncoding   "validity-encoding"   "RFC 5280 §4.1.2.5"  "times are UTCTime to 2049, GeneralizedTime after, in whole seconds and Z" [Warning Warning Error];
    UniqueIdentifier   "unique-identifier"   "RFC 5280 §4.1.2.8"  "there is no unique identifier" [Warning Warning Error];
    IssuerName         "issuer-name"         "RFC 5280 §4.1.2.4"  "the issuer is not empty" [Warning Error Error];
    CaSubject          "ca-subject"          "RFC 5280 §4.1.2.6"  "a CA's subject is not empty" [Warning Error Error];
    BasicConstraintsCritical "basic-constraints-critical" "RFC 5280 §4.2.1.9" "an intermediate's basicConstraints is critical" [Warning Warning Error];
    AnchorBasicConstraintsCritical "anchor-basic-constraints-critical" "RFC 5280 §4.2.1.9" "a root's basicConstraints is critical" [Warning Error Error];
    CaKeyUsage         "ca-key-usage"        "RFC 5280 §4.2.1.3"  "a CA has keyUsage" [Warning Error Error];
    PathLengthForm     "path-length-form"    "RFC 5280 §4.2.1.9"  "pathLenConstraint stands only beside CA:TRUE and keyCertSign" [Warning Error Error];
    CertSignWithoutCa  "cert-sign-without-ca" "RFC 5280 §4.2.1.3" "keyCertSign stands only beside CA:TRUE" [Warning Error Error];
    SubjectKeyIdentifier "subject-key-identifier" "RFC 5280 §4.2.1.2" "a CA has a non-critical subjectKeyIdentifier" [Warning Error Error];
    AuthorityKeyIdentifier "authority-key-identifier" "RFC 5280 §4.2.1.1" "a certificate that is not self-signed has a non-critical authorityKeyIdentifier with keyIdentifier" [Warning Error Error];
    KeyIdentifiersMatch "key-identifiers-match" "RFC 5280 §4.2.1.1" "authorityKeyIdentifier is the issuer's subjectKeyIdentifier" [Warning Warning Warning];
    RootKeyIdentifier  "root-key-identifier" "BR 7.1.2.1.3"       "a root's authorityKeyIdentifier is its own key identifier alone" [Off Off Error];
    NameConstraintsForm "name-constraints-form" "RFC 5280 §4.2.1.10" "nameConstraints stands critical, in CAs only, without leading dots, minimum or maximum" [Warning Error Error];
    PolicyExtensionsCritical "policy-extensions-critical" "RFC 5280 §4.2.1.11, §4.2.1.14" "policyConstraints and inhibitAnyPolicy are critical" [Warning Error Error];
    PolicyForm         "policy-form"         "RFC 5280 §4.2.1.4"  "certificatePolicies names no policy twice" [Warning Error Error];
    AlternativeNameForm "alternative-name-form" "RFC 5280 §4.2.1.6" "subjectAltName is well-formed, and critical where the subject is empty" [Warning Error Error];
    AlternativeNameCritical "alternative-name-critical" "BR 7.1.2.7.12" "subjectAltName beside a subject is not critical" [Off Off Error];
    AlternativeNamePresent "alternative-name-present" "BR 7.1.2.7.12" "a server's certificate has a subjectAltName" [Off Off Error];
    NameSyntax         "name-syntax"         "RFC 5280 §4.2.1.6; BR 7.1.4.2" "host names have letters, digits and hyphens, and a wildcard its own label" [Warning Warning Error];
    WildcardBreadth    "wildcard-breadth"    "BR 3.2.2.6"         "a wildcard does not cover a public suffix" [Warning Off Error];
    CommonName         "common-name"         "BR 7.1.4.3"         "a commonName is one of the subjectAltNames, or the domain of a wildcard among them" [Off Off Error];
    SubscriberPurpose  "subscriber-purpose"  "BR 7.1.2.7.10"      "extKeyUsage is there, not critical, and without anyExtendedKeyUsage" [Warning Off Error];
    SubscriberKey      "subscriber-key"      "BR 6.1.5"           "keys are RSA of 2048 bits or more, divisible by 8, or ECDSA P-256, P-384, P-521" [Warning Off Error];
    SubscriberValidity "subscriber-validity" "BR 6.3.2; Apple 103769" "the validity is no longer than clients take" [Off Off Warning];
    Revocation         "revocation"          "RFC 5280 §6.3.3; RFC 6960 §2.2" "no list or response given says that the certificate is revoked" [Error Error Error];
    RevocationKnown    "revocation-known"    "RFC 5280 §6.3; RFC 6960 §2.2" "the status of a certificate that is asked about is known" [Error Error Error];
    RevocationList     "revocation-list"     "RFC 5280 §6.3.3 (a), (f), (g); §5.2; §5.3" "a list that should answer is current, soundly signed, and without unknown critical extensions" [Error Error Error];
    RevocationListForm "revocation-list-form" "RFC 5280 §5.1.2.1, §5.1.2.5, §5.2.3, §5.2.5" "a list has a number that is not critical, nextUpdate, and extensions only in version 2" [Error Error Error];
    RevocationListProfile "revocation-list-profile" "RFC 5280 §5.2.1, §5.2.4, §5.2.5" "a list has authorityKeyIdentifier, and scope and delta indicator are critical" [Warning Error Error];
    OcspResponse       "ocsp-response"       "RFC 6960 §3.2, §4.2.2.2" "an OCSP response that should answer is current, signed by the issuer or who it authorised, and knows the certificate" [Error Error Error];
    OcspResponderStatus "ocsp-responder-status" "RFC 6960 §4.2.2.2.1" "the certificate of an authorised OCSP responder has id-pkix-ocsp-nocheck, or its status is known" [Warning Warning Warning];
}

impl Check {
    /// The clause the rule comes from.
    pub fn clause(self) -> &'static str {
        self.rule().clause
    }

    /// The rule's stable name.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// What follows under `policy` where the rule is broken.
    pub fn severity(self, policy: Policy) -> Severity {
        let [tls, rfc5280, webpki] = self.rule().severities;
        match policy {
            Policy::Tls => tls,
            Policy::Rfc5280 => rfc5280,
            Policy::WebPki => webpki,
        }
    }
}

impl serde::Serialize for Check {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_finds_its_own_row() {
        for (at, rule) in RULES.iter().enumerate() {
            assert_eq!(rule.check.rule().name, rule.name);
            assert_eq!(rule.check as usize, at);
        }
    }

    #[test]
    fn names_are_unique() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(!RULES.iter().skip(at + 1).any(|other| other.name == rule.name), "{}", rule.name);
        }
    }
}
