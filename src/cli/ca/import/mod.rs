//! `certkit ca import`: take over a CA that was made elsewhere.

mod above;
mod index;
mod layout;
mod lists;
mod past;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;

use self::above::missing_above;
use self::past::{Past, Told};
use super::outline::Outline;
use super::own_files::is_authoritys;
use super::place::{self, Chosen};
use super::signer::{warn_if_open, warn_of_open_folder};
use super::wanted::written_key;
use crate::ca::place::State;
use crate::ca::{AbsentKey, Action, Authority, AuthorityError, AuthorityName, Config, Taken, is_damaged, oddities};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::load::{cannot_use, only_key};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::{Passphrase, PassphraseSource};
use crate::cli::problem::Hinted;
use crate::cli::secret::Secret;
use crate::cli::text::{Text, bad, good, safe, strong, warn};
use crate::container::{ContainerError, Document, PrivateKeyItem, is_pkcs12};
use crate::key::{KeyError, PrivateKey};
use crate::x509::{Certificate, SerialNumber};

/// Take over a CA of mkcert, minica, easy-rsa, openssl or step, or from a PKCS#12 file or files of your own
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The certificate must be a CA's and the key its own; what is odd about it is said. The original stays where it is. A key under
a passphrase stays under it. The CA is the first of its folder, or with --called another authority beside those that are there.

What easy-rsa and openssl keep of it is taken over too: what was issued, what index.txt and the published list crl.pem revoke,
and the number of the last list, so that the next one has a greater number. Any CA's lists are taken with --crl, with reasons,
holds and dates. What a list revokes is revoked, whatever index.txt says of it, and where they differ that is told. A compromise
counts, whichever of them tells of it.

A certificate that index.txt or a list revokes and that is not to be found, in the folder or with --issued, cannot be put on a
list made here, for the ledger keeps revocations with their certificates: it is refused before anything is recorded, unless
--drop-revocations accepts it. Refused, too, are a list that the CA has not signed, a delta without the list it builds upon, and
a list of several CAs (indirect). A crl.pem beside that bears another CA's name is passed over, and that is told.

Known folders:
  rootCA.pem, rootCA-key.pem              mkcert (mkcert -CAROOT says where)
  minica.pem, minica-key.pem              minica
  ca.crt, private/ca.key, issued/         easy-rsa's pki/, with what it has issued and revoked
  cacert.pem, private/cakey.pem           openssl's demoCA/, with what it has issued and revoked
  certs/root_ca.crt, secrets/             step's ~/.step, with the intermediate

For example:
  certkit ca import \"$(mkcert -CAROOT)\"
  certkit ca import ca.p12 --passphrase prompt
  certkit ca import --cert ca.pem --key ca.key --issued old-certificates/ --crl published/crl.pem
  certkit ca import --cert sub.pem --key sub.key --chain root.pem --called branch
  certkit ca import ~/pki --key-stays

With --json the answer is an object: `from`; `folder`; `authorities` as `certkit ca init` answers; `warnings`; `issued` with
`recorded`, `known`, `foreign`, `weak` (how many certificates; the last are signed with SHA-1 or MD5 and not recorded); `revoked` (how many); `lists` (files that were taken); `only_listed`
(serial numbers that a list revokes and index.txt does not); and `dropped` (serial numbers whose revocation is lost).")]
pub(super) struct Args {
    /// The folder of another program's CA, or a PKCS#12 file; with --key, the CA's certificate
    #[arg(value_name = "FOLDER|FILE", required_unless_present = "cert", conflicts_with = "cert")]
    from: Option<PathBuf>,

    /// The CA's certificate, PEM or DER; those above it may follow
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// The CA's key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The certificates above the CA's
    #[arg(long, value_name = "FILE", requires = "key")]
    chain: Option<PathBuf>,

    /// What the CA is called here, where the folder has one already
    #[arg(long, value_name = "NAME")]
    called: Option<AuthorityName>,

    /// Record these certificates as issued by the CA; of a folder all that lies in it
    #[arg(long, value_name = "FILE|FOLDER")]
    issued: Vec<PathBuf>,

    /// Take over what this list, which the CA has published, revokes: PEM or DER; may be given several times
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// Go on where certificates that the CA has revoked are not to be found: here they are revoked no more
    #[arg(long)]
    drop_revocations: bool,

    /// Leave the key where it is: ca.toml remembers that, and what signs needs --ca-key
    #[arg(long, conflicts_with = "encrypt")]
    key_stays: bool,

    /// Where the passphrase of the key or PKCS#12 file comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,

    /// Put the key under a new passphrase here
    #[arg(long)]
    encrypt: bool,

    /// Where the new passphrase comes from: prompt, file:PATH, env:NAME or fd:N; asked for unless given
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    new_passphrase: Option<PassphraseSource>,
}

/// One authority to be taken over.
struct Candidate {
    name: AuthorityName,
    certificate: Certificate,
    /// Every other certificate that came with it.
    others: Vec<Certificate>,
    key: Option<OpenKey>,
    /// Where its key was, or would have been.
    key_at: Option<PathBuf>,
}

struct OpenKey {
    key: PrivateKey,
    /// What it was under.
    passphrase: Option<Passphrase>,
}

impl Args {
    /// A certificate named without --cert, beside its key.
    fn settled(mut self) -> Self {
        if self.key.is_some() && self.cert.is_none() {
            self.cert = self.from.take();
        }
        self
    }
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let args = args.settled();
    chosen.without_issuer("an imported CA is signed by nobody here")?;
    let now = clock::now();
    let (from, mut candidates, found) = candidates(&args)?;
    let claim = chosen.claim(PATIENCE)?;
    warn_of_open_folder(chosen, session);
    let config = chosen.config()?;
    chosen.has_no_ledger_elsewhere()?;
    let ledger = chosen.ledger_args().to_remember(chosen.place(), &config)?;
    match (chosen.state()?, &args.called) {
        (State::Empty, Some(_)) => {
            return Err(anyhow!("the first authority of a folder is called ca")).hint("leave --called out");
        }
        (State::Empty, None) => {}
        (State::Complete, None) => {
            return Err(anyhow!("there is a CA in {} already", chosen.shown()))
                .hint("give the one to be imported a name beside it, --called NAME, or a folder of its own, --ca DIR");
        }
        (State::Complete, Some(name)) => match candidates.as_mut_slice() {
            [only] if !name.is_first() => only.name.clone_from(name),
            [_] => bail!("{name} is what the first authority is called"),
            _ => {
                return Err(anyhow!("{from} holds several authorities, and --called names one"))
                    .hint("import them one by one, with --cert and --key, or into a folder of their own");
            }
        },
    }
    for candidate in &candidates {
        is_new(candidate, chosen)?;
        if is_damaged(&candidate.certificate) {
            let subject = candidate.certificate.subject();
            return Err(anyhow!(
                "the certificate of {subject} in {from} is damaged: its signature is not that of its own key"
            ))
            .hint("copy it again from where clients have it, or restore it from a backup");
        }
        if args.key_stays {
            layout::must_stay(candidate.key_at.as_deref())?;
        }
    }
    passphrase_has_effect(&args, &from, &candidates)?;
    let pool: Vec<Certificate> =
        candidates.iter().flat_map(|it| it.others.iter().chain([&it.certificate])).cloned().collect();

    let own: Vec<&Certificate> = candidates.iter().map(|it| &it.certificate).collect();
    let past = Past::read(&args, found.as_ref(), &own, now)?;

    let absent = absent_keys(&candidates, args.key_stays);
    if !absent.is_empty() && config.tells_of_authorities() {
        return Err(anyhow!("{} has to say where keys are", shown(&chosen.place().config())))
            .hint("import the key too, and then move it and write where to under [keys]");
    }
    let prompt = PassphraseSource::Prompt;
    let kept: Vec<String> =
        candidates.iter().filter(|it| it.key.is_some()).map(|it| shown(&chosen.place().key_of(&it.name))).collect();
    let new_one = || args.new_passphrase.as_ref().unwrap_or(&prompt).new_one(&kept.join(" and "));
    let unasked = args.new_passphrase.is_none().then_some("--new-passphrase takes file:PATH, env:NAME or fd:N");
    let new = args.encrypt.then(|| new_one().hint_if(unasked)).transpose()?;
    let paths: Vec<PathBuf> = candidates
        .iter()
        .flat_map(|it| [chosen.place().key_of(&it.name), chosen.place().certificate_of(&it.name)])
        .collect();
    WriteSet::check_new(paths.iter().map(PathBuf::as_path), session)?;

    let mut set = WriteSet::new(false).lasting();
    let said = Config {
        issuer: candidates
            .last()
            .filter(|last| candidates.len() > 1 && last.key.is_some())
            .map(|last| last.name.clone()),
        ledger: ledger.url,
        keys: absent,
    };
    if !said.is_silent() {
        let before = files::read_text_if_there(&chosen.place().config())?;
        let text = said.added_to(before.as_ref().map(|text| text.as_str()).unwrap_or_default());
        set.replace(chosen.place().config(), text.into_bytes(), Mode::Public);
    }
    let mut warnings: Vec<String> =
        found.iter().flat_map(|found| &found.beside).map(|path| layout::beside(path)).collect();
    let mut adopted = Vec::new();
    for candidate in &candidates {
        let Candidate { name, certificate, key, .. } = candidate;
        let above = path_above(certificate, &pool);
        let mut odd = oddities(certificate, now);
        let top = above.last().unwrap_or(certificate);
        odd.extend(missing_above(top, &pool, args.chain.as_deref()));
        warnings.extend(odd.into_iter().map(|what| format!("{name}: {what}")));
        let key_in = key.as_ref().map(|open| &open.key);
        let act = place::act(Action::Import);
        let authority = Authority::adopt(certificate.clone(), above.clone(), key_in, chosen.new_ledger()?, now, &act);
        let authority = match authority {
            // As after an interruption: what is in the ledger is taken up again.
            Err(AuthorityError::Ledger(crate::ca::LedgerError::AlreadyRecorded { .. })) => {
                Authority::open(certificate.clone(), chosen.new_ledger()?)
            }
            adopted => adopted,
        };
        if key_in.is_some()
            && let Some(path) = &candidate.key_at
        {
            warn_if_open(Some(path), chosen, name, session);
        }
        adopted.push((name.clone(), authority.with_context(|| format!("cannot take over {from}"))?));
        if let Some(open) = key.as_ref().filter(|_| !args.key_stays) {
            let passphrase = new.as_ref().or(open.passphrase.as_ref());
            set.add(chosen.place().key_of(name), written_key(&open.key, passphrase)?, Mode::Secret);
        }
    }
    // The first authority's certificate comes last: with it the CA is whole.
    for candidate in candidates.iter().rev() {
        let above = path_above(&candidate.certificate, &pool);
        let chain: Vec<&Certificate> = [&candidate.certificate].into_iter().chain(&above).collect();
        set.add(chosen.place().certificate_of(&candidate.name), place::chain(&chain).into_bytes(), Mode::Public);
    }
    set.write(session)?;
    claim.keep();
    if let Some(word) = ledger.word {
        session.say(word);
    }

    let Told { issued, revoked, lists, only_listed, dropped, odd } = past.record(&mut adopted)?;
    warnings.extend(odd);
    let authorities: anyhow::Result<Vec<Outline>> =
        candidates.iter().map(|it| Outline::of(&it.name, &it.certificate, chosen)).collect();
    let (folder, authorities) = (chosen.shown(), authorities?);
    let dropped = dropped.into_iter().collect();
    let imported = Imported { from, folder, authorities, warnings, issued, revoked, lists, only_listed, dropped };
    session.answer(&imported).with_context(|| format!("the CA is imported, into {}", imported.folder))?;
    Ok(Exit::Yes)
}

/// Refuses an authority that is in the folder under another name: two would sign with one key, and each number lists and
/// revoke what the other has issued.
fn is_new(candidate: &Candidate, chosen: &Chosen) -> anyhow::Result<()> {
    let is_it = |other: &Certificate| {
        other.subject().matches(candidate.certificate.subject()) && other.has_key_of(&candidate.certificate)
    };
    let holds = |name: &AuthorityName| {
        let certificates = chosen.certificates(name);
        certificates.is_ok_and(|found| found.first().is_some_and(is_it)) && is_authoritys(chosen, name)
    };
    match chosen.place().names().into_iter().filter(|name| *name != candidate.name).find(holds) {
        None => Ok(()),
        Some(name) => Err(anyhow!(
            "the CA in {} has {} already: it is {name}, and two authorities of one name and key would be one issuer",
            chosen.shown(),
            candidate.certificate.subject()
        ))
        .hint(format!("use that one, --issuer {name}; or import it into another folder, --ca DIR")),
    }
}

/// Refuses a passphrase where no key is under one.
fn passphrase_has_effect(args: &Args, from: &str, candidates: &[Candidate]) -> anyhow::Result<()> {
    // What lay in no file of its own was in PKCS#12.
    let mut keys = candidates.iter().filter_map(|it| it.key.as_ref().zip(it.key_at.as_ref())).peekable();
    let idle = args.passphrase.is_some() && keys.peek().is_some() && keys.all(|(key, _)| key.passphrase.is_none());
    if !idle {
        return Ok(());
    }
    let what = match candidates {
        [Candidate { key_at: Some(path), .. }] => format!("{} is not encrypted", shown(path)),
        _ => format!("no key of {from} is encrypted"),
    };
    Err(anyhow!("{what}: a passphrase for it has no effect"))
        .hint("leave --passphrase out; --encrypt puts the key under a new one here")
}

/// What is to be taken over, and where the rest of it lies.
fn candidates(args: &Args) -> anyhow::Result<(String, Vec<Candidate>, Option<layout::Layout>)> {
    let passphrase = &Secret::new(args.passphrase.as_ref());
    let Some(from) = &args.from else {
        let (Some(cert), key) = (&args.cert, &args.key) else { bail!("there is nothing to import") };
        let mut one = candidate(AuthorityName::first(), cert, key.clone(), passphrase)?;
        if let Some(chain) = &args.chain {
            one.others.extend(certificates(chain)?);
        }
        return Ok((shown(cert), vec![one], None));
    };
    if from.is_dir() {
        let Some(found) = layout::find(from) else {
            layout::is_not_ours(from)?;
            return Err(anyhow!("{} is no CA's folder that certkit knows", shown(from)))
                .hint("name the files: --cert FILE --key FILE");
        };
        let all: anyhow::Result<Vec<Candidate>> = found
            .authorities
            .iter()
            .map(|(name, certificate, key)| candidate(name.clone(), certificate, key.clone(), passphrase))
            .collect();
        let all = all?;
        if all.iter().all(|it| it.key.is_none()) {
            return Err(anyhow!("{} has no key of its CA", shown(from))).hint("name the files: --cert FILE --key FILE");
        }
        return Ok((format!("{} ({})", shown(from), found.of), all, Some(found)));
    }
    let contents = files::read(from)?;
    if !is_pkcs12(&contents) {
        return Err(anyhow!("{} is neither a folder nor a PKCS#12 file", shown(from)))
            .hint("name certificate and key: --cert FILE --key FILE");
    }
    if args.key_stays {
        return Err(anyhow!("a key in a PKCS#12 file cannot stay there and sign")).hint("leave --key-stays out");
    }
    let secret = passphrase.of(&shown(from))?;
    let document = match Document::read_pkcs12(&contents, &secret) {
        Err(error @ ContainerError::WrongPassphrase) => {
            return passphrase.source().hint_if_wrong(Err(error.into())).with_context(|| cannot_use(from));
        }
        read => read.with_context(|| cannot_use(from))?,
    };
    let key = match only_key(&document, from)? {
        PrivateKeyItem::Plain(key) => key.clone(),
        PrivateKeyItem::Encrypted(_) => bail!("the key in {} is encrypted twice", shown(from)),
    };
    let all: Vec<Certificate> =
        document.certificates().with_context(|| cannot_use(from))?.into_iter().cloned().collect();
    let own = all.iter().position(|it| it.public_key().is_ok_and(|public| public == *key.public_key()));
    let Some(own) = own.and_then(|at| all.get(at)).cloned() else {
        bail!("no certificate in {} belongs to the key in it", shown(from));
    };
    let one = Candidate {
        name: AuthorityName::first(),
        others: all.into_iter().filter(|it| *it != own).collect(),
        certificate: own,
        key: Some(OpenKey { key, passphrase: Some(secret).filter(|secret| !secret.is_empty()) }),
        key_at: None,
    };
    Ok((shown(from), vec![one], None))
}

fn candidate(
    name: AuthorityName,
    certificate: &Path,
    key_at: Option<PathBuf>,
    passphrase: &Secret<'_>,
) -> anyhow::Result<Candidate> {
    let mut all = certificates(certificate)?;
    if all.is_empty() {
        bail!("{} holds no certificate", shown(certificate));
    }
    let own = all.remove(0);
    let key = key_at.as_deref().map(|path| open_key(path, passphrase)).transpose()?;
    Ok(Candidate { name, certificate: own, others: all, key, key_at })
}

fn open_key(path: &Path, secret: &Secret<'_>) -> anyhow::Result<OpenKey> {
    let contents = files::read(path)?;
    let document = Document::read(&contents).with_context(|| cannot_use(path))?;
    match only_key(&document, path)? {
        PrivateKeyItem::Plain(key) => Ok(OpenKey { key: key.clone(), passphrase: None }),
        PrivateKeyItem::Encrypted(encrypted) => {
            let passphrase = secret.of(&shown(path))?;
            let key = match encrypted.decrypt(&passphrase) {
                Err(error @ KeyError::WrongPassphrase) => secret.source().hint_if_wrong(Err(error.into())),
                opened => opened.map_err(Into::into),
            };
            let key = key.with_context(|| format!("cannot open {}", shown(path)))?;
            Ok(OpenKey { key, passphrase: Some(passphrase) })
        }
    }
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let contents = files::read(path)?;
    let document = Document::read(&contents).with_context(|| cannot_use(path))?;
    Ok(document.certificates().with_context(|| cannot_use(path))?.into_iter().cloned().collect())
}

/// Which keys will not be in the folder.
fn absent_keys(candidates: &[Candidate], stays: bool) -> std::collections::BTreeMap<AuthorityName, AbsentKey> {
    let absent = candidates.iter().filter(|it| stays || it.key.is_none());
    let place = |it: &Candidate| it.key_at.as_deref().map_or_else(|| "elsewhere".to_owned(), place::absolute);
    absent.map(|it| (it.name.clone(), AbsentKey::SetAside(place(it)))).collect()
}

/// The authorities above a certificate among those that are there, up to one that vouches for itself.
pub(in crate::cli::ca) fn path_above(certificate: &Certificate, pool: &[Certificate]) -> Vec<Certificate> {
    let mut path: Vec<Certificate> = Vec::new();
    let mut at = certificate;
    while !at.is_self_issued() && path.len() < LONGEST {
        let signed = |it: &&Certificate| {
            at.issuer().matches(it.subject()) && it.public_key().is_ok_and(|key| at.verify_signature(&key).is_ok())
        };
        let Some(issuer) = pool.iter().find(signed) else { break };
        path.push(issuer.clone());
        at = issuer;
    }
    path
}

/// How long another process that makes an authority in the same folder is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest path from an authority to its root.
const LONGEST: usize = 10;

/// A CA that was taken over.
#[derive(Debug, Serialize)]
struct Imported {
    from: String,
    folder: String,
    authorities: Vec<Outline>,
    warnings: Vec<String>,
    issued: Taken,
    revoked: u64,
    /// The files of lists whose revocations were taken over.
    lists: Vec<String>,
    /// Serial numbers that a list revokes and the index does not.
    only_listed: Vec<SerialNumber>,
    /// Serial numbers of certificates whose revocation is lost.
    dropped: Vec<SerialNumber>,
}

impl Report for Imported {
    fn text(&self, text: &mut Text) {
        for authority in &self.authorities {
            text.line(format_args!("{} {}: {}", good("took over"), authority.name(), strong(&authority.subject)));
            text.fields(authority.fields());
        }
        for warning in &self.warnings {
            text.line(format_args!("{} {warning}", warn("odd:")));
        }
        let Taken { recorded, known, foreign, weak } = self.issued;
        if recorded + known + foreign + weak > 0 {
            text.line(format_args!(
                "recorded {recorded} certificate{}, {} of them revoked; {known} were known, {foreign} are not its own",
                if recorded == 1 { "" } else { "s" },
                self.revoked
            ));
        }
        if !self.lists.is_empty() {
            text.line(format_args!("took over what these lists revoke: {}", safe(self.lists.join(", "))));
        }
        if !self.only_listed.is_empty() {
            let serials = past::listed(&self.only_listed);
            text.line(format_args!(
                "{} revoked, as a list has it, though index.txt does not say so: {serials}",
                warn("differs:")
            ));
        }
        if !self.dropped.is_empty() {
            let serials = past::listed(&self.dropped);
            text.line(format_args!(
                "{} not revoked any more, their certificates are not here: {serials}",
                bad("dropped:")
            ));
        }
    }
}
