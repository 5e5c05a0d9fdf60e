//! Range requests (RFC 9110 §14).

/// Which part of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All: also where the field says nothing that is understood, or several parts, which may be answered so (§14.2).
    All,
    /// These octets.
    Part {
        /// The first.
        from: u64,
        /// How many.
        length: u64,
    },
    /// A part that the file does not have.
    Nothing,
}

/// Reads the field for a file of this length.
pub(super) fn read(field: &str, whole: u64) -> Wanted {
    let Some((unit, set)) = field.split_once('=') else { return Wanted::All };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Wanted::All;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Wanted::All };
    match (number(first), number(last)) {
        // The last octets: `-500`.
        (_, Some(count)) if first.is_empty() => match count.min(whole) {
            0 => Wanted::Nothing,
            length => Wanted::Part { from: whole - length, length },
        },
        (Some(from), None) if last.is_empty() => part(from, u64::MAX, whole),
        (Some(from), Some(last)) if from <= last => part(from, last, whole),
        _ => Wanted::All,
    }
}

fn part(from: u64, last: u64, whole: u64) -> Wanted {
    match whole.checked_sub(1) {
        Some(end) if from <= end => Wanted::Part { from, length: last.min(end) - from + 1 },
        _ => Wanted::Nothing,
    }
}

/// Digits alone; more than any file has counts as the most.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_rfc_9110() {
        let part = |from, length| Wanted::Part { from, length };
        for (field, whole, wanted) in [
            ("bytes=0-0", 10, part(0, 1)),
            ("bytes=0-9", 10, part(0, 10)),
            ("bytes=2-4", 10, part(2, 3)),
            ("bytes=5-", 10, part(5, 5)),
            ("bytes=5-99", 10, part(5, 5)),
            ("bytes=5-99999999999999999999999", 10, part(5, 5)),
            ("bytes=-3", 10, part(7, 3)),
            ("bytes=-30", 10, part(0, 10)),
            ("BYTES= 1-2 ", 10, part(1, 2)),
            ("bytes=10-", 10, Wanted::Nothing),
            ("bytes=99999999999999999999999-", 10, Wanted::Nothing),
            ("bytes=-0", 10, Wanted::Nothing),
            ("bytes=0-", 0, Wanted::Nothing),
            ("bytes=-1", 0, Wanted::Nothing),
            ("bytes=4-2", 10, Wanted::All),
            ("bytes=a-2", 10, Wanted::All),
            ("bytes=+1-2", 10, Wanted::All),
            ("bytes=-", 10, Wanted::All),
            ("bytes=1", 10, Wanted::All),
            ("bytes=--1", 10, Wanted::All),
            ("bytes=0-1,3-4", 10, Wanted::All),
            ("lines=0-1", 10, Wanted::All),
            ("", 10, Wanted::All),
        ] {
            assert_eq!(read(field, whole), wanted, "{field} of {whole}");
        }
    }
}
