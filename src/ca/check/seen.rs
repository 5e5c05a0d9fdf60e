//! What the audit log tells of certificates and lists, in its order, by the beginning of their fingerprints.

use std::collections::{BTreeMap, HashMap};

use crate::ca::ledger::{AuditLine, AuthorityId, Told};
use crate::x509::extension::CrlReason;

/// The log as far as rows can be compared with it: 48 octets for each line about a certificate.
#[derive(Debug, Default)]
pub(super) struct Seen {
    recordings: Vec<Recording>,
    changes: Vec<Change>,
    lists: Vec<Listing>,
    profiles: Vec<String>,
    places: HashMap<String, u16>,
    numbers: BTreeMap<AuthorityId, u64>,
    lines: u32,
    /// The first line with an authority: rows of revocation have the order of the lines from here on.
    ordered_from: Option<u32>,
}

/// That a certificate was recorded.
#[derive(Debug)]
pub(super) struct Recording {
    key: Key,
    /// By whom; `None` in lines that are older than this column.
    authority: Option<AuthorityId>,
    /// When, in seconds since 1970.
    pub(super) at: i64,
    pub(super) order: u32,
    profile: Option<u16>,
    present: bool,
}

/// That a certificate's revocation changed.
#[derive(Debug)]
pub(super) struct Change {
    key: Key,
    /// As of when, and since when it is not to be trusted, in seconds since 1970.
    pub(super) when: Option<(i64, Option<i64>)>,
    pub(super) order: u32,
    pub(super) reason: Option<CrlReason>,
}

/// That a list was signed.
#[derive(Debug)]
struct Listing {
    key: Key,
    fingerprint: Vec<u8>,
    authority: Option<AuthorityId>,
    detail: String,
    order: u32,
    present: bool,
}

/// What the log tells of and nobody saw.
pub(super) struct Unseen {
    pub(super) key: Key,
    pub(super) authority: Option<AuthorityId>,
    /// For a list, what the log says of it.
    pub(super) list: Option<String>,
}

/// The beginning of a SHA-256.
pub(super) type Key = [u8; 16];

impl Seen {
    /// Takes note of a line. A line about no certificate and no list tells of nothing.
    pub(super) fn tell(&mut self, line: &AuditLine) {
        let Some(key) = beginning(&line.fingerprint) else { return };
        let authority = line.authority;
        self.lines = self.lines.saturating_add(1);
        let order = self.lines;
        if authority.is_some() {
            self.ordered_from.get_or_insert(order);
        }
        match Told::by(line) {
            Told::Recorded { profile } => {
                let (at, profile) = (line.at.unix_timestamp(), profile.and_then(|profile| self.place(profile)));
                self.recordings.push(Recording { key, authority, at, order, profile, present: false });
            }
            Told::Changed { reason, when } => self.changes.push(Change { key, when, order, reason }),
            Told::Listed { number } => {
                if let (Some(authority), Some(number)) = (authority, number) {
                    let greatest = self.numbers.entry(authority).or_default();
                    *greatest = number.max(*greatest);
                }
                let (fingerprint, detail) = (line.fingerprint.clone(), line.detail.clone());
                self.lists.push(Listing { key, fingerprint, authority, detail, order, present: false });
            }
            Told::Otherwise => {}
        }
    }

    /// Where a profile's name is kept. More names than there are places are not compared.
    fn place(&mut self, profile: &str) -> Option<u16> {
        if let Some(place) = self.places.get(profile) {
            return Some(*place);
        }
        let place = u16::try_from(self.profiles.len()).ok()?;
        self.profiles.push(profile.to_owned());
        self.places.insert(profile.to_owned(), place);
        Some(place)
    }

    /// Makes ready to be asked.
    pub(super) fn sort(&mut self) {
        self.recordings.sort_unstable_by_key(|recording| (recording.key, recording.order));
        self.recordings.shrink_to_fit();
        self.changes.sort_unstable_by_key(|change| (change.key, change.order));
        self.changes.shrink_to_fit();
        self.lists.sort_by_key(|list| list.key);
        self.places = HashMap::new();
    }

    /// Notes that this is in the ledger as recorded by `authority`; gives the last line that tells so.
    pub(super) fn recording(&mut self, fingerprint: &[u8], authority: AuthorityId) -> Option<&Recording> {
        let key = beginning(fingerprint)?;
        let of_key = run(&self.recordings, &key, |recording| &recording.key);
        let mut last = None;
        for recording in self.recordings.get_mut(of_key)? {
            if recording.authority.is_none_or(|by| by == authority) {
                recording.present = true;
                last = Some(&*recording);
            }
        }
        last
    }

    /// The name of the profile that a line tells of.
    pub(super) fn profile(&self, recording: Option<u16>) -> Option<&str> {
        self.profiles.get(usize::from(recording?)).map(String::as_str)
    }

    /// How a certificate's revocation changed, the first change first.
    pub(super) fn changes(&self, fingerprint: &[u8]) -> &[Change] {
        let Some(key) = beginning(fingerprint) else { return &[] };
        self.changes.get(run(&self.changes, &key, |change| &change.key)).unwrap_or_default()
    }

    /// Notes that this list is in the ledger; gives what the log says of it.
    pub(super) fn list(&mut self, fingerprint: &[u8], authority: AuthorityId) -> Option<&str> {
        let key = beginning(fingerprint)?;
        let of_key = run(&self.lists, &key, |list| &list.key);
        let mut of_key = self.lists.get_mut(of_key)?.iter_mut();
        let list = of_key.find(|list| list.is_of(fingerprint, authority))?;
        list.present = true;
        Some(&list.detail)
    }

    /// The place in the log of the line that tells of this list.
    pub(super) fn line_of_list(&self, fingerprint: &[u8], authority: AuthorityId) -> Option<u32> {
        let key = beginning(fingerprint)?;
        let of_key = self.lists.get(run(&self.lists, &key, |list| &list.key))?;
        of_key.iter().find(|list| list.is_of(fingerprint, authority)).map(|list| list.order)
    }

    /// A place in the log as rows of revocation follow it: those from before the lines with an authority came into the table
    /// together, in the order of their times.
    pub(super) fn place_in_order(&self, order: u32) -> u32 {
        if self.ordered_from.is_some_and(|first| first <= order) { order } else { 0 }
    }

    /// The greatest number of a list of this authority.
    pub(super) fn greatest_number(&self, authority: AuthorityId) -> u64 {
        self.numbers.get(&authority).copied().unwrap_or_default()
    }

    /// What the log tells of and nobody saw, each once.
    pub(super) fn unseen(&self) -> impl Iterator<Item = Unseen> {
        let recordings = self.recordings.iter().filter(|recording| !recording.present);
        let recordings = recordings.map(|it| Unseen { key: it.key, authority: it.authority, list: None });
        let lists = self.lists.iter().filter(|list| !list.present);
        let lists = lists.map(|it| Unseen { key: it.key, authority: it.authority, list: Some(it.detail.clone()) });
        let mut before = None;
        recordings.chain(lists).filter(move |it| before.replace((it.key, it.authority)) != Some((it.key, it.authority)))
    }
}

impl Recording {
    /// The profile, for [`Seen::profile`].
    pub(super) fn profile(&self) -> Option<u16> {
        self.profile
    }

    /// Its place in the log, where rows have the order of the lines: those with an authority.
    pub(super) fn place(&self) -> Option<u32> {
        self.authority.map(|_| self.order)
    }
}

impl Listing {
    /// Whether it tells of this list. No certificate vouches for the rest of its fingerprint, so all of that is compared.
    fn is_of(&self, fingerprint: &[u8], authority: AuthorityId) -> bool {
        self.fingerprint == fingerprint && self.authority.is_none_or(|by| by == authority)
    }
}

/// Where those with this key stand.
fn run<T>(sorted: &[T], key: &Key, of: impl Fn(&T) -> &Key) -> std::ops::Range<usize> {
    let first = sorted.partition_point(|it| of(it) < key);
    let rest = sorted.get(first..).unwrap_or_default();
    first..first + rest.partition_point(|it| of(it) == key)
}

fn beginning(fingerprint: &[u8]) -> Option<Key> {
    fingerprint.first_chunk().copied()
}
