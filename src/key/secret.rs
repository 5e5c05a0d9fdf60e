//! Secrets without copies left behind: DER in buffers that have their final size from the start, and the stack overwritten.

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

/// Does `work` and overwrites what it leaves on the stack. Numbers that a function gives back by value are copied from frame
/// to frame, and only the last copy is erased when it is dropped.
pub(super) fn without_traces<T>(work: impl FnOnce() -> T) -> T {
    let done = below(work);
    overwrite();
    done
}

/// A frame of its own, so that all of the work lies below that of the caller.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite() {
    let mut zeros = [0_u8; DEPTH];
    std::hint::black_box(&mut zeros);
}

/// How deep the work with a secret number goes at most, in octets. aws-lc erases what it has on the stack itself.
const DEPTH: usize = 32 << 10;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::der;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_work_leaves_on_the_stack_is_overwritten() {
        use super::super::fixtures::is_on_the_stack;
        #[inline(never)]
        fn leave(masked: &[u8]) {
            // Deep enough that looking does not come there.
            let mut room = [0_u8; DEPTH / 2];
            room.iter_mut().zip(masked).for_each(|(octet, masked)| *octet = masked ^ 0xa5);
            std::hint::black_box(&mut room);
        }
        let secret: Vec<u8> = (1..=32).collect();
        let masked: Vec<u8> = secret.iter().map(|octet| octet ^ 0xa5).collect();
        leave(&masked);
        assert!(is_on_the_stack(&secret));
        without_traces(|| leave(&masked));
        assert!(!is_on_the_stack(&secret));
    }

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
