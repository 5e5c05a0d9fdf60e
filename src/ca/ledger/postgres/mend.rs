//! What the ledger in PostgreSQL finds wrong with itself, and what of it can be made again.

use std::ops::ControlFlow;

use super::Failure;
use super::audit::Writing;
use super::catalogue::{self, Altered, How, Refusal, Unlike};
use super::{counters, schema};
use crate::ca::ledger::act::Done;
use crate::ca::ledger::{
    Act, AuditLine, AuthorityId, Change, Examined, Flaw, Mark, Mended, RecordId, Step, flaw, search_names,
};
use crate::x509::Certificate;
use ::postgres::{Portal, Row, Transaction};

/// Shows which tables, guards and indexes are missing, at rest or not as certkit makes them, what is not part of a ledger, rows
/// that refer to nothing, counters of rows that do not go on, and settings under which nothing is durable.
pub(super) fn integrity(moment: &mut Transaction<'_>, visit: &mut dyn FnMut(Flaw)) -> Result<(), Failure> {
    let absent = missing_tables(moment)?;
    absent.iter().for_each(|table| visit(Flaw::missing_table(table)));
    if catalogue::refusal(moment)? != Refusal::Sound {
        visit(Flaw::mends("the function refuse, by which every guard refuses, is not as certkit makes it".to_owned()));
    }
    let (unlike, mut foreign) = catalogue::parts(moment)?;
    for Unlike { part, how } in unlike {
        let name = part.name;
        visit(match how {
            How::Missing => Flaw::missing_part(name),
            How::AtRest => Flaw::mends(format!("{name}, which is part of every ledger, is at rest")),
            How::Changed => Flaw::mends(format!("{name} is not as certkit makes it")),
        });
    }
    for resting in catalogue::resting(moment)? {
        visit(Flaw::mends(format!("{}, which is part of every ledger, is at rest", resting.called())));
    }
    catalogue::altered(moment)?.into_iter().for_each(|table| visit(alteration(table)));
    foreign.extend(catalogue::others(moment)?);
    foreign.into_iter().for_each(|name| visit(Flaw::foreign(format!("{name} is not part of a ledger"))));
    for (table, column, parent) in REFERENCES {
        if absent.contains(table) || absent.contains(parent) {
            continue;
        }
        let count = dangling(moment, table, column, parent)?;
        if count > 0 {
            let what = format!("rows of {table} that refer to a row of {parent} that is not there: {count}");
            visit(if *table == "names" { Flaw::mends(what) } else { Flaw::lost(what) });
        }
    }
    counters::integrity(moment, &absent, visit)?;
    for setting in ["fsync", "full_page_writes"] {
        let value: String = moment.query_one(&format!("SHOW {setting}"), &[])?.try_get(0)?;
        if value != "on" {
            visit(Flaw::setting(format!(
                "the server runs with {setting} = {value}: a power cut may take what was recorded"
            )));
        }
    }
    Ok(())
}

/// How many rows of a table refer to a row of its parent that is not there.
fn dangling(moment: &mut Transaction<'_>, table: &str, column: &str, parent: &str) -> Result<i64, Failure> {
    let dangling = format!(
        "SELECT count(*) FROM {table} AS row WHERE NOT EXISTS (SELECT 1 FROM {parent} WHERE {parent}.id = row.{column})"
    );
    Ok(moment.query_one(&dangling, &[])?.try_get(0)?)
}

/// Shows every certificate, the oldest first.
pub(super) fn examine(
    moment: &mut Transaction<'_>,
    visit: &mut dyn FnMut(Examined) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut names = Names::of(moment)?;
    let portal = moment.bind(&format!("{EXAMINE} ORDER BY id"), &[])?;
    loop {
        let rows = moment.query_portal(&portal, PAGE)?;
        for row in &rows {
            if visit(read(row, moment, &mut names)?).is_break() {
                return Ok(());
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// Makes those tables again that may be.
pub(super) fn tables(transaction: &mut Transaction<'_>) -> Result<Vec<Mended>, Failure> {
    let mut mended = Vec::new();
    for table in missing_tables(transaction)? {
        match schema::making(table).filter(|_| flaw::is_made_again(table)) {
            Some(statement) => transaction.batch_execute(statement)?,
            None => return Err(Failure::Damaged(flaw::missing_table(table))),
        }
        mended.push(Mended::table(table));
    }
    Ok(mended)
}

/// Makes again what follows from the rest: guards, indexes, the names under which certificates are found, the counters of
/// rows. What was made before is `mended`.
pub(super) fn mend(writing: &mut Writing<'_>, mended: &mut Vec<Mended>, act: &Act) -> Result<(), Failure> {
    let refusal = catalogue::refusal(writing)?;
    if refusal == Refusal::Foreign {
        writing.batch_execute("DROP ROUTINE refuse() CASCADE")?;
    }
    if refusal != Refusal::Sound {
        writing.batch_execute(schema::REFUSE)?;
        mended.push(Mended::new("refuse"));
    }
    let (unlike, _) = catalogue::parts(writing)?;
    for Unlike { part, .. } in unlike {
        writing.batch_execute(&part.anew())?;
        mended.push(Mended::new(part.name));
    }
    writing.execute(
        "DELETE FROM names WHERE NOT EXISTS (SELECT FROM certificates WHERE certificates.id = names.certificate)",
        &[],
    )?;
    mend_references(writing, mended)?;
    counters::mend(writing, mended)?;
    for Mended { what, .. } in &*mended {
        let done = Done { fingerprint: Vec::new(), serial: None, detail: what.clone() };
        writing.log(AuditLine { authority: None, ..done.line(AuthorityId(0), act) });
    }
    // As of now: what is written from here on is not among them.
    let mut names = Names::of(writing)?;
    let mut after = 0_i64;
    loop {
        let rows = writing.query(&format!("{EXAMINE} WHERE id > $1 ORDER BY id LIMIT 1000"), &[&after])?;
        let mut page = Vec::with_capacity(rows.len());
        for row in &rows {
            page.push(read(row, writing, &mut names)?);
        }
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.0;
        for row in page {
            mended.extend(mend_names(writing, row, act)?.map(Mended::new));
        }
    }
}

/// Makes references that are at rest again. Where rows refer to nothing there can be none: those are in a backup.
fn mend_references(writing: &mut Writing<'_>, mended: &mut Vec<Mended>) -> Result<(), Failure> {
    for resting in catalogue::resting(writing)? {
        let mut lost = 0;
        for (table, column, parent) in REFERENCES.iter().filter(|(table, ..)| *table == resting.table) {
            lost += dangling(writing, table, column, parent)?;
        }
        if lost == 0 {
            writing.batch_execute(&resting.anew())?;
            mended.push(Mended::new(resting.called()));
        }
    }
    Ok(())
}

/// The tables that are not there.
pub(super) fn missing_tables(moment: &mut Transaction<'_>) -> Result<Vec<&'static str>, Failure> {
    let present = moment.query(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'certkit'::regnamespace AND relkind = 'r'",
        &[],
    )?;
    let present: Vec<String> = present.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(schema::TABLES.iter().copied().filter(|table| !present.iter().any(|there| there == table)).collect())
}

/// A table that somebody altered, in words. What it lacks is in a backup.
fn alteration(Altered { table, lacks, has }: Altered) -> Flaw {
    let lacks = (!lacks.is_empty()).then(|| format!("it lacks {}", lacks.join(", ")));
    let (lost, has) = (lacks.is_some(), (!has.is_empty()).then(|| format!("it has {}", has.join(", "))));
    let how = lacks.into_iter().chain(has).collect::<Vec<_>>().join(", and ");
    let what = format!("the table {table} is not as certkit makes it: {how}");
    if lost { Flaw::lost(what) } else { Flaw::foreign(what) }
}

/// Finds a certificate by its names again, where it was not.
fn mend_names(writing: &mut Writing<'_>, row: Examined, act: &Act) -> Result<Option<String>, Failure> {
    let Ok(certificate) = Certificate::from_der(&row.der) else { return Ok(None) };
    let wanted = search_names(certificate.subject_alt_names().unwrap_or_default(), &certificate);
    if wanted == row.found_by {
        return Ok(None);
    }
    writing.execute("DELETE FROM names WHERE name = ANY ($1) AND certificate = $2", &[&row.found_by, &row.id.0])?;
    writing.execute(
        "INSERT INTO names (name, certificate) SELECT name, $2 FROM unnest($1::text[]) AS name",
        &[&wanted, &row.id.0],
    )?;
    let serial = certificate.serial();
    let done = Done { fingerprint: row.fingerprint, serial: Some(serial), detail: "names".to_owned() };
    writing.log(done.line(row.authority, act));
    Ok(Some(format!("the names of the certificate with serial number {serial}")))
}

/// The names under which certificates are found, read once in the order of the certificates: there is no index by which those
/// of one could be asked for.
struct Names {
    portal: Portal,
    page: std::vec::IntoIter<Row>,
    next: Option<(i64, String)>,
}

impl Names {
    /// As of this moment.
    fn of(moment: &mut Transaction<'_>) -> Result<Self, Failure> {
        let portal = moment.bind("SELECT certificate, name FROM names ORDER BY certificate", &[])?;
        let mut names = Self { portal, page: Vec::new().into_iter(), next: None };
        names.advance(moment)?;
        Ok(names)
    }

    fn advance(&mut self, moment: &mut Transaction<'_>) -> Result<(), Failure> {
        if self.page.len() == 0 {
            self.page = moment.query_portal(&self.portal, PAGE)?.into_iter();
        }
        self.next = self.page.next().map(|row| Ok::<_, Failure>((row.try_get(0)?, row.try_get(1)?))).transpose()?;
        Ok(())
    }

    /// Those of this certificate, which is later than the one that was asked for before, in order.
    fn of_certificate(&mut self, id: i64, moment: &mut Transaction<'_>) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        while let Some((of, name)) = self.next.take_if(|(of, _)| *of <= id) {
            // Those of an earlier one are of none that is there.
            if of == id {
                found.push(name);
            }
            self.advance(moment)?;
        }
        found.sort();
        Ok(found)
    }
}

fn read(row: &Row, moment: &mut Transaction<'_>, names: &mut Names) -> Result<Examined, Failure> {
    let id = row.try_get(0)?;
    let column = |index| Ok::<_, Failure>(row.try_get::<_, Option<Vec<i64>>>(index)?.unwrap_or_default());
    let sinces: Vec<Option<i64>> = row.try_get::<_, Option<_>>(18)?.unwrap_or_default();
    let owners = column(14)?.into_iter().zip(column(15)?);
    let changes = column(16)?.into_iter().zip(column(17)?).zip(sinces);
    let history = owners.zip(changes).map(|((mark, authority), ((revoked_at, reason), invalid_since))| Step {
        mark: Mark(mark),
        authority: AuthorityId(authority),
        change: Change { revoked_at, reason, invalid_since },
    });
    Ok(Examined {
        id: RecordId(id),
        authority: AuthorityId(row.try_get(1)?),
        serial: row.try_get(2)?,
        fingerprint: row.try_get(3)?,
        subject: row.try_get(4)?,
        names: row.try_get(5)?,
        not_before: row.try_get(6)?,
        not_after: row.try_get(7)?,
        profile: row.try_get(8)?,
        issued_at: row.try_get(9)?,
        standing: Change::from_columns(row.try_get(10)?, row.try_get(11)?, row.try_get(12)?),
        history: history.collect(),
        found_by: names.of_certificate(id, moment)?,
        der: row.try_get(13)?,
    })
}

const EXAMINE: &str =
    "SELECT id, authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at,
    revoked_at, reason, invalid_since, der,
    marks, authorities, times, reasons, sinces
    FROM certificates LEFT JOIN LATERAL (
        SELECT array_agg(step.id ORDER BY step.id) AS marks, array_agg(step.authority ORDER BY step.id) AS authorities,
            array_agg(step.revoked_at ORDER BY step.id) AS times, array_agg(step.reason ORDER BY step.id) AS reasons,
            array_agg(step.invalid_since ORDER BY step.id) AS sinces
        FROM revocations AS step WHERE step.certificate = certificates.id) AS history ON true";

const PAGE: i32 = 1000;

/// Which column refers to rows of which table.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("certificates", "authority", "authorities"),
    ("names", "certificate", "certificates"),
    ("revocations", "authority", "authorities"),
    ("revocations", "certificate", "certificates"),
    ("lists", "authority", "authorities"),
];
