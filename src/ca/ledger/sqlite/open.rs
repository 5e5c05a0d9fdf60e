//! How the file of a ledger is opened: to write, or to read where nothing may be written.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{PATIENCE, is_busy, name, told};
use crate::ca::ledger::LedgerError;
use crate::ca::ledger::schema::{self, APPLICATION_ID, Standing};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What every command does.
    Use,
    /// To have what is wrong with it made good.
    Mend,
    /// To become a ledger, where it is empty.
    Make,
}

/// Opens a file to read and write, and brings its schema up to date.
pub(super) fn to_write(path: &Path, how: Purpose) -> Result<Connection, LedgerError> {
    let begun = Instant::now();
    loop {
        // SQLite takes an empty file for a new database and removes the log that lies beside it.
        if how == Purpose::Make || !is_empty(path) {
            match open(path, how) {
                Err(LedgerError::Empty { .. }) => {}
                opened => return opened,
            }
        }
        // Another process may be making it just now.
        if begun.elapsed() >= MAKING {
            return Err(LedgerError::Empty { ledger: name(path) });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.len() == 0)
}

fn open(path: &Path, how: Purpose) -> Result<Connection, LedgerError> {
    may_be_read(path)?;
    let told = |error| told(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(told)?;
    connection.busy_timeout(PATIENCE).map_err(told)?;
    check_owner(&mut connection, path)?;
    write_ahead(&connection).map_err(told)?;
    connection.execute_batch(SETTINGS).map_err(told)?;
    keep_log(&connection, true).map_err(told)?;
    keep_plans(&connection).map_err(told)?;
    let (ledger, known) = (name(path), schema::LATEST);
    match schema::standing(&mut connection).map_err(told)? {
        Standing::Bare if how != Purpose::Make => return Err(LedgerError::Empty { ledger }),
        Standing::Renumbered(_) if how == Purpose::Mend => return Ok(connection),
        Standing::Renumbered(found) => return Err(LedgerError::Renumbered { ledger, found, known }),
        Standing::Unlike(found) => return Err(LedgerError::unlike(ledger, found)),
        Standing::Bare | Standing::Current | Standing::Earlier | Standing::Later => {}
    }
    schema::migrate(&mut connection).map_err(told)?.map_err(|found| LedgerError::Newer { ledger, found, known })?;
    Ok(connection)
}

/// Opens a file that cannot be written, or whose folder cannot.
pub(super) fn to_read(path: &Path) -> Result<Connection, LedgerError> {
    let connection = unwritten(path)?;
    let (ledger, known) = (name(path), schema::LATEST);
    match schema::version(&connection).map_err(|error| told(path, error))? {
        found if found == known => Ok(connection),
        found if found > known => Err(LedgerError::Newer { ledger, found, known }),
        found => Err(LedgerError::Older { ledger, found, known }),
    }
}

/// Why a file cannot be written: one with an earlier schema needs that once, also to be read.
pub(super) fn for_its_schema(path: &Path, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Unwritable { why, .. } if !why.contains("no space") => match to_read(path) {
            Err(older @ LedgerError::Older { .. }) => older,
            _ => error,
        },
        error => error,
    }
}

/// A file that is open to be looked at.
pub(super) struct Looked {
    pub(super) connection: Connection,
    /// Where the file has an earlier schema: which one, and the folder of the copy that was brought up to date in its place.
    pub(super) earlier: Option<(i64, TempDir)>,
}

/// Opens a file to look at all of it and leaves it as it is.
pub(super) fn to_check(path: &Path) -> Result<Looked, LedgerError> {
    let mut connection = unwritten(path)?;
    let (ledger, known) = (name(path), schema::LATEST);
    let told = |error| told(path, error);
    match schema::standing(&mut connection).map_err(told)? {
        Standing::Current => Ok(Looked { connection, earlier: None }),
        Standing::Bare => Err(LedgerError::Empty { ledger }),
        Standing::Later => {
            Err(LedgerError::Newer { ledger, found: schema::version(&connection).map_err(told)?, known })
        }
        Standing::Renumbered(found) => Err(LedgerError::Renumbered { ledger, found, known }),
        Standing::Unlike(found) => Err(LedgerError::unlike(ledger, found)),
        Standing::Earlier => {
            let found = schema::version(&connection).map_err(told)?;
            // A copy has none of the damage of pages and indexes.
            let sound = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
            let sound = connection.query_row("PRAGMA integrity_check(1)", [], sound).map_err(told)?;
            if sound != "ok" {
                return Err(LedgerError::Damaged { ledger, what: sound });
            }
            let (connection, folder) = copied(&connection, path)?;
            Ok(Looked { connection, earlier: Some((found, folder)) })
        }
    }
}

/// A copy of a ledger with an earlier schema, brought up to date, and the folder in which it is.
fn copied(from: &Connection, path: &Path) -> Result<(Connection, TempDir), LedgerError> {
    let told = |error| told(path, error);
    let unmade = |source| LedgerError::Open { ledger: format!("{} in a copy", name(path)), source };
    let folder = tempfile::tempdir().map_err(unmade)?;
    let copy = folder.path().join("ledger.db");
    let into = copy.to_str().ok_or_else(|| unmade(io::Error::other("the temporary folder is no UTF-8")))?;
    from.execute("VACUUM INTO ?1", [into]).map_err(told)?;
    let mut connection = Connection::open(&copy).map_err(told)?;
    connection
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
        .map_err(told)?;
    let (ledger, known) = (name(path), schema::LATEST);
    schema::migrate(&mut connection).map_err(told)?.map_err(|found| LedgerError::Newer { ledger, found, known })?;
    Ok((connection, folder))
}

/// A connection that writes nothing to the file.
fn unwritten(path: &Path) -> Result<Connection, LedgerError> {
    if is_empty(path) {
        return Err(LedgerError::Empty { ledger: name(path) });
    }
    may_be_read(path)?;
    match read_only(path, "mode=ro") {
        // Without its companion files the database can be read only as one that nobody changes.
        Err(LedgerError::Unwritable { .. }) if size_of(path, "-wal") == 0 && size_of(path, "-journal") == 0 => {
            read_only(path, "immutable=1")
        }
        Err(LedgerError::Unwritable { ledger, .. }) => {
            let why = match size_of(path, "-wal") {
                0 => {
                    "the journal of a change that was broken off lies beside it, and nothing is written here; certkit ca list \
                     takes the change back where it may write, or copy both to a folder you may write to"
                }
                _ => "a write-ahead log lies beside it and cannot be read here; copy both to a folder you may write to",
            };
            Err(LedgerError::Unwritable { ledger, why })
        }
        opened => opened,
    }
}

/// SQLite does not tell a file that may not be read from one that may not be written.
fn may_be_read(path: &Path) -> Result<(), LedgerError> {
    match File::open(path) {
        Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
            Err(LedgerError::Open { ledger: name(path), source })
        }
        _ => Ok(()),
    }
}

/// Whether the log stays beside the file when the last process closes it, or is moved into it and removed.
fn keep_log(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Statements that are kept stay as they are planned. Without this SQLite reads each anew whenever other values are bound to
/// it, for the sake of statistics that a ledger does not gather.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Before it is closed: a log that has grown goes into the file. Doing so each time would cost a process that adds one row
/// twice what the row costs; never to do it, that each process reads a long log first.
pub(super) fn settle(connection: &Connection, path: &Path) {
    if size_of(path, "-wal") > LONGEST_LOG {
        // Where that fails the log stays, and all that is in it.
        _ = keep_log(connection, false);
    }
}

fn read_only(path: &Path, how: &str) -> Result<Connection, LedgerError> {
    let told = |error| told(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = Connection::open_with_flags(format!("file:{}?{how}", escaped(path)), flags).map_err(told)?;
    connection.busy_timeout(PATIENCE).map_err(told)?;
    // What a check sorts may find no folder for a file of its own where nothing may be written.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;").map_err(told)?;
    check_owner(&mut connection, path)?;
    Ok(connection)
}

/// A path as a URI has it, whatever octets it has (RFC 3986 §2.1).
fn escaped(path: &Path) -> String {
    let kept = |octet: u8| octet.is_ascii_alphanumeric() || b"/-._~".contains(&octet);
    let octets = path.as_os_str().as_encoded_bytes().iter();
    octets.map(|&octet| if kept(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") }).collect()
}

/// The octets in a companion of the file.
fn size_of(path: &Path, companion: &str) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push(companion);
    std::fs::metadata(log).map_or(0, |about| about.len())
}

/// Refuses what another program made.
fn check_owner(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let (application, tables) = whose(connection).map_err(|error| told(path, error))?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        let why = "it is another program's database".to_owned();
        return Err(LedgerError::Foreign { ledger: name(path), why });
    }
    Ok(())
}

/// The application id and the number of tables, both as of one moment: another process may be making the ledger.
fn whose(connection: &mut Connection) -> rusqlite::Result<(i64, i64)> {
    let moment = connection.transaction()?;
    let application = moment.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables = moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((application, tables))
}

/// An empty file, 0600 from the start; SQLite gives its companions the same mode.
pub(super) fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.sync_all()?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        // So that the name survives a power cut; some file systems cannot, and need not.
        _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Makes an empty file, which becomes a ledger, its owner's alone (0600). One that is a ledger keeps its mode.
pub(super) fn close_to_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = std::fs::metadata(path)?;
        if about.is_file() && about.len() == 0 && about.permissions().mode() & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Switches a new file to its write-ahead log. The switch needs the file alone and does not queue for it, so a process
/// that meets another here waits by itself.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        let switched = connection.pragma_query_value(None, "journal_mode", mode).and_then(|found| {
            if found == "wal" { Ok(()) } else { connection.pragma_update(None, "journal_mode", "wal") }
        });
        match switched {
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// `synchronous = FULL`: what is committed is on the disk. The log goes into the file every 4,000 pages, 16 MiB: a batch
/// writes the same pages of its indexes into it again and again.
const SETTINGS: &str = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// How long a process may take to make a ledger of an empty file, which takes milliseconds.
const MAKING: Duration = Duration::from_secs(2);

/// As long as the log may be when the ledger is closed, in octets: some seven transactions of one certificate.
const LONGEST_LOG: u64 = 256 << 10;
