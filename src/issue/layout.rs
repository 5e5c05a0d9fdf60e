//! Lays certificates and requests out. The only place that names `rcgen`.
//!
//! rcgen keeps one value per attribute type in a name, writes only the keys and algorithms of its own list, and signs by
//! itself. So it signs with a stand-in that records what it is given, and the recorded structure gets the exact octets of
//! the algorithm, the names and the key put in their places.

use std::cell::RefCell;

use super::error::IssueError;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::{Extension, SerialNumber, Validity};
use time::UtcOffset;

/// What a certificate is made of, each part encoded.
pub(super) struct Fields<'a> {
    pub(super) serial: &'a SerialNumber,
    pub(super) algorithm: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) validity: Validity,
    pub(super) subject: &'a [u8],
    pub(super) public_key_info: &'a [u8],
    pub(super) extensions: &'a [Extension],
}

/// `tbsCertificate` (RFC 5280 §4.1).
pub(super) fn tbs_certificate(fields: &Fields<'_>) -> Result<Vec<u8>, IssueError> {
    let mut params = empty_params(fields.extensions)?;
    params.serial_number = Some(rcgen::SerialNumber::from_slice(fields.serial.content()));
    params.not_before = fields.validity.not_before.to_offset(UtcOffset::UTC);
    params.not_after = fields.validity.not_after.to_offset(UtcOffset::UTC);
    let recorder = Recorder::default();
    params.self_signed(&recorder).map_err(layout)?;
    with_our_parts(&recorder.message.into_inner(), fields).map_err(layout)
}

/// `certificationRequestInfo` (RFC 2986 §4.1).
pub(super) fn request_info(
    subject: &[u8],
    public_key_info: &[u8],
    extensions: &[Extension],
) -> Result<Vec<u8>, IssueError> {
    let recorder = Recorder::default();
    empty_params(extensions)?.serialize_request(&recorder).map_err(layout)?;
    let recorded = recorder.message.into_inner();
    let splice = || {
        let mut parts = der::only_reader(&recorded, tag::SEQUENCE)?;
        let version = parts.expect_tlv(tag::INTEGER)?.raw;
        parts.expect(tag::SEQUENCE)?;
        parts.expect(tag::SEQUENCE)?;
        Ok(der::sequence(&[version, subject, public_key_info, parts.rest()]))
    };
    splice().map_err(|error: DerError| layout(error))
}

/// The signed structure: what was signed, the algorithm, the signature (RFC 5280 §4.1.1, RFC 2986 §4.2).
pub(super) fn signed(message: &[u8], algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    der::sequence(&[message, algorithm, &der::bit_string(signature)])
}

fn with_our_parts(recorded: &[u8], fields: &Fields<'_>) -> Result<Vec<u8>, DerError> {
    let mut parts: Reader<'_> = der::only_reader(recorded, tag::SEQUENCE)?;
    let version = parts.expect_tlv(tag::context_constructed(0))?.raw;
    let serial = parts.expect_tlv(tag::INTEGER)?.raw;
    parts.expect(tag::SEQUENCE)?;
    parts.expect(tag::SEQUENCE)?;
    let validity = parts.expect_tlv(tag::SEQUENCE)?.raw;
    parts.expect(tag::SEQUENCE)?;
    parts.expect(tag::SEQUENCE)?;
    let extensions = parts.rest();
    Ok(der::sequence(&[
        version,
        serial,
        fields.algorithm,
        fields.issuer,
        validity,
        fields.subject,
        fields.public_key_info,
        extensions,
    ]))
}

/// Parameters that hold our extensions and nothing of rcgen's own making.
fn empty_params(extensions: &[Extension]) -> Result<rcgen::CertificateParams, IssueError> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for extension in extensions {
        let arcs = arcs(&extension.oid).ok_or_else(|| layout(&extension.oid))?;
        let mut custom = rcgen::CustomExtension::from_oid_content(&arcs, extension.value.clone());
        custom.set_criticality(extension.critical);
        params.custom_extensions.push(custom);
    }
    Ok(params)
}

fn arcs(oid: &Oid) -> Option<Vec<u64>> {
    oid.arcs().into_iter().map(|arc| arc.try_into().ok()).collect()
}

fn layout(error: impl std::fmt::Display) -> IssueError {
    IssueError::Layout(error.to_string())
}

/// Stands in for a key: records what it is given to sign.
#[derive(Default)]
struct Recorder {
    message: RefCell<Vec<u8>>,
}

impl rcgen::PublicKeyData for Recorder {
    fn der_bytes(&self) -> &[u8] {
        &[]
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Recorder {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.message.replace(message.to_vec());
        Ok(Vec::new())
    }
}
