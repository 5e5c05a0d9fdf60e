//! What `certkit ca export --records jsonl` wrote: every certificate, and how its revocation stood.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::documents::Given;
use crate::ca::Revocation;
use crate::cli::clock::parse_time;
use crate::cli::load::cannot_use;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::encoding::{base64, hex, pem};
use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, SerialNumber};

/// A line, as far as a ledger is made of it.
#[derive(Debug, Deserialize)]
struct Line {
    serial: Option<String>,
    fingerprint_sha256: Option<String>,
    certificate: String,
    profile: String,
    revoked_at: Option<String>,
    reason: Option<String>,
    invalid_since: Option<String>,
}

/// Reads such a file, also where an editor left a byte order mark or blank lines in it; `None` where it is another one: no line
/// of it is one of an export, and nothing says that it was one.
///
/// # Errors
/// Where a line is none of an export, or says what no ledger does: its number is told. Where the file is an export in another
/// form.
pub(super) fn read(path: &Path, contents: &[u8]) -> anyhow::Result<Option<Vec<Given>>> {
    let contents = contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents);
    let lines =
        || contents.split(|octet| *octet == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    if !lines().any(|(_, line)| serde_json::from_slice::<Line>(line).is_ok()) {
        return match form_of(contents) {
            None => Ok(None),
            Some(form) => Err(anyhow!("it is an export of a ledger {form}"))
                .with_context(|| cannot_use(path))
                .hint("one certificate a line is due, as `certkit ca export --records jsonl` writes it"),
        };
    }
    let mut all = Vec::new();
    for (at, line) in lines() {
        let given = one(path, line).with_context(|| format!("{}: line {}", cannot_use(path), at + 1))?;
        all.push(given);
    }
    Ok(Some(all))
}

/// What was made of an export, where it is one and has no line as it was written.
fn form_of(contents: &[u8]) -> Option<&'static str> {
    let text = contents.trim_ascii();
    if text.starts_with(CSV) {
        return Some("as CSV, which has no certificates in it");
    }
    let has = |needle: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    if pem::looks_like_pem(text) || !has(b"\"certificate\"") || !has(b"\"profile\"") {
        return None;
    }
    Some(match text.first() {
        Some(b'[') => "made into one list: `jq -c '.[]' FILE` makes lines of it",
        Some(b'{') if serde_json::Deserializer::from_slice(text).into_iter::<Line>().all(|line| line.is_ok()) => {
            "spread over several lines for each certificate: `jq -c . FILE` makes lines of it"
        }
        _ => "that is damaged, for no line of it is whole",
    })
}

fn one(path: &Path, line: &[u8]) -> anyhow::Result<Given> {
    let Line { serial, fingerprint_sha256, certificate, profile, revoked_at, reason, invalid_since } =
        serde_json::from_slice(line).map_err(|_| anyhow!("it is no line of an export"))?;
    let der = base64::decode(&certificate).context("its certificate is no base64")?;
    let certificate = Certificate::from_der(&der).context("its certificate cannot be read")?;
    // The revocation of a line has to be that of its certificate.
    let fingerprint = certificate.fingerprint_sha256();
    let is_fingerprint = fingerprint_sha256.is_none_or(|told| hex::decode(&told).is_some_and(|it| it == fingerprint));
    for (what, agrees) in [
        (
            "serial number",
            serial.is_none_or(|told| SerialNumber::from_hex(&told).as_ref() == Some(certificate.serial())),
        ),
        ("fingerprint", is_fingerprint),
    ] {
        if !agrees {
            return Err(anyhow!(
                "its {what} is not that of its certificate, which is for {}",
                certificate.display_name()
            ))
            .hint("somebody changed the file: take one that is as certkit ca export wrote it");
        }
    }
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

/// How `certkit ca export --records csv` begins.
const CSV: &[u8] = b"authority,serial,status,subject,";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_export_is_none_and_half_of_one_is_a_fault() {
        let read = |contents: &str| read(Path::new("x.jsonl"), contents.as_bytes());
        for other in ["", "{}", "[]", "-----BEGIN", "{\"kty\": \"EC\"}"] {
            assert!(read(other).unwrap().is_none(), "{other}");
        }
        let damaged = format!("{:#}", read("{\"certificate\": 1, \"profile\": \"server\"}").unwrap_err());
        assert!(damaged.contains("no line of it is whole"), "{damaged}");
        let line = |rest: &str| format!("{{\"certificate\": \"AA==\", \"profile\": \"server\"{rest}}}");
        for (rest, why) in [("", "cannot be read"), (", \"certificate\": \"\"", "")] {
            let found = read(&line(rest));
            let told = found
                .map_or_else(|error| format!("{error:#}"), |found| found.map_or(String::new(), |_| "taken".into()));
            assert!(told.contains(why) && told != "taken", "{rest}: {told}");
        }
    }
}
