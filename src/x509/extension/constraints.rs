//! Extensions that say what a certification authority may do.

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::general_name::GeneralName;
use crate::x509::oids;

/// `basicConstraints` (RFC 5280 §4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether the subject is a certification authority.
    pub ca: bool,
    /// How many non-self-issued intermediate certificates may follow in a path.
    pub path_len: Option<u64>,
}

impl ExtensionType for BasicConstraints {
    const OID: Oid = oids::BASIC_CONSTRAINTS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut parts = der::only_reader(encoding, tag::SEQUENCE)?;
        let ca = match parts.peek() {
            Some(tag::BOOLEAN) => parts.boolean()?,
            _ => false,
        };
        let path_len = match parts.peek() {
            Some(tag::INTEGER) => Some(parts.small_unsigned()?),
            _ => None,
        };
        parts.finish()?;
        Ok(Self { ca, path_len })
    }

    fn to_der(&self) -> Vec<u8> {
        let ca = if self.ca { der::boolean(true) } else { Vec::new() };
        let path_len = self.path_len.map_or_else(Vec::new, |length| der::unsigned(&length.to_be_bytes()));
        der::sequence(&[&ca, &path_len])
    }
}

/// One subtree of `nameConstraints`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralSubtree {
    /// Its base.
    pub base: GeneralName,
    /// `minimum`, which RFC 5280 requires to be 0.
    pub minimum: u64,
    /// `maximum`, which RFC 5280 requires to be absent.
    pub maximum: Option<u64>,
}

/// `nameConstraints` (RFC 5280 §4.2.1.10).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// Names must lie within one of these, form by form.
    pub permitted: Vec<GeneralSubtree>,
    /// Names must not lie within any of these.
    pub excluded: Vec<GeneralSubtree>,
}

impl ExtensionType for NameConstraints {
    const OID: Oid = oids::NAME_CONSTRAINTS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut parts = der::only_reader(encoding, tag::SEQUENCE)?;
        let permitted = parts.optional(tag::context_constructed(0))?;
        let excluded = parts.optional(tag::context_constructed(1))?;
        parts.finish()?;
        if permitted.is_none() && excluded.is_none() {
            return Err(DerError::Value("nameConstraints with neither subtree (RFC 5280 §4.2.1.10)"));
        }
        Ok(Self { permitted: read_subtrees(permitted)?, excluded: read_subtrees(excluded)? })
    }

    fn to_der(&self) -> Vec<u8> {
        let part = |number, subtrees: &[GeneralSubtree]| match subtrees {
            [] => Vec::new(),
            some => {
                der::tlv(tag::context_constructed(number), &some.iter().flat_map(write_subtree).collect::<Vec<_>>())
            }
        };
        der::sequence(&[&part(0, &self.permitted), &part(1, &self.excluded)])
    }
}

fn read_subtrees(content: Option<&[u8]>) -> Result<Vec<GeneralSubtree>, DerError> {
    let Some(content) = content else { return Ok(Vec::new()) };
    let mut list = Reader::new(content);
    let mut subtrees = Vec::new();
    while !list.is_empty() {
        let mut parts = list.sequence()?;
        let base = GeneralName::from_tlv(parts.any()?)?;
        let minimum = parts.optional(tag::context(0))?.map(implicit_unsigned).transpose()?;
        let maximum = parts.optional(tag::context(1))?.map(implicit_unsigned).transpose()?;
        parts.finish()?;
        subtrees.push(GeneralSubtree { base, minimum: minimum.unwrap_or(0), maximum });
    }
    if subtrees.is_empty() {
        return Err(DerError::Value("GeneralSubtrees is empty (RFC 5280 §4.2.1.10: SIZE (1..MAX))"));
    }
    Ok(subtrees)
}

fn write_subtree(subtree: &GeneralSubtree) -> Vec<u8> {
    let number = |tag_number, value: Option<u64>| {
        value.map_or_else(Vec::new, |value| {
            let integer = der::unsigned(&value.to_be_bytes());
            der::tlv(tag::context(tag_number), integer.get(2..).unwrap_or_default())
        })
    };
    let minimum = Some(subtree.minimum).filter(|&minimum| minimum != 0);
    der::sequence(&[&subtree.base.to_der(), &number(0, minimum), &number(1, subtree.maximum)])
}

/// `policyConstraints` (RFC 5280 §4.2.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// After how many more certificates an explicit policy is required.
    pub require_explicit_policy: Option<u64>,
    /// After how many more certificates policy mapping is inhibited.
    pub inhibit_policy_mapping: Option<u64>,
}

impl ExtensionType for PolicyConstraints {
    const OID: Oid = oids::POLICY_CONSTRAINTS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut parts = der::only_reader(encoding, tag::SEQUENCE)?;
        let require_explicit_policy = parts.optional(tag::context(0))?.map(implicit_unsigned).transpose()?;
        let inhibit_policy_mapping = parts.optional(tag::context(1))?.map(implicit_unsigned).transpose()?;
        parts.finish()?;
        if require_explicit_policy.is_none() && inhibit_policy_mapping.is_none() {
            return Err(DerError::Value("policyConstraints is empty (RFC 5280 §4.2.1.11)"));
        }
        Ok(Self { require_explicit_policy, inhibit_policy_mapping })
    }

    fn to_der(&self) -> Vec<u8> {
        let number = |tag_number, value: Option<u64>| {
            value.map_or_else(Vec::new, |value| {
                let integer = der::unsigned(&value.to_be_bytes());
                der::tlv(tag::context(tag_number), integer.get(2..).unwrap_or_default())
            })
        };
        der::sequence(&[&number(0, self.require_explicit_policy), &number(1, self.inhibit_policy_mapping)])
    }
}

/// `inhibitAnyPolicy` (RFC 5280 §4.2.1.14): after how many more certificates anyPolicy no longer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InhibitAnyPolicy(pub u64);

impl ExtensionType for InhibitAnyPolicy {
    const OID: Oid = oids::INHIBIT_ANY_POLICY;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let skip = reader.small_unsigned()?;
        reader.finish()?;
        Ok(Self(skip))
    }

    fn to_der(&self) -> Vec<u8> {
        der::unsigned(&self.0.to_be_bytes())
    }
}

/// The content of an implicitly tagged INTEGER that is not negative.
fn implicit_unsigned(content: &[u8]) -> Result<u64, DerError> {
    Reader::new(&der::tlv(tag::INTEGER, content)).small_unsigned()
}
