//! The certificates of a capture as files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::report::CaptureReport;
use crate::cli::files;
use crate::encoding::{hex, pem};

/// Each certificate once, by the name it is for and the start of its fingerprint.
pub(super) fn certificates(report: &CaptureReport, folder: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let chains = report.connections.iter().flat_map(|told| {
        let summary = &told.transcript.summary;
        summary.server_chain.iter().chain(&summary.client_chain)
    });
    for certificate in chains {
        let fingerprint = certificate.fingerprint_sha256();
        if !seen.insert(fingerprint) {
            continue;
        }
        let short = hex::encode(fingerprint.get(..6).unwrap_or_default());
        let named = files::file_name_for(&certificate.display_name()).unwrap_or_else(|_| "certificate".to_owned());
        let pem = pem::write("CERTIFICATE", certificate.der()).to_string();
        found.push((folder.join(format!("{named}-{short}.pem")), pem.into_bytes()));
    }
    Ok(found)
}
