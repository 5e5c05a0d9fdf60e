//! One authority of a CA in a few lines: what it is, what it may do, and where its key is.

use serde::Serialize;

use super::place::Chosen;
use crate::ca::place::is_there;
use crate::ca::{AbsentKey, AuthorityName};
use crate::cli::clock::rfc3339;
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::text::safe;
use crate::container::PrivateKeyItem;
use crate::encoding::hex;
use crate::issue::permits_nobody;
use crate::x509::Certificate;
use crate::x509::extension::{GeneralSubtree, NameConstraints};

/// An authority.
#[derive(Debug, Serialize)]
pub(super) struct Outline {
    name: AuthorityName,
    pub(super) subject: String,
    serial: String,
    fingerprint_sha256: String,
    pub(super) not_after: String,
    path_len: Option<u64>,
    permitted: Vec<String>,
    excluded: Vec<String>,
    #[serde(skip)]
    permitted_in_words: String,
    certificate: String,
    /// Where the key is, as far as that is known.
    key: Option<String>,
    key_is: KeyIs,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeyIs {
    /// In the folder, for whoever can read it.
    Plain,
    /// In the folder, under a passphrase.
    Encrypted,
    /// In the folder, and it cannot be read.
    Unreadable,
    /// Put elsewhere.
    SetAside,
    /// Gone for good.
    Destroyed,
    /// Not in the folder, and nobody knows why.
    Missing,
}

impl Outline {
    pub(super) fn of(name: &AuthorityName, certificate: &Certificate, chosen: &Chosen) -> anyhow::Result<Self> {
        let found = certificate.extensions().find::<NameConstraints>().ok().flatten();
        let constraints = found.map(|found| found.value).unwrap_or_default();
        let list = |subtrees: &[GeneralSubtree]| subtrees.iter().map(|subtree| subtree.base.to_string()).collect();
        let (key, key_is) = key_of(name, chosen)?;
        Ok(Self {
            name: name.clone(),
            subject: certificate.subject().to_string(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            not_after: rfc3339(certificate.validity().not_after),
            path_len: certificate.basic_constraints().ok().flatten().and_then(|constraints| constraints.path_len),
            permitted_in_words: in_words(&constraints.permitted),
            permitted: list(&constraints.permitted),
            excluded: list(&constraints.excluded),
            certificate: shown(&chosen.place().certificate_of(name)),
            key,
            key_is,
        })
    }

    pub(super) fn name(&self) -> &AuthorityName {
        &self.name
    }

    /// Label and value, for people.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("certificate", safe(&self.certificate).to_string()), ("key", self.key_in_words())];
        if let Some(path_len) = self.path_len {
            fields.push(("below it", further(path_len)));
        }
        if !self.permitted.is_empty() {
            fields.push(("permitted", safe(&self.permitted_in_words).to_string()));
        }
        if !self.excluded.is_empty() {
            fields.push(("excluded", safe(self.excluded.join(", ")).to_string()));
        }
        fields.push(("expires", self.not_after.clone()));
        fields.push(("SHA-256", self.fingerprint_sha256.clone()));
        fields
    }

    /// Where the key is and what that means.
    pub(super) fn key_in_words(&self) -> String {
        let place = safe(self.key.as_deref().unwrap_or_default()).to_string();
        match self.key_is {
            KeyIs::Plain => format!("{place} (whoever has it can sign: keep it here)"),
            KeyIs::Encrypted => format!("{place} (under its passphrase)"),
            KeyIs::Unreadable => format!("{place} (cannot be read)"),
            KeyIs::SetAside if self.key.is_none() => "set aside: it was handed over when it was made".to_owned(),
            KeyIs::SetAside => format!("{place} (set aside: keep it where nobody signs by accident)"),
            KeyIs::Destroyed => "destroyed: it signs nothing more".to_owned(),
            KeyIs::Missing => "not here".to_owned(),
        }
    }

    /// The same in a word.
    pub(super) fn key_in_a_word(&self) -> &'static str {
        match self.key_is {
            KeyIs::Plain => "key here",
            KeyIs::Encrypted => "key here, encrypted",
            KeyIs::Unreadable => "key here, unreadable",
            KeyIs::SetAside => "key set aside",
            KeyIs::Destroyed => "key destroyed",
            KeyIs::Missing => "key missing",
        }
    }
}

fn key_of(name: &AuthorityName, chosen: &Chosen) -> anyhow::Result<(Option<String>, KeyIs)> {
    let path = chosen.place().key_of(name);
    if is_there(&path) {
        let read = Loaded::read(&path);
        let key_is = match read.as_ref().map(|loaded| loaded.document.first_private_key()) {
            Ok(Ok(PrivateKeyItem::Plain(_))) => KeyIs::Plain,
            Ok(Ok(PrivateKeyItem::Encrypted(_))) => KeyIs::Encrypted,
            _ => KeyIs::Unreadable,
        };
        return Ok((Some(shown(&path)), key_is));
    }
    Ok(match chosen.config()?.keys.remove(name) {
        Some(key @ AbsentKey::SetAside(_)) => (key.place().map(str::to_owned), KeyIs::SetAside),
        Some(AbsentKey::Destroyed) => (None, KeyIs::Destroyed),
        None => (None, KeyIs::Missing),
    })
}

fn further(path_len: u64) -> String {
    match path_len {
        0 => "no further authority".to_owned(),
        1 => "1 further authority".to_owned(),
        many => format!("{many} further authorities"),
    }
}

/// What is permitted, but for what only closes a form of names.
pub(super) fn in_words(permitted: &[GeneralSubtree]) -> String {
    let some = permitted.iter().filter(|subtree| !permits_nobody(&subtree.base));
    let some: Vec<String> = some.map(|subtree| subtree.base.to_string()).collect();
    let closed = permitted.iter().any(|subtree| permits_nobody(&subtree.base));
    if closed { format!("{} and nothing else", some.join(", ")) } else { some.join(", ") }
}
