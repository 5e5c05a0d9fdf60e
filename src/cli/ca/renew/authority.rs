//! The renewal of an authority's own certificate: the same name, key and limits, in the place of the old one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use time::OffsetDateTime;

use super::Args;
use super::one::{Kind, Renewed, Source, Target, profile_of};
use crate::ca::renewal::Renewal;
use crate::ca::{Action, Authority, AuthorityName, IMPORTED, Issued, Order, Record};
use crate::cli::ca::issue::About;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::repair::REPAIRED_PROFILE;
use crate::cli::ca::unwritten;
use crate::cli::ca::which::own_authority;
use crate::cli::clock::rfc3339;
use crate::cli::files::{Mode, WriteSet};
use crate::cli::making::{fresh_serial, load_profile};
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::key::SignatureError;
use crate::profile::Profile;
use crate::x509::Certificate;

/// The certificate of the authority that `which` names, where it names one.
///
/// # Errors
/// When it is revoked, its key is compromised, or whoever has signed it cannot sign here.
pub(super) fn find(which: &str, args: &Args, chosen: &Chosen) -> anyhow::Result<Option<Target>> {
    let Some((name, old)) = own_authority(which, chosen) else { return Ok(None) };
    if args.rekey {
        return Err(anyhow!("{name} is an authority, and with another key it would be another one"))
            .hint(format!("make that with: certkit ca intermediate NAME{}", chosen.flag()));
    }
    if args.out.is_some() {
        return Err(anyhow!("--out has no effect: {name} is an authority, and its certificate stays in its place"))
            .hint("leave it out; certkit ca export gives a copy to others");
    }
    let place = chosen.place().certificate_of(&name);
    // One that another key of the same name has signed is not its own (RFC 5280 §6.1, self-issued).
    let own = old.public_key()?;
    let is_root = old.is_self_issued() && old.verify_signature(&own) != Err(SignatureError::Mismatch);
    let (above, mut authority, record) = match is_root {
        true => (name.clone(), chosen.open_one(&name)?, None),
        false => issuer_of(&name, &old, chosen)?,
    };
    if let Some(asked) = chosen.asked_issuer().filter(|asked| **asked != above) {
        return Err(anyhow!("{above} has signed the certificate of {name}, and renews it, not {asked}"))
            .hint("leave --issuer out; certkit ca cross-sign has another authority certify it too");
    }
    let chosen = chosen.by(above);
    chosen.stands(&mut authority)?;
    authority.refuse_compromised(&own).with_context(|| format!("cannot renew {which}"))?;
    Ok(Some(Target::of_authority(which, Kind::Authority(name, record), old, place, (authority, chosen))))
}

/// The authority that has signed the certificate of one, what it is called, and the record of that certificate.
fn issuer_of(
    name: &AuthorityName,
    old: &Certificate,
    chosen: &Chosen,
) -> anyhow::Result<(AuthorityName, Authority, Option<Box<Record>>)> {
    let file = chosen.place().certificate_of(name);
    let issuer = old.issuer();
    let Some(found) = Source::in_ledger(&in_folder(&file), chosen)? else {
        return Err(anyhow!("{issuer} has signed the certificate of {name}, and is not an authority of this CA")).hint(
            format!(
                "ask there for a new one for the same key; it goes to {}, and those above it after it",
                shown(&file)
            ),
        );
    };
    let Source { called, authority, meant } = found;
    let Some(above) = called else {
        return Err(anyhow!("{issuer} has signed the certificate of {name}, and has none in {}", chosen.shown()))
            .hint(format!("put its certificate back: certkit ca repair{}", chosen.flag()));
    };
    let record = meant.records.into_iter().next().context("the ledger has lost a certificate")?;
    if let Some(revocation) = record.revocation {
        let (reason, at) = (revocation.reason.name(), rfc3339(revocation.at));
        let hint = match revocation.is_hold() {
            true => format!("lift the hold: certkit ca revoke --release {}{}", record.serial, chosen.flag()),
            false => format!("make another with: certkit ca intermediate NAME{}", chosen.flag()),
        };
        return Err(anyhow!("the certificate of {name} is revoked: {reason} since {at}")).hint(hint);
    }
    Ok((above, authority, Some(Box::new(record))))
}

/// The path of a file as it is told from the name of a certificate.
fn in_folder(file: &Path) -> String {
    Path::new(".").join(file).display().to_string()
}

/// An authority whose certificate is renewed.
pub(super) struct Own {
    pub(super) which: String,
    pub(super) name: AuthorityName,
    pub(super) record: Option<Box<Record>>,
    pub(super) old: Certificate,
}

impl Own {
    /// Renews it by the authority that has signed it, which is chosen: recorded first, then put into the place of the old one in
    /// every chain of the folder.
    pub(super) fn renew(
        self,
        mut authority: Authority,
        chosen: &Chosen,
        args: &Args,
        now: OffsetDateTime,
        session: &mut Session,
    ) -> anyhow::Result<Renewed> {
        let Self { which, name, record, old } = self;
        let claim = chosen.claim(PATIENCE)?;
        if chosen.certificates(&name)?.first() != Some(&old) {
            return Err(anyhow!("another process has renewed the certificate of {name} just now"))
                .hint(format!("see it with: certkit ca show {name}{}", chosen.flag()));
        }
        let files = files(&old, &name, chosen)?;
        WriteSet::check(files.iter().map(|(path, _)| path.as_path()), true, session)?;
        let is_root = record.is_none();
        let bound = match is_root {
            true => authority.bound_to_its_serial(&FOREIGN, now)?,
            false => chosen.open_one(&name)?.bound_to_its_serial(&FOREIGN, now)?,
        };
        warn_or_refuse(&name, &bound, args, session)?;
        let profile = profile(record.as_deref(), args)?;
        let path: Vec<Certificate> = match is_root {
            true => Vec::new(),
            false => authority.path().into_iter().cloned().collect(),
        };
        let was_cut = !is_root && authority.cut_short(&old)?;
        let renewal =
            Renewal::of_authority(&old, was_cut, &profile).with_context(|| format!("cannot renew {which}"))?;
        let validity = args.lifetime.validity(&renewal.profile, now)?;
        let order = Order { profile: &renewal.profile, request: &renewal.request, validity };
        let key = args.signer.own_key(chosen, session)?;
        let act = place::act(Action::Renew);
        let issued: Issued = match is_root {
            true => {
                let renewed = authority.renew_itself(&order, &key, &mut fresh_serial, &act);
                renewed.with_context(|| format!("cannot renew {which}"))?
            }
            false => chosen.unlock(&mut authority, &key, now)?.certify(&order, &mut fresh_serial, &act)?,
        };
        drop(key);

        // The record is on the disk; from here on the certificate may be seen.
        let mut set = WriteSet::new(false).lasting();
        let names = files.iter().map(|(path, _)| shown(path)).collect();
        for (path, certificates) in files {
            let renewed = certificates.iter().map(|it| if *it == old { &issued.certificate } else { it });
            set.replace(path, place::chain(&renewed.collect::<Vec<_>>()).into_bytes(), Mode::Public);
        }
        unwritten::told(set.write(session), &issued, unwritten::Key::Kept, chosen)?;
        claim.keep();
        let root = path.last().unwrap_or(&issued.certificate);
        let issuer = path.first().unwrap_or(&issued.certificate);
        let renewed = Renewed {
            which,
            renewed: true,
            certificate_file: shown(&chosen.place().certificate_of(&name)),
            key_file: None,
            replaces: old.serial().to_string(),
            authority: chosen.issuer()?,
            moved_from: None,
            certificate: About::new(&issued, (issuer, root), chosen, &profile.name),
            was_until: rfc3339(old.validity().not_after),
            files: names,
            new: issued.certificate.clone(),
        };
        let (until, end) = (rfc3339(old.validity().not_after), issued.certificate.validity().not_after);
        if end < old.validity().not_after {
            session.warn(format_args!(
                "it ends at {}, before the old one ({until}), and with it what {name} has issued for longer",
                rfc3339(end)
            ));
        }
        session.say(match is_root {
            true => format!(
                "clients that trust the old certificate of {name} do so until {until}: give them the new one before \
                 (certkit ca export --bundle{})",
                chosen.flag()
            ),
            false => format!(
                "what {name} has issued stays valid; servers that send the old chain need the new one before {until}: certkit \
                 ca renew, or certkit ca export NAME --chain{}",
                chosen.flag()
            ),
        });
        Ok(renewed)
    }
}

/// The files of the folder with this certificate in them: that of the authority first, then those of the ones below it.
fn files(old: &Certificate, name: &AuthorityName, chosen: &Chosen) -> anyhow::Result<Vec<(PathBuf, Vec<Certificate>)>> {
    let mut files = vec![(chosen.place().certificate_of(name), chosen.certificates(name)?)];
    for other in chosen.place().names().into_iter().filter(|other| other != name) {
        // A certificate that was issued may lie here too, and is left as it is.
        let Ok(certificates) = chosen.certificates(&other) else { continue };
        if certificates.contains(old) && chosen.open_one(&other).is_ok() {
            files.push((chosen.place().certificate_of(&other), certificates));
        }
    }
    Ok(files)
}

/// What was issued elsewhere may name the old certificate of its authority by its number: below the new one OpenSSL and Java refuse
/// that.
fn warn_or_refuse(name: &AuthorityName, bound: &[Record], args: &Args, session: &mut Session) -> anyhow::Result<()> {
    let Some(first) = bound.first() else { return Ok(()) };
    let what = format!(
        "{} of what {name} has issued, such as {}, names the serial number of its present certificate (authorityKeyIdentifier): \
         OpenSSL and Java refuse that below a new one",
        bound.len(),
        first.names.first().unwrap_or(&first.subject)
    );
    if args.force {
        session.warn(format_args!("{what}, unless clients trust the old certificate too"));
        return Ok(());
    }
    Err(anyhow!("{what}")).hint(format!(
        "renew or replace those first, such as with certkit ca renew {}; --force renews {name} all the same: have clients trust \
         both certificates then",
        first.serial
    ))
}

/// The profile by which it was made, as far as that is known: its limits come from the old certificate all the same.
fn profile(record: Option<&Record>, args: &Args) -> anyhow::Result<Profile> {
    let profile = match record {
        Some(record) if !FOREIGN.contains(&record.profile.as_str()) => profile_of(record, args)?,
        Some(_) => load_profile(args.profile.as_deref().unwrap_or("intermediate-ca"))?,
        None => load_profile(args.profile.as_deref().unwrap_or("root-ca"))?,
    };
    match profile.is_ca() {
        true => Ok(profile),
        false => Err(anyhow!("profile {} makes no CA", profile.name)).hint("choose root-ca or intermediate-ca"),
    }
}

/// The profiles of what certkit has not made.
const FOREIGN: [&str; 2] = [IMPORTED, REPAIRED_PROFILE];

/// How long another process that makes an authority in the same folder is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
