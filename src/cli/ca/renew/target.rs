//! The files that a renewed certificate goes to.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use crate::cli::ca::own_files::spare;
use crate::cli::ca::place::Chosen;
use crate::cli::ca::signer::SignerArgs;
use crate::cli::files::{self, Mode, WriteSet, file_name_for, is_dash, must_arrive, same_place, spare_keys};
use crate::cli::load::{Loaded, name};
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::container::PrivateKeyItem;
use crate::encoding::pem;
use crate::x509::Certificate;

/// Where certificate and key are, and what of the files stays as it is.
pub(super) struct Files {
    out: PathBuf,
    keyout: PathBuf,
    /// The blocks of the certificate's file, where it is there.
    before: Option<Vec<pem::Block>>,
    /// What is where the key's file should be.
    key: KeyFile,
    /// Whether the key's file was named.
    keyout_given: bool,
    /// Whether the pair goes elsewhere, and leaves the old one behind.
    elsewhere: bool,
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyFile {
    Absent,
    /// A key under a passphrase, which may be the certificate's.
    Encrypted,
    /// The certificate's key.
    Own,
    /// Something else.
    Other,
}

impl Files {
    /// The files of a certificate: this one and its key's, by the names that `certkit ca issue` gives them.
    ///
    /// # Errors
    /// When something else is in the place of the certificate, unless that may be replaced.
    pub(super) fn of(
        old: &Certificate,
        file: Option<&Path>,
        out: Option<&Path>,
        keyout: Option<&Path>,
        force: bool,
    ) -> anyhow::Result<Self> {
        let from = match file {
            Some(file) => file.to_owned(),
            None => Self::usual(old)?,
        };
        let (out_given, keyout_given) = (out.is_some(), keyout.is_some());
        let out = out.map_or(from, Path::to_owned);
        let before = if is_dash(&out) || !out.is_file() { None } else { blocks(&out, old, force || out_given)? };
        let has_key = before.iter().flatten().any(is_key);
        let keyout = match keyout {
            Some(keyout) => keyout.to_owned(),
            None if has_key || is_dash(&out) => out.clone(),
            None => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                out.with_file_name(format!("{stem}-key.pem"))
            }
        };
        let key = if is_dash(&keyout) { KeyFile::Absent } else { KeyFile::at(&keyout, old) };
        // With --out a file that is there is somebody's, unless it holds the old certificate.
        let force = force || !out_given || before.is_some();
        Ok(Self { out, keyout, before, key, keyout_given, elsewhere: out_given, force })
    }

    /// The file that `certkit ca issue` writes for such a certificate.
    pub(super) fn usual(certificate: &Certificate) -> anyhow::Result<PathBuf> {
        Ok(format!("{}.pem", file_name_for(&label(certificate))?).into())
    }

    /// Refuses to make a new key where the old one lies elsewhere: its owner would go on with that one and the new
    /// certificate. `replace` lets something else be replaced.
    pub(super) fn has_place_for_key(&self, replace: bool) -> anyhow::Result<()> {
        let (out, keyout) = (show(&self.out), show(&self.keyout));
        match self.key {
            KeyFile::Absent if self.before.is_some() && !self.elsewhere && !self.keyout_given => {
                Err(anyhow!("the key of {out} is not where it is looked for: there is no {keyout}"))
                    .hint("say with --keyout where it is, or where the new one goes")
            }
            KeyFile::Other if !replace => Err(anyhow!("{keyout} does not hold the key of {out}"))
                .hint("say with --keyout where it is; --force replaces what is there"),
            KeyFile::Absent | KeyFile::Encrypted | KeyFile::Own | KeyFile::Other => Ok(()),
        }
    }

    /// Refuses what cannot be written, before anything is signed, and what is a file of the CA.
    pub(super) fn check(
        &self,
        new_key: bool,
        chosen: &Chosen,
        signer: &SignerArgs,
        session: &Session,
    ) -> anyhow::Result<()> {
        let keyout = Some(self.keyout.as_path()).filter(|_| new_key && !self.is_one());
        let paths = std::iter::once(self.out.as_path()).chain(keyout);
        WriteSet::check(paths.clone(), self.force, session)?;
        Some(self.keyout.as_path()).filter(|_| new_key).map_or(Ok(()), |keyout| must_arrive(keyout, session))?;
        spare(chosen, Some(signer), paths)?;
        let keeps_a_key = self.before.iter().flatten().any(is_key) || (new_key && self.is_one());
        if keeps_a_key { Ok(()) } else { spare_keys([self.out.as_path()]) }
    }

    /// Whether the key that is there is under a passphrase.
    pub(super) fn key_is_encrypted(&self) -> bool {
        self.key == KeyFile::Encrypted
    }

    /// Where the certificate goes.
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    /// Where the key goes.
    pub(super) fn keyout(&self) -> &Path {
        &self.keyout
    }

    /// Where the key goes, in words.
    pub(super) fn keyout_shown(&self) -> String {
        show(&self.keyout)
    }

    /// The names of the files that will change.
    pub(super) fn names(&self, new_key: bool) -> Vec<String> {
        let keyout = Some(&self.keyout).filter(|_| new_key && !self.is_one());
        std::iter::once(&self.out).chain(keyout).map(|path| show(path)).collect()
    }

    /// Writes the certificate, and the key where it is new: both or neither.
    pub(super) fn write(
        self,
        chain: &str,
        key: Option<Zeroizing<String>>,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let mut files = WriteSet::new(self.force).whole();
        let one = self.is_one();
        let (contents, secret) = self.rewritten(chain, key.as_deref().filter(|_| one));
        let mode = if secret { Mode::Secret } else { Mode::Public };
        // The key first: a server that reads between the two finds a pair that does not match, and never a certificate
        // whose key is nowhere.
        if let Some(key) = key.filter(|_| !one) {
            files.add(self.keyout, key.as_bytes().to_vec(), Mode::Secret);
        }
        files.add(self.out, contents, mode);
        files.write(session)?;
        Ok(())
    }

    fn is_one(&self) -> bool {
        same_place(&self.out, &self.keyout)
    }

    /// The certificate's file with the new chain in the place of the old one, and a new key in the place of the old one;
    /// and whether there is a key in it.
    fn rewritten(&self, chain: &str, key: Option<&String>) -> (Zeroizing<Vec<u8>>, bool) {
        // Room for more than all of it: what grows leaves copies of the key behind.
        let others = self.before.iter().flatten().map(|block| 2 * (block.contents.len() + block.label.len()) + 64);
        let room = chain.len() + key.map_or(0, String::len) + others.sum::<usize>();
        let (mut text, mut chain_due, mut key_due) = (Zeroizing::new(String::with_capacity(room)), true, key.is_some());
        let mut secret = key.is_some();
        for block in self.before.iter().flatten() {
            if is_key(block) {
                secret = true;
                match key {
                    Some(key) if std::mem::take(&mut key_due) => text.push_str(key),
                    Some(_) => {}
                    None => text.push_str(&pem::write(&block.label, &block.contents)),
                }
            } else if block.label == "CERTIFICATE" {
                if std::mem::take(&mut chain_due) {
                    text.push_str(chain);
                }
            } else {
                // Parameters and the like are the user's.
                text.push_str(&pem::write(&block.label, &block.contents));
            }
        }
        if let Some(key) = key.filter(|_| key_due) {
            text.insert_str(0, key);
        }
        if chain_due {
            text.push_str(chain);
        }
        (Zeroizing::new(text.as_bytes().to_vec()), secret)
    }
}

impl KeyFile {
    /// What is in the place of this certificate's key.
    fn at(path: &Path, certificate: &Certificate) -> Self {
        if !path.is_file() {
            return Self::Absent;
        }
        let Ok(loaded) = Loaded::read(path) else { return Self::Other };
        match loaded.document.first_private_key() {
            Ok(PrivateKeyItem::Encrypted(_)) => Self::Encrypted,
            Ok(PrivateKeyItem::Plain(key)) if certificate.public_key().is_ok_and(|own| own == *key.public_key()) => {
                Self::Own
            }
            Ok(PrivateKeyItem::Plain(_)) | Err(_) => Self::Other,
        }
    }
}

/// The blocks of a file, whose first certificate is the old one.
fn blocks(path: &Path, old: &Certificate, replace: bool) -> anyhow::Result<Option<Vec<pem::Block>>> {
    let contents = files::read(path)?;
    let other = || {
        Err(anyhow!("{} does not hold the certificate that is renewed", shown(path)))
            .hint("--out writes it elsewhere, --force replaces the file")
    };
    if !pem::looks_like_pem(&contents) {
        let is_old = Certificate::from_der(&contents).is_ok_and(|held| held == *old);
        return match (replace, is_old) {
            (true, _) => Ok(None),
            (false, true) => Err(anyhow!("{} is DER, and what takes its place is PEM", shown(path)))
                .hint("--out writes it elsewhere, --force replaces the file"),
            (false, false) => other(),
        };
    }
    let blocks: Vec<pem::Block> = pem::read(&contents)
        .into_iter()
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot use {}", shown(path)))?;
    let first = blocks.iter().find(|block| block.label == "CERTIFICATE");
    if first.is_none_or(|first| first.contents.as_slice() != old.der()) {
        return if replace { Ok(None) } else { other() };
    }
    if let Some(block) = blocks.iter().find(|block| !block.headers.is_empty()) {
        bail!(
            "the {} block on line {} of {} has headers that would be lost: convert it with `certkit key convert`",
            block.label,
            block.line,
            shown(path)
        );
    }
    Ok(Some(blocks))
}

/// What the files of a certificate are called after.
fn label(certificate: &Certificate) -> String {
    let names = certificate.subject_alt_names().unwrap_or_default();
    let first = names.first().map(crate::x509::GeneralName::value);
    first.or_else(|| certificate.subject().common_names().into_iter().next()).unwrap_or_default()
}

fn is_key(block: &pem::Block) -> bool {
    block.label.ends_with("PRIVATE KEY")
}

fn show(path: &Path) -> String {
    if is_dash(path) { "stdout".to_owned() } else { name(path) }
}
