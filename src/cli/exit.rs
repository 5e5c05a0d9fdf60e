//! The exit status is a type with a tested meaning, so that scripts can ask certkit a question.

use std::process::ExitCode;

/// What a run of certkit answers to the shell.
///
/// A command returns `Ok(Exit::Yes)` or `Ok(Exit::No)`, and an `Err` where it could not answer. A run that printed an
/// error never exits 0: the [`Session`](super::output::Session) remembers. A reader that closed the pipe changes nothing:
/// the answer stays what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// 0: done, or the answer is yes.
    Yes = 0,
    /// 1: the answer is no: a certificate rejected, lint errors, a trial failed. The answer itself is on stdout.
    No = 1,
    /// 2: could not answer: usage, an unreadable file, an output in the way, the network.
    CouldNot = 2,
}

impl Exit {
    /// The status of a yes-or-no question.
    pub fn of(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }

    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::CouldNot => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_0_no_is_1_could_not_is_2() {
        assert_eq!([Exit::Yes, Exit::No, Exit::CouldNot].map(Exit::code), [0, 1, 2]);
        for exit in [Exit::Yes, Exit::No, Exit::CouldNot] {
            assert_eq!(exit.code(), exit as u8);
        }
    }

    #[test]
    fn a_question_answered_yes_is_success() {
        assert_eq!(Exit::of(true), Exit::Yes);
        assert_eq!(Exit::of(false), Exit::No);
    }
}
