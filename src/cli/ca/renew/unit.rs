//! `certkit ca renew --print-unit`: a systemd unit that watches.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::Args;
use super::one::{self, absolute};
use crate::cli::ca::place::Chosen;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::Text;

pub(super) fn run(args: &Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let mut words = command(args, chosen)?;
    for which in &args.which {
        // A unit for something that is not there would fail at the next start of the machine, unseen.
        let target = one::find(which, args, chosen, clock::now())?;
        if args.signer.given().0.is_none() && args.signer.is_encrypted(&target.chosen)? {
            return Err(anyhow!("the CA's key is under a passphrase, and a unit has nobody to ask"))
                .hint("say where it is to be had: --ca-passphrase file:PATH");
        }
        let path = Path::new(which);
        words.push(if path.is_file() { shown(&absolute(path)?) } else { which.clone() });
    }
    let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    // Taken as it stands, without quotes (systemd.exec(5)).
    let folder = shown(&absolute(Path::new("."))?).replace('%', "%%");
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
    if !chosen.has_own_ledger()? && chosen.ledger_args().lean_on_environment(&chosen.config()?) {
        session.warn(
            "the password of the ledger comes from the PGPASSWORD of your environment, which the unit does not have: put it \
             into a file of mode 0600, and say --ledger-password file:PATH",
        );
    }
    session.answer(&Unit { unit })?;
    Ok(Exit::Yes)
}

/// The command line that watches, with all that this one says, up to the certificates.
fn command(args: &Args, chosen: &Chosen) -> anyhow::Result<Vec<String>> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut words = vec![shown(&program)];
    let mut add = |given: &[&str]| words.extend(given.iter().map(|&word| word.to_owned()));
    add(&["ca", "renew", "--watch", "--ca", &shown(&absolute(chosen.place().folder())?)]);
    if let Some(issuer) = chosen.asked_issuer() {
        add(&["--issuer", issuer.as_str()]);
    }
    let (ledger, password) = chosen.ledger_args().outspoken()?;
    if let Some(ledger) = &ledger {
        add(&["--ledger", ledger]);
    }
    let (ca_passphrase, ca_key) = args.signer.given();
    let encrypts =
        args.encrypt.then_some(args.passphrase.as_ref()).map(|source| source.unwrap_or(&PassphraseSource::Prompt));
    for (flag, source) in
        [("--ledger-password", password), ("--ca-passphrase", ca_passphrase), ("--passphrase", encrypts)]
    {
        let Some(source) = source else { continue };
        add(&[flag, &lasting(flag, source)?]);
    }
    if let Some(key) = ca_key {
        add(&["--ca-key", &shown(&absolute(key)?)]);
    }
    if let Some(span) = args.if_expires_within {
        add(&["--if-expires-within", &format!("{}s", span.whole_seconds())]);
    }
    for (flag, given) in [("--rekey", args.rekey), ("--encrypt", args.encrypt), ("--force", args.force)] {
        if given {
            add(&[flag]);
        }
    }
    if let Some(key_type) = args.key_type {
        add(&["--type", &key_type.to_string()]);
    }
    if let Some(keyout) = &args.keyout {
        add(&["--keyout", &shown(&absolute(keyout)?)]);
    }
    for word in args.lifetime.words() {
        add(&[&word]);
    }
    if let Some(profile) = &args.profile {
        let file = Path::new(profile);
        add(&["--profile", &if file.is_file() { shown(&absolute(file)?) } else { profile.clone() }]);
    }
    if let Some(command) = &args.exec {
        add(&["--exec", command.line()]);
    }
    add(&["--"]);
    Ok(words)
}

/// Where a passphrase comes from when nobody is there to type it.
fn lasting(flag: &str, source: &PassphraseSource) -> anyhow::Result<String> {
    match source {
        PassphraseSource::File(path) => Ok(PassphraseSource::File(absolute(path)?).to_string()),
        PassphraseSource::Env(name) => Err(anyhow!("{flag}: a unit does not have the {name} of your environment"))
            .hint(format!("put the passphrase into a file of mode 0600, and say {flag} file:PATH")),
        PassphraseSource::Prompt | PassphraseSource::Fd(_) => {
            Err(anyhow!("{flag}: a unit has neither anybody to ask nor open files"))
                .hint(format!("say {flag} file:PATH"))
        }
    }
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
