//! `certkit ca show`: the CA, or one certificate it has signed.

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::list::Line;
use super::outline::Outline;
use super::place::Chosen;
use crate::ca::{Authority, AuthorityName, Query, Record};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, safe};
use crate::cli::{clock, sheet};
use crate::describe::CertificateDescription;
use crate::x509::{Certificate, SerialNumber};

/// Show the CA with its authorities, or a certificate it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca show
  certkit ca show api.test
  certkit ca show 3f9a1c --json

With --json the answer is an object. For the CA: `folder`; `name` (the authority that signs), and of that `certificate`, `key`
(files), `issued` (how many), `about` (its certificate as `certkit inspect` describes it); `ledger`; and `authorities`, every
one as `certkit ca init` answers, with `below` (the one above it), `signs_by_default` and `issued`. For a certificate: `record`, as `certkit ca list` answers;
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
            let signs = chosen.issuer()?;
            let issued = authority.count()?;
            session.answer(&TheCa {
                folder: chosen.shown(),
                certificate: shown(&place.certificate_of(&signs)),
                key: shown(&place.key_of(&signs)),
                ledger: shown(&place.ledger()),
                issued,
                about: CertificateDescription::of(authority.certificate(), now),
                authorities: branches(&signs, chosen)?,
                name: signs,
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

/// Every authority of the folder that the ledger knows, each after the one above it.
fn branches(signs: &AuthorityName, chosen: &Chosen) -> anyhow::Result<Vec<Branch>> {
    let mut found: Vec<(AuthorityName, Vec<Certificate>, u64)> = Vec::new();
    for name in chosen.place().names() {
        // What was issued may lie here too: only an authority is in the ledger as one.
        let Ok(certificates) = chosen.certificates(&name) else { continue };
        if let Ok(mut authority) = chosen.open_one(&name) {
            let count = authority.count()?;
            found.push((name, certificates, count));
        }
    }
    let parent = |certificates: &[Certificate]| {
        let above = certificates.get(1)?;
        found.iter().find(|(_, other, _)| other.first() == Some(above)).map(|(name, ..)| name.clone())
    };
    let mut branches = Vec::new();
    let mut rows: Vec<Option<AuthorityName>> = found.iter().map(|(_, certificates, _)| parent(certificates)).collect();
    let mut waiting: Vec<(usize, usize)> =
        rows.iter().enumerate().filter(|(_, parent)| parent.is_none()).map(|(at, _)| (at, 0)).rev().collect();
    while let Some((at, depth)) = waiting.pop() {
        let Some((name, certificates, issued)) = found.get(at) else { continue };
        let Some(certificate) = certificates.first() else { continue };
        branches.push(Branch {
            below: rows.get_mut(at).and_then(Option::take),
            signs_by_default: name == signs,
            issued: *issued,
            depth,
            expiry: clock::expiry(certificate.validity().not_after, clock::now()),
            outline: Outline::of(name, certificate, chosen)?,
        });
        let below = rows.iter().enumerate().filter(|(_, parent)| parent.as_ref() == Some(name));
        waiting.extend(below.map(|(at, _)| (at, depth + 1)).rev());
    }
    Ok(branches)
}

/// An authority in the tree of them.
#[derive(Debug, Serialize)]
struct Branch {
    #[serde(flatten)]
    outline: Outline,
    /// The authority above it, where that is of this folder.
    below: Option<AuthorityName>,
    signs_by_default: bool,
    /// How many certificates it has signed.
    issued: u64,
    #[serde(skip)]
    depth: usize,
    #[serde(skip)]
    expiry: String,
}

#[derive(Debug, Serialize)]
struct TheCa {
    folder: String,
    /// Which authority the next fields are about: the one that signs.
    name: AuthorityName,
    certificate: String,
    key: String,
    ledger: String,
    /// How many certificates it has signed.
    issued: u64,
    about: CertificateDescription,
    authorities: Vec<Branch>,
}

impl Report for TheCa {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.about.sheet(), "", text);
        let key = match self.authorities.iter().find(|branch| branch.signs_by_default) {
            Some(branch) => branch.outline.key_in_words(),
            None => safe(&self.key).to_string(),
        };
        text.fields([
            ("certificate", safe(&self.certificate).to_string()),
            ("key", key),
            ("ledger", safe(&self.ledger).to_string()),
            ("issued", certificates(self.issued)),
        ]);
        if self.authorities.len() > 1 {
            text.blank();
            text.line("authorities");
            let column = |branch: &Branch| 2 * branch.depth + branch.outline.name().as_str().len();
            let width = self.authorities.iter().map(column).max().unwrap_or_default();
            for branch in &self.authorities {
                let called = format!("{}{}", "  ".repeat(branch.depth), branch.outline.name());
                let default = if branch.signs_by_default { ", signs by default" } else { "" };
                text.line(format_args!(
                    "  {called:width$}  {}; {}; {}, {}{default}",
                    safe(&branch.outline.subject),
                    branch.expiry,
                    branch.outline.key_in_a_word(),
                    certificates(branch.issued),
                ));
            }
        }
    }
}

fn certificates(count: u64) -> String {
    match count {
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
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
