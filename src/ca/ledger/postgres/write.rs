//! Certificates and authorities as they are written into PostgreSQL.

use std::collections::HashMap;

use super::Failure;
use super::audit::Writing;
use crate::ca::ledger::act::Done;
use crate::ca::ledger::rows::write_names;
use crate::ca::ledger::{Act, AuthorityId, Entry, LedgerError, flaw, search_names};
use crate::x509::Certificate;

/// Adds an authority.
pub(super) fn add_authority(
    writing: &mut Writing<'_>,
    certificate: &Certificate,
    act: &Act,
) -> Result<AuthorityId, Failure> {
    let added = writing.query_opt(
        "INSERT INTO authorities (fingerprint, subject, created_at, der) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING RETURNING id",
        &[
            &certificate.fingerprint_sha256().as_slice(),
            &certificate.subject().to_string(),
            &act.at.unix_timestamp(),
            &certificate.der(),
        ],
    )?;
    match added {
        Some(row) => Ok(AuthorityId(row.try_get(0)?)),
        None if is_known(writing, "authorities", certificate)? => {
            Err(LedgerError::AlreadyRecorded { serial: certificate.serial().clone() }.into())
        }
        None => Err(Failure::Damaged(flaw::stuck_counter("authorities"))),
    }
}

/// Adds certificates, however many there are, with one statement for each table.
pub(super) fn insert(
    writing: &mut Writing<'_>,
    by: AuthorityId,
    entries: &[Entry<'_>],
    act: &Act,
) -> Result<(), Failure> {
    let fingerprints: Vec<[u8; 32]> = entries.iter().map(|entry| entry.certificate.fingerprint_sha256()).collect();
    // A certificate whose subjectAltName does not parse is still recorded, and found by serial number.
    let names: Vec<_> = entries.iter().map(|entry| entry.certificate.subject_alt_names().unwrap_or_default()).collect();
    let column = |of: fn(&Certificate) -> &[u8]| entries.iter().map(|entry| of(entry.certificate)).collect::<Vec<_>>();
    let time = |of: fn(&Certificate) -> i64| entries.iter().map(|entry| of(entry.certificate)).collect::<Vec<_>>();
    // The database decides what is unique: a conflict inserts nothing, whoever was first.
    let added = writing.query(
        ADD,
        &[
            &by.0,
            &act.at.unix_timestamp(),
            &column(|certificate| certificate.serial().content()),
            &fingerprints.iter().map(<[u8; 32]>::as_slice).collect::<Vec<_>>(),
            &entries.iter().map(|entry| entry.certificate.subject().to_string()).collect::<Vec<_>>(),
            &names.iter().map(|names| write_names(names)).collect::<Vec<_>>(),
            &time(|certificate| certificate.validity().not_before.unix_timestamp()),
            &time(|certificate| certificate.validity().not_after.unix_timestamp()),
            &entries.iter().map(|entry| entry.profile).collect::<Vec<_>>(),
            &column(Certificate::der),
        ],
    )?;
    let mut ids: HashMap<Vec<u8>, i64> = HashMap::with_capacity(added.len());
    for row in &added {
        ids.insert(row.try_get(1)?, row.try_get(0)?);
    }
    let (mut found_by, mut owners) = (Vec::new(), Vec::new());
    for ((entry, fingerprint), names) in entries.iter().zip(&fingerprints).zip(&names) {
        let Some(id) = ids.remove(fingerprint.as_slice()) else {
            return Err(conflict(writing, by, entry.certificate)?);
        };
        for name in search_names(names, entry.certificate) {
            found_by.push(name);
            owners.push(id);
        }
        writing.log(Done::recorded(entry.certificate, entry.profile).line(by, act));
    }
    writing.execute(
        "INSERT INTO names (name, certificate) SELECT * FROM unnest($1::text[], $2::bigint[])",
        &[&found_by, &owners],
    )?;
    Ok(())
}

/// Which of the two unique things was taken, or the id that the counter of rows gave.
fn conflict(
    writing: &mut Writing<'_>,
    AuthorityId(by): AuthorityId,
    certificate: &Certificate,
) -> Result<Failure, ::postgres::Error> {
    let serial = certificate.serial().clone();
    if is_known(writing, "certificates", certificate)? {
        return Ok(LedgerError::AlreadyRecorded { serial }.into());
    }
    let is_taken = "SELECT EXISTS (SELECT 1 FROM certificates WHERE authority = $1 AND serial = $2)";
    Ok(match writing.query_one(is_taken, &[&by, &serial.content()])?.try_get(0)? {
        true => LedgerError::SerialTaken { serial }.into(),
        false => Failure::Damaged(flaw::stuck_counter("certificates")),
    })
}

/// Whether a table has this certificate.
fn is_known(writing: &mut Writing<'_>, table: &str, certificate: &Certificate) -> Result<bool, ::postgres::Error> {
    let known = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE fingerprint = $1)");
    writing.query_one(&known, &[&certificate.fingerprint_sha256().as_slice()])?.try_get(0)
}

const ADD: &str = "INSERT INTO certificates
    (authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der)
    SELECT $1, serial, fingerprint, subject, names, not_before, not_after, profile, $2, der
    FROM unnest($3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::bytea[])
        WITH ORDINALITY
        AS row (serial, fingerprint, subject, names, not_before, not_after, profile, der, place)
    ORDER BY place
    ON CONFLICT DO NOTHING RETURNING id, fingerprint";
