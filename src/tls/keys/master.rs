//! Pre-master secret, master secret and what comes of it (RFC 5246 §8.1, RFC 7627, RFC 6101 §6.1).

use super::{HandshakeMessages, KeysError, Prf, Side};
use crate::key::{HashAlgorithm, PrivateKey, digest};
use crate::tls::code::ProtocolVersion;
use std::fmt;
use zeroize::Zeroizing;

/// The secret that a key exchange gives: 48 octets of the client with RSA, the shared number or coordinate with
/// Diffie-Hellman.
#[derive(Clone, PartialEq, Eq)]
pub struct PreMasterSecret(Zeroizing<Vec<u8>>);

impl PreMasterSecret {
    /// A secret known from elsewhere.
    pub fn new(secret: Zeroizing<Vec<u8>>) -> Self {
        Self(secret)
    }

    /// Opens what a client encrypted to the server's RSA key. The secret begins with the version of the ClientHello;
    /// some old clients put the negotiated one there.
    ///
    /// For recordings only: see [`PrivateKey::decrypt_pkcs1v15`].
    ///
    /// # Errors
    /// Keys that are not RSA, secrets that the key does not open, and those that are not 48 octets or begin with neither
    /// version.
    pub fn decrypt(
        key: &PrivateKey,
        ciphertext: &[u8],
        offered: ProtocolVersion,
        negotiated: ProtocolVersion,
    ) -> Result<Self, KeysError> {
        let secret = key.decrypt_pkcs1v15(ciphertext)?;
        let [major, minor, ..] = **secret else {
            return Err(KeysError::SecretSize { what: "pre-master secret", found: secret.len(), wanted: 48 });
        };
        if secret.len() != 48 {
            return Err(KeysError::SecretSize { what: "pre-master secret", found: secret.len(), wanted: 48 });
        }
        let found = ProtocolVersion(u16::from_be_bytes([major, minor]));
        match found == offered || found == negotiated {
            true => Ok(Self(secret)),
            false => Err(KeysError::PreMasterVersion { found, offered }),
        }
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PreMasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreMasterSecret(..)")
    }
}

/// The secret from which all keys of a session before TLS 1.3 come: 48 octets.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterSecret {
    secret: Zeroizing<Vec<u8>>,
    prf: Prf,
}

impl MasterSecret {
    /// A secret known from a key log.
    ///
    /// # Errors
    /// [`KeysError::SecretSize`] for anything but 48 octets.
    pub fn new(prf: Prf, secret: &[u8]) -> Result<Self, KeysError> {
        match secret.len() {
            48 => Ok(Self { secret: Zeroizing::new(secret.to_vec()), prf }),
            found => Err(KeysError::SecretSize { what: "master secret", found, wanted: 48 }),
        }
    }

    /// The secret of a session without extended_master_secret.
    pub fn plain(prf: Prf, pre_master: &PreMasterSecret, client_random: &[u8; 32], server_random: &[u8; 32]) -> Self {
        let secret = prf.expand(pre_master.expose(), "master secret", &[client_random, server_random], 48);
        Self { secret, prf }
    }

    /// The secret of a session with extended_master_secret (RFC 7627 §4). `messages` end with ClientKeyExchange.
    pub fn extended(prf: Prf, pre_master: &PreMasterSecret, messages: &HandshakeMessages) -> Self {
        let session_hash = prf.digest(messages.octets());
        let secret = prf.expand(pre_master.expose(), "extended master secret", &[&session_hash], 48);
        Self { secret, prf }
    }

    /// What Finished of this side holds after `messages`, which do not include it: 12 octets, in SSL 3.0 36.
    pub fn finished(&self, sender: Side, messages: &HandshakeMessages) -> Vec<u8> {
        let label = match (self.prf, sender) {
            (Prf::Ssl3, Side::Client) => return self.finished_ssl3(b"CLNT", messages),
            (Prf::Ssl3, Side::Server) => return self.finished_ssl3(b"SRVR", messages),
            (_, Side::Client) => "client finished",
            (_, Side::Server) => "server finished",
        };
        self.prf.expand(&self.secret, label, &[&self.prf.digest(messages.octets())], 12).to_vec()
    }

    /// `length` octets of keys. Here the server's random comes first (RFC 5246 §6.3).
    pub(super) fn key_block(
        &self,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        self.prf.expand(&self.secret, "key expansion", &[server_random, client_random], length)
    }

    /// The function it was made for.
    pub fn prf(&self) -> Prf {
        self.prf
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.secret
    }

    /// RFC 6101 §5.6.9.
    fn finished_ssl3(&self, sender: &[u8; 4], messages: &HandshakeMessages) -> Vec<u8> {
        let half = |hash: HashAlgorithm, pad: usize| {
            let pads = [vec![0x36; pad], vec![0x5c; pad]];
            let [first, second] = &pads;
            let inner = Zeroizing::new([messages.octets(), sender, &self.secret, first].concat());
            let inner = digest::of(hash, &inner);
            let outer = Zeroizing::new([&self.secret[..], second, &inner].concat());
            digest::of(hash, &outer)
        };
        [half(HashAlgorithm::Md5, 48), half(HashAlgorithm::Sha1, 40)].concat()
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, prf } = self;
        f.debug_struct("MasterSecret").field("prf", prf).finish_non_exhaustive()
    }
}
