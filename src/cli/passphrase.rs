//! Passphrases: from a prompt, a file, the environment or a file descriptor, and never from the command line, where every
//! user of the machine and the shell's history would see them.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use super::files;
use super::problem::Hinted;
use super::terminal;

/// Where a passphrase comes from: `prompt`, `file:PATH` (its first line), `env:NAME` or `fd:N` (the first line of an open
/// file descriptor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassphraseSource {
    /// Asked on the terminal.
    Prompt,
    /// The first line of a file.
    File(PathBuf),
    /// The value of an environment variable.
    Env(String),
    /// The first line of an open file descriptor.
    Fd(u32),
}

impl PassphraseSource {
    /// The variable of the environment that holds it, if one does.
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Env(name) => Some(name),
            Self::Prompt | Self::File(_) | Self::Fd(_) => None,
        }
    }

    /// Whether a program that is started has it too: a descriptor that leads to a file, which can be read from its beginning
    /// again. A pipe is empty once it is read.
    pub(super) fn is_handed_down(&self) -> bool {
        match self {
            Self::Fd(number @ 1..) => descriptor(*number).is_ok_and(|path| path.is_file()),
            Self::Prompt | Self::File(_) | Self::Env(_) | Self::Fd(0) => false,
        }
    }
}

/// A passphrase, as bytes; wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Deref for Passphrase {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("Passphrase(..)")
    }
}

/// A source that cannot be read. It never holds what was given: that may be the passphrase itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// No known prefix, so perhaps a passphrase.
    #[error("never put a passphrase on the command line: use prompt, file:PATH, env:NAME or fd:N")]
    Literal,
    /// Nothing after the prefix.
    #[error("nothing follows the colon: write file:PATH, env:NAME or fd:N")]
    Nothing,
    /// `fd:` and something else than a number.
    #[error("a file descriptor is a number: write fd:3")]
    Descriptor,
}

impl FromStr for PassphraseSource {
    type Err = PassphraseError;

    fn from_str(text: &str) -> Result<Self, PassphraseError> {
        if text == "prompt" {
            return Ok(Self::Prompt);
        }
        match text.split_once(':') {
            Some(("file" | "env" | "fd", "")) => Err(PassphraseError::Nothing),
            Some(("file", path)) => Ok(Self::File(path.into())),
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("fd", number)) => number.parse().map(Self::Fd).map_err(|_| PassphraseError::Descriptor),
            _ => Err(PassphraseError::Literal),
        }
    }
}

impl fmt::Display for PassphraseSource {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("prompt"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
        }
    }
}

impl PassphraseSource {
    /// The passphrase that opens `what` (`key.pem`). It may be empty: some PKCS#12 files have an empty one.
    ///
    /// # Errors
    /// When the source cannot be read, and for `prompt` without a terminal.
    pub fn existing(&self, what: &str) -> anyhow::Result<Passphrase> {
        self.read(&format!("passphrase of {what}: ")).with_context(|| format!("cannot read the passphrase of {what}"))
    }

    /// The passphrase that shall protect `what`; a prompt asks for it twice.
    ///
    /// # Errors
    /// As [`PassphraseSource::existing`]; and when it is empty or the second one differs from the first.
    pub fn new_one(&self, what: &str) -> anyhow::Result<Passphrase> {
        let failed = || format!("cannot read a new passphrase for {what}");
        let passphrase = self.read(&format!("new passphrase for {what}: ")).with_context(failed)?;
        if passphrase.is_empty() {
            return Err(anyhow!("it is empty")).with_context(failed);
        }
        if *self == Self::Prompt && ask("the same again: ").with_context(failed)? != passphrase {
            return Err(anyhow!("the two differ")).with_context(failed);
        }
        Ok(passphrase)
    }

    /// Says about a passphrase of this source that is wrong what may be the reason.
    pub(super) fn hint_if_wrong<T>(&self, opened: anyhow::Result<T>) -> anyhow::Result<T> {
        match self {
            Self::Prompt => opened,
            _ => opened.hint("file: and fd: take the first line without its line break, env: the whole value"),
        }
    }

    fn read(&self, prompt: &str) -> anyhow::Result<Passphrase> {
        match self {
            Self::Prompt => ask(prompt),
            Self::File(path) => Ok(first_line(&files::read(path)?)),
            Self::Env(name) => env::var_os(name)
                .map(|value| Passphrase(Zeroizing::new(value.into_encoded_bytes())))
                .ok_or_else(|| anyhow!("the environment has no {name}")),
            Self::Fd(number) => Ok(first_line(&files::read(&descriptor(*number)?)?)),
        }
    }
}

fn ask(prompt: &str) -> anyhow::Result<Passphrase> {
    if !io::stderr().is_terminal() && !io::stdin().is_terminal() {
        return Err(anyhow!("there is no terminal to ask on")).hint(
            "say where it comes from, file:PATH, env:NAME or fd:N, with the flag that --help has for it: --passphrase, \
                 --ca-passphrase, --new-passphrase or --p12-passphrase",
        );
    }
    let typed = terminal::ask(prompt).context("the terminal cannot be used")?;
    Ok(Passphrase(Zeroizing::new(typed.into_bytes())))
}

fn first_line(contents: &[u8]) -> Passphrase {
    let line = contents.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Passphrase(Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

fn descriptor(number: u32) -> anyhow::Result<PathBuf> {
    if number == 0 {
        return Ok("-".into());
    }
    if !Path::new("/dev/fd").is_dir() {
        bail!("this system has no /dev/fd, so fd:{number} cannot be read");
    }
    Ok(format!("/dev/fd/{number}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_by_its_prefix() {
        for (text, source) in [
            ("prompt", PassphraseSource::Prompt),
            ("file:/a:b", PassphraseSource::File("/a:b".into())),
            ("env:PASS", PassphraseSource::Env("PASS".into())),
            ("fd:3", PassphraseSource::Fd(3)),
        ] {
            assert_eq!(text.parse(), Ok(source));
        }
    }

    #[test]
    fn a_passphrase_is_no_source() {
        for text in ["hunter2", "pass:hunter2", "", "Prompt", "stdin", "FILE:x", ":x"] {
            assert_eq!(text.parse::<PassphraseSource>(), Err(PassphraseError::Literal), "{text}");
        }
        for text in ["file:", "env:", "fd:"] {
            assert_eq!(text.parse::<PassphraseSource>(), Err(PassphraseError::Nothing), "{text}");
        }
        for text in ["fd:x", "fd:-1", "fd:99999999999"] {
            assert_eq!(text.parse::<PassphraseSource>(), Err(PassphraseError::Descriptor), "{text}");
        }
    }

    #[test]
    fn a_passphrase_is_never_shown() {
        assert_eq!(format!("{:?}", first_line(b"hunter2")), "Passphrase(..)");
    }

    #[test]
    fn only_the_first_line_counts_without_its_end() {
        for (contents, line) in [
            (&b"a b \nc\n"[..], &b"a b "[..]),
            (b"x\r\n", b"x"),
            (b"x\ry", b"x\ry"),
            (b"no end", b"no end"),
            (b"\n", b""),
            (b"", b""),
        ] {
            assert_eq!(*first_line(contents), *line);
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_open_descriptor_is_read() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"hunter2\nmore").unwrap();
        drop(writer);
        let source: PassphraseSource = format!("fd:{}", reader.as_raw_fd()).parse().unwrap();
        assert_eq!(*source.new_one("k").unwrap(), *b"hunter2");
        assert!(PassphraseSource::Fd(9999).existing("k").is_err());
    }

    #[test]
    fn an_unset_variable_is_no_empty_passphrase() {
        let unset: PassphraseSource = "env:CERTKIT_NO_SUCH_VARIABLE".parse().unwrap();
        assert!(format!("{:#}", unset.existing("k").unwrap_err()).contains("the environment has no"));
    }

    #[test]
    fn nothing_is_protected_by_an_empty_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty line");
        std::fs::write(&path, "\nsecret\n").unwrap();
        let source = PassphraseSource::File(path);
        assert!(source.existing("k").unwrap().is_empty());
        assert!(format!("{:#}", source.new_one("k").unwrap_err()).ends_with("it is empty"));
    }
}
