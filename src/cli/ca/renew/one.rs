//! The renewal of one certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Args;
use super::authority;
use super::target::Files;
use crate::ca::renewal::Renewal;
use crate::ca::{Action, Authority, AuthorityName, IMPORTED, Order, Record};
use crate::cli::ca::issue::About;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::twin;
use crate::cli::ca::unwritten;
use crate::cli::ca::which::{Meant, called_so, first_certificate, is_live, serial};
use crate::cli::clock::{self, rfc3339};
use crate::cli::files::resolved;
use crate::cli::making::{fresh_serial, load_profile};
use crate::cli::output::{Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, dim, good, safe, strong};
use crate::encoding::pem;
use crate::key::{Kdf, PrivateKey};
use crate::profile::Profile;
use crate::x509::Certificate;
use crate::x509::extension::CrlReason;

/// A certificate that may be renewed.
pub(super) struct Target {
    pub(super) which: String,
    pub(super) kind: Kind,
    pub(super) old: Certificate,
    file: Option<PathBuf>,
    /// Where the new certificate goes, however it is spelled.
    place: PathBuf,
    /// The authority that signs the new one.
    pub(super) authority: Authority,
    /// The CA with that authority chosen.
    pub(super) chosen: Chosen,
    /// The authority that has issued the old one, where another signs the new one.
    moved_from: Option<String>,
    /// Whether that one is revoked or on hold: what it has issued is worth nothing, however long it is valid.
    is_worthless: bool,
}

/// Whose certificate it is.
pub(super) enum Kind {
    /// One that was issued, by its record.
    Issued(Box<Record>),
    /// That of an authority of the CA, with its record where another one has signed it.
    Authority(AuthorityName, Option<Box<Record>>),
}

impl Target {
    /// An authority's.
    pub(super) fn of_authority(
        which: &str,
        kind: Kind,
        old: Certificate,
        place: PathBuf,
        (authority, chosen): (Authority, Chosen),
    ) -> Self {
        let which = which.to_owned();
        Self { which, kind, old, file: None, place, authority, chosen, moved_from: None, is_worthless: false }
    }

    pub(super) fn not_after(&self) -> OffsetDateTime {
        self.old.validity().not_after
    }

    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    pub(super) fn certificate(&self) -> &Certificate {
        &self.old
    }

    /// Whether it is renewed whatever time it has left.
    pub(super) fn is_worthless(&self) -> bool {
        self.is_worthless
    }
}

/// The certificate that `which` names: of several with this name the one in the file that a renewal replaces, or else the
/// newest that is not expired or revoked. It is renewed below the authority that has issued it, unless `--issuer` asks for
/// another.
///
/// # Errors
/// When there is none, or it is revoked.
pub(super) fn find(which: &str, args: &Args, chosen: &Chosen, now: OffsetDateTime) -> anyhow::Result<Target> {
    if called_so(which, chosen, now)?.is_some()
        && let Some(target) = authority::find(which, args, chosen)?
    {
        return Ok(target);
    }
    let mut found = match Source::find(which, chosen) {
        Ok(found) => found,
        Err(error) => return authority::find(which, args, chosen)?.ok_or(error),
    };
    let file = found.meant.from_file.then(|| PathBuf::from(which));
    let placed = if file.is_none() && args.out.is_none() { in_its_file(&mut found, chosen)? } else { None };
    let Source { called, authority: mut source, meant } = found;
    let record = match placed {
        Some(record) => record,
        None => meant.newest(|record| is_live(record, now))?,
    };
    if source.recorded(record.id)?.claims_ca()
        && let Some(target) = authority::find(which, args, chosen)?
    {
        return Ok(target);
    }
    let (chosen, mut authority, moved_from, is_worthless) = match (chosen.asked_issuer(), called) {
        (Some(asked), called) if called.as_ref() != Some(asked) => {
            let from = called.map_or_else(|| source.certificate().display_name(), |name| name.to_string());
            let is_worthless = source.revoked()?.is_some();
            (chosen.by(asked.clone()), chosen.open_one(asked)?, Some(from), is_worthless)
        }
        (_, Some(called)) => (chosen.by(called), source, None, false),
        (_, None) => {
            let issuer = source.certificate().display_name();
            return Err(anyhow!("{issuer}, which has issued it, has no certificate in {}", chosen.shown()))
                .hint("have another authority of the CA sign the new one: --issuer NAME");
        }
    };
    chosen.stands(&mut authority)?;
    if let Some(revocation) = record.revocation {
        let serial = &record.serial;
        if revocation.reason == CrlReason::CertificateHold {
            return Err(anyhow!(
                "the certificate with serial number {serial} is on hold since {}",
                rfc3339(revocation.at)
            ))
            .hint(format!("lift the hold: certkit ca revoke --release {serial}{}", chosen.flag()));
        }
        let (reason, at) = (revocation.reason.name(), rfc3339(revocation.at));
        return Err(anyhow!("the certificate with serial number {serial} is revoked: {reason} since {at}"))
            .hint(format!("have a new one issued, with a new key: certkit ca issue NAME{}", chosen.flag_to_sign()));
    }
    let old = authority.recorded(record.id)?;
    if let Some(own) = old.public_key().ok().filter(|_| !args.rekey) {
        let refused = authority.refuse_compromised(&own);
        refused.with_context(|| format!("cannot renew {which}")).hint("--rekey makes a new key")?;
    }
    // So that a file in the way is told before anything is signed.
    let place = resolved(files_of(&old, file.as_deref(), args)?.out());
    let kind = Kind::Issued(Box::new(record));
    Ok(Target { which: which.to_owned(), kind, old, file, place, authority, chosen, moved_from, is_worthless })
}

/// Where a certificate was found that is to be renewed.
pub(super) struct Source {
    /// What the authority is called; `None` where its certificate is not in the folder.
    pub(super) called: Option<AuthorityName>,
    pub(super) authority: Authority,
    pub(super) meant: Meant,
}

impl Source {
    /// Of the authority of `--issuer`, or else of any that the ledger knows: what another has issued is renewed below this one.
    fn find(which: &str, chosen: &Chosen) -> anyhow::Result<Self> {
        match Meant::in_any(which, chosen, false) {
            Ok((found, authority, meant)) => Ok(Self { called: Some(found.issuer()?), authority, meant }),
            Err(error) => Self::in_ledger(which, chosen)?.ok_or(error),
        }
    }

    pub(super) fn in_ledger(which: &str, chosen: &Chosen) -> anyhow::Result<Option<Self>> {
        let found = Meant::in_ledger(which, chosen)?;
        Ok(found.map(|(called, authority, meant)| Self { called, authority, meant }))
    }
}

/// The record of the certificate in the file that `certkit ca issue` has written. A newer one that was recorded and could
/// not be written has taken nobody's place; and one that another authority has renewed is found with that one.
fn in_its_file(source: &mut Source, chosen: &Chosen) -> anyhow::Result<Option<Record>> {
    let Source { authority, meant, .. } = source;
    let Some(newest) = meant.records.first() else { return Ok(None) };
    let newest = authority.recorded(newest.id)?;
    let path = Files::usual(&newest)?;
    if !path.is_file() {
        return Ok(None);
    }
    // What is wrong with the file is told where it is to be replaced.
    let Ok(certificate) = first_certificate(&path) else { return Ok(None) };
    let fingerprint = certificate.fingerprint_sha256();
    if meant.records.iter().any(|record| record.fingerprint == fingerprint) {
        let its = |record: &&Record| record.fingerprint == fingerprint && record.revocation.is_none();
        return Ok(meant.records.iter().find(its).cloned());
    }
    // A serial number means that one and no other.
    let is_another = certificate.subject_alt_names() != newest.subject_alt_names();
    if is_another || serial(&meant.which).as_ref() == Some(newest.serial()) {
        return Ok(None);
    }
    let Some(other) = Source::in_ledger(&format!("./{}", path.display()), chosen)? else { return Ok(None) };
    *source = other;
    Ok(source.meant.records.first().filter(|record| record.revocation.is_none()).cloned())
}

/// The files that the renewal of `old` goes to.
fn files_of(old: &Certificate, file: Option<&Path>, args: &Args) -> anyhow::Result<Files> {
    let files = Files::of(old, file, args.out.as_deref(), args.keyout.as_deref(), args.force)?;
    if args.rekey {
        files.has_place_for_key(args.force)?;
    }
    Ok(files)
}

/// The profile by which a certificate was made.
pub(super) fn profile_of(record: &Record, args: &Args) -> anyhow::Result<Profile> {
    if let Some(name) = &args.profile {
        return load_profile(name);
    }
    let name = &record.profile;
    let unknown = || format!("the profile {name} by which it was made is not there");
    match Profile::built_in(name) {
        Some(profile) => Ok(profile),
        None if name == IMPORTED => {
            Err(anyhow!("it was issued before this CA was imported, and no profile of it is known here"))
                .hint("say by which profile it is renewed, such as --profile server")
        }
        None if Path::new(name).is_absolute() => {
            let (why, what_to_do) = match Path::new(name).exists() {
                true => (
                    format!("the profile {name} by which it was made cannot be used"),
                    "mend it, or give another with --profile",
                ),
                false => (unknown(), "give it with --profile"),
            };
            load_profile(name).context(why).hint(what_to_do)
        }
        // A path that counts from a folder nobody knows could lead to another file of the same name.
        None => Err(anyhow!("{}", unknown())).hint("give it with --profile"),
    }
}

/// Renews it: recorded first, then written.
pub(super) fn renew(
    target: Target,
    args: &Args,
    now: OffsetDateTime,
    session: &mut Session,
) -> anyhow::Result<Renewed> {
    let Target { which, kind, old, file, place: _, mut authority, chosen, moved_from, is_worthless: _ } = target;
    let record = match kind {
        Kind::Issued(record) => record,
        Kind::Authority(name, record) => {
            let own = authority::Own { which, name, record, old };
            return own.renew(authority, &chosen, args, now, session);
        }
    };
    let files = files_of(&old, file.as_deref(), args)?;
    files.check(args.rekey, &chosen, &args.signer, session)?;
    let profile = profile_of(&record, args)?;
    let key = if args.rekey { Some(new_key(args, &old, &files)?) } else { None };
    let public_key = key.as_ref().map(|key| key.key.public_key().clone());
    let (issuer, root) = (authority.certificate().clone(), authority.root().clone());
    let was_cut = authority.cut_short(&old)?;
    let renewal = Renewal::of(&old, was_cut, &profile, public_key).with_context(|| format!("cannot renew {which}"))?;
    let validity = args.lifetime.validity(&renewal.profile, now)?;
    let order = Order { profile: &renewal.profile, request: &renewal.request, validity };
    let ca_key = args.signer.own_key(&chosen, session)?;
    let act = place::act(Action::Renew);
    let issued = chosen.unlock(&mut authority, &ca_key, now)?.issue(&order, &mut fresh_serial, &act)?;
    drop(ca_key);

    // The record is on the disk; from here on the certificate may be seen.
    let names = files.names(args.rekey);
    let renewed = Renewed {
        which,
        renewed: true,
        certificate_file: names.first().cloned().unwrap_or_default(),
        key_file: args.rekey.then(|| files.keyout_shown()),
        replaces: record.serial.to_string(),
        authority: chosen.issuer()?,
        moved_from,
        certificate: About::new(&issued, (&issuer, &root), &chosen, &profile.name),
        was_until: rfc3339(old.validity().not_after),
        files: names,
        new: issued.certificate.clone(),
    };
    let chain = place::chain(&authority.full_chain(&issued.certificate));
    let written = files.write(&chain, key.map(|key| key.pem), session);
    unwritten::told(written, &issued, unwritten::Key::of(args.rekey), &chosen)?;
    twin::tell_of_the_other(&record, &chosen, now, session);
    Ok(renewed)
}

struct NewKey {
    key: PrivateKey,
    pem: Zeroizing<String>,
}

fn new_key(args: &Args, old: &Certificate, files: &Files) -> anyhow::Result<NewKey> {
    if files.key_is_encrypted() && !args.encrypt {
        return Err(anyhow!("the key in {} is under a passphrase", shown(files.keyout())))
            .hint("put the new one under one too with --encrypt, or write it elsewhere with --keyout");
    }
    let algorithm = match args.key_type {
        Some(algorithm) => algorithm,
        None => old.public_key()?.algorithm(),
    };
    let source = args.passphrase.as_ref().unwrap_or(&PassphraseSource::Prompt);
    let passphrase = args.encrypt.then(|| source.new_one(&shown(files.keyout()))).transpose()?;
    let key = PrivateKey::generate(algorithm)?;
    let pem = match passphrase {
        None => pem::write("PRIVATE KEY", &key.to_pkcs8_der()),
        Some(passphrase) => pem::write("ENCRYPTED PRIVATE KEY", &key.encrypt(&passphrase, Kdf::default())?),
    };
    Ok(NewKey { key, pem })
}

/// A certificate that was renewed.
#[derive(Debug, Serialize)]
pub(super) struct Renewed {
    pub(super) which: String,
    pub(super) renewed: bool,
    pub(super) certificate_file: String,
    /// Where the new key is; `None` for the old one.
    pub(super) key_file: Option<String>,
    /// The serial number of the old certificate.
    pub(super) replaces: String,
    /// The authority that has signed it.
    pub(super) authority: AuthorityName,
    /// The one that has issued the old certificate, where that is another.
    pub(super) moved_from: Option<String>,
    #[serde(flatten)]
    pub(super) certificate: About,
    #[serde(skip)]
    pub(super) was_until: String,
    #[serde(skip)]
    pub(super) files: Vec<String>,
    #[serde(skip)]
    pub(super) new: Certificate,
}

impl Renewed {
    pub(super) fn text(&self, text: &mut Text) {
        let key = match &self.key_file {
            Some(file) => format!("new, in {}", safe(file)),
            None => "as before".to_owned(),
        };
        let mut files = vec![
            ("certificate", safe(&self.certificate_file).to_string()),
            ("key", key),
            ("replaces", format!("{} (until {})", self.replaces, self.was_until)),
        ];
        if let Some(before) = &self.moved_from {
            files.push(("signed by", format!("{}, and before by {}", self.authority, safe(before))));
        }
        self.certificate.text_as("renewed", files, text);
    }
}

/// A certificate that has time left.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    which: String,
    renewed: bool,
    why: String,
    serial: String,
    not_after: String,
}

impl Kept {
    pub(super) fn of(target: &Target, now: OffsetDateTime) -> Self {
        Self {
            which: target.which.clone(),
            renewed: false,
            why: clock::expiry(target.not_after(), now),
            serial: target.old.serial().to_string(),
            not_after: rfc3339(target.not_after()),
        }
    }

    pub(super) fn text(&self, text: &mut Text) {
        text.line(format_args!("{}  {}: it {}, {}", good("kept"), strong(&self.which), self.why, dim(&self.not_after)));
    }
}

/// A path as an absolute one, for a unit that runs elsewhere.
pub(super) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot use {}", shown(path)))
}
