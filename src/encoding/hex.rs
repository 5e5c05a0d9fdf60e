//! Hexadecimal text (RFC 4648 §8).

/// `bytes` as lower-case hexadecimal digits without separators.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `bytes` as upper-case pairs with colons between them, the way fingerprints and serial numbers are compared by eye.
pub fn colons(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// Reads hexadecimal digits of either case, with or without colons between pairs. `None` where anything else is in it
/// or a digit is left over.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|&byte| byte != b':')
        .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hex_reads_what_it_writes() {
        let bytes = [0, 1, 0x7f, 0x80, 0xff];
        assert_eq!(encode(&bytes), "00017f80ff");
        assert_eq!(colons(&bytes), "00:01:7F:80:FF");
        assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        assert_eq!(decode(&colons(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn half_a_byte_and_foreign_characters_are_refused() {
        assert_eq!(decode("abc"), None);
        assert_eq!(decode("0x10"), None);
        assert_eq!(decode("é0"), None);
    }
}
