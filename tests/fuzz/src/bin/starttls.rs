//! Whatever a server says before TLS, the dialogue ends: with TLS or with a reason, and within its bounds.

#![no_main]

use std::io::{BufRead, Read, Write};

use certkit::connect::http::{Request, Response};
use certkit::dial::{Protocol, starttls};
use certkit_fuzz::{plant, target};

/// Says these bytes, and hears anything.
struct Server<'a> {
    says: &'a [u8],
    heard: usize,
}

impl Read for Server<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.says.read(into)
    }
}

impl BufRead for Server<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        Ok(self.says)
    }

    fn consume(&mut self, count: usize) {
        self.says = &self.says[count..];
    }
}

impl Write for Server<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.heard += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// More than any dialogue may take.
const MOST: usize = 16 << 10;

target!(
    init: plant(seeds()),
    |data: &[u8]| {
        let Some((first, says)) = data.split_first() else { return };
        let protocol = Protocol::ALL[usize::from(*first) % Protocol::ALL.len()];
        let mut server = Server { says, heard: 0 };
        let ended = starttls::negotiate(protocol, &mut server, "[192.0.2.1]", "example.test");
        assert!(says.len() - server.says.len() <= MOST && server.heard < 1024);
        if let Err(error) = ended {
            assert!(!error.to_string().is_empty());
            let _ = error.hint();
        }
        let request = Request::new("GET", "/", "example.test").unwrap();
        // What is known of a response before its end is known at its end.
        let early = Response::read(says, false, &request);
        let late = Response::read(says, true, &request);
        assert!(late.is_some());
        if early.is_some() {
            assert_eq!(early, late);
        }
    }
);

fn seeds() -> Vec<Vec<u8>> {
    let seed = |protocol: u8, says: &[u8]| [&[protocol], says].concat();
    vec![
        seed(0, b"220 mail ESMTP\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n"),
        seed(1, b"* OK hi\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\nc1 OK done\r\nc2 OK begin\r\n"),
        seed(2, b"+OK hi\r\n+OK\r\nSTLS\r\n.\r\n+OK begin\r\n"),
        seed(3, &[0x30, 0x84, 0, 0, 0, 16, 2, 1, 1, 0x78, 0x84, 0, 0, 0, 7, 10, 1, 0, 4, 0, 4, 0]),
        seed(4, b"S"),
        seed(5, b"\x1c\0\0\0\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xdf"),
        seed(6, b"220-hello\r\n220 ready\r\n234 go\r\n"),
        seed(7, b"<?xml version='1.0'?><stream:stream><stream:features><starttls/></stream:features><proceed/>"),
        seed(
            0,
            b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        seed(0, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    ]
}
