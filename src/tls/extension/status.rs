//! status_request and what answers it (RFC 6066 §8, RFC 6961, RFC 8446 §4.4.2.1).

use crate::tls::code::CertificateStatusType;
use crate::tls::wire::{DecodeError, Fault, Reader, Writer};

const CLAUSE: &str = "RFC 6066 §8";
const CLAUSE_V2: &str = "RFC 6961 §2.2";

/// A client's wish for an OCSP response with the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// OCSP, or OCSP for the whole chain.
    pub status_type: CertificateStatusType,
    /// The responders it trusts, as ResponderIDs in DER; none leaves it to the server.
    pub responder_ids: Vec<Vec<u8>>,
    /// Extensions of the OCSP request in DER; mostly empty.
    pub request_extensions: Vec<u8>,
}

/// OCSP responses that come with a certificate: the message CertificateStatus of TLS 1.2, or the extension of TLS 1.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStatus {
    /// OCSP, or OCSP for the whole chain.
    pub status_type: CertificateStatusType,
    /// OCSP responses in DER: exactly one of `ocsp`; of `ocsp_multi` one for each certificate, empty where there is none.
    pub responses: Vec<Vec<u8>>,
}

impl CertificateStatus {
    pub(in crate::tls) fn read(reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut reader = reader.within("CertificateStatus", CLAUSE);
        let at = reader;
        let status_type = CertificateStatusType(reader.u8("status_type")?);
        let responses = match status_type {
            CertificateStatusType::OCSP => vec![reader.vector24(1..=0xff_ffff, "response")?.rest().to_vec()],
            CertificateStatusType::OCSP_MULTI => {
                let mut list =
                    reader.vector24(1..=0xff_ffff, "ocsp_response_list")?.within("CertificateStatus", CLAUSE_V2);
                let mut responses = Vec::new();
                while !list.is_empty() {
                    responses.push(list.vector24(0..=0xff_ffff, "response")?.rest().to_vec());
                }
                responses
            }
            _ => return Err(at.error("status_type", Fault::Value("it is neither ocsp nor ocsp_multi"))),
        };
        reader.finish()?;
        Ok(Self { status_type, responses })
    }

    pub(in crate::tls) fn write(&self, writer: &mut Writer) {
        writer.u8(self.status_type.0);
        let write = |w: &mut Writer| self.responses.iter().for_each(|one| _ = w.vector24(|w| _ = w.bytes(one)));
        match self.status_type {
            CertificateStatusType::OCSP => write(writer),
            _ => _ = writer.vector24(write),
        }
    }
}

pub(super) fn read_request(reader: Reader<'_>) -> Result<StatusRequest, DecodeError> {
    let mut reader = reader.within("status_request", CLAUSE);
    let status_type = CertificateStatusType(reader.u8("status_type")?);
    let request = body(status_type, &mut reader)?;
    reader.finish()?;
    Ok(request)
}

/// RFC 6961 §2.2: a list, in the order of preference, of what RFC 6066 has one of.
pub(super) fn read_requests(reader: Reader<'_>) -> Result<Vec<StatusRequest>, DecodeError> {
    let mut reader = reader.within("status_request_v2", CLAUSE_V2);
    let mut list = reader.vector16(1..=65_535, "certificate_status_req_list")?;
    reader.finish()?;
    let mut requests = Vec::new();
    while !list.is_empty() {
        let status_type = CertificateStatusType(list.u8("status_type")?);
        let mut request = list.vector16(0..=65_535, "request")?;
        requests.push(body(status_type, &mut request)?);
        request.finish()?;
    }
    Ok(requests)
}

pub(super) fn write_request(request: &StatusRequest, writer: &mut Writer) {
    writer.u8(request.status_type.0);
    write_body(request, writer);
}

pub(super) fn write_requests(requests: &[StatusRequest], writer: &mut Writer) {
    writer.vector16(|w| {
        for request in requests {
            w.u8(request.status_type.0).vector16(|w| write_body(request, w));
        }
    });
}

fn body(status_type: CertificateStatusType, reader: &mut Reader<'_>) -> Result<StatusRequest, DecodeError> {
    let mut list = reader.vector16(0..=65_535, "responder_id_list")?;
    let mut responder_ids = Vec::new();
    while !list.is_empty() {
        responder_ids.push(list.vector16(1..=65_535, "responder_id")?.rest().to_vec());
    }
    let request_extensions = reader.vector16(0..=65_535, "request_extensions")?.rest().to_vec();
    Ok(StatusRequest { status_type, responder_ids, request_extensions })
}

fn write_body(request: &StatusRequest, writer: &mut Writer) {
    writer.vector16(|w| request.responder_ids.iter().for_each(|id| _ = w.vector16(|w| _ = w.bytes(id))));
    writer.vector16(|w| _ = w.bytes(&request.request_extensions));
}
