//! `certkit inspect` from outside: any file, said in full, in one line, or as JSON.

use crate::support::{Sandbox, peer, python};

const LEAF: &str = include_str!("data/inspect/rich.pem");
const INTERMEDIATE: &str = include_str!("data/inspect/inter.pem");
const ROOT: &str = include_str!("data/inspect/root.pem");
const LIST: &str = include_str!("data/inspect/list.crl");
const REQUEST: &str = include_str!("data/inspect/request.csr");

#[test]
fn a_bundle_is_shown_block_by_block() {
    let sandbox = Sandbox::new();
    sandbox.write("bundle.pem", [LEAF, INTERMEDIATE, ROOT].concat());
    let ran = sandbox.certkit(&["inspect", "bundle.pem"]).expect_code(0);
    for wanted in [
        "block 1  certificate  rich.example.test\n",
        "block 3  certificate  Fjord Root\n",
        "  role       self-signed CA, path length 1\n",
        "    keyUsage                        digitalSignature, keyAgreement (critical)\n",
        "blocks 1 to 3 are a chain in order, up to its root",
    ] {
        assert!(ran.stdout.contains(wanted), "lacks {wanted:?}\n{ran}");
    }
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 130), "{ran}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn short_is_one_line_a_block_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("bundle.pem", [INTERMEDIATE, LIST, REQUEST].concat());
    let ran = sandbox.certkit(&["inspect", "--short", "bundle.pem"]).expect_code(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let second = INTERMEDIATE.lines().count() + 1;
    assert_eq!(lines.len(), 3, "{ran}");
    assert!(lines[0].starts_with("bundle.pem:1  certificate  Fjord Issuing  CA  P-256  expires in "), "{ran}");
    assert!(lines[1].starts_with(&format!("bundle.pem:{second}  revocation list  CN=Fjord Issuing  25 revoked")));
    assert!(lines[2].ends_with("certification request  request.example.test  P-256  proof of possession"), "{ran}");
}

#[test]
fn json_is_an_array_of_files() {
    let sandbox = Sandbox::new();
    sandbox.write("bundle.pem", [LEAF, LIST].concat());
    sandbox.write("request.pem", REQUEST);
    let json = sandbox.certkit(&["inspect", "bundle.pem", "request.pem", "--json"]).expect_code(0).json();
    let blocks = &json[0]["blocks"];
    assert_eq!((json.as_array().unwrap().len(), &json[0]["encoding"]), (2, &"pem".into()));
    assert_eq!(blocks[0]["kind"], "certificate");
    assert_eq!(blocks[0]["validity"]["not_after"], "2027-02-20T15:46:44Z");
    assert_eq!(blocks[0]["extensions"][0]["value"]["ca"], false);
    assert_eq!((&blocks[1]["kind"], &blocks[1]["number"]), (&"revocation_list".into(), &"42".into()));
    assert_eq!(blocks[1]["entries"].as_array().unwrap().len(), 25);
    assert_eq!(json[1]["blocks"][0]["proof_of_possession"], true);
    assert_eq!(json[1]["remarks"].as_array().unwrap().len(), 0);
}

/// Scripts depend on these names; to change one is to break them.
#[test]
fn json_answers_have_these_members() {
    let sandbox = Sandbox::new();
    sandbox.write("all.pem", [LEAF, LIST, REQUEST].concat());
    let json = sandbox.certkit(&["inspect", "all.pem", "--json"]).expect_code(0).json();
    let members =
        |value: &serde_json::Value| value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    assert_eq!(members(&json[0]), "file encoding blocks remarks");
    let [certificate, list, request] = json[0]["blocks"].as_array().unwrap().as_slice() else { panic!() };
    assert_eq!(
        members(certificate),
        "block line label kind display_name version serial subject issuer names validity public_key \
         signature_algorithm ca path_len self_signed fingerprints extensions remarks"
    );
    assert_eq!(members(&certificate["validity"]), "not_before not_after days state words");
    assert_eq!(
        members(list),
        "block line label kind issuer number this_update next_update stale words signature_algorithm count extensions \
         entries"
    );
    assert_eq!(members(&list["entries"][0]), "serial revoked_at reason");
    assert_eq!(
        members(request),
        "block line label kind subject names public_key signature_algorithm proof_of_possession possession_problem \
         extensions attributes"
    );
    assert_eq!(members(&certificate["extensions"][0]), "name oid critical value");
}

#[test]
fn a_damaged_block_is_shown_and_the_answer_is_no() {
    let sandbox = Sandbox::new();
    let cut: String = INTERMEDIATE.lines().take(5).map(|line| format!("{line}\n")).collect();
    sandbox.write("bundle.pem", [LEAF, &cut].concat());
    let ran = sandbox.certkit(&["inspect", "bundle.pem"]).expect_code(1).says("rich.example.test");
    assert!(ran.stdout.contains("damage  it has no END line: the file is cut short or damaged"), "{ran}");
    let json = sandbox.certkit(&["inspect", "bundle.pem", "--json"]).expect_code(1).json();
    assert_eq!(json[0]["blocks"][1]["kind"], "malformed");
    assert_eq!(json[0]["blocks"][1]["line"], LEAF.lines().count() + 1);
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    sandbox.write("leaf.pem", LEAF);
    sandbox.write("notes.txt", "not a certificate");
    let args = ["inspect", "missing.pem", "notes.txt", "leaf.pem"];
    let ran = sandbox.certkit(&args).expect_code(2).says("rich.example.test");
    let wanted = "certkit: cannot read missing.pem: no such file\n\
                  certkit: cannot inspect notes.txt: it holds neither PEM nor DER: it looks like text without a BEGIN line\n";
    assert_eq!(ran.stderr, wanted);
    let json = sandbox.command().args(args).arg("--json").expect_code(2).json();
    assert_eq!(json[0]["error"], "cannot read missing.pem: no such file");
    assert_eq!(json[2]["blocks"][0]["kind"], "certificate");
}

#[test]
fn stdin_is_read() {
    let sandbox = Sandbox::new();
    sandbox.command().args(["inspect", "-"]).stdin(LEAF).expect_code(0).says("rich.example.test");
    let ran = sandbox.command().args(["inspect", "-"]).stdin("x").expect_code(2);
    assert!(ran.stderr.starts_with("certkit: cannot inspect stdin: "), "{ran}");
}

#[test]
fn unreadable_input_is_one_line_and_2() {
    let sandbox = Sandbox::new();
    sandbox.write("empty", "");
    sandbox.write("garbage", [0x81, 0, 1, 2, 3]);
    sandbox.write("large", vec![b'x'; (128 << 20) + 1]);
    for (file, why) in [
        (".", "cannot read .: it is a folder"),
        ("empty", "cannot read empty: it is empty"),
        ("large", "cannot read large: it holds more than 128 MiB"),
        (
            "garbage",
            "cannot inspect garbage: it holds neither PEM nor DER: it looks like binary data of no kind certkit knows",
        ),
    ] {
        let ran = sandbox.certkit(&["inspect", file]).expect_code(2);
        assert_eq!((ran.stdout.as_str(), ran.stderr), ("", format!("certkit: {why}\n")));
    }
}

#[test]
fn two_renderings_at_once_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("leaf.pem", LEAF);
    sandbox.certkit(&["inspect", "--short", "--json", "leaf.pem"]).expect_code(2).complains("choose one");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let sandbox = Sandbox::new();
    sandbox.write("bundle.pem", LEAF.repeat(50));
    let ran = sandbox.shell("certkit inspect bundle.pem | head -1").expect_code(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("block 1  certificate  rich.example.test\n", ""));
}

/// A terminal escape sequence in a subject reaches neither terminal nor log.
#[test]
fn control_characters_in_names_are_escaped() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let subject = "/CN=evil\u{1b}[2J\nfake line\u{202e}";
    let args = ["req", "-x509", "-nodes", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let args = [&args[..], &["-keyout", "key.pem", "-out", "evil.pem", "-subj", subject]].concat();
    sandbox.peer(&openssl, &args).expect_code(0);
    for flags in [&["inspect", "evil.pem"][..], &["inspect", "--short", "evil.pem"], &["inspect", "--json", "evil.pem"]]
    {
        let ran = sandbox.certkit(flags).expect_code(0).says("evil");
        assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{ran}");
        assert!(!ran.stdout.lines().any(|line| line.starts_with("fake line")), "{ran}");
    }
}

/// What certkit says of a certificate is what openssl says of it.
#[test]
fn fingerprint_serial_and_dates_agree_with_openssl() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox.write("leaf.pem", LEAF);
    let json = sandbox.certkit(&["inspect", "leaf.pem", "--json"]).expect_code(0).json();
    let block = &json[0]["blocks"][0];
    let ask = |flags: &[&str]| {
        let args = [&["x509", "-in", "leaf.pem", "-noout"], flags].concat();
        let said = sandbox.peer(&openssl, &args).expect_code(0).stdout;
        said.trim().split_once('=').unwrap().1.to_owned()
    };
    assert_eq!(block["fingerprints"]["sha256"], ask(&["-fingerprint", "-sha256"]));
    assert_eq!(block["fingerprints"]["sha1"], ask(&["-fingerprint", "-sha1"]));
    assert_eq!(block["serial"].as_str().unwrap().to_uppercase(), ask(&["-serial"]));
    assert_eq!(block["subject"], ask(&["-subject", "-nameopt", "RFC2253"]));
    assert_eq!(
        block["validity"]["not_after"].as_str().unwrap().replace('T', " "),
        ask(&["-enddate", "-dateopt", "iso_8601"])
    );
}

/// Every root the system trusts can be described, and its fingerprint is pyca's.
#[test]
fn the_systems_roots_are_all_described() {
    let Some(python) = python() else { return };
    let roots = "/etc/ssl/certs/ca-certificates.crt";
    if !std::path::Path::new(roots).is_file() {
        return;
    }
    let sandbox = Sandbox::new();
    let ran = sandbox.certkit(&["inspect", roots, "--json"]).expect_code(0);
    sandbox.write("ours.json", &ran.bytes);
    let script = "
import json, re, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
pem = open(sys.argv[1]).read()
blocks = re.findall('-----BEGIN.*?-----END[^\\n]*', pem, re.S)
ours = json.load(open('ours.json'))[0]['blocks']
assert len(ours) == len(blocks) > 50, (len(ours), len(blocks))
for block, said in zip(blocks, ours):
    want = x509.load_pem_x509_certificate(block.encode()).fingerprint(hashes.SHA256()).hex(':').upper()
    assert said['fingerprints']['sha256'] == want
    assert said['self_signed'] is True, said['subject']
    # The keyUsage of these two ends in zero bits, which X.690 11.2.2 forbids in DER.
    sound = not any('malformed' in e for e in said['extensions'])
    assert sound or 'Trustwave Global ECC' in said['subject'], said['subject']
";
    sandbox.peer(&python, &["-W", "ignore", "-c", script, roots]).expect_code(0);
}

#[test]
fn ocsp_requests_and_responses_are_read_as_openssl_reads_them() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    let root = sandbox.ca().join("ca.pem").to_str().unwrap().to_owned();
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "revoke", "b.test", "--reason", "superseded"]).expect_code(0);
    let both = ["-issuer", &root, "-cert", "a.test.pem", "-cert", "b.test.pem", "-nonce"];
    sandbox.peer(&openssl, &[&["ocsp", "-reqout", "req.der"], &both[..]].concat()).expect_code(0);
    let theirs = sandbox.peer(&openssl, &["ocsp", "-reqin", "req.der", "-req_text"]).expect_code(0).stdout;
    let request = sandbox.certkit(&["inspect", "req.der", "--json"]).expect_code(0).json();
    let request = &request[0]["blocks"][0];
    assert_eq!((&request["kind"], &request["signed"]), (&"ocsp_request".into(), &false.into()));
    let asked = request["certificates"].as_array().unwrap();
    for field in ["serial", "issuer_name_hash", "issuer_key_hash"] {
        let value = asked[1][field].as_str().unwrap().to_uppercase();
        assert!(theirs.contains(value.trim_start_matches("00")), "{field}: {value}\n{theirs}");
    }
    assert!(theirs.contains(&request["nonce"].as_str().unwrap().to_uppercase()), "{theirs}");

    // openssl's own response, and ours.
    let serial = |at: usize| asked[at]["serial"].as_str().unwrap().to_uppercase();
    let rows = [
        format!("V\t991231235959Z\t\t{}\tunknown\t/CN=a.test\n", serial(0)),
        format!("R\t991231235959Z\t260101000000Z,keyCompromise\t{}\tunknown\t/CN=b.test\n", serial(1)),
    ];
    sandbox.write("index.txt", rows.concat());
    let key = sandbox.ca().join("ca-key.pem").to_str().unwrap().to_owned();
    let sign = ["ocsp", "-index", "index.txt", "-CA", &root, "-rsigner", &root, "-rkey", &key];
    let files = ["-reqin", "req.der", "-respout", "theirs.der", "-ndays", "2"];
    sandbox.peer(&openssl, &[&sign[..], &files].concat()).expect_code(0);
    sandbox.certkit(&["ca", "ocsp", "--request", "req.der", "--out", "ours.der"]).expect_code(0);
    for (file, reason) in [("theirs.der", "keyCompromise"), ("ours.der", "superseded")] {
        let told = sandbox.certkit(&["inspect", file, "--json"]).expect_code(0).json();
        let block = &told[0]["blocks"][0];
        assert_eq!((&block["kind"], &block["response_status"]), (&"ocsp_response".into(), &"successful".into()));
        assert_eq!(block["nonce"], request["nonce"], "{told:#}");
        let said = |at: usize, field: &str| block["responses"][at][field].clone();
        assert_eq!((said(0, "status"), said(1, "status")), ("good".into(), "revoked".into()));
        assert_eq!((said(1, "reason"), said(0, "serial")), (reason.into(), asked[0]["serial"].clone()));
        assert_eq!(block["certificates"].as_array().unwrap().len(), 1);
        let ran =
            sandbox.certkit(&["inspect", file]).expect_code(0).says("OCSP response").says("current: the next one");
        ran.says(reason).says("ecdsa-with-SHA256, not checked here");
        sandbox.certkit(&["inspect", "--short", file]).expect_code(0).says(" good; ").says(" revoked");
        let theirs = sandbox.peer(&openssl, &["ocsp", "-respin", file, "-resp_text", "-noverify"]).expect_code(0);
        let id = said(0, "issuer_key_hash").as_str().unwrap().to_uppercase();
        assert!(theirs.stdout.contains(&id) && theirs.stdout.contains("Cert Status: revoked"), "{theirs}");
    }
}

#[test]
fn a_responder_that_declines_and_pem_are_told() {
    let sandbox = Sandbox::new();
    sandbox.write("declined.der", [0x30, 3, 10, 1, 6]);
    sandbox.certkit(&["inspect", "declined.der"]).expect_code(0).says("unauthorized: the responder gives no answer");
    let pem = certkit::encoding::pem::write("OCSP RESPONSE", &[0x30, 3, 10, 1, 3]);
    sandbox.write("declined.pem", pem.as_bytes());
    let told = sandbox.certkit(&["inspect", "declined.pem", "--json"]).expect_code(0).json();
    assert_eq!(told[0]["blocks"][0]["response_status"], "tryLater");
    sandbox.write("damaged.der", [0x30, 3, 10, 1, 9]);
    sandbox.certkit(&["inspect", "damaged.der"]).expect_code(1).says("damaged OCSP response");
}
