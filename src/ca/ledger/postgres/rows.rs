//! Rows of the tables in PostgreSQL: read, and asked for.

use std::ops::ControlFlow;

use super::Failure;
use crate::ca::ledger::rows::{CertificateRow, RevocationRow, moment};
use crate::ca::ledger::{AuthorityId, AuthorityRecord, Query, Record, RecordId, folded};
use crate::x509::SerialNumber;
use ::postgres::types::ToSql;
use ::postgres::{Row, Transaction};
use time::OffsetDateTime;

/// A statement whose values are added as it is written.
pub(super) struct Question {
    sql: String,
    values: Vec<Box<dyn ToSql + Sync>>,
}

impl Question {
    pub(super) fn new(sql: &str, value: impl ToSql + Sync + 'static) -> Self {
        Self { sql: sql.to_owned(), values: vec![Box::new(value)] }
    }

    /// Adds text without a value.
    pub(super) fn text(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Adds text, then the place of a value, then text.
    pub(super) fn value(&mut self, before: &str, value: impl ToSql + Sync + 'static, after: &str) {
        self.values.push(Box::new(value));
        self.sql.push_str(&format!("{before}${}{after}", self.values.len()));
    }

    pub(super) fn ask(self, moment: &mut Transaction<'_>) -> Result<Vec<Row>, ::postgres::Error> {
        let values: Vec<&(dyn ToSql + Sync)> = self.values.iter().map(|value| &**value).collect();
        moment.query(&self.sql, &values)
    }
}

/// Shows each row of an answer, a thousand in memory at a time.
pub(super) fn each(
    moment: &mut Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
    visit: &mut dyn FnMut(&Row) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let portal = moment.bind(sql, values)?;
    loop {
        let rows = moment.query_portal(&portal, PAGE)?;
        for row in &rows {
            if visit(row)?.is_break() {
                return Ok(());
            }
        }
        if rows.len() < PAGE as usize {
            return Ok(());
        }
    }
}

/// The certificates that match, in the order asked for.
pub(super) fn select(moment: &mut Transaction<'_>, by: AuthorityId, query: &Query) -> Result<Vec<Record>, Failure> {
    let rows = question(by, query).ask(moment)?;
    rows.iter().map(|row| Ok(certificate(row)?.into_record()?)).collect()
}

/// PostgreSQL knows how many rows each condition leaves, and chooses the index by itself.
fn question(AuthorityId(by): AuthorityId, query: &Query) -> Question {
    let Query { serial, serials, name, expiring_before, revoked, fingerprint, newest_first, after, limit } = query;
    let mut question = Question::new(
        &format!(
            "SELECT {COLUMNS} FROM certificates WHERE authority = $1
             AND fingerprint <> (SELECT fingerprint FROM authorities WHERE id = $1)"
        ),
        by,
    );
    if let Some(serial) = serial {
        question.value(" AND serial = ", serial.content().to_vec(), "");
    }
    if let Some((first, last)) = serials {
        question.value(" AND serial BETWEEN ", first.content().to_vec(), "");
        question.value(" AND ", last.content().to_vec(), "");
    }
    if let Some(fingerprint) = fingerprint {
        question.value(" AND fingerprint = ", fingerprint.clone(), "");
    }
    if let Some(name) = name {
        question.value(" AND id IN (SELECT certificate FROM names WHERE name = ", folded(name.clone()), ")");
    }
    if let Some(moment) = expiring_before {
        question.value(" AND not_after < ", moment.unix_timestamp(), "");
    }
    match revoked {
        Some(true) => question.text(" AND revoked_at IS NOT NULL"),
        Some(false) => question.text(" AND revoked_at IS NULL"),
        None => {}
    }
    if let Some(RecordId(id)) = after {
        question.value(if *newest_first { " AND id < " } else { " AND id > " }, *id, "");
    }
    question.text(if *newest_first { " ORDER BY id DESC" } else { " ORDER BY id" });
    if let Some(limit) = limit {
        question.value(" LIMIT ", i64::from(*limit), "");
    }
    question
}

fn certificate(row: &Row) -> Result<CertificateRow, ::postgres::Error> {
    Ok(CertificateRow {
        id: row.try_get(0)?,
        serial: row.try_get(1)?,
        fingerprint: row.try_get(2)?,
        subject: row.try_get(3)?,
        names: row.try_get(4)?,
        not_before: row.try_get(5)?,
        not_after: row.try_get(6)?,
        profile: row.try_get(7)?,
        issued_at: row.try_get(8)?,
        revoked_at: row.try_get(9)?,
        reason: row.try_get(10)?,
        invalid_since: row.try_get(11)?,
    })
}

/// The three columns of a revocation from this one on.
pub(super) fn revocation(row: &Row, first: usize) -> Result<RevocationRow, ::postgres::Error> {
    Ok(RevocationRow {
        revoked_at: row.try_get(first)?,
        reason: row.try_get(first + 1)?,
        invalid_since: row.try_get(first + 2)?,
    })
}

/// Every authority, the oldest first.
pub(super) fn authorities(moment: &mut Transaction<'_>) -> Result<Vec<AuthorityRecord>, Failure> {
    let rows = moment.query("SELECT id, der, created_at, crl_number, subject FROM authorities ORDER BY id", &[])?;
    rows.iter()
        .map(|row| {
            Ok(AuthorityRecord {
                id: AuthorityId(row.try_get(0)?),
                certificate: row.try_get(1)?,
                created_at: time(row, 2)?,
                crl_number: unsigned(row, 3)?,
                subject: row.try_get(4)?,
            })
        })
        .collect()
}

pub(super) fn time(row: &Row, column: usize) -> Result<OffsetDateTime, ::postgres::Error> {
    Ok(moment(row.try_get(column)?).unwrap_or(OffsetDateTime::UNIX_EPOCH))
}

pub(super) fn unsigned(row: &Row, column: usize) -> Result<u64, ::postgres::Error> {
    Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or_default())
}

pub(super) fn serial(row: &Row, column: usize) -> Result<SerialNumber, ::postgres::Error> {
    Ok(SerialNumber::from_content(row.try_get(column)?))
}

const COLUMNS: &str = "id, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, revoked_at,
    reason, invalid_since";

const PAGE: i32 = 1000;
