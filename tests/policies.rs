//! Certificate policies, after sections 4.8 to 4.12 of NIST's Public Key Interoperability Test Suite (PKITS): the same
//! behaviours on chains made here.

use std::collections::BTreeSet;

use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::verify::policies::{PolicyLoss, PolicyLossKind};
use certkit::verify::{Check, PolicyRequirements, Reason};
use certkit::x509::extension::{CertificatePolicies, PolicyInformation, PolicyQualifier};
use certkit::x509::oids as x509_oids;

use crate::support::chain::text;
use crate::support::forge::{Forge, Hierarchy};
use crate::support::policy_chain::{PolicyChain, policy, requirements};
use crate::support::{Sandbox, peer};

/// A chain, what is asked of it, and whether it is valid, with both policy sets.
struct Row {
    pkits: &'static str,
    chain: &'static str,
    asked: &'static str,
    authority: &'static str,
    user: &'static str,
    valid: bool,
}

const fn good(pkits: &'static str, chain: &'static str, asked: &'static str, sets: [&'static str; 2]) -> Row {
    Row { pkits, chain, asked, authority: sets[0], user: sets[1], valid: true }
}

/// The sets of a chain that fails are not looked at.
const fn bad(pkits: &'static str, chain: &'static str, asked: &'static str) -> Row {
    Row { pkits, chain, asked, authority: "", user: "", valid: false }
}

const ROWS: &[Row] = &[
    // 4.8, certificate policies: the same everywhere, none, different ones, overlapping ones, anyPolicy.
    good("4.8.1", "1 | 1", "explicit", ["1", "1"]),
    good("4.8.1", "1 | 1", "explicit want=1", ["1", "1"]),
    bad("4.8.1", "1 | 1", "explicit want=2"),
    good("4.8.1", "1 | 1", "explicit want=1 want=2", ["1", "1"]),
    good("4.8.2", "- | -", "", ["", ""]),
    bad("4.8.2", "- | -", "explicit"),
    good("4.8.3", "1 | 2 | 1", "", ["", ""]),
    bad("4.8.3", "1 | 2 | 1", "explicit"),
    bad("4.8.3", "1 | 2 | 1", "explicit want=1 want=2"),
    bad("4.8.4", "1 | 1 explicit=0 | 2", ""),
    bad("4.8.5", "1 | 2 explicit=0 | 1", ""),
    good("4.8.6", "1 2 3 4 explicit=0 | 1 2 3 | 1 2 | 1", "", ["1", "1"]),
    good("4.8.6", "1 2 3 4 explicit=0 | 1 2 3 | 1 2 | 1", "want=1", ["1", "1"]),
    bad("4.8.6", "1 2 3 4 explicit=0 | 1 2 3 | 1 2 | 1", "want=2"),
    bad("4.8.7", "1 2 3 explicit=0 | 1 2 | 1 | 2", ""),
    bad("4.8.8", "1 2 explicit=0 | 1 | 2 | 1", ""),
    bad("4.8.9", "1 2 3 explicit=0 | 1 2 | 2 | 1 | 1", ""),
    good("4.8.10", "1 2 explicit=0 | 1 2", "", ["1 2", "1 2"]),
    good("4.8.10", "1 2 explicit=0 | 1 2", "want=1", ["1 2", "1"]),
    good("4.8.10", "1 2 explicit=0 | 1 2", "want=2", ["1 2", "2"]),
    good("4.8.11", "any | any", "explicit", ["any", "any"]),
    good("4.8.11", "any | any", "explicit want=1", ["any", "1"]),
    bad("4.8.12", "3 explicit=0 | 4", ""),
    good("4.8.13", "1 2 3 explicit=0 | 1 2 3", "want=1", ["1 2 3", "1"]),
    good("4.8.13", "1 2 3 explicit=0 | 1 2 3", "want=3", ["1 2 3", "3"]),
    good("4.8.14", "any explicit=0 | 1", "want=1", ["1", "1"]),
    bad("4.8.14", "any explicit=0 | 1", "want=2"),
    good("4.8.16", "1 | 1 any", "explicit", ["1", "1"]),
    good("any below named", "1 2 | any | 2", "explicit", ["2", "2"]),
    good("any above and below", "any | any | 3 | 3", "explicit want=3", ["3", "3"]),
    good("anyPolicy is wanted", "1 | 1", "explicit want=any", ["1", "1"]),
    bad("anyPolicy is wanted, none holds", "1 | 2", "explicit want=any"),
    good("sets without a demand", "1 2 | 1", "want=2", ["1", ""]),
    // 4.9, requireExplicitPolicy: counted down by every certificate that is not self-issued.
    good("4.9.1", "1 explicit=10 | 1 | 1 | 1 | -", "", ["", ""]),
    good("4.9.2", "1 explicit=5 | 1 | 1 | 1 | -", "", ["", ""]),
    bad("4.9.3", "1 explicit=4 | 1 | 1 | 1 | -", ""),
    good("4.9.4", "1 explicit=0 | 1 | 1 | 1 | 1", "", ["1", "1"]),
    bad("4.9.5", "1 explicit=7 | 1 explicit=2 | 1 explicit=4 | 1 | -", ""),
    good("4.9.6", "1 explicit=2 | self 1 | -", "", ["", ""]),
    bad("4.9.7", "1 explicit=2 | self 1 | 1 | -", ""),
    bad("4.9.8", "1 explicit=2 | self 1 | 1 | self 1 | -", ""),
    bad("an intermediate lacks policies", "1 explicit=0 | - | 1", ""),
    bad("the last certificate demands", "- | 1 explicit=0", ""),
    good("the last certificate demands later", "- | 1 explicit=1", "", ["", ""]),
    good("the last certificate demands and has", "1 | 1 explicit=0", "", ["1", "1"]),
    good("the demand cannot be loosened", "1 explicit=0 | 1 explicit=9 | 1", "", ["1", "1"]),
    bad("the demand cannot be loosened", "1 explicit=0 | 1 explicit=9 | 2", ""),
    // 4.10, policyMappings: the issuer's names count for the user.
    good("4.10.1", "1 1>2 explicit=0 | 2", "", ["1", "1"]),
    good("4.10.1", "1 1>2 explicit=0 | 2", "want=1", ["1", "1"]),
    bad("4.10.1", "1 1>2 explicit=0 | 2", "want=2"),
    bad("4.10.1", "1 1>2 explicit=0 | 2", "nomap"),
    bad("4.10.2", "1 1>2 explicit=0 | 1", ""),
    bad("4.10.2", "1 1>2 explicit=0 | 1", "nomap"),
    bad("4.10.3", "1 2 1>3 explicit=0 | 2 2>4 | 4 4>5 | 5", "want=1"),
    good("4.10.3", "1 2 1>3 explicit=0 | 2 2>4 | 4 4>5 | 5", "want=2", ["2", "2"]),
    bad("4.10.4", "1 2 1>3 explicit=0 | 2 2>4 | 4 4>5 | 4", ""),
    good("4.10.5", "1 1>2 1>3 1>4 explicit=0 | 2 2>5 | 5", "want=1", ["1", "1"]),
    bad("4.10.5", "1 1>2 1>3 1>4 explicit=0 | 2 2>5 | 5", "want=6"),
    good("4.10.6", "1 1>2 1>3 1>4 explicit=0 | 2 3 4 2>5 | 3", "want=1", ["1", "1"]),
    bad("4.10.7", "any any>1 explicit=0 | 1", ""),
    bad("4.10.8", "1 1>any explicit=0 | 1", ""),
    bad("4.10.8, no policy demanded", "1 1>any | 1", ""),
    bad("4.10.7, no policy left", "- any>1 | 1", ""),
    good("4.10.9", "any 1>2 explicit=0 | 1", "", ["1", "1"]),
    bad("4.10.10", "1 | any 1>2 explicit=0 | 1", ""),
    good("4.10.11", "1 | any 1>2 explicit=0 | 2", "", ["1", "1"]),
    good("4.10.12", "1 2 1>3 explicit=0 | 3 any", "want=1", ["1 2", "1"]),
    good("4.10.12", "1 2 1>3 explicit=0 | 3 any", "want=2", ["1 2", "2"]),
    good("4.10.13", "1 any 1>2 explicit=0 | 2", "want=1", ["1", "1"]),
    good("4.10.14", "1 any 1>2 explicit=0 | 1", "want=1", ["1", "1"]),
    good("two become one", "1 2 1>3 2>3 explicit=0 | 3", "", ["1 2", "1 2"]),
    good("one mapped under anyPolicy", "any 1>2 explicit=0 | 2", "", ["1", "1"]),
    good("a mapping of a policy that does not hold", "1 3>4 explicit=0 | 1", "", ["1", "1"]),
    good("a mapping to itself", "1 1>1 1>2 explicit=0 | 1", "", ["1", "1"]),
    // 4.11, inhibitPolicyMapping: a policy that is mapped all the same no longer holds.
    bad("4.11.1", "1 nomap=0 explicit=0 | 1 2 1>2 | 2", ""),
    bad("4.11.1, by its own name", "1 nomap=0 explicit=0 | 1 1>2 | 1", ""),
    good("4.11.2", "1 2 nomap=1 explicit=0 | 1 2 1>3 2>4 | 3", "", ["1", "1"]),
    bad("4.11.3", "1 2 nomap=1 explicit=0 | 1 2 1>3 2>4 | 3 4 3>5 | 5", ""),
    good("4.11.4", "1 2 nomap=1 explicit=0 | 1 2 1>3 2>4 | 3 4 3>5 | 4", "", ["2", "2"]),
    bad("4.11.5", "1 nomap=5 explicit=0 | 1 nomap=1 | 1 | 1 1>2 | 2", ""),
    bad("4.11.6", "1 2 nomap=1 explicit=0 | 1 2 nomap=5 | 1 1>3 | 3", ""),
    good("4.11.7", "1 nomap=1 explicit=0 | self 1 | 1 1>2 | 2", "", ["1", "1"]),
    bad("4.11.8", "1 nomap=1 explicit=0 | self 1 | 1 1>2 | 2 2>3 | 3", ""),
    bad("4.11.9", "1 nomap=1 explicit=0 | self 1 | 1 1>2 | self 2 | 2 2>3 | 3", ""),
    bad("4.11.10", "1 nomap=1 explicit=0 | self 1 | 1 | self 1 1>2 | 2", ""),
    good("a CA's own mapping comes first", "1 1>2 nomap=0 explicit=0 | 2", "", ["1", "1"]),
    // 4.12, inhibitAnyPolicy: anyPolicy counts no longer, but in self-issued certificates inside the path.
    bad("4.12.1", "1 noany=0 explicit=0 | any", ""),
    good("4.12.2", "1 noany=0 explicit=0 | 1 any", "", ["1", "1"]),
    good("4.12.3", "1 noany=1 explicit=0 | any | 1", "", ["1", "1"]),
    bad("4.12.3", "1 noany=1 explicit=0 | any | 1", "noany"),
    bad("4.12.4", "1 noany=1 explicit=0 | any | any", ""),
    bad("4.12.5", "1 noany=5 explicit=0 | 1 noany=1 | any | any", ""),
    bad("4.12.6", "1 noany=1 explicit=0 | 1 noany=5 | any", ""),
    good("4.12.7", "1 noany=1 explicit=0 | self 1 | any | 1", "", ["1", "1"]),
    bad("4.12.8", "1 noany=1 explicit=0 | self 1 | any | any | 1", ""),
    good("4.12.9", "1 noany=1 explicit=0 | self 1 | any | self any | 1", "", ["1", "1"]),
    bad("4.12.10", "1 noany=1 explicit=0 | self 1 | any | any", ""),
    good("anyPolicy inhibited and not needed", "any | any", "noany", ["", ""]),
    bad("anyPolicy inhibited at the top", "any | 1", "explicit noany"),
];

#[test]
fn policies_are_processed_as_pkits_expects() {
    for row in ROWS {
        let Row { pkits, chain, asked, authority, user, valid } = row;
        let told = format!("{pkits}: `{chain}` asked `{asked}`");
        let made = PolicyChain::new(chain);
        let verifier = made.verifier(requirements(asked));
        let verdict = verifier.judge(&made.leaf);
        assert_eq!(verdict.is_accepted(), *valid, "{told}: {:?}", verdict.reasons());
        let attempt = &verdict.attempts()[0];
        if *valid {
            let sets = attempt.policies(&verifier).unwrap();
            assert_eq!(sets.authority, oids(authority), "{told}: authority");
            assert_eq!(sets.user, oids(user), "{told}: user");
        } else {
            let failed: Vec<Check> = attempt.failures().map(|finding| finding.check).collect();
            assert_eq!(failed, [Check::Policies], "{told}");
        }
    }
}

#[test]
fn openssl_judges_policies_alike() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let mut differing = Vec::new();
    for row in ROWS {
        let made = PolicyChain::new(row.chain);
        sandbox.write("root.pem", text(&[made.root]));
        sandbox.write("chain.pem", text(&made.intermediates));
        sandbox.write("leaf.pem", text(&[made.leaf]));
        let said = sandbox.program(&openssl.path).args(openssl_arguments(&requirements(row.asked))).run();
        let accepted = said.code == Some(0);
        let sets = [printed(&said.stderr, "Authority Policies:"), printed(&said.stderr, "User Policies:")];
        let alike = accepted == row.valid && (!row.valid || sets == [oids(row.authority), oids(row.user)]);
        let known = OPENSSL_DIFFERS.iter().find(|(pkits, ..)| *pkits == row.pkits);
        match (alike, known) {
            (true, None) | (false, Some(_)) => {}
            (true, Some((_, why))) => differing.push(format!("{}: no longer differs: {why}", row.pkits)),
            (false, None) => differing.push(format!("{}: `{}` asked `{}`: {said}", row.pkits, row.chain, row.asked)),
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn openssl_judges_chains_drawn_by_lot_alike() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let (mut lot, mut accepted) = (Lot(20_261_123), 0);
    for _ in 0..DRAWN {
        let authorities: Vec<String> = (0..1 + lot.draw(4)).map(|_| link(&mut lot, true)).collect();
        let chain = format!("{} | {}", authorities.join(" | "), link(&mut lot, false));
        let asked =
            ["", "explicit", "explicit want=1", "want=2 want=3", "explicit nomap", "explicit noany"][lot.draw(6)];
        let made = PolicyChain::new(&chain);
        sandbox.write("root.pem", text(std::slice::from_ref(&made.root)));
        sandbox.write("chain.pem", text(&made.intermediates));
        sandbox.write("leaf.pem", text(std::slice::from_ref(&made.leaf)));
        let said = sandbox.program(&openssl.path).args(openssl_arguments(&requirements(asked))).run();
        let verdict = made.judge(requirements(asked));
        let reasons = verdict.reasons();
        assert_eq!(verdict.is_accepted(), said.code == Some(0), "`{chain}` asked `{asked}`: {reasons:?}\n{said}");
        accepted += usize::from(verdict.is_accepted());
    }
    assert!((DRAWN / 5..DRAWN * 4 / 5).contains(&accepted), "{accepted} of {DRAWN} are accepted, which proves little");
}

const DRAWN: usize = 250;

/// A link of a chain with policies from 1 to 3, and constraints that seldom bite at once.
fn link(lot: &mut Lot, authority: bool) -> String {
    let mut words = vec!["-".to_owned()];
    words.extend((1..=3).filter(|_| lot.draw(3) > 0).map(|number| number.to_string()));
    words.extend((lot.draw(4) == 0).then(|| "any".to_owned()));
    if authority {
        words.extend((lot.draw(5) == 0).then(|| "self".to_owned()));
        let mappings = if lot.draw(3) == 0 && words.iter().any(|word| !["-", "self"].contains(&word.as_str())) {
            1 + lot.draw(2)
        } else {
            0
        };
        words.extend((0..mappings).map(|_| format!("{}>{}", 1 + lot.draw(3), 1 + lot.draw(3))));
        let skips = ["explicit", "nomap", "noany"].into_iter().filter(|_| lot.draw(4) == 0).collect::<Vec<_>>();
        words.extend(skips.into_iter().map(|name| format!("{name}={}", lot.draw(3))));
    }
    words.join(" ")
}

/// Numbers that look drawn and are the same in every run (Knuth's MMIX generator).
struct Lot(u64);

impl Lot {
    fn draw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// Rows that OpenSSL 3 judges otherwise, and why.
const OPENSSL_DIFFERS: &[(&str, &str)] = &[(
    "4.10.7, no policy left",
    "policyMappings are not looked at in a certificate without certificatePolicies; RFC 5280 §6.1.4 (a) has no such exception",
)];

fn openssl_arguments(asked: &PolicyRequirements) -> Vec<String> {
    let fixed = "verify -attime 1795435200 -CAfile root.pem -untrusted chain.pem -policy_check -policy_print";
    let mut args: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
    // Without any -policy OpenSSL starts from the empty user-initial-policy-set, not from anyPolicy.
    let any = [policy("any")];
    for wanted in if asked.wanted.is_empty() { &any[..] } else { &asked.wanted } {
        args.extend(["-policy".to_owned(), wanted.to_string()]);
    }
    let flags = [
        (asked.explicit, "-explicit_policy"),
        (asked.inhibit_mapping, "-inhibit_map"),
        (asked.inhibit_any, "-inhibit_any"),
    ];
    args.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
    args.push("leaf.pem".to_owned());
    args
}

/// The policies that `-policy_print` lists under this heading.
fn printed(text: &str, heading: &str) -> Vec<Oid> {
    let lines = text.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let listed = lines.take_while(|line| line.starts_with(' ')).filter_map(|line| line.trim().strip_prefix("Policy: "));
    let found: BTreeSet<Oid> =
        listed.map(|name| if name == "X509v3 Any Policy" { policy("any") } else { name.parse().unwrap() }).collect();
    found.into_iter().collect()
}

#[test]
fn a_policy_in_the_root_counts_for_nothing() {
    let chain = PolicyChain::below("1 noany=0 explicit=0 nomap=0", "any | 2");
    assert!(chain.judge(PolicyRequirements::default()).is_accepted());
    assert!(chain.judge(requirements("explicit want=2")).is_accepted());
    assert!(!chain.judge(requirements("explicit want=1")).is_accepted());
}

#[test]
fn a_judged_certificate_that_is_trusted_itself_must_have_the_policy_too() {
    let mut chain = PolicyChain::new("1 | 1");
    chain.root = chain.leaf.clone();
    assert!(chain.judge(requirements("explicit want=1")).is_accepted());
    assert!(!chain.judge(requirements("explicit want=2")).is_accepted());
}

#[test]
fn the_reason_tells_where_the_policy_was_lost() {
    for (line, asked, at, how, demanded_by) in [
        ("1 explicit=0 | - | 1", "", 1, PolicyLossKind::Absent, Some(2)),
        ("1 | 2 | 1", "explicit", 1, PolicyLossKind::NotExpected { found: oids("2"), expected: oids("1") }, None),
        ("1 nomap=0 | 1 1>2 explicit=0 | 2", "", 1, PolicyLossKind::MappingInhibited, Some(1)),
    ] {
        let verdict = PolicyChain::new(line).judge(requirements(asked));
        let loss = Some(PolicyLoss { at, how });
        let reason = Reason::NoPolicy { wanted: vec![], valid: vec![], demanded_by, loss };
        assert_eq!(verdict.reasons(), [&reason], "{line}");
    }
    let verdict = PolicyChain::new("1 1>any | 1").judge(requirements(""));
    let reason = Reason::AnyPolicyMapped { issuer_policy: policy("1"), subject_policy: policy("any") };
    assert_eq!(verdict.reasons(), [&reason]);
    let verdict = PolicyChain::new("1 | 1").judge(requirements("explicit want=2"));
    let reason = Reason::NoPolicy { wanted: oids("2"), valid: oids("1"), demanded_by: None, loss: None };
    assert_eq!(verdict.reasons(), [&reason]);
}

#[test]
fn a_policy_bomb_ends_at_once() {
    let policies: Vec<String> = (1..=1001).map(|number| number.to_string()).collect();
    let verdict = PolicyChain::new(&format!("{0} | {0}", policies.join(" "))).judge(requirements("explicit"));
    assert!(matches!(verdict.reasons()[..], [Reason::GaveUp { limit: 1000, .. }]), "{:?}", verdict.reasons());
}

fn oids(words: &str) -> Vec<Oid> {
    let sorted: BTreeSet<_> = words.split_whitespace().map(policy).collect();
    sorted.into_iter().collect()
}

#[test]
fn the_command_asks_for_policies_and_tells_them() {
    let sandbox = Sandbox::new();
    let chain = PolicyChain::new("1 2 1>3 | 3");
    sandbox.write("root.pem", text(&[chain.root]));
    sandbox.write("chain.pem", text(&[chain.leaf, chain.intermediates[0].clone()]));
    let verify = |args: &[&str]| {
        let fixed = ["verify", "chain.pem", "--at", "@1795435200", "--roots", "root.pem", "--no-host"];
        sandbox.certkit(&[&fixed[..], args].concat())
    };
    let (first, second) = (policy("1").to_string(), policy("2").to_string());

    verify(&[]).expect_code(0).says(&format!("certificate policies: {first}"));
    verify(&["--require-policy", &second, "--require-policy", &first]).expect_code(0).says("yes policies");
    let refused =
        verify(&["--require-policy", &second]).expect_code(1).says("[RFC 5280 §6.1.3 (f), §6.1.5 (g); RFC 9618]");
    refused.says(&format!("the path is valid for {first} and not for {second}"));
    verify(&["--require-explicit-policy"]).expect_code(0);
    verify(&["--require-explicit-policy", "--inhibit-policy-mapping"]).expect_code(1).says("certificate 0 has");
    verify(&["--require-policy", "web"]).expect_code(2);

    let said = verify(&["--require-policy", &first, "--json"]).expect_code(0).json();
    let policies = &said["paths"][0]["policies"];
    assert_eq!(
        *policies,
        serde_json::json!({ "authority": [first], "user": [first], "explicit": true, "qualifiers": [] })
    );
}

#[test]
fn qualifiers_of_policies_that_hold_are_told_and_of_no_others() {
    let hierarchy = Hierarchy::new();
    let qualified = |number: &str, host: &str| PolicyInformation {
        policy: policy(number),
        qualifiers: vec![
            PolicyQualifier { kind: x509_oids::QUALIFIER_CPS, value: der::tlv(tag::IA5_STRING, host.as_bytes()) },
            PolicyQualifier {
                kind: x509_oids::QUALIFIER_USER_NOTICE,
                value: der::sequence(&[&der::tlv(tag::UTF8_STRING, format!("read {host}").as_bytes())]),
            },
        ],
    };
    let issuer = &hierarchy.intermediate;
    let mut intermediate = Forge::intermediate("Test Intermediate", &issuer.key, &hierarchy.root);
    let bare = PolicyInformation { policy: policy("1"), qualifiers: Vec::new() };
    intermediate.set(&CertificatePolicies(vec![bare]), false);
    let mut leaf = hierarchy.server("www.example.com");
    let own = vec![qualified("1", "http://one.test"), qualified("2", "http://two.test")];
    leaf.set(&CertificatePolicies(own), false);
    let sandbox = Sandbox::new();
    sandbox.write("chain.pem", text(&[leaf.sign(&issuer.key), intermediate.sign(&hierarchy.root.key)]));
    sandbox.write("root.pem", text(std::slice::from_ref(&hierarchy.root.certificate)));
    let wanted = policy("1").to_string();
    let verify = ["verify", "chain.pem", "--no-host", "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
    let verify = [&verify[..], &["--require-policy", &wanted]].concat();
    let ran = sandbox.certkit(&verify).expect_code(0);
    let ran = ran.says(&format!("policy {wanted}: practice statement http://one.test"));
    let ran = ran.says(&format!("policy {wanted}: notice: read http://one.test"));
    assert!(!ran.stdout.contains("two.test"), "{ran}");
    let told = sandbox.certkit(&[&verify[..], &["--json"]].concat()).expect_code(0).json();
    let expected =
        [serde_json::json!({ "policy": wanted, "cps": ["http://one.test"], "notices": ["read http://one.test"] })];
    assert_eq!(told["paths"][0]["policies"]["qualifiers"], serde_json::json!(expected));
}
