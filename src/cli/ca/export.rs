//! `certkit ca export`: certificates, chains, trust bundles, PKCS#12 files and the ledger, for other programs.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::list::Line;
use super::own_files::spare;
use super::place::Chosen;
use super::which::{Meant, called_so, is_live, own_authority};
use crate::ca::Query;
use crate::ca::place::is_there;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{Mode, WriteSet, file_name_for, is_dash, spare_input, spare_keys};
use crate::cli::load::Loaded;
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe};
use crate::container::{Protection, write_pkcs12};
use crate::encoding::{base64, pem};
use crate::x509::Certificate;

/// Export certificates, chains, the trust bundle, PKCS#12 files or the ledger
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Without a flag: the certificate that was issued under this name or serial number, as PEM. --chain adds the authorities between
it and the root; alone, it is that of the authority that signs, up to the root. --bundle is what clients trust: every root of
the CA. --records is everything the CA has signed, a line for each: JSON Lines with the certificate in it, or CSV. In CSV control
characters are escaped, and what a spreadsheet would compute (=, +, -, @ at the beginning) has a ' before it.

--pkcs12 puts a certificate, those above it and its key into one file under a passphrase, as browsers, Windows, macOS and Java
take it: AES-256 and HMAC-SHA-256. Of an authority of the CA, which is meant by what it is called, the key in the CA's folder is
taken: whoever has that file can sign. What is older than 2018 needs --legacy (3DES and SHA-1), which protects little.

For example:
  certkit ca export --bundle --out company-roots.pem
  certkit ca export api.test --chain > api.pem
  certkit ca export ann --pkcs12 --key ann-key.pem --p12-passphrase prompt --out ann.p12
  certkit ca export ca --pkcs12 --p12-passphrase prompt --out root.p12
  certkit ca export --records jsonl | jq -r .not_after
  certkit ca export --records csv --out issued.csv

With --json, which needs --out FILE, the answer is an object: `file`; `what` (certificate, chain, bundle, pkcs12, ledger); and
`count` (of certificates). A line of --records jsonl has the fields of `certkit ca list`, and `authority` and `certificate`
(base64 of its DER).")]
pub(super) struct Args {
    /// A serial number in hexadecimal; a name, which stands for the newest certificate with it that can be used; a file; or what
    /// an authority of the CA is called
    #[arg(value_name = "SERIAL|NAME|FILE", conflicts_with_all = ["bundle", "records"])]
    which: Option<String>,

    /// With the authorities above it
    #[arg(long, conflicts_with_all = ["bundle", "records", "pkcs12"])]
    chain: bool,

    /// The roots, for clients to trust
    #[arg(long, conflicts_with = "records")]
    bundle: bool,

    /// Everything that was signed
    #[arg(long, value_name = "FORMAT", value_enum)]
    records: Option<Format>,

    /// One file with certificate, chain and key
    #[arg(long, requires = "which", conflicts_with_all = ["bundle", "records"])]
    pkcs12: bool,

    /// The certificate's key [default: of an authority, the one in the CA's folder]
    #[arg(long, value_name = "FILE", requires = "pkcs12")]
    key: Option<PathBuf>,

    /// Where the passphrase of that key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE", requires = "pkcs12")]
    passphrase: Option<PassphraseSource>,

    /// Where the passphrase of the PKCS#12 file comes from [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE", requires = "pkcs12")]
    p12_passphrase: Option<PassphraseSource>,

    /// Protect the PKCS#12 file as programs before 2018 read it
    #[arg(long, requires = "pkcs12")]
    legacy: bool,

    /// Where it goes; `-` is stdout [default: -, of PKCS#12 api.test.p12 after the first name]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// How the ledger is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values (RFC 4180)
    Csv,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    if args.which.is_none() && !args.chain && !args.bundle && args.records.is_none() {
        return Err(anyhow!("there is nothing to export"))
            .hint("name a certificate, or choose --chain, --bundle or --records jsonl");
    }
    if args.force && args.out.is_none() && !args.pkcs12 {
        return Err(anyhow!("--force has no effect: it goes to stdout"))
            .hint("leave it out, or give a file with --out");
    }
    if args.out.is_none() && !args.pkcs12 {
        let both = session.json().then_some("leave --json out, or give a file with --out FILE");
        session.may_take_stdout().hint_if(both)?;
    }
    if let Some(out) = args.out.as_deref() {
        spare(chosen, None, [out])?;
        args.key.as_deref().map_or(Ok(()), |key| spare_input(out, key))?;
        if !args.pkcs12 {
            spare_keys([out])?;
        }
    }
    let exported = match (&args.which, args.records) {
        (None, Some(format)) => return ledger(&args, format, chosen, session),
        (None, None) if args.bundle => bundle(chosen)?,
        (None, None) => {
            let authority = chosen.open_to_read()?;
            let path: Vec<Certificate> = authority.path().into_iter().cloned().collect();
            Exported::pem("chain", &path)
        }
        (Some(which), _) => {
            let now = clock::now();
            let Found { path, key } = Found::of(which, chosen, now)?;
            match args.pkcs12 {
                true => pkcs12(&args, &path, key, session)?,
                false => {
                    // Clients have the root, or do not trust it.
                    let sent = |(at, it): &(usize, &Certificate)| *at == 0 || (args.chain && !it.is_self_issued());
                    let sent: Vec<_> = path.iter().enumerate().filter(sent).map(|(_, it)| it.clone()).collect();
                    Exported::pem(if args.chain { "chain" } else { "certificate" }, &sent)
                }
            }
        }
    };
    exported.write(&args, session)
}

/// Every root of the folder: each authority that vouches for itself, and the tops of those that do not.
fn bundle(chosen: &Chosen) -> anyhow::Result<Exported> {
    let mut roots: Vec<Certificate> = Vec::new();
    for (name, authority) in chosen.open_all()? {
        let path = authority.path();
        let Some(top) = path.last().filter(|top| top.is_self_issued()) else {
            if name.is_first() {
                return Err(anyhow!("the root above {name} is not here")).hint("ask for it where the CA came from");
            }
            continue;
        };
        if !roots.contains(top) {
            roots.push((*top).clone());
        }
    }
    Ok(Exported::pem("bundle", &roots))
}

/// What is exported of one certificate.
struct Found {
    /// The certificate, and the authorities above it.
    path: Vec<Certificate>,
    /// Where its key is, where it is an authority's.
    key: Option<PathBuf>,
}

impl Found {
    /// The certificate that was issued under this name, or the authority of the CA that it names.
    fn of(which: &str, chosen: &Chosen, now: OffsetDateTime) -> anyhow::Result<Self> {
        let own = || {
            let (name, _) = own_authority(which, chosen)?;
            let key = Some(chosen.place().key_of(&name)).filter(|key| is_there(key));
            Some(chosen.certificates(&name).map(|path| Self { path, key }))
        };
        if called_so(which, chosen, now)?.is_some()
            && let Some(own) = own()
        {
            return own;
        }
        let (_, mut authority, meant) = match Meant::in_any(which, chosen, true) {
            Ok(found) => found,
            Err(error) => return own().ok_or(error)?,
        };
        let record = meant.newest(|record| is_live(record, now))?;
        let certificate = authority.recorded(record.id)?;
        if certificate.claims_ca()
            && let Some(own) = own()
        {
            return own;
        }
        let path = std::iter::once(&certificate).chain(authority.path()).cloned().collect();
        Ok(Self { path, key: None })
    }
}

fn pkcs12(
    args: &Args,
    chain: &[Certificate],
    own_key: Option<PathBuf>,
    session: &mut Session,
) -> anyhow::Result<Exported> {
    let Some(certificate) = chain.first() else { bail!("there is no certificate") };
    let Some(path) = args.key.as_ref().or(own_key.as_ref()) else {
        return Err(anyhow!("--pkcs12 needs the key of {}", certificate.display_name()))
            .hint("say where it is with --key FILE");
    };
    let key = Loaded::read(path)?.private_key(args.passphrase.as_ref())?;
    if certificate.public_key().as_ref() != Ok(key.public_key()) {
        return Err(anyhow!("{} is not the key of {}", shown(path), certificate.display_name()))
            .hint("certkit key match says which certificate a key belongs to");
    }
    let names = certificate.subject_alt_names().map(|names| names.first().map(|name| name.value())).unwrap_or_default();
    let name = names.unwrap_or_else(|| certificate.display_name());
    let default = || Ok::<_, anyhow::Error>(PathBuf::from(format!("{}.p12", file_name_for(&name)?)));
    let out = args.out.clone().map_or_else(default, Ok)?;
    let prompt = PassphraseSource::Prompt;
    let secret = args.p12_passphrase.as_ref().unwrap_or(&prompt).new_one(&shown(&out))?;
    if !secret.is_ascii() {
        session
            .warn("the passphrase is not ASCII: Java does not take such, and other programs may encode it otherwise");
    }
    let protection = if args.legacy { Protection::Legacy } else { Protection::Modern };
    // Those above it up to the root: who imports the file may have nothing else.
    let chain: Vec<&Certificate> = chain.iter().collect();
    let file = write_pkcs12(&key, &chain, &name, &secret, protection)?;
    Ok(Exported { what: "pkcs12", count: chain.len() as u64, contents: file, mode: Mode::Secret, out: Some(out) })
}

/// What is exported.
struct Exported {
    what: &'static str,
    count: u64,
    contents: Zeroizing<Vec<u8>>,
    mode: Mode,
    /// Where it goes unless `--out` says so.
    out: Option<PathBuf>,
}

impl Exported {
    fn pem(what: &'static str, certificates: &[Certificate]) -> Self {
        let text: String = certificates.iter().map(|it| pem::write("CERTIFICATE", it.der()).to_string()).collect();
        let count = certificates.len() as u64;
        Self { what, count, contents: Zeroizing::new(text.into_bytes()), mode: Mode::Public, out: None }
    }

    fn write(self, args: &Args, session: &mut Session) -> anyhow::Result<Exit> {
        let out = args.out.clone().or(self.out).unwrap_or_else(|| "-".into());
        let mut files = WriteSet::new(args.force).whole();
        files.add(&out, self.contents, self.mode);
        files.write(session)?;
        if is_dash(&out) {
            return Ok(Exit::Yes);
        }
        session.answer(&Written { file: shown(&out), what: self.what, count: self.count })?;
        Ok(Exit::Yes)
    }
}

/// The ledger, page by page: whatever it holds, little is held here unless it goes to a file.
fn ledger(args: &Args, format: Format, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let out: &Path = args.out.as_deref().unwrap_or(Path::new("-"));
    WriteSet::check([out], args.force, session)?;
    let (mut file, mut count) = (Vec::new(), 0);
    let mut give = |text: String, session: &mut Session| -> anyhow::Result<()> {
        if is_dash(out) {
            return session.raw(text.as_bytes());
        }
        file.extend_from_slice(text.as_bytes());
        Ok(())
    };
    if format == Format::Csv {
        give(format!("{}\r\n", COLUMNS.join(",")), session)?;
    }
    let now = clock::now();
    for (name, mut authority) in chosen.open_all()? {
        let mut query = Query { limit: Some(PAGE), ..Query::default() };
        let revoked = authority.revoked()?;
        loop {
            let page = authority.find(&query)?;
            let Some(last) = page.last() else { break };
            query.after = Some(last.id);
            let mut text = String::new();
            for record in &page {
                let line = Line::of(record, &name, now).below(revoked.as_ref());
                match format {
                    Format::Jsonl => {
                        let certificate = base64::encode(authority.recorded(record.id)?.der());
                        let row = Row { line, certificate };
                        text.push_str(&serde_json::to_string(&row).context("cannot write a row as JSON")?);
                        text.push('\n');
                    }
                    Format::Csv => text.push_str(&csv(&line)?),
                }
            }
            count += page.len() as u64;
            give(text, session)?;
        }
    }
    if is_dash(out) {
        return Ok(Exit::Yes);
    }
    Exported { what: "ledger", count, contents: Zeroizing::new(file), mode: Mode::Public, out: None }
        .write(args, session)
}

/// One line of the ledger.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    line: Line,
    /// Its DER in base64.
    certificate: String,
}

/// One line of CSV: the fields of a [`Line`] by their names, several names with spaces between them.
fn csv(line: &Line) -> anyhow::Result<String> {
    let value = serde_json::to_value(line).context("cannot write a row")?;
    let cell = |column: &&str| match value.get(*column) {
        Some(serde_json::Value::String(text)) => quoted(text),
        Some(serde_json::Value::Array(list)) => {
            quoted(&list.iter().filter_map(|it| it.as_str()).collect::<Vec<_>>().join(" "))
        }
        _ => String::new(),
    };
    Ok(format!("{}\r\n", COLUMNS.iter().map(cell).collect::<Vec<_>>().join(",")))
}

/// A cell of CSV (RFC 4180 §2). One that a spreadsheet would compute is made text, and control characters, which no cell may
/// have but line breaks, are escaped as everywhere.
fn quoted(text: &str) -> String {
    let computed = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = safe(text).to_string();
    let text = if computed { format!("'{text}") } else { text };
    let plain = !text.contains(['"', ',']);
    if plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

const COLUMNS: [&str; 13] = [
    "authority",
    "serial",
    "status",
    "subject",
    "names",
    "profile",
    "not_before",
    "not_after",
    "issued_at",
    "fingerprint_sha256",
    "revoked_at",
    "reason",
    "invalid_since",
];

/// Rows in one question.
const PAGE: u32 = 1_000;

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    file: String,
    what: &'static str,
    count: u64,
}

impl Report for Written {
    fn text(&self, text: &mut Text) {
        let certificates =
            if self.count == 1 { "1 certificate".to_owned() } else { format!("{} certificates", self.count) };
        text.line(format_args!("{} {}: {}, {certificates}", good("wrote"), safe(&self.file), self.what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_holds() {
        for (text, cell) in [
            ("a b", "a b"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("CN=\u{1b}[31mred", "CN=\\u{1b}[31mred"),
            ("a\r\nissuing,00", "\"a\\r\\nissuing,00\""),
            ("\t=1", "'\\t=1"),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }
}
