//! Where other programs keep a CA.

use std::path::{Path, PathBuf};

use crate::ca::AuthorityName;

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
}

/// What lies in this folder, if it is known.
pub(super) fn find(folder: &Path) -> Option<Layout> {
    KNOWN.iter().find_map(|known| {
        let at = |path: &str| folder.join(path);
        let there = |path: &str| Some(at(path)).filter(|path| path.is_file());
        let certificate = there(known.certificate)?;
        let mut authorities = vec![(AuthorityName::first(), certificate, there(known.key))];
        if let Some((name, certificate, key)) = known.below
            && let (Some(certificate), Ok(name)) = (there(certificate), name.parse())
        {
            authorities.push((name, certificate, there(key)));
        }
        Some(Layout {
            of: known.of,
            authorities,
            issued: known.issued.iter().map(|path| at(path)).filter(|path| path.is_dir()).collect(),
            index: known.index.and_then(there),
        })
    })
}

struct Known {
    of: &'static str,
    certificate: &'static str,
    key: &'static str,
    /// An authority below: its name, certificate and key.
    below: Option<(&'static str, &'static str, &'static str)>,
    issued: &'static [&'static str],
    index: Option<&'static str>,
}

const KNOWN: [Known; 5] = [
    Known { of: "mkcert", certificate: "rootCA.pem", key: "rootCA-key.pem", below: None, issued: &[], index: None },
    Known { of: "minica", certificate: "minica.pem", key: "minica-key.pem", below: None, issued: &[], index: None },
    Known {
        of: "easy-rsa",
        certificate: "ca.crt",
        key: "private/ca.key",
        below: None,
        issued: &["issued", "certs_by_serial"],
        index: Some("index.txt"),
    },
    Known {
        of: "openssl ca",
        certificate: "cacert.pem",
        key: "private/cakey.pem",
        below: None,
        issued: &["newcerts"],
        index: Some("index.txt"),
    },
    Known {
        of: "step",
        certificate: "certs/root_ca.crt",
        key: "secrets/root_ca_key",
        below: Some(("intermediate", "certs/intermediate_ca.crt", "secrets/intermediate_ca_key")),
        issued: &[],
        index: None,
    },
];
