//! What is above a CA that is taken over.

use std::path::Path;

use crate::cli::output::shown;
use crate::cli::text::safe;
use crate::x509::Certificate;

/// What is odd where the certificate that signed the topmost one is not among those that were given.
pub(super) fn missing_above(top: &Certificate, pool: &[Certificate], chain: Option<&Path>) -> Option<String> {
    if top.is_self_issued() {
        return None;
    }
    let named = pool.iter().filter(|it| top.issuer().matches(it.subject()));
    if let Some(hash) = named.filter_map(|it| top.weakly_signed_with(&it.public_key().ok()?)).next() {
        return Some(format!(
            "{} is signed with {hash}, which certkit does not check: what is above it is left out, and clients of today refuse \
             what it signs",
            top.subject()
        ));
    }
    let missing = format!("the certificate of {} above it is not here", top.issuer());
    Some(match chain {
        None => format!("{missing}: give it with --chain"),
        Some(chain) => format!(
            "{missing}: {} holds none that has that name and signed it; give the right one with --chain",
            safe(shown(chain))
        ),
    })
}
