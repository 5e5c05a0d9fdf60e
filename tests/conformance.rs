//! x509-limbo (and BetterTLS within it), read from `CERTKIT_LIMBO` or `../shared/conformance`; never copied here.
//!
//! A case is run with the policy its namespace names. Known divergences stand in `DIVERGENCES` with the reason; an
//! unexpected success fails as much as an unexpected failure.

use std::path::PathBuf;

use certkit::encoding::pem;
use certkit::verify::{Identity, Policy, Purpose, Verifier};
use certkit::x509::{Certificate, CertificateRevocationList, X509Error};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support;
use crate::support::clock::processor_time;

/// Cases whose expected result is not certkit's, each with the reason.
const DIVERGENCES: &[(&str, &str)] = &[];

#[test]
fn limbo_core_is_judged_as_it_should_be() {
    run("limbo-core.json");
}

#[test]
fn limbo_name_constraints_are_judged_as_they_should_be() {
    run("limbo-nameconstraints.json");
}

fn run(file: &str) {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let limbo: Value = serde_json::from_str(&text).unwrap();
    let cases = limbo["testcases"].as_array().unwrap();
    assert!(!cases.is_empty(), "{file} has no cases");

    let (mut wrong, mut right) = (Vec::new(), 0);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let started = processor_time();
        let judged = judge(case);
        let expected = case["expected_result"] == "SUCCESS";
        let diverges = DIVERGENCES.iter().find(|(known, _)| *known == id);
        let taken = processor_time() - started;
        assert!(taken.as_secs() < 5, "{id} took {taken:?} of processor time");
        match (judged.is_ok() == expected, diverges) {
            (true, None) => right += 1,
            (false, Some(_)) => {}
            (true, Some((_, reason))) => wrong.push(format!("{id}: judged as expected, though: {reason}")),
            (false, None) => wrong.push(format!("{id}: expected {}, {}", case["expected_result"], told(&judged))),
        }
    }
    assert!(wrong.is_empty(), "{right} of {} right in {file}; wrong:\n{}", cases.len(), wrong.join("\n"));
}

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("CERTKIT_LIMBO").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let folder = named.or_else(|| beside.is_dir().then_some(beside));
    folder.or_else(|| {
        support::pass_over("no x509-limbo: CERTKIT_LIMBO names no folder and ../shared/conformance is not there")
    })
}

/// `Ok` with the length of the path, or why not.
fn judge(case: &Value) -> Result<usize, String> {
    let parsed = (|| -> Result<(Certificate, Vec<Certificate>, Vec<Certificate>), X509Error> {
        Ok((
            certificate(&case["peer_certificate"])?,
            certificates(&case["trusted_certs"])?,
            certificates(&case["untrusted_intermediates"])?,
        ))
    })();
    let (leaf, anchors, intermediates) = parsed.map_err(|error| format!("parse: {error}"))?;
    let at = match case["validation_time"].as_str() {
        Some(text) => OffsetDateTime::parse(text, &Rfc3339).unwrap(),
        None => OffsetDateTime::now_utc(),
    };
    let mut verifier = Verifier::new(anchors, at);
    verifier.intermediates = intermediates;
    verifier.policy = match case["id"].as_str().unwrap().split("::").next().unwrap() {
        "rfc5280" | "pathlen" => Policy::Rfc5280,
        "webpki" => Policy::WebPki,
        _ => Policy::Tls,
    };
    let client = case["validation_kind"] == "CLIENT";
    verifier.purpose = if client { Purpose::Client } else { Purpose::Server };
    let single = Some(&case["expected_peer_name"]).filter(|name| !name.is_null());
    for name in single.into_iter().chain(case["expected_peer_names"].as_array().into_iter().flatten()) {
        let value = name["value"].as_str().unwrap();
        verifier.identities.push(match name["kind"].as_str().unwrap() {
            "RFC822" => Identity::Email(value.to_owned()),
            _ => Identity::Server(value.parse().map_err(|error| format!("name: {error}"))?),
        });
    }
    if let Some(depth) = case["max_chain_depth"].as_u64() {
        verifier.max_depth = depth as usize;
    }
    for text in case["crls"].as_array().into_iter().flatten() {
        let block = pem::read(text.as_str().unwrap().as_bytes()).pop().unwrap().unwrap();
        let list = CertificateRevocationList::from_der(&block.contents);
        verifier.revocation_lists.push(list.map_err(|error| format!("parse: {error}"))?);
    }
    let verdict = verifier.judge(&leaf);
    match verdict.accepted_path() {
        Some(path) => Ok(path.len()),
        None => Err(verdict.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

fn told(judged: &Result<usize, String>) -> String {
    match judged {
        Ok(length) => format!("accepted a path of {length}"),
        Err(why) => format!("refused: {why}"),
    }
}

fn certificate(text: &Value) -> Result<Certificate, X509Error> {
    let block = pem::read(text.as_str().unwrap().as_bytes()).pop().unwrap().unwrap();
    Certificate::from_der(&block.contents)
}

fn certificates(list: &Value) -> Result<Vec<Certificate>, X509Error> {
    // An unused certificate that does not parse is no reason to refuse the path without it.
    Ok(list.as_array().unwrap().iter().filter_map(|text| certificate(text).ok()).collect())
}
