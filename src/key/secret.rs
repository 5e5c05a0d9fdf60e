//! DER written without leaving copies of secrets in freed memory: each buffer has its final size from the start.

use zeroize::Zeroizing;

/// One constructed or primitive value whose content is `parts`, one after the other.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|&&octet| octet == 0).count();
    let mut encoding = Zeroizing::new(Vec::with_capacity(length + 2 + octets.len()));
    encoding.push(tag);
    if length < 0x80 {
        encoding.push(length as u8);
    } else {
        encoding.push(0x80 | (octets.len() - zeros) as u8);
        encoding.extend(octets.iter().skip(zeros));
    }
    for part in parts {
        encoding.extend_from_slice(part);
    }
    encoding
}

/// `bytes` in exactly `size` octets: leading zeros are added or taken away. `None` where the number is too big.
pub(super) fn fixed_width(bytes: &[u8], size: usize) -> Option<Zeroizing<Vec<u8>>> {
    let zeros = bytes.iter().take_while(|&&octet| octet == 0).count();
    let digits = bytes.get(zeros..)?;
    let padding = size.checked_sub(digits.len())?;
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    out.resize(padding, 0);
    out.extend_from_slice(digits);
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::der;

    #[test]
    fn secret_values_are_encoded_like_public_ones() {
        for length in [0, 1, 127, 128, 255, 256, 65_536] {
            let content = vec![3; length];
            assert_eq!(*tlv(4, &[&content]), der::octet_string(&content));
        }
    }

    #[test]
    fn numbers_fit_their_field_or_are_refused() {
        assert_eq!(*fixed_width(&[1, 2], 4).unwrap(), [0, 0, 1, 2]);
        assert_eq!(*fixed_width(&[0, 0, 1, 2], 2).unwrap(), [1, 2]);
        assert!(fixed_width(&[1, 2, 3], 2).is_none());
    }
}
