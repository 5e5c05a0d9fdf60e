//! Signatures that were checked before. Judging many certificates meets the same intermediates again and again; their
//! signatures are half of the work.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::key::{SignatureError, digest};
use crate::x509::Certificate;

/// How many signatures are remembered: more intermediates than the public web has.
const CAPACITY: usize = 16_384;

/// What was found for a certificate and an issuer's key, each as its SHA-256. Clones share one memory.
#[derive(Debug, Clone, Default)]
pub struct SignatureCache {
    known: Arc<RwLock<HashMap<Pair, Result<(), SignatureError>>>>,
}

type Pair = ([u8; 32], [u8; 32]);

impl SignatureCache {
    /// The outcome of `check` for this certificate and key, from memory where it is there.
    pub(super) fn or_check(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        check: impl FnOnce() -> Result<(), SignatureError>,
    ) -> Result<(), SignatureError> {
        let pair = (certificate.fingerprint_sha256(), digest::sha256(issuer.public_key_info()));
        if let Ok(known) = self.known.read()
            && let Some(outcome) = known.get(&pair)
        {
            return outcome.clone();
        }
        let outcome = check();
        // A lock that a panicking thread left behind is a cache lost, not a judgment.
        if let Ok(mut known) = self.known.write()
            && known.len() < CAPACITY
        {
            known.insert(pair, outcome.clone());
        }
        outcome
    }
}
