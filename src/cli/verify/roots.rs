//! Trusted roots: files, and the system's store. What cannot be loaded is an error, never a smaller or another set.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::certificates_in;
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;
use crate::x509::Certificate;

/// Loads every source named; there is at least one root in the end.
pub(in crate::cli) fn load(sources: &[PathBuf], session: &mut Session) -> anyhow::Result<Vec<Certificate>> {
    let mut roots = Vec::new();
    for source in sources {
        if source == Path::new("system") {
            roots.extend(system(session)?);
        } else {
            roots.extend(of_file(source)?);
        }
    }
    if roots.is_empty() {
        bail!("there are no roots to trust");
    }
    Ok(roots)
}

/// The roots in a file.
pub(in crate::cli) fn of_file(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    certificates_in(path).with_context(|| format!("no usable roots in {}", shown(path)))
}

/// The roots the system's own clients trust; what is left out is told.
fn system(session: &mut Session) -> anyhow::Result<Vec<Certificate>> {
    let (roots, lost) = of_system().hint("name a file with --roots FILE, or install the package ca-certificates")?;
    if lost > 0 {
        session.warn(format_args!("{lost} of the system's roots do not parse and are left out"));
    }
    Ok(roots)
}

/// The roots the system's own clients trust, one at least, and how many do not parse.
pub(in crate::cli) fn of_system() -> anyhow::Result<(Vec<Certificate>, usize)> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<Certificate> = found.certs.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
        bail!("the system's roots cannot be loaded: {why}");
    }
    let lost = found.certs.len() - roots.len();
    Ok((roots, lost))
}
