//! The second CA of `certkit ca issue --dual`: with ML-DSA keys, beside the first and restrained like it.

use anyhow::{Context, anyhow};
use time::OffsetDateTime;

use super::init::{Made, Plan};
use super::issue::open_or_make;
use super::place::Chosen;
use super::signer::{ON_THE_COMMAND_LINE, SignerArgs};
use super::signing_keys::SigningKeys;
use super::which::is_live;
use crate::ca::place::State;
use crate::ca::{Authority, Query, Record};
use crate::cli::clock::rfc3339;
use crate::cli::making::load_profile;
use crate::cli::output::Session;
use crate::cli::passphrase::Passphrase;
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;
use crate::issue::permits_nobody;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::extension::{ExtendedKeyUsage, GeneralSubtree, NameConstraints};
use crate::x509::{Certificate, ExtensionType, Validity};

/// The key of the second chain, and of its CA (RFC 9881).
pub(super) const TWIN: KeyAlgorithm = KeyAlgorithm::MlDsa65;

/// The CAs of two chains for the same names.
pub(super) struct Pair<'a> {
    first: &'a Chosen,
    second: &'a Chosen,
    signer: &'a SignerArgs,
    keys: SigningKeys<'a>,
    /// The second CA, where it has to be made.
    plan: Option<Plan>,
    /// What the first one's key is under: a second that has to be made is put under the same.
    passphrase: Option<Passphrase>,
    now: OffsetDateTime,
}

impl<'a> Pair<'a> {
    /// Looks at both before anything is made.
    pub(super) fn new(
        (first, second): (&'a Chosen, &'a Chosen),
        signer: &'a SignerArgs,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let keys = SigningKeys::new(signer, ON_THE_COMMAND_LINE);
        let path = match first.state()? {
            State::Complete => Some(first.certificates(&first.issuer()?)?),
            State::Empty => None,
        };
        let second_is_made = second.state()? == State::Complete;
        if !second_is_made && !second.may_be_made() {
            let more = path.as_ref().map(|path| flags_like(path, first)).transpose()?.unwrap_or_default();
            return Err(anyhow!("there is no CA in {} for the second chain", second.shown()))
                .hint(format!("make it with: certkit ca init --type ml-dsa-65{}{more}", second.flag()));
        }
        if second_is_made {
            is_its_twin(path.as_deref().unwrap_or_default(), second)?;
        }
        let plan = match &path {
            _ if second_is_made => None,
            Some(path) => Some(plan_like(path, second, now)?),
            None => Some(Plan::standard(now)?.with_key(TWIN)),
        };
        if signer.are_given() && path.is_some() {
            let others = if second_is_made { second.certificates(&second.issuer()?)? } else { Vec::new() };
            let certificates = path.iter().flatten().take(1).map(|certificate| (first, certificate));
            let signers: Vec<_> = certificates.chain(others.iter().take(1).map(|other| (second, other))).collect();
            keys.have_effect(&signers)?;
        }
        Ok(Self { first, second, signer, keys, plan, passphrase: None, now })
    }

    /// The first CA and its key; made where there is none and nobody said where it should be.
    pub(super) fn open_first(
        &mut self,
        session: &mut Session,
    ) -> anyhow::Result<(Authority, PrivateKey, Option<Made>)> {
        if self.first.state()? == State::Empty {
            return open_or_make(self.first, self.signer, None, self.now, session);
        }
        let authority = self.first.open()?;
        let (key, passphrase) = self.keys.open(self.first, authority.certificate(), session)?;
        self.passphrase = passphrase;
        Ok((authority, key, None))
    }

    /// The same of the second one, with what the first may do and under its passphrase where it has to be made.
    pub(super) fn open_second(
        &mut self,
        session: &mut Session,
    ) -> anyhow::Result<(Authority, PrivateKey, Option<Made>)> {
        if let Some(plan) = self.plan.take() {
            match plan.under(self.passphrase.take()).carry_out(self.second, session) {
                Ok((authority, key, made)) => return Ok((authority, key, Some(made))),
                // Another process was faster; its CA is the one.
                Err(error) => match self.second.state() {
                    Ok(State::Complete) => {}
                    _ => return Err(error),
                },
            }
        }
        let authority = self.second.open()?;
        let (key, _) = self.keys.open(self.second, authority.certificate(), session)?;
        Ok((authority, key, None))
    }
}

/// Refuses a CA that has the place of the second and is none: with keys of another kind, or free where the first is confined.
fn is_its_twin(first: &[Certificate], second: &Chosen) -> anyhow::Result<()> {
    let path = second.certificates(&second.issuer()?)?;
    let algorithm = path.first().context("the CA has no certificate")?.public_key()?.algorithm();
    let not = |why: String| {
        Err(anyhow!("the CA in {} cannot be the second of two: {why}", second.shown()))
            .hint("issue without --dual, or have the first CA in a folder that has none of this name beside it")
    };
    if !matches!(algorithm, KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87) {
        return not(format!("its key is {algorithm}, not ML-DSA"));
    }
    let confined = |path: &[Certificate]| path.iter().any(|it| it.extensions().get(&NameConstraints::OID).is_some());
    if confined(first) && !confined(&path) {
        return not("the first has name constraints, and it has none".to_owned());
    }
    Ok(())
}

/// A root that may do what the first CA may, and ends when its root does.
fn plan_like(path: &[Certificate], second: &Chosen, now: OffsetDateTime) -> anyhow::Result<Plan> {
    let root = path.last().context("the CA has no certificate")?;
    let mut profile = load_profile("root-ca")?;
    profile.name_constraints =
        constraints_of(path).hint(format!("make the second CA as it shall be with: {}", command(second)))?;
    if let Some(constraints) = root.basic_constraints()? {
        profile.basic_constraints.path_len = constraints.path_len;
    }
    if let Some(ExtendedKeyUsage(purposes)) = root.extended_key_usage()? {
        profile.extended_key_usage.clone_from(purposes);
    }
    let standard = profile.validity(now, None).context("the year 9999 is near")?;
    let validity = Validity { not_after: root.validity().not_after, ..standard };
    Ok(Plan::declared(None, Some(TWIN), profile, validity, now))
}

fn command(second: &Chosen) -> String {
    format!("certkit ca init --type ml-dsa-65 --ca {} --permit NAMES", for_shell(&second.shown()))
}

/// The name constraints of a path, where one of it has some or all have the same.
fn constraints_of(path: &[Certificate]) -> anyhow::Result<Option<NameConstraints>> {
    let mut all: Vec<NameConstraints> = Vec::new();
    for certificate in path {
        let found = certificate.extensions().find::<NameConstraints>()?;
        all.extend(found.map(|found| found.value).filter(|found| all.last() != Some(found)));
    }
    match <[NameConstraints; 1]>::try_from(all) {
        Ok([constraints]) => Ok(Some(constraints)),
        Err(none) if none.is_empty() => Ok(None),
        Err(_) => Err(anyhow!(
            "the CA's authorities have different name constraints, and a second root can have but one set of them"
        )),
    }
}

/// What `certkit ca init` has to be told for a root that is restrained like the first CA.
fn flags_like(path: &[Certificate], first: &Chosen) -> anyhow::Result<String> {
    let mut flags = String::new();
    let mut add = |flag: &str, subtrees: &[GeneralSubtree]| {
        for GeneralSubtree { base, .. } in subtrees.iter().filter(|subtree| !permits_nobody(&subtree.base)) {
            flags.push_str(&format!(" {flag} {}", for_shell(&base.to_string())));
        }
    };
    if let Some(NameConstraints { permitted, excluded }) = constraints_of(path).unwrap_or_default() {
        add("--permit", &permitted);
        add("--exclude", &excluded);
    }
    if SignerArgs::default().is_encrypted(first).unwrap_or_default() {
        flags.push_str(" --encrypt");
    }
    // A second root ends with the first one.
    if let Some(root) = path.last() {
        flags.push_str(&format!(" --not-after {}", rfc3339(root.validity().not_after)));
    }
    Ok(flags)
}

/// Says that nothing was done to the other of two chains for the same names, where there is one.
pub(super) fn tell_of_the_other(record: &Record, chosen: &Chosen, now: OffsetDateTime, session: &mut Session) {
    // Whoever has no second CA, or one that cannot be read, has asked for nothing there.
    if let Some((serial, other)) = the_other(record, chosen, now) {
        let which = if other.is_twin() { "its ML-DSA twin" } else { "that of which it is the ML-DSA twin" };
        session.say(format_args!(
            "{which}, serial number {serial} of the CA in {}, is left as it is: it has its own certkit ca{}",
            other.shown(),
            other.flag()
        ));
    }
}

fn the_other(record: &Record, chosen: &Chosen, now: OffsetDateTime) -> Option<(String, Chosen)> {
    let other = chosen.twin();
    let name = record.names.first()?.split_once(':')?.1.to_owned();
    if other.state().ok()? != State::Complete {
        return None;
    }
    let query = Query { name: Some(name), newest_first: true, limit: Some(MOST_LOOKED_AT), ..Query::default() };
    let is_it = |found: &Record| is_live(found, now) && found.names == record.names;
    let mut all = other.open_all_to_read().ok()?.into_iter();
    let found = all.find_map(|(_, mut authority)| authority.find(&query).ok()?.into_iter().find(is_it))?;
    Some((found.serial.to_string(), other))
}

/// How many certificates with one name are looked at.
const MOST_LOOKED_AT: u32 = 100;
