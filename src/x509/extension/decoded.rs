//! The values of a certificate's extensions, each decoded once: a judge asks for the same ones again and again.

use std::sync::OnceLock;

use super::{Extension, ExtensionError, ExtensionType, ExtensionValue, Extensions, Found};
use crate::encoding::Oid;
use crate::encoding::der::DerError;

type Place = OnceLock<Result<ExtensionValue, DerError>>;

/// A place for the value of each extension, filled when it is first asked for.
pub(in crate::x509) struct Decoded {
    places: OnceLock<Box<[Place]>>,
}

impl Decoded {
    pub(in crate::x509) const fn new() -> Self {
        Self { places: OnceLock::new() }
    }

    /// The extension of this type, if it is there; the first of several. `extensions` must be the same every time.
    pub(in crate::x509) fn find<T: ExtensionType>(
        &self,
        extensions: &Extensions,
    ) -> Result<Option<Found<&T>>, ExtensionError> {
        let Some((at, extension)) = extensions.iter().enumerate().find(|(_, found)| found.oid == T::OID) else {
            return Ok(None);
        };
        match T::of(self.value(extensions, at, extension)?) {
            Some(value) => Ok(Some(Found { critical: extension.critical, value })),
            None => Err(malformed(extension, MISTAKEN)),
        }
    }

    /// Whether every extension with one of these identifiers parses; else the first that does not.
    pub(in crate::x509) fn parse(&self, extensions: &Extensions, identifiers: &[Oid]) -> Result<(), ExtensionError> {
        let mut read = extensions.iter().enumerate().filter(|(_, extension)| identifiers.contains(&extension.oid));
        read.try_for_each(|(at, extension)| self.value(extensions, at, extension).map(drop))
    }

    fn value(
        &self,
        extensions: &Extensions,
        at: usize,
        extension: &Extension,
    ) -> Result<&ExtensionValue, ExtensionError> {
        let places = self.places.get_or_init(|| extensions.iter().map(|_| Place::new()).collect());
        let decode = || ExtensionValue::decode(&extension.oid, &extension.value);
        match places.get(at).map(|place| place.get_or_init(decode)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(source)) => Err(malformed(extension, *source)),
            None => Err(malformed(extension, MISTAKEN)),
        }
    }
}

/// What does not happen, and must not be taken for an extension that is not there.
const MISTAKEN: DerError = DerError::Value("it was decoded as another extension");

fn malformed(extension: &Extension, source: DerError) -> ExtensionError {
    ExtensionError { oid: extension.oid.clone(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{BasicConstraints, KeyUsage, KeyUsageBit};
    use super::*;

    #[test]
    fn the_first_of_several_is_found_and_all_must_parse() {
        let usage = KeyUsage::new(&[KeyUsageBit::KeyCertSign]);
        let sound = Extension::new(&usage, true);
        let damaged = Extension { value: vec![0x03, 0x00], ..sound.clone() };
        let extensions = Extensions::new(vec![sound.clone(), damaged.clone()]);
        let decoded = Decoded::new();
        for _ in 0..2 {
            assert_eq!(decoded.find(&extensions), Ok(Some(Found { critical: true, value: &usage })));
            assert_eq!(decoded.find::<BasicConstraints>(&extensions), Ok(None));
            assert_eq!(decoded.parse(&extensions, &[KeyUsage::OID]).unwrap_err().oid, KeyUsage::OID);
            assert_eq!(decoded.parse(&extensions, &[BasicConstraints::OID]), Ok(()));
        }
        let reversed = Extensions::new(vec![damaged, sound]);
        assert!(Decoded::new().find::<KeyUsage>(&reversed).is_err());
    }
}
