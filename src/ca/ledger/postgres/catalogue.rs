//! What PostgreSQL's catalogue tells of a ledger, compared with what certkit makes: tables, constraints, guards, indexes, and
//! the function by which guards refuse.
//!
//! Nothing is made to compare with, so that whoever may only read can check, on a standby too. Whether a part is as it was
//! made is seen from the statement that the catalogue gives back for it (`pg_get_triggerdef`, `pg_get_indexdef`,
//! `pg_get_constraintdef`), not prettified, with `search_path = certkit`. All that makes the part is in there: what is left at
//! its default is left out, and what is found elsewhere than where certkit has it is written with its schema. pg_dump rests
//! on these statements too. For what a ledger has they are the same in PostgreSQL 13, 15, 17 and 18, where this was tried.
//!
//! Names of constraints are not compared, for PostgreSQL chose them; nor is what a later version counts as a constraint (NOT
//! NULL in 18), which the column tells.

use std::collections::BTreeMap;

use super::Failure;
use super::schema::{self, Part};
use ::postgres::Transaction;

/// A guard or an index that is not as it should be.
pub(super) struct Unlike {
    pub(super) part: &'static Part,
    pub(super) how: How,
}

/// How it is instead.
pub(super) enum How {
    /// Not there.
    Missing,
    /// There, and switched off.
    AtRest,
    /// There, and made otherwise.
    Changed,
}

/// How a table differs from the one that certkit makes.
pub(super) struct Altered {
    pub(super) table: &'static str,
    /// The columns and constraints that it lacks.
    pub(super) lacks: Vec<&'static str>,
    /// What it has and should not have.
    pub(super) has: Vec<String>,
}

/// A reference between tables, made as certkit makes it, whose triggers are switched off.
pub(super) struct Resting {
    pub(super) table: &'static str,
    pub(super) reference: &'static str,
    /// Its name, as it is written in a statement.
    name: String,
}

impl Resting {
    /// The statement that makes it again, with triggers that are on, which PostgreSQL lets nobody but its administrator switch.
    pub(super) fn anew(&self) -> String {
        let Self { table, reference, name } = self;
        format!("ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {reference}")
    }

    /// What it is, in words.
    pub(super) fn called(&self) -> String {
        format!("{} of the table {}", self.reference, self.table)
    }
}

/// The function by which every guard refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It refuses.
    Sound,
    /// It is missing, or does something else.
    Changed,
    /// Something else has its name, and has to go first.
    Foreign,
}

/// The guards and indexes that are not as certkit makes them, and the names of those that certkit does not make.
pub(super) fn parts(moment: &mut Transaction<'_>) -> Result<(Vec<Unlike>, Vec<String>), Failure> {
    let mut found = moment.query(PARTS, &[])?.iter().map(There::read).collect::<Result<Vec<_>, _>>()?;
    let mut unlike = Vec::new();
    for part in schema::PARTS {
        let at = found.iter().position(|there| part.is_called(&there.name, &there.table));
        let how = match at.map(|at| found.swap_remove(at)) {
            None => How::Missing,
            Some(there) if there.made != part.made() => How::Changed,
            Some(There { works: false, .. }) => How::AtRest,
            Some(There { works: true, .. }) => continue,
        };
        unlike.push(Unlike { part, how });
    }
    let foreign = found.into_iter().map(|There { name, table, .. }| format!("{name} on {table}"));
    Ok((unlike, foreign.collect()))
}

/// A guard or an index as the catalogue tells it.
struct There {
    name: String,
    table: String,
    made: String,
    works: bool,
}

impl There {
    fn read(row: &::postgres::Row) -> Result<Self, ::postgres::Error> {
        Ok(Self { name: row.try_get(0)?, table: row.try_get(1)?, made: row.try_get(2)?, works: row.try_get(3)? })
    }
}

/// The references of certkit's that are at rest.
pub(super) fn resting(moment: &mut Transaction<'_>) -> Result<Vec<Resting>, Failure> {
    let mut resting = Vec::new();
    for row in moment.query(RESTING, &[])? {
        let (in_table, name, made): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let ours = TABLES.iter().find(|(table, _)| *table == in_table);
        let ours = ours.and_then(|(table, traits)| Some((*table, *traits.iter().find(|each| **each == made)?)));
        resting.extend(ours.map(|(table, reference)| Resting { table, reference, name }));
    }
    Ok(resting)
}

/// The tables that are there and differ from those that certkit makes, in more than that references are at rest.
pub(super) fn altered(moment: &mut Transaction<'_>) -> Result<Vec<Altered>, Failure> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for row in moment.query(TRAITS, &[])? {
        found.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
    }
    let mut altered = Vec::new();
    for (table, wanted) in TABLES {
        // That a table is missing is told elsewhere.
        let Some(mut has) = found.remove(*table) else { continue };
        let mut lacks = Vec::new();
        for each in *wanted {
            match has.iter().position(|there| there == each) {
                Some(at) => _ = has.swap_remove(at),
                // That is told elsewhere.
                None => match has.iter().position(|there| there.strip_suffix(AT_REST) == Some(each)) {
                    Some(at) => _ = has.swap_remove(at),
                    None => lacks.push(*each),
                },
            }
        }
        if !lacks.is_empty() || !has.is_empty() {
            has.sort();
            altered.push(Altered { table, lacks, has });
        }
    }
    Ok(altered)
}

/// What else is in the ledger's schema: tables, views, functions.
pub(super) fn others(moment: &mut Transaction<'_>) -> Result<Vec<String>, Failure> {
    let ours: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let found = moment.query(OTHERS, &[&ours])?;
    Ok(found.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// What became of the function by which every guard refuses: with another they would be there and let everything pass.
pub(super) fn refusal(moment: &mut Transaction<'_>) -> Result<Refusal, Failure> {
    let Some(found) = moment.query_opt(REFUSE, &[])? else { return Ok(Refusal::Changed) };
    let (is_trigger, is_plain, body): (bool, bool, String) = (found.try_get(0)?, found.try_get(1)?, found.try_get(2)?);
    let wanted = schema::REFUSE.split("$$").nth(1).map(str::trim);
    Ok(match is_trigger {
        true if is_plain && wanted == Some(body.trim()) => Refusal::Sound,
        true => Refusal::Changed,
        false => Refusal::Foreign,
    })
}

/// The columns and constraints of every table, as [`TRAITS`] writes them.
const TABLES: &[(&str, &[&str])] = &[
    ("version", &["version bigint NOT NULL"]),
    (
        "authorities",
        &[
            "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
            "fingerprint bytea NOT NULL",
            "subject text COLLATE \"C\" NOT NULL",
            "created_at bigint NOT NULL",
            "crl_number bigint NOT NULL DEFAULT 0",
            "der bytea NOT NULL",
            "PRIMARY KEY (id)",
            "UNIQUE (fingerprint)",
            "CHECK ((length(fingerprint) = 32))",
        ],
    ),
    (
        "certificates",
        &[
            "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
            "authority bigint NOT NULL",
            "serial bytea NOT NULL",
            "fingerprint bytea NOT NULL",
            "subject text COLLATE \"C\" NOT NULL",
            "names text COLLATE \"C\" NOT NULL",
            "not_before bigint NOT NULL",
            "not_after bigint NOT NULL",
            "profile text COLLATE \"C\" NOT NULL",
            "issued_at bigint NOT NULL",
            "revoked_at bigint",
            "reason bigint",
            "invalid_since bigint",
            "der bytea NOT NULL",
            "PRIMARY KEY (id)",
            "UNIQUE (fingerprint)",
            "UNIQUE (authority, serial)",
            "CHECK ((length(fingerprint) = 32))",
            "CHECK (((revoked_at IS NULL) = (reason IS NULL)))",
            "FOREIGN KEY (authority) REFERENCES authorities(id)",
        ],
    ),
    (
        "names",
        &[
            "name text COLLATE \"C\" NOT NULL",
            "certificate bigint NOT NULL",
            "PRIMARY KEY (name, certificate)",
            "FOREIGN KEY (certificate) REFERENCES certificates(id)",
        ],
    ),
    (
        "revocations",
        &[
            "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
            "authority bigint NOT NULL",
            "certificate bigint NOT NULL",
            "revoked_at bigint NOT NULL",
            "reason bigint NOT NULL",
            "invalid_since bigint",
            "PRIMARY KEY (id)",
            "FOREIGN KEY (authority) REFERENCES authorities(id)",
            "FOREIGN KEY (certificate) REFERENCES certificates(id)",
        ],
    ),
    (
        "lists",
        &[
            "id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
            "authority bigint NOT NULL",
            "number bigint NOT NULL",
            "base bigint",
            "scope text COLLATE \"C\" NOT NULL",
            "this_update bigint NOT NULL",
            "next_update bigint NOT NULL",
            "fingerprint bytea NOT NULL",
            "entries bigint NOT NULL",
            "mark bigint NOT NULL",
            "PRIMARY KEY (id)",
            "CHECK ((number > 0))",
            "CHECK ((base < number))",
            "CHECK ((length(fingerprint) = 32))",
            "FOREIGN KEY (authority) REFERENCES authorities(id)",
        ],
    ),
    (
        "audit",
        &[
            "number bigint NOT NULL",
            "at bigint NOT NULL",
            "who text COLLATE \"C\" NOT NULL",
            "what text COLLATE \"C\" NOT NULL",
            "authority bigint",
            "fingerprint bytea NOT NULL",
            "serial bytea",
            "detail text COLLATE \"C\" NOT NULL",
            "hash bytea NOT NULL",
            "PRIMARY KEY (number)",
            "CHECK ((length(hash) = 32))",
        ],
    ),
    (
        "audit_head",
        &[
            "head bigint NOT NULL",
            "lines bigint NOT NULL",
            "hash bytea NOT NULL",
            "PRIMARY KEY (head)",
            "CHECK ((head = 1))",
            "CHECK ((length(hash) = 32))",
        ],
    ),
];

/// Columns and constraints, and what a table of a ledger never has: no log to outlive a crash, rows that are another table's
/// or hidden, a rule that rewrites statements. A reference is kept by triggers of its own, which can be at rest.
const TRAITS: &str = "WITH here AS (
        SELECT oid, relname::text, relpersistence, relrowsecurity FROM pg_class
        WHERE relnamespace = 'certkit'::regnamespace AND relkind = 'r')
    SELECT relname, concat(
        attname, ' ', format_type(atttypid, atttypmod),
        CASE WHEN attcollation <> typcollation THEN ' COLLATE ' || attcollation::regcollation::text END,
        CASE WHEN attnotnull THEN ' NOT NULL' END,
        CASE attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' END,
        CASE WHEN attgenerated <> '' THEN ' GENERATED ALWAYS AS ' WHEN adbin IS NOT NULL THEN ' DEFAULT ' END,
        pg_get_expr(adbin, adrelid))
    FROM here JOIN pg_attribute ON attrelid = here.oid JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT relname, concat(
        pg_get_constraintdef(pg_constraint.oid),
        CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgenabled NOT IN ('O', 'A'))
            THEN ' at rest' END)
    FROM here JOIN pg_constraint ON conrelid = here.oid WHERE contype NOT IN ('n', 't')
    UNION ALL SELECT relname, 'UNLOGGED' FROM here WHERE relpersistence <> 'p'
    UNION ALL SELECT relname, 'ROW LEVEL SECURITY' FROM here WHERE relrowsecurity
    UNION ALL SELECT relname, 'rows of ' || inhrelid::regclass FROM here JOIN pg_inherits ON inhparent = here.oid
    UNION ALL SELECT relname, 'INHERITS (' || inhparent::regclass || ')' FROM here JOIN pg_inherits ON inhrelid = here.oid
    UNION ALL SELECT relname, 'RULE ' || rulename FROM here JOIN pg_rewrite ON ev_class = here.oid";

/// What [`TRAITS`] has after a reference whose triggers are off.
const AT_REST: &str = " at rest";

/// References whose triggers are off, each with its table and its name.
const RESTING: &str = "SELECT relname::text, quote_ident(conname), pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE relnamespace = 'certkit'::regnamespace AND contype = 'f'
        AND EXISTS (SELECT FROM pg_trigger WHERE tgconstraint = pg_constraint.oid AND tgenabled NOT IN ('O', 'A'))
    ORDER BY relname, conname";

/// Guards and indexes, without those that belong to a constraint. One that is on for replicas alone never refuses.
const PARTS: &str = "SELECT tgname::text, relname::text, pg_get_triggerdef(pg_trigger.oid), tgenabled IN ('O', 'A')
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'certkit'::regnamespace AND NOT tgisinternal
    UNION ALL SELECT part.relname::text, pg_class.relname::text, pg_get_indexdef(part.oid), indisvalid AND indisready
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid JOIN pg_class AS part ON part.oid = indexrelid
    WHERE pg_class.relnamespace = 'certkit'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)";

/// Relations other than those tables, their indexes and the sequences of their columns; functions other than that of guards.
const OTHERS: &str = "SELECT relname::text FROM pg_class
    WHERE relnamespace = 'certkit'::regnamespace AND relkind NOT IN ('i', 'I') AND relname <> ALL ($1::text[])
        AND NOT EXISTS (SELECT FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'i')
    UNION ALL SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'certkit'::regnamespace AND NOT (proname = 'refuse' AND pronargs = 0)";

/// Whether it can be a guard's, whether it is in the language and without the settings that it was made with, and its body.
const REFUSE: &str =
    "SELECT prokind = 'f' AND prorettype = 'trigger'::regtype, lanname = 'plpgsql' AND proconfig IS NULL, prosrc
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE proname = 'refuse' AND pronargs = 0 AND pronamespace = 'certkit'::regnamespace";
