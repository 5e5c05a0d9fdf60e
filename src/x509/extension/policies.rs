//! Certificate policies and their mappings.

use super::ExtensionType;
use crate::encoding::der::{self, DerError, tag};
use crate::encoding::{Oid, oid};
use crate::x509::name::Attribute;
use crate::x509::oids;

/// A qualifier of a policy: the CPS pointer's URI, or the encoding of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyQualifier {
    /// Which kind: CPS pointer, user notice, or another.
    pub kind: Oid,
    /// The encoding of its value.
    pub value: Vec<u8>,
}

impl PolicyQualifier {
    /// The URI of a CPS pointer.
    pub fn cps_uri(&self) -> Option<String> {
        let tlv = der::only(&self.value).ok()?;
        let is_uri = self.kind == oids::QUALIFIER_CPS && tlv.tag == tag::IA5_STRING;
        is_uri.then(|| String::from_utf8_lossy(tlv.value).into_owned())
    }
}

impl PolicyQualifier {
    /// explicitText of a user notice (RFC 5280 §4.2.1.4): the string after an optional noticeRef.
    pub fn notice_text(&self) -> Option<String> {
        let mut fields = der::only_reader(&self.value, tag::SEQUENCE).ok()?;
        let mut text = None;
        while !fields.is_empty() {
            let field = fields.any().ok()?;
            text = (field.tag != tag::SEQUENCE).then_some(field);
        }
        let text = text.filter(|_| self.kind == oids::QUALIFIER_USER_NOTICE)?;
        let attribute = Attribute { kind: self.kind.clone(), tag: text.tag, value: text.value.to_vec() };
        Some(attribute.text())
    }
}

/// One policy with its qualifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInformation {
    /// The policy.
    pub policy: Oid,
    /// Its qualifiers.
    pub qualifiers: Vec<PolicyQualifier>,
}

/// `certificatePolicies` (RFC 5280 §4.2.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePolicies(pub Vec<PolicyInformation>);

impl CertificatePolicies {
    /// The first policy that stands there a second time, which RFC 5280 §4.2.1.4 forbids.
    pub fn repeated(&self) -> Option<&Oid> {
        oid::repeated(self.0.iter().map(|information| &information.policy))
    }
}

impl ExtensionType for CertificatePolicies {
    const OID: Oid = oids::CERTIFICATE_POLICIES;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
        let mut policies = Vec::new();
        while !list.is_empty() {
            let mut parts = list.sequence()?;
            let policy = parts.oid()?;
            let mut qualifiers = Vec::new();
            if !parts.is_empty() {
                let mut qualifier_list = parts.sequence()?;
                while !qualifier_list.is_empty() {
                    let mut qualifier = qualifier_list.sequence()?;
                    let kind = qualifier.oid()?;
                    let value = qualifier.any()?.raw.to_vec();
                    qualifier.finish()?;
                    qualifiers.push(PolicyQualifier { kind, value });
                }
                if qualifiers.is_empty() {
                    return Err(DerError::Value("policyQualifiers is empty (RFC 5280 §4.2.1.4: SIZE (1..MAX))"));
                }
            }
            parts.finish()?;
            policies.push(PolicyInformation { policy, qualifiers });
        }
        if policies.is_empty() {
            return Err(DerError::Value("certificatePolicies is empty (RFC 5280 §4.2.1.4: SIZE (1..MAX))"));
        }
        Ok(Self(policies))
    }

    fn to_der(&self) -> Vec<u8> {
        let one = |information: &PolicyInformation| {
            let qualifiers: Vec<u8> = information
                .qualifiers
                .iter()
                .flat_map(|qualifier| der::sequence(&[&der::oid(&qualifier.kind), &qualifier.value]))
                .collect();
            let qualifiers = if qualifiers.is_empty() { qualifiers } else { der::tlv(tag::SEQUENCE, &qualifiers) };
            der::sequence(&[&der::oid(&information.policy), &qualifiers])
        };
        der::tlv(tag::SEQUENCE, &self.0.iter().flat_map(one).collect::<Vec<_>>())
    }
}

/// `policyMappings` (RFC 5280 §4.2.1.5): pairs of issuerDomainPolicy and subjectDomainPolicy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyMappings(pub Vec<(Oid, Oid)>);

impl ExtensionType for PolicyMappings {
    const OID: Oid = oids::POLICY_MAPPINGS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
        let mut mappings = Vec::new();
        while !list.is_empty() {
            let mut pair = list.sequence()?;
            mappings.push((pair.oid()?, pair.oid()?));
            pair.finish()?;
        }
        if mappings.is_empty() {
            return Err(DerError::Value("policyMappings is empty (RFC 5280 §4.2.1.5: SIZE (1..MAX))"));
        }
        Ok(Self(mappings))
    }

    fn to_der(&self) -> Vec<u8> {
        let one = |(issuer, subject): &(Oid, Oid)| der::sequence(&[&der::oid(issuer), &der::oid(subject)]);
        der::tlv(tag::SEQUENCE, &self.0.iter().flat_map(one).collect::<Vec<_>>())
    }
}
