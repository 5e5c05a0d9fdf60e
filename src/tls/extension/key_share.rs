//! key_share (RFC 8446 §4.2.8).

use crate::tls::code::NamedGroup;
use crate::tls::wire::{DecodeError, Reader, Writer};

const CLAUSE: &str = "RFC 8446 §4.2.8";

/// A public key for key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShareEntry {
    /// The group.
    pub group: NamedGroup,
    /// The key in the form of its group: an uncompressed point, 32 octets of X25519, an encapsulation key or its
    /// ciphertext, or both of a hybrid one after the other.
    pub key_exchange: Vec<u8>,
}

/// The client's list; empty asks for a HelloRetryRequest.
pub(super) fn read_list(reader: Reader<'_>) -> Result<Vec<KeyShareEntry>, DecodeError> {
    let mut reader = reader.within("key_share", CLAUSE);
    let mut list = reader.vector16(0..=65_535, "client_shares")?;
    reader.finish()?;
    let mut shares = Vec::new();
    while !list.is_empty() {
        shares.push(entry(&mut list)?);
    }
    Ok(shares)
}

/// The server's one.
pub(super) fn read_one(reader: Reader<'_>) -> Result<KeyShareEntry, DecodeError> {
    let mut reader = reader.within("key_share", CLAUSE);
    let share = entry(&mut reader)?;
    reader.finish()?;
    Ok(share)
}

fn entry(reader: &mut Reader<'_>) -> Result<KeyShareEntry, DecodeError> {
    let group = NamedGroup(reader.u16("group")?);
    let key_exchange = reader.vector16(1..=65_535, "key_exchange")?.rest().to_vec();
    Ok(KeyShareEntry { group, key_exchange })
}

pub(super) fn write_list(shares: &[KeyShareEntry], writer: &mut Writer) {
    writer.vector16(|w| shares.iter().for_each(|share| write_one(share, w)));
}

pub(super) fn write_one(share: &KeyShareEntry, writer: &mut Writer) {
    writer.u16(share.group.0).vector16(|w| _ = w.bytes(&share.key_exchange));
}
