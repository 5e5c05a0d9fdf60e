//! `certkit man`: the manual, made from the same definitions as `--help`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap_mangen::Man;
use serde::Serialize;

use super::exit::Exit;
use super::files::{Mode, WriteSet};
use super::help;
use super::output::{Report, Session, shown};
use super::problem::Hinted;
use super::text::Text;

/// Print a page of the manual, or write all pages into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "For example: certkit man ca-issue | man -l -")]
pub(super) struct Args {
    /// The page: a command's words joined by dashes, as in `ca-issue`; without it the first page
    #[arg(conflicts_with = "out")]
    page: Option<String>,

    /// Write all pages into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Replace pages that are there already
    #[arg(long, requires = "out")]
    force: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let pages = pages()?;
    if let Some(folder) = args.out {
        let mut files = WriteSet::new(args.force);
        for page in pages {
            files.add(folder.join(format!("{}.1", page.name)), page.roff.into_bytes(), Mode::Public);
        }
        let written = files.write(session)?;
        session.answer(&Written { written })?;
    } else {
        let wanted = args.page.map_or("certkit".to_owned(), |page| page.replace(' ', "-"));
        session.answer(&find(pages, &wanted)?)?;
    }
    Ok(Exit::Yes)
}

#[derive(Serialize)]
struct Page {
    name: String,
    roff: String,
}

impl Report for Page {
    fn text(&self, text: &mut Text) {
        text.verbatim(&self.roff);
    }
}

#[derive(Serialize)]
struct Written {
    written: Vec<PathBuf>,
}

impl Report for Written {
    fn text(&self, text: &mut Text) {
        for path in &self.written {
            text.line(format_args!("wrote {}", shown(path)));
        }
    }
}

fn find(pages: Vec<Page>, wanted: &str) -> anyhow::Result<Page> {
    let names: Vec<_> =
        pages.iter().map(|page| page.name.strip_prefix("certkit-").unwrap_or(&page.name).to_owned()).collect();
    pages
        .into_iter()
        .find(|page| page.name == wanted || page.name.strip_prefix("certkit-") == Some(wanted))
        .ok_or_else(|| anyhow!("no page `{wanted}`"))
        .hint(format!("there are {}", names.join(", ")))
}

fn pages() -> anyhow::Result<Vec<Page>> {
    let mut program = help::manual();
    program.build();
    let mut pages = Vec::new();
    gather(&program, &mut pages)?;
    Ok(pages)
}

fn gather(command: &clap::Command, pages: &mut Vec<Page>) -> anyhow::Result<()> {
    let mut roff = Vec::new();
    Man::new(command.clone()).manual("certkit").render(&mut roff)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    pages.push(Page { name, roff: String::from_utf8(roff)? });
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        gather(below, pages)?;
    }
    Ok(())
}
