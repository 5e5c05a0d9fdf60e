//! `certkit connect --starttls`: dialogues before TLS, told with what follows, and those that lead nowhere.

use crate::connect::Place;
use crate::support::tls_server::{Dialogue, TlsServer, on_port, say};

const SMTP: Dialogue = &[
    (b"", b"220 mail.test ESMTP\r\n"),
    (b"EHLO [127.0.0.1]\r\n", b"250-mail.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"),
    (b"STARTTLS\r\n", b"220 go ahead\r\n"),
];

/// Protocol, its title in the story, and what its server says.
const PROTOCOLS: [(&str, &str, Dialogue); 8] = [
    ("smtp", "SMTP", SMTP),
    (
        "imap",
        "IMAP",
        &[
            (b"", b"* OK ready\r\n"),
            (b"CAPABILITY\r\n", b"* CAPABILITY IMAP4rev2 STARTTLS\r\nc1 OK\r\nc1 OK done\r\n"),
            (b"c2 STARTTLS\r\n", b"c2 OK begin\r\n"),
        ],
    ),
    (
        "pop3",
        "POP3",
        &[(b"", b"+OK ready\r\n"), (b"CAPA\r\n", b"+OK\r\nSTLS\r\n.\r\n"), (b"STLS\r\n", b"+OK begin\r\n")],
    ),
    ("ldap", "LDAP", &[(b"1.3.6.1.4.1.1466.20037", &[0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0])]),
    ("postgres", "PostgreSQL", &[(&[4, 0xd2, 0x16, 0x2f], b"S")]),
    (
        "mysql",
        "MySQL",
        &[
            (b"", b"\x1c\0\0\0\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\xdf"),
            // The last octets of SSLRequest: nothing is said to it.
            (&[0; 23], b""),
        ],
    ),
    ("ftp", "FTP", &[(b"", b"220-hello\r\n220 ready\r\n"), (b"AUTH TLS\r\n", b"234 go\r\n")]),
    (
        "xmpp",
        "XMPP",
        &[
            (
                b"http://etherx.jabber.org/streams'>",
                b"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>\
                  <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
            ),
            (b"xmpp-tls'/>", b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ],
    ),
];

#[test]
fn every_dialogue_leads_to_tls_and_is_told() {
    let place = Place::new();
    for (protocol, title, before) in PROTOCOLS {
        // TLS answers begin only after a ClientHello, so the ports are those of servers that speak first.
        let port = TlsServer { before, ..place.server() }.start();
        let told = place.connect(port, &["--starttls", protocol, "--json"]).expect_code(0).json();
        assert_eq!((&told["starttls"], &told["accepted"]), (&protocol.into(), &true.into()));
        assert!(told["steps"]["starttls_ms"].as_f64().unwrap() > 0.0, "{protocol}");
        let first = &told["events"][0];
        assert_eq!(first["kind"], "Plaintext", "{protocol}");
        assert_eq!(first["headline"], format!("{title}, which goes over to TLS"));
        assert_eq!(told["events"][1]["kind"], "ClientHello", "{protocol}");
        assert_eq!(told["summary"]["finished_verified"], true, "{protocol}");
    }
}

#[test]
fn a_dialogue_is_recorded_with_what_follows() {
    let place = Place::new();
    let port = TlsServer { before: SMTP, ..place.server() }.start();
    let files = ["--save-pcap", "mail.pcap", "--key-log", "keys.txt"];
    place.connect(port, &[&["--starttls", "smtp"][..], &files].concat()).expect_code(0).says("SMTP, agreed in");
    let read =
        place.sandbox.certkit(&["capture", "mail.pcap", "--key-log", "keys.txt", "--json"]).expect_code(0).json();
    assert_eq!(read["connections"][0]["events"][0]["headline"], "SMTP, which goes over to TLS");
    assert_eq!(read["connections"][0]["summary"]["finished_verified"], true);
}

#[test]
fn sessions_are_resumed_after_a_dialogue_too() {
    let place = Place::new();
    let port = TlsServer { before: SMTP, ..place.server() }.start();
    let told = place.connect(port, &["--starttls", "smtp", "--resume", "--json"]).expect_code(0).json();
    assert_eq!(told["resumption"]["resumed"], true);
}

#[test]
fn a_server_without_tls_could_not_be_asked() {
    let place = Place::new();
    let says = |dialogue: Dialogue| {
        on_port(move |mut stream| {
            _ = say(&mut stream, dialogue);
            // Until the client leaves.
            _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
        })
    };
    let plain = says(&[(b"", b"220 mail.test ESMTP\r\n"), (b"\r\n", b"250-mail.test\r\n250 SIZE 1000\r\n")]);
    let ran = place.connect(plain, &["--starttls", "smtp"]).expect_code(2);
    let told = format!("SMTP at localhost:{plain} does not go over to TLS: the server offers no TLS: STARTTLS is not");
    assert!(ran.stderr.contains(&told) && ran.stderr.contains("hint: it offers SIZE 1000"), "{ran}");

    let refuses = says(&[(b"", b"220 ftp\r\n"), (b"AUTH TLS\r\n", b"502 not here\r\n")]);
    place.connect(refuses, &["--starttls", "ftp"]).expect_code(2).complains("refuses AUTH TLS: 502 not here");

    let other = says(&[(b"", b"* OK IMAP here\r\n")]);
    place.connect(other, &["--starttls", "smtp"]).expect_code(2).complains("hint: it sounds like IMAP");

    let silent = says(&[(b"never", b"")]);
    let ran = place.connect(silent, &["--starttls", "smtp", "--timeout", "1s"]).expect_code(2);
    assert!(ran.stderr.contains("its greeting did not come in time"), "{ran}");
    assert!(ran.stderr.contains("leave --starttls out"), "{ran}");
}

#[test]
fn what_is_slipped_in_before_tls_is_not_taken_for_a_part_of_it() {
    let place = Place::new();
    let injects = on_port(|mut stream| {
        let before = &SMTP[..2];
        _ = say(&mut stream, before);
        _ = say(&mut stream, &[(b"STARTTLS\r\n", b"220 go ahead\r\n250 you are somebody else\r\n")]);
        _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
    });
    let ran = place.connect(injects, &["--starttls", "smtp"]).expect_code(2);
    assert!(ran.stderr.contains("bytes came after the server's consent and before TLS"), "{ran}");
}

#[test]
fn help_lists_the_protocols() {
    let place = Place::new();
    let ran = place.sandbox.certkit(&["connect", "--help"]).expect_code(0);
    for (protocol, _, _) in PROTOCOLS {
        assert!(ran.stdout.contains(&format!("- {protocol}")), "{protocol}\n{}", ran.stdout);
    }
    place.connect(1, &["--starttls", "gopher"]).expect_code(2).complains("possible values: smtp");
}
