//! Where other programs keep a CA.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::ca::{AuthorityName, Place};
use crate::cli::files;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;

/// A CA as another program left it.
#[derive(Debug)]
pub(super) struct Layout {
    /// The program.
    pub(super) of: &'static str,
    /// Its authorities, the root first: what each is called, its certificate and its key.
    pub(super) authorities: Vec<(AuthorityName, PathBuf, Option<PathBuf>)>,
    /// Folders with what it has issued.
    pub(super) issued: Vec<PathBuf>,
    /// The index that OpenSSL keeps.
    pub(super) index: Option<PathBuf>,
    /// The file in which OpenSSL keeps the number of the next revocation list.
    pub(super) next_list: Option<PathBuf>,
    /// The revocation list that it has published.
    pub(super) lists: Vec<PathBuf>,
    /// Certificates of other CAs that lie in the folder too.
    pub(super) beside: Vec<PathBuf>,
}

/// What lies in this folder, if it is known.
pub(super) fn find(folder: &Path) -> Option<Layout> {
    KNOWN.iter().find_map(|known| {
        let at = |path: &str| folder.join(path);
        let there = |path: &str| Some(at(path)).filter(|path| path.is_file());
        let certificate = there(known.certificate)?;
        let is_other = |other: &&Known| other.of != known.of;
        let beside = KNOWN.iter().filter(is_other).filter_map(|other| there(other.certificate));
        let same = |path: &PathBuf| matches!((files::read(path), files::read(&certificate)), (Ok(a), Ok(b)) if a == b);
        let beside = beside.filter(|path| !same(path)).collect();
        let mut authorities = vec![(AuthorityName::first(), certificate.clone(), there(known.key))];
        if let Some((name, certificate, key)) = known.below
            && let (Some(certificate), Ok(name)) = (there(certificate), name.parse())
        {
            authorities.push((name, certificate, there(key)));
        }
        Some(Layout {
            of: known.of,
            beside,
            authorities,
            issued: known.issued.iter().map(|path| at(path)).filter(|path| path.is_dir()).collect(),
            index: known.openssl.then(|| there("index.txt")).flatten(),
            next_list: known.openssl.then(|| there("crlnumber")).flatten(),
            lists: LISTS.iter().filter(|_| known.openssl).filter_map(|path| there(path)).collect(),
        })
    })
}

/// Refuses a CA that certkit keeps: there is nothing to take over.
pub(super) fn is_not_ours(folder: &Path) -> anyhow::Result<()> {
    let place = Place::new(folder);
    if !place.certificate().is_file() || !(place.ledger().is_file() || place.config().is_file()) {
        return Ok(());
    }
    let folder = shown(folder);
    Err(anyhow!("{folder} is a CA of certkit already, with its ledger")).hint(format!(
        "use it where it is, certkit ca show --ca {}; to have it elsewhere, move or copy the whole folder",
        for_shell(&folder)
    ))
}

/// What is said of another CA's certificate in a folder of which one CA was taken.
pub(super) fn beside(path: &Path) -> String {
    let path = shown(path);
    format!(
        "{path} is another CA's and is not taken over: certkit ca import --cert {path} --key FILE, into another folder"
    )
}

/// Refuses to remember as a key's place what is there for this run alone: a pipe, or a file descriptor.
pub(super) fn must_stay(key_at: Option<&Path>) -> anyhow::Result<()> {
    let Some(path) = key_at else { return Ok(()) };
    let passes = files::is_dash(path) || !path.is_file() || path.starts_with("/dev") || path.starts_with("/proc");
    if !passes {
        return Ok(());
    }
    Err(anyhow!("a key in {} does not stay: nothing is there after this run", shown(path)))
        .hint("give the file that it is in, --key FILE, or leave --key-stays out and let the key be copied here")
}

struct Known {
    of: &'static str,
    certificate: &'static str,
    key: &'static str,
    /// An authority below: its name, certificate and key.
    below: Option<(&'static str, &'static str, &'static str)>,
    issued: &'static [&'static str],
    /// Whether it is kept by `openssl ca`: with an index and numbered lists.
    openssl: bool,
}

/// Where `openssl ca` puts the list, or its manual page has one do so.
const LISTS: [&str; 2] = ["crl.pem", "crl/crl.pem"];

const KNOWN: [Known; 5] = [
    Known { of: "mkcert", certificate: "rootCA.pem", key: "rootCA-key.pem", below: None, issued: &[], openssl: false },
    Known { of: "minica", certificate: "minica.pem", key: "minica-key.pem", below: None, issued: &[], openssl: false },
    Known {
        of: "easy-rsa",
        certificate: "ca.crt",
        key: "private/ca.key",
        below: None,
        // What is revoked or renewed is moved away.
        issued: &["issued", "certs_by_serial", "revoked/certs_by_serial", "renewed", "expired"],
        openssl: true,
    },
    Known {
        of: "openssl ca",
        certificate: "cacert.pem",
        key: "private/cakey.pem",
        below: None,
        issued: &["newcerts"],
        openssl: true,
    },
    Known {
        of: "step",
        certificate: "certs/root_ca.crt",
        key: "secrets/root_ca_key",
        below: Some(("intermediate", "certs/intermediate_ca.crt", "secrets/intermediate_ca_key")),
        issued: &[],
        openssl: false,
    },
];
