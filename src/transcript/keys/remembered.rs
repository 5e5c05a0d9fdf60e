//! Master secrets of sessions that a later connection may resume (RFC 5246 §7.3, RFC 5077 §3.1).

use std::collections::{HashMap, VecDeque};

use crate::key::digest;
use crate::tls::keys::MasterSecret;

/// The most names that are remembered; the oldest is forgotten first.
const MOST: usize = 10_000;

/// Secrets by what a client resumes with: a session identifier or a ticket.
///
/// A ticket may have 64 KiB, so the hash of a name stands for it.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    secrets: HashMap<[u8; 32], MasterSecret>,
    oldest: VecDeque<[u8; 32]>,
}

impl Remembered {
    /// Remembers the secret of the session of this name. An empty name is none.
    pub(super) fn keep(&mut self, name: &[u8], secret: &MasterSecret) {
        if name.is_empty() {
            return;
        }
        let name = digest::sha256(name);
        if self.secrets.insert(name, secret.clone()).is_none() {
            self.oldest.push_back(name);
        }
        if self.oldest.len() > MOST
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.secrets.remove(&oldest);
        }
    }

    /// The secret of the session of this name.
    pub(super) fn secret(&self, name: &[u8]) -> Option<&MasterSecret> {
        self.secrets.get(&digest::sha256(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::keys::Prf;

    fn secret(octet: u8) -> MasterSecret {
        MasterSecret::new(Prf::Md5Sha1, &[octet; 48]).unwrap()
    }

    #[test]
    fn a_session_is_found_by_its_name_and_an_empty_name_is_none() {
        let mut sessions = Remembered::default();
        sessions.keep(b"one", &secret(1));
        sessions.keep(b"", &secret(2));
        assert!(sessions.secret(b"one") == Some(&secret(1)));
        assert!(sessions.secret(b"").is_none() && sessions.secret(b"two").is_none());
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut sessions = Remembered::default();
        for at in 0..=MOST {
            sessions.keep(&at.to_be_bytes(), &secret(3));
        }
        assert!(sessions.secret(&0_usize.to_be_bytes()).is_none());
        assert!(sessions.secret(&1_usize.to_be_bytes()).is_some());
        assert_eq!(sessions.secrets.len(), MOST);
    }
}
