//! What runs that were killed left in the folder of a batch: told, and removed, for there are private keys in it.

use serde::Serialize;

use crate::cli::ca::place::Chosen;
use crate::cli::files::{Abandoned, Destination};
use crate::cli::load::Loaded;
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::{Text, bad, for_shell};
use crate::key::PublicKey;
use crate::x509::{Certificate, GeneralName};

/// A certificate of a run that was killed: recorded, and its files were never put in place.
#[derive(Debug, Serialize)]
struct Leftover {
    /// It stands on no line of this list.
    line: Option<u64>,
    /// The folder in which it lay.
    left_in: String,
    subject: String,
    names: Vec<String>,
    serial: String,
    error: &'static str,
}

/// Tells of what was left, each certificate in a row of the answer, and removes it.
///
/// # Errors
/// When it cannot be told or removed; what was not told is there still.
pub(super) fn clear_away(destination: &Destination, chosen: &Chosen, session: &mut Session) -> anyhow::Result<()> {
    let found = destination.leftovers();
    let mut has_keys = false;
    if !found.abandoned.is_empty() {
        let authorities = keys_of_authorities(chosen);
        for abandoned in found.abandoned {
            has_keys |= !abandoned.files().is_empty();
            remove(abandoned, &authorities, chosen, session)?;
        }
    }
    if has_keys {
        session.warn(format_args!(
            "that run may have recorded others whose files it had not begun: what certkit ca list{} has and no file is of them",
            chosen.flag_to_sign()
        ));
    }
    for (folder, why) in found.left {
        session.warn(format_args!(
            "left {} where it is: {why}; if its run was killed, a run {} seconds from now tells what is in it and removes it",
            shown(&folder),
            Destination::CLAIMED_WITHIN.as_secs()
        ));
    }
    Ok(())
}

fn remove(
    abandoned: Abandoned,
    authorities: &[PublicKey],
    chosen: &Chosen,
    session: &mut Session,
) -> anyhow::Result<()> {
    let folder = shown(abandoned.folder());
    let (mut own, mut foreign) = (Vec::new(), 0_usize);
    for file in abandoned.files() {
        // Of a pair with its key the certificate alone is one.
        let read = Loaded::read(&file).and_then(|loaded| loaded.certificates());
        let Some(certificate) = read.ok().and_then(|chain| chain.into_iter().next()) else { continue };
        session.row(&Leftover::of(&certificate, &folder))?;
        match authorities.iter().any(|key| certificate.verify_signature(key).is_ok()) {
            true => own.push(certificate.serial().to_string()),
            false => foreign += 1,
        }
    }
    abandoned.remove()?;
    let removed = format!("removed {folder}, which a run that was killed had left");
    if own.is_empty() && foreign == 0 {
        session.warn(&removed);
    }
    if !own.is_empty() {
        session.warn(format_args!(
            "{removed}: the keys of certificates that are recorded and nobody has; revoke them with certkit ca revoke {}{}",
            own.join(" "),
            chosen.flag_to_sign()
        ));
    }
    if foreign > 0 {
        session.warn(format_args!(
            "{removed}: {foreign} certificates of another CA than that in {} are recorded there, and nobody has their keys; \
             revoke them there",
            for_shell(&chosen.shown())
        ));
    }
    Ok(())
}

/// The keys by which certificates of this CA are known.
fn keys_of_authorities(chosen: &Chosen) -> Vec<PublicKey> {
    let certificates = chosen.place().names().into_iter().filter_map(|name| chosen.certificates(&name).ok());
    certificates.filter_map(|path| path.first()?.public_key().ok()).collect()
}

impl Leftover {
    fn of(certificate: &Certificate, folder: &str) -> Self {
        let names = certificate.subject_alt_names().unwrap_or_default();
        Self {
            line: None,
            left_in: folder.to_owned(),
            subject: certificate.subject().to_string(),
            names: names.iter().map(GeneralName::to_string).collect(),
            serial: certificate.serial().to_string(),
            error: "a run that was killed recorded it and never put its files in place",
        }
    }
}

impl Report for Leftover {
    fn text(&self, text: &mut Text) {
        text.line(format_args!(
            "{}  the certificate with serial number {} of {}: {}",
            bad("lost"),
            self.serial,
            for_shell(&self.left_in),
            self.error
        ));
    }
}
