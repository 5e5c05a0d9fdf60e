//! Each message in plain words: what it is for, what the asymmetric part does, what becomes symmetric, and what each side
//! can compute from then on.

use super::event::{Protection, Sender};
use super::session::Session;
use crate::tls::code::ExtensionType;
use crate::tls::code::cipher_suite::{Authentication, KeyExchange};

/// A paragraph or two about a message of this kind, at this point of a handshake.
pub(super) fn explain(kind: &str, from: Sender, protection: Protection, session: &Session) -> Vec<String> {
    let tls13 = session.is_tls13();
    let paragraphs: Vec<&str> = match (kind, from) {
        ("Plaintext", _) => vec![
            "The two begin in another protocol, in the clear, and agree to go on in TLS. Nothing said so far is protected: \
             whoever sits between them can strike out the offer of TLS, so a careful client insists on it.",
        ],
        ("ClientHello", _) if session.retried => vec![
            "The same offer again, with the change that the server asked for. The hash of the first one stays part of the \
             handshake, so that nobody can have altered it.",
        ],
        ("ClientHello", _) => client_hello(session),
        ("HelloRetryRequest", _) => vec![
            "The server could agree to the offer, but has no use for the public keys that came with it. It names the group \
             that it wants a key of; the client begins again. This costs one round trip.",
        ],
        ("ServerHello", _) if tls13 => server_hello_tls13(session),
        ("ServerHello", _) => vec![
            "The server chooses one version and one cipher suite out of the offer and adds random bytes of its own. The \
             randoms of both sides go into all keys, so that no two connections ever have the same ones, and no recording \
             can be played again.",
            key_exchange_in_words(session),
        ],
        ("EncryptedExtensions", _) => vec![
            "The first message under the new keys: answers to the client's offers that are nobody else's business, such as \
             the application protocol.",
        ],
        ("Certificate", Sender::Server) => certificate(session),
        ("Certificate" | "CompressedCertificate", Sender::Client) => vec![
            "The client's certificate, since the server asked for one. It proves nothing yet: that the client has the key \
             that belongs to it is shown by the signature in CertificateVerify.",
        ],
        ("CompressedCertificate", Sender::Server) => {
            let mut paragraphs = certificate(session);
            paragraphs.push("It came compressed (RFC 8879), to fit the first flight of packets. It means the same.");
            paragraphs
        }
        ("CertificateStatus", _) => vec![
            "The issuer's own signed word, not older than some days, that the certificate has not been revoked (OCSP). The \
             server fetches it and hands it on, so that the client need not ask and tell the issuer where it goes.",
        ],
        ("ServerKeyExchange", _) => server_key_exchange(session),
        ("CertificateRequest", _) => vec![
            "The server wants to know who the client is, and names the signatures and authorities it would believe. The \
             client may decline; then the server decides whether it goes on.",
        ],
        ("ServerHelloDone", _) => vec!["The server has said what it has to say, and waits. It is the client's turn."],
        ("ClientKeyExchange", _) => client_key_exchange(session),
        ("CertificateVerify", Sender::Server) => vec![
            "A signature over everything said so far, made with the private key of the certificate. Only the owner of the \
             certificate can make it, and it is good for this handshake alone. So the client now knows who it shares its \
             keys with; until here it could have been anybody.",
        ],
        ("CertificateVerify", Sender::Client) => {
            vec!["The client signs everything said so far with its private key: the certificate it showed is its own."]
        }
        ("ChangeCipherSpec", _) if tls13 => vec![
            "It means nothing in TLS 1.3. It is sent so that devices on the way that know only older versions let the \
             connection pass.",
        ],
        ("ChangeCipherSpec", _) => vec![
            "A switch, one byte: what this side sends from here on is encrypted and authenticated with its new symmetric \
             keys. The asymmetric part is over; it was slow, and has done its work once both sides hold the same secret.",
        ],
        ("Finished", _) => finished(from, protection, tls13),
        ("NewSessionTicket", _) if tls13 => vec![
            "A ticket for the next time. The client keeps it with a secret derived from this connection, and can begin the \
             next one with both: then no certificate is needed, for who knows the secret was here before.",
        ],
        ("NewSessionTicket", _) => vec![
            "The state of this session, encrypted to a key that only the server has. The client brings it back the next \
             time and both go on with the same master secret. Whoever steals the server's ticket key can read all such \
             connections.",
        ],
        ("EndOfEarlyData", _) => vec!["The early data ends here; what follows is under the keys of this handshake."],
        ("KeyUpdate", _) => {
            vec!["The sender derives its next keys from the last and forgets those, so that they cannot leak."]
        }
        ("HelloRequest", _) => vec!["The server would like to negotiate anew within the running connection."],
        ("Encrypted", Sender::Server) if tls13 && !session.is_finished(Sender::Client) => vec![
            "Everything after ServerHello is encrypted in TLS 1.3, the certificate too: EncryptedExtensions, Certificate, \
             CertificateVerify and Finished are in here. An eavesdropper sees their lengths. A key log opens them.",
        ],
        ("Encrypted", _) if tls13 => vec![
            "Encrypted with keys that only the two have. It may be the client's Finished, application data or an alert: \
             the true type is encrypted too. An eavesdropper sees the length and the time.",
        ],
        ("ApplicationData", _) if protection == Protection::Encrypted => vec![
            "What it was all for: data under the symmetric keys. Each record is encrypted, numbered, and authenticated, so \
             that none can be read, changed, dropped or put elsewhere unnoticed. Lengths and times remain visible.",
        ],
        ("ApplicationData", _) => vec![
            "What it was all for: data under the symmetric keys. Whoever has them reads it, as here; and could have written \
             it too, for a symmetric key proves nothing to third parties.",
        ],
        ("Alert", _) => vec!["A word about the connection itself: that it ends in good order, or what went wrong."],
        _ => Vec::new(),
    };
    paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty()).map(str::to_owned).collect()
}

fn client_hello(session: &Session) -> Vec<&'static str> {
    let mut paragraphs = vec![
        "The client opens with what it can: versions, cipher suites, groups and signatures, the best first, and 32 random \
         bytes. All of it is in the clear.",
    ];
    let Some(hello) = &session.client_hello else { return paragraphs };
    if hello.extensions.contains(ExtensionType::SERVER_NAME) {
        paragraphs.push(
            "server_name says which of the sites behind this address it wants, so that the server can choose a \
             certificate. Whoever listens learns it too.",
        );
    }
    if hello.extensions.contains(ExtensionType::KEY_SHARE) {
        paragraphs.push(
            "key_share brings public keys made for this connection alone. If the server takes one, its answer is enough \
             for both to compute the same secret: one round trip instead of two.",
        );
    }
    if hello.extensions.contains(ExtensionType::PRE_SHARED_KEY) {
        paragraphs.push("pre_shared_key shows a ticket from an earlier connection, and a MAC which proves that the client knows its secret.");
    }
    paragraphs
}

fn server_hello_tls13(session: &Session) -> Vec<&'static str> {
    let mut paragraphs = Vec::new();
    if session.has_extension(ExtensionType::PRE_SHARED_KEY) {
        paragraphs.push("The server knows the client's ticket: both begin with the secret of an earlier connection, and no certificate is shown.");
    }
    if session.has_extension(ExtensionType::KEY_SHARE) {
        paragraphs.push(
            "The server answers with a public key of its own for this connection. This is the asymmetric part: each side \
             combines its private key with the other's public key and arrives at the same shared secret, which never \
             crosses the wire. Both private keys are then forgotten, so no key found later opens a recording.",
        );
    }
    paragraphs.push(
        "From the shared secret and the hash of both hellos each side now derives the handshake keys (HKDF). All that \
         follows is encrypted symmetrically, though neither yet knows who the other is.",
    );
    paragraphs
}

fn key_exchange_in_words(session: &Session) -> &'static str {
    match session.key_exchange() {
        Some(KeyExchange::Rsa) => {
            "With this suite the client will choose a secret and encrypt it to the RSA key in the server's certificate. \
             Whoever ever gets that private key can open all recorded connections: there is no forward secrecy."
        }
        Some(KeyExchange::Dhe | KeyExchange::Ecdhe) => {
            "With this suite both will make fresh Diffie-Hellman keys for this connection alone. The key of the \
             certificate only signs; it cannot open recordings later. That is forward secrecy."
        }
        _ => "",
    }
}

fn certificate(session: &Session) -> Vec<&'static str> {
    let mut paragraphs = vec![
        "The server says who it is: a certificate binds its names to its public key, and each further one vouches for the \
         one before, up to a root that the client knows. The client checks the signatures, the names and the dates; so \
         does `certkit verify`. Anybody can send this certificate: it is public.",
    ];
    if session.key_exchange() == Some(KeyExchange::Rsa) {
        paragraphs.push(
            "Its RSA key serves for encryption here. That the server has the private key shows only at the end, when it \
             proves to know the secret that the client encrypted.",
        );
    }
    paragraphs
}

fn server_key_exchange(session: &Session) -> Vec<&'static str> {
    let mut paragraphs = vec![
        "The server's Diffie-Hellman public key for this connection. The client will combine it with its own private key; \
         an eavesdropper who sees both public keys cannot.",
    ];
    match session.parts().map(|parts| parts.authentication) {
        Some(Authentication::Rsa | Authentication::Ecdsa | Authentication::Dss) => paragraphs.push(
            "The signature over it and over both randoms is made with the private key of the certificate. It is the proof \
             that this key comes from the owner of the certificate and not from somebody in between, and the only thing \
             the long-term key is used for. A client that skips this check, as Apple's did in 2014 (`goto fail`), talks to \
             anybody.",
        ),
        Some(Authentication::Anonymous) => {
            paragraphs.push("It is not signed: anybody in between can put in a key of his own and read everything.");
        }
        _ => {}
    }
    paragraphs
}

fn client_key_exchange(session: &Session) -> Vec<&'static str> {
    let mut paragraphs = match session.key_exchange() {
        Some(KeyExchange::Rsa | KeyExchange::RsaPsk) => vec![
            "The one asymmetric step: the client has made up a pre-master secret of 48 bytes, and encrypts it with the \
             public key of the server's certificate. Only the holder of the private key can read it: the server, or, later, \
             whoever gets hold of the key.",
        ],
        Some(KeyExchange::Psk) => vec![
            "Nothing asymmetric happens: both have had a key in common before, and the client says which. The pre-master \
             secret is made of it.",
        ],
        _ => vec![
            "The client's Diffie-Hellman public key for this connection. Each side combines its own private key with the \
             other's public key; both get the same pre-master secret, which never crosses the wire.",
        ],
    };
    paragraphs.push(
        "From here both compute the same: the master secret of 48 bytes out of the pre-master secret and the randoms; and \
         out of that the key block, which is cut into the keys of both directions. All further work is symmetric.",
    );
    paragraphs
}

fn finished(from: Sender, protection: Protection, tls13: bool) -> Vec<&'static str> {
    let mut paragraphs = vec![
        "A MAC over all messages of the handshake, keyed by what both have derived. If anybody had changed a byte of it on \
         the way, or did not have the keys, it would not come out right.",
    ];
    paragraphs.push(match (from, tls13) {
        (Sender::Server, true) => {
            "Both sides can now derive the keys for application data; the server may already send, the client answers \
             with its own Finished."
        }
        (Sender::Client, true) => "The handshake is complete after one round trip.",
        (Sender::Server, false) => "It also shows that the server could compute the master secret.",
        (Sender::Client, false) => "It is the first message under the new keys of the client.",
    });
    if protection == Protection::Encrypted {
        paragraphs.push("It is encrypted, so it cannot be looked into here; with the keys it could be checked.");
    }
    paragraphs
}
