//! Names that are read from text are written as text that is read as the same name.

#![no_main]

use certkit::x509::{DistinguishedName, DnsName, GeneralName, ServerName};
use certkit_fuzz::{plant, target};

target!(
    init: plant(
        [
            "CN=app.test,O=Example\\, Inc.+OU=\\E2\\82\\AC,C=NO",
            "/C=NO/O=Example/CN=http://a.test/x",
            "O=\" quoted \",1.2.3.4=#0401ff",
            "*.b\u{fc}cher.example",
            "dns:a.test",
            "[2001:db8::1]",
            "email:ann@example.test",
            "urn:uuid:1",
        ]
        .map(|text| text.as_bytes().to_vec())
    ),
    |data: &[u8]| {
        let Ok(text) = std::str::from_utf8(data) else { return };
        if let Ok(name) = text.parse::<DistinguishedName>() {
            assert_eq!(DistinguishedName::from_der(name.der()).as_ref(), Ok(&name));
            let told = name.to_string();
            let again: DistinguishedName = told.parse().unwrap_or_else(|error| panic!("{told:?}: {error}"));
            assert!(again.matches(&name), "{told:?}");
            assert_eq!(again.to_string(), told);
            assert!(!told.chars().any(char::is_control), "{told:?} writes to a terminal");
        }
        if let Ok(name) = text.parse::<GeneralName>() {
            let again: GeneralName = name.to_string().parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(again, name);
        }
        if let Ok(name) = DnsName::pattern(text) {
            assert!(name.as_str().len() <= 253 && name.as_str().is_ascii());
            assert_eq!(DnsName::pattern(name.as_str()).as_ref(), Ok(&name));
            let _ = name.to_unicode();
        }
        if let Ok(name) = text.parse::<ServerName>() {
            assert_eq!(name.to_string().parse::<ServerName>().as_ref(), Ok(&name));
        }
    }
);
