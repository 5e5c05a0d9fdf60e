//! Primes that many servers share, known by their shape.

use crate::encoding::hex;

/// Where a prime comes from, if it is one of those that standards give to everybody. They are made of a row of ones, the
/// digits of a number, and a row of ones (RFC 2412 appendix E, RFC 7919 appendix A).
pub(super) fn name(prime: &[u8]) -> Option<String> {
    let digits: Vec<u8> = prime.iter().skip_while(|octet| **octet == 0).copied().collect();
    let bits = digits.len() * 8;
    let ones = hex::encode(digits.get(..8)?);
    let ends = hex::encode(digits.get(digits.len().checked_sub(8)?..)?);
    let middle = hex::encode(digits.get(8..16)?);
    if ones != ONES || ends != ONES {
        return None;
    }
    match (middle.as_str(), bits) {
        (PI, 768 | 1024) => Some(format!("MODP {bits}, RFC 2409 §6")),
        (PI, 1536 | 2048 | 3072 | 4096 | 6144 | 8192) => Some(format!("MODP {bits}, RFC 3526")),
        (E, 2048 | 3072 | 4096 | 6144 | 8192) => Some(format!("ffdhe{bits}, RFC 7919")),
        _ => None,
    }
}

const ONES: &str = "ffffffffffffffff";
/// Of π, from its 2nd bit on.
const PI: &str = "c90fdaa22168c234";
/// Of e.
const E: &str = "adf85458a2bb4a9a";

#[cfg(test)]
mod tests {
    use super::*;

    /// The Second Oakley Group (RFC 2409 §6.2).
    const OAKLEY_2: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404\
ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f2411\
7c4b1fe649286651ece65381ffffffffffffffff";

    #[test]
    fn primes_of_standards_are_named_and_others_not() {
        let oakley = hex::decode(OAKLEY_2).unwrap_or_default();
        assert_eq!(oakley.len(), 128);
        assert_eq!(name(&oakley).as_deref(), Some("MODP 1024, RFC 2409 §6"));
        assert_eq!(name(&[&[0], &oakley[..]].concat()).as_deref(), Some("MODP 1024, RFC 2409 §6"));
        assert_eq!(name(&[0xc7; 128]), None);
        assert_eq!(name(&[0xff; 15]), None);
        assert_eq!(name(&[]), None);
    }
}
