//! The TOML document of a profile: its keys, their defaults, and what contradicts what.

use super::contradiction;
use super::error::ProfileError;
use super::field::{Days, Policy, Purpose, Span, Subtree, Uri, Usage};
use super::limit_field::{AttributeType, Keys, Signature};
use super::limits::Limits;
use super::{NameForm, Profile};
use crate::encoding::misfit;
use crate::key::KeyAlgorithm;
use crate::x509::extension::{BasicConstraints, GeneralSubtree, NameConstraints};
use serde::Deserialize;
use toml::Spanned;

/// Reads a profile.
pub(super) fn read(source: &str, text: &str) -> Result<Profile, ProfileError> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        ProfileError::at(source, text, offset, &misfit::in_words(text, offset, error.message()))
    })?;
    if let Some((offset, why)) = contradiction::first(&document) {
        return Err(ProfileError::at(source, text, offset, &why));
    }
    Ok(document.into_profile(source))
}

/// The keys as they stand in the file. Keys of one line that the certificate would contradict are kept with their
/// places, so that the error can point at them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) description: String,
    #[serde(default = "p256")]
    pub(super) key: KeyAlgorithm,
    pub(super) days: Days,
    pub(super) backdate: Option<Spanned<Span>>,
    #[serde(default)]
    pub(super) ca: bool,
    pub(super) path_len: Option<Spanned<u8>>,
    pub(super) key_usage: Spanned<Vec<Usage>>,
    pub(super) key_usage_rsa: Option<Spanned<Vec<Usage>>>,
    pub(super) key_usage_ecdsa: Option<Spanned<Vec<Usage>>>,
    pub(super) extended_key_usage: Option<Spanned<Vec<Purpose>>>,
    pub(super) extended_key_usage_critical: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) names: Vec<NameForm>,
    pub(super) required_names: Option<Spanned<Vec<NameForm>>>,
    pub(super) policies: Option<Spanned<Vec<Policy>>>,
    #[serde(default)]
    pub(super) crl: Vec<Uri>,
    #[serde(default)]
    pub(super) ocsp: Vec<Uri>,
    #[serde(default)]
    pub(super) ca_issuers: Vec<Uri>,
    pub(super) name_constraints: Option<Spanned<Constraints>>,
    #[serde(default)]
    pub(super) must_staple: bool,
    #[serde(default)]
    pub(super) ocsp_no_check: bool,
    pub(super) signature: Option<Signature>,
    pub(super) allowed_names: Option<Spanned<Vec<Subtree>>>,
    pub(super) denied_names: Option<Spanned<Vec<Subtree>>>,
    pub(super) wildcards: Option<Spanned<bool>>,
    pub(super) max_days: Option<Spanned<Days>>,
    pub(super) allowed_keys: Option<Spanned<Vec<Keys>>>,
    #[serde(default)]
    pub(super) required_subject: Vec<AttributeType>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constraints {
    #[serde(default)]
    pub(super) permitted: Vec<Subtree>,
    #[serde(default)]
    pub(super) excluded: Vec<Subtree>,
}

/// What stands in a list, where there is one.
fn all<T>(list: Option<Spanned<Vec<T>>>) -> impl Iterator<Item = T> {
    list.map(Spanned::into_inner).into_iter().flatten()
}

fn p256() -> KeyAlgorithm {
    KeyAlgorithm::P256
}

impl Document {
    fn into_profile(self, source: &str) -> Profile {
        let bits = |usages: &[Usage]| usages.iter().map(|usage| usage.0).collect();
        let more_bits =
            |usages: Option<&Spanned<Vec<Usage>>>| usages.map_or_else(Vec::new, |usages| bits(usages.get_ref()));
        let uris = |uris: Vec<Uri>| uris.into_iter().map(|uri| uri.0).collect();
        let subtrees = |subtrees: Vec<Subtree>| subtrees.into_iter().map(|subtree| subtree.0).collect();
        let names = |subtrees: Option<Spanned<Vec<Subtree>>>| -> Vec<GeneralSubtree> {
            all(subtrees).map(|subtree| subtree.0).collect()
        };
        let limits = Limits {
            allowed_names: names(self.allowed_names),
            denied_names: names(self.denied_names),
            wildcards: self.wildcards.is_none_or(Spanned::into_inner),
            max_lifetime: self.max_days.map(|days| days.into_inner().0),
            allowed_keys: all(self.allowed_keys).map(|keys| keys.0).collect(),
            required_subject: self.required_subject.into_iter().map(|kind| kind.0).collect(),
        };
        Profile {
            name: source.to_owned(),
            recorded_as: source.to_owned(),
            description: self.description,
            key: self.key,
            lifetime: self.days.0,
            backdate: self.backdate.map(Spanned::into_inner).unwrap_or_default().0,
            basic_constraints: BasicConstraints {
                ca: self.ca,
                path_len: self.path_len.map(|length| u64::from(length.into_inner())),
            },
            key_usage: bits(self.key_usage.get_ref()),
            key_usage_rsa: more_bits(self.key_usage_rsa.as_ref()),
            key_usage_ecdsa: more_bits(self.key_usage_ecdsa.as_ref()),
            extended_key_usage: all(self.extended_key_usage).map(|purpose| purpose.0).collect(),
            extended_key_usage_critical: self.extended_key_usage_critical.is_some_and(Spanned::into_inner),
            names: self.names,
            required_names: self.required_names.map(Spanned::into_inner).unwrap_or_default(),
            policies: all(self.policies).map(|policy| policy.0).collect(),
            crl: uris(self.crl),
            ocsp: uris(self.ocsp),
            ca_issuers: uris(self.ca_issuers),
            name_constraints: self.name_constraints.map(Spanned::into_inner).map(|constraints| NameConstraints {
                permitted: subtrees(constraints.permitted),
                excluded: subtrees(constraints.excluded),
            }),
            must_staple: self.must_staple,
            ocsp_no_check: self.ocsp_no_check,
            signature: self.signature.map(|signature| signature.0),
            limits,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::key::{HashAlgorithm, SignatureAlgorithm};
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
            ("policies = [\"1.x\"]", "own.toml:4:13: `1.x`"),
            ("policies = [1]", "own.toml:4:13: invalid type: integer `1`, expected a policy as"),
            ("allowed_keys = [\"P-256\", \"rsa:x..\"]", "own.toml:4:16: `rsa:x..` is no range of RSA keys"),
            ("allowed_keys = [\"rsa:..1024\"]", "own.toml:4:16: `rsa:..1024` is no range"),
            ("allowed_keys = [\"P-255\"]", "own.toml:4:16: `P-255` is no key algorithm"),
            ("signature = \"rsa-sha1\"", "own.toml:4:13: `rsa-sha1` is no signature to choose: use rsa-sha256"),
            ("required_subject = [\"O\", \"Org\"]", "own.toml:4:20: `Org` is no attribute of a subject"),
            ("denied_names = [\"a.test\"]", "own.toml:4:16: `a.test` is no name constraint"),
            ("max_days = 0", "own.toml:4:12: a certificate is valid for 1 to"),
            ("must_staple = 1", "own.toml:4:15: must_staple takes true or false, not the number 1"),
            ("days = 2", "own.toml:4:1: duplicate key"),
        ] {
            assert!(fault(added).starts_with(wanted), "{added}: {}", fault(added));
        }
        assert!(Profile::from_toml("own.toml", "").unwrap_err().to_string().contains("missing field `description`"));
        let error = Profile::from_toml("own.toml", &LEAF.replace("days = 1", "days = 0")).unwrap_err().to_string();
        assert!(error.starts_with("own.toml:2:8: a certificate is valid for 1 to"), "{error}");
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
            policies = ["2.23.140.1.2.1", { oid = "1.2.3", cps = "https://a.test/cps" }]
            crl = ["http://a.test/ca.crl"]
            ocsp = ["http://ocsp.a.test"]
            ca_issuers = ["http://a.test/ca.der"]
            must_staple = true
            ocsp_no_check = true
            signature = "rsa-pss-sha384"
            max_days = 20
            allowed_keys = ["RSA", "RSA-2048..4096", "P-256"]
            required_subject = ["O", "2.5.4.6"]
            allowed_names = ["dns:a.test"]
            denied_names = ["uri:b.test", "dns:c.a.test"]
            wildcards = false
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
        assert_eq!(profile.signature, Some(SignatureAlgorithm::RsaPss(HashAlgorithm::Sha384, 48)));
        let limits = profile.limits;
        assert_eq!((limits.max_lifetime, limits.wildcards), (Some(::time::Duration::days(20)), false));
        assert_eq!(limits.required_subject, [oids::ORGANIZATION, oids::COUNTRY]);
        assert_eq!((limits.allowed_names.len(), limits.denied_names.len(), limits.allowed_keys.len()), (1, 2, 3));
        assert!(profile.must_staple && profile.ocsp_no_check && profile.extended_key_usage_critical);
    }
}
