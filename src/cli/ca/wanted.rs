//! What a new authority shall be: its subject, its key, and what it may do.

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use crate::ca::AuthorityName;
use crate::cli::passphrase::{Passphrase, PassphraseSource};
use crate::cli::problem::Hinted;
use crate::encoding::{Oid, pem};
use crate::issue::{Naming, Request, Wanted, confine};
use crate::key::{Kdf, KeyAlgorithm, PrivateKey, PublicKey};
use crate::profile::Profile;
use crate::profile::subtree::excluded_whole;
use crate::x509::extension::{GeneralSubtree, PolicyInformation};
use crate::x509::name::Attribute;
use crate::x509::{DistinguishedName, GeneralName, oids};

/// The key of a new authority
#[derive(Debug, Default, clap::Args)]
pub(super) struct AuthorityKeyArgs {
    /// The kind of key [default: the profile's, p256]
    #[arg(long = "type", value_name = "TYPE")]
    key_type: Option<KeyAlgorithm>,

    /// Put the key under a passphrase
    #[arg(long)]
    pub(super) encrypt: bool,

    /// Where the passphrase comes from: prompt, file:PATH, env:NAME or fd:N; asked for unless given
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    passphrase: Option<PassphraseSource>,

    /// The passphrase, where it has been read for another key already.
    #[arg(skip)]
    known: Option<Passphrase>,
}

impl AuthorityKeyArgs {
    /// A key of this kind, without a passphrase.
    pub(super) fn of_type(key_type: KeyAlgorithm) -> Self {
        Self { key_type: Some(key_type), ..Self::default() }
    }

    /// The same under this passphrase, if there is one.
    pub(super) fn under(self, passphrase: Option<Passphrase>) -> Self {
        Self { known: passphrase, ..self }
    }

    /// The passphrase that shall protect `what`, if one shall.
    pub(super) fn new_passphrase(&self, what: &str) -> anyhow::Result<Option<Passphrase>> {
        if let Some(known) = &self.known {
            return Ok(Some(known.clone()));
        }
        let prompt = PassphraseSource::Prompt;
        self.encrypt.then(|| self.passphrase.as_ref().unwrap_or(&prompt).new_one(what)).transpose()
    }

    /// A new key.
    pub(super) fn generate(&self, profile: &Profile) -> anyhow::Result<PrivateKey> {
        Ok(PrivateKey::generate(self.key_type.unwrap_or(profile.key))?)
    }
}

/// A key as it is written: PKCS#8, under a passphrase if there is one.
pub(in crate::cli) fn written_key(
    key: &PrivateKey,
    passphrase: Option<&Passphrase>,
) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let written = match passphrase {
        Some(passphrase) => pem::write("ENCRYPTED PRIVATE KEY", &key.encrypt(passphrase, Kdf::default())?),
        None => pem::write("PRIVATE KEY", &key.to_pkcs8_der()),
    };
    Ok(Zeroizing::new(written.as_bytes().to_vec()))
}

/// Which names an authority may certify
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct ConstraintArgs {
    /// Permit these names and no others: a domain with all below it, 10.0.0.0/8, @host, a mailbox; dns:, ip:, email:, uri:
    /// or dirname: before it decides; also several with commas between them
    #[arg(long, value_name = "NAMES")]
    permit: Vec<String>,

    /// Exclude these names, also from those that are permitted
    #[arg(long, value_name = "NAMES")]
    exclude: Vec<String>,
}

impl ConstraintArgs {
    /// Those of a project.
    pub(in crate::cli) fn declared(permit: Vec<String>, exclude: Vec<String>) -> Self {
        Self { permit, exclude }
    }

    /// Puts the constraints into the profile.
    pub(in crate::cli) fn apply(&self, profile: &mut Profile) -> anyhow::Result<()> {
        if self.permit.is_empty() && self.exclude.is_empty() {
            return Ok(());
        }
        if profile.name_constraints.is_some() {
            return Err(anyhow!("the profile {} has name constraints of its own", profile.name))
                .hint("change them there, or leave --permit and --exclude out");
        }
        let read = |texts: &[String]| -> anyhow::Result<Vec<GeneralSubtree>> {
            texts.iter().flat_map(|text| split(text)).map(|text| Ok(text.parse()?)).collect()
        };
        let (permitted, excluded) = (read(&self.permit)?, read(&self.exclude)?);
        if let Some((vain, over)) = excluded_whole(&permitted, &excluded) {
            return Err(anyhow!("{} is permitted in vain: {} is excluded", vain.base, over.base))
                .hint("exclude less than is permitted, or leave that --permit out");
        }
        let dotted = permitted.iter().chain(&excluded).find_map(|subtree| match &subtree.base {
            GeneralName::Dns(base) => base.strip_prefix('.'),
            _ => None,
        });
        if let Some(domain) = dotted {
            return Err(anyhow!(
                "dns:.{domain} begins with a dot, which no constraint on DNS names does (RFC 5280 §4.2.1.10)"
            ))
            .hint(format!("write {domain}: it stands for that domain and all below it"));
        }
        profile.name_constraints = Some(confine(permitted, excluded));
        Ok(())
    }
}

/// Names with commas between them, as --san takes them. A directory name has commas of its own, and ends the list.
fn split(list: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = list.trim();
    loop {
        let is_directory_name = rest.get(..8).is_some_and(|form| form.eq_ignore_ascii_case("dirname:"));
        match rest.split_once(',').filter(|_| !is_directory_name) {
            Some((name, others)) => {
                names.push(name.trim());
                rest = others.trim();
            }
            None => {
                names.push(rest);
                return names;
            }
        }
    }
}

/// What an authority below another may do
#[derive(Debug, Default, clap::Args)]
pub(super) struct BelowArgs {
    /// How many further authorities may follow below it [default: the profile's, 0; of a CA that is cross-signed by its
    /// certificate, as many as that says]
    #[arg(long, value_name = "N")]
    pub(super) path_len: Option<u8>,

    #[command(flatten)]
    pub(super) constraints: ConstraintArgs,

    /// A policy under which it certifies, an object identifier such as 2.23.140.1.2.1
    #[arg(long, value_name = "OID")]
    policy: Vec<String>,
}

impl BelowArgs {
    /// Puts what was asked for into the profile.
    pub(super) fn apply(&self, profile: &mut Profile) -> anyhow::Result<()> {
        if !profile.is_ca() {
            return Err(anyhow!("profile {} makes no CA", profile.name))
                .hint("choose intermediate-ca, or a file with `ca = true`");
        }
        if let Some(path_len) = self.path_len {
            profile.basic_constraints.path_len = Some(path_len.into());
        }
        for text in &self.policy {
            let policy: Oid = text.parse().with_context(|| format!("{text:?} is no policy"))?;
            if !profile.policies.iter().any(|known| known.policy == policy) {
                profile.policies.push(PolicyInformation { policy, qualifiers: Vec::new() });
            }
        }
        self.constraints.apply(profile)
    }
}

/// The subject of a new authority as it was asked for; `own` where nothing was.
pub(super) fn request(
    profile: &Profile,
    name: Option<&str>,
    subject: Option<&str>,
    own: impl FnOnce() -> DistinguishedName,
    public_key: PublicKey,
) -> anyhow::Result<Request> {
    if name.is_none() && subject.is_none() {
        return Ok(Request { subject: own(), names: Vec::new(), public_key, key_identifier: None });
    }
    let wanted = Wanted { common_name: name, subject, names: &[] };
    Ok(Naming::new(profile, wanted)?.request(public_key))
}

/// The subject of an authority called `name` below this one: `CN=Example Issuing CA` below `CN=Example Root CA`.
pub(super) fn subject_below(above: &DistinguishedName, name: &AuthorityName) -> DistinguishedName {
    let renamed = |text: String| match text.split_once("Root") {
        Some((before, after)) => {
            let mut letters = name.as_str().chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            format!("{before}{}{}{after}", first.map(String::from).unwrap_or_default(), letters.as_str())
        }
        None => format!("{text} {name}"),
    };
    let mut levels = above.levels();
    let mut common_name = levels.iter_mut().flatten().find(|attribute| attribute.kind == oids::COMMON_NAME);
    match &mut common_name {
        Some(attribute) => **attribute = Attribute::new(oids::COMMON_NAME, &renamed(attribute.text())),
        None => levels.push(vec![Attribute::new(oids::COMMON_NAME, name.as_str())]),
    }
    DistinguishedName::new(&levels)
}

/// Refuses to put a key that shall be elsewhere into the CA's folder.
pub(super) fn must_be_elsewhere(path: &std::path::Path, folder: &std::path::Path) -> anyhow::Result<()> {
    let place = |path: &std::path::Path| path.canonicalize().ok();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    if place(parent).is_some_and(|parent| place(folder) == Some(parent)) {
        bail!("{} is in the CA's folder, and a key that is set aside is elsewhere", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn commas_part_names_but_not_within_a_directory_name() {
        assert_eq!(split("a.test"), ["a.test"]);
        assert_eq!(split("a.test, ip:10.0.0.0/8,dirname:C=NO,O=A"), ["a.test", "ip:10.0.0.0/8", "dirname:C=NO,O=A"]);
        assert_eq!(split("a.test,"), ["a.test", ""], "an empty name is refused later, not dropped");
    }

    #[test]
    fn an_authority_is_named_after_the_one_above() {
        for (above, below) in [
            ("CN=Example Root CA,O=Example", "CN=Example Issuing CA,O=Example"),
            ("CN=certkit local CA 1234", "CN=certkit local CA 1234 issuing"),
            ("O=Example", "CN=issuing,O=Example"),
        ] {
            let name = "issuing".parse().unwrap();
            assert_eq!(subject_below(&above.parse().unwrap(), &name).to_string(), below);
        }
    }
}
