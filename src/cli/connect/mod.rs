//! `certkit connect`: what does a TLS server say, and would a careful client accept it?

mod judge;
mod offer;
mod outputs;
mod reach;
mod report;
mod visit;

use anyhow::anyhow;

use super::exit::Exit;
use super::output::Session;
use super::problem::Hinted;
use crate::connect::Client;
use crate::connect::http::Request;
use crate::dial::Target;
use crate::transcript::Options;

use self::judge::{Judge, JudgeArgs};
use self::offer::OfferArgs;
use self::outputs::OutputArgs;
use self::reach::ReachArgs;
use self::report::{ConnectReport, Resumption};
use self::visit::Visit;

/// Connect to a TLS server, tell what is said, and judge its certificate
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Every certificate is taken at first, so that bad ones can be told; then the chain and the name are judged as `certkit verify`
does. The signature by which the server proves to have its key is checked in any case. TLS 1.2 and 1.3 are spoken, with forward
secret key exchange; what other servers speak `--scan` finds out.

Exit status: 0 connected, and the certificate is accepted; 1 the certificate is rejected, the server refuses the handshake or
speaks no TLS; 2 it could not be reached, or says nothing.

With --json: `schema` (`certkit.connect/1`), `endpoint`, `starttls`, `accepted`, `failure` (null, or `message` and `hint`), `route`
(`resolve_ms`, `addresses`, `attempts` with `address`, `outcome` `connected`/`failed`/`timed_out`/`overtaken`, `why`, `ms`; `connect_ms`,
`local`, `peer`), `steps` (`resolve_ms`, `connect_ms`, `starttls_ms`, `handshake_ms`, `response_ms`), `verdict` (null where no certificate came,
otherwise what `certkit verify --json` says), `staple` (null, or `octets`, `status`, `this_update`, `next_update`, `fault`), `http` (with --http
`status_line`, `status`, `headers`, `body`, `complete`), `resumption` (with --resume `resumed`, `early_data` `not_allowed`/`refused`/`accepted`,
`http_status`, `failure`, `steps`, `summary`, `events`), and the transcript, `summary` and `events`, as `certkit capture --help` describes them.

For example:
  certkit connect example.com
  certkit connect localhost:8443 --roots ca.pem --explain
  certkit connect mail.example.com:587 --starttls smtp
  certkit connect 192.0.2.7 --sni www.example.com --http GET /
  certkit connect example.com --tls 1.3 --groups X25519MLKEM768 --html handshake.html
  certkit connect example.com --save-pcap tls.pcap --key-log keys.txt
  certkit connect example.com --resume --json | jq .resumption.early_data")]
pub(super) struct Args {
    /// The server: a name or an address, and a port where it is not 443 or that of --starttls
    #[arg(value_name = "HOST[:PORT]")]
    target: Target,

    #[command(flatten)]
    reach: ReachArgs,

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

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    args.outputs.check(session)?;
    let endpoint = args.reach.endpoint(args.target);
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
    let (verdict, staple) = match judge.verdict(&first.heard.chain, client.staple().as_deref()) {
        Some((verdict, staple)) => (Some(verdict), staple),
        None => (None, None),
    };
    let resumption = second.as_ref().map(|visit| Resumption::new(visit, tell(visit)));
    let steps = args.explain || args.show_secrets;
    let report = ConnectReport::new(endpoint, args.reach.protocol(), &first, tell(&first), verdict, staple, steps)
        .with(resumption);
    let visits: Vec<&Visit> = std::iter::once(&first).chain(&second).collect();
    args.outputs.write(&report, &visits, &key_log, session)?;
    session.answer(&report)?;
    match &first.failure {
        Some(failure) if !failure.is_answer() => {
            let error = anyhow!("{failure}").context(format!("no TLS with {}", report.endpoint));
            match failure.hint() {
                Some(hint) => Err(error).hint(hint),
                None => Err(error),
            }
        }
        _ => Ok(Exit::of(report.accepted)),
    }
}

/// What stands in the Host field (RFC 9112 §3.2): the name, and the port where it is not that of HTTPS.
fn host_field(name: &str, port: u16) -> String {
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    if port == 443 { name } else { format!("{name}:{port}") }
}
