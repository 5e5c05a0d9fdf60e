//! Where a certificate or request goes, and its new key.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::{KeyArgs, SubjectKey};
use crate::cli::files::{Mode, WriteSet, file_name_for, is_dash, must_arrive, same_place, spare_keys};
use crate::cli::load::name;
use crate::cli::output::Session;
use crate::issue::Naming;

/// Two files, or one that holds both.
pub(in crate::cli) struct Outputs {
    out: PathBuf,
    /// Where the new key goes; `None` where there is none.
    keyout: Option<PathBuf>,
    force: bool,
}

impl Outputs {
    /// Chooses the files: after the first name where they are not given. Refuses what is in the way.
    pub(in crate::cli) fn choose(
        out: Option<PathBuf>,
        ending: &str,
        key: &KeyArgs,
        naming: &Naming,
        force: bool,
        session: &Session,
    ) -> anyhow::Result<Self> {
        let out = match out {
            Some(out) => out,
            None => format!("{}.{ending}", file_name_for(&naming.label())?).into(),
        };
        key.check(&out)?;
        let keyout = key.is_new().then(|| key.keyout.clone().unwrap_or_else(|| beside(&out)));
        let outputs = Self { out, keyout, force };
        WriteSet::check(outputs.paths(), force, session)?;
        outputs.keyout.iter().try_for_each(|keyout| must_arrive(keyout, session))?;
        if !outputs.is_one() {
            spare_keys([outputs.out.as_path()])?;
        }
        Ok(outputs)
    }

    /// Where the certificate or request goes, as it is shown.
    pub(in crate::cli) fn out(&self) -> String {
        self.shown(&self.out)
    }

    /// Where the new key goes, or would go.
    pub(in crate::cli) fn keyout(&self) -> &Path {
        self.keyout.as_deref().unwrap_or(&self.out)
    }

    /// Where the new key goes, as it is shown.
    pub(in crate::cli) fn shown_keyout(&self) -> Option<String> {
        self.keyout.as_deref().map(|path| if self.is_one() { self.out() } else { self.shown(path) })
    }

    /// Writes both or neither.
    pub(in crate::cli) fn write(self, key: &SubjectKey, made: &str, session: &mut Session) -> anyhow::Result<()> {
        let mut files = WriteSet::new(self.force).whole();
        match (&self.keyout, &key.pem) {
            (Some(_), Some(key)) if self.is_one() => {
                let mut both = Zeroizing::new(Vec::with_capacity(key.len() + made.len()));
                both.extend_from_slice(key.as_bytes());
                both.extend_from_slice(made.as_bytes());
                files.add(self.out, both, Mode::Secret);
            }
            (Some(keyout), Some(key)) => {
                files.add(keyout, key.as_bytes().to_vec(), Mode::Secret);
                files.add(self.out, made.as_bytes().to_vec(), Mode::Public);
            }
            _ => files.add(self.out, made.as_bytes().to_vec(), Mode::Public),
        }
        files.write(session)?;
        Ok(())
    }

    fn shown(&self, path: &Path) -> String {
        if is_dash(path) { "stdout".to_owned() } else { name(path) }
    }

    /// Whether one file holds key and certificate.
    fn is_one(&self) -> bool {
        self.keyout.as_ref().is_some_and(|keyout| same_place(keyout, &self.out))
    }

    /// The files.
    pub(in crate::cli) fn paths(&self) -> Vec<&Path> {
        let keyout = self.keyout.as_deref().filter(|_| !self.is_one());
        std::iter::once(self.out.as_path()).chain(keyout).collect()
    }
}

/// `site-key.pem` beside `site.pem`; stdout for stdout.
pub(in crate::cli) fn beside(out: &Path) -> PathBuf {
    if is_dash(out) {
        return out.to_owned();
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!("{stem}-key.pem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_lies_beside_the_certificate() {
        for (out, key) in
            [("a.test.pem", "a.test-key.pem"), ("d/x.crt", "d/x-key.pem"), ("/x", "/x-key.pem"), ("-", "-")]
        {
            assert_eq!(beside(Path::new(out)), Path::new(key));
        }
    }
}
