//! A thousand random chains, judged by certkit and by others: every disagreement has its explanation.

mod mutations;

use std::collections::BTreeMap;
use std::io::Write;

use certkit::verify::compat::{Answer, Client, Fact, facts, predict};
use certkit::verify::{Identity, Verifier};
use certkit::x509::Certificate;
use time::OffsetDateTime;

use self::mutations::HOST;
use crate::support::clients::{Desk, Question, Reply, webpki};
use crate::support::forge::NOON;
use crate::support::random::Random;

const SEED: u64 = 0x5eed_0001;
const CHAINS: usize = 1200;
const GNUTLS_CHAINS: usize = 200;

/// What certkit says, with what is needed to explain it.
struct Judged {
    accepted: bool,
    /// Why not, or which certificate does not parse.
    why: String,
    parses: bool,
    /// The rules of certkit's that are broken.
    rules: Vec<&'static str>,
    facts: Vec<Fact>,
    answers: Vec<(Client, Answer, Vec<Fact>)>,
}

fn judge(question: &Question) -> Judged {
    let refused = |why: String| Judged {
        accepted: false,
        why,
        parses: false,
        rules: Vec::new(),
        facts: Vec::new(),
        answers: Vec::new(),
    };
    let read = |what: &str, der: &[u8]| Certificate::from_der(der).map_err(|error| format!("{what}: {error}"));
    let parsed = (|| {
        Ok::<_, String>((
            read("leaf", &question.leaf)?,
            read("intermediate", &question.intermediates[0])?,
            read("root", &question.root)?,
        ))
    })();
    let (leaf, intermediate, root) = match parsed {
        Ok(all) => all,
        Err(why) => return refused(why),
    };
    let mut verifier = Verifier::new(vec![root], OffsetDateTime::from_unix_timestamp(question.at).unwrap());
    verifier.intermediates = vec![intermediate];
    verifier.identities = vec![Identity::Server(HOST.parse().unwrap())];
    let verdict = verifier.judge(&leaf);
    let mut rules: Vec<&str> = verdict.attempts()[0].failures().map(|finding| finding.check.name()).collect();
    rules.dedup();
    let predictions = predict(&verifier, &leaf).into_iter();
    Judged {
        accepted: verdict.is_accepted(),
        why: verdict.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        parses: true,
        rules,
        facts: facts::of(&verifier, &leaf),
        answers: predictions.map(|it| (it.client, it.answer, it.because)).collect(),
    }
}

/// When a disagreement is explained.
enum When {
    /// certkit finds the certificate malformed, in these words.
    Malformed(&'static str),
    /// certkit refuses in these words.
    Says(&'static str),
    /// The client refuses in these words.
    Hears(&'static str),
    /// This is the case on the path.
    Fact(Fact),
}

use Client::{GnuTls, OpenSsl, Pyca, Python313, Rustls};

/// What explains a disagreement beside the rules of `--compat`: clients, condition, and why they differ from certkit.
const EXPLAINED: &[(&[Client], When, &str)] = &[
    (
        &[Rustls, GnuTls],
        When::Malformed("serialNumber: INTEGER with a leading FF octet"),
        "takes the serial number as octets",
    ),
    (&[Rustls], When::Malformed("leaf: malformed certificate: subject: "), "does not look into the subject"),
    (&[Rustls], When::Malformed("intermediate: malformed certificate: subject: "), "compares names as octets"),
    (&[Rustls], When::Malformed("issuer: "), "compares names as octets"),
    (
        &[Rustls],
        When::Malformed("leaf: malformed certificate: subjectPublicKeyInfo: "),
        "leaves the key to the handshake",
    ),
    (&[Rustls], When::Malformed("root: malformed certificate: "), "takes a name and a key from an anchor"),
    (&[Rustls], When::Malformed("extensions: malformed OBJECT IDENTIFIER"), "compares identifiers as octets"),
    (&[GnuTls], When::Fact(Fact::EndsNow), "is asked a moment later"),
    (&[OpenSsl, Python313], When::Malformed("version: negative INTEGER"), "takes any version"),
    (&[GnuTls], When::Says("the version is none that exists"), "takes any version"),
    (
        &[OpenSsl, Python313],
        When::Malformed("tag 0x10 stands where 0x30 is due"),
        "reads a SEQUENCE that is not constructed",
    ),
    (&[GnuTls], When::Hears("Unknown Subject Alternative name"), "reads no anchor that has an empty name"),
    (&[Pyca], When::Malformed("leaf: malformed certificate: subject: "), "reads names as whatever they hold"),
    (&[Pyca], When::Malformed(": an attribute value is a"), "reads names as whatever they hold"),
    (&[Pyca], When::Malformed("a string of X.520 has no universal tag"), "reads names as whatever they hold"),
    (&[OpenSsl, Python313, Pyca], When::Says("it is not an encoded point"), "takes the hybrid form of a point (X9.62)"),
    (&[Rustls], When::Fact(Fact::DuplicateIdentifier), "does not read key identifiers"),
    (&[Rustls], When::Fact(Fact::OddCritical), "takes a name and a key from an anchor"),
    (&[Python313], When::Fact(Fact::PartialWildcard), "is asked through openssl verify, which takes them"),
    (&[OpenSsl, Python313], When::Malformed("BOOLEAN other than 00 and FF"), "reads BER, where all but 00 is TRUE"),
    (&[Rustls, Pyca], When::Fact(Fact::OddKey), "leaves the server's key to the handshake"),
    (
        &[Rustls, Pyca, OpenSsl, Python313, GnuTls],
        When::Fact(Fact::MalformedExtension),
        "does not read this extension, or not as strictly",
    ),
];

#[test]
fn every_disagreement_with_another_verifier_is_explained() {
    let (mut random, seed) = Random::seeded(SEED);
    let hierarchy = mutations::hierarchy();
    let questions: Vec<Question> = (0..CHAINS).map(|_| mutations::chain(&hierarchy, NOON, true, &mut random)).collect();
    let mut run = Run::new(seed, &questions);
    run.compare(Rustls, Some(questions.iter().map(webpki).collect()));
    let desk = Desk::new(questions.clone());
    run.compare(OpenSsl, desk.openssl(false));
    run.compare(Python313, desk.openssl(true));
    run.compare(Pyca, desk.pyca());
    run.finish();
}

/// A process each, and only for the present; so fewer of them, and no changes of octets, which would hit others each time.
#[test]
fn every_disagreement_with_gnutls_is_explained() {
    let (mut random, seed) = Random::seeded(SEED);
    let hierarchy = mutations::hierarchy();
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    let questions: Vec<Question> =
        (0..GNUTLS_CHAINS).map(|_| mutations::chain(&hierarchy, now, false, &mut random)).collect();
    let mut run = Run::new(seed, &questions);
    run.compare(GnuTls, Desk::new(questions.clone()).gnutls());
    run.finish();
}

/// What comes of comparing.
struct Run<'a> {
    seed: u64,
    questions: &'a [Question],
    judged: Vec<Judged>,
    explanations: BTreeMap<(&'static str, String), usize>,
    unexplained: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(seed: u64, questions: &'a [Question]) -> Self {
        let judged = questions.iter().map(judge).collect();
        Self { seed, questions, judged, explanations: BTreeMap::new(), unexplained: Vec::new() }
    }

    fn compare(&mut self, client: Client, replies: Option<Vec<Reply>>) {
        let Some(replies) = replies else { return };
        for (at, reply) in replies.into_iter().enumerate() {
            let (Some(reply), ours) = (reply, &self.judged[at]) else { continue };
            if reply.is_ok() != ours.accepted {
                match explain(client, ours, &reply) {
                    Some(why) => *self.explanations.entry((client.name(), why)).or_default() += 1,
                    None => self.unexplained.push(self.told(client, at, &reply)),
                }
            } else if let Some((_, answer, because)) = ours.answers.iter().find(|(of, ..)| *of == client)
                && *answer != Answer::Unknown
                && (*answer == Answer::Accepts) != reply.is_ok()
            {
                let told = self.told(client, at, &reply);
                self.unexplained.push(format!("predicted: {} {because:?}; {told}", answer.name()));
            }
        }
    }

    fn told(&self, client: Client, at: usize, reply: &Result<(), String>) -> String {
        let (ours, question) = (&self.judged[at], &self.questions[at]);
        let theirs = reply.as_ref().map_or_else(|why| format!("refuses: {why}"), |()| "accepts".to_owned());
        let facts = ours.answers.iter().find(|(of, ..)| *of == client).map(|(_, answer, facts)| (answer, facts));
        let certkit = if ours.accepted { "accepts" } else { &ours.why };
        let (seed, pem) = (self.seed, question.chain() + &question.root());
        format!("seed {seed}, chain {at}, {}: {theirs}; certkit: {certkit}; {facts:?}\n{pem}", client.name())
    }

    fn finish(self) {
        for ((client, why), count) in &self.explanations {
            _ = writeln!(std::io::stdout(), "{count:4} × {client}: {why}");
        }
        assert!(
            self.unexplained.is_empty(),
            "{} unexplained:\n{}",
            self.unexplained.len(),
            self.unexplained.join("\n")
        );
    }
}

/// Why `client` does not say what certkit says.
fn explain(client: Client, ours: &Judged, reply: &Result<(), String>) -> Option<String> {
    let accepts = reply.is_ok();
    let prediction = ours.answers.iter().find(|(of, ..)| *of == client);
    if let Some((_, answer, because)) = prediction
        && *answer == if accepts { Answer::Accepts } else { Answer::Refuses }
        // What nobody is known to object to is certkit's own fault.
        && !ours.facts.is_empty()
    {
        let facts: Vec<&str> = because.iter().map(|fact| fact.words()).collect();
        return Some(if accepts { format!("tolerates {}", ours.rules.join(", ")) } else { facts.join("; ") });
    }
    let fits = |when: &When| match when {
        When::Malformed(words) => !ours.parses && ours.why.contains(words),
        When::Says(words) => !ours.accepted && ours.why.contains(words),
        When::Hears(words) => reply.as_ref().is_err_and(|why| why.contains(words)),
        When::Fact(fact) => ours.facts.contains(fact),
    };
    let row = EXPLAINED.iter().find(|(clients, when, _)| clients.contains(&client) && fits(when));
    row.map(|(.., why)| (*why).to_owned())
}
