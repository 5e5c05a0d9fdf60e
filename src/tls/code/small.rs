//! The small registries: record and handshake types, certificate types, compression and others.

use super::code_points;

code_points! {
    /// What a record carries (RFC 8446 §5.1).
    ContentType(u8), 2, grease: |_| false;
    CHANGE_CIPHER_SPEC = 20 "change_cipher_spec",
    ALERT = 21 "alert",
    HANDSHAKE = 22 "handshake",
    APPLICATION_DATA = 23 "application_data",
    HEARTBEAT = 24 "heartbeat",
    TLS12_CID = 25 "tls12_cid",
    ACK = 26 "ACK",
}

code_points! {
    /// The type of a handshake message (RFC 8446 §4).
    HandshakeType(u8), 2, grease: |_| false;
    HELLO_REQUEST = 0 "hello_request",
    CLIENT_HELLO = 1 "client_hello",
    SERVER_HELLO = 2 "server_hello",
    HELLO_VERIFY_REQUEST = 3 "hello_verify_request",
    NEW_SESSION_TICKET = 4 "new_session_ticket",
    END_OF_EARLY_DATA = 5 "end_of_early_data",
    HELLO_RETRY_REQUEST = 6 "hello_retry_request",
    ENCRYPTED_EXTENSIONS = 8 "encrypted_extensions",
    REQUEST_CONNECTION_ID = 9 "request_connection_id",
    NEW_CONNECTION_ID = 10 "new_connection_id",
    CERTIFICATE = 11 "certificate",
    SERVER_KEY_EXCHANGE = 12 "server_key_exchange",
    CERTIFICATE_REQUEST = 13 "certificate_request",
    SERVER_HELLO_DONE = 14 "server_hello_done",
    CERTIFICATE_VERIFY = 15 "certificate_verify",
    CLIENT_KEY_EXCHANGE = 16 "client_key_exchange",
    CLIENT_CERTIFICATE_REQUEST = 17 "client_certificate_request",
    FINISHED = 20 "finished",
    CERTIFICATE_URL = 21 "certificate_url",
    CERTIFICATE_STATUS = 22 "certificate_status",
    SUPPLEMENTAL_DATA = 23 "supplemental_data",
    KEY_UPDATE = 24 "key_update",
    COMPRESSED_CERTIFICATE = 25 "compressed_certificate",
    EKT_KEY = 26 "ekt_key",
    NEXT_PROTOCOL = 67 "next_protocol",
    MESSAGE_HASH = 254 "message_hash",
}

code_points! {
    /// How points of elliptic curves are written (RFC 8422 §5.1.2).
    EcPointFormat(u8), 2, grease: |_| false;
    UNCOMPRESSED = 0 "uncompressed",
    ANSIX962_COMPRESSED_PRIME = 1 "ansiX962_compressed_prime",
    ANSIX962_COMPRESSED_CHAR2 = 2 "ansiX962_compressed_char2",
}

code_points! {
    /// How records are compressed (RFC 3749); anything but null leaks what it compresses (CRIME).
    CompressionMethod(u8), 2, grease: |_| false;
    NULL = 0 "null",
    DEFLATE = 1 "DEFLATE",
    LZS = 64 "LZS",
}

code_points! {
    /// How a Certificate message is compressed (RFC 8879 §7.3).
    CertificateCompression(u16), 4, grease: super::is_grease;
    ZLIB = 1 "zlib",
    BROTLI = 2 "brotli",
    ZSTD = 3 "zstd",
}

code_points! {
    /// What stands in a Certificate message (RFC 7250).
    CertificateType(u8), 2, grease: |_| false;
    X509 = 0 "X.509",
    OPENPGP = 1 "OpenPGP",
    RAW_PUBLIC_KEY = 2 "Raw Public Key",
    C1609DOT2 = 3 "1609Dot2",
}

code_points! {
    /// What a server of TLS 1.2 or older wants of a client's certificate (RFC 5246 §7.4.4).
    ClientCertificateType(u8), 2, grease: |_| false;
    RSA_SIGN = 1 "rsa_sign",
    DSS_SIGN = 2 "dss_sign",
    RSA_FIXED_DH = 3 "rsa_fixed_dh",
    DSS_FIXED_DH = 4 "dss_fixed_dh",
    RSA_EPHEMERAL_DH = 5 "rsa_ephemeral_dh",
    DSS_EPHEMERAL_DH = 6 "dss_ephemeral_dh",
    FORTEZZA_DMS = 20 "fortezza_dms",
    ECDSA_SIGN = 64 "ecdsa_sign",
    RSA_FIXED_ECDH = 65 "rsa_fixed_ecdh",
    ECDSA_FIXED_ECDH = 66 "ecdsa_fixed_ecdh",
    GOST_SIGN256 = 67 "gost_sign256",
    GOST_SIGN512 = 68 "gost_sign512",
}

code_points! {
    /// What kind of answer about revocation is asked for or given (RFC 6066 §8, RFC 6961).
    CertificateStatusType(u8), 2, grease: |_| false;
    OCSP = 1 "ocsp",
    OCSP_MULTI = 2 "ocsp_multi",
}

code_points! {
    /// How a pre-shared key is used (RFC 8446 §4.2.9).
    PskKeyExchangeMode(u8), 2, grease: |number| number % 0x1f == 0x0b && number < 0xe5;
    PSK_KE = 0 "psk_ke",
    PSK_DHE_KE = 1 "psk_dhe_ke",
}

code_points! {
    /// The longest plaintext of a record that a client asks for (RFC 6066 §4).
    MaxFragmentLength(u8), 2, grease: |_| false;
    OCTETS_512 = 1 "2^9",
    OCTETS_1024 = 2 "2^10",
    OCTETS_2048 = 3 "2^11",
    OCTETS_4096 = 4 "2^12",
}

code_points! {
    /// Whether a KeyUpdate wants an answer (RFC 8446 §4.6.3).
    KeyUpdateRequest(u8), 2, grease: |_| false;
    UPDATE_NOT_REQUESTED = 0 "update_not_requested",
    UPDATE_REQUESTED = 1 "update_requested",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grease_of_one_octet_is_that_of_rfc_8701_2() {
        let all: Vec<u8> = (0..=u8::MAX).filter(|&number| PskKeyExchangeMode(number).is_grease()).collect();
        assert_eq!(all, [0x0b, 0x2a, 0x49, 0x68, 0x87, 0xa6, 0xc5, 0xe4]);
    }
}
