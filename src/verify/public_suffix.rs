//! Domains under which a registry sells names (publicsuffix.org), by the list compiled into the crate `psl`.

use psl::{Psl as _, Type};

/// Whether `domain` is controlled by a registry, so that a wildcard right under it is nobody's to ask for. Only the list's
/// ICANN section says so: BR 3.2.2.6 leaves out its private one, where `github.io` and its like stand by their owner's
/// wish. A single label counts, listed or not.
pub(super) fn is_registry_controlled(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let suffix = psl::List.suffix(domain.as_bytes());
    let listed = suffix.is_some_and(|suffix| suffix.typ() == Some(Type::Icann) && suffix == domain.as_str());
    listed || !domain.contains('.')
}

#[cfg(test)]
mod tests {
    use super::is_registry_controlled;

    #[test]
    fn registries_control_what_the_icann_section_lists() {
        for (domain, controlled) in [
            ("com", true),
            ("co.uk", true),
            ("CO.UK.", true),
            ("xn--55qx5d.cn", true),
            ("internal", true),
            ("example.com", false),
            ("a.co.uk", false),
            ("github.io", false),
            ("s3.amazonaws.com", false),
            ("corp.internal", false),
            // `*.ck` and `*.kawasaki.jp` with exceptions.
            ("any.ck", true),
            ("www.ck", false),
            ("city.kawasaki.jp", false),
        ] {
            assert_eq!(is_registry_controlled(domain), controlled, "{domain}");
        }
    }
}
