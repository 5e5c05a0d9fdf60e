//! What extensions say, as fields.

use super::field::{Fields, Value};
use super::message::{code, text_or_bytes};
use crate::tls::extension::{
    CertificateStatus, EncryptedClientHello, Extension, ExtensionValue, Extensions, KeyShareEntry, Place, StatusRequest,
};
use crate::x509::DistinguishedName;

/// The extensions of a message: each with its type, and what it says or why it cannot be read.
pub(super) fn extensions(extensions: &Extensions, place: Place) -> Value {
    Value::List(extensions.iter().map(|extension| Value::Group(one(extension, place))).collect())
}

fn one(extension: &Extension, place: Place) -> Fields {
    let kind = extension.extension_type;
    let fields = Fields::new().with("extension_type", code(kind.0, kind)).with("length", extension.data.len());
    match extension.decode(place) {
        Ok(value) => said(fields, &value, extension),
        Err(error) => fields.with("error", error.to_string()).with("data", extension.data.as_slice()),
    }
}

fn said(fields: Fields, value: &ExtensionValue, extension: &Extension) -> Fields {
    match value {
        ExtensionValue::Empty => fields,
        ExtensionValue::ServerName(entries) => {
            fields.with("server_name_list", Value::list(entries.iter().map(|entry| text_or_bytes(&entry.name))))
        }
        ExtensionValue::MaxFragmentLength(length) => fields.with("max_fragment_length", code(length.0, length)),
        ExtensionValue::StatusRequest(request) => fields.with("status_request", status_request(request)),
        ExtensionValue::StatusRequests(requests) => {
            fields.with("status_requests", Value::list(requests.iter().map(status_request)))
        }
        ExtensionValue::CertificateStatus(status) => fields.with("certificate_status", certificate_status(status)),
        ExtensionValue::SupportedGroups(groups) => {
            fields.with("named_group_list", Value::list(groups.iter().map(|group| code(group.0, group))))
        }
        ExtensionValue::EcPointFormats(formats) => {
            fields.with("ec_point_format_list", Value::list(formats.iter().map(|format| code(format.0, format))))
        }
        ExtensionValue::SignatureSchemes(schemes) => fields
            .with("supported_signature_algorithms", Value::list(schemes.iter().map(|scheme| code(scheme.0, scheme)))),
        ExtensionValue::Protocols(protocols) => {
            fields.with("protocol_name_list", Value::list(protocols.iter().map(|protocol| text_or_bytes(protocol))))
        }
        ExtensionValue::SignedCertificateTimestamps(list) => {
            fields.with("timestamps", Value::list(list.iter().map(|one| Value::Bytes(one.clone()))))
        }
        ExtensionValue::CertificateTypes(types) => {
            fields.with("certificate_types", Value::list(types.iter().map(|one| code(one.0, one))))
        }
        ExtensionValue::CertificateType(one) => fields.with("certificate_type", code(one.0, one)),
        ExtensionValue::Padding(count) => fields.with("padding", *count),
        ExtensionValue::CertificateCompressions(list) => {
            fields.with("algorithms", Value::list(list.iter().map(|one| code(one.0, one))))
        }
        ExtensionValue::RecordSizeLimit(limit) => fields.with("record_size_limit", *limit),
        ExtensionValue::SessionTicket(ticket) if ticket.is_empty() => fields,
        ExtensionValue::SessionTicket(ticket) => fields.with("ticket", ticket.as_slice()),
        ExtensionValue::OfferedPsks(offered) => {
            let identity = |identity: &crate::tls::extension::PskIdentity| {
                let fields = Fields::new().with("identity", text_or_bytes(&identity.identity));
                fields.with("obfuscated_ticket_age", identity.obfuscated_ticket_age)
            };
            let binders = offered.binders.iter().map(|binder| Value::Bytes(binder.clone()));
            fields
                .with("identities", Value::list(offered.identities.iter().map(identity)))
                .with("binders", Value::list(binders))
        }
        ExtensionValue::SelectedPsk(index) => fields.with("selected_identity", *index),
        ExtensionValue::MaxEarlyData(limit) => fields.with("max_early_data_size", *limit),
        ExtensionValue::SupportedVersions(versions) => {
            fields.with("versions", Value::list(versions.iter().map(|version| code(version.0, version))))
        }
        ExtensionValue::SelectedVersion(version) => fields.with("selected_version", code(version.0, version)),
        ExtensionValue::Cookie(cookie) => fields.with("cookie", cookie.as_slice()),
        ExtensionValue::PskKeyExchangeModes(modes) => {
            fields.with("ke_modes", Value::list(modes.iter().map(|mode| code(mode.0, mode))))
        }
        ExtensionValue::CertificateAuthorities(names) => fields.with("authorities", authorities(names)),
        ExtensionValue::KeyShares(shares) => fields.with("client_shares", Value::list(shares.iter().map(key_share))),
        ExtensionValue::KeyShare(share) => fields.with("server_share", key_share(share)),
        ExtensionValue::RetryGroup(group) => fields.with("selected_group", code(group.0, group)),
        ExtensionValue::EncryptedClientHello(hello) => match hello {
            EncryptedClientHello::Outer { .. } => fields.with("form", "outer").with("data", extension.data.as_slice()),
            _ => fields.with("data", extension.data.as_slice()),
        },
        ExtensionValue::RenegotiationInfo(data) => fields.with("renegotiated_connection", data.as_slice()),
        ExtensionValue::Raw(data) if data.is_empty() => fields,
        ExtensionValue::Raw(data) => fields.with("data", data.as_slice()),
    }
}

/// Distinguished names out of their DER.
pub(super) fn authorities(names: &[Vec<u8>]) -> Value {
    Value::list(names.iter().map(|name| match DistinguishedName::from_der(name) {
        Ok(name) => Value::Text(name.to_string()),
        Err(_) => Value::Bytes(name.clone()),
    }))
}

pub(super) fn certificate_status(status: &CertificateStatus) -> Fields {
    Fields::new()
        .with("status_type", code(status.status_type.0, status.status_type))
        .with("responses", Value::list(status.responses.iter().map(|response| Value::Bytes(response.clone()))))
}

fn status_request(request: &StatusRequest) -> Fields {
    let fields = Fields::new().with("status_type", code(request.status_type.0, request.status_type));
    match request.responder_ids.as_slice() {
        [] => fields,
        ids => fields.with("responder_ids", Value::list(ids.iter().map(|id| Value::Bytes(id.clone())))),
    }
}

fn key_share(share: &KeyShareEntry) -> Fields {
    Fields::new().with("group", code(share.group.0, share.group)).with("key_exchange", share.key_exchange.as_slice())
}
