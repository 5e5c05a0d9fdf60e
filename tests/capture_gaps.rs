//! Recordings with holes: what is told is true, and what comes after a hole is read again.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use certkit::pcap::Side;
use certkit::tls::keys::KeyLog;
use certkit::tls::record::{RecordEvent, RecordReader};
use certkit::transcript::{Event, Options, Outcome, Protection, Recorder, Secrets, Sender, Transcript, Weight};
use rustls::pki_types::{PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use crate::support::forge::{Hierarchy, NOON};
use crate::support::random::Random;

/// What two sides said in a connection, and what opens it.
struct Talk {
    /// In turn: who, and what.
    said: Vec<(Side, Vec<u8>)>,
    key_log: String,
    /// What the server sent once the handshake was done.
    answer: Vec<u8>,
}

/// Writes down the secrets.
#[derive(Debug, Default)]
struct Log(Mutex<String>);

impl rustls::KeyLog for Log {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let hex = certkit::encoding::hex::encode;
        writeln!(self.0.lock().unwrap(), "{label} {} {}", hex(client_random), hex(secret)).unwrap();
    }
}

#[derive(Debug)]
struct Noon;

impl rustls::time_provider::TimeProvider for Noon {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(NOON.unix_timestamp()).unwrap();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

impl Talk {
    /// rustls with itself: a question, and an answer in records of all sizes.
    fn of(version: &'static rustls::SupportedProtocolVersion, suite: rustls::CipherSuite, random: &mut Random) -> Self {
        let hierarchy = Hierarchy::new();
        let leaf = hierarchy.server("www.example.com").sign(&hierarchy.intermediate.key);
        let chain = [&leaf, &hierarchy.intermediate.certificate].map(|one| one.der().to_vec().into()).to_vec();
        let key = PrivateKeyDer::Pkcs8(hierarchy.leaf_key.to_pkcs8_der().to_vec().into());
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.cipher_suites.retain(|one| one.suite() == suite);
        let provider = Arc::new(provider);
        let mut roots = RootCertStore::empty();
        roots.add(hierarchy.root.certificate.der().to_vec().into()).unwrap();
        let client = ClientConfig::builder_with_details(Arc::clone(&provider), Arc::new(Noon));
        let mut client =
            client.with_protocol_versions(&[version]).unwrap().with_root_certificates(roots).with_no_client_auth();
        let log = Arc::new(Log::default());
        client.key_log = Arc::<Log>::clone(&log);
        let server = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let server = server.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let name = ServerName::try_from("www.example.com").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let mut said = Vec::new();
        let mut passed = |client: &mut ClientConnection, server: &mut ServerConnection| loop {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client.write_tls(&mut one).unwrap();
            }
            feed(&one, |from| server.read_tls(from).map(|_| server.process_new_packets().map(drop).unwrap()));
            while server.wants_write() {
                server.write_tls(&mut other).unwrap();
            }
            feed(&other, |from| client.read_tls(from).map(|_| client.process_new_packets().map(drop).unwrap()));
            let silent = one.is_empty() && other.is_empty();
            let heard = [(Side::Initiator, one), (Side::Responder, other)];
            said.extend(heard.into_iter().filter(|(_, bytes)| !bytes.is_empty()));
            if silent {
                return;
            }
        };
        passed(&mut client, &mut server);
        std::io::Write::write_all(&mut client.writer(), b"GET / HTTP/1.1\r\n\r\n").unwrap();
        passed(&mut client, &mut server);
        let mut answer = Vec::new();
        for _ in 0..40 {
            let most = *random.pick(&[20, 2000, 16_000]);
            let lines = 1 + random.below(most / 10);
            let start = answer.len();
            (0..lines).for_each(|_| writeln_to(&mut answer));
            std::io::Write::write_all(&mut server.writer(), &answer[start..]).unwrap();
            passed(&mut client, &mut server);
            discard(&mut client);
        }
        server.send_close_notify();
        passed(&mut client, &mut server);
        let key_log = log.0.lock().unwrap().clone();
        Self { said, key_log, answer }
    }

    /// All that one side said.
    fn stream(&self, side: Side) -> Vec<u8> {
        self.said.iter().filter(|(from, _)| *from == side).flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    /// As it is told where these bytes of the server are missing.
    fn told(&self, missing: std::ops::Range<usize>, random: &mut Random) -> Transcript {
        let mut secrets = Secrets::default();
        secrets.add_key_log(KeyLog::parse(self.key_log.as_bytes()));
        let options =
            Options { application_data: 16 << 20, events: 10_000, secrets: secrets.into(), ..Options::default() };
        let mut recorder = Recorder::new(options);
        let mut at = 0;
        for (side, bytes) in &self.said {
            if *side == Side::Initiator {
                recorder.data(*side, NOON, bytes);
                continue;
            }
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let size = (1 + random.below(1460)).min(rest.len());
                let edge = [missing.start, missing.end].into_iter().find(|edge| *edge > at).unwrap_or(usize::MAX);
                let (piece, after) = rest.split_at(size.min(edge - at));
                match missing.contains(&at) {
                    true => recorder.missing(*side, NOON, piece.len() as u64),
                    false => recorder.data(*side, NOON, piece),
                };
                (rest, at) = (after, at + piece.len());
            }
        }
        recorder.finish().unwrap()
    }
}

/// Lines with numbers: no two places are alike.
fn writeln_to(answer: &mut Vec<u8>) {
    let place = answer.len();
    answer.extend(format!("{place:08}\n").bytes());
}

fn feed(mut bytes: &[u8], mut take: impl FnMut(&mut &[u8]) -> std::io::Result<()>) {
    while !bytes.is_empty() {
        take(&mut bytes).unwrap();
    }
}

fn discard(client: &mut ClientConnection) {
    let mut sink = [0; 4096];
    while std::io::Read::read(&mut client.reader(), &mut sink).is_ok_and(|count| count > 0) {}
}

/// Where the records of a stream begin, and where the last one ends.
fn places(stream: &[u8]) -> Vec<usize> {
    let mut reader = RecordReader::new();
    reader.push(stream);
    let mut places = Vec::new();
    while let Some(RecordEvent::Record(record)) = reader.next().unwrap() {
        places.push(usize::try_from(record.offset).unwrap());
    }
    places.push(stream.len());
    places
}

fn opened(told: &Transcript) -> impl Iterator<Item = &Event> {
    let is = |event: &&Event| event.kind == "ApplicationData" && event.from == Sender::Server;
    told.events.iter().filter(is).filter(|event| event.protection == Protection::Decrypted)
}

fn sorts() -> [(&'static rustls::SupportedProtocolVersion, rustls::CipherSuite); 4] {
    use rustls::CipherSuite as Suite;
    [
        (&rustls::version::TLS13, Suite::TLS13_AES_128_GCM_SHA256),
        (&rustls::version::TLS13, Suite::TLS13_CHACHA20_POLY1305_SHA256),
        (&rustls::version::TLS12, Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (&rustls::version::TLS12, Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ]
}

#[test]
fn whatever_is_missing_nothing_untrue_is_told_and_what_follows_is_opened() {
    let (mut random, seed) = Random::seeded(0x6a95);
    for (version, suite) in sorts() {
        let talk = Talk::of(version, suite, &mut random);
        let stream = talk.stream(Side::Responder);
        let places = places(&stream);
        let whole = talk.told(0..0, &mut random);
        assert_eq!((whole.summary.outcome, whole.summary.finished_verified), (Outcome::Completed, true));
        assert_eq!(opened(&whole).flat_map(|event| event.bytes.clone()).collect::<Vec<_>>(), talk.answer);
        for round in 0..60 {
            // Anywhere; a few bytes, or many records.
            let start = match round % 3 {
                0 => random.below(3000.min(stream.len())),
                _ => random.below(stream.len()),
            };
            let most = *random.pick(&[40, 3000, 60_000, stream.len()]);
            let end = (start + 1 + random.below(most)).min(stream.len());
            let told = talk.told(start..end, &mut random);
            let said = || format!("seed {seed}, {suite:?}, {start}..{end} of {}: {:#?}", stream.len(), told.summary);
            assert_ne!(told.summary.outcome, Outcome::Failed, "{}", said());
            let remarks = told.events.iter().flat_map(|event| &event.remarks);
            assert!(remarks.clone().all(|remark| remark.weight != Weight::Wrong), "{}", said());
            assert!(!told.summary.resumed, "{}", said());
            let mut rest = &talk.answer[..];
            for event in opened(&told) {
                let at = rest.windows(event.bytes.len()).position(|part| part == event.bytes);
                rest = &rest[at.unwrap_or_else(|| panic!("{}", said())) + event.bytes.len()..];
            }
            // The keys need the ServerHello; the last record is a close_notify, the one before it has the last bytes.
            let [.., last, _, _] = places[..] else { panic!() };
            if start >= places[1] && end <= last {
                assert!(rest.is_empty(), "{}\n{:#?}", said(), told.events.last());
                assert!(told.events.last().unwrap().headline.contains("close_notify"), "{}", said());
            }
        }
    }
}

#[test]
fn a_hole_is_told_with_the_number_of_records_in_it() {
    let mut random = Random(7);
    let [(version, suite), ..] = sorts();
    let talk = Talk::of(version, suite, &mut random);
    let places = places(&talk.stream(Side::Responder));
    let (first, after) = (places.len() - 12, places.len() - 5);
    let told = talk.told(places[first]..places[after], &mut random);
    let found = told.events.iter().find(|event| event.kind == "FoundAgain").unwrap();
    let lost = places[after] - places[first];
    assert_eq!(found.headline, format!("records are found again after {lost} bytes that cannot be read"));
    assert_eq!(found.remarks[0].text, "what follows opens: 7 records are missing before it under its keys");
}

#[test]
fn without_its_keys_or_with_others_nothing_is_opened_after_a_hole() {
    let mut random = Random(8);
    let [(version, suite), ..] = sorts();
    let mut talk = Talk::of(version, suite, &mut random);
    let places = places(&talk.stream(Side::Responder));
    let (first, after) = (places.len() - 12, places.len() - 5);
    // The server's application secret of another connection.
    let other = Talk::of(version, suite, &mut random).key_log;
    let secret = |log: &str| {
        let line = log.lines().find(|line| line.starts_with("SERVER_TRAFFIC_SECRET_0")).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    talk.key_log = talk.key_log.replace(&secret(&talk.key_log), &secret(&other));
    let told = talk.told(places[first]..places[after], &mut random);
    assert_eq!(opened(&told).count(), 0);
    assert!(told.events.iter().any(|event| event.kind == "FoundAgain" && event.fields.get("records").is_none()));
}
