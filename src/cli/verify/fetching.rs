//! `--fetch-issuers` and `--fetch-revocation` of `certkit verify` and `certkit connect`: flags, and what the report says of each fetch.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::clock;
use crate::cli::text::{Text, bad, dim, safe, strong, warn};
use crate::fetch::{Fetch, Fetcher, Limits, Wants};
use crate::key;
use crate::verify::{CheckRevocation, Verifier};
use crate::x509::Certificate;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FetchArgs {
    /// Fetch missing intermediates over http from where certificates say they are; connects to hosts that the certificates
    /// name
    #[arg(long)]
    fetch_issuers: bool,

    /// Fetch revocation lists and OCSP responses over http from where certificates of a path to a trusted root say they are
    #[arg(long)]
    fetch_revocation: bool,

    /// How long one fetch may take: 5s, 1m; all together six times that [default: 10s]
    #[arg(long, value_name = "SPAN", value_parser = parse_timeout)]
    fetch_timeout: Option<Duration>,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    let span = clock::parse_span(text).map_err(|error| error.to_string())?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err("nothing is fetched in no time".to_owned()),
    }
}

impl FetchArgs {
    /// What may be fetched for a verifier; `None` where that is nothing.
    ///
    /// # Errors
    /// Where a flag has no effect.
    pub(in crate::cli) fn wants(&self, verifier: &Verifier) -> anyhow::Result<Option<Wants>> {
        let wants = Wants { issuers: self.fetch_issuers, revocation: self.fetch_revocation };
        if wants == Wants::default() {
            if self.fetch_timeout.is_some() {
                bail!("--fetch-timeout has no effect without --fetch-issuers or --fetch-revocation");
            }
            return Ok(None);
        }
        if wants.revocation && verifier.check_revocation == CheckRevocation::None {
            bail!("--fetch-revocation has no effect with --check-revocation none");
        }
        Ok(Some(wants))
    }

    /// Fetches what is missing into the verifier; `None` where nothing may be fetched. Where no time of judgment is `given` it is
    /// the present, which goes on meanwhile.
    ///
    /// # Errors
    /// As [`Self::wants`], and where there is no randomness.
    pub(in crate::cli) fn fetch(
        &self,
        verifier: &mut Verifier,
        leaf: Option<&Certificate>,
        given: Option<OffsetDateTime>,
    ) -> anyhow::Result<Option<Vec<FetchReport>>> {
        let Some(wants) = self.wants(verifier)? else { return Ok(None) };
        let Some(leaf) = leaf else { return Ok(Some(Vec::new())) };
        // Drawn before anything is asked: without randomness no question is safe.
        let mut nonces = [0; NONCES * NONCE];
        key::random(&mut nonces).context("cannot draw nonces")?;
        let mut nonces = nonces.chunks(NONCE);
        let limits = self.fetch_timeout.map(Limits::timed).unwrap_or_default();
        let mut fetcher = Fetcher::new(wants, limits, || nonces.next().map(<[u8]>::to_vec));
        if given.is_none() {
            fetcher = fetcher.keeping_time(clock::now);
        }
        _ = fetcher.judge(verifier, leaf).is_accepted();
        Ok(Some(fetcher.fetches().iter().map(FetchReport::of).collect()))
    }
}

/// How many octets a nonce has (RFC 9654 §2.1: at least 32 are recommended).
const NONCE: usize = 32;
/// How many nonces there are: no more OCSP requests are made than fetches.
const NONCES: usize = 32;

/// What was fetched for the judgment, or was not.
#[derive(Serialize)]
pub(in crate::cli) struct FetchReport {
    wanted: &'static str,
    method: &'static str,
    url: String,
    /// The certificate for whose sake.
    certificate: String,
    redirects: Vec<String>,
    outcome: &'static str,
    detail: String,
    octets: u64,
    milliseconds: u64,
}

impl FetchReport {
    fn of(fetch: &Fetch) -> Self {
        Self {
            wanted: fetch.wanted.name(),
            method: fetch.method,
            url: fetch.url.clone(),
            certificate: fetch.certificate.clone(),
            redirects: fetch.redirects.clone(),
            outcome: fetch.outcome.name(),
            detail: fetch.outcome.detail().to_owned(),
            octets: fetch.octets,
            milliseconds: u64::try_from(fetch.took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn text(&self, text: &mut Text) {
        let Self { wanted, method, url, certificate, redirects, detail, octets, milliseconds, .. } = self;
        let head = format!("{wanted} for \"{certificate}\"");
        text.line(format_args!("  {}  {}", strong(safe(head)), dim(safe(format!("{method} {url}")))));
        for place in redirects {
            text.line(format_args!("       {}", dim(safe(format!("sent on to {place}")))));
        }
        let cost = dim(format!("{octets} octets in {milliseconds} ms"));
        match self.outcome {
            "used" => text.line(format_args!("       {}  {cost}", safe(detail))),
            "failed" => text.line(format_args!("       {} {}  {cost}", bad("failed:"), safe(detail))),
            _ => text.line(format_args!("       {} {}", warn("not fetched:"), safe(detail))),
        }
    }
}

/// Says what was fetched.
pub(super) fn text(fetches: &[FetchReport], text: &mut Text) {
    text.blank();
    if fetches.is_empty() {
        text.line(dim("nothing was fetched: nothing was missing that a certificate says where to find"));
        return;
    }
    text.line("fetched:");
    fetches.iter().for_each(|fetch| fetch.text(text));
}
