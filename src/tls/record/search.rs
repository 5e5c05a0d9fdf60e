//! The next record after octets that are missing in a recording.

use super::MAX_FRAGMENT;
use std::collections::BTreeMap;

/// How far a record is looked for, in octets: within the longest record another begins, which ends within the same again.
const FARTHEST: usize = 2 * (5 + MAX_FRAGMENT) + 5;

/// The longest ChangeCipherSpec or alert that is believed, in octets: two of content, a vector, a MAC, and 256 of padding.
const LONGEST_SMALL: usize = 512;

/// Looks for a record in octets of which nobody knows where records begin.
///
/// Among random octets one place in two million looks like a header. So a header is believed only where its record ends
/// where another header stands, or where what was handed over ends: senders end a flight with a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Search {
    /// Where the next record would begin, and where the header stands that says so.
    claims: BTreeMap<usize, usize>,
    /// What lies before has been looked at.
    looked: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A record begins here.
    At(usize),
    /// More octets are needed.
    NotYet,
    /// This is not a stream of records any more.
    Nowhere,
}

impl Search {
    /// Looks at all octets since the gap: those of the last call, and more.
    pub(super) fn find(&mut self, octets: &[u8]) -> Found {
        while let Some(length) = octets.get(self.looked..self.looked + 5).map(fragment_length) {
            if let Some(length) = length {
                self.claims.entry(self.looked + 5 + length).or_insert(self.looked);
            }
            self.looked += 1;
        }
        let mut first: Option<usize> = None;
        self.claims.retain(|&next, &mut at| {
            let believed = match octets.get(next..) {
                None => return true,
                Some([]) => true,
                Some(rest) if rest.len() < 5 => return true,
                Some(rest) => fragment_length(rest).is_some(),
            };
            if believed {
                first = Some(first.map_or(at, |first| first.min(at)));
            }
            false
        });
        match first {
            Some(at) => Found::At(at),
            None if octets.len() > FARTHEST => Found::Nowhere,
            None => Found::NotYet,
        }
    }
}

/// The length of the fragment, if these octets can be the header of a record.
fn fragment_length(octets: &[u8]) -> Option<usize> {
    let (most, length) = match *octets {
        [20 | 21, 3, 0..=4, high, low, ..] => (LONGEST_SMALL, [high, low]),
        [22..=24, 3, 0..=4, high, low, ..] => (MAX_FRAGMENT, [high, low]),
        _ => return None,
    };
    Some(usize::from(u16::from_be_bytes(length))).filter(|length| (1..=most).contains(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: [u8; 8] = [23, 3, 3, 0, 3, 1, 2, 3];

    #[test]
    fn a_header_is_believed_where_its_record_ends_at_another_or_with_all_there_is() {
        let rest = [9; 20];
        assert_eq!(Search::default().find(&[&rest[..], &RECORD].concat()), Found::At(20));
        assert_eq!(Search::default().find(&[&rest[..], &RECORD, &RECORD[..6]].concat()), Found::At(20));
        // Three octets are no header yet, and these will never be one.
        let mut search = Search::default();
        assert_eq!(search.find(&[&rest[..], &RECORD, &RECORD[..3]].concat()), Found::NotYet);
        assert_eq!(search.find(&[&rest[..], &RECORD, &RECORD[..3], &[0xff; 3]].concat()), Found::NotYet);
        // A record that is not whole says nothing.
        assert_eq!(Search::default().find(&[&rest[..], &RECORD[..7]].concat()), Found::NotYet);
    }

    #[test]
    fn the_search_ends_after_two_of_the_longest_records() {
        let mut octets = vec![7; FARTHEST];
        assert_eq!(Search::default().find(&octets), Found::NotYet);
        octets.push(7);
        assert_eq!(Search::default().find(&octets), Found::Nowhere);
    }
}
