//! `certkit connect --scan`: what does a server take, and what of it is weak?

use std::io;
use std::sync::Mutex;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::reach::ReachArgs;
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::problem::Hinted;
use crate::cli::progress;
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::dial::{Endpoint, Stopwatch, Wire};
use crate::key;
use crate::scan::{
    CertificateFound, Features, Finding, Grade, Options, Preference, RULES, Scan, ScanError, Severity, SuiteFound,
    Support, VersionScan, scan,
};
use crate::x509::ServerName;

#[derive(Debug, clap::Args)]
pub(super) struct ScanArgs {
    /// Ask for every version, cipher suite, group, signature and certificate, name what is weak, and grade it
    #[arg(long, conflicts_with_all = NOT_SCANNED, help_heading = "Everything asked for")]
    pub(super) scan: bool,

    /// With --scan, how many connections are open at a time
    #[arg(long, value_name = "COUNT", default_value_t = 4, requires = "scan", help_heading = "Everything asked for", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(super) parallel: u8,

    /// With --scan, how many connections are made at most
    #[arg(long, value_name = "COUNT", default_value_t = 1000, requires = "scan", help_heading = "Everything asked for", value_parser = clap::value_parser!(u16).range(10..))]
    pub(super) max_connections: u16,

    /// Show the rules of --scan, each with its clause and what it does to the grade
    #[arg(long, conflicts_with_all = ["scan", "target"], help_heading = "Everything asked for")]
    pub(super) scan_rules: bool,
}

/// What has no effect on a scan.
const NOT_SCANNED: [&str; 28] = [
    "host",
    "roots",
    "intermediates",
    "at",
    "policy",
    "crl",
    "ocsp",
    "ocsp_responder",
    "check_revocation",
    "fetch_issuers",
    "fetch_revocation",
    "fetch_timeout",
    "save_chain",
    "save_pcap",
    "key_log",
    "html",
    "svg",
    "force",
    "no_sni",
    "alpn",
    "tls",
    "ciphers",
    "groups",
    "cert",
    "http",
    "resume",
    "explain",
    "show_secrets",
];

/// Asks a server for everything. `server_name` is what it is asked by.
pub(super) fn ask(
    args: &ScanArgs,
    reach: &ReachArgs,
    endpoint: Endpoint,
    server_name: &ServerName,
    session: &mut Session,
) -> anyhow::Result<ScanReport> {
    // The first connection finds the address; all others go there.
    let (first, _) = reach.reach(&endpoint)?;
    let peer = first.route.peer;
    let waiting = Mutex::new(Some(first.wire));
    let stopwatch = Stopwatch::new(clock::exactly_now());
    let host = endpoint.host.to_string();
    let open = || -> io::Result<Wire> {
        if let Some(wire) = waiting.lock().ok().and_then(|mut waiting| waiting.take()) {
            return Ok(wire);
        }
        let mut wire = Wire::connect(peer, reach.timeout, stopwatch)?;
        if let Some(protocol) = reach.starttls {
            wire.start_tls(protocol, &host).map_err(io::Error::other)?;
        }
        Ok(wire)
    };
    let mut seed = [0; 32];
    key::random(&mut seed)?;
    let name = match server_name {
        ServerName::Dns(name) => Some(name.as_str().to_owned()),
        ServerName::Ip(_) => None,
    };
    let mut options = Options::new(name, seed);
    options.parallel = args.parallel.into();
    options.connections = args.max_connections.into();
    options.timeout = reach.timeout;
    let bar = progress::bar(session, None, "{pos} connections  {elapsed}");
    let scanned = scan(&open, &options, &|made| bar.set_position(made as u64));
    bar.finish_and_clear();
    let scan = match scanned {
        Ok(scan) => scan,
        Err(ScanError::NotTls(what)) => {
            let hint = match what.contains("an HTTP answer") {
                true => "it is a port for plain HTTP; HTTPS has another, often 443",
                false => "servers of mail, directories and databases go over to TLS when asked: --starttls PROTOCOL",
            };
            let error = anyhow!(ScanError::NotTls(what));
            return Err(error).with_context(|| format!("cannot scan {endpoint}")).hint(hint);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot scan {endpoint}")),
    };
    let starttls = reach.starttls.map(|protocol| protocol.title().to_owned());
    let at = clock::rfc3339(clock::now());
    Ok(ScanReport { schema: SCHEMA, endpoint: endpoint.to_string(), address: peer.to_string(), starttls, at, scan })
}

/// Shows the table of rules.
pub(super) fn rules(session: &mut Session) -> anyhow::Result<Exit> {
    session.answer(&RulesReport::new())?;
    Ok(Exit::Yes)
}

/// The JSON schema of a scan.
pub(super) const SCHEMA: &str = "certkit.scan/1";

/// The whole answer. Field names are the JSON schema `certkit.scan/1`.
#[derive(Debug, Serialize)]
pub(super) struct ScanReport {
    schema: &'static str,
    pub(super) endpoint: String,
    address: String,
    starttls: Option<String>,
    at: String,
    #[serde(flatten)]
    scan: Scan,
}

impl ScanReport {
    /// Whether the scan was finished and nothing is forbidden or attackable.
    pub(super) fn is_acceptable(&self) -> bool {
        self.scan.grade.is_acceptable()
    }

    /// Why the scan was not finished, where it was not.
    pub(super) fn incomplete(&self) -> Option<&str> {
        self.scan.incomplete.as_deref()
    }
}

impl Report for ScanReport {
    fn text(&self, text: &mut Text) {
        let grade = match self.scan.grade {
            Grade::A | Grade::B => good(self.scan.grade).to_string(),
            Grade::C => warn(self.scan.grade).to_string(),
            Grade::F => bad(self.scan.grade).to_string(),
        };
        text.line(format_args!("{}  grade {grade}", strong(&self.endpoint)));
        let starttls = self.starttls.as_ref().map(|protocol| format!(", {protocol} with STARTTLS")).unwrap_or_default();
        let asked = format!("{}{starttls}, {} connections", self.address, self.scan.connections);
        text.line(format_args!("  {}", dim(asked)));
        if let Some(why) = &self.scan.incomplete {
            text.line(format_args!("  {}", warn(format_args!("not finished: {why}"))));
        }
        text.blank();
        for version in &self.scan.versions {
            line_of(version, text);
        }
        for version in self.scan.versions.iter().filter(|version| version.is_supported()) {
            text.blank();
            details(version, text);
        }
        for certificate in &self.scan.certificates {
            text.blank();
            tell(certificate, text);
        }
        text.blank();
        features(&self.scan.features, text);
        text.blank();
        findings(&self.scan.findings, text);
    }
}

fn line_of(version: &VersionScan, text: &mut Text) {
    let name = format!("{:8}", version.version.to_string());
    let why = version.refusal.as_deref().unwrap_or_default();
    let old = version.version.deprecation().is_some();
    let said = match version.supported {
        Support::Yes if old => warn("yes").to_string(),
        Support::Yes => good("yes").to_string(),
        Support::No => format!("no   {}", dim(why)),
        Support::Unknown => warn("unknown").to_string(),
    };
    text.line(format_args!("{} {said}", strong(name)));
}

fn details(version: &VersionScan, text: &mut Text) {
    let order = match version.suite_preference {
        Some(Preference::Server) => "in the server's order",
        Some(Preference::Client) => "the client chooses",
        Some(Preference::Mixed) => "now the server chooses, now the client",
        None => "",
    };
    let part = if version.complete { "" } else { "not all asked for" };
    let said = [order, part].iter().filter(|it| !it.is_empty()).copied().collect::<Vec<_>>().join(", ");
    text.line(format_args!("{}  {}", strong(version.version), dim(said)));
    let width = version.suites.iter().map(|found| found.suite.to_string().len()).max().unwrap_or(0);
    for found in &version.suites {
        suite(found, width, text);
    }
    for cipher in &version.ssl2_ciphers {
        text.line(format_args!("  {}", bad(cipher)));
    }
    let list = |label: &str, items: Vec<String>, text: &mut Text| {
        if !items.is_empty() {
            text.line(format_args!("  {label}  {}", items.join(", ")));
        }
    };
    list("groups", version.groups.iter().map(ToString::to_string).collect(), text);
    list("signatures", version.signature_schemes.iter().map(ToString::to_string).collect(), text);
    for remark in &version.remarks {
        text.line(format_args!("  {}", warn(remark)));
    }
}

fn suite(found: &SuiteFound, width: usize, text: &mut Text) {
    let name = format!("{:width$}", found.suite.to_string());
    let worst = found.weaknesses.first();
    let name = match worst {
        None => name,
        Some(worst) if worst.is_broken() => bad(name).to_string(),
        Some(_) => warn(name).to_string(),
    };
    let exchange = match (found.group, found.exchange_bits) {
        (Some(group), _) => group.to_string(),
        (None, Some(bits)) => match &found.prime {
            Some(prime) => format!("{bits} bits ({prime})"),
            None => format!("{bits} bits"),
        },
        (None, None) => String::new(),
    };
    let weak: Vec<String> = found.weaknesses.iter().map(ToString::to_string).collect();
    text.line(
        format_args!("  {} {name} {:10} {}", dim(&found.code), exchange, dim(weak.join(", "))).to_string().trim_end(),
    );
}

fn tell(certificate: &CertificateFound, text: &mut Text) {
    let versions: Vec<String> = certificate.versions.iter().map(ToString::to_string).collect();
    text.line(format_args!(
        "{}  {}",
        strong(format_args!("certificate {}", certificate.name)),
        dim(versions.join(", "))
    ));
    if let Some(problem) = &certificate.problem {
        text.line(format_args!("  {}", bad(problem)));
        return;
    }
    let chain: Vec<&str> = certificate.chain.iter().map(|one| one.name.as_str()).collect();
    let mut rows = vec![
        ("names", certificate.names.join(", ")),
        ("key", certificate.key.clone().unwrap_or_else(|| "of a kind certkit does not handle".to_owned())),
        ("issuer", certificate.issuer.clone()),
        ("signed", certificate.signature.clone()),
        ("until", certificate.not_after.clone()),
        ("SHA-256", certificate.sha256.clone()),
    ];
    if !chain.is_empty() {
        rows.push(("chain", chain.join(", ")));
    }
    text.fields(rows.into_iter().map(|(label, value)| (label, safe(value).to_string())));
}

fn features(found: &Features, text: &mut Text) {
    text.line(strong("features"));
    let yes_no = |value: Option<bool>| value.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let alpn = found.alpn.as_ref().map(|list| if list.is_empty() { "none".to_owned() } else { list.join(", ") });
    let rows = [
        ("application protocols (ALPN)", alpn),
        ("secure renegotiation", yes_no(found.secure_renegotiation)),
        ("extended_master_secret", yes_no(found.extended_master_secret)),
        ("encrypt_then_mac", yes_no(found.encrypt_then_mac)),
        ("session tickets before TLS 1.3", yes_no(found.session_ticket)),
        ("session identifiers", yes_no(found.session_id)),
        ("OCSP response stapled", yes_no(found.ocsp_stapling)),
        ("certificate timestamps in TLS", yes_no(found.certificate_timestamps)),
        ("certificates compressed", found.certificate_compression.map(|how| how.to_string())),
        ("wants a client's certificate", yes_no(found.client_certificate)),
        ("compression of records", found.compression.clone()),
        ("heartbeat", yes_no(found.heartbeat)),
        ("TLS_FALLBACK_SCSV heeded", yes_no(found.fallback_scsv)),
        ("downgrade told in its random", yes_no(found.downgrade_sentinel)),
        ("HelloRetryRequest", yes_no(found.hello_retry_request)),
        ("key exchange used twice", yes_no(found.reused_key_exchange)),
        ("takes GREASE", yes_no(found.tolerates_grease)),
        ("takes a version to come", yes_no(found.tolerates_future_version)),
        ("takes a hello of 8 kB", yes_no(found.tolerates_long_hello)),
        ("answers without server_name", yes_no(found.answers_without_server_name)),
    ];
    text.fields(rows.into_iter().filter_map(|(label, value)| Some((label, safe(value?).to_string()))));
}

fn findings(all: &[Finding], text: &mut Text) {
    if all.is_empty() {
        text.line(good("nothing is wrong"));
    }
    for finding in all {
        let severity = styled(finding.severity);
        text.line(format_args!("{severity}  {}: {}  {}", strong(finding.rule), finding.words, dim(finding.clause)));
        let few = match finding.found.len() {
            count if count > MOST_NAMED + 1 => MOST_NAMED,
            count => count,
        };
        for one in finding.found.iter().take(few) {
            text.line(format_args!("        {}", safe(one)));
        }
        if few < finding.found.len() {
            text.line(format_args!("        {}", dim(format_args!("and {} more", finding.found.len() - few))));
        }
    }
}

/// So many of the suites at fault are named; above they stand all, each with its weaknesses.
const MOST_NAMED: usize = 4;

fn styled(severity: Severity) -> String {
    let name = format!("{:6}", severity.name());
    match severity {
        Severity::Broken => bad(name).to_string(),
        Severity::Weak => warn(name).to_string(),
        Severity::Dated => name,
        Severity::Note => dim(name).to_string(),
    }
}

/// The table of rules. Field names are the JSON schema `certkit.scan-rules/1`.
#[derive(Serialize)]
struct RulesReport {
    schema: &'static str,
    rules: Vec<RuleRow>,
}

#[derive(Serialize)]
struct RuleRow {
    rule: &'static str,
    severity: Severity,
    grade: Grade,
    clause: &'static str,
    words: &'static str,
}

impl RulesReport {
    fn new() -> Self {
        let row = |rule: &crate::scan::Rule| RuleRow {
            rule: rule.name,
            severity: rule.severity,
            grade: rule.severity.grade(),
            clause: rule.clause,
            words: rule.words,
        };
        Self { schema: "certkit.scan-rules/1", rules: RULES.iter().map(row).collect() }
    }
}

impl Report for RulesReport {
    fn text(&self, text: &mut Text) {
        text.line("A scan begins with grade A; each rule that is broken leaves at best the grade beside it.");
        for RuleRow { rule, severity, grade, clause, words } in &self.rules {
            let severity = styled(*severity);
            text.line(format_args!("{} {severity} {grade}  {words}  {}", strong(format!("{rule:30}")), dim(clause)));
        }
    }
}
