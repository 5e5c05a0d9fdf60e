//! Where the nonces of ECDSA signatures come from.
//!
//! A nonce does not depend on what is signed (FIPS 186-5 §6.3). Of what a signature on P-256 costs, half is the nonce's point
//! and a quarter its inverse; where many are drawn at once, they share one inversion: each is a factor of the product that is
//! inverted.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use p256::Scalar;
use p256::elliptic_curve::ff::BatchInverter;
use zeroize::Zeroizing;

use super::ecdsa_p256::{abscissa, scalar};

/// Where the nonces of ECDSA signatures come from.
#[derive(Debug, Clone, Copy)]
pub enum Nonces<'s> {
    /// From the key and what is signed (RFC 6979): the same message gives the same signature.
    Derived,
    /// From the generator of random octets, where that is the quicker way (P-256): for what is made by the thousand.
    Random(&'s NonceStore),
}

/// Random nonces for P-256, drawn some at a time, each for one signature. Threads may share it. They are wiped when they are
/// used, or the store is dropped.
#[derive(Default)]
pub struct NonceStore {
    drawn: Mutex<Drawn>,
}

#[derive(Default)]
struct Drawn {
    #[expect(clippy::vec_box, reason = "moved, a nonce would leave copies behind")]
    ready: Vec<Box<Nonce>>,
    /// How many were drawn the last time.
    at_once: usize,
}

impl NonceStore {
    /// A store that draws its first nonces when it is asked for one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A nonce that no signature has yet; `None` should aws-lc fail.
    pub(super) fn next(&self) -> Option<Box<Nonce>> {
        let drawn = || self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let count = {
            let mut drawn = drawn();
            if let Some(nonce) = drawn.ready.pop() {
                return Some(nonce);
            }
            // Who signs once draws one.
            drawn.at_once = (2 * drawn.at_once).clamp(1, AT_ONCE);
            drawn.at_once
        };
        // Without the lock: meanwhile other threads draw their own.
        let mut fresh = draw(count)?;
        let nonce = fresh.pop();
        drawn().ready.append(&mut fresh);
        nonce
    }
}

impl fmt::Debug for NonceStore {
    /// Shows nothing: who knows a nonce knows the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceStore").finish_non_exhaustive()
    }
}

/// A random nonce k, with what a signature needs of it.
pub(super) struct Nonce {
    /// k itself, most significant octet first.
    pub(super) octets: Zeroizing<[u8; 32]>,
    /// Its inverse modulo the group's order.
    pub(super) inverse: Zeroizing<Scalar>,
    /// The abscissa of its multiple of the base point, modulo the group's order.
    pub(super) r: Scalar,
}

/// So many nonces; `None` should aws-lc fail. Boxed, they stay where they are and leave no copies behind.
#[expect(clippy::vec_box, reason = "moved, a nonce would leave copies behind")]
pub(super) fn draw(count: usize) -> Option<Vec<Box<Nonce>>> {
    let mut nonces = (0..count).map(|_| one()).collect::<Option<Vec<_>>>()?;
    let mut inverses: Zeroizing<Vec<Scalar>> = Zeroizing::new(Vec::with_capacity(count));
    for nonce in &nonces {
        inverses.push(**scalar(&nonce.octets[..])?);
    }
    let mut scratch = Zeroizing::new(vec![Scalar::ZERO; count]);
    _ = Zeroizing::new(BatchInverter::invert_with_external_scratch(&mut inverses, &mut scratch));
    nonces.iter_mut().zip(&*inverses).for_each(|(nonce, inverse)| *nonce.inverse = *inverse);
    Some(nonces)
}

/// A nonce without its inverse.
fn one() -> Option<Box<Nonce>> {
    // Such a pair is a random number between 1 and the order, and its multiple of the base point.
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
    let k: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
    let mut nonce = Box::new(Nonce {
        octets: Zeroizing::default(),
        inverse: Zeroizing::default(),
        r: abscissa(pair.public_key().as_ref())?,
    });
    // aws-lc writes it with as many octets as the order has.
    (k.as_ref().len() == nonce.octets.len()).then(|| nonce.octets.copy_from_slice(k.as_ref()))?;
    Some(nonce)
}

/// How many are drawn at once at most: their share in the inversion is small then, and few are drawn for nothing.
const AT_ONCE: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;
    use std::thread;

    #[test]
    fn each_has_its_own_inverse() {
        for count in [1, 2, AT_ONCE] {
            let nonces = draw(count).unwrap();
            assert_eq!(nonces.len(), count);
            for nonce in nonces {
                assert_eq!(**scalar(&nonce.octets[..]).unwrap() * *nonce.inverse, Scalar::ONE);
            }
        }
    }

    #[test]
    fn threads_never_get_the_same() {
        let store = NonceStore::new();
        let taken: Vec<[u8; 32]> = thread::scope(|scope| {
            let take = || (0..3 * AT_ONCE).map(|_| *store.next().unwrap().octets).collect::<Vec<_>>();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 12 * AT_ONCE);
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), taken.len());
        assert_eq!(format!("{store:?}"), "NonceStore { .. }");
    }
}
