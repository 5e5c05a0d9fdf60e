//! The NIST curves of ECDSA: scalars and points (SEC 1, RFC 5480).

use super::algorithm::KeyAlgorithm;
use super::error::KeyError;
use super::{oids, secret};
use crate::encoding::der::{self, tag};
use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin};
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, ParsedPublicKey};
use zeroize::Zeroizing;

/// A curve of RFC 5480 §2.1.1.1 that certkit handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve that an ECParameters value names (RFC 5480 §2.1.1: only namedCurve is allowed). `what` is where the
    /// value stands.
    pub(super) fn from_parameters(parameters: der::Tlv<'_>, what: &'static str) -> Result<Self, KeyError> {
        match parameters.tag {
            tag::OID => Self::from_oid(parameters.value),
            tag::SEQUENCE => Err(KeyError::UnsupportedForm {
                form: "a key with explicit elliptic-curve parameters".to_owned(),
                remedy: "RFC 5480 §2.1.1 forbids them, name the curve instead: \
                         `openssl ec -param_enc named_curve -in OLD -out NEW`",
            }),
            _ => Err(KeyError::invalid(what, "its curve is not named by an OBJECT IDENTIFIER (RFC 5480 §2.1.1)")),
        }
    }

    /// The curve with this object identifier, given as content octets.
    pub(super) fn from_oid(content: &[u8]) -> Result<Self, KeyError> {
        match content {
            oids::P256 => Ok(Self::P256),
            oids::P384 => Ok(Self::P384),
            oids::P521 => Ok(Self::P521),
            other => Err(KeyError::UnsupportedAlgorithm(oids::name(other))),
        }
    }

    pub(super) fn from_algorithm(algorithm: KeyAlgorithm) -> Option<Self> {
        match algorithm {
            KeyAlgorithm::P256 => Some(Self::P256),
            KeyAlgorithm::P384 => Some(Self::P384),
            KeyAlgorithm::P521 => Some(Self::P521),
            _ => None,
        }
    }

    pub(super) fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::P256 => KeyAlgorithm::P256,
            Self::P384 => KeyAlgorithm::P384,
            Self::P521 => KeyAlgorithm::P521,
        }
    }

    pub(super) fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => oids::P256,
            Self::P384 => oids::P384,
            Self::P521 => oids::P521,
        }
    }

    /// The octets of a coordinate and of a scalar.
    pub(super) fn field_octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(super) fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        }
    }

    fn parse_point(self, point: &[u8]) -> Result<ParsedPublicKey, KeyError> {
        let algorithm: &'static dyn signature::VerificationAlgorithm = match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1,
        };
        ParsedPublicKey::new(algorithm, point).map_err(|_| off_curve(self))
    }

    /// `id-ecPublicKey` with the curve's name (RFC 5480 §2.1.1), as AlgorithmIdentifier.
    pub(super) fn algorithm_identifier(self) -> Vec<u8> {
        let mut content = Vec::with_capacity(32);
        der::push_tlv(&mut content, tag::OID, oids::EC);
        der::push_tlv(&mut content, tag::OID, self.oid());
        der::sequence(&[&content])
    }
}

/// A fresh key pair: the scalar and the uncompressed point.
pub(super) fn generate(curve: Curve) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), KeyError> {
    let pair = EcdsaKeyPair::generate(curve.signing()).map_err(|_| KeyError::Backend("generate an EC key"))?;
    let scalar: EcPrivateKeyBin<'_> =
        pair.private_key().as_be_bytes().map_err(|_| KeyError::Backend("export an EC key"))?;
    Ok((Zeroizing::new(scalar.as_ref().to_vec()), pair.public_key().as_ref().to_vec()))
}

/// The scalar of `bytes` in the curve's width, checked to lie between 1 and the group's order, and its public point,
/// uncompressed. Some writers leave out or add leading zeros, which RFC 5915 §3 does not allow but everybody reads.
pub(super) fn import(curve: Curve, bytes: &[u8]) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), KeyError> {
    let scalar = secret::fixed_width(bytes, curve.field_octets()).ok_or_else(|| out_of_range(curve))?;
    let point = match curve {
        Curve::P256 => {
            // Quicker than a key pair for signing, which makes the point only to compare it with one that is given.
            let key = agreement::PrivateKey::from_private_key(&ECDH_P256, &scalar).map_err(|_| out_of_range(curve))?;
            let point = key.compute_public_key().map_err(|_| KeyError::Backend("compute a public key"))?;
            point.as_ref().to_vec()
        }
        Curve::P384 | Curve::P521 => key_pair(curve, &scalar, curve.signing())?.public_key().as_ref().to_vec(),
    };
    Ok((scalar, point))
}

/// The aws-lc key pair of a scalar.
pub(super) fn key_pair(
    curve: Curve,
    scalar: &[u8],
    signing: &'static EcdsaSigningAlgorithm,
) -> Result<EcdsaKeyPair, KeyError> {
    let named = der::tlv(tag::context_constructed(0), &der::tlv(tag::OID, curve.oid()));
    let sec1 = secret::tlv(tag::SEQUENCE, &[&[2, 1, 1], &secret::tlv(tag::OCTET_STRING, &[scalar]), &named]);
    EcdsaKeyPair::from_private_key_der(signing, &sec1).map_err(|_| out_of_range(curve))
}

/// Whether `stored`, compressed or not, is the point `point` (uncompressed).
pub(super) fn same_point(point: &[u8], stored: &[u8]) -> bool {
    let (Some((&form, x)), Some((_, coordinates))) = (stored.split_first(), point.split_first()) else { return false };
    match form {
        4 => point == stored,
        2 | 3 => {
            coordinates.get(..x.len()) == Some(x)
                && point.last().is_some_and(|last| last & 1 == form & 1)
                && point.len() == 2 * x.len() + 1
        }
        _ => false,
    }
}

/// Checks the form and the length of an encoded point, not that it lies on the curve (SEC 1 §2.3.3). The hybrid form
/// and the point at infinity are refused (RFC 5480 §2.2).
pub(super) fn check_point_form(curve: Curve, point: &[u8]) -> Result<(), KeyError> {
    let field = curve.field_octets();
    match point.first() {
        Some(4) if point.len() == 2 * field + 1 => Ok(()),
        Some(2 | 3) if point.len() == field + 1 => Ok(()),
        _ => Err(KeyError::invalid(
            "EC public key",
            format!("it is not an encoded point of {} (RFC 5480 §2.2)", curve.algorithm()),
        )),
    }
}

/// Checks that the point lies on the curve; cofactor 1 makes that enough (SEC 1 §3.2.2).
pub(super) fn check_point(curve: Curve, point: &[u8]) -> Result<(), KeyError> {
    match curve {
        Curve::P256 => p256::PublicKey::from_sec1_bytes(point).map(|_| ()).map_err(|_| off_curve(curve)),
        Curve::P384 | Curve::P521 => curve.parse_point(point).map(|_| ()),
    }
}

/// The two coordinates of a point, compressed or not.
pub(super) fn coordinates(curve: Curve, point: &[u8]) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
    let spki = curve.parse_point(point)?.as_der().map_err(|_| KeyError::Backend("export an EC key"))?;
    let both = spki.as_ref().len().checked_sub(2 * curve.field_octets()).and_then(|start| spki.as_ref().get(start..));
    let (x, y) = both
        .and_then(|both| both.split_at_checked(curve.field_octets()))
        .ok_or(KeyError::Backend("uncompress a point"))?;
    Ok((x.to_vec(), y.to_vec()))
}

fn out_of_range(curve: Curve) -> KeyError {
    KeyError::invalid(
        "EC private key",
        format!("its number does not lie between 1 and the order of {}", curve.algorithm()),
    )
}

fn off_curve(curve: Curve) -> KeyError {
    KeyError::invalid("EC public key", format!("its point does not lie on {}", curve.algorithm()))
}
