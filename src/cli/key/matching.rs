//! `certkit key match`: do these keys, certificates and requests belong together?

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::load::Loaded;
use crate::cli::output::{Report, Session};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, dim, good};
use crate::container::Content;
use crate::describe::PublicKeyDescription;
use crate::key::PublicKey;

/// Say whether keys, certificates and requests belong together: exit 0 if all hold one key, 1 if not
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of several certificates in a file only the first one counts: the others are its chain.

For example: certkit key match key.pem cert.pem request.csr")]
pub(super) struct Args {
    /// Private and public keys, certificates, requests; one file may hold several
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Where the passphrase of encrypted keys comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt]
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let mut comparison = Comparison { same: true, keys: Vec::new() };
    let mut distinct: Vec<PublicKey> = Vec::new();
    let mut opened = false;
    for path in &args.files {
        let loaded = Loaded::read(path)?;
        let found = keys(&loaded, args.passphrase.as_ref(), &mut opened)?;
        for (block, what, key) in found {
            let known = distinct.iter().position(|other| *other == key);
            let group = known.unwrap_or(distinct.len()) + 1;
            let public_key = PublicKeyDescription::of(&key);
            if known.is_none() {
                distinct.push(key);
            }
            comparison.keys.push(Compared { file: loaded.shown(), block, what, group, public_key });
        }
    }
    if args.passphrase.is_some() && !opened {
        return Err(anyhow!("no key here is encrypted: --passphrase has no effect")).hint("leave it out");
    }
    if comparison.keys.len() < 2 {
        return Err(anyhow!("there is one key only, and nothing to compare it with")).hint("give a second file");
    }
    comparison.same = distinct.len() == 1;
    session.answer(&comparison)?;
    Ok(Exit::of(comparison.same))
}

type Found = (usize, String, PublicKey);

/// Every key of a file, but of its certificates only the first.
fn keys(loaded: &Loaded, source: Option<&PassphraseSource>, opened: &mut bool) -> anyhow::Result<Vec<Found>> {
    let shown = loaded.shown();
    let mut found: Vec<Found> = Vec::new();
    let mut has_certificate = false;
    for (item, block) in loaded.document.items().iter().zip(1..) {
        let key = match &item.content {
            Content::Certificate(_) if has_certificate => None,
            Content::EncryptedPrivateKey(encrypted) => {
                *opened = true;
                let key = loaded.open(encrypted, source.unwrap_or(&PassphraseSource::Prompt))?;
                Some(Ok(key.public_key().clone()))
            }
            Content::Malformed { what, why } | Content::Unsupported { what, why } => {
                let line = item.line.map(|line| format!(", line {line}")).unwrap_or_default();
                return Err(anyhow!("cannot compare the {what} in {shown}{line}: {why}"));
            }
            Content::Certificate(_)
            | Content::CertificationRequest(_)
            | Content::RevocationList(_)
            | Content::OcspResponse(_)
            | Content::OcspRequest(_)
            | Content::PrivateKey(..)
            | Content::PublicKey(..)
            | Content::EcParameters(_)
            | Content::Unknown { .. } => item.public_key(),
        };
        has_certificate |= item.certificate().is_some();
        if let Some(key) = key.transpose().with_context(|| format!("cannot use the key in {shown}"))? {
            found.push((block, item.content.name(), key));
        }
    }
    if found.is_empty() {
        return Err(anyhow!("there is no key, certificate or request in {shown}"));
    }
    Ok(found)
}

#[derive(Serialize)]
struct Comparison {
    /// Whether all hold one key.
    #[serde(rename = "match")]
    same: bool,
    keys: Vec<Compared>,
}

#[derive(Serialize)]
struct Compared {
    file: String,
    /// Which block of the file, counted from 1.
    block: usize,
    what: String,
    /// Equal keys have equal numbers.
    group: usize,
    public_key: PublicKeyDescription,
}

impl Report for Comparison {
    fn text(&self, text: &mut Text) {
        let groups = self.keys.iter().map(|key| key.group).max().unwrap_or_default();
        if self.same {
            let count = if self.keys.len() == 2 { "both".to_owned() } else { format!("all {}", self.keys.len()) };
            text.line(format_args!("{}: {count} hold the same key", good("yes")));
        } else {
            text.line(format_args!("{}: {groups} different keys", bad("no")));
        }
        let width = |of: fn(&Compared) -> &str| self.keys.iter().map(|key| of(key).chars().count()).max().unwrap_or(0);
        let (file, what) = (width(|key| &key.file), width(|key| &key.what));
        for key in &self.keys {
            let number = if self.same { String::new() } else { format!("key {}  ", key.group) };
            let algorithm = key.public_key.algorithm.as_deref().unwrap_or_default();
            let pin = dim(format!("sha256/{}", key.public_key.spki_sha256));
            text.line(format_args!("  {number}{:file$}  {:what$}  {algorithm:9}  {pin}", key.file, key.what));
        }
    }
}
