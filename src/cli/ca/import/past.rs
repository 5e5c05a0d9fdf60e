//! What a CA has done before it is taken over: issued, revoked, published.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use time::OffsetDateTime;

use super::index::{self, Revoked};
use super::layout::Layout;
use super::{Args, certificates};
use crate::ca::{Action, Authority, AuthorityName, Taken};
use crate::cli::ca::place;
use crate::cli::files::{self, Lines};
use crate::cli::load::cannot_use;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::container::Document;
use crate::encoding::hex;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SerialNumber};

/// The past of a CA, as files tell of it.
#[derive(Default)]
pub(super) struct Past {
    issued: Vec<Certificate>,
    revoked: Vec<Revoked>,
    /// Serial numbers of revoked certificates that are not to be found.
    pub(super) dropped: Vec<SerialNumber>,
    /// The greatest `cRLNumber` that it may have used.
    last_list: u64,
}

impl Past {
    /// Reads it, before anything is recorded.
    ///
    /// # Errors
    /// Where a certificate that was revoked is not to be found, unless that is accepted: lists made here would not have it,
    /// and clients would take it again.
    pub(super) fn read(
        args: &Args,
        found: Option<&Layout>,
        own: &Certificate,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let mut past = Self { issued: issued(args, found)?, ..Self::default() };
        let Some(found) = found else { return Ok(past) };
        past.last_list = last_list(found, own)?;
        let Some(path) = &found.index else { return Ok(past) };
        // One that has issued nothing is empty.
        let mut text = String::new();
        Lines::open(path)?.each(|line| {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
            Ok(true)
        })?;
        let (revoked, damaged) = index::revocations(&text);
        if let Some(line) = damaged.first().filter(|_| !args.drop_revocations) {
            return Err(anyhow!("line {line} of {} tells of a revocation and cannot be read", shown(path)))
                .hint(format!("mend it, or go on without such lines: {DROP}"));
        }
        let key = own.public_key()?;
        let mut by_serial: HashMap<&SerialNumber, Vec<&Certificate>> = HashMap::new();
        past.issued.iter().for_each(|it| by_serial.entry(it.serial()).or_default().push(it));
        let is_at_hand = |revoked: &Revoked| {
            let mut same = by_serial.get(&revoked.serial).into_iter().flatten();
            same.any(|it| it.issuer().matches(own.subject()) && it.verify_signature(&key).is_ok())
        };
        let (at_hand, missing): (Vec<Revoked>, Vec<Revoked>) = revoked.into_iter().partition(is_at_hand);
        // A certificate that has expired is on no list any more (RFC 5280 §3.3).
        let missed = missing.into_iter().filter(|it| it.not_after.is_none_or(|end| now <= end));
        let dropped: Vec<SerialNumber> = missed.map(|it| it.serial).collect();
        if !dropped.is_empty() && !args.drop_revocations {
            let (index, serials) = (shown(path), listed(&dropped));
            return Err(anyhow!(
                "{index} revokes certificates that are not to be found, and revocation lists made here would not have them: \
                 serial number {serials}"
            ))
            .hint(format!("give these certificates with --issued, or go on without them: {DROP}"));
        }
        Ok(Self { revoked: at_hand, dropped, ..past })
    }

    /// Records it: what was issued, and how many of that were revoked.
    pub(super) fn record(self, adopted: &mut [(AuthorityName, Authority)]) -> anyhow::Result<(Taken, u64)> {
        let Self { issued, revoked, dropped: _, last_list } = self;
        let (mut taken, mut count) = (Taken::default(), 0);
        let act = place::act(Action::Import);
        for (_, authority) in adopted.iter_mut() {
            let one = authority.take_issued(&issued, &act)?;
            taken.recorded += one.recorded;
            taken.known += one.known;
            taken.foreign += one.foreign;
        }
        // What is another's for each of them is foreign.
        let others = (adopted.len() as u64).saturating_sub(1);
        taken.foreign = taken.foreign.saturating_sub(others * issued.len() as u64);
        let Some((_, authority)) = adopted.first_mut() else { return Ok((taken, count)) };
        for Revoked { serial, revocation, .. } in revoked {
            match authority.revoke(&serial, revocation, &act) {
                Ok(_) => count += 1,
                // As after an interruption.
                Err(error) if error.is_about_standing() => {}
                Err(error) => return Err(error).with_context(|| format!("cannot revoke {serial}")),
            }
        }
        authority.carry_on_lists(last_list)?;
        Ok((taken, count))
    }
}

/// The certificates that it has issued, and others that lie beside them.
fn issued(args: &Args, found: Option<&Layout>) -> anyhow::Result<Vec<Certificate>> {
    let mut paths = Vec::new();
    for path in args.issued.iter().chain(found.iter().flat_map(|found| &found.issued)) {
        match path.is_dir() {
            true => files::each_file_below(path, |path| paths.push(path))?,
            false => paths.push(path.clone()),
        }
    }
    let mut all: Vec<Certificate> = Vec::new();
    for path in &paths {
        // Of a folder, keys and requests too: what holds no certificate was not issued.
        let read = match args.issued.contains(path) {
            true => certificates(path)?,
            false => certificates(path).unwrap_or_default(),
        };
        all.extend(read);
    }
    all.sort_by(|one, other| one.der().cmp(other.der()));
    all.dedup();
    Ok(all)
}

/// The greatest `cRLNumber` that it may have used: the number before the next one, or that of the list it has published.
fn last_list(found: &Layout, own: &Certificate) -> anyhow::Result<u64> {
    let mut last = 0;
    if let Some(path) = &found.next_list {
        let what = "it says which number the next revocation list has: correct it, or move it away";
        let text = files::read_text(path).hint(what)?;
        let text = text.trim();
        // openssl writes whole octets; a person may not.
        let even = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
        let Some(octets) = hex::decode(&even) else {
            return Err(anyhow!("{} holds no hexadecimal number", shown(path))).hint(what);
        };
        last = number(&CrlNumber(octets), path)?.saturating_sub(1);
    }
    for path in &found.lists {
        let contents = files::read(path)?;
        let document = Document::read(&contents).with_context(|| cannot_use(path))?;
        for list in document.revocation_lists().with_context(|| cannot_use(path))? {
            let numbered = list.number().with_context(|| cannot_use(path))?;
            if let Some(numbered) = numbered.filter(|_| list.issuer().matches(own.subject())) {
                last = last.max(number(&numbered, path)?);
            }
        }
    }
    Ok(last)
}

/// A `cRLNumber` that the ledger can count on from.
fn number(number: &CrlNumber, path: &Path) -> anyhow::Result<u64> {
    match number.to_u64() {
        Some(number) if number <= GREATEST => Ok(number),
        _ => Err(anyhow!("the number of a revocation list in {} is greater than {GREATEST}", shown(path)))
            .hint("the ledger counts to there, and the next list needs a greater one: renew the CA under another name"),
    }
}

/// Some serial numbers, as they are shown.
pub(super) fn listed(serials: &[SerialNumber]) -> String {
    let some = serials.iter().take(MOST_SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match serials.len().saturating_sub(MOST_SHOWN) {
        0 => some,
        more => format!("{some} and {more} more"),
    }
}

/// The flag that accepts what is lost.
const DROP: &str = "--drop-revocations";

/// So that millions of lists can follow.
const GREATEST: u64 = (1 << 62) - 1;

/// How many serial numbers are listed.
const MOST_SHOWN: usize = 8;
