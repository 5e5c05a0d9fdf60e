//! What every command shares: help, usage errors, JSON, closed pipes; and the completions and the manual.

use crate::support::{Sandbox, peer};

#[test]
fn help_is_an_answer() {
    for args in [&["--help"][..], &["-h"], &["man", "--help"], &["help", "man"]] {
        let ran = Sandbox::new().certkit(args).expect_code(0).says("Usage: certkit");
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn the_version_is_an_answer() {
    let sandbox = Sandbox::new();
    let short = sandbox.certkit(&["-V"]).expect_code(0);
    assert_eq!(short.stdout, concat!("certkit ", env!("CARGO_PKG_VERSION"), "\n"));
    sandbox.certkit(&["--version"]).expect_code(0).says("random bytes: aws-lc, seeded by the system's generator\n");
    let json = sandbox.certkit(&["--version", "--json"]).expect_code(0).json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["jitter_entropy"], false);
}

#[test]
fn a_usage_error_could_not_answer() {
    for (args, why) in [
        (&[][..], "certkit: no command given\n  hint: see `certkit --help`\n"),
        (&["--quiet"], "certkit: no command given\n  hint: see `certkit --help`\n"),
        (&["ca", "--quiet"], "certkit: no command given\n  hint: see `certkit ca --help`\n"),
        (&["verify", "x", "--at", "soon"], "hint: see `certkit verify --help`\n"),
        (&["nonsense"], "certkit: unrecognized subcommand 'nonsense'\n  hint: usage: certkit"),
        (&["completions"], "certkit: the following required arguments were not provided: <SHELL>\n"),
        (&["completions", "cmd"], "certkit: invalid value 'cmd' for '<SHELL>' [possible values: bash"),
        (
            &["man", "--forse"],
            "certkit: unexpected argument '--forse' found\n  hint: a similar argument exists: '--force'\n",
        ),
        (&["man", "--force"], "certkit: the following required arguments were not provided: --out <DIR>\n"),
        (&["man", "no-such-page"], "certkit: no page `no-such-page`\n  hint: there are certkit, "),
    ] {
        let ran = Sandbox::new().certkit(args).expect_code(2).complains(why);
        assert_eq!(ran.stdout, "", "{args:?}");
        assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    }
}

#[test]
fn a_reader_of_json_gets_the_error_too() {
    for args in [&["man", "no-such-page", "--json"][..], &["--json", "nonsense"], &["--json"]] {
        let ran = Sandbox::new().certkit(args).expect_code(2).complains("certkit: ");
        assert!(ran.stderr.contains(ran.json()["error"]["message"].as_str().unwrap()), "{ran}");
    }
}

#[test]
fn what_cannot_be_printed_is_escaped() {
    let ran = Sandbox::new().certkit(&["man", "a\u{1b}[2J\nb"]).expect_code(2);
    assert!(ran.stderr.starts_with("certkit: no page `a\\u{1b}[2J\\nb`\n"), "{ran}");
}

#[test]
fn flags_work_in_any_position() {
    for args in
        [["--json", "completions", "bash"], ["completions", "--json", "bash"], ["completions", "bash", "--json"]]
    {
        assert_eq!(Sandbox::new().certkit(&args).expect_code(0).json()["shell"], "bash");
    }
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        Sandbox::new().certkit(&["completions", shell]).expect_code(0).says("completions").says("certkit");
    }
}

#[cfg(unix)]
#[test]
fn bash_can_read_its_completions() {
    let line = "source <(certkit completions bash) && COMP_WORDS=(certkit comp) COMP_CWORD=1 && _certkit certkit comp certkit && echo ${COMPREPLY[@]}";
    let ran = Sandbox::new().shell(line).expect_code(0);
    assert_eq!(ran.stdout, "completions\n", "{ran}");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_success() {
    for line in ["certkit completions bash | head -c1 >/dev/null", "certkit --help | true", "certkit man | head -c0"] {
        let ran = Sandbox::new().shell(line).expect_code(0);
        assert_eq!(ran.stderr, "", "{line}");
    }
    // The pipe is closed for certain before the first byte: its reader has ended.
    let line = "exec 3> >(exec true); wait $!; certkit completions bash >&3";
    let ran = Sandbox::new().shell(line).expect_code(0);
    assert_eq!(ran.stderr, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    for line in ["certkit completions bash >/dev/full", "certkit --help >/dev/full", "certkit --json man >/dev/full"] {
        let ran = Sandbox::new().shell(line).expect_code(2);
        assert_eq!(ran.stderr, "certkit: cannot write to stdout: no space left on the disk\n", "{line}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn closed_outputs_are_survived() {
    for line in ["certkit --help >&-", "certkit --help 2>&-", "certkit man x 2>&- || test $? = 2"] {
        Sandbox::new().shell(line).expect_code(0);
    }
}

#[cfg(unix)]
#[test]
fn colour_is_only_for_terminals() {
    let plain = Sandbox::new().certkit(&["--help"]).expect_code(0);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain}");
    let Some(_) = peer("script") else { return };
    let line = "TERM=xterm script -qec 'certkit --help' /dev/null </dev/null";
    assert!(Sandbox::new().shell(line).expect_code(0).stdout.contains('\u{1b}'));
    let line = "NO_COLOR=1 TERM=xterm script -qec 'certkit --help' /dev/null </dev/null";
    assert!(!Sandbox::new().shell(line).expect_code(0).stdout.contains('\u{1b}'));
}

#[test]
fn a_page_of_the_manual_is_found_by_its_command() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["man"]).expect_code(0).says(".TH certkit 1");
    for page in ["completions", "certkit-completions"] {
        sandbox.certkit(&["man", page]).expect_code(0).says(".TH certkit-completions 1");
    }
}

#[cfg(unix)]
#[test]
fn every_page_of_the_manual_is_good_roff() {
    let Some(_) = peer("man") else { return };
    let ran =
        Sandbox::new().shell("certkit man --out . -q && for page in *.1; do man -l --warnings $page >/dev/null; done");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
