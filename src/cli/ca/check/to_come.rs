//! Authorities whose certificates are not valid yet: made while a clock was ahead.

use time::OffsetDateTime;

use super::Warning;
use crate::cli::ca::own_files::is_authoritys;
use crate::cli::ca::place::Chosen;
use crate::cli::clock::rfc3339;
use crate::cli::output::shown;

/// Looks at the certificate that each authority of the folder has now.
pub(super) fn check(chosen: &Chosen, now: OffsetDateTime, tell: &mut dyn FnMut(Warning)) {
    for name in chosen.place().names() {
        // What is wrong with the file was told before.
        let Some(own) = chosen.certificates(&name).ok().and_then(|found| found.into_iter().next()) else { continue };
        let begins = own.validity().not_before;
        if now < begins && is_authoritys(chosen, &name) {
            tell(Warning {
                place: shown(&chosen.place().certificate_of(&name)),
                warning: format!(
                    "the certificate of {name} is not valid before {}, which is to come: until then it signs nothing",
                    rfc3339(begins)
                ),
                advice: format!(
                    "see whether the clock is right; if it was ahead when that was made, certkit ca renew {name}{} signs one that \
                     is valid now",
                    chosen.flag()
                ),
            });
        }
    }
}
