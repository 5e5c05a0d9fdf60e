//! Where a list goes. A list this CA signed before makes room for the next one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use serde::Serialize;

use crate::ca::{Authority, ListOrder};
use crate::cli::ca::own_files::spare_all;
use crate::cli::ca::place::Chosen;
use crate::cli::ca::signer::SignerArgs;
use crate::cli::files::{self, Claim, Mode, WriteSet, folder_of, is_dash, resolved};
use crate::cli::load::name;
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;
use crate::encoding::pem;
use crate::key::digest;
use crate::x509::CertificateRevocationList;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Pem,
    Der,
}

impl Form {
    /// As asked for; or else by the file's name: RFC 2585 §3 has DER in `.crl`.
    pub(super) fn of(path: &Path, der: bool, pem: bool) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let usual = ["crl", "der"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        if der || (usual && !pem) { Self::Der } else { Self::Pem }
    }
}

/// The file for a list.
pub(super) struct ListFile {
    path: PathBuf,
    form: Form,
    replaces: bool,
}

impl ListFile {
    /// Whether a list can be written there, asked before a number is drawn for it.
    pub(super) fn choose(
        path: PathBuf,
        form: Form,
        force: bool,
        order: &ListOrder,
        (chosen, signer): (&Chosen, &SignerArgs),
        authority: &mut Authority,
        session: &Session,
    ) -> anyhow::Result<Self> {
        let there = in_file(&path);
        let is_earlier = earlier(&path, there.as_deref(), order, authority)?.is_some();
        let taken_over = match there.filter(|_| !is_earlier) {
            None => false,
            Some(list) => is_known((&path, &list), order, chosen, authority)? && !path.is_symlink(),
        };
        let replaces = force || is_earlier || taken_over;
        WriteSet::check([path.as_path()], replaces, session)?;
        spare_all(chosen, Some(signer), [path.as_path()])?;
        Ok(Self { path, form, replaces })
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn shown(&self) -> String {
        if is_dash(&self.path) { "stdout".to_owned() } else { name(&self.path) }
    }

    /// Writes the list, unless another process was faster and a later one of the same kind is there: the number of that.
    pub(super) fn write(
        mut self,
        (der, number): (Vec<u8>, u64),
        order: &ListOrder,
        authority: &mut Authority,
        session: &mut Session,
    ) -> anyhow::Result<Option<u64>> {
        // One at a time looks and writes. Where the folder cannot be locked each does as if it were alone.
        let _claim = match is_dash(&self.path) {
            true => None,
            false => Claim::take(folder_of(&resolved(&self.path)), PATIENCE).ok().flatten(),
        };
        match earlier(&self.path, in_file(&self.path).as_deref(), order, authority)? {
            Some(there) if there > number => return Ok(Some(there)),
            Some(_) => self.replaces = true,
            None => {}
        }
        let contents = match self.form {
            Form::Der => der,
            Form::Pem => pem::write("X509 CRL", &der).as_bytes().to_vec(),
        };
        let mut files = WriteSet::new(self.replaces).lasting().whole();
        files.add(self.path, contents, Mode::Public);
        files.write(session)?;
        Ok(None)
    }
}

/// The number of the list `there` in the file, where it is one of the last of the same kind: the ledger knows their digests.
fn earlier(
    path: &Path,
    there: Option<&[u8]>,
    order: &ListOrder,
    authority: &mut Authority,
) -> anyhow::Result<Option<u64>> {
    let Some(list) = there.filter(|_| !path.is_symlink()) else { return Ok(None) };
    let fingerprint = digest::sha256(list);
    let lists = authority.lists(order.url.as_deref(), order.delta, MOST_COMPARED)?;
    Ok(lists.iter().find(|list| list.fingerprint == fingerprint).map(|list| list.number))
}

/// Refuses to put a list in the place of one of this CA's that its ledger has not counted to: clients that have that one may take
/// no earlier one (RFC 5280 §5.2.3), and what it says is revoked would be good again. Gives whether the ledger has taken over
/// all that it says.
fn is_known(
    (path, list): (&Path, &[u8]),
    order: &ListOrder,
    chosen: &Chosen,
    authority: &mut Authority,
) -> anyhow::Result<bool> {
    let Ok(list) = CertificateRevocationList::from_der(list) else { return Ok(false) };
    let (last, certificate) = (authority.last_crl_number()?, authority.certificate());
    let Some(number) = list.number().ok().flatten().filter(|number| number.to_u64().is_none_or(|it| it > last)) else {
        return Ok(authority.has_taken_over(&list, order)?);
    };
    let own = certificate.public_key().is_ok_and(|key| list.verify_signature(&key).is_ok());
    if !own || !list.issuer().matches(certificate.subject()) {
        return Ok(false);
    }
    let number = number.to_u64().map_or_else(|| "a greater number".to_owned(), |number| format!("number {number}"));
    Err(anyhow!(
        "{} holds a list of this CA with {number}, and its ledger has counted to {last}: it is older than that list, as one from \
         a backup is",
        name(path)
    ))
    .hint(format!(
        "first take over what that list says: certkit ca repair --crl {}{}",
        for_shell(&shown(path)),
        chosen.flag()
    ))
}

/// The list in a file, DER or PEM; `None` where there is none, or more.
fn in_file(path: &Path) -> Option<Vec<u8>> {
    // A device or a pipe is not read.
    let contents = path.is_file().then(|| files::read(path).ok()).flatten()?;
    if !pem::looks_like_pem(&contents) {
        return Some(contents.to_vec());
    }
    match pem::read(&contents).as_slice() {
        [Ok(block)] => Some(block.contents.to_vec()),
        _ => None,
    }
}

/// A file with a list older than so many others is somebody's archive.
const MOST_COMPARED: u32 = 1_000;

/// How long another process that writes into the same folder is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_unless_a_flag_does() {
        for (path, der, pem, form) in [
            ("crl.pem", false, false, Form::Pem),
            ("ca.crl", false, false, Form::Der),
            ("CA.CRL", false, false, Form::Der),
            ("x.der", false, false, Form::Der),
            ("ca.crl", false, true, Form::Pem),
            ("crl.pem", true, false, Form::Der),
            ("-", false, false, Form::Pem),
        ] {
            assert_eq!(Form::of(Path::new(path), der, pem), form, "{path}");
        }
    }
}
