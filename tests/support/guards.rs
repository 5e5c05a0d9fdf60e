//! A ledger changed as somebody may who can write to its file.

/// Takes the guards away and runs these statements. Gives the guards, by name and as they are made, to be put back.
pub(crate) fn without_guards(ledger: &rusqlite::Connection, statements: &str) -> Vec<(String, String)> {
    let guards: Vec<(String, String)> = ledger
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    guards.iter().for_each(|(name, _)| ledger.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
    ledger.execute_batch(statements).unwrap();
    guards
}
