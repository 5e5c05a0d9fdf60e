//! What opens encrypted records: RSA keys and key logs.

use std::path::PathBuf;

use anyhow::{anyhow, bail};

use crate::cli::files;
use crate::cli::load::{self, Loaded};
use crate::cli::output::Session;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::tls::keys::KeyLog;
use crate::transcript::Secrets;

/// Reads them. A file without what it was given for is an error.
pub(super) fn load(
    keys: &[PathBuf],
    passphrase: Option<&PassphraseSource>,
    logs: &[PathBuf],
    session: &mut Session,
) -> anyhow::Result<Secrets> {
    let mut secrets = Secrets::default();
    for path in keys {
        let key = Loaded::read(path)?.private_key(passphrase)?;
        if !key.algorithm().is_rsa() {
            let what =
                format!("{} holds a {} key, and only RSA keys open recordings", load::name(path), key.algorithm());
            return Err(anyhow!(what)).hint("other keys only sign; --key-log opens such connections");
        }
        secrets.add_key(key);
    }
    for path in logs {
        let log = KeyLog::parse(&files::read(path)?);
        if log.is_empty() {
            let fault = log.faults().first().map(|fault| format!(": {fault}")).unwrap_or_default();
            bail!("{} is no key log{fault}", load::name(path));
        }
        let damaged = log.faults().len();
        if let Some(first) = log.faults().first() {
            session.warn(format_args!("{}: {damaged} lines of the key log are damaged, {first}", load::name(path)));
        }
        secrets.add_key_log(log);
    }
    Ok(secrets)
}
