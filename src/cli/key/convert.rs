//! `certkit key convert`: a private key in another form, or under another passphrase.

use std::path::PathBuf;

use anyhow::{Context, anyhow};

use super::format::{self, Format, KdfName, Protection};
use crate::cli::ca::other_files::spare_others;
use crate::cli::exit::Exit;
use crate::cli::files::{WriteSet, resolved};
use crate::cli::load::Loaded;
use crate::cli::output::Session;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::container::{Content, PrivateKeyItem};

/// Write a private key in another form, encrypt or decrypt it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For example:
  certkit key convert old.key --out key.pem                     PKCS#1, SEC1, DER or JWK to PKCS#8
  certkit key convert key.pem --out key.jwk --format jwk
  certkit key convert key.pem --out key.pem --encrypt --force   puts it under a passphrase
  certkit key convert key.pem --out plain.pem --decrypt")]
pub(super) struct Args {
    /// The key, in PEM, DER or JWK; `-` is stdin
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where to write it; `-` is stdout
    #[arg(long, value_name = "OUT")]
    out: PathBuf,

    /// The form of the new file
    #[arg(long, value_enum, default_value_t = Format::Pkcs8)]
    format: Format,

    /// Encrypt it under a new passphrase (PBES2 with AES-256-CBC)
    #[arg(long, conflicts_with = "decrypt")]
    encrypt: bool,

    /// Write an encrypted key in the clear
    #[arg(long)]
    decrypt: bool,

    /// Where the passphrase of IN comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if it is encrypted]
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,

    /// Where the passphrase of OUT comes from [default: prompt]
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    new_passphrase: Option<PassphraseSource>,

    /// How the new passphrase is stretched [default: pbkdf2]
    #[arg(long, value_enum, requires = "encrypt")]
    kdf: Option<KdfName>,

    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    WriteSet::check([args.out.as_path()], args.force, session)?;
    // The key itself in another form takes the place of the key.
    if resolved(&args.out) != resolved(&args.input) {
        spare_others([args.out.as_path()], None)?;
    }
    if args.encrypt {
        args.format.may_encrypt()?;
    }
    let loaded = Loaded::read(&args.input)?;
    let shown = loaded.shown();
    let found = loaded.document.first_private_key().with_context(|| format!("cannot convert {shown}"));
    let is_public = loaded.document.items().iter().any(|item| matches!(item.content, Content::PublicKey(..)));
    let found = if is_public { found.hint("`certkit key public` writes public keys") } else { found };
    match found? {
        PrivateKeyItem::Plain(_) if args.decrypt => {
            return Err(anyhow!("{shown} is not encrypted: --decrypt has no effect")).hint("leave it out");
        }
        PrivateKeyItem::Encrypted(_) if !args.encrypt && !args.decrypt => {
            return Err(anyhow!("{shown} is encrypted, and it is not said whether the new file shall be"))
                .hint("--encrypt puts it under a new passphrase, --decrypt writes it in the clear");
        }
        PrivateKeyItem::Plain(_) | PrivateKeyItem::Encrypted(_) => {}
    }
    if let Some(rest) = left_out(&loaded) {
        session.say(format_args!("{shown} also holds {rest}, which the new file will not"));
    }
    let key = loaded.private_key(args.passphrase.as_ref())?;
    format::suits(args.format, key.algorithm())?;
    let source = args.new_passphrase.unwrap_or(PassphraseSource::Prompt);
    let protection = Protection { source: &source, kdf: args.kdf.unwrap_or(KdfName::Pbkdf2) };
    format::write(&key, args.format, args.encrypt.then_some(&protection), &args.out, args.force, session)?;
    Ok(Exit::Yes)
}

/// What stands beside the key, in words; the curve before an EC key is a part of it.
fn left_out(loaded: &Loaded) -> Option<String> {
    let mut others: Vec<String> = Vec::new();
    for item in loaded.document.items() {
        let name = item.content.with_article();
        let is_key = item.private_key().is_some() || matches!(item.content, Content::EcParameters(_));
        if !is_key && !others.contains(&name) {
            others.push(name);
        }
    }
    (!others.is_empty()).then(|| others.join(" and "))
}
