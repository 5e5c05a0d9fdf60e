//! Alerts (RFC 8446 §6, RFC 5246 §7.2), with what they mean in words.

use super::code_points;

code_points! {
    /// How grave an alert is. TLS 1.3 goes by the description alone.
    AlertLevel(u8), 2, grease: |_| false;
    WARNING = 1 "warning",
    FATAL = 2 "fatal",
}

code_points! {
    /// What an alert says.
    AlertDescription(u8), 2, grease: |_| false;
    CLOSE_NOTIFY = 0 "close_notify",
    UNEXPECTED_MESSAGE = 10 "unexpected_message",
    BAD_RECORD_MAC = 20 "bad_record_mac",
    DECRYPTION_FAILED = 21 "decryption_failed",
    RECORD_OVERFLOW = 22 "record_overflow",
    DECOMPRESSION_FAILURE = 30 "decompression_failure",
    HANDSHAKE_FAILURE = 40 "handshake_failure",
    NO_CERTIFICATE = 41 "no_certificate",
    BAD_CERTIFICATE = 42 "bad_certificate",
    UNSUPPORTED_CERTIFICATE = 43 "unsupported_certificate",
    CERTIFICATE_REVOKED = 44 "certificate_revoked",
    CERTIFICATE_EXPIRED = 45 "certificate_expired",
    CERTIFICATE_UNKNOWN = 46 "certificate_unknown",
    ILLEGAL_PARAMETER = 47 "illegal_parameter",
    UNKNOWN_CA = 48 "unknown_ca",
    ACCESS_DENIED = 49 "access_denied",
    DECODE_ERROR = 50 "decode_error",
    DECRYPT_ERROR = 51 "decrypt_error",
    TOO_MANY_CIDS_REQUESTED = 52 "too_many_cids_requested",
    EXPORT_RESTRICTION = 60 "export_restriction",
    PROTOCOL_VERSION = 70 "protocol_version",
    INSUFFICIENT_SECURITY = 71 "insufficient_security",
    INTERNAL_ERROR = 80 "internal_error",
    INAPPROPRIATE_FALLBACK = 86 "inappropriate_fallback",
    USER_CANCELED = 90 "user_canceled",
    NO_RENEGOTIATION = 100 "no_renegotiation",
    MISSING_EXTENSION = 109 "missing_extension",
    UNSUPPORTED_EXTENSION = 110 "unsupported_extension",
    CERTIFICATE_UNOBTAINABLE = 111 "certificate_unobtainable",
    UNRECOGNIZED_NAME = 112 "unrecognized_name",
    BAD_CERTIFICATE_STATUS_RESPONSE = 113 "bad_certificate_status_response",
    BAD_CERTIFICATE_HASH_VALUE = 114 "bad_certificate_hash_value",
    UNKNOWN_PSK_IDENTITY = 115 "unknown_psk_identity",
    CERTIFICATE_REQUIRED = 116 "certificate_required",
    GENERAL_ERROR = 117 "general_error",
    NO_APPLICATION_PROTOCOL = 120 "no_application_protocol",
    ECH_REQUIRED = 121 "ech_required",
}

impl AlertDescription {
    /// What the sender of the alert means, as the end of a sentence that begins with its name.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::CLOSE_NOTIFY => "has nothing more to send and closes in good order",
            Self::UNEXPECTED_MESSAGE => "got a message that is out of place here",
            Self::BAD_RECORD_MAC => "could not authenticate a record: other keys, or a changed record",
            Self::DECRYPTION_FAILED => "could not decrypt a record (an alert of TLS 1.0, long out of use)",
            Self::RECORD_OVERFLOW => "got a record longer than is allowed",
            Self::DECOMPRESSION_FAILURE => "could not decompress a record",
            Self::HANDSHAKE_FAILURE => {
                "finds nothing among the offered versions, cipher suites, groups and signatures that it takes too"
            }
            Self::NO_CERTIFICATE => "has no certificate to show (SSL 3.0)",
            Self::BAD_CERTIFICATE => "found the certificate damaged or its signature wrong",
            Self::UNSUPPORTED_CERTIFICATE => "does not take certificates of this kind",
            Self::CERTIFICATE_REVOKED => "knows the certificate as revoked",
            Self::CERTIFICATE_EXPIRED => "says that the certificate is out of its validity",
            Self::CERTIFICATE_UNKNOWN => "does not accept the certificate, for a reason it does not tell",
            Self::ILLEGAL_PARAMETER => "found a field that is out of range or contradicts another",
            Self::UNKNOWN_CA => "does not trust the authority that issued the certificate",
            Self::ACCESS_DENIED => "knows the certificate and does not let its owner in",
            Self::DECODE_ERROR => "could not read a message: a field is out of range or a length wrong",
            Self::DECRYPT_ERROR => "could not verify a signature or a Finished message, or open a key exchange",
            Self::TOO_MANY_CIDS_REQUESTED => "was asked for more connection identifiers than it gives",
            Self::EXPORT_RESTRICTION => "refuses for export rules of the 1990s",
            Self::PROTOCOL_VERSION => "knows the version that was offered and does not speak it",
            Self::INSUFFICIENT_SECURITY => "wants stronger cipher suites than were offered",
            Self::INTERNAL_ERROR => "failed for a reason of its own",
            Self::INAPPROPRIATE_FALLBACK => {
                "speaks a higher version than the client, which fell back, and suspects an attacker between them"
            }
            Self::USER_CANCELED => "was told to stop the handshake",
            Self::NO_RENEGOTIATION => "does not negotiate again",
            Self::MISSING_EXTENSION => "misses an extension that is required",
            Self::UNSUPPORTED_EXTENSION => "got an extension that it did not ask for",
            Self::CERTIFICATE_UNOBTAINABLE => "could not fetch the certificate from its URL",
            Self::UNRECOGNIZED_NAME => "has no server of the name that was asked for",
            Self::BAD_CERTIFICATE_STATUS_RESPONSE => "did not accept the OCSP response",
            Self::BAD_CERTIFICATE_HASH_VALUE => "fetched a certificate of another hash than it was told",
            Self::UNKNOWN_PSK_IDENTITY => "knows no pre-shared key of this identity",
            Self::CERTIFICATE_REQUIRED => "wants a certificate of the client, which sent none",
            Self::GENERAL_ERROR => "failed for a reason that has no alert of its own",
            Self::NO_APPLICATION_PROTOCOL => "speaks none of the offered application protocols",
            Self::ECH_REQUIRED => "offered Encrypted Client Hello, which the server did not take up",
            _ => "says something that no standard defines",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registered_alert_is_put_into_words() {
        let nothing = AlertDescription(255).meaning();
        for alert in AlertDescription::ALL {
            assert_ne!(alert.meaning(), nothing, "{alert}");
        }
    }
}
