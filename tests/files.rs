//! Writing files, seen through the one command that needs nothing else: the manual.

use crate::support::Sandbox;

/// Some of the pages: the first, a command's, and a command's within a command.
const PAGES: [&str; 4] = ["certkit.1", "certkit-man.1", "certkit-verify.1", "certkit-ca-issue.1"];

#[test]
fn all_pages_are_written() {
    let sandbox = Sandbox::new();
    let written = sandbox.certkit(&["man", "--out", ".", "--json"]).expect_code(0).json();
    let listing = sandbox.listing();
    assert!(PAGES.iter().all(|page| listing.iter().any(|file| file == page)), "{listing:?}");
    assert_eq!(written["written"].as_array().unwrap().len(), listing.len());
    assert!(sandbox.read("certkit-man.1").starts_with(b".ie"));
}

#[test]
fn one_page_in_the_way_stops_them_all() {
    let sandbox = Sandbox::new();
    sandbox.write("certkit.1", "mine");
    let ran = sandbox.certkit(&["man", "--out", "."]).expect_code(2);
    assert_eq!(ran.stderr, "certkit: cannot write ./certkit.1: it exists already\n  hint: --force replaces it\n");
    assert_eq!(ran.stdout, "");
    assert_eq!((sandbox.listing(), sandbox.read("certkit.1")), (vec!["certkit.1".to_owned()], b"mine".to_vec()));
    sandbox.certkit(&["man", "--out", ".", "--force"]).expect_code(0);
    assert!(sandbox.listing().len() > PAGES.len());
    assert_ne!(sandbox.read("certkit.1"), b"mine");
}

#[test]
fn a_missing_folder_is_not_made() {
    let sandbox = Sandbox::new();
    let ran = sandbox.certkit(&["man", "--out", "man1"]).expect_code(2).complains("there is no folder man1\n");
    assert!(ran.stderr.ends_with("\n  hint: make it first: mkdir -p man1\n"), "{ran}");
    assert!(sandbox.listing().is_empty());
}

#[test]
fn a_file_is_no_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("man1", "mine");
    sandbox.certkit(&["man", "--out", "man1", "--force"]).expect_code(2).complains("a part of the path is no folder\n");
    assert_eq!(sandbox.read("man1"), b"mine");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_one_line() {
    // Nobody may make files in /sys, not even root.
    let ran = Sandbox::new().certkit(&["man", "--out", "/sys"]).expect_code(2);
    let why = ran.stderr.strip_prefix("certkit: cannot write /sys/certkit.1: ").unwrap_or_default();
    assert!(["permission denied\n", "the file system is read-only\n"].contains(&why), "{ran}");
}

#[cfg(unix)]
#[test]
fn a_disk_that_takes_no_more_leaves_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("certkit-man.1", "mine");
    // One block of 1024 bytes holds a part of each page.
    let ran = sandbox.shell("trap '' XFSZ; ulimit -f 1; certkit man --out . --force").expect_code(2);
    assert_eq!(ran.stderr, "certkit: cannot write ./certkit.1: it would be larger than this system allows\n");
    assert_eq!(sandbox.listing(), ["certkit-man.1"]);
    assert_eq!(sandbox.read("certkit-man.1"), b"mine");
}

#[cfg(target_os = "linux")]
#[test]
fn a_system_folder_that_takes_no_file_is_one_line() {
    let ran = Sandbox::new().certkit(&["man", "--out", "/proc"]).expect_code(2);
    assert_eq!(ran.stderr, "certkit: cannot write /proc/certkit.1: no such file\n");
}

#[cfg(unix)]
#[test]
fn pages_are_what_the_umask_lets() {
    let sandbox = Sandbox::new();
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o644)] {
        sandbox.shell(&format!("umask {umask}; mkdir {umask} && certkit man --out {umask}")).expect_code(0);
        assert_eq!(sandbox.mode(format!("{umask}/certkit.1")), mode, "umask {umask}");
    }
    // Those that are replaced were read by somebody.
    sandbox.shell("umask 077; certkit man --out 022 --force").expect_code(0);
    assert_eq!(sandbox.mode("022/certkit.1"), 0o644);
}
