//! `certkit connect`: what does a TLS server say, and would a careful client accept it?

mod compare;
mod diff;
mod judge;
mod offer;
mod outputs;
mod reach;
mod report;
mod scan;
mod visit;

use anyhow::anyhow;
use zeroize::Zeroizing;

use super::exit::Exit;
use super::output::Session;
use super::problem::Hinted;
use crate::connect::Client;
use crate::connect::http::Request;
use crate::dial::{Endpoint, Target};
use crate::transcript::Options;

use self::judge::{Judge, JudgeArgs};
use self::offer::OfferArgs;
use self::outputs::OutputArgs;
use self::reach::ReachArgs;
use self::report::{ConnectReport, Resumption};
use self::scan::ScanArgs;
use self::visit::Visit;

/// Connect to a TLS server, tell what is said, and judge its certificate
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Every certificate is taken at first, so that bad ones can be told; then the chain and the name are judged as `certkit verify`
does. The signature by which the server proves to have its key is checked in any case. TLS 1.2 and 1.3 are spoken, with forward
secret key exchange; what other servers speak `--scan` finds out.

Nothing is fetched without --fetch-issuers or --fetch-revocation; what `certkit verify --help` says of them holds here too.

Exit status: 0 connected, and the certificate is accepted; 1 the certificate is rejected, the server refuses the handshake or
speaks no TLS; 2 it could not be reached, or says nothing.

With --json: `schema` (`certkit.connect/1`), `endpoint`, `starttls`, `accepted`, `failure` (null, or `message` and `hint`), `route`
(`resolve_ms`, `addresses`, `attempts` with `address`, `outcome` `connected`/`failed`/`timed_out`/`overtaken`, `why`, `ms`; `connect_ms`,
`local`, `peer`), `steps` (`resolve_ms`, `connect_ms`, `starttls_ms`, `handshake_ms`, `response_ms`), `verdict` (null where no certificate came,
otherwise what `certkit verify --json` says), `staple` (null, or `octets`, `status`, `this_update`, `next_update`, `fault`), `http` (with --http
`status_line`, `status`, `headers`, `body`, `complete`), `resumption` (with --resume `resumed`, `early_data` `not_allowed`/`refused`/`accepted`,
`http_status`, `failure`, `steps`, `summary`, `events`), and the transcript, `summary` and `events`, as `certkit capture --help` describes them.

With --scan the server is asked for every version from SSL 2.0 on, every registered cipher suite, group and signature, one
question a connection, and is graded. Exit status: 0 the grade is A or B; 1 it is C or F: something is forbidden or attackable;
2 the scan could not be made or finished. --json has then: `schema` (`certkit.scan/1`), `endpoint`, `address`, `starttls`, `at`, `grade`,
`findings` (`rule`, `severity` `broken`/`weak`/`dated`/`note`, `clause`, `words`, `found`), `versions` (`version`, `supported` `yes`/`no`/`unknown`,
`refusal`, `suites` with `suite`, `code`, `key_exchange`, `group`, `exchange_bits`, `prime`, `cipher_bits`, `weaknesses`; `complete`,
`ssl2_ciphers`, `suite_preference` `server`/`client`/`mixed`, `groups`, `group_preference`, `signature_schemes`, `usual_signature`, `remarks`),
`certificates` (`name`, `names`, `issuer`, `key`, `key_bits`, `signature`, `not_before`, `not_after`, `sha256`, `spki_sha256`, `versions`, `chain`,
`problem`), `features` (null where not asked or without meaning: `alpn`, `secure_renegotiation`, `extended_master_secret`, `encrypt_then_mac`,
`session_ticket`, `session_id`, `ocsp_stapling`, `certificate_timestamps`, `heartbeat`, `compression`, `fallback_scsv`, `downgrade_sentinel`,
`hello_retry_request`, `certificate_compression`, `client_certificate`, `reused_key_exchange`, `tolerates_grease`, `tolerates_future_version`,
`tolerates_long_hello`, `answers_without_server_name`), `connections`, `incomplete`. --scan-rules: `schema` (`certkit.scan-rules/1`),
`rules` (`rule`, `severity`, `grade`, `clause`, `words`).

--diff compares with another server, or with an answer saved with --json (a name that ends in .json, or -). Exit status: 0 no
difference; 1 there are some; 2 one of the two could not be had. --json: `schema` (`certkit.diff/1`), `left`, `right`, `same`, `differences`
(`at`, and `left`, `right`, or for lists `only_left`, `only_right`).

For example:
  certkit connect example.com
  certkit connect localhost:8443 --roots ca.pem --explain
  certkit connect mail.example.com:587 --starttls smtp
  certkit connect 192.0.2.7 --sni www.example.com --http GET /
  certkit connect example.com --tls 1.3 --groups X25519MLKEM768 --html handshake.html
  certkit connect example.com --save-pcap tls.pcap --key-log keys.txt
  certkit connect example.com --resume --json | jq .resumption.early_data
  certkit connect example.com --scan
  certkit connect example.com --scan --json > before.json
  certkit connect example.com --scan --diff before.json
  certkit connect www.example.com --diff www.example.org")]
pub(super) struct Args {
    /// The server: a name or an address, and a port where it is not 443 or that of --starttls
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "scan_rules")]
    target: Option<Target>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    scan: ScanArgs,

    /// What differs from this server, or from an answer saved with --json
    #[arg(long, value_name = "HOST[:PORT]|FILE.json", conflicts_with_all = NOT_COMPARED)]
    diff: Option<String>,

    /// Then send a request of HTTP/1.1 (GET, HEAD or OPTIONS), and show the response
    #[arg(long, num_args = 2, value_names = ["METHOD", "PATH"])]
    http: Option<Vec<String>>,

    /// Connect a second time: does the server resume the session, does it take early data (0-RTT)?
    #[arg(long)]
    resume: bool,

    /// Say of each message what it is for
    #[arg(long)]
    explain: bool,

    /// Show the secrets of the connection
    #[arg(long)]
    show_secrets: bool,

    #[command(flatten)]
    offer: OfferArgs,

    #[command(flatten)]
    judge: JudgeArgs,

    #[command(flatten)]
    outputs: OutputArgs,
}

/// What has no effect where two answers are compared.
const NOT_COMPARED: [&str; 10] =
    ["save_chain", "save_pcap", "key_log", "html", "svg", "force", "http", "resume", "explain", "show_secrets"];

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Some(target) = args.target.clone() else { return scan::rules(session) };
    args.outputs.check(session)?;
    let endpoint = args.reach.endpoint(target);
    if args.scan.scan {
        return compare::scan(&args, endpoint, session);
    }
    if let Some(other) = args.diff.as_deref() {
        return compare::connect(&args, endpoint, other, session);
    }
    let Connected { report, first, second, key_log } = connect(&args, endpoint, session)?;
    let visits: Vec<&Visit> = std::iter::once(&first).chain(&second).collect();
    args.outputs.write(&report, &visits, &key_log, session)?;
    session.answer(&report)?;
    unanswered(&report, &first)?;
    Ok(Exit::of(report.accepted))
}

/// A server that was talked to.
struct Connected {
    report: ConnectReport,
    first: Visit,
    second: Option<Visit>,
    key_log: Zeroizing<String>,
}

fn connect(args: &Args, endpoint: Endpoint, session: &mut Session) -> anyhow::Result<Connected> {
    let judge = Judge::new(&args.judge, args.offer.sni.as_ref(), &endpoint, session)?;
    let offer = args.offer.offer(&endpoint, args.http.is_some(), args.resume)?;
    let request = match args.http.as_deref() {
        Some([method, path]) => Some(Request::new(method, path, &host_field(&offer.name.to_string(), endpoint.port))?),
        _ => None,
    };
    let client = Client::new(&offer)?;

    let first = Visit::make(&client, &endpoint, &args.reach, request.as_ref(), &[])?;
    let second = match args.resume && first.failure.is_none() {
        true => {
            let early = request.as_ref().map(Request::encode).unwrap_or_default();
            Some(Visit::make(&client, &endpoint, &args.reach, request.as_ref(), &early)?)
        }
        false => None,
    };

    let key_log = client.key_log();
    let tell = |visit: &Visit| {
        let mut transcript = visit.heard.tell(&key_log, Options { explain: args.explain, ..Options::default() })?;
        if args.show_secrets {
            transcript.reveal_secrets();
        }
        Some(transcript)
    };
    let (verdict, staple) = match judge.verdict(&first.heard.chain, client.staple().as_deref())? {
        Some((verdict, staple)) => (Some(verdict), staple),
        None => (None, None),
    };
    let resumption = second.as_ref().map(|visit| Resumption::new(visit, tell(visit)));
    let steps = args.explain || args.show_secrets;
    let report = ConnectReport::new(endpoint, args.reach.starttls, &first, tell(&first), verdict, staple, steps)
        .with(resumption);
    Ok(Connected { report, first, second, key_log })
}

/// The error of a connection that gave no answer.
fn unanswered(report: &ConnectReport, visit: &Visit) -> anyhow::Result<()> {
    match &visit.failure {
        Some(failure) if !failure.is_answer() => {
            let error = anyhow!("{failure}").context(format!("no TLS with {}", report.endpoint));
            Err(error).hint_if(failure.hint())
        }
        _ => Ok(()),
    }
}

/// What stands in the Host field (RFC 9112 §3.2): the name, and the port where it is not that of HTTPS.
fn host_field(name: &str, port: u16) -> String {
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    if port == 443 { name } else { format!("{name}:{port}") }
}
