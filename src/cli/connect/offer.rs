//! What the client offers: flags.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::ValueEnum;

use crate::cli::load::{self, Loaded};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::connect::{ClientIdentity, Offer};
use crate::dial::Endpoint;
use crate::tls::code::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::x509::ServerName;

#[derive(Debug, clap::Args)]
pub(super) struct OfferArgs {
    /// Ask for this name in the ClientHello, in place of the one that was dialled
    #[arg(long, value_name = "NAME", help_heading = "What is offered")]
    pub(super) sni: Option<ServerName>,

    /// Ask for no name in the ClientHello
    #[arg(long, conflicts_with = "sni", help_heading = "What is offered")]
    no_sni: bool,

    /// Offer these application protocols, preferred first: h2,http/1.1
    #[arg(long, value_name = "PROTOCOLS", value_delimiter = ',', help_heading = "What is offered")]
    alpn: Vec<String>,

    /// Offer this version of TLS alone
    #[arg(long, value_enum, value_name = "VERSION", help_heading = "What is offered")]
    tls: Option<VersionName>,

    /// Offer these cipher suites, preferred first: TLS_AES_128_GCM_SHA256,...
    #[arg(long, value_name = "SUITES", value_delimiter = ',', help_heading = "What is offered")]
    ciphers: Vec<String>,

    /// Offer these groups for the key exchange, preferred first: X25519MLKEM768,x25519,secp256r1
    #[arg(long, value_name = "GROUPS", value_delimiter = ',', help_heading = "What is offered")]
    groups: Vec<String>,

    /// Show this certificate to a server that asks for one; its issuers may follow it in the file
    #[arg(long, value_name = "FILE", help_heading = "What is offered")]
    cert: Option<PathBuf>,

    /// The key of --cert, where it is not in the same file
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "What is offered")]
    key: Option<PathBuf>,

    /// Where the passphrase of an encrypted key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE", requires = "cert", help_heading = "What is offered")]
    passphrase: Option<PassphraseSource>,
}

/// The versions by the names users type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum VersionName {
    /// TLS 1.2.
    #[value(name = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[value(name = "1.3")]
    Tls13,
}

impl OfferArgs {
    /// The offer to an endpoint. `http` says that HTTP/1.1 will be spoken; `resume` that early data may be.
    pub(super) fn offer(&self, endpoint: &Endpoint, http: bool, resume: bool) -> anyhow::Result<Offer> {
        if http && !self.alpn.is_empty() && !self.alpn.iter().any(|name| name == "http/1.1") {
            bail!("--http speaks HTTP/1.1, and --alpn does not offer http/1.1");
        }
        let protocols = match (self.alpn.as_slice(), http) {
            ([], true) => vec!["http/1.1".to_owned()],
            (given, _) => given.to_vec(),
        };
        if protocols.iter().any(|name| name.is_empty() || name.len() > 255) {
            bail!("the name of an application protocol has 1 to 255 bytes (RFC 7301 §3.1)");
        }
        Ok(Offer {
            sends_name: !self.no_sni,
            protocols: protocols.into_iter().map(String::into_bytes).collect(),
            version: self.tls.map(|version| match version {
                VersionName::Tls12 => ProtocolVersion::TLS1_2,
                VersionName::Tls13 => ProtocolVersion::TLS1_3,
            }),
            cipher_suites: self.ciphers.iter().map(|name| suite(name)).collect::<Result<_, _>>()?,
            groups: self.groups.iter().map(|name| group(name)).collect::<Result<_, _>>()?,
            identity: self.identity()?,
            early_data: resume,
            ..Offer::new(self.sni.clone().unwrap_or_else(|| endpoint.host.clone()))
        })
    }

    fn identity(&self) -> anyhow::Result<Option<ClientIdentity>> {
        let Some(path) = &self.cert else { return Ok(None) };
        let loaded = Loaded::read(path)?;
        let chain = loaded.certificates()?;
        let key = match &self.key {
            Some(path) => Loaded::read(path)?.private_key(self.passphrase.as_ref())?,
            None => match loaded.document.items().iter().any(|item| item.private_key().is_some()) {
                true => loaded.private_key(self.passphrase.as_ref())?,
                false => {
                    return Err(anyhow!("{} holds no private key", load::name(path))).hint("--key FILE names its key");
                }
            },
        };
        let fits = chain.first().and_then(|leaf| leaf.public_key().ok()).is_some_and(|own| own == *key.public_key());
        if !fits {
            let what = format!("the key does not belong to the first certificate of {}", load::name(path));
            return Err(anyhow!(what)).hint("`certkit key match` finds out what belongs together");
        }
        Ok(Some(ClientIdentity { chain, key }))
    }
}

fn suite(name: &str) -> anyhow::Result<CipherSuite> {
    let known = Offer::known_cipher_suites();
    let wanted = |suite: &CipherSuite| suite.to_string().eq_ignore_ascii_case(name);
    if let Some(found) = known.iter().copied().find(wanted) {
        return Ok(found);
    }
    let why = match CipherSuite::from_name(&name.to_ascii_uppercase()) {
        Some(_) => "cannot be offered by this client",
        None => "is no cipher suite",
    };
    Err(anyhow!("`{name}` {why}")).hint(format!("there are {}", listed(&known)))
}

fn group(name: &str) -> anyhow::Result<NamedGroup> {
    let known = Offer::known_groups();
    let other = match name.to_ascii_lowercase().as_str() {
        "p-256" | "p256" | "prime256v1" => "secp256r1",
        "p-384" | "p384" => "secp384r1",
        _ => name,
    };
    let found = known.iter().copied().find(|group| group.to_string().eq_ignore_ascii_case(other));
    match found {
        Some(found) => Ok(found),
        None => Err(anyhow!("`{name}` is no group that can be offered")).hint(format!("there are {}", listed(&known))),
    }
}

fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
