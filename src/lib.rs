//! certkit: make keys and certificates, run a local certification authority, judge a certificate chain and say why.
//!
//! The rooms, from the ground up. A room uses only rooms above it in this table, and each outside crate has its doors;
//! `tests/architecture.rs` checks both.
//!
//! | room | holds |
//! |---|---|
//! | [`encoding`] | PEM (RFC 7468), DER (X.690), object identifiers, hex, base64 |
//! | [`key`] | key pairs: generate, read, write, sign, verify |
//! | [`x509`] | the vocabulary: certificates, requests, revocation lists, names, extensions |
//! | [`tls`] | TLS on the wire: code points, records, handshake messages, extensions, and the keys to open recordings |
//! | [`profile`] | what a kind of certificate looks like, as TOML |
//! | [`issue`] | makes certificates and requests from a profile, a request and an issuer |
//! | [`ca`] | a local certification authority with its ledger |
//! | [`project`] | what a user wants to have, written down: lists of certificates, `certkit.toml` |
//! | [`verify`] | judges a certification path and a name: a verdict of findings |
//! | [`container`] | finds out what a file holds |
//! | [`fetch`] | what a judgment lacks, fetched where certificates say it is |
//! | [`describe`] | says what certificates, requests, lists and keys hold |
//! | [`pcap`] | capture files, packets, TCP streams put together again |
//! | [`transcript`] | two byte streams become a story of messages: decoded, checked, explained, drawn |
//! | [`dial`] | reaches a server: names, addresses, TCP, and the dialogue before TLS (STARTTLS) |
//! | [`scan`] | asks a server for every version, suite, group, signature and certificate, and grades it |
//! | [`serve`] | servers: what listens on a port, and how it is bounded |
//! | [`cli`] | one file per command: arguments in, report out |

pub mod ca;
pub mod cli;
pub mod container;
pub mod describe;
pub mod dial;
pub mod encoding;
pub mod fetch;
pub mod issue;
pub mod key;
pub mod pcap;
pub mod profile;
pub mod project;
pub mod scan;
pub mod serve;
pub mod tls;
pub mod transcript;
pub mod verify;
pub mod x509;
