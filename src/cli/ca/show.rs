//! `certkit ca show`: the CA, or one certificate it has signed.

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::list::Line;
use super::place::Chosen;
use crate::ca::{Authority, Query, Record};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, safe};
use crate::cli::{clock, sheet};
use crate::describe::CertificateDescription;
use crate::x509::SerialNumber;

/// Show the CA, or a certificate it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca show
  certkit ca show api.test
  certkit ca show 3f9a1c --json

With --json the answer is an object. For the CA: `folder`; `certificate`, `key`, `ledger` (files); `issued` (how many); and
`about`, its certificate as `certkit inspect` describes it. For a certificate: `record`, as `certkit ca list` answers;
`about`; and `pem`.")]
pub(super) struct Args {
    /// A serial number in hexadecimal, or a name: the newest certificate that has it
    #[arg(value_name = "SERIAL|NAME")]
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
                ledger: chosen.ledger_shown(),
                issued,
                about: CertificateDescription::of(authority.certificate(), now),
            })?;
        }
        Some(which) => {
            let record = find(&mut authority, &which)?
                .with_context(|| format!("the CA in {} has issued no certificate {which:?}", chosen.shown()))
                .hint(format!("see them all with: certkit ca list{}", chosen.flag()))?;
            let certificate = authority.recorded(record.id)?;
            session.answer(&One {
                record: Line::of(&record, now),
                about: CertificateDescription::of(&certificate, now),
                pem: crate::encoding::pem::write("CERTIFICATE", certificate.der()).to_string(),
            })?;
        }
    }
    Ok(Exit::Yes)
}

/// The certificate with this serial number, or else the newest with this name.
fn find(authority: &mut Authority, which: &str) -> anyhow::Result<Option<Record>> {
    if let Some(serial) = SerialNumber::from_hex(which)
        && let Some(record) = authority.find(&Query { serial: Some(serial), ..Query::default() })?.pop()
    {
        return Ok(Some(record));
    }
    if which.trim().is_empty() {
        return Err(anyhow!("an empty name names no certificate"));
    }
    let newest = Query { name: Some(which.to_owned()), newest_first: true, limit: Some(1), ..Query::default() };
    Ok(authority.find(&newest)?.pop())
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
    about: CertificateDescription,
    pem: String,
}

impl Report for One {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.about.sheet(), "", text);
        text.verbatim(&self.pem);
    }
}
