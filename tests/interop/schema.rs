//! The JSON Schema of `certkit verify`, held against what it says by Python's `jsonschema`: every field is in it, and
//! nothing in it is missing from the answers.

use certkit::encoding::pem;
use certkit::verify::check::RULES;
use certkit::verify::compat::Client;
use certkit::x509::extension::{AccessDescription, AuthorityInfoAccess, CrlReason, KeyUsage, KeyUsageBit};
use certkit::x509::{Certificate, Extension, GeneralName, oids};
use serde_json::{Value, json};

use crate::support::case::{Case, HOST};
use crate::support::forge::Hierarchy;
use crate::support::forge_crl::ForgeCrl;
use crate::support::forge_ocsp::ForgeOcsp;
use crate::support::{Peer, Sandbox, python, skip};

/// The moment of the forged certificates.
const NOON: &str = "2026-11-23T12:00:00Z";

/// For each line of stdin: whether it keeps to schema.json, and if not, why.
const JUDGE: &str = "\
import json, sys, jsonschema
schema = json.load(open('schema.json'))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for line in sys.stdin:
    answer = json.loads(line)
    # The branch that the answer names says more than that none of all fits.
    names = {branch['properties']['schema']['const']: name for name, branch in schema['$defs'].items()
             if 'schema' in branch.get('properties', {})}
    best = {'$ref': '#/$defs/' + names.get(str(answer.get('schema')), 'failure'), '$defs': schema['$defs']}
    errors = [e.json_path + ': ' + e.message for e in jsonschema.Draft202012Validator(best).iter_errors(answer)]
    print(json.dumps(errors if errors or validator.is_valid(answer) else ['no branch or several']))
";

fn with_jsonschema() -> Option<Peer> {
    let python = python()?;
    let asked = std::process::Command::new(&python.path).args(["-c", "import jsonschema"]).output();
    match asked {
        Ok(output) if output.status.success() => Some(python),
        _ => skip("Python has no jsonschema: set CERTKIT_PYTHON"),
    }
}

/// What speaks against each of these answers.
fn errors(sandbox: &Sandbox, python: &Peer, answers: &[Value]) -> Vec<Vec<String>> {
    sandbox.write("schema.json", sandbox.certkit(&["verify", "--schema"]).expect_code(0).stdout);
    let lines: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
    let ran = sandbox.program(&python.path).args(["-c", JUDGE]).stdin(lines).expect_code(0);
    let judged: Vec<Vec<String>> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(judged.len(), answers.len(), "{ran}");
    judged
}

fn text(certificate: &Certificate) -> String {
    pem::write("CERTIFICATE", certificate.der()).to_string()
}

/// Writes a case's files and asks for the verdict on it.
fn verdict(sandbox: &Sandbox, case: &Case, more: &[&str], code: i32) -> Value {
    let chain: String = [&case.leaf].into_iter().chain(&case.intermediates).map(text).collect();
    sandbox.write("chain.pem", chain);
    sandbox.write("root.pem", text(&case.roots[0]));
    let mut args = vec!["verify", "chain.pem", "--json", "--at", NOON, "--roots", "root.pem", "--host"];
    args.push(case.host.unwrap());
    let lists: String = case.lists.iter().map(|list| pem::write("X509 CRL", list.der()).to_string()).collect();
    if !lists.is_empty() {
        sandbox.write("lists.pem", lists);
        args.extend(["--crl", "lists.pem"]);
    }
    sandbox.certkit(&[&args[..], more].concat()).expect_code(code).json()
}

/// Answers of every kind there is.
fn answers(sandbox: &Sandbox) -> Vec<Value> {
    let hierarchy = Hierarchy::new();
    let own = &hierarchy.intermediate;
    let sound = Case::sound(&hierarchy);
    let with_list = |list: ForgeCrl| Case { lists: vec![list.sign(&own.key)], ..sound.clone() };
    let revoking = |reason| with_list(ForgeCrl::of(own).revoking(&sound.leaf, reason));
    let mut answers = vec![
        verdict(sandbox, &sound, &[], 0),
        verdict(sandbox, &sound, &["--compat", "--all-paths"], 0),
        verdict(sandbox, &sound, &["--check-revocation", "leaf"], 1),
        verdict(
            sandbox,
            &sound,
            &["--purpose", "email", "--policy", "webpki", "--require-policy", "2.23.140.1.2.1"],
            1,
        ),
        verdict(sandbox, &sound, &["--max-depth", "0"], 1),
        verdict(sandbox, &Case { host: Some("other.example.com"), ..sound.clone() }, &["--compat"], 1),
        verdict(sandbox, &Case { intermediates: vec![], ..sound.clone() }, &[], 1),
        verdict(sandbox, &revoking(None), &[], 1),
        verdict(sandbox, &revoking(Some(CrlReason::KeyCompromise)), &[], 1),
        verdict(sandbox, &revoking(Some(CrlReason::CertificateHold)), &[], 1),
        verdict(sandbox, &with_list(ForgeCrl::of(own)), &[], 0),
        verdict(sandbox, &Case::tangle(&hierarchy), &[], 1),
    ];
    assert_eq!(answers.last().unwrap()["reasons"][0]["check"], "budget");
    let warned = Case::with_leaf(&hierarchy, &|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true));
    answers.push(verdict(sandbox, &warned, &[], 0));

    let mut response = ForgeOcsp::good(&sound.leaf, own);
    let nonce = certkit::encoding::der::octet_string(&[1; 16]);
    response.extensions.push(Extension { oid: oids::OCSP_NONCE, critical: false, value: nonce });
    sandbox.write("response.der", response.sign_der(&own.key));
    answers.push(verdict(sandbox, &sound, &["--ocsp", "response.der"], 0));
    assert_eq!(answers.last().unwrap()["paths"][0]["certificates"][0]["revocation"]["nonce"], "01".repeat(16));

    let location = GeneralName::Uri("https://127.0.0.1/int.crt".to_owned());
    let pointing = Case::with_leaf(&hierarchy, &|forge| {
        let access = AccessDescription { method: oids::CA_ISSUERS, location: location.clone() };
        forge.set(&AuthorityInfoAccess(vec![access]), false);
    });
    let alone = Case { intermediates: vec![], ..pointing };
    answers.push(verdict(sandbox, &alone, &["--fetch-issuers", "--fetch-revocation"], 1));
    assert_eq!(answers.last().unwrap()["fetches"][0]["outcome"], "not fetched");

    let judge = |file: &str, code| {
        let fixed = ["--no-host", "--json", "--at", NOON, "--roots", "root.pem"];
        sandbox.certkit(&[&["verify", file][..], &fixed].concat()).expect_code(code).json()
    };
    let damaged = text(&sound.leaf).replacen("MII", "MIA", 1);
    sandbox.write("damaged.pem", text(&sound.leaf) + &damaged);
    sandbox.write("leaf.der", sound.leaf.der());
    sandbox.write("bare.pem", text(&sound.leaf) + pem::write("EC PARAMETERS", &[5, 0]).as_ref());
    answers.extend([judge("damaged.pem", 1), judge("leaf.der", 1), judge("bare.pem", 1)]);
    answers.push(judge("missing.pem", 2));
    answers.push(sandbox.certkit(&["verify", "--json"]).expect_code(2).json());

    let batch = ["verify", "--batch", "-", "--json", "--at", NOON, "--roots", "root.pem", "--host", HOST];
    let named = "chain.pem\ndamaged.pem\nmissing.pem\nroot.pem\n";
    let ran = sandbox.command().args(batch).stdin(named.to_owned() + &text(&sound.leaf) + &damaged).expect_code(2);
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6, "{ran}");
    answers.extend(lines);
    answers.push(sandbox.certkit(&["verify", "--rules", "--json"]).expect_code(0).json());
    answers
}

#[test]
fn every_answer_of_verify_keeps_to_its_schema() {
    let Some(python) = with_jsonschema() else { return };
    let sandbox = Sandbox::new();
    let answers = answers(&sandbox);
    for (answer, errors) in answers.iter().zip(errors(&sandbox, &python, &answers)) {
        assert_eq!(errors, [""; 0], "{answer:#}");
    }
}

#[test]
fn the_schema_refuses_an_answer_with_a_field_more_a_field_less_or_another_value() {
    let Some(python) = with_jsonschema() else { return };
    let sandbox = Sandbox::new();
    let honest = verdict(&sandbox, &Case::sound(&Hierarchy::new()), &["--compat"], 0);
    let mut refused = Vec::new();
    // Every object in the answer, by the pointer to it.
    for pointer in objects(&honest, String::new()) {
        let mut more = honest.clone();
        more.pointer_mut(&pointer).unwrap()["undocumented"] = json!(1);
        refused.push(more);
        let fields: Vec<String> = honest.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        for field in fields.iter().filter(|field| *field != "compat") {
            let mut less = honest.clone();
            less.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(field);
            refused.push(less);
            let mut other = honest.clone();
            other.pointer_mut(&pointer).unwrap()[field] = json!({ "other": 1.5 });
            refused.push(other);
        }
    }
    assert!(refused.len() > 200, "{}", refused.len());
    for (answer, errors) in refused.iter().zip(errors(&sandbox, &python, &refused)) {
        assert_ne!(errors, [""; 0], "{answer:#}");
    }
}

/// The pointers to all objects in `value`.
fn objects(value: &Value, here: String) -> Vec<String> {
    let below = |(key, inner): (String, &Value)| objects(inner, format!("{here}/{key}"));
    match value {
        Value::Object(fields) => {
            let inner = fields.iter().map(|(key, inner)| (key.clone(), inner)).flat_map(below);
            [vec![here.clone()], inner.collect()].concat()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, inner)| (at.to_string(), inner)).flat_map(below).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn the_schema_names_every_rule_reason_and_client() {
    let schema = Sandbox::new().certkit(&["verify", "--schema", "--json"]).expect_code(0).json();
    let listed = |pointer: &str| -> Vec<String> {
        let list = schema.pointer(pointer).unwrap().as_array().unwrap();
        list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(listed("/$defs/check/enum"), rules);
    let clients: Vec<&str> = Client::ALL.iter().map(|client| client.key()).collect();
    assert_eq!(listed("/$defs/client/properties/client/enum"), clients);
    let reasons = CrlReason::ALL.map(CrlReason::name);
    assert_eq!(listed("/$defs/revocation/properties/reason/anyOf/0/enum"), reasons);
}

#[test]
fn the_schema_is_printed_and_nothing_is_judged() {
    let sandbox = Sandbox::new();
    let printed = sandbox.certkit(&["verify", "--schema"]).expect_code(0);
    let json = sandbox.certkit(&["verify", "--schema", "--json"]).expect_code(0).json();
    assert_eq!(printed.json(), json);
    for more in [&["--rules"][..], &["cert.pem"], &["--policy", "tls"], &["--no-host"], &["--force"]] {
        sandbox.certkit(&[&["verify", "--schema"][..], more].concat()).expect_code(2);
        let also = if more == ["--rules"] { &["cert.pem"][..] } else { more };
        sandbox.certkit(&[&["verify", "--rules"][..], also].concat()).expect_code(2);
    }
}
