//! The tables of a ledger in PostgreSQL, version by version.
//!
//! `version` says how many of [`MIGRATIONS`] the database has seen. A released migration is never changed: the next change
//! is another one at the end.

use ::postgres::{Client, Error, GenericClient};

/// The latest version of the schema.
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// What a database holds.
pub(super) enum Found {
    /// The latest schema, perhaps since just now.
    Current,
    /// No ledger.
    Nothing,
    /// A later schema than [`LATEST`].
    Later(i64),
}

/// Brings the schema up to [`LATEST`]; many may try at once. Where there is none it is made only if that `may` be.
pub(super) fn migrate(client: &mut Client, may: bool) -> Result<Found, Error> {
    match version(client)? {
        0 if !may => return Ok(Found::Nothing),
        LATEST => return Ok(Found::Current),
        _ => {}
    }
    let mut transaction = client.transaction()?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    // Another process may have been first.
    let found = version(&mut transaction)?;
    let pending = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..));
    let Some(pending) = pending else { return Ok(Found::Later(found)) };
    if pending.is_empty() {
        return Ok(Found::Current);
    }
    if found > 0 {
        // Writers lock the head first, and so does whoever changes what they write to.
        transaction.batch_execute("LOCK TABLE audit_head IN ACCESS EXCLUSIVE MODE")?;
    }
    for migration in pending {
        transaction.batch_execute(migration)?;
    }
    for part in PARTS {
        transaction.batch_execute(&part.anew())?;
    }
    transaction.execute("UPDATE version SET version = $1", &[&LATEST])?;
    transaction.commit()?;
    Ok(Found::Current)
}

/// How many migrations the database has seen.
pub(super) fn version(client: &mut impl GenericClient) -> Result<i64, Error> {
    // A name that was not there a moment ago may be remembered as missing; the catalogue's tables are read anew.
    let there = client.query_one(
        "SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname = 'certkit' AND relname = 'version')",
        &[],
    )?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    client.query_one("SELECT version FROM certkit.version", &[])?.try_get(0)
}

/// A guard or an index: what can be made again.
pub(super) struct Part {
    pub(super) name: &'static str,
    table: &'static str,
    kind: Kind,
}

enum Kind {
    /// The statement that makes it, after its table and method.
    Index { unique: bool, on: &'static str },
    /// When it refuses, and in which words.
    Guard { when: &'static str, refusal: &'static str },
}

impl Part {
    /// The statements that make it, whatever is there in its place.
    pub(super) fn anew(&self) -> String {
        let Self { name, table, kind } = self;
        let made = self.made();
        match kind {
            // What stands there under its name may belong to a constraint.
            Kind::Index { .. } => {
                format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}; DROP INDEX IF EXISTS {name}; {made}")
            }
            Kind::Guard { .. } => format!("DROP TRIGGER IF EXISTS {name} ON {table}; {made}"),
        }
    }

    /// The statement that makes it, word for word as PostgreSQL gives it back.
    pub(super) fn made(&self) -> String {
        let Self { name, table, kind } = self;
        match kind {
            Kind::Index { unique, on } => {
                let unique = if *unique { "UNIQUE " } else { "" };
                format!("CREATE {unique}INDEX {name} ON certkit.{table} USING btree {on}")
            }
            Kind::Guard { when, refusal } => {
                let (event, condition) = when.split_once(" WHEN ").unwrap_or((when, "true"));
                let each = if event.contains("TRUNCATE") { "STATEMENT" } else { "ROW" };
                format!(
                    "CREATE TRIGGER {name} BEFORE {event} ON certkit.{table} FOR EACH {each} WHEN ({condition}) \
                     EXECUTE FUNCTION refuse('{refusal}')"
                )
            }
        }
    }

    /// Whether it is what the catalogue has under this name: the name of a guard is that of its table alone.
    pub(super) fn is_called(&self, name: &str, table: &str) -> bool {
        name == self.name && (matches!(self.kind, Kind::Index { .. }) || table == self.table)
    }
}

const fn index(name: &'static str, table: &'static str, on: &'static str) -> Part {
    Part { name, table, kind: Kind::Index { unique: false, on } }
}

const fn guard(name: &'static str, table: &'static str, when: &'static str, refusal: &'static str) -> Part {
    Part { name, table, kind: Kind::Guard { when, refusal } }
}

/// Every guard and index beside those of keys. Conditions and columns are written as PostgreSQL writes them: what it gives
/// back is compared with them.
pub(super) const PARTS: &[Part] = &[
    index("certificates_by_expiry", "certificates", "(authority, not_after)"),
    index(
        "certificates_for_lists",
        "certificates",
        "(authority, serial, revoked_at, reason, invalid_since, not_after) WHERE (revoked_at IS NOT NULL)",
    ),
    index("certificates_revoked", "certificates", "(authority, revoked_at) WHERE (revoked_at IS NOT NULL)"),
    index("revocations_by_authority", "revocations", "(authority, id)"),
    index("revocations_by_certificate", "revocations", "(certificate, id)"),
    Part {
        name: "lists_by_number",
        table: "lists",
        kind: Kind::Index { unique: true, on: "(authority, number, scope, ((base IS NULL)))" },
    },
    guard("authorities_stay", "authorities", "DELETE", "an authority is never deleted"),
    guard("authorities_all_stay", "authorities", "TRUNCATE", "an authority is never deleted"),
    guard(
        "authorities_stay_the_same",
        "authorities",
        "UPDATE OF id, fingerprint, subject, created_at, der",
        "an authority is never changed",
    ),
    guard(
        "crl_numbers_grow",
        "authorities",
        "UPDATE OF crl_number WHEN (new.crl_number <= old.crl_number)",
        "a CRL number is handed out once",
    ),
    guard("certificates_stay", "certificates", "DELETE", "a recorded certificate is never deleted"),
    guard("certificates_all_stay", "certificates", "TRUNCATE", "a recorded certificate is never deleted"),
    guard(
        "certificates_stay_the_same",
        "certificates",
        "UPDATE OF id, authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der",
        "a recorded certificate is never changed",
    ),
    guard(
        "revocations_stay",
        "certificates",
        // A compromise may be told of a revocation that told of none, and it may be as of an earlier time, as in SQLite. What is
        // unknown (NULL) is neither.
        "UPDATE OF revoked_at, reason, invalid_since WHEN ((old.reason <> 6) AND (((new.revoked_at <= old.revoked_at) \
         AND ((old.invalid_since IS NULL) OR (new.invalid_since <= old.invalid_since)) \
         AND (((old.reason <> 1) AND (old.reason <> 2) AND (old.reason <> 10) \
         AND ((new.reason = 1) OR (new.reason = 2) OR (new.reason = 10))) \
         OR ((new.reason = old.reason) AND (new.revoked_at < old.revoked_at)))) IS NOT TRUE))",
        "a revocation is never undone",
    ),
    guard("history_stays", "revocations", "DELETE OR UPDATE", "the history of revocation only grows"),
    guard("history_all_stays", "revocations", "TRUNCATE", "the history of revocation only grows"),
    guard("lists_stay", "lists", "DELETE OR UPDATE", "a signed list is never changed"),
    guard("lists_all_stay", "lists", "TRUNCATE", "a signed list is never changed"),
    guard("audit_stays", "audit", "DELETE OR UPDATE", "the audit log only grows"),
    guard("audit_all_stays", "audit", "TRUNCATE", "the audit log only grows"),
    guard("audit_head_stays", "audit_head", "DELETE", "the audit log only grows"),
    guard("audit_head_all_stays", "audit_head", "TRUNCATE", "the audit log only grows"),
    guard("audit_head_grows", "audit_head", "UPDATE WHEN (new.lines < old.lines)", "the audit log only grows"),
];

/// The tables of a ledger.
pub(super) const TABLES: &[&str] =
    &["authorities", "certificates", "names", "revocations", "lists", "audit", "audit_head"];

/// The statement that makes a table, without its rows.
pub(super) fn making(table: &str) -> Option<&'static str> {
    MIGRATIONS.iter().find_map(|migration| {
        let from = migration.get(migration.find(&format!("CREATE TABLE {table} ("))?..)?;
        from.get(..from.find("\n);")? + "\n);".len())
    })
}

/// Makes the function by which every guard refuses, whatever is there in its place.
pub(super) const REFUSE: &str = "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END
$$";

/// Held while the schema changes: "ckit".
const LOCK: i64 = 0x636b_6974;

/// As in SQLite: times are seconds since 1970, serial numbers the content octets of their INTEGER, reasons the numbers of
/// CRLReason (RFC 5280 §5.3.1). Text is compared octet by octet.
const MIGRATIONS: &[&str] = &[
    r#"
CREATE SCHEMA IF NOT EXISTS certkit;
CREATE TABLE version (version bigint NOT NULL);
INSERT INTO version VALUES (0);

CREATE TABLE authorities (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint bytea NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    subject     text COLLATE "C" NOT NULL,
    created_at  bigint NOT NULL,
    crl_number  bigint NOT NULL DEFAULT 0,
    der         bytea NOT NULL
);

CREATE TABLE certificates (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority     bigint NOT NULL REFERENCES authorities (id),
    serial        bytea NOT NULL,
    fingerprint   bytea NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    subject       text COLLATE "C" NOT NULL,
    names         text COLLATE "C" NOT NULL,
    not_before    bigint NOT NULL,
    not_after     bigint NOT NULL,
    profile       text COLLATE "C" NOT NULL,
    issued_at     bigint NOT NULL,
    revoked_at    bigint,
    reason        bigint,
    invalid_since bigint,
    der           bytea NOT NULL,
    UNIQUE (authority, serial),
    CHECK ((revoked_at IS NULL) = (reason IS NULL))
);

CREATE TABLE names (
    name        text COLLATE "C" NOT NULL,
    certificate bigint NOT NULL REFERENCES certificates (id),
    PRIMARY KEY (name, certificate)
);

CREATE TABLE revocations (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority     bigint NOT NULL REFERENCES authorities (id),
    certificate   bigint NOT NULL REFERENCES certificates (id),
    revoked_at    bigint NOT NULL,
    reason        bigint NOT NULL,
    invalid_since bigint
);

CREATE TABLE lists (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority   bigint NOT NULL REFERENCES authorities (id),
    number      bigint NOT NULL CHECK (number > 0),
    base        bigint CHECK (base < number),
    scope       text COLLATE "C" NOT NULL,
    this_update bigint NOT NULL,
    next_update bigint NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    entries     bigint NOT NULL,
    mark        bigint NOT NULL
);

CREATE TABLE audit (
    number      bigint PRIMARY KEY,
    at          bigint NOT NULL,
    who         text COLLATE "C" NOT NULL,
    what        text COLLATE "C" NOT NULL,
    authority   bigint,
    fingerprint bytea NOT NULL,
    serial      bytea,
    detail      text COLLATE "C" NOT NULL,
    hash        bytea NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE audit_head (
    head  bigint PRIMARY KEY CHECK (head = 1),
    lines bigint NOT NULL,
    hash  bytea NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO audit_head VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END
$$;
"#,
    RAISING,
    SOONER,
];

/// The guard `revocations_stay` lets a revocation be raised to a compromise; it is made anew with the other [`PARTS`]. The index
/// of names by certificate cost every issue and served checks alone. What has its name may belong to a constraint.
const RAISING: &str = "
ALTER TABLE IF EXISTS names DROP CONSTRAINT IF EXISTS names_by_certificate;
DROP INDEX IF EXISTS names_by_certificate;
";

/// The guard `revocations_stay` lets a revocation be as of an earlier time; it is made anew with the other [`PARTS`].
const SOONER: &str = "SELECT 1;";
