//! `certkit ca show`: the CA, or one certificate it has signed.

use serde::Serialize;

use super::list::Line;
use super::place::Chosen;
use super::which::{Meant, is_live};
use crate::ca::Revocation;
use crate::cli::clock::rfc3339;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::{Text, safe};
use crate::cli::{clock, sheet};
use crate::describe::CertificateDescription;

/// Show the CA, or a certificate it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca show
  certkit ca show api.test
  certkit ca show 3f9a1c --json
  certkit ca show api.test.pem

With --json the answer is an object. For the CA: `folder`; `certificate`, `key`, `ledger` (files); `issued` (how many); and
`about`, its certificate as `certkit inspect` describes it. For a certificate: `record`, as `certkit ca list` answers;
`history`, its revocations, holds and lifted holds (`removeFromCRL`), each with `at`, `reason`, `invalid_since`; `about`; and
`pem`.")]
pub(super) struct Args {
    /// A serial number in hexadecimal; a name, which stands for the newest certificate with it that can be used; or a file
    #[arg(value_name = "SERIAL|NAME|FILE")]
    which: Option<String>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    let mut authority = chosen.open_to_read()?;
    match args.which {
        None => {
            let place = chosen.place();
            let issued = authority.count()?;
            session.answer(&TheCa {
                folder: chosen.shown(),
                certificate: shown(&place.certificate()),
                key: shown(&place.key()),
                ledger: shown(&place.ledger()),
                issued,
                about: CertificateDescription::of(authority.certificate(), now),
            })?;
        }
        Some(which) => {
            let record = Meant::find(&mut authority, &which, chosen)?.newest(|record| is_live(record, now))?;
            let history = authority.history(record.id)?;
            let certificate = authority.recorded(record.id)?;
            session.answer(&One {
                record: Line::of(&record, now),
                history: history.iter().map(Event::of).collect(),
                about: CertificateDescription::of(&certificate, now),
                pem: crate::encoding::pem::write("CERTIFICATE", certificate.der()).to_string(),
            })?;
        }
    }
    Ok(Exit::Yes)
}

#[derive(Debug, Serialize)]
struct TheCa {
    folder: String,
    certificate: String,
    key: String,
    ledger: String,
    /// How many certificates it has signed.
    issued: u64,
    about: CertificateDescription,
}

impl Report for TheCa {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.about.sheet(), "", text);
        text.fields([
            ("certificate", safe(&self.certificate).to_string()),
            ("key", safe(&self.key).to_string()),
            ("ledger", safe(&self.ledger).to_string()),
            (
                "issued",
                match self.issued {
                    1 => "1 certificate".to_owned(),
                    count => format!("{count} certificates"),
                },
            ),
        ]);
    }
}

#[derive(Debug, Serialize)]
struct One {
    record: Line,
    history: Vec<Event>,
    about: CertificateDescription,
    pem: String,
}

/// A revocation, a hold, or a hold that was lifted.
#[derive(Debug, Serialize)]
struct Event {
    at: String,
    reason: &'static str,
    invalid_since: Option<String>,
}

impl Event {
    fn of(revocation: &Revocation) -> Self {
        Self {
            at: rfc3339(revocation.at),
            reason: revocation.reason.name(),
            invalid_since: revocation.invalid_since.map(rfc3339),
        }
    }
}

impl Report for One {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.about.sheet(), "", text);
        text.line(format_args!("in the ledger: {}", self.record.standing()));
        for Event { at, reason, invalid_since } in &self.history {
            let what = match *reason {
                "removeFromCRL" => "hold lifted",
                other => other,
            };
            let since = invalid_since.as_ref().map(|since| format!(", invalid since {since}")).unwrap_or_default();
            text.line(format_args!("  {at}  {what}{since}"));
        }
        text.verbatim(&self.pem);
    }
}
