//! What the commands that certify other authorities have in common.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::outline::in_words;
use super::place::{self, Chosen};
use super::unwritten;
use crate::ca::{Authority, AuthorityError, Issued, petition};
use crate::cli::clock::rfc3339;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, good, safe, strong, warn};
use crate::encoding::hex;
use crate::key::PublicKey;
use crate::profile::Profile;
use crate::x509::extension::{CertificatePolicies, NameConstraints, PolicyInformation};
use crate::x509::{Certificate, CertificationRequest, oids};

/// Adds the constraints of the authorities above to those of a profile: not every client looks at those of a root. And gives one
/// without policies those of its issuer, for without them its certificates are valid for none.
pub(super) fn inherit(profile: &mut Profile, path: &[Certificate]) {
    for certificate in path {
        if let Ok(Some(above)) = certificate.extensions().find::<NameConstraints>() {
            keep_constraints(profile, above.value);
        }
    }
    if profile.policies.is_empty()
        && let Some(Some(policies)) = path.first().map(policies_of)
    {
        profile.policies = policies;
    }
}

/// Adds constraints to those of a profile: all that is excluded, and what is permitted of the forms of which it permits nothing
/// itself. Of the others it permits less, or is refused.
pub(super) fn keep_constraints(profile: &mut Profile, NameConstraints { permitted, excluded }: NameConstraints) {
    let wanted = profile.name_constraints.get_or_insert_default();
    let forms: Vec<&str> = wanted.permitted.iter().map(|subtree| subtree.base.kind()).collect();
    let more: Vec<_> = permitted.into_iter().filter(|subtree| !forms.contains(&subtree.base.kind())).collect();
    wanted.permitted.extend(more);
    for subtree in excluded {
        if !wanted.excluded.contains(&subtree) {
            wanted.excluded.push(subtree);
        }
    }
}

/// Refuses policies that none of its certificates could be valid for, because the authority that certifies it is not for them
/// (RFC 5280 §6.1.3 (d)). What a root says of policies counts for nobody.
///
/// # Errors
/// Where the issuer, which is the first of `path`, lacks one of the profile's policies.
pub(super) fn check_policies(profile: &Profile, path: &[Certificate]) -> anyhow::Result<()> {
    let Some(issuer) = path.first().filter(|issuer| !issuer.is_self_issued()) else { return Ok(()) };
    let granted = policies_of(issuer).unwrap_or_default();
    let is_granted = |wanted: &PolicyInformation| {
        granted.iter().any(|granted| granted.policy == wanted.policy || granted.policy == oids::ANY_POLICY)
    };
    match profile.policies.iter().find(|wanted| !is_granted(wanted)) {
        None => Ok(()),
        Some(missing) => {
            let has = match granted.iter().map(|it| oids::name_or_dotted(&it.policy)).collect::<Vec<_>>().join(", ") {
                has if has.is_empty() => "has none".to_owned(),
                has => format!("has {has}"),
            };
            Err(anyhow!(
                "the policy {} would be valid for nothing below {}, which {has} (RFC 5280 §6.1.3)",
                oids::name_or_dotted(&missing.policy),
                issuer.display_name()
            ))
            .hint("choose a policy of the issuer's, or have an authority that is for it sign: --issuer NAME")
        }
    }
}

/// The policies of a certificate, where it has some.
pub(super) fn policies_of(certificate: &Certificate) -> Option<Vec<PolicyInformation>> {
    let found = certificate.extensions().find::<CertificatePolicies>().ok().flatten();
    found.map(|found| found.value.0).filter(|policies| !policies.is_empty())
}

/// Tells what a request asks for and does not get.
pub(super) fn tell_left_out(request: &CertificationRequest, profile: &Profile, session: &mut Session) {
    for asked in petition::left_out_of_authority(request, profile) {
        session.say(format_args!("{} {}, which the request asked for", warn("left out:"), safe(&asked)));
    }
}

/// Why a key is not certified again, where a certificate of this CA was revoked because it is compromised.
pub(super) fn compromised(authority: &mut Authority, key: &PublicKey) -> anyhow::Result<Option<String>> {
    match authority.refuse_compromised(key) {
        Ok(()) => Ok(None),
        Err(error @ AuthorityError::CompromisedKey { .. }) => Ok(Some(format!("{error}: it needs a new key"))),
        Err(error) => Err(error.into()),
    }
}

/// `branch.pem` for `branch.csr`, in the folder where certkit runs.
pub(super) fn certified_file(out: Option<&Path>, from: &Path) -> anyhow::Result<PathBuf> {
    match out {
        Some(out) => Ok(out.to_owned()),
        None => super::sign::beside(from, "authority"),
    }
}

/// An authority that is certified and whose key is elsewhere.
#[derive(Debug, Serialize)]
pub(super) struct Certified {
    certified: String,
    certificate_file: String,
    subject: String,
    serial: String,
    fingerprint_sha256: String,
    not_after: String,
    issuer: String,
    path_len: Option<u64>,
    permitted: Vec<String>,
    excluded: Vec<String>,
    #[serde(skip)]
    permitted_in_words: String,
    /// The notAfter asked for, where one above ends before it.
    shortened_from: Option<String>,
}

impl Certified {
    /// Writes the certificate with those above it, and answers.
    pub(super) fn write(
        issued: &Issued,
        by: &Authority,
        from: String,
        out: PathBuf,
        force: bool,
        chosen: &Chosen,
        session: &mut Session,
    ) -> anyhow::Result<Exit> {
        let mut chain = vec![&issued.certificate];
        chain.extend(by.path());
        let mut set = WriteSet::new(force).whole();
        let certificate_file = if files::is_dash(&out) { "stdout".to_owned() } else { shown(&out) };
        set.add(out, place::chain(&chain).into_bytes(), Mode::Public);
        unwritten::told(set.write(session), issued, unwritten::Key::Kept, chosen)?;
        let certificate = &issued.certificate;
        let constraints = certificate.extensions().find::<NameConstraints>().ok().flatten();
        let constraints = constraints.map(|found| found.value).unwrap_or_default();
        let list = |subtrees: &[crate::x509::extension::GeneralSubtree]| {
            subtrees.iter().map(|subtree| subtree.base.to_string()).collect()
        };
        let certified = Self {
            certified: from,
            certificate_file,
            subject: certificate.subject().to_string(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            not_after: rfc3339(certificate.validity().not_after),
            issuer: by.certificate().subject().to_string(),
            path_len: certificate.basic_constraints().ok().flatten().and_then(|constraints| constraints.path_len),
            permitted_in_words: in_words(&constraints.permitted),
            permitted: list(&constraints.permitted),
            excluded: list(&constraints.excluded),
            shortened_from: issued.clamped.map(rfc3339),
        };
        session
            .answer(&certified)
            .with_context(|| format!("the certificate is issued and written to {}", certified.certificate_file))?;
        Ok(Exit::Yes)
    }

    /// Answers no.
    pub(super) fn refuse(from: String, why: &str, session: &mut Session) -> anyhow::Result<Exit> {
        session.answer(&Refused { request: from, refused: why.to_owned() })?;
        Ok(Exit::No)
    }
}

impl Report for Certified {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} the authority {}", good("certified"), strong(&self.subject)));
        let mut fields = vec![
            ("from", safe(&self.certified).to_string()),
            ("certificate", format!("{} (with those above it)", safe(&self.certificate_file))),
            ("issuer", safe(&self.issuer).to_string()),
            ("serial", self.serial.clone()),
        ];
        if !self.permitted.is_empty() {
            fields.push(("permitted", safe(&self.permitted_in_words).to_string()));
        }
        if !self.excluded.is_empty() {
            fields.push(("excluded", safe(self.excluded.join(", ")).to_string()));
        }
        fields.push(("expires", self.not_after.clone()));
        fields.push(("SHA-256", self.fingerprint_sha256.clone()));
        text.fields(fields);
        write_shortened(self.shortened_from.as_deref(), text);
    }
}

/// Says that an end was brought forward.
pub(super) fn write_shortened(wanted: Option<&str>, text: &mut Text) {
    if let Some(wanted) = wanted {
        text.line(format_args!(
            "{} it expires with the CA above it or its own certificate, not at {wanted}",
            warn("shortened:")
        ));
    }
}

#[derive(Debug, Serialize)]
struct Refused {
    request: String,
    /// Why.
    refused: String,
}

impl Report for Refused {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} {}: {}", bad("refused"), safe(&self.request), safe(&self.refused)));
    }
}
