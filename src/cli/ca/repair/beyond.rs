//! Where to go from a ledger that cannot be mended.

use anyhow::anyhow;

use crate::ca::LedgerError;
use crate::cli::ca::place::Chosen;
use crate::cli::problem::Hinted;

/// Says what is left to do where the ledger is damaged beyond mending or is none: elsewhere such an error leads to
/// `certkit ca repair`, which is what has just failed.
pub(super) fn led_on<T>(repaired: anyhow::Result<T>, chosen: &Chosen) -> anyhow::Result<T> {
    let Err(error) = repaired else { return repaired };
    let anew = format!("certkit ca repair --new-ledger{} FILE... makes a new one of its certificates", chosen.flag());
    let aside = "move it aside, with -wal and -shm beside it";
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<LedgerError>());
    let (told, hint) = match cause {
        Some(LedgerError::Damaged { ledger, what }) => {
            let told = Some(anyhow!("the ledger {ledger} is damaged, and that cannot be mended: {what}"));
            let export = "what can be read of it still comes out with certkit ca export --records jsonl";
            let hint = match chosen.has_own_ledger().unwrap_or(true) {
                true => format!("restore it from a backup; without one, {aside}, and {anew}; {export}"),
                false => {
                    format!("restore the database from a backup; without one, {anew}, in another database; {export}")
                }
            };
            (told, hint)
        }
        Some(LedgerError::Foreign { .. }) => {
            let elsewhere = "say with --ledger or in ca.toml where it is, or restore it from a backup";
            (None, format!("{elsewhere}; without one, {aside}, and {anew}"))
        }
        _ => return Err(error),
    };
    Err(told.unwrap_or(error)).hint(hint)
}
