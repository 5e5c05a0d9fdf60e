//! The floor plan, checked: a room may use only the rooms its row names, and each outside crate has its doors.

use std::fs;
use std::path::Path;

/// Each room and the rooms it may use. A row may name only rows above it, so the plan has no cycles.
const PLAN: &[(&str, &[&str])] = &[
    ("encoding", &[]),
    ("key", &["encoding"]),
    ("x509", &["encoding", "key"]),
    ("tls", &["encoding", "key", "x509"]),
    ("profile", &["encoding", "key", "x509"]),
    ("issue", &["encoding", "key", "x509", "profile"]),
    ("ca", &["encoding", "key", "x509", "profile", "issue"]),
    ("project", &["encoding", "key", "x509", "profile", "issue", "ca"]),
    ("verify", &["encoding", "key", "x509"]),
    ("container", &["encoding", "key", "x509"]),
    ("fetch", &["encoding", "key", "x509", "verify", "container"]),
    ("describe", &["encoding", "key", "x509", "container"]),
    ("pcap", &["encoding"]),
    ("transcript", &["encoding", "key", "x509", "describe", "tls", "pcap"]),
    ("dial", &["encoding", "key", "x509"]),
    ("connect", &["encoding", "key", "x509", "tls", "pcap", "transcript", "dial"]),
    ("serve", &["encoding", "key", "x509", "container", "tls", "transcript"]),
    ("scan", &["encoding", "key", "x509", "tls", "dial"]),
    (
        "cli",
        &[
            "encoding",
            "key",
            "x509",
            "profile",
            "issue",
            "ca",
            "project",
            "verify",
            "container",
            "fetch",
            "describe",
            "tls",
            "pcap",
            "transcript",
            "dial",
            "connect",
            "scan",
            "serve",
        ],
    ),
    ("main", &["cli"]),
];

/// Outside crates and the only rooms that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("pem", &["encoding"]),
    ("base64", &["encoding"]),
    ("aws_lc_rs", &["key"]),
    ("rsa", &["key"]),
    ("p256", &["key"]),
    ("ecdsa", &["key"]),
    ("rfc6979", &["key"]),
    ("pkcs8", &["key"]),
    // What aws-lc does not have and old TLS needs, to read recordings: MD5, CBC with TLS's padding, 3DES, RC4, Camellia, CCM.
    ("aes", &["key"]),
    ("camellia", &["key"]),
    ("cbc", &["key"]),
    ("ccm", &["key"]),
    ("des", &["key"]),
    ("hmac", &["key"]),
    ("md5", &["key"]),
    ("md_5", &["key"]),
    ("rc4", &["key"]),
    ("x509_parser", &["x509"]),
    ("icu_normalizer", &["x509"]),
    ("psl", &["verify"]),
    ("idna", &["x509"]),
    // Certificate messages come compressed (RFC 8879); in the transcript for its tests.
    ("brotli_decompressor", &["tls"]),
    ("miniz_oxide", &["tls", "transcript"]),
    ("toml", &["profile", "ca", "project"]),
    ("csv_core", &["project"]),
    ("rcgen", &["issue"]),
    ("postgres", &["ca"]),
    ("p12_keystore", &["container"]),
    ("rusqlite", &["ca"]),
    // In the CA for a ledger on another machine.
    ("rustls", &["ca", "connect", "serve"]),
    ("tokio_rustls", &["ca", "serve"]),
    ("ureq", &["fetch"]),
    ("hyper", &["serve"]),
    ("hyper_util", &["serve"]),
    ("http_body_util", &["serve"]),
    ("httpdate", &["serve"]),
    ("mime_guess", &["serve"]),
    ("percent_encoding", &["profile", "serve"]),
    ("tokio", &["ca", "serve"]),
    ("etherparse", &["pcap"]),
    ("anstream", &["cli"]),
    ("anstyle", &["cli"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("etcetera", &["cli"]),
    ("rustls_native_certs", &["cli"]),
    ("indicatif", &["cli"]),
    ("rpassword", &["cli"]),
    ("rustix", &["cli", "serve"]),
    ("whoami", &["cli"]),
    // In the CA for its tests.
    ("tempfile", &["ca", "cli"]),
    ("serde_json", &["key", "ca", "serve", "cli"]),
];

/// Crates every room may name: the language of values, errors, times and secrets.
const COMMON: &[&str] = &["serde", "thiserror", "time", "zeroize"];

/// Rooms that make certificates and rooms that judge them. Only tests join them.
const MAKERS: &[&str] = &["issue", "profile", "ca", "project"];
const JUDGES: &[&str] = &["verify"];

/// What only one file of `cli` does.
const ONLY_HERE: &[(&str, &[&str])] = &[
    ("io::stdout", &["cli/output.rs"]),
    ("io::stderr", &["cli/output.rs", "cli/passphrase.rs"]),
    ("io::stdin", &["cli/files/many.rs", "cli/files/read.rs", "cli/files/stream.rs", "cli/passphrase.rs"]),
    (
        "std::fs",
        &[
            "cli/files/access.rs",
            "cli/files/arrival.rs",
            "cli/files/claim.rs",
            "cli/files/folder.rs",
            "cli/files/growing.rs",
            "cli/files/many.rs",
            "cli/files/read.rs",
            "cli/files/reminder.rs",
            "cli/files/replaced.rs",
            "cli/files/resolved.rs",
            "cli/files/spared.rs",
            "cli/files/staged.rs",
            "cli/files/staging.rs",
            "cli/files/stamp.rs",
            "cli/files/stream.rs",
            "cli/files/turn.rs",
            "cli/files/write.rs",
            // The files of a web site are opened for a request, not for a command.
            "serve/site/root.rs",
            "serve/stop.rs",
        ],
    ),
    ("now_utc", &["cli/clock.rs"]),
];

/// Crates whose names are modules of `encoding` too: the crate is always written `::pem`.
const OURS_TOO: [&str; 2] = ["pem", "base64"];

const LONGEST_FILE: usize = 500;

#[test]
fn the_plan_has_no_cycles() {
    for (floor, (room, uses)) in PLAN.iter().enumerate() {
        for used in *uses {
            assert!(PLAN[..floor].iter().any(|(above, _)| above == used), "{room} -> {used} points up");
        }
    }
}

#[test]
fn makers_and_judges_never_meet() {
    for (room, uses) in PLAN {
        let meets = |others: &[&str]| uses.iter().any(|used| others.contains(used));
        assert!(!(JUDGES.contains(room) && meets(MAKERS)), "{room} judges what it made");
        assert!(!(MAKERS.contains(room) && meets(JUDGES)), "{room} makes what it judges");
    }
    for room in MAKERS.iter().chain(JUDGES) {
        assert!(PLAN.iter().any(|(planned, _)| planned == room), "{room} is not in PLAN");
    }
}

#[test]
fn rooms_use_only_what_the_plan_allows() {
    each_source("src", &mut |path, text| {
        // The library's root only lists the rooms.
        if path == "lib.rs" {
            return;
        }
        let room = room_of(path);
        let (_, uses) = PLAN.iter().find(|(planned, _)| *planned == room).unwrap_or_else(|| {
            panic!("{path}: draw this room in PLAN");
        });
        let root = if room == "main" { "certkit" } else { "crate" };
        // The same root as this file's `super` spells it; the house writes `crate`, and so hides no door.
        let floors = path.matches('/').count() + usize::from(!path.ends_with("/mod.rs"));
        let climb = "super::".repeat(floors);
        for (other, _) in PLAN.iter().filter(|(other, _)| *other != room) {
            let used = names(text, &format!("{root}::{other}"));
            assert!(!used || uses.contains(other), "{path}: {room} must not use {other}");
            assert!(!names(text, &format!("{climb}{other}")), "{path}: write crate, not {climb}{other}");
        }
    });
}

#[test]
fn outside_crates_have_their_doors() {
    each_source("src", &mut |path, text| {
        // Tests may come in by the window.
        if path.ends_with("tests.rs") {
            return;
        }
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (name, rooms) in DOORS {
            let used = match OURS_TOO.contains(name) {
                true => names(text, &format!("::{name}")),
                false => names(text, &format!("{name}::")) || names(text, &format!("use {name}")),
            };
            assert!(!used || rooms.contains(&room_of(path)), "{path}: {name} is for {rooms:?} only");
        }
    });
}

#[test]
fn every_outside_crate_has_a_door() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in dependencies.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((name, _)) = line.split_once('=') else { continue };
        let name = name.trim().replace('-', "_");
        let placed = COMMON.contains(&name.as_str()) || DOORS.iter().any(|(door, _)| *door == name);
        assert!(placed, "{name}: give this crate a door in DOORS");
    }
}

#[test]
fn one_line_names_one_room() {
    let braces = ["crate", "::{"].concat();
    for folder in ["src", "tests"] {
        each_source(folder, &mut |path, text| {
            assert!(!text.contains(&braces), "{folder}/{path}: one room per `use` line");
        });
    }
}

#[test]
fn printing_reading_and_the_clock_have_one_place() {
    each_source("src", &mut |path, text| {
        // The ledger keeps its own files, and tests may do what they like.
        if room_of(path) == "ca" || path.ends_with("tests.rs") || path.ends_with("fixtures/mod.rs") {
            return;
        }
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (what, files) in ONLY_HERE {
            assert!(!names(text, what) || files.contains(&path), "{path}: {what} is for {files:?}");
        }
        assert!(!text.contains("println!") && !text.contains("print!("), "{path}: cli/output.rs prints");
    });
}

#[test]
fn no_file_outgrows_one_sitting() {
    for folder in ["src", "tests"] {
        each_source(folder, &mut |path, text| {
            let lines = text.lines().count();
            assert!(lines <= LONGEST_FILE, "{folder}/{path} has {lines} lines");
        });
    }
}

#[test]
fn a_path_is_named_only_as_a_whole() {
    assert!(names("use crate::key;", "crate::key"));
    assert!(names("crate::key::PublicKey", "crate::key"));
    assert!(!names("crate::keyring", "crate::key"));
    assert!(!names("x509_parser::pem::Pem", "pem::"));
    assert!(!names("mypem::x", "pem::"));
    assert!(names("fn f() { pem::parse(x) }", "pem::"));
    assert!(names("use crate::x509 as y;", "crate::x509"));
}

/// Whether `path` appears in `text` as a whole path from its root, comments left out.
fn names(text: &str, path: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    let open_ended = path.ends_with("::");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(path).any(|(at, _)| {
            let before = &line[..at];
            let after = &line[at + path.len()..];
            !before.ends_with(|c| joins(c) || c == ':') && (open_ended || !after.starts_with(joins))
        })
    })
}

fn room_of(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Calls `check` with each Rust file's path below `folder` and its text.
fn each_source(folder: &str, check: &mut dyn FnMut(&str, &str)) {
    fn walk(root: &Path, folder: &Path, check: &mut dyn FnMut(&str, &str)) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, check);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).unwrap().to_str().unwrap();
                check(&below.replace('\\', "/"), &fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(folder);
    walk(root, root, check);
}
