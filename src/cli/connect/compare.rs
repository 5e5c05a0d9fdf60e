//! One server told, or two compared.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::diff;
use super::report;
use super::scan;
use super::{Args, Connected};
use crate::cli::exit::Exit;
use crate::cli::output::{Session, shown};
use crate::dial::{Endpoint, Target};

/// What an answer is compared with.
enum Other {
    /// An answer saved with `--json`, and its name.
    Saved((String, Value)),
    /// Another server.
    Server(Target),
}

impl Other {
    /// A name that ends in `.json` is a file's, and so is `-`. It is read at once, and has to be of this schema: a file that
    /// cannot be used is told before a server is asked a hundred times.
    fn of(text: &str, schema: &str) -> anyhow::Result<Self> {
        let path = Path::new(text);
        let is_file = text == "-" || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        match is_file {
            true => Ok(Self::Saved((shown(path), diff::saved(path, schema)?))),
            false => {
                let target =
                    text.parse().with_context(|| format!("--diff {text} is neither a server nor a .json file"))?;
                Ok(Self::Server(target))
            }
        }
    }
}

/// Scans a server, and where another or a saved scan is named, says what differs.
pub(super) fn scan(args: &Args, endpoint: Endpoint, session: &mut Session) -> anyhow::Result<Exit> {
    let other = args.diff.as_deref().map(|other| Other::of(other, scan::SCHEMA)).transpose()?;
    let ask = |endpoint: Endpoint, session: &mut Session| {
        let name = args.offer.sni.clone().unwrap_or_else(|| endpoint.host.clone());
        scan::ask(&args.scan, &args.reach, endpoint, &name, session)
    };
    let left = ask(endpoint, session)?;
    let Some(other) = other else {
        session.answer(&left)?;
        if let Err(unfinished) = finished(&left) {
            session.fail(&unfinished);
        }
        return Ok(Exit::of(left.is_acceptable()));
    };
    let right = match other {
        Other::Server(target) => named(&ask(args.reach.endpoint(target), session)?)?,
        Other::Saved(saved) => saved,
    };
    told(session, named(&left)?, right)
}

/// Connects to a server, and says in what its answer differs from another's, or from a saved one.
pub(super) fn connect(args: &Args, endpoint: Endpoint, other: &str, session: &mut Session) -> anyhow::Result<Exit> {
    let other = Other::of(other, report::SCHEMA)?;
    let ask = |endpoint: Endpoint, session: &mut Session| {
        let Connected { report, first, .. } = super::connect(args, endpoint, session)?;
        super::unanswered(&report, &first)?;
        Ok::<_, anyhow::Error>((report.endpoint.to_string(), serde_json::to_value(&report)?))
    };
    let left = ask(endpoint, session)?;
    let right = match other {
        Other::Server(target) => ask(args.reach.endpoint(target), session)?,
        Other::Saved(saved) => saved,
    };
    told(session, left, right)
}

/// A scan with the name of its server. What was not finished cannot be compared: what is missing would look like a difference.
fn named(report: &scan::ScanReport) -> anyhow::Result<(String, Value)> {
    finished(report)?;
    Ok((report.endpoint.clone(), serde_json::to_value(report)?))
}

fn finished(report: &scan::ScanReport) -> anyhow::Result<()> {
    match report.incomplete() {
        Some(why) => Err(anyhow!("{why}").context(format!("cannot finish the scan of {}", report.endpoint))),
        None => Ok(()),
    }
}

/// Says what differs.
fn told(session: &mut Session, left: (String, Value), right: (String, Value)) -> anyhow::Result<Exit> {
    let report = diff::compare((left.0, &left.1), (right.0, &right.1));
    session.answer(&report)?;
    Ok(Exit::of(report.is_same()))
}
