//! The list of a batch, gone through as often as need be.

use std::path::Path;

use anyhow::Context;

use crate::cli::files::{self, Lines};
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::project::{Format, ListReader, Wish, WishError, list};

/// A list: read line by line, or whole where it is TOML.
pub(super) struct Source {
    name: String,
    kind: Kind,
}

enum Kind {
    Lines(Format, Lines),
    Whole(Vec<Wish>),
}

impl Source {
    /// Opens a list and finds out how it is written.
    pub(super) fn open(path: &Path, format: Option<Format>) -> anyhow::Result<Self> {
        let name = if files::is_dash(path) { "stdin".to_owned() } else { shown(path) };
        let mut lines = Lines::open(path)?;
        let format = match format {
            Some(format) => format,
            None => {
                let mut first = String::new();
                lines.each(|line| {
                    let line = String::from_utf8_lossy(line);
                    let line = list::without_mark(&line);
                    if first.is_empty() && !line.is_empty() && !line.starts_with('#') {
                        anyhow::ensure!(!line.contains('\r'), "the first line of {name}: {}", list::LONE_CR);
                        first = line.to_owned();
                    }
                    Ok(first.is_empty())
                })?;
                Format::detect(&name, &first)
                    .with_context(|| format!("cannot tell how {name} is written"))
                    .hint("correct the header, or say what it is: --format csv, or --format lines for names")?
            }
        };
        if format != Format::Toml {
            return Ok(Self { name, kind: Kind::Lines(format, lines) });
        }
        let mut text = String::new();
        lines.each(|line| {
            anyhow::ensure!(text.len() < files::READ_LIMIT, "{name} is longer than {} MiB", files::READ_LIMIT >> 20);
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
            Ok(true)
        })?;
        let wishes =
            list::from_toml(&text).map_err(|WishError { line, why }| anyhow::anyhow!("{name}:{line}: {why}"))?;
        Ok(Self { name, kind: Kind::Whole(wishes) })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Gives every wish to `each`, faulty lines too, until it wants no more. A header that cannot be read ends it.
    pub(super) fn each(
        &mut self,
        mut each: impl FnMut(Result<Wish, WishError>) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        match &mut self.kind {
            Kind::Whole(wishes) => {
                for wish in wishes {
                    if !each(Ok(wish.clone()))? {
                        break;
                    }
                }
                Ok(())
            }
            Kind::Lines(format, lines) => {
                let mut reader = ListReader::new(*format);
                let name = &self.name;
                lines.each(|line| match reader.line(line) {
                    Ok(None) => Ok(true),
                    Err(WishError { line, why }) if reader.awaits_header() => anyhow::bail!("{name}:{line}: {why}"),
                    wish => match wish.transpose() {
                        Some(wish) => each(wish),
                        None => Ok(true),
                    },
                })
            }
        }
    }
}
