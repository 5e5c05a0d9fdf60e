//! Connections between other programs, overheard and decrypted: every version and every kind of key exchange and cipher
//! that can still be had. Both Finished messages and every signature must come out right.

use certkit::encoding::pem;
use certkit::key::PrivateKey;
use certkit::tls::code::{AlertDescription, CipherSuite, HandshakeType, NamedGroup, ProtocolVersion, SignatureScheme};
use certkit::tls::fingerprint::{Transport, ja4};
use certkit::tls::keys::{KeyLog, Side, SignedWith};

use crate::support::background::free_port;
use crate::support::wiretap::{Recording, Story, Wiretap, follow};
use crate::support::{Peer, Sandbox, peer};

/// What clients ask for.
const PAGE: &str = "GET / HTTP/1.0\r\n\r\n";
const TLS10: ProtocolVersion = ProtocolVersion::TLS1_0;
const TLS11: ProtocolVersion = ProtocolVersion::TLS1_1;
const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;

/// A folder with certificates for localhost: `rsa.pem`, `p256.pem`, `ed25519.pem`, each with its key.
pub(super) fn scene() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, algorithm) in [("rsa", "rsa:2048"), ("p256", "p256"), ("ed25519", "ed25519")] {
        let file = format!("{name}.pem");
        sandbox
            .certkit(&["new", "--cn", "localhost", "--type", algorithm, "--out", &file, "--keyout", &file])
            .expect_code(0);
    }
    sandbox
}

fn rsa_key(sandbox: &Sandbox) -> PrivateKey {
    let blocks = pem::read(&sandbox.read("rsa.pem"));
    let key = blocks.into_iter().flatten().find(|block| block.label == "PRIVATE KEY").unwrap();
    PrivateKey::from_pkcs8_der(&key.contents).unwrap()
}

/// `openssl s_server -www` and `s_client`, which asks for the page.
fn openssl(openssl: &Peer, sandbox: &Sandbox, cert: &str, server: &[&str], client: &[&str]) -> (Recording, KeyLog) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let fixed = ["s_server", "-www", "-accept", &address, "-cert", cert, "-key", cert];
    let mut background = sandbox.start(sandbox.program(&openssl.path).args(fixed).args(server));
    background.wait_for(port);
    let tap = Wiretap::on(port);
    _ = std::fs::remove_file(sandbox.path("keys.log"));
    let address = format!("127.0.0.1:{}", tap.port);
    let fixed = ["s_client", "-quiet", "-connect", &address, "-servername", "localhost", "-keylogfile", "keys.log"];
    let page = sandbox.program(&openssl.path).args(fixed).args(client).stdin(PAGE).run();
    let recording = tap.recording();
    let log = std::fs::read(sandbox.path("keys.log")).unwrap_or_default();
    let log = KeyLog::parse(&log);
    assert!(log.faults().is_empty(), "{:?}\n{page}", log.faults());
    (recording, log)
}

/// `gnutls-serv --http` and `gnutls-cli` with the same priorities.
fn gnutls(
    sandbox: &Sandbox,
    cert: &str,
    priorities: &str,
    client: &[&str],
    input: &str,
) -> Option<(Recording, KeyLog)> {
    let (serv, cli) = (peer("gnutls-serv")?, peer("gnutls-cli")?);
    let port = free_port();
    let fixed = ["--http", "--quiet", "--disable-client-cert", "--x509certfile", cert, "--x509keyfile", cert];
    let server = sandbox.program(&serv.path).args(fixed).args(["--port", &port.to_string(), "--priority", priorities]);
    let mut background = sandbox.start(server);
    background.wait_for(port);
    let tap = Wiretap::on(port);
    _ = std::fs::remove_file(sandbox.path("keys.log"));
    let fixed = ["--insecure", "--sni-hostname", "localhost", "--priority", priorities];
    let client = sandbox.program(&cli.path).args(fixed).args(client);
    let client = client.args(["--port", &tap.port.to_string(), "127.0.0.1"]);
    client.env("SSLKEYLOGFILE", sandbox.path("keys.log")).stdin(input).expect_code(0);
    let log = KeyLog::parse(&sandbox.read("keys.log"));
    assert!(log.faults().is_empty(), "{:?}", log.faults());
    Some((tap.recording(), log))
}

/// What every connection must show.
#[track_caller]
fn complete(story: &Story, version: ProtocolVersion, suite: &str) {
    assert_eq!(story.settled(), (version, CipherSuite::from_name(suite).unwrap()));
    assert_eq!(story.client_hello.as_ref().unwrap().server_name().as_deref(), Some("localhost"));
    let mut finished = story.finished.clone();
    finished.sort_by_key(|side| *side == Side::Server);
    assert_eq!(finished, [Side::Client, Side::Server]);
    assert!(story.client_data.starts_with(b"GET / HTTP/1.0\r\n"), "{suite}");
    assert!(story.server_data.starts_with(b"HTTP/1.0 200"), "{suite}");
}

#[test]
fn openssl_handshakes_of_every_version_are_decrypted_with_a_key_log() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let rsa_sha256 = Some(SignedWith::Scheme(SignatureScheme::RSA_PSS_RSAE_SHA256));
    let old = Some(SignedWith::Tls10Rsa);
    let cases = [
        (TLS10, "-tls1", "rsa.pem", "ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", old),
        (TLS10, "-tls1", "rsa.pem", "AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", None),
        (TLS10, "-tls1", "rsa.pem", "NULL-MD5", "TLS_RSA_WITH_NULL_MD5", None),
        (
            TLS10,
            "-tls1",
            "p256.pem",
            "ECDHE-ECDSA-AES256-SHA",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
            Some(SignedWith::Tls10Ecdsa),
        ),
        (TLS11, "-tls1_1", "rsa.pem", "DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", old),
        (TLS12, "-tls1_2", "rsa.pem", "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", None),
        (TLS12, "-tls1_2", "rsa.pem", "AES128-CCM8", "TLS_RSA_WITH_AES_128_CCM_8", None),
        (
            TLS12,
            "-tls1_2",
            "rsa.pem",
            "ECDHE-RSA-AES256-GCM-SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            rsa_sha256,
        ),
        (
            TLS12,
            "-tls1_2",
            "rsa.pem",
            "ECDHE-RSA-CHACHA20-POLY1305",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            rsa_sha256,
        ),
        (TLS12, "-tls1_2", "rsa.pem", "ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", rsa_sha256),
        (
            TLS12,
            "-tls1_2",
            "rsa.pem",
            "DHE-RSA-CAMELLIA256-SHA256",
            "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256",
            rsa_sha256,
        ),
        (
            TLS12,
            "-tls1_2",
            "ed25519.pem",
            "ECDHE-ECDSA-AES256-CCM",
            "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
            Some(SignedWith::Scheme(SignatureScheme::ED25519)),
        ),
    ];
    for (version, flag, cert, cipher, suite, signed) in cases {
        let cipher = format!("{cipher}:@SECLEVEL=0");
        for etm in [&[][..], &["-no_etm"]] {
            let options = [&[flag, "-cipher", &cipher], etm].concat();
            let (recording, log) = openssl(&program, &sandbox, cert, &options, &options);
            let story = follow(&recording, &log, None);
            complete(&story, version, suite);
            assert_eq!(story.key_exchange_signed, signed, "{suite}");
            assert_eq!(
                story.key_exchange_signed.is_some_and(SignedWith::is_broken),
                version < TLS12 && signed.is_some()
            );
            if !suite.contains("CBC") {
                break;
            }
        }
    }
}

#[test]
fn tls_1_3_is_decrypted_with_a_key_log_through_a_retry() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    for suite in [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ] {
        let (recording, log) = openssl(
            &program,
            &sandbox,
            "p256.pem",
            &["-ciphersuites", suite, "-groups", "P-384"],
            &["-ciphersuites", suite, "-groups", "X25519:P-384"],
        );
        let story = follow(&recording, &log, None);
        complete(&story, TLS13, suite);
        assert!(story.retried);
        assert_eq!(story.server_hello.as_ref().unwrap().group(), Some(NamedGroup::SECP384R1));
        let signed = SignedWith::Scheme(SignatureScheme::ECDSA_SECP256R1_SHA256);
        assert_eq!(story.certificate_verified, [(Side::Server, signed)]);
        assert!(story.messages.contains(&HandshakeType::NEW_SESSION_TICKET));
        assert!(story.alerts.iter().all(|alert| alert.description == AlertDescription::CLOSE_NOTIFY));
        let fingerprint = ja4(story.client_hello.as_ref().unwrap(), Transport::Tcp);
        assert!(fingerprint.starts_with("t13d"), "{fingerprint}");
    }
}

#[test]
fn a_client_proves_its_certificate_in_every_version() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    for (flag, version, suite, signed) in [
        ("-tls1", TLS10, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", SignedWith::Tls10Rsa),
        (
            "-tls1_2",
            TLS12,
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            SignedWith::Scheme(SignatureScheme::RSA_PSS_RSAE_SHA256),
        ),
        ("-tls1_3", TLS13, "TLS_AES_256_GCM_SHA384", SignedWith::Scheme(SignatureScheme::RSA_PSS_RSAE_SHA256)),
    ] {
        let options = [flag, "-cipher", "ECDHE+AESGCM:ECDHE+AES256:@SECLEVEL=0"];
        let server = [&options[..], &["-verify", "1", "-CAfile", "p256.pem"]].concat();
        let client = [&options[..], &["-cert", "rsa.pem", "-key", "rsa.pem"]].concat();
        let (recording, log) = openssl(&program, &sandbox, "rsa.pem", &server, &client);
        let story = follow(&recording, &log, None);
        complete(&story, version, suite);
        assert!(story.messages.contains(&HandshakeType::CERTIFICATE_REQUEST), "{flag}");
        assert!(story.certificate_verified.contains(&(Side::Client, signed)), "{:?}", story.certificate_verified);
    }
}

#[test]
fn the_servers_rsa_key_opens_what_was_encrypted_to_it() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let key = rsa_key(&sandbox);
    for (flag, version, cipher, suite) in [
        ("-tls1", TLS10, "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_1", TLS11, "CAMELLIA128-SHA", "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
        ("-tls1_2", TLS12, "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("-tls1_2", TLS12, "AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ] {
        let options = [flag, "-cipher", &format!("{cipher}:@SECLEVEL=0")];
        let (recording, log) = openssl(&program, &sandbox, "rsa.pem", &options, &options);
        // Once with the log, whose master secret is compared with the derived one, and once with the key alone.
        complete(&follow(&recording, &log, Some(&key)), version, suite);
        complete(&follow(&recording, &KeyLog::default(), Some(&key)), version, suite);
    }
}

#[test]
fn a_resumed_session_has_no_certificate_and_the_same_keys() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    // Tickets are the server's; both connections go to the same one.
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let fixed = ["s_server", "-www", "-accept", &address, "-cert", "rsa.pem", "-key", "rsa.pem"];
    let mut background = sandbox.start(sandbox.program(&program.path).args(fixed));
    background.wait_for(port);
    for (version, flag) in [(TLS12, "-tls1_2"), (TLS13, "-tls1_3")] {
        for session in ["-sess_out", "-sess_in"] {
            let tap = Wiretap::on(port);
            let address = format!("127.0.0.1:{}", tap.port);
            let fixed = ["s_client", "-quiet", "-connect", &address, "-servername", "localhost"];
            let client = sandbox.program(&program.path).args(fixed);
            let client = client.args(["-keylogfile", "keys.log", flag, session, "session.pem"]);
            client.stdin(PAGE).run();
            let log = KeyLog::parse(&sandbox.read("keys.log"));
            let story = follow(&tap.recording(), &log, None);
            assert_eq!(story.settled().0, version);
            assert_eq!(story.finished.len(), 2, "{session}");
            assert!(story.server_data.starts_with(b"HTTP/1.0 200"), "{session}");
            assert_eq!(story.messages.contains(&HandshakeType::CERTIFICATE), session == "-sess_out");
        }
    }
}

#[test]
fn ciphers_that_only_gnutls_still_has_are_decrypted() {
    let sandbox = scene();
    for (version, priorities, suite) in [
        (TLS10, "+VERS-TLS1.0:+RSA:+ARCFOUR-128:+MD5", "TLS_RSA_WITH_RC4_128_MD5"),
        (TLS10, "+VERS-TLS1.0:+ECDHE-RSA:+3DES-CBC:+SHA1", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
        (TLS11, "+VERS-TLS1.1:+DHE-RSA:+CAMELLIA-128-CBC:+SHA1", "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"),
        (TLS12, "+VERS-TLS1.2:+RSA:+ARCFOUR-128:+SHA1", "TLS_RSA_WITH_RC4_128_SHA"),
        (TLS12, "+VERS-TLS1.2:+RSA:+3DES-CBC:+SHA1:%NO_ETM", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
        (TLS12, "+VERS-TLS1.2:+RSA:+AES-128-CBC:+SHA256:%NO_SESSION_HASH", "TLS_RSA_WITH_AES_128_CBC_SHA256"),
        (TLS12, "+VERS-TLS1.2:+ECDHE-RSA:+AES-128-CCM:+AEAD:+AES-256-GCM", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        (TLS13, "+VERS-TLS1.3:+AES-128-CCM-8:+AEAD", "TLS_AES_128_CCM_8_SHA256"),
    ] {
        let priorities = format!("NONE:{priorities}:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:%VERIFY_ALLOW_SIGN_WITH_SHA1");
        let Some((recording, log)) = gnutls(&sandbox, "rsa.pem", &priorities, &[], PAGE) else { return };
        let story = follow(&recording, &log, Some(&rsa_key(&sandbox)));
        assert_eq!(story.settled(), (version, CipherSuite::from_name(suite).unwrap()));
        assert_eq!(story.finished.len(), 2, "{suite}");
        assert!(story.client_data.starts_with(b"GET / HTTP/1.0\r\n"), "{suite}");
        if priorities.contains("NO_SESSION_HASH") {
            let extended = certkit::tls::code::ExtensionType::EXTENDED_MASTER_SECRET;
            assert!(!story.server_hello.unwrap().extensions.contains(extended));
        }
    }
}

#[test]
fn records_after_a_key_update_are_decrypted_with_the_next_keys() {
    let sandbox = scene();
    let priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
    let input = format!("^rekey^\n{PAGE}");
    let Some((recording, log)) = gnutls(&sandbox, "p256.pem", priorities, &["--inline-commands"], &input) else {
        return;
    };
    let story = follow(&recording, &log, None);
    complete(&story, TLS13, "TLS_AES_256_GCM_SHA384");
    // The client's, and the answer it asked for.
    let updates = story.messages.iter().filter(|kind| **kind == HandshakeType::KEY_UPDATE).count();
    assert_eq!(updates, 2);
}
