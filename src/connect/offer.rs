//! What the client offers, by the names of the IANA registries.

use std::fmt::Display;
use std::sync::Arc;

use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs as provided};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::diary::Diary;
use super::witness::Witness;
use crate::key::PrivateKey;
use crate::tls::code::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::x509::{Certificate, ServerName};

/// What a client offers to a server.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The name it asks for (SNI; RFC 6066 §3). An address is not sent.
    pub name: ServerName,
    /// Whether it sends the name at all.
    pub sends_name: bool,
    /// The application protocols, preferred first (RFC 7301); none if there are none.
    pub protocols: Vec<Vec<u8>>,
    /// The only version; `None` for TLS 1.2 and 1.3.
    pub version: Option<ProtocolVersion>,
    /// The cipher suites, preferred first; all that are known if there are none.
    pub cipher_suites: Vec<CipherSuite>,
    /// The groups, preferred first; the usual ones if there are none.
    pub groups: Vec<NamedGroup>,
    /// A certificate for servers that ask for one.
    pub identity: Option<ClientIdentity>,
    /// Whether early data is sent where a ticket allows it.
    pub early_data: bool,
}

/// A client's certificate and key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// Its certificate, then its issuers.
    pub chain: Vec<Certificate>,
    /// The key of the first certificate.
    pub key: PrivateKey,
}

/// What cannot be offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// The name is none that TLS can send.
    #[error("`{0}` cannot be sent as a server name")]
    Name(String),
    /// A cipher suite is not known here.
    #[error("the cipher suite {name} cannot be offered; there are {known}")]
    CipherSuite {
        /// The suite.
        name: String,
        /// Those that can.
        known: String,
    },
    /// A group is not known here.
    #[error("the group {name} cannot be offered; there are {known}")]
    Group {
        /// The group.
        name: String,
        /// Those that can.
        known: String,
    },
    /// The version is neither TLS 1.2 nor 1.3.
    #[error("{0} cannot be offered; there are TLS 1.2 and TLS 1.3")]
    Version(ProtocolVersion),
    /// None of the cipher suites is of the version.
    #[error("none of the cipher suites is one of {0}")]
    NothingIn(ProtocolVersion),
    /// None of the groups is one of the version.
    #[error("{0} has none of these groups")]
    NoGroupIn(ProtocolVersion),
    /// The key of the client is of a kind that cannot sign here.
    #[error("a {0} key cannot sign as a client's")]
    Key(String),
}

impl Offer {
    /// What is offered where nobody wants something else: this name, no application protocol.
    pub fn new(name: ServerName) -> Self {
        Self {
            name,
            sends_name: true,
            protocols: Vec::new(),
            version: None,
            cipher_suites: Vec::new(),
            groups: Vec::new(),
            identity: None,
            early_data: false,
        }
    }

    /// All cipher suites that can be offered, preferred first.
    pub fn known_cipher_suites() -> Vec<CipherSuite> {
        provided::ALL_CIPHER_SUITES.iter().map(suite_code).collect()
    }

    /// All groups that can be offered.
    pub fn known_groups() -> Vec<NamedGroup> {
        provided::ALL_KX_GROUPS.iter().map(|group| group_code(*group)).collect()
    }

    pub(super) fn config(&self, witness: Arc<Witness>, diary: Arc<Diary>) -> Result<ClientConfig, OfferError> {
        let provider = CryptoProvider {
            cipher_suites: self.suites()?,
            kx_groups: self.kx_groups()?,
            ..provided::default_provider()
        };
        let versions = match self.version {
            None => usable_versions(&provider),
            Some(ProtocolVersion::TLS1_2) => vec![&rustls::version::TLS12],
            Some(ProtocolVersion::TLS1_3) => vec![&rustls::version::TLS13],
            Some(other) => return Err(OfferError::Version(other)),
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&versions)
            .map_err(|_| self.nothing_usable())?
            .dangerous()
            .with_custom_certificate_verifier(witness);
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.load()?))),
        };
        config.alpn_protocols.clone_from(&self.protocols);
        config.enable_sni = self.sends_name;
        config.key_log = diary;
        config.resumption = Resumption::in_memory_sessions(4);
        config.enable_early_data = self.early_data;
        Ok(config)
    }

    fn nothing_usable(&self) -> OfferError {
        let version = self.version.unwrap_or(ProtocolVersion::TLS1_3);
        let of_version = |suite: &CipherSuite| suite.is_tls13() == version.is_tls13();
        match self.cipher_suites.is_empty() || self.cipher_suites.iter().any(of_version) {
            true => OfferError::NoGroupIn(version),
            false => OfferError::NothingIn(version),
        }
    }

    fn suites(&self) -> Result<Vec<SupportedCipherSuite>, OfferError> {
        if self.cipher_suites.is_empty() {
            return Ok(provided::ALL_CIPHER_SUITES.to_vec());
        }
        let find = |wanted: &CipherSuite| {
            let found = provided::ALL_CIPHER_SUITES.iter().find(|suite| suite_code(suite) == *wanted);
            found.copied().ok_or_else(|| OfferError::CipherSuite {
                name: wanted.to_string(),
                known: listed(&Self::known_cipher_suites()),
            })
        };
        self.cipher_suites.iter().map(find).collect()
    }

    fn kx_groups(&self) -> Result<Vec<&'static dyn SupportedKxGroup>, OfferError> {
        if self.groups.is_empty() {
            return Ok(provided::DEFAULT_KX_GROUPS.to_vec());
        }
        let find = |wanted: &NamedGroup| {
            let found = provided::ALL_KX_GROUPS.iter().find(|group| group_code(**group) == *wanted);
            found
                .copied()
                .ok_or_else(|| OfferError::Group { name: wanted.to_string(), known: listed(&Self::known_groups()) })
        };
        self.groups.iter().map(find).collect()
    }

    pub(super) fn server_name(&self) -> Result<rustls::pki_types::ServerName<'static>, OfferError> {
        match &self.name {
            ServerName::Ip(address) => Ok(rustls::pki_types::ServerName::IpAddress((*address).into())),
            ServerName::Dns(name) => rustls::pki_types::ServerName::try_from(name.as_str().to_owned())
                .map_err(|_| OfferError::Name(name.as_str().to_owned())),
        }
    }
}

impl ClientIdentity {
    /// The certificate is not looked into: what the server makes of it is to be seen.
    fn load(&self) -> Result<CertifiedKey, OfferError> {
        // The copy that rustls takes lives as long as its signer, which wipes nothing: so it is with every client.
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.to_pkcs8_der().to_vec()));
        let signer = provided::default_provider().key_provider.load_private_key(key);
        let signer = signer.map_err(|_| OfferError::Key(self.key.algorithm().to_string()))?;
        let chain = self.chain.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
        Ok(CertifiedKey::new(chain, signer))
    }
}

/// The versions for which there is a suite and a group: suites of one version alone mean that version.
fn usable_versions(provider: &CryptoProvider) -> Vec<&'static SupportedProtocolVersion> {
    let has = |tls13: bool| {
        let suite = provider.cipher_suites.iter().any(|suite| suite.tls13().is_some() == tls13);
        let version = if tls13 { rustls::ProtocolVersion::TLSv1_3 } else { rustls::ProtocolVersion::TLSv1_2 };
        suite && provider.kx_groups.iter().any(|group| group.usable_for_version(version))
    };
    match (has(false), has(true)) {
        (true, false) => vec![&rustls::version::TLS12],
        (false, true) => vec![&rustls::version::TLS13],
        _ => vec![&rustls::version::TLS13, &rustls::version::TLS12],
    }
}

/// Names, separated by commas.
pub(super) fn listed<T: Display>(names: &[T]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn suite_code(suite: &SupportedCipherSuite) -> CipherSuite {
    CipherSuite(u16::from(suite.suite()))
}

fn group_code(group: &dyn SupportedKxGroup) -> NamedGroup {
    NamedGroup(u16::from(group.name()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn offer() -> Offer {
        Offer::new("example.test".parse().unwrap())
    }

    fn config(offer: &Offer) -> Result<ClientConfig, OfferError> {
        offer.config(Arc::new(Witness::default()), Arc::new(Diary::default()))
    }

    #[test]
    fn everything_known_has_its_registered_name() {
        for name in Offer::known_cipher_suites().iter().map(|suite| suite.name()) {
            assert!(name.is_some_and(|name| name.starts_with("TLS_")));
        }
        let groups: Vec<_> = Offer::known_groups().iter().map(|group| group.name()).collect();
        assert!(groups.contains(&Some("X25519MLKEM768")) && !groups.contains(&None), "{groups:?}");
    }

    #[test]
    fn what_cannot_be_offered_is_told_with_what_can() {
        let rc4 = Offer { cipher_suites: vec![CipherSuite(0x0005)], ..offer() };
        let told = config(&rc4).unwrap_err().to_string();
        assert!(
            told.starts_with("the cipher suite TLS_RSA_WITH_RC4_128_SHA cannot be offered; there are TLS_"),
            "{told}"
        );
        let x448 = Offer { groups: vec![NamedGroup(30)], ..offer() };
        let told = config(&x448).unwrap_err().to_string();
        assert!(told.starts_with("the group x448 cannot be offered; there are x25519, "), "{told}");
        let old = Offer { version: Some(ProtocolVersion::TLS1_0), ..offer() };
        assert_eq!(config(&old).unwrap_err(), OfferError::Version(ProtocolVersion::TLS1_0));
        let mixed =
            Offer { cipher_suites: vec![CipherSuite(0x1301)], version: Some(ProtocolVersion::TLS1_2), ..offer() };
        assert_eq!(config(&mixed).unwrap_err(), OfferError::NothingIn(ProtocolVersion::TLS1_2));
    }

    #[test]
    fn suites_of_one_version_mean_that_version() {
        let only13 = Offer { cipher_suites: vec![CipherSuite(0x1301)], ..offer() };
        assert!(config(&only13).is_ok());
        let hybrid = Offer { groups: vec![NamedGroup(0x11ec)], ..offer() };
        assert!(config(&hybrid).is_ok());
    }
}
