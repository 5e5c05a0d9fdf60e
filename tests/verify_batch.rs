//! `certkit verify --batch`: a line for every input, in order.

use certkit::encoding::pem;
use certkit::x509::Certificate;

use crate::support::forge::Hierarchy;
use crate::support::{Ran, Sandbox};

const AT: &str = "2026-11-23T12:00:00Z";

fn text(certificate: &Certificate) -> String {
    pem::write("CERTIFICATE", certificate.der()).to_string()
}

/// A folder `many` with certificates for 100 hosts, the last for another one, and the roots and intermediates to judge them.
fn crowd() -> Sandbox {
    let hierarchy = Hierarchy::new();
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path("many/inner")).unwrap();
    let certificate = |host: &str| text(&hierarchy.server(host).sign(&hierarchy.intermediate.key));
    let good = certificate("www.example.com");
    for number in 0..99 {
        sandbox.write(format!("many/{number:03}.pem"), &good);
    }
    sandbox.write("many/inner/other.pem", certificate("other.example.com"));
    sandbox.write("root.pem", text(&hierarchy.root.certificate));
    sandbox.write("intermediate.pem", text(&hierarchy.intermediate.certificate));
    sandbox
}

fn batch(sandbox: &Sandbox, source: &str, more: &[&str], stdin: &str) -> Ran {
    let fixed = ["verify", "--batch", source, "--at", AT, "--roots", "root.pem", "--intermediates", "intermediate.pem"];
    sandbox.command().args([&fixed[..], more].concat()).stdin(stdin).run()
}

#[test]
fn a_folder_is_judged_file_by_file_in_order() {
    let sandbox = crowd();
    let ran = batch(&sandbox, "many", &["--host", "www.example.com"], "").expect_code(1);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 100);
    for (number, line) in lines.iter().enumerate().take(99) {
        assert_eq!(*line, format!("accepted  many/{number:03}.pem"));
    }
    assert!(
        lines[99].starts_with("rejected  many/inner/other.pem  \"www.example.com\" was asked for"),
        "{}",
        lines[99]
    );
    assert_eq!(ran.stderr, "99 accepted, 1 rejected, 0 could not be judged\n");
    batch(&sandbox, "many", &["--no-host"], "").expect_code(0);
}

#[test]
fn what_is_no_certificate_is_passed_over_in_a_folder_and_not_where_it_is_named() {
    let sandbox = crowd();
    sandbox.write("many/notes.txt", "hello");
    let ran = batch(&sandbox, "many", &["--no-host"], "").expect_code(0);
    assert!(ran.stderr.ends_with("1 files in the folder hold no certificate and were passed over\n"), "{ran}");
    batch(&sandbox, "-", &["--no-host"], "many/notes.txt\n").expect_code(2).says("unjudged  many/notes.txt");
    sandbox.write("many/cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    batch(&sandbox, "many", &["--no-host"], "").expect_code(1).says("rejected  many/cut.pem");
}

#[test]
fn paths_and_blocks_come_in_on_stdin() {
    let sandbox = crowd();
    let paths = batch(&sandbox, "-", &["--no-host"], "many/000.pem\nmany/missing.pem\n").expect_code(2);
    assert!(paths.stdout.starts_with("accepted  many/000.pem\nunjudged  many/missing.pem  "), "{paths}");

    let one = String::from_utf8(sandbox.read("many/000.pem")).unwrap();
    let cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    let stream = format!("{one}{cut}{one}{cut}");
    let ran = batch(&sandbox, "-", &["--host", "www.example.com", "--json"], &stream).expect_code(1);
    let rows: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let accepted: Vec<Option<bool>> = rows.iter().map(|row| row["accepted"].as_bool()).collect();
    assert_eq!(accepted, [Some(true), Some(false), Some(true), Some(false)]);
    assert_eq!(rows[1]["file"], format!("-:{}", one.lines().count() + 1));
    assert_eq!(rows[1]["reasons"][0]["check"], "encoding");
}

#[test]
fn nothing_to_judge_is_no_success() {
    let sandbox = crowd();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    batch(&sandbox, "empty", &["--no-host"], "").expect_code(2).complains("there was nothing to judge");
    batch(&sandbox, "-", &["--no-host"], "").expect_code(2);
    batch(&sandbox, "nowhere", &["--no-host"], "").expect_code(2).complains("cannot list nowhere");
    batch(&sandbox, "many", &[], "").expect_code(2).complains("no name was given");
}

#[test]
fn a_reader_that_has_read_enough_ends_it() {
    let sandbox = crowd();
    let ran = sandbox
        .shell("certkit verify --batch many --no-host --roots root.pem --intermediates intermediate.pem | head -n 1");
    assert_eq!(ran.stdout.lines().count(), 1, "{ran}");
}
