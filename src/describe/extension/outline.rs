//! Any DER in one line, for extensions this program does not know: `{1.3.6.1.4.1.311.21.8.1, 100, "text"}`.

use crate::encoding::Oid;
use crate::encoding::der;
use crate::encoding::der::Reader;
use crate::encoding::der::Tlv;
use crate::encoding::der::tag;
use crate::encoding::hex;
use crate::x509::name::Attribute;
use crate::x509::oids;

/// The deepest structure that is told; real extensions stay under 6.
const DEEPEST: usize = 8;
/// The longest outline, in characters: three lines of a terminal.
const LONGEST: usize = 240;

/// The structure of `encoding`; `None` where it is not DER through and through, or longer than anybody reads.
pub(super) fn of(encoding: &[u8]) -> Option<String> {
    let outline = value(&der::only(encoding).ok()?, DEEPEST)?;
    (outline.chars().count() <= LONGEST).then_some(outline)
}

fn value(tlv: &Tlv<'_>, depth: usize) -> Option<String> {
    match tlv.tag {
        tag::BOOLEAN => Reader::new(tlv.raw).boolean().ok().map(|set| set.to_string().to_uppercase()),
        tag::NULL => tlv.value.is_empty().then(|| "NULL".to_owned()),
        tag::INTEGER | tag::ENUMERATED => Some(integer(tlv.value)),
        tag::OID => Oid::from_content(tlv.value).ok().map(|oid| oids::name_or_dotted(&oid)),
        tag::UTF8_STRING
        | tag::NUMERIC_STRING
        | tag::PRINTABLE_STRING
        | tag::TELETEX_STRING
        | tag::IA5_STRING
        | tag::VISIBLE_STRING
        | tag::UNIVERSAL_STRING
        | tag::BMP_STRING => Some(format!("\"{}\"", text(tlv))),
        tag::UTC_TIME | tag::GENERALIZED_TIME => std::str::from_utf8(tlv.value).ok().map(str::to_owned),
        tag::SEQUENCE | tag::SET => list(tlv, depth).map(|inner| format!("{{{inner}}}")),
        // Constructed, of context: a list, or one value that is tagged explicitly.
        0xa0..=0xbe => list(tlv, depth).map(|inner| format!("[{}]{{{inner}}}", tlv.tag & 0x1f)),
        0x80..=0x9e => Some(format!("[{}]{}", tlv.tag & 0x1f, hex::encode(tlv.value))),
        _ => Some(hex::encode(tlv.value)),
    }
}

fn list(tlv: &Tlv<'_>, depth: usize) -> Option<String> {
    let mut inner = tlv.reader();
    let mut parts = Vec::new();
    while !inner.is_empty() {
        parts.push(value(&inner.any().ok()?, depth.checked_sub(1)?)?);
    }
    Some(parts.join(", "))
}

/// Small ones in decimal, long and negative ones in hexadecimal.
fn integer(content: &[u8]) -> String {
    match Reader::new(&der::tlv(tag::INTEGER, content)).small_unsigned() {
        Ok(small) => small.to_string(),
        Err(_) => format!("0x{}", hex::encode(content)),
    }
}

fn text(tlv: &Tlv<'_>) -> String {
    Attribute { kind: oids::DESCRIPTION, tag: tlv.tag, value: tlv.value.to_vec() }.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_told_in_one_line() {
        let template = der::sequence(&[
            &der::oid(&oids::SERVER_AUTH),
            &der::unsigned(&[100]),
            &der::boolean(true),
            &der::tlv(tag::BMP_STRING, b"\0O\0K"),
            &der::tlv(0xa1, &der::null()),
            &der::tlv(0x82, &[1, 2]),
            &der::octet_string(&[0xff]),
        ]);
        assert_eq!(of(&template).as_deref(), Some("{serverAuth, 100, TRUE, \"OK\", [1]{NULL}, [2]0102, ff}"));
    }

    #[test]
    fn what_is_not_der_or_too_much_is_not_told() {
        assert_eq!(of(b"hello"), None);
        assert_eq!(of(&[0x30, 2, 4, 9]), None);
        assert_eq!(of(&der::octet_string(&[0; 200])), None);
        let deep = (0..2_000).fold(der::null(), |inner, _| der::sequence(&[&inner]));
        assert_eq!(of(&deep), None);
    }
}
