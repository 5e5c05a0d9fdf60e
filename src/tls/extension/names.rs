//! server_name (RFC 6066 §3).

use super::value::ExtensionValue;
use crate::tls::wire::{DecodeError, Reader, Writer};

const CLAUSE: &str = "RFC 6066 §3";

/// An entry of server_name. Only host names (type 0) exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerNameEntry {
    /// Its type; 0 is `host_name`.
    pub name_type: u8,
    /// The name: an A-label in ASCII without final dot, if the client follows the standard.
    pub name: Vec<u8>,
}

/// The value of server_name for this host.
pub fn host_name(host: &str) -> ExtensionValue {
    ExtensionValue::ServerName(vec![ServerNameEntry { name_type: 0, name: host.as_bytes().to_vec() }])
}

pub(super) fn read(reader: Reader<'_>) -> Result<Vec<ServerNameEntry>, DecodeError> {
    let mut reader = reader.within("server_name", CLAUSE);
    let mut list = reader.vector16(1..=65_535, "server_name_list")?;
    reader.finish()?;
    let mut names = Vec::new();
    while !list.is_empty() {
        let name_type = list.u8("name_type")?;
        let name = list.vector16(1..=65_535, "host_name")?.rest().to_vec();
        names.push(ServerNameEntry { name_type, name });
    }
    Ok(names)
}

pub(super) fn write(names: &[ServerNameEntry], writer: &mut Writer) {
    writer.vector16(|w| {
        for entry in names {
            w.u8(entry.name_type).vector16(|w| _ = w.bytes(&entry.name));
        }
    });
}
