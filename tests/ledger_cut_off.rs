//! The ledger on PostgreSQL where the connection breaks off just as a transaction is put on the disk: whether it is there is
//! found out, so that nothing is recorded of which nobody knows, and nothing is said to be recorded that is not.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::{Sandbox, postgres};

/// What a client sends to have a transaction put on the disk (PostgreSQL, "Message Formats", Query).
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Where the connection breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server never hears of it.
    Before,
    /// It hears of it, and its answer is lost.
    After,
    /// As before, and nobody gets through afterwards.
    AfterAndForEver,
}

/// Between client and server; it breaks the connection at one of the commits.
struct Between {
    folder: tempfile::TempDir,
    /// Commits until the one that is cut off; at 0 none is.
    left: Arc<AtomicUsize>,
}

impl Between {
    fn start(server: PathBuf, cut: Cut) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let left = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&left);
        thread::spawn(move || {
            let closed = Arc::new(AtomicUsize::new(0));
            for client in listener.incoming().map_while(Result::ok) {
                if closed.load(Ordering::SeqCst) > 0 {
                    continue;
                }
                let server = UnixStream::connect(&server).unwrap();
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (left, closed) = (Arc::clone(&counted), Arc::clone(&closed));
                thread::spawn(move || forward(client, server, cut, &left, &closed));
                thread::spawn(move || _ = std::io::copy(&mut from, &mut to));
            }
        });
        Self { folder, left }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://certkit@/{database}?host={}", self.folder.path().display())
    }

    /// The so many-th commit from now on is cut off.
    fn cut(&self, commit: usize) {
        self.left.store(commit, Ordering::SeqCst);
    }

    /// Whether it was.
    fn has_cut(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

fn forward(mut client: UnixStream, mut server: UnixStream, cut: Cut, left: &AtomicUsize, closed: &AtomicUsize) {
    let mut buffer = [0; 65536];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let is_commit = buffer[..count].windows(COMMIT.len()).any(|part| part == COMMIT);
        let counts = |left: usize| left.checked_sub(1);
        if is_commit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counts) == Ok(1) {
            closed.store(usize::from(cut == Cut::AfterAndForEver), Ordering::SeqCst);
            _ = client.shutdown(Shutdown::Both);
            if cut != Cut::Before {
                // The server does its work without a client too.
                _ = server.write_all(&buffer[..count]);
                _ = server.read(&mut buffer);
            }
            break;
        }
        if server.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    _ = client.shutdown(Shutdown::Both);
    _ = server.shutdown(Shutdown::Both);
}

struct Scene {
    sandbox: Sandbox,
    between: Between,
}

impl Scene {
    fn new(cut: Cut) -> Option<Self> {
        let direct = postgres::server()?.database();
        let (database, host) = direct.strip_prefix("postgres://certkit@/").unwrap().split_once("?host=").unwrap();
        let between = Between::start(Path::new(host).join(".s.PGSQL.5432"), cut);
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--ledger", &between.url(database)]).expect_code(0);
        Some(Self { sandbox, between })
    }

    fn names(&self) -> Vec<String> {
        let listed = self.sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
        let certificates = listed["certificates"].as_array().unwrap().iter();
        certificates.map(|one| one["names"][0].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn what_was_recorded_is_known_to_be() {
    let Some(scene) = Scene::new(Cut::After) else { return };
    for (commit, command) in [
        (1, &["ca", "issue", "a.test"][..]),
        (1, &["ca", "revoke", "a.test", "--reason", "superseded"]),
        // The first has a number handed out, which leaves no line in the log: if it is lost there is another.
        (2, &["ca", "crl"]),
        (1, &["ca", "issue", "b.test"]),
    ] {
        scene.between.cut(commit);
        scene.sandbox.certkit(command).expect_code(0);
        assert!(scene.between.has_cut(), "{command:?}");
    }
    assert_eq!(scene.names(), ["dns:a.test", "dns:b.test"]);
    scene.sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn what_was_not_recorded_is_not_said_to_be() {
    let Some(scene) = Scene::new(Cut::Before) else { return };
    scene.between.cut(1);
    let failed = scene.sandbox.certkit(&["ca", "issue", "a.test"]);
    assert_ne!(failed.code, Some(0));
    assert!(scene.between.has_cut() && scene.names().is_empty());
    assert!(!scene.sandbox.path("a.test.pem").exists() && !scene.sandbox.path("a.test-key.pem").exists());
    scene.sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    scene.sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn a_batch_goes_on_after_a_commit_that_was_cut_off() {
    let Some(scene) = Scene::new(Cut::After) else { return };
    let names: String = (0..3000).map(|number| format!("host-{number}.test\n")).collect();
    std::fs::write(scene.sandbox.path("names.txt"), names).unwrap();
    scene.between.cut(2);
    scene.sandbox.certkit(&["ca", "issue", "--batch", "names.txt", "--out-dir", "made"]).expect_code(0);
    assert!(scene.between.has_cut());
    assert_eq!(scene.names().len(), 3000);
    scene.sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn what_nobody_can_know_is_said_to_be_unknown() {
    let Some(scene) = Scene::new(Cut::AfterAndForEver) else { return };
    scene.between.cut(1);
    let failed = scene.sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2);
    assert!(failed.stderr.contains("it is not known whether it is there"), "{}", failed.stderr);
    assert!(failed.stderr.contains("certkit ca list"), "{}", failed.stderr);
}
