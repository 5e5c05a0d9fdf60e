//! Extensions that are a list of numbers or of short strings.

use crate::tls::wire::{DecodeError, Reader, Writer};

/// A list of numbers of one octet behind a length of one octet.
pub(super) fn u8s<T>(
    mut reader: Reader<'_>,
    field: &'static str,
    make: impl Fn(u8) -> T,
) -> Result<Vec<T>, DecodeError> {
    let mut list = reader.vector8(1..=255, field)?;
    reader.finish()?;
    Ok(list.all_u8(make))
}

/// A list of numbers of two octets behind a length of two octets.
pub(super) fn u16s<T>(
    mut reader: Reader<'_>,
    field: &'static str,
    make: impl Fn(u16) -> T,
) -> Result<Vec<T>, DecodeError> {
    let mut list = reader.vector16(2..=65_534, field)?;
    reader.finish()?;
    list.all_u16(field, make)
}

/// A list of numbers of two octets behind a length of one octet.
pub(super) fn short_u16s<T>(
    mut reader: Reader<'_>,
    field: &'static str,
    make: impl Fn(u16) -> T,
) -> Result<Vec<T>, DecodeError> {
    let mut list = reader.vector8(2..=254, field)?;
    reader.finish()?;
    list.all_u16(field, make)
}

/// A list of strings with a length of one octet each, behind a length of two octets.
pub(super) fn short_strings(mut reader: Reader<'_>, field: &'static str) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut list = reader.vector16(2..=65_535, field)?;
    reader.finish()?;
    let mut strings = Vec::new();
    while !list.is_empty() {
        strings.push(list.vector8(1..=255, field)?.rest().to_vec());
    }
    Ok(strings)
}

/// A list of strings with a length of two octets each, behind a length of two octets.
pub(in crate::tls) fn strings(
    reader: &mut Reader<'_>,
    least: usize,
    field: &'static str,
) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut list = reader.vector16(least..=65_535, field)?;
    let mut strings = Vec::new();
    while !list.is_empty() {
        strings.push(list.vector16(1..=65_535, field)?.rest().to_vec());
    }
    Ok(strings)
}

pub(super) fn write_u8s(numbers: impl Iterator<Item = u8>, writer: &mut Writer) {
    writer.vector8(|w| numbers.for_each(|number| _ = w.u8(number)));
}

pub(super) fn write_u16s(numbers: impl Iterator<Item = u16>, writer: &mut Writer) {
    writer.vector16(|w| numbers.for_each(|number| _ = w.u16(number)));
}

pub(super) fn write_short_u16s(numbers: impl Iterator<Item = u16>, writer: &mut Writer) {
    writer.vector8(|w| numbers.for_each(|number| _ = w.u16(number)));
}

pub(super) fn write_short_strings(strings: &[Vec<u8>], writer: &mut Writer) {
    writer.vector16(|w| strings.iter().for_each(|string| _ = w.vector8(|w| _ = w.bytes(string))));
}

pub(in crate::tls) fn write_strings(strings: &[Vec<u8>], writer: &mut Writer) {
    writer.vector16(|w| strings.iter().for_each(|string| _ = w.vector16(|w| _ = w.bytes(string))));
}
