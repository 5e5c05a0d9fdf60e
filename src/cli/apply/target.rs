//! One certificate of a project: what is there, what is wanted, and what is done about it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use time::{Duration, OffsetDateTime};

use super::report::{Action, CertificateRow, IssuedRow};
use crate::ca::place::{State, is_there};
use crate::ca::{self, Authority, AuthorityError, Order, Query};
use crate::cli::ca::init::Plan;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::signer::SignerArgs;
use crate::cli::clock::{parse_span, rfc3339};
use crate::cli::files::{Mode, WriteSet, make_folder};
use crate::cli::load::Loaded;
use crate::cli::making::{beside, fresh_serial, load_profile_beside};
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::container::PrivateKeyItem;
use crate::encoding::pem;
use crate::issue::Naming;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::profile::Profile;
use crate::project::difference::Wanted;
use crate::project::{Difference, WishedCertificate, differences};
use crate::x509::{Certificate, Validity};

/// Which authority signs: its folder and its name there.
type Who = (Option<String>, Option<String>);

/// The authorities of a project, opened when first needed.
pub(super) struct Signers<'a> {
    base: &'a Path,
    args: &'a SignerArgs,
    open: HashMap<Who, (Chosen, Authority)>,
    keys: HashMap<Who, PrivateKey>,
}

impl<'a> Signers<'a> {
    pub(super) fn new(base: &'a Path, args: &'a SignerArgs) -> Self {
        Self { base, args, open: HashMap::new(), keys: HashMap::new() }
    }

    fn chosen(&self, (folder, issuer): &Who) -> anyhow::Result<Chosen> {
        let issuer = issuer.as_deref().map(str::parse).transpose()?;
        Chosen::new(folder.as_ref().map(|folder| self.base.join(folder)), issuer)
    }

    /// The authority, where it is there.
    fn authority(&mut self, who: &Who) -> anyhow::Result<Option<&mut Authority>> {
        if !self.open.contains_key(who) {
            let chosen = self.chosen(who)?;
            if chosen.state()? == State::Empty {
                return Ok(None);
            }
            let authority = chosen.open()?;
            self.open.insert(who.clone(), (chosen, authority));
        }
        Ok(self.open.get_mut(who).map(|(_, authority)| authority))
    }

    /// The authority with its key; the user's own CA is made where there is none.
    fn signer(
        &mut self,
        who: &Who,
        now: OffsetDateTime,
        session: &mut Session,
    ) -> anyhow::Result<(&Chosen, &mut Authority, &PrivateKey)> {
        if self.authority(who)?.is_none() {
            let chosen = self.chosen(who)?;
            if chosen.may_be_made() {
                Plan::standard(now)?.carry_out(&chosen, session)?;
            }
            let authority = chosen.open()?;
            self.open.insert(who.clone(), (chosen, authority));
        }
        let (chosen, authority) = self.open.get_mut(who).context("the CA is gone")?;
        if !self.keys.contains_key(who) {
            self.keys.insert(who.clone(), self.args.key(chosen)?);
        }
        let key = self.keys.get(who).context("the CA's key is gone")?;
        Ok((chosen, authority, key))
    }
}

/// A certificate of a project.
pub(super) struct Target {
    line: u64,
    who: Who,
    profile: Profile,
    naming: Naming,
    validity: Validity,
    key: KeyAlgorithm,
    rekey: bool,
    out: PathBuf,
    keyout: PathBuf,
    action: Action,
    why: Vec<String>,
    now: OffsetDateTime,
}

impl Target {
    /// Looks at what is there. Nothing is changed.
    pub(super) fn look(
        wish: &WishedCertificate,
        base: &Path,
        signers: &mut Signers<'_>,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let WishedCertificate { wish: asked, out, keyout, renew_before, rekey, ca, issuer } = wish;
        let profile = load_profile_beside(asked.profile.as_deref().unwrap_or("server"), base)?;
        if profile.is_ca() {
            return Err(AuthorityError::AuthorityProfile { profile: profile.name }.into());
        }
        let naming = asked.naming(&profile)?;
        let lifetime = asked.days.map(|days| Duration::days(days.into()));
        let validity = profile.validity(now, lifetime).context("it would be valid past the year 9999")?;
        let renew_before = renew_before.as_deref().map(parse_span).transpose()?;
        if renew_before.is_some_and(|before| before >= validity.lifetime()) {
            return Err(anyhow!("renew_before is as long as the certificate is valid: it would be renewed each time"));
        }
        let out = base.join(out);
        let mut target = Self {
            line: asked.line,
            who: (ca.clone(), issuer.clone()),
            key: asked.key.unwrap_or(profile.key),
            keyout: keyout.as_ref().map_or_else(|| beside(&out), |keyout| base.join(keyout)),
            rekey: *rekey,
            profile,
            naming,
            validity,
            out,
            action: Action::None,
            why: Vec::new(),
            now,
        };
        target.compare(signers, renew_before)?;
        Ok(target)
    }

    fn compare(&mut self, signers: &mut Signers<'_>, renew_before: Option<Duration>) -> anyhow::Result<()> {
        let authority = signers.authority(&self.who)?;
        if let Some(authority) = &authority {
            let Self { profile, naming, key, validity, .. } = &*self;
            authority.would_issue(profile, naming, *key, *validity)?;
        }
        if !is_there(&self.out) {
            (self.action, self.why) = (Action::Issue, vec!["it is missing".to_owned()]);
            return Ok(());
        }
        let certificate = self.present()?;
        let mut found = Vec::new();
        match authority {
            None => found.push(Difference::Issuer),
            Some(authority) => {
                let Self { profile, naming, key, validity, .. } = &*self;
                let wanted = Wanted { profile, naming, key: *key, validity: *validity, renew_before };
                found.extend(differences(&certificate, &wanted, &authority.path(), self.now));
                let known = Query { serial: Some(certificate.serial().clone()), ..Query::default() };
                let record = authority.find(&known)?.pop();
                match record.filter(|record| record.fingerprint == certificate.fingerprint_sha256()) {
                    Some(record) if record.revocation.is_some() => found.push(Difference::Revoked),
                    None if !found.contains(&Difference::Issuer) => found.push(Difference::Unrecorded),
                    _ => {}
                }
            }
        }
        if !self.has_key_of(&certificate)? {
            found.push(Difference::WrongKey);
        }
        self.action = match found.as_slice() {
            [] => Action::None,
            some if some.iter().all(Difference::is_age) => Action::Renew,
            _ => Action::Reissue,
        };
        self.why = found.iter().map(ToString::to_string).collect();
        Ok(())
    }

    /// The certificate that is there.
    fn present(&self) -> anyhow::Result<Certificate> {
        let loaded = Loaded::read(&self.out)?;
        let certificates = loaded.document.certificates();
        let first = certificates.ok().and_then(|certificates| certificates.first().map(|first| (*first).clone()));
        first
            .ok_or_else(|| anyhow!("{} holds something else than a certificate", shown(&self.out)))
            .hint("apply replaces certificates alone: move it away, or choose another file with out =")
    }

    /// Whether the key beside it is the certificate's. One under a passphrase is taken to be.
    fn has_key_of(&self, certificate: &Certificate) -> anyhow::Result<bool> {
        if !is_there(&self.keyout) {
            return Ok(false);
        }
        let loaded = Loaded::read(&self.keyout)?;
        Ok(match loaded.document.first_private_key() {
            Ok(PrivateKeyItem::Encrypted(_)) => true,
            Ok(_) => {
                let key = loaded.private_key(None)?;
                certificate.public_key().is_ok_and(|public| public == *key.public_key())
            }
            Err(_) => {
                return Err(anyhow!("{} holds something else than a key", shown(&self.keyout)))
                    .hint("move it away, or choose another file with keyout =");
            }
        })
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// What there is to do.
    pub(super) fn row(&self) -> anyhow::Result<CertificateRow> {
        Ok(CertificateRow {
            line: self.line,
            certificate_file: shown(&self.out),
            key_file: shown(&self.keyout),
            action: self.action,
            why: self.why.clone(),
            issued: None,
        })
    }

    /// Does it.
    pub(super) fn carry_out(&self, signers: &mut Signers<'_>, session: &mut Session) -> anyhow::Result<CertificateRow> {
        let mut row = self.row()?;
        if self.action == Action::None {
            return Ok(row);
        }
        for folder in [&self.out, &self.keyout].into_iter().filter_map(|path| path.parent()) {
            if !folder.as_os_str().is_empty() {
                make_folder(folder)?;
            }
        }
        let (key, is_new) = self.obtain_key()?;
        let written = std::iter::once(&self.out).chain(Some(&self.keyout).filter(|_| is_new));
        WriteSet::check(written.map(PathBuf::as_path), true, session)?;
        let request = self.naming.request(key.public_key().clone());
        let (chosen, authority, authority_key) = signers.signer(&self.who, self.now, session)?;
        let what = if self.action == Action::Renew { ca::Action::Renew } else { ca::Action::Issue };
        let order = Order { profile: &self.profile, request: &request, validity: self.validity };
        let mut signatory = chosen.unlock(authority, authority_key, self.now)?;
        let issued = signatory.issue(&order, &mut fresh_serial, &place::act(what))?;

        // The record is on the disk; from here on the certificate may be seen.
        let mut files = WriteSet::new(true);
        if is_new {
            files.add(&self.keyout, pem::write("PRIVATE KEY", &key.to_pkcs8_der()).as_bytes().to_vec(), Mode::Secret);
        }
        let chain = place::chain(&authority.full_chain(&issued.certificate));
        files.add(&self.out, chain.into_bytes(), Mode::Public);
        files.write(session).with_context(|| {
            format!("the certificate with serial number {} is recorded, but lost", issued.certificate.serial())
        })?;
        row.issued = Some(IssuedRow {
            serial: issued.certificate.serial().to_string(),
            not_after: rfc3339(issued.certificate.validity().not_after),
            key_is_new: is_new,
        });
        Ok(row)
    }

    /// The key that is there, where it is of the right kind and may stay; or a new one.
    fn obtain_key(&self) -> anyhow::Result<(PrivateKey, bool)> {
        if !self.rekey && is_there(&self.keyout) {
            let key = Loaded::read(&self.keyout)?.private_key(None)?;
            if key.algorithm() == self.key {
                return Ok((key, false));
            }
        }
        Ok((PrivateKey::generate(self.key)?, true))
    }
}
