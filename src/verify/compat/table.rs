//! Which client refuses a server for which fact.
//!
//! One row a fact, one column a client, in the order of [`Client::ALL`]: OpenSSL, Python ≥ 3.13, Python ≤ 3.12, curl, Node,
//! GnuTLS, Go, rustls, pyca, Chrome, Firefox, Apple, Java. `R` refuses, `a` accepts, `q` no source says.
//!
//! Sources, by column. *Run* means that `tests/compat.rs` holds the whole column against the client itself.
//!
//! * OpenSSL: run (`openssl verify -purpose sslserver`, 3.0); `crypto/x509/x509_vfy.c`, `v3_purp.c`, `v3_utl.c`. No security
//!   level there.
//! * Python ≥ 3.13: run, through `ssl` with `VERIFY_X509_STRICT | VERIFY_X509_PARTIAL_CHAIN`, which
//!   `ssl.create_default_context` sets since 3.13 (docs.python.org/3/whatsnew/3.13.html#ssl); security level 2.
//! * Python ≤ 3.12: run, `ssl.create_default_context()`; `Modules/_ssl.c` sets `X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS`,
//!   and leaves `hostname_checks_common_name` on.
//! * curl: run; `lib/vtls/openssl.c` (`X509_V_FLAG_PARTIAL_CHAIN`, `Curl_ossl_verifyhost`), `lib/vtls/hostcheck.c`.
//! * Node: run; `lib/tls.js` (`checkServerIdentity`), `src/crypto/crypto_context.cc`. Security level 1.
//! * GnuTLS: run (`certtool --verify`, 3.7); `lib/x509/verify.c`, `lib/x509/hostname-verify.c`.
//! * Go: run (`crypto/tls` of Go 1.27); release notes of 1.15 (commonName), 1.18 (SHA-1) and 1.23 (negative serials).
//! * rustls: run (rustls-webpki 0.103 in process); `src/verify_cert.rs`, `src/cert.rs`.
//! * pyca: run (cryptography 50, `x509.verification`); cryptography.io/en/latest/x509/verification.
//! * Chrome: run (Chromium on Linux), with roots that the user put into NSS, the server's own certificate as a peer;
//!   `net/cert/cert_verify_proc_builtin.cc` and BoringSSL's `pki/verify_certificate_chain.cc`.
//! * Firefox: run (ESR), with roots that the user trusts; `security/pkix/lib/pkixcheck.cpp`, `pkixnames.cpp`,
//!   `security/certverifier`. Its dialogue for authorities imports only CAs; policies and `certutil` import any.
//! * Apple: support.apple.com/103769 (825 days, serverAuth, subjectAltName, RSA of 2048 bits, SHA-2) and 103214.
//! * Java: run (PKIX trust manager of JDK 17 with the HTTPS algorithm); `sun.security.validator.EndEntityChecker`,
//!   `sun.security.util.HostnameChecker`, `jdk.certpath.disabledAlgorithms`.

use super::{Answer, Client};

/// Declares the facts and what clients do on them in one place.
macro_rules! facts {
    ($($fact:ident [$($mark:ident)+] $words:literal;)+) => {
        /// Something to say of a path or a name that some client refuses a server for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Fact { $($fact),+ }

        impl Fact {
            /// Every fact, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$fact),+];

            /// What is the case, in a few words.
            pub fn words(self) -> &'static str {
                match self { $(Self::$fact => $words),+ }
            }

            fn row(self) -> [Answer; Client::ALL.len()] {
                match self { $(Self::$fact => [$(mark!($mark)),+]),+ }
            }
        }
    };
}

macro_rules! mark {
    (R) => {
        Answer::Refuses
    };
    (a) => {
        Answer::Accepts
    };
    (q) => {
        Answer::Unknown
    };
}

/// What `client` does on meeting `fact`.
pub fn answer(fact: Fact, client: Client) -> Answer {
    let row = fact.row();
    let columns = Client::ALL.iter().zip(row);
    columns.filter(|(column, _)| **column == client).map(|(_, answer)| answer).next().unwrap_or(Answer::Unknown)
}

facts! {
    //                         O S Y U N G g W P C F A J
    NoPath                    [R R R R R R R R R R R R R] "no trusted root is reached";
    BadSignature              [R R R R R R R R R R R R R] "a signature is wrong";
    Expired                   [R R R R R R R R R R R R R] "not valid at this moment";
    EndsNow                    [R R R R R q a a a q q q q] "it ends at this very second";
    // webpki and Java take a name and a key from an anchor, nothing else.
    ExpiredRoot               [R R R R R R R a R R R q a] "the root is not valid at this moment";
    AlgorithmsDiffer          [R R R R R R R R R R R q R] "two algorithm identifiers differ";
    NameEncodingDiffers        [a a a a a q R R R a R q a] "issuer and subject are one name in two encodings";
    LongPath                  [q q q q q q q q q q q q q] "the path is hard to find";
    UncheckedSignature        [q q q q q q q q q q q q q] "a signature is of a kind that is not computed here";
    // webpki `MAX_SUB_CA_COUNT`; mozilla::pkix `MAX_SUBCA_COUNT`.
    OverSix                   [a a a a a a a R a a R q a] "there are more than six intermediates";
    // `max_chain_depth`.
    OverEight                 [a a a a a a a R R a R q a] "there are more than eight intermediates";
    // `jdk.tls.client.maxInboundCertificateChainLength`: 10 with the server's own.
    OverNine                  [a a a a a a a R R a R q R] "there are more than nine intermediates";
    // Chromium's `kPathBuilderIterationLimit`: 20 steps, the first of which is the server's own.
    OverNineteen              [a a a a a a a R R R R q R] "there are more than nineteen intermediates";

    // Names. `v3_utl.c` do_x509_check looks at the commonName where there is no dNSName; Go 1.15, Chrome 58 and
    // Firefox 101 stopped, Apple did with iOS 13.
    NameAbsent                [R R R R R R R R R R R R R] "the name is not in it";
    CommonNameOnly            [a a a a a a R R R R R R a] "the name stands in commonName only";
    CommonNameBesideOtherNames [a a a a a a R R R R R R a] "the name stands in commonName, no host name in subjectAltName";
    CommonNameBesideUri        [a a a a a R R R R R R R a] "the name stands in commonName, only a URI in subjectAltName";
    CommonNameBesideAddress    [a a a R a R R R R R R q a] "the name stands in commonName, only addresses in subjectAltName";
    AddressInCommonName        [R R R a R R R R R R R q R] "the address stands in commonName only";
    AddressInDnsName           [R R R R R R R R R R R q R] "the address stands in a dNSName";
    PartialWildcard           [a R R R a R R R R R R R a] "the wildcard is a part of a label";
    WildcardInside             [R R R R R R R R R R R R a] "the wildcard is not the first label";
    BroadWildcard              [R R R R R R a R a R R q a] "the wildcard covers a top-level domain";
    TrailingDot                [R R R a a R R R R a R q R] "the name in it ends with a dot";
    EmptyDnsName               [a a a a a R q a a q q q q] "a dNSName is empty";

    // Algorithms. OpenSSL's security level 2 (Debian, Python) asks for 112 bits, level 1 for 80, of hash and key.
    Md5                       [a R R R R R R R R R R R R] "a signature rests on MD5";
    Sha1                      [a R R R R R R R R R R R a] "a signature rests on SHA-1";
    Sha224                    [a a a a a a R R R R R q a] "a signature rests on SHA-224";
    TinyRsa                   [a R R R R R R R R R R R R] "an RSA key has less than 1024 bits";
    LeafSmallRsa              [a R R R a a a R a a a R a] "the RSA key has less than 2048 bits";
    IssuerSmallRsa            [a R R R a a a R R a a R a] "an issuer's RSA key has less than 2048 bits";
    RootSmallRsa              [a R R R a a a R R a a R a] "the root's RSA key has less than 2048 bits";
    OddKey                    [R R R R R R R R R R R R R] "a key is malformed or of an unknown kind";
    LeafP521                  [a a a a a a a a a R a q a] "the key is on P-521";
    LeafEd25519                [a a a a a a a a a R R q a] "the key is Ed25519";
    IssuerEd25519              [a a a a a a a a R R R q a] "an issuer's key is Ed25519";
    // OpenSSL 3.5, GnuTLS 3.8.10, Go 1.27 and pyca/cryptography 50 know it.
    IssuerMlDsa                [q q q q q q a q a R R q R] "an issuer's key is ML-DSA";
    LeafMlDsa                  [q q q q q q a R a R R q R] "the key is ML-DSA";

    // Issuers.
    IssuerNotCa               [R R R R R R R R R R R R R] "an issuer is no CA";
    OldIssuer                 [R R R R R R R R R R R R R] "an issuer has version 1 or 2";
    IssuerMayNotSign          [R R R R R R R a R R R R R] "an issuer's keyUsage lacks keyCertSign";
    PathLength                [R R R R R R R R R R R R R] "pathLenConstraint is broken";
    HugePathLength             [a a a a a a a R a q q q q] "pathLenConstraint is over 255";
    OutsideConstraints        [R R R R R R R R R R R R R] "a name is outside the name constraints";
    NoPolicy                   [a a a a a a R a a R a q R] "an issuer asks for a certificate policy";
    CriticalPolicyConstraints  [a a a a a R a R R a a q a] "policyConstraints is critical";
    IssuerWrongPurpose         [R R R R R R R R R R R q a] "an issuer's extKeyUsage lacks serverAuth";
    IssuerAnyPurpose           [R R R R R R a R a a R q a] "an issuer's extKeyUsage lists anyExtendedKeyUsage only";
    ConstraintsNotCritical    [a R a a a a a a R a a q a] "a CA's basicConstraints is not critical";
    IssuerWithoutKeyUsage     [a R a a a a a a R a a q a] "a CA has no keyUsage";
    IssuerWithoutKeyIdentifier [a R a a a a a a a a a q a] "a CA has no subjectKeyIdentifier";
    IssuerWithoutName          [a R a a a q a a R q q q q] "a CA has no name";
    OddNameConstraints        [q q q q q q q q q q q q q] "nameConstraints has an unusual form";
    LeadingDotConstraint       [a a a a a a a a R q q q q] "a name constraint begins with a dot";
    EmptyConstraint            [a a a a a q a a R a q q a] "a name constraint is empty";

    // Roots.
    RootNotCa                  [R R R R R R R a R R R q R] "the root is no CA";
    RootWithoutConstraints     [R R R R R a R a R a R q R] "the root has no basicConstraints";
    // `v3_purp.c` check_ca returns 4 for keyUsage without basicConstraints, which OpenSSL takes for a root.
    RootWithUsageOnly          [a R a a a a R a R a R q R] "the root has keyUsage and no basicConstraints";
    OldRoot                   [a R a a a a a a R a a q a] "the root has version 1 or 2";
    RootMayNotSign             [R R R R R R R a R R R q R] "the root's keyUsage lacks keyCertSign";
    RootPathLength            [R R R R R R R a R R R q a] "the root's pathLenConstraint is broken";
    RootWrongPurpose           [R R R R R a R a R R R q a] "the root's extKeyUsage lacks serverAuth";
    RootAnyPurpose             [R R R R R a a a a a R q a] "the root's extKeyUsage lists anyExtendedKeyUsage only";
    RootUnknownCritical        [R R R R R R R a R R R q a] "the root has an unknown critical extension";
    RootConstraintsNotCritical [a R a a a a a a R a a a a] "the root's basicConstraints is not critical";
    RootWithoutKeyUsage       [a R a a a a a a R a a a a] "the root has no keyUsage";
    RootWithoutKeyIdentifier   [a R a a a a a a a a a a a] "the root has no subjectKeyIdentifier";
    RootExtensionsInOldVersion [a R a a a q q R R q q q R] "the root has extensions in a version below 3";
    RootSerial                 [a a a a a a a a a a a q a] "the root's serial number is out of range";
    RootCriticalPolicyConstraints [a a a a a R q a R q q q a] "the root has critical policyConstraints";
    RootAuthorityEmpty         [a a a a a a a a R a a a a] "the root's authorityKeyIdentifier has no keyIdentifier";
    RootIdentifierCritical     [R R R R R a R a R q q q q] "the root has a critical key identifier";
    RootSerialNegative         [a a a a a a R a R q q q a] "the root's serial number is negative";
    RootAuthorityDiffers       [R a R a R q a a a q q q a] "the root's own key identifiers differ";
    RootNotSelfSigned         [R a R a R a a a a a a q a] "the trusted certificate is not self-signed";

    // The server's certificate.
    WrongPurpose              [R R R R R R R R R R R R R] "extKeyUsage lacks serverAuth";
    AnyPurpose                 [R R R R R a a R R a R q a] "extKeyUsage lists anyExtendedKeyUsage only";
    // Apple: "TLS server certificates must contain an ExtendedKeyUsage (EKU) extension containing the id-kp-serverAuth OID".
    NoPurpose                 [a a a a a a a a a a a R a] "there is no extKeyUsage";
    UselessKeyUsage            [R R R R R a a a a R R q R] "keyUsage allows nothing TLS does";
    NoDigitalSignature         [a a a a a a a a a R a q R] "keyUsage lacks digitalSignature";
    LeafIsCa                  [a a a a a a a R R a R q a] "it is a CA's certificate";
    AloneCa                   [a a a a a a a R R a R a a] "it is trusted itself and says CA:TRUE";
    AloneCaMayNotSign          [a a a a a R a R R a R a a] "it is trusted itself and a CA without keyCertSign";
    AloneNotCa                [a a a a a R a a a a a a a] "it is trusted itself and says CA:FALSE";
    AloneWithoutConstraints    [a a a a a R a a q a a q a] "it is trusted itself and has no basicConstraints";
    AloneWithoutAuthority      [a a a a a a a a R a a a a] "it is trusted itself and has no authorityKeyIdentifier";
    OldLeaf                   [a a a a a a a R R q a q a] "it has version 1 or 2";
    SelfIssuedLeaf             [R R R R R q a a a q q q q] "it has its issuer's name and lacks a key identifier";
    LeafWithoutAuthority      [a R a a a a a a R a a a a] "it has no authorityKeyIdentifier";
    LeafAuthorityEmpty         [a R a a a a a a a a a a a] "its authorityKeyIdentifier has no keyIdentifier";
    IssuerWithoutAuthority     [a R a a a a a a a a a a a] "a CA has no authorityKeyIdentifier";
    IssuerAuthorityEmpty       [a R a a a a a a R a a a a] "an issuer's authorityKeyIdentifier has no keyIdentifier";
    KeyIdentifiersDiffer       [R R R R R R a a a a a q a] "key identifiers differ";
    TopKeyIdentifiersDiffer    [R R R R R R a a a a a q a] "key identifiers of the root and the next differ";
    EmptyKeyIdentifier         [R R R R R a a a a a a q a] "a key identifier is empty";
    // `v3_purp.c` X509_check_akid.
    AuthoritySerialDiffers     [R R R R R q a a a q q q q] "authorityKeyIdentifier names another serial number";
    LeafMaySign               [a R a a a a a a R a a q a] "keyUsage has keyCertSign without CA:TRUE";
    LeafPathLength             [a R a a a a a a a a a q a] "pathLenConstraint stands without CA:TRUE";
    LeafNameConstraints       [q q q q q q q q q q q q q] "a server's certificate has nameConstraints";
    NamelessNotCritical        [a R a a a a a a R R a q R] "the subject is empty and subjectAltName not critical";
    NameCriticalBesideSubject  [a a a a a a a a R a a a a] "subjectAltName is critical beside a subject";
    PurposeCritical            [a a a a a a a a R a a a a] "extKeyUsage is critical";
    // Apple: "must have a validity period of 825 days or fewer", user-added roots included.
    LongValidity              [a a a a a a a a a a a R a] "it is valid for more than 825 days";

    // Form.
    UnknownCritical           [R R R R R R R R R R R R R] "an unknown extension is critical";
    OddCritical               [q q q q q q q q q q q q q] "an extension is critical that should not be";
    AuthorityCritical          [R R R R R a R R R q q q q] "authorityKeyIdentifier is critical";
    IdentifierCritical         [R R R R R a R R a q q q q] "subjectKeyIdentifier is critical";
    IssuerIdentifierCritical   [R R R R R a R R R q q q q] "an issuer's subjectKeyIdentifier is critical";
    DuplicateExtension        [R R R R R R R R R R R q R] "an extension stands twice";
    DuplicateIdentifier        [R R R R R R R q R R R q R] "a key identifier extension stands twice";
    DuplicateUnknownExtension [a a a a a R R a R R a q R] "an unknown extension stands twice";
    MalformedExtension        [q q q q q q q q q q q q q] "an extension is malformed";
    ExtensionsInOldVersion     [a R a a a R R R R R a q R] "extensions stand in a version below 3";
    StrangeVersion             [a a a a a a q R R q q q q] "the version is none that exists";
    SerialZero                 [a a a a a a a a a a a q a] "the serial number is zero";
    SerialNegative             [a a a a a a R a R a a q a] "the serial number is negative";
    SerialLong                 [a a a a a a a a a a a q a] "the serial number is too long";
    TimeEncoding               [a a a a a a a a R a a q a] "a time is not encoded as it should be";
    UniqueIdentifier           [a a a a a a a R a a a q a] "a unique identifier is there";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_is_told_apart_and_refused_or_doubted_by_some_client() {
        for (at, fact) in Fact::ALL.iter().enumerate() {
            assert!(Fact::ALL.iter().skip(at + 1).all(|other| other.words() != fact.words()), "{fact:?}");
            let answers = Client::ALL.iter().map(|&client| answer(*fact, client));
            assert!(answers.max() > Some(Answer::Accepts), "{fact:?} concerns no one");
        }
    }
}
