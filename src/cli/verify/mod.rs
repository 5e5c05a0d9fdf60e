//! `certkit verify`: would a careful client accept this certificate for this name, and why?

mod batch;
mod compat;
pub(in crate::cli) mod fetching;
mod picture;
pub(in crate::cli) mod report;
pub(in crate::cli) mod revocation;
pub(in crate::cli) mod roots;
mod rules;
mod schema;
mod tree;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use time::OffsetDateTime;

use super::exit::Exit;
use super::output::{Session, shown};
use super::problem::Hinted;
use super::{clock, files};
use crate::container::{Content, Document, Item};
use crate::encoding::Oid;
use crate::verify::{AllowWeak, Identity, Policy, PolicyRequirements, Purpose, Verifier};
use crate::x509::{Certificate, ServerName};

use self::report::{BlockReport, Show, VerifyReport};
use super::files::{Mode, WriteSet};

/// Judge a certificate chain and a name, and say why
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The first certificate in the file is judged; the others may help to build a path to a trusted root. A name is matched against
subjectAltName alone (RFC 9525): a commonName never counts, but one that would have matched in clients that still fall back
to it is named. Every block of the file is accounted for; one that does not parse is a rejection.

Exit status: 0 accepted; 1 rejected; 2 could not judge (no certificate, no usable root, unreadable file, wrong usage).

Revocation is judged by the lists and OCSP responses in the files of --crl and --ocsp. A certificate that one of them says is
revoked is rejected. So is one whose only list or response cannot be relied on (out of date, badly signed); with
--check-revocation also one about which nothing is given.

Nothing is fetched without --fetch-issuers or --fetch-revocation, and then over http alone: at most 32 fetches, 10 s each
(--fetch-timeout) and a minute in all, 32 MiB an answer, 3 redirects. The URLs are those of the certificates: whoever wrote
them chooses which hosts this machine asks, on loopback and private networks too. On a server that judges what strangers send,
fetch nothing, or from where nothing but the internet can be reached (http_proxy is heeded). What is fetched is judged as files
are and trusted no more. What could not be had leaves the issuer missing or the status unknown, and the verdict says so.

With --json: `schema` (`certkit.verify/1`), `file`, `accepted`, `at`, `policy`, `purpose`, `names`; `reasons` and `warnings`,
each with `check`, `clause`, `certificate`, `detail`, `hint`; `paths`, each with `anchored`, `accepted`, `certificates`
(`subject`, `issuer`, `serial`, `not_before`, `not_after`, `fingerprint_sha256`, `role`, `revocation`: null where
it was not asked, else `status` `good`/`revoked`/`on hold`/`unknown`, `source`, `issuer`, `this_update`, `next_update`,
`revoked_since`, `reason`, `nonce`), `findings` (`check`, `clause`,
`certificate`, `outcome` `yes`/`warning`/`no`, `detail`) and `policies` (null where no root is met; `authority`, `user`, the
policies granted and those also wanted, `explicit` whether one had to be, `qualifiers`: `policy`, `cps`, `notices`); `blocks` (`block`, `line`, `kind`, `used`); with
--compat `compat` (`client`, `answer` `accepts`/`refuses`/`unknown`, `because`); with --fetch-issuers or --fetch-revocation
`fetches` (`wanted`, `method`, `url`, `certificate`, `redirects`, `outcome` `used`/`failed`/`not fetched`, `detail`, `octets`,
`milliseconds`). With --batch a line each: `schema`
(`certkit.verify.line/1`), `file`, `accepted` (true, false, or null where it could not be judged), `subject`, `reasons`
(`check`, `detail`), `error`. With --rules: `schema` (`certkit.verify.rules/1`), `rules` (`check`, `clause`, `requirement`,
`tls`, `rfc5280`, `webpki`). --schema prints the JSON Schema (draft 2020-12) of all of these.

For example:
  certkit verify cert.pem --host example.com
  certkit verify cert.pem --host 127.0.0.1 --roots cert.pem
  certkit verify leaf.pem --host api.test --roots ca.pem --intermediates chain.pem --at 2027-01-01
  certkit verify cert.pem --host example.com --crl issuer.crl --check-revocation leaf
  certkit verify cert.pem --host api.test --fetch-issuers --fetch-revocation
  certkit verify --batch certs/ --no-host --roots ca.pem
  certkit verify cert.pem --host example.com --require-policy 2.23.140.1.2.2
  certkit verify client.pem --no-host --purpose client --roots ca.pem --json | jq .accepted")]
pub(super) struct Args {
    /// The certificate to judge first, then its intermediates; `-` is stdin
    #[arg(value_name = "FILE", required_unless_present_any = ["rules", "schema"])]
    file: Option<PathBuf>,

    /// The host name or IP address the client asked for; may be given more than once, then all must match
    #[arg(long, value_name = "NAME")]
    host: Vec<ServerName>,

    /// An e-mail address the certificate must be for
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,

    /// A URI the certificate must be for
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,

    /// Ask for no name at all
    #[arg(long, conflicts_with_all = ["host", "email", "uri"])]
    no_host: bool,

    /// Trusted roots: a file of certificates, or `system`; may be given more than once
    #[arg(long, value_name = "FILE|system", default_value = "system")]
    roots: Vec<PathBuf>,

    /// More certificates that may help to build a path
    #[arg(long, value_name = "FILE")]
    intermediates: Vec<PathBuf>,

    /// Judge as of this time instead of now: 2027-01-31, an RFC 3339 time, or @ and seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time)]
    at: Option<OffsetDateTime>,

    /// What the certificate is to be used for
    #[arg(long, value_enum, default_value = "server")]
    purpose: PurposeName,

    /// By which rules: `tls` what strict modern clients enforce, `rfc5280` the letter, `webpki` the CA/B Forum's on top
    #[arg(long, default_value = "tls")]
    policy: Policy,

    /// A certificate policy the path must be valid for, as 2.23.140.1.2.1; given more than once, one of them
    #[arg(long, value_name = "OID")]
    require_policy: Vec<Oid>,

    /// The path must be valid for some certificate policy
    #[arg(long)]
    require_explicit_policy: bool,

    /// policyMappings do not count: no issuer may say that two policies are the same
    #[arg(long)]
    inhibit_policy_mapping: bool,

    /// anyPolicy in a certificate does not count
    #[arg(long)]
    inhibit_any_policy: bool,

    #[command(flatten)]
    revocation: revocation::RevocationArgs,

    #[command(flatten)]
    fetching: fetching::FetchArgs,

    /// Let a weak algorithm of old archives through, with a warning; may be given more than once
    #[arg(long, value_name = "ALGORITHM", value_enum)]
    allow_weak: Vec<WeakName>,

    /// How many intermediates (self-issued ones aside) a path may have
    #[arg(long, value_name = "N")]
    max_depth: Option<usize>,

    /// Show every path that was tried, not only the most telling one
    #[arg(long)]
    all_paths: bool,

    /// Draw the paths that were tried as a tree, with what speaks against each
    #[arg(long, conflicts_with = "all_paths")]
    tree: bool,

    /// Draw the tree as an SVG picture into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write a page with the verdict, the picture and every check into this file; it needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Also tell how named clients would judge the same path and name as a server's: OpenSSL, GnuTLS, browsers and others
    #[arg(long)]
    compat: bool,

    /// Replace the --svg and --html files that are there
    #[arg(long)]
    force: bool,

    /// FILE is a folder, or `-` for paths or PEM blocks on stdin: judge every one, a line each (with --json, JSON Lines)
    #[arg(long, conflicts_with_all = ["all_paths", "tree", "svg", "html", "compat", "fetch_issuers", "fetch_revocation"])]
    batch: bool,

    /// Show the table of rules and their severity under each policy, and judge nothing
    #[arg(long, conflicts_with_all = JUDGING)]
    rules: bool,

    /// Print the JSON Schema of what --json says, and judge nothing
    #[arg(long, conflicts_with = "rules", conflicts_with_all = JUDGING)]
    schema: bool,
}

/// The arguments of a judgment, which mean nothing where there is none.
const JUDGING: [&str; 30] = [
    "file",
    "host",
    "email",
    "uri",
    "no_host",
    "roots",
    "intermediates",
    "at",
    "purpose",
    "policy",
    "require_policy",
    "require_explicit_policy",
    "inhibit_policy_mapping",
    "inhibit_any_policy",
    "crl",
    "ocsp",
    "ocsp_responder",
    "check_revocation",
    "fetch_issuers",
    "fetch_revocation",
    "fetch_timeout",
    "allow_weak",
    "max_depth",
    "all_paths",
    "tree",
    "svg",
    "html",
    "compat",
    "force",
    "batch",
];

/// The purposes by the names users type.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeName {
    /// A TLS server.
    Server,
    /// A TLS client.
    Client,
    /// Signed and encrypted mail.
    Email,
    /// Signed programs.
    CodeSigning,
    /// OCSP responses.
    Ocsp,
    /// Time stamps.
    Timestamp,
    /// Whatever it may be.
    Any,
}

/// The weak algorithms by the names users type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WeakName {
    /// Signatures over SHA-1.
    Sha1,
    /// RSA keys from 1024 to 2047 bits.
    Rsa1024,
}

impl From<PurposeName> for Purpose {
    fn from(name: PurposeName) -> Self {
        match name {
            PurposeName::Server => Self::Server,
            PurposeName::Client => Self::Client,
            PurposeName::Email => Self::Email,
            PurposeName::CodeSigning => Self::CodeSigning,
            PurposeName::Ocsp => Self::Ocsp,
            PurposeName::Timestamp => Self::TimeStamping,
            PurposeName::Any => Self::Any,
        }
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Some(file) = &args.file else {
        match args.schema {
            true => session.answer(&schema::SchemaReport::new()?)?,
            false => session.answer(&rules::RulesReport::new())?,
        }
        return Ok(Exit::Yes);
    };
    let identities = identities(&args)?;
    let mut verifier = Verifier::new(roots::load(&args.roots, session)?, args.at.unwrap_or_else(clock::now));
    verifier.identities = identities;
    verifier.purpose = args.purpose.into();
    verifier.policy = args.policy;
    verifier.allow_weak = AllowWeak {
        sha1: args.allow_weak.contains(&WeakName::Sha1),
        small_rsa: args.allow_weak.contains(&WeakName::Rsa1024),
    };
    verifier.max_depth = args.max_depth.unwrap_or(verifier.max_depth);
    verifier.policies = PolicyRequirements {
        explicit: args.require_explicit_policy || !args.require_policy.is_empty(),
        wanted: args.require_policy,
        inhibit_mapping: args.inhibit_policy_mapping,
        inhibit_any: args.inhibit_any_policy,
    };
    for path in &args.intermediates {
        verifier.intermediates.extend(certificates_in(path)?);
    }
    let damage = args.revocation.load(&mut verifier)?;
    if args.force && args.svg.is_none() && args.html.is_none() {
        bail!("--force has nothing to replace without --svg or --html");
    }
    if args.compat && (verifier.purpose != Purpose::Server || !args.email.is_empty() || !args.uri.is_empty()) {
        bail!("--compat tells what TLS clients say to a server; it knows no other purpose and no --email or --uri");
    }
    if args.batch {
        if let Some(damage) = damage.first() {
            bail!("{}", damage.detail);
        }
        return batch::run(file, verifier, session);
    }

    let contents = files::read(file)?;
    let document = Document::read(&contents).with_context(|| format!("cannot judge {}", shown(file)))?;
    document
        .in_order()
        .with_context(|| format!("cannot judge {}", shown(file)))
        .hint("--intermediates takes PKCS#7 as it is")?;
    let blocks = BlockReport::all(document.items());
    if !holds_certificate(document.items()) {
        let nothing = document.certificates().err().map_or_else(|| anyhow!("it holds no certificate"), Into::into);
        return Err(nothing).with_context(|| format!("cannot judge {}", shown(file)));
    }
    let mut certificates = document.items().iter().filter_map(Item::certificate).cloned();
    let leaf = certificates.next();
    verifier.intermediates.extend(certificates);

    let show = match (args.tree, args.all_paths) {
        (true, _) => Show::Tree,
        (false, true) => Show::All,
        (false, false) => Show::Best,
    };
    // Clients judge what the server sends: most fetch nothing.
    let compat = leaf.as_ref().filter(|_| args.compat).map(|leaf| compat::rows(leaf, &verifier));
    let fetches = args.fetching.fetch(&mut verifier, leaf.as_ref(), args.at)?;
    let mut report = VerifyReport::new(file, leaf.as_ref(), &verifier, blocks, damage, show);
    (report.compat, report.fetches) = (compat, fetches);
    let mut pictures = WriteSet::new(args.force);
    let drawn: Vec<String> = args.svg.iter().chain(&args.html).map(|path| shown(path)).collect();
    if let Some(path) = args.svg {
        pictures.add(path, picture::svg(&report).into_bytes(), Mode::Public);
    }
    if let Some(path) = args.html {
        pictures.add(path, picture::html(&report).into_bytes(), Mode::Public);
    }
    pictures.write(session)?;
    for file in drawn.iter().filter(|file| *file != "-") {
        session.say(format_args!("wrote {file}"));
    }
    session.answer(&report)?;
    Ok(Exit::of(report.accepted))
}

/// The names asked for. Forgetting them must not look like a check that passed.
fn identities(args: &Args) -> anyhow::Result<Vec<Identity>> {
    let hosts = args.host.iter().cloned().map(Identity::Server);
    let addresses = args.email.iter().cloned().map(Identity::Email);
    let identities: Vec<Identity> = hosts.chain(addresses).chain(args.uri.iter().cloned().map(Identity::Uri)).collect();
    if identities.is_empty() && !args.no_host {
        let missing: anyhow::Result<()> =
            Err(anyhow!("no name was given, and a certificate proves nothing without one"));
        missing.hint(
            "add --host NAME (a host name or IP address), --email or --uri, or --no-host to judge the chain alone",
        )?;
    }
    if let Some(address) = args.email.iter().find(|address| !address.contains('@')) {
        bail!("`{address}` is no e-mail address");
    }
    Ok(identities)
}

/// Whether there is a certificate in the file, well-formed or not.
fn holds_certificate(items: &[Item]) -> bool {
    items.iter().any(|item| match &item.content {
        Content::Certificate(_) => true,
        Content::Malformed { .. } => report::is_certificate_label(item.label.as_deref()),
        _ => false,
    })
}

/// Every certificate of a file that must hold some and nothing damaged.
pub(in crate::cli) fn certificates_in(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let contents = files::read(path)?;
    let document = Document::read(&contents).with_context(|| format!("cannot use {}", shown(path)))?;
    let found = document.certificates().with_context(|| format!("cannot use {}", shown(path)))?;
    Ok(found.into_iter().cloned().collect())
}
