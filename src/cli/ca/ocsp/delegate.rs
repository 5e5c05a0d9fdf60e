//! Who signs the answers: a delegate with a certificate for nothing else, or the CA itself.

use std::path::Path;

use anyhow::Context;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::ca::{Action, Authority, AuthorityName, OcspResponder, Order};
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::signer::SignerArgs;
use crate::cli::clock::{self, rfc3339};
use crate::cli::files::{Mode, WriteSet};
use crate::cli::load::Loaded;
use crate::cli::making::{fresh_serial, load_profile};
use crate::cli::output::{Session, shown};
use crate::container::PrivateKeyItem;
use crate::encoding::{hex, pem};
use crate::issue::{Naming, Responder, ResponderName, Wanted};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::ocsp_request::AskedCertificate;
use crate::x509::{Certificate, OcspRequest, Validity};

/// Who signs the answers
#[derive(Debug, clap::Args)]
pub(super) struct Delegation {
    /// Keep the delegate's key in memory: each run has a certificate of its own
    #[arg(long, conflicts_with = "by_ca")]
    ephemeral: bool,

    /// Have the CA's own key sign the answers
    #[arg(long)]
    by_ca: bool,

    /// The kind of key the delegate has [default: the profile's, p256]
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "by_ca")]
    key_type: Option<KeyAlgorithm>,
}

/// All that it takes to have somebody answer for a CA.
pub(super) struct Speaker<'a> {
    pub(super) chosen: &'a Chosen,
    pub(super) delegation: &'a Delegation,
    pub(super) signer: &'a SignerArgs,
    pub(super) name: ResponderName,
}

impl Speaker<'_> {
    /// Who answers for each authority of the CA, and for which nobody can.
    pub(super) fn voices(&self, session: &mut Session) -> anyhow::Result<Voices> {
        let mut voices = Voices { speaking: Vec::new(), mute: Vec::new() };
        for (name, mut authority) in self.chosen.open_all()? {
            match self.for_one(&name, &mut authority, session) {
                Ok(Found { responder, overdue }) => {
                    if let Some(error) = overdue {
                        let end = rfc3339(responder.certificate().validity().not_after);
                        session.warn(format_args!(
                            "the certificate of the OCSP responder of {name} is due to be renewed and cannot be: {error:#}; \
                             the one that is there answers until {end}, and then nobody does: give the key before that"
                        ));
                    }
                    voices.speaking.push((authority, responder));
                }
                Err(why) => voices.mute.push(Mute { name, authority, why }),
            }
        }
        Ok(voices)
    }

    /// Who answers for this authority: the delegate that is there, or a new one. Where one is due to be replaced and there can
    /// be no other, as the CA's key is not at hand, it answers on as long as its certificate holds.
    pub(super) fn for_one(
        &self,
        name: &AuthorityName,
        authority: &mut Authority,
        session: &mut Session,
    ) -> anyhow::Result<Found> {
        let found = |responder| Found { responder, overdue: None };
        if self.delegation.by_ca {
            let key = self.signer.key_among(self.chosen, name, session)?;
            return Ok(found(Responder::issuer(authority.certificate().clone(), key, self.name)?));
        }
        let now = clock::now();
        // One file, so that certificate and key are never of two delegates.
        let file = self.chosen.place().delegate_of(name);
        let file = Some(file).filter(|_| !self.delegation.ephemeral);
        let standing = match file.as_deref().filter(|file| file.exists()) {
            Some(file) => self.standing(file, authority, now)?,
            None => None,
        };
        if let Some(responder) = standing.as_ref().filter(|it| now < renew_at(it.certificate().validity())) {
            return Ok(found(responder.clone()));
        }
        match (self.new_delegate(name, authority, file.as_deref(), now, session), standing) {
            (Err(error), Some(responder)) => Ok(Found { responder, overdue: Some(error) }),
            (new, _) => new.map(found),
        }
    }

    /// The delegate in the file, unless it is not this authority's, not of this time, or revoked.
    fn standing(
        &self,
        file: &Path,
        authority: &mut Authority,
        now: OffsetDateTime,
    ) -> anyhow::Result<Option<Responder>> {
        let loaded = Loaded::read(file)?;
        let unusable = || format!("cannot use {}", shown(file));
        let certificate =
            (*loaded.document.certificates().with_context(unusable)?.first().with_context(unusable)?).clone();
        let PrivateKeyItem::Plain(key) = loaded.document.first_private_key().with_context(unusable)? else {
            anyhow::bail!("the key in {} is encrypted", shown(file));
        };
        let wanted = self.delegation.key_type.is_none_or(|wanted| wanted == key.algorithm());
        let known = authority.status(certificate.serial())? == crate::x509::ocsp::OcspStatus::Good;
        let Validity { not_before, not_after } = *certificate.validity();
        if !wanted || !known || now < not_before || not_after < now {
            return Ok(None);
        }
        let issuer = authority.certificate();
        Ok(Responder::delegate(certificate, key.clone(), issuer, self.name).ok())
    }

    fn new_delegate(
        &self,
        name: &AuthorityName,
        authority: &mut Authority,
        file: Option<&Path>,
        now: OffsetDateTime,
        session: &mut Session,
    ) -> anyhow::Result<Responder> {
        let profile = load_profile("ocsp-responder")?;
        let key = PrivateKey::generate(self.delegation.key_type.unwrap_or(profile.key))?;
        let common_name = called(authority.certificate());
        let wanted = Wanted { common_name: Some(&common_name), subject: None, names: &[] };
        let request = Naming::new(&profile, wanted)?.request(key.public_key().clone());
        let validity = profile.validity(now, None).context("the year 9999 is near")?;
        let order = Order { profile: &profile, request: &request, validity };
        let ca_key = self.signer.key_among(self.chosen, name, session);
        let ca_key = ca_key.context("a new certificate for the OCSP responder is needed")?;
        let issued = self.chosen.unlock_for_status(authority, &ca_key, now)?.delegate(
            &order,
            &mut fresh_serial,
            &place::act(Action::Issue),
        )?;
        drop(ca_key);
        if let Some(file) = file {
            let both =
                [pem::write("PRIVATE KEY", &key.to_pkcs8_der()), pem::write("CERTIFICATE", issued.certificate.der())];
            // Room for all of it: what grows leaves copies of the key behind.
            let mut text = Zeroizing::new(Vec::with_capacity(both.iter().map(|it| it.len()).sum()));
            both.iter().for_each(|it| text.extend_from_slice(it.as_bytes()));
            let mut files = WriteSet::new(true);
            files.add(file, text, Mode::Secret);
            files.write(session)?;
        }
        Ok(Responder::delegate(issued.certificate, key, authority.certificate(), self.name)?)
    }
}

/// Who answers for the authorities of a CA.
pub(super) struct Voices {
    speaking: Vec<(Authority, Responder)>,
    mute: Vec<Mute>,
}

/// An authority for whom nobody can answer, as its key is not here and no delegate is.
struct Mute {
    name: AuthorityName,
    authority: Authority,
    why: anyhow::Error,
}

impl Voices {
    /// Refuses a request about an authority for whom nobody can answer. What is no request is declined by the responder.
    ///
    /// # Errors
    /// Why nobody can.
    pub(super) fn can_answer(&mut self, request: &[u8]) -> anyhow::Result<()> {
        let request = OcspRequest::from_der(request).ok().filter(|request| request.unknown_critical().is_none());
        let is_of = |authority: &Authority, asked: &AskedCertificate| {
            asked.id.is_issued_by(authority.certificate()) == Some(true)
        };
        for asked in request.iter().flat_map(OcspRequest::certificates) {
            if self.speaking.iter().any(|(authority, _)| is_of(authority, asked)) {
                break;
            }
            if let Some(at) = self.mute.iter().position(|mute| is_of(&mute.authority, asked)) {
                return Err(self.mute.swap_remove(at).why);
            }
        }
        Ok(())
    }

    /// The authorities for whom nobody can answer.
    pub(super) fn silent(&self) -> Vec<Certificate> {
        self.mute.iter().map(|mute| mute.authority.certificate().clone()).collect()
    }

    /// Answers for all that can, and has the others' clients try later, with a word.
    ///
    /// # Errors
    /// Where nobody can answer for any.
    pub(super) fn responder(mut self, validity: Duration, session: &mut Session) -> anyhow::Result<OcspResponder> {
        let last = if self.speaking.is_empty() { self.mute.pop() } else { None };
        for Mute { name, why, .. } in &self.mute {
            session.warn(format_args!("nothing is answered about certificates of {name}: {why:#}"));
        }
        match last {
            Some(Mute { why, .. }) => Err(why),
            None => {
                let silent = self.mute.into_iter().map(|mute| mute.authority);
                Ok(OcspResponder::new(self.speaking, validity)?.with_silent(silent))
            }
        }
    }
}

/// Who answers for an authority.
pub(super) struct Found {
    pub(super) responder: Responder,
    /// Why there is no other, where this delegate is due to be replaced.
    pub(super) overdue: Option<anyhow::Error>,
}

/// When a delegate is renewed: once two thirds of its time are over.
pub(super) fn renew_at(validity: &Validity) -> OffsetDateTime {
    validity.not_before + (validity.not_after - validity.not_before) * 2 / 3
}

/// What the delegate of this CA is called; a common name has 64 characters at most.
fn called(issuer: &Certificate) -> String {
    let room = 64 - " OCSP".len();
    match issuer.subject().common_names().into_iter().next() {
        Some(name) if name.chars().count() <= room => format!("{name} OCSP"),
        _ => format!("OCSP {}", hex::encode(issuer.fingerprint_sha256().get(..4).unwrap_or_default())),
    }
}
