//! `certkit key public`: the public key of anything that has one.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::ValueEnum;
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::files::{Mode, WriteSet, is_dash};
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, dim, strong};
use crate::container::{ContainerError, Item, KeyForm, PrivateKeyItem};
use crate::describe::PublicKeyDescription;
use crate::encoding::pem as armour;
use crate::key::PublicKey;

/// Take the public key out of a private key, a certificate or a request
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For example:
  certkit key public key.pem
  certkit key public cert.pem --format jwk --out key.jwk")]
pub(super) struct Args {
    /// A private or public key, a certificate or a request; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where to write it; `-` is stdout
    #[arg(long, value_name = "OUT", default_value = "-")]
    out: PathBuf,

    /// The form: SubjectPublicKeyInfo in PEM or DER, or a JSON Web Key
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,

    /// Where the passphrase of an encrypted key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,

    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Pem,
    Der,
    Jwk,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let to_stdout = is_dash(&args.out);
    if to_stdout && args.force {
        return Err(anyhow!("--force has no effect without a file to replace")).hint("name one with --out");
    }
    // As text the key is the answer itself, and with --json a member of it; as DER it takes stdout.
    if !to_stdout || args.format == Format::Der {
        WriteSet::check([args.out.as_path()], args.force, session)?;
    }
    let key = read(&args.file, args.passphrase.as_ref())?;
    let contents = match args.format {
        Format::Pem => armour::write("PUBLIC KEY", key.spki_der()).as_bytes().to_vec(),
        Format::Der => key.spki_der().to_vec(),
        Format::Jwk => format!("{}\n", key.to_jwk()?).into_bytes(),
    };
    if to_stdout && args.format == Format::Der {
        session.raw(&contents)?;
        return Ok(Exit::Yes);
    }
    let public_key = PublicKeyDescription::of(&key);
    let mut answer = Extracted { file: None, key: None, public_key };
    if to_stdout {
        answer.key = Some(String::from_utf8(contents)?);
    } else {
        let mut files = WriteSet::new(args.force);
        files.add(args.out.clone(), contents, Mode::Public);
        files.write(session)?;
        answer.file = Some(shown(&args.out));
    }
    session.answer(&answer)?;
    Ok(Exit::Yes)
}

fn read(path: &Path, source: Option<&PassphraseSource>) -> anyhow::Result<PublicKey> {
    let loaded = Loaded::read(path)?;
    let found = loaded.document.first_private_key();
    match (found, source) {
        (Ok(PrivateKeyItem::Encrypted(_)), _) | (_, Some(_)) => Ok(loaded.private_key(source)?.public_key().clone()),
        (Ok(PrivateKeyItem::Plain(key)), None) => Ok(key.public_key().clone()),
        (Err(error @ ContainerError::Instead { .. }), None) => match of(&loaded)? {
            Some((_, key)) => Ok(key),
            None => Err(error).with_context(|| cannot_use(path)),
        },
        (Err(error), None) => Err(error).with_context(|| cannot_use(path)),
    }
}

/// The first public key in a file without a private one; in a chain that is the key of the certificate it is about.
pub(super) fn of(loaded: &Loaded) -> anyhow::Result<Option<(KeyForm, PublicKey)>> {
    let found = |item: &Item| item.public_key().map(|key| (item.key_form(), key));
    let Some((form, key)) = loaded.document.items().iter().find_map(found) else { return Ok(None) };
    let key = key.with_context(|| format!("cannot use the key in {}", loaded.shown()))?;
    Ok(Some((form, key)))
}

#[derive(Serialize)]
struct Extracted {
    /// The file that was written, if one was.
    file: Option<String>,
    /// The key as PEM or JWK, if no file was written.
    key: Option<String>,
    public_key: PublicKeyDescription,
}

impl Report for Extracted {
    fn text(&self, text: &mut Text) {
        if let Some(key) = &self.key {
            text.verbatim(key);
        }
        if let Some(file) = &self.file {
            let algorithm = self.public_key.algorithm.as_deref().unwrap_or_default();
            text.line(format_args!("wrote {}: {algorithm} public key", strong(file)));
            text.fields([("SPKI pin", dim(format!("sha256/{}", self.public_key.spki_sha256)))]);
        }
    }
}
