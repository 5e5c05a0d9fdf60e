//! Whether a file holds a private key: told from what it looks like, without reading the key.

use std::path::Path;

use super::pkcs12::is_pkcs12;
use crate::encoding::der::Reader;
use crate::encoding::der::tag;

/// How much of a file [`holds_private_key`] has to see, in octets: far more than a key with its chain takes.
pub const ENOUGH: usize = 1 << 20;

/// Whether a file that begins with these octets holds a private key, encrypted or not: PEM by its labels, wherever it
/// stands and also within JSON; PKCS#8, PKCS#1, SEC1 and PKCS#12 by their first fields; JWK; and the stores of Java, NSS,
/// PuTTY and age. It errs on the side of yes where only a passphrase could tell. A label alone, as programs and manuals have
/// it, is no key.
pub fn holds_private_key(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        // UTF-16, as PowerShell writes it: what is ASCII shows when the zeros are gone.
        let narrow: Vec<u8> = bytes.iter().skip(2).copied().filter(|&byte| byte != 0).collect();
        return is_text_with_key(&narrow);
    }
    is_key_structure(bytes) || is_key_store(bytes) || is_text_with_key(bytes)
}

/// Whether a file of this name is there to hold a private key, whatever its octets say.
pub fn is_named_as_private_key(name: &Path) -> bool {
    let Some(name) = name.file_name() else { return false };
    let name = name.to_string_lossy().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn is_text_with_key(bytes: &[u8]) -> bool {
    let mut places = bytes.windows(LABEL.len()).enumerate().filter(|(_, window)| *window == LABEL);
    places.any(|(at, _)| is_pem_key(bytes, at)) || is_json_key(bytes) || find(bytes, AGE).is_some()
}

/// Whether the label at this place ends a BEGIN line, and something like a key follows.
fn is_pem_key(bytes: &[u8], at: usize) -> bool {
    let (before, after) = bytes.split_at(at);
    let line = before.get(before.len().saturating_sub(LONGEST_LABEL)..).unwrap_or_default();
    // The kind of key stands between: "BEGIN RSA ".
    let kind = line.rsplit(|byte| *byte == b'-').next().unwrap_or_default();
    if kind.len() == line.len() || !kind.trim_ascii_start().starts_with(b"BEGIN ") {
        return false;
    }
    let after = after.get(LABEL.len()..).unwrap_or_default();
    let after = after.strip_prefix(b" BLOCK").unwrap_or(after).trim_ascii_start();
    let body = after.iter().position(|byte| *byte != b'-').filter(|dashes| *dashes >= 4);
    let Some(body) = body.and_then(|dashes| after.get(dashes..)).map(after_line_breaks) else { return false };
    // "Proc-Type: 4,ENCRYPTED" (RFC 1421 §4.6.1), "Version: GnuPG".
    let header = body.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'-').count();
    is_base64(body) || (header >= 3 && body.get(header..).is_some_and(|rest| rest.starts_with(b": ")))
}

/// What follows white space and line breaks, also those of JSON and of programs' texts.
fn after_line_breaks(mut text: &[u8]) -> &[u8] {
    loop {
        match text {
            [b'\\', b'n' | b'r' | b't', rest @ ..] => text = rest,
            [first, rest @ ..] if first.is_ascii_whitespace() => text = rest,
            _ => return text,
        }
    }
}

/// Whether [`SHORTEST`] characters of base64 stand here, in lines of any length.
fn is_base64(mut text: &[u8]) -> bool {
    let mut count = 0;
    while count < SHORTEST {
        text = match text {
            [b'\n' | b'\r', ..] | [b'\\', b'n' | b'r', ..] => after_line_breaks(text),
            // JSON may write a slash so.
            [b'\\', b'/', ..] => text.get(1..).unwrap_or_default(),
            [first, rest @ ..] if first.is_ascii_alphanumeric() || b"+/=".contains(first) => {
                count += 1;
                rest
            }
            _ => return false,
        };
    }
    true
}

/// A JSON Web Key, or a set of them: `d` is private in all kinds, `k` in symmetric ones (RFC 7518 §6).
fn is_json_key(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let member = |name: &[u8]| {
        let mut places = text.windows(name.len()).enumerate().filter(|(_, window)| *window == name);
        places.any(|(at, _)| {
            let rest = text.get(at + name.len()..).unwrap_or_default().trim_ascii_start();
            let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
            value.is_some_and(|value| value.starts_with(b"\""))
        })
    };
    (text.starts_with(b"{") || text.starts_with(b"[")) && member(b"\"kty\"") && (member(b"\"d\"") || member(b"\"k\""))
}

/// The first fields of the structures that hold keys.
fn is_key_structure(bytes: &[u8]) -> bool {
    // PFX in BER, of indefinite length.
    if is_pkcs12(bytes) || bytes.starts_with(&[0x30, 0x80, 2, 1, 3, 0x30]) {
        return true;
    }
    let Ok(mut fields) = Reader::new(bytes).sequence() else { return false };
    let mut next = || if fields.is_empty() { None } else { fields.any().ok().map(|field| field.tag) };
    match (next(), next(), next()) {
        // EncryptedPrivateKeyInfo (RFC 5958 §3), OneAsymmetricKey (§2).
        (Some(tag::SEQUENCE), Some(tag::OCTET_STRING), None)
        | (Some(tag::INTEGER), Some(tag::SEQUENCE), Some(tag::OCTET_STRING))
        // RSAPrivateKey (RFC 8017 appendix A.1.2); a public key has two numbers.
        | (Some(tag::INTEGER), Some(tag::INTEGER), Some(tag::INTEGER)) => true,
        // ECPrivateKey (RFC 5915 §3).
        (Some(tag::INTEGER), Some(tag::OCTET_STRING), rest) => {
            rest.is_none_or(|tag| tag == tag::context_constructed(0) || tag == tag::context_constructed(1))
        }
        _ => false,
    }
}

fn is_key_store(bytes: &[u8]) -> bool {
    let nss = bytes.starts_with(b"SQLite format 3\0") && find(bytes, b"nssPrivate").is_some();
    nss || STORES.iter().any(|beginning| bytes.starts_with(beginning))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// What all labels of private keys have (RFC 7468 §10 and §11, OpenSSL, OpenSSH, OpenPGP, RFC 4716's kin).
const LABEL: &[u8] = b"PRIVATE KEY";

/// Octets from the dashes before BEGIN to [`LABEL`]: "-BEGIN ENCRYPTED " and room for kinds to come.
const LONGEST_LABEL: usize = 40;

/// Characters of base64 that are no word. Keys of 256 bits fill a line of 64.
const SHORTEST: usize = 32;

/// A secret key of age, in the Bech32 of its kind.
const AGE: &[u8] = b"AGE-SECRET-KEY-1";

/// JKS and JCEKS of Java, PuTTY.
const STORES: [&[u8]; 3] = [b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"PuTTY-User-Key-File"];

/// `-key.pem` is how certkit and mkcert call the key beside a certificate.
const ENDINGS: [&str; 8] = ["-key.pem", ".p12", ".pfx", ".jks", ".jceks", ".keystore", ".ppk", "key3.db"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::key::{KeyAlgorithm, PrivateKey};

    const BASE64: &str = "MC4CAQAwBQYDK2VwBCIEIDe0nHzUvWvSNSmd+8gI9hhUFZFlIbxpTTbdx/SVvXAB";

    #[test]
    fn keys_in_text_are_found_wherever_they_stand() {
        for text in [
            format!("-----BEGIN PRIVATE KEY-----\n{BASE64}\n-----END PRIVATE KEY-----\n"),
            format!("certificate first\r\n  -----BEGIN EC PRIVATE KEY-----\r\n  {BASE64}\r\n"),
            format!("-----BEGIN PRIVATE KEY----- {BASE64} -----END PRIVATE KEY-----"),
            format!("{{\"type\":\"service_account\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\n{BASE64}\\n\"}}"),
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n".to_owned(),
            format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{BASE64}"),
            format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{BASE64}"),
            format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n  {}\n", &BASE64[..12], &BASE64[12..24], &BASE64[24..]),
            format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{BASE64}"),
            format!("{{\"kty\":\"OKP\", \"crv\":\"Ed25519\", \"d\" : \"{BASE64}\"}}"),
            "[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]".to_owned(),
            "# created\nAGE-SECRET-KEY-1QQQQ".to_owned(),
            "PuTTY-User-Key-File-3: ssh-ed25519".to_owned(),
        ] {
            assert!(holds_private_key(text.as_bytes()), "{text}");
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let wide = [&b"\xff\xfe"[..], &wide].concat();
            assert!(text.starts_with("PuTTY") || holds_private_key(&wide), "{text}");
        }
    }

    #[test]
    fn talk_of_keys_is_no_key() {
        for text in [
            "",
            "PRIVATE KEY",
            "if (text.startsWith('-----BEGIN RSA PRIVATE KEY-----')) {",
            "var head = \"-----BEGIN RSA PRIVATE KEY-----\\r\\n\" + body;",
            "<pre>\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg...\n-----END PRIVATE KEY-----\n</pre>",
            "-----BEGIN PRIVATE KEY-----\nfollowed by\nsixty-four letters in a line\n",
            "It begins with -----BEGIN PRIVATE KEY----- and goes on in base64: sixty-four letters in a line.",
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAMCowBQYDK2VwAyEAMCowBQYDK2VwAyEA",
            "BEGIN PRIVATE KEY-----\nMCowBQYDK2VwAyEAMCowBQYDK2VwAyEAMCowBQYDK2VwAyEA",
            "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"abc\"}",
            "{\"d\":\"M10 10\",\"path\":true}",
            "key:{\"kty\":\"EC\",\"d\":\"x\"}",
        ] {
            assert!(!holds_private_key(text.as_bytes()), "{text}");
        }
        let mut certificate = format!("-----BEGIN CERTIFICATE-----\n{BASE64}\n-----END CERTIFICATE-----\n");
        assert!(!holds_private_key(certificate.as_bytes()));
        certificate.push_str(&format!("-----BEGIN PRIVATE KEY-----\n{BASE64}\n"));
        assert!(holds_private_key(certificate.as_bytes()));
    }

    #[test]
    fn structures_are_told_by_their_first_fields() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::Ed25519] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let pkcs8 = key.to_pkcs8_der();
            assert!(holds_private_key(&pkcs8), "{algorithm:?}");
            assert!(!holds_private_key(key.public_key().spki_der()), "{algorithm:?}");
            assert!(key.to_pkcs1_der().map_or(true, |der| holds_private_key(&der)));
            assert!(key.to_sec1_der().map_or(true, |der| holds_private_key(&der)));
            // Cut off, it is no key any more.
            assert!(!holds_private_key(&pkcs8[..20]));
        }
        assert!(holds_private_key(b"\xfe\xed\xfe\xed\0\0\0\x02"));
        assert!(holds_private_key(&[0x30, 0x80, 2, 1, 3, 0x30, 0x80]));
        assert!(holds_private_key(b"SQLite format 3\0...CREATE TABLE nssPrivate"));
        assert!(!holds_private_key(b"SQLite format 3\0...CREATE TABLE notes"));
    }

    #[test]
    fn some_names_say_it_themselves() {
        let named = |name: &str| is_named_as_private_key(Path::new(name));
        assert!(named("localhost-key.pem") && named("a/b/Server.P12") && named("x.jks"));
        assert!(!named("cert.pem") && !named("talk.key") && !named("monkey.pem") && !named(""));
    }
}
