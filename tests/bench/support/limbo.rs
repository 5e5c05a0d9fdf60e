//! The core cases of x509-limbo, read from `CERTKIT_LIMBO` or `../shared/conformance`, decoded to DER beforehand so
//! that only judging is measured.

use std::path::PathBuf;

use certkit::encoding::pem;
use certkit::verify::Identity;
use certkit::x509::ServerName;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One case: who is judged, by whom, when, for what.
pub struct Case {
    /// Its name.
    pub id: String,
    /// The judged certificate.
    pub leaf: Vec<u8>,
    /// Trust anchors.
    pub anchors: Vec<Vec<u8>>,
    /// Other certificates.
    pub intermediates: Vec<Vec<u8>>,
    /// The moment of judgment.
    pub at: OffsetDateTime,
    /// Whether the leaf is a client's.
    pub client: bool,
    /// The host asked for, in both vocabularies.
    pub host: Option<(Identity, rustls_pki_types::ServerName<'static>)>,
}

/// The cases, or nothing where they are not to be had.
pub fn cases() -> Option<Vec<Case>> {
    let named = std::env::var_os("CERTKIT_LIMBO").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let text = std::fs::read_to_string(named.unwrap_or(beside).join("limbo-core.json")).ok()?;
    let limbo: Value = serde_json::from_str(&text).unwrap();
    Some(limbo["testcases"].as_array().unwrap().iter().filter_map(case).collect())
}

fn case(case: &Value) -> Option<Case> {
    let name = &case["expected_peer_name"];
    let host = match name["value"].as_str() {
        // Names that are no server's have no counterpart in rustls-webpki.
        Some(text) => Some((
            Identity::Server(text.parse::<ServerName>().ok()?),
            rustls_pki_types::ServerName::try_from(text.to_owned()).ok()?,
        )),
        None => None,
    };
    let at = match case["validation_time"].as_str() {
        Some(text) => OffsetDateTime::parse(text, &Rfc3339).unwrap(),
        None => OffsetDateTime::now_utc(),
    };
    Some(Case {
        id: case["id"].as_str().unwrap().to_owned(),
        leaf: der(&case["peer_certificate"]),
        anchors: case["trusted_certs"].as_array().unwrap().iter().map(der).collect(),
        intermediates: case["untrusted_intermediates"].as_array().unwrap().iter().map(der).collect(),
        at,
        client: case["validation_kind"] == "CLIENT",
        host,
    })
}

fn der(text: &Value) -> Vec<u8> {
    pem::read(text.as_str().unwrap().as_bytes()).pop().unwrap().unwrap().contents.to_vec()
}
