//! One certificate of a project: what is there, what is wanted, and what is done about it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::present::{Beside, Contents, Present, is_for};
use super::report::{Action, CertificateRow, IssuedRow};
use super::signer::Signer;
use super::signers::{Signers, Who};
use super::words;
use crate::ca::{self, AuthorityError, Order, Revocation};
use crate::cli::ca::wanted::written_key;
use crate::cli::ca::{place, unwritten};
use crate::cli::clock::{parse_span, rfc3339};
use crate::cli::files::{
    Mode, WriteSet, is_for_its_owner_alone, make_folder, may_have_folder, might_write, resolved, spare_keys,
};
use crate::cli::making::{beside, fresh_serial, load_profile_beside};
use crate::cli::output::{Session, shown};
use crate::cli::passphrase::Passphrase;
use crate::cli::problem::Hinted;
use crate::cli::secret::Secret;
use crate::cli::text::for_shell;
use crate::issue::{Naming, Objection, objections};
use crate::key::{KeyAlgorithm, PrivateKey, PublicKey};
use crate::profile::Profile;
use crate::project::difference::Wanted;
use crate::project::{Difference, WishedCertificate, differences};
use crate::x509::{Certificate, Validity};

/// A certificate of a project.
pub(super) struct Target {
    pub(super) line: u64,
    pub(super) who: Who,
    profile: Profile,
    naming: Naming,
    validity: Validity,
    renew_before: Option<Duration>,
    key: KeyAlgorithm,
    rekey: bool,
    pub(super) out: PathBuf,
    pub(super) keyout: PathBuf,
}

/// What is done about it.
pub(super) struct Prospect {
    action: Action,
    why: Vec<String>,
    /// The certificate that is there.
    present: Option<Certificate>,
    /// Whether the key that is there is under a passphrase.
    pub(super) key_is_encrypted: bool,
    /// Whether the certificate's file holds its key, which belongs into a file of its own.
    gives_up_key: bool,
}

/// The key that a certificate is for.
struct SubjectKey {
    key: PrivateKey,
    is_new: bool,
    /// Whether it comes out of the certificate's file, and is in no other yet.
    is_moved: bool,
    /// What its file is under.
    passphrase: Option<Passphrase>,
}

impl Target {
    /// Reads what is asked for. Nothing is looked at but the profile.
    pub(super) fn new(wish: &WishedCertificate, base: &Path, now: OffsetDateTime) -> anyhow::Result<Self> {
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
        Ok(Self {
            line: asked.line,
            who: (ca.clone(), issuer.clone()),
            key: asked.key.unwrap_or(profile.key),
            keyout: keyout.as_ref().map_or_else(|| beside(&out), |keyout| base.join(keyout)),
            rekey: *rekey,
            profile,
            naming,
            validity,
            renew_before,
            out,
        })
    }

    /// Looks at what is there. Nothing is changed.
    pub(super) fn look(&self, signers: &mut Signers<'_>, now: OffsetDateTime) -> anyhow::Result<Prospect> {
        may_have_folder(&self.out)?;
        may_have_folder(&self.keyout)?;
        signers.will_permit(&self.who, &self.naming)?;
        let mut signer = signers.authority(&self.who)?;
        if let Some(signer) = &mut signer {
            signer.chosen.stands(&mut signer.authority)?;
            let Self { profile, naming, key, validity, .. } = self;
            signer.authority.would_issue(profile, naming, *key, *validity)?;
        }
        let Contents { present, stranger } = Contents::read(&self.out, self.is_one_file())?;
        let beside = Beside::read(&self.keyout, self.is_one_file())?;
        let given_up = match (&present, &beside) {
            _ if self.is_one_file() => None,
            (Some(present), Beside::Nothing) => Beside::of_both(&self.out, &present.certificate)?,
            (Some(present), Beside::Plain(key)) if is_for(&present.certificate, key.public_key()) => {
                Beside::of_both(&self.out, &present.certificate)?
            }
            _ => None,
        };
        let gives_up_key = given_up.is_some();
        let (beside, is_moved) = match (beside, given_up) {
            (Beside::Nothing, Some(key)) => (Beside::Plain(Box::new(key)), true),
            (beside, _) => (beside, false),
        };
        let hold = match &mut signer {
            Some(signer) => self.hold(present.as_ref(), signer, now)?,
            None => None,
        };
        let (action, why) = match (&present, hold) {
            (_, Some(hold)) => (Action::Hold, vec![hold_told(&hold)]),
            (None, None) => (Action::Issue, vec!["it is missing".to_owned()]),
            (Some(present), None) => match self.compare(present, &beside, signer.as_deref_mut(), now)? {
                (Action::None, _) if is_moved => {
                    (Action::Move, vec![format!("its key goes to {}", shown(&self.keyout))])
                }
                compared => compared,
            },
        };
        let present = present.map(|present| present.certificate);
        let key_is_encrypted = matches!(beside, Beside::Encrypted);
        let mut prospect = Prospect { action, why, present, key_is_encrypted, gives_up_key };
        let mut writes_key = is_moved || self.rekey || matches!(beside, Beside::Nothing);
        if prospect.issues()
            && let Beside::Plain(key) = &beside
            && let Some(signer) = signer
        {
            match self.fate(key.public_key(), prospect.present.as_ref(), signer)? {
                Fate::OnHold(hold) => {
                    prospect = Prospect { action: Action::Hold, why: vec![hold_told(&hold)], ..prospect };
                }
                fate => writes_key |= matches!(fate, Fate::Replaced),
            }
        }
        if prospect.issues() {
            signers.have_a_key(&self.who)?;
        }
        // Asked of what is there: a check makes no folder.
        if prospect.issues() || matches!(prospect.action, Action::Chain | Action::Move) {
            might_write(&self.out)?;
            if writes_key {
                might_write(&self.keyout)?;
            }
        }
        if (prospect.issues() || matches!(prospect.action, Action::Chain | Action::Move))
            && let Some(stranger) = stranger
        {
            return Err(anyhow!("{} holds {stranger} too, which would be lost", shown(&self.out)))
                .hint("move that to a file of its own, or choose another file with out =");
        }
        // Told before anything is signed: afterwards the certificate would be lost.
        if (prospect.issues() || prospect.action == Action::Chain) && !self.is_one_file() && !gives_up_key {
            spare_keys([self.out.as_path()])
                .hint(format!("move its key to {} yourself, or choose another file with out =", shown(&self.keyout)))?;
        }
        Ok(prospect)
    }

    /// The hold of the certificate that is there; or of the last one that was issued, where that is lost.
    fn hold(
        &self,
        present: Option<&Present>,
        signer: &mut Signer,
        now: OffsetDateTime,
    ) -> anyhow::Result<Option<Revocation>> {
        let record = match present {
            Some(present) => signer.record(&present.certificate)?,
            None => None,
        };
        let record = match record {
            Some(record) => Some(record),
            None => signer.newest(&self.naming, &self.profile)?.filter(|last| now <= last.validity.not_after),
        };
        Ok(record.and_then(|record| record.revocation).filter(Revocation::is_hold))
    }

    fn compare(
        &self,
        present: &Present,
        beside: &Beside,
        signer: Option<&mut Signer>,
        now: OffsetDateTime,
    ) -> anyhow::Result<(Action, Vec<String>)> {
        let certificate = &present.certificate;
        let mut found = Vec::new();
        match signer {
            None => found.push(Difference::Issuer),
            Some(signer) => {
                let Self { profile, naming, key, validity, renew_before, .. } = self;
                let wanted = Wanted { profile, naming, key: *key, validity: *validity, renew_before: *renew_before };
                found.extend(differences(certificate, &wanted, &signer.authority.path(), now));
                let record = signer.record(certificate)?;
                let key = certificate.public_key().ok();
                let compromised = match &key {
                    Some(key) => signer.is_compromised(key)?,
                    None => false,
                };
                match record {
                    _ if compromised => found.push(Difference::Compromised),
                    Some(record) if record.revocation.is_some() => found.push(Difference::Revoked),
                    None if !found.contains(&Difference::Issuer) => found.push(Difference::Unrecorded),
                    _ => {}
                }
                if found.is_empty() && !present.is_followed_by(&signer.authority.full_chain(certificate)) {
                    found.push(Difference::Chain);
                }
            }
        }
        if let Some(differs) = beside.differs(certificate) {
            found.retain(|difference| *difference != Difference::Chain);
            found.push(differs);
        }
        let action = match found.as_slice() {
            [] => Action::None,
            [Difference::Chain] => Action::Chain,
            some if some.iter().all(Difference::is_age) => Action::Renew,
            _ => Action::Reissue,
        };
        Ok((action, found.iter().map(ToString::to_string).collect()))
    }

    /// What is to become of the key that is there, where a certificate is issued.
    fn fate(&self, key: &PublicKey, present: Option<&Certificate>, signer: &mut Signer) -> anyhow::Result<Fate> {
        if signer.authority.path().iter().any(|certificate| certificate.public_key().is_ok_and(|own| own == *key)) {
            return Err(anyhow!("{} holds the key of its CA", shown(&self.keyout)))
                .hint("a certificate has a key of its own: choose another file with keyout =");
        }
        let is_presents = present.is_some_and(|present| is_for(present, key));
        let compromised = signer.is_compromised(key)?;
        if !compromised && !is_presents {
            let hold = signer.revocations(&self.naming, key)?.into_iter().find(Revocation::is_hold);
            if let Some(hold) = hold {
                return Ok(Fate::OnHold(hold));
            }
        }
        if !compromised && !self.rekey && key.algorithm() == self.key {
            return Ok(Fate::Kept);
        }
        if is_presents || signer.has_certified(&self.naming, key)? {
            return Ok(Fate::Replaced);
        }
        Err(anyhow!(
            "a new key would replace that in {}, which no certificate for these names was for",
            shown(&self.keyout)
        ))
        .hint("apply replaces keys of its own alone: move it away, or choose another file with keyout =")
    }

    /// What there is to do, or was done.
    pub(super) fn row(&self, prospect: &Prospect) -> CertificateRow {
        self.row_of(prospect.action, prospect.why.clone())
    }

    /// That it could not be looked at or made.
    pub(super) fn failed(&self, error: &anyhow::Error) -> CertificateRow {
        self.row_of(Action::Fail, Vec::new()).failed(error)
    }

    fn row_of(&self, action: Action, why: Vec<String>) -> CertificateRow {
        let has_key = spare_keys([self.keyout.as_path()]).is_err();
        let open = if has_key { is_for_its_owner_alone(&self.keyout).err() } else { None };
        CertificateRow::new(self.line, shown(&self.out), shown(&self.keyout), action, why)
            .warned(open.map(|open| format!("{open}: chmod 600 {}", for_shell(&shown(&self.keyout)))))
    }

    /// Does it.
    pub(super) fn carry_out(
        &self,
        prospect: &Prospect,
        signers: &mut Signers<'_>,
        secret: &Secret<'_>,
        now: OffsetDateTime,
        session: &mut Session,
    ) -> anyhow::Result<CertificateRow> {
        let (issued, note) = match prospect.action {
            Action::Chain | Action::Move => {
                self.complete(prospect, signers, secret, session)?;
                (None, None)
            }
            _ if prospect.issues() => {
                let (issued, note) = self.issue(prospect, signers, secret, now, session)?;
                (Some(issued), note)
            }
            _ => (None, None),
        };
        // Whom the key's file is open to is looked at as it is now.
        let mut row = self.row(prospect);
        row.issued = issued;
        row.note(note);
        Ok(row)
    }

    /// That a key was certified which no certificate here was for before.
    fn certified(&self, key: &SubjectKey, present: Option<&Certificate>) -> Option<String> {
        let keyout = shown(&self.keyout);
        match present {
            _ if key.is_new => None,
            None => Some(format!("certified the key that lay in {keyout}")),
            Some(present) if is_for(present, key.key.public_key()) => None,
            Some(_) => Some(format!("certified the key in {keyout}, which is another than the certificate's")),
        }
    }

    /// Writes the certificate that is there with those between it and the root.
    fn complete(
        &self,
        prospect: &Prospect,
        signers: &mut Signers<'_>,
        secret: &Secret<'_>,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let certificate = prospect.present.as_ref().context("the certificate is gone")?;
        let signer = signers.authority(&self.who)?.context("the CA is gone")?;
        let chain = place::chain(&signer.authority.full_chain(certificate));
        let key = match self.is_one_file() || prospect.gives_up_key {
            true => self.open_key(prospect, secret)?,
            false => None,
        };
        if key.as_ref().is_some_and(|key| key.is_moved) {
            self.make_folders()?;
        }
        self.write(key.as_ref(), chain, prospect.gives_up_key, session)
    }

    fn issue(
        &self,
        prospect: &Prospect,
        signers: &mut Signers<'_>,
        secret: &Secret<'_>,
        now: OffsetDateTime,
        session: &mut Session,
    ) -> anyhow::Result<(IssuedRow, Option<String>)> {
        self.make_folders()?;
        let (signer, authority_key) = signers.signer(&self.who, session)?;
        let key = self.obtain_key(prospect, signer, secret)?;
        let keyout = Some(self.keyout.as_path()).filter(|_| (key.is_new || key.is_moved) && !self.is_one_file());
        WriteSet::check([self.out.as_path()].into_iter().chain(keyout), true, session)?;
        let request = self.naming.request(key.key.public_key().clone());
        let what = if prospect.action == Action::Renew { ca::Action::Renew } else { ca::Action::Issue };
        let order = Order { profile: &self.profile, request: &request, validity: self.validity };
        let mut signatory = signer.chosen.unlock(&mut signer.authority, authority_key, now)?;
        let issued = signatory.issue(&order, &mut fresh_serial, &place::act(what))?;

        // The record is on the disk; from here on the certificate may be seen.
        let chain = place::chain(&signer.authority.full_chain(&issued.certificate));
        let written = self.write(Some(&key), chain, prospect.gives_up_key, session);
        unwritten::told(written, &issued, unwritten::Key::of(key.is_new), &signer.chosen)?;
        let row = IssuedRow {
            serial: issued.certificate.serial().to_string(),
            not_after: rfc3339(issued.certificate.validity().not_after),
            key_is_new: key.is_new,
            shortened_from: issued.clamped.map(rfc3339),
            objections: objections(&issued.certificate)
                .into_iter()
                .map(|it| Objection { what_to_do: words::keys_for_flags(&it.what_to_do), ..it })
                .collect(),
        };
        Ok((row, self.certified(&key, prospect.present.as_ref())))
    }

    /// Makes the folders of both files, where they are not there.
    fn make_folders(&self) -> anyhow::Result<()> {
        for folder in [&self.out, &self.keyout].into_iter().filter_map(|path| path.parent()) {
            if !folder.as_os_str().is_empty() {
                make_folder(folder)?;
            }
        }
        Ok(())
    }

    /// Writes the certificate and its chain, and the key where it is new, moved or in the same file. The certificate's file
    /// `gives_up_key` where the key in it is written elsewhere, or not needed any more.
    fn write(
        &self,
        key: Option<&SubjectKey>,
        chain: String,
        gives_up_key: bool,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let mut files = WriteSet::new(true);
        match key {
            Some(SubjectKey { key, passphrase, .. }) if self.is_one_file() => {
                let mut both = written_key(key, passphrase.as_ref())?;
                let mut whole = Zeroizing::new(Vec::with_capacity(both.len() + chain.len()));
                whole.append(&mut both);
                whole.extend_from_slice(chain.as_bytes());
                files.add(&self.out, whole, Mode::Secret);
            }
            Some(SubjectKey { key, is_new, is_moved, passphrase }) if *is_new || *is_moved => {
                files.add(&self.keyout, written_key(key, passphrase.as_ref())?, Mode::Secret);
            }
            _ => {}
        }
        match gives_up_key {
            _ if self.is_one_file() => {}
            true => files.replace(&self.out, chain.into_bytes(), Mode::Public),
            false => files.add(&self.out, chain.into_bytes(), Mode::Public),
        }
        files.write(session).map(drop)
    }

    /// The key that is there, where it is of the right kind and may stay; or a new one, under the passphrase of the one it
    /// replaces.
    fn obtain_key(&self, prospect: &Prospect, signer: &mut Signer, secret: &Secret<'_>) -> anyhow::Result<SubjectKey> {
        let new = |passphrase| {
            Ok(SubjectKey { key: PrivateKey::generate(self.key)?, is_new: true, is_moved: false, passphrase })
        };
        let Some(found) = self.open_key(prospect, secret)? else { return new(None) };
        match self.fate(found.key.public_key(), prospect.present.as_ref(), signer)? {
            Fate::Kept => Ok(found),
            Fate::Replaced => new(found.passphrase),
            Fate::OnHold(hold) => {
                Err(anyhow!("the key in {} may not be certified: {}", shown(&self.keyout), hold_told(&hold)))
                    .hint("lift the hold, certkit ca revoke --release, or revoke it for good")
            }
        }
    }

    /// The key that is there: in its file, or else in that of the certificate, which gives it up.
    fn open_key(&self, prospect: &Prospect, secret: &Secret<'_>) -> anyhow::Result<Option<SubjectKey>> {
        let beside = Beside::open(&self.keyout, secret)?;
        if !prospect.gives_up_key {
            return Ok(beside.map(|(key, passphrase)| SubjectKey { key, is_new: false, is_moved: false, passphrase }));
        }
        // Read again: what is written over is what was looked at.
        let present = prospect.present.as_ref().context("the certificate is gone")?;
        let changed = || anyhow!("the files changed meanwhile: run apply again");
        let own = Beside::of_both(&self.out, present)?.ok_or_else(changed)?;
        match beside {
            None => Ok(Some(SubjectKey { key: own, is_new: false, is_moved: true, passphrase: None })),
            Some((key, passphrase)) if key.public_key() == own.public_key() => {
                Ok(Some(SubjectKey { key, is_new: false, is_moved: false, passphrase }))
            }
            Some(_) => Err(changed()),
        }
    }

    /// Whether one file holds the certificate and the key.
    fn is_one_file(&self) -> bool {
        self.out == self.keyout || resolved(&self.out) == resolved(&self.keyout)
    }
}

impl Prospect {
    /// Whether a certificate is issued.
    pub(super) fn issues(&self) -> bool {
        matches!(self.action, Action::Issue | Action::Renew | Action::Reissue)
    }
}

/// What is to become of a key that is there.
enum Fate {
    Kept,
    Replaced,
    /// A certificate for it is on hold: another would undo that.
    OnHold(Revocation),
}

fn hold_told(hold: &Revocation) -> String {
    format!("its certificate is on hold since {}; certkit ca revoke --release lifts that", rfc3339(hold.at))
}
