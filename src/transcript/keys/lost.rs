//! Records that are not in the capture: which number does the next one have?

use super::{Half, Opened};
use crate::tls::keys::DecryptError;
use crate::tls::record::Record;

/// How many numbers are tried for one record after a gap. A record of the longest kind is opened in some 10 us.
const MOST_TRIALS: u32 = 1024;

/// The shortest record that is protected, in bytes: its header and the shortest of all MACs and tags.
const SHORTEST: u64 = 5 + 8;

/// How many records may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lost {
    least: u64,
    most: u64,
}

impl Half {
    /// One record of this many bytes is missing.
    pub(super) fn lose_record(&mut self, length: usize) {
        match (&mut self.decrypters, &mut self.lost) {
            (decrypters, None) if decrypters.len() == 1 => {
                decrypters.iter_mut().for_each(|decrypter| decrypter.skip(length));
            }
            // It may be protected with any of these keys, or with none.
            (_, lost) => lost.get_or_insert_default().most += 1,
        }
    }

    /// So many bytes of records are missing. False where nothing that follows can be opened.
    pub(super) fn lose_bytes(&mut self, count: u64) -> bool {
        let lost = self.lost.get_or_insert_default();
        let only = self.decrypters.len() == 1;
        lost.least += if only { count.div_ceil(5 + crate::tls::record::MAX_FRAGMENT as u64) } else { 0 };
        lost.most = lost.most.saturating_add(count / SHORTEST);
        let goes_on = self.decrypters.iter_mut().all(|decrypter| decrypter.lose_count());
        if !goes_on {
            self.decrypters.clear();
        }
        goes_on
    }

    /// Opens the first record after a gap: with each number it may have, under each of the keys that may be in use. The
    /// authentication of the record tells the right one.
    pub(super) fn recover(&mut self, lost: Lost, record: &Record) -> Opened {
        let mut trials = 0;
        for more in 0..=lost.most.min(MOST_TRIALS.into()) {
            for (at, decrypter) in self.decrypters.iter_mut().enumerate() {
                let missing = if at == 0 { lost.least + more } else { more };
                if missing > lost.most.max(lost.least) {
                    continue;
                }
                if trials == MOST_TRIALS {
                    break;
                }
                trials += 1;
                match decrypter.decrypt_after(missing, record) {
                    Ok(plaintext) => {
                        self.decrypters.drain(..at);
                        return Opened::Found(plaintext.content_type, plaintext.content, missing);
                    }
                    Err(error @ DecryptError::Chain) => {
                        self.lost = Some(lost);
                        return Opened::Failed(format!("this record cannot be opened: {error}"));
                    }
                    Err(_) => {}
                }
            }
        }
        self.decrypters.clear();
        let tried = format!("it fits under none of the {trials} numbers it may have");
        Opened::Failed(format!("this and what follows cannot be opened after the gap: {tried}"))
    }
}
