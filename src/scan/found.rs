//! What a scan finds. Field names are those of its JSON.

use super::rules::{Finding, Grade};
use crate::tls::code::cipher_suite::{KeyExchange, Weakness};
use crate::tls::code::{CertificateCompression, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use serde::Serialize;

/// A server, asked all over.
#[derive(Debug, Clone, Serialize)]
pub struct Scan {
    /// From F to A: the worst that the findings allow.
    pub grade: Grade,
    /// What is wrong or missing, the worst first.
    pub findings: Vec<Finding>,
    /// Every version from SSL 2.0 on, the newest first.
    pub versions: Vec<VersionScan>,
    /// The certificates that the server shows, each once.
    pub certificates: Vec<CertificateFound>,
    /// What it answers to extensions and to oddities.
    pub features: Features,
    /// How many connections it took.
    pub connections: usize,
    /// Why the scan could not be finished; what was not asked is `null` or `unknown` then.
    pub incomplete: Option<String>,
}

/// What is known of something the server was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// It takes it.
    Yes,
    /// It was asked, is well, and does not take it.
    No,
    /// The scan could not be finished.
    Unknown,
}

/// Who decides what is used, where both have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// The server, by an order of its own.
    Server,
    /// The client.
    Client,
    /// Now the one, now the other.
    Mixed,
}

/// One version.
#[derive(Debug, Clone, Serialize)]
pub struct VersionScan {
    /// The version.
    pub version: ProtocolVersion,
    /// Whether the server speaks it.
    pub supported: Support,
    /// How it refused, where it did.
    pub refusal: Option<String>,
    /// The suites it takes: in its own order where it has one.
    pub suites: Vec<SuiteFound>,
    /// Whether all suites were found: false where the scan could not be finished.
    pub complete: bool,
    /// The ciphers of SSL 2.0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ssl2_ciphers: Vec<String>,
    /// Who chooses the suite; `null` where there is but one.
    pub suite_preference: Option<Preference>,
    /// The groups it takes for key exchange.
    pub groups: Vec<NamedGroup>,
    /// Who chooses the group; `null` where there is but one.
    pub group_preference: Option<Preference>,
    /// The signatures it makes, in TLS 1.2 and 1.3.
    pub signature_schemes: Vec<SignatureScheme>,
    /// What it signs with where the client leaves it everything; before TLS 1.2 nothing says so.
    pub usual_signature: Option<SignatureScheme>,
    /// Answers that are against the standard, or in the way of finding more.
    pub remarks: Vec<String>,
}

impl VersionScan {
    /// A version of which nothing is known yet.
    pub(super) fn new(version: ProtocolVersion) -> Self {
        Self {
            version,
            supported: Support::Unknown,
            refusal: None,
            suites: Vec::new(),
            complete: false,
            ssl2_ciphers: Vec::new(),
            suite_preference: None,
            groups: Vec::new(),
            group_preference: None,
            signature_schemes: Vec::new(),
            usual_signature: None,
            remarks: Vec::new(),
        }
    }

    /// Whether the server speaks it.
    pub fn is_supported(&self) -> bool {
        self.supported == Support::Yes
    }
}

/// A suite that the server takes.
#[derive(Debug, Clone, Serialize)]
pub struct SuiteFound {
    /// The suite.
    pub suite: CipherSuite,
    /// Its number: `0xc02f`.
    pub code: String,
    /// How the secret comes about.
    pub key_exchange: Option<KeyExchange>,
    /// The group of the answer.
    pub group: Option<NamedGroup>,
    /// The size of prime, modulus or field in the answer, in bits.
    pub exchange_bits: Option<usize>,
    /// The prime's origin, where it is a well-known one.
    pub prime: Option<String>,
    /// The bits that an attacker has to guess of the cipher's key.
    pub cipher_bits: Option<u16>,
    /// What is wrong with it.
    pub weaknesses: Vec<Weakness>,
}

/// A certificate that the server shows.
#[derive(Debug, Clone, Serialize)]
pub struct CertificateFound {
    /// Its subject, or first name.
    pub name: String,
    /// The names in subjectAltName.
    pub names: Vec<String>,
    /// Its issuer.
    pub issuer: String,
    /// The kind of its key: `RSA-2048`, `P-256`; `null` where certkit does not handle it.
    pub key: Option<String>,
    /// The size of the key in bits.
    pub key_bits: Option<u16>,
    /// What its issuer signed it with.
    pub signature: String,
    /// When it begins, RFC 3339.
    pub not_before: String,
    /// When it ends, RFC 3339.
    pub not_after: String,
    /// SHA-256 of its DER in hexadecimal.
    pub sha256: String,
    /// SHA-256 of its SubjectPublicKeyInfo in hexadecimal.
    pub spki_sha256: String,
    /// The versions it was shown in.
    pub versions: Vec<ProtocolVersion>,
    /// The chain that came with it, its own certificate left out.
    pub chain: Vec<ChainEntry>,
    /// Why it cannot be read, where it cannot.
    pub problem: Option<String>,
}

/// A certificate after the server's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainEntry {
    /// Its subject.
    pub name: String,
    /// What its issuer signed it with.
    pub signature: String,
    /// Whether it signed itself, so that its signature means nothing.
    pub self_issued: bool,
    /// The kind of its key.
    pub key: Option<String>,
    /// The size of the key in bits.
    pub key_bits: Option<u16>,
}

/// What a server answers to extensions and oddities. `null` is not asked, or has no meaning with its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Features {
    /// The application protocols it takes (RFC 7301), in the order it chose them.
    pub alpn: Option<Vec<String>>,
    /// renegotiation_info (RFC 5746).
    pub secure_renegotiation: Option<bool>,
    /// extended_master_secret (RFC 7627).
    pub extended_master_secret: Option<bool>,
    /// encrypt_then_mac (RFC 7366), where it takes a suite with CBC.
    pub encrypt_then_mac: Option<bool>,
    /// session_ticket (RFC 5077), before TLS 1.3.
    pub session_ticket: Option<bool>,
    /// Whether it gives sessions an identifier, before TLS 1.3.
    pub session_id: Option<bool>,
    /// Whether an OCSP response comes with the certificate.
    pub ocsp_stapling: Option<bool>,
    /// Whether timestamps of Certificate Transparency come in an extension (RFC 6962 §3.3.1).
    pub certificate_timestamps: Option<bool>,
    /// heartbeat (RFC 6520).
    pub heartbeat: Option<bool>,
    /// The compression of records it takes: CRIME.
    pub compression: Option<String>,
    /// Whether TLS_FALLBACK_SCSV is heeded (RFC 7507), where it speaks several versions.
    pub fallback_scsv: Option<bool>,
    /// Whether its random says that it could do better, where it could (RFC 8446 §4.1.3).
    pub downgrade_sentinel: Option<bool>,
    /// Whether it asks for another key share (RFC 8446 §4.1.4).
    pub hello_retry_request: Option<bool>,
    /// How it compresses its certificates (RFC 8879).
    pub certificate_compression: Option<CertificateCompression>,
    /// Whether it wants a certificate of the client.
    pub client_certificate: Option<bool>,
    /// Whether two connections got the same public key for the exchange.
    pub reused_key_exchange: Option<bool>,
    /// Whether numbers that do not exist are passed over (RFC 8701).
    pub tolerates_grease: Option<bool>,
    /// Whether a hello that says TLS 1.4 is answered with a lower version.
    pub tolerates_future_version: Option<bool>,
    /// Whether a hello of 8 kB is answered.
    pub tolerates_long_hello: Option<bool>,
    /// Whether it answers without server_name, where that was sent.
    pub answers_without_server_name: Option<bool>,
}
