//! Trusted roots: files, and the system's store. What cannot be loaded is an error, never a smaller or another set.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

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
            let found = certificates_in(source).with_context(|| format!("no usable roots in {}", shown(source)))?;
            roots.extend(found);
        }
    }
    if roots.is_empty() {
        bail!("there are no roots to trust");
    }
    Ok(roots)
}

/// The roots the system's own clients trust.
fn system(session: &mut Session) -> anyhow::Result<Vec<Certificate>> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<Certificate> = found.certs.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    let lost = found.certs.len() - roots.len();
    if lost > 0 {
        session.warn(format_args!("{lost} of the system's roots do not parse and are left out"));
    }
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
        let failed: anyhow::Result<()> = Err(anyhow!("the system's roots cannot be loaded: {why}"));
        failed.hint("name a file with --roots FILE, or install the package ca-certificates")?;
    }
    Ok(roots)
}
