//! Percent-encoding (RFC 3986 §2.1), as URLs have it.

use super::hex;

/// The octets that `text` stands for, read as UTF-8. `None` where a percent sign is not followed by two digits, or no UTF-8
/// comes out.
pub fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let octet = hex::decode(piece.get(..2)?)?;
        decoded.extend(octet);
        decoded.extend(piece.get(2..)?.bytes());
    }
    String::from_utf8(decoded).ok()
}

/// The same as text: what is not a letter, a digit or one of `/._-~` is escaped.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => encoded.push(octet.into()),
            _ => encoded.push_str(&format!("%{octet:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_come_back_and_half_an_escape_is_none() {
        assert_eq!(decode("%2Frun%2fpg"), Some("/run/pg".to_owned()));
        assert_eq!(decode("b%C3%BCcher+x"), Some("bücher+x".to_owned()));
        assert_eq!(decode(&encode("b\u{fc}cher & 100%?")), Some("b\u{fc}cher & 100%?".to_owned()));
        for wrong in ["%", "%4", "%zz", "%:4", "a%ff"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
