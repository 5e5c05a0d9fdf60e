//! The only place that prints.
//!
//! - The answer goes to stdout: prose, or with `--json` the same struct as one JSON document.
//! - Talk and progress go to stderr, and nowhere with `--quiet`.
//! - Errors go to stderr, always. With `--json`, a run that gives no answer puts `{"error": {"message", "hint"}}` on
//!   stdout as well, so a reader of JSON never waits for nothing.
//! - A file written to `-` takes stdout for itself: the report then joins the talk. With `--json` both would be mixed, so
//!   that is refused.
//! - A reader that closes the pipe has read enough: the rest goes nowhere and the exit status stays what it was.
//! - Colour only where stdout (or stderr, for talk) is a terminal and `NO_COLOR` is not set.

mod stream;

pub use self::stream::LongReport;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, anyhow, bail};
use serde::Serialize;

use super::exit::Exit;
use super::files::Leads;
use super::problem::{Hinted, Problem, plain};
use super::text::{Text, is_disruptive, safe, strong, warn};

/// One struct, two renderings: its fields are the JSON, [`Report::text`] the prose.
pub trait Report: Serialize {
    /// Says it to a person.
    fn text(&self, text: &mut Text);
}

/// One run of certkit, as seen from its outputs.
#[derive(Debug)]
pub struct Session {
    json: bool,
    quiet: bool,
    out: Sink,
    talk: Sink,
    leads: Leads,
    /// A file took stdout for itself.
    taken: bool,
    answered: bool,
    failure: Option<Problem>,
}

impl Session {
    /// A session on this process's stdout and stderr.
    pub fn new(json: bool, quiet: bool) -> Self {
        let (out, talk) = (io::stdout(), io::stderr());
        let colour = [AutoStream::choice(&out), AutoStream::choice(&talk)].map(|choice| choice != ColorChoice::Never);
        let [out_colour, talk_colour] = colour;
        let leads = Leads::of(&out);
        let session =
            Self::on(json, quiet, Sink::new(Box::new(out), out_colour), Sink::new(Box::new(talk), talk_colour));
        Self { leads, ..session }
    }

    /// Whether the answer is asked for in JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Gives the answer: once in a run.
    ///
    /// # Errors
    /// When stdout cannot be written for another reason than a closed pipe: a full disk.
    pub fn answer(&mut self, report: &impl Report) -> anyhow::Result<()> {
        debug_assert!(!(self.json && self.answered), "one JSON document a run");
        self.answered = true;
        if self.json {
            let document = serde_json::to_string_pretty(report).context("cannot write the answer as JSON")?;
            return self.out.write_document(&document);
        }
        let mut text = Text::new();
        report.text(&mut text);
        if self.taken {
            self.talk(text.as_str());
            return Ok(());
        }
        self.out.write(text.as_str())
    }

    /// Gives one row of a long answer: a line of JSON (JSON Lines), or of prose. Rows come as they are found.
    ///
    /// # Errors
    /// As [`Session::answer`].
    pub fn row(&mut self, report: &impl Report) -> anyhow::Result<()> {
        self.answered = true;
        if self.json {
            let line = serde_json::to_string(report).context("cannot write the answer as JSON")?;
            return self.out.write_document(&line);
        }
        let mut text = Text::new();
        report.text(&mut text);
        self.out.write(text.as_str())
    }

    /// Gives several rows in one write.
    ///
    /// # Errors
    /// As [`Session::answer`].
    pub fn rows(&mut self, reports: &[impl Report]) -> anyhow::Result<()> {
        let (mut lines, mut text) = (String::new(), Text::new());
        for report in reports {
            match self.json {
                true => {
                    lines.push_str(&serde_json::to_string(report).context("cannot write the answer as JSON")?);
                    lines.push('\n');
                }
                false => report.text(&mut text),
            }
        }
        self.answered |= !reports.is_empty();
        if self.json { self.out.write_part(&lines) } else { self.out.write(text.as_str()) }
    }

    /// Where a program that certkit runs has its stdout: with the talk, for this process's own stdout has the answer.
    pub fn talk_of_children() -> std::process::Stdio {
        io::stderr().into()
    }

    /// Whether talk is heard by a person at a terminal: a progress bar has somebody to look at it.
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Gives a file to stdout as it is: what `-` as an output means.
    ///
    /// # Errors
    /// As [`Session::may_take_stdout`], and when stdout cannot be written for another reason than a closed pipe.
    pub fn raw(&mut self, contents: &[u8]) -> anyhow::Result<()> {
        self.may_take_stdout()?;
        self.taken = true;
        self.out.write_bytes(contents)
    }

    /// Whether the reader of stdout was gone when something was written to it.
    pub fn has_lost_its_reader(&self) -> bool {
        self.out.closed
    }

    /// Refuses where [`Session::raw`] would: asked before anything is made.
    ///
    /// # Errors
    /// With `--json`, and when stdout is closed.
    pub fn may_take_stdout(&self) -> anyhow::Result<()> {
        if self.json {
            bail!("--json and an output of `-` both want stdout");
        }
        if self.leads == Leads::Closed {
            return Err(anyhow!("cannot write to stdout: it is closed"))
                .hint("name a file, or let stdout lead somewhere");
        }
        Ok(())
    }

    /// The same for a key that nobody has yet.
    ///
    /// # Errors
    /// As [`Session::may_take_stdout`], and when stdout leads to `/dev/null`.
    pub(super) fn may_take_key(&self) -> anyhow::Result<()> {
        self.may_take_stdout()?;
        if self.leads == Leads::Nowhere {
            return Err(anyhow!("cannot write to stdout: it leads to /dev/null, and nobody would have the key"))
                .hint("name a file, or let stdout lead somewhere");
        }
        Ok(())
    }

    /// Says something beside the answer: one line on stderr.
    pub fn say(&mut self, line: impl Display) {
        let mut text = Text::new();
        text.line(line);
        self.talk(text.as_str());
    }

    /// Warns: one line on stderr. A warning is talk, so `--quiet` silences it; what must be seen belongs in the answer.
    pub fn warn(&mut self, line: impl Display) {
        self.say(format_args!("{} {} {line}", strong("certkit:"), warn("warning:")));
    }

    /// Tells an error and goes on, as with the second of three files; the run then ends as [`Exit::CouldNot`].
    pub fn fail(&mut self, error: &anyhow::Error) {
        self.fail_with(Problem::from(error));
    }

    /// Ends the run: tells the error if there is one, and settles the exit status.
    pub fn finish(mut self, answer: anyhow::Result<Exit>) -> Exit {
        let exit = answer.unwrap_or_else(|error| {
            self.fail(&error);
            Exit::CouldNot
        });
        match self.failure.take() {
            None => exit,
            Some(problem) => {
                self.answer_failure(&problem);
                Exit::CouldNot
            }
        }
    }

    /// Ends a run whose command line clap answered: help, the version, or a mistake. `called` is the
    /// command it was for, `version` what `--json --version` says.
    pub(super) fn finish_usage(mut self, answer: &clap::Error, called: &str, version: &impl Report) -> Exit {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        let told = answer.render();
        let printed = match answer.kind() {
            DisplayVersion if self.json => self.answer(version),
            DisplayHelp | DisplayVersion => self.out.write(&format!("{}\n", told.ansi().to_string().trim_end())),
            _ => {
                self.fail_with(Problem::of_usage(answer, called));
                Ok(())
            }
        };
        self.finish(printed.map(|()| Exit::Yes))
    }

    fn fail_with(&mut self, problem: Problem) {
        // Nobody is left to tell when stderr fails.
        _ = self.talk.write(&problem.to_string());
        self.failure.get_or_insert(problem);
    }

    fn answer_failure(&mut self, problem: &Problem) {
        #[derive(Serialize)]
        struct Failure<'a> {
            error: &'a Problem,
        }
        if self.json
            && !self.answered
            && let Ok(document) = serde_json::to_string_pretty(&Failure { error: problem })
        {
            // The error itself is on stderr already.
            _ = self.out.write_document(&document);
        }
    }

    fn talk(&mut self, styled: &str) {
        if !self.quiet {
            // Talk that nobody hears is no failure.
            _ = self.talk.write(styled);
        }
    }

    fn on(json: bool, quiet: bool, out: Sink, talk: Sink) -> Self {
        Self { json, quiet, out, talk, leads: Leads::Somewhere, taken: false, answered: false, failure: None }
    }
}

/// A path as it is shown in a line of prose.
pub fn shown(path: &std::path::Path) -> String {
    safe(path.display()).to_string()
}

/// Where text goes: with or without its styles, and no further once the reader has left.
struct Sink {
    to: Box<dyn Write>,
    colour: bool,
    closed: bool,
}

impl Sink {
    fn new(to: Box<dyn Write>, colour: bool) -> Self {
        Self { to, colour, closed: false }
    }

    fn write(&mut self, styled: &str) -> anyhow::Result<()> {
        if self.colour {
            self.write_bytes(styled.as_bytes())
        } else {
            self.write_bytes(strip_str(styled).to_string().as_bytes())
        }
    }

    /// Writes JSON and ends the line.
    fn write_document(&mut self, document: &str) -> anyhow::Result<()> {
        self.write_part(document)?;
        self.write_bytes(b"\n")
    }

    /// Writes JSON, with the escapes JSON leaves to the writer: DEL, C1 controls and what reorders text.
    fn write_part(&mut self, document: &str) -> anyhow::Result<()> {
        let mut escaped = String::with_capacity(document.len());
        for c in document.chars() {
            if is_disruptive(c) && c != '\n' {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                escaped.push(c);
            }
        }
        self.write_bytes(escaped.as_bytes())
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        if self.closed {
            return Ok(());
        }
        match self.to.write_all(bytes).and_then(|()| self.to.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            written => written.map_err(plain).context("cannot write to stdout"),
        }
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { to: _, colour, closed } = self;
        f.debug_struct("Sink").field("colour", colour).field("closed", closed).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::cli::text::good;

    /// What a session wrote, to look at afterwards.
    #[derive(Clone, Default)]
    pub(crate) struct Page(Rc<RefCell<Vec<u8>>>);

    impl Page {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A session whose stdout and stderr are pages.
    pub(crate) fn captured(json: bool, quiet: bool) -> (Session, Page, Page) {
        let (out, talk) = (Page::default(), Page::default());
        let sink = |page: &Page| Sink::new(Box::new(page.clone()), false);
        (Session::on(json, quiet, sink(&out), sink(&talk)), out, talk)
    }

    #[derive(Serialize)]
    struct Two {
        name: &'static str,
    }

    impl Report for Two {
        fn text(&self, text: &mut Text) {
            text.line(format_args!("the name is {}", good(self.name)));
        }
    }

    struct Fails(io::ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn one_struct_has_two_renderings() {
        let (mut session, out, _) = captured(false, false);
        session.answer(&Two { name: "x" }).unwrap();
        assert_eq!(out.text(), "the name is x\n");
        let (mut session, out, _) = captured(true, false);
        session.answer(&Two { name: "x" }).unwrap();
        assert_eq!(out.text(), "{\n  \"name\": \"x\"\n}\n");
    }

    #[test]
    fn json_says_the_same_and_cannot_repaint_the_terminal() {
        let (mut session, out, _) = captured(true, false);
        let name = "a\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{e0041}é\n";
        session.answer(&Two { name }).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&out.text()).unwrap()["name"], name);
        assert!(out.text().chars().all(|c| c == '\n' || c == 'é' || c.is_ascii_graphic() || c == ' '));
    }

    #[test]
    fn colour_is_only_for_terminals() {
        let page = Page::default();
        let mut session =
            Session::on(false, false, Sink::new(Box::new(page.clone()), true), Sink::new(Box::new(io::sink()), false));
        session.answer(&Two { name: "x" }).unwrap();
        assert_eq!(page.text(), "the name is \u{1b}[32mx\u{1b}[0m\n");
    }

    #[test]
    fn quiet_silences_talk_but_no_error() {
        let (mut session, _, talk) = captured(false, true);
        session.say("working");
        session.warn("odd");
        assert_eq!(talk.text(), "");
        assert_eq!(session.finish(Err(anyhow!("broken"))), Exit::CouldNot);
        assert_eq!(talk.text(), "certkit: broken\n");
    }

    #[test]
    fn a_printed_failure_is_never_success() {
        let (mut session, _, _) = captured(false, false);
        session.fail(&anyhow!("the second file"));
        assert_eq!(session.finish(Ok(Exit::Yes)), Exit::CouldNot);
    }

    #[test]
    fn a_reader_of_json_never_waits_for_nothing() {
        let (session, out, talk) = captured(true, false);
        assert_eq!(session.finish(Err(anyhow!("why").context("what"))), Exit::CouldNot);
        let document: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(document["error"]["message"], "what: why");
        assert_eq!(document["error"]["hint"], serde_json::Value::Null);
        assert_eq!(talk.text(), "certkit: what: why\n");
    }

    #[test]
    fn an_error_after_the_answer_adds_no_second_document() {
        let (mut session, out, _) = captured(true, false);
        session.answer(&Two { name: "x" }).unwrap();
        assert_eq!(session.finish(Err(anyhow!("late"))), Exit::CouldNot);
        assert!(serde_json::from_str::<serde_json::Value>(&out.text()).is_ok());
    }

    #[test]
    fn a_file_on_stdout_sends_the_report_to_stderr() {
        let (mut session, out, talk) = captured(false, false);
        session.raw(b"\x30\x03").unwrap();
        session.answer(&Two { name: "x" }).unwrap();
        assert_eq!((out.text().as_str(), talk.text().as_str()), ("\x30\x03", "the name is x\n"));
    }

    #[test]
    fn a_file_and_json_do_not_share_stdout() {
        let (mut session, out, _) = captured(true, false);
        assert!(session.raw(b"x").is_err());
        assert_eq!(out.text(), "");
    }

    #[test]
    fn a_closed_pipe_leaves_the_answer_as_it_was() {
        for exit in [Exit::Yes, Exit::No] {
            let closed = Sink::new(Box::new(Fails(io::ErrorKind::BrokenPipe)), false);
            let mut session = Session::on(false, false, closed, Sink::new(Box::new(io::sink()), false));
            session.answer(&Two { name: "x" }).unwrap();
            assert_eq!(session.finish(Ok(exit)), exit);
        }
    }

    #[test]
    fn a_full_disk_is_no_success() {
        let full = Sink::new(Box::new(Fails(io::ErrorKind::StorageFull)), false);
        let mut session = Session::on(false, false, full, Sink::new(Box::new(io::sink()), false));
        let answered = session.answer(&Two { name: "x" }).map(|()| Exit::Yes);
        assert_eq!(session.finish(answered), Exit::CouldNot);
    }
}
