//! `certkit ca show`: the CA, or one certificate it has signed.

use serde::Serialize;
use time::OffsetDateTime;

use super::list::Line;
use super::outline::Outline;
use super::place::Chosen;
use super::standing::Standing;
use super::which::{Meant, called_so, is_live, own_authority};
use crate::ca::{AuthorityName, Revocation, RevokedAuthority};
use crate::cli::clock::rfc3339;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::{Text, bad, safe};
use crate::cli::{clock, sheet};
use crate::describe::CertificateDescription;
use crate::x509::Certificate;

/// Show the CA with its authorities, or a certificate it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca show
  certkit ca show issuing
  certkit ca show api.test
  certkit ca show 3f9a1c --json
  certkit ca show api.test.pem

With --json the answer is an object. For the CA or one of its authorities: `folder`; `name` (the authority that signs, or the one
asked for), and of that `certificate`, `key`
(files), `issued` (how many), `about` (its certificate as `certkit inspect` describes it); `ledger`; and `authorities`, every
one as `certkit ca init` answers, with `below` (the one above it), `signs_by_default`, `issued`, and `revoked`: null, or `at`,
`reason`, `serial` and `subject` of the revocation or hold for which it certifies nothing, its own or that of one above it. For a certificate:
`record`, as `certkit ca list` answers; `history`, its revocations, holds and lifted holds (`removeFromCRL`), each with `at`,
`reason`, `invalid_since`; `about`; and `pem`.")]
pub(super) struct Args {
    /// A serial number in hexadecimal, or its first six digits and more; a name, which stands for the newest certificate with it that can be used; or a file; or what an authority of the CA is called.
    /// Of the authority that signs, or else of any of the CA
    #[arg(value_name = "SERIAL|NAME|FILE")]
    which: Option<String>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    match args.which {
        None => session.answer(&TheCa::of(chosen, &chosen.issuer()?, now)?)?,
        Some(which) => {
            if let Some(name) = called_so(&which, chosen, now)? {
                session.answer(&TheCa::of(&chosen.by(name), &chosen.issuer()?, now)?)?;
                return Ok(Exit::Yes);
            }
            let (chosen, mut authority, found) = match Meant::in_any(&which, chosen, true) {
                Err(error) => match (Meant::by_beginning(&which, chosen)?, own_authority(&which, chosen)) {
                    (Some(found), _) => found,
                    // One by its name, or a root, whose certificate nobody above it has issued.
                    (None, Some((name, _))) => {
                        session.answer(&TheCa::of(&chosen.by(name), &chosen.issuer()?, now)?)?;
                        return Ok(Exit::Yes);
                    }
                    (None, None) => return Err(error),
                },
                Ok(found) => found,
            };
            let record = found.newest(|record| is_live(record, now))?;
            let history = authority.history(record.id)?;
            let certificate = authority.recorded(record.id)?;
            session.answer(&One {
                record: Line::of(&record, &chosen.issuer()?, now).below(authority.revoked()?.as_ref()),
                history: history.iter().map(Event::of).collect(),
                about: CertificateDescription::of(&certificate, now),
                pem: crate::encoding::pem::write("CERTIFICATE", certificate.der()).to_string(),
            })?;
        }
    }
    Ok(Exit::Yes)
}

/// Every authority of the folder that the ledger knows, each after the one above it.
fn branches(signs: &AuthorityName, chosen: &Chosen) -> anyhow::Result<Vec<Branch>> {
    let mut found: Vec<Found> = Vec::new();
    for name in chosen.place().names() {
        // What was issued may lie here too: only an authority is in the ledger as one.
        let Ok(certificates) = chosen.certificates(&name) else { continue };
        if let Ok(mut authority) = chosen.open_one(&name) {
            let count = authority.count()?;
            let revoked = authority.revoked()?;
            found.push((name, certificates, count, revoked));
        }
    }
    let parent = |certificates: &[Certificate]| {
        let above = certificates.get(1)?;
        found.iter().find(|(_, other, ..)| other.first() == Some(above)).map(|(name, ..)| name.clone())
    };
    let mut branches = Vec::new();
    let mut rows: Vec<Option<AuthorityName>> = found.iter().map(|(_, certificates, ..)| parent(certificates)).collect();
    let mut waiting: Vec<(usize, usize)> =
        rows.iter().enumerate().filter(|(_, parent)| parent.is_none()).map(|(at, _)| (at, 0)).rev().collect();
    while let Some((at, depth)) = waiting.pop() {
        let Some((name, certificates, issued, revoked)) = found.get(at) else { continue };
        let Some(certificate) = certificates.first() else { continue };
        branches.push(Branch {
            below: rows.get_mut(at).and_then(Option::take),
            signs_by_default: name == signs,
            issued: *issued,
            revoked: revoked.as_ref().map(Standing::of),
            depth,
            expiry: clock::expiry(certificate.validity().not_after, clock::now()),
            outline: Outline::of(name, certificate, chosen)?,
        });
        let below = rows.iter().enumerate().filter(|(_, parent)| parent.as_ref() == Some(name));
        waiting.extend(below.map(|(at, _)| (at, depth + 1)).rev());
    }
    Ok(branches)
}

/// An authority with its certificates, how many it has signed, and its revocation.
type Found = (AuthorityName, Vec<Certificate>, u64, Option<RevokedAuthority>);

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
    /// Why it certifies nothing, where it or one above it is revoked or on hold.
    revoked: Option<Standing>,
    #[serde(skip)]
    depth: usize,
    #[serde(skip)]
    expiry: String,
}

#[derive(Debug, Serialize)]
struct TheCa {
    folder: String,
    /// Which authority the next fields are about: the one that signs, or was asked for.
    name: AuthorityName,
    certificate: String,
    key: String,
    ledger: String,
    /// How many certificates it has signed.
    issued: u64,
    about: CertificateDescription,
    authorities: Vec<Branch>,
}

impl TheCa {
    /// The authority that is chosen, and all of the CA; `signs` does by default.
    fn of(chosen: &Chosen, signs: &AuthorityName, now: OffsetDateTime) -> anyhow::Result<Self> {
        let mut authority = chosen.open_to_read()?;
        let (place, name) = (chosen.place(), chosen.issuer()?);
        Ok(Self {
            folder: chosen.shown(),
            certificate: shown(&place.certificate_of(&name)),
            key: shown(&place.key_of(&name)),
            ledger: chosen.ledger_shown(),
            issued: authority.count()?,
            about: CertificateDescription::of(authority.certificate(), now),
            authorities: branches(signs, chosen)?,
            name,
        })
    }
}

impl Report for TheCa {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.about.sheet(), "", text);
        let key = match self.authorities.iter().find(|branch| branch.outline.name() == &self.name) {
            Some(branch) => branch.outline.key_in_words(),
            None => safe(&self.key).to_string(),
        };
        text.fields([
            ("certificate", safe(&self.certificate).to_string()),
            ("key", key),
            ("ledger", safe(&self.ledger).to_string()),
            ("issued", certificates(self.issued)),
        ]);
        let signs = self.authorities.iter().find(|branch| branch.outline.name() == &self.name);
        if let Some(standing) = signs.and_then(|branch| branch.revoked.as_ref()) {
            text.line(format_args!("{} {}", bad("certifies nothing:"), safe(standing.in_words())));
        }
        if self.authorities.len() > 1 {
            text.blank();
            text.line("authorities");
            let column = |branch: &Branch| 2 * branch.depth + branch.outline.name().as_str().len();
            let width = self.authorities.iter().map(column).max().unwrap_or_default();
            for branch in &self.authorities {
                let called = format!("{}{}", "  ".repeat(branch.depth), branch.outline.name());
                let default = if branch.signs_by_default { ", signs by default" } else { "" };
                let revoked = branch.revoked.as_ref().map(|it| format!("; {}", it.in_words())).unwrap_or_default();
                text.line(format_args!(
                    "  {called:width$}  {}; {}; {}, {}{default}{}",
                    safe(&branch.outline.subject),
                    branch.expiry,
                    branch.outline.key_in_a_word(),
                    certificates(branch.issued),
                    bad(safe(&revoked)),
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
