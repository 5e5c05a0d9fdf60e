//! The steps from secret to secret, to be shown to those who want to learn.

use zeroize::Zeroizing;

use crate::tls::code::cipher_suite::{BulkCipher, MacAlgorithm};
use crate::tls::keys::{KeyLogLabel, MasterSecret, PreMasterSecret, Prf};
use crate::transcript::event::Secret;
use crate::transcript::session::Session;

/// A secret read from a key log.
pub(super) fn logged(label: KeyLogLabel, name: &'static str, value: &[u8]) -> Secret {
    Secret { name, formula: format!("{label} of the key log"), value: Zeroizing::new(value.to_vec()) }
}

/// The pre-master secret, and the master secret that comes of it (RFC 5246 §8.1, RFC 7627 §4).
pub(super) fn master(pre_master: &PreMasterSecret, master: &MasterSecret, extended: bool) -> Vec<Secret> {
    let prf = name(master.prf());
    let formula = match extended {
        true => format!("{prf}(pre-master secret, \"extended master secret\", hash of all messages so far)"),
        false => format!("{prf}(pre-master secret, \"master secret\", client random + server random)"),
    };
    vec![
        Secret {
            name: "pre-master secret",
            formula: "encrypted_pre_master_secret, decrypted with the server's private key".to_owned(),
            value: Zeroizing::new(pre_master.expose().to_vec()),
        },
        Secret { name: "master secret", formula, value: Zeroizing::new(master.expose().to_vec()) },
    ]
}

/// The key block, and the keys it is cut into (RFC 5246 §6.3).
pub(super) fn key_block(master: &MasterSecret, session: &Session) -> Vec<Secret> {
    let (Some(client), Some(server), Some([mac, key, iv])) =
        (session.client_random, session.server_hello.as_ref(), sizes(session))
    else {
        return Vec::new();
    };
    let length = 2 * (mac + key + iv);
    let block = master.prf().expand(master.expose(), "key expansion", &[&server.random, &client], length);
    let prf = name(master.prf());
    let mut secrets = vec![Secret {
        name: "key block",
        formula: format!("{prf}(master secret, \"key expansion\", server random + client random), {length} bytes"),
        value: block.clone(),
    }];
    let mut at = 0;
    for (name, size) in [
        ("client MAC key", mac),
        ("server MAC key", mac),
        ("client key", key),
        ("server key", key),
        ("client IV", iv),
        ("server IV", iv),
    ] {
        if size > 0 {
            let value = block.get(at..at + size).unwrap_or_default().to_vec();
            let formula = format!("bytes {at} to {} of the key block", at + size - 1);
            secrets.push(Secret { name, formula, value: Zeroizing::new(value) });
        }
        at += size;
    }
    secrets
}

/// The sizes of a MAC key, a key and an initialization vector, in bytes.
fn sizes(session: &Session) -> Option<[usize; 3]> {
    let (parts, version) = (session.parts()?, session.version()?);
    let mac = match parts.mac {
        MacAlgorithm::Hmac(hash) => usize::from(hash.output_octets()),
        _ => 0,
    };
    let key = match parts.cipher {
        BulkCipher::TripleDesCbc => 24,
        BulkCipher::DesCbc { .. } => 8,
        cipher => usize::from(cipher.key_bits() / 8),
    };
    let iv = match (parts.cipher, parts.cipher.cbc_block()) {
        (_, Some(block)) if !version.has_explicit_iv() => block,
        (BulkCipher::ChaCha20Poly1305, _) => 12,
        (cipher, None) if cipher.is_aead() => 4,
        _ => 0,
    };
    Some([mac, key, iv])
}

fn name(prf: Prf) -> String {
    match prf {
        Prf::Ssl3 => "SSL 3.0's function of MD5 and SHA-1".to_owned(),
        Prf::Md5Sha1 => "PRF of MD5 and SHA-1".to_owned(),
        Prf::Hash(hash) => format!("PRF of {hash}"),
    }
}
