//! The names on the command line.

use crate::issue::{Naming, Wanted};
use crate::profile::Profile;

/// Whom a certificate is for
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct NameArgs {
    /// Names: DNS, IP address, e-mail or URI, told apart by trying; dns:, ip:, email: or uri: before one decides
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The common name; copied to the names if it is a host name, address or mailbox
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// Further names, also several with commas between them
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,

    /// The whole subject: "CN=app.test,O=Example" (RFC 4514) or /O=Example/CN=app.test
    #[arg(long, value_name = "DN")]
    subject: Option<String>,
}

impl NameArgs {
    /// The subject and names for a certificate of this profile.
    pub(in crate::cli) fn naming(&self, profile: &Profile) -> anyhow::Result<Naming> {
        let mut names = self.names.clone();
        names.extend(self.san.iter().flat_map(|list| split(list)));
        let wanted = Wanted { common_name: self.cn.as_deref(), subject: self.subject.as_deref(), names: &names };
        Ok(Naming::new(profile, wanted)?)
    }
}

/// Names with commas between them, as openssl writes them. A comma may stand in a URI, so there it does not count.
pub(in crate::cli) fn split(list: &str) -> Vec<String> {
    if list.contains("://") || list.get(..4).is_some_and(|form| form.eq_ignore_ascii_case("uri:")) {
        return vec![list.to_owned()];
    }
    list.split(',').map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_names_but_not_uris() {
        assert_eq!(split("DNS:a.test, IP:10.0.0.1"), ["DNS:a.test", "IP:10.0.0.1"]);
        assert_eq!(split("https://a.test/x,y"), ["https://a.test/x,y"]);
        assert_eq!(split("URI:urn:x,y"), ["URI:urn:x,y"]);
        assert_eq!(split("a.test,"), ["a.test", ""], "an empty name is refused later, not dropped");
    }
}
