//! A ClientHello freely composed: to find out what a server takes, one question at a time.

use super::{ClientHello, Handshake};
use crate::tls::code::{
    CertificateStatusType, CipherSuite, CompressionMethod, ContentType, EcPointFormat, ExtensionType, NamedGroup,
    ProtocolVersion, PskKeyExchangeMode, SignatureScheme, grease,
};
use crate::tls::extension::{Extension, ExtensionValue, KeyShareEntry, StatusRequest, host_name};
use crate::tls::record::write_records;
use crate::tls::wire::EncodeError;

/// What a hello is to offer. Empty lists leave their extension away; SSL 3.0 gets no extensions at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The versions, the best first. TLS 1.3 goes into supported_versions, with the others; without it the first one
    /// stands in legacy_version alone.
    pub versions: Vec<ProtocolVersion>,
    /// 32 random octets.
    pub random: [u8; 32],
    /// A session, or 32 random octets to please middleboxes (RFC 8446 appendix D.4); at most 32.
    pub session_id: Vec<u8>,
    /// The cipher suites, the best first.
    pub cipher_suites: Vec<CipherSuite>,
    /// The groups, the best first.
    pub groups: Vec<NamedGroup>,
    /// The signature schemes, the best first; sent from TLS 1.2 on.
    pub signature_schemes: Vec<SignatureScheme>,
    /// The host for server_name: an A-label, no address (RFC 6066 §3).
    pub server_name: Option<String>,
    /// The application protocols, the best first.
    pub protocols: Vec<Vec<u8>>,
    /// Public keys for TLS 1.3. Where there are none and TLS 1.3 is offered, key_share is sent empty, which a server
    /// answers with a HelloRetryRequest.
    pub key_shares: Vec<KeyShareEntry>,
    /// Whether an OCSP response is asked for.
    pub status_request: bool,
    /// Whether nonsense is mixed in, which a sound server passes over (RFC 8701). The random octets choose it.
    pub grease: bool,
    /// Further extensions, which take the place of those of their type that would be sent.
    pub extra: Vec<Extension>,
}

impl Offer {
    /// An offer of these versions and suites and nothing else.
    pub fn new(versions: Vec<ProtocolVersion>, random: [u8; 32], cipher_suites: Vec<CipherSuite>) -> Self {
        Self {
            versions,
            random,
            session_id: Vec::new(),
            cipher_suites,
            groups: Vec::new(),
            signature_schemes: Vec::new(),
            server_name: None,
            protocols: Vec::new(),
            key_shares: Vec::new(),
            status_request: false,
            grease: false,
            extra: Vec::new(),
        }
    }

    /// The message.
    ///
    /// # Errors
    /// Parts too long for their length fields.
    pub fn client_hello(&self) -> Result<ClientHello, EncodeError> {
        let tls13 = self.versions.iter().any(|version| version.is_tls13());
        let best = self.versions.iter().copied().find(|version| !version.is_tls13());
        let legacy_version = match tls13 {
            true => ProtocolVersion::TLS1_2,
            false => best.unwrap_or(ProtocolVersion::TLS1_2),
        };
        let mut cipher_suites = self.cipher_suites.clone();
        if self.grease {
            cipher_suites.insert(0, CipherSuite(self.nonsense(0)));
        }
        let extensions = match legacy_version >= ProtocolVersion::TLS1_0 {
            true => Some(self.extensions(tls13, legacy_version)?).filter(|list| !list.is_empty()),
            false => None,
        };
        Ok(ClientHello {
            legacy_version,
            random: self.random,
            session_id: self.session_id.clone(),
            cipher_suites,
            compression_methods: vec![CompressionMethod::NULL],
            extensions: extensions.map(Into::into).unwrap_or_default(),
        })
    }

    /// The message in records, ready to be sent. The records say TLS 1.0, as those of other clients do, or SSL 3.0.
    ///
    /// # Errors
    /// Parts too long for their length fields.
    pub fn records(&self) -> Result<Vec<u8>, EncodeError> {
        let hello = self.client_hello()?;
        let version = hello.legacy_version.min(ProtocolVersion::TLS1_0);
        let message = Handshake::ClientHello(hello).encode()?;
        Ok(write_records(ContentType::HANDSHAKE, version, &message))
    }

    fn extensions(&self, tls13: bool, legacy: ProtocolVersion) -> Result<Vec<Extension>, EncodeError> {
        let mut list = Vec::new();
        let mut add = |wanted: bool, extension_type, value: &dyn Fn() -> ExtensionValue| {
            if wanted && !self.extra.iter().any(|extra| extra.extension_type == extension_type) {
                list.push(Extension::new(extension_type, &value())?);
            }
            Ok(())
        };
        let elliptic = self.groups.iter().any(|group| matches!(group.0, 1..=0x29));
        let empty = || ExtensionValue::Raw(Vec::new());
        add(self.grease, ExtensionType(self.nonsense(1)), &empty)?;
        add(self.server_name.is_some(), ExtensionType::SERVER_NAME, &|| {
            host_name(self.server_name.as_deref().unwrap_or_default())
        })?;
        add(!self.groups.is_empty(), ExtensionType::SUPPORTED_GROUPS, &|| {
            let nonsense = self.grease.then(|| NamedGroup(self.nonsense(2)));
            ExtensionValue::SupportedGroups(nonsense.into_iter().chain(self.groups.iter().copied()).collect())
        })?;
        add(elliptic, ExtensionType::EC_POINT_FORMATS, &|| {
            ExtensionValue::EcPointFormats(vec![EcPointFormat::UNCOMPRESSED])
        })?;
        let signs = legacy.has_signature_algorithms() && !self.signature_schemes.is_empty();
        add(signs, ExtensionType::SIGNATURE_ALGORITHMS, &|| {
            ExtensionValue::SignatureSchemes(self.signature_schemes.clone())
        })?;
        add(!self.protocols.is_empty(), ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, &|| {
            ExtensionValue::Protocols(self.protocols.clone())
        })?;
        add(self.status_request, ExtensionType::STATUS_REQUEST, &|| {
            ExtensionValue::StatusRequest(StatusRequest {
                status_type: CertificateStatusType::OCSP,
                responder_ids: Vec::new(),
                request_extensions: Vec::new(),
            })
        })?;
        add(tls13, ExtensionType::SUPPORTED_VERSIONS, &|| {
            let nonsense = self.grease.then(|| ProtocolVersion(self.nonsense(3)));
            ExtensionValue::SupportedVersions(nonsense.into_iter().chain(self.versions.iter().copied()).collect())
        })?;
        add(tls13, ExtensionType::PSK_KEY_EXCHANGE_MODES, &|| {
            ExtensionValue::PskKeyExchangeModes(vec![PskKeyExchangeMode::PSK_DHE_KE])
        })?;
        add(tls13, ExtensionType::KEY_SHARE, &|| {
            let group = NamedGroup(self.nonsense(2));
            let nonsense = self.grease.then(|| KeyShareEntry { group, key_exchange: vec![0] });
            ExtensionValue::KeyShares(nonsense.into_iter().chain(self.key_shares.iter().cloned()).collect())
        })?;
        list.extend(self.extra.iter().cloned());
        Ok(list)
    }

    /// A GREASE number; each `purpose` has one of its own.
    fn nonsense(&self, purpose: u8) -> u16 {
        let [first, ..] = self.random;
        grease(first.wrapping_add(purpose))
    }
}
