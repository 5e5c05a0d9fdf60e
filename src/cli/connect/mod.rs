//! `certkit connect`: what does a TLS server say, and would a careful client accept it?

mod compare;
mod diff;
mod reach;
mod report;
mod scan;

use super::exit::Exit;
use super::output::Session;
use crate::dial::Target;

use self::reach::ReachArgs;
use self::report::ConnectReport;
use self::scan::ScanArgs;

/// Connect to a TLS server, tell what is said, and judge its certificate
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Exit status: 0 connected; 2 the server could not be reached.

With --json: `schema` (`certkit.connect/1`), `endpoint`, `route` (`resolve_ms`, `addresses`, `attempts` with `address`, `outcome`
`connected`/`failed`/`timed_out`/`overtaken`, `why`, `ms`; `connect_ms`, `local`, `peer`).

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
  certkit connect mail.example.com --starttls smtp
  certkit connect [::1]:8443 --timeout 3s
  certkit connect example.com --scan
  certkit connect example.com --scan --json > before.json
  certkit connect example.com --scan --diff before.json
  certkit connect www.example.com --scan --diff www.example.org")]
pub(super) struct Args {
    /// The server: a name or an address, and a port where it is not 443 or that of --starttls
    #[arg(value_name = "HOST[:PORT]", required_unless_present = "scan_rules")]
    target: Option<Target>,

    #[command(flatten)]
    reach: ReachArgs,

    #[command(flatten)]
    scan: ScanArgs,

    /// What differs from this server, or from an answer saved with --json
    #[arg(long, value_name = "HOST[:PORT]|FILE.json", requires = "scan")]
    diff: Option<String>,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Some(target) = args.target else { return scan::rules(session) };
    let endpoint = args.reach.endpoint(target);
    if args.scan.scan {
        return compare::scan(&args.scan, &args.reach, endpoint, None, args.diff.as_deref(), session);
    }
    let dialled = args.reach.reach(&endpoint)?;
    session.answer(&ConnectReport::new(endpoint, dialled.route))?;
    Ok(Exit::Yes)
}
