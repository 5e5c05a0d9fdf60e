//! Ledgers and the files of other CAs: whatever a command gives out, it is not written over them either.

use std::io::Read;
use std::path::Path;

use anyhow::anyhow;

use super::place::Chosen;
use crate::ca::place::{Place, is_there, with_companions};
use crate::ca::{AuthorityName, Config};
use crate::cli::files::{self, folder_of, is_dash, resolved};
use crate::cli::output::shown;
use crate::cli::problem::Hinted;

/// Refuses to write to a ledger, and to the files of any CA.
///
/// With `copied`, whose ledger is what is written, an earlier copy may be replaced: a ledger without a write-ahead log that
/// lies beside no other CA's certificate. One with a log is in use, or was left by who used it.
///
/// # Errors
/// When a path names one of them.
pub(in crate::cli) fn spare_others<'a>(
    paths: impl IntoIterator<Item = &'a Path>,
    copied: Option<&Chosen>,
) -> anyhow::Result<()> {
    for path in paths.into_iter().filter(|path| !is_dash(path)) {
        let target = resolved(path);
        if !target.is_file() {
            continue;
        }
        let what = ledger(&target, copied).map(str::to_owned).or_else(|| others(&target, copied));
        if let Some(what) = what {
            return Err(anyhow!("cannot write {}: it is {what}, and certkit never writes over that", shown(path)))
                .hint("choose another file");
        }
    }
    Ok(())
}

fn ledger(target: &Path, copied: Option<&Chosen>) -> Option<&'static str> {
    let kind = Kind::of(target)?;
    let [_, companions @ ..] = with_companions(target);
    let in_use = companions.iter().any(|file| is_there(file));
    match (kind, copied) {
        (_, _) if in_use => Some("a database that is in use"),
        (Kind::Other, _) => None,
        (Kind::Ledger, None) => Some("a ledger"),
        (Kind::Ledger, Some(_)) => None,
    }
}

/// What the file is to another CA in whose folder it lies.
fn others(target: &Path, copied: Option<&Chosen>) -> Option<String> {
    let place = Place::new(folder_of(target));
    let ledgers = place.ledger_files();
    let is_ledger = ledgers.iter().any(|file| file == target);
    let config = || files::read_text_if_there(&place.config()).ok().flatten();
    let has_ca = is_there(&place.certificate()) && (is_there(&place.ledger()) || is_there(&place.config()));
    // A backup may have the certificates beside the ledger.
    let is_own = |chosen: &Chosen| {
        let own = files::read(&chosen.place().certificate());
        own.is_ok_and(|own| files::read(&place.certificate()).is_ok_and(|other| *own == *other))
    };
    if !has_ca || copied.is_some_and(|chosen| is_ledger && is_own(chosen)) {
        return None;
    }
    let folder = shown(place.folder());
    if is_ledger || target == place.config() {
        return Some(format!("a file of the CA in {folder}"));
    }
    let config = config().and_then(|text| Config::from_toml("ca.toml", &text).ok()).unwrap_or_default();
    let told = config.issuer.into_iter().chain(config.keys.into_keys()).chain([AuthorityName::first()]);
    // Without its key a certificate may be one that was given out.
    let found = place.names().into_iter().filter(|name| is_there(&place.key_of(name)) && is_ca(&place, name));
    let name = told.chain(found).find(|name| {
        [place.certificate_of(name), place.key_of(name), place.delegate_of(name)].iter().any(|file| file == target)
    })?;
    Some(format!("a file of {name} of the CA in {folder}"))
}

/// Whether the certificate of this name is a CA's, or cannot be read.
fn is_ca(place: &Place, name: &AuthorityName) -> bool {
    let Ok(loaded) = crate::cli::load::Loaded::read(&place.certificate_of(name)) else { return true };
    loaded.document.certificates().ok().and_then(|all| all.first().map(|first| first.claims_ca())).unwrap_or(true)
}

/// What kind of SQLite's files it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ledger,
    Other,
}

impl Kind {
    /// By the header of the file: its first sixteen octets, and the number of the application at octet 68.
    fn of(path: &Path) -> Option<Self> {
        let mut header = Vec::new();
        files::open(path).ok()?.take(72).read_to_end(&mut header).ok()?;
        if !header.starts_with(b"SQLite format 3\0") {
            return None;
        }
        Some(if header.get(68..) == Some(&b"ckit"[..]) { Self::Ledger } else { Self::Other })
    }
}
