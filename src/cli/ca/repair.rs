//! `certkit ca repair`: make again of the ledger and the folder what can be made again.

mod beyond;
mod documents;
pub(super) mod folder;
mod records;
mod revoked;
mod tiers;

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;

use self::documents::{Documents, Given, GivenList, Unread};
use self::folder::Folder;
use self::revoked::{AboutRevoked, Revoked};
use super::ledger::Remembered;
use super::place::{self, Chosen};
use crate::ca::place::is_there;
use crate::ca::recovery::{self, ListFault, OwnList, Recovered};
use crate::ca::tiers::authority_of;
use crate::ca::{Act, Action, AuthorityId, AuthorityName, AuthorityRecord, Config, Entry, Ledger, LedgerError};
use crate::cli::clock::rfc3339;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, good, safe, warn};
use crate::encoding::hex;
use crate::x509::Certificate;

/// Make again of the ledger what can be made again
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Makes the database's guards and indexes again, the names under which certificates are found, and the head of the audit log
where that is gone; sets row counters that fell behind or ran out after the last row. Puts back the certificate file of an
authority from the ledger, where its key or ca.toml tells what it was called. Certificates in the FILEs that an authority of this CA has signed, and that the ledger does not have, are recorded
again; files of keys and requests are passed over, so that *.pem will do, and one in which nothing is found is named. A FILE may be what `certkit ca export --records
jsonl` wrote: its certificates are judged as the others, and have their profiles, and their revocations as of then. Everything that is made or recorded in the ledger
leaves a line in its audit log; nothing that is recorded is taken away.

What a certificate does not tell, its revocation above all, comes from a backup or from the lists that were published: --crl, a
list among the FILEs, and crl.pem in this folder or the CA's. Of those that this CA has signed, the greatest number is taken, so
that the next list has a greater one (RFC 5280 §5.2.3), and each revocation whose certificate the ledger has. The others are
named, and the exit status is 1: give their certificates too. So is a list that is none of this CA's. A hold that the ledger knows to be lifted since stays lifted, and
what it has revoked for another reason is raised to a compromise that a list tells of.

An authority that another one of this CA has certified is recorded among the certificates of that one, where it is missing
there: only so can it be revoked, or a list tell that it was.

With --new-ledger a CA whose ledger is lost gets a new one, with its authorities and whatever certificates the FILEs hold. All
FILEs are judged first, and where nothing is found in one no ledger is made. With --ledger it is in a database, and ca.toml names it from then on; where the folder or ca.toml has
another ledger, that is refused. Where an authority has no list and there is no export, all that it revoked is lost: the answer says so.

Exit status: 0 done; 1 something could not be recorded or put back; 2 could not answer.

For example:
  certkit ca repair
  certkit ca repair *.pem
  certkit ca repair --new-ledger --crl published/crl.pem issued/*.pem

With --json the answer is an object: `new_ledger`; `mended` (what was made again, in words); `cautions` (what to be careful of);
`put_back` (files); `recorded` and `left_out`, each with `file`, `subject`, `serial`, `fingerprint_sha256`, and where it was left
out, `why`; `known` (how many the ledger had already); `passed_over` (files); `unread`, each with `file` and `why`; `lists`, each with `file`, `number` (null where
it has none), and where it was left out, `why`; `crl_numbers` (from where they go on, by authority); `revoked` (how many), `revoked_certificates` and
`released` (whose hold was lifted since), each with `serial` and `name`; `without_list` (authorities whose revocations are lost);
`not_revoked`, each with `serial`, `at`, `reason`; and `not_put_back` (in words).")]
pub(super) struct Args {
    /// Files with certificates of this CA, PEM or DER; others are passed over
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// A list that this CA has published: its number and its revocations are taken; may be given several times
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// Make a new ledger, where the CA's is lost
    #[arg(long)]
    new_ledger: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    beyond::led_on(repair(args, chosen, session), chosen)
}

fn repair(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let first_is_gone = !is_there(&chosen.place().certificate())
        && (is_there(&chosen.place().key()) || chosen.config()?.tells_of_authorities());
    // With its ledger a CA gets its certificate back.
    if args.new_ledger || !first_is_gone {
        chosen.is_made()?;
    }
    let act = place::act(Action::Repair);
    let remembered = match args.new_ledger {
        true => {
            chosen.has_no_ledger_elsewhere()?;
            chosen.ledger_args().to_remember(chosen.place(), &chosen.config()?)?
        }
        false => Remembered::default(),
    };
    let documents = Documents::read(&args.files, &args.crl, chosen)?;
    if args.new_ledger {
        documents.suffice_for(&args.files)?;
    }
    let Documents { certificates, exported, lists, passed_over, unread } = documents;
    let mut repaired = Repaired { new_ledger: args.new_ledger, passed_over, unread, ..Repaired::default() };
    let mut ledger = match args.new_ledger {
        true => new_ledger(chosen, &act)?,
        false => chosen.ledger_to_mend()?,
    };
    remember(remembered, chosen, session)?;
    for mended in ledger.mend(&act)? {
        repaired.mended.push(mended.what);
        repaired.cautions.extend(mended.caution);
    }
    let folder = Folder::look(chosen, &chosen.config()?, &mut *ledger)?;
    (repaired.put_back, repaired.not_put_back) = folder.put_back(chosen, chosen.has_own_ledger()?, session)?;
    check_owner(chosen, &mut *ledger)?;
    let authorities = authorities(&mut *ledger)?;
    // Before the lists, which may revoke one of them.
    tiers::certify(&mut *ledger, chosen, &authorities, &act, &mut repaired)?;
    let mut of_export = Recovered::default();
    for given @ Given { file, certificate, profile: _, revocation } in &certificates {
        let about = || About::of(file.clone(), certificate);
        let by = match record(&mut *ledger, &authorities, given, &act)? {
            Outcome::Recorded(by) => {
                repaired.recorded.push(about());
                Some(by)
            }
            Outcome::Known(by) => {
                repaired.known += 1;
                by
            }
            Outcome::LeftOut(why) => {
                repaired.left_out.push(About { why: Some(why), ..about() });
                None
            }
        };
        if let (Some(by), Some(revocation)) = (by, revocation) {
            recovery::recover_one(&mut *ledger, by, certificate.serial(), *revocation, &act, &mut of_export)?;
        }
    }
    repaired.take(of_export);
    take_lists(&mut *ledger, &authorities, lists, &act, &mut repaired)?;
    if !args.new_ledger || exported {
        repaired.without_list.clear();
    }
    if !repaired.without_list.is_empty() {
        repaired.cautions.push(format!(
            "no list that was published by {} was there, and a certificate does not tell that it is revoked: every revocation is \
             lost, and all its certificates count as good; certkit ca repair --crl FILE takes those of the last list, and \
             certkit ca revoke SERIAL records one again",
            repaired.without_list.join(", ")
        ));
    }
    if args.new_ledger && repaired.lists.iter().all(|list| list.number.is_none()) {
        repaired.cautions.push(
            "no published list with a number was there, so CRL numbers begin again at 1, and clients that hold a list with a \
             greater one may refuse the new ones (RFC 5280 §5.2.3); before the next list is signed: certkit ca repair --crl \
             FILE, with the last one that was published"
                .to_owned(),
        );
    }
    let done = repaired.left_out.is_empty()
        && repaired.not_revoked.is_empty()
        && repaired.not_put_back.is_empty()
        && repaired.unread.is_empty()
        && repaired.lists.iter().all(|list| list.why.is_none());
    session.answer(&repaired).context("what could be repaired is repaired")?;
    Ok(Exit::of(done))
}

/// A ledger that knows the authorities whose certificates are in the folder, each with its key or word of it in `ca.toml`.
fn new_ledger(chosen: &Chosen, act: &Act) -> anyhow::Result<Box<dyn Ledger>> {
    if let Ok(mut there) = chosen.ledger()
        && !there.authorities()?.is_empty()
    {
        return Err(anyhow!("the CA in {} has a ledger: a new one is not put in its place", chosen.shown()))
            .hint("to mend it leave --new-ledger out; if it is beyond mending, move it aside");
    }
    let config = chosen.config()?;
    let mut own = Vec::new();
    for name in chosen.place().names() {
        let said = config.keys.contains_key(&name) || config.issuer.as_ref() == Some(&name);
        if !said && !is_there(&chosen.place().key_of(&name)) {
            continue;
        }
        // A server's certificate and key may lie here too.
        own.extend(chosen.certificates(&name)?.into_iter().next().filter(|it| name.is_first() || it.claims_ca()));
    }
    let mut ledger = chosen.ledger_anew()?;
    for certificate in &own {
        ledger.add_authority(certificate, REPAIRED_PROFILE, act)?;
    }
    Ok(ledger)
}

/// Has `ca.toml` name the new ledger, so that the next command finds it, and says so.
fn remember(Remembered { url, word }: Remembered, chosen: &Chosen, session: &mut Session) -> anyhow::Result<()> {
    if url.is_some() {
        let path = chosen.place().config();
        let before = files::read_text_if_there(&path)?;
        let config = Config { ledger: url, ..Config::default() };
        let text = config.added_to(before.as_ref().map(|text| text.as_str()).unwrap_or_default());
        let mut set = WriteSet::new(false).lasting();
        set.replace(path, text.into_bytes(), Mode::Public);
        set.write(session)?;
    }
    if let Some(word) = word {
        session.say(word);
    }
    Ok(())
}

/// Refuses to go on with the ledger of another CA.
fn check_owner(chosen: &Chosen, ledger: &mut dyn Ledger) -> anyhow::Result<()> {
    if !is_there(&chosen.place().certificate()) {
        return Ok(());
    }
    let Some(own) = chosen.certificates(&AuthorityName::first())?.into_iter().next() else { return Ok(()) };
    if authority_of(ledger, &own)?.is_some() {
        return Ok(());
    }
    let (ledger, file) = (chosen.ledger_shown(), shown(&chosen.place().certificate()));
    Err(anyhow!("the ledger {ledger} does not know the authority of {file}: one of them is another CA's")).hint(
        "restore from a backup the one that is wrong; if the ledger is lost, move it aside and make a new one with --new-ledger",
    )
}

fn authorities(ledger: &mut dyn Ledger) -> anyhow::Result<Vec<(AuthorityRecord, Certificate)>> {
    let records = ledger.authorities()?;
    let read = |record: AuthorityRecord| {
        let certificate = Certificate::from_der(&record.certificate);
        certificate.map(|certificate| (record, certificate)).context("an authority of the ledger cannot be read")
    };
    records.into_iter().map(read).collect()
}

/// Takes numbers and revocations of the lists that this CA has signed.
fn take_lists(
    ledger: &mut dyn Ledger,
    authorities: &[(AuthorityRecord, Certificate)],
    lists: Vec<GivenList>,
    act: &Act,
    repaired: &mut Repaired,
) -> anyhow::Result<()> {
    let mut own: Vec<Vec<OwnList>> = authorities.iter().map(|_| Vec::new()).collect();
    for GivenList { file, list, named } in lists {
        match OwnList::read_for(&list, authorities.iter().map(|(_, issuer)| issuer)) {
            Ok((at, found)) => {
                repaired.lists.push(AboutList { file, number: found.number(), why: None });
                own.get_mut(at).context("an authority was lost on the way")?.push(found);
            }
            // One that merely lies there may be anybody's.
            Err(ListFault::Foreign) if !named => {}
            Err(fault) => repaired.lists.push(AboutList { file, number: None, why: Some(fault.to_string()) }),
        }
    }
    for ((record, certificate), lists) in authorities.iter().zip(own) {
        let recovered = recovery::recover(ledger, record, &lists, act)?;
        let authority = certificate.display_name();
        if lists.iter().all(OwnList::is_delta) {
            repaired.without_list.push(authority.clone());
        }
        repaired.crl_numbers.extend(recovered.crl_number.map(|after| NumbersAfter { authority, after }));
        repaired.take(recovered);
    }
    Ok(())
}

enum Outcome {
    Recorded(AuthorityId),
    /// By whom, unless it is an authority's own.
    Known(Option<AuthorityId>),
    LeftOut(String),
}

/// Records a certificate that an authority has signed, unless it is recorded.
fn record(
    ledger: &mut dyn Ledger,
    authorities: &[(AuthorityRecord, Certificate)],
    Given { certificate, profile, .. }: &Given,
    act: &Act,
) -> anyhow::Result<Outcome> {
    if authorities.iter().any(|(_, own)| own.der() == certificate.der() && own.is_self_issued()) {
        return Ok(Outcome::Known(None));
    }
    let signed = |issuer: &Certificate| {
        certificate.issuer() == issuer.subject()
            && issuer.public_key().is_ok_and(|key| certificate.verify_signature(&key).is_ok())
    };
    let Some((AuthorityRecord { id: by, .. }, _)) = authorities.iter().find(|(_, issuer)| signed(issuer)) else {
        return Ok(Outcome::LeftOut("no authority of this CA has signed it".to_owned()));
    };
    let profile = profile.as_deref().unwrap_or(REPAIRED_PROFILE);
    match ledger.record(*by, &[Entry { certificate, profile }], act) {
        Ok(()) => Ok(Outcome::Recorded(*by)),
        Err(LedgerError::AlreadyRecorded { .. }) => Ok(Outcome::Known(Some(*by))),
        Err(LedgerError::SerialTaken { .. }) => Ok(Outcome::LeftOut(SERIAL_TAKEN.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// The profile of a certificate that does not tell it.
pub(super) const REPAIRED_PROFILE: &str = "unknown";

const SERIAL_TAKEN: &str = "the ledger has another certificate with its serial number";

#[derive(Debug, Default, Serialize)]
struct Repaired {
    new_ledger: bool,
    mended: Vec<String>,
    cautions: Vec<String>,
    put_back: Vec<String>,
    not_put_back: Vec<String>,
    recorded: Vec<About>,
    left_out: Vec<About>,
    known: u64,
    passed_over: Vec<String>,
    unread: Vec<Unread>,
    lists: Vec<AboutList>,
    crl_numbers: Vec<NumbersAfter>,
    #[serde(flatten)]
    revoked: Revoked,
    released: Vec<AboutRevoked>,
    not_revoked: Vec<NotRevoked>,
    without_list: Vec<String>,
}

impl Repaired {
    fn take(&mut self, Recovered { crl_number: _, revoked, released, unrecorded }: Recovered) {
        self.revoked.0.extend(revoked.into_iter().map(AboutRevoked::of));
        self.released.extend(released.into_iter().map(AboutRevoked::of));
        self.not_revoked.extend(unrecorded.into_iter().map(|(serial, revocation)| NotRevoked {
            serial: serial.to_string(),
            at: rfc3339(revocation.at),
            reason: revocation.reason.name(),
        }));
    }
}

/// A list that was taken, or not.
#[derive(Debug, Serialize)]
struct AboutList {
    file: String,
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// From where the numbers of an authority's lists go on.
#[derive(Debug, Serialize)]
struct NumbersAfter {
    authority: String,
    after: u64,
}

/// A revocation that the ledger cannot hold.
#[derive(Debug, Serialize)]
struct NotRevoked {
    serial: String,
    at: String,
    reason: &'static str,
}

/// A certificate of a file.
#[derive(Debug, Serialize)]
struct About {
    file: String,
    subject: String,
    serial: String,
    fingerprint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl About {
    fn of(file: String, certificate: &Certificate) -> Self {
        Self {
            file,
            subject: certificate.subject().to_string(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            why: None,
        }
    }
}

impl Report for Repaired {
    fn text(&self, text: &mut Text) {
        let Self { new_ledger, mended, cautions, put_back, not_put_back, recorded, left_out, .. } = self;
        let Self { known: _, passed_over, unread, lists, crl_numbers, revoked, not_revoked, .. } = self;
        let (Revoked(revoked), Self { released, .. }) = (revoked, self);
        if *new_ledger {
            text.line(format_args!("{} a new ledger", good("made")));
        }
        for what in mended {
            text.line(format_args!("{} {}", good("made again:"), safe(what)));
        }
        for file in put_back {
            text.line(format_args!("{} {}, from the ledger", good("put back:"), safe(file)));
        }
        for About { file, subject, serial, .. } in recorded {
            text.line(format_args!(
                "{} {} (serial number {serial}), from {}",
                good("recorded:"),
                safe(subject),
                safe(file)
            ));
        }
        for About { file, subject, serial, why, .. } in left_out {
            let why = why.as_deref().unwrap_or_default();
            text.line(format_args!(
                "{} {} (serial number {serial}) of {}: {why}",
                warn("left out:"),
                safe(subject),
                safe(file)
            ));
        }
        for AboutList { file, why, .. } in lists {
            if let Some(why) = why {
                text.line(format_args!("{} the list {}: {}", warn("left out:"), safe(file), safe(why)));
            }
        }
        if !passed_over.is_empty() {
            let files = passed_over.join(", ");
            text.line(format_args!("passed over, without a certificate: {}", safe(files)));
        }
        for Unread { file, why } in unread {
            text.line(format_args!("{} {}: {}", bad("nothing found:"), safe(file), safe(why)));
        }
        for NumbersAfter { authority, after } in crl_numbers {
            text.line(format_args!(
                "{} the next list of {} comes after number {after}",
                good("numbers:"),
                safe(authority)
            ));
        }
        if !revoked.is_empty() {
            text.line(format_args!("{} {}, as lists or an export have it", good("revoked:"), revoked.len()));
        }
        for AboutRevoked { serial, name } in revoked {
            text.line(format_args!("  {} (serial number {serial})", safe(name)));
        }
        for AboutRevoked { serial, name } in released {
            text.line(format_args!(
                "{} {} (serial number {serial}): it was on hold, and the ledger has that lifted since",
                good("left alone:"),
                safe(name)
            ));
        }
        for NotRevoked { serial, at, reason } in not_revoked {
            text.line(format_args!(
                "{} serial number {serial}, revoked at {at} ({reason}): the ledger does not have its certificate, and the next \
                 list will not have it; give the certificate too",
                bad("not revoked:")
            ));
        }
        for what in not_put_back {
            text.line(format_args!("{} {}", bad("not put back:"), safe(what)));
        }
        for caution in cautions {
            text.line(format_args!("{} {}", warn("beware:"), safe(caution)));
        }
        let nothing = [mended, put_back, not_put_back].iter().all(|list| list.is_empty());
        let nothing =
            nothing && recorded.is_empty() && left_out.is_empty() && crl_numbers.is_empty() && revoked.is_empty();
        if !*new_ledger
            && nothing
            && unread.is_empty()
            && not_revoked.is_empty()
            && lists.iter().all(|list| list.why.is_none())
        {
            text.line("there was nothing to repair");
        }
    }
}
