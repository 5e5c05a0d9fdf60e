//! Why a handshake did not come to its end.

use rustls::{AlertDescription as Received, CertificateError, Error, PeerIncompatible};

use crate::tls::code::AlertDescription;

/// Why a handshake did not come to its end, or a connection broke after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server did not answer in time.
    #[error("the server is silent: {}", if *.answered { "it did not go on in time" } else { "it did not answer the ClientHello in time" })]
    Silent {
        /// Whether it had said something before.
        answered: bool,
    },
    /// The server closed the connection.
    #[error("the server closed the connection {}", if *.answered { "in the middle of the handshake" } else { "without a word" })]
    Closed {
        /// Whether it had said something before.
        answered: bool,
    },
    /// The connection broke.
    #[error("the connection broke: {why}")]
    Broken {
        /// Why, in words.
        why: String,
        /// Whether the server had said something before.
        answered: bool,
    },
    /// The server speaks another protocol.
    #[error("the server does not speak TLS here: it answers {}", in_words(said))]
    NotTls {
        /// The beginning of what it said.
        said: Vec<u8>,
    },
    /// The server gave up with an alert.
    #[error("the server refuses the handshake with the alert {0}: it {meaning}", meaning = .0.meaning())]
    Alert(AlertDescription),
    /// The server chose what is not spoken here.
    #[error("the server and this client have nothing in common: {0}")]
    NothingInCommon(&'static str),
    /// The server's signature over the handshake does not hold.
    #[error("the server does not prove to have the key of its certificate: its signature does not hold")]
    BadSignature,
    /// The server broke a rule of TLS.
    #[error("the server breaks a rule of TLS: {0}")]
    Misbehaved(String),
}

impl Failure {
    /// Whether the server answered: a no then, and not a question without an answer.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Silent { answered } | Self::Closed { answered } | Self::Broken { answered, .. } => *answered,
            Self::NotTls { .. }
            | Self::Alert(_)
            | Self::NothingInCommon(_)
            | Self::BadSignature
            | Self::Misbehaved(_) => true,
        }
    }

    /// What to do next, in one line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotTls { said } => Some(match guess(said) {
                Some("HTTP") => "it is a port for plain HTTP; HTTPS has another, often 443",
                Some("SMTP") => "it speaks SMTP first: --starttls smtp",
                Some("FTP") => "it speaks FTP first: --starttls ftp",
                Some("IMAP") => "it speaks IMAP first: --starttls imap",
                Some("POP3") => "it speaks POP3 first: --starttls pop3",
                Some("MySQL") => "it speaks MySQL first: --starttls mysql",
                _ => "is it the right port? servers that begin in the clear need --starttls",
            }),
            Self::Silent { answered: false } => {
                Some("it may wait for another protocol first (--starttls); --timeout gives it longer")
            }
            Self::Closed { answered: false } => {
                Some("it may not speak TLS, or not to strangers; some close on old or unknown hellos without an alert")
            }
            Self::NothingInCommon(_) => Some(SCAN),
            Self::Alert(
                AlertDescription::HANDSHAKE_FAILURE
                | AlertDescription::PROTOCOL_VERSION
                | AlertDescription::INSUFFICIENT_SECURITY,
            ) => Some(SCAN),
            Self::Alert(AlertDescription::UNRECOGNIZED_NAME) => Some("--sni NAME asks for another name"),
            Self::Alert(AlertDescription::NO_APPLICATION_PROTOCOL) => Some("--alpn offers other protocols"),
            Self::Alert(AlertDescription::CERTIFICATE_REQUIRED) => Some("--cert FILE shows a certificate of yours"),
            _ => None,
        }
    }

    /// From what rustls found. `answered` says whether the server had said something.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::Alert(code(*alert)),
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::BadSignature,
            Error::PeerIncompatible(why) => Self::NothingInCommon(match why {
                PeerIncompatible::ServerDoesNotSupportTls12Or13 => "it speaks neither TLS 1.2 nor TLS 1.3",
                PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => "it chose a version that was not offered",
                PeerIncompatible::NoCipherSuitesInCommon => "no cipher suite",
                PeerIncompatible::NoKxGroupsInCommon => "no group for the key exchange",
                PeerIncompatible::NoSignatureSchemesInCommon => "no signature scheme",
                PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
                    "no signature scheme for the client's certificate"
                }
                PeerIncompatible::ExtendedMasterSecretExtensionRequired => "it lacks the extended master secret",
                _ => "what one of them needs the other does not know",
            }),
            other => Self::Misbehaved(other.to_string()),
        }
    }
}

const SCAN: &str = "`certkit connect HOST --scan` finds what it does speak";

/// What a server that does not speak TLS speaks, as far as its first words tell.
pub(super) fn guess(said: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(said);
    let begins = |word: &str| text.starts_with(word);
    match () {
        () if begins("HTTP/") || text.trim_start().to_ascii_lowercase().starts_with("<!doctype html") => Some("HTTP"),
        () if begins("SSH-") => Some("SSH"),
        () if begins("220") && text.contains("FTP") => Some("FTP"),
        () if begins("220") || begins("554 ") || begins("421 ") => Some("SMTP"),
        () if begins("* ") => Some("IMAP"),
        () if begins("+OK") || begins("-ERR") => Some("POP3"),
        () if matches!(said, [_, _, 0, 0, 10 | 0xff, ..]) => Some("MySQL"),
        () => None,
    }
}

/// Whether these bytes can be the beginning of a TLS record.
pub(super) fn may_be_tls(said: &[u8]) -> bool {
    match said {
        [] => true,
        [20..=24] | [20..=24, 3, ..] => true,
        // A ServerHello of SSL 2.0.
        [0x80..=0xff, _, 4, ..] => true,
        _ => false,
    }
}

fn in_words(said: &[u8]) -> String {
    let first = said.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let shown: String = String::from_utf8_lossy(first).trim_end().chars().take(60).collect();
    let printable = !shown.is_empty() && shown.chars().all(|c| !c.is_control() && c != '\u{fffd}');
    match (guess(said), printable) {
        (Some(protocol), true) => format!("in {protocol}, \"{shown}\""),
        (Some(protocol), false) => format!("in {protocol}"),
        (None, true) => format!("\"{shown}\""),
        (None, false) => {
            let bytes = said.get(..said.len().min(16)).unwrap_or_default();
            format!("with the bytes {}", crate::encoding::hex::encode(bytes))
        }
    }
}

fn code(alert: Received) -> AlertDescription {
    AlertDescription(u8::from(alert))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_protocols_are_known_by_their_first_words() {
        for (said, known) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], Some("HTTP")),
            (b"SSH-2.0-OpenSSH_9\r\n", Some("SSH")),
            (b"220 mail ESMTP\r\n", Some("SMTP")),
            (b"220 (vsFTPd 3)\r\n", Some("FTP")),
            (b"* OK IMAP\r\n", Some("IMAP")),
            (b"+OK\r\n", Some("POP3")),
            (b"J\0\0\0\x0a8.0", Some("MySQL")),
            (b"\x01\x02\x03", None),
        ] {
            assert_eq!(guess(said), known);
            assert!(!may_be_tls(said));
        }
        assert!(may_be_tls(&[21, 3, 1, 0, 2, 2, 40]) && may_be_tls(&[22]) && may_be_tls(&[]));
    }

    #[test]
    fn what_is_no_tls_is_told_in_its_own_words() {
        let told = Failure::NotTls { said: b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec() };
        let words = "the server does not speak TLS here: it answers in HTTP, \"HTTP/1.1 400 Bad Request\"";
        assert_eq!(told.to_string(), words);
        let told = Failure::NotTls { said: vec![0, 1, 2] }.to_string();
        assert!(told.ends_with("with the bytes 000102"), "{told}");
    }
}
