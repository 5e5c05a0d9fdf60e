//! pre_shared_key (RFC 8446 §4.2.11).

use crate::tls::wire::{DecodeError, Reader, Writer};

const CLAUSE: &str = "RFC 8446 §4.2.11";

/// The pre-shared keys a client offers, with the proof that it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPsks {
    /// Tickets, or names of keys from elsewhere.
    pub identities: Vec<PskIdentity>,
    /// An HMAC over the hello for each, 32 to 255 octets.
    pub binders: Vec<Vec<u8>>,
}

/// A ticket, or the name of a key from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PskIdentity {
    /// The ticket or name.
    pub identity: Vec<u8>,
    /// The ticket's age in milliseconds plus ticket_age_add, modulo 2^32; 0 for keys from elsewhere.
    pub obfuscated_ticket_age: u32,
}

pub(super) fn read(reader: Reader<'_>) -> Result<OfferedPsks, DecodeError> {
    let mut reader = reader.within("pre_shared_key", CLAUSE);
    let mut list = reader.vector16(7..=65_535, "identities")?;
    let mut identities = Vec::new();
    while !list.is_empty() {
        let identity = list.vector16(1..=65_535, "identity")?.rest().to_vec();
        identities.push(PskIdentity { identity, obfuscated_ticket_age: list.u32("obfuscated_ticket_age")? });
    }
    let mut list = reader.vector16(33..=65_535, "binders")?;
    reader.finish()?;
    let mut binders = Vec::new();
    while !list.is_empty() {
        binders.push(list.vector8(32..=255, "binder")?.rest().to_vec());
    }
    Ok(OfferedPsks { identities, binders })
}

pub(super) fn write(offered: &OfferedPsks, writer: &mut Writer) {
    writer.vector16(|w| {
        for identity in &offered.identities {
            w.vector16(|w| _ = w.bytes(&identity.identity)).u32(identity.obfuscated_ticket_age);
        }
    });
    writer.vector16(|w| offered.binders.iter().for_each(|binder| _ = w.vector8(|w| _ = w.bytes(binder))));
}
