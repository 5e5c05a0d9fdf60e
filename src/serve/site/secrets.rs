//! Files that are nobody's to fetch, because they hold a private key.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use super::root::{File, FileId, State};
use crate::container;

/// Which files hold private keys, remembered for as long as they do not change.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    known: RwLock<HashMap<FileId, (State, bool)>>,
}

impl Secrets {
    /// Whether the file may go out to nobody. What cannot be read does not go out either.
    pub(super) fn holds(&self, file: &File, name: &Path) -> bool {
        container::is_named_as_private_key(name)
            || self.remembered(file).unwrap_or_else(|| self.look(file).unwrap_or(true))
    }

    /// The same for a list of many files, in which large ones are not read: they are looked at when they are asked for.
    pub(super) fn lists(&self, file: &File, name: &Path) -> bool {
        let is_small = file.length <= LISTED;
        let unknown = || is_small && self.look(file).unwrap_or(true);
        !container::is_named_as_private_key(name) && !self.remembered(file).unwrap_or_else(unknown)
    }

    fn remembered(&self, file: &File) -> Option<bool> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&file.id).filter(|(state, _)| *state == file.state()).map(|(_, holds)| *holds)
    }

    fn look(&self, file: &File) -> io::Result<bool> {
        let wanted = usize::try_from(file.length).unwrap_or(usize::MAX).min(container::ENOUGH);
        let mut beginning = Vec::with_capacity(wanted);
        loop {
            let at = beginning.len() as u64;
            if beginning.len() >= wanted || file.read_more(&mut beginning, at)? == 0 {
                break;
            }
        }
        let holds = container::holds_private_key(&beginning);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(file.id, (file.state(), holds));
        Ok(holds)
    }
}

/// Octets of the largest file that is read for a list. A key and its chain take a tenth of it.
const LISTED: u64 = 64 << 10;

/// How many files are remembered: some 64 octets each. Then it begins anew.
const REMEMBERED: usize = 16 << 10;
