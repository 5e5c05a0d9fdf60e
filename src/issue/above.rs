//! What in the certificates of authorities makes clients refuse all that is below them, whatever its names are: no certificate is
//! made that every client must refuse.

use super::error::IssueError;
use crate::encoding::Oid;
use crate::profile::Profile;
use crate::x509::extension::{CertificatePolicies, ExtensionType, PolicyConstraints, PolicyMappings};
use crate::x509::{Certificate, Extension, oids};

/// Checks the authorities of a path, the issuer first.
pub(super) fn check(path: &[&Certificate], profile: &Profile) -> Result<(), IssueError> {
    path.iter().try_for_each(|authority| understood(authority))?;
    policies(path, profile)
}

/// Whether an authority has no critical extension that clients do not know (RFC 5280 §4.2): they would refuse all below it.
///
/// # Errors
/// [`IssueError::UnusableIssuer`].
pub fn understood(authority: &Certificate) -> Result<(), IssueError> {
    let unknown = authority
        .extensions()
        .iter()
        .find(|it| it.critical && !RESTRAINING.contains(&it.oid) && !WRITTEN.contains(&it.oid));
    unknown.map_or(Ok(()), |it| {
        let why = format!("it has the critical extension {}, for which clients refuse all below it", it.name());
        Err(IssueError::UnusableIssuer { issuer: authority.display_name(), why })
    })
}

/// RFC 5280 §6.1.5 (g): where an authority asks for an explicit policy, one has to be valid all along the path.
fn policies(path: &[&Certificate], profile: &Profile) -> Result<(), IssueError> {
    if profile.is_ca() {
        return Ok(());
    }
    let mut below = 0;
    let mut asks = None;
    for authority in path {
        let unusable = IssueError::unusable(authority);
        let found = authority.extension::<PolicyConstraints>().map_err(unusable)?;
        // Each certificate that is not self-issued counts it down, the last one too.
        if found.and_then(|it| it.value.require_explicit_policy).is_some_and(|after| after <= below + 1) {
            asks = Some(authority);
        }
        below += u64::from(!authority.is_self_issued());
    }
    let Some(asks) = asks else { return Ok(()) };
    // What is mapped has another name further up: left to the clients.
    if path.iter().any(|authority| authority.extensions().get(&PolicyMappings::OID).is_some()) {
        return Ok(());
    }
    // Clients take an anchor's policies from nobody but its user.
    let issuers = || path.iter().filter(|it| path.len() == 1 || !it.is_self_issued());
    let valid = |policy: &Oid| {
        issuers().all(|authority| {
            let own = authority.extension::<CertificatePolicies>().ok().flatten();
            own.is_some_and(|own| own.value.0.iter().any(|it| it.policy == *policy || it.policy == oids::ANY_POLICY))
        })
    };
    if profile.policies.iter().any(|it| valid(&it.policy)) {
        return Ok(());
    }
    let why = format!(
        "it asks for a certificate policy (requireExplicitPolicy, RFC 5280 §4.2.1.11), and profile {} has none that is valid \
         below it: clients would refuse the certificate. Give `policies` in a profile of your own",
        profile.name
    );
    Err(IssueError::UnusableIssuer { issuer: asks.display_name(), why })
}

/// Whether an extension of an authority restrains it or is critical, and no profile can say it: a certificate without it would
/// allow more.
pub fn is_lost(extension: &Extension) -> bool {
    RESTRAINING.contains(&extension.oid) || (extension.critical && !WRITTEN.contains(&extension.oid))
}

/// Extensions of authorities that profiles can say, and clients know.
const WRITTEN: &[Oid] = &[
    oids::BASIC_CONSTRAINTS,
    oids::KEY_USAGE,
    oids::EXTENDED_KEY_USAGE,
    oids::NAME_CONSTRAINTS,
    oids::CERTIFICATE_POLICIES,
    oids::SUBJECT_KEY_IDENTIFIER,
    oids::AUTHORITY_KEY_IDENTIFIER,
    oids::SUBJECT_ALT_NAME,
    oids::CRL_DISTRIBUTION_POINTS,
];

/// Extensions that restrain what is below an authority: clients know them, and no profile says them.
const RESTRAINING: &[Oid] = &[oids::POLICY_CONSTRAINTS, oids::POLICY_MAPPINGS, oids::INHIBIT_ANY_POLICY];
