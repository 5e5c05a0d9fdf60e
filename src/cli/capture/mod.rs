//! `certkit capture`: what was said in a recorded TLS connection?

mod extract;
mod judge;
mod keys;
mod listen;
mod report;

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};

use super::exit::Exit;
use super::files::{self, Mode, WriteSet};
use super::load;
use super::output::{Session, shown};
use super::passphrase::PassphraseSource;
use super::problem::Hinted;
use crate::transcript::{Titled, html, svg};
use crate::x509::ServerName;

use self::listen::{Filter, Listening};
use self::report::CaptureReport;

/// Tell the TLS connections in a capture: hellos, certificates, key exchange, and what is inside
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Reads pcap and pcapng, Ethernet (with VLAN tags), Linux cooked, raw IP, loopback and PPP, IPv4 and IPv6. TCP streams are put in
order; what the capture lacks is told, and records are read again behind it. TLS is found on any port, after STARTTLS too, from
SSL 3.0 to TLS 1.3. Signatures in the handshake are checked. DTLS and QUIC are counted and not read.

With the server's RSA key (--key; only for the key exchange in which the client encrypts to it: TLS_RSA_WITH_...) or a key log
(--key-log, as SSLKEYLOGFILE makes it, or embedded in the pcapng) encrypted records are opened, and Finished is checked.

Exit status: 0 told; 1 no TLS connection was found, something that was checked does not hold (a signature, a Finished), or with
--verify a certificate is rejected; 2 the capture, a key or a root could not be read.

With --json: `schema` (`certkit.capture/1`), `file`, `format`, `packets`, `first`, `last`, `damage`, `skipped` (packets by reason),
`tcp_connections`, `other_connections` (not TLS), `not_told` (TLS connections left out: `filtered`, `too_many`), `dtls_flows`,
`quic_flows`, `connections`. Each of these has `client`, `server` (addresses), `begun`, `tcp` (`how` it ended, and `client`, `server`:
`packets`, `bytes`, `out_of_order`, `retransmitted`, `different`, `missing`, `syn`, `fin`, `rst`), with --verify `verdict` (`accepted`, `name`,
`at`, `reasons`), `summary` and `events`. The summary has `outcome` (`completed`, `failed`, `incomplete`), `version`, `cipher_suite`, `server_name`,
`protocol`, `key_exchange`, `forward_secret`, `signature`, `signature_holds`, `resumed`, `stapled`, `client_certificate`, `decrypted_with`,
`finished_verified`, `alerts`, `times`, `application_data`, `records_omitted`, `remarks`, `certificates`, `client_certificates`. An event has `at`, `after_ms`,
`from` (`client`, `server`), `kind`, `headline`, `content_type`, `record_version`, `range` (in the sender's stream), `protection` (`plain`, `encrypted`,
`decrypted`), `fields` by the names of RFC 8446 and 5246 (code points as `code` and `name`, bytes in hexadecimal), `remarks` (`weight`
`good`/`note`/`warning`/`wrong`, `text`), `explanation` (with --explain), `derived` (what was computed from it: `name`, `formula`, `octets`, and with
--show-secrets `value`), `length`, `bytes`.

For example:
  certkit capture handshake.pcap
  certkit capture handshake.pcap --explain --html handshake.html
  certkit capture handshake.pcapng --key-log keys.txt --follow
  certkit capture handshake.pcap --key server.pem --explain
  certkit capture big.pcap --sni example.com --verify --roots ca.pem
  tcpdump -i any -w - port 443 | certkit capture - --json | jq '.connections[].summary'")]
pub(super) struct Args {
    /// The capture: pcap or pcapng; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only connections with an end at this address; with --verify a host name is taken as --name
    #[arg(long, value_name = "ADDRESS")]
    host: Vec<ServerName>,

    /// Only connections that ask for this server name
    #[arg(long, value_name = "NAME")]
    sni: Vec<String>,

    /// Say of each message what it is for
    #[arg(long)]
    explain: bool,

    /// The server's RSA private key: opens connections with RSA key exchange
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,

    /// Where the passphrase of an encrypted --key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE", requires = "key")]
    passphrase: Option<PassphraseSource>,

    /// A TLS key log (RFC 9850), as browsers and curl write it to SSLKEYLOGFILE
    #[arg(long, value_name = "FILE")]
    key_log: Vec<PathBuf>,

    /// Show all application data that could be opened
    #[arg(long)]
    follow: bool,

    /// Show the secrets that were computed
    #[arg(long)]
    show_secrets: bool,

    /// Judge each server's certificate, as of the time of its connection
    #[arg(long)]
    verify: bool,

    /// With --verify, the trusted roots: a file of certificates, or `system`
    #[arg(long, value_name = "FILE|system", requires = "verify")]
    roots: Vec<PathBuf>,

    /// With --verify, the name the certificate must be for, in place of the one the client asked for
    #[arg(long, value_name = "NAME", requires = "verify")]
    name: Option<ServerName>,

    /// Write every certificate that was shown into this folder
    #[arg(long, value_name = "DIR")]
    extract_certs: Option<PathBuf>,

    /// Write a page with the messages as a ladder, each opening to its content; it needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Draw the ladder of the first connection as an SVG picture
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Replace the files that are there
    #[arg(long)]
    force: bool,
}

impl Args {
    /// What --host says: addresses to choose connections by, and the name to judge by, for which `verify` and `connect` have
    /// this flag.
    fn hosts(&self) -> anyhow::Result<(Vec<IpAddr>, Option<ServerName>)> {
        let (mut addresses, mut name) = (Vec::new(), self.name.clone());
        for host in &self.host {
            match host {
                ServerName::Ip(address) => addresses.push(*address),
                ServerName::Dns(_) if self.verify && name.is_none() => name = Some(host.clone()),
                ServerName::Dns(_) if self.verify => {
                    return Err(anyhow!("certificates are judged by one name, and {host} is another"))
                        .hint("--sni NAME chooses the connections that ask for a name");
                }
                ServerName::Dns(_) => {
                    return Err(anyhow!("--host takes an address, and {host} is a name")).hint(
                        "--sni NAME chooses the connections that ask for it; with --verify it is the name to judge by",
                    );
                }
            }
        }
        Ok((addresses, name))
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    if args.force && args.svg.is_none() && args.html.is_none() && args.extract_certs.is_none() {
        bail!("--force has nothing to replace without --svg, --html or --extract-certs");
    }
    WriteSet::check(args.html.iter().chain(&args.svg).map(PathBuf::as_path), args.force, session)?;
    let (addresses, name) = args.hosts()?;
    let judge = match args.verify {
        true => Some(judge::Judge::new(&args.roots, name, session)?),
        false => None,
    };
    let secrets = keys::load(&args.key, args.passphrase.as_ref(), &args.key_log, session)?;
    let has_keys = !secrets.is_empty();
    let filter = Filter::new(addresses, args.sni.clone());
    let detailed = session.json() || args.html.is_some();
    let mut heard = Listening::new(filter, secrets, args.explain, args.follow, detailed).read(&args.file, session)?;
    if (args.follow || args.show_secrets) && !has_keys && !heard.has_key_log {
        let flag = if args.follow { "--follow" } else { "--show-secrets" };
        return Err(anyhow!("{flag} has no effect without keys, and {} has none in it", load::name(&args.file)))
            .hint("--key-log FILE, or for RSA key exchange --key FILE");
    }
    for told in &mut heard.connections {
        if args.show_secrets {
            told.transcript.reveal_secrets();
        }
        if let Some(judge) = &judge {
            told.verdict = judge.verdict(&told.transcript, told.server);
        }
    }
    let failure = heard.failure.take();
    let report = CaptureReport::new(load::name(&args.file), heard, args.follow, args.show_secrets || args.explain);
    write_files(args, &report, session)?;
    session.answer(&report)?;
    if let Some(why) = failure {
        session.fail(&anyhow!("{why}").context(format!("cannot read all of {}", report.file)));
    }
    Ok(Exit::of(report.is_sound()))
}

fn write_files(args: Args, report: &CaptureReport, session: &mut Session) -> anyhow::Result<()> {
    let mut files = WriteSet::new(args.force);
    let mut written: Vec<String> = args.html.iter().chain(&args.svg).map(|path| shown(path)).collect();
    let titles = report.titles();
    let titled: Vec<Titled<'_>> = report.titled(&titles);
    if let Some(path) = args.html {
        let page = html(&format!("TLS in {}", report.file), &titled);
        // A page with decrypted data or secrets is not for everybody's eyes.
        files.add(path, page.into_bytes(), if report.is_opened() { Mode::Secret } else { Mode::Public });
    }
    if let Some(path) = args.svg {
        let first = titled.first().context("there is no TLS connection to draw")?;
        files.add(path, svg(*first).into_bytes(), Mode::Public);
    }
    if let Some(folder) = args.extract_certs {
        let mut found = extract::certificates(report, &folder)?;
        // The name has the fingerprint in it: what is there already is what would be written.
        found.retain(|(path, pem)| {
            let is_there = files::read(path).is_ok_and(|there| *there == *pem);
            if is_there {
                session.say(format_args!("{} is there already", shown(path)));
            }
            !is_there
        });
        written.extend(found.iter().map(|(path, _)| shown(path)));
        if !found.is_empty() {
            files::make_private_folder(&folder)?;
        }
        for (path, pem) in found {
            files.add(path, pem, Mode::Public);
        }
    }
    files.write(session)?;
    for file in written.iter().filter(|file| *file != "-") {
        session.say(format_args!("wrote {file}"));
    }
    Ok(())
}
