//! Whether the issuer's `nameConstraints` allow what it is to sign (RFC 5280 §4.2.1.10), so that no certificate is made
//! that every client must refuse.

use super::common_name;
use super::confinement::permits_nobody;
use super::error::IssueError;
use crate::profile::Profile;
use crate::profile::subtree::{contains, covers, encloses, excluded_whole, is_plain_uri};
use crate::x509::extension::{Found, GeneralSubtree, NameConstraints};
use crate::x509::{Certificate, DistinguishedName, GeneralName, oids};

/// Checks the subject and every name.
pub(super) fn check(
    certificate: &Certificate,
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    let found = certificate.extension::<NameConstraints>().map_err(IssueError::unusable(certificate))?;
    let Some(Found { value: constraints, .. }) = found else { return Ok(()) };
    let issuer = || certificate.display_name();
    within(constraints, &issuer, subject, names)?;
    for name in common_name::taken_for_hosts(profile, subject, names) {
        let excludes = || constraints.excluded.iter().find(|subtree| matches!(subtree.base, GeneralName::Dns(_)));
        let excluded = || excludes().filter(|_| name.contains('*')).map(|it| format!("{} is excluded", shown(it)));
        if let Some(why) = refusal(constraints, &GeneralName::Dns(name.clone())).or_else(excluded) {
            let why = format!("{why}, and clients take a common name for a DNS name where none stands beside it");
            return Err(IssueError::Constrained { issuer: issuer(), name: format!("the common name {name}"), why });
        }
    }
    Ok(())
}

/// Whether an authority that this profile makes, `called` so in the error, would be allowed these names by its own constraints.
/// Common names are not looked at: they may be [left out](super::fitting) then.
///
/// # Errors
/// [`IssueError::Constrained`].
pub fn would_permit(
    profile: &Profile,
    called: &str,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    let constraints = profile.name_constraints.as_ref();
    constraints.map_or(Ok(()), |constraints| within(constraints, &|| called.to_owned(), subject, names))
}

fn within(
    constraints: &NameConstraints,
    issuer: &dyn Fn() -> String,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    let mut all = names.to_vec();
    if !subject.is_empty() {
        all.push(GeneralName::Directory(subject.clone()));
    }
    // RFC 5280 §4.2.1.10 has emailAddress of the subject count as an rfc822Name where there is none. OpenSSL, NSS and Java hold it
    // to constraints in any case.
    all.extend(subject.values(&oids::EMAIL_ADDRESS).into_iter().map(GeneralName::Email));
    for name in &all {
        if let Some(why) = refusal(constraints, name) {
            return Err(IssueError::Constrained { issuer: issuer(), name: name.to_string(), why });
        }
    }
    Ok(())
}

/// Whether the authority's constraints refuse this DNS name.
pub(super) fn refuses_dns(certificate: &Certificate, name: &str) -> bool {
    let found = certificate.extension::<NameConstraints>().ok().flatten();
    found.is_some_and(|found| refusal(found.value, &GeneralName::Dns(name.to_owned())).is_some())
}

/// Whether what a CA's profile permits lies within what this issuer permits. Clients would hold names to both anyway; one
/// that reads as if it were wider deceives whoever looks at it.
///
/// # Errors
/// [`IssueError::WiderConstraints`], [`IssueError::NothingPermitted`], and where its constraints cannot be read (RFC 5280
/// §4.2.1.10).
pub fn narrower(certificate: &Certificate, profile: &Profile) -> Result<(), IssueError> {
    let Some(wanted) = &profile.name_constraints else { return Ok(()) };
    let found = certificate.extension::<NameConstraints>().map_err(IssueError::unusable(certificate))?;
    let Some(Found { value: own, .. }) = found else { return Ok(()) };
    let issuer = certificate.display_name();
    // One that permits nothing itself is permitted what its issuer is.
    let mut inherited = own.permitted.iter().filter(|subtree| !permits_nobody(&subtree.base)).peekable();
    if inherited.peek().is_some() && inherited.all(|subtree| excluded_whole([subtree], &wanted.excluded).is_some()) {
        let real: Vec<&GeneralSubtree> = own.permitted.iter().collect();
        return Err(IssueError::NothingPermitted { issuer, permitted: listed(real) });
    }
    for subtree in wanted.permitted.iter().filter(|subtree| !permits_nobody(&subtree.base)) {
        if let Some(excluded) = own.excluded.iter().find(|outer| encloses(&outer.base, &subtree.base)) {
            let permitted = format!("what is not excluded, as {} is", shown(excluded));
            return Err(IssueError::WiderConstraints { issuer, wider: shown(subtree), permitted });
        }
        let permitted: Vec<&GeneralSubtree> = same_form(&own.permitted, &subtree.base);
        if !permitted.is_empty() && !permitted.iter().any(|outer| encloses(&outer.base, &subtree.base)) {
            let permitted = listed(permitted);
            return Err(IssueError::WiderConstraints { issuer, wider: shown(subtree), permitted });
        }
    }
    Ok(())
}

fn same_form<'a>(subtrees: &'a [GeneralSubtree], name: &GeneralName) -> Vec<&'a GeneralSubtree> {
    subtrees.iter().filter(|subtree| subtree.base.kind() == name.kind()).collect()
}

/// What is permitted, in words.
fn listed(subtrees: Vec<&GeneralSubtree>) -> String {
    let some = subtrees.into_iter().filter(|subtree| !permits_nobody(&subtree.base));
    let some: Vec<String> = some.map(shown).collect();
    if some.is_empty() { "no name of that form".to_owned() } else { format!("only {}", some.join(" or ")) }
}

/// Why the constraints refuse a name; `None` where they allow it.
fn refusal(constraints: &NameConstraints, name: &GeneralName) -> Option<String> {
    if let Some(subtree) = constraints.excluded.iter().find(|subtree| contains(&subtree.base, name)) {
        return Some(format!("{} is excluded", shown(subtree)));
    }
    // OpenSSL and GnuTLS take it for the excluded host; Go and certkit refuse all of it (CVE-2025-61727).
    if let Some(subtree) = constraints.excluded.iter().find(|subtree| covers(name, &subtree.base)) {
        return Some(format!("it stands for {} too, which is excluded", shown(subtree)));
    }
    let same_form = same_form(&constraints.permitted, name);
    if let GeneralName::Uri(uri) = name
        && !is_plain_uri(uri)
        && constraints.permitted.iter().chain(&constraints.excluded).any(|subtree| subtree.base.kind() == name.kind())
    {
        let why = "constraints on URIs are there, and clients do not agree on the host of this one: it takes a DNS name, with \
                   neither a user before it nor percent signs in it nor a dot after it";
        return Some(why.to_owned());
    }
    let permitted = same_form.is_empty() || same_form.iter().any(|subtree| contains(&subtree.base, name));
    (!permitted).then(|| format!("{} is permitted", listed(same_form)))
}

fn shown(subtree: &GeneralSubtree) -> String {
    subtree.base.to_string()
}
