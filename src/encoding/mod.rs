//! Bytes and text: PEM, DER, object identifiers, hex, base64.
