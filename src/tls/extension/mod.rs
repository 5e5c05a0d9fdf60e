//! Extensions of handshake messages (RFC 8446 §4.2): kept as they were found, and decoded when asked.

mod ech;
mod key_share;
mod lists;
mod names;
mod psk;
mod status;
mod value;

pub use ech::EncryptedClientHello;
pub use key_share::KeyShareEntry;
pub use names::{ServerNameEntry, host_name};
pub use psk::{OfferedPsks, PskIdentity};
pub use status::{CertificateStatus, StatusRequest};
pub use value::ExtensionValue;

pub(super) use lists::{strings as read_strings, write_strings};

use super::code::ExtensionType;
use super::wire::{DecodeError, EncodeError, Reader, Writer};

/// The message an extension stands in, which decides what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Place {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    NewSessionTicket,
}

impl Place {
    /// Whether the server sends it in answer to the client's extension.
    fn is_answer(self) -> bool {
        matches!(self, Self::ServerHello | Self::HelloRetryRequest | Self::EncryptedExtensions)
    }
}

/// An extension as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub extension_type: ExtensionType,
    /// Its content.
    pub data: Vec<u8>,
}

impl Extension {
    /// An extension of this type that holds `value`.
    ///
    /// # Errors
    /// Values too long for their length fields.
    pub fn new(extension_type: ExtensionType, value: &ExtensionValue) -> Result<Self, EncodeError> {
        Ok(Self { extension_type, data: value.encode()? })
    }

    /// What it says in a message of this kind. Types that certkit does not decode come as [`ExtensionValue::Raw`].
    ///
    /// # Errors
    /// Content that is not what the type's standard says; offsets count from the start of the content.
    pub fn decode(&self, place: Place) -> Result<ExtensionValue, DecodeError> {
        ExtensionValue::decode(self.extension_type, place, &self.data)
    }
}

/// The extensions of a message, in its order. SSL 3.0 and old TLS messages have no such list at all, which is not the
/// same on the wire as an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions(pub Option<Vec<Extension>>);

impl Extensions {
    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.0.iter().flatten()
    }

    /// The first of this type.
    pub fn get(&self, extension_type: ExtensionType) -> Option<&Extension> {
        self.iter().find(|extension| extension.extension_type == extension_type)
    }

    /// Whether one of this type is there.
    pub fn contains(&self, extension_type: ExtensionType) -> bool {
        self.get(extension_type).is_some()
    }

    /// A type that is there twice, which no message may have (RFC 8446 §4.2).
    pub fn duplicate(&self) -> Option<ExtensionType> {
        let mut types: Vec<ExtensionType> = self.iter().map(|extension| extension.extension_type).collect();
        types.sort();
        types.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first().copied())
    }

    /// What the first of this type says, if it is there and sound.
    pub fn value(&self, extension_type: ExtensionType, place: Place) -> Option<ExtensionValue> {
        self.get(extension_type)?.decode(place).ok()
    }

    /// Reads a list with its length; none at all where the message ends here and `optional`.
    pub(super) fn read(reader: &mut Reader<'_>, optional: bool) -> Result<Self, DecodeError> {
        if optional && reader.is_empty() {
            return Ok(Self(None));
        }
        let mut list = reader.vector16(0..=65_535, "extensions")?;
        let mut extensions = Vec::new();
        while !list.is_empty() {
            let extension_type = ExtensionType(list.u16("extension_type")?);
            let data = list.vector16(0..=65_535, "extension_data")?.rest().to_vec();
            extensions.push(Extension { extension_type, data });
        }
        Ok(Self(Some(extensions)))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let Some(extensions) = &self.0 else { return };
        writer.vector16(|w| {
            for extension in extensions {
                w.u16(extension.extension_type.0).vector16(|w| _ = w.bytes(&extension.data));
            }
        });
    }
}

impl From<Vec<Extension>> for Extensions {
    fn from(extensions: Vec<Extension>) -> Self {
        Self(Some(extensions))
    }
}
