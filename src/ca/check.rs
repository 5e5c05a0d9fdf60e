//! Whether a ledger is what it should be: every row against its certificate, the database and the audit log.
//!
//! The log's chain vouches for its lines, and its lines for the rows: what they tell of a certificate, its revocation or a
//! list is compared both ways. What an older line does not say is not compared. Of the last CRL number handed out only that
//! it is no lower than the number of any list: one is handed out before its list is signed, so a process that dies in between
//! leaves a gap, and a number raised by hand cannot be told from many such gaps. It is no harm either, for numbers only have to
//! grow.

mod lists;
mod log;
mod order;
mod seen;
mod to_come;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread;

use self::order::Order;
use self::seen::Seen;
use super::ledger::{
    AuditHead, Auditor, AuthorityId, Change, Examined, Flaw, Ledger, LedgerError, ListQuery, Mark, Prospect, RecordId,
    search_names,
};
use super::tiers;
use crate::encoding::hex;
use crate::key::PublicKey;
use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, GeneralName, SerialNumber};
use time::OffsetDateTime;

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

/// What is no fault of the ledger, and yet to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caution {
    /// Where: which row, in words.
    pub place: String,
    /// What there is to know.
    pub what: String,
    /// What can be done about it.
    pub advice: String,
}

/// What can be done about a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// It follows from the rest and can be made again.
    Repair,
    /// A copy of the certificate brings the row back.
    RepairWithCertificate,
    /// A new ledger is made of exported certificates, where there is no earlier copy.
    NewLedger,
    /// Only an earlier copy of the ledger has what is lost.
    Restore,
    /// The certificate has to be revoked again.
    Revoke,
    /// Somebody changed the ledger past certkit.
    Investigate,
    /// The database server is to be set otherwise.
    Configure,
    /// Others may do more with a file than they should.
    Restrict,
}

impl Remedy {
    /// It in words.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Repair => "certkit ca repair makes it again",
            Self::RepairWithCertificate => "certkit ca repair FILE, with a copy of the certificate, records it again",
            Self::NewLedger => {
                "restore the ledger from a backup; without one, certkit ca repair --new-ledger makes a new one of exported \
                 certificates"
            }
            Self::Restore => "restore the ledger from a backup",
            Self::Revoke => "certkit ca revoke SERIAL with that reason, and --at with that time, records it again",
            Self::Investigate => {
                "somebody wrote to the ledger past certkit: find out who may, and compare with a backup"
            }
            Self::Configure => "set it in postgresql.conf and reload the server",
            Self::Restrict => "leave the file to its owner: chmod go-rwx",
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

/// Checks a whole ledger, a part of it in memory at a time: 48 octets for each line of the audit log, 16 for each step of
/// revocation, and the rows that all cores look at just now. `fault` is told of each fault as it is found, `caution` of what is
/// none, by the clock that says `now`, and `progress` how many rows have been looked at.
///
/// # Errors
/// When the ledger fails otherwise than by being damaged, which is a fault.
pub fn check(
    ledger: &mut dyn Ledger,
    now: OffsetDateTime,
    tell: &mut dyn FnMut(Result<Caution, Fault>),
    progress: &mut dyn FnMut(u64),
) -> Result<Counts, LedgerError> {
    let fault = &mut Faults { tell, of_database: Vec::new(), mends: false, lost: false };
    let found = ledger.integrity(&mut |flaw| fault.flaw(flaw));
    fault.or_damaged(found)?;
    let (mut seen, head) = audit(ledger, fault)?;
    let authorities = authorities(ledger, &mut seen, fault)?;
    let mut rows = Rows {
        authorities: &authorities,
        seen: &mut seen,
        waiting: Vec::new(),
        done: 0,
        now,
        last: None,
        marks: BTreeMap::new(),
        order: Order::default(),
    };
    let examined = ledger.examine(&mut |row| {
        rows.add(row, fault);
        progress(rows.done);
        ControlFlow::Continue(())
    });
    rows.finish(fault);
    let Rows { done: certificates, marks, mut order, .. } = rows;
    progress(certificates);
    // Where rows could not be read, those that the log tells of are not missing for that.
    let mut whole = fault.or_damaged(examined)?.is_some();
    for (authority, row, before) in order.sort() {
        let what = format!(
            "it is before row {before} of authority {authority}, and by the audit log it came after that: a delta list may leave \
             one of them out"
        );
        fault.tell(format!("row {row} of revocations"), what, Remedy::Investigate);
    }
    let mut lists = 0;
    for (authority, known) in &authorities {
        let Some(signed) = fault.or_damaged(ledger.lists(*authority, &ListQuery::default()))? else {
            whole = false;
            continue;
        };
        lists += signed.len() as u64;
        let last = whole.then(|| marks.get(authority).copied().unwrap_or(Mark::BEGINNING));
        lists::check(&signed, (*authority, known), last, &mut seen, fault);
        for list in &signed {
            if let Some(row) = order.came_after(list, *authority, &seen) {
                let what = format!(
                    "it is said to have row {row} of revocations, and by the audit log that came after it: deltas upon it leave \
                     that out"
                );
                fault.tell(format!("list {}", list.number), what, Remedy::Investigate);
            }
        }
    }
    for (row, before) in lists::displaced(ledger, &seen, fault)? {
        let what = format!("it is before row {before}, and by the audit log it came after that");
        fault.tell(format!("row {row} of lists"), what, Remedy::Investigate);
    }
    if whole {
        for found in fault.or_damaged(tiers::uncertified(ledger))?.unwrap_or_default() {
            let what = format!(
                "its certificate is not among those of {}, which has signed it: it cannot be revoked, and that it was is lost; the \
                 repair takes that from the lists which were published (--crl FILE)",
                found.issuer
            );
            fault.tell(format!("authority {}", found.id), what, Remedy::Repair);
        }
        seen.unseen().for_each(|unseen| (fault.tell)(Err(missing(unseen, &authorities))));
    }
    Ok(Counts { authorities: authorities.len() as u64, certificates, lists, head })
}

/// Those who are told of faults, and what the database has told of itself.
struct Faults<'a> {
    tell: &'a mut dyn FnMut(Result<Caution, Fault>),
    of_database: Vec<String>,
    mends: bool,
    lost: bool,
}

impl Faults<'_> {
    fn tell(&mut self, place: impl Into<String>, what: impl Into<String>, remedy: Remedy) {
        (self.tell)(Err(Fault { place: place.into(), what: what.into(), remedy }));
    }

    fn caution(&mut self, place: impl Into<String>, what: impl Into<String>, advice: impl Into<String>) {
        (self.tell)(Ok(Caution { place: place.into(), what: what.into(), advice: advice.into() }));
    }

    fn flaw(&mut self, Flaw { what, prospect }: Flaw) {
        let remedy = match prospect {
            Prospect::Mends => Remedy::Repair,
            Prospect::Lost => Remedy::Restore,
            Prospect::Foreign => Remedy::Investigate,
            Prospect::Setting => Remedy::Configure,
            Prospect::Unseen => {
                let advice = "have the owner of the ledger grant it to this user: GRANT SELECT ON ALL SEQUENCES IN SCHEMA certkit";
                return self.caution(DATABASE, what, advice);
            }
        };
        self.mends |= prospect == Prospect::Mends;
        self.lost |= prospect == Prospect::Lost;
        self.of_database.push(what.clone());
        self.tell(DATABASE, what, remedy);
    }

    /// Damage is a fault; what is behind it cannot be seen.
    fn or_damaged<T>(&mut self, result: Result<T, LedgerError>) -> Result<Option<T>, LedgerError> {
        match result {
            Err(LedgerError::Headless { .. }) => {
                let what = "the head of the audit log is missing: lines that were cut off its end would not be missed";
                self.tell("the audit log", what, Remedy::Repair);
                Ok(None)
            }
            Err(LedgerError::Damaged { what, .. }) => {
                if !self.of_database.contains(&what) {
                    // Rows cannot be read either where an index is damaged that leads to them.
                    let remedy = if self.mends && !self.lost { Remedy::Repair } else { Remedy::Restore };
                    self.of_database.push(what.clone());
                    self.tell(DATABASE, what, remedy);
                }
                Ok(None)
            }
            other => other.map(Some),
        }
    }
}

/// What the audit log tells of and the ledger does not have.
fn missing(unseen: seen::Unseen, authorities: &BTreeMap<AuthorityId, Known>) -> Fault {
    let seen::Unseen { key, authority, list } = unseen;
    let (kind, remedy) = match list {
        Some(detail) => (format!("list ({detail})"), Remedy::Restore),
        // The row of an authority does not come back with its certificate.
        None if authority.is_some_and(|by| !authorities.contains_key(&by)) => {
            ("certificate".to_owned(), Remedy::Restore)
        }
        None => ("certificate".to_owned(), Remedy::RepairWithCertificate),
    };
    Fault {
        place: format!("the {kind} with SHA-256 {}...", hex::encode(&key)),
        what: "the audit log tells of it, and the ledger does not have it".to_owned(),
        remedy,
    }
}

/// Goes through the audit log, and remembers of what it tells.
fn audit(ledger: &mut dyn Ledger, fault: &mut Faults<'_>) -> Result<(Seen, AuditHead), LedgerError> {
    let (mut auditor, mut seen) = (Auditor::new(), Seen::default());
    let head = ledger.audit(&mut |line| {
        auditor.line(&line);
        seen.tell(&line);
        ControlFlow::Continue(())
    });
    let head = fault.or_damaged(head)?;
    let found = match &head {
        Some(head) => auditor.finish(head).err(),
        None => auditor.fault().cloned(),
    };
    if let Some(found) = found {
        let (place, what) = ("the audit log".to_owned(), found.to_string());
        fault.tell(place, what, Remedy::Investigate);
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
    fault: &mut Faults<'_>,
) -> Result<BTreeMap<AuthorityId, Known>, LedgerError> {
    let mut known = BTreeMap::new();
    for record in fault.or_damaged(ledger.authorities())?.unwrap_or_default() {
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
                fault.tell(place, what, Remedy::Restore);
                continue;
            }
        };
        if ledger.authority(&certificate)? != Some(record.id) {
            let what = "its fingerprint is not that of its certificate".to_owned();
            fault.tell(place.clone(), what, Remedy::Investigate);
        }
        if record.subject != certificate.subject().to_string() {
            let what = "the column subject is not what the certificate says".to_owned();
            fault.tell(place.clone(), what, Remedy::Investigate);
        }
        for (what, remedy) in log::of_authority(&record, &certificate, seen) {
            fault.tell(place.clone(), what, remedy);
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
    now: OffsetDateTime,
    /// The certificate that the log has last of those looked at, and where.
    last: Option<(u32, RecordId)>,
    /// The last step of revocation of each authority.
    marks: BTreeMap<AuthorityId, Mark>,
    order: Order,
}

/// What is wrong, and what can be done about it.
type Found = (String, Remedy);

impl Rows<'_> {
    fn add(&mut self, row: Examined, fault: &mut Faults<'_>) {
        self.waiting.push(row);
        if self.waiting.len() >= TOGETHER {
            self.finish(fault);
        }
    }

    fn finish(&mut self, fault: &mut Faults<'_>) {
        let rows = std::mem::take(&mut self.waiting);
        for (row, faults) in rows.iter().zip(self.judge(&rows)) {
            for step in &row.history {
                let last = self.marks.entry(step.authority).or_insert(step.mark);
                *last = step.mark.max(*last);
            }
            self.order.take(row, self.seen);
            let contradicted = log::of_certificate(row, self.seen);
            let displaced = self.displaced(row);
            for (what, remedy) in faults.into_iter().chain(contradicted).chain(displaced) {
                fault.tell(place(row), what, remedy);
            }
            if let Some(caution) = to_come::of(row, self.now) {
                (fault.tell)(Ok(caution));
            }
        }
        self.done += rows.len() as u64;
    }

    /// That a row stands after one which the log has after it.
    fn displaced(&mut self, row: &Examined) -> Option<Found> {
        let place = self.seen.recording(&row.fingerprint, row.authority)?.place()?;
        match self.last.filter(|(last, _)| place < *last) {
            Some((_, after)) => {
                let what = format!("it is after certificate {after}, and by the audit log it was recorded before that");
                Some((what, Remedy::Investigate))
            }
            None => {
                self.last = Some((place, row.id));
                None
            }
        }
    }

    /// Judges rows on all cores: signatures take the time.
    fn judge(&self, rows: &[Examined]) -> Vec<Vec<Found>> {
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
}

/// What is wrong with a row by itself.
fn judge(row: &Examined, authorities: &BTreeMap<AuthorityId, Known>) -> Vec<Found> {
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
                match certificate.weakly_signed_with(key) {
                    // Nobody trusts a root for its own signature (RFC 5280 §6.1).
                    Some(_) if certificate == *issuer => {}
                    Some(hash) => faults.push((
                        format!("it is signed with {hash}, which certkit does not check: anybody may have made it"),
                        Remedy::Investigate,
                    )),
                    None => faults.push(("it is not signed by its authority".to_owned(), Remedy::Investigate)),
                }
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
    if row.history.iter().any(|step| step.authority != row.authority) {
        return Some("its history of revocation is under another authority");
    }
    match (row.standing, row.history.last().map(|step| step.change)) {
        (Err(()), _) => Some("of its revocation only a part is there"),
        (Ok(Some(standing)), _) if !known(&standing) => Some("the reason of its revocation is none"),
        (Ok(Some(standing)), Some(last)) if standing == last => None,
        (Ok(None), None) => None,
        (Ok(None), Some(last)) if last.reason == REMOVE_FROM_CRL => None,
        (Ok(Some(_)), _) => Some("it is revoked, and its history does not tell of that"),
        (Ok(None), Some(_)) => Some("its history tells of a revocation, and it is not revoked"),
    }
}

fn place(row: &Examined) -> String {
    format!("certificate {} (serial number {})", row.id, SerialNumber::from_content(&row.serial))
}

const DATABASE: &str = "the database";

const REMOVE_FROM_CRL: i64 = CrlReason::RemoveFromCrl as i64;

/// So many rows are judged at a time.
const TOGETHER: usize = 1024;
