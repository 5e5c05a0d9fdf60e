//! Stands between a client and a server, and writes down what they say: captures without root.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use certkit::pcap::{CaptureWriter, Conversation, Format, LinkType, Side};
use time::OffsetDateTime;

use super::background::comes_true;

/// A port that leads to another, where everything is written down.
pub(crate) struct Tap {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// Something said: no bytes are the end.
struct Heard {
    at: OffsetDateTime,
    connection: u16,
    from: Side,
    bytes: Vec<u8>,
}

impl Tap {
    /// In front of a port of 127.0.0.1.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        // It ends with the process.
        thread::spawn(move || {
            for (client, connection) in listener.incoming().zip(0..) {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect((Ipv4Addr::LOCALHOST, server))) else {
                    continue;
                };
                copy(&client, &server, Side::Initiator, connection, &log);
                copy(&server, &client, Side::Responder, connection, &log);
            }
        });
        Self { port, heard }
    }

    /// What was said so far, as packets between 127.0.0.1 and `port` of 127.0.0.2. Waits until all have hung up.
    pub(crate) fn capture(&self, port: u16, format: Format, key_log: Option<&[u8]>) -> Vec<u8> {
        let all_have_hung_up = || {
            let heard = self.heard.lock().unwrap();
            let begun = heard.iter().map(|said| said.connection + 1).max().unwrap_or(0);
            let ended = heard.iter().filter(|said| said.bytes.is_empty()).count();
            begun > 0 && ended == usize::from(begun) * 2
        };
        assert!(comes_true(all_have_hung_up), "somebody has not hung up");
        let mut writer = CaptureWriter::new(Vec::new(), format, LinkType::ETHERNET).unwrap();
        if let Some(lines) = key_log {
            writer.key_log(lines).unwrap();
        }
        let mut conversations: Vec<Conversation> = Vec::new();
        for said in self.heard.lock().unwrap().iter() {
            if conversations.len() <= usize::from(said.connection) {
                let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000 + said.connection));
                let mut conversation = Conversation::new(client, SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port)));
                for frame in conversation.open() {
                    writer.packet(said.at, &frame).unwrap();
                }
                conversations.push(conversation);
            }
            let conversation = &mut conversations[usize::from(said.connection)];
            let frames = match said.bytes.is_empty() {
                true => vec![conversation.end(said.from)],
                false => conversation.send(said.from, &said.bytes),
            };
            for frame in frames {
                writer.packet(said.at, &frame).unwrap();
            }
        }
        writer.into_inner()
    }
}

fn copy(from: &TcpStream, to: &TcpStream, side: Side, connection: u16, log: &Arc<Mutex<Vec<Heard>>>) -> JoinHandle<()> {
    let (mut from, mut to, log) = (from.try_clone().unwrap(), to.try_clone().unwrap(), Arc::clone(log));
    let hear = move |bytes: &[u8]| {
        let heard = Heard { at: OffsetDateTime::now_utc(), connection, from: side, bytes: bytes.to_vec() };
        log.lock().unwrap().push(heard);
    };
    thread::spawn(move || {
        let mut buffer = [0; 32 << 10];
        loop {
            let count = from.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                break;
            }
            // Written down before it is passed on, so that no answer stands before its question.
            hear(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        hear(&[]);
        _ = to.shutdown(Shutdown::Write);
    })
}
