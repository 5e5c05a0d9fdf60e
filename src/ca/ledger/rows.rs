//! Rows of the ledger's tables: read, and asked for.

use super::{AuthorityId, AuthorityRecord, Query, Record, RecordId, Revocation, folded};
use crate::x509::extension::CrlReason;
use crate::x509::{GeneralName, SerialNumber, Validity};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use time::OffsetDateTime;

/// The certificates that match, in the order asked for.
pub(super) fn select(connection: &Connection, by: AuthorityId, query: &Query) -> rusqlite::Result<Vec<CertificateRow>> {
    let (sql, values) = question(by, query);
    // An OCSP responder asks the same question all day, and to read it takes SQLite longer than to answer it.
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), CertificateRow::read)?;
    rows.collect()
}

/// The query in SQL, and its values. However many rows there are, it looks at those that match the condition with the
/// fewest: serial number, name, expiry, revocation; or at all, in their order, where there is none.
fn question(by: AuthorityId, query: &Query) -> (String, Vec<Value>) {
    let Query { serial, serials, name, expiring_before, revoked, fingerprint, newest_first, after, limit } = query;
    let indexed = serial.is_some()
        || serials.is_some()
        || (name.is_none() && fingerprint.is_none() && (expiring_before.is_some() || *revoked == Some(true)));
    // The plus sign keeps SQLite from going through all the authority's certificates by an index that begins with it.
    let authority = if indexed { "authority" } else { "+authority" };
    let mut sql = format!(
        "SELECT {COLUMNS} FROM certificates WHERE {authority} = ?
         AND fingerprint <> (SELECT fingerprint FROM authorities WHERE id = ?)"
    );
    let mut values = vec![Value::Integer(by.0), Value::Integer(by.0)];
    if let Some(serial) = serial {
        sql.push_str(" AND serial = ?");
        values.push(Value::Blob(serial.content().to_vec()));
    }
    if let Some((first, last)) = serials {
        sql.push_str(" AND serial BETWEEN ? AND ?");
        values.extend([first, last].map(|serial| Value::Blob(serial.content().to_vec())));
    }
    if let Some(fingerprint) = fingerprint {
        sql.push_str(" AND fingerprint = ?");
        values.push(Value::Blob(fingerprint.clone()));
    }
    if let Some(name) = name {
        sql.push_str(" AND id IN (SELECT certificate FROM names WHERE name = ?)");
        values.push(Value::Text(folded(name.clone())));
    }
    if let Some(moment) = expiring_before {
        sql.push_str(" AND not_after < ?");
        values.push(Value::Integer(moment.unix_timestamp()));
    }
    match revoked {
        Some(true) => sql.push_str(" AND revoked_at IS NOT NULL"),
        Some(false) => sql.push_str(" AND revoked_at IS NULL"),
        None => {}
    }
    if let Some(RecordId(id)) = after {
        sql.push_str(if *newest_first { " AND id < ?" } else { " AND id > ?" });
        values.push(Value::Integer(*id));
    }
    sql.push_str(if *newest_first { " ORDER BY id DESC" } else { " ORDER BY id" });
    if let Some(limit) = limit {
        sql.push_str(" LIMIT ?");
        values.push(Value::Integer((*limit).into()));
    }
    (sql, values)
}

/// The fingerprint of every authority, the oldest first.
pub(super) fn authority_fingerprints(connection: &Connection) -> rusqlite::Result<Vec<(AuthorityId, Vec<u8>)>> {
    let mut statement = connection.prepare_cached("SELECT id, fingerprint FROM authorities ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((AuthorityId(row.get(0)?), row.get(1)?)))?;
    rows.collect()
}

/// Every authority, the oldest first.
pub(super) fn authorities(connection: &Connection) -> rusqlite::Result<Vec<AuthorityRecord>> {
    let mut statement =
        connection.prepare("SELECT id, der, created_at, crl_number, subject FROM authorities ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(AuthorityRecord {
            id: AuthorityId(row.get(0)?),
            certificate: row.get(1)?,
            created_at: moment(row.get(2)?).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            crl_number: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
            subject: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Names as one column.
pub(super) fn write_names(names: &[GeneralName]) -> String {
    // Strings into memory: nothing of that can fail.
    serde_json::to_string(names).unwrap_or_default()
}

/// A row of `certificates`, as it stands there.
pub(super) struct CertificateRow {
    pub(super) id: i64,
    pub(super) serial: Vec<u8>,
    pub(super) fingerprint: Vec<u8>,
    pub(super) subject: String,
    pub(super) names: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) profile: String,
    pub(super) issued_at: i64,
    pub(super) revoked_at: Option<i64>,
    pub(super) reason: Option<i64>,
    pub(super) invalid_since: Option<i64>,
}

/// The columns of a [`CertificateRow`], in the order in which they are read.
const COLUMNS: &str = "id, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, revoked_at, reason, \
     invalid_since";

impl CertificateRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            serial: row.get(1)?,
            fingerprint: row.get(2)?,
            subject: row.get(3)?,
            names: row.get(4)?,
            not_before: row.get(5)?,
            not_after: row.get(6)?,
            profile: row.get(7)?,
            issued_at: row.get(8)?,
            revoked_at: row.get(9)?,
            reason: row.get(10)?,
            invalid_since: row.get(11)?,
        })
    }

    /// The record, or what is wrong with the row.
    pub(super) fn into_record(self) -> Result<Record, String> {
        let serial = SerialNumber::from_content(&self.serial);
        let wrong =
            |column: &str| format!("the {column} of the certificate with serial number {serial} cannot be read");
        let revocation = match (self.revoked_at, self.reason) {
            (None, None) => None,
            (Some(revoked_at), Some(reason)) => {
                let row = RevocationRow { revoked_at, reason, invalid_since: self.invalid_since };
                Some(row.read().map_err(|column| wrong(&column))?)
            }
            _ => return Err(wrong("revocation")),
        };
        Ok(Record {
            id: RecordId(self.id),
            names: serde_json::from_str(&self.names).map_err(|_| wrong("names"))?,
            validity: Validity {
                not_before: moment(self.not_before).ok_or_else(|| wrong("not_before"))?,
                not_after: moment(self.not_after).ok_or_else(|| wrong("not_after"))?,
            },
            issued_at: moment(self.issued_at).ok_or_else(|| wrong("issued_at"))?,
            serial,
            fingerprint: self.fingerprint,
            subject: self.subject,
            profile: self.profile,
            revocation,
        })
    }
}

/// A revocation, as it stands in a table: `revoked_at, reason, invalid_since`.
pub(super) struct RevocationRow {
    pub(super) revoked_at: i64,
    pub(super) reason: i64,
    pub(super) invalid_since: Option<i64>,
}

impl RevocationRow {
    pub(super) fn of(revocation: Revocation) -> Self {
        Self {
            revoked_at: revocation.at.unix_timestamp(),
            reason: (revocation.reason as u8).into(),
            invalid_since: revocation.invalid_since.map(OffsetDateTime::unix_timestamp),
        }
    }

    /// The three columns from this one on.
    pub(super) fn at(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self { revoked_at: row.get(first)?, reason: row.get(first + 1)?, invalid_since: row.get(first + 2)? })
    }

    /// The revocation, or the column that cannot be read.
    pub(super) fn read(self) -> Result<Revocation, String> {
        let wrong = |column: &str| column.to_owned();
        Ok(Revocation {
            at: moment(self.revoked_at).ok_or_else(|| wrong("revoked_at"))?,
            reason: read_reason(self.reason).ok_or_else(|| wrong("reason"))?,
            invalid_since: self
                .invalid_since
                .map(|since| moment(since).ok_or_else(|| wrong("invalid_since")))
                .transpose()?,
        })
    }
}

pub(super) fn moment(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

fn read_reason(number: i64) -> Option<CrlReason> {
    CrlReason::ALL.into_iter().find(|reason| i64::from(*reason as u8) == number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row() -> CertificateRow {
        CertificateRow {
            id: 7,
            serial: vec![0, 0x80],
            fingerprint: vec![1; 32],
            subject: "CN=a".into(),
            names: r#"["dns:a.test"]"#.into(),
            not_before: 0,
            not_after: 60,
            profile: "server".into(),
            issued_at: 30,
            revoked_at: None,
            reason: None,
            invalid_since: None,
        }
    }

    #[test]
    fn every_question_goes_straight_to_its_rows() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::ca::ledger::schema::migrate(&mut connection).unwrap().unwrap();
        let all = Query::default;
        let (name, moment) = (Some("a.test".to_owned()), Some(OffsetDateTime::UNIX_EPOCH));
        for (query, way) in [
            (all(), "SCAN certificates"),
            (Query { after: Some(RecordId(5)), ..all() }, "USING INTEGER PRIMARY KEY (rowid>?)"),
            (Query { serial: Some(SerialNumber::from_content(&[1])), ..all() }, "(authority=? AND serial=?)"),
            (
                Query { serials: Some([1, 2].map(|octet| SerialNumber::from_content(&[octet])).into()), ..all() },
                "(authority=? AND serial>? AND serial<?)",
            ),
            (Query { fingerprint: Some(vec![1; 32]), ..all() }, "certificates USING INDEX sqlite_autoindex"),
            (Query { newest_first: true, after: Some(RecordId(5)), ..all() }, "PRIMARY KEY (rowid<?)"),
            (Query { name: name.clone(), newest_first: true, limit: Some(1), ..all() }, "PRIMARY KEY (rowid=?)"),
            (Query { name: name.clone(), ..all() }, "certificates USING INTEGER PRIMARY KEY (rowid=?)"),
            (Query { name, expiring_before: moment, ..all() }, "certificates USING INTEGER PRIMARY KEY (rowid=?)"),
            (Query { expiring_before: moment, ..all() }, "certificates_by_expiry (authority=? AND not_after<?)"),
            (Query { revoked: Some(true), ..all() }, "certificates_revoked (authority=? AND revoked_at>?)"),
        ] {
            let (sql, values) = question(AuthorityId(1), &query);
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert!(steps.iter().any(|step| step.contains(way)), "{query:?}: {steps:?}");
        }
    }

    #[test]
    fn names_read_back_whatever_they_hold() {
        let names = [GeneralName::Uri("urn:x:\"[,]\"".into()), GeneralName::Dns("a\nb".into())];
        let record = CertificateRow { names: write_names(&names), ..row() }.into_record().unwrap();
        assert_eq!(record.names, ["uri:urn:x:\"[,]\"", "dns:a\nb"]);
    }

    #[test]
    fn a_revocation_has_both_time_and_reason() {
        let revoked = |revoked_at, reason| CertificateRow { revoked_at, reason, ..row() }.into_record();
        let revocation = revoked(Some(60), Some(1)).unwrap().revocation.unwrap();
        assert_eq!((revocation.at.unix_timestamp(), revocation.reason), (60, CrlReason::KeyCompromise));
        for (revoked_at, reason) in [(Some(60), None), (None, Some(1)), (Some(60), Some(7))] {
            assert!(revoked(revoked_at, reason).unwrap_err().contains("serial number 80"), "{revoked_at:?} {reason:?}");
        }
    }
}
