//! The content of an extension is read or refused; what is read is written again as it was.

#![no_main]

use certkit::tls::code::ExtensionType;
use certkit::tls::extension::Extension;
use certkit_fuzz::{plant, target, tls};

target!(init: plant(tls::extensions()), |data: &[u8]| {
    let Some((&[place, high, low], content)) = data.split_first_chunk::<3>() else { return };
    let Some(&place) = tls::PLACES.get(usize::from(place)) else { return };
    let extension_type = ExtensionType(u16::from_be_bytes([high, low]));
    let extension = Extension { extension_type, data: content.to_vec() };
    match extension.decode(place) {
        Ok(value) => assert_eq!(Extension::new(extension_type, &value).unwrap(), extension, "{value:?}"),
        Err(error) => assert!(error.offset <= content.len() && !error.to_string().is_empty()),
    }
});
