//! What contradicts what in a profile. A key that could have no effect is a contradiction too.

use super::NameForm;
use super::document::{Constraints, Document};
use super::field::{Purpose, Usage};
use super::subtree::excluded_whole;
use crate::encoding::{Oid, oid};
use crate::key::KeyAlgorithm;
use crate::x509::extension::{GeneralSubtree, KeyUsage, KeyUsageBit};
use crate::x509::{GeneralName, oids};
use toml::Spanned;

/// Where it stands, and why.
type Found = Option<(usize, String)>;

/// The first contradiction and its offset.
pub(super) fn first(document: &Document) -> Found {
    usage(document)
        .or_else(|| purposes(document))
        .or_else(|| authority(document))
        .or_else(|| names(document))
        .or_else(|| limits(document))
}

fn usage(document: &Document) -> Found {
    let usage = document.key_usage.get_ref();
    let signs = usage.iter().any(|usage| usage.0 == KeyUsageBit::KeyCertSign);
    let here = start(Some(&document.key_usage));
    let critical = start(document.extended_key_usage_critical.as_ref());
    at(here, usage.is_empty(), "key_usage needs at least one bit (RFC 5280 §4.2.1.3)")
        .or_else(|| at(here, document.ca && !signs, "a CA needs keyCertSign in key_usage (RFC 5280 §4.2.1.3)"))
        .or_else(|| at(here, !document.ca && signs, "keyCertSign is for a CA only: set ca = true (RFC 5280 §4.2.1.9)"))
        .or_else(|| {
            let more = [("key_usage_rsa", &document.key_usage_rsa), ("key_usage_ecdsa", &document.key_usage_ecdsa)];
            more.into_iter().filter(|_| !document.ca).find_map(|(key, usage)| {
                let signs = bits(usage).iter().any(|usage| usage.0 == KeyUsageBit::KeyCertSign);
                let why = format!("keyCertSign in {key} is for a CA only: set ca = true (RFC 5280 §4.2.1.9)");
                at(start(usage.as_ref()), signs, &why)
            })
        })
        .or_else(|| {
            let none = document.extended_key_usage.is_none();
            at(critical, none, "extended_key_usage_critical has no effect without extended_key_usage")
        })
}

/// What the key is for, and by which policies.
fn purposes(document: &Document) -> Found {
    let listed = |purposes: Option<&Spanned<Vec<Purpose>>>| -> Vec<Oid> {
        purposes.map(Spanned::get_ref).into_iter().flatten().map(|purpose| purpose.0.clone()).collect()
    };
    let purposes = listed(document.extended_key_usage.as_ref());
    let policies = document.policies.as_ref().map(Spanned::get_ref).into_iter().flatten();
    let policies: Vec<Oid> = policies.map(|policy| policy.0.policy.clone()).collect();
    let usage = |more: &[Usage]| {
        let all: Vec<KeyUsageBit> = document.key_usage.get_ref().iter().chain(more).map(|usage| usage.0).collect();
        KeyUsage::new(&all)
    };
    let of_keys = [&[][..], bits(&document.key_usage_rsa), bits(&document.key_usage_ecdsa)].map(usage);
    let here = start(Some(&document.key_usage));
    let lists =
        [(&purposes, start(document.extended_key_usage.as_ref())), (&policies, start(document.policies.as_ref()))];
    lists
        .into_iter()
        .find_map(|(list, place)| {
            Some((place?, format!("{} is listed more than once", oids::name_or_dotted(oid::repeated(list)?))))
        })
        .or_else(|| {
            let undefined = of_keys.into_iter().any(KeyUsage::has_undefined);
            at(here, undefined, "encipherOnly and decipherOnly mean nothing without keyAgreement (RFC 5280 §4.2.1.3)")
        })
        .or_else(|| {
            let (bit, clause) = of_keys.first()?.impossible_for(document.key)?;
            let instead = match bit {
                KeyUsageBit::KeyEncipherment | KeyUsageBit::DataEncipherment => ", say key_usage_rsa for keys that can",
                _ => "",
            };
            Some((here?, format!("{} keys cannot do {}{instead} ({clause})", document.key, bit.name())))
        })
        .or_else(|| {
            // What a CA lists confines those below it.
            let idle = |purpose: &&Oid| !document.ca && !of_keys.iter().any(|usage| usage.suits(purpose));
            let purpose = oids::name_or_dotted(purposes.iter().find(idle)?);
            Some((here?, format!("a key with these bits is of no use for {purpose} (RFC 5280 §4.2.1.12)")))
        })
}

fn authority(document: &Document) -> Found {
    let length = start(document.path_len.as_ref());
    let constraints = document.name_constraints.as_ref();
    let here = start(constraints);
    let empty =
        constraints.map(Spanned::get_ref).is_some_and(|found| found.permitted.is_empty() && found.excluded.is_empty());
    at(length, !document.ca, "path_len is for a CA only: set ca = true (RFC 5280 §4.2.1.9)")
        .or_else(|| at(here, !document.ca, "name_constraints are for a CA only (RFC 5280 §4.2.1.10)"))
        .or_else(|| at(here, empty, "name_constraints needs permitted or excluded names (RFC 5280 §4.2.1.10)"))
        .or_else(|| {
            let subtrees = |found: &[super::field::Subtree]| found.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
            let Constraints { permitted, excluded } = constraints?.get_ref();
            let (permitted, excluded) = (subtrees(permitted), subtrees(excluded));
            if let Some(dotted) = permitted.iter().chain(&excluded).find(|it| is_dotted(&it.base)) {
                let base = &dotted.base;
                let rule =
                    "begins with a dot, which no constraint on DNS names does (RFC 5280 §4.2.1.10): leave it out";
                return Some((here?, format!("{base} {rule}, what is below the domain is meant too")));
            }
            let (vain, over) = excluded_whole(&permitted, &excluded)?;
            Some((here?, format!("{} is permitted in vain: {} is excluded", vain.base, over.base)))
        })
}

fn is_dotted(base: &GeneralName) -> bool {
    matches!(base, GeneralName::Dns(base) if base.starts_with('.'))
}

fn names(document: &Document) -> Found {
    let required = document.required_names.as_ref();
    let unallowed = required.is_some_and(|forms| forms.get_ref().iter().any(|form| !document.names.contains(form)));
    at(start(required), unallowed, "required_names holds a form that names does not allow")
        .or_else(|| idle_subtree(document, document.allowed_names.as_ref(), "allowed_names"))
        .or_else(|| idle_subtree(document, document.denied_names.as_ref(), "denied_names"))
        .or_else(|| {
            let no_dns = !document.names.contains(&NameForm::Dns);
            at(start(document.wildcards.as_ref()), no_dns, "wildcards has no effect: names does not allow dns")
        })
        .or_else(|| {
            let (allowed, denied) = (bases(document.allowed_names.as_ref()), bases(document.denied_names.as_ref()));
            let shut = allowed.iter().find_map(|allowed| {
                let place = super::subtree::place_within(&allowed.base);
                let over = denied.iter().find(|denied| {
                    denied.base == allowed.base
                        || super::subtree::contains(&denied.base, &allowed.base)
                        || place.as_ref().is_some_and(|place| super::subtree::contains(&denied.base, place))
                })?;
                Some(format!("{} is allowed in vain: {} is denied", allowed.base, over.base))
            });
            start(document.denied_names.as_ref()).zip(shut)
        })
        .or_else(|| {
            let forms: Vec<NameForm> = required.map(Spanned::get_ref).cloned().unwrap_or_default();
            let allowed = bases(document.allowed_names.as_ref());
            let reached = |form: &NameForm| allowed.iter().any(|subtree| NameForm::of(&subtree.base) == Some(*form));
            let none = !allowed.is_empty() && !forms.is_empty() && !forms.iter().any(reached);
            let why = "allowed_names allows no name of a form that required_names asks for";
            at(start(document.allowed_names.as_ref()), none, why)
        })
}

/// Names of a form that the profile has no place for.
fn idle_subtree(document: &Document, subtrees: Option<&Spanned<Vec<super::field::Subtree>>>, key: &str) -> Found {
    let found = bases(subtrees);
    let offset = start(subtrees)?;
    if found.is_empty() {
        return Some((offset, format!("{key} is empty: name what is meant, or leave it out")));
    }
    // A host that is denied is denied to URIs and mailboxes too.
    let at_hosts =
        key == "denied_names" && [NameForm::Uri, NameForm::Email].iter().any(|it| document.names.contains(it));
    let reaches =
        |form: NameForm| document.names.contains(&form) || (at_hosts && matches!(form, NameForm::Dns | NameForm::Ip));
    let idle = found.iter().find(|subtree| !NameForm::of(&subtree.base).is_some_and(reaches));
    idle.map(|idle| (offset, format!("{} in {key} has no effect: names has no such form", idle.base)))
}

fn limits(document: &Document) -> Found {
    let most = document.max_days.as_ref();
    let too_long = most.map(|most| most.get_ref().0).filter(|most| document.days.0 > *most).map(|most| {
        let (days, most) = (document.days.0.whole_days(), most.whole_days());
        format!("days is {days}, which is more than the {most} of max_days")
    });
    let keys = document.allowed_keys.as_ref();
    let allows = |key: KeyAlgorithm| keys.is_some_and(|keys| keys.get_ref().iter().any(|limit| limit.0.allows(key)));
    let no_rsa = keys.is_some_and(|keys| !keys.get_ref().iter().any(|limit| limit.0.is_rsa()));
    let no_ecdsa = ![KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521].into_iter().any(allows);
    let here = start(keys);
    let backdate = document.backdate.as_ref();
    let is_past = backdate.is_some_and(|span| span.get_ref().0 >= document.days.0);
    let expired = "a certificate would have expired before it is made: backdate is as long as days, or longer";
    start(most)
        .zip(too_long)
        .or_else(|| at(start(backdate), is_past, expired))
        .or_else(|| {
            let empty = keys.is_some_and(|keys| keys.get_ref().is_empty());
            at(here, empty, "allowed_keys is empty: name what is meant, or leave it out")
        })
        .or_else(|| {
            let why = format!("key is {}, which allowed_keys does not allow", document.key);
            at(here, !allows(document.key), &why)
        })
        .or_else(|| {
            let idle = no_rsa && !bits(&document.key_usage_rsa).is_empty();
            at(here, idle, "key_usage_rsa has no effect: allowed_keys has no RSA")
        })
        .or_else(|| {
            let idle = no_ecdsa && !bits(&document.key_usage_ecdsa).is_empty();
            at(here, idle, "key_usage_ecdsa has no effect: allowed_keys has no P-256, P-384 or P-521")
        })
}

fn bases(subtrees: Option<&Spanned<Vec<super::field::Subtree>>>) -> Vec<&GeneralSubtree> {
    subtrees.map(Spanned::get_ref).into_iter().flatten().map(|subtree| &subtree.0).collect()
}

/// The bits that are added for keys of one kind.
fn bits(usage: &Option<Spanned<Vec<Usage>>>) -> &[Usage] {
    usage.as_ref().map_or(&[], |usage| usage.get_ref())
}

fn start<T>(value: Option<&Spanned<T>>) -> Option<usize> {
    value.map(|value| value.span().start)
}

/// A contradiction at this place, where there is one.
fn at(offset: Option<usize>, found: bool, why: &str) -> Found {
    offset.filter(|_| found).map(|offset| (offset, why.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::profile::Profile;

    const LEAF: &str = "description = \"x\"\ndays = 1\nkey_usage = [\"digitalSignature\"]\n";

    fn fault(added: &str) -> String {
        Profile::from_toml("own.toml", &format!("{LEAF}{added}")).unwrap_err().to_string()
    }

    #[test]
    fn contradictions_are_refused_where_they_stand() {
        for (added, wanted) in [
            ("ca = true", "own.toml:3:13: a CA needs keyCertSign"),
            ("key_usage_rsa = [\"keyCertSign\"]", "own.toml:4:17: keyCertSign in key_usage_rsa is for a CA only"),
            ("key_usage_ecdsa = [\"keyCertSign\"]", "own.toml:4:19: keyCertSign in key_usage_ecdsa is for a CA"),
            ("path_len = 0", "own.toml:4:12: path_len is for a CA only"),
            ("name_constraints.permitted = [\"dns:a.test\"]", "own.toml:4:"),
            ("extended_key_usage_critical = true", "own.toml:4:31: extended_key_usage_critical has no effect"),
            ("names = [\"dns\"]\nrequired_names = [\"ip\"]", "own.toml:5:18: required_names holds a form"),
            ("policies = [\"1.2.3\", \"1.2.4\", \"1.2.3\"]", "own.toml:4:12: 1.2.3 is listed more than once"),
            ("extended_key_usage = [\"serverAuth\", \"serverAuth\"]", "own.toml:4:22: serverAuth is listed more"),
            ("key_usage_rsa = [\"decipherOnly\"]", "own.toml:3:13: encipherOnly and decipherOnly mean nothing"),
        ] {
            assert!(fault(added).starts_with(wanted), "{added}: {}", fault(added));
        }
        let signs = LEAF.replace("digitalSignature", "keyCertSign");
        assert!(Profile::from_toml("x", &signs).unwrap_err().why.contains("ca = true"));
        let idle = LEAF.replace("digitalSignature", "cRLSign");
        let idle = |purpose| Profile::from_toml("x", &format!("{idle}extended_key_usage = [\"{purpose}\"]")).err();
        assert!(idle("serverAuth").unwrap().why.contains("of no use for serverAuth"));
        assert!(idle("1.2.3").is_none());
        let nothing = LEAF.replace("\"digitalSignature\"", "");
        assert!(Profile::from_toml("x", &nothing).unwrap_err().why.contains("at least one bit"));
        let nowhere = format!("{signs}ca = true\nname_constraints = {{}}");
        assert!(Profile::from_toml("x", &nowhere).unwrap_err().why.contains("permitted or excluded"));
        let vain = "name_constraints = { permitted = [\"dns:x.a.test\"], excluded = [\"dns:a.test\"] }";
        let vain = Profile::from_toml("x", &format!("{signs}ca = true\n{vain}")).unwrap_err();
        assert!(vain.why.contains("dns:x.a.test is permitted in vain: dns:a.test is excluded"), "{vain}");
    }

    #[test]
    fn limits_that_shut_everything_out_or_nothing_are_refused() {
        for (added, wanted) in [
            ("max_days = 1\nallowed_keys = [\"P-384\"]", "own.toml:5:16: key is P-256, which allowed_keys"),
            ("allowed_keys = []", "own.toml:4:16: allowed_keys is empty"),
            ("backdate = \"40d\"", "own.toml:4:12: a certificate would have expired before it is made: backdate"),
            ("backdate = \"24h\"", "own.toml:4:12: a certificate would have expired before it is made: backdate"),
            (
                "allowed_keys = [\"P-256\"]\nkey_usage_rsa = [\"keyEncipherment\"]",
                "own.toml:4:16: key_usage_rsa has no",
            ),
            (
                "key = \"Ed25519\"\nallowed_keys = [\"Ed25519\"]\nkey_usage_ecdsa = [\"keyAgreement\"]",
                "own.toml:5:16: key_usage_ecdsa has no effect",
            ),
            ("allowed_names = [\"dns:a.test\"]", "own.toml:4:17: dns:a.test in allowed_names has no effect"),
            ("names = [\"dns\"]\ndenied_names = [\"ip:10.0.0.0/8\"]", "own.toml:5:16: ip:10.0.0.0/8 in denied_names"),
            ("names = [\"dns\"]\ndenied_names = []", "own.toml:5:16: denied_names is empty"),
            ("names = [\"ip\"]\nwildcards = false", "own.toml:5:13: wildcards has no effect"),
            (
                "names = [\"dns\"]\nallowed_names = [\"dns:b.a.test\"]\ndenied_names = [\"dns:a.test\"]",
                "own.toml:6:16: dns:b.a.test is allowed in vain: dns:a.test is denied",
            ),
            (
                "names = [\"dns\", \"uri\"]\nrequired_names = [\"dns\"]\nallowed_names = [\"uri:a.test\"]",
                "own.toml:6:17: allowed_names allows no name of a form",
            ),
        ] {
            assert!(fault(added).starts_with(wanted), "{added}: {}", fault(added));
        }
        let encrypts = LEAF.replace("[\"digitalSignature\"]", "[\"digitalSignature\", \"keyEncipherment\"]");
        let told = Profile::from_toml("x", &encrypts).unwrap_err().to_string();
        assert!(told.starts_with("x:3:13: P-256 keys cannot do keyEncipherment, say key_usage_rsa"), "{told}");
        assert!(Profile::from_toml("x", &format!("{LEAF}backdate = \"23h\"")).is_ok());
        let longer = format!("{}max_days = 89\n", LEAF.replace("days = 1", "days = 90"));
        assert!(Profile::from_toml("x", &longer).unwrap_err().to_string().starts_with("x:4:12: days is 90, which is"));
    }
}
