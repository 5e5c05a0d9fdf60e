//! A file that may be PKCS#7 is read or refused; what is read are certificates, lists, or damage with a reason.

#![no_main]

use certkit::container::{Content, Document};
use certkit::describe::Description;
use certkit::encoding::der::{self, tag};
use certkit_fuzz::hierarchy::{Hierarchy, NOW};
use certkit_fuzz::{plant, target};

target!(init: plant([seed()]), |data: &[u8]| {
    let Ok(document) = Document::read(data) else { return };
    for item in document.items() {
        let _ = Description::of(item, NOW).sheet();
        match &item.content {
            Content::Certificate(certificate) => drop(certificate.display_name()),
            Content::RevocationList(list) => drop(list.issuer().to_string()),
            Content::Malformed { why, .. } => assert!(!why.is_empty()),
            other => drop(other.name()),
        }
    }
});

/// The certificates of a hierarchy in a structure that nobody signed.
fn seed() -> Vec<u8> {
    let Hierarchy { root, intermediate, leaf } = Hierarchy::usual();
    let oid = |text: &str| der::oid(&text.parse().expect("an identifier"));
    let data = der::sequence(&[
        &der::unsigned(&[1]),
        &der::tlv(tag::SET, &[]),
        &der::sequence(&[&oid("1.2.840.113549.1.7.1")]),
        &der::tlv(tag::context_constructed(0), &[leaf, intermediate, root].concat()),
        &der::tlv(tag::SET, &[]),
    ]);
    let bag = der::sequence(&[&oid("1.2.840.113549.1.7.2"), &der::tlv(tag::context_constructed(0), &data)]);
    assert_eq!(Document::read(&bag).map_or(0, |document| document.items().len()), 3, "the seed is no PKCS#7");
    bag
}
