//! What `init`, `issue` and `sign` are asked in the same words.

use std::path::Path;

use anyhow::{Context, anyhow};
use time::{Duration, OffsetDateTime};

use crate::cli::clock::Moment;
use crate::cli::files;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::encoding::pem;
use crate::profile::Profile;
use crate::x509::{Certificate, Validity};

/// How long the certificate is to be valid.
#[derive(Debug, clap::Args)]
pub(super) struct Lifetime {
    /// Days until the certificate expires [default: the profile's]
    #[arg(long, value_name = "N", conflicts_with = "not_after", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,

    /// When the certificate expires: a time (2027-01-31) or a span (90d, 12h)
    #[arg(long, value_name = "TIME")]
    not_after: Option<Moment>,
}

impl Lifetime {
    /// The validity of a certificate made now.
    pub(super) fn validity(&self, profile: &Profile, now: OffsetDateTime) -> anyhow::Result<Validity> {
        let lifetime = self.days.map_or(profile.lifetime, |days| Duration::days(days.into()));
        let not_after = self.not_after.unwrap_or(Moment::After(lifetime)).from(now);
        let not_after = not_after.context("the certificate would expire after the year 9999")?;
        if not_after <= now {
            return Err(anyhow!("the certificate would expire before it is made"));
        }
        Ok(Validity { not_before: now - profile.backdate, not_after })
    }
}

/// A built-in profile by its name, or a file.
pub(super) fn profile(name: &str) -> anyhow::Result<Profile> {
    if let Some(profile) = Profile::built_in(name) {
        return Ok(profile);
    }
    let path = Path::new(name);
    if !name.contains(['/', '\\', '.']) && !path.exists() {
        return Err(anyhow!("there is no profile {name}"))
            .hint(format!("choose {}, or give a file", Profile::names().join(", ")));
    }
    let text = files::read_text(path)?;
    Profile::from_toml(&shown(path), &text).map_err(Into::into)
}

/// Certificates as PEM, one after the other.
pub(super) fn chain(certificates: &[&Certificate]) -> Vec<u8> {
    let blocks = certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()));
    blocks.fold(Vec::new(), |mut file, block| {
        file.extend_from_slice(block.as_bytes());
        file
    })
}
