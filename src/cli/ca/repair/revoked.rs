//! The certificates whose revocation a repair brought back, as they are told.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::ca::recovery::Named;

/// The certificates that were revoked: `revoked_certificates` of the answer, and `revoked`, how many they are.
#[derive(Debug, Default)]
pub(super) struct Revoked(pub(super) Vec<AboutRevoked>);

impl Serialize for Revoked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Revoked", 2)?;
        fields.serialize_field("revoked", &self.0.len())?;
        fields.serialize_field("revoked_certificates", &self.0)?;
        fields.end()
    }
}

/// A certificate that was revoked, or stays released.
#[derive(Debug, Serialize)]
pub(super) struct AboutRevoked {
    pub(super) serial: String,
    pub(super) name: String,
}

impl AboutRevoked {
    pub(super) fn of(Named { serial, name }: Named) -> Self {
        Self { serial: serial.to_string(), name }
    }
}
