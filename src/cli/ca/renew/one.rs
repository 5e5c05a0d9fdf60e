//! The renewal of one certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::Args;
use super::target::Files;
use crate::ca::renewal::Renewal;
use crate::ca::{Action, Authority, IMPORTED, Order, Record};
use crate::cli::ca::issue::About;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::twin;
use crate::cli::ca::unwritten;
use crate::cli::ca::which::{Meant, first_certificate, is_live};
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
    which: String,
    record: Record,
    old: Certificate,
    file: Option<PathBuf>,
    /// Where the new certificate goes, however it is spelled.
    place: PathBuf,
    authority: Authority,
    /// The CA with the authority chosen that has issued it.
    pub(super) chosen: Chosen,
}

impl Target {
    pub(super) fn not_after(&self) -> OffsetDateTime {
        self.old.validity().not_after
    }

    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    pub(super) fn certificate(&self) -> &Certificate {
        &self.old
    }
}

/// The certificate that `which` names: of several with this name the one in the file that a renewal replaces, or else the
/// newest that is not expired or revoked.
///
/// # Errors
/// When there is none, or it is revoked.
pub(super) fn find(which: &str, args: &Args, chosen: &Chosen, now: OffsetDateTime) -> anyhow::Result<Target> {
    let (chosen, mut authority, meant) = Meant::in_any(which, chosen, false)?;
    chosen.stands(&mut authority)?;
    let file = meant.from_file.then(|| PathBuf::from(which));
    let placed = if file.is_none() && args.out.is_none() { in_its_file(&meant, &mut authority)? } else { None };
    let record = match placed {
        Some(record) => record,
        None => meant.newest(|record| is_live(record, now))?,
    };
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
    Ok(Target { which: which.to_owned(), record, old, file, place, authority, chosen })
}

/// The record of the certificate in the file that `certkit ca issue` has written. A newer one that was recorded and could
/// not be written has taken nobody's place.
fn in_its_file(meant: &Meant, authority: &mut Authority) -> anyhow::Result<Option<Record>> {
    let [newest, _, ..] = meant.records.as_slice() else { return Ok(None) };
    let path = Files::usual(&authority.recorded(newest.id)?)?;
    if !path.is_file() {
        return Ok(None);
    }
    // What is wrong with the file is told where it is to be replaced.
    let Ok(certificate) = first_certificate(&path) else { return Ok(None) };
    let fingerprint = certificate.fingerprint_sha256();
    let its = |record: &&Record| record.fingerprint == fingerprint && record.revocation.is_none();
    Ok(meant.records.iter().find(its).cloned())
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
fn profile_of(record: &Record, args: &Args) -> anyhow::Result<Profile> {
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
    let Target { which, record, old, file, place: _, mut authority, chosen } = target;
    let files = files_of(&old, file.as_deref(), args)?;
    files.check(args.rekey, &chosen, &args.signer, session)?;
    let profile = profile_of(&record, args)?;
    let key = if args.rekey { Some(new_key(args, &old, &files)?) } else { None };
    let public_key = key.as_ref().map(|key| key.key.public_key().clone());
    let (issuer, root) = (authority.certificate().clone(), authority.root().clone());
    let renewal =
        Renewal::of(&old, &authority.path(), &profile, public_key).with_context(|| format!("cannot renew {which}"))?;
    let validity = args.lifetime.validity(&renewal.profile, now)?;
    let order = Order { profile: &renewal.profile, request: &renewal.request, validity };
    let ca_key = args.signer.key(&chosen, session)?;
    let act = place::act(Action::Renew);
    let issued = chosen.unlock(&mut authority, &ca_key, now)?.issue(&order, &mut fresh_serial, &act)?;
    drop(ca_key);

    // The record is on the disk; from here on the certificate may be seen.
    let names = files.names(args.rekey);
    let renewed = Renewed {
        which,
        renewed: true,
        certificate_file: names.first().cloned().unwrap_or_default(),
        key_file: args.rekey.then(|| shown(files.keyout())),
        replaces: record.serial.to_string(),
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
    which: String,
    renewed: bool,
    certificate_file: String,
    /// Where the new key is; `None` for the old one.
    key_file: Option<String>,
    /// The serial number of the old certificate.
    replaces: String,
    #[serde(flatten)]
    certificate: About,
    #[serde(skip)]
    was_until: String,
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
        let files = vec![
            ("certificate", safe(&self.certificate_file).to_string()),
            ("key", key),
            ("replaces", format!("{} (until {})", self.replaces, self.was_until)),
        ];
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
            serial: target.record.serial.to_string(),
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
