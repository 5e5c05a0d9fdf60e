//! Programs that go on running while a test talks to them.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{Run, Sandbox};

/// A program that runs until this is dropped.
pub(crate) struct Background {
    child: Child,
    told: String,
    log: PathBuf,
}

impl Sandbox {
    /// Starts a program and goes on. What it says goes into a file beside the working folder.
    pub(crate) fn start(&self, run: Run) -> Background {
        let Run { mut command, stdin: _ } = run;
        let told = format!("{command:?}");
        let log = self.home().join("background.log");
        let said = File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        let child = command.spawn().unwrap_or_else(|error| panic!("{told}: {error}"));
        Background { child, told, log }
    }
}

impl Background {
    /// Waits until it takes connections on this port of 127.0.0.1.
    pub(crate) fn wait_for(&mut self, port: u16) {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                panic!("{}\ndoes not listen on port {port} ({ended:?}) and says\n{said}", self.told);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to stop (SIGTERM), and waits for its exit status.
    #[cfg(unix)]
    pub(crate) fn stop(self) -> Option<i32> {
        self.stop_by("-TERM")
    }

    /// The same with another signal.
    #[cfg(unix)]
    pub(crate) fn stop_by(mut self, signal: &str) -> Option<i32> {
        let asked = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(asked.unwrap().success());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(ended) = self.child.try_wait().unwrap() {
                return ended.code();
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{}\ndoes not stop and says\n{}", self.told, self.said());
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Waits until this is true; false where it has not become so in a time that is long even on a busy machine.
pub(crate) fn comes_true(mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begun.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// A port of 127.0.0.1 that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// How long a program may take for what it does at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);
