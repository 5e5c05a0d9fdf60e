//! What holds of every certificate, tried on random ones: what any built-in profile issues is accepted, and no change of
//! any one bit of it is. `CERTKIT_SEED=n` tries others.

use std::collections::BTreeSet;
use std::ops::Range;

use certkit::issue::{self, Request, issue};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::profile::{NameForm, Profile};
use certkit::verify::{Identity, Policy, Purpose, Verdict, Verifier};
use certkit::x509::name::Attribute;
use certkit::x509::{Certificate, DistinguishedName, GeneralName, SerialNumber, ServerName, Validity, oids};
use time::{Duration, OffsetDateTime};

use crate::support::forge::NOON;
use crate::support::random::Random;

const SEED: u64 = 0x5eed_0002;
/// Certificates of each profile.
const EACH: usize = 24;
/// Bits changed in each of them; of one certificate all are.
const BITS: usize = 24;

const KINDS: [KeyAlgorithm; 8] = [
    KeyAlgorithm::P256,
    KeyAlgorithm::P384,
    KeyAlgorithm::P521,
    KeyAlgorithm::Rsa(2048),
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::MlDsa44,
    KeyAlgorithm::MlDsa65,
    KeyAlgorithm::MlDsa87,
];

/// A certificate, those above it, and what it was made for.
struct Issued {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    root: Certificate,
    identities: Vec<Identity>,
    purposes: Vec<Purpose>,
}

impl Issued {
    fn judge(&self, at: OffsetDateTime, policy: Policy, purpose: Purpose) -> Verdict {
        self.judge_in_its_place(&self.leaf, &self.intermediates, at, policy, purpose)
    }

    fn judge_in_its_place(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        at: OffsetDateTime,
        policy: Policy,
        purpose: Purpose,
    ) -> Verdict {
        let mut verifier = Verifier::new(vec![self.root.clone()], at);
        verifier.intermediates = intermediates.to_vec();
        verifier.identities = self.identities.clone();
        verifier.policy = policy;
        verifier.purpose = purpose;
        verifier.judge(leaf)
    }

    /// When the whole path is valid.
    fn validity(&self) -> Validity {
        let all = || self.intermediates.iter().chain([&self.leaf, &self.root]).map(|it| *it.validity());
        Validity {
            not_before: all().map(|it| it.not_before).max().unwrap(),
            not_after: all().map(|it| it.not_after).min().unwrap(),
        }
    }
}

#[test]
fn what_any_profile_issues_is_accepted_for_what_it_is_for_as_long_as_it_holds() {
    let (mut random, seed) = Random::seeded(SEED);
    let keys = keys();
    for name in templates() {
        for number in 0..EACH {
            let issued = issued(&name, &keys, &mut random);
            let Validity { not_before, not_after } = issued.validity();
            let span = (not_after - not_before).whole_seconds() as usize;
            let within = not_before + Duration::seconds(random.below(span + 1) as i64);
            for &purpose in &issued.purposes {
                for policy in [Policy::Tls, Policy::Rfc5280] {
                    for at in [not_before, within, not_after] {
                        let verdict = issued.judge(at, policy, purpose);
                        let why = verdict.reasons();
                        assert!(verdict.is_accepted(), "seed {seed}, {name} {number}, {policy}, {purpose}: {why:?}");
                    }
                    for at in [not_before - Duration::SECOND, not_after + Duration::SECOND] {
                        assert!(!issued.judge(at, policy, purpose).is_accepted(), "seed {seed}, {name} {number}, {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn no_change_of_a_bit_leaves_a_certificate_accepted() {
    let (mut random, seed) = Random::seeded(SEED);
    let keys = keys();
    for name in templates() {
        for _ in 0..EACH {
            let issued = issued(&name, &keys, &mut random);
            let bits = issued.leaf.der().len() * 8;
            let chosen: Vec<usize> = (0..BITS).map(|_| random.below(bits)).collect();
            withstands(&issued, chosen.into_iter(), &format!("seed {seed}, {name}"));
        }
    }
    let one = issued("server", &keys[..1], &mut random);
    let all: Range<usize> = 0..one.leaf.der().len() * 8;
    withstands(&one, all, &format!("seed {seed}, server"));
}

/// None of these bits can be changed: in the certificate, and in the one above it.
fn withstands(issued: &Issued, bits: impl Iterator<Item = usize>, told: &str) {
    let (at, purpose) = (issued.validity().not_before, issued.purposes[0]);
    let judge = |leaf: &Certificate, above: &[Certificate]| {
        issued.judge_in_its_place(leaf, above, at, Policy::Tls, purpose).is_accepted()
    };
    assert!(judge(&issued.leaf, &issued.intermediates), "{told}");
    for bit in bits {
        if let Some(changed) = flipped(&issued.leaf, bit) {
            assert!(!judge(&changed, &issued.intermediates), "{told}: bit {bit} of\n{:?}", issued.leaf);
        }
        if let Some(above) = issued.intermediates.first()
            && let Some(changed) = flipped(above, bit % (above.der().len() * 8))
        {
            assert!(!judge(&issued.leaf, &[changed]), "{told}: bit {bit} of the intermediate\n{above:?}");
        }
    }
}

/// The certificate with this bit changed; `None` where it does not parse any more, which is a rejection too.
fn flipped(certificate: &Certificate, bit: usize) -> Option<Certificate> {
    let mut der = certificate.der().to_vec();
    der[bit / 8] ^= 1 << (bit % 8);
    Certificate::from_der(&der).ok()
}

/// The names of all profiles, which are those of the files in `templates`.
fn templates() -> BTreeSet<String> {
    let files = std::fs::read_dir("templates").unwrap().map(|entry| entry.unwrap().path());
    let names: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, Profile::names().into_iter().map(str::to_owned).collect());
    names
}

/// A few keys of each kind: to make them takes longer than all else.
fn keys() -> Vec<PrivateKey> {
    KINDS.into_iter().map(|kind| PrivateKey::generate(kind).unwrap()).collect()
}

/// A random certificate of this profile, under a random hierarchy where it is not its own issuer.
fn issued(name: &str, keys: &[PrivateKey], random: &mut Random) -> Issued {
    let profile = Profile::built_in(name).unwrap();
    let names: Vec<GeneralName> = match profile.is_ca() || (profile.required_names.is_empty() && random.one_in(3)) {
        true => vec![],
        false => (0..=random.below(3)).map(|at| general_name(&profile, at, random)).collect(),
    };
    let key = random.pick(keys);
    let alone = ["root-ca", "self-signed"].contains(&name);
    let subject = subject(alone || profile.is_ca() || names.is_empty(), random);
    let request = Request { subject, names: names.clone(), public_key: key.public_key().clone(), key_identifier: None };
    let identities = names.iter().filter_map(identity).collect();
    let purposes = purposes(name);
    if alone {
        let validity = lifetime(&profile, random);
        let leaf = issue(&profile, &request, &issue::Issuer::SelfSigned(key), &serial(random), validity).unwrap();
        return Issued { root: leaf.clone(), leaf, intermediates: vec![], identities, purposes };
    }

    let root_key = random.pick(keys);
    let root = authority("root-ca", "Root", root_key, &issue::Issuer::SelfSigned(root_key), random);
    let root_issuer = issue::Issuer::Authority { certificate: &root, key: root_key };
    // An intermediate may issue to servers and clients, and to no further CA.
    let below_root = profile.is_ca() || random.one_in(3);
    let middle_key = random.pick(keys);
    let middle = authority("intermediate-ca", "Intermediate", middle_key, &root_issuer, random);
    let issuer = match below_root {
        true => root_issuer,
        false => issue::Issuer::Authority { certificate: &middle, key: middle_key },
    };
    let (validity, _) = issue::clamp(lifetime(&profile, random), if below_root { &root } else { &middle });
    let leaf = issue(&profile, &request, &issuer, &serial(random), validity).unwrap();
    let intermediates = if below_root { vec![] } else { vec![middle.clone()] };
    Issued { leaf, intermediates, root: root.clone(), identities, purposes }
}

fn authority(
    profile: &str,
    name: &str,
    key: &PrivateKey,
    issuer: &issue::Issuer<'_>,
    random: &mut Random,
) -> Certificate {
    let profile = Profile::built_in(profile).unwrap();
    let mut levels = subject(true, random).levels();
    // No two authorities of one path share a name.
    levels.push(vec![Attribute::new(oids::ORGANIZATIONAL_UNIT, name)]);
    let subject = DistinguishedName::new(&levels);
    let request = Request { subject, names: vec![], public_key: key.public_key().clone(), key_identifier: None };
    let validity = profile.validity(NOON, None).unwrap();
    issue(&profile, &request, issuer, &serial(random), validity).unwrap()
}

fn purposes(profile: &str) -> Vec<Purpose> {
    match profile {
        "server" | "self-signed" => vec![Purpose::Server],
        "client" => vec![Purpose::Client],
        "peer" => vec![Purpose::Server, Purpose::Client],
        "email" => vec![Purpose::Email],
        "code-signing" => vec![Purpose::CodeSigning],
        "ocsp-responder" => vec![Purpose::Ocsp],
        "root-ca" | "intermediate-ca" => vec![Purpose::Any],
        other => panic!("{other}: say what certificates of this profile are for"),
    }
}

/// From an hour to twice the profile's own lifetime.
fn lifetime(profile: &Profile, random: &mut Random) -> Validity {
    let hours = usize::try_from(profile.lifetime.whole_hours()).unwrap();
    let lifetime = Duration::hours(random.below(2 * hours) as i64 + 1);
    profile.validity(NOON + Duration::seconds(random.below(100_000) as i64), Some(lifetime)).unwrap()
}

fn serial(random: &mut Random) -> SerialNumber {
    let bits = (u128::from(random.next()) << 64) | u128::from(random.next());
    SerialNumber::from_bits(bits.to_be_bytes())
}

fn subject(needed: bool, random: &mut Random) -> DistinguishedName {
    let kinds = [oids::COMMON_NAME, oids::ORGANIZATION, oids::ORGANIZATIONAL_UNIT, oids::LOCALITY];
    let count = random.below(4) + usize::from(needed);
    let mut levels: Vec<Vec<Attribute>> =
        (0..count).map(|_| vec![Attribute::new(random.pick(&kinds).clone(), &text(random))]).collect();
    if count > 0 && random.one_in(3) {
        levels.insert(0, vec![Attribute::new(oids::COUNTRY, random.pick::<&str>(&["NO", "DE", "JP"]))]);
    }
    DistinguishedName::new(&levels)
}

/// Letters of several scripts, and what has a meaning in the text form of names.
fn text(random: &mut Random) -> String {
    const LETTERS: [char; 24] = [
        'a', 'Z', '0', ' ', '.', '-', ',', '+', '=', '"', '\\', '<', '#', ';', '/', '*', '@', '_', 'é', 'ß', 'Ж', '語',
        '😀', '\u{301}',
    ];
    let middle: String = (0..random.below(30)).map(|_| *random.pick(&LETTERS)).collect();
    format!("x{middle}y")
}

/// A name of a form that the profile takes; the first of a form that it asks for.
fn general_name(profile: &Profile, at: usize, random: &mut Random) -> GeneralName {
    let forms = if at == 0 && !profile.required_names.is_empty() { &profile.required_names } else { &profile.names };
    match random.pick(forms) {
        NameForm::Dns if random.one_in(4) => GeneralName::Dns(format!("*.{}", host(random))),
        NameForm::Dns => GeneralName::Dns(host(random)),
        NameForm::Ip => {
            let octets: Vec<u8> = (0..*random.pick(&[4, 16])).map(|_| random.below(256) as u8).collect();
            GeneralName::Ip(octets)
        }
        NameForm::Email => GeneralName::Email(format!("{}@{}", label(random), host(random))),
        NameForm::Uri => GeneralName::Uri(format!("https://{}/{}", host(random), label(random))),
    }
}

fn host(random: &mut Random) -> String {
    let labels: Vec<String> = (0..=random.below(4)).map(|_| label(random)).collect();
    format!("{}.example.test", labels.join("."))
}

fn label(random: &mut Random) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";
    let middle: String = (0..random.below(20)).map(|_| char::from(*random.pick(LETTERS))).collect();
    format!("n{}", middle.replace("--", "-").trim_end_matches('-'))
}

/// How somebody asks for the certificate by this name.
fn identity(name: &GeneralName) -> Option<Identity> {
    Some(match name {
        GeneralName::Dns(pattern) => Identity::Server(pattern.replacen('*', "any", 1).parse().unwrap()),
        GeneralName::Ip(_) => Identity::Server(ServerName::Ip(name.ip().unwrap())),
        GeneralName::Email(address) => Identity::Email(address.clone()),
        GeneralName::Uri(uri) => Identity::Uri(uri.clone()),
        _ => return None,
    })
}
