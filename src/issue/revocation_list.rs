//! Makes certificate revocation lists (RFC 5280 §5).
//!
//! A list is laid out in one buffer, some 40 to 70 octets for each entry, and nothing of it is copied: entries are encoded
//! as they come, room is left before them for what stands first, and the signature is made over the buffer as it lies. A
//! million entries take about 50 MB.

use super::error::IssueError;
use super::{check, extensions};
use crate::encoding::der::{self, tag};
use crate::key::PrivateKey;
use crate::x509::extension::{
    AuthorityKeyIdentifier, CrlNumber, CrlReason, DeltaCrlIndicator, DistributionPoint, FreshestCrl, InvalidityDate,
    IssuingDistributionPoint, ReasonCode,
};
use crate::x509::{Certificate, Extension, SerialNumber, time as x509_time};
use time::OffsetDateTime;

/// What a list says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFields {
    /// `cRLNumber`: above that of every list before it (RFC 5280 §5.2.3).
    pub number: CrlNumber,
    /// `thisUpdate`.
    pub this_update: OffsetDateTime,
    /// `nextUpdate`: by when the next list is issued.
    pub next_update: OffsetDateTime,
    /// The number of the complete list since which this one has the changes; `None` for a complete list.
    pub base: Option<CrlNumber>,
    /// `issuingDistributionPoint`, critical; left out where it limits nothing.
    pub scope: IssuingDistributionPoint,
    /// Where delta lists for this one are to be had: the URIs of `freshestCRL` (RFC 5280 §5.2.6).
    pub freshest: Vec<String>,
}

/// One entry to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// The serial number of the certificate.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: CrlReason,
    /// Since when its key is known or suspected to be compromised, or it was invalid otherwise (RFC 5280 §5.3.2).
    pub invalid_since: Option<OffsetDateTime>,
}

/// A list being made.
pub struct ListMaker<'a> {
    key: &'a PrivateKey,
    algorithm: Vec<u8>,
    /// Version to nextUpdate, encoded.
    front: Vec<u8>,
    /// crlExtensions, encoded.
    back: Vec<u8>,
    /// Room for what comes first, then the entries.
    buffer: Vec<u8>,
    room: usize,
    count: u64,
    this_update: OffsetDateTime,
}

impl<'a> ListMaker<'a> {
    /// Begins a list of `issuer`. `expected` entries are made room for; more may come.
    ///
    /// # Errors
    /// When the issuer may not sign lists or the key is another's, or the times or the number are none that a list can have.
    pub fn new(
        fields: &ListFields,
        issuer: &Certificate,
        key: &'a PrivateKey,
        expected: usize,
    ) -> Result<Self, IssueError> {
        check::list_issuer(issuer, key)?;
        let ListFields { number, this_update, next_update, base, .. } = fields;
        if next_update <= this_update {
            return Err(IssueError::Updates { this_update: *this_update, next_update: *next_update });
        }
        // RFC 5280 §5.2.3: 20 octets at most. §5.2.4: a delta list comes after its base.
        let fits = |number: &CrlNumber| number.0.len() < 20;
        if !fits(number) || base.as_ref().is_some_and(|base| !fits(base) || base >= number) {
            return Err(IssueError::ListNumber);
        }
        let algorithm = key.signature_algorithm().to_algorithm_identifier();
        let version_2 = der::unsigned(&[1]);
        let times = [x509_time::encode(*this_update), x509_time::encode(*next_update)].concat();
        let front = [version_2.as_slice(), &algorithm, issuer.subject().der(), &times].concat();
        let room = front.len() + 3 * HEADER;
        let mut buffer = Vec::with_capacity(room + expected.saturating_mul(ENTRY) + AFTER);
        buffer.resize(room, 0);
        Ok(Self {
            key,
            algorithm,
            front,
            back: extensions_of(fields, issuer, key)?,
            buffer,
            room,
            count: 0,
            this_update: *this_update,
        })
    }

    /// Adds an entry. One that a clock which was ahead has recorded as of later than the list is as of the list: to some clients a
    /// revocation that is to come is none.
    pub fn push(&mut self, entry: &ListEntry) {
        let ListEntry { serial, at, reason, invalid_since } = entry;
        let at = at.min(&self.this_update);
        let mut extensions = Vec::new();
        // RFC 5280 §5.3.1: unspecified is said by saying nothing.
        if *reason != CrlReason::Unspecified {
            extensions.extend(Extension::new(&ReasonCode(*reason), false).to_der());
        }
        if let Some(since) = invalid_since {
            let date = InvalidityDate(x509_time::generalized(*since.min(&self.this_update)));
            extensions.extend(Extension::new(&date, false).to_der());
        }
        if !extensions.is_empty() {
            extensions = der::tlv(tag::SEQUENCE, &extensions);
        }
        let content = [der::tlv(tag::INTEGER, serial.content()), x509_time::encode(*at), extensions].concat();
        self.buffer.extend(der::header(tag::SEQUENCE, content.len()));
        self.buffer.extend(content);
        self.count += 1;
    }

    /// How many entries there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Signs the list and gives its encoding.
    ///
    /// # Errors
    /// When the key cannot sign, or the signature does not verify.
    pub fn finish(self) -> Result<Vec<u8>, IssueError> {
        let Self { key, algorithm, front, back, mut buffer, room, count, this_update: _ } = self;
        let mut start = room;
        if count > 0 {
            // RFC 5280 §5.1.2.6: left out where nothing is revoked.
            let header = der::header(tag::SEQUENCE, buffer.len() - room);
            start = put_before(&mut buffer, start, &header);
        }
        start = put_before(&mut buffer, start, &front);
        buffer.extend(back);
        let header = der::header(tag::SEQUENCE, buffer.len() - start);
        start = put_before(&mut buffer, start, &header);

        let signed = buffer.get(start..).unwrap_or_default();
        let signature = key.sign(key.signature_algorithm(), signed).map_err(IssueError::Signing)?;
        key.signature_algorithm()
            .verify(key.public_key(), signed, &signature)
            .map_err(|error| IssueError::SelfCheck(error.to_string()))?;
        buffer.extend(algorithm);
        buffer.extend(der::bit_string(&signature));
        let header = der::header(tag::SEQUENCE, buffer.len() - start);
        start = put_before(&mut buffer, start, &header);
        buffer.drain(..start);
        Ok(buffer)
    }
}

impl std::fmt::Debug for ListMaker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListMaker").field("count", &self.count).finish_non_exhaustive()
    }
}

/// Writes `octets` so that they end where `end` is; returns where they begin. Room for them was left.
fn put_before(buffer: &mut [u8], end: usize, octets: &[u8]) -> usize {
    let start = end.saturating_sub(octets.len());
    if let Some(place) = buffer.get_mut(start..end).filter(|place| place.len() == octets.len()) {
        place.copy_from_slice(octets);
    }
    start
}

fn extensions_of(fields: &ListFields, issuer: &Certificate, key: &PrivateKey) -> Result<Vec<u8>, IssueError> {
    let identifier = extensions::key_identifier_of(issuer, key)?;
    let identifier = AuthorityKeyIdentifier { key_identifier: Some(identifier), ..AuthorityKeyIdentifier::default() };
    let mut list = vec![Extension::new(&identifier, false), Extension::new(&fields.number, false)];
    if let Some(base) = &fields.base {
        list.push(Extension::new(&DeltaCrlIndicator(base.0.clone()), true));
    }
    if fields.scope != IssuingDistributionPoint::default() {
        list.push(Extension::new(&fields.scope, true));
    }
    // RFC 5280 §5.2.6: not in delta lists.
    if fields.base.is_none() && !fields.freshest.is_empty() {
        let points = fields.freshest.iter().map(|uri| DistributionPoint::at_uri(uri)).collect();
        list.push(Extension::new(&FreshestCrl(points), false));
    }
    let list: Vec<u8> = list.iter().flat_map(Extension::to_der).collect();
    Ok(der::tlv(tag::context_constructed(0), &der::tlv(tag::SEQUENCE, &list)))
}

/// Tag and length of anything under 4 GiB.
const HEADER: usize = 6;

/// An entry with a serial number of 16 octets and a reason, in octets.
const ENTRY: usize = 52;

/// What follows the entries: extensions, algorithm, signature. ML-DSA-87 signs with 4,627 octets.
const AFTER: usize = 8 << 10;

#[cfg(test)]
mod tests;
