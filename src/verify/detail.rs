//! What a check looked at and found good, in a few words with the values.

use super::Verifier;
use super::check::Check;
use super::identity;
use super::revocation::RevocationSource;
use super::verdict::{Attempt, Finding, Place};
use crate::encoding::hex;
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use crate::x509::{Certificate, oids, time};

impl Finding {
    /// What was found: the reason where the rule is broken, else the values that keep it. `attempt` is the one the
    /// finding belongs to, `verifier` the one that made it.
    pub fn detail(&self, attempt: &Attempt, verifier: &Verifier) -> String {
        if let Some(reason) = self.reason() {
            return reason.to_string();
        }
        if self.check == Check::Policies {
            let sets = attempt.policies(verifier).unwrap_or_default();
            let user: Vec<String> = sets.user.iter().map(oids::name_or_dotted).collect();
            return format!("valid for {}", user.join(", "));
        }
        let index = match self.place {
            Place::Certificate(index) => index,
            Place::Path => attempt.path.len().saturating_sub(1),
        };
        if self.check == Check::Revocation {
            let status = attempt.revocation.iter().find(|status| status.certificate == index);
            return status.and_then(|status| status.source.as_ref()).map_or_else(String::new, not_revoked);
        }
        let above = attempt.path.get(index + 1);
        match attempt.path.get(index) {
            Some(certificate) => kept(self.check, certificate, above, index, verifier),
            None => String::new(),
        }
    }
}

fn not_revoked(source: &RevocationSource) -> String {
    let next = source.next_update.map(|next| format!(", which holds until {}", time::rfc3339(next)));
    let nonce = source.nonce.as_ref().map(|nonce| format!(", nonce {}", hex::encode(nonce)));
    format!("not revoked, says {source}{}{}", next.unwrap_or_default(), nonce.unwrap_or_default())
}

fn kept(
    check: Check,
    certificate: &Certificate,
    above: Option<&Certificate>,
    index: usize,
    verifier: &Verifier,
) -> String {
    let extensions = certificate.extensions();
    let validity = certificate.validity();
    match check {
        Check::Validity => {
            format!("from {} to {}", time::rfc3339(validity.not_before), time::rfc3339(validity.not_after))
        }
        Check::Key => certificate.public_key().map_or_else(|_| String::new(), |key| key.algorithm().to_string()),
        Check::CriticalExtensions => {
            let critical: Vec<String> =
                extensions.iter().filter(|extension| extension.critical).map(|extension| extension.name()).collect();
            if critical.is_empty() { "none is critical".to_owned() } else { critical.join(", ") }
        }
        Check::Identity => identities(certificate, verifier),
        Check::Purpose => match certificate.extension::<ExtendedKeyUsage>() {
            Ok(Some(found)) => found.value.0.iter().map(oids::name_or_dotted).collect::<Vec<_>>().join(", "),
            _ => "no extKeyUsage, so every purpose".to_owned(),
        },
        Check::Signature => {
            let algorithm = certificate.signature_algorithm().map_or_else(|_| String::new(), |it| it.to_string());
            let signer = above.map(|issuer| issuer.display_name()).unwrap_or_default();
            format!("{algorithm}, made by the key of \"{signer}\"")
        }
        Check::NameChaining => {
            format!("issuer \"{}\" is the subject of certificate {}", certificate.issuer(), index + 1)
        }
        Check::IssuerIsCa => "CA:TRUE".to_owned(),
        Check::KeyCertSign => match certificate.extension::<KeyUsage>() {
            Ok(Some(found)) => found.value.names().join(", "),
            _ => "no keyUsage, so every use".to_owned(),
        },
        Check::PathLength => match certificate.extension::<BasicConstraints>() {
            Ok(Some(found)) => format!("at most {} intermediates below", found.value.path_len.unwrap_or(u64::MAX)),
            _ => String::new(),
        },
        Check::NameConstraints => "every name lies within the issuers' constraints".to_owned(),
        Check::Path => format!("leads to the trusted \"{}\"", certificate.display_name()),
        other => other.rule().requirement.to_owned(),
    }
}

fn identities(certificate: &Certificate, verifier: &Verifier) -> String {
    let matched = |wanted| match identity::check(certificate, wanted) {
        Ok(Ok(name)) => format!("\"{wanted}\" is covered by {name}"),
        _ => format!("\"{wanted}\""),
    };
    verifier.identities.iter().map(matched).collect::<Vec<_>>().join("; ")
}
