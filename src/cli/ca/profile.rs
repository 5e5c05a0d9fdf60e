//! `certkit ca profile check`: what a profile says, in words, and what contradicts itself.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::{Text, bad, good, safe};
use crate::encoding::Oid;
use crate::profile::{NameForm, Profile, ProfileError};
use crate::x509::extension::{GeneralSubtree, KeyUsageBit};
use crate::x509::{name_text, oids};

/// Look at a profile of your own
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca profiles --show server > own.toml
  certkit ca profile check own.toml")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    Check(CheckArgs),
}

/// Say what a profile means, or what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The keys of a profile, all but the first three optional:
  description, days, key_usage   what for; how long; keyUsage, such as [\"digitalSignature\"]
  key                            the kind of key made: \"P-256\", \"RSA-3072\", \"Ed25519\" [\"P-256\"]
  backdate                       how far notBefore lies in the past [\"5m\"]
  key_usage_rsa, key_usage_ecdsa bits added for these keys alone
  extended_key_usage, extended_key_usage_critical
  names, required_names          the forms of names taken, and needed: dns, ip, email, uri
  ca, path_len, name_constraints what makes a CA, and what it may sign
  policies, crl, ocsp, ca_issuers, must_staple, ocsp_no_check
  signature                      what the CA signs with: rsa-sha256, rsa-pss-sha256,
                                 ecdsa-sha384, and the same with sha256, sha384 and sha512
and those that refuse what is asked for:
  allowed_names, denied_names    \"dns:corp.test\" (and below it), \"ip:10.0.0.0/8\", \"email:…\";
                                 where some are allowed, names of every other form are not;
                                 a dns: or ip: that is denied is denied to the hosts of URIs
                                 and the domains of mailboxes too
  wildcards                      false refuses *.corp.test
  max_days                       the longest validity
  allowed_keys                   [\"P-256\", \"RSA-3072..\", \"RSA-2048..4096\"]
  required_subject               attributes the subject needs: [\"O\", \"C\"]

Exits 1 where the profile contradicts itself or cannot be read as one, with the line and column.

For example:
  certkit ca profiles --show server > own.toml
  certkit ca profile check own.toml

With --json the answer is an object: `file`; `sound`; `fault` (`line`, `column`, `why`), or else `profile`, with the keys of
the file, all of them; `days`, `max_days` and `backdate` (in seconds) are numbers.")]
struct CheckArgs {
    /// The profile; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Command::Check(CheckArgs { file }) = args.command;
    let text = files::read_text(&file)?;
    let file = if files::is_dash(&file) { "stdin".to_owned() } else { shown(&file) };
    let read = Profile::from_toml(&file, &text);
    let sound = read.is_ok();
    let (profile, fault) = match read {
        Ok(profile) => (Some(About::of(&profile)), None),
        Err(ProfileError { line, column, why, .. }) => (None, Some(Fault { line, column, why })),
    };
    session.answer(&Checked { file, sound, fault, profile })?;
    Ok(Exit::of(sound))
}

#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    sound: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<About>,
}

#[derive(Debug, Serialize)]
struct Fault {
    line: usize,
    column: usize,
    why: String,
}

impl Report for Checked {
    fn text(&self, text: &mut Text) {
        let file = safe(&self.file);
        if let Some(Fault { line, column, why }) = &self.fault {
            text.line(format_args!("{} {file}:{line}:{column}: {}", bad("refused"), safe(why)));
        }
        if let Some(profile) = &self.profile {
            text.line(format_args!("{} {file}: {}", good("sound"), safe(&profile.description)));
            text.fields(profile.words());
        }
    }
}

/// Seconds in words, in the largest unit that takes them exactly.
fn span(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
    let (unit, name) = whole.unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// A profile as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) key: String,
    pub(super) days: i64,
    /// In seconds.
    backdate: i64,
    pub(super) ca: bool,
    path_len: Option<u64>,
    key_usage: Vec<&'static str>,
    key_usage_rsa: Vec<&'static str>,
    key_usage_ecdsa: Vec<&'static str>,
    pub(super) extended_key_usage: Vec<String>,
    extended_key_usage_critical: bool,
    names: Vec<String>,
    required_names: Vec<String>,
    policies: Vec<String>,
    crl: Vec<String>,
    ocsp: Vec<String>,
    ca_issuers: Vec<String>,
    permitted: Vec<String>,
    excluded: Vec<String>,
    must_staple: bool,
    ocsp_no_check: bool,
    signature: Option<String>,
    allowed_names: Vec<String>,
    denied_names: Vec<String>,
    wildcards: bool,
    max_days: Option<i64>,
    allowed_keys: Vec<String>,
    required_subject: Vec<String>,
}

impl About {
    pub(super) fn of(profile: &Profile) -> Self {
        let bits = |bits: &[KeyUsageBit]| bits.iter().map(|bit| bit.name()).collect();
        let forms = |forms: &[NameForm]| forms.iter().map(ToString::to_string).collect();
        let subtrees = |list: &[GeneralSubtree]| list.iter().map(|subtree| subtree.base.to_string()).collect();
        let oids = |list: &[Oid]| list.iter().map(oids::name_or_dotted).collect();
        let constraints = profile.name_constraints.clone().unwrap_or_default();
        let limits = &profile.limits;
        Self {
            name: profile.name.clone(),
            description: profile.description.clone(),
            key: profile.key.to_string(),
            days: profile.lifetime.whole_days(),
            backdate: profile.backdate.whole_seconds(),
            ca: profile.is_ca(),
            path_len: profile.basic_constraints.path_len,
            key_usage: bits(&profile.key_usage),
            key_usage_rsa: bits(&profile.key_usage_rsa),
            key_usage_ecdsa: bits(&profile.key_usage_ecdsa),
            extended_key_usage: oids(&profile.extended_key_usage),
            extended_key_usage_critical: profile.extended_key_usage_critical,
            names: forms(&profile.names),
            required_names: forms(&profile.required_names),
            policies: profile.policies.iter().map(|policy| policy.policy.to_string()).collect(),
            crl: profile.crl.clone(),
            ocsp: profile.ocsp.clone(),
            ca_issuers: profile.ca_issuers.clone(),
            permitted: subtrees(&constraints.permitted),
            excluded: subtrees(&constraints.excluded),
            must_staple: profile.must_staple,
            ocsp_no_check: profile.ocsp_no_check,
            signature: profile.signature.map(|signature| signature.to_string()),
            allowed_names: subtrees(&limits.allowed_names),
            denied_names: subtrees(&limits.denied_names),
            wildcards: limits.wildcards,
            max_days: limits.max_lifetime.map(|most| most.whole_days()),
            allowed_keys: limits.allowed_keys.iter().map(ToString::to_string).collect(),
            required_subject: limits
                .required_subject
                .iter()
                .map(|kind| name_text::keyword(kind).into_owned())
                .collect(),
        }
    }

    /// Its keys in words, those left out that say nothing.
    fn words(&self) -> Vec<(&'static str, String)> {
        let list = |words: &[String]| safe(words.join(", ")).to_string();
        let for_keys = |bits: &[&str], keys: &str| match bits {
            [] => String::new(),
            bits => format!(", and for {keys} {}", bits.join(", ")),
        };
        let kind = match (self.ca, self.path_len) {
            (false, _) => "an end entity, no CA".to_owned(),
            (true, None) => "a CA, with CAs below it as it likes".to_owned(),
            (true, Some(0)) => "a CA, with no CA below it".to_owned(),
            (true, Some(length)) => format!("a CA, with at most {length} CAs in a row below it"),
        };
        let most = self.max_days.map(|most| format!(", {most} at most")).unwrap_or_default();
        let (rsa, ecdsa) = (for_keys(&self.key_usage_rsa, "RSA"), for_keys(&self.key_usage_ecdsa, "ECDSA"));
        let critical = if self.extended_key_usage_critical { " (critical)" } else { "" };
        let required = match self.required_names.as_slice() {
            [] => String::new(),
            forms => format!("; at least one {}", forms.join(" or ")),
        };
        let names = if self.names.is_empty() { "none".to_owned() } else { self.names.join(", ") };
        let when = |holds: bool, words: &str| if holds { words.to_owned() } else { String::new() };
        let fields = [
            ("makes", kind),
            ("new keys", self.key.clone()),
            ("keys taken", list(&self.allowed_keys)),
            ("valid", format!("{} days{most}, from {} before it is made", self.days, span(self.backdate))),
            ("signed with", self.signature.clone().unwrap_or_default()),
            ("keyUsage", format!("{}{rsa}{ecdsa}", self.key_usage.join(", "))),
            (
                "extKeyUsage",
                when(!self.extended_key_usage.is_empty(), &format!("{}{critical}", list(&self.extended_key_usage))),
            ),
            ("names", format!("{names}{required}")),
            ("allowed", list(&self.allowed_names)),
            ("denied", list(&self.denied_names)),
            ("wildcards", when(!self.wildcards, "refused")),
            ("subject", when(!self.required_subject.is_empty(), &format!("needs {}", list(&self.required_subject)))),
            ("permitted", list(&self.permitted)),
            ("excluded", list(&self.excluded)),
            ("policies", list(&self.policies)),
            ("CRL", list(&self.crl)),
            ("OCSP", list(&self.ocsp)),
            ("CA issuers", list(&self.ca_issuers)),
            ("stapling", when(self.must_staple, "promised (RFC 7633)")),
            ("revocation", when(self.ocsp_no_check, "not looked up (RFC 6960 §4.2.2.2.1)")),
        ];
        fields.into_iter().filter(|(_, words)| !words.is_empty()).collect()
    }
}
