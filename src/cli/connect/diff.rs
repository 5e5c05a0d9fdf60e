//! `certkit connect --diff`: what differs between two servers, or between a server and what was saved of it.

use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Serialize;
use serde_json::Value;

use crate::cli::files;
use crate::cli::output::{Report, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, dim, good, safe, strong};

/// How deep two answers are compared; their own nesting is a fraction of it.
const MOST_NESTED: usize = 32;

/// What two answers differ in. Field names are the JSON schema `certkit.diff/1`.
#[derive(Debug, Serialize)]
pub(super) struct DiffReport {
    schema: &'static str,
    left: String,
    right: String,
    same: bool,
    differences: Vec<Difference>,
}

/// One difference. A list has `only_left` and `only_right`, anything else `left` and `right`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Difference {
    /// Where, in words: `TLS 1.2, suites`.
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    only_left: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    only_right: Vec<String>,
}

/// Reads an answer that was saved with `--json`, which has to be of this schema.
pub(super) fn saved(path: &Path, schema: &str) -> anyhow::Result<Value> {
    let contents = files::read(path)?;
    let value: Value =
        serde_json::from_slice(&contents).with_context(|| format!("{} is no answer of certkit", shown(path)))?;
    match value.get("schema").and_then(Value::as_str) {
        Some(found) if found == schema => Ok(value),
        Some(found) => {
            let wrong = anyhow!("{} holds {found}, and {schema} is compared", shown(path));
            Err(wrong).hint(match found {
                super::scan::SCHEMA => "it was saved with --scan: add --scan",
                _ => "save one with `certkit connect HOST --json`, or with --scan where that is compared",
            })
        }
        None => Err(anyhow!("{} is no answer of certkit: it names no schema", shown(path)))
            .hint("save one with `certkit connect HOST --json`"),
    }
}

/// Compares two answers of the same schema.
pub(super) fn compare(left: (String, &Value), right: (String, &Value)) -> DiffReport {
    let mut differences = Vec::new();
    descend(&[], &essence(left.1), &essence(right.1), &mut differences);
    DiffReport { schema: "certkit.diff/1", left: left.0, right: right.0, same: differences.is_empty(), differences }
}

impl DiffReport {
    /// Whether nothing differs.
    pub(super) fn is_same(&self) -> bool {
        self.same
    }
}

impl Report for DiffReport {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} and {}", strong(&self.left), strong(&self.right)));
        if self.same {
            text.line(format_args!("  {}", good("no difference")));
        }
        for Difference { at, left, right, only_left, only_right } in &self.differences {
            text.line(strong(at));
            if left.is_some() || right.is_some() {
                text.line(format_args!("  {} {}", dim("left "), safe(words(left.as_ref()))));
                text.line(format_args!("  {} {}", dim("right"), safe(words(right.as_ref()))));
            }
            if !only_left.is_empty() {
                text.line(format_args!("  {} {}", dim("only left "), safe(only_left.join(", "))));
            }
            if !only_right.is_empty() {
                text.line(format_args!("  {} {}", dim("only right"), safe(only_right.join(", "))));
            }
        }
    }
}

/// What of an answer is compared. Of a connection: the verdict, what was settled, and the certificates, which stand in its
/// transcript; the rest is another each time. Of a scan: all but what is passed over.
fn essence(answer: &Value) -> Value {
    let Some(Value::Object(summary)) = answer.get("summary") else { return answer.clone() };
    let told = |fields: &serde_json::Map<String, Value>, names: &[&str]| {
        let named = fields.iter().filter(|(name, _)| names.contains(&name.as_str()));
        named.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
    };
    let mut essence = answer.as_object().map(|all| told(all, &["accepted", "starttls"])).unwrap_or_default();
    essence.insert("reasons".to_owned(), answer.pointer("/verdict/reasons").cloned().unwrap_or_default());
    essence.extend(told(summary, SETTLED));
    let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
    let is_server = |event: &&Value| event["kind"] == "Certificate" && event["from"] == "server";
    let list = events.filter(is_server).find_map(|event| event.pointer("/fields/certificate_list"));
    essence.insert("certificates".to_owned(), list.cloned().unwrap_or_default());
    Value::Object(essence)
}

/// What of the summary of a connection is the server's choice.
const SETTLED: &[&str] = &[
    "outcome",
    "version",
    "cipher_suite",
    "protocol",
    "key_exchange",
    "forward_secret",
    "signature",
    "signature_holds",
    "stapled",
    "client_certificate",
    "remarks",
];

/// What is another each time, or says the same again.
const PASSED_OVER: &[&str] = &[
    "schema",
    "endpoint",
    "address",
    "at",
    "connections",
    "code",
    "words",
    "clause",
    "findings",
    "serial",
    "cert_data",
];

/// The fields by which the elements of a list are known again.
const NAMED_BY: &[&str] = &["version", "suite", "rule", "check"];

fn descend(at: &[String], left: &Value, right: &Value, differences: &mut Vec<Difference>) {
    if left == right || at.len() > MOST_NESTED {
        return;
    }
    match (left, right) {
        (Value::Object(one), Value::Object(other)) => {
            let fields = one.keys().chain(other.keys().filter(|field| !one.contains_key(*field)));
            for field in fields.filter(|field| !PASSED_OVER.contains(&field.as_str())) {
                let value = |of: &serde_json::Map<String, Value>| of.get(field).cloned().unwrap_or(Value::Null);
                descend(&with(at, in_words(field)), &value(one), &value(other), differences);
            }
        }
        (Value::Array(one), Value::Array(other)) => lists(at, one, other, differences),
        (one, other) => differences.push(Difference {
            at: place(at),
            left: Some(one.clone()),
            right: Some(other.clone()),
            only_left: Vec::new(),
            only_right: Vec::new(),
        }),
    }
}

fn lists(at: &[String], left: &[Value], right: &[Value], differences: &mut Vec<Difference>) {
    let all = || left.iter().chain(right);
    if !all().any(Value::is_object) {
        return plain_lists(at, left, right, differences);
    }
    let Some(name) = NAMED_BY.iter().find(|name| all().all(|one| one.get(**name).is_some())) else {
        // Certificates: the first is compared with the first.
        for number in 0..left.len().max(right.len()) {
            let value = |of: &[Value]| of.get(number).cloned().unwrap_or(Value::Null);
            let numbered =
                if left.len().max(right.len()) > 1 { with(at, (number + 1).to_string()) } else { at.to_vec() };
            descend(&numbered, &value(left), &value(right), differences);
        }
        return;
    };
    let names =
        |of: &[Value]| of.iter().filter_map(|one| one.get(*name).map(|name| words(Some(name)))).collect::<Vec<_>>();
    let (ours, theirs) = (names(left), names(right));
    only(at, &ours, &theirs, differences);
    for (one, ours) in left.iter().zip(&ours) {
        let twin = right.iter().zip(&theirs).find(|(_, theirs)| *theirs == ours);
        if let Some((other, _)) = twin {
            // The version says where one is; the list it stands in need not be named.
            let parent = if *name == "version" { &[][..] } else { at };
            descend(&with(parent, ours.clone()), one, other, differences);
        }
    }
}

fn plain_lists(at: &[String], left: &[Value], right: &[Value], differences: &mut Vec<Difference>) {
    let names = |of: &[Value]| of.iter().map(|one| words(Some(one))).collect::<Vec<_>>();
    only(at, &names(left), &names(right), differences);
}

/// What only one of two lists has, and where they have the same, their order.
fn only(at: &[String], left: &[String], right: &[String], differences: &mut Vec<Difference>) {
    let lacks =
        |of: &[String], from: &[String]| of.iter().filter(|one| !from.contains(one)).cloned().collect::<Vec<_>>();
    let (only_left, only_right) = (lacks(left, right), lacks(right, left));
    if !only_left.is_empty() || !only_right.is_empty() {
        differences.push(Difference { at: place(at), left: None, right: None, only_left, only_right });
    } else if left != right {
        let list = |of: &[String]| Some(Value::from(of.join(", ")));
        differences.push(Difference {
            at: place(&with(at, "order".to_owned())),
            left: list(left),
            right: list(right),
            only_left,
            only_right,
        });
    }
}

fn with(at: &[String], next: String) -> Vec<String> {
    [at, &[next]].concat()
}

fn place(at: &[String]) -> String {
    if at.is_empty() { "everything".to_owned() } else { at.join(", ") }
}

/// A field's name as people read it.
fn in_words(field: &str) -> String {
    let known = [
        ("alpn", "application protocols"),
        ("spki_sha256", "public key"),
        ("sha256", "SHA-256"),
        ("fingerprint_sha256", "SHA-256"),
        ("cipher_suite", "cipher suite"),
        ("protocol", "application protocol"),
        ("not_before", "valid from"),
        ("not_after", "valid until"),
        ("key_bits", "key size"),
        ("exchange_bits", "size of the key exchange"),
        ("features", "feature"),
        ("certificates", "certificate"),
    ];
    let found = known.iter().find(|(name, _)| *name == field).map(|(_, words)| (*words).to_owned());
    found.unwrap_or_else(|| field.replace('_', " "))
}

/// A value as people read it.
fn words(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(left: &Value, right: &Value) -> Vec<String> {
        let report = compare(("a".to_owned(), left), ("b".to_owned(), right));
        assert_eq!(report.is_same(), report.differences.is_empty());
        let told = |one: &Difference| {
            let sides = [one.left.as_ref(), one.right.as_ref()].map(|side| side.map(|it| words(Some(it))));
            format!("{}: {sides:?} {:?} {:?}", one.at, one.only_left, one.only_right)
        };
        report.differences.iter().map(told).collect()
    }

    #[test]
    fn versions_suites_and_groups_are_named_and_the_order_counts() {
        let suite = |name: &str, bits: u32| json!({"suite": name, "code": "x", "exchange_bits": bits});
        let left = json!({"connections": 7, "versions": [
            {"version": "TLS 1.2", "supported": "yes", "suites": [suite("A", 2048), suite("B", 1)], "groups": ["x", "y"]},
            {"version": "TLS 1.1", "supported": "yes"},
        ]});
        let right = json!({"connections": 9, "versions": [
            {"version": "TLS 1.2", "supported": "yes", "suites": [suite("A", 1024), suite("C", 1)], "groups": ["y", "x"]},
            {"version": "TLS 1.1", "supported": "no"},
        ]});
        assert_eq!(
            told(&left, &right),
            [
                "TLS 1.2, suites: [None, None] [\"B\"] [\"C\"]",
                "TLS 1.2, suites, A, size of the key exchange: [Some(\"2048\"), Some(\"1024\")] [] []",
                "TLS 1.2, groups, order: [Some(\"x, y\"), Some(\"y, x\")] [] []",
                "TLS 1.1, supported: [Some(\"yes\"), Some(\"no\")] [] []",
            ]
        );
        assert!(told(&left, &left).is_empty());
    }

    #[test]
    fn certificates_are_compared_field_by_field() {
        let left = json!({"certificates": [{"names": ["a", "b"], "not_after": "2027", "key": "P-256"}]});
        let right = json!({"certificates": [{"names": ["a"], "not_after": "2028", "key": "P-256"}]});
        assert_eq!(
            told(&left, &right),
            [
                "certificate, names: [None, None] [\"b\"] []",
                "certificate, valid until: [Some(\"2027\"), Some(\"2028\")] [] []",
            ]
        );
        let none = json!({"certificates": []});
        assert_eq!(told(&left, &none).len(), 1);
    }

    #[test]
    fn of_a_connection_only_what_the_server_chose_is_compared() {
        let connection = |version: &str, key: &str, random: &str| {
            json!({
                "schema": "certkit.connect/1", "endpoint": random, "accepted": true, "steps": {"connect_ms": random},
                "verdict": {"at": random, "reasons": []},
                "summary": {"version": version, "cipher_suite": {"code": random, "name": "X"}, "times": random},
                "events": [
                    {"kind": "ServerHello", "from": "server", "fields": {"random": random}},
                    {"kind": "Certificate", "from": "client", "fields": {"certificate_list": [random]}},
                    {"kind": "Certificate", "from": "server", "fields": {"certificate_list": [
                        {"public_key": key, "serial": random, "cert_data": random},
                    ]}},
                ],
            })
        };
        assert!(told(&connection("TLS 1.3", "P-256", "1"), &connection("TLS 1.3", "P-256", "2")).is_empty());
        assert_eq!(
            told(&connection("TLS 1.3", "P-256", "1"), &connection("TLS 1.2", "RSA-2048", "2")),
            [
                "version: [Some(\"TLS 1.3\"), Some(\"TLS 1.2\")] [] []",
                "certificate, public key: [Some(\"P-256\"), Some(\"RSA-2048\")] [] []",
            ]
        );
    }

    #[test]
    fn what_is_only_in_one_is_told() {
        let told = told(&json!({"features": {"heartbeat": true}}), &json!({"features": {}}));
        assert_eq!(told, ["feature, heartbeat: [Some(\"yes\"), Some(\"nothing\")] [] []"]);
    }
}
