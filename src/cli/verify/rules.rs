//! `certkit verify --rules`: the table of rules.

use serde::Serialize;

use super::schema;
use crate::cli::output::Report;
use crate::cli::text::{Text, dim, strong};
use crate::verify::check::{Policy, RULES};

/// The table of rules with the severity of each under each policy.
#[derive(Serialize)]
pub(super) struct RulesReport {
    schema: &'static str,
    rules: Vec<RuleRow>,
}

#[derive(Serialize)]
struct RuleRow {
    check: &'static str,
    clause: &'static str,
    requirement: &'static str,
    tls: &'static str,
    rfc5280: &'static str,
    webpki: &'static str,
}

impl RulesReport {
    pub(super) fn new() -> Self {
        let severity = |check: crate::verify::Check, policy| check.severity(policy).name();
        let rules = RULES.iter().map(|rule| RuleRow {
            check: rule.name,
            clause: rule.clause,
            requirement: rule.requirement,
            tls: severity(rule.check, Policy::Tls),
            rfc5280: severity(rule.check, Policy::Rfc5280),
            webpki: severity(rule.check, Policy::WebPki),
        });
        Self { schema: schema::RULES, rules: rules.collect() }
    }
}

impl Report for RulesReport {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{:26} {:8} {:8} {:8} {}", "rule", "tls", "rfc5280", "webpki", "what must hold"));
        for rule in &self.rules {
            let RuleRow { check, clause, requirement, tls, rfc5280, webpki } = rule;
            let name = format!("{check:26}");
            text.line(format_args!("{} {tls:8} {rfc5280:8} {webpki:8} {requirement}  {}", strong(name), dim(clause)));
        }
    }
}
