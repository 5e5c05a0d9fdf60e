//! What a file holds: PEM with any number of blocks, DER, a JSON Web Key, or under a passphrase PKCS#12. The type is found from the bytes.
//!
//! [`Document::read`] accounts for everything: each PEM block becomes an [`Item`], and one that cannot be read becomes an
//! item that says on which line it stands and what is wrong. Only bytes in which nothing can be found are an error, and
//! that error says what they look like.

mod blocks;
mod contents;
mod der;
mod error;
mod pkcs12;
mod pkcs7;
mod secrets;
mod sniff;

pub use contents::Content;
pub use contents::Item;
pub use contents::KeyForm;
pub use contents::PrivateKeyItem;
pub use error::ContainerError;
pub use pkcs12::Protection;
pub use pkcs12::is_pkcs12;
pub use pkcs12::write_pkcs12;
pub use secrets::ENOUGH;
pub use secrets::holds_private_key;
pub use secrets::is_named_as_private_key;

use crate::x509::Certificate;

/// What a file holds.
#[derive(Debug)]
pub struct Document {
    encoding: Encoding,
    items: Vec<Item>,
    binary_between: bool,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Blocks of text (RFC 7468).
    Pem,
    /// One binary structure (X.690).
    Der,
    /// A JSON Web Key (RFC 7517).
    Jwk,
    /// Keys and certificates under a passphrase (RFC 7292).
    Pkcs12,
}

impl Document {
    /// Reads a file, whatever it holds.
    ///
    /// # Errors
    /// Where no block and no structure is found: the error says what the bytes look like and what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, ContainerError> {
        // Some editors begin a file with a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if crate::encoding::pem::looks_like_pem(bytes) {
            let binary_between = sniff::holds_binary(bytes);
            return Ok(Self { encoding: Encoding::Pem, items: blocks::read(bytes), binary_between });
        }
        let text = std::str::from_utf8(bytes).ok();
        if let Some(object) = text.filter(|text| sniff::begins_like_object(text)) {
            let content = contents::read_jwk(object).map_err(|error| match crate::key::is_json(object.as_bytes()) {
                true if object.contains("\"keys\"") => sniff::JWK_SET,
                true => ContainerError::Json(error),
                false => ContainerError::BrokenJson(error),
            })?;
            return Ok(Self::of_one(Encoding::Jwk, content));
        }
        let items = der::read(bytes)?.into_iter().map(|content| Item { line: None, label: None, content });
        Ok(Self { encoding: Encoding::Der, items: items.collect(), binary_between: false })
    }

    /// Reads a PKCS#12 file under its passphrase.
    ///
    /// # Errors
    /// [`ContainerError::WrongPassphrase`], and where the file is damaged or protected in a way that is not read.
    pub fn read_pkcs12(bytes: &[u8], passphrase: &[u8]) -> Result<Self, ContainerError> {
        let items = pkcs12::read_pkcs12(bytes, passphrase)?;
        Ok(Self { encoding: Encoding::Pkcs12, items, binary_between: false })
    }

    fn of_one(encoding: Encoding, content: Content) -> Self {
        Self { encoding, items: vec![Item { line: None, label: None, content }], binary_between: false }
    }

    /// How the file is written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Everything in it, in order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether binary data stands between the PEM blocks, such as a DER file that was appended. It is not read.
    pub fn has_binary_between(&self) -> bool {
        self.binary_between
    }

    /// That the first certificate is the one meant: PKCS#7 is a set, which DER sorts by its octets.
    ///
    /// # Errors
    /// [`ContainerError::Unordered`] where several certificates come in PKCS#7.
    pub fn in_order(&self) -> Result<(), ContainerError> {
        let from_set =
            |item: &&Item| matches!(item.label.as_deref(), Some("PKCS7" | "CMS")) || self.encoding == Encoding::Der;
        let count = self.items.iter().filter(from_set).filter_map(Item::certificate).count();
        if count > 1 { Err(ContainerError::Unordered { count }) } else { Ok(()) }
    }

    /// Whether a block is malformed.
    pub fn is_damaged(&self) -> bool {
        self.items.iter().any(|item| matches!(item.content, Content::Malformed { .. }))
    }

    /// All certificates, in order; there is at least one. Those of PKCS#7 come in the order in which they stand there.
    ///
    /// # Errors
    /// [`ContainerError::Damaged`] where any block is malformed: one that is passed over could be the one that matters.
    /// [`ContainerError::Instead`] where there is no certificate.
    pub fn certificates(&self) -> Result<Vec<&Certificate>, ContainerError> {
        self.sound()?;
        let found: Vec<&Certificate> = self.items.iter().filter_map(Item::certificate).collect();
        if found.is_empty() { Err(self.instead("a certificate")) } else { Ok(found) }
    }

    /// The first private key, plain or encrypted.
    ///
    /// # Errors
    /// As [`Self::certificates`]; [`ContainerError::Unsupported`] where the key is in a form certkit does not read.
    pub fn first_private_key(&self) -> Result<PrivateKeyItem<'_>, ContainerError> {
        let unsupported = |item: &Item| match &item.content {
            Content::Unsupported { what, why } => {
                Some(ContainerError::Unsupported { what: what.clone(), why: why.clone() })
            }
            _ => None,
        };
        self.sound()?;
        match self.items.iter().find_map(Item::private_key) {
            Some(key) => Ok(key),
            None => Err(self.items.iter().find_map(unsupported).unwrap_or_else(|| self.instead("a private key"))),
        }
    }

    /// The first certification request.
    ///
    /// # Errors
    /// As [`Self::certificates`].
    pub fn request(&self) -> Result<&crate::x509::CertificationRequest, ContainerError> {
        self.requests()?.into_iter().next().ok_or_else(|| self.instead("a certification request"))
    }

    /// All certification requests, in order; there is at least one.
    ///
    /// # Errors
    /// As [`Self::certificates`].
    pub fn requests(&self) -> Result<Vec<&crate::x509::CertificationRequest>, ContainerError> {
        self.sound()?;
        let requests: Vec<_> = self
            .items
            .iter()
            .filter_map(|item| match &item.content {
                Content::CertificationRequest(request) => Some(&**request),
                _ => None,
            })
            .collect();
        if requests.is_empty() { Err(self.instead("a certification request")) } else { Ok(requests) }
    }

    /// All revocation lists, in order; there is at least one.
    ///
    /// # Errors
    /// As [`Self::certificates`].
    pub fn revocation_lists(&self) -> Result<Vec<&crate::x509::CertificateRevocationList>, ContainerError> {
        self.sound()?;
        let lists: Vec<_> = self
            .items
            .iter()
            .filter_map(|item| match &item.content {
                Content::RevocationList(list) => Some(&**list),
                _ => None,
            })
            .collect();
        if lists.is_empty() { Err(self.instead("a revocation list")) } else { Ok(lists) }
    }

    fn sound(&self) -> Result<(), ContainerError> {
        let damage = self.items.iter().find_map(|item| match &item.content {
            Content::Malformed { what, why } => {
                Some(ContainerError::Damaged { line: item.line, what: what.clone(), why: why.clone() })
            }
            _ => None,
        });
        damage.map_or(Ok(()), Err)
    }

    fn instead(&self, wanted: &'static str) -> ContainerError {
        let mut held: Vec<String> = Vec::new();
        for item in &self.items {
            let name = item.content.with_article();
            if !held.contains(&name) {
                held.push(name);
            }
        }
        ContainerError::Instead { held: held.join(" and "), wanted }
    }
}

#[cfg(test)]
mod tests;
