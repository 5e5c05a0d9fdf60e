//! Authorities as certificates of those that have signed them.

use super::documents::Given;
use super::{About, Outcome, REPAIRED_PROFILE, Repaired, SERIAL_TAKEN, record};
use crate::ca::{Act, AuthorityRecord, Ledger, tiers};
use crate::cli::ca::place::Chosen;
use crate::cli::output::shown;
use crate::x509::Certificate;

/// Records authorities with those that have signed them, and for a new ledger what else stands in the files of authorities and
/// was signed here.
pub(super) fn certify(
    ledger: &mut dyn Ledger,
    chosen: &Chosen,
    authorities: &[(AuthorityRecord, Certificate)],
    act: &Act,
    repaired: &mut Repaired,
) -> anyhow::Result<()> {
    let (recorded, left_out) = tiers::certify(ledger, REPAIRED_PROFILE, act)?;
    let names = chosen.place().names();
    let files: Vec<(String, Vec<Certificate>)> = names
        .iter()
        .filter_map(|name| Some((shown(&chosen.place().certificate_of(name)), chosen.certificates(name).ok()?)))
        .collect();
    let file_of = |certificate: &Certificate| {
        let holds = |(_, all): &&(String, Vec<Certificate>)| all.first() == Some(certificate);
        files.iter().find(holds).map_or_else(|| chosen.ledger_shown(), |(file, _)| file.clone())
    };
    if !repaired.new_ledger {
        repaired.cautions.extend(recorded.iter().map(|it| {
            format!(
                "{} was not among the certificates of {}, and what was revoked of it is lost with that, unless a list told of \
                 it now: certkit ca repair --crl FILE takes it from the last list that was published",
                it.certificate.subject(),
                it.issuer
            )
        }));
    }
    repaired.recorded.extend(recorded.iter().map(|it| About::of(file_of(&it.certificate), &it.certificate)));
    repaired.left_out.extend(left_out.iter().map(|it| About {
        why: Some(SERIAL_TAKEN.to_owned()),
        ..About::of(file_of(&it.certificate), &it.certificate)
    }));
    if !repaired.new_ledger {
        return Ok(());
    }
    for (file, all) in &files {
        let Some((own, above)) = all.split_first() else { continue };
        if !authorities.iter().any(|(_, authority)| authority == own) {
            continue;
        }
        for certificate in above {
            let given = Given { file: file.clone(), certificate: certificate.clone(), profile: None, revocation: None };
            // What was signed elsewhere is nothing of this CA's.
            if let Outcome::Recorded(_) = record(ledger, authorities, &given, act)? {
                repaired.recorded.push(About::of(file.clone(), certificate));
            }
        }
    }
    Ok(())
}
