//! Judges a certification path and a name, and says why.
//!
//! [`Verifier::judge`] searches every path from a certificate to a trust anchor (RFC 4158), checks each against
//! RFC 5280 §6.1, the name against RFC 9525, and revocation as far as lists and responses are given, and answers with a [`Verdict`]: the path it accepts, or every attempt
//! with its [`Finding`]s. A rejection is an answer, not an error. Which rule belongs to which [`Policy`], and under
//! which clause, is one table: [`check`].

mod cache;
pub mod check;
pub mod compat;
mod detail;
pub mod identity;
mod issuer_checks;
mod leaf_checks;
mod name_constraints;
mod path_checks;
pub mod policies;
mod policy_graph;
mod prose;
mod public_suffix;
pub mod reason;
pub mod revocation;
mod search;
mod single_checks;
pub mod verdict;
mod verifier;

pub use cache::SignatureCache;
pub use check::{Check, Policy, Severity};
pub use identity::Identity;
pub use policies::{PolicyRequirements, PolicySets};
pub use reason::Reason;
pub use revocation::{CheckRevocation, RevocationSource, SourceFault, Status, Unavailable};
pub use verdict::{Attempt, Finding, Outcome, Place, Verdict};
pub use verifier::{AllowWeak, Purpose, Verifier};
