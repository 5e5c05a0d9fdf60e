//! Who may read the CA's keys, and who may write to its files.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Line, Warning};
use crate::ca::check::Remedy;
use crate::ca::{AbsentKey, AuthorityName};
use crate::cli::ca::own_files::is_authoritys;
use crate::cli::ca::place::Chosen;
use crate::cli::files::{folder_is_open, permissions};
use crate::cli::output::shown;

/// What is wrong, or may be meant.
pub(super) enum Found {
    Fault(Line),
    Warning(Warning),
}

/// Looks at the folder, the ledger in it, and the keys and certificates of its authorities and their OCSP delegates. Where
/// modes say nothing there is nothing to find.
pub(super) fn check(chosen: &Chosen, tell: &mut dyn FnMut(Found)) {
    let place = chosen.place();
    // What is wrong with ca.toml is told when the CA is opened.
    let config = chosen.config().unwrap_or_default();
    one(place.folder(), Right::Enter, "the folder of the CA", tell);
    one(&place.config(), Right::Write, "what the CA is told of itself", tell);
    for ledger in place.ledger_files() {
        one(&ledger, Right::Write, "the ledger", tell);
    }
    let found = place.names().into_iter().filter(|name| is_authoritys(chosen, name));
    let mut names: BTreeSet<AuthorityName> = found.chain(config.issuer).chain(config.keys.keys().cloned()).collect();
    names.insert(AuthorityName::first());
    for name in names {
        one(&place.key_of(&name), Right::Any, &format!("the key of {name}"), tell);
        if let Some(path) = config.keys.get(&name).and_then(AbsentKey::place) {
            one(Path::new(path), Right::Any, &format!("the key of {name}"), tell);
        }
        one(&place.delegate_of(&name), Right::Any, &format!("the key of the OCSP delegate of {name}"), tell);
        one(&place.certificate_of(&name), Right::Write, &format!("the certificate of {name}"), tell);
    }
}

/// What is nobody's but the owner's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    /// To write to a folder, whatever it lies in.
    Enter,
    Write,
    /// To read or to write: a secret.
    Any,
}

/// Everybody is a fault, unless the folder lets nobody in. A group may be meant: operators who share the CA.
fn one(path: &Path, right: Right, what: &str, tell: &mut dyn FnMut(Found)) {
    let Some(mode) = permissions(path) else { return };
    let place = shown(path);
    let of = |bits: u32| match (right == Right::Any && bits & 0o4 != 0, bits & 0o2 != 0) {
        (true, true) => Some("read and written"),
        (true, false) => Some("read"),
        (false, true) => Some("written"),
        (false, false) => None,
    };
    let told = |verb: &str, by: &str| format!("{what} may be {verb} by {by} (mode {mode:04o})");
    if let Some(verb) = of(mode).filter(|_| right == Right::Enter || folder_is_open(path)) {
        let advice = match right {
            Right::Enter | Right::Write => format!("chmod go-w {place}, and see whether it is what it was"),
            Right::Any => format!("chmod 600 {place}; if others could come to it, take the key for known to them"),
        };
        tell(Found::Fault(Line { what: told(verb, "everybody"), place, remedy: Remedy::Restrict, advice }));
    } else if let Some(verb) = of(mode) {
        let change = if right == Right::Any { "600" } else { "go-w" };
        let warning = told(verb, "everybody, if its folder did not keep them out");
        tell(Found::Warning(Warning {
            warning,
            advice: format!("chmod {change} {place}, for copies keep the mode"),
            place,
        }));
    } else if let Some(verb) = of(mode >> 3) {
        let change = if right == Right::Any { "600" } else { "g-w" };
        let advice = format!("chmod {change} {place}, unless its group is meant to");
        tell(Found::Warning(Warning { warning: told(verb, "its group"), place, advice }));
    }
}
