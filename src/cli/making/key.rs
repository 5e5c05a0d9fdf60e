//! The key on the command line: a new one or one that is there.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use zeroize::Zeroizing;

use crate::cli::files::{is_dash, same_place};
use crate::cli::load::{Loaded, name};
use crate::cli::output::shown;
use crate::cli::passphrase::{Passphrase, PassphraseSource};
use crate::cli::problem::Hinted;
use crate::encoding::pem;
use crate::key::{Kdf, KeyAlgorithm, PrivateKey};

/// Which key a certificate is for
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct KeyArgs {
    /// The kind of a new key: p256, p384, p521, ed25519, rsa:2048, rsa:3072, rsa:4096, ml-dsa-44, ml-dsa-65 or ml-dsa-87
    /// [default: the profile's, p256]
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "key")]
    algorithm: Option<KeyAlgorithm>,

    /// Use this private key instead of a new one; `-` is stdin
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Encrypt the new key under a passphrase (PBES2 with AES-256-CBC)
    #[arg(long, conflicts_with = "key")]
    encrypt: bool,

    /// Where the passphrase of the key comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,

    /// Where to write the new key [default: after --out, localhost-key.pem beside localhost.pem]; with the same name as
    /// --out, one file holds both, the key first
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(in crate::cli) keyout: Option<PathBuf>,
}

/// A key to be certified.
pub(in crate::cli) struct SubjectKey {
    pub(in crate::cli) key: PrivateKey,
    /// What is to be written, where the key is new.
    pub(in crate::cli) pem: Option<Zeroizing<String>>,
    /// Whether it is under a passphrase.
    pub(in crate::cli) encrypted: bool,
    /// Where an existing key was read from.
    pub(in crate::cli) read_from: Option<String>,
}

impl KeyArgs {
    /// The kind of a new key, where it is chosen.
    pub(in crate::cli) fn algorithm(&self) -> Option<KeyAlgorithm> {
        self.algorithm
    }

    /// The same for a key of another kind, in another file.
    pub(in crate::cli) fn of_type(&self, algorithm: KeyAlgorithm, keyout: Option<PathBuf>) -> Self {
        Self { algorithm: Some(algorithm), keyout, ..self.clone() }
    }

    /// Whether a key will be made.
    pub(in crate::cli) fn is_new(&self) -> bool {
        self.key.is_none()
    }

    /// Whether there is a passphrase for a key that will not be under one.
    pub(in crate::cli) fn has_idle_passphrase(&self) -> bool {
        self.passphrase.is_some() && self.is_new() && !self.encrypt
    }

    /// Refuses what can be refused before anything is made: options without effect, and a file that would replace the key.
    pub(in crate::cli) fn check(&self, out: &Path) -> anyhow::Result<()> {
        if self.has_idle_passphrase() {
            return Err(anyhow!("--passphrase has no effect: the new key is not encrypted"))
                .hint("add --encrypt, or leave it out");
        }
        match &self.key {
            Some(key) if !is_dash(key) && same_place(key, out) => {
                Err(anyhow!("{} holds the key and would be replaced", shown(key)))
                    .hint("choose another file with --out")
            }
            _ => Ok(()),
        }
    }

    /// The key: made, or read.
    pub(in crate::cli) fn obtain(&self, default: KeyAlgorithm, keyout: &Path) -> anyhow::Result<SubjectKey> {
        self.obtain_under(self.new_passphrase(keyout)?.as_ref(), default)
    }

    /// The passphrase that the new key in this file shall be under, if it shall.
    pub(in crate::cli) fn new_passphrase(&self, keyout: &Path) -> anyhow::Result<Option<Passphrase>> {
        let prompt = PassphraseSource::Prompt;
        let wanted = self.encrypt && self.is_new();
        wanted.then(|| self.passphrase.as_ref().unwrap_or(&prompt).new_one(&name(keyout))).transpose()
    }

    /// The key: made, and under this passphrase if there is one, or read.
    pub(in crate::cli) fn obtain_under(
        &self,
        passphrase: Option<&Passphrase>,
        default: KeyAlgorithm,
    ) -> anyhow::Result<SubjectKey> {
        if let Some(path) = &self.key {
            let loaded = Loaded::read(path)?;
            let key = loaded.private_key(self.passphrase.as_ref())?;
            return Ok(SubjectKey { key, pem: None, encrypted: false, read_from: Some(name(path)) });
        }
        let key = PrivateKey::generate(self.algorithm.unwrap_or(default))?;
        let pem = match passphrase {
            None => pem::write("PRIVATE KEY", &key.to_pkcs8_der()),
            Some(passphrase) => pem::write("ENCRYPTED PRIVATE KEY", &key.encrypt(passphrase, Kdf::Pbkdf2)?),
        };
        Ok(SubjectKey { key, pem: Some(pem), encrypted: passphrase.is_some(), read_from: None })
    }
}
