//! Revocation lists in the ledger in PostgreSQL: their entries, their numbers, and those that were signed.

use std::ops::ControlFlow;

use super::Failure;
use super::audit::Writing;
use super::rows::{Question, each, revocation, serial, time, unsigned};
use crate::ca::ledger::act::Done;
use crate::ca::ledger::rows::moment as read_moment;
use crate::ca::ledger::{Act, AuthorityId, LedgerError, ListQuery, Mark, Numbered, Revoked, SignedList, detail, flaw};
use ::postgres::{Row, Transaction};

/// Shows what belongs on a list, entry by entry.
pub(super) fn entries(
    moment: &mut Transaction<'_>,
    AuthorityId(by): AuthorityId,
    since: Option<Mark>,
    visit: &mut dyn FnMut(Revoked) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut visit = |row: &Row| {
        let serial = serial(row, 0)?;
        let wrong =
            |column: &str| format!("the {column} of the certificate with serial number {serial} cannot be read");
        let revocation = revocation(row, 1)?.read().map_err(|column| wrong(&column))?;
        let not_after = read_moment(row.try_get(4)?).ok_or_else(|| wrong("not_after"))?;
        Ok(visit(Revoked { serial, revocation, not_after }))
    };
    match since {
        None => each(moment, STANDING, &[&by], &mut visit),
        Some(Mark(mark)) => each(moment, CHANGES, &[&by, &mark], &mut visit),
    }
}

/// Hands out a number that is greater than every other and than `above`.
pub(super) fn next_number(
    writing: &mut Writing<'_>,
    AuthorityId(by): AuthorityId,
    above: u64,
) -> Result<Numbered, Failure> {
    let above = signed(above);
    let row = writing.query_opt(
        "UPDATE authorities SET crl_number = greatest(crl_number, $2) + 1
         WHERE id = $1 AND greatest(crl_number, $2) < $3
         RETURNING crl_number, (SELECT coalesce(max(id), 0) FROM revocations WHERE authority = $1)",
        &[&by, &above, &i64::MAX],
    )?;
    let row = row.ok_or(LedgerError::NoNumber)?;
    Ok(Numbered { number: unsigned(&row, 0)?, mark: Mark(row.try_get(1)?) })
}

/// Records a list.
pub(super) fn record(writing: &mut Writing<'_>, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), Failure> {
    let SignedList { number, base, scope, this_update, next_update, fingerprint, entries, mark: Mark(mark) } = list;
    let drawn = unsigned(&writing.query_one("SELECT crl_number FROM authorities WHERE id = $1", &[&by.0])?, 0)?;
    if *number == 0 || *number > drawn {
        return Err(LedgerError::UnknownNumber { number: *number }.into());
    }
    if let Some(base) = base {
        let query = ListQuery::base(scope, *base);
        if *base >= *number || find(writing, by, &query)?.is_empty() {
            return Err(LedgerError::NoBase { number: *base }.into());
        }
    }
    let added = writing.execute(
        "INSERT INTO lists (authority, number, base, scope, this_update, next_update, fingerprint, entries, mark)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        &[
            &by.0,
            &signed(*number),
            &base.map(signed),
            scope,
            &this_update.unix_timestamp(),
            &next_update.unix_timestamp(),
            fingerprint,
            &signed(*entries),
            mark,
        ],
    )?;
    if added == 0 {
        let (scope, delta) = (Some(scope.clone()), Some(base.is_some()));
        let same = ListQuery { scope, delta, number: Some(*number), ..ListQuery::default() };
        return Err(match find(writing, by, &same)?.is_empty() {
            true => Failure::Damaged(flaw::stuck_counter("lists")),
            false => LedgerError::ListRecorded { number: *number }.into(),
        });
    }
    let done = Done { fingerprint: fingerprint.clone(), serial: None, detail: list.detail() };
    writing.log(done.line(by, act));
    Ok(())
}

/// Whether the last line about this list says that it went nowhere.
pub(super) fn is_undelivered(
    moment: &mut Transaction<'_>,
    AuthorityId(by): AuthorityId,
    list: &SignedList,
) -> Result<bool, Failure> {
    let last = moment.query_opt(
        "SELECT detail FROM audit WHERE fingerprint = $2 AND authority = $1 AND what = 'crl' ORDER BY number DESC LIMIT 1",
        &[&by, &list.fingerprint],
    )?;
    let said: Option<String> = last.map(|row| row.try_get(0)).transpose()?;
    Ok(said.is_some_and(|said| detail::is_undelivered(&said)))
}

/// Shows all of them in the order of their rows.
pub(super) fn rows(
    moment: &mut Transaction<'_>,
    visit: &mut dyn FnMut(i64, AuthorityId, Vec<u8>),
) -> Result<(), Failure> {
    each(moment, "SELECT id, authority, fingerprint FROM lists ORDER BY id", &[], &mut |row| {
        visit(row.try_get(0)?, AuthorityId(row.try_get(1)?), row.try_get(2)?);
        Ok(ControlFlow::Continue(()))
    })
}

/// The lists that match, the greatest number first.
pub(super) fn find(
    moment: &mut Transaction<'_>,
    AuthorityId(by): AuthorityId,
    query: &ListQuery,
) -> Result<Vec<SignedList>, Failure> {
    let ListQuery { scope, delta, number, latest, limit } = query;
    let mut question = Question::new(
        "SELECT number, base, scope, this_update, next_update, fingerprint, entries, mark FROM lists WHERE authority = $1",
        by,
    );
    if let Some(number) = number {
        question.value(" AND number = ", signed(*number), "");
    }
    if let Some(scope) = scope {
        question.value(" AND scope = ", scope.clone(), "");
    }
    match delta {
        Some(true) => question.text(" AND base IS NOT NULL"),
        Some(false) => question.text(" AND base IS NULL"),
        None => {}
    }
    if *latest {
        question.text(
            " AND (scope, base IS NULL, number) IN
             (SELECT scope, base IS NULL, max(number) FROM lists WHERE authority = $1 GROUP BY scope, base IS NULL)",
        );
    }
    question.text(" ORDER BY number DESC, id DESC");
    if let Some(limit) = limit {
        question.value(" LIMIT ", i64::from(*limit), "");
    }
    question.ask(moment)?.iter().map(|row| Ok(read(row)?)).collect()
}

fn read(row: &Row) -> Result<SignedList, ::postgres::Error> {
    Ok(SignedList {
        number: unsigned(row, 0)?,
        base: row.try_get::<_, Option<i64>>(1)?.map(|base| u64::try_from(base).unwrap_or_default()),
        scope: row.try_get(2)?,
        this_update: time(row, 3)?,
        next_update: time(row, 4)?,
        fingerprint: row.try_get(5)?,
        entries: unsigned(row, 6)?,
        mark: Mark(row.try_get(7)?),
    })
}

/// The database counts in 63 bits.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Every certificate that is revoked, by serial number.
const STANDING: &str = "SELECT serial, revoked_at, reason, invalid_since, not_after FROM certificates
    WHERE authority = $1 AND revoked_at IS NOT NULL ORDER BY serial";

/// Every certificate whose revocation changed after a mark, as it changed last.
const CHANGES: &str = "SELECT serial, change.revoked_at, change.reason, change.invalid_since, not_after
    FROM revocations AS change JOIN certificates ON certificates.id = change.certificate
    WHERE change.authority = $1 AND change.id > $2
    AND NOT EXISTS (SELECT 1 FROM revocations AS later WHERE later.certificate = change.certificate AND later.id > change.id)
    ORDER BY change.id";
