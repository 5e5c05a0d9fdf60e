//! Which presented names cover which hosts (RFC 9525 §6.3): whatever matches is equal, or differs in the left-most
//! label alone.

#![no_main]

use certkit::verify::identity::dns_matches;
use certkit::x509::DnsName;
use certkit_fuzz::{plant, target};

target!(
    init: plant(
        ["*.example.test\nwww.example.test", "Example.test\nexample.TEST", "*.*.test\na.b.test", "f*.a.test\nfo.a.test"]
            .map(|text| text.as_bytes().to_vec())
    ),
    |data: &[u8]| {
        let Ok(text) = std::str::from_utf8(data) else { return };
        let Some((pattern, host)) = text.split_once('\n') else { return };
        let Ok(host) = DnsName::host(host) else { return };
        assert!(dns_matches(host.as_str(), &host), "a name covers itself");
        let (first, parent) = host.as_str().split_once('.').unwrap_or((host.as_str(), ""));
        if !parent.is_empty() {
            assert!(dns_matches(&format!("*.{parent}"), &host), "a wildcard covers one label");
            assert!(!dns_matches(&format!("{first}.*.{parent}"), &host), "a wildcard is the left-most label");
            let (_, above) = parent.split_once('.').unwrap_or(("", ""));
            assert!(!dns_matches(&format!("*.{above}"), &host), "a wildcard covers no second label");
        }
        assert!(!dns_matches(&format!("*.{host}"), &host), "a wildcard covers at least one label");
        if dns_matches(pattern, &host) {
            let covered = match pattern.strip_prefix("*.") {
                Some(rest) => rest.eq_ignore_ascii_case(parent) && !parent.is_empty(),
                None => pattern.eq_ignore_ascii_case(host.as_str()),
            };
            assert!(covered, "{pattern:?} covers {host}");
            assert!(!pattern.contains('\0') && pattern.matches('*').count() <= 1);
        }
    }
);
