//! Base64 (RFC 4648 §4) and its URL-safe form without padding (§5), which JSON Web Keys use.

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// `bytes` in the standard alphabet, padded.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// `bytes` in the standard alphabet, padded, in this place; `None` where it is too small.
pub(super) fn encode_into<'p>(bytes: &[u8], place: &'p mut [u8]) -> Option<&'p str> {
    let written = STANDARD.encode_slice(bytes, place).ok()?;
    std::str::from_utf8(place.get(..written)?).ok()
}

/// Reads the standard alphabet with padding; `None` for anything else, white space included.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The same of what may be a secret: no copy of it stays behind.
pub(super) fn decode_secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; ::base64::decoded_len_estimate(text.len())]);
    let written = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.truncate(written);
    Some(bytes)
}

/// `bytes` in the URL-safe alphabet without padding.
pub fn url_encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads the URL-safe alphabet without padding; `None` for anything else.
pub fn url_decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
