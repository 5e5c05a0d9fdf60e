//! Records decrypted, one side's after the other.

use super::old_records::OldRecords;
use super::{KeysError, MasterSecret, Side, TrafficSecret};
use crate::key::symmetric::{Aead, AeadAlgorithm, CipherError};
use crate::tls::code::cipher_suite::BulkCipher;
use crate::tls::code::{CipherSuite, ContentType};
use crate::tls::handshake::Negotiated;
use crate::tls::record::{MAX_PLAINTEXT, Record};
use std::fmt;

/// What a record carries, decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plaintext {
    /// What it is. In TLS 1.3 the header of the record says application_data whatever it is.
    pub content_type: ContentType,
    /// The content.
    pub content: Vec<u8>,
}

/// Why a record cannot be decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The cipher does not open it.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// The padding is wrong: another key, or a changed record (RFC 5246 §6.2.3.2).
    #[error("the padding is wrong: another key, or a changed record (RFC 5246 §6.2.3.2)")]
    Padding,
    /// The MAC does not match.
    #[error("the MAC does not match: another key, or a changed record (RFC 5246 §6.2.3.1)")]
    Mac,
    /// The record is shorter than what protects it.
    #[error("a record of {0} octets is too short to be protected")]
    TooShort(usize),
    /// The content is longer than 2^14 octets.
    #[error("the content has {0} octets, more than 2^14 (RFC 8446 §5.2)")]
    Overflow(usize),
    /// Nothing but zeros: the type of the content is missing (RFC 8446 §5.4).
    #[error("the content has no type (RFC 8446 §5.4)")]
    NoContentType,
    /// In TLS 1.3 protected records are all of type application_data (RFC 8446 §5.2).
    #[error("a record of type {0} is not protected in TLS 1.3")]
    NotProtected(ContentType),
    /// A record before this one was missing, which a chained cipher needs.
    #[error("the record before it is missing, without which it cannot be decrypted")]
    Chain,
}

/// Decrypts the records of one side, from the first that is protected with these keys.
pub struct RecordDecrypter {
    state: State,
}

enum State {
    Old(OldRecords),
    Tls13(Box<Tls13Records>),
}

struct Tls13Records {
    secret: TrafficSecret,
    algorithm: AeadAlgorithm,
    aead: Aead,
    iv: [u8; 12],
    sequence: u64,
}

impl RecordDecrypter {
    /// For the records that `sender` protects after ChangeCipherSpec, in TLS 1.2 and older. `encrypt_then_mac` says
    /// whether both agreed on it (RFC 7366); it matters to CBC suites only.
    ///
    /// # Errors
    /// [`KeysError::UnsupportedSuite`] for ciphers that certkit does not decrypt: export suites, RC2, IDEA, SEED, ARIA,
    /// Camellia-GCM, SM4, GOST. [`KeysError::Version`] for TLS 1.3.
    pub fn old(
        negotiated: &Negotiated,
        master: &MasterSecret,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        sender: Side,
        encrypt_then_mac: bool,
    ) -> Result<Self, KeysError> {
        let records = OldRecords::new(negotiated, master, client_random, server_random, sender, encrypt_then_mac)?;
        Ok(Self { state: State::Old(records) })
    }

    /// For the records that are protected with this traffic secret, in TLS 1.3.
    ///
    /// # Errors
    /// [`KeysError::UnsupportedSuite`] for ciphers that certkit does not decrypt: AEGIS, SM4, GOST, and those that
    /// authenticate alone.
    pub fn tls13(suite: CipherSuite, secret: TrafficSecret) -> Result<Self, KeysError> {
        let cipher = suite.parts().map(|parts| parts.cipher);
        let algorithm = cipher.and_then(aead_of).ok_or(KeysError::UnsupportedSuite(suite))?;
        let (aead, iv) = secret.keys(algorithm)?;
        Ok(Self { state: State::Tls13(Box::new(Tls13Records { secret, algorithm, aead, iv, sequence: 0 })) })
    }

    /// Decrypts the next record. Where that fails, the next call still expects the same place in the sequence, so that a
    /// server's passing over of early data can be followed (RFC 8446 §4.2.10).
    ///
    /// # Errors
    /// Anything but a record protected with these keys at this place. In TLS 1.3 ChangeCipherSpec means nothing, and
    /// comes as [`DecryptError::NotProtected`].
    pub fn decrypt(&mut self, record: &Record) -> Result<Plaintext, DecryptError> {
        let plaintext = match &mut self.state {
            State::Old(records) => records.decrypt(record)?,
            State::Tls13(records) => records.decrypt(record)?,
        };
        match plaintext.content.len() {
            length if length > MAX_PLAINTEXT => Err(DecryptError::Overflow(length)),
            _ => Ok(plaintext),
        }
    }

    /// A record of `length` octets is missing in the recording: the next one has the next number. Where ciphers are
    /// chained from record to record (RC4, CBC before TLS 1.1) one more record is lost, or all.
    pub fn skip(&mut self, length: usize) {
        match &mut self.state {
            State::Old(records) => records.skip(length),
            State::Tls13(records) => records.sequence += 1,
        }
    }

    /// Decrypts a record before which this many are missing in the recording. Where that fails, the next call still counts
    /// from where this one did, so that the number can be searched for; the record itself is counted once the error is
    /// [`DecryptError::Chain`].
    ///
    /// # Errors
    /// As [`RecordDecrypter::decrypt`].
    pub fn decrypt_after(&mut self, missing: u64, record: &Record) -> Result<Plaintext, DecryptError> {
        let before = *self.sequence();
        *self.sequence() = before.saturating_add(missing);
        let result = self.decrypt(record);
        match result {
            Ok(_) => {}
            Err(DecryptError::Chain) => *self.sequence() = before.saturating_add(1),
            Err(_) => *self.sequence() = before,
        }
        result
    }

    /// Octets are missing in the recording, and nobody knows how many records they were. False where nothing that follows
    /// can be decrypted: RC4 goes by the number of octets. Of a chained cipher one more record is lost.
    #[must_use]
    pub fn lose_count(&mut self) -> bool {
        match &mut self.state {
            State::Old(records) => records.lose_chain(),
            State::Tls13(_) => true,
        }
    }

    /// The number of the next record.
    fn sequence(&mut self) -> &mut u64 {
        match &mut self.state {
            State::Old(records) => &mut records.sequence,
            State::Tls13(records) => &mut records.sequence,
        }
    }

    /// Goes on with the next keys, after a KeyUpdate of this side (RFC 8446 §7.2). Nothing happens before TLS 1.3.
    ///
    /// # Errors
    /// None that can be met: the keys are derived as the first were.
    pub fn update(&mut self) -> Result<(), KeysError> {
        if let State::Tls13(records) = &mut self.state {
            records.secret = records.secret.next();
            (records.aead, records.iv) = records.secret.keys(records.algorithm)?;
            records.sequence = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for RecordDecrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Old(_) => "before TLS 1.3",
            State::Tls13(_) => "TLS 1.3",
        };
        write!(f, "RecordDecrypter({state})")
    }
}

impl Tls13Records {
    fn decrypt(&mut self, record: &Record) -> Result<Plaintext, DecryptError> {
        if record.content_type != ContentType::APPLICATION_DATA {
            return Err(DecryptError::NotProtected(record.content_type));
        }
        let nonce = numbered(self.iv, self.sequence);
        let mut content = self.aead.open(nonce, &record.header(), &record.fragment)?;
        let end = content.iter().rposition(|&octet| octet != 0).ok_or(DecryptError::NoContentType)?;
        let content_type = content.get(end).copied().map(ContentType).ok_or(DecryptError::NoContentType)?;
        content.truncate(end);
        self.sequence += 1;
        Ok(Plaintext { content_type, content })
    }
}

/// The nonce of a record: the vector with the record's number added in (RFC 8446 §5.3, RFC 7905 §2).
pub(super) fn numbered(mut iv: [u8; 12], sequence: u64) -> [u8; 12] {
    iv.iter_mut().skip(4).zip(sequence.to_be_bytes()).for_each(|(to, from)| *to ^= from);
    iv
}

/// The authenticated ciphers that certkit decrypts.
pub(super) fn aead_of(cipher: BulkCipher) -> Option<AeadAlgorithm> {
    Some(match cipher {
        BulkCipher::AesGcm { key_bits: 128 } => AeadAlgorithm::Aes128Gcm,
        BulkCipher::AesGcm { .. } => AeadAlgorithm::Aes256Gcm,
        BulkCipher::AesCcm { key_bits: 128, tag_octets: 16 } => AeadAlgorithm::Aes128Ccm,
        BulkCipher::AesCcm { key_bits: 128, .. } => AeadAlgorithm::Aes128Ccm8,
        BulkCipher::AesCcm { tag_octets: 16, .. } => AeadAlgorithm::Aes256Ccm,
        BulkCipher::AesCcm { .. } => AeadAlgorithm::Aes256Ccm8,
        BulkCipher::ChaCha20Poly1305 => AeadAlgorithm::ChaCha20Poly1305,
        _ => return None,
    })
}
