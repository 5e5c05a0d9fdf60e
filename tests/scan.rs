//! `certkit::scan` against servers that take what they are told to take.

use std::time::Duration;

use certkit::encoding::pem;
use certkit::scan::{Grade, Options, Preference, RULES, Scan, ScanError, Severity, Support, VersionScan, scan};
use certkit::tls::code::{ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::support::Sandbox;
use crate::support::old_server::{OldServer, Refusal, Takes, open as open_port};

const SSL2: ProtocolVersion = ProtocolVersion::SSL2;
const SSL3: ProtocolVersion = ProtocolVersion::SSL3;
const TLS10: ProtocolVersion = ProtocolVersion::TLS1_0;
const TLS11: ProtocolVersion = ProtocolVersion::TLS1_1;
const TLS12: ProtocolVersion = ProtocolVersion::TLS1_2;
const TLS13: ProtocolVersion = ProtocolVersion::TLS1_3;

const GOOD: &[&str] = &["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"];

fn der(sandbox: &Sandbox, kind: &str) -> Vec<u8> {
    let files = ["--out", "cert.pem", "--keyout", "key.pem", "--force"];
    sandbox.certkit(&[&["new", "--cn", "localhost", "--type", kind], &files[..]].concat()).expect_code(0);
    pem::read(&sandbox.read("cert.pem")).into_iter().flatten().next().unwrap().contents.to_vec()
}

fn takes(versions: &[(ProtocolVersion, &[&'static str])]) -> Takes {
    let sandbox = Sandbox::new();
    Takes::new(versions, &der(&sandbox, "rsa:2048"), &der(&sandbox, "p256"))
}

fn options() -> Options {
    let mut options = Options::new(Some("localhost".to_owned()), [7; 32]);
    options.timeout = Duration::from_millis(1500);
    options.pauses = vec![Duration::from_millis(50), Duration::from_millis(200)];
    options
}

fn scanned(takes: Takes) -> (Scan, usize) {
    let server = OldServer::start(takes);
    let scan = scan(&|| server.open(), &options(), &|_| ()).unwrap();
    (scan, server.connections())
}

#[track_caller]
fn version(scan: &Scan, version: ProtocolVersion) -> &VersionScan {
    scan.versions.iter().find(|one| one.version == version).unwrap()
}

fn suites(version: &VersionScan) -> Vec<&'static str> {
    version.suites.iter().map(|found| found.suite.name().unwrap()).collect()
}

fn rules(scan: &Scan) -> Vec<&'static str> {
    scan.findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn every_version_suite_and_group_is_found_and_nothing_else() {
    let old = ["TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"];
    let middle =
        ["TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DH_anon_WITH_RC4_128_MD5"];
    let newest = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];
    let mut takes = takes(&[(SSL3, &old), (TLS10, &middle), (TLS11, &middle), (TLS12, GOOD), (TLS13, &newest)]);
    takes.ssl2 = true;
    takes.groups = vec![NamedGroup::X25519, NamedGroup::SECP160R1, NamedGroup::SECP256R1];
    let (scan, connections) = scanned(takes);
    assert_eq!(suites(version(&scan, SSL3)), old);
    assert_eq!(suites(version(&scan, TLS10)), middle);
    assert_eq!(suites(version(&scan, TLS11)), middle);
    assert_eq!(suites(version(&scan, TLS12)), GOOD);
    assert_eq!(suites(version(&scan, TLS13)), newest);
    let ssl2 = version(&scan, SSL2);
    assert_eq!(ssl2.supported, Support::Yes);
    assert_eq!(ssl2.ssl2_ciphers, ["SSL_CK_RC4_128_WITH_MD5", "SSL_CK_RC4_128_EXPORT40_WITH_MD5"]);
    for tls in [TLS10, TLS11, TLS13] {
        assert_eq!(version(&scan, tls).groups, [NamedGroup::X25519, NamedGroup::SECP160R1, NamedGroup::SECP256R1]);
    }
    assert!(version(&scan, SSL3).groups.is_empty());
    assert_eq!(
        version(&scan, TLS12).signature_schemes,
        [SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::RSA_PSS_RSAE_SHA256]
    );
    assert_eq!(scan.certificates.len(), 2);
    let rsa = scan.certificates.iter().find(|one| one.key.as_deref() == Some("RSA-2048")).unwrap();
    assert_eq!(rsa.versions, [SSL2, SSL3, TLS10, TLS11, TLS12]);
    let dhe = version(&scan, TLS10).suites.iter().find(|found| found.suite.0 == 0x0033).unwrap();
    assert_eq!((dhe.exchange_bits, dhe.prime.as_deref()), (Some(2048), None));
    assert_eq!(scan.grade, Grade::F);
    for rule in ["ssl-2", "ssl-3", "rc4", "export", "anonymous", "tls-1.0", "small-curve", "64-bit-blocks", "des"] {
        assert!(rules(&scan).contains(&rule), "{rule} is not among {:?}", rules(&scan));
    }
    assert_eq!(scan.connections, connections);
    assert_eq!(scan.incomplete, None);
}

#[test]
fn a_server_of_today_has_nothing_but_notes_and_costs_few_connections() {
    let mut takes = takes(&[(TLS12, GOOD), (TLS13, &["TLS_AES_128_GCM_SHA256"])]);
    takes.protocols = vec!["h2", "http/1.1"];
    let (scan, connections) = scanned(takes);
    assert_eq!(scan.grade, Grade::A);
    assert!(scan.findings.iter().all(|finding| finding.severity == Severity::Note), "{:?}", scan.findings);
    assert_eq!(rules(&scan), ["no-post-quantum-group"]);
    assert_eq!(scan.features.alpn.as_deref(), Some(&["h2".to_owned(), "http/1.1".to_owned()][..]));
    assert_eq!(scan.features.secure_renegotiation, Some(true));
    assert_eq!(scan.features.extended_master_secret, Some(true));
    assert_eq!(scan.features.downgrade_sentinel, Some(true));
    assert_eq!(scan.features.fallback_scsv, Some(true));
    assert_eq!(scan.features.hello_retry_request, Some(true));
    assert_eq!(scan.features.tolerates_grease, Some(true));
    assert_eq!(scan.features.tolerates_future_version, Some(true));
    assert_eq!(scan.features.tolerates_long_hello, Some(true));
    assert_eq!(scan.features.compression.as_deref(), Some("none"));
    assert_eq!(scan.features.session_ticket, Some(false));
    assert!(connections < 60, "{connections}");
}

#[test]
fn each_fault_breaks_its_rule_alone() {
    let base = takes(&[(TLS12, GOOD), (TLS13, &["TLS_AES_128_GCM_SHA256"])]);
    let (whole, _) = scanned(base.clone());
    let usual = rules(&whole);
    type Change = fn(&mut Takes);
    let faults: &[(&str, Grade, Change)] = &[
        ("insecure-renegotiation", Grade::C, |it| it.grants.retain(|one| *one != ExtensionType::RENEGOTIATION_INFO)),
        ("no-extended-master-secret", Grade::C, |it| {
            it.grants.retain(|one| *one != ExtensionType::EXTENDED_MASTER_SECRET);
        }),
        ("compression", Grade::C, |it| it.compresses = true),
        ("no-fallback-scsv", Grade::A, |it| it.heeds_fallback = false),
        ("no-downgrade-sentinel", Grade::B, |it| it.sentinel = false),
        ("reused-key-exchange", Grade::A, |it| it.reuses = true),
        ("heartbeat", Grade::A, |it| it.grants.push(ExtensionType::HEARTBEAT)),
        ("version-intolerance", Grade::B, |it| it.intolerant = true),
        ("broken-signature-taken", Grade::B, |it| it.schemes.push(SignatureScheme::RSA_PKCS1_SHA1)),
        ("broken-signature-preferred", Grade::C, |it| {
            it.versions[0].1 = vec!["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"];
            it.schemes = vec![SignatureScheme::RSA_PKCS1_SHA1];
        }),
        ("small-curve", Grade::C, |it| it.groups.push(NamedGroup::SECP192R1)),
        ("rsa-key-exchange", Grade::B, |it| it.versions[0].1.push("TLS_RSA_WITH_AES_128_GCM_SHA256")),
        ("static-key-exchange", Grade::B, |it| it.versions[0].1.push("TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256")),
        ("cbc", Grade::B, |it| it.versions[0].1.push("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256")),
        ("short-tag", Grade::A, |it| it.versions[0].1.push("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8")),
        ("null-encryption", Grade::F, |it| it.versions[0].1.push("TLS_ECDHE_RSA_WITH_NULL_SHA")),
        ("anonymous", Grade::F, |it| it.versions[0].1.push("TLS_DH_anon_WITH_AES_128_GCM_SHA256")),
        ("md5-mac", Grade::F, |it| it.versions[0].1.push("TLS_RSA_WITH_RC4_128_MD5")),
        ("abandoned-cipher", Grade::C, |it| it.versions[0].1.push("TLS_RSA_WITH_IDEA_CBC_SHA")),
        ("64-bit-blocks", Grade::C, |it| it.versions[0].1.push("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA")),
        ("dh-1024", Grade::F, |it| {
            it.versions[0].1.push("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
            it.prime = vec![0xc7; 128];
        }),
        ("finite-field-dhe", Grade::B, |it| {
            it.versions[0].1.push("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
            it.prime = vec![0xc7; 256];
        }),
        ("dh-2048", Grade::C, |it| {
            it.versions[0].1.push("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
            it.prime = vec![0xc7; 192];
        }),
        ("forward-secrecy-not-preferred", Grade::C, |it| {
            it.versions[0].1.insert(0, "TLS_RSA_WITH_AES_128_GCM_SHA256");
        }),
        ("no-tls-1.3", Grade::B, |it| _ = it.versions.pop()),
        ("no-tls-1.2-or-1.3", Grade::C, |it| {
            it.versions = vec![(TLS11, vec!["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"])];
        }),
        ("no-forward-secrecy-at-all", Grade::C, |it| {
            it.versions = vec![(TLS12, vec!["TLS_RSA_WITH_AES_128_GCM_SHA256"])];
        }),
        ("tls-1.1", Grade::C, |it| it.versions.push((TLS11, vec!["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"]))),
        ("cbc-in-tls-1.0", Grade::C, |it| it.versions.push((TLS10, vec!["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"]))),
        ("clients-order", Grade::B, |it| {
            it.own_order = false;
            it.versions[0].1.push("TLS_RSA_WITH_AES_128_GCM_SHA256");
        }),
    ];
    for (rule, grade, change) in faults {
        assert!(!usual.contains(rule), "{rule}");
        let mut takes = base.clone();
        change(&mut takes);
        let (scan, _) = scanned(takes);
        assert!(rules(&scan).contains(rule), "{rule} is not among {:?}", rules(&scan));
        assert_eq!(scan.grade, *grade, "{rule}: {:?}", rules(&scan));
    }
    // These take a server of SSL, old certificates or DES, which other tests have.
    let elsewhere = [
        "ssl-2",
        "ssl-3",
        "export",
        "des",
        "rc4",
        "tls-1.0",
        "small-certificate-key",
        "broken-certificate-signature",
        "no-post-quantum-group",
    ];
    let tested: Vec<&str> = faults.iter().map(|(rule, ..)| *rule).chain(elsewhere).collect();
    for rule in RULES {
        assert!(tested.contains(&rule.name), "{} is not tested", rule.name);
    }
}

#[test]
fn a_servers_order_is_told_from_a_clients() {
    let four = &[
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
    ];
    for (own_order, preference) in [(true, Preference::Server), (false, Preference::Client)] {
        let mut takes = takes(&[(TLS12, four)]);
        takes.own_order = own_order;
        let (scan, _) = scanned(takes);
        let found = version(&scan, TLS12);
        assert_eq!(found.suite_preference, Some(preference));
        assert_eq!(found.group_preference, Some(preference));
        let mut names = suites(found);
        if !own_order {
            names.sort_unstable();
        }
        let mut expected = four.to_vec();
        if !own_order {
            expected.sort_unstable();
        }
        assert_eq!(names, expected);
    }
}

#[test]
fn a_refusal_without_a_word_is_a_refusal_while_the_server_is_well() {
    for refusal in [Refusal::Close, Refusal::Silence] {
        let mut takes = takes(&[(TLS12, GOOD)]);
        takes.refusal = refusal;
        let server = OldServer::start(takes);
        let mut options = options();
        options.timeout = Duration::from_millis(400);
        options.parallel = 8;
        let scan = scan(&|| server.open(), &options, &|_| ()).unwrap();
        assert_eq!(suites(version(&scan, TLS12)), GOOD);
        assert_eq!(version(&scan, TLS13).supported, Support::No);
        assert_eq!(version(&scan, SSL3).supported, Support::No);
        assert_eq!(scan.incomplete, None);
        let said = version(&scan, TLS13).refusal.as_deref().unwrap();
        assert!(["it closes the connection", "it says nothing"].contains(&said), "{said}");
    }
}

#[test]
fn a_server_that_stumbles_now_and_then_is_asked_again() {
    for each in [4, 5, 7, 9, 11] {
        let mut takes = takes(&[(TLS12, GOOD), (TLS10, &["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"])]);
        takes.stumbles_each = each;
        let server = OldServer::start(takes);
        let scan = scan(&|| server.open(), &options(), &|_| ()).unwrap();
        assert_eq!(scan.incomplete, None, "{each}");
        assert_eq!(suites(version(&scan, TLS12)), GOOD, "{each}");
        assert_eq!(suites(version(&scan, TLS10)), ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"], "{each}");
    }
}

#[test]
fn a_server_that_dies_is_told_and_nothing_of_it_is_taken_for_a_refusal() {
    let mut takes = takes(&[(TLS12, GOOD), (TLS10, &["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"])]);
    takes.dies_after = 3;
    let (scan, connections) = scanned(takes);
    let why = scan.incomplete.unwrap();
    assert!(why.contains("the server did not answer what it had answered before"), "{why}");
    assert!(scan.versions.iter().all(|one| one.supported != Support::No || one.refusal.is_some()));
    assert!(scan.versions.iter().any(|one| one.supported == Support::Unknown));
    assert!(connections < 40, "{connections}");
}

#[test]
fn the_bound_of_connections_holds_and_is_told() {
    let server = OldServer::start(takes(&[(TLS12, GOOD), (TLS13, &["TLS_AES_128_GCM_SHA256"])]));
    let mut options = options();
    options.connections = 10;
    let scan = scan(&|| server.open(), &options, &|_| ()).unwrap();
    assert_eq!(scan.connections, 10);
    assert!(server.connections() <= 10);
    assert_eq!(scan.incomplete.as_deref(), Some("it stopped at 10 connections, which is the bound"));
}

#[test]
fn a_server_that_chokes_on_long_lists_is_asked_in_short_ones() {
    let mut takes = takes(&[(TLS12, &[GOOD[0], GOOD[1], "TLS_RSA_WITH_RC4_128_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"])]);
    takes.most_suites = 60;
    let (scan, _) = scanned(takes);
    let found = version(&scan, TLS12);
    assert_eq!(suites(found), [GOOD[0], GOOD[1], "TLS_RSA_WITH_RC4_128_SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"]);
    assert!(
        found.remarks.iter().any(|remark| remark.contains("is not answered, one with 48 is")),
        "{:?}",
        found.remarks
    );
}

#[test]
fn who_does_not_speak_tls_or_does_not_listen_is_told_apart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            use std::io::{Read, Write};
            _ = stream.read(&mut [0; 4096]);
            _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let open = || open_port(port);
    let Err(ScanError::NotTls(what)) = scan(&open, &options(), &|_| ()) else { panic!() };
    assert!(what.contains("HTTP"), "{what}");
    let ran = Sandbox::new().certkit(&["connect", &format!("127.0.0.1:{port}"), "--scan"]).expect_code(2);
    ran.complains("looks like an HTTP answer").complains("hint: it is a port for plain HTTP");
    let closed = crate::support::background::free_port();
    let open = || open_port(closed);
    assert!(matches!(scan(&open, &options(), &|_| ()), Err(ScanError::Unreachable(_))));
    let refuses = OldServer::start(takes(&[(ProtocolVersion(0x0305), GOOD)]));
    let Err(ScanError::Silent(why)) = scan(&|| refuses.open(), &options(), &|_| ()) else { panic!() };
    assert!(why.contains("handshake_failure"), "{why}");
}

#[test]
fn the_command_says_what_was_found_and_its_exit_status_goes_by_the_grade() {
    let sandbox = Sandbox::new();
    let scan = |takes: Takes, code: i32| {
        let server = OldServer::start(takes);
        let address = format!("127.0.0.1:{}", server.port);
        sandbox.certkit(&["connect", &address, "--scan", "--timeout", "2s"]).expect_code(code)
    };
    let good = takes(&[(TLS12, GOOD), (TLS13, &["TLS_AES_128_GCM_SHA256"])]);
    let told = scan(good.clone(), 0);
    for line in [
        "grade A",
        "TLS 1.2  yes",
        "SSL 3.0  no   alert fatal handshake_failure",
        "0xc02b TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "groups  x25519, secp256r1",
        "key      RSA-2048",
        "secure renegotiation",
        "no-post-quantum-group",
    ] {
        assert!(told.stdout.contains(line), "{line}\n{told}");
    }
    let mut weak = good.clone();
    weak.compresses = true;
    scan(weak, 1).says("weak    compression: records should not be compressed: CRIME");
    let mut dying = good;
    dying.dies_after = 4;
    let told = scan(dying, 2);
    assert!(told.stdout.contains("not finished: after"), "{told}");
    told.complains("cannot finish the scan of 127.0.0.1:");
}

#[test]
fn the_rules_are_shown_with_their_clauses_and_grades() {
    let sandbox = Sandbox::new();
    let rules = sandbox.certkit(&["connect", "--scan-rules", "--json"]).expect_code(0).json();
    let rules = rules["rules"].as_array().unwrap();
    assert_eq!(rules.len(), RULES.len());
    let rc4 = rules.iter().find(|rule| rule["rule"] == "rc4").unwrap();
    assert_eq!((rc4["severity"].as_str(), rc4["grade"].as_str()), (Some("broken"), Some("F")));
    assert_eq!(rc4["clause"], "RFC 7465 §2");
    sandbox.certkit(&["connect", "--scan-rules"]).expect_code(0).says("rc4");
    let severities: Vec<Severity> = RULES.iter().map(|rule| rule.severity).collect();
    assert!(severities.is_sorted(), "the gravest come first");
}

#[test]
fn flags_of_a_scan_need_a_scan() {
    let sandbox = Sandbox::new();
    for flags in [&["--parallel", "2"][..], &["--max-connections", "20"]] {
        sandbox.certkit(&[&["connect", "localhost"], flags].concat()).expect_code(2).complains("--scan");
    }
    let useless: [&[&str]; 8] = [
        &["--explain"],
        &["--roots", "ca.pem"],
        &["--policy", "tls"],
        &["--save-chain", "chain.pem"],
        &["--http", "GET", "/"],
        &["--tls", "1.3"],
        &["--crl", "list.pem"],
        &["--resume"],
    ];
    for flags in useless {
        let told = sandbox.certkit(&[&["connect", "localhost", "--scan"], flags].concat()).expect_code(2);
        told.complains("cannot be used with");
    }
    sandbox.certkit(&["connect", "localhost", "--scan-rules"]).expect_code(2).complains("cannot be used with");
    sandbox.certkit(&["connect"]).expect_code(2).complains("HOST[:PORT]");
    let nobody = crate::support::background::free_port();
    sandbox
        .certkit(&["connect", &format!("127.0.0.1:{nobody}"), "--scan"])
        .expect_code(2)
        .complains("connection refused");
    sandbox
        .certkit(&["connect", "127.0.0.1:1", "--scan", "--diff", "nowhere.json"])
        .expect_code(2)
        .complains("nowhere.json: no such file");
}
