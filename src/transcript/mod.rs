//! Two byte streams become a transcript: who said what and when, decoded, checked and explained.
//!
//! A [`Recorder`] is given the bytes of both sides as they come, from a capture or a live connection. It finds where TLS
//! begins, takes records and messages apart, checks the signatures, opens what it has keys for, and ends in a
//! [`Transcript`]: [`Event`]s and a [`Summary`], with renderings as JSON by `serde`, as rows for prose, and as the picture
//! of a ladder in SVG or a page of HTML.

mod checks;
mod event;
mod explain;
mod extension;
mod field;
mod http;
mod keys;
mod ladder;
mod message;
mod recorder;
mod session;
mod stream;
mod summary;

pub use event::{Event, Protection, Remark, Secret, Sender, Weight, name_of};
pub use field::{Fields, Row, Value};
pub use keys::Secrets;
pub use ladder::{Titled, hex_dump, html, svg};
pub use message::client_hello_fields;
pub use recorder::{Options, Recorder};
pub use summary::{ClientCertificate, Outcome, Summary, Times};

use crate::pcap::Side;
use serde::Serialize;
use time::OffsetDateTime;

/// A connection, told.
#[derive(Debug, Clone, Serialize)]
pub struct Transcript {
    /// Which side the client is.
    #[serde(skip)]
    pub client: Side,
    /// When the first byte was there.
    #[serde(skip)]
    pub begun: OffsetDateTime,
    /// What it came to.
    pub summary: Summary,
    /// What was said, in order.
    pub events: Vec<Event>,
}

impl Transcript {
    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        let event = |event: &Event| {
            let words: usize = event.remarks.iter().map(|remark| remark.text.len() + size_of::<Remark>()).sum();
            let paragraphs: usize =
                event.explanation.iter().map(|paragraph| paragraph.len() + size_of::<String>()).sum();
            size_of::<Event>() + event.headline.len() + event.bytes.len() + event.fields.size() + words + paragraphs
        };
        let chains = self.summary.server_chain.iter().chain(&self.summary.client_chain);
        self.events.iter().map(event).sum::<usize>() + chains.map(|one| 4 * one.der().len()).sum::<usize>()
    }

    /// Forgets what prose does not tell: the fields of the messages, and their bytes but for application data.
    pub fn keep_prose(&mut self) {
        for event in &mut self.events {
            event.fields = Fields::new();
            if event.kind != "ApplicationData" {
                event.bytes = Vec::new();
            }
        }
    }

    /// Has the secrets that were computed told too.
    pub fn reveal_secrets(&mut self) {
        self.events.iter_mut().for_each(|event| event.reveals = true);
    }
}
