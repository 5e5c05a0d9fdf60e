//! `certkit verify --schema`: the JSON Schema of the answers.

use serde::Serialize;

use crate::cli::output::Report;
use crate::cli::text::Text;

const DOCUMENT: &str = include_str!("answer.schema.json");

/// The schema of a verdict, of which the name and version stand in the answer's `schema`.
pub(super) const VERDICT: &str = "certkit.verify/1";
/// The schema of a line of `--batch`.
pub(super) const LINE: &str = "certkit.verify.line/1";
/// The schema of `--rules`.
pub(super) const RULES: &str = "certkit.verify.rules/1";

/// The document, which is JSON whichever way it is asked for.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct SchemaReport {
    document: serde_json::Value,
}

impl SchemaReport {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { document: serde_json::from_str(DOCUMENT)? })
    }
}

impl Report for SchemaReport {
    fn text(&self, text: &mut Text) {
        DOCUMENT.lines().for_each(|line| text.line(line));
    }
}
