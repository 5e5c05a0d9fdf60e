//! The lists that were signed: against each other, their authority's numbers and revocations, and the audit log.

use std::collections::BTreeMap;

use super::seen::Seen;
use super::{Faults, Known, Remedy, log};
use crate::ca::ledger::{AuthorityId, Ledger, LedgerError, Mark, SignedList};

/// Lists of one authority, the greatest number first.
pub(super) fn check(
    lists: &[SignedList],
    (authority, known): (AuthorityId, &Known),
    last: Option<Mark>,
    seen: &mut Seen,
    fault: &mut Faults<'_>,
) {
    let handed_out = known.crl_number;
    let mut complete: BTreeMap<(&str, u64), &SignedList> = BTreeMap::new();
    for list in lists.iter().filter(|list| list.base.is_none()) {
        complete.insert((&list.scope, list.number), list);
    }
    for list in lists {
        let mut wrong = |what: String| {
            fault.tell(format!("list {}", list.number), what, Remedy::Investigate);
        };
        if list.number > handed_out {
            wrong(format!("its number is greater than the last one handed out, {handed_out}"));
        }
        if list.next_update < list.this_update {
            wrong("it ends before it begins".to_owned());
        }
        if let Some(base) = list.base.filter(|base| !complete.contains_key(&(list.scope.as_str(), *base))) {
            wrong(format!("it builds upon list {base}, which is not there"));
        }
        if last.is_some_and(|last| list.mark > last) {
            wrong("it is said to have revocations that are not there: later ones would be missed".to_owned());
        }
        if let Some(what) = log::of_list(list, authority, seen) {
            wrong(what);
        }
    }
    for pair in lists.windows(2) {
        let [later, earlier] = pair else { continue };
        if later.number > earlier.number && later.mark < earlier.mark {
            let what = format!("it has fewer revocations than list {} before it", earlier.number);
            fault.tell(format!("list {}", later.number), what, Remedy::Investigate);
        }
    }
}

/// Each row of a list that stands before one which the log has before it, and that one.
pub(super) fn displaced(
    ledger: &mut dyn Ledger,
    seen: &Seen,
    fault: &mut Faults<'_>,
) -> Result<Vec<(i64, i64)>, LedgerError> {
    let mut rows: Vec<(u32, i64)> = Vec::new();
    let read = ledger.list_rows(&mut |row, authority, fingerprint| {
        rows.extend(seen.line_of_list(&fingerprint, authority).map(|line| (line, row)));
    });
    fault.or_damaged(read)?;
    rows.sort_unstable();
    let (mut displaced, mut greatest) = (Vec::new(), 0);
    for (_, row) in rows {
        if row < greatest {
            displaced.push((row, greatest));
        }
        greatest = greatest.max(row);
    }
    Ok(displaced)
}
