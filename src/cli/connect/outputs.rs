//! The files a connection can be kept in.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::report::ConnectReport;
use super::visit::Visit;
use crate::cli::files::{Mode, WriteSet};
use crate::cli::output::{Session, shown};
use crate::connect::{self, Conversed};
use crate::encoding::pem;
use crate::pcap::Format;
use crate::transcript::{html, svg};

#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// Write the server's certificates, its own first
    #[arg(long, value_name = "FILE", help_heading = "What is kept")]
    save_chain: Option<PathBuf>,

    /// Write what went over the wire as a capture: pcap, or pcapng where FILE ends in it
    #[arg(long, value_name = "FILE", help_heading = "What is kept")]
    save_pcap: Option<PathBuf>,

    /// Write the secrets of the connection as a TLS key log (RFC 9850), for you alone: they open its captures
    #[arg(long, value_name = "FILE", help_heading = "What is kept")]
    key_log: Option<PathBuf>,

    /// Write a page with the messages as a ladder, each opening to its content; it needs nothing else
    #[arg(long, value_name = "FILE", help_heading = "What is kept")]
    html: Option<PathBuf>,

    /// Draw the ladder as an SVG picture
    #[arg(long, value_name = "FILE", help_heading = "What is kept")]
    svg: Option<PathBuf>,

    /// Replace the files that are there
    #[arg(long, help_heading = "What is kept")]
    force: bool,
}

impl OutputArgs {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.save_chain, &self.save_pcap, &self.key_log, &self.html, &self.svg];
        all.into_iter().flatten().map(PathBuf::as_path)
    }

    /// Refuses what is in the way, before anybody is called.
    pub(super) fn check(&self, session: &Session) -> anyhow::Result<()> {
        if self.force && self.paths().next().is_none() {
            bail!("--force has nothing to replace without a file to write");
        }
        WriteSet::check(self.paths(), self.force, session)
    }

    /// Writes what was asked for.
    pub(super) fn write(
        self,
        report: &ConnectReport,
        visits: &[&Visit],
        key_log: &str,
        session: &mut Session,
    ) -> anyhow::Result<()> {
        let mut written: Vec<String> = self.paths().map(shown).collect();
        let mut files = WriteSet::new(self.force);
        if let Some(path) = self.save_chain {
            let chain = visits.first().map(|visit| visit.heard.chain.as_slice()).unwrap_or_default();
            let pem: String = chain.iter().map(|der| pem::write("CERTIFICATE", der).to_string()).collect();
            match chain.is_empty() {
                true => {
                    session.warn(format_args!("{} was not written: the server sent no certificate", shown(&path)));
                    written.retain(|file| *file != shown(&path));
                }
                false => files.add(path, pem.into_bytes(), Mode::Public),
            }
        }
        if let Some(path) = self.save_pcap {
            let is_pcapng = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pcapng"));
            let format = if is_pcapng { Format::Pcapng } else { Format::Pcap };
            let conversed: Vec<Conversed<'_>> = visits
                .iter()
                .map(|visit| Conversed { local: visit.route.local, peer: visit.route.peer, heard: &visit.heard })
                .collect();
            let capture = connect::capture(&conversed, format).context("cannot make the capture")?;
            files.add(path, capture, Mode::Public);
        }
        if let Some(path) = self.key_log {
            files.add(path, key_log.as_bytes().to_vec(), Mode::Secret);
        }
        let titles = report.titles();
        let titled = report.titled(&titles);
        if let Some(path) = self.html {
            // What was encrypted stands in it in the clear.
            files.add(path, html(&format!("TLS with {}", report.endpoint), &titled).into_bytes(), Mode::Secret);
        }
        if let Some(path) = self.svg {
            let first = titled.first().context("there is no TLS connection to draw")?;
            files.add(path, svg(*first).into_bytes(), Mode::Public);
        }
        files.write(session)?;
        for file in written.iter().filter(|file| *file != "-") {
            session.say(format_args!("wrote {file}"));
        }
        Ok(())
    }
}
