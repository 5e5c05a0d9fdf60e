//! Which certificate of the CA is meant: a serial number, a name or a file.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use time::OffsetDateTime;

use super::place::Chosen;
use crate::ca::{Authority, AuthorityName, LedgerError, Query, Record};
use crate::cli::clock::rfc3339;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::problem::Hinted;
use crate::x509::{Certificate, GeneralName, SerialNumber};

/// How a certificate was named, and the certificates that are meant: one at least, the newest first.
pub(super) struct Meant {
    /// How it was named.
    pub(super) which: String,
    /// The certificates: several where a name was given that several have.
    pub(super) records: Vec<Record>,
    /// The certificate in the file, where a file was given.
    pub(super) from_file: bool,
}

impl Meant {
    /// Finds what `which` stands for: the certificate with this serial number; or else those with this name; or else the
    /// first in this file. Something with a slash in it is a file.
    pub(super) fn find(authority: &mut Authority, which: &str, chosen: &Chosen) -> anyhow::Result<Self> {
        if which.trim().is_empty() {
            bail!("an empty name names no certificate");
        }
        let meant = |records, from_file| Self { which: which.to_owned(), records, from_file };
        let path = Path::new(which);
        if !which.contains('/') {
            if let Some(serial) = serial(which) {
                let found = authority.find(&Query { serial: Some(serial), ..Query::default() })?;
                if !found.is_empty() {
                    return Ok(meant(found, false));
                }
            }
            for name in [Some(which.to_owned()), as_issued(which)].into_iter().flatten() {
                let (name, limit) = (Some(name), Some(MOST_CANDIDATES));
                let found = authority.find(&Query { name, newest_first: true, limit, ..Query::default() })?;
                if !found.is_empty() {
                    return Ok(meant(found, false));
                }
            }
        }
        if which.contains('/') || path.is_file() {
            let certificate = first_certificate(path)?;
            let fingerprint = Some(certificate.fingerprint_sha256().to_vec());
            let found = authority.find(&Query { fingerprint, ..Query::default() })?;
            if found.is_empty() && is_own_root(&certificate, chosen) {
                return Err(LedgerError::Own { serial: certificate.serial().clone() })
                    .hint(format!("{which} is a root: nobody above it has issued it, and no list revokes it"));
            }
            if found.is_empty() {
                return Err(anyhow!("{} has not issued the certificate in {which}", asked(chosen)))
                    .hint(format!("it was issued by {}", certificate.issuer()));
            }
            return Ok(meant(found, true));
        }
        let file = if path.extension().is_some() { ", and there is no such file" } else { "" };
        Err(anyhow!("{} has issued no certificate {which:?}{file}", asked(chosen)))
            .hint(format!("see them all with: certkit ca list{}", chosen.flag()))
    }

    /// As [`Self::find`], of what the authority that signs has issued, or else any of the CA where none is asked for with
    /// `--issuer`; and the CA with that authority chosen.
    pub(super) fn in_any(which: &str, chosen: &Chosen, to_read: bool) -> anyhow::Result<(Chosen, Authority, Self)> {
        let mut authority = if to_read { chosen.open_to_read()? } else { chosen.open()? };
        let error = match Self::find(&mut authority, which, chosen) {
            Ok(found) => return Ok((chosen.by(chosen.issuer()?), authority, found)),
            Err(error) => error,
        };
        drop(authority);
        let all = match chosen.asked_issuer() {
            Some(_) => return Err(error),
            None if to_read => chosen.open_all_to_read(),
            None => chosen.open_all(),
        };
        let found = all.unwrap_or_default().into_iter().find_map(|(name, mut authority)| {
            let found = Self::find(&mut authority, which, chosen).ok()?;
            Some((chosen.by(name), authority, found))
        });
        found.ok_or(error)
    }

    /// As [`Self::find`], of what any authority in the ledger has issued, also one whose certificate is not in the folder;
    /// with what the authority is called there. `None` where none has.
    ///
    /// # Errors
    /// When the ledger fails.
    pub(super) fn in_ledger(
        which: &str,
        chosen: &Chosen,
    ) -> anyhow::Result<Option<(Option<AuthorityName>, Authority, Self)>> {
        let mut all: Vec<_> =
            chosen.of_all().open_all()?.into_iter().map(|(name, authority)| (Some(name), authority)).collect();
        for record in chosen.ledger()?.authorities()? {
            let Ok(certificate) = Certificate::from_der(&record.certificate) else { continue };
            if all.iter().all(|(_, known)| *known.certificate() != certificate) {
                all.push((None, Authority::open(certificate, chosen.ledger()?)?));
            }
        }
        Ok(all.into_iter().find_map(|(name, mut authority)| {
            let found = Self::find(&mut authority, which, chosen).ok()?;
            Some((name, authority, found))
        }))
    }

    /// The certificate whose serial number begins so, of any authority; `None` where that is no such beginning, or nobody's.
    ///
    /// # Errors
    /// When several certificates have such a number, and when the ledger fails.
    pub(super) fn by_beginning(which: &str, chosen: &Chosen) -> anyhow::Result<Option<(Chosen, Authority, Self)>> {
        let Some(serials) = beginning(which) else { return Ok(None) };
        let query = Query { serials: Some(serials), limit: Some(2), ..Query::default() };
        let (mut found, mut count) = (None, 0);
        for (name, mut authority) in chosen.open_all_to_read().unwrap_or_default() {
            let records = authority.find(&query)?;
            count += records.len();
            if !records.is_empty() {
                let meant = Self { which: which.to_owned(), records, from_file: false };
                found = Some((chosen.by(name), authority, meant));
            }
        }
        match count {
            0 | 1 => Ok(found),
            _ => Err(anyhow!("several certificates have a serial number that begins with {which}"))
                .hint("give more of its digits"),
        }
    }

    /// The one certificate that is meant. Of several with the name, those for which `counts` is false do not count where
    /// others do.
    ///
    /// # Errors
    /// When several are left, with a list of them.
    pub(super) fn only(mut self, counts: impl Fn(&Record) -> bool) -> anyhow::Result<Record> {
        self.narrow(counts);
        match <[Record; 1]>::try_from(self.records) {
            Ok([record]) => Ok(record),
            Err(records) => {
                let shown = records.iter().take(MOST_SHOWN).map(candidate).collect::<Vec<_>>().join(", ");
                let more = match records.len().saturating_sub(MOST_SHOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                Err(anyhow!("{:?} is the name of {} certificates: {shown}{more}", self.which, records.len()))
                    .hint("say which by its serial number")
            }
        }
    }

    /// The newest certificate; of several with the name, one for which `counts` is true if there is any.
    pub(super) fn newest(mut self, counts: impl Fn(&Record) -> bool) -> anyhow::Result<Record> {
        self.narrow(counts);
        self.records.into_iter().next().context("it names no certificate")
    }

    /// Leaves out those that do not count, where any does.
    pub(super) fn narrow(&mut self, counts: impl Fn(&Record) -> bool) {
        if self.records.iter().any(&counts) {
            self.records.retain(counts);
        }
    }
}

/// The authority of the CA that `which` names, with its certificate: by what it is called, or by common name, serial number or
/// file of its certificate.
pub(super) fn own_authority(which: &str, chosen: &Chosen) -> Option<(AuthorityName, Certificate)> {
    let number = serial(which);
    let file = Path::new(which).is_file().then(|| first_certificate(Path::new(which)).ok()).flatten();
    let is_meant = |name: &AuthorityName, certificate: &Certificate| {
        which == name.as_str()
            || number.as_ref() == Some(certificate.serial())
            || file.as_ref() == Some(certificate)
            || certificate.subject().common_names().iter().any(|common| common == which)
    };
    chosen.place().names().into_iter().find_map(|name| {
        let certificate = authority(&name, chosen, |certificate| is_meant(&name, certificate))?;
        Some((name, certificate))
    })
}

/// The certificate of an authority, if it is meant. What was issued may lie in the folder too: only an authority is in the
/// ledger as one.
fn authority(name: &AuthorityName, chosen: &Chosen, is_meant: impl Fn(&Certificate) -> bool) -> Option<Certificate> {
    let certificate = chosen.certificates(name).ok()?.into_iter().next()?;
    (certificate.claims_ca() && is_meant(&certificate) && chosen.open_one(name).is_ok()).then_some(certificate)
}

/// The authority that is called so, where `which` is the word for one.
///
/// # Errors
/// When a certificate that can still be used has that name too: whoever asks for one may choose it.
pub(super) fn called_so(which: &str, chosen: &Chosen, now: OffsetDateTime) -> anyhow::Result<Option<AuthorityName>> {
    let named = chosen.place().names().into_iter().find(|name| which == name.as_str());
    let is_one = |name: &AuthorityName| authority(name, chosen, |_| true).is_some();
    let Some(name) = named.filter(|name| !Path::new(which).is_file() && is_one(name)) else { return Ok(None) };
    let query =
        Query { name: Some(which.to_owned()), newest_first: true, limit: Some(MOST_CANDIDATES), ..Query::default() };
    for (_, mut authority) in chosen.of_all().open_all_to_read().unwrap_or_default() {
        if let Some(record) = authority.find(&query)?.iter().find(|record| is_live(record, now)) {
            let file = crate::cli::output::shown(&chosen.place().certificate_of(&name));
            return Err(anyhow!(
                "{which:?} is what an authority is called, and the name of certificate {}",
                candidate(record)
            ))
            .hint(format!("say which by its serial number, or the authority by its file, {file}"));
        }
    }
    Ok(Some(name))
}

/// Whether this is a certificate of an authority of the CA that signed it itself.
fn is_own_root(certificate: &Certificate, chosen: &Chosen) -> bool {
    let is_its = |name: AuthorityName| chosen.certificates(&name).is_ok_and(|own| own.first() == Some(certificate));
    certificate.issuer().matches(certificate.subject()) && chosen.place().names().into_iter().any(is_its)
}

/// A serial number as certkit, openssl and people write it: hexadecimal, perhaps after `0x` or `serial=`, with zeros before it.
pub(super) fn serial(text: &str) -> Option<SerialNumber> {
    let text = text.strip_prefix("serial=").unwrap_or(text);
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    let digits = digits.trim_start_matches(['0', ':']);
    let count = digits.chars().filter(|c| *c != ':').count();
    // Whole octets.
    let zeros = if count == 0 { "00" } else { ["", "0"].get(count % 2).copied().unwrap_or_default() };
    SerialNumber::from_hex(&format!("{zeros}{digits}"))
}

/// The least and the greatest serial number that begins with these hexadecimal digits, six or more.
fn beginning(text: &str) -> Option<(SerialNumber, SerialNumber)> {
    let digits = text.strip_prefix("serial=").unwrap_or(text);
    let digits = digits.strip_prefix("0x").unwrap_or(digits).replace(':', "");
    if digits.len() < LEAST_DIGITS {
        return None;
    }
    // Half an octet, and then whatever may follow.
    let odd = digits.len() % 2;
    let [least, greatest] = [("0", ""), ("f", &*"ff".repeat(LONGEST_SERIAL))]
        .map(|(half, rest)| SerialNumber::from_hex(&format!("{digits}{}{rest}", half.repeat(odd))));
    least.zip(greatest)
}

/// A name as a certificate has it that is issued for this text: in A-labels, without a dot at its end, and without the form
/// with which it is shown (`dns:api.test`).
pub(super) fn as_issued(text: &str) -> Option<String> {
    text.parse::<GeneralName>().ok().map(|name| name.value())
}

/// Whether a certificate could still be used: it has not expired and is not revoked.
pub(super) fn is_live(record: &Record, now: OffsetDateTime) -> bool {
    record.revocation.is_none() && now <= record.validity.not_after
}

/// The first certificate in a file.
pub(super) fn first_certificate(path: &Path) -> anyhow::Result<Certificate> {
    let loaded = Loaded::read(path)?;
    let certificates = loaded.document.certificates().with_context(|| cannot_use(path))?;
    certificates.first().map(|first| (*first).clone()).with_context(|| cannot_use(path))
}

fn candidate(record: &Record) -> String {
    format!("{} (until {})", record.serial, rfc3339(record.validity.not_after))
}

/// Fewer digits of a serial number than this are no beginning of one.
const LEAST_DIGITS: usize = 6;

/// In octets: more than any serial number has, which may have 20 (RFC 5280 §4.1.2.2).
const LONGEST_SERIAL: usize = 64;

/// How many certificates with one name are looked at.
const MOST_CANDIDATES: u32 = 1_000;

/// How many are listed in an error.
const MOST_SHOWN: usize = 8;

/// Whose certificates are looked through: one authority's where it is asked for.
fn asked(chosen: &Chosen) -> String {
    match chosen.asked_issuer() {
        Some(issuer) => format!("the authority {issuer} of the CA in {}", chosen.shown()),
        None => format!("the CA in {}", chosen.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_stands_for_all_serial_numbers_that_begin_so() {
        let number = |text| SerialNumber::from_hex(text);
        for (text, within, beyond) in [
            ("abcdef", ["abcdef", "abcdefffffffffffffffffffffffffffffffffff"], ["abcdee", "abcdf0"]),
            ("7f9a1c8", ["7f9a1c80", "7f9a1c8fff"], ["7f9a1c7fff", "7f9a1c90"]),
            ("0x05:ab:12", ["05ab12", "05ab12ff"], ["05ab11ff", "05ab13"]),
        ] {
            let range = beginning(text).map(|(least, greatest)| least..=greatest);
            let holds = |text| range.as_ref().zip(number(text)).map(|(range, number)| range.contains(&number));
            assert_eq!(within.map(holds), [Some(true); 2], "{text}");
            assert_eq!(beyond.map(holds), [Some(false); 2], "{text}");
        }
        for text in ["abcde", "a.test", "abcdeg", ""] {
            assert_eq!(beginning(text), None, "{text}");
        }
    }
}
