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

For example:
  certkit connect example.com
  certkit connect mail.example.com --starttls smtp
  certkit connect [::1]:8443 --timeout 3s")]
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
