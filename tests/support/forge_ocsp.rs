//! OCSP responses of any shape, broken ones above all.

use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::key::{PrivateKey, SignatureAlgorithm, digest};
use certkit::x509::{Certificate, Extension, OcspResponse, oids};
use time::{Duration, OffsetDateTime};

use super::forge::{Issuer, NOON};

/// A response before it is signed. Every field can be set to what it should not be.
#[derive(Clone)]
pub(crate) struct ForgeOcsp {
    /// The octet of responseStatus; other than 0, nothing follows it.
    pub(crate) response_status: u8,
    /// The encoding of responderID.
    pub(crate) responder: Vec<u8>,
    pub(crate) produced_at: OffsetDateTime,
    /// The encoding of certID.
    pub(crate) certificate: Vec<u8>,
    /// The encoding of certStatus.
    pub(crate) status: Vec<u8>,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) single_extensions: Vec<Extension>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) claimed_algorithm: Option<SignatureAlgorithm>,
}

impl ForgeOcsp {
    /// That `certificate` of `issuer` is good, said by the issuer an hour before [`NOON`] for a day.
    pub(crate) fn good(certificate: &Certificate, issuer: &Issuer) -> Self {
        Self {
            response_status: 0,
            responder: by_name(&issuer.certificate),
            produced_at: NOON - Duration::HOUR,
            certificate: sha1_id(certificate, issuer),
            status: der::tlv(tag::context(0), &[]),
            this_update: NOON - Duration::HOUR,
            next_update: Some(NOON + Duration::hours(23)),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            certificates: Vec::new(),
            claimed_algorithm: None,
        }
    }

    /// That it is revoked since two days before [`NOON`] for keyCompromise.
    pub(crate) fn revoked(certificate: &Certificate, issuer: &Issuer) -> Self {
        let reason = der::tlv(tag::context_constructed(0), &der::tlv(tag::ENUMERATED, &[1]));
        let content = [generalized(NOON - Duration::days(2)), reason].concat();
        Self { status: der::tlv(tag::context_constructed(1), &content), ..Self::good(certificate, issuer) }
    }

    /// That the responder does not know it.
    pub(crate) fn unknown(certificate: &Certificate, issuer: &Issuer) -> Self {
        Self { status: der::tlv(tag::context(2), &[]), ..Self::good(certificate, issuer) }
    }

    /// Said by this responder, whose certificate comes along.
    pub(crate) fn by(mut self, responder: &Issuer) -> Self {
        self.responder = by_name(&responder.certificate);
        self.certificates = vec![responder.certificate.clone()];
        self
    }

    /// The response, signed with `key`.
    pub(crate) fn sign(&self, key: &PrivateKey) -> OcspResponse {
        OcspResponse::from_der(&self.sign_der(key)).expect("a forged response that should parse")
    }

    /// Its encoding, signed with `key`, whether it parses or not.
    pub(crate) fn sign_der(&self, key: &PrivateKey) -> Vec<u8> {
        let response_status = der::tlv(tag::ENUMERATED, &[self.response_status]);
        if self.response_status != 0 {
            return der::sequence(&[&response_status]);
        }
        let next_update = self.next_update.map(|time| der::tlv(tag::context_constructed(0), &generalized(time)));
        let single = der::sequence(&[
            &self.certificate,
            &self.status,
            &generalized(self.this_update),
            &next_update.unwrap_or_default(),
            &extensions(&self.single_extensions),
        ]);
        let tbs = der::sequence(&[
            &self.responder,
            &generalized(self.produced_at),
            &der::sequence(&[&single]),
            &extensions(&self.extensions),
        ]);
        let algorithm = key.signature_algorithm();
        let signature = key.sign(algorithm, &tbs).expect("a signature");
        let identifier = self.claimed_algorithm.unwrap_or(algorithm).to_algorithm_identifier();
        let certificates: Vec<u8> = self.certificates.iter().flat_map(|it| it.der().to_vec()).collect();
        let certificates = match certificates.is_empty() {
            true => Vec::new(),
            false => der::tlv(tag::context_constructed(0), &der::tlv(tag::SEQUENCE, &certificates)),
        };
        let basic = der::sequence(&[&tbs, &identifier, &der::bit_string(&signature), &certificates]);
        let bytes = der::sequence(&[&der::oid(&oids::OCSP_BASIC), &der::octet_string(&basic)]);
        der::sequence(&[&response_status, &der::tlv(tag::context_constructed(0), &bytes)])
    }
}

/// A responderID by name.
pub(crate) fn by_name(responder: &Certificate) -> Vec<u8> {
    der::tlv(tag::context_constructed(1), responder.subject().der())
}

/// A responderID by key.
pub(crate) fn by_key(responder: &Certificate) -> Vec<u8> {
    let hash = digest::sha1(responder.public_key().unwrap().subject_public_key());
    der::tlv(tag::context_constructed(2), &der::octet_string(&hash))
}

/// A certID of SHA-1 digests, as most clients make it.
pub(crate) fn sha1_id(certificate: &Certificate, issuer: &Issuer) -> Vec<u8> {
    id(&oids::SHA1, certificate, issuer, |data| digest::sha1(data).to_vec())
}

/// A certID of SHA-256 digests.
pub(crate) fn sha256_id(certificate: &Certificate, issuer: &Issuer) -> Vec<u8> {
    id(&oids::SHA256, certificate, issuer, |data| digest::sha256(data).to_vec())
}

/// A certID of this hash algorithm.
pub(crate) fn id(hash: &Oid, certificate: &Certificate, issuer: &Issuer, digest: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    der::sequence(&[
        &der::sequence(&[&der::oid(hash), &der::null()]),
        &der::octet_string(&digest(certificate.issuer().der())),
        &der::octet_string(&digest(issuer.key.public_key().subject_public_key())),
        &der::tlv(tag::INTEGER, certificate.serial().content()),
    ])
}

fn generalized(moment: OffsetDateTime) -> Vec<u8> {
    let (date, time) = (moment.date(), moment.time());
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    der::tlv(tag::GENERALIZED_TIME, text.as_bytes())
}

fn extensions(list: &[Extension]) -> Vec<u8> {
    let list: Vec<u8> = list.iter().flat_map(Extension::to_der).collect();
    match list.is_empty() {
        true => list,
        false => der::tlv(tag::context_constructed(1), &der::tlv(tag::SEQUENCE, &list)),
    }
}
