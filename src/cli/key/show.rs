//! `certkit key show`: what is this key?

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::output::{Report, Session};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::sheet;
use crate::cli::text::Text;
use crate::container::{ContainerError, PrivateKeyItem};
use crate::describe::{Description, PrivateKeyDescription, PublicKeyDescription};

/// Show type, size and SPKI pin of a key, and whether it is encrypted; never a private number
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of a file without a private key, the public key is shown: of a public key, a certificate or a request.

For example:
  certkit key show key.pem
  certkit key show key.pem --passphrase prompt     opens an encrypted key to look into it")]
pub(super) struct Args {
    /// The key, in PEM, DER or JWK; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Open an encrypted key with this passphrase: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let loaded = Loaded::read(&args.file)?;
    let description = match (loaded.document.first_private_key(), &args.passphrase) {
        (Ok(PrivateKeyItem::Encrypted(encrypted)), Some(source)) => {
            let key = loaded.open(encrypted, source)?;
            Description::PrivateKey(PrivateKeyDescription::opened(&key, encrypted))
        }
        (Ok(_), Some(source)) => return loaded.private_key(Some(source)).map(|_| Exit::Yes),
        (Ok(_), None) => {
            let key = loaded.document.items().iter().find(|item| item.private_key().is_some());
            // There is one: it was just found.
            key.map_or(Description::Unknown, |item| Description::of(item, crate::cli::clock::now()))
        }
        (Err(error @ ContainerError::Instead { .. }), None) => match super::public::of(&loaded)? {
            Some((form, key)) => Description::PublicKey { form, public_key: PublicKeyDescription::of(&key) },
            None => return Err(anyhow::Error::new(error).context(cannot_use(&args.file))),
        },
        (Err(error), _) => return Err(anyhow::Error::new(error).context(cannot_use(&args.file))),
    };
    session.answer(&Shown { file: loaded.shown(), description })?;
    Ok(Exit::Yes)
}

#[derive(Serialize)]
struct Shown {
    file: String,
    #[serde(flatten)]
    description: Description,
}

impl Report for Shown {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.description.sheet(), "", text);
    }
}
