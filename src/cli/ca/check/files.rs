//! The files of the CA against its ledger and `ca.toml`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Line;
use crate::ca::check::Remedy;
use crate::ca::place::is_there;
use crate::ca::{AuthorityId, AuthorityName, AuthorityRecord, Ledger, LedgerError, ListQuery, Query, tiers};
use crate::cli::ca::place::Chosen;
use crate::cli::ca::repair::folder::Folder;
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::container::PrivateKeyItem;
use crate::x509::Certificate;

/// Checks the files of every authority, as the ledger and `ca.toml` tell of them. Gives the authorities of which a making that was
/// broken off has left nothing but their place in the ledger: nobody has their keys.
pub(super) fn check(
    chosen: &Chosen,
    ledger: &mut dyn Ledger,
    tell: &mut dyn FnMut(Line),
) -> anyhow::Result<Vec<String>> {
    let config = chosen.config()?;
    let folder = match Folder::look(chosen, &config, ledger) {
        Ok(folder) => folder,
        // That was told as a fault of the database.
        Err(LedgerError::Damaged { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut said: BTreeSet<&AuthorityName> = config.issuer.iter().chain(config.keys.keys()).collect();
    let first = AuthorityName::first();
    said.insert(&first);
    let faults = Cell::new(0_u64);
    let mut tell = |path: &Path, what: String, remedy, advice: &str| {
        faults.set(faults.get() + 1);
        tell(Line { place: shown(path), what, remedy, advice: advice.to_owned() });
    };
    for name in &folder.without_certificate {
        let what = format!("it is gone, the certificate of {name}");
        match folder.without_file.is_empty() {
            false => tell(&chosen.place().certificate_of(name), what, Remedy::Repair, "certkit ca repair puts it back"),
            true => tell(&chosen.place().certificate_of(name), what, Remedy::Restore, RESTORE_FILE),
        }
    }
    for name in chosen.place().names() {
        let path = chosen.place().certificate_of(&name);
        let certificate = match chosen.certificates(&name).map(|found| found.into_iter().next()) {
            Ok(Some(certificate)) => certificate,
            // What is no certificate at all may be anything, except under the name of an authority.
            _ if !said.contains(&name) => continue,
            Ok(None) => {
                tell(&path, "it holds no certificate".to_owned(), Remedy::Restore, MOVE_ASIDE);
                continue;
            }
            Err(error) => {
                tell(&path, format!("{error:#}"), Remedy::Restore, MOVE_ASIDE);
                continue;
            }
        };
        if tiers::authority_of(ledger, &certificate)?.is_none() {
            if said.contains(&name) {
                let what = "it is not the certificate of an authority in the ledger".to_owned();
                let advice = "one of the two is another CA's: restore the file or the ledger from a backup";
                tell(&path, what, Remedy::Restore, advice);
            }
            continue;
        }
        let key = chosen.place().key_of(&name);
        if !is_there(&key) && !config.keys.contains_key(&name) {
            let what = format!("it is gone, the key of {name}");
            let advice = format!(
                "restore the file from a backup; if the key was put elsewhere, say so in ca.toml, under [keys]: {name} = {{ \
                 set_aside = \"FILE\" }}"
            );
            tell(&key, what, Remedy::Restore, &advice);
        } else if is_there(&key)
            && let Some(what) = key_fault(&key, &certificate, &format!("{name}.pem"))
        {
            tell(&key, what, Remedy::Restore, RESTORE_FILE);
        }
        if let Some(what) = chain_fault(&chosen.certificates(&name).unwrap_or_default()) {
            tell(&path, what, Remedy::Restore, MOVE_ASIDE);
        }
        let delegate = chosen.place().delegate_of(&name);
        if is_there(&delegate)
            && let Some(what) = delegate_fault(&delegate, &certificate)
        {
            let advice = "remove the file: certkit ca ocsp has a new delegate then";
            tell(&delegate, what, Remedy::Restore, advice);
        }
    }
    let mut unfinished = Vec::new();
    if faults.get() == 0 && chosen.has_own_ledger()? {
        let left = broken_off(&folder.without_file, ledger)?;
        for (record, certificate) in &folder.without_file {
            if !left.contains(&record.id) {
                let path: PathBuf = chosen.place().folder().to_owned();
                let what = format!(
                    "no file in it is the certificate of {}, an authority in the ledger",
                    certificate.display_name()
                );
                let advice = "restore its certificate and its key from a backup; with the key, certkit ca repair puts the \
                              certificate back";
                tell(&path, what, Remedy::Restore, advice);
            } else {
                unfinished.push(certificate.display_name());
            }
        }
    }
    Ok(unfinished)
}

/// Those of the authorities without a file that a making which was broken off has left: they have signed nothing, or nothing but
/// authorities that were left like that, as the root of two tiers has.
fn broken_off(
    without_file: &[(AuthorityRecord, Certificate)],
    ledger: &mut dyn Ledger,
) -> Result<BTreeSet<AuthorityId>, LedgerError> {
    let mut left = BTreeSet::new();
    // Each round goes one tier up.
    loop {
        let known = left.len();
        for (record, _) in without_file {
            if !left.contains(&record.id) && has_signed_only(record.id, &left, without_file, ledger)? {
                left.insert(record.id);
            }
        }
        if left.len() == known {
            return Ok(left);
        }
    }
}

/// Whether an authority has signed no list, and no certificate but those of the authorities that are `left`.
fn has_signed_only(
    by: AuthorityId,
    left: &BTreeSet<AuthorityId>,
    without_file: &[(AuthorityRecord, Certificate)],
    ledger: &mut dyn Ledger,
) -> Result<bool, LedgerError> {
    let lists = ledger.lists(by, &ListQuery { limit: Some(1), ..ListQuery::default() })?;
    // One that has signed more than there are has issued something, however much that is.
    if !lists.is_empty() || ledger.count(by)? > left.len() as u64 {
        return Ok(false);
    }
    let found = ledger.find(by, &Query::default())?;
    Ok(found.iter().all(|signed| {
        let mut below = without_file.iter().filter(|(record, _)| left.contains(&record.id));
        signed.revocation.is_none() && below.any(|(_, own)| own.fingerprint_sha256() == *signed.fingerprint)
    }))
}

/// What is wrong with the certificates behind an authority's own, which clients are given: each has to have signed the one
/// before it (RFC 8446 §4.4.2).
fn chain_fault(chain: &[Certificate]) -> Option<String> {
    let has_signed = |above: &Certificate, below: &Certificate| {
        above.subject().matches(below.issuer())
            && above.public_key().is_ok_and(|key| below.verify_signature(&key).is_ok())
    };
    let (below, above) = chain.iter().zip(chain.iter().skip(1)).find(|(below, above)| !has_signed(above, below))?;
    Some(format!(
        "behind the certificate of {} stands that of {}, which has not signed it",
        below.display_name(),
        above.display_name()
    ))
}

/// What is wrong with a key, where it is in the clear.
fn key_fault(path: &Path, certificate: &Certificate, called: &str) -> Option<String> {
    let loaded = match Loaded::read(path) {
        Ok(loaded) => loaded,
        Err(error) => return Some(format!("{error:#}")),
    };
    match loaded.document.first_private_key() {
        Err(error) => Some(error.to_string()),
        Ok(PrivateKeyItem::Encrypted(_)) => None,
        Ok(PrivateKeyItem::Plain(key)) => match certificate.public_key() {
            Ok(public) if public == *key.public_key() => None,
            _ => Some(format!("it does not belong to {called}")),
        },
    }
}

/// What is wrong with the file of an OCSP delegate. One that has expired is replaced when it is wanted.
fn delegate_fault(path: &Path, issuer: &Certificate) -> Option<String> {
    let found = Loaded::read(path).and_then(|loaded| loaded.certificates());
    let certificate = match found.map(|found| found.into_iter().next()) {
        Ok(Some(certificate)) => certificate,
        Ok(None) => return Some("it holds no certificate".to_owned()),
        Err(error) => return Some(format!("{error:#}")),
    };
    let signed = certificate.issuer().matches(issuer.subject())
        && issuer.public_key().is_ok_and(|key| certificate.verify_signature(&key).is_ok());
    match signed {
        true => key_fault(path, &certificate, "the certificate beside it"),
        false => Some("it is not a delegate of its authority".to_owned()),
    }
}

const RESTORE_FILE: &str = "restore the file from a backup";
const MOVE_ASIDE: &str =
    "restore the file from a backup, or move it aside: certkit ca repair puts it back from the ledger";
