//! What stays whatever `--force` says: a private key, and what a command reads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, anyhow};
use zeroize::Zeroizing;

use super::is_dash;
use super::resolved::resolved;
use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};
use crate::container::holds_private_key;

/// Refuses to put something without a private key in the place of files that hold one: asked before anything is signed.
/// [`WriteSet::write`](super::WriteSet::write) refuses it too.
///
/// # Errors
/// When one of them holds a private key, of whatever kind and form, or cannot be read.
pub fn spare_keys<'a>(paths: impl IntoIterator<Item = &'a Path>) -> anyhow::Result<()> {
    paths
        .into_iter()
        .filter(|path| !is_dash(path))
        .try_for_each(|path| may_give_way(path).with_context(|| format!("cannot write {}", shown(path))))
}

/// Refuses to write over what is read.
///
/// # Errors
/// When both are one file, however they are spelled.
pub fn spare_input(out: &Path, input: &Path) -> anyhow::Result<()> {
    let is_one = !is_dash(out) && !is_dash(input) && is_file(out) && resolved(out) == resolved(input);
    match is_one {
        true => Err(anyhow!("cannot write {}: what is asked for is read from it", shown(out)))
            .hint("choose another file with --out"),
        false => Ok(()),
    }
}

/// Whether a file may give way to contents without a private key.
pub(super) fn may_give_way(path: &Path) -> anyhow::Result<()> {
    if !is_file(path) {
        return Ok(());
    }
    match start_of(path) {
        Ok(start) if !holds_key(&start) => Ok(()),
        Ok(_) => Err(anyhow!("it holds a private key, and what would take its place holds none"))
            .hint("name another file, or remove this one yourself first"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(plain(error).context("whether it holds a private key cannot be seen")).hint("name another file")
        }
    }
}

/// Whether there is a private key, of whatever kind: PKCS #8, under a passphrase, or that of an algorithm, as PEM or DER, or in
/// another form. A block of PEM that is cut off or otherwise broken counts: it may be all that is left of one.
pub(super) fn holds_key(contents: &[u8]) -> bool {
    has_label(contents) || holds_private_key(contents)
}

fn has_label(contents: &[u8]) -> bool {
    contents.split(|byte| *byte == b'\n').any(|line| {
        let label = line.trim_ascii().strip_prefix(b"-----BEGIN ").and_then(|line| line.strip_suffix(b"-----"));
        label.is_some_and(|label| label.ends_with(b"PRIVATE KEY"))
    })
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file())
}

fn start_of(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len().min(LOOKED_AT);
    // As large as it will be: memory that moves is not wiped.
    let mut start = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default()));
    file.take(size).read_to_end(&mut start)?;
    Ok(start)
}

/// How much of a file is looked at, in bytes: more than a key behind the longest chain takes.
const LOOKED_AT: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_of_whatever_kind_is_seen() {
        for label in
            ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"]
        {
            for end in ["\n", "\r\n", " \n"] {
                assert!(holds_key(format!("# mine\n\n-----BEGIN {label}-----{end}MII").as_bytes()));
            }
            assert!(holds_key(format!("-----BEGIN CERTIFICATE-----\nMII\n-----BEGIN {label}-----").as_bytes()));
        }
        for other in ["", "PRIVATE KEY", "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN CERTIFICATE-----\nMII"] {
            assert!(!holds_key(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_key_in_der_is_seen() {
        use crate::key::{Kdf, KeyAlgorithm, PrivateKey};
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa65] {
            let key = PrivateKey::generate(algorithm).unwrap();
            assert!(holds_key(&key.to_pkcs8_der()), "{algorithm}");
            assert!(holds_key(&key.encrypt(b"sesame", Kdf::default()).unwrap()), "{algorithm}");
            assert!(!holds_key(key.public_key().spki_der()), "{algorithm}");
        }
    }

    #[test]
    fn a_key_stays_and_so_does_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("key.pem"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
        fs::write(at("other.pem"), "-----BEGIN PUBLIC KEY-----\n").unwrap();
        spare_keys([at("other.pem").as_path(), &at("none.pem"), folder.path(), Path::new("-")]).unwrap();
        let error = spare_keys([at("other.pem").as_path(), &at("key.pem")]).unwrap_err();
        assert!(format!("{error:#}").contains("key.pem: it holds a private key"), "{error:#}");
        spare_input(&at("other.pem"), &at("key.pem")).unwrap();
        spare_input(Path::new("-"), Path::new("-")).unwrap();
        let error = spare_input(&folder.path().join("./other.pem"), &at("other.pem")).unwrap_err();
        assert!(error.to_string().contains("is read from it"), "{error:#}");
    }
}
