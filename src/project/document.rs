//! `certkit.toml`: the authorities and certificates of a project.

use super::wish::{Wish, WishError};
use crate::encoding::misfit;
use crate::key::KeyAlgorithm;
use serde::Deserialize;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

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
    /// Reads `certkit.toml`: what makes sense of it, and everything that is wrong with the rest, in the order of the lines:
    /// text that is no TOML, unknown keys, values of the wrong type, folders that stand there twice, authorities that are not
    /// there. Whether two files are one only the file system knows.
    pub fn from_toml(text: &str) -> (Self, Vec<WishError>) {
        let mut reader = Reader { text, faults: Vec::new() };
        let project = reader.project();
        let Reader { mut faults, .. } = reader;
        faults.sort_by_key(|fault| fault.line);
        (project, faults)
    }
}

/// Collects what is wrong with a text.
struct Reader<'a> {
    text: &'a str,
    faults: Vec<WishError>,
}

/// The folders of the authorities with their lines, also of those that are at fault.
#[derive(Default)]
struct Folders {
    named: Vec<(String, u64)>,
    /// How many authorities do not say theirs.
    nameless: usize,
}

impl<'a> Reader<'a> {
    fn project(&mut self) -> Project {
        let mut project = Project { authorities: Vec::new(), certificates: Vec::new() };
        let table = match DeTable::parse(self.text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                self.misfit(&error, 0);
                return project;
            }
        };
        let (mut renew_before, mut authorities, mut certificates) = (None::<String>, Vec::new(), Vec::new());
        for (key, value) in table {
            let at = key.span().start;
            match key.get_ref().as_ref() {
                "renew_before" => renew_before = self.read(value),
                "ca" => authorities = self.entries("ca", value),
                "certificate" => certificates = self.entries("certificate", value),
                other => self.fault(
                    self.line_at(at),
                    format!("unknown field `{other}`, expected `renew_before`, [[ca]] or [[certificate]]"),
                ),
            }
        }
        let folders = self.authorities(authorities, &mut project);
        for entry in certificates {
            let line = self.line_at(entry.span().start);
            if let Some(read) = self.read(entry) {
                self.certificate(line, read, renew_before.as_deref(), &folders, &mut project);
            }
        }
        project
    }

    fn authorities(&mut self, entries: Vec<Entry<'a>>, project: &mut Project) -> Folders {
        let mut folders = Folders::default();
        for entry in entries {
            let line = self.line_at(entry.span().start);
            let told = entry.get_ref().get("folder").and_then(|folder| folder.get_ref().as_str()).map(plainly);
            let read: Option<Ca> = self.read(entry);
            let Some(folder) = told else {
                folders.nameless += 1;
                continue;
            };
            if folder.is_empty() {
                self.fault(line, "folder = names no folder".into());
                continue;
            }
            if let Some((_, other)) = folders.named.iter().find(|(named, _)| *named == folder) {
                self.fault(line, format!("the folder {folder:?} is that of the [[ca]] on line {other} too"));
                continue;
            }
            folders.named.push((folder, line));
            let Some(Ca { folder, name, key, days, profile, permit, exclude, intermediate }) = read else { continue };
            project.authorities.push(WishedAuthority {
                line,
                folder: plainly(&folder),
                name,
                key,
                days: days.map(|days| days.0),
                profile,
                permit,
                exclude,
                intermediate,
            });
        }
        folders
    }

    fn certificate(
        &mut self,
        line: u64,
        entry: Certificate,
        renew_before: Option<&str>,
        folders: &Folders,
        project: &mut Project,
    ) {
        let before = self.faults.len();
        let ca = entry.ca.as_deref().map(plainly);
        let Folders { named, nameless } = folders;
        match &ca {
            // It may be the one that does not say its folder, which is told.
            Some(ca) if *nameless == 0 && !named.iter().any(|(named, _)| named == ca) => {
                let known: Vec<String> = named.iter().map(|(folder, _)| format!("{folder:?}")).collect();
                let there = if known.is_empty() { "none is there".to_owned() } else { known.join(", ") };
                self.fault(line, format!("there is no [[ca]] with the folder {ca:?}: {there}"));
            }
            None if named.len() + nameless > 1 => {
                self.fault(line, "there are several [[ca]]: say with ca = which one signs".into());
            }
            _ => {}
        }
        for (field, file) in [("out", Some(&entry.out)), ("keyout", entry.keyout.as_ref())] {
            if file.is_some_and(|file| file.is_empty() || file == "-") {
                self.fault(line, format!("{field} = has to name a file"));
            }
        }
        if entry.names.is_empty() && entry.cn.is_none() && entry.subject.is_none() {
            self.fault(line, "it is for nobody: give names, cn or subject".into());
        }
        if self.faults.len() > before {
            return;
        }
        let only = || named.first().map(|(folder, _)| folder.clone());
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
        project.certificates.push(WishedCertificate {
            wish,
            out: entry.out,
            keyout: entry.keyout,
            renew_before: entry.renew_before.or_else(|| renew_before.map(str::to_owned)),
            rekey: entry.rekey,
            ca: ca.or_else(only),
            issuer: entry.issuer,
        });
    }

    /// The tables of this name.
    fn entries(&mut self, name: &str, value: Entry<'a>) -> Vec<Entry<'a>> {
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Array(entries) => entries.into_iter().collect(),
            _ => {
                self.fault(self.line_at(at), format!("{name} is a list of tables: write [[{name}]] above each"));
                Vec::new()
            }
        }
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self, value: Entry<'a>) -> Option<T> {
        let at = value.span().start;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                self.misfit(&error, at);
                None
            }
        }
    }

    fn misfit(&mut self, error: &toml::de::Error, at: usize) {
        let at = error.span().map_or(at, |span| span.start);
        self.fault(self.line_at(at), misfit::in_words(self.text, at, error.message()));
    }

    fn fault(&mut self, line: u64, why: String) {
        self.faults.push(WishError { line, why });
    }

    fn line_at(&self, offset: usize) -> u64 {
        self.text.get(..offset).unwrap_or_default().matches('\n').count() as u64 + 1
    }
}

type Entry<'a> = Spanned<DeValue<'a>>;

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
        let (project, faults) = Project::from_toml(text);
        assert_eq!(faults, []);
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
            let (_, faults) = Project::from_toml(text);
            let [error] = faults.as_slice() else { unreachable!("{text}: {faults:?}") };
            assert!(error.line == line && error.why.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let text = "[[ca]]\nfolder = \"a\"\ndays = \"x\"\n[[certificate]]\nnames = \"a.test\"\nout = \"a\"\nca = \"a\"\n\
                    [[certificate]]\nout = \"-\"\n[[certificate]]\nnames = [\"b.test\"]\nout = \"b\"\nca = \"a\"\n[other]\n";
        let (project, faults) = Project::from_toml(text);
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 3: days takes a whole number, not text, \"x\": days = 30",
                "line 5: names takes a list, not text, \"a.test\": names = [\"a.test\"]",
                "line 8: out = has to name a file",
                "line 8: it is for nobody: give names, cn or subject",
                "line 14: unknown field `other`, expected `renew_before`, [[ca]] or [[certificate]]",
            ]
        );
        // What relies on an authority at fault is not at fault itself.
        assert_eq!((project.authorities.len(), project.certificates.len()), (0, 1));
        let (_, faults) = Project::from_toml("[certificate]\nout = \"a\"\n");
        assert!(faults.first().unwrap().why.contains("write [[certificate]]"), "{faults:?}");
    }
}
