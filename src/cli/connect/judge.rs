//! The verdict on the server's certificate: flags, and what `verify` says.

use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::clock;
use crate::cli::output::Session;
use crate::cli::verify::fetching::FetchArgs;
use crate::cli::verify::report::{Complaint, Show, VerifyReport};
use crate::cli::verify::revocation::RevocationArgs;
use crate::cli::verify::{certificates_in, roots};
use crate::dial::Endpoint;
use crate::verify::{CheckRevocation, Identity, Policy, Status, Verifier};
use crate::x509::{Certificate, OcspResponse, ServerName};

#[derive(Debug, clap::Args)]
pub(super) struct JudgeArgs {
    /// The name the certificate must be for, in place of --sni or the name that was dialled
    #[arg(long, value_name = "NAME", help_heading = "How it is judged")]
    host: Option<ServerName>,

    /// Trusted roots: a file of certificates, or `system`; may be given more than once
    #[arg(long, value_name = "FILE|system", default_value = "system", help_heading = "How it is judged")]
    roots: Vec<PathBuf>,

    /// More certificates that may help to build a path, beside those of the server
    #[arg(long, value_name = "FILE", help_heading = "How it is judged")]
    intermediates: Vec<PathBuf>,

    /// Judge as of this time instead of now: 2027-01-31, an RFC 3339 time, or @ and seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, help_heading = "How it is judged")]
    at: Option<OffsetDateTime>,

    /// By which rules: `tls` what strict modern clients enforce, `rfc5280` the letter, `webpki` the CA/B Forum's on top
    #[arg(long, default_value = "tls", help_heading = "How it is judged")]
    policy: Policy,

    #[command(flatten)]
    revocation: RevocationArgs,

    #[command(flatten)]
    fetching: FetchArgs,
}

/// A judge who waits for the server's chain.
pub(super) struct Judge<'a> {
    verifier: Verifier,
    fetching: &'a FetchArgs,
    /// The time of judgment, where it is not the present.
    at: Option<OffsetDateTime>,
    damage: Vec<Complaint>,
    endpoint: String,
}

/// The OCSP response that came with the certificate.
#[derive(Serialize)]
pub(super) struct Staple {
    /// How long it is, in bytes.
    octets: usize,
    /// What it says of the certificate, where it can be relied on: `good`, `revoked`, `on hold`, `unknown`.
    pub(super) status: Option<&'static str>,
    /// When it was true.
    pub(super) this_update: Option<String>,
    /// Until when it is to be believed.
    pub(super) next_update: Option<String>,
    /// Why it cannot be relied on.
    pub(super) fault: Option<String>,
}

impl<'a> Judge<'a> {
    /// Loads what the verdict rests on, before anybody is called.
    pub(super) fn new(
        args: &'a JudgeArgs,
        sni: Option<&ServerName>,
        endpoint: &Endpoint,
        session: &mut Session,
    ) -> anyhow::Result<Self> {
        let name = args.host.as_ref().or(sni).unwrap_or(&endpoint.host).clone();
        let mut verifier = Verifier::new(roots::load(&args.roots, session)?, args.at.unwrap_or_else(clock::now));
        verifier.identities = vec![Identity::Server(name)];
        verifier.policy = args.policy;
        for path in &args.intermediates {
            verifier.intermediates.extend(certificates_in(path)?);
        }
        let damage = args.revocation.load(&mut verifier)?;
        args.fetching.wants(&verifier)?;
        Ok(Self { verifier, fetching: &args.fetching, at: args.at, damage, endpoint: endpoint.to_string() })
    }

    /// Judges the chain a server sent, its own certificate first, and the staple that came with it, with what may be fetched;
    /// `None` where there is no chain.
    pub(super) fn verdict(
        mut self,
        chain: &[Vec<u8>],
        staple: Option<&[u8]>,
    ) -> anyhow::Result<Option<(VerifyReport, Option<Staple>)>> {
        let Some((leaf, others)) = chain.split_first() else { return Ok(None) };
        self.verifier.intermediates.extend(others.iter().filter_map(|der| Certificate::from_der(der).ok()));
        let leaf = match Certificate::from_der(leaf) {
            Ok(leaf) => Some(leaf),
            Err(error) => {
                self.damage.push(damaged("the server's certificate", &error.to_string()));
                None
            }
        };
        // What the server staples may be younger than the call.
        self.verifier.at = self.at.unwrap_or_else(clock::now);
        let staple = staple.map(|der| self.staple(leaf.as_ref(), der));
        let fetches = self.fetching.fetch(&mut self.verifier, leaf.as_ref(), self.at)?;
        let mut report = VerifyReport::new(
            Path::new(&self.endpoint),
            leaf.as_ref(),
            &self.verifier,
            Vec::new(),
            self.damage,
            Show::Best,
        );
        report.fetches = fetches;
        Ok(Some((report, staple)))
    }

    /// Hands the staple to the verifier, and says what it says by itself.
    fn staple(&mut self, leaf: Option<&Certificate>, der: &[u8]) -> Staple {
        let nothing = Staple { octets: der.len(), status: None, this_update: None, next_update: None, fault: None };
        let response = match OcspResponse::from_der(der) {
            Ok(response) => response,
            Err(error) => {
                self.damage.push(damaged("the OCSP response that came with it", &error.to_string()));
                return Staple { fault: Some(error.to_string()), ..nothing };
            }
        };
        let mut alone = self.verifier.clone();
        (alone.revocation_lists, alone.ocsp_responses) = (Vec::new(), vec![response.clone()]);
        alone.check_revocation = CheckRevocation::Leaf;
        if self.verifier.check_revocation != CheckRevocation::None {
            self.verifier.ocsp_responses.push(response);
        }
        let Some(leaf) = leaf else { return nothing };
        let verdict = alone.judge(leaf);
        let Some(attempt) = verdict.attempts().first() else { return nothing };
        let status = attempt.revocation.iter().find(|status| status.certificate == 0);
        let source = status.and_then(|status| status.source.as_ref());
        let about_revocation = |check: &str| check.starts_with("revocation-known") || check.starts_with("ocsp");
        let fault =
            attempt.findings.iter().find(|finding| finding.is_failure() && about_revocation(finding.check.name()));
        Staple {
            status: status
                .filter(|status| status.source.is_some() || status.status != Status::Unknown)
                .map(|status| status.status.name()),
            this_update: source.map(|source| clock::rfc3339(source.this_update)),
            next_update: source.and_then(|source| source.next_update).map(clock::rfc3339),
            fault: fault.map(|finding| finding.detail(attempt, &alone)),
            ..nothing
        }
    }
}

fn damaged(what: &str, why: &str) -> Complaint {
    Complaint {
        check: "encoding",
        clause: "X.690; RFC 5280 §4.1; RFC 6960 §4.2.1",
        certificate: None,
        detail: format!("{what} is damaged: {why}"),
        hint: Some("the server's operator has to put a sound one in its place".to_owned()),
    }
}
