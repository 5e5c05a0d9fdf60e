//! NewSessionTicket (RFC 8446 §4.6.1, RFC 5077 §3.3).

use crate::tls::extension::Extensions;
use crate::tls::wire::{DecodeError, Reader, Writer};

/// A ticket to resume with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSessionTicket {
    /// TLS 1.2 and older.
    Old {
        /// How long it is good for, in seconds; 0 leaves it open.
        lifetime_hint: u32,
        /// The ticket; empty where the server changed its mind.
        ticket: Vec<u8>,
    },
    /// TLS 1.3.
    Tls13 {
        /// How long it is good for, in seconds, at most a week.
        lifetime: u32,
        /// What is added to the ticket's age when it is told.
        age_add: u32,
        /// What makes this ticket's key its own.
        nonce: Vec<u8>,
        /// The ticket.
        ticket: Vec<u8>,
        /// The extensions: early_data.
        extensions: Extensions,
    },
}

impl NewSessionTicket {
    pub(super) fn decode(body: &[u8], tls13: bool) -> Result<Self, DecodeError> {
        let clause = if tls13 { "RFC 8446 §4.6.1" } else { "RFC 5077 §3.3" };
        let mut reader = Reader::new("NewSessionTicket", clause, body);
        let ticket = match tls13 {
            true => Self::Tls13 {
                lifetime: reader.u32("ticket_lifetime")?,
                age_add: reader.u32("ticket_age_add")?,
                nonce: reader.vector8(0..=255, "ticket_nonce")?.rest().to_vec(),
                ticket: reader.vector16(1..=65_535, "ticket")?.rest().to_vec(),
                extensions: Extensions::read(&mut reader, false)?,
            },
            false => Self::Old {
                lifetime_hint: reader.u32("ticket_lifetime_hint")?,
                ticket: reader.vector16(0..=65_535, "ticket")?.rest().to_vec(),
            },
        };
        reader.finish()?;
        Ok(ticket)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Old { lifetime_hint, ticket } => {
                writer.u32(*lifetime_hint).vector16(|w| _ = w.bytes(ticket));
            }
            Self::Tls13 { lifetime, age_add, nonce, ticket, extensions } => {
                writer.u32(*lifetime).u32(*age_add);
                writer.vector8(|w| _ = w.bytes(nonce)).vector16(|w| _ = w.bytes(ticket));
                extensions.write(writer);
            }
        }
    }
}
