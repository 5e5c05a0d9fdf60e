//! The sentences: what a reason says, and what to do about it.

use std::fmt;

use super::identity::{Identity, IdentityMismatch, NearMiss};
use super::policies::{PolicyLoss, PolicyLossKind};
use super::reason::Reason;
use crate::encoding::{Oid, hex};
use crate::x509::extension::CrlReason;
use crate::x509::{GeneralName, oids, time};

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuerNotFound { issuer, unavailable, .. } => {
                write!(f, "no certificate of the issuer \"{issuer}\" is among the roots and intermediates given")?;
                unavailable.iter().try_for_each(|it| write!(f, "; {it}"))
            }
            Self::SelfSignedNotTrusted { subject } => write!(f, "\"{subject}\" is its own issuer and no trusted root"),
            Self::Loop { issuer } => write!(f, "the chain goes in circles at \"{issuer}\" and meets no trusted root"),
            Self::GaveUp { what, limit } => write!(f, "gave up: more than {limit} {what} are needed"),
            Self::TooDeep { limit } => write!(f, "there are more than {limit} intermediate certificates"),
            Self::Extension(error) => error.fmt(f),
            Self::Signature(error) => error.fmt(f),
            Self::WeakHash(hash) => write!(f, "the signature rests on {hash}, for which forgeries can be made"),
            Self::AlgorithmsDiffer => {
                f.write_str("signatureAlgorithm differs from the algorithm named inside the signed part")
            }
            Self::Key(error) => error.fmt(f),
            Self::SmallKey { bits, minimum } => write!(f, "the RSA key has {bits} bits; {minimum} are the least"),
            Self::NotYetValid { validity, at } => {
                let away = time::span_in_words(validity.not_before - *at);
                write!(f, "not valid before {}, {away} from the time of judgment", time::rfc3339(validity.not_before))
            }
            Self::Expired { validity, at } => {
                let ago = time::span_in_words(*at - validity.not_after);
                write!(f, "expired on {}, {ago} before the time of judgment", time::rfc3339(validity.not_after))
            }
            Self::ValidityReversed(validity) => {
                let (start, end) = (time::rfc3339(validity.not_before), time::rfc3339(validity.not_after));
                write!(f, "the validity ends ({end}) before it begins ({start})")
            }
            Self::TimeEncoding { text, why } => write!(f, "the time \"{}\" {why}", text.escape_default()),
            Self::NoBasicConstraints => f.write_str("the issuer has no basicConstraints, so it is no CA"),
            Self::NotCa => f.write_str("the issuer's basicConstraints says CA:FALSE"),
            Self::OldVersionIssuer { version } => {
                write!(f, "the issuer is of version {version}, which cannot say that it is a CA")
            }
            Self::NoKeyCertSign => f.write_str("the issuer's keyUsage lacks keyCertSign"),
            Self::PathLength { limit, found } => {
                write!(f, "pathLenConstraint allows {limit} intermediates below and there are {found}")
            }
            Self::NotPermitted { name, permitted } => {
                write!(f, "{name} lies outside what the issuer permits ({})", list(permitted))
            }
            Self::Excluded { name, base } => write!(f, "{name} touches {base}, which an issuer excludes"),
            Self::ConstraintMalformed { base, why } => write!(f, "the name constraint {base}: {why}"),
            Self::NameMalformed { name } => write!(f, "{name} is malformed and cannot be held against a constraint"),
            Self::NoPolicy { wanted, valid, demanded_by, loss } => {
                no_policy(f, wanted, valid, *demanded_by, loss.as_ref())
            }
            Self::AnyPolicyMapped { issuer_policy, subject_policy } => {
                let (from, to) = (named(issuer_policy), named(subject_policy));
                write!(f, "policyMappings maps {from} to {to}, and anyPolicy cannot be mapped")
            }
            Self::PolicyTwice(oid) => write!(f, "certificatePolicies names {} more than once", named(oid)),
            Self::UnknownCritical(oid) => {
                write!(f, "the extension {} is critical and not processed here", named(oid))
            }
            Self::Duplicate(oid) => write!(f, "the extension {} stands more than once", named(oid)),
            Self::Purpose { wanted, found } => {
                let found: Vec<String> = found.iter().map(named).collect();
                write!(f, "extKeyUsage lists {} and not {}", found.join(", "), named(wanted))
            }
            Self::KeyUsage { found, wanted } => {
                write!(f, "keyUsage has {} and none of {}", found.join(", "), wanted.join(", "))
            }
            Self::Identity(mismatch) => mismatch.fmt(f),
            Self::Broken(what) => f.write_str(what),
            Self::Serial(serial) => {
                let why = match serial {
                    serial if serial.is_zero() => "is zero",
                    serial if serial.is_negative() => "is negative",
                    _ => "has more than 20 octets",
                };
                write!(f, "the serial number {serial} {why}")
            }
            Self::KeyIdentifiers { authority, subject } => {
                let (authority, subject) = (hex::encode(authority), hex::encode(subject));
                write!(f, "authorityKeyIdentifier {authority} is not the issuer's subjectKeyIdentifier {subject}")
            }
            Self::NameSyntax { name, why } => write!(f, "the name \"{}\": {why}", name.escape_default()),
            Self::BroadWildcard { name } => write!(f, "the wildcard \"{name}\" covers every domain of a registry"),
            Self::CommonNameNotInSan { common_name } => {
                write!(f, "the commonName \"{}\" is not among the subjectAltNames", common_name.escape_default())
            }
            Self::LongValidity { days, limit } => {
                write!(f, "the validity is {days} days; public clients take {limit} for a certificate of its date")
            }
            Self::Revoked { since, reason, source } => {
                let held = *reason == Some(CrlReason::CertificateHold);
                f.write_str(if held { "the certificate is on hold" } else { "the certificate is revoked" })?;
                write!(f, " since {}", time::rfc3339(*since))?;
                reason.map_or(Ok(()), |reason| write!(f, " ({})", reason.name()))?;
                source.as_ref().map_or(Ok(()), |source| write!(f, ", says {source}"))
            }
            Self::StatusUnknown { uncovered, unavailable } => {
                match uncovered.as_slice() {
                    [] => {
                        f.write_str("no list or response given covers the certificate, so its status is unknown")?;
                    }
                    reasons => {
                        let reasons = reasons.join(", ");
                        write!(
                            f,
                            "no list given covers revocation for {reasons}, so the certificate's status is unknown"
                        )?;
                    }
                }
                unavailable.iter().try_for_each(|it| write!(f, "; {it}"))
            }
            Self::Revocation(fault) => fault.fmt(f),
        }
    }
}

fn no_policy(
    f: &mut fmt::Formatter<'_>,
    wanted: &[Oid],
    valid: &[Oid],
    demanded_by: Option<usize>,
    loss: Option<&PolicyLoss>,
) -> fmt::Result {
    match (wanted, valid) {
        ([], _) => f.write_str("the path is valid for no certificate policy")?,
        (wanted, []) => write!(f, "the path is valid for no certificate policy, so not for {}", policies(wanted))?,
        (wanted, valid) => write!(f, "the path is valid for {} and not for {}", policies(valid), policies(wanted))?,
    }
    match demanded_by {
        Some(at) => write!(f, ", and policyConstraints of certificate {at} requires one")?,
        None => f.write_str(", and one is required")?,
    }
    let Some(PolicyLoss { at, how }) = loss else { return Ok(()) };
    match how {
        PolicyLossKind::Absent => write!(f, ": certificate {at} has no certificatePolicies"),
        PolicyLossKind::NotExpected { found, expected } => {
            let (found, expected) = (policies(found), policies(expected));
            write!(f, ": certificate {at} has {found}, and above it {expected} held")
        }
        PolicyLossKind::MappingInhibited => {
            write!(f, ": certificate {at} maps the policies that held, and mapping is inhibited")
        }
    }
}

fn policies(list: &[Oid]) -> String {
    list.iter().map(named).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for IdentityMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = &self.wanted;
        if self.presented.is_empty() {
            write!(f, "\"{wanted}\" was asked for and the certificate has no subjectAltName")?;
        } else {
            write!(f, "\"{wanted}\" was asked for and the certificate is for {}", list(&self.presented))?;
        }
        match &self.near_miss {
            None => {}
            Some(NearMiss::WildcardDepth(name)) => write!(f, "; {name} stands for exactly one label in place of *")?,
            Some(NearMiss::PartialWildcard(name)) => write!(f, "; in {name} the * is not a label of its own")?,
            Some(NearMiss::IpInDns(name)) => {
                write!(f, "; {name} stands as a dNSName, where an IP address does not count")?;
            }
            Some(NearMiss::OtherForm(name)) => write!(f, "; {name} has another form and does not count")?,
        }
        if let Some(common_name) = &self.common_name {
            let common_name = common_name.escape_default();
            write!(f, "; its commonName \"{common_name}\" would have matched in clients that still fall back to it")?;
        }
        Ok(())
    }
}

impl Reason {
    /// What to do about it; `None` where there is nothing short to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::IssuerNotFound { issuer, issuer_uris, unavailable } => match issuer_uris.first() {
                Some(_) if !unavailable.is_empty() => format!("add the certificate of \"{issuer}\" with --intermediates"),
                Some(uri) => format!("add the certificate of \"{issuer}\" with --intermediates; the certificate says it is at {uri}, and --fetch-issuers fetches it"),
                None => format!("add the certificate of \"{issuer}\" with --intermediates, or trust it with --roots"),
            },
            Self::SelfSignedNotTrusted { .. } => {
                "if you made it yourself and mean to trust it, name it with --roots".to_owned()
            }
            Self::Expired { .. } => "renew it; --at judges as of another time".to_owned(),
            Self::NotYetValid { .. } => "check the clock of this machine and of the issuer; --at judges as of another time".to_owned(),
            Self::WeakHash(crate::key::HashAlgorithm::Sha1) => {
                "have it issued again with SHA-256; --allow-weak sha1 lets an old archive through".to_owned()
            }
            Self::WeakHash(_) => "have it issued again with SHA-256".to_owned(),
            Self::SmallKey { .. } => "have it issued again for a key made with `certkit key new`".to_owned(),
            Self::Identity(mismatch) => identity_hint(mismatch),
            Self::NotCa | Self::NoBasicConstraints | Self::OldVersionIssuer { .. } | Self::NoKeyCertSign => {
                "a certificate that is no CA's signed this one: either the chain is put together wrongly or somebody forged it".to_owned()
            }
            Self::Purpose { wanted, .. } => format!("have it issued with {}, or choose another --purpose", named(wanted)),
            Self::Signature(crate::key::SignatureError::Mismatch) => {
                "the certificate was changed after it was signed, or the issuer's certificate is not the one that signed it".to_owned()
            }
            Self::NoPolicy { wanted, valid, .. } if !wanted.is_empty() && !valid.is_empty() => {
                format!("--require-policy takes one of the policies that the path is valid for: {}", policies(valid))
            }
            Self::NoPolicy { loss: Some(_), .. } => {
                "have the certificate issued with a policy of its issuer; `certkit inspect` shows those of each".to_owned()
            }
            Self::Loop { .. } => "trust one of its issuers with --roots".to_owned(),
            Self::TooDeep { .. } => "--max-depth allows more".to_owned(),
            Self::Revoked { reason: Some(CrlReason::CertificateHold), .. } => {
                "ask its issuer; a hold can be lifted, and a newer list then leaves it out".to_owned()
            }
            Self::Revoked { .. } => "do not trust it; have one issued for a new key".to_owned(),
            Self::StatusUnknown { unavailable, .. } if unavailable.is_empty() => {
                "give its issuer's revocation list with --crl; --fetch-revocation fetches what the certificate names".to_owned()
            }
            Self::StatusUnknown { .. } => "give its issuer's revocation list with --crl".to_owned(),
            Self::Revocation(fault) => return fault.hint(),
            _ => return None,
        })
    }
}

fn identity_hint(mismatch: &IdentityMismatch) -> String {
    match &mismatch.wanted {
        Identity::Server(name) if mismatch.presented.is_empty() => {
            format!("names belong in subjectAltName; `certkit new {name}` or `certkit ca issue {name}` puts them there")
        }
        Identity::Server(name) => {
            format!("connect by a name of the certificate, or have one issued for {name}: `certkit ca issue {name}`")
        }
        Identity::Email(_) | Identity::Uri(_) => {
            "use an identity of the certificate, or have one issued for this one".to_owned()
        }
    }
}

fn named(oid: &Oid) -> String {
    oids::name_or_dotted(oid)
}

/// Names in a row; a long list is cut.
fn list(names: &[GeneralName]) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| name.value().escape_default().to_string()).collect();
    if names.len() > SHOWN {
        shown.push(format!("{} more", names.len() - SHOWN));
    }
    shown.join(", ")
}
