//! What a CA has done before it is taken over: issued, revoked, published.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::{Context, anyhow};
use time::OffsetDateTime;

use super::index::{Index, Revoked};
use super::layout::Layout;
use super::lists::{self, Lists};
use super::{Args, certificates};
use crate::ca::recovery::{self, Recovered};
use crate::ca::{Action, Authority, AuthorityName, Taken};
use crate::cli::ca::place;
use crate::cli::files::{self, Lines};
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::container::ContainerError;
use crate::x509::{Certificate, SerialNumber};

/// The past of a CA, as files tell of it.
#[derive(Default)]
pub(super) struct Past {
    issued: Vec<Certificate>,
    /// What the index of the first authority calls revoked, so far as it is at hand.
    revoked: Vec<Revoked>,
    /// The lists of each authority.
    lists: Vec<Lists>,
    /// What lists revoke, is not at hand and has expired, as the index tells: no list needs it.
    expired: BTreeSet<SerialNumber>,
    /// The greatest `cRLNumber` that the file of the next one tells of.
    last_list: u64,
    /// What is told of it, as far as that is known before it is recorded.
    told: Told,
}

/// What became of the past.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) issued: Taken,
    /// How many of those are revoked now, and were not before.
    pub(super) revoked: u64,
    /// The files of lists that were taken over.
    pub(super) lists: Vec<String>,
    /// The serial numbers of those that a list revokes and the index does not.
    pub(super) only_listed: Vec<SerialNumber>,
    /// Serial numbers of revoked certificates that are not to be found.
    pub(super) dropped: BTreeSet<SerialNumber>,
    /// What is odd about lists.
    pub(super) odd: Vec<String>,
}

impl Past {
    /// Reads it, before anything is recorded. The first of the authorities is the one that a folder tells of.
    ///
    /// # Errors
    /// Where a certificate that was revoked is not to be found, unless that is accepted: lists made here would not have it,
    /// and clients would take it again.
    pub(super) fn read(
        args: &Args,
        found: Option<&Layout>,
        authorities: &[&Certificate],
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let (issued, unreadable) = issued(args, found)?;
        let mut past = Self { issued, ..Self::default() };
        past.told.odd.extend(unreadable);
        past.told.odd.extend(weak(&past.issued, authorities));
        let beside = found.map(|found| found.lists.as_slice()).unwrap_or_default();
        past.lists = lists::read(&args.crl, beside, authorities, &mut past.told.odd)?;
        past.told.lists = past.lists.iter().flat_map(|lists| &lists.files).cloned().collect();
        past.last_list = found.and_then(|found| found.next_list.as_deref()).map_or(Ok(0), lists::before_next)?;
        let index_at = found.and_then(|found| found.index.as_deref());
        let index = index_at.map_or_else(|| Ok(Index::default()), read_index)?;
        if let (Some(line), Some(path)) = (index.damaged.first().filter(|_| !args.drop_revocations), index_at) {
            return Err(anyhow!("line {line} of {} tells of a revocation and cannot be read", shown(path)))
                .hint(format!("mend it, or go on without such lines: {DROP}"));
        }
        if let (Some(path), Some(own)) = (index_at, authorities.first()) {
            past.told.odd.extend(lost(&index, path, own, &past.issued, now));
        }
        let mut missing = Missing { accepted: args.drop_revocations, ..Missing::default() };
        let none = Index::default();
        for (at, (own, lists)) in authorities.iter().zip(&past.lists).enumerate() {
            // The index is the first one's.
            let (Index { revoked, ends, .. }, index_at) = if at == 0 { (&index, index_at) } else { (&none, None) };
            let listed = recovery::standing(&lists.own);
            let in_index: HashSet<&SerialNumber> = revoked.iter().map(|it| &it.serial).collect();
            // An authority may have certified another one that comes with it.
            let all = past.issued.iter().chain(authorities.iter().copied());
            let at_hand = at_hand(&listed.keys().chain(in_index.iter().copied()).collect(), own, all)?;
            // A certificate that has expired is on no list any more (RFC 5280 §3.3).
            let has_expired = |serial: &&SerialNumber| ends.get(*serial).is_some_and(|end| *end < now);
            let (expired, missed): (Vec<&SerialNumber>, Vec<&SerialNumber>) =
                listed.keys().filter(|serial| !at_hand.contains(serial)).partition(has_expired);
            missing.add(&lists.files.join(" and "), own, missed)?;
            past.expired.extend(expired.into_iter().cloned());
            let Some(index_at) = index_at else { continue };
            let missed = in_index.iter().copied().filter(|serial| !at_hand.contains(serial) && !has_expired(serial));
            missing.add(&shown(index_at), own, missed.collect())?;
            past.revoked = revoked.iter().filter(|it| at_hand.contains(&it.serial)).cloned().collect();
            let only_listed = listed.keys().filter(|serial| at_hand.contains(serial) && !in_index.contains(serial));
            past.told.only_listed = only_listed.cloned().collect();
        }
        past.told.dropped = missing.dropped;
        Ok(past)
    }

    /// Records it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub(super) fn record(self, adopted: &mut [(AuthorityName, Authority)]) -> anyhow::Result<Told> {
        let Self { issued, revoked, lists, expired, last_list, mut told } = self;
        let act = place::act(Action::Import);
        for (_, authority) in adopted.iter_mut() {
            let one = authority.take_issued(&issued, &act)?;
            told.issued.recorded += one.recorded;
            told.issued.known += one.known;
            told.issued.foreign += one.foreign;
            told.issued.weak += one.weak;
        }
        // What is another's for each of them is foreign.
        let others = (adopted.len() as u64).saturating_sub(1);
        told.issued.foreign = told.issued.foreign.saturating_sub(others * issued.len() as u64);
        if let Some((_, authority)) = adopted.first_mut() {
            let (recorded, left_out) = authority.take_tiers(&act)?;
            told.issued.recorded += recorded.len() as u64;
            told.odd.extend(left_out.iter().map(|it| {
                format!(
                    "{} is not recorded as a certificate of {}, which cannot revoke it: another certificate has its serial number",
                    it.certificate.subject(),
                    it.issuer
                )
            }));
        }
        // Lists first: what they say is signed, and known to others.
        for ((_, authority), lists) in adopted.iter_mut().zip(&lists) {
            let Recovered { revoked, unrecorded, .. } = authority.recover(&lists.own, &act)?;
            told.revoked += revoked.len() as u64;
            let unrecorded = unrecorded.into_iter().map(|(serial, _)| serial);
            told.dropped.extend(unrecorded.filter(|serial| !expired.contains(serial)));
        }
        let Some((_, authority)) = adopted.first_mut() else { return Ok(told) };
        let listed = lists.first().map(|lists| recovery::standing(&lists.own)).unwrap_or_default();
        for Revoked { serial, revocation } in revoked {
            match authority.revoke(&serial, revocation, &act) {
                // A hold of the list that the index has for good, or as a compromise what the list has as something else, was
                // counted.
                Ok(_) => told.revoked += u64::from(!listed.contains_key(&serial)),
                // By the list, or as after an interruption.
                Err(error) if error.is_about_standing() => {}
                Err(error) => return Err(error).with_context(|| format!("cannot revoke {serial}")),
            }
        }
        authority.carry_on_lists(last_list)?;
        Ok(told)
    }
}

/// The serial numbers among those `revoked` whose certificates are at hand: by this authority, and not its own.
fn at_hand<'a>(
    revoked: &HashSet<&SerialNumber>,
    own: &Certificate,
    issued: impl Iterator<Item = &'a Certificate>,
) -> anyhow::Result<HashSet<&'a SerialNumber>> {
    let key = own.public_key()?;
    let is_its = |it: &&Certificate| it.issuer().matches(own.subject()) && it.verify_signature(&key).is_ok();
    let wanted = issued.filter(|it| revoked.contains(it.serial()) && *it != own);
    Ok(wanted.filter(is_its).map(Certificate::serial).collect())
}

/// What is said of certificates that the index calls valid, and that are nowhere: they could not be revoked here.
fn lost(
    index: &Index,
    index_at: &Path,
    own: &Certificate,
    issued: &[Certificate],
    now: OffsetDateTime,
) -> Option<String> {
    let there: HashSet<&SerialNumber> =
        issued.iter().filter(|it| it.issuer().matches(own.subject())).map(Certificate::serial).collect();
    // `openssl ca -selfsign` has the root in its own index.
    let is_lost = |serial: &SerialNumber| !(there.contains(serial) || own.is_self_issued() && serial == own.serial());
    let lost: Vec<String> = index
        .valid
        .iter()
        .filter(|(serial, end, _)| *end >= now && is_lost(serial))
        .map(|(serial, _, subject)| format!("{serial} {subject}"))
        .collect();
    (!lost.is_empty()).then(|| {
        format!(
            "{} calls these valid, and their certificates are missing or cannot be read: {}; they are not recorded, and cannot be \
             revoked here until certkit ca repair FILE records them",
            shown(index_at),
            some(&lost)
        )
    })
}

/// What is said of certificates in the name of one of these authorities whose signature is over a broken hash.
fn weak(issued: &[Certificate], authorities: &[&Certificate]) -> Option<String> {
    let is_weak = |it: &&Certificate| {
        authorities.iter().any(|own| {
            *it != *own
                && it.issuer().matches(own.subject())
                && own.public_key().is_ok_and(|key| it.weakly_signed_with(&key).is_some())
        })
    };
    let weak: Vec<String> =
        issued.iter().filter(is_weak).map(|it| format!("{} {}", it.serial(), it.subject())).collect();
    (!weak.is_empty()).then(|| {
        format!(
            "signed with SHA-1 or MD5, which certkit does not check, and not recorded: {}; issue them anew here",
            some(&weak)
        )
    })
}

/// Revoked certificates that are not at hand, so that no ledger has them and no list made here.
#[derive(Default)]
struct Missing {
    /// Whether they are given up.
    accepted: bool,
    dropped: BTreeSet<SerialNumber>,
}

impl Missing {
    /// Takes those that these files of an authority revoke.
    fn add(&mut self, files: &str, own: &Certificate, serials: Vec<&SerialNumber>) -> anyhow::Result<()> {
        let mut serials: Vec<SerialNumber> = serials.into_iter().cloned().collect();
        serials.sort();
        if self.accepted || serials.is_empty() {
            self.dropped.extend(serials);
            return Ok(());
        }
        if own.is_self_issued() && serials.contains(own.serial()) {
            let serial = own.serial();
            return Err(anyhow!(
                "{files} revokes the CA itself, serial number {serial}, and no list made here would have that"
            ))
            .hint(format!("make a new CA, for clients may take this one no more; or go on without that: {DROP}"));
        }
        Err(anyhow!(
            "certificates revoked by {files} are not to be found, and revocation lists made here would not have them: serial \
             number {}",
            listed(&serials)
        ))
        .hint(format!("give these certificates with --issued, or go on without them, which loses nothing where they have expired: {DROP}"))
    }
}

/// Reads the index. That of a CA which has issued nothing is empty.
fn read_index(path: &Path) -> anyhow::Result<Index> {
    let mut text = String::new();
    Lines::open(path)?.each(|line| {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
        Ok(true)
    })?;
    Ok(Index::read(&text))
}

/// The certificates that it has issued, and others that lie beside them.
///
/// Of files that a folder has and that are damaged it says so.
fn issued(args: &Args, found: Option<&Layout>) -> anyhow::Result<(Vec<Certificate>, Vec<String>)> {
    let mut unreadable = Vec::new();
    let mut paths = Vec::new();
    for path in args.issued.iter().chain(found.iter().flat_map(|found| &found.issued)) {
        match path.is_dir() {
            true => files::each_file_below(path, |path| paths.push(path))?,
            false => paths.push(path.clone()),
        }
    }
    let mut all: Vec<Certificate> = Vec::new();
    for path in &paths {
        match certificates(path) {
            Ok(read) => all.extend(read),
            Err(error) if args.issued.contains(path) => return Err(error),
            Err(error) if is_loss(&error, path) => unreadable.push(format!("{error:#}; it is passed over")),
            // Of a folder, keys and requests too: what holds no certificate was not issued.
            Err(_) => {}
        }
    }
    all.sort_by(|one, other| one.der().cmp(other.der()));
    all.dedup();
    Ok((all, unreadable))
}

/// Whether a file that cannot be read may have held a certificate: it is damaged, or not let be read.
fn is_loss(error: &anyhow::Error, path: &Path) -> bool {
    match error.chain().find_map(|cause| cause.downcast_ref::<ContainerError>()) {
        None | Some(ContainerError::Damaged { .. } | ContainerError::CutShort { .. }) => true,
        Some(ContainerError::Empty) => {
            path.extension().is_some_and(|ending| ["pem", "crt", "cer", "der"].iter().any(|known| ending == *known))
        }
        Some(_) => false,
    }
}

/// Some serial numbers, as they are shown.
pub(super) fn listed(serials: &[SerialNumber]) -> String {
    some(&serials.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// The first of several.
fn some(all: &[String]) -> String {
    let some = all.iter().take(MOST_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST_SHOWN) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// The flag that accepts what is lost.
const DROP: &str = "--drop-revocations";

/// How many serial numbers are listed.
const MOST_SHOWN: usize = 8;
