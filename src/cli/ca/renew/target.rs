//! The files that a renewed certificate goes to.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use crate::cli::files::{self, Mode, WriteSet, file_name_for, is_dash, same_place};
use crate::cli::load::name;
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::encoding::pem;
use crate::x509::Certificate;

/// Where certificate and key are, and what of the files stays as it is.
pub(super) struct Files {
    out: PathBuf,
    keyout: PathBuf,
    /// The blocks of the certificate's file, where it is there.
    before: Option<Vec<pem::Block>>,
    /// Whether the key's file is there, and encrypted.
    key: Option<KeyFile>,
    force: bool,
}

struct KeyFile {
    encrypted: bool,
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
            None => format!("{}.pem", file_name_for(&label(old))?).into(),
        };
        let out_given = out.is_some();
        let out = out.map_or(from, Path::to_owned);
        let before = if is_dash(&out) || !out.exists() { None } else { blocks(&out, old, force || out_given)? };
        let has_key = before.iter().flatten().any(is_key);
        let keyout = match keyout {
            Some(keyout) => keyout.to_owned(),
            None if has_key || is_dash(&out) => out.clone(),
            None => {
                let stem = out.file_stem().unwrap_or_default().to_string_lossy();
                out.with_file_name(format!("{stem}-key.pem"))
            }
        };
        let key = match is_dash(&keyout) {
            false if keyout.is_file() => {
                let blocks = pem::read(&files::read(&keyout)?);
                let encrypted =
                    |block: &pem::Block| block.label == "ENCRYPTED PRIVATE KEY" || !block.headers.is_empty();
                Some(KeyFile { encrypted: blocks.iter().flatten().any(|block| is_key(block) && encrypted(block)) })
            }
            _ => None,
        };
        // With --out a file that is there is somebody's, unless it holds the old certificate.
        let force = force || !out_given || before.is_some();
        Ok(Self { out, keyout, before, key, force })
    }

    /// Refuses what cannot be written, before anything is signed.
    pub(super) fn check(&self, new_key: bool, session: &Session) -> anyhow::Result<()> {
        let keyout = Some(self.keyout.as_path()).filter(|_| new_key && !self.is_one());
        let paths = std::iter::once(self.out.as_path()).chain(keyout);
        WriteSet::check(paths, self.force, session)
    }

    /// Whether the key that is there is under a passphrase.
    pub(super) fn key_is_encrypted(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.encrypted)
    }

    /// Where the key goes.
    pub(super) fn keyout(&self) -> &Path {
        &self.keyout
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
        let mut files = WriteSet::new(self.force);
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
        let (mut text, mut chain_due, mut key_due) = (Zeroizing::new(String::new()), true, key.is_some());
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

/// The blocks of a file, whose first certificate is the old one.
fn blocks(path: &Path, old: &Certificate, replace: bool) -> anyhow::Result<Option<Vec<pem::Block>>> {
    let contents = files::read(path)?;
    let other = || {
        Err(anyhow!("{} does not hold the certificate that is renewed", shown(path)))
            .hint("--out writes it elsewhere, --force replaces the file")
    };
    if !pem::looks_like_pem(&contents) {
        return if replace { Ok(None) } else { other().hint("it is no PEM; --out writes the certificate elsewhere") };
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
