//! What is secret stays so: in memory, on the terminal, and for programs that certkit starts.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::support::background::free_port;
use crate::support::{Sandbox, peer, python};

/// How often any of these occurs in memory that a process may write.
fn found(process: u32, wanted: &[&[u8]]) -> usize {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut count = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut room = vec![0; usize::try_from(end - start).unwrap()];
        // What the kernel keeps for itself is not to be read.
        if memory.read_exact_at(&mut room, start).is_ok() {
            let starts = |at: usize| wanted.iter().filter(|it| room[at..].starts_with(it)).count();
            count += (0..room.len()).map(starts).sum::<usize>();
        }
    }
    count
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_a_key_s_file_stays_in_memory() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let file = fs::read_to_string(sandbox.ca().join("ca-key.pem")).unwrap();
    let body: String = file.lines().filter(|line| !line.starts_with('-')).collect();
    // The octets 36 to 68 of PKCS #8 are the scalar of P-256 (RFC 5915); what follows is public.
    let windows: Vec<&[u8]> = body.as_bytes()[48..88].windows(24).collect();
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox.start(sandbox.command().args(["ca", "crl", "--serve", &address]));
    server.wait_for(port);
    assert_eq!(found(server.id(), &windows), 0, "places");
    // It would be found.
    assert_ne!(found(server.id(), &[address.as_bytes()]), 0);
}

#[test]
fn a_program_gets_no_descriptor_from_which_the_passphrase_can_be_read() {
    let sandbox = Sandbox::new();
    sandbox.write("secret", "sesame\n");
    sandbox.shell("certkit ca init --encrypt --passphrase file:secret").expect_code(0);
    sandbox.shell("certkit ca issue a.test --ca-passphrase file:secret").expect_code(0);
    let renew = "certkit ca renew a.test --exec \"sh -c 'cat <&3 >told'\" --ca-passphrase";
    let refused = sandbox.shell(&format!("{renew} fd:3 3<secret")).expect_code(2);
    drop(refused.complains("could read it too").complains("file:PATH"));
    assert!(!sandbox.path("told").exists());
    sandbox.shell(&format!("{renew} fd:3 3< <(cat secret)")).expect_code(0);
    assert_eq!(sandbox.read("told"), b"");
}

#[test]
fn ctrl_c_at_a_prompt_leaves_the_terminal_as_it_was() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("secret", "sesame\n");
    sandbox.shell("certkit ca init --encrypt --passphrase file:secret").expect_code(0);
    let script = r#"
import os, pty, sys, termios, time
def run(typed):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp('bash', ['bash', '-c', 'trap : INT; ' + sys.argv[1] + ' ca issue a.test --force; echo "ended $?"; read'])
    said = b''
    def until(word):
        nonlocal said
        while word not in said:
            said += os.read(terminal, 4096)
    modes = lambda: termios.tcgetattr(terminal)[3]
    before = modes()
    until(b'passphrase')
    while modes() & termios.ECHO:
        time.sleep(0.01)
    os.write(terminal, typed)
    until(b'ended ')
    while b'\n' not in said.split(b'ended ')[1]:
        said += os.read(terminal, 4096)
    print(said.split(b'ended ')[1].split()[0].decode(), modes() == before, b'sesame' in said, flush=True)
    os.write(terminal, b'\n')
    os.waitpid(pid, 0)
run(b'ses\x03')
run(b'sesame\n')
"#;
    let ran = sandbox.program(&python.path).args(["-c", script, env!("CARGO_BIN_EXE_certkit")]).expect_code(0);
    assert_eq!(ran.stdout, "130 True False\n0 True False\n", "{ran}");
}

#[test]
fn of_two_keys_in_one_file_none_is_taken() {
    let Some(_) = peer("keytool") else { return };
    let sandbox = Sandbox::new();
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             for alias in one two; do
                 keytool -J-XX:TieredStopAtLevel=1 -genkeypair -keystore k.p12 -storetype PKCS12 -storepass changeit -alias $alias \\
                     -keyalg EC -groupname secp256r1 -dname CN=$alias -ext bc:c=ca:true -ext ku:c=keyCertSign,cRLSign
             done; echo changeit >secret",
        )
        .expect_code(0);
    let import = ["ca", "import", "k.p12", "--passphrase", "file:secret"];
    sandbox.certkit(&import).expect_code(2).complains("holds 2 private keys, and one is due");
    sandbox.shell("keytool -delete -keystore k.p12 -storepass changeit -alias two").expect_code(0);
    sandbox.certkit(&import).expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_fifo_that_its_writer_has_left_is_read_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write("word", "open sesame\n");
    sandbox.certkit(&["ca", "init", "--encrypt", "--passphrase", "file:word"]).expect_code(0);
    let issue =
        "mkfifo ff; (cat word >ff &); exec 3<ff; sleep 0.3; timeout 20 certkit ca issue a.test --ca-passphrase fd:3";
    sandbox.bash(issue).expect_code(0);
}
