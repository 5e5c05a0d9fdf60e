//! Traffic secrets of TLS 1.3 and what comes of them (RFC 8446 §7).

use super::KeysError;
use crate::key::symmetric::hmac;
use crate::key::{HashAlgorithm, symmetric};
use crate::tls::code::CipherSuite;
use std::fmt;
use symmetric::{Aead, AeadAlgorithm};
use zeroize::Zeroizing;

/// A traffic secret: one side's, for early data, the handshake or the application.
#[derive(Clone, PartialEq, Eq)]
pub struct TrafficSecret {
    secret: Zeroizing<Vec<u8>>,
    hash: HashAlgorithm,
}

impl TrafficSecret {
    /// A secret known from a key log, for this suite.
    ///
    /// # Errors
    /// [`KeysError::UnsupportedSuite`], and [`KeysError::SecretSize`] where it is not as long as the suite's hash.
    pub fn new(suite: CipherSuite, secret: &[u8]) -> Result<Self, KeysError> {
        let hash = suite.parts().and_then(|parts| parts.prf).ok_or(KeysError::UnsupportedSuite(suite))?;
        let wanted = usize::from(hash.output_octets());
        match secret.len() == wanted {
            true => Ok(Self { secret: Zeroizing::new(secret.to_vec()), hash }),
            false => Err(KeysError::SecretSize { what: "traffic secret", found: secret.len(), wanted }),
        }
    }

    /// The secret after a KeyUpdate (RFC 8446 §7.2).
    #[must_use]
    pub fn next(&self) -> Self {
        let secret = self.expand_label("traffic upd", &[], self.secret.len());
        Self { secret, hash: self.hash }
    }

    /// What Finished of this side holds (RFC 8446 §4.4.4). `transcript_hash` is the digest of all messages before it; the
    /// secret is that of the handshake.
    pub fn finished(&self, transcript_hash: &[u8]) -> Vec<u8> {
        let key = self.expand_label("finished", &[], self.secret.len());
        hmac(self.hash, &key, &[transcript_hash]).to_vec()
    }

    /// The hash of the key schedule.
    pub fn hash(&self) -> HashAlgorithm {
        self.hash
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.secret
    }

    /// Key and initialization vector (RFC 8446 §7.3).
    pub(super) fn keys(&self, algorithm: AeadAlgorithm) -> Result<(Aead, [u8; 12]), KeysError> {
        let key = self.expand_label("key", &[], algorithm.key_octets());
        let mut iv = [0; 12];
        iv.iter_mut().zip(self.expand_label("iv", &[], 12).iter()).for_each(|(to, from)| *to = *from);
        Ok((Aead::new(algorithm, &key)?, iv))
    }

    /// HKDF-Expand-Label (RFC 8446 §7.1).
    pub(super) fn expand_label(&self, label: &str, context: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
        let [_, _, high, low] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let label = [b"tls13 ", label.as_bytes()].concat();
        let [label_length, context_length] = [label.len(), context.len()].map(|size| size.to_le_bytes()[0]);
        let info = [&[high, low, label_length], &label[..], &[context_length], context].concat();
        let mut out = Zeroizing::new(Vec::with_capacity(length + 64));
        let mut block = Zeroizing::new(Vec::new());
        for count in 1..=u8::MAX {
            if out.len() >= length {
                break;
            }
            block = hmac(self.hash, &self.secret, &[&block, &info, &[count]]);
            out.extend_from_slice(&block);
        }
        out.truncate(length);
        out
    }
}

impl fmt::Debug for TrafficSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, hash } = self;
        f.debug_struct("TrafficSecret").field("hash", hash).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::HandshakeMessages;
    use super::*;
    use crate::encoding::hex;
    use crate::tls::record::RawHandshake;
    use crate::tls::rfc8448 as trace;

    const SUITE: CipherSuite = CipherSuite(0x1301);
    const SERVER: &str = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";

    fn secret(text: &str) -> TrafficSecret {
        TrafficSecret::new(SUITE, &hex::decode(text).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_those_of_rfc_8448_3() {
        let server = secret(SERVER);
        assert_eq!(hex::encode(&server.expand_label("key", &[], 16)), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(hex::encode(&server.expand_label("iv", &[], 12)), "5d313eb2671276ee13000b30");
        let client = secret("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
        assert_eq!(hex::encode(&client.expand_label("key", &[], 16)), "dbfaa693d1762c5b666af5d950258d01");
        assert_eq!(hex::encode(&client.expand_label("iv", &[], 12)), "5bd3c71b836e0b76bb73265f");
    }

    #[test]
    fn the_servers_finished_is_that_of_rfc_8448_3() {
        let mut messages = HandshakeMessages::new();
        let read = |text: &str| {
            let octets = hex::decode(text).unwrap();
            RawHandshake::new(crate::tls::code::HandshakeType(octets[0]), &octets[4..])
        };
        messages.add(&read(trace::CLIENT_HELLO), None);
        messages.add(&read(trace::SERVER_HELLO), None);
        assert_eq!(
            hex::encode(&messages.digest(HashAlgorithm::Sha256)),
            "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"
        );
        for message in [trace::ENCRYPTED_EXTENSIONS, trace::CERTIFICATE, trace::CERTIFICATE_VERIFY] {
            messages.add(&read(message), None);
        }
        let finished = secret(SERVER).finished(&messages.digest(HashAlgorithm::Sha256));
        assert_eq!(finished, read(trace::SERVER_FINISHED).body());
    }

    #[test]
    fn a_secret_of_another_size_or_suite_is_refused_and_none_is_printed() {
        assert!(matches!(TrafficSecret::new(SUITE, &[0; 48]), Err(KeysError::SecretSize { wanted: 32, .. })));
        assert!(matches!(TrafficSecret::new(CipherSuite(0x00c6), &[0; 32]), Err(KeysError::UnsupportedSuite(_))));
        assert!(!format!("{:?}", secret(SERVER)).contains("b67b"));
        assert_ne!(secret(SERVER).next(), secret(SERVER));
    }
}
