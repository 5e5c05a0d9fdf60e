//! `certkit key new`: a new private key.

use std::path::PathBuf;

use super::format::{self, Format, KdfName, Protection};
use crate::cli::ca::other_files::spare_others;
use crate::cli::exit::Exit;
use crate::cli::files::{WriteSet, must_arrive};
use crate::cli::output::Session;
use crate::cli::passphrase::PassphraseSource;
use crate::key::{KeyAlgorithm, PrivateKey};

/// Make a new private key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For example:
  certkit key new                                      P-256, to key.pem
  certkit key new --type rsa:3072 --out server-key.pem
  certkit key new --type ml-dsa-65 --encrypt           asks for a passphrase
  certkit key new --encrypt --passphrase file:secret.txt")]
pub(super) struct Args {
    /// p256, p384, p521, ed25519, rsa:3072 (or another multiple of 8 from 2048 to 8192), ml-dsa-44, ml-dsa-65, ml-dsa-87
    #[arg(long = "type", value_name = "TYPE", default_value = "p256")]
    algorithm: KeyAlgorithm,

    /// Where to write it; `-` is stdout [default: key.pem, key.der or key.jwk by the format]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// The form of the file
    #[arg(long, value_enum, default_value_t = Format::Pkcs8)]
    format: Format,

    /// Encrypt it under a passphrase (PBES2 with AES-256-CBC)
    #[arg(long)]
    encrypt: bool,

    /// Where the passphrase comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt]
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    passphrase: Option<PassphraseSource>,

    /// How the passphrase is stretched [default: pbkdf2]
    #[arg(long, value_enum, requires = "encrypt")]
    kdf: Option<KdfName>,

    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let out = args.out.unwrap_or_else(|| args.format.file_name().into());
    WriteSet::check([out.as_path()], args.force, session)?;
    spare_others([out.as_path()], None)?;
    must_arrive(&out, session)?;
    format::suits(args.format, args.algorithm)?;
    let source = args.passphrase.unwrap_or(PassphraseSource::Prompt);
    let protection = Protection { source: &source, kdf: args.kdf.unwrap_or(KdfName::Pbkdf2) };
    let protection = args.encrypt.then_some(&protection);
    if protection.is_some() {
        args.format.may_encrypt()?;
    }
    let key = PrivateKey::generate(args.algorithm)?;
    format::write(&key, args.format, protection, &out, args.force, session)?;
    Ok(Exit::Yes)
}
