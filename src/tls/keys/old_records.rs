//! The record protection of SSL 3.0 to TLS 1.2 (RFC 5246 §6.2.3, RFC 6101 §5.2.3, RFC 7366).

use super::decrypter::{DecryptError, Plaintext, aead_of, numbered};
use super::{KeysError, MasterSecret, Side};
use crate::key::symmetric::{Aead, CbcAlgorithm, Rc4Stream, cbc_decrypt, hmac};
use crate::key::{HashAlgorithm, digest};
use crate::tls::code::cipher_suite::{BulkCipher, MacAlgorithm};
use crate::tls::code::{ContentType, ProtocolVersion};
use crate::tls::handshake::Negotiated;
use crate::tls::record::Record;
use zeroize::Zeroizing;

/// One side's records.
pub(super) struct OldRecords {
    version: ProtocolVersion,
    method: Method,
    mac: Option<Mac>,
    encrypt_then_mac: bool,
    pub(super) sequence: u64,
}

struct Mac {
    hash: HashAlgorithm,
    key: Zeroizing<Vec<u8>>,
}

enum Method {
    Null,
    Rc4(Box<Rc4Stream>),
    /// The vector of the next record is the last block of this one before TLS 1.1; `None` where that is unknown.
    Cbc {
        algorithm: CbcAlgorithm,
        key: Zeroizing<Vec<u8>>,
        chained: Option<Vec<u8>>,
    },
    /// Four octets of the nonce; the record brings the other eight (RFC 5288 §3, RFC 6655 §3).
    Explicit(Box<Aead>, [u8; 4]),
    /// The whole nonce but for the number (RFC 7905 §2).
    Implicit(Box<Aead>, [u8; 12]),
}

/// One side's keys.
struct SideKeys {
    mac: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
}

/// The sizes of one side's keys, in octets (RFC 5246 §6.3).
struct Sizes {
    mac: usize,
    key: usize,
    iv: usize,
}

impl OldRecords {
    pub(super) fn new(
        negotiated: &Negotiated,
        master: &MasterSecret,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        sender: Side,
        encrypt_then_mac: bool,
    ) -> Result<Self, KeysError> {
        let unsupported = || KeysError::UnsupportedSuite(negotiated.cipher_suite);
        let version = negotiated.version;
        if version.is_tls13() || version.is_dtls() || version < ProtocolVersion::SSL3 {
            return Err(KeysError::Version(version));
        }
        let parts = negotiated.cipher_suite.parts().filter(|parts| !parts.export).ok_or_else(unsupported)?;
        let hash = match parts.mac {
            MacAlgorithm::Hmac(hash) => Some(hash),
            MacAlgorithm::None | MacAlgorithm::Aead => None,
            MacAlgorithm::Gost => return Err(unsupported()),
        };
        let cbc = cbc_of(parts.cipher);
        let aead = aead_of(parts.cipher);
        let (key, iv) = match (parts.cipher, cbc, aead) {
            (BulkCipher::Null, ..) => (0, 0),
            (BulkCipher::Rc4 { key_bits: 128 }, ..) => (16, 0),
            (_, Some(cbc), _) => (cbc.key_octets(), if version.has_explicit_iv() { 0 } else { cbc.block_octets() }),
            (BulkCipher::ChaCha20Poly1305, _, Some(aead)) => (aead.key_octets(), 12),
            (_, _, Some(aead)) => (aead.key_octets(), 4),
            _ => return Err(unsupported()),
        };
        let sizes = Sizes { mac: hash.map_or(0, |hash| hash.output_octets().into()), key, iv };
        let SideKeys { mac: mac_key, key, iv } = side_keys(master, client_random, server_random, sender, &sizes);
        let method = match (parts.cipher, cbc, aead) {
            (BulkCipher::Null, ..) => Method::Null,
            (BulkCipher::Rc4 { .. }, ..) => Method::Rc4(Box::new(Rc4Stream::new(&key)?)),
            (_, Some(algorithm), _) => Method::Cbc { algorithm, key, chained: Some(iv.to_vec()) },
            (_, _, Some(algorithm)) => {
                let aead = Box::new(Aead::new(algorithm, &key)?);
                match (<[u8; 4]>::try_from(&iv[..]), <[u8; 12]>::try_from(&iv[..])) {
                    (Ok(iv), _) => Method::Explicit(aead, iv),
                    (_, Ok(iv)) => Method::Implicit(aead, iv),
                    _ => return Err(unsupported()),
                }
            }
            _ => return Err(unsupported()),
        };
        let mac = hash.map(|hash| Mac { hash, key: mac_key });
        let encrypt_then_mac = encrypt_then_mac && cbc.is_some();
        Ok(Self { version, method, mac, encrypt_then_mac, sequence: 0 })
    }

    pub(super) fn decrypt(&mut self, record: &Record) -> Result<Plaintext, DecryptError> {
        let content = match &mut self.method {
            Method::Null => self.strip_mac(record, record.fragment.clone())?,
            Method::Rc4(stream) => {
                let mut content = record.fragment.clone();
                stream.apply(&mut content);
                self.strip_mac(record, content)?
            }
            Method::Cbc { .. } => self.decrypt_cbc(record)?,
            Method::Explicit(aead, iv) => {
                let Some((explicit, sealed)) = record.fragment.split_first_chunk::<8>() else {
                    return Err(DecryptError::TooShort(record.fragment.len()));
                };
                let mut nonce = [0; 12];
                nonce.iter_mut().zip(iv.iter().chain(explicit)).for_each(|(to, from)| *to = *from);
                open(aead, nonce, self.sequence, record, sealed)?
            }
            Method::Implicit(aead, iv) => {
                open(aead, numbered(*iv, self.sequence), self.sequence, record, &record.fragment)?
            }
        };
        self.sequence += 1;
        Ok(Plaintext { content_type: record.content_type, content })
    }

    pub(super) fn skip(&mut self, length: usize) {
        self.sequence += 1;
        match &mut self.method {
            Method::Rc4(stream) => stream.apply(&mut vec![0; length]),
            Method::Cbc { chained, .. } if !self.version.has_explicit_iv() => *chained = None,
            _ => {}
        }
    }

    /// Forgets what the next record depends on; false where it cannot be had back.
    pub(super) fn lose_chain(&mut self) -> bool {
        match &mut self.method {
            Method::Rc4(_) => return false,
            Method::Cbc { chained, .. } if !self.version.has_explicit_iv() => *chained = None,
            _ => {}
        }
        true
    }

    fn decrypt_cbc(&mut self, record: &Record) -> Result<Vec<u8>, DecryptError> {
        let Method::Cbc { algorithm, key, chained } = &mut self.method else { return Err(DecryptError::Chain) };
        let block = algorithm.block_octets();
        let too_short = || DecryptError::TooShort(record.fragment.len());
        let protected = match (&self.mac, self.encrypt_then_mac) {
            (Some(mac), true) => {
                let tag = usize::from(mac.hash.output_octets());
                let end = record.fragment.len().checked_sub(tag).ok_or_else(too_short)?;
                let (protected, tag) = record.fragment.split_at_checked(end).ok_or_else(too_short)?;
                // RFC 7366 §3: the MAC is over the vector and the ciphertext, with their length.
                if *tag != **mac.over(self.version, self.sequence, record.content_type, record.version, protected) {
                    return Err(DecryptError::Mac);
                }
                protected
            }
            _ => &record.fragment,
        };
        let (iv, ciphertext) = match self.version.has_explicit_iv() {
            true => {
                let (iv, ciphertext) = protected.split_at_checked(block).ok_or_else(too_short)?;
                (Some(iv.to_vec()), ciphertext)
            }
            false => (chained.clone(), protected),
        };
        let last = ciphertext.len().checked_sub(block).and_then(|start| ciphertext.get(start..)).map(<[u8]>::to_vec);
        let Some(iv) = iv else {
            *chained = last;
            self.sequence += 1;
            return Err(DecryptError::Chain);
        };
        let plain = cbc_decrypt(*algorithm, key, &iv, ciphertext)?;
        let content = strip_padding(self.version, block, &plain)?.to_vec();
        let content = if self.encrypt_then_mac { content } else { self.strip_mac(record, content)? };
        if let Method::Cbc { chained, .. } = &mut self.method {
            *chained = last;
        }
        Ok(content)
    }

    /// Takes the MAC off the end of the content and checks it.
    fn strip_mac(&self, record: &Record, mut content: Vec<u8>) -> Result<Vec<u8>, DecryptError> {
        let Some(mac) = &self.mac else { return Ok(content) };
        let length = content.len().checked_sub(mac.hash.output_octets().into());
        let tag = content.split_off(length.ok_or(DecryptError::TooShort(record.fragment.len()))?);
        match tag == **mac.over(self.version, self.sequence, record.content_type, record.version, &content) {
            true => Ok(content),
            false => Err(DecryptError::Mac),
        }
    }
}

impl Mac {
    /// The MAC over a record's number, type, version, length and content.
    fn over(
        &self,
        protocol: ProtocolVersion,
        sequence: u64,
        content_type: ContentType,
        version: ProtocolVersion,
        content: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        let header = pseudo_header(sequence, content_type, version, content.len());
        if protocol != ProtocolVersion::SSL3 {
            return hmac(self.hash, &self.key, &[&header, content]);
        }
        // RFC 6101 §5.2.3.1: the version is not in it, and the pads depend on the hash.
        let pad = if self.hash == HashAlgorithm::Md5 { 48 } else { 40 };
        let [sequence_and_type, length] = [header.get(..9), header.get(11..)].map(Option::unwrap_or_default);
        let [inner_pad, outer_pad] = [vec![0x36; pad], vec![0x5c; pad]];
        let inner = Zeroizing::new([&self.key[..], &inner_pad, sequence_and_type, length, content].concat());
        let outer = Zeroizing::new([&self.key[..], &outer_pad, &digest::of(self.hash, &inner)].concat());
        Zeroizing::new(digest::of(self.hash, &outer))
    }
}

/// MAC key, key and vector of one side, out of the key block: client and server by turns.
fn side_keys(
    master: &MasterSecret,
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    sender: Side,
    sizes: &Sizes,
) -> SideKeys {
    let length = 2 * (sizes.mac + sizes.key + sizes.iv);
    let block = master.key_block(client_random, server_random, length);
    let mut start = 0;
    let mut next = |size: usize| {
        let at = if sender == Side::Client { start } else { start + size };
        start += 2 * size;
        Zeroizing::new(block.get(at..at + size).unwrap_or_default().to_vec())
    };
    SideKeys { mac: next(sizes.mac), key: next(sizes.key), iv: next(sizes.iv) }
}

fn open(aead: &Aead, nonce: [u8; 12], sequence: u64, record: &Record, sealed: &[u8]) -> Result<Vec<u8>, DecryptError> {
    let length = sealed.len().checked_sub(aead.algorithm().tag_octets());
    let length = length.ok_or(DecryptError::TooShort(record.fragment.len()))?;
    let associated = pseudo_header(sequence, record.content_type, record.version, length);
    Ok(aead.open(nonce, &associated, sealed)?)
}

/// What is authenticated with the content (RFC 5246 §6.2.3.1): number, type, version, length.
fn pseudo_header(sequence: u64, content_type: ContentType, version: ProtocolVersion, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [&sequence.to_be_bytes()[..], &[content_type.0], &version.0.to_be_bytes(), &length].concat()
}

/// Takes off the padding (RFC 5246 §6.2.3.2): its last octet tells the length, and in TLS all are alike.
fn strip_padding(version: ProtocolVersion, block: usize, plain: &[u8]) -> Result<&[u8], DecryptError> {
    let &last = plain.last().ok_or(DecryptError::Padding)?;
    let padding = usize::from(last) + 1;
    let end = plain.len().checked_sub(padding).ok_or(DecryptError::Padding)?;
    let (content, padded) = plain.split_at_checked(end).ok_or(DecryptError::Padding)?;
    let sound = match version {
        // RFC 6101 §5.2.3.2: no longer than a block, and of any content.
        ProtocolVersion::SSL3 => padding <= block,
        _ => padded.iter().all(|&octet| octet == last),
    };
    if sound { Ok(content) } else { Err(DecryptError::Padding) }
}

/// The block ciphers that certkit decrypts.
fn cbc_of(cipher: BulkCipher) -> Option<CbcAlgorithm> {
    Some(match cipher {
        BulkCipher::AesCbc { key_bits: 128 } => CbcAlgorithm::Aes128,
        BulkCipher::AesCbc { .. } => CbcAlgorithm::Aes256,
        BulkCipher::CamelliaCbc { key_bits: 128 } => CbcAlgorithm::Camellia128,
        BulkCipher::CamelliaCbc { .. } => CbcAlgorithm::Camellia256,
        BulkCipher::TripleDesCbc => CbcAlgorithm::TripleDes,
        BulkCipher::DesCbc { key_bits: 56 } => CbcAlgorithm::Des,
        _ => return None,
    })
}
