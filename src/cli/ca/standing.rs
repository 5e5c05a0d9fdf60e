//! An authority that is revoked or on hold: how that is told, and what to do.

use serde::Serialize;

use super::place::Chosen;
use crate::ca::place::is_there;
use crate::ca::{AuthorityName, RevokedAuthority};
use crate::cli::clock::rfc3339;

/// Who can certify in place of a revoked authority, or how the hold is lifted.
pub(super) fn way_out(revoked: &RevokedAuthority, chosen: &Chosen) -> String {
    let flag = chosen.flag();
    let another = match another(chosen) {
        Some(name) => format!("issue or renew with another authority, --issuer {name}; or make"),
        None => "make".to_owned(),
    };
    let instead = format!("{another} a new one with: certkit ca intermediate NAME{flag}");
    match revoked.revocation.is_hold() {
        true => format!("lift the hold: certkit ca revoke --release {}{flag}; or {instead}", revoked.serial),
        false => instead,
    }
}

/// How the authority with this name goes on, whose certificate has expired.
pub(super) fn renewal(issuer: &str, chosen: &Chosen) -> String {
    match called(issuer, chosen) {
        Some(name) => format!("renew its certificate: certkit ca renew {name}{}", chosen.flag()),
        None => "make a new CA in another folder, certkit ca init --ca DIR, and let clients trust it".to_owned(),
    }
}

/// How the authority with this name goes on, whose certificate is not valid yet, where the clock is right: it was ahead when
/// that was made.
pub(super) fn renewal_now(issuer: &str, chosen: &Chosen) -> Option<String> {
    let command = format!("certkit ca renew {}{}", called(issuer, chosen)?, chosen.flag());
    Some(format!("if it is, and was ahead when that was made: {command} signs one that is valid now"))
}

/// What the authority with this name is called here.
fn called(issuer: &str, chosen: &Chosen) -> Option<AuthorityName> {
    let is_it = |name: &AuthorityName| {
        chosen.certificates(name).is_ok_and(|found| found.first().is_some_and(|own| own.display_name() == issuer))
    };
    chosen.place().names().into_iter().find(is_it)
}

/// Another authority of the CA that has its key here and may certify. The first one last: it is for authorities.
fn another(chosen: &Chosen) -> Option<AuthorityName> {
    let mut names = chosen.place().names();
    names.sort_by_key(AuthorityName::is_first);
    names.into_iter().find(|name| {
        is_there(&chosen.place().key_of(name))
            && chosen.open_one(name).is_ok_and(|mut authority| matches!(authority.revoked(), Ok(None)))
    })
}

/// That an authority, or one above it, is revoked or on hold.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Standing {
    at: String,
    reason: &'static str,
    /// Of which certificate: its own, or that of one above it.
    serial: String,
    subject: String,
    #[serde(skip)]
    is_above: bool,
    #[serde(skip)]
    is_hold: bool,
}

impl Standing {
    pub(super) fn of(revoked: &RevokedAuthority) -> Self {
        let RevokedAuthority { subject, serial, revocation, is_above } = revoked;
        Self {
            at: rfc3339(revocation.at),
            reason: revocation.reason.name(),
            serial: serial.to_string(),
            subject: subject.clone(),
            is_above: *is_above,
            is_hold: revocation.is_hold(),
        }
    }

    pub(super) fn in_words(&self) -> String {
        let Self { at, reason, subject, is_above, is_hold, .. } = self;
        let whose = if *is_above { format!("{subject} above it ") } else { String::new() };
        match is_hold {
            true => format!("{whose}on hold since {at}"),
            false => format!("{whose}revoked: {reason} since {at}"),
        }
    }
}
