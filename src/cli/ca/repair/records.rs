//! What `certkit ca export --records jsonl` wrote: every certificate, and how its revocation stood.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::documents::Given;
use crate::ca::Revocation;
use crate::cli::clock::parse_time;
use crate::cli::load::cannot_use;
use crate::cli::output::shown;
use crate::encoding::base64;
use crate::x509::Certificate;
use crate::x509::extension::CrlReason;

/// A line, as far as a ledger is made of it.
#[derive(Debug, Deserialize)]
struct Line {
    certificate: String,
    profile: String,
    revoked_at: Option<String>,
    reason: Option<String>,
    invalid_since: Option<String>,
}

/// Reads such a file; `None` where it is another one, by its first line.
///
/// # Errors
/// Where a later line is not as the first, or says what no ledger does. Its number is told.
pub(super) fn read(path: &Path, contents: &[u8]) -> anyhow::Result<Option<Vec<Given>>> {
    let first = contents.split(|octet| *octet == b'\n').next().unwrap_or_default();
    if serde_json::from_slice::<Line>(first).is_err() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for (at, line) in contents.split(|octet| *octet == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            let given = one(path, line).with_context(|| format!("{}: line {}", cannot_use(path), at + 1))?;
            all.push(given);
        }
    }
    Ok(Some(all))
}

fn one(path: &Path, line: &[u8]) -> anyhow::Result<Given> {
    let Line { certificate, profile, revoked_at, reason, invalid_since } =
        serde_json::from_slice(line).map_err(|_| anyhow!("it is no line of an export"))?;
    let der = base64::decode(&certificate).context("its certificate is no base64")?;
    let certificate = Certificate::from_der(&der).context("its certificate cannot be read")?;
    let revocation = match (revoked_at, reason) {
        (None, None) => None,
        (Some(at), Some(reason)) => {
            let known = CrlReason::from_name(&reason).filter(|reason| *reason != CrlReason::RemoveFromCrl);
            Some(Revocation {
                at: parse_time(&at)?,
                reason: known.with_context(|| format!("{reason:?} is no reason to revoke"))?,
                invalid_since: invalid_since.map(|since| parse_time(&since)).transpose()?,
            })
        }
        _ => bail!("of its revocation only a part is there"),
    };
    Ok(Given { file: shown(path), certificate, profile: Some(profile), revocation })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_export_is_none_and_half_of_one_is_a_fault() {
        let read = |contents: &str| read(Path::new("x.jsonl"), contents.as_bytes());
        for other in ["", "{}", "[]", "-----BEGIN", "{\"certificate\": 1, \"profile\": \"server\"}"] {
            assert!(read(other).unwrap().is_none(), "{other}");
        }
        let line = |rest: &str| format!("{{\"certificate\": \"AA==\", \"profile\": \"server\"{rest}}}");
        for (rest, why) in [("", "cannot be read"), (", \"certificate\": \"\"", "")] {
            let found = read(&line(rest));
            let told = found
                .map_or_else(|error| format!("{error:#}"), |found| found.map_or(String::new(), |_| "taken".into()));
            assert!(told.contains(why) && told != "taken", "{rest}: {told}");
        }
    }
}
