//! How named TLS clients would judge the same path and name.
//!
//! The judgment under the union of all policies, and a look at the certificates, give [`Fact`]s; the [`table`] says which
//! client refuses a server for which fact, with the sources. No client is run and nothing is fetched.

pub mod facts;
mod names;
pub mod table;

use super::verifier::Verifier;
use crate::x509::Certificate;

pub use facts::Fact;

/// Declares the clients and their descriptions in one place.
macro_rules! clients {
    ($($client:ident $key:literal $name:literal;)+) => {
        /// A client whose judgment is predicted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Client { $($client),+ }

        impl Client {
            /// Every client, in the order of the table's columns.
            pub const ALL: &[Self] = &[$(Self::$client),+];

            /// Its stable name in JSON.
            pub fn key(self) -> &'static str {
                match self { $(Self::$client => $key),+ }
            }

            /// Its name for people, with the version the rules were made for.
            pub fn name(self) -> &'static str {
                match self { $(Self::$client => $name),+ }
            }
        }
    };
}

clients! {
    OpenSsl   "openssl"    "OpenSSL 3 (openssl verify)";
    Python313 "python-313" "Python 3.13 and later";
    Python312 "python-312" "Python 3.10 to 3.12";
    Curl      "curl"       "curl with OpenSSL";
    Node      "node"       "Node.js";
    GnuTls    "gnutls"     "GnuTLS";
    Go        "go"         "Go 1.27";
    Rustls    "rustls"     "rustls";
    Pyca      "pyca"       "pyca/cryptography";
    Chrome    "chrome"     "Chrome";
    Firefox   "firefox"    "Firefox";
    Apple     "apple"      "Apple (Safari, curl on macOS)";
    Java      "java"       "Java";
}

/// What a client does on meeting a [`Fact`], and in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It takes the server for the one asked for.
    Accepts,
    /// No source says, or it depends on version and setting.
    Unknown,
    /// It breaks the connection off.
    Refuses,
}

impl Answer {
    /// The answer in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepts => "accepts",
            Self::Unknown => "unknown",
            Self::Refuses => "refuses",
        }
    }
}

/// What one client would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    /// Which client.
    pub client: Client,
    /// What it does.
    pub answer: Answer,
    /// The facts that lead there: those it refuses, or else those whose effect is not known.
    pub because: Vec<Fact>,
}

/// What each client would say to `leaf` as a TLS server that `verifier` judges, in the order of [`Client::ALL`]. Policy,
/// purpose, revocation and wanted certificate policies of `verifier` play no part; names that no TLS client asks for neither.
pub fn predict(verifier: &Verifier, leaf: &Certificate) -> Vec<Prediction> {
    let facts = facts::of(verifier, leaf);
    Client::ALL.iter().map(|&client| answer(client, &facts)).collect()
}

fn answer(client: Client, facts: &[Fact]) -> Prediction {
    let answer = facts.iter().map(|&fact| table::answer(fact, client)).max().unwrap_or(Answer::Accepts);
    let because = match answer {
        Answer::Accepts => Vec::new(),
        _ => facts.iter().copied().filter(|&fact| table::answer(fact, client) == answer).collect(),
    };
    Prediction { client, answer, because }
}
