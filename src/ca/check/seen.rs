//! Of what the audit log tells: certificates and lists, by the beginning of their fingerprints.

use crate::ca::ledger::{Action, AuditLine};

/// A set of fingerprints with what the log tells of each, 24 octets for each line.
#[derive(Debug, Default)]
pub(super) struct Seen {
    told: Vec<([u8; 16], u8)>,
}

impl Seen {
    /// That it was recorded.
    pub(super) const RECORDED: u8 = 1;
    /// That it was revoked.
    pub(super) const REVOKED: u8 = 2;
    /// That its hold was lifted.
    pub(super) const RELEASED: u8 = 4;
    /// That it is a list, and was signed.
    pub(super) const LISTED: u8 = 8;
    /// It was seen in the ledger.
    const PRESENT: u8 = 128;

    /// Takes note of a line. A line about no certificate and no list tells of nothing.
    pub(super) fn tell(&mut self, line: &AuditLine) {
        let Some(beginning) = beginning(&line.fingerprint) else { return };
        let action = Action::ALL.into_iter().find(|action| action.name() == line.what);
        self.told.push((beginning, action.map_or(0, kind)));
    }

    /// Makes ready to be asked.
    pub(super) fn sort(&mut self) {
        self.told.sort_unstable();
        self.told.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 |= if same { later.1 } else { 0 };
            same
        });
        self.told.shrink_to_fit();
    }

    /// Notes that this is in the ledger; gives whether the log tells that of it.
    pub(super) fn see(&mut self, fingerprint: &[u8], kind: u8) -> bool {
        let Some(beginning) = beginning(fingerprint) else { return false };
        let Ok(at) = self.told.binary_search_by_key(&beginning, |(key, _)| *key) else { return false };
        self.told.get_mut(at).is_some_and(|(_, told)| {
            *told |= Self::PRESENT;
            *told & kind != 0
        })
    }

    /// What the log tells of and nobody saw.
    pub(super) fn unseen(&self) -> impl Iterator<Item = [u8; 16]> {
        self.told.iter().filter(|(_, told)| told & Self::PRESENT == 0).map(|(key, _)| *key)
    }
}

fn kind(action: Action) -> u8 {
    match action {
        Action::Init
        | Action::Intermediate
        | Action::Import
        | Action::CrossSign
        | Action::Issue
        | Action::Sign
        | Action::Renew
        | Action::Repair => Seen::RECORDED,
        Action::Revoke => Seen::REVOKED,
        Action::Release => Seen::RELEASED,
        Action::Crl => Seen::LISTED,
        Action::Passphrase => 0,
    }
}

fn beginning(fingerprint: &[u8]) -> Option<[u8; 16]> {
    fingerprint.first_chunk().copied()
}
