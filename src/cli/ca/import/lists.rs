//! The revocation lists that a CA has published before it is taken over.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::ca::recovery::{ListFault, OwnList};
use crate::cli::files;
use crate::cli::load::{cannot_use, name};
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::container::Document;
use crate::encoding::hex;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateRevocationList};

/// The lists of one authority.
#[derive(Default)]
pub(super) struct Lists {
    /// What they say.
    pub(super) own: Vec<OwnList>,
    /// Their files.
    pub(super) files: Vec<String>,
}

/// Reads lists, `given` ones and those that were `found` beside the CA: for each of its `authorities` those that it has
/// signed. A list that was found and is another CA's is left out with a word in `odd`.
///
/// # Errors
/// Where a file is no list, a list is none of these authorities', or it cannot be understood; where a delta is given without
/// a list to build upon, which may revoke more (RFC 5280 §5.2.4).
pub(super) fn read(
    given: &[PathBuf],
    found: &[PathBuf],
    authorities: &[&Certificate],
    odd: &mut Vec<String>,
) -> anyhow::Result<Vec<Lists>> {
    let mut all: Vec<Lists> = authorities.iter().map(|_| Lists::default()).collect();
    let named = given.iter().map(|path| (path, true));
    for (path, is_given) in named.chain(found.iter().map(|path| (path, false))) {
        let document = Document::read(&files::read(path)?).with_context(|| cannot_use(path))?;
        for list in document.revocation_lists().with_context(|| cannot_use(path))? {
            let (at, own) = match OwnList::read_for(list, authorities.iter().copied()) {
                Ok(read) => read,
                Err(ListFault::Foreign) if !is_given && !is_namesake(list, authorities) => {
                    let (file, issuer) = (name(path), list.issuer());
                    odd.push(format!("{file} is a revocation list of {issuer}, another CA, and passed over"));
                    continue;
                }
                Err(ListFault::Foreign) => return foreign(path, list, authorities, is_given),
                Err(ListFault::Number) => return too_great(path),
                Err(fault @ ListFault::Weak(_)) => {
                    let without = if is_given { "leave it out" } else { "move it away" };
                    return Err(anyhow!("{}: {fault}", cannot_use(path))).hint(format!(
                        "sign it again with SHA-256, as openssl ca -gencrl -md sha256 does; or {without}: its revocations are \
                         not taken over then"
                    ));
                }
                Err(fault) => {
                    return Err(anyhow!("{}: {fault}", cannot_use(path)))
                        .hint("give complete lists that this CA has made of its own certificates only");
                }
            };
            own.number().map_or(Ok(0), |number| in_range(number, path))?;
            let lists = all.get_mut(at).context("an authority was lost on the way")?;
            // One that was given may be the one that was found.
            if !lists.own.contains(&own) {
                lists.own.push(own);
                lists.files.push(name(path));
            }
        }
    }
    for lists in &all {
        lists.check_complete(odd)?;
    }
    Ok(all)
}

impl Lists {
    /// Refuses a delta that builds upon nothing, and tells of lists that do not cover everything.
    fn check_complete(&self, odd: &mut Vec<String>) -> anyhow::Result<()> {
        for (list, file) in self.own.iter().zip(&self.files) {
            if let Some(base) = list.base_missing_from(&self.own) {
                return Err(anyhow!("{file} has only what has changed since list {base} (a delta, RFC 5280 §5.2.4)"))
                    .hint("give that list too, or a later complete one: --crl FILE");
            }
        }
        let covers_all = |list: &OwnList| !list.is_delta() && !list.is_narrow();
        if !self.own.is_empty() && !self.own.iter().any(covers_all) {
            let files = self.files.join(", ");
            odd.push(format!(
                "{files}: only for some certificates or reasons (issuingDistributionPoint, RFC 5280 §5.2.5); what other lists \
                 of this CA revoke is not taken over: give them all, each with --crl"
            ));
        }
        Ok(())
    }
}

/// Whether a list bears the name of one of them.
fn is_namesake(list: &CertificateRevocationList, authorities: &[&Certificate]) -> bool {
    authorities.iter().any(|own| list.issuer().matches(own.subject()))
}

/// Says whose list it is, if not one of these authorities'.
fn foreign<T>(
    path: &Path,
    list: &CertificateRevocationList,
    authorities: &[&Certificate],
    is_given: bool,
) -> anyhow::Result<T> {
    let file = name(path);
    if is_namesake(list, authorities) {
        let remedy = if is_given { "leave it out" } else { "move it away: its revocations are not taken over then" };
        return Err(anyhow!("{file} bears the name of {}, and is not signed with its key", list.issuer())).hint(
            format!("fetch it again, for it was changed or damaged; or it is of another key of that CA: {remedy}"),
        );
    }
    let own = authorities.iter().map(|own| own.subject().to_string()).collect::<Vec<_>>().join(" and ");
    Err(anyhow!("{file} is a revocation list of {}, and not of {own}, which is imported", list.issuer()))
        .hint("leave it out, or give the list that the imported CA has published")
}

/// The number before the one in this file, which is the next list's.
pub(super) fn before_next(path: &Path) -> anyhow::Result<u64> {
    let what = "it says which number the next revocation list has: correct it, or move it away";
    let text = files::read_text(path).hint(what)?;
    let text = text.trim();
    // openssl writes whole octets; a person may not.
    let even = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
    let Some(octets) = hex::decode(&even) else {
        return Err(anyhow!("{} holds no hexadecimal number", shown(path))).hint(what);
    };
    match CrlNumber(octets).to_u64() {
        Some(next) => Ok(in_range(next, path)?.saturating_sub(1)),
        None => too_great(path),
    }
}

/// A `cRLNumber`, if the ledger can count on from it.
fn in_range(number: u64, path: &Path) -> anyhow::Result<u64> {
    if number <= GREATEST { Ok(number) } else { too_great(path) }
}

/// Refuses the number of a list in this file.
fn too_great<T>(path: &Path) -> anyhow::Result<T> {
    Err(anyhow!("the number of a revocation list in {} is greater than {GREATEST}", name(path)))
        .hint("the ledger counts to there, and the next list needs a greater one: renew the CA under another name")
}

/// So that millions of lists can follow.
const GREATEST: u64 = (1 << 62) - 1;
