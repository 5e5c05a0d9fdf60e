//! Taking over an authority that was made elsewhere, and what it has issued.

use super::authority::{Authority, AuthorityError, refuse_compromised};
use super::ledger::{Act, Entry, Ledger, LedgerError};
use super::tiers::{self, Uncertified};
use crate::issue::{self, IssueError};
use crate::key::{PrivateKey, SignatureError};
use crate::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, PolicyConstraints, SubjectKeyIdentifier,
};
use crate::x509::{Certificate, oids};
use time::{Duration, OffsetDateTime};

/// The profile under which what was made elsewhere stands in the ledger.
pub const IMPORTED: &str = "imported";

/// What became of certificates that an authority is said to have issued.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Taken {
    /// Recorded now.
    pub recorded: u64,
    /// Recorded before.
    pub known: u64,
    /// Another's, or not by this authority's signature.
    pub foreign: u64,
    /// By a signature over a hash that is broken, which is not checked: nothing tells whether they are its own.
    pub weak: u64,
}

impl Authority {
    /// Takes over an authority below `above`, the next one first, and records it. Where its key is given, it must be its
    /// own.
    ///
    /// # Errors
    /// When the certificate is no CA's, may not sign certificates, or is another key's; when it is in the ledger already.
    pub fn adopt(
        certificate: Certificate,
        above: Vec<Certificate>,
        key: Option<&PrivateKey>,
        mut ledger: Box<dyn Ledger>,
        now: OffsetDateTime,
        act: &Act,
    ) -> Result<Self, AuthorityError> {
        match key.map_or(Ok(()), |key| issue::check_issuer(&certificate, key, now)) {
            // It signs nothing more, and what it has signed is still worth a ledger.
            Ok(()) | Err(IssueError::IssuerExpired { .. } | IssueError::IssuerNotYetValid { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if !certificate.claims_ca() {
            return Err(IssueError::NotAnAuthority { issuer: certificate.display_name() }.into());
        }
        // It would sign at once, and with a key that somebody else has.
        refuse_compromised(ledger.as_mut(), &certificate.public_key()?)?;
        ledger.add_authority(&certificate, IMPORTED, act)?;
        Ok(Self::open(certificate, ledger)?.below(above))
    }

    /// Records those certificates that it has signed.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn take_issued(&mut self, certificates: &[Certificate], act: &Act) -> Result<Taken, AuthorityError> {
        let own = self.certificate().clone();
        let key = own.public_key()?;
        let mut taken = Taken::default();
        for chunk in certificates.chunks(CHUNK) {
            let mut entries = Vec::new();
            for certificate in chunk {
                match () {
                    () if *certificate == own => {}
                    () if certificate.issuer().matches(own.subject()) && certificate.verify_signature(&key).is_ok() => {
                        entries.push(Entry { certificate, profile: IMPORTED });
                    }
                    () if certificate.issuer().matches(own.subject())
                        && certificate.weakly_signed_with(&key).is_some() =>
                    {
                        taken.weak += 1;
                    }
                    () => taken.foreign += 1,
                }
            }
            match self.record(&entries, act) {
                Ok(()) => taken.recorded += entries.len() as u64,
                // One of them is known: each by itself.
                Err(LedgerError::AlreadyRecorded { .. } | LedgerError::SerialTaken { .. }) => {
                    for entry in &entries {
                        match self.record(std::slice::from_ref(entry), act) {
                            Ok(()) => taken.recorded += 1,
                            Err(LedgerError::AlreadyRecorded { .. } | LedgerError::SerialTaken { .. }) => {
                                taken.known += 1
                            }
                            Err(error) => return Err(error.into()),
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(taken)
    }

    /// Records each authority of its ledger that another one of it has signed as a certificate of that one, which can revoke it
    /// then. Gives those that were recorded, and those whose serial number is another certificate's.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn take_tiers(&mut self, act: &Act) -> Result<(Vec<Uncertified>, Vec<Uncertified>), AuthorityError> {
        Ok(tiers::certify(self.ledger_mut(), IMPORTED, act)?)
    }
}

/// Whether a root's signature upon itself is none: the certificate is damaged. That of one which another key of the same name
/// has signed is not its own (RFC 5280 §6.1, self-issued).
pub fn is_damaged(certificate: &Certificate) -> bool {
    if !certificate.is_self_issued() {
        return false;
    }
    let extensions = certificate.extensions();
    let above = extensions.find::<AuthorityKeyIdentifier>().ok().flatten().and_then(|found| found.value.key_identifier);
    let own = extensions.find::<SubjectKeyIdentifier>().ok().flatten().map(|found| found.value.0);
    if above.is_some() && above != own {
        return false;
    }
    certificate.public_key().is_ok_and(|key| match certificate.verify_signature(&key) {
        Err(SignatureError::Mismatch) => true,
        Err(SignatureError::Weak(_)) => certificate.weakly_signed_with(&key).is_none(),
        _ => false,
    })
}

/// What is odd about an authority's certificate: some clients will object to what it issues.
pub fn oddities(certificate: &Certificate, now: OffsetDateTime) -> Vec<String> {
    let mut odd = Vec::new();
    let mut say = |what: &str| odd.push(what.to_owned());
    let extensions = certificate.extensions();
    if extensions.find::<BasicConstraints>().is_ok_and(|found| found.is_some_and(|found| !found.critical)) {
        say(
            "its basicConstraints are not critical (RFC 5280 §4.2.1.9): Python 3.13 and `openssl verify -x509_strict` refuse it",
        );
    }
    match extensions.find::<KeyUsage>() {
        Ok(None) => {
            say("it has no keyUsage (RFC 5280 §4.2.1.3): Python 3.13 and `openssl verify -x509_strict` refuse it")
        }
        Ok(Some(found)) if !found.critical => say("its keyUsage is not critical (RFC 5280 §4.2.1.3)"),
        _ => {}
    }
    if extensions.get(&oids::SUBJECT_KEY_IDENTIFIER).is_none() {
        say(
            "it has no subjectKeyIdentifier (RFC 5280 §4.2.1.2): Python 3.13 and `openssl verify -x509_strict` refuse it",
        );
    }
    if certificate.public_key().is_ok_and(|key| key.rsa_modulus_bits().is_some_and(|bits| bits < 2048)) {
        say(
            "its RSA key has less than 2048 bits and can be broken: clients of today refuse it, and certkit signs nothing with \
             it, no certificate and no revocation list; make a new CA",
        );
    }
    if certificate.is_self_issued()
        && let Some(hash) = certificate.public_key().ok().and_then(|key| certificate.weakly_signed_with(&key))
    {
        say(&format!(
            "its own signature is over {hash}, which certkit does not check: a root is trusted without it (RFC 5280 §6.1), and \
             some clients refuse it all the same"
        ));
    }
    if issue::understood(certificate).is_err() {
        say("it has a critical extension that clients do not know (RFC 5280 §4.2): it signs no certificate");
    }
    if certificate.extension::<PolicyConstraints>().is_ok_and(|found| found.is_some()) {
        say(
            "it has policyConstraints (RFC 5280 §4.2.1.11): where they ask for a policy, only profiles with `policies` are issued",
        );
    }
    let end = certificate.validity().not_after;
    if now < certificate.validity().not_before {
        say("it is not valid yet: until then it signs nothing");
    }
    if end < now {
        say("it has expired: it signs nothing more");
    } else if end - now < Duration::days(90) {
        say("it expires within 90 days, and with it all it issues");
    }
    odd
}

/// Certificates in one transaction.
const CHUNK: usize = 500;
