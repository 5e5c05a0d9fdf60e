//! A stream of any octets gives the same records however it is cut, and holds no more than one of them; messages come out
//! of records alike.

#![no_main]

use certkit::tls::handshake::{Ssl2ClientHello, Ssl2ServerHello};
use certkit::tls::record::{Alert, HandshakeReader, RecordEvent, RecordReader, write_records};
use certkit_fuzz::{plant, target, tls};

target!(
    init: plant([
        [&[3][..], &tls::hello()].concat(),
        [&[100][..], &[22, 3, 3, 0, 2, 1, 0, 22, 3, 3, 0, 3, 0, 0, 0, 21, 3, 3, 0, 2, 2, 40]].concat(),
        vec![2, 0x80, 12, 1, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 5],
        [&[0x81][..], &tls::hello()].concat(),
    ]),
    |data: &[u8]| {
        let Some((&cut, stream)) = data.split_first() else { return };
        let whole = read(stream, stream.len().max(1));
        assert_eq!(read(stream, usize::from(cut & 0x7f) + 1), whole);
        let mut joined = HandshakeReader::new(1000);
        for event in &whole.0 {
            match event {
                RecordEvent::Record(record) => {
                    let mut again = record.header().to_vec();
                    again.extend(&record.fragment);
                    let start = record.offset as usize;
                    assert_eq!(again, stream[start..start + again.len()]);
                    if !record.fragment.is_empty() && record.fragment.len() <= 1 << 14 {
                        assert_eq!(write_records(record.content_type, record.version, &record.fragment), again);
                    }
                    let _ = Alert::decode_all(&record.fragment).map(|alerts| alerts[0].to_string());
                    joined.push(&record.fragment);
                    while let Ok(Some(message)) = joined.next() {
                        assert!(message.body().len() <= 1000);
                    }
                }
                RecordEvent::Ssl2 { message } => {
                    if let Ok(hello) = Ssl2ClientHello::decode(message) {
                        assert_eq!(hello.encode().unwrap()[2..], message[..]);
                        let _ = (hello.random(), hello.cipher_suites(), format!("{hello:?}"));
                    }
                    let _ = Ssl2ServerHello::decode(message);
                }
                RecordEvent::Damaged { .. } | RecordEvent::Found { .. } => unreachable!("nothing was missing"),
            }
        }
        if cut & 0x80 != 0 {
            lossy(stream, cut);
        }
    }
);

fn read(stream: &[u8], size: usize) -> (Vec<RecordEvent>, Option<String>) {
    let mut reader = RecordReader::new();
    let mut events = Vec::new();
    for piece in stream.chunks(size) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                // What is told of the first octets depends on how many were there.
                Err(error) => return (events, Some(error.offset.to_string())),
            }
        }
        assert!(reader.pending() < 5 + (1 << 14) + 2048 || reader.offset() == 0);
    }
    (events, None)
}

/// A stream of which pieces are missing.
fn lossy(stream: &[u8], cut: u8) {
    let mut reader = RecordReader::new();
    for (number, piece) in stream.chunks(usize::from(cut & 0x7f) + 1).enumerate() {
        match number % 3 == 2 {
            true => reader.missing(piece.len() as u64),
            false => reader.push(piece),
        }
        while let Ok(Some(event)) = reader.next() {
            if let RecordEvent::Record(record) = event {
                assert!(record.offset as usize + 5 + record.fragment.len() <= stream.len());
            }
        }
    }
}
