//! `certkit ca renew --print-unit`: a systemd unit that watches.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::Args;
use super::one::{self, absolute};
use crate::cli::ca::place::Chosen;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::Text;

pub(super) fn run(args: &Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut words = vec![shown(&program), "ca".into(), "renew".into(), "--watch".into()];
    words.extend(["--ca".into(), shown(&absolute(chosen.place().folder())?)]);
    if let Some(span) = args.if_expires_within {
        words.extend(["--if-expires-within".into(), format!("{}s", span.whole_seconds())]);
    }
    if args.rekey {
        words.push("--rekey".into());
    }
    if let Some(profile) = &args.profile {
        words.extend(["--profile".into(), profile.clone()]);
    }
    if let Some(command) = &args.exec {
        words.extend(["--exec".into(), command.line().to_owned()]);
    }
    words.push("--".into());
    for which in &args.which {
        // A unit for something that is not there would fail at the next start of the machine, unseen.
        one::find(which, args, chosen, clock::now())?;
        let path = Path::new(which);
        words.push(if path.is_file() { shown(&absolute(path)?) } else { which.clone() });
    }
    let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    let folder = quoted(&shown(&absolute(Path::new("."))?));
    let unit = format!(
        "# /etc/systemd/system/certkit-renew.service\n\
         # systemctl daemon-reload && systemctl enable --now certkit-renew\n\
         [Unit]\n\
         Description=Renew certificates in time (certkit)\n\
         \n\
         [Service]\n\
         ExecStart={line}\n\
         WorkingDirectory={folder}\n\
         Restart=on-failure\n\
         RestartSec=30s\n\
         PrivateTmp=yes\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n"
    );
    session.answer(&Unit { unit })?;
    Ok(Exit::Yes)
}

/// A word of a command line in a unit (systemd.service(5), "Command lines"): percent and dollar signs stand for themselves.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@:,".contains(c);
    let escaped = word.replace('%', "%%").replace('$', "$$");
    if !word.is_empty() && word.chars().all(plain) {
        return escaped;
    }
    format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\""))
}

#[derive(Debug, Serialize)]
struct Unit {
    unit: String,
}

impl Report for Unit {
    fn text(&self, text: &mut Text) {
        text.verbatim(&self.unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_program_as_they_are() {
        for (word, line) in [
            ("/usr/bin/certkit", "/usr/bin/certkit"),
            ("systemctl reload nginx", "\"systemctl reload nginx\""),
            ("100%", "\"100%%\""),
            ("sh -c 'echo $HOME \"x\"'", "\"sh -c 'echo $$HOME \\\"x\\\"'\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(word), line);
        }
    }
}
