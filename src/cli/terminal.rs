//! A secret that is typed: not shown, and the terminal left as it was, also where Ctrl-C ends the process.

use std::io;

/// Asks for a secret on the terminal.
///
/// # Errors
/// When there is no terminal, or it cannot be used.
#[cfg(not(unix))]
pub(super) fn ask(prompt: &str) -> io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// Asks for a secret on the terminal.
///
/// # Errors
/// When there is no terminal, or it cannot be used.
#[cfg(unix)]
pub(super) fn ask(prompt: &str) -> io::Result<String> {
    let terminal = std::rc::Rc::new(unix::Quiet::terminal()?);
    let config = rpassword::ConfigBuilder::new().input_reader(unix::Typed(std::rc::Rc::clone(&terminal))).build();
    let typed = rpassword::prompt_password_with_config(prompt, config);
    // After `rpassword`, which puts back what it found.
    drop(terminal);
    typed
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read};
    use std::os::fd::OwnedFd;
    use std::rc::Rc;

    use rustix::fs::{Mode, OFlags};
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    /// The terminal of the process, which shows nothing and hands over each key by itself until this is dropped.
    pub(super) struct Quiet {
        terminal: OwnedFd,
        before: Termios,
    }

    impl Quiet {
        pub(super) fn terminal() -> io::Result<Self> {
            let terminal =
                rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
            let before = tcgetattr(&terminal)?;
            let mut quiet = before.clone();
            // Without signals (ISIG): Ctrl-C comes as a key, and the terminal can be put back first.
            quiet.local_modes &= !(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
            quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
            quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
            Ok(Self { terminal, before })
        }

        fn restore(&self) {
            // Nothing is left to do where the terminal is gone.
            _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
            // The end of the line was typed, and not shown.
            _ = rustix::io::write(&self.terminal, b"\n");
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            self.restore();
        }
    }

    /// What is typed on it.
    pub(super) struct Typed(pub(super) Rc<Quiet>);

    impl Read for Typed {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let Self(terminal) = self;
            let count = rustix::io::read(&terminal.terminal, &mut *room)?;
            // `rpassword` raises SIGINT upon it, and then nothing is dropped.
            if room.iter().take(count).any(|byte| *byte == CTRL_C) {
                terminal.restore();
            }
            Ok(count)
        }
    }

    const CTRL_C: u8 = 3;
}
