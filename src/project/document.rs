//! `certkit.toml`: the authorities and certificates of a project.

use super::wish::{Wish, WishError};
use crate::key::KeyAlgorithm;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;

/// What a project wants to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its authorities.
    pub authorities: Vec<WishedAuthority>,
    /// Its certificates.
    pub certificates: Vec<WishedCertificate>,
}

/// A certification authority that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WishedAuthority {
    /// The line on which it stands, from 1.
    pub line: u64,
    /// The folder it is in.
    pub folder: String,
    /// Its common name.
    pub name: Option<String>,
    /// The kind of its key.
    pub key: Option<KeyAlgorithm>,
    /// How many days it is to be valid.
    pub days: Option<u32>,
    /// Its profile: a built-in name or a file.
    pub profile: Option<String>,
    /// The names it may certify and no others, as `ca init --permit` takes them.
    pub permit: Vec<String>,
    /// The names it may not certify.
    pub exclude: Vec<String>,
    /// What the issuing authority below it is called, where there is one.
    pub intermediate: Option<String>,
}

/// A certificate that is wanted, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WishedCertificate {
    /// Whom and what it is for; `out` is the file of the certificate.
    pub wish: Wish,
    /// The file of the certificate.
    pub out: String,
    /// The file of the key.
    pub keyout: Option<String>,
    /// How long before its end it is renewed, as text: `30d`.
    pub renew_before: Option<String>,
    /// Whether a renewal makes a new key.
    pub rekey: bool,
    /// The folder of the authority that signs.
    pub ca: Option<String>,
    /// Which authority of that folder signs.
    pub issuer: Option<String>,
}

impl Project {
    /// Reads `certkit.toml`.
    ///
    /// # Errors
    /// [`WishError`]: unknown keys, values of the wrong type, folders that stand there twice, authorities that are not
    /// there. Whether two files are one only the file system knows.
    pub fn from_toml(text: &str) -> Result<Self, WishError> {
        let line_at = |offset: usize| text.get(..offset).unwrap_or_default().matches('\n').count() as u64 + 1;
        let document: Document = toml::from_str(text).map_err(|error| WishError {
            line: line_at(error.span().map_or(0, |span| span.start)),
            why: error.message().replace('\n', "; "),
        })?;
        let fault = |line: u64, why: String| Err(WishError { line, why });
        let mut folders = HashMap::new();
        let mut authorities = Vec::new();
        for entry in document.ca {
            let line = line_at(entry.span().start);
            let Ca { folder, name, key, days, profile, permit, exclude, intermediate } = entry.into_inner();
            if folder.is_empty() {
                return fault(line, "folder = names no folder".into());
            }
            let folder = plainly(&folder);
            if let Some(other) = folders.insert(folder.clone(), line) {
                return fault(line, format!("the folder {folder:?} is that of the [[ca]] on line {other} too"));
            }
            authorities.push(WishedAuthority {
                line,
                folder,
                name,
                key,
                days: days.map(|days| days.0),
                profile,
                permit,
                exclude,
                intermediate,
            });
        }
        let only = match authorities.as_slice() {
            [only] => Some(only.folder.clone()),
            _ => None,
        };
        let mut certificates = Vec::new();
        for entry in document.certificate {
            let line = line_at(entry.span().start);
            let entry = entry.into_inner();
            let ca = match entry.ca.as_deref().map(plainly) {
                Some(ca) if !folders.contains_key(&ca) => {
                    let known: Vec<String> = authorities.iter().map(|ca| format!("{:?}", ca.folder)).collect();
                    let there = if known.is_empty() { "none is there".to_owned() } else { known.join(", ") };
                    return fault(line, format!("there is no [[ca]] with the folder {ca:?}: {there}"));
                }
                None if folders.len() > 1 => {
                    return fault(line, "there are several [[ca]]: say with ca = which one signs".into());
                }
                ca => ca.or_else(|| only.clone()),
            };
            for (field, file) in [("out", Some(&entry.out)), ("keyout", entry.keyout.as_ref())] {
                if file.is_some_and(|file| file.is_empty() || file == "-") {
                    return fault(line, format!("{field} = has to name a file"));
                }
            }
            if entry.names.is_empty() && entry.cn.is_none() && entry.subject.is_none() {
                return fault(line, "it is for nobody: give names, cn or subject".into());
            }
            let wish = Wish {
                line,
                names: entry.names,
                common_name: entry.cn,
                subject: entry.subject,
                profile: entry.profile,
                days: entry.days.map(|days| days.0),
                key: entry.key,
                out: None,
            };
            certificates.push(WishedCertificate {
                wish,
                out: entry.out,
                keyout: entry.keyout,
                renew_before: entry.renew_before.or_else(|| document.renew_before.clone()),
                rekey: entry.rekey,
                ca,
                issuer: entry.issuer,
            });
        }
        Ok(Self { authorities, certificates })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    renew_before: Option<String>,
    #[serde(default)]
    ca: Vec<Spanned<Ca>>,
    #[serde(default)]
    certificate: Vec<Spanned<Certificate>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ca {
    folder: String,
    name: Option<String>,
    key: Option<KeyAlgorithm>,
    days: Option<Days>,
    profile: Option<String>,
    #[serde(default)]
    permit: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    intermediate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificate {
    #[serde(default)]
    names: Vec<String>,
    cn: Option<String>,
    subject: Option<String>,
    profile: Option<String>,
    days: Option<Days>,
    key: Option<KeyAlgorithm>,
    out: String,
    keyout: Option<String>,
    renew_before: Option<String>,
    #[serde(default)]
    rekey: bool,
    ca: Option<String>,
    issuer: Option<String>,
}

/// A count of days, one at least.
#[derive(Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Days(pub(super) u32);

impl TryFrom<u32> for Days {
    type Error = &'static str;

    fn try_from(days: u32) -> Result<Self, Self::Error> {
        if days > 0 { Ok(Self(days)) } else { Err("a certificate is valid for a day at least") }
    }
}

/// A folder as it is told from others: `./two/` is `two`.
fn plainly(folder: &str) -> String {
    let path: PathBuf = Path::new(folder).components().filter(|part| *part != Component::CurDir).collect();
    if path.as_os_str().is_empty() { folder.to_owned() } else { path.to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_project_has_authorities_and_certificates() {
        let text = "renew_before = \"20d\"\n[[ca]]\nfolder = \"ca\"\nname = \"Root\"\nkey = \"p384\"\n\n\
                    [[certificate]]\nnames = [\"a.test\"]\nout = \"a.pem\"\n\n\
                    [[certificate]]\ncn = \"Ann\"\nprofile = \"client\"\nout = \"ann.pem\"\nrenew_before = \"1d\"\nrekey = true\n";
        let project = Project::from_toml(text).unwrap();
        assert_eq!(project.authorities.first().unwrap().key, Some(KeyAlgorithm::P384));
        let [first, second] = project.certificates.as_slice() else { unreachable!() };
        assert_eq!((first.ca.as_deref(), first.renew_before.as_deref(), first.rekey), (Some("ca"), Some("20d"), false));
        assert_eq!((second.wish.line, second.renew_before.as_deref(), second.rekey), (11, Some("1d"), true));
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_its_line() {
        for (text, line, why) in [
            ("[[certificate]]\nname = \"a\"\n", 2, "unknown field `name`"),
            ("[[certificates]]\n", 1, "unknown field `certificates`"),
            ("[[certificate]]\nnames = [\"a\"]\n", 1, "missing field `out`"),
            ("[[certificate]]\nout = \"a\"\n", 1, "it is for nobody"),
            ("[[certificate]]\nnames = [\"a\"]\nout = \"a\"\nkeyout = \"\"\n", 1, "keyout = has to name a file"),
            ("[[certificate]]\nnames = [\"a\"]\nout = \"-\"\n", 1, "out = has to name a file"),
            ("[[ca]]\nfolder = \"\"\n", 1, "names no folder"),
            ("[[certificate]]\nnames = [\"a\"]\nout = \"a\"\nca = \"b\"\n", 1, "no [[ca]] with the folder"),
            ("[[ca]]\nfolder = \"a\"\n[[ca]]\nfolder = \"./a/\"\n", 3, "line 1 too"),
            (
                "[[ca]]\nfolder = \"a\"\n[[certificate]]\nnames = [\"a\"]\nout = \"a\"\nca = \"b\"\n",
                3,
                "no [[ca]] with the folder \"b\": \"a\"",
            ),
            (
                "[[ca]]\nfolder = \"a\"\n[[ca]]\nfolder = \"b\"\n[[certificate]]\nnames = [\"a\"]\nout = \"a\"\n",
                5,
                "several",
            ),
            ("[[ca]]\nfolder = \"a\"\ndays = 0\n", 3, "a day at least"),
        ] {
            let error = Project::from_toml(text).unwrap_err();
            assert!(error.line == line && error.why.contains(why), "{text}: {error}");
        }
    }
}
