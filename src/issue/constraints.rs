//! Whether the issuer's `nameConstraints` allow what it is to sign (RFC 5280 §4.2.1.10), so that no certificate is made
//! that every client must refuse.

use super::error::IssueError;
use crate::profile::subtree::contains;
use crate::x509::extension::{GeneralSubtree, NameConstraints};
use crate::x509::{Certificate, DistinguishedName, GeneralName, oids};

/// Checks the subject and every name.
pub(super) fn check(
    certificate: &Certificate,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    let issuer = certificate.display_name();
    let found = certificate.extensions().find::<NameConstraints>().map_err(IssueError::unusable(&issuer))?;
    let Some(constraints) = found.map(|found| found.value) else { return Ok(()) };
    let mut all = names.to_vec();
    if !subject.is_empty() {
        all.push(GeneralName::Directory(subject.clone()));
    }
    // RFC 5280 §4.2.1.10: without rfc822Name, emailAddress of the subject counts as one.
    if !names.iter().any(|name| matches!(name, GeneralName::Email(_))) {
        all.extend(subject.values(&oids::EMAIL_ADDRESS).into_iter().map(GeneralName::Email));
    }
    for name in &all {
        if let Some(why) = refusal(&constraints, name) {
            return Err(IssueError::Constrained { issuer, name: name.to_string(), why });
        }
    }
    Ok(())
}

/// Why the constraints refuse a name; `None` where they allow it.
fn refusal(constraints: &NameConstraints, name: &GeneralName) -> Option<String> {
    if let Some(subtree) = constraints.excluded.iter().find(|subtree| contains(&subtree.base, name)) {
        return Some(format!("{} is excluded", shown(subtree)));
    }
    let same_form: Vec<&GeneralSubtree> =
        constraints.permitted.iter().filter(|subtree| subtree.base.kind() == name.kind()).collect();
    let permitted = same_form.is_empty() || same_form.iter().any(|subtree| contains(&subtree.base, name));
    (!permitted).then(|| {
        let permitted: Vec<String> = same_form.into_iter().map(shown).collect();
        format!("only {} is permitted", permitted.join(" or "))
    })
}

fn shown(subtree: &GeneralSubtree) -> String {
    subtree.base.to_string()
}
