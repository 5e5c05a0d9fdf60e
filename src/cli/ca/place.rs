//! Which CA is meant, and how it is opened.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use time::OffsetDateTime;

use super::folder::{called, own_folder};
use super::ledger::{LedgerArgs, Location, ToCheck};
use super::standing;
use crate::ca::place::{State, is_there};
use crate::ca::{
    Act, Action, Authority, AuthorityError, AuthorityName, Config, HalfMade, Ledger, LedgerError, Place, Signatory,
    StatusSignatory,
};
use crate::cli::clock;
use crate::cli::files::{self, Claim, is_dash};
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;
use crate::container::ContainerError;
use crate::encoding::pem;
use crate::issue::IssueError;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// The CA that is meant, and which of its authorities.
#[derive(Debug)]
pub(in crate::cli) struct Chosen {
    place: Place,
    /// Chosen for this run with `--ca`, or by a name: then a CA that is not there is a mistake.
    explicit: bool,
    /// The authority chosen for this run with `--issuer`.
    issuer: Option<AuthorityName>,
    /// Where the ledger is, where the command line says so.
    ledger: LedgerArgs,
    location: OnceLock<Location>,
}

impl Chosen {
    /// `--ca`, or `CERTKIT_CA`, or the user's data folder; and `--issuer`.
    pub(in crate::cli) fn new(ca: Option<PathBuf>, issuer: Option<AuthorityName>) -> anyhow::Result<Self> {
        let mut explicit = ca.is_some();
        let named = ca.or_else(|| env::var_os("CERTKIT_CA").filter(|path| !path.is_empty()).map(PathBuf::from));
        let folder = match named {
            Some(folder) if folder.as_os_str().is_empty() => bail!("--ca names no folder"),
            Some(folder) => match called(&folder)? {
                Some(name) => {
                    explicit = true;
                    own_folder()?.join(name.as_str())
                }
                None => folder,
            },
            None => own_folder()?.join(AuthorityName::first().as_str()),
        };
        Ok(Self {
            place: Place::new(folder),
            explicit,
            issuer,
            ledger: LedgerArgs::default(),
            location: OnceLock::new(),
        })
    }

    /// The same with its ledger elsewhere.
    pub(super) fn with_ledger(self, ledger: LedgerArgs) -> Self {
        Self { ledger, ..self }
    }

    /// The same with this authority chosen.
    pub(super) fn by(&self, issuer: AuthorityName) -> Self {
        Self {
            place: self.place.clone(),
            explicit: self.explicit,
            issuer: Some(issuer),
            ledger: self.ledger.clone(),
            location: self.location.clone(),
        }
    }

    /// The same with no authority chosen.
    pub(super) fn of_all(&self) -> Self {
        Self { issuer: None, ..self.by(AuthorityName::first()) }
    }

    /// The CA in the folder beside it whose name goes on like this: `ca-ml-dsa` beside `ca`.
    pub(in crate::cli) fn beside(&self, ending: &str) -> Self {
        let mut name = self.place.folder().file_name().unwrap_or_default().to_owned();
        name.push(ending);
        Self {
            place: Place::new(self.place.folder().with_file_name(name)),
            explicit: self.explicit,
            issuer: None,
            ledger: self.ledger.clone(),
            location: OnceLock::new(),
        }
    }

    /// The CA with the other keys, beside this one: `ca-ml-dsa` of `ca`, and `ca` of `ca-ml-dsa`.
    pub(super) fn twin(&self) -> Self {
        let name = self.place.folder().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let twin = match name.strip_suffix(TWIN) {
            Some(first) => Self { place: Place::new(self.place.folder().with_file_name(first)), ..self.beside("") },
            None => self.beside(TWIN),
        };
        Self { explicit: true, ..twin }
    }

    /// Whether it is the second of two.
    pub(super) fn is_twin(&self) -> bool {
        self.place.folder().file_name().is_some_and(|name| name.to_string_lossy().ends_with(TWIN))
    }

    pub(in crate::cli) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether `ca issue` may make a CA here without being asked.
    pub(in crate::cli) fn may_be_made(&self) -> bool {
        !self.explicit && self.issuer.is_none()
    }

    /// The folder as it is shown.
    pub(in crate::cli) fn shown(&self) -> String {
        shown(self.place.folder())
    }

    /// The authority chosen with `--issuer`.
    pub(in crate::cli) fn asked_issuer(&self) -> Option<&AuthorityName> {
        self.issuer.as_ref()
    }

    /// Where the ledger is, as the command line says.
    pub(super) fn ledger_args(&self) -> &LedgerArgs {
        &self.ledger
    }

    /// Refuses `--issuer` where it has no effect.
    pub(in crate::cli) fn without_issuer(&self, why: &str) -> anyhow::Result<()> {
        if self.issuer.is_some() { bail!("--issuer has no effect: {why}") } else { Ok(()) }
    }

    /// The authority that signs: that of `--issuer`, or that of `ca.toml`, or the first.
    pub(in crate::cli) fn issuer(&self) -> anyhow::Result<AuthorityName> {
        if let Some(issuer) = &self.issuer {
            return Ok(issuer.clone());
        }
        Ok(self.config()?.issuer.unwrap_or_else(AuthorityName::first))
    }

    /// What `ca.toml` says.
    pub(in crate::cli) fn config(&self) -> anyhow::Result<Config> {
        let path = self.place.config();
        match files::read_text_if_there(&path)? {
            Some(text) => Ok(Config::from_toml(&shown(&path), &text)?),
            None => Ok(Config::default()),
        }
    }

    /// What the folder holds. Half a CA may be another process's, which is about to add the other half: it is given a
    /// moment. One that has signed something and lost its key is whole for all that needs none: who signs is told by
    /// [`super::signer`].
    pub(in crate::cli) fn state(&self) -> anyhow::Result<State> {
        let begun = Instant::now();
        loop {
            match self.place.state(&self.config()?) {
                Ok(state) => return Ok(state),
                Err(half) if self.has_signed() => match half.lacks_only_the_key() {
                    true => return Ok(State::Complete),
                    false => return Err(HalfMade { has_signed: true, ..half }.into()),
                },
                Err(_) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                Err(half) => return Err(half.into()),
            }
        }
    }

    /// Opens the CA to read what it is and what it has signed: the authority that signs.
    pub(in crate::cli) fn open(&self) -> anyhow::Result<Authority> {
        self.is_made()?;
        self.open_one(&self.issuer()?)
    }

    /// Opens the authority that signs to read what it is and what it has signed, also where nothing may be written.
    pub(in crate::cli) fn open_to_read(&self) -> anyhow::Result<Authority> {
        self.is_made()?;
        self.open_with(&self.issuer()?, self.ledger_to_read()?)
    }

    /// Opens one authority of the CA.
    pub(in crate::cli) fn open_one(&self, name: &AuthorityName) -> anyhow::Result<Authority> {
        self.open_with(name, self.ledger()?)
    }

    fn open_with(&self, name: &AuthorityName, ledger: Box<dyn Ledger>) -> anyhow::Result<Authority> {
        let certificates = self.certificates(name)?;
        let Some((certificate, above)) = certificates.split_first() else { bail!("{name} has no certificate") };
        let authority = Authority::open(certificate.clone(), ledger).with_context(|| self.cannot_use(name))?;
        Ok(authority.below(above.to_vec()))
    }

    /// The certificate of an authority, and those above it, the next one first.
    pub(in crate::cli) fn certificates(&self, name: &AuthorityName) -> anyhow::Result<Vec<Certificate>> {
        let path = self.place.certificate_of(name);
        if !name.is_first() && !is_there(&path) {
            let config = self.config()?;
            let was_made = config.issuer.as_ref() == Some(name)
                || config.keys.contains_key(name)
                || is_there(&self.place.key_of(name));
            let known: Vec<String> = self.place.names().iter().map(ToString::to_string).collect();
            let hint = if was_made {
                format!("if it was lost, the ledger has it: certkit ca repair{} puts it back", self.flag())
            } else {
                format!("make one with: certkit ca intermediate {name}{}", self.flag())
            };
            return Err(anyhow!("the CA in {} has no authority {name}: {} is not there", self.shown(), shown(&path)))
                .hint(format!("there are {}; {hint}", known.join(", ")));
        }
        Loaded::read(&path)?.certificates()
    }

    /// The file that clients are to trust: that of this root, where it is in the folder; else that of the first authority,
    /// which is looked at first. What was issued may lie in the folder too, and is not read for this as a rule.
    pub(super) fn trusted_file(&self, root: &Certificate) -> PathBuf {
        let holds = |name: &AuthorityName| self.certificates(name).is_ok_and(|found| found.first() == Some(root));
        let first = AuthorityName::first();
        let name = if holds(&first) { None } else { self.place.names().into_iter().find(holds) };
        self.place.certificate_of(&name.unwrap_or(first))
    }

    /// Every authority of the CA with what it is called, or only that of `--issuer`. A certificate in the folder that the
    /// ledger does not know as an authority's is none.
    pub(in crate::cli) fn open_all(&self) -> anyhow::Result<Vec<(AuthorityName, Authority)>> {
        self.open_each(Self::ledger)
    }

    /// The same to read what they are and what they have signed, also where nothing may be written.
    pub(super) fn open_all_to_read(&self) -> anyhow::Result<Vec<(AuthorityName, Authority)>> {
        self.open_each(Self::ledger_to_read)
    }

    /// The same to look at them and leave the ledger as it is.
    pub(super) fn open_all_to_check(&self) -> anyhow::Result<Vec<(AuthorityName, Authority)>> {
        self.open_each(|chosen| Ok(chosen.ledger_to_check()?.0))
    }

    fn open_each(
        &self,
        ledger: fn(&Self) -> anyhow::Result<Box<dyn Ledger>>,
    ) -> anyhow::Result<Vec<(AuthorityName, Authority)>> {
        self.is_made()?;
        if let Some(issuer) = &self.issuer {
            return Ok(vec![(issuer.clone(), self.open_with(issuer, ledger(self)?)?)]);
        }
        let mut all = Vec::new();
        for name in self.place.names() {
            match ledger(self).and_then(|ledger| self.open_with(&name, ledger)) {
                Ok(authority) => all.push((name, authority)),
                Err(error) if name.is_first() => return Err(error),
                Err(error) if is_of_nobody(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Where the ledger is: as the command line, the environment or `ca.toml` has it, or in the folder. A password is asked
    /// for once.
    fn location(&self) -> anyhow::Result<&Location> {
        if let Some(location) = self.location.get() {
            return Ok(location);
        }
        let location = self.ledger.location(&self.place, &self.config()?)?;
        Ok(self.location.get_or_init(|| location))
    }

    /// Where the ledger is, as it is shown.
    pub(super) fn ledger_shown(&self) -> String {
        self.location().map_or_else(|_| shown(&self.place.ledger()), Location::shown)
    }

    /// The ledger.
    pub(in crate::cli) fn ledger(&self) -> anyhow::Result<Box<dyn Ledger>> {
        self.location()?.open()
    }

    /// The ledger, to be read also where nothing may be written.
    pub(in crate::cli) fn ledger_to_read(&self) -> anyhow::Result<Box<dyn Ledger>> {
        self.location()?.open_to_read()
    }

    /// The ledger, to be looked at and left as it is; and the earlier schema that it has, beside the latest.
    pub(super) fn ledger_to_check(&self) -> anyhow::Result<ToCheck> {
        self.location()?.open_to_check()
    }

    /// A new ledger where no CA is yet, or the one that is there.
    pub(in crate::cli) fn new_ledger(&self) -> anyhow::Result<Box<dyn Ledger>> {
        // An empty file beside a whole CA is a ledger that was lost.
        match self.place.state(&self.config()?) {
            Ok(State::Complete) => self.ledger(),
            _ => self.ledger_anew(),
        }
    }

    /// A new ledger, or the one that is there, whatever there is of the CA.
    pub(super) fn ledger_anew(&self) -> anyhow::Result<Box<dyn Ledger>> {
        self.location()?.create()
    }

    /// The ledger, to be mended.
    pub(super) fn ledger_to_mend(&self) -> anyhow::Result<Box<dyn Ledger>> {
        self.location()?.open_to_mend()
    }

    /// Refuses to begin a ledger elsewhere where the folder has one with authorities in it, or one that may have: two ledgers
    /// would each number, issue and revoke for themselves. Where `ca.toml` names another one than the command line,
    /// [`LedgerArgs::to_remember`] refuses.
    pub(super) fn has_no_ledger_elsewhere(&self) -> anyhow::Result<()> {
        let usual = self.place.ledger();
        if self.location()?.is_file() || self.config()?.ledger.is_some() || !is_there(&usual) {
            return Ok(());
        }
        let opened = Location::File(usual.clone()).open_to_read().and_then(|mut ledger| Ok(ledger.authorities()?));
        let is_free = match &opened {
            Ok(authorities) => authorities.is_empty(),
            Err(error) => error.chain().any(|cause| matches!(cause.downcast_ref(), Some(LedgerError::Empty { .. }))),
        };
        if is_free {
            return Ok(());
        }
        Err(anyhow!(
            "the CA in {} has a ledger, {}: another one in {} would not know what that has issued and revoked",
            self.shown(),
            shown(&usual),
            self.ledger_shown()
        ))
        .hint(
            "leave out --ledger and CERTKIT_LEDGER; to begin anew in the database, export its records (certkit ca export \
             --records jsonl), move it aside, and give that file to certkit ca repair --new-ledger --ledger URL",
        )
    }

    /// Whether every authority in the ledger is of this folder.
    pub(super) fn has_own_ledger(&self) -> anyhow::Result<bool> {
        Ok(self.location()?.is_file())
    }

    /// The folder, made where it is missing, in which no other process makes an authority until the claim is dropped. Unless
    /// it is kept, nothing is left that was not there before, the ledger least of all.
    pub(in crate::cli) fn claim(&self, patience: Duration) -> anyhow::Result<Claim> {
        let Some(claim) = Claim::take(self.place.folder(), patience)? else {
            return Err(anyhow!("another process is making a CA in {}", self.shown()))
                .hint("wait until it has done so and use that one, or choose another folder with --ca");
        };
        if is_there(&self.place.ledger()) {
            return Ok(claim);
        }
        Ok(claim.without(self.place.ledger_files().into()))
    }

    /// Refuses a folder without a CA.
    pub(in crate::cli) fn is_made(&self) -> anyhow::Result<()> {
        match self.state()? {
            State::Complete => Ok(()),
            State::Empty => Err(anyhow!("there is no CA in {}", self.shown()))
                .hint(format!("make one with: certkit ca init{}", self.flag())),
        }
    }

    /// Makes the CA ready to sign.
    pub(in crate::cli) fn unlock<'a>(
        &self,
        authority: &'a mut Authority,
        key: &'a PrivateKey,
        now: OffsetDateTime,
    ) -> anyhow::Result<Signatory<'a>> {
        self.usable(authority.unlock(key, now))
    }

    /// Refuses an authority that is revoked or on hold, or below such a one: what it has issued is worth nothing to clients that
    /// know of it, however long it is valid.
    pub(in crate::cli) fn stands(&self, authority: &mut Authority) -> anyhow::Result<()> {
        self.usable(authority.refuse_revoked())
    }

    /// Makes the CA ready to sign what clients learn of revocation by, also where it is revoked itself.
    pub(super) fn unlock_for_status<'a>(
        &self,
        authority: &'a mut Authority,
        key: &'a PrivateKey,
        now: OffsetDateTime,
    ) -> anyhow::Result<StatusSignatory<'a>> {
        self.usable(authority.unlock_for_status(key, now))
    }

    fn usable<T>(&self, unlocked: Result<T, AuthorityError>) -> anyhow::Result<T> {
        let way_out = match &unlocked {
            Err(AuthorityError::Revoked(revoked)) => Some(standing::way_out(revoked, self)),
            Err(AuthorityError::Issue(IssueError::IssuerExpired { issuer, .. })) => {
                Some(standing::renewal(issuer, self))
            }
            Err(AuthorityError::Issue(IssueError::IssuerNotYetValid { issuer, .. })) => {
                standing::renewal_now(issuer, self)
            }
            _ => None,
        };
        unlocked.with_context(|| format!("cannot use the CA in {}", self.shown())).hint_if(way_out)
    }

    /// `--ca DIR` and `--ledger URL` as they have to be given again, in a shell.
    pub(in crate::cli) fn flag(&self) -> String {
        let ledger = self.ledger.flags();
        match self.explicit {
            true => format!(" --ca {}{ledger}", for_shell(&self.place.folder().display().to_string())),
            false => ledger,
        }
    }

    /// The same, with the authority where it is not the one that signs by default.
    pub(super) fn flag_to_sign(&self) -> String {
        let usual = self.config().ok().and_then(|config| config.issuer).unwrap_or_else(AuthorityName::first);
        match &self.issuer {
            Some(issuer) if *issuer != usual => format!("{} --issuer {issuer}", self.flag()),
            _ => self.flag(),
        }
    }

    /// What an error of an authority begins with.
    fn cannot_use(&self, name: &AuthorityName) -> String {
        match name.is_first() {
            true => format!("cannot use the CA in {}", self.shown()),
            false => format!("cannot use {name} of the CA in {}", self.shown()),
        }
    }
}

/// Whether what lies in the folder is no authority's certificate: another one, or a list, a key or a request.
pub(in crate::cli) fn is_of_nobody(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(cause.downcast_ref(), Some(AuthorityError::Unknown { .. }))
            || matches!(cause.downcast_ref(), Some(ContainerError::Instead { .. }))
    })
}

/// Who does this, when by the clock, and what: for the audit log.
pub(in crate::cli) fn act(what: Action) -> Act {
    Act { at: clock::now(), who: who(), what }
}

/// The user this process runs as, and on which machine: by the system's account of it, for anybody can set `USER`. One that
/// has no name, as in a container, is told by its number.
fn who() -> String {
    #[cfg(target_os = "linux")]
    let nameless = || rustix::process::geteuid().as_raw().to_string();
    #[cfg(not(target_os = "linux"))]
    let nameless = || "unknown".to_owned();
    let user = whoami::username().unwrap_or_else(|_| nameless());
    match whoami::hostname() {
        Ok(host) => format!("{user}@{host}"),
        Err(_) => user,
    }
}

/// A path as it is remembered: whole, wherever certkit runs the next time.
pub(in crate::cli) fn absolute(path: &Path) -> String {
    match is_dash(path) {
        true => "stdout".to_owned(),
        false => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string(),
    }
}

/// Certificates as PEM, one after the other.
pub(in crate::cli) fn chain(certificates: &[&Certificate]) -> String {
    certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()).to_string()).collect()
}

/// What the name of the second of two CAs ends with.
pub(super) const TWIN: &str = "-ml-dsa";

/// How long half a CA may stay half. Its two files are put in place together.
const PATIENCE: Duration = Duration::from_secs(2);
