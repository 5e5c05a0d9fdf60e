#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::{self, BufRead, Read, Write};

use super::*;

/// What the client's words end with, and the answer.
type Turns<'a> = [(&'static [u8], &'a [u8])];

/// A server that says these things, each once it has heard something ending as told.
struct Script {
    turns: Vec<(&'static [u8], Vec<u8>)>,
    heard: Vec<u8>,
    said: Vec<u8>,
}

impl Script {
    fn new(turns: &Turns<'_>) -> Self {
        let turns = turns.iter().rev().map(|(after, says)| (*after, says.to_vec())).collect();
        Self { turns, heard: Vec::new(), said: Vec::new() }
    }

    fn left(&self) -> usize {
        self.said.len()
    }
}

impl BufRead for Script {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.said.is_empty()
            && let Some((_, says)) = self.turns.pop_if(|(after, _)| self.heard.ends_with(after))
        {
            self.said = says;
        }
        Ok(&self.said)
    }

    fn consume(&mut self, count: usize) {
        self.said.drain(..count);
    }
}

impl Read for Script {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run(protocol: Protocol, turns: &Turns<'_>) -> Result<Script, StarttlsError> {
    let mut script = Script::new(turns);
    negotiate(protocol, &mut script, "[192.0.2.1]", "example.test").map(|()| script)
}

fn refusal(protocol: Protocol, turns: &Turns<'_>) -> String {
    run(protocol, turns).map(|_| ()).unwrap_err().to_string()
}

const LDAP_OK: &[u8] = &[0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
const LDAP_LONG: &[u8] = &[0x30, 0x84, 0, 0, 0, 16, 2, 1, 1, 0x78, 0x84, 0, 0, 0, 7, 10, 1, 0, 4, 0, 4, 0];

fn mysql_greeting(flags: u16) -> Vec<u8> {
    let [low, high] = flags.to_le_bytes();
    let body =
        [&b"\x0a8.0.36\0"[..], &[1, 0, 0, 0], b"abcdefgh", &[0, low, high], &[45, 2, 0, 0xff, 0xdf, 21]].concat();
    [&[body.len() as u8, 0, 0, 0][..], &body].concat()
}

#[test]
fn each_protocol_comes_to_the_point_where_tls_begins() {
    let mysql = mysql_greeting(0xffff);
    let cases: &[(Protocol, &Turns<'_>)] = &[
        (
            Protocol::Smtp,
            &[
                (b"", b"220-mail.test ESMTP\r\n220 hello\r\n"),
                (b"EHLO [192.0.2.1]\r\n", b"250-mail.test\r\n250-SIZE 1\r\n250-starttls\r\n250 HELP\r\n"),
                (b"STARTTLS\r\n", b"220 2.0.0 go ahead\r\n"),
            ],
        ),
        (
            Protocol::Imap,
            &[
                (b"", b"* OK [CAPABILITY IMAP4rev2] ready\r\n"),
                (b"c1 CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 StartTLS LOGINDISABLED\r\nc1 OK done\r\n"),
                (b"c2 STARTTLS\r\n", b"c2 OK begin\r\n"),
            ],
        ),
        (
            Protocol::Pop3,
            &[(b"", b"+OK ready\r\n"), (b"CAPA\r\n", b"+OK\r\nTOP\r\nSTLS\r\n.\r\n"), (b"STLS\r\n", b"+OK begin\r\n")],
        ),
        (Protocol::Pop3, &[(b"", b"+OK ready\r\n"), (b"CAPA\r\n", b"-ERR what?\r\n"), (b"STLS\r\n", b"+OK begin\r\n")]),
        (Protocol::Ftp, &[(b"", b"220-hello\r\n  there\r\n220 ftp\r\n"), (b"AUTH TLS\r\n", b"234 go\r\n")]),
        (Protocol::Ldap, &[(b"1.3.6.1.4.1.1466.20037", LDAP_OK)]),
        (Protocol::Ldap, &[(b"1.3.6.1.4.1.1466.20037", LDAP_LONG)]),
        (Protocol::Postgres, &[(&[0x16, 0x2f], b"S")]),
        (Protocol::Mysql, &[(b"", &mysql)]),
        (
            Protocol::Xmpp,
            &[
                (
                    b"streams'>",
                    b"<?xml version='1.0'?><stream:stream from='example.test' version='1.0'>\n<stream:features>\
                      <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
                ),
                (b"xmpp-tls'/>", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            ],
        ),
    ];
    for (protocol, turns) in cases {
        let script = run(*protocol, turns).unwrap();
        assert_eq!((script.left(), script.turns.len()), (0, 0), "{protocol:?}");
    }
    let asked = run(Protocol::Mysql, &[(b"", &mysql)]).unwrap().heard;
    assert_eq!(asked.len(), 36);
    assert_eq!(asked[..4], [32, 0, 0, 1]);
    assert_eq!(u32::from_le_bytes(asked[4..8].try_into().unwrap()) & 0x800, 0x800);
}

#[test]
fn a_server_without_tls_is_told_with_what_it_offers() {
    let error =
        run(Protocol::Smtp, &[(b"", b"220 hello\r\n"), (b"\r\n", b"250-mail\r\n250-SIZE 1000\r\n250 XSTARTTLS\r\n")])
            .map(|_| ())
            .unwrap_err();
    assert_eq!(error.to_string(), "the server offers no TLS: STARTTLS is not among its capabilities");
    assert_eq!(error.hint().unwrap(), "it offers SIZE 1000, XSTARTTLS");
    let imap = [(&b""[..], &b"* OK hi\r\n"[..]), (b"c1 CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1\r\nc1 OK x\r\n")];
    assert!(refusal(Protocol::Imap, &imap).contains(": STARTTLS is not among"));
    let pop3 = [(&b""[..], &b"+OK hi\r\n"[..]), (b"CAPA\r\n", b"+OK\r\nTOP\r\n.\r\n")];
    assert!(refusal(Protocol::Pop3, &pop3).contains(": STLS is not among"));
    assert!(refusal(Protocol::Mysql, &[(b"", &mysql_greeting(0xf7ff))]).contains(": CLIENT_SSL is not among"));
    let xmpp = [(&b"streams'>"[..], &b"<stream:stream><stream:features><bind/></stream:features>"[..])];
    assert!(refusal(Protocol::Xmpp, &xmpp).contains(": starttls is not among"));
    let none = [(&b"streams'>"[..], &b"<stream:stream><stream:features/>"[..])];
    assert!(refusal(Protocol::Xmpp, &none).contains(": starttls is not among"));
}

#[test]
fn a_refusal_is_told_in_the_servers_words() {
    for (protocol, turns, told) in [
        (Protocol::Smtp, &[(&b""[..], &b"554 5.7.1 go away\r\n"[..])][..], "refuses the connection: 554 5.7.1 go away"),
        (Protocol::Imap, &[(b"", b"* BYE overloaded\r\n")], "refuses TLS in its greeting: * BYE overloaded"),
        (Protocol::Imap, &[(b"", b"* PREAUTH as you\r\n")], "refuses TLS in its greeting: * PREAUTH as you"),
        (Protocol::Pop3, &[(b"", b"-ERR [SYS/TEMP] later\r\n")], "refuses the connection: -ERR [SYS/TEMP] later"),
        (Protocol::Ftp, &[(b"", b"220 x\r\n"), (b"AUTH TLS\r\n", b"502 no\r\n")], "refuses AUTH TLS: 502 no"),
        (Protocol::Postgres, &[(&[0x16, 0x2f], b"N")], "refuses TLS: N"),
        (Protocol::Postgres, &[(&[0x16, 0x2f], b"E\0\0\0\x09what!")], "refuses TLS: what!"),
        (Protocol::Mysql, &[(b"", b"\x0b\0\0\0\xff\x10\x04Too many")], "refuses the connection: Too many"),
        (
            Protocol::Ldap,
            &[(b"", &[0x30, 14, 2, 1, 1, 0x78, 9, 10, 1, 2, 4, 0, 4, 2, b'n', b'o'])],
            "refuses StartTLS: protocolError (2) no",
        ),
        (
            Protocol::Xmpp,
            &[(b"", b"<stream:stream><stream:error><host-unknown xmlns='x'/></stream:error>")],
            "refuses the stream: host-unknown",
        ),
        (
            Protocol::Xmpp,
            &[(
                b"",
                b"<stream:stream><stream:error><undefined-condition xmlns='x'/><text xmlns='x'>nothing to offer</text>\
                  </stream:error></stream:stream>",
            )],
            "refuses the stream: undefined-condition: nothing to offer",
        ),
    ] {
        let refused = refusal(protocol, turns);
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn another_protocol_is_named_where_it_is_known() {
    let error = run(Protocol::Imap, &[(b"", b"220 mail.test ESMTP Postfix\r\n")]).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "this is no IMAP server: it says \"220 mail.test ESMTP Postfix\"");
    assert_eq!(error.hint().unwrap(), "it sounds like SMTP: --starttls smtp");
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for protocol in Protocol::ALL {
        let told = refusal(protocol, &[(b"", http)]);
        assert!(told.contains("this is no "), "{protocol:?}: {told}");
    }
}

#[test]
fn a_server_that_closes_or_never_ends_is_left() {
    for protocol in Protocol::ALL {
        assert!(refusal(protocol, &[]).contains("closed the connection before"), "{protocol:?}");
    }
    let endless = |line: &str| line.repeat(2 + dialogue::MOST / line.len());
    for (protocol, says) in [
        (Protocol::Smtp, endless("220-x\r\n")),
        (Protocol::Imap, endless("*")),
        (Protocol::Pop3, endless("+")),
        (Protocol::Ftp, format!("220-x\r\n{}", endless("x\r\n"))),
        (Protocol::Xmpp, endless("<a>")),
    ] {
        assert!(refusal(protocol, &[(b"", says.as_bytes())]).contains("goes on for more than"), "{protocol:?}");
    }
    let long = [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], &[0; 99]].concat();
    assert!(refusal(Protocol::Ldap, &[(b"", &long)]).contains("goes on for more than"));
    assert!(refusal(Protocol::Mysql, &[(b"", &[0xff, 0xff, 0, 0, 10])]).contains("goes on for more than"));
}

#[test]
fn names_and_ports_are_known() {
    let ports = Protocol::ALL.map(|protocol| (protocol.name(), protocol.port()));
    let known = [
        ("smtp", 25),
        ("imap", 143),
        ("pop3", 110),
        ("ldap", 389),
        ("postgres", 5432),
        ("mysql", 3306),
        ("ftp", 21),
        ("xmpp", 5222),
    ];
    assert_eq!(ports, known);
}

#[test]
fn a_dialogue_that_is_cut_off_or_damaged_comes_to_an_end() {
    let mysql = mysql_greeting(0xffff);
    let whole: [(Protocol, &[u8]); 8] = [
        (Protocol::Smtp, b"220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n"),
        (Protocol::Imap, b"* OK x\r\n* CAPABILITY STARTTLS\r\nc1 OK x\r\nc2 OK x\r\n"),
        (Protocol::Pop3, b"+OK x\r\n+OK\r\nSTLS\r\n.\r\n+OK x\r\n"),
        (Protocol::Ftp, b"220 x\r\n234 x\r\n"),
        (Protocol::Ldap, LDAP_LONG),
        (Protocol::Postgres, b"S"),
        (Protocol::Mysql, &mysql),
        (Protocol::Xmpp, b"<stream:stream><stream:features><starttls/></stream:features><proceed/>"),
    ];
    for (protocol, says) in whole {
        assert!(run(protocol, &[(b"", says)]).is_ok(), "{protocol:?}");
        for cut in 0..says.len() {
            assert!(run(protocol, &[(b"", &says[..cut])]).is_err(), "{protocol:?} {cut}");
            let mut damaged = says.to_vec();
            for other in [0, 0x7f, 0xff, b'\n'] {
                damaged[cut] = other;
                // Whatever comes of it, something does.
                _ = run(protocol, &[(b"", &damaged)]);
            }
        }
    }
}
