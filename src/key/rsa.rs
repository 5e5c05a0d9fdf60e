//! RSA numbers: generation, validation and the structures of RFC 8017 appendix A.1.

use super::error::KeyError;
use crate::encoding::der::{self, Reader, tag};
use ::rsa::pkcs1::EncodeRsaPrivateKey;
use ::rsa::rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use ::rsa::traits::PrivateKeyParts;
use ::rsa::{BoxedUint, Pkcs1v15Encrypt, RsaPrivateKey};
use zeroize::Zeroizing;

/// The moduli that are read, in bits. Below 512 nothing real exists; above 16384 (OpenSSL's own bound,
/// OPENSSL_RSA_MAX_MODULUS_BITS) arithmetic is a way to waste a verifier's time.
const READABLE_BITS: std::ops::RangeInclusive<usize> = 512..=16384;
/// The private keys that are read, in bits. aws-lc signs with 2048 to 8192; weaker ones are read so that they can be named.
const PRIVATE_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

/// An RSAPublicKey (RFC 8017 appendix A.1.1): magnitudes without leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PublicNumbers<'a> {
    pub(super) modulus: &'a [u8],
    pub(super) exponent: &'a [u8],
}

impl<'a> PublicNumbers<'a> {
    /// Reads RSAPublicKey and checks what can be checked without arithmetic: sizes, odd modulus, odd exponent over 1.
    pub(super) fn from_der(encoding: &'a [u8]) -> Result<Self, KeyError> {
        let numbers = Self::parse(encoding).map_err(KeyError::encoding("RSA public key (RFC 8017 A.1.1)"))?;
        let bits = bit_length(numbers.modulus);
        let odd = |magnitude: &[u8]| magnitude.last().is_some_and(|last| last & 1 == 1);
        if !READABLE_BITS.contains(&bits) {
            let (low, high) = (READABLE_BITS.start(), READABLE_BITS.end());
            return Err(KeyError::invalid("RSA key", format!("its modulus has {bits} bits, not {low} to {high}")));
        }
        if !odd(numbers.modulus) {
            return Err(KeyError::invalid("RSA key", "its modulus is even"));
        }
        // RFC 8017 §3.1: 3 <= e <= n - 1, relatively prime to lambda(n) and so odd.
        if !odd(numbers.exponent) || numbers.exponent == [1] {
            return Err(KeyError::invalid(
                "RSA key",
                "its public exponent is not an odd number over 1 (RFC 8017 §3.1)",
            ));
        }
        if numbers.exponent.len() > numbers.modulus.len() {
            return Err(KeyError::invalid("RSA key", "its public exponent exceeds its modulus (RFC 8017 §3.1)"));
        }
        Ok(numbers)
    }

    pub(super) fn parse(encoding: &'a [u8]) -> Result<Self, der::DerError> {
        let mut fields = der::only_reader(encoding, tag::SEQUENCE)?;
        let numbers = Self { modulus: fields.unsigned()?, exponent: fields.unsigned()? };
        fields.finish()?;
        Ok(numbers)
    }

    /// The same numbers without leading zeros.
    pub(super) fn trimmed(self) -> Self {
        let trim = |magnitude: &'a [u8]| {
            let zeros = magnitude.iter().take_while(|&&octet| octet == 0).count();
            magnitude.get(zeros..).unwrap_or_default()
        };
        Self { modulus: trim(self.modulus), exponent: trim(self.exponent) }
    }

    pub(super) fn to_der(self) -> Vec<u8> {
        der::sequence(&[&der::unsigned(self.modulus), &der::unsigned(self.exponent)])
    }

    /// The size of the modulus in bits.
    pub(super) fn bits(self) -> u16 {
        u16::try_from(bit_length(self.modulus)).unwrap_or(u16::MAX)
    }

    /// The key for the `rsa` crate, which refuses exponents over 2^33.
    pub(super) fn to_key(self) -> Result<::rsa::RsaPublicKey, KeyError> {
        let modulus = BoxedUint::from_be_slice_vartime(self.modulus);
        let exponent = BoxedUint::from_be_slice_vartime(self.exponent);
        ::rsa::RsaPublicKey::new_with_size_limits(modulus, exponent, READABLE_BITS)
            .map_err(|error| KeyError::invalid("RSA key", error.to_string()))
    }
}

/// A fresh two-prime key with exponent 65537, as RSAPrivateKey.
pub(super) fn generate(bits: u16) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let key = RsaPrivateKey::new(&mut UnwrapErr(SystemRandom), bits.into())
        .map_err(|_| KeyError::Backend("generate an RSA key"))?;
    encode(&key)
}

/// Checks an RSAPrivateKey (RFC 8017 appendix A.1.2) in full, its redundant numbers included, and answers its public
/// part.
pub(super) fn check_private(encoding: &[u8]) -> Result<PublicNumbers<'_>, KeyError> {
    let damaged = KeyError::encoding("RSA private key (RFC 8017 A.1.2)");
    let mut fields = der::only_reader(encoding, tag::SEQUENCE).map_err(&damaged)?;
    match fields.small_unsigned().map_err(&damaged)? {
        0 => {}
        1 => return Err(multi_prime()),
        other => return Err(KeyError::invalid("RSA private key", format!("its version is {other}, not 0"))),
    }
    let mut next = || fields.unsigned();
    let numbers = read_numbers(&mut next).map_err(&damaged)?;
    fields.finish().map_err(&damaged)?;
    let bits = bit_length(numbers.public.modulus);
    if !PRIVATE_BITS.contains(&bits) {
        let (low, high) = (PRIVATE_BITS.start(), PRIVATE_BITS.end());
        return Err(KeyError::invalid("RSA private key", format!("its modulus has {bits} bits, not {low} to {high}")));
    }
    let key = assemble(numbers.public, numbers.exponent, &[numbers.prime1, numbers.prime2])?;
    let agrees = |number: Option<&BoxedUint>, stored: &[u8]| {
        number.is_some_and(|number| **Zeroizing::new(number.to_be_bytes_trimmed_vartime()) == *stored)
    };
    let coefficient = key.crt_coefficient();
    if agrees(key.dp(), numbers.exponent1)
        && agrees(key.dq(), numbers.exponent2)
        && agrees(coefficient.as_ref(), numbers.coefficient)
    {
        Ok(numbers.public)
    } else {
        Err(KeyError::invalid("RSA private key", "its exponents or coefficient do not belong to its primes"))
    }
}

/// RSAPrivateKey from the numbers that determine it; the primes are recovered where `primes` is empty
/// (NIST SP 800-56B appendix C.2).
pub(super) fn from_numbers(
    public: PublicNumbers<'_>,
    exponent: &[u8],
    primes: &[&[u8]],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if !PRIVATE_BITS.contains(&bit_length(public.modulus)) {
        return Err(KeyError::invalid("RSA private key", "its modulus does not have 1024 to 8192 bits"));
    }
    encode(&assemble(public, exponent, primes)?)
}

/// RSAES-PKCS1-v1_5 decryption with an RSAPrivateKey that has been checked.
pub(super) fn decrypt(encoding: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let numbers = PrivateNumbers::parse(encoding).map_err(KeyError::encoding("RSA private key (RFC 8017 A.1.2)"))?;
    let key = assemble(numbers.public, numbers.exponent, &[numbers.prime1, numbers.prime2])?;
    key.decrypt(Pkcs1v15Encrypt, ciphertext).map(Zeroizing::new).map_err(|_| KeyError::Decryption)
}

/// The numbers of an RSAPrivateKey that has been checked.
pub(super) struct PrivateNumbers<'a> {
    pub(super) public: PublicNumbers<'a>,
    pub(super) exponent: &'a [u8],
    pub(super) prime1: &'a [u8],
    pub(super) prime2: &'a [u8],
    pub(super) exponent1: &'a [u8],
    pub(super) exponent2: &'a [u8],
    pub(super) coefficient: &'a [u8],
}

impl<'a> PrivateNumbers<'a> {
    pub(super) fn parse(encoding: &'a [u8]) -> Result<Self, der::DerError> {
        let mut fields: Reader<'a> = der::only_reader(encoding, tag::SEQUENCE)?;
        fields.unsigned()?;
        read_numbers(&mut || fields.unsigned())
    }
}

pub(super) fn multi_prime() -> KeyError {
    KeyError::UnsupportedForm {
        form: "an RSA key with more than two primes".to_owned(),
        remedy: "hardly any software takes such keys, make a new one with `certkit key new`",
    }
}

/// The length of a magnitude in bits.
pub(super) fn bit_length(magnitude: &[u8]) -> usize {
    let digits = magnitude.iter().skip_while(|&&octet| octet == 0);
    let top = digits.clone().next().map_or(0, |octet| octet.leading_zeros() as usize);
    digits.count() * 8 - top
}

fn read_numbers<'a>(
    next: &mut dyn FnMut() -> Result<&'a [u8], der::DerError>,
) -> Result<PrivateNumbers<'a>, der::DerError> {
    Ok(PrivateNumbers {
        public: PublicNumbers { modulus: next()?, exponent: next()? },
        exponent: next()?,
        prime1: next()?,
        prime2: next()?,
        exponent1: next()?,
        exponent2: next()?,
        coefficient: next()?,
    })
}

/// Builds and validates: n = pq, de = 1 modulo p - 1 and q - 1, sizes of n and e. Sizes are checked by the caller.
fn assemble(public: PublicNumbers<'_>, exponent: &[u8], primes: &[&[u8]]) -> Result<RsaPrivateKey, KeyError> {
    let bits = u32::from(PublicNumbers::from_der(&public.to_der())?.bits()).next_multiple_of(8);
    let number = |magnitude: &[u8]| {
        BoxedUint::from_be_slice(magnitude, bits)
            .map_err(|_| KeyError::invalid("RSA private key", "one of its numbers exceeds its modulus"))
    };
    let primes = primes.iter().map(|prime| number(prime)).collect::<Result<Vec<_>, _>>()?;
    let key = RsaPrivateKey::from_components(
        number(public.modulus)?,
        BoxedUint::from_be_slice_vartime(public.exponent),
        number(exponent)?,
        primes,
    );
    key.map_err(|error| KeyError::invalid("RSA private key", error.to_string()))
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
fn encode(key: &RsaPrivateKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document = key.to_pkcs1_der().map_err(|_| KeyError::Backend("write an RSA key"))?;
    let length = document.as_bytes().len();
    let mut encoding = Zeroizing::new(Vec::with_capacity(length));
    encoding.extend_from_slice(document.as_bytes());
    Ok(encoding)
}

/// aws-lc's generator in the shape the `rsa` crate wants.
struct SystemRandom;

impl TryRng for SystemRandom {
    type Error = KeyError;

    fn try_next_u32(&mut self) -> Result<u32, KeyError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, KeyError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        super::digest::random(out)
    }
}

impl TryCryptoRng for SystemRandom {}
