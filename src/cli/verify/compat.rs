//! `certkit verify --compat`: how named clients would judge the same path and name.

use serde::Serialize;

use crate::cli::text::{Text, bad, dim, good, strong, warn};
use crate::verify::Verifier;
use crate::verify::compat::{Answer, Prediction, predict};
use crate::x509::Certificate;

/// One client's answer.
#[derive(Serialize)]
pub(super) struct CompatRow {
    client: &'static str,
    answer: &'static str,
    because: Vec<&'static str>,
    #[serde(skip)]
    prediction: Prediction,
}

/// The answers of all clients to `leaf`.
pub(super) fn rows(leaf: &Certificate, verifier: &Verifier) -> Vec<CompatRow> {
    predict(verifier, leaf).into_iter().map(CompatRow::new).collect()
}

impl CompatRow {
    fn new(prediction: Prediction) -> Self {
        Self {
            client: prediction.client.key(),
            answer: prediction.answer.name(),
            because: prediction.because.iter().map(|fact| fact.words()).collect(),
            prediction,
        }
    }

    fn text(&self, text: &mut Text) {
        let answer = format!("{:8}", self.answer);
        let answer = match self.prediction.answer {
            Answer::Accepts => good(answer),
            Answer::Unknown => warn(answer),
            Answer::Refuses => bad(answer),
        };
        let name = format!("{:28}", self.prediction.client.name());
        text.line(format_args!("  {} {answer} {}", strong(name), self.because.join("; ")));
    }
}

/// The table for people.
pub(super) fn text(rows: &[CompatRow], text: &mut Text) {
    text.blank();
    text.line(dim("what clients would say, by rules and not by asking them"));
    rows.iter().for_each(|row| row.text(text));
}
