//! The key log of a server.

use std::path::Path;
use std::sync::Arc;

use crate::cli::files::add_to_secret;
use crate::serve::KeyLogFile;

/// Opens the file to add to it; made for its owner alone where it is not there.
pub(super) fn open(path: &Path) -> anyhow::Result<Arc<KeyLogFile>> {
    Ok(Arc::new(KeyLogFile::new(add_to_secret(path)?)))
}
