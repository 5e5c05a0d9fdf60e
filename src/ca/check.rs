//! Whether a ledger is what it should be: every row against its certificate, the database and the audit log.

mod seen;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread;

use self::seen::Seen;
use super::ledger::{
    AuditHead, Auditor, AuthorityId, Change, Examined, Ledger, LedgerError, ListQuery, SignedList, search_names,
};
use crate::encoding::hex;
use crate::key::PublicKey;
use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, GeneralName, SerialNumber};

/// Something in a ledger that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: which row, in words.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// What can be done about a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// It follows from the rest and can be made again.
    Repair,
    /// A copy of the certificate brings the row back.
    RepairWithCertificate,
    /// Only an earlier copy of the ledger has what is lost.
    Restore,
    /// Somebody changed the ledger past certkit.
    Investigate,
}

impl Remedy {
    /// It in words.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Repair => "certkit ca repair makes it again",
            Self::RepairWithCertificate => "certkit ca repair FILE, with a copy of the certificate, records it again",
            Self::Restore => "restore the ledger from a backup",
            Self::Investigate => {
                "somebody wrote to the ledger past certkit: find out who may, and compare with a backup"
            }
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Authorities.
    pub authorities: u64,
    /// Certificates, those of authorities among them.
    pub certificates: u64,
    /// Signed lists.
    pub lists: u64,
    /// The end of the audit log.
    pub head: AuditHead,
}

/// Checks a whole ledger, a part of it in memory at a time: 24 octets for each line of the audit log, and the rows that all
/// cores look at just now. `fault` is told of each fault as it is found, `progress` how many rows have been looked at.
///
/// # Errors
/// When the ledger fails otherwise than by being damaged, which is a fault.
pub fn check(
    ledger: &mut dyn Ledger,
    fault: &mut dyn FnMut(Fault),
    progress: &mut dyn FnMut(u64),
) -> Result<Counts, LedgerError> {
    let database = |what| Fault { place: "the database".to_owned(), what, remedy: Remedy::Restore };
    or_damaged(ledger.integrity(&mut |what| fault(database(what))), fault)?;
    let (mut seen, head) = audit(ledger, fault)?;
    let authorities = authorities(ledger, &mut seen, fault)?;
    let mut rows = Rows { authorities: &authorities, seen: &mut seen, waiting: Vec::new(), done: 0 };
    let examined = ledger.examine(&mut |row| {
        rows.add(row, fault);
        progress(rows.done);
        ControlFlow::Continue(())
    });
    rows.finish(fault);
    let certificates = rows.done;
    progress(certificates);
    let whole = or_damaged(examined, fault)?;
    let mut lists = 0;
    for authority in authorities.keys() {
        let signed = or_damaged(ledger.lists(*authority, &ListQuery::default()), fault)?.unwrap_or_default();
        lists += signed.len() as u64;
        check_lists(&signed, authorities.get(authority).map_or(0, |known| known.crl_number), &mut seen, fault);
    }
    // Where rows could not be read, those that the log tells of are not missing for that.
    if whole.is_some() {
        for fingerprint in seen.unseen() {
            fault(Fault {
                place: format!("the certificate or list with SHA-256 {}...", hex::encode(&fingerprint)),
                what: "the audit log tells of it, and the ledger does not have it".to_owned(),
                remedy: Remedy::RepairWithCertificate,
            });
        }
    }
    Ok(Counts { authorities: authorities.len() as u64, certificates, lists, head })
}

/// Damage is a fault; what is behind it cannot be seen.
fn or_damaged<T>(result: Result<T, LedgerError>, fault: &mut dyn FnMut(Fault)) -> Result<Option<T>, LedgerError> {
    match result {
        Err(LedgerError::Damaged { what, .. }) => {
            fault(Fault { place: "the database".to_owned(), what, remedy: Remedy::Restore });
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// Goes through the audit log, and remembers of what it tells.
fn audit(ledger: &mut dyn Ledger, fault: &mut dyn FnMut(Fault)) -> Result<(Seen, AuditHead), LedgerError> {
    let (mut auditor, mut seen) = (Auditor::new(), Seen::default());
    let head = ledger.audit(&mut |line| {
        auditor.line(&line);
        seen.tell(&line);
        ControlFlow::Continue(())
    });
    let head = or_damaged(head, fault)?;
    if let Some(Err(found)) = head.map(|head| auditor.finish(&head)) {
        let (place, what) = ("the audit log".to_owned(), found.to_string());
        fault(Fault { place, what, remedy: Remedy::Investigate });
    }
    seen.sort();
    Ok((seen, head.unwrap_or(AuditHead::EMPTY)))
}

/// An authority that rows may belong to.
struct Known {
    certificate: Certificate,
    key: PublicKey,
    crl_number: u64,
}

fn authorities(
    ledger: &mut dyn Ledger,
    seen: &mut Seen,
    fault: &mut dyn FnMut(Fault),
) -> Result<BTreeMap<AuthorityId, Known>, LedgerError> {
    let mut known = BTreeMap::new();
    for record in or_damaged(ledger.authorities(), fault)?.unwrap_or_default() {
        let place = format!("authority {}", record.id);
        let read = Certificate::from_der(&record.certificate).map_err(|error| error.to_string());
        let read = read.and_then(|certificate| match certificate.public_key() {
            Ok(key) => Ok((certificate, key)),
            Err(error) => Err(error.to_string()),
        });
        let (certificate, key) = match read {
            Ok(read) => read,
            Err(why) => {
                let what = format!("its certificate cannot be used: {why}");
                fault(Fault { place, what, remedy: Remedy::Restore });
                continue;
            }
        };
        if ledger.authority(&certificate)? != Some(record.id) {
            let what = "its fingerprint is not that of its certificate".to_owned();
            fault(Fault { place: place.clone(), what, remedy: Remedy::Investigate });
        }
        if !seen.see(&certificate.fingerprint_sha256(), Seen::RECORDED) {
            let what = "the audit log does not tell of it".to_owned();
            fault(Fault { place, what, remedy: Remedy::Investigate });
        }
        known.insert(record.id, Known { certificate, key, crl_number: record.crl_number });
    }
    Ok(known)
}

/// Rows on their way through the cores.
struct Rows<'a> {
    authorities: &'a BTreeMap<AuthorityId, Known>,
    seen: &'a mut Seen,
    waiting: Vec<Examined>,
    done: u64,
}

impl Rows<'_> {
    fn add(&mut self, row: Examined, fault: &mut dyn FnMut(Fault)) {
        self.waiting.push(row);
        if self.waiting.len() >= TOGETHER {
            self.finish(fault);
        }
    }

    fn finish(&mut self, fault: &mut dyn FnMut(Fault)) {
        let rows = std::mem::take(&mut self.waiting);
        for (row, faults) in rows.iter().zip(self.judge(&rows)) {
            let missing = self.told(row);
            for (what, remedy) in faults.into_iter().chain(missing) {
                fault(Fault { place: place(row), what, remedy });
            }
        }
        self.done += rows.len() as u64;
    }

    /// Judges rows on all cores: signatures take the time.
    fn judge(&self, rows: &[Examined]) -> Vec<Vec<(String, Remedy)>> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let authorities = self.authorities;
        let part = rows.len().div_ceil(threads).max(1);
        thread::scope(|scope| {
            let parts: Vec<_> = rows
                .chunks(part)
                .map(|part| scope.spawn(|| part.iter().map(|row| judge(row, authorities)).collect::<Vec<_>>()))
                .collect();
            let gone = || vec![vec![("a thread failed over it".to_owned(), Remedy::Investigate)]];
            parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|_| gone())).collect()
        })
    }

    /// What the audit log does not tell of a row.
    fn told(&mut self, row: &Examined) -> Vec<(String, Remedy)> {
        let mut missing = Vec::new();
        let mut wants = |what: &str, kind| {
            if !self.seen.see(&row.fingerprint, kind) {
                missing.push((format!("the audit log does not tell of {what}"), Remedy::Investigate));
            }
        };
        wants("it", Seen::RECORDED);
        if let Some(last) = row.last_change {
            wants("its revocation", Seen::REVOKED);
            if last.reason == REMOVE_FROM_CRL {
                wants("the end of its hold", Seen::RELEASED);
            }
        }
        missing
    }
}

/// What is wrong with a row by itself.
fn judge(row: &Examined, authorities: &BTreeMap<AuthorityId, Known>) -> Vec<(String, Remedy)> {
    let mut faults = Vec::new();
    let certificate = match Certificate::from_der(&row.der) {
        Ok(certificate) => certificate,
        Err(error) => return vec![(format!("its certificate cannot be read: {error}"), Remedy::Restore)],
    };
    let names = certificate.subject_alt_names().unwrap_or_default();
    let mut agrees = |column: &str, does: bool| {
        if !does {
            faults.push((format!("the column {column} is not what the certificate says"), Remedy::Investigate));
        }
    };
    agrees("fingerprint", row.fingerprint == certificate.fingerprint_sha256());
    agrees("serial", row.serial == certificate.serial().content());
    agrees("subject", row.subject == certificate.subject().to_string());
    let listed: Option<Vec<String>> = serde_json::from_str(&row.names).ok();
    agrees(
        "names",
        listed.is_some_and(|listed| {
            listed.iter().eq(names.iter().map(GeneralName::to_string).collect::<Vec<_>>().iter())
        }),
    );
    agrees("not_before", row.not_before == certificate.validity().not_before.unix_timestamp());
    agrees("not_after", row.not_after == certificate.validity().not_after.unix_timestamp());
    if row.found_by != search_names(names, &certificate) {
        faults.push(("it is not found by its names, or by others".to_owned(), Remedy::Repair));
    }
    match authorities.get(&row.authority) {
        None => faults.push(("its authority is not in the ledger".to_owned(), Remedy::Investigate)),
        Some(Known { certificate: issuer, key, .. }) => {
            if certificate.issuer() != issuer.subject() {
                let what = format!("its issuer is not its authority, {}", issuer.display_name());
                faults.push((what, Remedy::Investigate));
            } else if certificate.verify_signature(key).is_err() {
                faults.push(("it is not signed by its authority".to_owned(), Remedy::Investigate));
            }
        }
    }
    if let Some(what) = revocation_fault(row) {
        faults.push((what.to_owned(), Remedy::Investigate));
    }
    faults
}

/// How the standing of a row contradicts its history.
fn revocation_fault(row: &Examined) -> Option<&'static str> {
    let known = |change: &Change| CrlReason::ALL.iter().any(|reason| i64::from(*reason as u8) == change.reason);
    match (row.standing, row.last_change) {
        (Err(()), _) => Some("of its revocation only a part is there"),
        (Ok(Some(standing)), _) if !known(&standing) => Some("the reason of its revocation is none"),
        (Ok(Some(standing)), Some(last)) if standing == last => None,
        (Ok(None), None) => None,
        (Ok(None), Some(last)) if last.reason == REMOVE_FROM_CRL => None,
        (Ok(Some(_)), _) => Some("it is revoked, and its history does not tell of that"),
        (Ok(None), Some(_)) => Some("its history tells of a revocation, and it is not revoked"),
    }
}

/// Lists of one authority, the greatest number first.
fn check_lists(lists: &[SignedList], handed_out: u64, seen: &mut Seen, fault: &mut dyn FnMut(Fault)) {
    let mut complete: BTreeMap<(&str, u64), &SignedList> = BTreeMap::new();
    for list in lists.iter().filter(|list| list.base.is_none()) {
        complete.insert((&list.scope, list.number), list);
    }
    for list in lists {
        let mut wrong = |what: String| {
            fault(Fault { place: format!("list {}", list.number), what, remedy: Remedy::Investigate });
        };
        if list.number > handed_out {
            wrong(format!("its number is greater than the last one handed out, {handed_out}"));
        }
        if list.next_update < list.this_update {
            wrong("it ends before it begins".to_owned());
        }
        if let Some(base) = list.base.filter(|base| !complete.contains_key(&(list.scope.as_str(), *base))) {
            wrong(format!("it builds upon list {base}, which is not there"));
        }
        if !seen.see(&list.fingerprint, Seen::LISTED) {
            wrong("the audit log does not tell of it".to_owned());
        }
    }
    for pair in lists.windows(2) {
        let [later, earlier] = pair else { continue };
        if later.number > earlier.number && later.mark < earlier.mark {
            let what = format!("it has fewer revocations than list {} before it", earlier.number);
            fault(Fault { place: format!("list {}", later.number), what, remedy: Remedy::Investigate });
        }
    }
}

fn place(row: &Examined) -> String {
    format!("certificate {} (serial number {})", row.id, SerialNumber::from_content(&row.serial))
}

const REMOVE_FROM_CRL: i64 = CrlReason::RemoveFromCrl as i64;

/// So many rows are judged at a time.
const TOGETHER: usize = 1024;
