//! What extensions say.

use super::ech::EncryptedClientHello;
use super::key_share::{self, KeyShareEntry};
use super::names::{self, ServerNameEntry};
use super::psk::{self, OfferedPsks};
use super::status::{self, CertificateStatus, StatusRequest};
use super::{Place, lists};
use crate::tls::code::{
    CertificateCompression, CertificateType, EcPointFormat, ExtensionType, MaxFragmentLength, NamedGroup,
    ProtocolVersion, PskKeyExchangeMode, SignatureScheme,
};
use crate::tls::wire::{DecodeError, EncodeError, Fault, Reader, Writer};

/// What an extension says. Its type and the message it stands in decide which of these it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionValue {
    /// Nothing: it is there or not. So a client's encrypt_then_mac, extended_master_secret and post_handshake_auth, and
    /// a server's consent to server_name, status_request or session_ticket.
    Empty,
    /// server_name: who the client wants to talk to (RFC 6066 §3).
    ServerName(Vec<ServerNameEntry>),
    /// max_fragment_length (RFC 6066 §4).
    MaxFragmentLength(MaxFragmentLength),
    /// status_request of a client, or of a server in CertificateRequest (RFC 6066 §8).
    StatusRequest(StatusRequest),
    /// status_request_v2 of a client (RFC 6961).
    StatusRequests(Vec<StatusRequest>),
    /// status_request beside a certificate: its OCSP response (RFC 8446 §4.4.2.1).
    CertificateStatus(CertificateStatus),
    /// supported_groups, the best first (RFC 8446 §4.2.7).
    SupportedGroups(Vec<NamedGroup>),
    /// ec_point_formats (RFC 8422 §5.1.2).
    EcPointFormats(Vec<EcPointFormat>),
    /// signature_algorithms, signature_algorithms_cert (RFC 8446 §4.2.3), or a client's delegated_credential
    /// (RFC 9345 §4.1.1).
    SignatureSchemes(Vec<SignatureScheme>),
    /// application_layer_protocol_negotiation: a client's protocols, the best first, or a server's one (RFC 7301).
    Protocols(Vec<Vec<u8>>),
    /// signed_certificate_timestamp of a server: each as the log made it (RFC 6962 §3.3.1).
    SignedCertificateTimestamps(Vec<Vec<u8>>),
    /// client_certificate_type or server_certificate_type of a client (RFC 7250).
    CertificateTypes(Vec<CertificateType>),
    /// client_certificate_type or server_certificate_type of a server (RFC 7250).
    CertificateType(CertificateType),
    /// padding: this many zeros (RFC 7685).
    Padding(usize),
    /// compress_certificate (RFC 8879).
    CertificateCompressions(Vec<CertificateCompression>),
    /// record_size_limit, in octets of plaintext (RFC 8449).
    RecordSizeLimit(u16),
    /// session_ticket of a client: the ticket, or nothing to ask for one (RFC 5077).
    SessionTicket(Vec<u8>),
    /// pre_shared_key of a client (RFC 8446 §4.2.11).
    OfferedPsks(OfferedPsks),
    /// pre_shared_key of a server: the index of the identity it took.
    SelectedPsk(u16),
    /// early_data beside a new ticket: how many octets the server takes (RFC 8446 §4.6.1).
    MaxEarlyData(u32),
    /// supported_versions of a client, the best first (RFC 8446 §4.2.1).
    SupportedVersions(Vec<ProtocolVersion>),
    /// supported_versions of a server: the one it chose.
    SelectedVersion(ProtocolVersion),
    /// cookie (RFC 8446 §4.2.2).
    Cookie(Vec<u8>),
    /// psk_key_exchange_modes (RFC 8446 §4.2.9).
    PskKeyExchangeModes(Vec<PskKeyExchangeMode>),
    /// certificate_authorities: distinguished names in DER (RFC 8446 §4.2.4).
    CertificateAuthorities(Vec<Vec<u8>>),
    /// key_share of a client (RFC 8446 §4.2.8).
    KeyShares(Vec<KeyShareEntry>),
    /// key_share of a server.
    KeyShare(KeyShareEntry),
    /// key_share of a HelloRetryRequest: the group that the client is to send a key of.
    RetryGroup(NamedGroup),
    /// encrypted_client_hello (RFC 9849).
    EncryptedClientHello(EncryptedClientHello),
    /// renegotiation_info: empty in a first handshake (RFC 5746).
    RenegotiationInfo(Vec<u8>),
    /// Another type, or one that is kept as it is.
    Raw(Vec<u8>),
}

impl ExtensionValue {
    /// Reads the content of an extension.
    pub(super) fn decode(extension_type: ExtensionType, place: Place, data: &[u8]) -> Result<Self, DecodeError> {
        let structure = extension_type.name().unwrap_or("extension");
        let reader = Reader::new(structure, clause(extension_type), data);
        match extension_type {
            ExtensionType::SERVER_NAME if place.is_answer() => empty(reader),
            ExtensionType::SERVER_NAME => names::read(reader).map(Self::ServerName),
            ExtensionType::MAX_FRAGMENT_LENGTH => {
                one_u8(reader, |code| Self::MaxFragmentLength(MaxFragmentLength(code)))
            }
            ExtensionType::STATUS_REQUEST => match place {
                Place::Certificate => CertificateStatus::read(reader).map(Self::CertificateStatus),
                // RFC 8446 §4.4.2.1: a server may send it empty in CertificateRequest.
                _ if data.is_empty() && place != Place::ClientHello => Ok(Self::Empty),
                _ => status::read_request(reader).map(Self::StatusRequest),
            },
            ExtensionType::STATUS_REQUEST_V2 if place.is_answer() => empty(reader),
            ExtensionType::STATUS_REQUEST_V2 => status::read_requests(reader).map(Self::StatusRequests),
            ExtensionType::SUPPORTED_GROUPS => {
                lists::u16s(reader, "named_group_list", NamedGroup).map(Self::SupportedGroups)
            }
            ExtensionType::EC_POINT_FORMATS => {
                lists::u8s(reader, "ec_point_format_list", EcPointFormat).map(Self::EcPointFormats)
            }
            ExtensionType::SIGNATURE_ALGORITHMS | ExtensionType::SIGNATURE_ALGORITHMS_CERT => {
                lists::u16s(reader, "supported_signature_algorithms", SignatureScheme).map(Self::SignatureSchemes)
            }
            ExtensionType::DELEGATED_CREDENTIAL if place != Place::Certificate => {
                lists::u16s(reader, "supported_signature_algorithm", SignatureScheme).map(Self::SignatureSchemes)
            }
            ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
                let protocols = lists::short_strings(reader, "protocol_name_list")?;
                match place.is_answer() && protocols.len() != 1 {
                    true => {
                        Err(reader.error("protocol_name_list", Fault::Value("a server names exactly one protocol")))
                    }
                    false => Ok(Self::Protocols(protocols)),
                }
            }
            ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => match place {
                Place::ClientHello | Place::CertificateRequest => empty(reader),
                _ => {
                    let mut reader = reader;
                    let list = lists::strings(&mut reader, 1, "sct_list")?;
                    reader.finish()?;
                    Ok(Self::SignedCertificateTimestamps(list))
                }
            },
            ExtensionType::CLIENT_CERTIFICATE_TYPE | ExtensionType::SERVER_CERTIFICATE_TYPE => match place {
                Place::ClientHello => {
                    lists::u8s(reader, "certificate_types", CertificateType).map(Self::CertificateTypes)
                }
                _ => one_u8(reader, |code| Self::CertificateType(CertificateType(code))),
            },
            ExtensionType::PADDING => match data.iter().all(|&octet| octet == 0) {
                true => Ok(Self::Padding(data.len())),
                false => Err(reader.error("padding", Fault::Value("it is not all zeros"))),
            },
            ExtensionType::ENCRYPT_THEN_MAC
            | ExtensionType::EXTENDED_MASTER_SECRET
            | ExtensionType::POST_HANDSHAKE_AUTH => empty(reader),
            ExtensionType::COMPRESS_CERTIFICATE => {
                lists::short_u16s(reader, "algorithms", CertificateCompression).map(Self::CertificateCompressions)
            }
            ExtensionType::RECORD_SIZE_LIMIT => one_u16(reader, Self::RecordSizeLimit),
            ExtensionType::SESSION_TICKET if place.is_answer() => empty(reader),
            ExtensionType::SESSION_TICKET => Ok(Self::SessionTicket(data.to_vec())),
            ExtensionType::PRE_SHARED_KEY if place == Place::ClientHello => psk::read(reader).map(Self::OfferedPsks),
            ExtensionType::PRE_SHARED_KEY => one_u16(reader, Self::SelectedPsk),
            ExtensionType::EARLY_DATA if place == Place::NewSessionTicket => {
                let mut reader = reader;
                let limit = reader.u32("max_early_data_size")?;
                reader.finish().map(|()| Self::MaxEarlyData(limit))
            }
            ExtensionType::EARLY_DATA => empty(reader),
            ExtensionType::SUPPORTED_VERSIONS if place == Place::ClientHello => {
                lists::short_u16s(reader, "versions", ProtocolVersion).map(Self::SupportedVersions)
            }
            ExtensionType::SUPPORTED_VERSIONS => {
                one_u16(reader, |version| Self::SelectedVersion(ProtocolVersion(version)))
            }
            ExtensionType::COOKIE => {
                let mut reader = reader;
                let cookie = reader.vector16(1..=65_535, "cookie")?.rest().to_vec();
                reader.finish().map(|()| Self::Cookie(cookie))
            }
            ExtensionType::PSK_KEY_EXCHANGE_MODES => {
                lists::u8s(reader, "ke_modes", PskKeyExchangeMode).map(Self::PskKeyExchangeModes)
            }
            ExtensionType::CERTIFICATE_AUTHORITIES => {
                let mut reader = reader;
                let authorities = lists::strings(&mut reader, 3, "authorities")?;
                reader.finish().map(|()| Self::CertificateAuthorities(authorities))
            }
            ExtensionType::KEY_SHARE => match place {
                Place::ClientHello => key_share::read_list(reader).map(Self::KeyShares),
                Place::HelloRetryRequest => one_u16(reader, |group| Self::RetryGroup(NamedGroup(group))),
                _ => key_share::read_one(reader).map(Self::KeyShare),
            },
            ExtensionType::ENCRYPTED_CLIENT_HELLO => {
                EncryptedClientHello::read(reader, place).map(Self::EncryptedClientHello)
            }
            ExtensionType::RENEGOTIATION_INFO => {
                let mut reader = reader;
                let verify_data = reader.vector8(0..=255, "renegotiated_connection")?.rest().to_vec();
                reader.finish().map(|()| Self::RenegotiationInfo(verify_data))
            }
            _ => Ok(Self::Raw(data.to_vec())),
        }
    }

    /// The content of the extension. What was decoded is encoded to the same octets.
    ///
    /// # Errors
    /// Lists and strings too long for their length fields.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new();
        let w = &mut writer;
        match self {
            Self::Empty => {}
            Self::ServerName(entries) => names::write(entries, w),
            Self::MaxFragmentLength(code) => _ = w.u8(code.0),
            Self::StatusRequest(request) => status::write_request(request, w),
            Self::StatusRequests(requests) => status::write_requests(requests, w),
            Self::CertificateStatus(status) => status.write(w),
            Self::SupportedGroups(groups) => lists::write_u16s(groups.iter().map(|group| group.0), w),
            Self::EcPointFormats(formats) => lists::write_u8s(formats.iter().map(|format| format.0), w),
            Self::SignatureSchemes(schemes) => lists::write_u16s(schemes.iter().map(|scheme| scheme.0), w),
            Self::Protocols(protocols) => lists::write_short_strings(protocols, w),
            Self::SignedCertificateTimestamps(list) | Self::CertificateAuthorities(list) => {
                lists::write_strings(list, w)
            }
            Self::CertificateTypes(types) => lists::write_u8s(types.iter().map(|code| code.0), w),
            Self::CertificateType(code) => _ = w.u8(code.0),
            Self::Padding(length) => _ = w.bytes(&vec![0; (*length).min(65_536)]),
            Self::CertificateCompressions(list) => lists::write_short_u16s(list.iter().map(|code| code.0), w),
            Self::RecordSizeLimit(number) | Self::SelectedPsk(number) => _ = w.u16(*number),
            Self::SessionTicket(octets) | Self::Raw(octets) => _ = w.bytes(octets),
            Self::OfferedPsks(offered) => psk::write(offered, w),
            Self::MaxEarlyData(limit) => _ = w.u32(*limit),
            Self::SupportedVersions(versions) => lists::write_short_u16s(versions.iter().map(|version| version.0), w),
            Self::SelectedVersion(version) => _ = w.u16(version.0),
            Self::Cookie(cookie) => _ = w.vector16(|w| _ = w.bytes(cookie)),
            Self::PskKeyExchangeModes(modes) => lists::write_u8s(modes.iter().map(|mode| mode.0), w),
            Self::KeyShares(shares) => key_share::write_list(shares, w),
            Self::KeyShare(share) => key_share::write_one(share, w),
            Self::RetryGroup(group) => _ = w.u16(group.0),
            Self::EncryptedClientHello(hello) => hello.write(w),
            Self::RenegotiationInfo(verify_data) => _ = w.vector8(|w| _ = w.bytes(verify_data)),
        }
        writer.finish()
    }
}

fn empty(reader: Reader<'_>) -> Result<ExtensionValue, DecodeError> {
    reader.finish().map(|()| ExtensionValue::Empty)
}

fn one_u8(mut reader: Reader<'_>, make: impl Fn(u8) -> ExtensionValue) -> Result<ExtensionValue, DecodeError> {
    let number = reader.u8("value")?;
    reader.finish().map(|()| make(number))
}

fn one_u16(mut reader: Reader<'_>, make: impl Fn(u16) -> ExtensionValue) -> Result<ExtensionValue, DecodeError> {
    let number = reader.u16("value")?;
    reader.finish().map(|()| make(number))
}

/// The clause that defines the content of an extension.
fn clause(extension_type: ExtensionType) -> &'static str {
    match extension_type {
        ExtensionType::SERVER_NAME => "RFC 6066 §3",
        ExtensionType::MAX_FRAGMENT_LENGTH => "RFC 6066 §4",
        ExtensionType::STATUS_REQUEST => "RFC 6066 §8",
        ExtensionType::STATUS_REQUEST_V2 => "RFC 6961 §2.2",
        ExtensionType::SUPPORTED_GROUPS => "RFC 8446 §4.2.7",
        ExtensionType::EC_POINT_FORMATS => "RFC 8422 §5.1.2",
        ExtensionType::SIGNATURE_ALGORITHMS | ExtensionType::SIGNATURE_ALGORITHMS_CERT => "RFC 8446 §4.2.3",
        ExtensionType::DELEGATED_CREDENTIAL => "RFC 9345 §4.1.1",
        ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => "RFC 7301 §3.1",
        ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP => "RFC 6962 §3.3.1",
        ExtensionType::CLIENT_CERTIFICATE_TYPE | ExtensionType::SERVER_CERTIFICATE_TYPE => "RFC 7250 §3",
        ExtensionType::PADDING => "RFC 7685 §3",
        ExtensionType::ENCRYPT_THEN_MAC => "RFC 7366 §2",
        ExtensionType::EXTENDED_MASTER_SECRET => "RFC 7627 §5.1",
        ExtensionType::COMPRESS_CERTIFICATE => "RFC 8879 §3",
        ExtensionType::RECORD_SIZE_LIMIT => "RFC 8449 §4",
        ExtensionType::SESSION_TICKET => "RFC 5077 §3.2",
        ExtensionType::PRE_SHARED_KEY => "RFC 8446 §4.2.11",
        ExtensionType::EARLY_DATA => "RFC 8446 §4.2.10",
        ExtensionType::SUPPORTED_VERSIONS => "RFC 8446 §4.2.1",
        ExtensionType::COOKIE => "RFC 8446 §4.2.2",
        ExtensionType::PSK_KEY_EXCHANGE_MODES => "RFC 8446 §4.2.9",
        ExtensionType::CERTIFICATE_AUTHORITIES => "RFC 8446 §4.2.4",
        ExtensionType::POST_HANDSHAKE_AUTH => "RFC 8446 §4.2.6",
        ExtensionType::KEY_SHARE => "RFC 8446 §4.2.8",
        ExtensionType::ENCRYPTED_CLIENT_HELLO => "RFC 9849 §5",
        ExtensionType::RENEGOTIATION_INFO => "RFC 5746 §3.2",
        _ => "RFC 8446 §4.2",
    }
}
