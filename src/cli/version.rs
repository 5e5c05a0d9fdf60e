//! Which certkit this is, and what its build decided.

use std::fmt;

use serde::Serialize;

use super::output::Report;
use super::text::Text;

/// What `--version` says.
#[derive(Debug, Serialize)]
pub(super) struct Version {
    version: &'static str,
    /// Whether aws-lc gathers CPU-jitter entropy, which costs each process that draws random bytes about 22 ms.
    jitter_entropy: bool,
}

impl Version {
    pub(super) fn of_this_build() -> Self {
        // aws-lc's build script read the same variable, from `.cargo/config.toml` or from the environment.
        let jitter_entropy = option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY") != Some("1");
        Self { version: env!("CARGO_PKG_VERSION"), jitter_entropy }
    }
}

/// What follows the program's name.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entropy = if self.jitter_entropy {
            "the system's generator and CPU jitter, at about 22 ms a process; build with AWS_LC_SYS_NO_JITTER_ENTROPY=1"
        } else {
            "the system's generator"
        };
        write!(f, "{}\nrandom bytes: aws-lc, seeded by {entropy}", self.version)
    }
}

impl Report for Version {
    fn text(&self, text: &mut Text) {
        text.verbatim(&format!("certkit {self}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_from_this_folder_gathers_no_jitter() {
        assert!(!Version::of_this_build().jitter_entropy, "is .cargo/config.toml's [env] gone?");
    }
}
