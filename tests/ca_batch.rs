//! `certkit ca issue --batch`.

use crate::support::background::comes_true;
use crate::support::postgres::server;
use crate::support::{Sandbox, pass_over};
use std::io::Write as _;

fn with_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox
}

fn issued(sandbox: &Sandbox) -> usize {
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    listed["certificates"].as_array().unwrap().len()
}

#[test]
fn every_line_gets_a_key_and_a_certificate_that_is_recorded_in_the_order_of_the_list() {
    let sandbox = with_ca();
    let names: Vec<String> = (1..=300).map(|number| format!("h{number}.test")).collect();
    sandbox.write("names.txt", format!("# hosts\n\n{}\n", names.join("\n")));
    let ran = sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--out-dir", "out", "--json"]).expect_code(0);
    let rows: Vec<serde_json::Value> = ran.stdout.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), names.len());
    for (row, (line, name)) in rows.iter().zip((3..).zip(&names)) {
        assert_eq!((row["line"].as_u64(), &row["names"][0]), (Some(line), &format!("dns:{name}").into()));
        assert_eq!(row["error"], serde_json::Value::Null);
    }
    assert_eq!(issued(&sandbox), names.len());
    let serials: std::collections::HashSet<&str> = rows.iter().map(|row| row["serial"].as_str().unwrap()).collect();
    assert_eq!(serials.len(), names.len());
    let ca = sandbox.ca().join("ca.pem");
    let roots = ["--roots", ca.to_str().unwrap(), "--host"];
    for name in ["h1.test", "h64.test", "h65.test", "h300.test"] {
        let (certificate, key) = (format!("out/{name}.pem"), format!("out/{name}-key.pem"));
        sandbox.certkit(&[&["verify", &certificate][..], &roots, &[name]].concat()).expect_code(0);
        sandbox.certkit(&["key", "match", &certificate, &key]).expect_code(0);
        #[cfg(unix)]
        assert_eq!((sandbox.mode(&key), sandbox.mode(&certificate) & 0o444), (0o600, 0o444));
    }
    assert_eq!(std::fs::read_dir(sandbox.path("out")).unwrap().count(), 2 * names.len(), "and nothing else");
}

#[test]
fn a_list_with_a_bad_line_issues_nothing_and_tells_all_of_them() {
    let sandbox = with_ca();
    sandbox.write("names.txt", "a.test\nb..test\nc.test\na.test\n-ecdsa\n");
    let refused = sandbox.certkit(&["ca", "issue", "--batch", "names.txt"]).expect_code(2);
    for said in ["names.txt:2:", "names.txt:4: another line", "names.txt:5:", "3 of 5 lines", "--keep-going"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    assert_eq!((sandbox.listing(), issued(&sandbox)), (vec!["names.txt".to_owned()], 0));

    let ran = sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--keep-going", "--json"]).expect_code(1);
    let errors: Vec<bool> = ran.stdout.lines().map(|row| row.contains("\"error\":null")).collect();
    assert_eq!(errors, [true, false, true, false, false]);
    assert_eq!(issued(&sandbox), 2);
}

#[test]
fn files_in_the_way_are_found_before_anything_is_made() {
    let sandbox = with_ca();
    sandbox.write("b.test-key.pem", "mine");
    sandbox.write("names.txt", "a.test\nb.test\n");
    let refused = sandbox.certkit(&["ca", "issue", "--batch", "names.txt"]).expect_code(2);
    assert!(refused.stderr.contains("names.txt:2: ./b.test-key.pem exists already"), "{}", refused.stderr);
    assert_eq!(issued(&sandbox), 0);
    assert_eq!(sandbox.read("b.test-key.pem"), b"mine");
    sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--force"]).expect_code(0);
    assert_ne!(sandbox.read("b.test-key.pem"), b"mine");
}

#[test]
fn csv_and_toml_say_profile_days_key_and_files() {
    let csv = "names,cn,profile,days,key,out\n\"a.test,10.0.0.1\",,,30,p384,first\n,Ann Example,client,7,,second\n";
    let toml = "[[certificate]]\nnames = [\"a.test\", \"10.0.0.1\"]\ndays = 30\nkey = \"p384\"\nout = \"first\"\n\
                [[certificate]]\ncn = \"Ann Example\"\nprofile = \"client\"\ndays = 7\nout = \"second\"\n";
    for (file, text) in [("list.csv", csv), ("list", csv), ("list.toml", toml), ("list", toml)] {
        let sandbox = with_ca();
        sandbox.write(file, text);
        sandbox.certkit(&["ca", "issue", "--batch", file]).expect_code(0);
        let first = sandbox.certkit(&["inspect", "--json", "first.pem"]).expect_code(0).stdout;
        assert!(first.contains("P-384") && first.contains("10.0.0.1"), "{first}");
        let second = sandbox.certkit(&["ca", "show", "Ann Example", "--json"]).expect_code(0).json();
        assert_eq!(second["record"]["profile"], "client");
        assert!(sandbox.path("second-key.pem").exists());
    }
}

#[test]
fn a_header_is_recognised_behind_a_byte_order_mark_and_with_a_slip_it_is_refused() {
    let sandbox = with_ca();
    let list = "\u{feff}names,profile\nz.test,client\n";
    sandbox.command().args(["ca", "issue", "--batch", "-"]).stdin(list).run().expect_code(0);
    assert_eq!(issued(&sandbox), 1);
    let shown = sandbox.certkit(&["ca", "show", "z.test", "--json"]).expect_code(0).json();
    assert_eq!(shown["record"]["profile"], "client");
    for (list, unknown) in [("names,profle\nb.test,client\n", "profle"), ("name,profile\nb.test,server\n", "name")] {
        sandbox.write("list", list);
        let refused = sandbox.certkit(&["ca", "issue", "--batch", "list"]).expect_code(2);
        refused.complains(unknown).complains("there are names, cn, subject").complains("--format lines");
    }
    assert_eq!(issued(&sandbox), 1);
    sandbox.write("list", "key, out\n");
    sandbox.certkit(&["ca", "issue", "--batch", "list", "--format", "lines"]).expect_code(0);
    assert_eq!(issued(&sandbox), 2);
}

#[cfg(unix)]
#[test]
fn a_batch_that_is_told_to_stop_leaves_no_certificate_without_its_files() {
    is_stopped_by("-TERM");
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_whose_terminal_is_gone_leaves_no_certificate_without_its_files() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    if u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1 {
        // As nohup has it: certkit ignores it too then, and goes on.
        _ = writeln!(std::io::stderr(), "skipped: SIGHUP is ignored here");
        return;
    }
    is_stopped_by("-HUP");
}

#[cfg(unix)]
fn is_stopped_by(signal: &str) {
    let sandbox = with_ca();
    let names: Vec<String> = (1..=20_000).map(|number| format!("h{number}.test")).collect();
    sandbox.write("names.txt", names.join("\n"));
    let count = |ending: &str| {
        let files = std::fs::read_dir(sandbox.path("out")).into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_str().unwrap().ends_with(ending)).count()
    };
    let args = ["ca", "issue", "--batch", "names.txt", "--out-dir", "out"];
    let batch = sandbox.start(sandbox.command().args(args));
    assert!(comes_true(|| count("-key.pem") > 0));
    let log = sandbox.home().join("background.log");
    assert_eq!(batch.stop_by(signal), Some(2));
    let said = std::fs::read_to_string(log).unwrap();
    let (keys, files) = (count("-key.pem"), count(""));
    let is_there = |name: &String| sandbox.path(format!("out/{name}-key.pem")).exists();
    // Threads stop within their chunks, so some after a gap may be there.
    let later = names[keys + 10..].iter().filter(|name| is_there(name)).count();
    assert!(keys < names.len() && files == 2 * keys, "{keys} keys, {files} files: nothing else is left");
    assert_eq!(issued(&sandbox), keys);
    assert!(said.contains(&format!("interrupted: {keys} certificates are issued")), "{said}");
    // Another run issues those that are missing.
    sandbox.write("some.txt", names[..keys + 10].join("\n"));
    let more = ["ca", "issue", "--batch", "some.txt", "--out-dir", "out", "--keep-going", "--quiet"];
    sandbox.certkit(&more).expect_code(1);
    assert!(names[..keys + 10].iter().all(is_there));
    assert_eq!((count("-key.pem"), issued(&sandbox)), (keys + 10 + later, keys + 10 + later));
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_batch_left_is_removed_and_told() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let shown = sandbox.certkit(&["ca", "show", "a.test", "--json"]).expect_code(0).json();
    let left = sandbox.path(".certkit-x");
    std::fs::create_dir(&left).unwrap();
    for file in ["a.test.pem", "a.test-key.pem"] {
        std::fs::rename(sandbox.path(file), left.join(file)).unwrap();
    }
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(&left).unwrap().set_modified(old).unwrap();
    sandbox.write("names.txt", "b.test\n");
    let told = sandbox.certkit(&["ca", "issue", "--batch", "names.txt"]).expect_code(0);
    let serial = shown["record"]["serial"].as_str().unwrap();
    told.complains("a run that was killed").complains(&format!("certkit ca revoke {serial}"));
    assert!(!left.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn all_serials_of_a_batch_that_was_just_killed_are_told_with_a_command_that_revokes_them() {
    just_killed(&[], " --ca 'my ca'");
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_that_revokes_what_a_killed_batch_left_names_the_ledger() {
    let Some(server) = server() else { return };
    let url = server.database();
    just_killed(&["--ledger", &url], &format!(" --ca 'my ca' --ledger '{url}'"));
}

#[cfg(target_os = "linux")]
fn just_killed(ledger: &[&str], flags: &str) {
    let sandbox = Sandbox::new();
    sandbox.certkit(&[&["ca", "init", "--ca", "my ca"], ledger].concat()).expect_code(0);
    // Nothing but the command line tells where the ledger is.
    let _ = std::fs::remove_file(sandbox.path("my ca/ca.toml"));
    let names: Vec<String> = (1..=20).map(|number| format!("h{number}.test")).collect();
    sandbox.write("names.txt", names.join("\n"));
    // As a run leaves it that is killed between its record and its files.
    let left = "out/.certkit-x";
    let issue = ["ca", "issue", "--ca", "my ca", "--batch", "names.txt", "--json", "--out-dir"];
    let issued = sandbox.certkit(&[&issue[..], &[left], ledger].concat()).expect_code(0);
    let serials = |said: &str| -> Vec<String> {
        let rows = said.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
        let mut all: Vec<String> = rows.map(|row| row["serial"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    std::fs::create_dir(sandbox.path("out/.certkit-y")).unwrap();
    sandbox.write("names.txt", "other.test\n");
    let told = sandbox.certkit(&[&issue[..], &["out"], ledger].concat()).expect_code(0);
    let (left_rows, own) = told.stdout.split_at(told.stdout.rfind("{\"line\":1").unwrap());
    assert_eq!(serials(left_rows), serials(&issued.stdout));
    assert!(left_rows.lines().all(|row| row.contains("\"line\":null") && row.contains(left)), "{left_rows}");
    assert_eq!(own.lines().count(), 1);
    assert!(!sandbox.path(left).exists());
    let told = told.complains("left out/.certkit-y where it is: it is new and empty").complains("10 seconds");
    let command = told.stderr.lines().find_map(|line| line.split_once("revoke them with ")).unwrap().1;
    assert!(command.ends_with(flags), "{command}");
    sandbox.shell(command).expect_code(0);
    let list = ["ca", "list", "--ca", "my ca", "--revoked", "--json"];
    let revoked = sandbox.certkit(&[&list[..], ledger].concat()).expect_code(0).json();
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 20, "{revoked}");
}

/// The rows of certificates that are issued, by their files.
#[cfg(unix)]
fn rows(said: &str) -> Vec<String> {
    let mut files: Vec<String> = said
        .lines()
        .map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap())
        .filter(|row| row["error"].is_null())
        .map(|row| row["certificate_file"].as_str().unwrap().to_owned())
        .collect();
    files.sort();
    files
}

/// The certificates in a folder.
#[cfg(unix)]
fn written(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(sandbox.path(folder)).into_iter().flatten().flatten();
    let mut files: Vec<String> = files
        .map(|file| format!("{folder}/{}", file.file_name().to_str().unwrap()))
        .filter(|name| !name.ends_with("-key.pem"))
        .collect();
    files.sort();
    files
}

#[cfg(unix)]
#[test]
fn what_is_written_before_the_ledger_fails_is_told() {
    let sandbox = with_ca();
    let names: Vec<String> = (1..=6000).map(|number| format!("h{number}.test")).collect();
    sandbox.write("names.txt", names.join("\n"));
    // The ledger reaches the limit on files, and no certificate does.
    let batch = "certkit ca issue --batch names.txt --out-dir out --json";
    let ran = sandbox.shell(&format!("trap '' XFSZ; ulimit -f 3000; exec {batch}")).expect_code(2);
    let files = written(&sandbox, "out");
    assert!(!files.is_empty() && files.len() < names.len(), "{} files", files.len());
    assert_eq!(rows(&ran.stdout), files);
    assert_eq!(issued(&sandbox), files.len());
    let count = files.len();
    ran.complains(&format!("{count} issued, 0 refused, 0 lost"))
        .complains(&format!("{count} certificates are issued and their files in place, the rest is not issued"));
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_written_is_counted_and_told_where_stdout_is_full() {
    let sandbox = with_ca();
    let ran = sandbox.shell("printf 'a.test\nb.test\n' | certkit ca issue --batch - --out-dir out >/dev/full");
    let ran = ran.expect_code(2).complains("2 issued, 0 refused, 0 lost").complains("cannot write to stdout");
    assert!(!ran.stderr.contains("the rest is not issued"), "there is none: {ran}");
    ran.complains("out/a.test.pem").complains("out/b.test.pem");
    // Whether there is more is known without a look at the list beforehand too.
    let names: String = (1..=20_000).map(|number| format!("h{number}.test\n")).collect();
    sandbox.write("names.txt", names);
    let more = "certkit ca issue --batch names.txt --out-dir more --keep-going >/dev/full";
    sandbox.shell(more).expect_code(2).complains("the rest is not issued");
    let one = "echo c.test | certkit ca issue --batch - --out-dir out --keep-going >/dev/full";
    let ran = sandbox.shell(one).expect_code(2).complains("1 certificates are issued and their files in place");
    assert!(!ran.stderr.contains("the rest is not issued"), "there is none: {ran}");
}

#[cfg(unix)]
#[test]
fn one_batch_at_a_time_writes_into_a_folder() {
    let sandbox = with_ca();
    sandbox.write("names.txt", "a.test\nb.test\n");
    let second = "certkit ca issue --batch names.txt --out-dir out";
    for folder in ["out", "."] {
        // The first one has the folder while it waits for the rest of its list. Then the second one sees what that has written.
        let first = format!(
            "{{ echo a.test; while ! [ -e go ]; do sleep 0.1; done; }} | certkit ca issue --batch - --out-dir {folder}"
        );
        let held = format!("while ! [ -e {folder}/.certkit-batch ]; do sleep 0.1; done");
        let second = second.replace("out-dir out", &format!("out-dir {folder}"));
        let both = format!(
            "{first} & first=$!; {held}; (sleep 1; touch go) & {second}; code=$?; wait $first; echo $?; exit $code"
        );
        let ran = sandbox.shell(&both).expect_code(2).complains("waiting for another run, which writes a batch into");
        ran.complains("nothing was issued").complains("a.test").says("0\n");
        std::fs::remove_file(sandbox.path("go")).unwrap();
        assert!(!sandbox.path(folder).join(".certkit-batch").exists());
    }
    assert_eq!(issued(&sandbox), 2, "the first ones alone");
    // A run that was killed has it no more.
    let first = "{ echo c.test; exec sleep 60; } | certkit ca issue --batch - --out-dir out";
    let killed = format!("({first}) & sleep 0.1; while ! [ -e out/.certkit-batch ]; do sleep 0.1; done; kill -9 0");
    let ran = sandbox.shell(&format!("setsid sh -c '{killed}'; true"));
    assert!(sandbox.path("out/.certkit-batch").exists(), "{ran}");
    sandbox.shell(&format!("{second} --keep-going")).expect_code(1).says("issued  out/b.test.pem");
    assert!(!sandbox.path("out/.certkit-batch").exists());
}

#[test]
fn lines_that_end_with_cr_alone_are_refused() {
    let sandbox = with_ca();
    for (list, why) in [
        ("a.test\rb.test\rc.test", "carriage return (CR)"),
        ("a.test\nb.test\rc.test\n", "list:2: a carriage return (CR)"),
        ("# hosts\ra.test\rb.test", "list:1: a carriage return (CR)"),
        ("names,profile\ra.test,server\r", "carriage return (CR)"),
    ] {
        sandbox.write("list", list);
        sandbox.certkit(&["ca", "issue", "--batch", "list"]).expect_code(2).complains(why).complains("LF or CR LF");
        sandbox.write("list.csv", format!("names\n\n{list}"));
        sandbox.certkit(&["ca", "issue", "--batch", "list.csv"]).expect_code(2).complains("(CR) stands within it");
    }
    assert_eq!(issued(&sandbox), 0);
    sandbox.write("list", "a.test\r\nb.test\r\n");
    sandbox.certkit(&["ca", "issue", "--batch", "list"]).expect_code(0);
    assert_eq!(issued(&sandbox), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_ends_where_the_disk_of_its_files_is_full() {
    let sandbox = with_ca();
    if sandbox.shell("unshare -rm mount -t tmpfs tmpfs .").code != Some(0) {
        return pass_over("no small disk can be mounted here").unwrap_or_default();
    }
    let names: Vec<String> = (1..=20_000).map(|number| format!("h{number}.test")).collect();
    sandbox.write("names.txt", names.join("\n"));
    std::fs::create_dir(sandbox.path("out")).unwrap();
    let batch = "certkit ca issue --batch names.txt --out-dir out --json";
    let script = format!("mount -t tmpfs -o size=1000k tmpfs out && exec {batch}");
    let ran = sandbox.shell(&format!("unshare -rm sh -c '{script}'")).expect_code(2);
    let placed = rows(&ran.stdout).len();
    let lost = ran.stdout.lines().count() - placed;
    assert!(placed > 0 && lost > 0 && lost <= 2048, "{placed} {lost}");
    assert_eq!(issued(&sandbox), placed + lost, "each that is recorded is told");
    ran.complains(&format!("{placed} issued, 0 refused, {lost} lost"))
        .complains("no space left on the disk")
        .complains("the rest is not issued")
        .complains("certkit ca revoke SERIAL");
}

#[test]
fn a_batch_that_issues_nothing_leaves_no_folder_behind() {
    let sandbox = with_ca();
    sandbox.write("names.txt", "b..test\n");
    for (args, code) in [(&[][..], 2), (&["--keep-going"], 1)] {
        let batch = ["ca", "issue", "--batch", "names.txt", "--out-dir", "new/out"];
        sandbox.certkit(&[&batch[..], args].concat()).expect_code(code);
        assert_eq!(sandbox.listing(), ["names.txt"]);
    }
    std::fs::create_dir(sandbox.path("mine")).unwrap();
    sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--out-dir", "mine", "--keep-going"]).expect_code(1);
    assert!(sandbox.path("mine").is_dir(), "what was there before stays");
}

#[test]
fn a_key_and_a_certificate_of_two_lines_are_never_one_file() {
    let sandbox = with_ca();
    for list in ["a.test,a\nb.test,a-key\n", "b.test,a-key\na.test,a\n"] {
        sandbox.write("list.csv", format!("names,out\n{list}c.test,c\n"));
        let refused = sandbox.certkit(&["ca", "issue", "--batch", "list.csv"]).expect_code(2);
        refused.complains("list.csv:3: another line is written to");
    }
    sandbox.write("list.csv", "names,out\na.test,a-key\nb.test,a-key-key2\n");
    sandbox.certkit(&["ca", "issue", "--batch", "list.csv"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_takes_no_other_with_it() {
    // With its ledger elsewhere, what the limit on files stops is the one long certificate alone.
    let Some(server) = server() else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ledger", &server.database()]).expect_code(0);
    let long: Vec<String> = (0..4000).map(|number| format!("n{number}.test")).collect();
    sandbox.write("list.csv", format!("names,out\na.test,\n\"{}\",long\nc.test,\n", long.join(" ")));
    let ran = sandbox.shell("trap '' XFSZ; ulimit -f 40; exec certkit ca issue --batch list.csv").expect_code(2);
    ran.says("lost  line 3").says("cannot write ./long.pem").complains("2 issued, 0 refused, 1 lost");
    assert!(sandbox.path("a.test.pem").exists() && sandbox.path("c.test-key.pem").exists());
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told() {
    let sandbox = with_ca();
    sandbox.write("names.txt", "a.test\n");
    let refused = sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--out-dir", "names.txt/x"]).expect_code(2);
    refused.complains("names.txt is a file").complains("choose another folder");
    sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--out-dir", "names.txt"]).expect_code(2);
    assert_eq!(issued(&sandbox), 0);
}

#[test]
fn the_limits_of_each_lines_profile_are_kept() {
    let sandbox = with_ca();
    let server = sandbox.certkit(&["ca", "profiles", "--show", "server"]).expect_code(0).stdout;
    sandbox.write("corp.toml", format!("{server}allowed_names = [\"dns:corp.test\"]\nmax_days = 397\n"));
    sandbox.write(
        "list.csv",
        "names,profile,days\na.corp.test,corp.toml,\nb.test,corp.toml,\nb.test,,\nc.corp.test,corp.toml,400\n",
    );
    let refused = sandbox.certkit(&["ca", "issue", "--batch", "list.csv"]).expect_code(2);
    for said in ["list.csv:3:", "(allowed_names)", "list.csv:5:", "(max_days)"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    assert_eq!(issued(&sandbox), 0);
    sandbox.certkit(&["ca", "issue", "--batch", "list.csv", "--keep-going"]).expect_code(1);
    assert_eq!(issued(&sandbox), 2);
}

#[test]
fn flags_without_effect_and_lists_without_certificates_are_errors() {
    let sandbox = with_ca();
    sandbox.write("names.txt", "a.test\n");
    sandbox.write("empty.txt", "# nothing\n");
    sandbox.write("bad.csv", "names,day\na.test,3\n");
    for args in [
        &["--batch", "names.txt", "b.test"][..],
        &["--batch", "names.txt", "--out", "x.pem"],
        &["--batch", "names.txt", "--encrypt"],
        &["--batch", "empty.txt"],
        &["--batch", "none.txt"],
        &["--batch", "bad.csv"],
        &["--batch", "bad.csv", "--keep-going"],
        &["--batch", "names.txt", "--format", "xml"],
        &["b.test", "--out-dir", "x"],
        &["b.test", "--keep-going"],
    ] {
        sandbox.certkit(&[&["ca", "issue"], args].concat()).expect_code(2);
    }
    assert_eq!(issued(&sandbox), 0);
}
