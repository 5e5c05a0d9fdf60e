//! What the ledger in SQLite finds wrong with itself, and what of it can be made again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::audit::{Log, mend_head};
use super::{Failure, counters};
use crate::ca::ledger::act::Done;
use crate::ca::ledger::examined::{Change, Examined, Step};
use crate::ca::ledger::{Act, AuditLine, AuthorityId, Flaw, Mark, Mended, RecordId, flaw, schema, search_names};
use crate::x509::{Certificate, SerialNumber};
use rusqlite::{Connection, ErrorCode, Row, Rows, Statement, Transaction, params};

/// Shows what is wrong with the file, with the references between tables, and with the guards of the tables.
pub(super) fn integrity(connection: &Connection, visit: &mut dyn FnMut(Flaw)) -> rusqlite::Result<()> {
    for (told, index) in damage(connection)? {
        visit(match index {
            // A page that cannot be told apart cannot be given back either.
            Some(index) if told.contains("error code") => Flaw::lost(format!("the index {index} is damaged: {told}")),
            Some(index) => Flaw::mends(format!("the index {index} is damaged: {told}")),
            None => Flaw::lost(format!("the file is damaged: {told}")),
        });
    }
    for (name, fault) in unlike(connection)? {
        visit(match fault {
            Unlike::Missing { kind, .. } if kind == "table" => Flaw::missing_table(&name),
            Unlike::Missing { .. } => Flaw::missing_part(&name),
            Unlike::Changed { kind, .. } if kind == "table" => {
                Flaw::foreign(format!("the table {name} is not as certkit makes it"))
            }
            Unlike::Changed { .. } => Flaw::mends(format!("{name} is not as certkit makes it")),
            Unlike::Foreign => Flaw::foreign(format!("{name} is not part of a ledger")),
        });
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = id.map(|id| format!(" {id}")).unwrap_or_default();
        let what = format!("row{id} of {table} refers to a row of {parent} that is not there");
        visit(if table == "names" { Flaw::mends(what) } else { Flaw::lost(what) });
    }
    counters::integrity(connection, visit)
}

/// What SQLite finds damaged, each with the index that it is about, if it is about one: then all of it follows from the table.
fn damage(connection: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut statement = connection.prepare("SELECT name, rootpage FROM sqlite_schema WHERE type = 'index'")?;
    let indexes: Vec<(String, i64)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let of_index = |told: &str| {
        let named = told.rsplit_once("index ").map(|(_, name)| name.trim());
        let tree = told.strip_prefix("Tree ").and_then(|rest| rest.split(' ').next()?.parse::<i64>().ok());
        indexes.iter().find(|(name, root)| named == Some(name) || tree == Some(*root)).map(|(name, _)| name.clone())
    };
    let mut statement = connection.prepare("PRAGMA integrity_check(100)")?;
    let (mut rows, mut found) = (Vec::<String>::new(), statement.query([])?);
    loop {
        match found.next() {
            Ok(Some(row)) => rows.push(row.get(0)?),
            Ok(None) => break,
            // It breaks off at a page that it has told of before.
            Err(error) if rows.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    // One row may tell of several things, below a heading.
    let told = rows.iter().flat_map(|row| row.lines()).filter(|line| *line != "ok" && !line.starts_with("***"));
    Ok(told.map(|line| (line.to_owned(), of_index(line))).collect())
}

/// Shows every certificate, the oldest first. One transaction sees one moment of the database.
pub(super) fn examine(
    connection: &mut Connection,
    visit: &mut dyn FnMut(Examined) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let moment = connection.transaction()?;
    let mut names = moment.prepare(NAMES)?;
    let mut names = Names::of(&mut names)?;
    let mut statement = moment.prepare(&format!("{EXAMINE} ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if visit(read(row, &mut names)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Makes again what follows from the rest: guards, indexes, the names under which certificates are found, the head of the
/// audit log, the counters of rows.
pub(super) fn mend(transaction: &Transaction<'_>, act: &Act) -> Result<Vec<Mended>, Failure> {
    let mut mended = Vec::new();
    let had_another_number = schema::version(transaction)? != schema::LATEST;
    if had_another_number {
        schema::renumber(transaction)?;
    }
    let unlike = unlike(transaction)?;
    for (name, fault) in &unlike {
        if let Unlike::Missing { kind, sql } = fault
            && kind == "table"
        {
            if !flaw::is_made_again(name) {
                return Err(Failure::Damaged(flaw::missing_table(name)));
            }
            transaction.execute_batch(sql)?;
            mended.push(Mended::table(name));
        }
    }
    mended.extend(mend_head(transaction)?.map(|head| Mended::head(head.lines)));
    if had_another_number {
        mended.push(Mended::new("the number of the schema"));
    }
    for (name, fault) in unlike {
        let (sql, dropped) = match fault {
            Unlike::Missing { kind, sql } if kind != "table" => (sql, None),
            Unlike::Changed { kind, sql } if kind != "table" => (sql, Some(kind)),
            _ => continue,
        };
        if let Some(kind) = dropped {
            transaction.execute_batch(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\"")))?;
        }
        transaction.execute_batch(&sql)?;
        mended.push(Mended::new(name));
    }
    let damaged: BTreeSet<String> = damage(transaction)?.into_iter().filter_map(|(_, index)| index).collect();
    if !damaged.is_empty() {
        let beyond = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => {
                let indexes = damaged.iter().cloned().collect::<Vec<_>>().join(", ");
                Failure::Damaged(format!("an index cannot be made again, so far is its page gone (of {indexes})"))
            }
            _ => error.into(),
        };
        transaction.execute_batch("REINDEX").map_err(beyond)?;
        mended.extend(damaged.into_iter().map(|index| Mended::new(format!("the index {index}"))));
    }
    counters::mend(transaction, &mut mended)?;
    let mut log = Log::open(transaction)?;
    for Mended { what, .. } in &mended {
        let done = Done { fingerprint: Vec::new(), serial: None, detail: what.clone() };
        log.add(&mut AuditLine { authority: None, ..done.line(AuthorityId(0), act) })?;
    }
    transaction.execute(REMOVE_DANGLING, [])?;
    // They are sorted as a whole before the first is shown, so what is written meanwhile is not among them.
    let mut names = transaction.prepare(NAMES)?;
    let mut names = Names::of(&mut names)?;
    let mut after = 0;
    loop {
        let page = rows_after(transaction, after, &mut names)?;
        let Some(last) = page.last() else { break };
        after = last.id.0;
        for row in page {
            if let Some(serial) = mend_names(transaction, &row)? {
                mended.push(Mended::new(format!("the names of the certificate with serial number {serial}")));
                let done = Done { fingerprint: row.fingerprint, serial: Some(&serial), detail: "names".to_owned() };
                log.add(&mut done.line(row.authority, act))?;
            }
        }
    }
    log.close()?;
    Ok(mended)
}

/// Finds a certificate by its names again, where it was not; gives its serial number then.
fn mend_names(transaction: &Transaction<'_>, row: &Examined) -> rusqlite::Result<Option<SerialNumber>> {
    let Ok(certificate) = Certificate::from_der(&row.der) else { return Ok(None) };
    let wanted = search_names(certificate.subject_alt_names().unwrap_or_default(), &certificate);
    if wanted == row.found_by {
        return Ok(None);
    }
    for name in &row.found_by {
        transaction.execute(REMOVE, params![name, row.id.0])?;
    }
    for name in wanted {
        transaction.execute("INSERT INTO names (name, certificate) VALUES (?1, ?2)", params![name, row.id.0])?;
    }
    Ok(Some(certificate.serial().clone()))
}

fn rows_after(transaction: &Transaction<'_>, id: i64, names: &mut Names<'_>) -> Result<Vec<Examined>, Failure> {
    let mut statement = transaction.prepare(&format!("{EXAMINE} WHERE id > ?1 ORDER BY id LIMIT 1000"))?;
    let mut rows = statement.query(params![id])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(read(row, names)?);
    }
    Ok(page)
}

/// The names under which certificates are found, read once in the order of the certificates: there is no index by which those
/// of one could be asked for.
struct Names<'s> {
    rows: Rows<'s>,
    next: Option<(i64, String)>,
}

impl<'s> Names<'s> {
    /// By the statement [`NAMES`].
    fn of(statement: &'s mut Statement<'_>) -> rusqlite::Result<Self> {
        let mut names = Self { rows: statement.query([])?, next: None };
        names.advance()?;
        Ok(names)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = self.rows.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?))).transpose()?;
        Ok(())
    }

    /// Those of this certificate, which is later than the one that was asked for before, in order.
    fn of_certificate(&mut self, id: i64) -> rusqlite::Result<Vec<String>> {
        let mut found = Vec::new();
        while let Some((of, name)) = self.next.take_if(|(of, _)| *of <= id) {
            // Those of an earlier one are of none that is there.
            if of == id {
                found.push(name);
            }
            self.advance()?;
        }
        found.sort();
        Ok(found)
    }
}

fn read(row: &Row<'_>, names: &mut Names<'_>) -> Result<Examined, Failure> {
    let id: i64 = row.get(0)?;
    let history: String = row.get(13)?;
    let history: Vec<(i64, i64, i64, i64, Option<i64>)> =
        serde_json::from_str(&history).map_err(|_| format!("the revocations of certificate {id} cannot be read"))?;
    let step = |(mark, authority, revoked_at, reason, invalid_since)| Step {
        mark: Mark(mark),
        authority: AuthorityId(authority),
        change: Change { revoked_at, reason, invalid_since },
    };
    Ok(Examined {
        id: RecordId(id),
        authority: AuthorityId(row.get(1)?),
        serial: row.get(2)?,
        fingerprint: row.get(3)?,
        subject: row.get(4)?,
        names: row.get(5)?,
        not_before: row.get(6)?,
        not_after: row.get(7)?,
        profile: row.get(8)?,
        issued_at: row.get(9)?,
        standing: Change::from_columns(row.get(10)?, row.get(11)?, row.get(12)?),
        history: history.into_iter().map(step).collect(),
        found_by: names.of_certificate(id)?,
        der: row.get(14)?,
    })
}

/// A part of the schema that is not as it should be.
enum Unlike {
    Missing { kind: String, sql: String },
    Changed { kind: String, sql: String },
    Foreign,
}

/// What differs between the schema of this file and that of a new one.
fn unlike(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Unlike>> {
    let mut fresh = Connection::open_in_memory()?;
    _ = schema::migrate(&mut fresh)?;
    let (mut found, wanted) = (parts(connection)?, parts(&fresh)?);
    let mut unlike = BTreeMap::new();
    for (name, (kind, sql)) in wanted {
        match found.remove(&name) {
            None => _ = unlike.insert(name, Unlike::Missing { kind, sql }),
            Some(there) if there != (kind.clone(), sql.clone()) => {
                _ = unlike.insert(name, Unlike::Changed { kind, sql })
            }
            Some(_) => {}
        }
    }
    unlike.extend(found.into_keys().map(|name| (name, Unlike::Foreign)));
    Ok(unlike)
}

/// The parts of a schema by name: their kind and how they were made.
fn parts(connection: &Connection) -> rusqlite::Result<BTreeMap<String, (String, String)>> {
    let mut statement = connection
        .prepare("SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    rows.collect()
}

const EXAMINE: &str =
    "SELECT id, authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at,
    revoked_at, reason, invalid_since,
    (SELECT json_group_array(json_array(id, authority, revoked_at, reason, invalid_since) ORDER BY id)
     FROM revocations WHERE certificate = certificates.id),
    der FROM certificates";

const REMOVE_DANGLING: &str = "DELETE FROM names WHERE certificate NOT IN (SELECT id FROM certificates)";

const REMOVE: &str = "DELETE FROM names WHERE name = ?1 AND certificate = ?2";

/// All names by certificate. The plus sign has them sorted whatever index somebody made.
const NAMES: &str = "SELECT certificate, name FROM names ORDER BY +certificate";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rusqlite::params_from_iter;

    #[test]
    fn names_are_gone_through_once_whatever_the_number_of_certificates() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap().unwrap();
        let plan = |sql: &str| -> Vec<String> {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = (0..plan.parameter_count()).map(|_| 1);
            let steps = plan.query_map(params_from_iter(values), |row| row.get(3)).unwrap();
            steps.map(Result::unwrap).collect()
        };
        assert_eq!(plan(NAMES), ["SCAN names", "USE TEMP B-TREE FOR ORDER BY"]);
        for examined in [format!("{EXAMINE} ORDER BY id"), format!("{EXAMINE} WHERE id > 7 ORDER BY id LIMIT 1000")] {
            let steps = plan(&examined);
            assert!(!steps.iter().any(|step| step.contains("names")), "{steps:?}");
            assert!(
                steps.iter().any(|step| step.contains("INDEX revocations_by_certificate (certificate=?")),
                "{steps:?}"
            );
        }
        assert_eq!(plan(REMOVE), ["SEARCH names USING PRIMARY KEY (name=? AND certificate=?)"]);
        let dangling = plan(REMOVE_DANGLING);
        assert!(
            dangling.iter().any(|step| step.starts_with("USING ROWID SEARCH ON TABLE certificates")),
            "{dangling:?}"
        );
    }
}
