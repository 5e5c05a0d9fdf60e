//! Handshake messages as fields, by the names of RFC 8446 and RFC 5246, with a line that says what matters.

use std::fmt::{Display, LowerHex};

use super::extension::{authorities, certificate_status, extensions};
use super::field::{Fields, Value};
use crate::describe::CertificateDescription;
use crate::tls::code::{HandshakeType, ProtocolVersion};
use crate::tls::extension::Place;
use crate::tls::handshake::{
    CertificateMessage, CertificateRequest, ClientHello, ClientKeyExchange, Contribution, DigitallySigned, Handshake,
    KeyExchangeParameters, NewSessionTicket, ServerHello, ServerKeyExchange, Ssl2ClientHello,
};
use crate::x509::Certificate;
use time::OffsetDateTime;

/// What a message is, what it says in one line, and all that it says.
pub(super) struct Told {
    pub(super) kind: &'static str,
    pub(super) headline: String,
    pub(super) fields: Fields,
}

impl Told {
    pub(super) fn new(kind: &'static str, headline: impl Into<String>, fields: Fields) -> Self {
        Self { kind, headline: headline.into(), fields }
    }
}

/// Tells a message; certificates as they stood at `at`. `decompressed` is what a CompressedCertificate holds.
pub(super) fn tell(message: &Handshake, decompressed: Option<&CertificateMessage>, at: OffsetDateTime) -> Told {
    match message {
        Handshake::HelloRequest => Told::new("HelloRequest", "wants to negotiate again", Fields::new()),
        Handshake::ClientHello(hello) => client_hello(hello),
        Handshake::ServerHello(hello) => server_hello(hello),
        Handshake::EncryptedExtensions(found) => {
            let names: Vec<String> = found.iter().map(|extension| extension.extension_type.to_string()).collect();
            let headline = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let fields = Fields::new().with("extensions", extensions(found, Place::EncryptedExtensions));
            Told::new("EncryptedExtensions", headline, fields)
        }
        Handshake::Certificate(message) => certificate(message, at),
        Handshake::CompressedCertificate(message) => {
            let headline =
                format!("{} bytes, {} of {}", message.compressed.len(), message.algorithm, message.uncompressed_length);
            let fields = Fields::new()
                .with("algorithm", code(message.algorithm.0, message.algorithm))
                .with("uncompressed_length", message.uncompressed_length)
                .with("compressed_certificate_message", message.compressed.as_slice());
            match decompressed {
                Some(inside) => {
                    let inside = certificate(inside, at);
                    let headline = format!("{} ({headline})", inside.headline);
                    Told::new("CompressedCertificate", headline, fields.and(inside.fields))
                }
                None => Told::new("CompressedCertificate", headline, fields),
            }
        }
        Handshake::CertificateStatus(status) => {
            let headline = format!("{} OCSP response{}", status.responses.len(), plural(status.responses.len()));
            Told::new("CertificateStatus", headline, certificate_status(status))
        }
        Handshake::ServerKeyExchange(exchange) => server_key_exchange(exchange),
        Handshake::CertificateRequest(request) => certificate_request(request),
        Handshake::ServerHelloDone => Told::new("ServerHelloDone", "nothing more for now", Fields::new()),
        Handshake::ClientKeyExchange(exchange) => client_key_exchange(exchange),
        Handshake::CertificateVerify(signed) => {
            Told::new("CertificateVerify", signed_headline(signed), signed_fields(Fields::new(), signed))
        }
        Handshake::Finished(data) => Told::new(
            "Finished",
            format!("{} bytes of MAC over the handshake", data.len()),
            Fields::new().with("verify_data", data.as_slice()),
        ),
        Handshake::NewSessionTicket(ticket) => new_session_ticket(ticket),
        Handshake::EndOfEarlyData => Told::new("EndOfEarlyData", "the early data ends", Fields::new()),
        Handshake::KeyUpdate(request) => {
            Told::new("KeyUpdate", request.to_string(), Fields::new().with("request_update", code(request.0, request)))
        }
        Handshake::Other(kind, body) => {
            let name = match *kind {
                HandshakeType::SERVER_KEY_EXCHANGE => "ServerKeyExchange",
                HandshakeType::CLIENT_KEY_EXCHANGE => "ClientKeyExchange",
                HandshakeType::CERTIFICATE => "Certificate",
                _ => "Handshake",
            };
            let fields = Fields::new().with("msg_type", code(kind.0, kind)).with("body", body.as_slice());
            Told::new(name, format!("{kind}, not read further"), fields)
        }
    }
}

fn client_hello(hello: &ClientHello) -> Told {
    let versions: Vec<ProtocolVersion> = hello.versions().into_iter().filter(|version| !version.is_grease()).collect();
    let suites = hello.cipher_suites.iter().filter(|suite| !suite.is_grease() && !suite.is_signalling()).count();
    let mut headline = match versions.as_slice() {
        [only] => format!("up to {only}"),
        several => several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    headline.push_str(&format!("; {suites} cipher suite{}", plural(suites)));
    if let Some(name) = hello.server_name() {
        headline.push_str(&format!("; for {name}"));
    }
    let protocols = hello.protocols();
    if !protocols.is_empty() {
        let names: Vec<_> = protocols.iter().map(|name| String::from_utf8_lossy(name)).collect();
        headline.push_str(&format!("; ALPN {}", names.join(", ")));
    }
    Told::new("ClientHello", headline, client_hello_fields(hello))
}

/// What a ClientHello says, by the names of RFC 8446 §4.1.2.
pub fn client_hello_fields(hello: &ClientHello) -> Fields {
    Fields::new()
        .with("legacy_version", code(hello.legacy_version.0, hello.legacy_version))
        .with("random", &hello.random[..])
        .with("legacy_session_id", hello.session_id.as_slice())
        .with("cipher_suites", Value::list(hello.cipher_suites.iter().map(|suite| code(suite.0, suite))))
        .with("legacy_compression_methods", Value::list(hello.compression_methods.iter().map(|one| code(one.0, one))))
        .with("extensions", extensions(&hello.extensions, Place::ClientHello))
}

/// Tells a ClientHello in the form of SSL 2.0.
pub(super) fn ssl2_client_hello(hello: &Ssl2ClientHello) -> Told {
    let cipher = |cipher: &crate::tls::code::Ssl2Cipher| Value::Code {
        code: format!("0x{:06x}", cipher.0),
        name: cipher.name().map_or_else(|| "unknown".to_owned(), str::to_owned),
    };
    let fields = Fields::new()
        .with("version", code(hello.version.0, hello.version))
        .with("cipher_specs", Value::list(hello.ciphers.iter().map(cipher)))
        .with("session_id", hello.session_id.as_slice())
        .with("challenge", hello.challenge.as_slice());
    let headline = format!("in the form of SSL 2.0; up to {}; {} ciphers", hello.version, hello.ciphers.len());
    Told::new("ClientHello", headline, fields)
}

fn server_hello(hello: &ServerHello) -> Told {
    let retry = hello.is_hello_retry_request();
    let kind = if retry { "HelloRetryRequest" } else { "ServerHello" };
    let mut headline = format!("{}, {}", hello.version(), hello.cipher_suite);
    if let Some(group) = hello.group() {
        headline.push_str(&format!(", {group}"));
    }
    let fields = Fields::new()
        .with("legacy_version", code(hello.legacy_version.0, hello.legacy_version))
        .with("random", &hello.random[..])
        .with("legacy_session_id_echo", hello.session_id.as_slice())
        .with("cipher_suite", code(hello.cipher_suite.0, hello.cipher_suite))
        .with("legacy_compression_method", code(hello.compression_method.0, hello.compression_method))
        .with("extensions", extensions(&hello.extensions, hello.place()));
    Told::new(kind, headline, fields)
}

fn certificate(message: &CertificateMessage, at: OffsetDateTime) -> Told {
    let mut list = Vec::new();
    let mut headline = String::new();
    for entry in &message.entries {
        let mut fields = Fields::new();
        match Certificate::from_der(&entry.data) {
            Ok(certificate) => {
                let described = CertificateDescription::of(&certificate, at);
                if list.is_empty() {
                    headline = format!("{}, {}", described.display_name, described.public_key.short());
                }
                fields = summary_of(fields, &described);
            }
            Err(error) => fields.push("error", error.to_string()),
        }
        if entry.extensions.iter().next().is_some() {
            fields.push("extensions", extensions(&entry.extensions, Place::Certificate));
        }
        list.push(Value::Group(fields.with("cert_data", entry.data.as_slice())));
    }
    match list.len() {
        0 => headline = "none".to_owned(),
        1 => {}
        more => headline.push_str(&format!(" and {} more", more - 1)),
    }
    let mut fields = Fields::new();
    if let Some(context) = &message.request_context {
        fields.push("certificate_request_context", context.as_slice());
    }
    Told::new("Certificate", headline, fields.with("certificate_list", Value::List(list)))
}

fn summary_of(fields: Fields, described: &CertificateDescription) -> Fields {
    fields
        .with("subject", described.subject.to_string())
        .with("issuer", described.issuer.to_string())
        .with("serial", described.serial.to_string())
        .with("names", Value::list(described.names.iter().map(|name| Value::Text(name.clone()))))
        .with("not_before", described.validity.not_before.clone())
        .with("not_after", described.validity.not_after.clone())
        .with("public_key", described.public_key.short())
        .with("signature_algorithm", described.signature_algorithm.clone())
        .with("fingerprint_sha256", described.fingerprints.sha256.clone())
}

fn server_key_exchange(exchange: &ServerKeyExchange) -> Told {
    let mut fields = Fields::new();
    let mut headline = String::new();
    if let Some(hint) = &exchange.psk_identity_hint {
        fields.push("psk_identity_hint", text_or_bytes(hint));
        headline.push_str("a hint which pre-shared key");
    }
    match &exchange.parameters {
        None => {}
        Some(KeyExchangeParameters::Ecdhe { group, public }) => {
            headline = format!("ECDHE on {group}");
            fields.push("named_curve", code(group.0, group));
            fields.push("public", public.as_slice());
        }
        Some(parameters @ KeyExchangeParameters::Dhe { prime, generator, public }) => {
            headline = format!("DHE with a prime of {} bits", parameters.bits().unwrap_or(0));
            fields.push("dh_p", prime.as_slice());
            fields.push("dh_g", generator.as_slice());
            fields.push("dh_Ys", public.as_slice());
        }
        Some(parameters @ KeyExchangeParameters::RsaExport { modulus, exponent }) => {
            headline = format!("an RSA key of {} bits, made weak for export rules", parameters.bits().unwrap_or(0));
            fields.push("rsa_modulus", modulus.as_slice());
            fields.push("rsa_exponent", exponent.as_slice());
        }
        Some(KeyExchangeParameters::Srp { prime, generator, salt, public }) => {
            headline = "SRP".to_owned();
            fields.push("srp_N", prime.as_slice());
            fields.push("srp_g", generator.as_slice());
            fields.push("srp_s", salt.as_slice());
            fields.push("srp_B", public.as_slice());
        }
    }
    match &exchange.signature {
        Some(signed) => {
            headline.push_str(&format!(", {}", signed_headline(signed)));
            fields = signed_fields(fields, signed);
        }
        None => headline.push_str(", not signed"),
    }
    Told::new("ServerKeyExchange", headline, fields)
}

fn client_key_exchange(exchange: &ClientKeyExchange) -> Told {
    let mut fields = Fields::new();
    if let Some(identity) = &exchange.psk_identity {
        fields.push("psk_identity", text_or_bytes(identity));
    }
    let headline = match &exchange.contribution {
        Contribution::None => "the name of a pre-shared key".to_owned(),
        Contribution::EncryptedPreMaster { ciphertext, .. } => {
            fields.push("encrypted_pre_master_secret", ciphertext.as_slice());
            format!("a pre-master secret, encrypted to the server's RSA key ({} bits)", ciphertext.len() * 8)
        }
        Contribution::Dh(public) => {
            fields.push("dh_Yc", public.as_slice());
            format!("the client's DHE public key ({} bytes)", public.len())
        }
        Contribution::Ecdh(public) => {
            fields.push("ecdh_Yc", public.as_slice());
            format!("the client's ECDHE public key ({} bytes)", public.len())
        }
        Contribution::Srp(public) => {
            fields.push("srp_A", public.as_slice());
            "SRP".to_owned()
        }
    };
    Told::new("ClientKeyExchange", headline, fields)
}

fn certificate_request(request: &CertificateRequest) -> Told {
    let (headline, fields) = match request {
        CertificateRequest::Old { certificate_types, signature_schemes, authorities: names } => {
            let mut fields = Fields::new()
                .with("certificate_types", Value::list(certificate_types.iter().map(|one| code(one.0, one))));
            if let Some(schemes) = signature_schemes {
                fields.push("supported_signature_algorithms", Value::list(schemes.iter().map(|one| code(one.0, one))));
            }
            let headline = match names.len() {
                0 => "of any authority".to_owned(),
                count => format!("of {count} authorit{}", if count == 1 { "y" } else { "ies" }),
            };
            (headline, fields.with("certificate_authorities", authorities(names)))
        }
        CertificateRequest::Tls13 { context, extensions: found } => {
            let fields = Fields::new().with("certificate_request_context", context.as_slice());
            (
                "by the signatures and authorities in its extensions".to_owned(),
                fields.with("extensions", extensions(found, Place::CertificateRequest)),
            )
        }
    };
    Told::new("CertificateRequest", headline, fields)
}

fn new_session_ticket(ticket: &NewSessionTicket) -> Told {
    match ticket {
        NewSessionTicket::Old { lifetime_hint, ticket } => {
            let fields = Fields::new().with("ticket_lifetime_hint", *lifetime_hint).with("ticket", ticket.as_slice());
            Told::new("NewSessionTicket", format!("{} bytes, for {lifetime_hint} s", ticket.len()), fields)
        }
        NewSessionTicket::Tls13 { lifetime, age_add, nonce, ticket, extensions: found } => {
            let fields = Fields::new()
                .with("ticket_lifetime", *lifetime)
                .with("ticket_age_add", *age_add)
                .with("ticket_nonce", nonce.as_slice())
                .with("ticket", ticket.as_slice())
                .with("extensions", extensions(found, Place::NewSessionTicket));
            Told::new("NewSessionTicket", format!("{} bytes, for {lifetime} s", ticket.len()), fields)
        }
    }
}

fn signed_headline(signed: &DigitallySigned) -> String {
    match signed.scheme {
        Some(scheme) => format!("signed with {scheme}"),
        None => "signed".to_owned(),
    }
}

fn signed_fields(mut fields: Fields, signed: &DigitallySigned) -> Fields {
    if let Some(scheme) = signed.scheme {
        fields.push("algorithm", code(scheme.0, scheme));
    }
    fields.with("signature", signed.signature.as_slice())
}

/// A code point: its number with all its digits, and its name.
pub(super) fn code<N: LowerHex>(number: N, name: impl Display) -> Value {
    let width = 2 + 2 * size_of::<N>();
    Value::Code { code: format!("{number:#0width$x}"), name: name.to_string() }
}

/// Printable ASCII as text, anything else as bytes.
pub(super) fn text_or_bytes(octets: &[u8]) -> Value {
    match std::str::from_utf8(octets) {
        Ok(text) if octets.iter().all(|octet| (0x20..0x7f).contains(octet)) => Value::Text(text.to_owned()),
        _ => Value::Bytes(octets.to_vec()),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
