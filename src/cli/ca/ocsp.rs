//! `certkit ca ocsp`: answer whether certificates are revoked.

mod delegate;
mod web;

use std::path::PathBuf;

use serde::Serialize;
use time::Duration;

use self::delegate::{Delegation, Speaker};
use super::own_files::spare_all;
use super::place::Chosen;
use super::signer::SignerArgs;
use crate::ca::responder::OcspSaid;
use crate::ca::{AuthorityName, OcspAnswer};
use crate::cli::clock::{self, parse_span, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet, is_dash};
use crate::cli::load::name;
use crate::cli::output::{Report, Session};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::encoding::{base64, der};
use crate::issue::ResponderName;
use crate::x509::Certificate;
use crate::x509::ocsp::{OcspDecline, OcspStatus};

/// Answer about revocation (OCSP): one request, or a server for all
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The CA delegates: it issues a certificate for 30 days that may only answer about revocation (profile ocsp-responder), and the
answers are signed with its key. Certificate and key lie in the CA's folder, in ca.ocsp.pem, readable by you alone, and are
renewed after two thirds of their time, or once the certificate is revoked; only then is the CA's key needed. Where it is not
at hand then, they are used to the end of their time, with a warning. --ephemeral keeps them in memory, --by-ca has the CA's own
key sign. A server signs nothing more by a revoked certificate: where it cannot make another, clients are told `tryLater`;
so they are about an authority for which there is no delegate and no key to make one, and --request fails then.

An answer holds for an hour and is given again for half of it, unless the status changes: a revocation shows at once. A nonce
comes back (RFC 9654). What this CA has not signed is `unknown`; certificates of others get `unauthorized`. A request may ask
about 64 certificates and have 16 KiB: more is declined as `malformedRequest`, for RFC 6960 has no word for too much.
Where it asks about certificates of several authorities of the CA, the one of the first answers, and the others' are `unknown`:
an answer has one signer, whom clients believe about that authority's alone. --issuer has another one answer; --request says
which are whose.

--serve takes GET and POST as RFC 6960 and RFC 5019 have them, at any path, until SIGINT or SIGTERM. Put the address into
certificates with `ocsp = [\"http://...\"]` in a profile.

Exit status: 0 answered; 1 the request was declined; 2 could not.

For example:
  certkit ca ocsp --request req.der --out resp.der
  certkit ca ocsp --serve 127.0.0.1:8889
  openssl ocsp -issuer ca.pem -cert api.test.pem -url http://127.0.0.1:8889 -CAfile ca.pem

With --json the answer is an object: `file`; `declined` (the word, or null); `because` (what is wrong, or null); `answers`, each with `serial`, `status` (`good`,
`revoked`, `unknown`), `revoked_at`, `reason`; and `next_update`, until when it holds. With --serve, at its
end: `address`, `requests`, `good`, `revoked`, `unknown`, `declined`.")]
pub(super) struct Args {
    /// An OCSP request in DER; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "serve")]
    request: Option<PathBuf>,

    /// Where the answer goes; `-` is stdout [default: ocsp-response.der]
    #[arg(long, value_name = "FILE", conflicts_with = "serve")]
    out: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(long, conflicts_with = "serve")]
    force: bool,

    /// Answer over HTTP on this address until told to stop
    #[arg(long, value_name = "ADDR")]
    serve: Option<String>,

    /// How long an answer holds: 1h, 12h, 4d
    #[arg(long, value_name = "SPAN", value_parser = parse_validity, default_value = "1h")]
    validity: Duration,

    /// How the responder names itself
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    responder_id: ResponderId,

    #[command(flatten)]
    delegation: Delegation,

    #[command(flatten)]
    signer: SignerArgs,
}

/// How a responder names itself.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum ResponderId {
    /// By the digest of its key
    #[default]
    Key,
    /// By its subject
    Name,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let name = match args.responder_id {
        ResponderId::Key => ResponderName::Key,
        ResponderId::Name => ResponderName::Subject,
    };
    let speaker = Speaker { chosen, delegation: &args.delegation, signer: &args.signer, name };
    match (&args.serve, &args.request) {
        (Some(address), _) => web::run(&args, address, &speaker, session),
        (None, Some(request)) => answer_file(&args, request, &speaker, session),
        (None, None) => Err(anyhow::anyhow!("there is nothing to answer"))
            .hint("give one request with --request FILE, or answer over HTTP with --serve ADDR"),
    }
}

/// Answers one request.
fn answer_file(
    args: &Args,
    request: &std::path::Path,
    speaker: &Speaker<'_>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let out = args.out.clone().unwrap_or_else(|| "ocsp-response.der".into());
    WriteSet::check([out.as_path()], args.force, session)?;
    files::spare_input(&out, request)?;
    spare_all(speaker.chosen, Some(&args.signer), [out.as_path()])?;
    let request = files::read(request)?;
    let mut voices = speaker.voices(session)?;
    voices.can_answer(&request)?;
    let responder = voices.responder(args.validity, session)?;
    let answer = responder.answer(&request, clock::now());
    let mut files = WriteSet::new(args.force).whole();
    files.add(out.clone(), answer.der.to_vec(), Mode::Public);
    files.write(session)?;
    let shown = if is_dash(&out) { "stdout".to_owned() } else { name(&out) };
    tell_of_others(&answer, speaker.chosen, session);
    let mut told = Told::new(shown, &answer);
    if answer.said == Err(OcspDecline::MalformedRequest)
        && let Some(because) = &mut told.because
        && let Some(form) = other_form(&request)
    {
        *because = format!("it is {form}, and --request takes the DER itself; {because}");
    }
    let declined = told.declined.is_some();
    session.answer(&told)?;
    Ok(Exit::of(!declined))
}

/// Says which certificates another authority of the CA would have to answer for, and how that is asked.
fn tell_of_others(answer: &OcspAnswer, chosen: &Chosen, session: &mut Session) {
    let mut issuers: Vec<(&Certificate, Vec<String>)> = Vec::new();
    for (serial, issuer) in &answer.of_others {
        match issuers.iter_mut().find(|(known, _)| *known == issuer) {
            Some((_, serials)) => serials.push(serial.to_string()),
            None => issuers.push((issuer, vec![serial.to_string()])),
        }
    }
    for (issuer, serials) in issuers {
        let is_its = |name: &AuthorityName| chosen.certificates(name).is_ok_and(|found| found.first() == Some(issuer));
        let flag = chosen.place().names().into_iter().find(is_its).map(|name| format!(" with --issuer {name}"));
        session.warn(format_args!(
            "of {} it says `unknown`, for {}, another authority of this CA, has issued that, and an answer has one signer (RFC \
             6960 §2.2): answer the request again{}, or ask about each authority's in a request of their own",
            serials.join(", "),
            issuer.display_name(),
            flag.unwrap_or_default(),
        ));
    }
}

fn parse_validity(text: &str) -> Result<Duration, String> {
    let span = parse_span(text).map_err(|error| error.to_string())?;
    if span < Duration::minutes(1) || span > Duration::days(30) {
        return Err("an answer holds for a minute at least and 30 days at most".to_owned());
    }
    Ok(span)
}

/// The word for why a request is declined (RFC 6960 §4.2.1).
fn decline_name(why: OcspDecline) -> &'static str {
    match why {
        OcspDecline::MalformedRequest => "malformedRequest",
        OcspDecline::InternalError => "internalError",
        OcspDecline::TryLater => "tryLater",
        OcspDecline::SigRequired => "sigRequired",
        OcspDecline::Unauthorized => "unauthorized",
    }
}

/// What a request is that is not in DER, where that can be told.
fn other_form(request: &[u8]) -> Option<&'static str> {
    let text = std::str::from_utf8(request).ok()?.trim();
    if text.starts_with("-----BEGIN ") {
        return Some("PEM");
    }
    let joined: String = text.split_whitespace().collect();
    base64::decode(&joined).is_some_and(|inner| der::only(&inner).is_ok()).then_some("base64")
}

#[derive(Debug, Serialize)]
struct Told {
    file: String,
    declined: Option<&'static str>,
    /// Why it is declined.
    because: Option<String>,
    answers: Vec<OneTold>,
    next_update: Option<String>,
}

#[derive(Debug, Serialize)]
struct OneTold {
    serial: String,
    status: &'static str,
    revoked_at: Option<String>,
    reason: Option<&'static str>,
}

impl Told {
    fn new(file: String, answer: &OcspAnswer) -> Self {
        let (declined, answers) = match &answer.said {
            Ok(said) => (None, said.iter().map(OneTold::new).collect()),
            Err(why) => (Some(decline_name(*why)), Vec::new()),
        };
        let because = answer.because.clone();
        Self { file, declined, because, answers, next_update: answer.next_update.map(rfc3339) }
    }
}

impl OneTold {
    fn new(said: &OcspSaid) -> Self {
        let (status, revoked) = match said.status {
            OcspStatus::Good => ("good", None),
            OcspStatus::Unknown => ("unknown", None),
            OcspStatus::Revoked { since, reason } => ("revoked", Some((since, reason))),
        };
        Self {
            serial: said.serial.to_string(),
            status,
            revoked_at: revoked.map(|(since, _)| rfc3339(since)),
            reason: revoked.and_then(|(_, reason)| reason).map(|reason| reason.name()),
        }
    }
}

impl Report for Told {
    fn text(&self, text: &mut Text) {
        if let Some(why) = self.declined {
            text.line(format_args!("{}: {why}, written to {}", bad("declined"), safe(&self.file)));
            if let Some(because) = &self.because {
                text.line(format_args!("  {} {}", dim("why:"), safe(because)));
            }
            return;
        }
        for one in &self.answers {
            let status = match one.status {
                "good" => good(one.status).to_string(),
                "revoked" => bad(one.status).to_string(),
                other => warn(other).to_string(),
            };
            let since = one.revoked_at.as_ref().map(|at| format!(" since {at}")).unwrap_or_default();
            let reason = one.reason.map(|reason| format!(", {reason}")).unwrap_or_default();
            text.line(format_args!("{status}{since}{reason}  {}", strong(&one.serial)));
        }
        let until = self.next_update.as_ref().map(|next| format!(", holds until {next}")).unwrap_or_default();
        text.line(format_args!("written to {}{until}", safe(&self.file)));
    }
}
