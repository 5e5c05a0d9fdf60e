//! A handshake message of any octets is read or refused; what is read is written again as it was.

#![no_main]

use certkit::tls::code::HandshakeType;
use certkit::tls::fingerprint::{Transport, ja3, ja4, ja4_raw};
use certkit::tls::handshake::{CertificateRequest, Handshake, ServerKeyExchange};
use certkit::tls::keys::KeyLog;
use certkit::tls::record::RawHandshake;
use certkit_fuzz::{plant, target, tls};

target!(init: plant(tls::messages()), |data: &[u8]| {
    let Some((&[settled, kind], body)) = data.split_first_chunk::<2>() else { return };
    let settled = tls::settled(settled);
    let raw = RawHandshake::new(HandshakeType(kind), body);
    let _ = KeyLog::parse(data);
    let message = match Handshake::decode(&raw, settled.as_ref()) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= body.len() && !error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(message.encode().unwrap(), raw.encoding);
    assert_eq!(message.handshake_type(), raw.handshake_type);
    let _ = format!("{message:?}");
    match &message {
        Handshake::ClientHello(hello) => {
            let _ = (hello.server_name(), hello.protocols(), hello.versions(), hello.extensions.duplicate());
            let _ = (ja3(hello), ja4(hello, Transport::Tcp), ja4_raw(hello, Transport::Quic));
            let _ = (hello.groups(), hello.key_shares(), hello.signature_schemes(), hello.point_formats());
        }
        Handshake::ServerHello(hello) => {
            let _ = (hello.negotiated(), hello.group(), hello.protocol(), hello.downgrade());
        }
        Handshake::ServerKeyExchange(ServerKeyExchange { parameters: Some(parameters), .. }) => {
            let _ = parameters.bits();
        }
        Handshake::CertificateRequest(request) => {
            let _ = (CertificateRequest::authorities(request), request.signature_schemes());
        }
        _ => {}
    }
});
