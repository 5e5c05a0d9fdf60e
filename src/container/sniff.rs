//! What bytes look like that are neither PEM nor DER nor a key, so that the error can say it.

use super::error::ContainerError;
use crate::encoding::base64::decode as decode_base64;
use crate::encoding::der;
use crate::key::is_json;

pub(super) const PKCS12: ContainerError = ContainerError::Foreign {
    what: "a PKCS#12 file",
    remedy: "`certkit inspect --passphrase prompt FILE` shows what is in it, `openssl pkcs12 -in FILE -out FILE.pem` takes it out",
};
pub(super) const JWK_SET: ContainerError =
    ContainerError::Foreign { what: "a set of JSON Web Keys", remedy: "give one key of it: `jq '.keys[0]' FILE`" };

/// Names what `bytes` look like.
pub(super) fn foreign(bytes: &[u8]) -> ContainerError {
    if bytes.trim_ascii().is_empty() {
        return if bytes.is_empty() { ContainerError::Empty } else { ContainerError::Nothing("white space") };
    }
    for (beginning, what, remedy) in BINARY {
        if bytes.starts_with(beginning) {
            return ContainerError::Foreign { what, remedy };
        }
    }
    if is_text(bytes) { foreign_text(bytes) } else { ContainerError::Nothing("binary data of no kind certkit knows") }
}

/// Whether `bytes` are text to the eye: UTF-8 without control characters but white space.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !"\t\r\n\x0c".contains(c)))
}

/// Whether a file of PEM holds octets that no text has.
pub(super) fn holds_binary(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte.is_ascii_control() && !b"\t\r\n\x0c".contains(byte))
}

fn foreign_text(bytes: &[u8]) -> ContainerError {
    let text = bytes.trim_ascii();
    let has = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if has(b"-----BEGIN ") {
        return ContainerError::Foreign {
            what: "PEM that lost its line breaks",
            remedy: "its BEGIN line has to stand alone on its line; `printf '%b' \"$PEM\"` turns \\n back into line breaks",
        };
    }
    if has(b"-----END ") {
        return ContainerError::Foreign {
            what: "PEM without its beginning",
            remedy: "there is an END line and no BEGIN line before it; copy it again from the start",
        };
    }
    for (beginning, what, remedy) in TEXT {
        if text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning)) {
            return ContainerError::Foreign { what, remedy };
        }
    }
    if text.starts_with(b"[") && is_json(text) {
        return ContainerError::Foreign {
            what: "JSON, but no key",
            remedy: "give one JSON Web Key, not a list of them",
        };
    }
    if is_bare_base64(text) {
        return ContainerError::Foreign {
            what: "base64 without its BEGIN and END lines",
            remedy: "`base64 -d FILE` makes DER of it, which certkit reads",
        };
    }
    ContainerError::Nothing("text without a BEGIN line")
}

/// Whether an object of JSON begins here, whatever follows.
pub(super) fn begins_like_object(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('{').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with(['"', '}']))
}

/// Whether the text decodes to DER.
fn is_bare_base64(text: &[u8]) -> bool {
    let dense: String = text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|&byte| char::from(byte)).collect();
    decode_base64(&dense).is_some_and(|decoded| der::only(&decoded).is_ok_and(|tlv| tlv.tag == der::tag::SEQUENCE))
}

/// Beginnings of binary files. JKS: FEEDFEED; JCEKS: CECECECE.
const BINARY: &[(&[u8], &str, &str)] = &[
    (b"\xfe\xed\xfe\xed", "a Java keystore (JKS)", JAVA),
    (b"\xce\xce\xce\xce", "a Java keystore (JCEKS)", JAVA),
    (b"\xff\xfe", "text in UTF-16", UTF16),
    (b"\xfe\xff", "text in UTF-16", UTF16),
    (b"\x1f\x8b", "a gzip file", "unpack it first: `gunzip FILE`"),
    (b"PK\x03\x04", "a zip file", "unpack it first: `unzip FILE`"),
    (b"%PDF", "a PDF file", "give the certificate or key itself"),
    (b"\x7fELF", "a program", "give a certificate or a key"),
    (b"SQLite format 3", "an SQLite database", "give a certificate or a key"),
    (b"\0\x05\x16", "an AppleDouble file of macOS", "give the file without `._` in front of its name"),
];

/// Beginnings of texts, case aside.
const TEXT: &[(&[u8], &str, &str)] = &[
    (b"<!doctype html", "an HTML page", HTML),
    (b"<html", "an HTML page", HTML),
    (b"<?xml", "XML", "give a certificate or a key in PEM or DER"),
    (b"ssh-", "an OpenSSH public key", SSH),
    (b"ecdsa-sha2-", "an OpenSSH public key", SSH),
    (
        b"PuTTY-User-Key-File",
        "a PuTTY key",
        "convert it: `puttygen FILE -O private-openssh -o NEW`, then `ssh-keygen -p -m pkcs8 -f NEW`",
    ),
    (b"---- BEGIN SSH2", "an SSH key in RFC 4716 form", "convert it: `ssh-keygen -i -f FILE`"),
    (b"Certificate:", "the text that `openssl x509 -text` prints", "give the PEM itself"),
];

const JAVA: &str = "certkit does not read those yet: `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype pkcs12`";
const UTF16: &str = "certkit reads UTF-8 and ASCII: `iconv -f UTF-16 -t UTF-8 FILE`";
const HTML: &str = "an error page or login page where a download should be?";
const SSH: &str = "convert it: `ssh-keygen -e -m pkcs8 -f FILE`";
