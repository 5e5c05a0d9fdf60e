//! The TOML document of a profile: its keys, their defaults, and what contradicts what.

use super::error::ProfileError;
use super::field::{Days, Policy, Purpose, Span, Subtree, Uri, Usage};
use super::{NameForm, Profile};
use crate::key::KeyAlgorithm;
use crate::x509::extension::{BasicConstraints, KeyUsageBit, NameConstraints};
use serde::Deserialize;
use toml::Spanned;

/// Reads a profile.
pub(super) fn read(source: &str, text: &str) -> Result<Profile, ProfileError> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        ProfileError::at(source, text, offset, error.message())
    })?;
    if let Some((offset, why)) = document.contradiction() {
        return Err(ProfileError::at(source, text, offset, why));
    }
    Ok(document.into_profile(source))
}

/// The keys as they stand in the file. Keys of one line that the certificate would contradict are kept with their
/// places, so that the error can point at them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    description: String,
    #[serde(default = "p256")]
    key: KeyAlgorithm,
    days: Days,
    #[serde(default)]
    backdate: Span,
    #[serde(default)]
    ca: bool,
    path_len: Option<Spanned<u8>>,
    key_usage: Spanned<Vec<Usage>>,
    #[serde(default)]
    key_usage_rsa: Vec<Usage>,
    #[serde(default)]
    key_usage_ecdsa: Vec<Usage>,
    #[serde(default)]
    extended_key_usage: Vec<Purpose>,
    extended_key_usage_critical: Option<Spanned<bool>>,
    #[serde(default)]
    names: Vec<NameForm>,
    required_names: Option<Spanned<Vec<NameForm>>>,
    #[serde(default)]
    policies: Vec<Policy>,
    #[serde(default)]
    crl: Vec<Uri>,
    #[serde(default)]
    ocsp: Vec<Uri>,
    #[serde(default)]
    ca_issuers: Vec<Uri>,
    name_constraints: Option<Spanned<Constraints>>,
    #[serde(default)]
    must_staple: bool,
    #[serde(default)]
    ocsp_no_check: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Constraints {
    #[serde(default)]
    permitted: Vec<Subtree>,
    #[serde(default)]
    excluded: Vec<Subtree>,
}

fn p256() -> KeyAlgorithm {
    KeyAlgorithm::P256
}

impl Document {
    /// The first contradiction and its offset. A key that could have no effect is one.
    fn contradiction(&self) -> Option<(usize, &'static str)> {
        let signs = self.key_usage.get_ref().iter().any(|usage| usage.0 == KeyUsageBit::KeyCertSign);
        let constraints = self.name_constraints.as_ref();
        let unallowed = |forms: &&Spanned<Vec<NameForm>>| forms.get_ref().iter().any(|form| !self.names.contains(form));
        let at = |found: bool, offset: Option<usize>, why| found.then_some(offset.unwrap_or_default()).zip(Some(why));
        let key_usage = Some(self.key_usage.span().start);
        at(self.key_usage.get_ref().is_empty(), key_usage, "key_usage needs at least one bit (RFC 5280 §4.2.1.3)")
            .or_else(|| at(self.ca && !signs, key_usage, "a CA needs keyCertSign in key_usage (RFC 5280 §4.2.1.3)"))
            .or_else(|| {
                at(!self.ca && signs, key_usage, "keyCertSign is for a CA only: set ca = true (RFC 5280 §4.2.1.9)")
            })
            .or_else(|| {
                let span = self.path_len.as_ref().map(|length| length.span().start);
                at(!self.ca && span.is_some(), span, "path_len is for a CA only: set ca = true (RFC 5280 §4.2.1.9)")
            })
            .or_else(|| {
                let span = constraints.map(|found| found.span().start);
                at(!self.ca && span.is_some(), span, "name_constraints are for a CA only (RFC 5280 §4.2.1.10)")
            })
            .or_else(|| {
                let empty = constraints
                    .filter(|found| found.get_ref().permitted.is_empty() && found.get_ref().excluded.is_empty());
                let span = empty.map(|found| found.span().start);
                at(span.is_some(), span, "name_constraints needs permitted or excluded names (RFC 5280 §4.2.1.10)")
            })
            .or_else(|| {
                let span = self.extended_key_usage_critical.as_ref().map(|critical| critical.span().start);
                let pointless = span.is_some() && self.extended_key_usage.is_empty();
                at(pointless, span, "extended_key_usage_critical has no effect without extended_key_usage")
            })
            .or_else(|| {
                let span = self.required_names.as_ref().filter(unallowed).map(|forms| forms.span().start);
                at(span.is_some(), span, "required_names holds a form that names does not allow")
            })
    }

    fn into_profile(self, source: &str) -> Profile {
        let bits = |usages: &[Usage]| usages.iter().map(|usage| usage.0).collect();
        let uris = |uris: Vec<Uri>| uris.into_iter().map(|uri| uri.0).collect();
        let subtrees = |subtrees: Vec<Subtree>| subtrees.into_iter().map(|subtree| subtree.0).collect();
        Profile {
            name: source.to_owned(),
            description: self.description,
            key: self.key,
            lifetime: self.days.0,
            backdate: self.backdate.0,
            basic_constraints: BasicConstraints {
                ca: self.ca,
                path_len: self.path_len.map(|length| u64::from(length.into_inner())),
            },
            key_usage: bits(self.key_usage.get_ref()),
            key_usage_rsa: bits(&self.key_usage_rsa),
            key_usage_ecdsa: bits(&self.key_usage_ecdsa),
            extended_key_usage: self.extended_key_usage.into_iter().map(|purpose| purpose.0).collect(),
            extended_key_usage_critical: self.extended_key_usage_critical.is_some_and(Spanned::into_inner),
            names: self.names,
            required_names: self.required_names.map(Spanned::into_inner).unwrap_or_default(),
            policies: self.policies.into_iter().map(|policy| policy.0).collect(),
            crl: uris(self.crl),
            ocsp: uris(self.ocsp),
            ca_issuers: uris(self.ca_issuers),
            name_constraints: self.name_constraints.map(Spanned::into_inner).map(|constraints| NameConstraints {
                permitted: subtrees(constraints.permitted),
                excluded: subtrees(constraints.excluded),
            }),
            must_staple: self.must_staple,
            ocsp_no_check: self.ocsp_no_check,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::profile::Profile;
    use crate::x509::oids;

    const LEAF: &str = "description = \"x\"\ndays = 1\nkey_usage = [\"digitalSignature\"]\n";

    fn fault(added: &str) -> String {
        Profile::from_toml("own.toml", &format!("{LEAF}{added}")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_pointed_at() {
        let error = fault("  exteded_key_usage = []\n");
        assert!(error.starts_with("own.toml:4:3: unknown field `exteded_key_usage`"), "{error}");
        assert!(fault("[name_constraints]\nallowed = []\n").starts_with("own.toml:5:1: unknown field `allowed`"));
    }

    #[test]
    fn a_wrong_value_or_its_list_is_pointed_at() {
        for (added, wanted) in [
            ("backdate = \"5 minutes\"", "own.toml:4:12: `5 minutes` is no span of time"),
            ("key = \"P-255\"", "own.toml:4:7: `P-255` is no key algorithm"),
            ("extended_key_usage = [\"serverAuth\", \"x\"]", "own.toml:4:22: `x` is no key purpose"),
            ("key_usage_rsa = [\"sign\"]", "own.toml:4:17: `sign` is no bit of keyUsage"),
            ("names = [\"ipv4\"]", "own.toml:4:10: unknown variant `ipv4`"),
            ("crl = [\"nowhere\"]", "own.toml:4:7: `nowhere` is no http"),
            ("policies = [{ oid = \"1.x\" }]", "own.toml:4:"),
            ("must_staple = 1", "own.toml:4:15: invalid type"),
            ("days = 2", "own.toml:4:1: duplicate key"),
        ] {
            assert!(fault(added).starts_with(wanted), "{added}: {}", fault(added));
        }
        assert!(Profile::from_toml("own.toml", "").unwrap_err().to_string().contains("missing field `description`"));
        let error = Profile::from_toml("own.toml", &LEAF.replace("days = 1", "days = 0")).unwrap_err().to_string();
        assert!(error.starts_with("own.toml:2:8: a certificate is valid for 1 to"), "{error}");
    }

    #[test]
    fn contradictions_are_refused_where_they_stand() {
        for (added, wanted) in [
            ("ca = true", "own.toml:3:13: a CA needs keyCertSign"),
            ("path_len = 0", "own.toml:4:12: path_len is for a CA only"),
            ("name_constraints.permitted = [\"dns:a.test\"]", "own.toml:4:"),
            ("extended_key_usage_critical = true", "own.toml:4:31: extended_key_usage_critical has no effect"),
            ("names = [\"dns\"]\nrequired_names = [\"ip\"]", "own.toml:5:18: required_names holds a form"),
        ] {
            assert!(fault(added).starts_with(wanted), "{added}: {}", fault(added));
        }
        let signs = LEAF.replace("digitalSignature", "keyCertSign");
        assert!(Profile::from_toml("x", &signs).unwrap_err().why.contains("ca = true"));
        let nothing = LEAF.replace("\"digitalSignature\"", "");
        assert!(Profile::from_toml("x", &nothing).unwrap_err().why.contains("at least one bit"));
        let nowhere = format!("{signs}ca = true\nname_constraints = {{}}");
        assert!(Profile::from_toml("x", &nowhere).unwrap_err().why.contains("permitted or excluded"));
    }

    #[test]
    fn every_key_reaches_the_profile() {
        let text = r#"
            description = "all of it"
            key = "rsa:4096"
            days = 10
            backdate = "1h"
            ca = true
            path_len = 1
            key_usage = ["keyCertSign", "cRLSign"]
            extended_key_usage = ["serverAuth", "1.3.6.1.4.1.99999.1"]
            extended_key_usage_critical = true
            names = ["dns", "uri"]
            policies = [{ oid = "2.23.140.1.2.1" }, { oid = "1.2.3", cps = "https://a.test/cps" }]
            crl = ["http://a.test/ca.crl"]
            ocsp = ["http://ocsp.a.test"]
            ca_issuers = ["http://a.test/ca.der"]
            must_staple = true
            ocsp_no_check = true
            [name_constraints]
            permitted = ["dns:a.test", "ip:10.0.0.0/8", "email:a.test", "uri:.a.test", "dirname:O=A"]
            excluded = ["ip:::/0"]
        "#;
        let profile = Profile::from_toml("all", text).unwrap();
        assert_eq!((profile.name.as_str(), profile.key), ("all", KeyAlgorithm::Rsa(4096)));
        assert_eq!(profile.basic_constraints, BasicConstraints { ca: true, path_len: Some(1) });
        assert_eq!(profile.extended_key_usage, [oids::SERVER_AUTH, "1.3.6.1.4.1.99999.1".parse().unwrap()]);
        assert_eq!(profile.policies.last().unwrap().qualifiers[0].cps_uri().unwrap(), "https://a.test/cps");
        let constraints = profile.name_constraints.unwrap();
        let bases: Vec<String> = constraints.permitted.iter().map(|subtree| subtree.base.to_string()).collect();
        assert_eq!(bases, ["dns:a.test", "ip:10.0.0.0/8", "email:a.test", "uri:.a.test", "dirname:O=A"]);
        assert_eq!(constraints.excluded.first().unwrap().base.value(), "::/0");
        assert!(profile.must_staple && profile.ocsp_no_check && profile.extended_key_usage_critical);
    }
}
