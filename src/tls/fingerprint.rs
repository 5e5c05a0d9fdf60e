//! Fingerprints of clients: what a ClientHello says about the software that sent it.
//!
//! JA4 follows FoxIO's published description of the TLS client fingerprint (BSD 3-Clause); JA3 is its predecessor, which
//! a client that shuffles its extensions escapes.

use super::code::{ExtensionType, ProtocolVersion};
use super::handshake::ClientHello;
use crate::encoding::hex;
use crate::key::digest;

/// What carries the hello, the first letter of a JA4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// QUIC.
    Quic,
    /// Datagrams.
    Dtls,
}

/// The JA4 of a hello: `t13d1516h2_8daaf6152771_e5627efa2ab1`.
pub fn ja4(hello: &ClientHello, transport: Transport) -> String {
    let (ciphers, extensions) = ja4_lists(hello);
    format!("{}_{}_{}", ja4_a(hello, transport), short_digest(&ciphers), short_digest(&extensions))
}

/// JA4_r: as [`ja4`], with the lists that JA4 hashes in plain sight.
pub fn ja4_raw(hello: &ClientHello, transport: Transport) -> String {
    let (ciphers, extensions) = ja4_lists(hello);
    format!("{}_{ciphers}_{extensions}", ja4_a(hello, transport))
}

/// The JA3 of a hello: MD5 of [`ja3_text`].
pub fn ja3(hello: &ClientHello) -> String {
    hex::encode(&digest::md5(ja3_text(hello).as_bytes()))
}

/// What JA3 hashes: version, suites, extensions, groups and point formats in decimal, in the hello's order, without
/// GREASE.
pub fn ja3_text(hello: &ClientHello) -> String {
    let suites = hello.cipher_suites.iter().filter(|suite| !suite.is_grease()).map(|suite| suite.0);
    let groups = hello.groups().into_iter().filter(|group| !group.is_grease()).map(|group| group.0);
    let formats = hello.point_formats().into_iter().map(|format| u16::from(format.0));
    let lists = [joined(suites), joined(extension_types(hello)), joined(groups), joined(formats)];
    format!("{},{}", hello.legacy_version.0, lists.join(","))
}

/// Transport, version, whether a host is named, how many suites and extensions, first protocol.
fn ja4_a(hello: &ClientHello, transport: Transport) -> String {
    let transport = match transport {
        Transport::Tcp => 't',
        Transport::Quic => 'q',
        Transport::Dtls => 'd',
    };
    let named = if hello.extensions.contains(ExtensionType::SERVER_NAME) { 'd' } else { 'i' };
    let suites = hello.cipher_suites.iter().filter(|suite| !suite.is_grease()).count().min(99);
    let extensions = extension_types(hello).count().min(99);
    format!("{transport}{}{named}{suites:02}{extensions:02}{}", version(hello), protocol(hello))
}

/// The suites in order of their numbers; the extensions alike, without server_name and ALPN, and the signature schemes
/// in the hello's order.
fn ja4_lists(hello: &ClientHello) -> (String, String) {
    let suites = hello.cipher_suites.iter().filter(|suite| !suite.is_grease()).map(|suite| suite.0);
    let apart = [ExtensionType::SERVER_NAME, ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION].map(|kind| kind.0);
    let extensions = sorted(extension_types(hello).filter(|kind| !apart.contains(kind)));
    let schemes: Vec<String> = hello
        .signature_schemes()
        .into_iter()
        .filter(|scheme| !scheme.is_grease())
        .map(|scheme| format!("{:04x}", scheme.0))
        .collect();
    match schemes.is_empty() {
        true => (sorted(suites), extensions),
        false => (sorted(suites), format!("{extensions}_{}", schemes.join(","))),
    }
}

fn version(hello: &ClientHello) -> &'static str {
    match hello.versions().into_iter().filter(|version| !version.is_grease()).max() {
        Some(ProtocolVersion::TLS1_3) => "13",
        Some(ProtocolVersion::TLS1_2) => "12",
        Some(ProtocolVersion::TLS1_1) => "11",
        Some(ProtocolVersion::TLS1_0) => "10",
        Some(ProtocolVersion::SSL3) => "s3",
        Some(ProtocolVersion::SSL2) => "s2",
        Some(ProtocolVersion::DTLS1_0) => "d1",
        Some(ProtocolVersion::DTLS1_2) => "d2",
        Some(ProtocolVersion::DTLS1_3) => "d3",
        _ => "00",
    }
}

/// First and last character of the first protocol, or of its hexadecimal form where one of them is neither letter nor
/// digit.
fn protocol(hello: &ClientHello) -> String {
    let first = hello.protocols().into_iter().next().unwrap_or_default();
    let text = match (first.first(), first.last()) {
        (Some(start), Some(end)) if start.is_ascii_alphanumeric() && end.is_ascii_alphanumeric() => first,
        _ => hex::encode(&first).into_bytes(),
    };
    match (text.first(), text.last()) {
        (Some(&start), Some(&end)) => [char::from(start), char::from(end)].iter().collect(),
        _ => "00".to_owned(),
    }
}

fn extension_types(hello: &ClientHello) -> impl Iterator<Item = u16> {
    hello
        .extensions
        .iter()
        .map(|extension| extension.extension_type)
        .filter(|kind| !kind.is_grease())
        .map(|kind| kind.0)
}

fn sorted(numbers: impl Iterator<Item = u16>) -> String {
    let mut numbers: Vec<String> = numbers.map(|number| format!("{number:04x}")).collect();
    numbers.sort();
    numbers.join(",")
}

fn joined(numbers: impl Iterator<Item = u16>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join("-")
}

/// The first twelve digits of SHA-256; zeros for nothing.
fn short_digest(text: &str) -> String {
    match text.is_empty() {
        true => "0".repeat(12),
        false => hex::encode(&digest::sha256(text.as_bytes())).chars().take(12).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tls::code::{CipherSuite, CompressionMethod, EcPointFormat, NamedGroup, SignatureScheme};
    use crate::tls::extension::{Extension, ExtensionValue};

    /// The hello in FoxIO's description of JA4, GREASE added.
    fn chrome() -> ClientHello {
        let suites = [
            0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
            0x009d, 0x002f, 0x0035,
        ];
        let schemes = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let known = |kind, value: ExtensionValue| Extension::new(kind, &value).unwrap();
        let plain = |number| Extension { extension_type: ExtensionType(number), data: Vec::new() };
        let extensions = vec![
            plain(0x1a1a),
            plain(0x001b),
            plain(0x0000),
            plain(0x0033),
            known(
                ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION,
                ExtensionValue::Protocols(vec![b"h2".to_vec(), b"http/1.1".to_vec()]),
            ),
            plain(0x4469),
            plain(0x0017),
            plain(0x002d),
            known(
                ExtensionType::SIGNATURE_ALGORITHMS,
                ExtensionValue::SignatureSchemes(schemes.map(SignatureScheme).to_vec()),
            ),
            plain(0x0005),
            plain(0x0023),
            plain(0x0012),
            known(
                ExtensionType::SUPPORTED_VERSIONS,
                ExtensionValue::SupportedVersions([0x3a3a, 0x0304, 0x0303].map(ProtocolVersion).to_vec()),
            ),
            plain(0xff01),
            known(ExtensionType::EC_POINT_FORMATS, ExtensionValue::EcPointFormats(vec![EcPointFormat::UNCOMPRESSED])),
            known(
                ExtensionType::SUPPORTED_GROUPS,
                ExtensionValue::SupportedGroups([0x4a4a, 0x001d, 0x0017, 0x0018].map(NamedGroup).to_vec()),
            ),
            plain(0x0015),
        ];
        ClientHello {
            legacy_version: ProtocolVersion::TLS1_2,
            random: [0; 32],
            session_id: Vec::new(),
            cipher_suites: suites.map(CipherSuite).to_vec(),
            compression_methods: vec![CompressionMethod::NULL],
            extensions: extensions.into(),
        }
    }

    #[test]
    fn ja4_is_that_of_the_published_example() {
        assert_eq!(ja4(&chrome(), Transport::Tcp), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(
            ja4_raw(&chrome(), Transport::Tcp),
            "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_0005,000a,000b,000d,\
             0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601"
        );
    }

    #[test]
    fn ja4_does_not_care_for_the_order_of_extensions_and_ja3_does() {
        let mut shuffled = chrome();
        let mut list: Vec<Extension> = shuffled.extensions.iter().cloned().collect();
        list.reverse();
        shuffled.extensions = list.into();
        assert_eq!(ja4(&shuffled, Transport::Tcp), ja4(&chrome(), Transport::Tcp));
        assert_ne!(ja3(&shuffled), ja3(&chrome()));
    }

    #[test]
    fn a_bare_hello_has_zeros_for_hashes() {
        let mut bare = chrome();
        bare.extensions = Default::default();
        bare.cipher_suites = vec![CipherSuite(0x0a0a)];
        assert_eq!(ja4(&bare, Transport::Quic), "q12i000000_000000000000_000000000000");
        assert_eq!(ja3_text(&bare), "771,,,,");
    }

    #[test]
    fn ja3_lists_what_is_offered_in_decimal() {
        assert_eq!(
            ja3_text(&chrome()),
            "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,\
             27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0"
        );
        // By `hashlib.md5` of Python.
        assert_eq!(ja3(&chrome()), "c000e2caf3a25423f9de6c8a4b12a975");
    }

    #[test]
    fn a_protocol_that_is_no_word_shows_its_digits() {
        for (name, shown) in [(&b"h2"[..], "h2"), (b"http/1.1", "h1"), (b"\xab", "ab"), (b"h\xcd", "6d"), (b"x", "xx")]
        {
            let mut hello = chrome();
            let value = ExtensionValue::Protocols(vec![name.to_vec()]);
            let kind = ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
            hello.extensions = vec![Extension::new(kind, &value).unwrap()].into();
            assert_eq!(protocol(&hello), shown);
        }
    }
}
