//! What a ledger's URL says of encryption: the parameters that the crate does not know, as libpq names them.

use std::path::{Path, PathBuf};

use crate::encoding::percent;

/// The parameters of libpq that are about TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parameters {
    pub(super) mode: Option<Mode>,
    pub(super) files: TlsFiles,
}

/// What `sslmode` may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the clear.
    Disable,
    /// TLS, with chain and name of the server's certificate checked.
    VerifyFull,
}

/// The files that TLS to a database needs, by the names that libpq has for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// `sslrootcert`: the CAs that may have signed the server's certificate; `None` or `system` for those the system trusts.
    pub roots: Option<PathBuf>,
    /// `sslcert`: this client's certificate, for servers that ask for one.
    pub certificate: Option<PathBuf>,
    /// `sslkey`: the key of that certificate, where it is not in the same file.
    pub key: Option<PathBuf>,
}

impl Parameters {
    /// Takes them out of a URL; gives what is left of it. An error is why they cannot be.
    pub(super) fn taken_from(url: &str) -> Result<(Self, String), String> {
        // The crate reads to the first `@` as user and password, whatever is in there.
        let host = url.find("://").map_or(0, |at| at + 3);
        let host = host + url.get(host..).and_then(|rest| rest.find('@')).map_or(0, |at| at + 1);
        let Some(query) = url.get(host..).and_then(|rest| rest.find('?')).map(|at| host + at) else {
            return Ok((Self::default(), url.to_owned()));
        };
        let (before, query) = (url.get(..query).unwrap_or_default(), url.get(query + 1..).unwrap_or_default());
        let mut found = Self::default();
        let mut others = Vec::new();
        for each in query.split('&') {
            if !found.takes(each)? {
                others.push(each);
            }
        }
        found.files.are_sound()?;
        let rest = if others.is_empty() { before.to_owned() } else { format!("{before}?{}", others.join("&")) };
        Ok((found, rest))
    }

    /// The URL with the files it names looked for in `folder`, wherever it is used from.
    pub(super) fn with_files_from(url: &str, folder: &Path) -> Result<String, String> {
        let (Self { mode, files: TlsFiles { roots, certificate, key } }, mut url) = Self::taken_from(url)?;
        let placed = |path: PathBuf| if path.as_os_str() == "system" { path } else { folder.join(path) };
        let mode = mode.map(|mode| ("sslmode", mode.name().to_owned()));
        let files = [("sslrootcert", roots.map(placed)), ("sslcert", certificate.map(|it| folder.join(it)))];
        let files = files.into_iter().chain([("sslkey", key.map(|it| folder.join(it)))]);
        let files = files.filter_map(|(name, path)| Some((name, percent::encode(&path?.to_string_lossy()))));
        for (name, value) in mode.into_iter().chain(files) {
            let before = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{before}{name}={value}"));
        }
        Ok(url)
    }

    /// Takes a parameter, if it is one of these.
    fn takes(&mut self, parameter: &str) -> Result<bool, String> {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let file = match name {
            "sslmode" => {
                if self.mode.replace(Mode::named(value)?).is_some() {
                    return Err("sslmode stands there twice".to_owned());
                }
                return Ok(true);
            }
            "sslrootcert" => &mut self.files.roots,
            "sslcert" => &mut self.files.certificate,
            "sslkey" => &mut self.files.key,
            // The crate's own.
            "sslnegotiation" => return Ok(false),
            _ if name.starts_with("ssl") => {
                return Err(format!("certkit has no {name}; there are sslmode, sslrootcert, sslcert and sslkey"));
            }
            _ => return Ok(false),
        };
        let path = percent::decode(value).filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| format!("{name} names no file"))?;
        match file.replace(path.into()) {
            Some(_) => Err(format!("{name} stands there twice")),
            None => Ok(true),
        }
    }
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::VerifyFull => "verify-full",
        }
    }

    /// libpq has weaker ones, which speak with whoever answers.
    fn named(value: &str) -> Result<Self, String> {
        match value {
            "disable" => Ok(Self::Disable),
            "verify-full" => Ok(Self::VerifyFull),
            "allow" | "prefer" => {
                Err(format!("sslmode={value} goes on in the clear where the server has no TLS; write {ALWAYS}"))
            }
            "require" => Err(format!("sslmode=require does not check who answers; write {ALWAYS}")),
            "verify-ca" => Err(format!("sslmode=verify-ca does not check the server's name; write {ALWAYS}")),
            _ => Err(format!("sslmode is disable or verify-full; write {ALWAYS}")),
        }
    }
}

impl TlsFiles {
    /// A file that is named.
    pub(super) fn named(&self) -> Option<&'static str> {
        match self {
            Self { roots: Some(_), .. } => Some("sslrootcert"),
            Self { certificate: Some(_), .. } => Some("sslcert"),
            Self { key: Some(_), .. } => Some("sslkey"),
            Self { roots: None, certificate: None, key: None } => None,
        }
    }

    /// The roots' file, where it is not the system that knows them.
    pub fn roots_file(&self) -> Option<&PathBuf> {
        self.roots.as_ref().filter(|path| path.as_os_str() != "system")
    }

    fn are_sound(&self) -> Result<(), String> {
        match self.key.is_some() && self.certificate.is_none() {
            true => Err("sslkey has no effect without sslcert".to_owned()),
            false => Ok(()),
        }
    }
}

/// What to write in place of a weaker mode.
const ALWAYS: &str = "sslmode=verify-full, which is what another machine gets without it, or sslmode=disable for a socket or this \
                      machine";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_about_tls_is_taken_out_and_the_rest_is_left() {
        let url = "postgres://ann:a?b@db.test/x?connect_timeout=3&sslmode=verify-full&sslrootcert=%2Fetc%2Fdb%20ca.pem&sslcert=c.pem";
        let (found, rest) = Parameters::taken_from(url).unwrap();
        assert_eq!(rest, "postgres://ann:a?b@db.test/x?connect_timeout=3");
        assert_eq!(found.mode, Some(Mode::VerifyFull));
        let files = TlsFiles { roots: Some("/etc/db ca.pem".into()), certificate: Some("c.pem".into()), key: None };
        assert_eq!(found.files, files);
        for plain in ["postgres://db.test/x", "postgres:///x?host=/run/pg"] {
            assert_eq!(Parameters::taken_from(plain).unwrap(), (Parameters::default(), plain.to_owned()));
        }
        let (_, rest) = Parameters::taken_from("postgres://db.test/x?sslmode=disable").unwrap();
        assert_eq!(rest, "postgres://db.test/x");
    }

    #[test]
    fn files_are_found_from_anywhere() {
        let placed = |url: &str| Parameters::with_files_from(url, Path::new("/etc/x y")).unwrap();
        for as_it_was in ["postgres://db.test/x", "postgres:///x?host=/run/pg", "postgres://db.test/x?sslmode=disable"]
        {
            assert_eq!(placed(as_it_was), as_it_was);
        }
        let url =
            placed("postgres://ann@db.test/x?sslrootcert=a%26b.pem&connect_timeout=3&sslcert=/c.pem&sslkey=k.pem");
        let (found, rest) = Parameters::taken_from(&url).unwrap();
        assert_eq!(rest, "postgres://ann@db.test/x?connect_timeout=3");
        let [roots, certificate, key] = ["/etc/x y/a&b.pem", "/c.pem", "/etc/x y/k.pem"].map(|it| Some(it.into()));
        assert_eq!(found.files, TlsFiles { roots, certificate, key });
        assert_eq!(placed("postgres://db.test/x?sslrootcert=system"), "postgres://db.test/x?sslrootcert=system");
    }

    #[test]
    fn what_is_weaker_unknown_or_of_no_effect_is_refused_with_a_reason() {
        for (query, why) in [
            ("sslmode=prefer", "in the clear"),
            ("sslmode=allow", "in the clear"),
            ("sslmode=require", "who answers"),
            ("sslmode=verify-ca", "the server's name"),
            ("sslmode=full", "disable or verify-full"),
            ("sslmode=", "disable or verify-full"),
            ("sslmode=disable&sslmode=verify-full", "twice"),
            ("sslcert=a&sslcert=b", "twice"),
            ("sslcrl=x.pem", "no sslcrl"),
            ("sslrootcert=", "names no file"),
            ("sslrootcert=%zz", "names no file"),
            ("sslkey=k.pem", "without sslcert"),
        ] {
            let refused = Parameters::taken_from(&format!("postgres://db.test/x?{query}")).unwrap_err();
            assert!(refused.contains(why), "{query}: {refused}");
        }
    }
}
