//! What the blocks of one file are to each other: who issued whom, whose key it is, what stands twice.

use crate::container::Content;
use crate::container::Item;
use crate::key::PublicKey;
use crate::key::SignatureError;
use crate::x509::Certificate;
use std::collections::HashMap;

/// The most signatures that are checked for remarks: a file of a thousand certificates of one name would ask for a
/// million. Chains that servers send have three.
const MOST_CHECKS: usize = 200;

/// The most certificates whose names are compared with case folded; names of more are compared as they are encoded, which
/// is how nearly all issuers copy them.
const MOST_COMPARED: usize = 100;

/// The most repetitions that are told one by one.
const MOST_REPEATED: usize = 10;

/// What the blocks of a file are to each other, in sentences that count blocks from 1.
pub fn remarks(items: &[Item]) -> Vec<String> {
    let certificates: Vec<(usize, &Certificate)> = numbered(items, Item::certificate);
    let mut remarks = duplicates(&certificates);
    remarks.extend(order(&certificates));
    remarks.extend(keys(items, &certificates));
    remarks
}

/// Whether the certificate is signed with this key; `None` where the algorithm cannot be computed. Broken hashes count:
/// the question is who signed, not whether to trust it.
pub(super) fn signed_with(certificate: &Certificate, key: &PublicKey) -> Option<bool> {
    let algorithm = certificate.signature_algorithm().ok()?;
    match algorithm.verify_weak(key, certificate.tbs(), certificate.signature()) {
        Ok(()) => Some(true),
        Err(SignatureError::Mismatch | SignatureError::KeyMismatch { .. }) => Some(false),
        Err(_) => None,
    }
}

fn numbered<'a, T>(items: &'a [Item], pick: impl Fn(&'a Item) -> Option<T>) -> Vec<(usize, T)> {
    items.iter().enumerate().filter_map(|(at, item)| pick(item).map(|found| (at + 1, found))).collect()
}

fn duplicates(certificates: &[(usize, &Certificate)]) -> Vec<String> {
    let mut first: HashMap<&[u8], usize> = HashMap::new();
    let mut remarks = Vec::new();
    for (number, certificate) in certificates {
        if let Some(earlier) = first.get(certificate.der()) {
            remarks.push(format!("block {number} is the same certificate as block {earlier}"));
        } else {
            first.insert(certificate.der(), *number);
        }
    }
    let more = remarks.len().saturating_sub(MOST_REPEATED);
    if more > 0 {
        remarks.truncate(MOST_REPEATED);
        remarks.push(format!("{more} more blocks repeat certificates that came before"));
    }
    remarks
}

/// Who issued whom. A chain in the order TLS wants (RFC 8446 §4.4.2: each certificate certifies the one before it) is one
/// sentence; otherwise each pair is one.
fn order(certificates: &[(usize, &Certificate)]) -> Vec<String> {
    let pairs = issued(certificates);
    let follows = |window: &[(usize, &Certificate)]| match window {
        [(number, _), (next, _)] => pairs.contains(&(*number, *next)),
        _ => false,
    };
    let numbers: Vec<usize> = certificates.iter().map(|(number, _)| *number).collect();
    match numbers.as_slice() {
        [first, .., last] if certificates.windows(2).all(follows) => {
            let root = certificates.last().is_some_and(|(_, certificate)| certificate.is_self_issued());
            let end = if root { ", up to its root" } else { "" };
            if certificates.len() == 2 {
                vec![format!("block {last} issued block {first}")]
            } else {
                vec![format!("blocks {first} to {last} are a chain in order{end}: each is issued by the next")]
            }
        }
        _ => pairs
            .iter()
            .map(|(subject, issuer)| {
                let misplaced = subject > issuer;
                let order = if misplaced { "; TLS wants an issuer after what it issued" } else { "" };
                format!("block {issuer} issued block {subject}{order}")
            })
            .collect(),
    }
}

/// Pairs of subject and issuer: names match and the signature is the issuer's. The first issuer found counts.
fn issued(certificates: &[(usize, &Certificate)]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut checks = 0;
    let few = certificates.len() <= MOST_COMPARED;
    for (number, certificate) in certificates.iter().filter(|(_, certificate)| !certificate.is_self_issued()) {
        for (other, issuer) in certificates {
            let same = certificate.issuer() == issuer.subject();
            let candidate = other != number && (same || (few && certificate.issuer().matches(issuer.subject())));
            if !candidate || checks >= MOST_CHECKS {
                continue;
            }
            checks += 1;
            if issuer.public_key().is_ok_and(|key| signed_with(certificate, &key) == Some(true)) {
                pairs.push((*number, *other));
                break;
            }
        }
    }
    pairs
}

/// Which private key belongs to which certificate.
fn keys(items: &[Item], certificates: &[(usize, &Certificate)]) -> Vec<String> {
    let private = numbered(items, |item| match &item.content {
        Content::PrivateKey(key, _) => Some(key.public_key()),
        _ => None,
    });
    let said = |number: usize, key: &PublicKey| {
        let owner = certificates.iter().find(|(_, certificate)| certificate.public_key().as_ref() == Ok(key));
        match owner {
            Some((owner, _)) => format!("block {number} is the private key of block {owner}"),
            None => format!("block {number} is the private key of no certificate here"),
        }
    };
    if certificates.is_empty() { Vec::new() } else { private.into_iter().map(|(at, key)| said(at, key)).collect() }
}
