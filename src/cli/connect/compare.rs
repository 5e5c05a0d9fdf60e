//! One server told, or two compared.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::diff;
use super::reach::ReachArgs;
use super::scan::{self, ScanArgs};
use crate::cli::exit::Exit;
use crate::cli::output::{Session, shown};
use crate::dial::{Endpoint, Target};
use crate::x509::ServerName;

/// What an answer is compared with.
pub(super) enum Other<'a> {
    /// An answer saved with `--json`.
    Saved(&'a Path),
    /// Another server.
    Server(Target),
}

impl<'a> Other<'a> {
    /// A name that ends in `.json` is a file's, and so is `-`.
    pub(super) fn of(text: &'a str) -> anyhow::Result<Self> {
        let path = Path::new(text);
        let is_file = text == "-" || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        match is_file {
            true => Ok(Self::Saved(path)),
            false => {
                let target =
                    text.parse().with_context(|| format!("--diff {text} is neither a server nor a .json file"))?;
                Ok(Self::Server(target))
            }
        }
    }
}

/// Scans a server, and where another or a saved scan is named, says what differs.
pub(super) fn scan(
    args: &ScanArgs,
    reach: &ReachArgs,
    endpoint: Endpoint,
    sni: Option<&ServerName>,
    other: Option<&str>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let other = other.map(Other::of).transpose()?;
    // A file that cannot be used is told before a server is asked a hundred times.
    let saved = match &other {
        Some(Other::Saved(path)) => Some((shown(path), diff::saved(path, scan::SCHEMA)?)),
        _ => None,
    };
    let ask = |endpoint: Endpoint, session: &mut Session| {
        let name = sni.cloned().unwrap_or_else(|| endpoint.host.clone());
        scan::ask(args, reach, endpoint, &name, session)
    };
    let left = ask(endpoint, session)?;
    let (name, right) = match (other, saved) {
        (None, _) => {
            session.answer(&left)?;
            if let Some(why) = left.incomplete() {
                session.fail(&anyhow!("{why}").context(format!("cannot finish the scan of {}", left.endpoint)));
            }
            return Ok(Exit::of(left.is_acceptable()));
        }
        (Some(Other::Server(target)), _) => {
            let right = ask(reach.endpoint(target), session)?;
            finished(&right)?;
            (right.endpoint.clone(), serde_json::to_value(&right)?)
        }
        (Some(Other::Saved(_)), saved) => saved.context("nothing was saved")?,
    };
    finished(&left)?;
    told(session, (left.endpoint.clone(), serde_json::to_value(&left)?), (name, right))
}

/// What was not finished cannot be compared: what is missing would look like a difference.
fn finished(report: &scan::ScanReport) -> anyhow::Result<()> {
    match report.incomplete() {
        Some(why) => Err(anyhow!("{why}").context(format!("cannot finish the scan of {}", report.endpoint))),
        None => Ok(()),
    }
}

/// Says what differs.
pub(super) fn told(session: &mut Session, left: (String, Value), right: (String, Value)) -> anyhow::Result<Exit> {
    let report = diff::compare((left.0, &left.1), (right.0, &right.1));
    session.answer(&report)?;
    Ok(Exit::of(report.is_same()))
}
