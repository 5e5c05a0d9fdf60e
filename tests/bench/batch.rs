//! How much memory `certkit verify --batch` takes for a hundred thousand certificates, and how many it judges in a second.
//!
//! The certificates, each with a serial number and so a signature of its own, are judged as files of a folder and as one
//! stream, by a process of its own whose largest resident set Linux keeps (`VmHWM`). The run fails where a hundred
//! thousand take more than the limit, or much more than a tenth as many do.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::print_stdout)]

// The file is shared with the other benches and tests/fuzz, which use what this one does not.
#[allow(unreachable_pub, dead_code)]
mod support {
    pub mod hierarchy;
}

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use certkit::encoding::pem;
use support::hierarchy::{self, HOST, Hierarchy};

const MANY: u64 = 100_000;
const FEW: u64 = MANY / 10;
/// What a hundred thousand may take, in KiB.
const LIMIT: u64 = 64 << 10;
/// What they may take beyond a tenth as many, in KiB: the names of the folder.
const GROWTH: u64 = 16 << 10;

fn main() -> ExitCode {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    // `cargo test --benches` only asks whether everything runs.
    let (few, many) = if std::env::args().any(|argument| argument == "--test") { (10, 100) } else { (FEW, MANY) };
    let hierarchy = Hierarchy::usual();
    for (name, der) in [("root.pem", &hierarchy.root), ("issuing.pem", &hierarchy.intermediate)] {
        fs::write(work.join(name), armor(der)).unwrap();
    }
    write(work, "few", few);
    write(work, "many", many);

    let mut good = true;
    for (what, stream) in [("files of a folder", false), ("one stream", true)] {
        let small = judge(work, "few", stream, few);
        let large = judge(work, "many", stream, many);
        println!(
            "{many} certificates as {what}: {} MiB, {:.0} in a second; {few}: {} MiB",
            large.memory >> 10,
            large.speed,
            small.memory >> 10
        );
        let bounded = large.memory <= LIMIT && large.memory.saturating_sub(small.memory) <= GROWTH;
        println!(
            "  {} the limits of {} MiB and {} more",
            if bounded { "within" } else { "OVER" },
            LIMIT >> 10,
            GROWTH >> 10
        );
        good &= bounded;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Measured {
    /// The largest resident set in KiB.
    memory: u64,
    /// Certificates in a second.
    speed: f64,
}

/// Writes `count` certificates as files of the folder `name` and as the stream `name.pem`.
fn write(work: &Path, name: &str, count: u64) {
    let folder = work.join(name);
    fs::create_dir(&folder).unwrap();
    let mut stream = BufWriter::new(File::create(work.join(name).with_extension("pem")).unwrap());
    for (number, leaf) in hierarchy::usual_leaves(1000..1000 + count).enumerate() {
        let text = armor(&leaf);
        fs::write(folder.join(format!("{number:06}.pem")), &text).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    }
    stream.flush().unwrap();
}

fn armor(der: &[u8]) -> String {
    pem::write("CERTIFICATE", der).to_string()
}

fn judge(work: &Path, name: &str, stream: bool, count: u64) -> Measured {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certkit"));
    command.current_dir(work).args(["verify", "--at", "2026-06-01T12:00:00Z", "--host", HOST]);
    command.args(["--roots", "root.pem", "--intermediates", "issuing.pem", "--batch"]);
    if stream {
        command.arg("-").stdin(File::open(work.join(name).with_extension("pem")).unwrap());
    } else {
        command.arg(name).stdin(Stdio::null());
    }
    let told = work.join("told");
    let started = Instant::now();
    let mut child = command.stdout(File::create(&told).unwrap()).stderr(Stdio::null()).spawn().unwrap();
    let memory = largest_resident_set(&mut child);
    let seconds = started.elapsed().as_secs_f64();
    assert!(child.wait().unwrap().success(), "every certificate is accepted");
    assert_eq!(fs::read_to_string(&told).unwrap().lines().count() as u64, count, "every certificate is told");
    Measured { memory, speed: count as f64 / seconds }
}

/// Looks until the process has ended. What it last was is what it was at most.
fn largest_resident_set(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let found = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        memory = memory.max(found.unwrap_or(0));
        thread::sleep(Duration::from_millis(2));
    }
    memory
}
