//! How a Certificate message comes out of its compressed form (RFC 8879 §4, RFC 1950, RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{CertificateMessage, CompressedCertificate};
use crate::tls::code::CertificateCompression;
use crate::tls::wire::DecodeError;

/// The longest message that is decompressed, in octets. A sender chooses the length, so it must have an end.
const LONGEST: usize = 1 << 20;

/// Why a message stays compressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// It is in a form that certkit does not read.
    #[error("{0} is not decompressed here")]
    Algorithm(CertificateCompression),
    /// It says to be longer than certkit takes.
    #[error("{said} octets are more than the {LONGEST} that are decompressed")]
    Long {
        /// `uncompressed_length`.
        said: u32,
    },
    /// What is compressed is damaged, or not as long as `uncompressed_length` says.
    #[error("the {algorithm} data are damaged, or not the {said} octets that uncompressed_length says (RFC 8879 §4)")]
    Damaged {
        /// How it is compressed.
        algorithm: CertificateCompression,
        /// `uncompressed_length`.
        said: u32,
    },
    /// What came out is no Certificate message.
    #[error("what comes out is no Certificate message: {0}")]
    Message(#[from] DecodeError),
}

impl CompressedCertificate {
    /// The message that was compressed.
    ///
    /// # Errors
    /// Algorithms other than zlib and Brotli, more than 1 MiB, damaged data and data of another length than was said.
    pub fn decompress(&self) -> Result<CertificateMessage, DecompressError> {
        let length = usize::try_from(self.uncompressed_length).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(DecompressError::Long { said: self.uncompressed_length });
        }
        let message = match self.algorithm {
            CertificateCompression::ZLIB => decompress_to_vec_zlib_with_limit(&self.compressed, length).ok(),
            CertificateCompression::BROTLI => brotli(&self.compressed, length),
            other => return Err(DecompressError::Algorithm(other)),
        };
        let damaged = DecompressError::Damaged { algorithm: self.algorithm, said: self.uncompressed_length };
        let message = message.filter(|message| message.len() == length).ok_or(damaged)?;
        Ok(CertificateMessage::decode(&message, true)?)
    }
}

/// At most so many octets; `None` where the data are damaged or more.
fn brotli(compressed: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut message = vec![0; length];
    let alloc = StandardAlloc::default;
    // The strict form has windows of 16 MiB at most (RFC 7932 §9.1).
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut left, mut at, mut room, mut filled, mut total) = (compressed.len(), 0, length, 0, 0);
    let result = BrotliDecompressStream(
        &mut left,
        &mut at,
        compressed,
        &mut room,
        &mut filled,
        &mut message,
        &mut total,
        &mut state,
    );
    (matches!(result, BrotliResult::ResultSuccess) && filled == length).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compressed(algorithm: CertificateCompression, said: u32, octets: &[u8]) -> CompressedCertificate {
        CompressedCertificate { algorithm, uncompressed_length: said, compressed: octets.to_vec() }
    }

    /// An empty context and no certificates: four zeros.
    const EMPTY: [u8; 4] = [0; 4];

    /// What RFC 8448 §3's server sends, compressed: it is told like one that was not.
    #[test]
    fn the_chain_of_rfc_8448_comes_out() {
        let message = crate::encoding::hex::decode(crate::tls::rfc8448::CERTIFICATE).unwrap();
        let body = &message[4..];
        let said = u32::try_from(body.len()).unwrap();
        let found = compressed(CertificateCompression::ZLIB, said, &zlib(body)).decompress().unwrap();
        assert_eq!(found, CertificateMessage::decode(body, true).unwrap());
        assert_eq!(found.certificates().count(), 1);
    }

    fn zlib(octets: &[u8]) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(octets, 6)
    }

    /// One uncompressed meta-block of RFC 7932 §9.2, then an empty last one.
    fn stored_brotli(octets: &[u8]) -> Vec<u8> {
        // WBITS 16 is `0`; ISLAST `0`; MNIBBLES 4 `00`; MLEN - 1 in 16 bits; ISUNCOMPRESSED `1`; padding.
        let bits = u32::try_from(octets.len() - 1).unwrap() << 4 | 1 << 20;
        [&bits.to_le_bytes()[..3], octets, &[3]].concat()
    }

    #[test]
    fn both_forms_come_out_as_they_went_in() {
        let message = CertificateMessage { request_context: Some(vec![]), entries: vec![] };
        for (algorithm, octets) in
            [(CertificateCompression::ZLIB, zlib(&EMPTY)), (CertificateCompression::BROTLI, stored_brotli(&EMPTY))]
        {
            assert_eq!(compressed(algorithm, 4, &octets).decompress(), Ok(message.clone()), "{algorithm}");
        }
    }

    #[test]
    fn another_length_than_was_said_is_refused() {
        for said in [0, 3, 5, 1000] {
            for (algorithm, octets) in
                [(CertificateCompression::ZLIB, zlib(&EMPTY)), (CertificateCompression::BROTLI, stored_brotli(&EMPTY))]
            {
                let found = compressed(algorithm, said, &octets).decompress();
                assert_eq!(found, Err(DecompressError::Damaged { algorithm, said }));
            }
        }
    }

    #[test]
    fn damage_length_and_unknown_forms_are_named() {
        let zlib = CertificateCompression::ZLIB;
        assert!(compressed(zlib, 4, b"garbage").decompress().unwrap_err().to_string().contains("damaged"));
        let long = compressed(zlib, 1 << 21, &[]).decompress();
        assert_eq!(long, Err(DecompressError::Long { said: 1 << 21 }));
        let zstd = compressed(CertificateCompression::ZSTD, 4, &EMPTY).decompress();
        assert_eq!(zstd, Err(DecompressError::Algorithm(CertificateCompression::ZSTD)));
        let not_a_message = compressed(zlib, 1, &self::zlib(&[7])).decompress();
        assert!(matches!(not_a_message, Err(DecompressError::Message(_))));
    }

    #[test]
    fn a_bomb_stops_at_the_length_that_was_said() {
        let bomb = zlib(&vec![0; 8 << 20]);
        let found = compressed(CertificateCompression::ZLIB, 1 << 20, &bomb).decompress();
        assert!(matches!(found, Err(DecompressError::Damaged { .. })));
    }
}
