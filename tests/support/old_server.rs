//! A server that takes what it is told to take, from SSL 2.0 to TLS 1.3, and never completes a handshake: what no library
//! speaks any more, for a scan to find.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use certkit::dial::{Stopwatch, Wire};
use certkit::key::{AgreementAlgorithm, EphemeralKey};
use certkit::tls::code::cipher_suite::{Authentication, KeyExchange};
use certkit::tls::code::{
    AlertDescription, AlertLevel, CipherSuite, CompressionMethod, ContentType, ExtensionType, NamedGroup,
    ProtocolVersion, SignatureScheme,
};
use certkit::tls::extension::{Extension, ExtensionValue, Extensions, KeyShareEntry};
use certkit::tls::handshake::{
    CertificateEntry, CertificateMessage, ClientHello, DigitallySigned, HELLO_RETRY_REQUEST_RANDOM, Handshake,
    ServerHello, ServerKeyExchange,
};
use certkit::tls::record::{Alert, HandshakeReader, RecordEvent, RecordReader, write_records};

/// How the server refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Alert,
    Close,
    Silence,
}

/// What the server takes.
#[derive(Debug, Clone)]
pub(crate) struct Takes {
    /// Versions with their suites, in the server's order.
    pub(crate) versions: Vec<(ProtocolVersion, Vec<&'static str>)>,
    pub(crate) ssl2: bool,
    pub(crate) own_order: bool,
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) schemes: Vec<SignatureScheme>,
    /// The prime of DHE.
    pub(crate) prime: Vec<u8>,
    /// DER by kind of key.
    pub(crate) rsa: Vec<u8>,
    pub(crate) ecdsa: Vec<u8>,
    pub(crate) protocols: Vec<&'static str>,
    /// Extensions of old versions that are answered empty, where they are asked for.
    pub(crate) grants: Vec<ExtensionType>,
    pub(crate) compresses: bool,
    pub(crate) heeds_fallback: bool,
    /// Whether its random tells of a downgrade.
    pub(crate) sentinel: bool,
    /// The same public key for all.
    pub(crate) reuses: bool,
    pub(crate) refusal: Refusal,
    /// Suites above which it refuses a hello.
    pub(crate) most_suites: usize,
    /// Whether unknown versions are refused.
    pub(crate) intolerant: bool,
    /// From this connection on it closes at once.
    pub(crate) dies_after: usize,
    /// Each so many-th connection it closes without a word, but never twice for the same hello.
    pub(crate) stumbles_each: usize,
}

impl Takes {
    pub(crate) fn new(versions: &[(ProtocolVersion, &[&'static str])], rsa: &[u8], ecdsa: &[u8]) -> Self {
        Self {
            versions: versions.iter().map(|(version, suites)| (*version, suites.to_vec())).collect(),
            ssl2: false,
            own_order: true,
            groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
            schemes: vec![SignatureScheme::RSA_PSS_RSAE_SHA256, SignatureScheme::ECDSA_SECP256R1_SHA256],
            prime: vec![0xc7; 256],
            rsa: rsa.to_vec(),
            ecdsa: ecdsa.to_vec(),
            protocols: Vec::new(),
            grants: vec![ExtensionType::EXTENDED_MASTER_SECRET, ExtensionType::RENEGOTIATION_INFO],
            compresses: false,
            heeds_fallback: true,
            sentinel: true,
            reuses: false,
            refusal: Refusal::Alert,
            most_suites: usize::MAX,
            intolerant: false,
            dies_after: usize::MAX,
            stumbles_each: usize::MAX,
        }
    }
}

/// The server, until it is dropped; then its thread ends with the next connection.
pub(crate) struct OldServer {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl OldServer {
    pub(crate) fn start(takes: Takes) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        thread::spawn(move || {
            let takes = Arc::new(takes);
            let stumbled = Arc::<Stumbled>::default();
            for stream in listener.incoming().map_while(Result::ok) {
                let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
                if number > takes.dies_after {
                    continue;
                }
                let (takes, stumbled) = (takes.clone(), stumbled.clone());
                thread::spawn(move || _ = serve(stream, &takes, number, &stumbled));
            }
        });
        Self { port, connections }
    }

    /// How many connections it got.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> std::io::Result<Wire> {
        open(self.port)
    }
}

/// A connection to this port of 127.0.0.1.
pub(crate) fn open(port: u16) -> std::io::Result<Wire> {
    let stopwatch = Stopwatch::new(time::OffsetDateTime::UNIX_EPOCH);
    Wire::connect((Ipv4Addr::LOCALHOST, port).into(), Duration::from_secs(5), stopwatch)
}

enum Hello {
    Old,
    New(ClientHello),
}

/// The random octets of the hellos that were closed without a word once.
type Stumbled = Mutex<HashSet<Vec<u8>>>;

fn serve(mut stream: TcpStream, takes: &Takes, number: usize, stumbled: &Stumbled) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let hello = read(&mut stream)?;
    let random = match &hello {
        Some(Hello::New(hello)) => hello.random.to_vec(),
        Some(Hello::Old) | None => Vec::new(),
    };
    if number.is_multiple_of(takes.stumbles_each) && stumbled.lock().unwrap().insert(random) {
        return Ok(());
    }
    let answer = match hello {
        None => return Ok(()),
        Some(Hello::Old) if takes.ssl2 => Some(ssl2(takes)),
        Some(Hello::Old) => None,
        Some(Hello::New(hello)) => answer(&hello, takes, number),
    };
    match answer {
        Some(octets) => {
            stream.write_all(&octets)?;
            // Of TLS 1.3 there is nothing more to come.
            stream.shutdown(std::net::Shutdown::Write)?;
        }
        None => match takes.refusal {
            Refusal::Alert => {
                let alert = Alert { level: AlertLevel::FATAL, description: AlertDescription::HANDSHAKE_FAILURE };
                stream.write_all(&alert_record(alert))?;
            }
            Refusal::Close => return Ok(()),
            Refusal::Silence => {}
        },
    }
    // Until the client has read and leaves.
    _ = stream.read(&mut [0; 1]);
    Ok(())
}

fn alert_record(alert: Alert) -> Vec<u8> {
    write_records(ContentType::ALERT, ProtocolVersion::TLS1_0, &alert.encode())
}

fn read(stream: &mut TcpStream) -> std::io::Result<Option<Hello>> {
    let (mut records, mut messages) = (RecordReader::new(), HandshakeReader::default());
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        records.push(&buffer[..count]);
        while let Some(event) = records.next().unwrap() {
            match event {
                RecordEvent::Ssl2 { .. } => return Ok(Some(Hello::Old)),
                RecordEvent::Record(record) => messages.push(&record.fragment),
                RecordEvent::Damaged { .. } | RecordEvent::Found { .. } => unreachable!(),
            }
            if let Some(message) = messages.next().unwrap() {
                let Handshake::ClientHello(hello) = Handshake::decode(&message, None).unwrap() else { unreachable!() };
                return Ok(Some(Hello::New(hello)));
            }
        }
    }
}

/// draft-hickman-netscape-ssl-00 §2.6, with RC4 and its export kind.
fn ssl2(takes: &Takes) -> Vec<u8> {
    let ciphers = [1, 0, 0x80, 2, 0, 0x80];
    let length = |list: &[u8]| (list.len() as u16).to_be_bytes();
    let id = [7; 16];
    let lengths = [length(&takes.rsa), length(&ciphers), length(&id)].concat();
    let body = [&[4, 0, 1, 0, 2][..], &lengths, &takes.rsa, &ciphers, &id].concat();
    [&(0x8000 | body.len() as u16).to_be_bytes()[..], &body].concat()
}

fn answer(hello: &ClientHello, takes: &Takes, number: usize) -> Option<Vec<u8>> {
    if hello.cipher_suites.len() > takes.most_suites {
        return None;
    }
    let offered = hello.versions();
    let named = hello.extensions.contains(ExtensionType::SUPPORTED_VERSIONS);
    let unknown = |version: &ProtocolVersion| version.name().is_none();
    if takes.intolerant && (offered.iter().any(unknown) || hello.cipher_suites.iter().any(|suite| suite.is_grease())) {
        return None;
    }
    let speaks = |version: &ProtocolVersion| match named {
        true => offered.contains(version),
        false => *version <= hello.legacy_version && !version.is_tls13(),
    };
    let highest = takes.versions.iter().map(|(version, _)| *version).max()?;
    let (version, suites) =
        takes.versions.iter().filter(|(version, _)| speaks(version)).max_by_key(|(version, _)| *version)?;
    if takes.heeds_fallback && *version < highest && hello.cipher_suites.contains(&CipherSuite::FALLBACK_SCSV) {
        let alert = Alert { level: AlertLevel::FATAL, description: AlertDescription::INAPPROPRIATE_FALLBACK };
        return Some(alert_record(alert));
    }
    let suites: Vec<CipherSuite> = suites.iter().map(|name| CipherSuite::from_name(name).unwrap()).collect();
    let suite = common(&suites, &hello.cipher_suites, takes.own_order, |suite| {
        let elliptic = suite.parts().is_some_and(|parts| parts.key_exchange == KeyExchange::Ecdhe);
        !elliptic || *version == ProtocolVersion::SSL3 || group(hello, takes).is_some()
    })?;
    let parts = suite.parts()?;
    let signed = matches!(parts.key_exchange, KeyExchange::Dhe | KeyExchange::Ecdhe)
        && parts.authentication != Authentication::Anonymous;
    let rsa = parts.authentication == Authentication::Rsa;
    let fits = |scheme: &SignatureScheme| rsa == (scheme.name().is_some_and(|name| name.starts_with("rsa")));
    let offered = hello.signature_schemes();
    let scheme = takes.schemes.iter().copied().filter(fits).find(|scheme| offered.contains(scheme));
    if signed && version.has_signature_algorithms() && scheme.is_none() {
        return None;
    }
    if version.is_tls13() {
        return tls13(hello, takes, suite);
    }
    let mut random = [number as u8; 32];
    if takes.sentinel && *version < highest {
        let kind = u8::from(*version == ProtocolVersion::TLS1_2);
        random[24..].copy_from_slice(&[b'D', b'O', b'W', b'N', b'G', b'R', b'D', kind]);
    }
    let server_hello = ServerHello {
        legacy_version: *version,
        random,
        session_id: vec![1; 32],
        cipher_suite: suite,
        compression_method: match takes.compresses && hello.compression_methods.contains(&CompressionMethod::DEFLATE) {
            true => CompressionMethod::DEFLATE,
            false => CompressionMethod::NULL,
        },
        extensions: old_extensions(hello, takes),
    };
    let mut flight = vec![Handshake::ServerHello(server_hello)];
    let der = if rsa { &takes.rsa } else { &takes.ecdsa };
    if parts.authentication != Authentication::Anonymous {
        let entries = vec![CertificateEntry { data: der.clone(), extensions: Extensions::default() }];
        flight.push(Handshake::Certificate(CertificateMessage { request_context: None, entries }));
    }
    let fresh = if takes.reuses { 9 } else { number as u8 };
    let sized = |number: &[u8]| [&(number.len() as u16).to_be_bytes()[..], number].concat();
    let parameters = match parts.key_exchange {
        KeyExchange::Ecdhe => {
            let group = group(hello, takes).unwrap_or(NamedGroup::SECP256R1);
            Some([&[3][..], &group.0.to_be_bytes(), &[33], &[fresh; 33]].concat())
        }
        KeyExchange::Dhe => Some([sized(&takes.prime), sized(&[2]), sized(&[fresh; 64])].concat()),
        KeyExchange::Rsa if parts.export => Some([sized(&[0xc1; 64]), sized(&[1, 0, 1])].concat()),
        _ => None,
    };
    if let Some(parameter_octets) = parameters {
        let scheme = scheme.filter(|_| version.has_signature_algorithms());
        let signature = (parts.authentication != Authentication::Anonymous)
            .then(|| DigitallySigned { scheme, signature: vec![5; 64] });
        let exchange = ServerKeyExchange { psk_identity_hint: None, parameters: None, parameter_octets, signature };
        flight.push(Handshake::ServerKeyExchange(exchange));
    }
    flight.push(Handshake::ServerHelloDone);
    let octets: Vec<u8> = flight.iter().flat_map(|message| message.encode().unwrap()).collect();
    Some(write_records(ContentType::HANDSHAKE, *version, &octets))
}

fn tls13(hello: &ClientHello, takes: &Takes, suite: CipherSuite) -> Option<Vec<u8>> {
    let group = group(hello, takes)?;
    let shared = hello.key_shares().iter().any(|share| share.group == group);
    let agreement = match group {
        NamedGroup::SECP256R1 => AgreementAlgorithm::P256,
        _ => AgreementAlgorithm::X25519,
    };
    let (random, value) = match shared {
        true => {
            let key_exchange = EphemeralKey::generate(agreement).unwrap().public().to_vec();
            ([3; 32], ExtensionValue::KeyShare(KeyShareEntry { group, key_exchange }))
        }
        false => (HELLO_RETRY_REQUEST_RANDOM, ExtensionValue::RetryGroup(group)),
    };
    let version = ExtensionValue::SelectedVersion(ProtocolVersion::TLS1_3);
    let extensions = vec![
        Extension::new(ExtensionType::SUPPORTED_VERSIONS, &version).unwrap(),
        Extension::new(ExtensionType::KEY_SHARE, &value).unwrap(),
    ];
    let message = Handshake::ServerHello(ServerHello {
        legacy_version: ProtocolVersion::TLS1_2,
        random,
        session_id: hello.session_id.clone(),
        cipher_suite: suite,
        compression_method: CompressionMethod::NULL,
        extensions: extensions.into(),
    });
    Some(write_records(ContentType::HANDSHAKE, ProtocolVersion::TLS1_2, &message.encode().unwrap()))
}

fn group(hello: &ClientHello, takes: &Takes) -> Option<NamedGroup> {
    common(&takes.groups, &hello.groups(), takes.own_order, |_| true)
}

fn common<T: Copy + PartialEq>(ours: &[T], theirs: &[T], own_order: bool, fits: impl Fn(&T) -> bool) -> Option<T> {
    let (first, second) = if own_order { (ours, theirs) } else { (theirs, ours) };
    first.iter().copied().filter(|one| second.contains(one)).find(|one| fits(one))
}

fn old_extensions(hello: &ClientHello, takes: &Takes) -> Extensions {
    if hello.extensions.0.is_none() {
        return Extensions::default();
    }
    let mut list = Vec::new();
    for extension_type in takes.grants.iter().filter(|asked| hello.extensions.contains(**asked)) {
        let data = match *extension_type {
            ExtensionType::RENEGOTIATION_INFO => vec![0],
            ExtensionType::HEARTBEAT => vec![1],
            _ => Vec::new(),
        };
        list.push(Extension { extension_type: *extension_type, data });
    }
    let asked = hello.protocols();
    if let Some(protocol) = takes.protocols.iter().find(|one| asked.iter().any(|asked| asked == one.as_bytes())) {
        let value = ExtensionValue::Protocols(vec![protocol.as_bytes().to_vec()]);
        let alpn = ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
        list.push(Extension::new(alpn, &value).unwrap());
    }
    list.into()
}
