//! README.md is true: each of its console blocks runs as it stands, in one sandbox and in order, and its tables are what
//! certkit and the sources say.
//!
//! In a console block a line after `$ ` is run by bash, lines after `> ` belong to it, and the lines that follow are what it
//! prints. `? 1` is the exit status, where it is not 0. `...` stands for any lines, `[..]` for anything within a line.
//! Serial numbers, fingerprints, times and the like need only be of the same kind. A command that ends in `&` is a server:
//! it runs, on a free port instead of the README's, until `kill %1`. A fenced block with a file name is that file.
//!
//! `CERTKIT_UPDATE_README=1 cargo test readme` writes what is printed into README.md. Read the difference before you keep it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, fs};

use certkit::profile::Profile;

#[cfg(unix)]
use crate::support::background::{Background, free_port};
use crate::support::{Sandbox, peer};

#[cfg(unix)]
#[test]
fn every_console_block_does_what_it_says() {
    let mut readme = Readme::open();
    let mut tour = Tour::new();
    let (mut wrong, mut updates) = (Vec::new(), Vec::new());
    for block in readme.blocks() {
        match block.language.as_str() {
            "console" if PEERS.iter().all(|name| !block.uses(name) || peer(name).is_some()) => {
                for step in block.steps() {
                    let (right, said) = tour.play(&step);
                    if !right {
                        wrong.push(format!("README.md:{}: $ {}\n{}", step.line, step.command, said.join("\n")));
                    }
                    updates.push((step.answer, said));
                }
            }
            "console" => {}
            _ => {
                if let Some(name) = &block.file {
                    tour.sandbox.write(name, tour.here(&block.lines.join("\n")) + "\n");
                }
            }
        }
    }
    if wants_update() {
        readme.replace(updates);
        return;
    }
    assert!(wrong.is_empty(), "README.md says otherwise; now it is\n\n{}", wrong.join("\n\n"));
}

#[test]
fn no_block_escapes_the_test() {
    let blocks = Readme::open().blocks();
    assert!(blocks.iter().filter(|block| block.language == "console").count() >= 10);
    for block in blocks {
        let known = match block.language.as_str() {
            "console" => block.lines.first().is_some_and(|line| line.starts_with("$ ")),
            // The set-up itself: running it here would run this test.
            "sh" => block.lines.iter().all(|line| ["cargo ", "git "].iter().any(|word| line.starts_with(word))),
            "python" => block.file.is_some(),
            _ => false,
        };
        assert!(known, "README.md:{}: a block that no test runs", block.line);
    }
}

#[test]
fn the_table_of_rules_is_that_of_verify() {
    let said = Sandbox::new().certkit(&["verify", "--rules", "--json"]).expect_code(0).json();
    let rows = said["rules"].as_array().unwrap().iter().map(|rule| {
        let cell = |name: &str| rule[name].as_str().unwrap().to_owned();
        let severities = ["tls", "rfc5280", "webpki"].map(cell);
        [vec![code(&cell("check"))], severities.to_vec(), vec![cell("requirement"), cell("clause")]].concat()
    });
    Readme::open().has_table("rules", &["rule", "tls", "rfc5280", "webpki", "what must hold", "clause"], rows);
}

#[test]
fn the_table_of_profiles_is_that_of_the_templates() {
    let rows = Profile::names().into_iter().map(|name| {
        let profile = Profile::built_in(name).unwrap();
        vec![code(name), profile.description.clone(), format!("{} days", profile.lifetime.whole_days())]
    });
    Readme::open().has_table("profiles", &["profile", "for", "valid"], rows);
}

#[test]
fn the_rooms_are_those_of_the_house() {
    let source = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = source.lines().filter_map(|line| {
        let (room, holds) = line.strip_prefix("//! | [`")?.strip_suffix(" |")?.split_once("`] | ")?;
        Some(vec![format!("`src/{room}`"), holds.to_owned()])
    });
    Readme::open().has_table("rooms", &["room", "holds"], rows);
}

#[test]
fn every_command_is_in_the_table() {
    let readme = Readme::open().lines.join("\n");
    for command in commands(&[]) {
        let below = commands(&[command.as_str()]).join(" · ");
        let cell = code(format!("{command} {below}").trim_end());
        assert!(
            readme.contains(&format!("| {cell}")) || readme.contains(&format!(", {cell} |")),
            "the table lacks {cell}"
        );
    }
}

/// The commands below this one, as its help lists them.
fn commands(below: &[&str]) -> Vec<String> {
    let help = Sandbox::new().certkit(&[below, &["--help"]].concat()).expect_code(0).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let begun = listed.filter(|line| !line.starts_with("   "));
    begun.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn what_changes_from_run_to_run_is_compared_by_kind() {
    for (one, other, same) in [
        ("serial 0ea6c3eeb85d04a6", "serial 944a17614cdf4adb", true),
        ("until 2027-11-23T15:56:01Z (expires in 364 days)", "until 2036-01-01T00:00:00Z (expires in 9 years)", true),
        ("SHA-256  F5:01:30:50:A0:8E:10:30", "SHA-256  00:01:30:50:A0:8E:10:AA", true),
        ("pin sha256/V+9OjT/xsgYBhP9kLMDQ8HN9a4Dhy0Ko1sRJB9dKHDk=", "pin sha256/", false),
        ("names a.test", "names b.test", false),
        ("yes signature", "NO  signature", false),
        ("RSA-2048", "RSA-3072", false),
        ("block 1 (line 1)", "block 1 (line 6)", false),
    ] {
        assert_eq!(kind_of(one) == kind_of(other), same, "{one} | {other}");
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (wanted, said, fits) in [
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("...", "", true),
        ("a\n...", "b\na", false),
        ("a[..]c", "abc", true),
        ("a[..]c", "ab", false),
        ("a", "a\nb", false),
        ("", "a", false),
    ] {
        assert_eq!(fit(&lines(wanted), &lines(said)).is_some(), fits, "{wanted} | {said}");
    }
}

/// Programs that a block may need beside certkit. Where one is absent the block is skipped.
const PEERS: &[&str] = &["curl", "jq", "openssl", "python3"];

/// The port in README.md, in whose stead a free one is taken.
const PORT: &str = "4443";

/// The home in README.md.
const HOME: &str = "/home/you";

struct Readme {
    lines: Vec<String>,
    /// Tests run side by side, and each may have a part to write.
    _alone: MutexGuard<'static, ()>,
}

/// A fenced block.
struct Block {
    /// Of its fence, from 1.
    line: usize,
    language: String,
    file: Option<String>,
    lines: Vec<String>,
}

/// A command and what README.md says it prints.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
    code: i32,
    /// Where in the file the answer stands.
    answer: Range<usize>,
}

impl Readme {
    fn open() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let text = fs::read_to_string(root().join("README.md")).unwrap();
        Self { lines: text.lines().map(str::to_owned).collect(), _alone: alone }
    }

    fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
        for (line, text) in (1..).zip(&self.lines) {
            match (text.strip_prefix("```"), &mut open) {
                (Some(""), Some(_)) => blocks.extend(open.take()),
                (Some(information), None) => {
                    let mut words = information.split_whitespace().map(str::to_owned);
                    let (language, file) = (words.next().unwrap_or_default(), words.next());
                    open = Some(Block { line, language, file, lines: Vec::new() });
                }
                (_, Some(block)) => block.lines.push(text.clone()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "README.md ends within a block");
        blocks
    }

    /// Checks that the table after `<!-- name -->` is this, or makes it so.
    #[track_caller]
    fn has_table(&mut self, name: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
        let mut table = vec![row(&head), format!("|{}", "---|".repeat(head.len()))];
        table.extend(rows.map(|cells| row(&cells)));
        let marker = format!("<!-- {name} -->");
        let begin = 1 + self.lines.iter().position(|line| *line == marker).expect("README.md lacks the marker");
        let end = begin + self.lines[begin..].iter().take_while(|line| line.starts_with('|')).count();
        if wants_update() {
            return self.replace(vec![(begin..end, table)]);
        }
        assert!(
            self.lines[begin..end] == table,
            "README.md:{begin}: the table of {name} is out of date; now it is\n{}",
            table.join("\n")
        );
    }

    fn replace(&mut self, updates: Vec<(Range<usize>, Vec<String>)>) {
        for (range, lines) in updates.into_iter().rev() {
            self.lines.splice(range, lines);
        }
        fs::write(root().join("README.md"), self.lines.join("\n") + "\n").unwrap();
    }
}

impl Block {
    /// Whether one of its commands has this word.
    fn uses(&self, word: &str) -> bool {
        let commands = self.lines.iter().filter(|line| line.starts_with("$ ") || line.starts_with("> "));
        commands.flat_map(|line| line.split_whitespace()).any(|found| found == word)
    }

    fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        // The first line of the block is the one after its fence; indices count from 0, lines from 1.
        for (index, text) in (self.line..).zip(&self.lines) {
            if let Some(command) = text.strip_prefix("$ ") {
                let (command, next) = (command.to_owned(), index + 1);
                steps.push(Step { line: next, command, expected: Vec::new(), code: 0, answer: next..next });
                continue;
            }
            let step = steps.last_mut().unwrap_or_else(|| panic!("README.md:{}: no command yet", index + 1));
            if let Some(more) = text.strip_prefix("> ").filter(|_| step.answer.is_empty()) {
                step.command = format!("{}\n{more}", step.command);
                step.answer = index + 1..index + 1;
                continue;
            }
            step.answer.end = index + 1;
            match text.strip_prefix("? ") {
                Some(code) => step.code = code.parse().unwrap(),
                None => step.expected.push(text.clone()),
            }
        }
        steps
    }
}

/// The reader, from the top of README.md to its end.
#[cfg(unix)]
struct Tour {
    sandbox: Sandbox,
    port: u16,
    server: Option<Background>,
}

#[cfg(unix)]
impl Tour {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        // What the system trusts differs from one machine to the next. Here it is one root, which nothing in the tour knows.
        let root =
            ["new", "--profile", "root-ca", "--cn", "Public Root", "--out", "../home/roots.pem", "--keyout", "-"];
        sandbox.certkit(&root).expect_code(0);
        for file in ["https.pcap", "server.pem"] {
            fs::copy(self::root().join("tests/data/capture").join(file), sandbox.path(file)).unwrap();
        }
        Self { sandbox, port: free_port(), server: None }
    }

    /// Does what the step says. Answers whether it came out as README.md has it, and what README.md is to have.
    fn play(&mut self, step: &Step) -> (bool, Vec<String>) {
        if step.command == "kill %1" {
            drop(self.server.take().expect("no server runs"));
            return (true, Vec::new());
        }
        if let Some(server) = step.command.strip_suffix(" &") {
            self.port = free_port();
            let run = self.sandbox.bash(&format!("{PRELUDE}; exec {}", self.here(server)));
            self.server.insert(self.sandbox.start(run)).wait_for(self.port);
            return (true, Vec::new());
        }
        let ran = self.sandbox.bash(&format!("{PRELUDE}; exec 2>&1\n{}", self.here(&step.command))).run();
        let said: Vec<String> = ran.stdout.lines().map(|line| self.there(line)).collect();
        let (code, fitted) = (ran.code.unwrap_or(-1), fit(&step.expected, &said));
        let right = code == step.code && fitted.is_some();
        let status = (code != 0).then(|| format!("? {code}"));
        (right, fitted.unwrap_or(said).into_iter().chain(status).collect())
    }

    /// What README.md says, for this machine.
    fn here(&self, text: &str) -> String {
        text.replace(PORT, &self.port.to_string())
    }

    /// What this machine says, for README.md.
    fn there(&self, line: &str) -> String {
        let home = self.sandbox.home();
        line.replace(&self.port.to_string(), PORT).replace(home.to_str().unwrap(), HOME).trim_end().to_owned()
    }
}

/// The reader's own environment, not the sandbox's: the CA is at its default place.
const PRELUDE: &str = "unset CERTKIT_CA XDG_DATA_HOME; export SSL_CERT_FILE=~/roots.pem SSL_CERT_DIR=~/none";

/// What was printed, with the wildcards of README.md, if it is what README.md says.
fn fit(wanted: &[String], said: &[String]) -> Option<Vec<String>> {
    let Some((first, rest)) = wanted.split_first() else { return said.is_empty().then(Vec::new) };
    let (line, others) = if first == "..." {
        (first, (0..=said.len()).find_map(|skipped| fit(rest, &said[skipped..])))
    } else {
        let (next, others) = said.split_first().filter(|(line, _)| fits_line(first, line))?;
        (if first.contains("[..]") { first } else { next }, fit(rest, others))
    };
    Some([vec![line.clone()], others?].concat())
}

fn fits_line(wanted: &str, said: &str) -> bool {
    let (wanted, said) = (kind_of(wanted), kind_of(said));
    let Some((begin, end)) = wanted.split_once("[..]") else { return wanted == said };
    said.strip_prefix(begin).is_some_and(|said| said.ends_with(end))
}

/// A line with every word that changes from run to run replaced by what kind of word it is.
fn kind_of(line: &str) -> String {
    let mut kinds = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let is_delimiter = |character: char| character.is_whitespace() || "\"'`(),;".contains(character);
        let word = &rest[..rest.find(is_delimiter).unwrap_or(rest.len())];
        let after = &rest[word.len()..];
        let unit = after.strip_prefix(' ').and_then(|after| after.split(is_delimiter).next()).unwrap_or_default();
        if kinds.ends_with("expires in ") && word.bytes().all(|byte| byte.is_ascii_digit()) {
            kinds.push_str("<span>");
            rest = &after[1 + unit.len()..];
            continue;
        }
        kinds.push_str(word_kind(word));
        let delimiter = after.chars().next().map_or(0, char::len_utf8);
        kinds.push_str(&after[..delimiter]);
        rest = &after[delimiter..];
    }
    kinds
}

fn word_kind(word: &str) -> &str {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs: Vec<&str> = word.split(':').collect();
    match shape.as_str() {
        "9999-99-99T99:99:99Z" => "<time>",
        "9999-99-99" => "<date>",
        "99:99:99" => "<hour>",
        _ if pairs.len() >= 8 && pairs.iter().all(|pair| pair.len() == 2 && is_hex(pair)) => "<fingerprint>",
        _ if word.len() >= 8 && is_hex(word) && word.bytes().any(|byte| byte.is_ascii_digit()) => "<number>",
        _ if word.trim_start_matches("sha256/").len() == 44 && word.ends_with('=') => "<pin>",
        _ => word,
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn wants_update() -> bool {
    env::var_os("CERTKIT_UPDATE_README").is_some_and(|value| value == "1")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
