//! What the threads of a batch do: make keys and certificates, and write files.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use zeroize::Zeroizing;

use super::plan::{Order, Planned};
use super::queue::{Job, Numbered, Queue};
use super::row::Row;
use crate::ca::{Issued, Press, Task, Unrecorded};
use crate::cli::ca::place;
use crate::cli::files::{self, Destination, Mode, Staged};
use crate::cli::making::fresh_serial;
use crate::cli::output::shown;
use crate::encoding::pem;
use crate::key::PrivateKey;

/// What every thread needs.
pub(super) struct Bench<'a> {
    press: Press<'a>,
    destination: Destination,
    /// The folder, where it is shown.
    folder: Option<PathBuf>,
    /// The authorities between a certificate and the root, as they stand in every file.
    issuer: String,
}

/// An order with its key.
pub(super) struct Keyed {
    pub(super) line: u64,
    stem: String,
    profile: String,
    key: Zeroizing<String>,
}

/// A certificate that is made, or not.
pub(super) enum Made {
    Certificate { unrecorded: Box<Unrecorded>, order: Keyed },
    Refused { line: u64, why: String },
}

/// A certificate that is recorded, or was not made.
pub(super) enum Recorded {
    Certificate { issued: Issued, order: Keyed },
    Refused { line: u64, why: String },
}

/// What a thread has done.
pub(super) enum Done {
    Made(Numbered<Vec<Made>>),
    Written(Numbered<Vec<Row>>),
}

impl<'a> Bench<'a> {
    pub(super) fn new(press: Press<'a>, destination: Destination, folder: Option<PathBuf>) -> Self {
        let issuer = place::chain(&press.chain());
        Self { press, destination, folder, issuer }
    }

    fn make(&self, planned: Planned) -> Made {
        match planned {
            Ok(order) => {
                let line = order.line;
                self.certificate(*order).unwrap_or_else(|error| Made::Refused { line, why: format!("{error:#}") })
            }
            Err((line, why)) => Made::Refused { line, why },
        }
    }

    fn certificate(&self, order: Order) -> anyhow::Result<Made> {
        let Order { line, naming, profile, validity, key, stem } = order;
        let key = PrivateKey::generate(key)?;
        let request = naming.request(key.public_key().clone());
        let name = profile.name.clone();
        let unrecorded = self.press.make(Task { profile, request, validity }, &mut fresh_serial)?;
        let key = pem::write("PRIVATE KEY", &key.to_pkcs8_der());
        Ok(Made::Certificate { unrecorded: Box::new(unrecorded), order: Keyed { line, stem, profile: name, key } })
    }

    /// Writes the files of a chunk, all to the disk before any is in its place.
    /// What others would meet too, such as a full disk, ends the batch.
    fn write(&self, chunk: Vec<Recorded>, queue: &Queue) -> Vec<Row> {
        let fails = |error: &anyhow::Error| {
            if files::lasts(error) {
                queue.fail(anyhow::anyhow!("{error:#}"));
            }
        };
        let staged = match self.stage(&chunk) {
            // One that cannot be written takes no other with it, and each is told by its own file.
            Err(error) if chunk.len() > 1 => {
                fails(&error);
                return chunk.into_iter().flat_map(|one| self.write(vec![one], queue)).collect();
            }
            staged => staged.inspect_err(fails),
        };
        chunk
            .into_iter()
            .map(|recorded| match recorded {
                Recorded::Refused { line, why } => Row::refused(line, why),
                Recorded::Certificate { issued, order } => {
                    let [certificate, key] = file_names(&order.stem);
                    let shown = |name: &str| match &self.folder {
                        Some(folder) => shown(&folder.join(name)),
                        None => name.to_owned(),
                    };
                    let row = Row::issued(order.line, &issued, order.profile, shown(&certificate), shown(&key));
                    let placed = match &staged {
                        Ok(staged) => staged.place(&key).and_then(|()| staged.place(&certificate)),
                        Err(error) => Err(anyhow::anyhow!("{error:#}")),
                    };
                    match placed {
                        Ok(()) => row,
                        Err(error) => {
                            fails(&error);
                            row.lost(format!("{error:#}"))
                        }
                    }
                }
            })
            .collect()
    }

    fn stage(&self, chunk: &[Recorded]) -> anyhow::Result<Staged> {
        let mut staged = self.destination.stage()?;
        for recorded in chunk {
            let Recorded::Certificate { issued, order } = recorded else { continue };
            let [certificate, key] = file_names(&order.stem);
            staged.add(&key, order.key.as_bytes(), Mode::Secret)?;
            let chain = place::chain(&[&issued.certificate]) + &self.issuer;
            staged.add(&certificate, chain.as_bytes(), Mode::Public)?;
        }
        staged.sync()?;
        Ok(staged)
    }
}

fn file_names(stem: &str) -> [String; 2] {
    [format!("{stem}.pem"), format!("{stem}-key.pem")]
}

/// Works until there is nothing left.
pub(super) fn work(queue: &Queue, bench: &Bench<'_>, results: &Sender<Done>) {
    while let Some(job) = queue.next() {
        let done = match job {
            Job::Make(Numbered { number, what }) => {
                let wanted = what.into_iter().take_while(|_| !queue.ends());
                let what = wanted.map(|planned| bench.make(planned)).collect();
                Done::Made(Numbered { number, what })
            }
            Job::Write(Numbered { number, what }) => Done::Written(Numbered { number, what: bench.write(what, queue) }),
        };
        if results.send(done).is_err() {
            return;
        }
    }
}
