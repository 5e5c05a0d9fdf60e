//! What another CA may do by its own certificate, so that a cross certificate, which takes the place of that, allows no more.

use time::OffsetDateTime;

use super::subordinate::{keep_constraints, policies_of};
use crate::cli::clock::rfc3339;
use crate::issue::{IssueError, Request, check_constraints, is_lost};
use crate::key::{PublicKey, SignatureError};
use crate::profile::Profile;
use crate::x509::extension::{CertificatePolicies, KeyUsageBit, NameConstraints, PolicyInformation};
use crate::x509::{Certificate, Validity, oids};

/// What is known of the cross certificate beside its profile.
pub(super) struct Limits<'a> {
    /// Whether the path length was asked for in particular.
    pub(super) has_path_len: bool,
    /// Who signs it, and those above.
    pub(super) path: &'a [Certificate],
    /// When.
    pub(super) now: OffsetDateTime,
}

impl Limits<'_> {
    /// What a CA's own certificate asks for; profile and validity are brought down to what it may do.
    ///
    /// # Errors
    /// Why it is refused, in words: it is no CA's or has expired, more is asked for than it may do, or a limit of it cannot
    /// be kept.
    pub(super) fn take(
        &self,
        other: &Certificate,
        profile: &mut Profile,
        validity: &mut Validity,
    ) -> Result<Request, String> {
        let Some(constraints) = other.basic_constraints().map_err(text)?.filter(|constraints| constraints.ca) else {
            return Err("it is no CA's certificate: its basicConstraints do not say CA:TRUE".to_owned());
        };
        if other.subject().is_empty() {
            return Err("it has no subject (RFC 5280 §4.1.2.6)".to_owned());
        }
        let public_key = other.public_key().map_err(text)?;
        public_key.validate().map_err(text)?;
        is_intact(other, &public_key)?;
        // Go and Java read no compressed point.
        let public_key = public_key.uncompressed().map_err(text)?;
        let end = other.validity().not_after;
        if end < self.now {
            return Err(format!("it expired at {}: take that CA's new certificate, or a request of it", rfc3339(end)));
        }
        let own = &mut profile.basic_constraints.path_len;
        *own = match (self.has_path_len, constraints.path_len) {
            (true, Some(theirs)) => (*own).map(|asked| asked.min(theirs)),
            (true, None) => *own,
            (false, theirs) => theirs,
        };
        can_be_kept(other)?;
        keep_usage(other, profile)?;
        keep_names(other, profile)?;
        self.keep_policies(other, profile)?;
        validity.not_after = validity.not_after.min(end);
        Ok(Request {
            subject: other.subject().clone(),
            names: Vec::new(),
            public_key,
            key_identifier: other.subject_key_identifier().map_err(text)?.map(<[u8]>::to_vec),
        })
    }

    /// Its policies, so far as the issuer has them too: others would be valid for nothing (RFC 5280 §6.1.3 (d)).
    fn keep_policies(&self, other: &Certificate, profile: &mut Profile) -> Result<(), String> {
        let Some(theirs) = other.extensions().find::<CertificatePolicies>().map_err(text)? else {
            return match profile.policies.first().filter(|_| is_for_no_policy(other)) {
                Some(more) => Err(format!(
                    "it has no certificatePolicies, so it cannot get {} here (RFC 5280 §6.1.3): leave --policy out",
                    oids::name_or_dotted(&more.policy)
                )),
                None => Ok(()),
            };
        };
        let theirs = theirs.value.0;
        if let Some(more) = profile.policies.iter().find(|asked| !grants(&theirs, asked)) {
            let has: Vec<String> = theirs.iter().map(|it| oids::name_or_dotted(&it.policy)).collect();
            return Err(format!(
                "it has the policies {}, and not {} (RFC 5280 §4.2.1.4): leave that --policy out",
                has.join(", "),
                oids::name_or_dotted(&more.policy)
            ));
        }
        if !profile.policies.is_empty() {
            return Ok(());
        }
        profile.policies = match self.path.first().filter(|issuer| !issuer.is_self_issued()) {
            // What a root says of policies counts for nobody.
            None => theirs,
            Some(issuer) => common(theirs, &policies_of(issuer).unwrap_or_default()),
        };
        Ok(())
    }
}

/// Whether a CA's certificates are valid for no policy: it is none to be trusted by itself, and its certificate has none
/// (RFC 5280 §6.1.3 (e)).
pub(super) fn is_for_no_policy(other: &Certificate) -> bool {
    !other.is_self_issued() && other.extensions().get(&oids::CERTIFICATE_POLICIES).is_none()
}

/// The policies that both have; where there are none and the issuer has some, those that are asked of it in vain.
fn common(theirs: Vec<PolicyInformation>, issuers: &[PolicyInformation]) -> Vec<PolicyInformation> {
    let is_any = |list: &[PolicyInformation]| list.iter().any(|it| it.policy == oids::ANY_POLICY);
    if issuers.is_empty() || (is_any(&theirs) && !is_any(issuers)) {
        return issuers.to_vec();
    }
    let both: Vec<PolicyInformation> = theirs.iter().filter(|it| grants(issuers, it)).cloned().collect();
    if both.is_empty() { theirs } else { both }
}

fn grants(list: &[PolicyInformation], wanted: &PolicyInformation) -> bool {
    list.iter().any(|it| it.policy == wanted.policy || it.policy == oids::ANY_POLICY)
}

/// Refuses a certificate that its own key has not signed, though it says so.
fn is_intact(other: &Certificate, key: &PublicKey) -> Result<(), String> {
    let signer = other.authority_key_identifier().map_err(text)?.and_then(|found| found.key_identifier.as_deref());
    let own = other.subject_key_identifier().map_err(text)?;
    // Another key of the same CA may have signed it, when that CA changed its key (RFC 4210 §4.4).
    let by_itself = other.is_self_issued() && signer.zip(own).is_none_or(|(signer, own)| signer == own);
    match other.verify_signature(key) {
        Err(SignatureError::Mismatch) if by_itself => Err(
            "it says that it has signed itself, and the key in it has not: it was changed or damaged; fetch it again"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

/// Refuses what restrains the other CA and what no profile can say: without it the cross certificate would allow more.
fn can_be_kept(other: &Certificate) -> Result<(), String> {
    match other.extensions().iter().find(|it| is_lost(it)) {
        None => Ok(()),
        Some(it) => Err(format!(
            "it has {}, which certkit cannot write, and without it the new certificate would allow more than its own: \
             have that CA send a request instead, and say with --permit and --policy what it may do",
            it.name()
        )),
    }
}

/// keyUsage and extKeyUsage (RFC 5280 §4.2.1.3, §4.2.1.12).
fn keep_usage(other: &Certificate, profile: &mut Profile) -> Result<(), String> {
    if let Some(usage) = other.key_usage().map_err(text)? {
        if !usage.has(KeyUsageBit::KeyCertSign) {
            let why = "it may not sign certificates: its keyUsage lacks keyCertSign (RFC 5280 §4.2.1.3)";
            return Err(why.to_owned());
        }
        for granted in [&mut profile.key_usage, &mut profile.key_usage_rsa, &mut profile.key_usage_ecdsa] {
            granted.retain(|bit| usage.has(*bit));
        }
    }
    let Some(theirs) = other.extended_key_usage().map_err(text)? else { return Ok(()) };
    let own = &mut profile.extended_key_usage;
    if own.is_empty() || own.contains(&oids::ANY_EXTENDED_KEY_USAGE) {
        own.clone_from(&theirs.0);
    } else if !theirs.lists(&oids::ANY_EXTENDED_KEY_USAGE) {
        own.retain(|purpose| theirs.lists(purpose));
    }
    match own.is_empty() {
        false => Ok(()),
        true => Err(format!(
            "its extKeyUsage has nothing in common with that of profile {} (RFC 5280 §4.2.1.12): choose another profile",
            profile.name
        )),
    }
}

/// nameConstraints (RFC 5280 §4.2.1.10): what is asked for must lie within its own, and of the forms of which nothing is asked
/// for its own are kept.
fn keep_names(other: &Certificate, profile: &mut Profile) -> Result<(), String> {
    let Some(theirs) = other.extensions().find::<NameConstraints>().map_err(text)? else { return Ok(()) };
    check_constraints(other, profile).map_err(|error| match error {
        IssueError::WiderConstraints { wider, permitted, .. } => format!(
            "by its own certificate it is permitted less than {wider}: {permitted} (nameConstraints, RFC 5280 §4.2.1.10)"
        ),
        error => error.to_string(),
    })?;
    keep_constraints(profile, theirs.value);
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
